//! Duplicates are the same at any number of workers, whatever order batches run in.

use batchfleet_tests::unique::{Setup, check, import, planted};

/// Memory for some 900 keys: the rest is on disk.
const MEMORY_BYTES: u64 = 1_024 * 50;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn rejects_are_the_same_byte_for_byte_at_any_number_of_workers() {
    let planted = planted(30_000, 7);
    assert!(planted.duplicates.len() > 200);
    let mut first = None;
    for (workers, seed) in [(1, 1), (1, 2), (2, 3), (8, 4)] {
        let setup = Setup {
            workers,
            batch_records: 100,
            memory_bytes: MEMORY_BYTES,
            seed,
        };
        let outcome = import(&planted, setup).await.unwrap();
        assert!(outcome.spilled, "memory is for a few keys");
        assert!(
            outcome.out_of_order > 50,
            "{} out of order",
            outcome.out_of_order
        );
        check(&planted, &outcome.rejects).unwrap();
        let first = first.get_or_insert_with(|| outcome.rejects.clone());
        assert!(*first == outcome.rejects, "{workers} workers, seed {seed}");
    }
}
