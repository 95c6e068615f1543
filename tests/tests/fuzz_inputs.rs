//! What the fuzz targets check, on each of their seeds and on each input that once failed: so that
//! `cargo test` keeps both without a fuzzing engine. It must not know what the targets check.

use std::fs;
use std::path::{Path, PathBuf};

#[path = "../fuzz/checks/decode.rs"]
mod decode;
#[path = "../fuzz/checks/definition.rs"]
mod definition;
#[path = "../fuzz/checks/detect.rs"]
mod detect;
#[path = "../fuzz/checks/infer.rs"]
mod infer;
#[path = "../fuzz/checks/reader_against_finder.rs"]
mod reader_against_finder;

/// Runs the check on every file of the target's folders; the file that fails is printed last.
#[expect(
    clippy::print_stdout,
    reason = "cargo prints it of a failed test alone"
)]
fn replay(target: &str, seeds_min: usize, check: fn(&[u8])) {
    let seeds = files("seeds", target);
    assert!(seeds.len() >= seeds_min, "{} seeds", seeds.len());
    for path in seeds.iter().chain(&files("findings", target)) {
        println!("{}", path.display());
        check(&fs::read(path).expect("a readable input"));
    }
}

/// The files of one folder, which need not exist.
fn files(folder: &str, target: &str) -> Vec<PathBuf> {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let Ok(entries) = fs::read_dir(fuzz.join(folder).join(target)) else {
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("a readable folder").path())
        .collect();
    paths.sort();
    paths
}

#[test]
fn reader_against_finder_holds_on_its_inputs() {
    replay("reader_against_finder", 40, reader_against_finder::check);
}

#[test]
fn decode_holds_on_its_inputs() {
    replay("decode", 20, decode::check);
}

#[test]
fn definition_holds_on_its_inputs() {
    replay("definition", 25, definition::check);
}

#[test]
fn detect_holds_on_its_inputs() {
    replay("detect", 35, detect::check);
}

#[test]
fn infer_holds_on_its_inputs() {
    replay("infer", 25, infer::check);
}
