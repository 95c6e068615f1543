//! The operator's commands as a person meets them: on a folder in which another process runs a job,
//! and on one in which none does.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]
#![expect(
    clippy::disallowed_methods,
    reason = "what is timed here are other processes"
)]

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

const PEOPLE: &str = include_str!("../../examples/people.yaml");

/// A folder with a file of people, large enough to be steered while it is imported.
struct Bench {
    folder: TempDir,
    file: PathBuf,
    rows: u64,
}

impl Bench {
    fn new(rows: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut text = Vec::new();
        batchfleet_tests::people::write(&mut text, rows, 7).unwrap();
        let file = folder.path().join("people.csv");
        fs::write(&file, text).unwrap();
        fs::write(folder.path().join("people.yaml"), PEOPLE).unwrap();
        Self { folder, file, rows }
    }

    fn out(&self) -> PathBuf {
        self.folder.path().join("out")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_batchfleet"));
        command.args(arguments).arg("--out").arg(self.out());
        for variable in ["BATCHFLEET_STACK", "BATCHFLEET_TABLE"] {
            command.env_remove(variable);
        }
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Begins a run of 50 records a batch by two workers.
    fn run(&self) -> Run {
        let definition = self.folder.path().join("people.yaml");
        let file = self.file.to_str().unwrap();
        let child = self
            .command(&["run", file, "--batch-records", "50", "--workers", "2"])
            .args(["--json", "--definition", definition.to_str().unwrap()])
            .spawn()
            .unwrap();
        Run(child)
    }

    fn said(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// The one JSON value on stdout, and the exit code.
    fn json(&self, arguments: &[&str]) -> (i32, Value) {
        let output = self.said(&[arguments, &["--json"]].concat());
        let text = String::from_utf8(output.stdout).unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(text.matches('\n').count(), 1, "{arguments:?}: {text}{said}");
        let value = serde_json::from_str(&text).unwrap();
        (output.status.code().unwrap(), value)
    }

    fn status(&self, job: &str) -> Value {
        self.json(&["status", job]).1
    }

    /// The job of the run, once `rows` are imported.
    fn job_at(&self, rows: u64) -> String {
        let begun = Instant::now();
        loop {
            assert!(begun.elapsed() < Duration::from_mins(1), "no job moves");
            std::thread::sleep(Duration::from_millis(20));
            if !self.out().join("batchfleet.db").exists() {
                continue;
            }
            let (_, jobs) = self.json(&["jobs"]);
            let Some(job) = jobs[0]["job"].as_str() else {
                continue;
            };
            let status = self.status(job);
            if status["status"] != "PREPARING" && number(&status, "records") >= rows {
                return job.to_owned();
            }
        }
    }

    /// Rows in the delivered parts.
    fn delivered(&self, job: &str) -> u64 {
        let Ok(parts) = fs::read_dir(self.out().join(job).join("output")) else {
            return 0;
        };
        let paths = parts.map(|entry| entry.unwrap().path());
        paths
            .filter(|path| path.extension().is_some_and(|end| end == "jsonl"))
            .map(|path| lines(&path))
            .sum()
    }
}

/// A run in another process; killed with the test.
struct Run(Child);

impl Run {
    /// Its exit code, its JSON object and what it said on the way.
    fn end(&mut self) -> (i32, Value, String) {
        let code = self.0.wait().unwrap().code().unwrap();
        let (mut output, mut said) = (String::new(), String::new());
        let (stdout, stderr) = (self.0.stdout.take(), self.0.stderr.take());
        stdout.unwrap().read_to_string(&mut output).unwrap();
        stderr.unwrap().read_to_string(&mut said).unwrap();
        (code, serde_json::from_str(&output).unwrap(), said)
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn lines(path: &Path) -> u64 {
    let text = fs::read(path).unwrap();
    text.split(|byte| *byte == b'\n').count() as u64 - 1
}

fn number(value: &Value, name: &str) -> u64 {
    value[name].as_u64().unwrap()
}

/// Counts that add up, and are those of the delivered rows.
fn assert_right(bench: &Bench, summary: &Value) {
    let counts = ["accepted", "rejected", "skipped"].map(|name| number(summary, name));
    assert_eq!(number(summary, "records"), counts.iter().sum::<u64>());
    assert_eq!(counts[0], bench.delivered(summary["job"].as_str().unwrap()));
    let rejects = fs::read(summary["rejects"].as_str().unwrap()).unwrap();
    let rejects = csv::ReaderBuilder::new()
        .flexible(true)
        .from_reader(rejects.as_slice())
        .into_records()
        .count();
    assert_eq!(counts[1], rejects as u64);
}

#[test]
fn a_running_job_is_paused_within_two_seconds_and_goes_on_when_resumed() {
    let bench = Bench::new(150_000);
    let mut run = bench.run();
    let job = bench.job_at(1_000);
    let begun = Instant::now();
    let (code, paused) = bench.json(&["pause", &job]);
    let took = begun.elapsed();
    assert_eq!((code, &paused["status"]), (0, &"PAUSED".into()));
    assert_eq!(paused["held"], 0, "every worker let go: {paused}");
    assert!(took < Duration::from_millis(2_500), "{took:?}");

    let before = bench.delivered(&job);
    assert!(before > 0 && before < bench.rows, "{before} rows");
    let explained = bench.said(&["explain", &job]);
    let sentence = String::from_utf8(explained.stdout).unwrap();
    assert!(
        sentence.starts_with("the job has been paused for ")
            && sentence.contains("batchfleet resume"),
        "{sentence}"
    );
    let (code, again) = bench.json(&["pause", &job]);
    assert_eq!((code, &again["status"]), (0, &"PAUSED".into()));
    std::thread::sleep(Duration::from_millis(1_500));
    assert_eq!(bench.delivered(&job), before, "a paused job is not worked");

    let (code, resumed) = bench.json(&["resume", &job]);
    assert_eq!((code, &resumed["status"]), (0, &"PROCESSING".into()));
    let resumed = Instant::now();
    while bench.delivered(&job) == before {
        assert!(resumed.elapsed() < Duration::from_secs(2));
        std::thread::sleep(Duration::from_millis(20));
    }
    let (_, moving) = bench.json(&["explain", &job]);
    assert_eq!(moving["moving"], true, "{moving}");
    let (code, watched) = bench.json(&["watch", &job]);
    let (run_code, summary, said) = run.end();
    assert_eq!((code, run_code, &watched), (0, 0, &summary));
    assert_eq!(number(&summary, "records"), bench.rows);
    assert_right(&bench, &summary);
    let resume = format!("paused; batchfleet resume {job} --out");
    assert!(said.contains(&resume), "the run said: {said}");
}

#[test]
fn an_abort_ends_the_run_and_leaves_a_right_summary() {
    let bench = Bench::new(300_000);
    let mut run = bench.run();
    let job = bench.job_at(1_000);
    let (code, summary) = bench.json(&["abort", &job]);
    assert_eq!((code, &summary["status"]), (0, &"ABORTED".into()));
    assert!(number(&summary, "records") < bench.rows);
    let ended = Instant::now();
    let (run_code, of_run, _) = run.end();
    assert!(ended.elapsed() < Duration::from_secs(2), "the run noticed");
    assert_eq!((run_code, &of_run), (1, &summary));
    assert_right(&bench, &summary);

    let status = bench.said(&["status", &job]);
    assert_eq!(status.status.code(), Some(1));
    let (code, again) = bench.json(&["abort", &job]);
    assert_eq!((code, again), (0, summary.clone()), "it is so already");
    for refused in ["pause", "resume"] {
        let output = bench.said(&[refused, &job]);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("is over (ABORTED)"));
    }
    let explained = bench.said(&["explain", &job]);
    assert_eq!(explained.stdout, b"the job is over: ABORTED\n");
    let (code, reported) = bench.json(&["watch", &job]);
    assert_eq!((code, reported), (1, summary));
}

#[test]
fn while_no_run_works_a_job_is_explained_paused_waited_for_and_aborted() {
    let bench = Bench::new(100_000);
    let mut run = bench.run();
    let job = bench.job_at(500);
    run.0.kill().unwrap();
    run.0.wait().unwrap();
    let short = &job[..6];
    let (_, explained) = bench.json(&["explain", short]);
    let sentence = explained["explanation"].as_str().unwrap();
    assert!(
        sentence.starts_with("no run works in this folder: start the same `batchfleet run`"),
        "{sentence}"
    );
    let (code, paused) = bench.json(&["pause", short]);
    assert_eq!((code, &paused["status"]), (0, &"PAUSED".into()));

    // A run of a paused job waits, and says so.
    let before = bench.delivered(&job);
    let mut waiting = bench.run();
    std::thread::sleep(Duration::from_millis(1_500));
    assert_eq!(waiting.0.try_wait().unwrap(), None);
    assert_eq!(bench.delivered(&job), before);
    waiting.0.kill().unwrap();
    waiting.0.wait().unwrap();
    let mut said = String::new();
    let stderr = waiting.0.stderr.as_mut().unwrap();
    stderr.read_to_string(&mut said).unwrap();
    assert!(said.contains("paused; batchfleet resume "), "{said}");

    let (code, still) = bench.json(&["watch", short, "--timeout-seconds", "1"]);
    assert_eq!((code, &still["status"]), (0, &"PAUSED".into()));
    let begun = Instant::now();
    let (code, summary) = bench.json(&["abort", short]);
    assert_eq!((code, &summary["status"]), (0, &"ABORTED".into()));
    assert!(
        begun.elapsed() < Duration::from_secs(10),
        "no dead holder's lease is waited for"
    );
    let parts = fs::read(bench.out().join(&job).join("summary.json")).unwrap();
    let parts: Value = serde_json::from_slice(&parts).unwrap();
    let uncounted: u64 = parts["uncounted_parts"].as_array().map_or(0, |parts| {
        let path = |part: &Value| bench.out().join(&job).join(part.as_str().unwrap());
        parts.iter().map(|part| lines(&path(part))).sum()
    });
    let counted = bench.delivered(&job) - uncounted;
    assert_eq!(number(&summary, "accepted"), counted);
}

#[test]
fn an_ended_job_is_listed_told_and_its_rejects_are_printed() {
    let bench = Bench::new(2_000);
    let warned = PEOPLE.replace(
        "type: integer\n",
        "type: integer\n    max: 40\n    severity: warning\n",
    );
    fs::write(bench.folder.path().join("people.yaml"), warned).unwrap();
    let (_, summary, _) = bench.run().end();
    let job = summary["job"].as_str().unwrap();

    let (code, jobs) = bench.json(&["jobs"]);
    assert_eq!((code, jobs.as_array().unwrap().len()), (0, 1));
    assert_eq!(jobs[0]["job"], job);
    assert_eq!(jobs[0]["status"], "COMPLETED");
    assert_eq!(number(&jobs[0], "rows"), 2_000);
    assert_eq!(jobs[0]["definition"], "people");
    assert!(jobs[0]["file"].as_str().unwrap().ends_with("/people.csv"));
    assert!(number(&jobs[0], "created_ms") > 1_700_000_000_000);

    let (code, status) = bench.json(&["status", job]);
    assert_eq!(code, 0);
    let counted = ["records", "accepted", "rejected", "skipped"];
    for name in counted.into_iter().chain(["errors", "warned", "warnings"]) {
        assert_eq!(status[name], summary[name], "{name}");
    }
    assert!(number(&status["errors"], "TYPE_MISMATCH") > 0, "{status}");
    assert!(number(&status, "warned") > 0, "{status}");
    assert_eq!(status["percent"], 100.0);
    let batches = &status["batches"];
    assert_eq!(
        (&batches["done"], &batches["total"]),
        (&40.into(), &40.into())
    );
    for name in ["leased", "pending", "failed", "cancelled"] {
        assert_eq!(batches[name], 0, "{name}");
    }
    assert_eq!(status["leases"]["held"], 0);
    assert_eq!(status["preparer"]["state"], "complete");
    assert_eq!(status["report_owed"], false);
    assert_eq!(status.get("cost"), None, "nothing is billed here");
    let text = String::from_utf8(bench.said(&["status", job]).stdout).unwrap();
    assert!(
        text.contains("batches    40 of 40 done, 0 leased, 0 pending\n"),
        "{text}"
    );
    assert!(text.contains("\nwarned     1,"), "{text}");
    assert!(text.contains("\n           OUT_OF_RANGE: 1,"), "{text}");

    let merged = fs::read(summary["rejects"].as_str().unwrap()).unwrap();
    assert_eq!(bench.said(&["rejects", job]).stdout, merged);
    let objects = fs::read(summary["rejects_jsonl"].as_str().unwrap()).unwrap();
    let printed = bench.said(&["rejects", job, "--format", "jsonl"]).stdout;
    assert_eq!(printed, objects);
    let lines = String::from_utf8(printed).unwrap();
    let lines: Vec<Value> = lines
        .lines()
        .map(|it| serde_json::from_str(it).unwrap())
        .collect();
    assert_eq!(lines.len() as u64, number(&summary, "rejected"));
    for object in &lines {
        assert_eq!(object["errors"][0]["field"], "email", "{object}");
        assert!(object["cells"]["name"].is_string(), "{object}");
    }
    let copy = bench.folder.path().join("copy.csv");
    let (code, rejects) = bench.json(&["rejects", job, "--to", copy.to_str().unwrap()]);
    assert_eq!((code, fs::read(copy).unwrap()), (0, merged));
    assert_eq!(rejects["rejected"], summary["rejected"]);
    assert_eq!(
        (&rejects["rejects"], &rejects["final"]),
        (&summary["rejects"], &true.into())
    );
}

#[test]
fn what_names_no_job_exits_with_2_and_one_sentence() {
    let bench = Bench::new(10);
    let refused = |arguments: &[&str], why: &str| {
        let output = bench.said(arguments);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(output.stdout.is_empty());
        assert!(
            said.contains(why) && said.matches('\n').count() == 1,
            "{said}"
        );
    };
    refused(&["jobs"], "there are no jobs in ");
    assert!(!bench.out().exists(), "asking makes nothing");
    bench.run().end();
    let unknown = "0123456789abcdef0123456789abcdef";
    for verb in [
        "status", "watch", "pause", "resume", "abort", "rejects", "explain",
    ] {
        refused(&[verb, unknown], "there is no job 0123456789abcdef");
    }
    refused(&["status", "0123456"], "there is no job 0123456 here");
    refused(&["status", "0123"], "too short");
}

#[test]
fn the_rejects_of_an_open_job_are_those_so_far() {
    let bench = Bench::new(100_000);
    let mut run = bench.run();
    let job = bench.job_at(5_000);
    let (code, some) = bench.json(&["rejects", &job]);
    assert_eq!(
        (code, &some["final"], &some["rejects"]),
        (0, &false.into(), &Value::Null)
    );
    assert!(number(&some, "rejected") > 0);
    let output = bench.said(&["rejects", &job]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with("email,name,age,signup_date,role,_record,_line,_errors,_codes\n"));
    assert!(String::from_utf8_lossy(&output.stderr).contains("so far"));
    run.0.kill().unwrap();
}

/// The e-mail addresses that were delivered, in no order, as often as they were.
fn delivered_rows(bench: &Bench, jobs: &[&str]) -> Vec<String> {
    let mut rows = Vec::new();
    for job in jobs {
        for part in fs::read_dir(bench.out().join(job).join("output")).unwrap() {
            let text = fs::read_to_string(part.unwrap().path()).unwrap();
            rows.extend(text.lines().map(str::to_owned));
        }
    }
    rows.sort();
    rows
}

#[test]
fn what_an_abort_left_undone_is_redriven_and_then_the_rejects() {
    let bench = Bench::new(100_000);
    let mut run = bench.run();
    let first = bench.job_at(1_000);
    bench.json(&["abort", &first]);
    let (_, aborted, _) = run.end();
    let (code, rest) = bench.json(&["redrive", &first]);
    assert_eq!((code, &rest["status"]), (0, &"COMPLETED".into()));
    assert_eq!(number(&rest, "records"), bench.rows);
    let done = number(&aborted, "accepted") + number(&aborted, "rejected");
    assert!(number(&rest, "skipped") >= done);
    assert_right(&bench, &rest);

    let second = rest["job"].as_str().unwrap();
    let whole = tempfile::tempdir().unwrap();
    let definition = bench.folder.path().join("people.yaml");
    let run = Command::new(env!("CARGO_BIN_EXE_batchfleet"))
        .args([
            "run",
            bench.file.to_str().unwrap(),
            "--json",
            "--definition",
        ])
        .arg(&definition)
        .arg("--out")
        .arg(whole.path())
        .output()
        .unwrap();
    let at_once: Value = serde_json::from_slice(&run.stdout).unwrap();
    assert_eq!(
        number(&at_once, "rejected"),
        number(&aborted, "rejected") + number(&rest, "rejected"),
        "{at_once}, {aborted}, {rest}"
    );
    let mut expected = Vec::new();
    for part in fs::read_dir(at_once["output"].as_str().unwrap()).unwrap() {
        let text = fs::read_to_string(part.unwrap().path()).unwrap();
        expected.extend(text.lines().map(str::to_owned));
    }
    expected.sort();
    assert!(
        delivered_rows(&bench, &[&first, second]) == expected,
        "every row once, by one attempt or the other"
    );

    // Under a definition that takes any text for an address, the rejects are good.
    let mended = bench.folder.path().join("mended.yaml");
    fs::write(&mended, PEOPLE.replace("type: email", "type: string")).unwrap();
    let mended = mended.to_str().unwrap();
    let arguments = ["redrive", second, "--rejected", "--definition", mended];
    let (code, third) = bench.json(&arguments);
    assert_eq!(code, 0);
    // Those of both attempts: what is owed is read off all of them.
    assert_eq!(number(&third, "accepted"), number(&at_once, "rejected"));
    assert_eq!(number(&third, "rejected"), 0);

    let again = bench.json(&["redrive", &first, "--rejected"]).1;
    assert_eq!(number(&again, "skipped"), bench.rows, "there are none left");
}

#[test]
fn what_can_not_be_redriven_is_refused_in_one_sentence() {
    let bench = Bench::new(20);
    let none = bench.said(&["redrive", "0123456789abcdef"]);
    assert_eq!(none.status.code(), Some(2));
    assert!(!bench.out().exists(), "looking makes no folder");

    fs::write(&bench.file, "name\nx\n").unwrap();
    let (_, failed, _) = bench.run().end();
    let job = failed["job"].as_str().unwrap();
    let refused = bench.said(&["redrive", job]);
    assert_eq!(refused.status.code(), Some(2));
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(
        said.contains("import the file again") && said.lines().count() == 1,
        "{said}"
    );
}
