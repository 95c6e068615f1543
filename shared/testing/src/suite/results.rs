//! Results: parts that are written once, and reports that are made of them.

use std::sync::Arc;

use batchfleet_core::PortError;
use batchfleet_core::checksum::FileSum;
use batchfleet_core::ids::JobId;
use batchfleet_core::ports::{PutOutcome, Results};
use bytes::Bytes;

use super::fixture::{new_job, race, unique};
use crate::random::mixed;

const NAME: &str = "parts/0000042.jsonl";

fn fresh() -> JobId {
    new_job().id
}

/// Bytes that look random, so that no two parts are alike.
fn content(length: usize) -> Bytes {
    let seed = unique();
    let mut bytes = Vec::with_capacity(length + 8);
    let mut step = 0;
    while bytes.len() < length {
        bytes.extend_from_slice(&mixed(seed, step).to_le_bytes());
        step += 1;
    }
    bytes.truncate(length);
    bytes.into()
}

async fn get(results: &dyn Results, job: &JobId, name: &str) -> Option<Bytes> {
    results.get(job, name).await.expect("get")
}

/// Reading what nobody wrote is no error.
pub async fn what_was_never_written_is_none(results: Arc<dyn Results>) {
    let job = fresh();
    assert_eq!(get(&*results, &job, NAME).await, None);
    assert_eq!(get(&*results, &job, "summary.json").await, None);
}

/// An attempt that got that far is found by the next.
pub async fn a_name_is_written_once(results: Arc<dyn Results>) {
    let (job, part) = (fresh(), content(10_000));
    for expected in [
        PutOutcome::Created,
        PutOutcome::Existed,
        PutOutcome::Existed,
    ] {
        let put = results.put_once(&job, NAME, part.clone()).await;
        assert_eq!(put.expect("put once"), expected);
    }
    assert_eq!(get(&*results, &job, NAME).await, Some(part));
}

/// Other content, of the same length or not, is refused by name and changes nothing.
pub async fn a_name_with_other_content_is_a_conflict(results: Arc<dyn Results>) {
    let (job, part) = (fresh(), content(1_000));
    results
        .put_once(&job, NAME, part.clone())
        .await
        .expect("put once");
    for other in [content(1_000), content(999), Bytes::new()] {
        match results.put_once(&job, NAME, other).await {
            Err(PortError::Conflict { name }) => assert_eq!(name, NAME),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(get(&*results, &job, NAME).await, Some(part));
}

/// No bytes are a content like any other.
pub async fn results_may_be_empty(results: Arc<dyn Results>) {
    let job = fresh();
    for expected in [PutOutcome::Created, PutOutcome::Existed] {
        let put = results.put_once(&job, NAME, Bytes::new()).await;
        assert_eq!(put.expect("put once"), expected);
    }
    assert_eq!(get(&*results, &job, NAME).await, Some(Bytes::new()));
    let joined = results.join(&job, "rejects.csv", Bytes::new(), &[]).await;
    joined.expect("join nothing");
    let joined = get(&*results, &job, "rejects.csv").await;
    assert_eq!(joined, Some(Bytes::new()));
}

/// Two holders of one batch write its part at once: one creates it.
pub async fn one_of_many_writers_creates(results: Arc<dyn Results>) {
    let (job, part) = (fresh(), content(100_000));
    let outcomes = race(|_| {
        let (results, job, part) = (Arc::clone(&results), job.clone(), part.clone());
        async move { results.put_once(&job, NAME, part).await.expect("put once") }
    })
    .await;
    let created = outcomes.iter().filter(|o| **o == PutOutcome::Created);
    assert_eq!(created.count(), 1);
    assert_eq!(get(&*results, &job, NAME).await, Some(part));
}

/// While reports are written over and over, a reader finds one of them, whole.
pub async fn a_reader_sees_all_or_nothing(results: Arc<dyn Results>) {
    const WRITES: usize = 20;
    let job = fresh();
    let versions = [content(300_000), content(200_000)];
    let writer = tokio::spawn({
        let (results, job, versions) = (Arc::clone(&results), job.clone(), versions.clone());
        async move {
            for version in versions.iter().cycle().take(WRITES) {
                let put = results.put(&job, "summary.json", version.clone()).await;
                put.expect("put");
            }
        }
    });
    while !writer.is_finished() {
        if let Some(seen) = get(&*results, &job, "summary.json").await {
            assert!(versions.contains(&seen), "{} bytes", seen.len());
        }
        tokio::task::yield_now().await;
    }
    writer.await.expect("the writer came through");
    let last = get(&*results, &job, "summary.json").await;
    assert_eq!(last.as_ref(), Some(&versions[1]));
}

/// Whatever was there, longer or shorter.
pub async fn a_report_is_written_over(results: Arc<dyn Results>) {
    let job = fresh();
    for length in [1_000, 10, 5_000, 0] {
        let report = content(length);
        let put = results.put(&job, "summary.json", report.clone()).await;
        put.expect("put");
        assert_eq!(get(&*results, &job, "summary.json").await, Some(report));
    }
}

/// Writes parts of these lengths, joins them behind `head`, and compares.
async fn join_of(results: &dyn Results, head: &Bytes, lengths: &[usize]) {
    let job = fresh();
    let mut names = Vec::new();
    let mut whole = head.to_vec();
    for (number, length) in lengths.iter().enumerate() {
        let (name, part) = (format!("rejects/{number:07}.csv"), content(*length));
        whole.extend_from_slice(&part);
        let put = results.put_once(&job, &name, part).await;
        put.expect("put once");
        names.push(name);
    }
    let joined = results.join(&job, "rejects.csv", head.clone(), &names);
    let sum = joined.await.expect("join");
    assert_eq!(sum, FileSum::of(&whole), "{lengths:?}");
    let joined = get(results, &job, "rejects.csv").await;
    assert!(joined.is_some_and(|joined| joined == whole), "{lengths:?}");
    for name in &names {
        assert!(get(results, &job, name).await.is_some(), "{name} is kept");
    }
}

/// The order is the caller's.
pub async fn parts_are_joined_in_order(results: Arc<dyn Results>) {
    let job = fresh();
    let mut names = Vec::new();
    for number in 0..12 {
        let (name, row) = (format!("rejects/{number}.csv"), format!("{number}\n"));
        let put = results.put_once(&job, &name, row.into()).await;
        put.expect("put once");
        names.push(name);
    }
    names.rotate_left(5);
    let joined = results.join(&job, "rejects.csv", "id\n".into(), &names);
    joined.await.expect("join");
    let joined = get(&*results, &job, "rejects.csv").await;
    let expected = "id\n5\n6\n7\n8\n9\n10\n11\n0\n1\n2\n3\n4\n";
    assert_eq!(joined, Some(expected.into()));
}

/// Parts above and below the 5 MiB at which object stores copy them in place; empty ones too.
pub async fn parts_of_any_size_are_joined(results: Arc<dyn Results>) {
    const MIB: usize = 1 << 20;
    let head = Bytes::from_static(b"line,code\n");
    join_of(&*results, &head, &[]).await;
    join_of(&*results, &head, &[0]).await;
    join_of(&*results, &Bytes::new(), &[6 * MIB]).await;
    join_of(&*results, &head, &[10, 6 * MIB, 0, 5 * MIB, 3]).await;
    join_of(&*results, &head, &[5 * MIB + 1, 2 * MIB, 2 * MIB, 2 * MIB]).await;
}

/// Also where another list was joined under that name before.
pub async fn joining_again_comes_to_the_same(results: Arc<dyn Results>) {
    let job = fresh();
    let names = ["rejects/0.csv", "rejects/1.csv"].map(String::from);
    for name in &names {
        let put = results.put_once(&job, name, format!("{name}\n").into());
        put.await.expect("put once");
    }
    for parts in [&names[..], &names[1..], &names[..], &names[..]] {
        let joined = results.join(&job, "rejects.csv", "h\n".into(), parts);
        joined.await.expect("join");
        let expected = format!("h\n{}\n", parts.join("\n"));
        let joined = get(&*results, &job, "rejects.csv").await;
        assert_eq!(joined, Some(expected.into()));
    }
}

/// Every part exists; where one does not, there is an error and no short report.
pub async fn joining_a_missing_part_is_an_error(results: Arc<dyn Results>) {
    let job = fresh();
    let put = results.put_once(&job, "rejects/0.csv", "0\n".into()).await;
    put.expect("put once");
    let parts = ["rejects/0.csv", "rejects/1.csv"].map(String::from);
    let joined = results.join(&job, "rejects.csv", "h\n".into(), &parts);
    assert!(joined.await.is_err());
    assert_eq!(get(&*results, &job, "rejects.csv").await, None);
}

/// The same name of two jobs is two files.
pub async fn jobs_do_not_see_one_another(results: Arc<dyn Results>) {
    let (one, other) = (fresh(), fresh());
    let put = results.put_once(&one, NAME, "one".into()).await;
    put.expect("put once");
    assert_eq!(get(&*results, &other, NAME).await, None);
    let put = results.put_once(&other, NAME, "other".into()).await;
    assert_eq!(put.expect("put once"), PutOutcome::Created);
    assert_eq!(get(&*results, &one, NAME).await, Some("one".into()));
}

/// A person who reads it finds the file.
pub async fn a_location_names_the_job_and_the_file(results: Arc<dyn Results>) {
    let job = fresh();
    let put = results.put_once(&job, NAME, "{}\n".into()).await;
    put.expect("put once");
    let location = results.location(&job, NAME);
    assert!(location.contains(job.as_str()), "{location}");
    assert!(location.ends_with(NAME), "{location}");
}
