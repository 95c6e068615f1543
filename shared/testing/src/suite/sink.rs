//! Sinks: what is taken is there, once; what is bad is refused, and only that.

use std::sync::Arc;

use async_trait::async_trait;
use batchfleet_core::ids::JobId;
use batchfleet_core::ports::{RecordAnswer, Sink, SinkAnswer, SinkRecord};
use serde_json::{Value, json};

use super::fixture::{new_job, race, unique};

/// A destination, with the means to read it. Its rows have a key, the integer `id`, and may have any
/// other fields.
#[async_trait]
pub trait SinkHarness: Send + Sync {
    /// The sink under test.
    fn sink(&self) -> Arc<dyn Sink>;
    /// The row with this `id` that the destination has, without fields that are null.
    async fn read(&self, job: &JobId, id: i64) -> Option<Value>;
    /// Makes a row one that the destination refuses for good.
    fn spoil(&self, row: &mut Value);
}

/// An id that no other test has.
fn fresh_id() -> i64 {
    (unique() >> 12).cast_signed()
}

fn record(index: u64, row: &Value) -> SinkRecord {
    SinkRecord {
        index,
        row: row.to_string().into(),
    }
}

fn rows(count: usize) -> Vec<(SinkRecord, Value)> {
    let row = |index| json!({"id": fresh_id(), "name": format!("row {index}")});
    let rows = (0..count as u64).map(|index| (index, row(index)));
    rows.map(|(index, row)| (record(index, &row), row))
        .collect()
}

fn id(row: &Value) -> i64 {
    row["id"].as_i64().expect("an id")
}

/// Puts records that must be taken.
async fn put(harness: &impl SinkHarness, job: &JobId, records: &[SinkRecord]) {
    let answer = harness.sink().put(job, records).await.expect("put");
    let is_taken = match &answer {
        SinkAnswer::Accepted => true,
        SinkAnswer::Each(each) => {
            each.len() == records.len() && each.iter().all(|one| *one == RecordAnswer::Accepted)
        }
        SinkAnswer::Refused(_) | SinkAnswer::Overloaded { .. } => false,
    };
    assert!(is_taken, "{answer:?}");
}

/// One record, whole.
pub async fn a_record_is_taken_as_it_is(harness: impl SinkHarness) {
    let (job, rows) = (new_job().id, rows(1));
    assert_eq!(harness.read(&job, id(&rows[0].1)).await, None);
    put(&harness, &job, &[rows[0].0.clone()]).await;
    assert_eq!(
        harness.read(&job, id(&rows[0].1)).await.as_ref(),
        Some(&rows[0].1)
    );
}

/// And the next call takes as many again.
pub async fn as_many_records_are_taken_as_the_sink_says(harness: impl SinkHarness) {
    let records_max = harness.sink().records_max();
    assert!(records_max > 0);
    let (job, rows) = (new_job().id, rows(2 * records_max));
    let records: Vec<SinkRecord> = rows.iter().map(|(record, _)| record.clone()).collect();
    for call in records.chunks(records_max) {
        put(&harness, &job, call).await;
    }
    for (_, row) in &rows {
        assert_eq!(harness.read(&job, id(row)).await.as_ref(), Some(row));
    }
}

/// Text of any script, the ends of whole numbers, decimals, booleans; a null is left out.
pub async fn every_kind_of_value_is_kept(harness: impl SinkHarness) {
    let job = new_job().id;
    let row = json!({
        "id": fresh_id(),
        "text": "Zoë \"Z\"\n, 日本 😀 \u{0}\u{7f}",
        "empty": "",
        "least": i64::MIN,
        "most": i64::MAX,
        "decimal": -1.5,
        "small": 1e-100,
        "precise": 0.1 + 0.2,
        "yes": true,
        "no": false,
    });
    let mut with_null = row.clone();
    with_null["nothing"] = Value::Null;
    put(&harness, &job, &[record(7, &with_null)]).await;
    assert_eq!(harness.read(&job, id(&row)).await, Some(row));
}

/// A worker died before it could complete its batch: the next one begins anew.
pub async fn putting_again_is_putting_once(harness: impl SinkHarness) {
    let (job, rows) = (new_job().id, rows(3));
    let records: Vec<SinkRecord> = rows.iter().map(|(record, _)| record.clone()).collect();
    put(&harness, &job, &records).await;
    put(&harness, &job, &records[1..]).await;
    put(&harness, &job, &records).await;
    for (_, row) in &rows {
        assert_eq!(harness.read(&job, id(row)).await.as_ref(), Some(row));
    }
}

fn is_refused(answer: &SinkAnswer, place: usize) -> bool {
    match answer {
        SinkAnswer::Refused(reason) => !reason.is_empty(),
        SinkAnswer::Each(each) => each.iter().enumerate().all(|(at, one)| match one {
            RecordAnswer::Accepted => at != place,
            RecordAnswer::Refused(reason) => at == place && !reason.is_empty(),
            RecordAnswer::Overloaded => false,
        }),
        SinkAnswer::Accepted | SinkAnswer::Overloaded { .. } => false,
    }
}

/// It is the record's fault, not the destination's; and it is so each time.
pub async fn a_bad_record_is_refused_and_never_an_error(harness: impl SinkHarness) {
    let job = new_job().id;
    let mut row = rows(1)[0].1.clone();
    harness.spoil(&mut row);
    for _ in 0..2 {
        let answer = harness.sink().put(&job, &[record(0, &row)]).await;
        let answer = answer.expect("an answer");
        assert!(is_refused(&answer, 0), "{answer:?}");
        assert_eq!(harness.read(&job, id(&row)).await, None);
    }
}

/// First, last or between: it alone, or the call without saying for which.
pub async fn a_bad_record_is_refused_among_good_ones(harness: impl SinkHarness) {
    let records_max = harness.sink().records_max();
    for place in [0, records_max / 2, records_max - 1] {
        let job = new_job().id;
        let mut rows = rows(records_max);
        harness.spoil(&mut rows[place].1);
        rows[place].0 = record(place as u64, &rows[place].1);
        let records: Vec<SinkRecord> = rows.iter().map(|(record, _)| record.clone()).collect();
        let answer = harness.sink().put(&job, &records).await;
        let answer = answer.expect("an answer");
        assert!(is_refused(&answer, place), "{answer:?}");
        assert_eq!(harness.read(&job, id(&rows[place].1)).await, None);
    }
}

/// The good ones of a call that was refused are taken without the bad one.
pub async fn what_was_refused_stands_in_nobodys_way(harness: impl SinkHarness) {
    let (job, mut rows) = (new_job().id, rows(3));
    harness.spoil(&mut rows[1].1);
    rows[1].0 = record(1, &rows[1].1);
    let records: Vec<SinkRecord> = rows.iter().map(|(record, _)| record.clone()).collect();
    let answer = harness.sink().put(&job, &records).await;
    assert!(is_refused(&answer.expect("an answer"), 1));
    put(&harness, &job, &[records[0].clone(), records[2].clone()]).await;
    for place in [0, 2] {
        let row = &rows[place].1;
        assert_eq!(harness.read(&job, id(row)).await.as_ref(), Some(row));
    }
    assert_eq!(harness.read(&job, id(&rows[1].1)).await, None);
}

/// Workers deliver at once, each its own records.
pub async fn calls_side_by_side_lose_nothing(harness: impl SinkHarness) {
    let (sink, job) = (harness.sink(), new_job().id);
    let delivered = race(|_| {
        let (sink, job, rows) = (Arc::clone(&sink), job.clone(), rows(2));
        // As no two workers of a job have the same records.
        let renumbered = rows.into_iter().map(|(_, row)| {
            let index = id(&row).cast_unsigned();
            (record(index, &row), row)
        });
        let rows: Vec<(SinkRecord, Value)> = renumbered.collect();
        async move {
            let records: Vec<SinkRecord> = rows.iter().map(|(record, _)| record.clone()).collect();
            let answer = sink.put(&job, &records).await.expect("put");
            assert!(!matches!(answer, SinkAnswer::Refused(_)), "{answer:?}");
            (answer, rows)
        }
    })
    .await;
    for (answer, rows) in delivered {
        // A destination may have had enough; what it says it took is there.
        let taken = match answer {
            SinkAnswer::Accepted => vec![RecordAnswer::Accepted; rows.len()],
            SinkAnswer::Each(each) => each,
            SinkAnswer::Refused(_) | SinkAnswer::Overloaded { .. } => Vec::new(),
        };
        for (answer, (_, row)) in taken.iter().zip(&rows) {
            if *answer == RecordAnswer::Accepted {
                assert_eq!(harness.read(&job, id(row)).await.as_ref(), Some(row));
            }
        }
    }
}
