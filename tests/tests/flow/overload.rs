//! A destination that throttles slows the fleet down instead of failing it; and two jobs share one
//! fleet.

use batchfleet_core::ports::Store;
use batchfleet_core::work::Worked;
use batchfleet_testing::new_job;

use crate::fleet::{Fleet, sequential};
use crate::{DEFINITION, rows, small};

#[tokio::test]
async fn a_throttled_write_slows_the_fleet_and_loses_nothing() {
    let text = rows(60);
    let fleet = Fleet::new(&text, DEFINITION, small());
    fleet.upload().await;
    fleet.throttle_writes(1);
    assert!(matches!(fleet.work_at(1).await, Worked::Deferred(..)));
    let throttle = fleet.job().await.throttle.expect("a throttle");
    assert_eq!(throttle.workers, 1, "half of three");

    let delivered = fleet.delivered().len();
    let Worked::Deferred(_, wait_ms) = fleet.work_at(2).await else {
        panic!("seat 2 is not held back");
    };
    assert!(wait_ms <= small().lease_ms / 2, "{wait_ms}");
    assert_eq!(fleet.delivered().len(), delivered, "it did nothing");
    assert!(
        matches!(fleet.work_at(0).await, Worked::JobOver(..)),
        "the first seat goes on"
    );
    let summary = fleet.run().await;
    fleet.assert_delivered(&summary, &sequential(&text, DEFINITION));
}

/// However long it lasts: the job goes on when it ends, and none of it counts against a record.
#[tokio::test]
async fn a_long_overload_rejects_no_record() {
    let text = rows(60);
    let fleet = Fleet::new(&text, DEFINITION, small());
    fleet.upload().await;
    fleet.throttle_writes(200);
    let summary = fleet.run().await;
    fleet.assert_delivered(&summary, &sequential(&text, DEFINITION));
    assert!(summary.failed_batches.is_empty());
}

#[tokio::test]
async fn a_worker_gives_other_jobs_their_turn() {
    let text = rows(300);
    let fleet = Fleet::new(&text, DEFINITION, small());
    fleet.upload().await;
    // Alone, it works to the end.
    fleet.let_time_pass(500);
    let other = new_job();
    fleet.store.create(&other).await.unwrap();
    assert!(matches!(fleet.work_at(0).await, Worked::HandedOver(..)));
    let first = fleet.delivered().len();
    assert!(first > 0, "its own turn came first");
    assert!(matches!(fleet.work_at(0).await, Worked::HandedOver(..)));
    assert!(fleet.delivered().len() > first);

    let ending = batchfleet_core::job::Ending::Aborted;
    fleet.store.finalize(&other.id, &ending, 1).await.unwrap();
    fleet.store.clear_outbox(&other.id).await.unwrap();
    assert!(
        matches!(fleet.work_at(0).await, Worked::JobOver(..)),
        "alone, it works to the end"
    );
}
