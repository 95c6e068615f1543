//! What version 1 stored must decode for ever: items of the table, and the summary. When a type
//! grows, the new part needs a default, and these texts stay as they are.

use batchfleet_core::batch::{Completion, Shard, ShardTotals, Written};
use batchfleet_core::checksum::FileSum;
use batchfleet_core::job::{Checkpoint, Layout, PlanTotals, Policy, Reason, ReasonCode};
use batchfleet_core::manifest::Manifest;
use batchfleet_core::report::{Decoded, Summary};
use batchfleet_core::source::SourceRef;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Decodes, and is written the same way again.
fn frozen<T: DeserializeOwned + Serialize>(text: &str) -> T {
    let value: T = serde_json::from_str(text).expect(text);
    let again: serde_json::Value = serde_json::to_value(&value).expect("it is written again");
    let before: serde_json::Value = serde_json::from_str(text).expect(text);
    assert_eq!(again, before);
    value
}

#[test]
fn policies() {
    let policy: Policy = frozen(
        r#"{"batch_records_max":5000,"batch_bytes_max":8388608,"shard_batches":1000,"page_batches":25,"lease_ms":60000,"attempts_max":5,"workers_max":50}"#,
    );
    assert_eq!(policy, Policy::default());
}

#[test]
fn sources() {
    let source: SourceRef = frozen(
        r#"{"bucket":"b","key":"incoming/people/ü.csv","version":"v1","etag":"e","sequencer":"0A","size":9007199254740993}"#,
    );
    assert_eq!(source.size, (1 << 53) + 1);
    assert_eq!(source.attempt, 0);
}

#[test]
fn the_preparers_items() {
    let checkpoint: Checkpoint =
        frozen(r#"{"next":{"offset":10,"record":2,"line":4},"next_batch":25,"messages":3}"#);
    assert_eq!(checkpoint.next.line, 4);
    let layout: Layout = frozen(
        r#"{"dialect":{"delimiter":59,"quote":34},"header":["a","b"],"data":{"offset":4,"record":0,"line":2}}"#,
    );
    assert_eq!(layout.dialect.delimiter, b';');
    let totals: PlanTotals = frozen(
        r#"{"shards":1,"batches":2,"records":3,"data_start":4,"data_end":5,"prepared_ms":6}"#,
    );
    assert_eq!(totals.data_end, 5);
}

/// What came with sources that are decoded.
#[test]
fn the_spools_items() {
    let layout: Layout = frozen(
        r#"{"dialect":{"delimiter":44,"quote":34},"header":["_line","_errors","a"],"data":{"offset":0,"record":0,"line":1},
            "spool":{"part_bytes":8388608,"format":{"container":"gzip","encoding":"UTF-16LE","json":{"form":"lines","late_keys":"reject"}}}}"#,
    );
    assert!(layout.is_json());
    let layout: Layout = frozen(
        r#"{"dialect":{"delimiter":44,"quote":34},"header":["a"],"data":{"offset":2,"record":0,"line":2},
            "spool":{"part_bytes":8388608,"format":{"container":"zstd"}}}"#,
    );
    assert!(!layout.is_json() && layout.spool.is_some());
    let checkpoint: Checkpoint = frozen(
        r#"{"next":{"offset":10,"record":2,"line":4},"next_batch":25,"messages":3,"fruitless":2}"#,
    );
    assert_eq!(checkpoint.fruitless, 2);
    let totals: PlanTotals = frozen(
        r#"{"shards":1,"batches":2,"records":3,"data_start":4,"data_end":5,"prepared_ms":6,"malformed":7,"late_keys":8}"#,
    );
    assert_eq!((totals.malformed, totals.late_keys), (7, 8));
    let decoded: Decoded = frozen(
        r#"{"container":"gzip","json":{"form":"array","late_keys":"ignore"},"bytes":null,"malformed":0,"late_keys":0}"#,
    );
    assert_eq!(decoded.bytes, None);
}

#[test]
fn batches_and_shards() {
    let completion: Completion = frozen(
        r#"{"failed":false,"counts":{"records":3,"accepted":1,"rejected":1,"skipped":1},"bytes":30,"codes":{"MALFORMED_ROW":1,"REQUIRED":1}}"#,
    );
    assert_eq!(completion.codes.len(), 2);
    let totals: ShardTotals = frozen(
        r#"{"counts":{"records":3,"accepted":1,"rejected":1,"skipped":1},"bytes":30,"failed_batches":0}"#,
    );
    assert_eq!(totals.bytes, 30);
    let shard: Shard = frozen(
        r#"{"published":2,"cursor":2,"sealed":true,"closed":false,"start":4,"end":5,"totals":null}"#,
    );
    assert!(shard.sealed);
}

/// What later releases added to version 1: the same from then on.
#[test]
fn batches_and_summaries_with_warnings_and_checksums() {
    let completion: Completion = frozen(
        r#"{"failed":false,"counts":{"records":3,"accepted":1,"rejected":1,"skipped":1},"bytes":30,"codes":{"REQUIRED":1},
            "warned":1,"warnings":{"LENGTH":1},
            "written":{"part":{"bytes":3,"sha256":"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}}}"#,
    );
    let part = completion.written.and_then(|written| written.part);
    assert_eq!(part, Some(FileSum::of(b"abc")));
    let completion: Completion = frozen(
        r#"{"failed":true,"counts":{"records":1,"accepted":0,"rejected":1,"skipped":0},"bytes":3,"codes":{"BATCH_FAILED":1},"written":{}}"#,
    );
    assert_eq!(completion.written, Some(Written { part: None }));
    let summary: Summary = frozen(
        r#"{"version":1,"job":"0123456789abcdef0123456789abcdef","status":"COMPLETED","reason":null,
            "source":{"bucket":"b","key":"k","version":null,"etag":"e","sequencer":null,"size":5},
            "definition":{"name":"people","text":"{}\n"},"ignored_columns":[],
            "records":3,"accepted":1,"rejected":1,"skipped":1,"batches":1,"failed_batches":[],
            "bytes":5,"errors":{"REQUIRED":1},"warned":1,"warnings":{"LENGTH":1},
            "timings":{"created_ms":1,"prepared_ms":2,"finished_ms":3,"elapsed_ms":2},
            "output":"o/","rejects":"r.csv","rejects_jsonl":"r.jsonl","warnings_jsonl":"w.jsonl","manifest":"m.json"}"#,
    );
    assert_eq!(summary.warned, 1);
    let manifest: Manifest = frozen(
        r#"{"version":1,"job":"0123456789abcdef0123456789abcdef",
            "parts":[{"name":"output/part-000000000.jsonl","records":1,"bytes":3,"sha256":"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
                     {"name":"output/part-000000001.jsonl","records":2}],
            "reports":[],"totals":{"parts":2,"records":3,"bytes":3}}"#,
    );
    assert_eq!(manifest.parts[1].sum, None);
}

#[test]
fn reasons_and_summaries() {
    let reason: Reason = frozen(r#"{"code":"BAD_HEADER","message":"m"}"#);
    assert_eq!(reason.code, ReasonCode::BadHeader);
    let summary: Summary = frozen(
        r#"{"version":1,"job":"0123456789abcdef0123456789abcdef","status":"COMPLETED","reason":null,
            "source":{"bucket":"b","key":"k","version":null,"etag":"e","sequencer":null,"size":5},
            "definition":{"name":"people","text":"{}\n"},"ignored_columns":["x"],
            "records":3,"accepted":1,"rejected":1,"skipped":1,"batches":1,
            "failed_batches":[{"batch":0,"first_record":0,"records":3,"first_line":2,"start":4,"end":5}],
            "bytes":5,"errors":{"REQUIRED":1},
            "timings":{"created_ms":1,"prepared_ms":2,"finished_ms":3,"elapsed_ms":2},
            "output":"o/","rejects":"r.csv"}"#,
    );
    assert_eq!(summary.counts.records, 3);
}
