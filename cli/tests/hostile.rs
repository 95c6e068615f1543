//! Files, names and paths made to hurt, as the command meets them.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// Clears the screen, sets the title, 8-bit CSI, reverses the text, begins a line of its own.
const HOSTILE: &str = "a\u{1b}[2J\u{1b}]0;owned\u{7}\u{9b}31m\u{202e}b\nbatchfleet: all is well";

/// What a terminal acts on, or does not show.
fn is_hidden(character: char) -> bool {
    (character.is_control() && character != '\n')
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
}

/// Everything that a command printed.
fn said(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_batchfleet"))
        .args(arguments)
        .current_dir(folder)
        .env("RUST_LOG", "info")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    String::from_utf8(text).unwrap()
}

#[test]
fn nothing_that_an_uploader_names_reaches_a_terminal_raw() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let file = format!("{HOSTILE}.csv");
    // A header can have line breaks and characters that turn its direction.
    let header = "id,\"x\u{202e}y\nz\",\"=cmd\u{2028}\"\n1,2,3\nx,2,3\n";
    fs::write(folder.join(&file), header).unwrap();
    let definition = format!("{HOSTILE}.yaml");
    fs::write(
        folder.join(&definition),
        "fields: [{name: id, type: integer}]",
    )
    .unwrap();
    fs::write(
        folder.join("faulty.yaml"),
        format!("\"{}\": 1", "x\u{202e}\\u001b[2J"),
    )
    .unwrap();
    fs::write(
        folder.join("missing.yaml"),
        "fields: [{name: \"q\u{202e}\", required: true}]",
    )
    .unwrap();

    let run = ["run", &*file, "--definition", &*definition];
    let mut told = vec![
        said(folder, &run),
        said(folder, &[&run[..], &["--json"]].concat()),
    ];
    assert!(told[0].contains("COMPLETED"), "{}", told[0]);
    let (_, id) = told[0].split_once("job ").unwrap();
    let id = id.trim_start().lines().next().unwrap().to_owned();
    for verb in [
        "jobs", "status", "watch", "explain", "rejects", "abort", "pause",
    ] {
        for json in [&[][..], &["--json"]] {
            let job: &[&str] = if verb == "jobs" { &[] } else { &[&id] };
            told.push(said(folder, &[&[verb], job, json].concat()));
        }
    }
    for more in [
        &["run", "no such \u{1b}[2J\u{9b}file"][..],
        &["run", &*file, "--definition", "no such \u{1b}[2Jdefinition"],
        &["run", &*file, "--definition", "faulty.yaml"],
        &["run", &*file, "--definition", "missing.yaml"],
        &["run", &*file, "--out", "file\u{1b}[2J.csv/\u{202e}"],
        &["status", "abcdef\u{1b}[2J"],
        &["status", &id, "--out", "no such \u{1b}[2Jfolder"],
    ] {
        told.push(said(folder, more));
    }
    for text in &told {
        // Rows are data: a program that reads them gets them as they are.
        let is_rows = text.contains("_record,_line,_errors");
        assert!(is_rows || !text.contains(is_hidden), "{text:?}");
        assert!(
            !text
                .lines()
                .any(|line| line == "batchfleet: all is well.csv"),
            "{text:?}"
        );
    }
    assert!(
        told.iter().any(|text| text.contains("\\u{1b}[2J")),
        "{told:?}"
    );
}

#[test]
fn a_definition_without_an_end_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.csv"), "id\n1\n").unwrap();
    for endless in ["/dev/zero", "/dev/urandom"] {
        let text = said(folder.path(), &["run", "a.csv", "--definition", endless]);
        assert!(text.contains("larger than 256 KiB"), "{text}");
    }
}
