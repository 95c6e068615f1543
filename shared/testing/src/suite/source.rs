//! Sources: exact bytes of the pinned version, or none (I5).

use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use batchfleet_core::PortError;
use batchfleet_core::ports::Source;
use batchfleet_core::source::SourceRef;
use bytes::Bytes;

use super::fixture::unique;
use crate::random::mixed;

/// A source, with the means to write what it reads.
#[async_trait]
pub trait SourceHarness: Send + Sync {
    /// The source under test.
    fn source(&self) -> Arc<dyn Source>;
    /// Writes an object, or writes over it, and answers the reference to what is there now. The
    /// name is one path segment.
    async fn put(&self, name: &str, content: Bytes) -> SourceRef;
    /// Removes an object.
    async fn remove(&self, name: &str);
}

fn fresh() -> String {
    format!("{:016x}.csv", unique())
}

/// Bytes in which no two ranges are alike.
fn content(length: usize) -> Bytes {
    let seed = unique();
    let words = length as u64 / 8 + 1;
    let bytes: Vec<u8> = (0..words)
        .flat_map(|step| mixed(seed, step).to_le_bytes())
        .take(length)
        .collect();
    bytes.into()
}

async fn read(harness: &impl SourceHarness, source: &SourceRef, range: Range<u64>) -> Bytes {
    let read = harness.source().read(source, range).await;
    read.expect("read")
}

/// Asserts that `source` no longer reads, or, where versions are kept, still reads as `content`.
async fn assert_no_wrong_byte(harness: &impl SourceHarness, source: &SourceRef, content: &Bytes) {
    for range in [0..source.size, 0..1, source.size - 1..source.size] {
        let slice = range.start as usize..range.end as usize;
        match harness.source().read(source, range).await {
            Ok(bytes) => {
                assert!(source.version.is_some(), "nothing kept the older bytes");
                assert!(bytes == content.slice(slice), "bytes of another version");
            }
            Err(PortError::SourceChanged) => {
                assert!(source.version.is_none(), "the version is kept");
            }
            Err(error) => panic!("{error:?}"),
        }
    }
}

/// First bytes, last byte, the middle, all of it.
pub async fn ranges_are_read_exactly(harness: impl SourceHarness) {
    let bytes = content(100_003);
    let source = harness.put(&fresh(), bytes.clone()).await;
    assert_eq!(source.size, 100_003);
    for range in [
        0..1,
        0..4_096,
        1..2,
        12_345..67_890,
        65_535..65_537,
        100_002..100_003,
        0..100_003,
    ] {
        let read = read(&harness, &source, range.clone()).await;
        let slice = range.start as usize..range.end as usize;
        assert!(read == bytes.slice(slice), "{range:?}");
    }
}

/// At the beginning, in the middle, at the end.
pub async fn an_empty_range_is_empty(harness: impl SourceHarness) {
    let source = harness.put(&fresh(), content(100)).await;
    for at in [0, 50, 100] {
        assert_eq!(read(&harness, &source, at..at).await, Bytes::new());
    }
}

/// A file of no bytes.
pub async fn an_empty_object_reads_as_nothing(harness: impl SourceHarness) {
    let source = harness.put(&fresh(), Bytes::new()).await;
    assert_eq!(source.size, 0);
    assert_eq!(read(&harness, &source, 0..0).await, Bytes::new());
}

/// As the preparer reads: windows that tile the object.
pub async fn a_large_object_is_read_in_windows(harness: impl SourceHarness) {
    const WINDOW: u64 = 1 << 20;
    let bytes = content((3 << 20) + 17);
    let source = harness.put(&fresh(), bytes.clone()).await;
    let mut whole = Vec::new();
    while (whole.len() as u64) < source.size {
        let at = whole.len() as u64;
        let window = at..source.size.min(at + WINDOW);
        whole.extend_from_slice(&read(&harness, &source, window).await);
    }
    assert!(bytes == whole);
}

/// As workers read: many ranges at once.
pub async fn ranges_are_read_side_by_side(harness: impl SourceHarness) {
    const READERS: u64 = 16;
    let bytes = content(READERS as usize * 10_000);
    let source = harness.put(&fresh(), bytes.clone()).await;
    let mut readers = Vec::new();
    for reader in 0..READERS {
        let (adapter, source) = (harness.source(), source.clone());
        let range = reader * 10_000..(reader + 1) * 10_000;
        readers.push(tokio::spawn(async move {
            adapter.read(&source, range).await.expect("read")
        }));
    }
    for (reader, task) in readers.into_iter().enumerate() {
        let read = task.await.expect("the reader came through");
        let slice = reader * 10_000..(reader + 1) * 10_000;
        assert!(read == bytes.slice(slice), "reader {reader}");
    }
}

/// Other bytes of the same length, also after the older ones were read before.
pub async fn an_overwritten_object_gives_no_wrong_byte(harness: impl SourceHarness) {
    let (name, older, newer) = (fresh(), content(10_000), content(10_000));
    let pinned = harness.put(&name, older.clone()).await;
    assert!(read(&harness, &pinned, 0..10_000).await == older);
    let current = harness.put(&name, newer.clone()).await;
    assert_no_wrong_byte(&harness, &pinned, &older).await;
    assert!(read(&harness, &current, 0..10_000).await == newer);
    assert_ne!(
        pinned.job_id(),
        current.job_id(),
        "a new upload is a new job"
    );
}

/// The older bytes are a prefix of the newer: still another version.
pub async fn an_object_that_grew_gives_no_wrong_byte(harness: impl SourceHarness) {
    let (name, newer) = (fresh(), content(20_000));
    let older = newer.slice(..10_000);
    let pinned = harness.put(&name, older.clone()).await;
    assert!(read(&harness, &pinned, 0..10_000).await == older);
    harness.put(&name, newer).await;
    assert_no_wrong_byte(&harness, &pinned, &older).await;
}

/// Gone, or, where versions are kept, hidden.
pub async fn a_removed_object_gives_no_wrong_byte(harness: impl SourceHarness) {
    let (name, bytes) = (fresh(), content(1_000));
    let pinned = harness.put(&name, bytes.clone()).await;
    harness.remove(&name).await;
    for _ in 0..2 {
        match harness.source().read(&pinned, 0..1_000).await {
            Ok(read) => assert!(pinned.version.is_some() && read == bytes),
            Err(error) => assert!(matches!(error, PortError::SourceChanged), "{error:?}"),
        }
    }
}

/// A reference to nothing.
pub async fn an_object_that_never_was_is_not_read(harness: impl SourceHarness) {
    let real = harness.put(&fresh(), content(10)).await;
    let forged = SourceRef {
        key: format!("{}-forged", real.key),
        ..real
    };
    let error = harness.source().read(&forged, 0..10).await;
    assert!(matches!(error, Err(PortError::SourceChanged)), "{error:?}");
}
