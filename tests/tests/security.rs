//! Hostile files through the whole flow, and the page that names every threat and its test.
//!
//! Tests of one part alone are beside that part: docs/security.md lists all of them, and the last
//! test here sees that each one listed exists.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use std::collections::BTreeSet;
use std::fs;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use async_trait::async_trait;
use batchfleet_core::PortResult;
use batchfleet_core::job::{JobStatus, Policy, ReasonCode};
use batchfleet_core::ports::{NoLookups, NoSinks, Results, Source, Store, Unobserved};
use batchfleet_core::prepare::{Preparer, S3_WINDOW_BYTES, UNIQUE_MEMORY_BYTES};
use batchfleet_core::report::{OUTPUT_FOLDER, REJECTS_FILE, SUMMARY_FILE, Summary};
use batchfleet_core::source::SourceRef;
use batchfleet_core::work::{Pace, PlanCache, Worker};
use batchfleet_testing::{
    ManualClock, MemoryDefinitions, MemoryQueue, MemoryResults, MemorySource, MemorySpills,
    MemorySpool, MemoryStore, SequenceIds,
};
use bytes::Bytes;

const OPEN: &str = "{}";

/// Orchestrator and worker over memory, and one upload.
struct World {
    store: Arc<MemoryStore>,
    results: Arc<MemoryResults>,
    queue: Arc<MemoryQueue>,
    preparer: Preparer,
    worker: Worker,
    object: SourceRef,
}

impl World {
    fn new(content: impl Into<Bytes>, definition: &str) -> Self {
        Self::with_key(content, definition, "incoming/people/june.csv")
    }

    fn with_key(content: impl Into<Bytes>, definition: &str, key: &str) -> Self {
        let source = Arc::new(MemorySource::versioned());
        let object = source.put("uploads", key, content);
        Self::over(source, object, definition)
    }

    fn over(source: Arc<dyn Source>, object: SourceRef, definition: &str) -> Self {
        let clock = Arc::new(ManualClock::new(1_700_000_000_000));
        let store = Arc::new(MemoryStore::new());
        let results = Arc::new(MemoryResults::new());
        let spool = Arc::new(MemorySpool::new());
        let queue = Arc::new(MemoryQueue::new(clock.clone()));
        let definitions = Arc::new(MemoryDefinitions::new());
        definitions.insert("people", definition);
        let ids = Arc::new(SequenceIds::new(1));
        let preparer = Preparer {
            store: store.clone(),
            source: source.clone(),
            spool: spool.clone(),
            definitions,
            results: results.clone(),
            queue: queue.clone(),
            clock: clock.clone(),
            ids: ids.clone(),
            policy: Policy::default(),
            batch_records: None,
            window_bytes: S3_WINDOW_BYTES,
            spills: Arc::new(MemorySpills::new()),
            unique_memory_bytes: UNIQUE_MEMORY_BYTES,
        };
        let worker = Worker {
            store: store.clone(),
            source,
            spool,
            results: results.clone(),
            sinks: Arc::new(NoSinks),
            lookups: Arc::new(NoLookups),
            queue: queue.clone(),
            clock,
            ids,
            observer: Arc::new(Unobserved),
            pace: Pace::default(),
            plans: PlanCache::default(),
        };
        Self {
            store,
            results,
            queue,
            preparer,
            worker,
            object,
        }
    }

    /// The event, and then every message.
    async fn run(&self) -> Summary {
        self.preparer.prepare(&self.object, None).await.unwrap();
        for _ in 0..1_000 {
            let Some(message) = self.queue.receive(u64::MAX) else {
                break;
            };
            // The guard is the orchestrator's.
            self.worker.work(&message, None).await.unwrap();
        }
        serde_json::from_slice(&self.result(SUMMARY_FILE).await).unwrap()
    }

    async fn result(&self, name: &str) -> Bytes {
        let found = self.results.get(&self.object.job_id(), name).await.unwrap();
        found.unwrap_or_else(|| panic!("there is no {name}"))
    }

    async fn output(&self) -> Vec<u8> {
        let mut all = Vec::new();
        for name in self.results.names(&self.object.job_id()) {
            if name.starts_with(OUTPUT_FOLDER) {
                all.extend_from_slice(&self.result(&name).await);
            }
        }
        all
    }
}

// ---- Size --------------------------------------------------------------------------------

const GIB: u64 = 1 << 30;

/// An object that is nowhere: a header, and then one byte again and again. It counts what is held of
/// it at once.
#[derive(Default)]
struct Endless {
    read: AtomicU64,
    held: Arc<AtomicU64>,
    held_most: AtomicU64,
}

/// Bytes that say when they are gone.
struct Window {
    bytes: Vec<u8>,
    held: Arc<AtomicU64>,
}

impl AsRef<[u8]> for Window {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        self.held.fetch_sub(self.bytes.len() as u64, SeqCst);
    }
}

const ENDLESS_HEAD: &[u8] = b"id,name\n1,";

#[async_trait]
impl Source for Endless {
    async fn read(&self, _source: &SourceRef, range: Range<u64>) -> PortResult<Bytes> {
        let length = range.end - range.start;
        self.read.fetch_add(length, SeqCst);
        let held = self.held.fetch_add(length, SeqCst) + length;
        self.held_most.fetch_max(held, SeqCst);
        let mut bytes = vec![b'x'; length as usize];
        if range.start == 0 {
            bytes[..ENDLESS_HEAD.len()].copy_from_slice(ENDLESS_HEAD);
        }
        let held = Arc::clone(&self.held);
        Ok(Bytes::from_owner(Window { bytes, held }))
    }
}

/// It is given up after the scan limit, and never more than two windows of it are in memory: one is
/// scanned while the next is fetched.
#[tokio::test]
async fn a_line_of_a_gibibyte_is_never_held() {
    let source = Arc::new(Endless::default());
    let object = SourceRef {
        bucket: "uploads".into(),
        key: "incoming/people/endless.csv".into(),
        version: Some("v1".into()),
        etag: "e".into(),
        sequencer: None,
        size: GIB,
        attempt: 0,
        redrive: None,
    };
    let world = World::over(source.clone(), object, OPEN);
    let summary = world.run().await;
    let reason = summary.reason.unwrap();
    assert_eq!(reason.code, ReasonCode::RecordUnbounded);
    assert!(
        reason.message.contains("line 2 (byte 8)"),
        "{}",
        reason.message
    );
    let (read, most) = (source.read.load(SeqCst), source.held_most.load(SeqCst));
    assert!(most <= 2 * S3_WINDOW_BYTES, "{most} bytes at once");
    let limit = batchfleet_grammar::Limits::default().record_scan_bytes_max;
    assert!(read <= limit + 4 * S3_WINDOW_BYTES, "{read} bytes read");
    assert_eq!(source.held.load(SeqCst), 0);
}

#[tokio::test]
async fn a_million_columns_in_the_header_end_the_job() {
    let names: Vec<String> = (0..1_000_000).map(|column| column.to_string()).collect();
    // Too long for the head of the file; with names of one byte or none, too many.
    for (header, words) in [
        (
            names.join(","),
            "does not end within the first 1048576 bytes",
        ),
        (",".repeat(1_000_000), "1000001 columns"),
        ("a,".repeat(500_000), "bytes long as JSON"),
    ] {
        let world = World::new(format!("{header}\n1,2\n"), OPEN);
        let reason = world.run().await.reason.unwrap();
        assert_eq!(reason.code, ReasonCode::BadHeader);
        assert!(reason.message.len() < 200, "{}", reason.message);
        let is_said = reason.message.contains(words) || reason.message.contains("more than 4096");
        assert!(is_said, "{}", reason.message);
    }
}

#[tokio::test]
async fn a_million_columns_in_a_row_are_one_reject() {
    let text = format!("a,b\n1,2\n{}\n3,4\n", ",".repeat(1_000_000));
    let summary = World::new(text, OPEN).run().await;
    assert_eq!(summary.status, JobStatus::Completed);
    let counts = summary.counts;
    assert_eq!(
        (counts.records, counts.accepted, counts.rejected),
        (3, 2, 1)
    );
}

/// Names are in every row of the output: a header of 250 KB makes 250 KB of a row of 130 bytes, and a
/// batch of 5,000 such rows would be 1.3 GB.
#[tokio::test]
async fn a_header_that_fills_every_row_makes_small_batches() {
    let names: Vec<String> = (0..128).map(|column| format!("{column:0>1950}")).collect();
    let row = format!("{}\n", ",".repeat(127));
    let text = format!("{}\n{}", names.join(","), row.repeat(1_000));
    let world = World::new(text, OPEN);
    world.preparer.prepare(&world.object, None).await.unwrap();
    let pages = world.store.pages(&world.object.job_id(), 0).await.unwrap();
    let batches: Vec<u64> = pages
        .iter()
        .flat_map(|page| &page.ranges)
        .map(|range| range.records)
        .collect();
    assert_eq!(batches.iter().sum::<u64>(), 1_000);
    let largest =
        batches.iter().max().unwrap() * names.iter().map(|name| name.len() as u64).sum::<u64>();
    assert!(
        largest <= 64 << 20,
        "a part of {largest} bytes, in batches of {batches:?}"
    );
}

/// What a job keeps of its failure is one item of the table, which takes 400 KB.
#[tokio::test]
async fn any_number_of_faults_is_a_reason_that_can_be_kept() {
    let duplicates = format!("{}\n", "same,".repeat(4_000));
    let required =
        |n: usize| format!("  - {{name: a column that is missing {n}, required: true}}\n");
    let required: String = (0..2_500).map(required).collect();
    let faulty: String = (0..19_000).map(|_| "- 1\n".to_owned()).collect();
    for (text, definition, code) in [
        (duplicates, OPEN.to_owned(), ReasonCode::BadHeader),
        (
            "id\n1\n".to_owned(),
            format!("fields:\n{required}"),
            ReasonCode::BadHeader,
        ),
        (
            "id\n1\n".to_owned(),
            format!("fields:\n{faulty}"),
            ReasonCode::BadDefinition,
        ),
    ] {
        let summary = World::new(text, &definition).run().await;
        let reason = summary.reason.unwrap();
        assert_eq!((summary.status, reason.code), (JobStatus::Failed, code));
        let length = reason.message.len();
        assert!((4_000..10_000).contains(&length), "{length} bytes");
        assert!(reason.message.ends_with("lines more"), "{}", reason.message);
    }
}

// ---- Values ------------------------------------------------------------------------------

/// Ends strings, lines, terminals' patience and JavaScript.
const HOSTILE: &str =
    "\"},\n{\"admin\":true}\r\n\u{1b}[2J\u{2028}\u{2029}\u{85}\u{202e}</script>'; DROP --\\";

#[tokio::test]
async fn a_summary_reads_back_whatever_names_and_keys_hold() {
    let quoted = HOSTILE
        .replace('"', "\"\"")
        .replace(['\u{1b}', '\u{85}'], "");
    let text = format!("id,\"{quoted}\",=cmd\n1,2,3\n");
    let key = format!("incoming/people/{HOSTILE}.csv");
    let world = World::with_key(text, "fields: [{name: id, type: integer}]", &key);
    let summary = world.run().await;
    assert_eq!(summary.status, JobStatus::Completed);
    assert_eq!(summary.source.key, key);
    assert_eq!(summary.ignored_columns.len(), 2);
    let written = world.result(SUMMARY_FILE).await;
    let written = std::str::from_utf8(&written).unwrap();
    let is_bad = |c: char| c.is_ascii_control() && c != '\n';
    assert!(!written.contains(is_bad), "{written}");
}

/// Any bytes in a cell: what is text comes out as it was, on one line; what is not is a reject.
#[tokio::test]
async fn the_output_is_json_lines_whatever_cells_hold() {
    let mut text = b"value\n".to_vec();
    let mut expected = Vec::new();
    for byte in 0..=255_u8 {
        let cell = [b"a".as_slice(), &[byte], b"b"].concat();
        let doubled = if byte == b'"' {
            b"a\"\"b".to_vec()
        } else {
            cell.clone()
        };
        text.extend([b"\"".as_slice(), &doubled, b"\"\n"].concat());
        expected.extend(String::from_utf8(cell));
    }
    for good in [HOSTILE, "é\u{2028}🦀\u{10ffff}\u{fffd}\u{feff}"] {
        text.extend(format!("\"{}\"\n", good.replace('"', "\"\"")).into_bytes());
        expected.push(good.to_owned());
    }
    // Cut characters, overlong forms, surrogates, beyond Unicode.
    for bad in [
        &b"\xe2\x80"[..],
        b"\xc0\xaf",
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
        b"\xff\xfe",
    ] {
        text.extend([b"\"", bad, b"\"\n"].concat());
    }
    let rows = text.split(|byte| *byte == b'\n').count();
    assert!(rows > 250);

    let world = World::new(text, OPEN);
    let summary = world.run().await;
    assert_eq!(summary.counts.accepted, expected.len() as u64);
    assert_eq!(summary.counts.rejected, 128 + 5);
    let output = String::from_utf8(world.output().await).unwrap();
    let ends = [
        '\r', '\u{b}', '\u{c}', '\u{1c}', '\u{1d}', '\u{1e}', '\u{85}', '\u{2028}', '\u{2029}',
    ];
    assert!(!output.contains(ends), "a line ends within a row");
    let read = |line: &str| {
        serde_json::from_str::<serde_json::Value>(line).unwrap()["value"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(output.lines().map(read).collect::<Vec<_>>(), expected);
}

/// What we add to rejects.csv is never a formula. The cells themselves are those of the file, so that
/// it can be uploaded again as it is.
#[tokio::test]
async fn rejects_add_no_formula_and_keep_the_cells() {
    let formulas = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "=cmd|' /C calc'!A0"];
    for formula in formulas {
        let name = formula.trim();
        let definition = format!("fields: [{{name: \"{name}\", type: date}}]");
        let world = World::new(format!("\"{name}\"\n\"{formula}\"\n"), &definition);
        let summary = world.run().await;
        assert_eq!(summary.counts.rejected, 1, "{formula}");
        let rejects = world.result(REJECTS_FILE).await;
        let mut reader = csv::Reader::from_reader(&rejects[..]);
        let row = reader.records().next().unwrap().unwrap();
        assert_eq!(&row[0], formula);
        for added in [&row[1], &row[2], &row[3]] {
            assert!(
                !added.starts_with(['=', '+', '-', '@', '\t', '\r']),
                "{added}"
            );
        }
    }
}

// ---- The page ----------------------------------------------------------------------------

/// Each test that docs/security.md names, as `path::name`, exists: the page cannot rot.
#[test]
fn every_test_named_in_the_threat_model_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let page = fs::read_to_string(root.join("docs/security.md")).unwrap();
    let named: BTreeSet<(&str, &str)> = page
        .split('`')
        .skip(1)
        .step_by(2)
        .filter_map(|code| {
            code.split_once(".rs::")
                .or_else(|| code.split_once(".py::"))
        })
        .collect();
    assert!(named.len() > 30, "only {} tests are named", named.len());
    let mut missing = Vec::new();
    for (path, name) in named {
        let rust = fs::read_to_string(root.join(format!("{path}.rs")));
        let is_there = match (rust, fs::read_to_string(root.join(format!("{path}.py")))) {
            (Ok(text), _) => is_test(&text, name),
            (_, Ok(text)) => {
                text.contains(&format!("\"{name}\"")) || text.contains(&format!("def {name}("))
            }
            _ => false,
        };
        if !is_there {
            missing.push(format!("{path}::{name}"));
        }
    }
    assert!(
        missing.is_empty(),
        "docs/security.md names tests that do not exist: {missing:#?}"
    );
}

/// Whether a function of this name stands right under a test's attribute; or, within `proptest!`,
/// under that of the macro.
fn is_test(text: &str, name: &str) -> bool {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    lines.iter().enumerate().any(|(at, line)| {
        let line = line.strip_prefix("async ").unwrap_or(line);
        line.strip_prefix("fn ").is_some_and(|rest| {
            rest.strip_prefix(name)
                .is_some_and(|rest| rest.starts_with('('))
        }) && lines[..at]
            .iter()
            .rev()
            .take(3)
            .any(|above| above.starts_with("#[test]") || above.starts_with("#[tokio::test"))
    })
}

#[test]
fn a_test_is_told_from_what_is_none() {
    let text =
        "#[test]\nfn one() {}\n\nfn two() {}\n// fn three()\n#[tokio::test]\nasync fn four() {\n";
    assert!(is_test(text, "one") && is_test(text, "four"));
    for other in ["on", "three", "five"] {
        assert!(!is_test(text, other), "{other}");
    }
    assert!(!is_test(
        "\n\n\n#[test]\nfn one() {\n\n\n}\nfn two() {}",
        "two"
    ));
}
