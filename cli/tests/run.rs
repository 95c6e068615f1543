//! `batchfleet run` as a person meets it: its exit codes, its one JSON object, what it says of bad
//! input, and that being killed at any moment changes nothing.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

const PEOPLE: &str = include_str!("../../examples/people.yaml");

struct Bench {
    folder: TempDir,
}

impl Bench {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, content).unwrap();
        path
    }

    fn people(&self, rows: u64) -> PathBuf {
        let mut text = Vec::new();
        batchfleet_tests::people::write(&mut text, rows, 7).unwrap();
        self.write("people.csv", text)
    }

    fn command(&self, file: &Path, more: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_batchfleet"));
        command
            .arg("run")
            .arg(file)
            .arg("--out")
            .arg(self.path("out"))
            .args(more);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn run(&self, file: &Path, more: &[&str]) -> Output {
        self.command(file, more).output().unwrap()
    }

    fn json(&self, file: &Path, more: &[&str]) -> (i32, Value) {
        let output = self.run(file, &[more, &["--json"]].concat());
        let text = String::from_utf8(output.stdout).unwrap();
        let value = serde_json::from_str(&text).unwrap_or_else(|_| {
            panic!(
                "stdout is no JSON object: {text:?}; {}",
                String::from_utf8_lossy(&output.stderr)
            )
        });
        (output.status.code().unwrap(), value)
    }
}

/// Every delivered line, in the order of the parts.
fn delivered(output: &Value) -> String {
    let folder = Path::new(output["output"].as_str().unwrap());
    let mut parts: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    parts.sort();
    parts
        .iter()
        .map(|part| fs::read_to_string(part).unwrap())
        .collect()
}

fn counts(output: &Value) -> [u64; 4] {
    ["records", "accepted", "rejected", "skipped"].map(|name| output[name].as_u64().unwrap())
}

#[test]
fn a_job_is_reported_as_one_json_object_and_not_done_twice() {
    let bench = Bench::new();
    let file = bench.write("a.csv", "id,name\n1,x\n\n2,\"y\nz\"\n3,z,4\n");
    let (code, first) = bench.json(&file, &[]);
    assert_eq!((code, counts(&first)), (0, [4, 2, 1, 1]));
    let mut keys: Vec<&str> = first
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    keys.sort_unstable();
    let expected = [
        "accepted",
        "batches",
        "bytes",
        "elapsed_ms",
        "errors",
        "job",
        "manifest",
        "output",
        "records",
        "rejected",
        "rejects",
        "rejects_jsonl",
        "skipped",
        "status",
    ];
    assert_eq!(keys, expected);
    assert_eq!(first["errors"].to_string(), r#"{"MALFORMED_ROW":1}"#);
    assert_eq!(
        delivered(&first),
        "{\"id\":\"1\",\"name\":\"x\"}\n{\"id\":\"2\",\"name\":\"y\\nz\"}\n"
    );
    let rejects = fs::read_to_string(first["rejects"].as_str().unwrap()).unwrap();
    assert!(
        rejects.starts_with("id,name,_record,_line,_errors,_codes\n3,z,4,3,6,"),
        "{rejects}"
    );

    let (_, second) = bench.json(&file, &[]);
    assert_eq!(second, first, "an ended job is reported, not repeated");
    let (_, again) = bench.json(&file, &["--again"]);
    assert_ne!(again["job"], first["job"]);
    assert_eq!(counts(&again), counts(&first));
    let (_, after) = bench.json(&file, &[]);
    assert_eq!(
        after["job"], again["job"],
        "the newest attempt is the one reported"
    );
}

#[test]
fn rejects_uploaded_again_are_read_without_the_added_columns() {
    let bench = Bench::new();
    let definition = bench.write("people.yaml", PEOPLE);
    let definition = ["--definition", definition.to_str().unwrap()];
    let file = bench.people(2_000);
    let (_, first) = bench.json(&file, &definition);
    let rejected = counts(&first)[2];
    assert!(rejected > 0);
    let (_, again) = bench.json(Path::new(first["rejects"].as_str().unwrap()), &definition);
    assert_eq!(counts(&again), [rejected, 0, rejected, 0]);
    let mended = fs::read_to_string(first["rejects"].as_str().unwrap()).unwrap();
    let mended: String = mended
        .lines()
        .map(|line| match line.split_once(',') {
            Some((address, rest)) if address.starts_with("user") || address.starts_with('@') => {
                format!("mended@example.com,{rest}\n")
            }
            _ => format!("{line}\n"),
        })
        .collect();
    let mended = bench.write("mended.csv", mended);
    let (_, done) = bench.json(&mended, &definition);
    assert_eq!(counts(&done), [rejected, rejected, 0, 0]);
}

/// Whatever stands round the table in the files that the rows came from, there is none of it in their
/// rejects.
#[test]
fn rejects_of_files_without_a_header_are_uploaded_again_too() {
    for (dialect, above) in [
        ("{ columns: [id, name, age], footer_rows: 1 }", ""),
        ("{ header: false, footer_rows: 1 }", ""),
        (
            "{ preamble_rows: 2, footer_rows: 1 }",
            "A report\n\nid,name,age\n",
        ),
    ] {
        let bench = Bench::new();
        let has_no_names = dialect.contains("header");
        let column = |number: u32, name: &str| {
            let given = has_no_names.then(|| format!("column_{number}"));
            given.unwrap_or_else(|| name.to_owned())
        };
        let [id, age] = [column(1, "id"), column(3, "age")];
        let text = format!(
            "dialect: {dialect}\nfields:\n  - {{ name: id, column: {id}, type: integer }}\n  \
             - {{ name: age, column: {age}, type: integer }}\n"
        );
        let definition = bench.write("people.yaml", text);
        let definition = ["--definition", definition.to_str().unwrap()];
        let file = bench.write(
            "people.csv",
            format!("{above}1,Ann,old\n2,Bob,30\n3,\"Lee, Cy\",young\n4,Di,40\n2 rows,,\n"),
        );
        let (_, first) = bench.json(&file, &definition);
        assert_eq!(counts(&first), [5, 2, 2, 1], "{dialect}");
        let rejects = first["rejects"].as_str().unwrap();
        let (_, again) = bench.json(Path::new(rejects), &definition);
        assert_eq!(counts(&again), [2, 0, 2, 0], "{dialect}");
        let mended = fs::read_to_string(again["rejects"].as_str().unwrap()).unwrap();
        let mended = mended.replace(",old,", ",50,").replace(",young,", ",20,");
        let (_, done) = bench.json(&bench.write("mended.csv", mended), &definition);
        assert_eq!(counts(&done), [2, 2, 0, 0], "{dialect}");
    }
}

/// Killed at many moments and run again, a job ends with the counts and the rows of one that was
/// left alone.
#[test]
fn killed_at_any_moment_it_goes_on_where_it_was() {
    let quiet = Bench::new();
    let definition = quiet.write("people.yaml", PEOPLE);
    let more = [
        "--definition",
        definition.to_str().unwrap(),
        "--batch-records",
        "500",
        "--workers",
        "2",
    ];
    let file = quiet.people(60_000);
    let (_, expected) = quiet.json(&file, &more);

    let bench = Bench::new();
    let mut kills = 0;
    // First many times at the same batches: being killed is no evidence against their rows.
    for delay_ms in std::iter::repeat_n(12, 10).chain((1..).step_by(3)) {
        let mut child = bench.command(&file, &more).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(delay_ms));
        child.kill().unwrap();
        if child.wait().unwrap().code().is_some() {
            break;
        }
        kills += 1;
    }
    assert!(kills >= 3, "the run was over after {kills} kills");
    let (code, done) = bench.json(&file, &more);
    assert_eq!((code, counts(&done)), (0, counts(&expected)));
    assert_eq!(delivered(&done), delivered(&expected));
    let rejects = |output: &Value| fs::read_to_string(output["rejects"].as_str().unwrap()).unwrap();
    assert_eq!(rejects(&done), rejects(&expected));
}

#[test]
fn a_second_run_in_the_same_folder_is_refused() {
    let bench = Bench::new();
    let file = bench.people(300_000);
    let mut first = bench
        .command(&file, &["--batch-records", "100"])
        .spawn()
        .unwrap();
    while !bench.path("out").join("batchfleet.db").exists() {
        std::thread::sleep(Duration::from_millis(1));
    }
    let second = bench.run(&file, &[]);
    first.kill().unwrap();
    first.wait().unwrap();
    assert_eq!(second.status.code(), Some(2));
    assert!(
        String::from_utf8_lossy(&second.stderr).contains("another run"),
        "{second:?}"
    );
}

#[test]
fn bad_usage_bad_definitions_and_unreadable_files_exit_with_2_and_one_clear_sentence() {
    let bench = Bench::new();
    let good = bench.write("a.csv", "id\n1\n");
    let said = |file: &Path, more: &[&str]| {
        let output = bench.run(file, more);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert!(output.stdout.is_empty());
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(said(&bench.path("missing.csv"), &[]).contains("missing.csv"));
    assert!(said(bench.folder.path(), &[]).contains("is a folder"));
    assert!(said(&good, &["--definition", "/nowhere/d.yaml"]).contains("/nowhere/d.yaml"));
    assert!(said(&good, &["--workers", "0"]).contains("--workers"));
    let misspelt = bench.write("misspelt.yaml", "fields:\n  - name: id\n    type: integr\n");
    let faults = said(&good, &["--definition", misspelt.to_str().unwrap()]);
    assert!(
        faults.contains("line 3, column 11") && faults.contains("integer"),
        "{faults}"
    );
    let broken = bench.write("broken.yaml", "fields: [\n");
    assert!(said(&good, &["--definition", broken.to_str().unwrap()]).contains("line"));
}

/// A command that was built with AWS would go there.
#[cfg(not(feature = "aws"))]
#[test]
fn a_table_that_this_build_cannot_reach_is_named() {
    let bench = Bench::new();
    let file = bench.write("a.csv", "id\n1\n");
    for (key, table) in [
        ("destination", "{type: dynamodb, table: people, key: [id]}"),
        ("duplicates_of", "[{table: people, key: {no: id}}]"),
    ] {
        let text = format!("fields: [{{name: id, required: true}}]\n{key}: {table}\n");
        let definition = bench.write("table.yaml", text);
        let output = bench.run(&file, &["--definition", definition.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        let named = ["\"people\"", "--features aws", key];
        assert!(named.iter().all(|part| said.contains(part)), "{said}");
        assert!(!bench.path("out").exists(), "nothing was begun");
    }
}

#[test]
fn files_that_cannot_begin_fail_the_job_with_a_reason() {
    let bench = Bench::new();
    let definition = bench.write("people.yaml", PEOPLE);
    let random: Vec<u8> = (0..100_000_u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    let missing = b"name,age\nx,1\n".to_vec();
    let duplicate = b"email,name,age,Email\na@b.de,x,1,b@c.de\n".to_vec();
    for (name, content, code) in [
        ("empty", Vec::new(), "EMPTY_FILE"),
        ("nul", vec![0; 10_000], "BAD_HEADER"),
        ("random", random, "BAD_HEADER"),
        ("missing", missing, "BAD_HEADER"),
        ("duplicate", duplicate, "BAD_HEADER"),
        ("one-line", vec![b'x'; 10 << 20], "BAD_HEADER"),
    ] {
        let file = bench.write(name, content);
        let (exit, output) = bench.json(&file, &["--definition", definition.to_str().unwrap()]);
        assert_eq!(
            (exit, output["status"].as_str()),
            (1, Some("FAILED")),
            "{name}"
        );
        assert_eq!(output["reason"]["code"], code, "{name}: {output}");
    }
    // Whoever ends a job writes its report at once. A run that has to do it for one that is gone
    // shows its progress meanwhile.
    for number in 0..8 {
        let file = bench.write(&format!("twice-{number}"), "a,a\n1,2\n");
        let said = String::from_utf8(bench.run(&file, &[]).stderr).unwrap();
        assert!(!said.contains('%'), "{said}");
    }
    let header = bench.write("header-only", "email,name,age,signup_date,role\n");
    let (exit, output) = bench.json(&header, &["--definition", definition.to_str().unwrap()]);
    assert_eq!((exit, counts(&output)), (0, [0, 0, 0, 0]));
    let long = [
        b"email,name\na@b.de,".as_slice(),
        &vec![b'x'; 10 << 20],
        b"\nc@d.de,y\n",
    ]
    .concat();
    let (exit, output) = bench.json(
        &bench.write("long-record", long),
        &["--definition", definition.to_str().unwrap()],
    );
    assert_eq!(
        (exit, counts(&output)),
        (0, [2, 1, 1, 0]),
        "a record of 10 MB is one reject"
    );
}
