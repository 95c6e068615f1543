//! Keeping a lease alive while work goes on.

use futures_util::future::{Either, select};

use crate::batch::Lease;
use crate::ports::{Clock, Held, Store};

/// Runs `work` while extending the lease at a third of its length. `None` if the lease was lost: the
/// work is dropped where it stands, and nothing of it may be completed.
///
/// A heartbeat that fails for now is tried again at the next third; once the lease has ended by
/// this clock, it counts as lost.
pub(crate) async fn hold<T>(
    store: &dyn Store,
    clock: &dyn Clock,
    lease: &Lease,
    lease_ms: u64,
    work: impl Future<Output = T> + Send,
) -> Option<T> {
    let mut work = std::pin::pin!(work);
    let mut until = clock.now_ms() + lease_ms;
    loop {
        let tick = clock.sleep_ms(lease_ms / 3);
        match select(work.as_mut(), tick).await {
            Either::Left((done, _)) => return Some(done),
            Either::Right(((), _)) => {}
        }
        let now = clock.now_ms();
        match store.heartbeat(lease, now + lease_ms).await {
            Ok(Held::Kept) => until = now + lease_ms,
            Ok(Held::Lost) => return None,
            Err(error) => {
                tracing::warn!(job = %lease.key.job, shard = lease.key.shard, slot = lease.key.slot, %error, "heartbeat");
                if clock.now_ms() >= until {
                    return None;
                }
            }
        }
    }
}

/// Lets other tasks run once: a heartbeat, another worker, the preparer.
pub(crate) async fn yield_now() {
    let mut yielded = false;
    std::future::poll_fn(|context| {
        if yielded {
            return std::task::Poll::Ready(());
        }
        yielded = true;
        context.waker().wake_by_ref();
        std::task::Poll::Pending
    })
    .await;
}
