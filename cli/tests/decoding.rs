//! `batchfleet run` on files that do not split: compressed, in other encodings, JSON. Each comes to
//! what the plain CSV of the same rows does.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

const PEOPLE: &str = include_str!("../../examples/people.yaml");

struct Bench {
    folder: TempDir,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("people.yaml"), PEOPLE).unwrap();
        Self { folder }
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, content).unwrap();
        path
    }

    fn command(&self, file: &Path, definition: bool) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_batchfleet"));
        command.arg("run").arg(file).arg("--json");
        command.arg("--out").arg(self.folder.path().join("out"));
        command.args(["--batch-records", "1000"]);
        if definition {
            let path = self.folder.path().join("people.yaml");
            command.arg("--definition").arg(path);
        }
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn run(&self, file: &Path, definition: bool) -> Value {
        let output = self.command(file, definition).output().unwrap();
        let job: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
        let spool = self
            .folder
            .path()
            .join("out")
            .join(job["job"].as_str().unwrap())
            .join("spool");
        assert!(!spool.exists(), "the spool goes with the job");
        job
    }
}

fn people(rows: u64) -> String {
    let mut text = Vec::new();
    batchfleet_tests::people::write(&mut text, rows, 7).unwrap();
    String::from_utf8(text).unwrap()
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn zstd(text: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(text, ruzstd::encoding::CompressionLevel::Fastest)
}

fn utf16(text: &str, mark: bool, unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
    let begin = mark.then_some(0xFEFF);
    begin
        .into_iter()
        .chain(text.encode_utf16())
        .flat_map(unit)
        .collect()
}

/// The parts of the output, by their names.
fn parts(job: &Value) -> Vec<(String, String)> {
    let folder = Path::new(job["output"].as_str().unwrap());
    let mut parts: Vec<(String, String)> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, fs::read_to_string(&path).unwrap())
        })
        .collect();
    parts.sort();
    parts
}

fn rejects(job: &Value) -> String {
    fs::read_to_string(job["rejects"].as_str().unwrap()).unwrap()
}

fn counts(job: &Value) -> [u64; 4] {
    ["records", "accepted", "rejected", "skipped"].map(|name| job[name].as_u64().unwrap())
}

#[test]
fn containers_and_encodings_come_to_what_the_plain_file_does() {
    let bench = Bench::new();
    let text = people(20_000);
    let plain = bench.run(&bench.write("plain.csv", &text), true);
    assert!(counts(&plain)[2] > 0 && plain.get("decoded").is_none());
    for (name, file, format) in [
        ("a.gz", gzip(text.as_bytes()), json!({"container": "gzip"})),
        ("a.zst", zstd(text.as_bytes()), json!({"container": "zstd"})),
        (
            "le.csv",
            utf16(&text, true, u16::to_le_bytes),
            json!({"encoding": "UTF-16LE"}),
        ),
        (
            "be.csv",
            utf16(&text, true, u16::to_be_bytes),
            json!({"encoding": "UTF-16BE"}),
        ),
        (
            "le.gz",
            gzip(&utf16(&text, true, u16::to_le_bytes)),
            json!({"container": "gzip", "encoding": "UTF-16LE"}),
        ),
    ] {
        let job = bench.run(&bench.write(name, file), true);
        assert_eq!(job["status"], "COMPLETED", "{name}: {job}");
        assert_eq!(counts(&job), counts(&plain), "{name}");
        assert_eq!(parts(&job), parts(&plain), "{name}");
        assert_eq!(rejects(&job), rejects(&plain), "{name}");
        for (key, value) in format.as_object().unwrap() {
            assert_eq!(&job["decoded"][key], value, "{name}");
        }
    }
}

#[test]
fn windows_1252_is_read_as_its_letters() {
    let bench = Bench::new();
    let mut text = "id;name;straße\n".as_bytes().to_vec();
    for row in 0..5_000 {
        writeln!(text, "{row};Jörg Müller;Große Straße {row} – 5 €").unwrap();
    }
    let definition = "dialect: {delimiter: ';'}\n";
    fs::write(bench.folder.path().join("people.yaml"), definition).unwrap();
    let plain = bench.run(&bench.write("plain.csv", &text), true);
    let (bytes, _, _) = encoding_rs::WINDOWS_1252.encode(std::str::from_utf8(&text).unwrap());
    let job = bench.run(&bench.write("ansi.csv", bytes), true);
    assert_eq!(counts(&job), [5_000, 5_000, 0, 0]);
    assert_eq!(parts(&job), parts(&plain));
    assert_eq!(job["decoded"]["encoding"], "windows-1252");
}

#[test]
fn json_comes_to_what_the_csv_of_its_objects_does() {
    let bench = Bench::new();
    let text = people(5_000);
    let plain = bench.run(&bench.write("plain.csv", &text), true);
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .from_reader(text.as_bytes());
    let header: Vec<String> = reader
        .headers()
        .unwrap()
        .iter()
        .map(str::to_owned)
        .collect();
    let mut objects = Vec::new();
    for row in reader.records().map(Result::unwrap) {
        let object: Vec<String> = header
            .iter()
            .zip(&row)
            .map(|(name, cell)| format!("{}:{}", json!(name), json!(cell)))
            .collect();
        objects.push(format!("{{{}}}", object.join(", ")));
    }
    let lines = bench.run(&bench.write("a.ndjson", objects.join("\n")), true);
    assert_eq!(lines["decoded"]["json"]["form"], "lines", "{lines}");
    let array = format!("[\n  {}\n]\n", objects.join(",\n  "));
    let array = bench.run(&bench.write("a.json", &array), true);
    let packed = bench.run(
        &bench.write("a.json.gz", gzip(objects.join("\n").as_bytes())),
        true,
    );
    for job in [&lines, &array, &packed] {
        // The people's file has no ragged rows, which an object could not have.
        assert_eq!(job["status"], "COMPLETED", "{job}");
        assert_eq!(counts(job)[1..3], counts(&plain)[1..3]);
        let all = |job: &Value| {
            parts(job)
                .into_iter()
                .map(|(_, text)| text)
                .collect::<String>()
        };
        assert_eq!(all(job), all(&plain));
    }
    assert_eq!(
        rejects(&lines).lines().count(),
        rejects(&plain).lines().count()
    );
    let (first, second) = (rejects(&lines), rejects(&array));
    assert_eq!(first.lines().next(), second.lines().next());
}

#[test]
fn files_that_can_not_be_decoded_fail_with_what_to_do() {
    let bench = Bench::new();
    let text = people(20_000);
    let whole = gzip(text.as_bytes());
    let mut wrong = whole.clone();
    let end = wrong.len();
    wrong[end - 7] ^= 0xFF;
    let bomb = gzip(&[b"a,b\n".to_vec(), vec![b'x'; 64 << 20]].concat());
    for (name, file, code, words) in [
        (
            "cut.gz",
            whole[..whole.len() - 4].to_vec(),
            "BAD_SOURCE",
            "cut off",
        ),
        ("wrong.gz", wrong, "BAD_SOURCE", "damaged"),
        (
            "half.zst",
            zstd(text.as_bytes())[..1_000].to_vec(),
            "BAD_SOURCE",
            "cut off",
        ),
        ("twice.gz", gzip(&whole), "BAD_HEADER", "twice"),
        (
            "broken.json",
            b"[{\"a\":1}, {\"a\":2".to_vec(),
            "BAD_SOURCE",
            "cut off",
        ),
        (
            "numbers.json",
            b"[[1,2],[3,4]]".to_vec(),
            "BAD_HEADER",
            "object",
        ),
        ("bomb.gz", bomb, "BAD_SOURCE", ""),
    ] {
        let job = bench.run(&bench.write(name, file), false);
        assert_eq!(job["status"], "FAILED", "{name}: {job}");
        assert_eq!(job["reason"]["code"], code, "{name}: {job}");
        let message = job["reason"]["message"].as_str().unwrap();
        assert!(message.contains(words), "{name}: {message}");
    }
}

#[test]
fn killed_while_it_decodes_it_goes_on_where_it_was() {
    let bench = Bench::new();
    let text = people(60_000);
    let file = bench.write("a.gz", gzip(text.as_bytes()));
    let plain = Bench::new();
    let expected = plain.run(&plain.write("a.csv", &text), true);
    let mut kills = 0;
    for delay_ms in (5_u64..).step_by(15) {
        let mut child = bench.command(&file, true).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(delay_ms));
        child.kill().unwrap();
        if child.wait().unwrap().code().is_some() {
            break;
        }
        kills += 1;
    }
    assert!(kills >= 3, "the run was over after {kills} kills");
    let job = bench.run(&file, true);
    assert_eq!(counts(&job), counts(&expected));
    assert_eq!(parts(&job), parts(&expected));
    assert_eq!(rejects(&job), rejects(&expected));
}
