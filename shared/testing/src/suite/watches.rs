//! What the sweeper relies on: watches, open jobs, and the preparer's lease.

use std::sync::Arc;

use batchfleet_core::job::Ending;
use batchfleet_core::ports::{FinalizeOutcome, Store};
use batchfleet_core::watch::Watch;

use super::fixture::{LEASE, NOW, created, prepare, reason, unique};

/// An older one, delivered late or twice, changes nothing.
pub async fn the_newest_watch_is_kept(store: Arc<dyn Store>) {
    let id = created(&*store).await;
    assert_eq!(store.watch(&id).await.expect("watch"), None);
    let watch = |token| Watch {
        token,
        due_ms: NOW + token,
    };
    for (recorded, kept) in [(1, 1), (3, 3), (2, 3), (3, 3), (4, 4)] {
        let done = store.record_watch(&id, &watch(recorded)).await;
        done.expect("record watch");
        assert_eq!(store.watch(&id).await.expect("watch"), Some(watch(kept)));
    }
}

/// From its creation on, and no longer than it needs anybody.
pub async fn a_job_is_listed_until_its_report_is_written(store: Arc<dyn Store>) {
    let id = created(&*store).await;
    let other = created(&*store).await;
    let listed = async |id| store.open_jobs().await.expect("open jobs").contains(id);
    assert!(listed(&id).await);
    let ending = Ending::Failed(reason());
    let ended = store.finalize(&id, &ending, NOW + 1).await;
    assert_eq!(ended.expect("finalize"), FinalizeOutcome::Won);
    assert!(listed(&id).await, "its report is owed");
    for _ in 0..2 {
        store.clear_outbox(&id).await.expect("clear outbox");
        assert!(!listed(&id).await);
    }
    assert!(listed(&other).await);
}

/// Before and while the job is planned.
pub async fn the_preparers_lease_is_seen(store: Arc<dyn Store>) {
    let id = created(&*store).await;
    let before = store.preparer(&id).await.expect("preparer");
    assert_eq!(before.expect("an item").lease_until_ms, 0);
    let hold = prepare(&*store, &id).await;
    let item = store.preparer(&id).await.expect("preparer");
    let item = item.expect("an item");
    assert!(item.is_held_by(&hold));
    assert_eq!(item.lease_until_ms, NOW + LEASE);
    let unknown = batchfleet_core::ids::JobId::derive(&["unknown", &unique().to_string()]);
    assert_eq!(store.preparer(&unknown).await.expect("preparer"), None);
}
