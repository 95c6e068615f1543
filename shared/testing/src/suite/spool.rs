//! The spool: parts of a decoded text, which are written, read in pieces, and removed together with the
//! marks of batches.

use std::sync::Arc;

use batchfleet_core::ids::JobId;
use batchfleet_core::ports::Spool;
use bytes::Bytes;

use super::fixture::{new_job, race, unique};
use crate::random::mixed;

fn fresh() -> JobId {
    new_job().id
}

fn content(length: usize) -> Bytes {
    let seed = unique();
    let bytes = (0..length as u64).map(|step| mixed(seed, step) as u8);
    bytes.collect::<Vec<u8>>().into()
}

async fn put(spool: &dyn Spool, job: &JobId, part: u64, bytes: &Bytes) {
    spool.put(job, part, bytes.clone()).await.expect("put");
}

async fn whole(spool: &dyn Spool, job: &JobId, part: u64, length: usize) -> Option<Bytes> {
    let read = spool.read(job, part, 0..length as u64).await;
    read.expect("read")
}

/// A part that nobody wrote is none, and no error.
pub async fn a_part_that_is_not_there_is_none(spool: Arc<dyn Spool>) {
    let (job, bytes) = (fresh(), content(100));
    assert_eq!(whole(&*spool, &job, 0, 10).await, None);
    put(&*spool, &job, 1, &bytes).await;
    assert_eq!(whole(&*spool, &job, 0, 10).await, None);
    assert_eq!(whole(&*spool, &job, 2, 10).await, None);
}

/// Any range of a part is read exactly.
pub async fn ranges_of_a_part_are_read_exactly(spool: Arc<dyn Spool>) {
    let (job, bytes) = (fresh(), content(100_000));
    put(&*spool, &job, 7, &bytes).await;
    for range in [0..100_000_u64, 0..1, 99_999..100_000, 1_234..56_789] {
        let read = spool.read(&job, 7, range.clone()).await.expect("read");
        let expected = bytes.slice(range.start as usize..range.end as usize);
        assert_eq!(read, Some(expected), "{range:?}");
    }
}

/// A preparer that was superseded writes the same part again.
pub async fn a_part_is_written_again(spool: Arc<dyn Spool>) {
    let (job, bytes) = (fresh(), content(5_000));
    for _ in 0..3 {
        put(&*spool, &job, 3, &bytes).await;
        assert_eq!(whole(&*spool, &job, 3, 5_000).await, Some(bytes.clone()));
    }
}

/// While many write one part, whoever reads it gets all of it or nothing.
pub async fn a_reader_of_a_part_sees_all_or_nothing(spool: Arc<dyn Spool>) {
    let (job, bytes) = (fresh(), content(300_000));
    race(|writer| {
        let (spool, job, bytes) = (Arc::clone(&spool), job.clone(), bytes.clone());
        async move {
            if writer % 2 == 0 {
                put(&*spool, &job, 0, &bytes).await;
            } else if let Some(read) = whole(&*spool, &job, 0, bytes.len()).await {
                assert_eq!(read, bytes);
            }
        }
    })
    .await;
    assert_eq!(whole(&*spool, &job, 0, bytes.len()).await, Some(bytes));
}

/// Marks read back as they were written, empty ones too, and are not mixed up with parts; those of a
/// batch that nobody wrote are none.
pub async fn marks_read_back(spool: Arc<dyn Spool>) {
    let (job, other, bytes) = (fresh(), fresh(), content(10_000));
    put(&*spool, &job, 1, &content(10)).await;
    for _ in 0..2 {
        for (batch, marks) in [(0, bytes.clone()), (2, Bytes::new())] {
            spool.put_marks(&job, batch, marks).await.expect("put");
        }
    }
    let marks = |batch| {
        let (spool, job) = (Arc::clone(&spool), job.clone());
        async move { spool.marks(&job, batch).await.expect("read") }
    };
    assert_eq!(marks(0).await, Some(bytes));
    assert_eq!(marks(1).await, None);
    assert_eq!(marks(2).await, Some(Bytes::new()));
    assert_eq!(spool.marks(&other, 0).await.expect("read"), None);
    assert_eq!(whole(&*spool, &job, 0, 10).await, None);
}

/// Clearing takes every part of the job, those of no other one, and may be done again.
pub async fn clearing_takes_the_jobs_parts_alone(spool: Arc<dyn Spool>) {
    let (job, other, bytes) = (fresh(), fresh(), content(50));
    spool.clear(&job).await.expect("nothing to clear");
    for part in [0, 1, 2, 1_000_000_000] {
        put(&*spool, &job, part, &bytes).await;
    }
    put(&*spool, &other, 0, &bytes).await;
    for owner in [&job, &other] {
        let marks = spool.put_marks(owner, 4, bytes.clone()).await;
        marks.expect("put");
    }
    for _ in 0..2 {
        spool.clear(&job).await.expect("clear");
        for part in [0, 1, 2, 1_000_000_000] {
            assert_eq!(whole(&*spool, &job, part, 50).await, None);
        }
    }
    assert_eq!(spool.marks(&job, 4).await.expect("read"), None);
    let kept = spool.marks(&other, 4).await.expect("read");
    assert_eq!(kept, Some(bytes.clone()));
    assert_eq!(whole(&*spool, &other, 0, 50).await, Some(bytes.clone()));
    put(&*spool, &job, 0, &bytes).await;
    assert_eq!(
        whole(&*spool, &job, 0, 50).await,
        Some(bytes),
        "it may be filled again"
    );
}
