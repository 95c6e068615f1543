//! The manifest is one JSON document however many pieces it is written in, and the same each time.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use batchfleet_core::batch::{Completion, Written};
use batchfleet_core::checksum::FileSum;
use batchfleet_core::ids::JobId;
use batchfleet_core::job::Counts;
use batchfleet_core::manifest::{Listed, Manifest, ManifestWriter, Totals};
use batchfleet_core::ports::Results;
use batchfleet_core::report::MANIFEST_FILE;
use batchfleet_testing::MemoryResults;

fn done(accepted: u64, part: Option<&[u8]>) -> Completion {
    Completion {
        counts: Counts {
            records: accepted + 1,
            accepted,
            rejected: 1,
            skipped: 0,
        },
        written: part.map(|part| Written {
            part: Some(FileSum::of(part)),
        }),
        ..Completion::default()
    }
}

async fn write(results: &MemoryResults, buffer: usize, reports: &[Listed]) -> String {
    let job = JobId::derive(&["j"]);
    let mut writer = ManifestWriter::with_buffer(results, &job, buffer);
    writer.add(0, &done(3, Some(b"three"))).await.unwrap();
    writer.add(1, &done(0, None)).await.unwrap();
    let given_up = Completion {
        failed: true,
        ..done(0, None)
    };
    writer.add(2, &given_up).await.unwrap();
    // Of a release that kept no sums.
    writer.add(3, &done(2, None)).await.unwrap();
    writer.add(1_000, &done(1, Some(b"one"))).await.unwrap();
    writer.finish(reports).await.unwrap();
    let text = results.get(&job, MANIFEST_FILE).await.unwrap().unwrap();
    String::from_utf8(text.to_vec()).unwrap()
}

#[tokio::test]
async fn a_manifest_is_the_same_in_any_number_of_pieces() {
    let rejects = Listed {
        name: "rejects.csv".to_owned(),
        records: 5,
        sum: Some(FileSum::of(b"rejects")),
    };
    let reports = [rejects.clone()];
    let results = MemoryResults::new();
    let whole = write(&results, usize::MAX, &reports).await;
    let job = JobId::derive(&["j"]);
    assert_eq!(results.names(&job), [MANIFEST_FILE]);
    for buffer in [1, 100, 300] {
        let results = MemoryResults::new();
        for _ in 0..2 {
            assert_eq!(write(&results, buffer, &reports).await, whole, "{buffer}");
        }
        assert!(results.names(&job).len() > 2, "{buffer}");
    }
    let lines = whole.lines().filter(|line| line.contains("output/part-"));
    assert_eq!(lines.count(), 3, "a line for each part: {whole}");

    let manifest: Manifest = serde_json::from_str(&whole).unwrap();
    let listed = |name: &str, records, part: Option<&[u8]>| Listed {
        name: name.to_owned(),
        records,
        sum: part.map(FileSum::of),
    };
    let expected = Manifest {
        version: 1,
        job,
        parts: vec![
            listed("output/part-000000000.jsonl", 3, Some(b"three")),
            listed("output/part-000000003.jsonl", 2, None),
            listed("output/part-000001000.jsonl", 1, Some(b"one")),
        ],
        reports: vec![rejects],
        totals: Totals {
            parts: 3,
            records: 6,
            bytes: 8,
        },
    };
    assert_eq!(manifest, expected);
}
