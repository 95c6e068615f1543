//! One batch into a destination that takes records one by one.
//!
//! What the destination refuses is known only after the delivery, and may differ between two attempts
//! of one batch. So the bytes are then gone through once more, with the refused records as rejects in
//! their place; and those rejects have the claim's fence in their name, so that the closer merges the
//! ones that the completion counts.

use async_trait::async_trait;
use batchfleet_grammar::BatchRange;
use futures_util::future::try_join;

use crate::batch::{Completion, Lease};
use crate::delivery::{Delivered, RecordDelivery, Refusal, Steering};
use crate::error::PortResult;
use crate::mutation::{self, Mutation};
use crate::ports::Sink;
use crate::process::{Processing, Refused, refused_by_destination, reject_oversize};
use crate::report::output_part;
use crate::work::Scope;
use crate::work::invocation::{BatchEnd, Invocation};

#[async_trait]
impl Steering for Invocation<'_> {
    async fn is_stopped(&self) -> PortResult<bool> {
        Self::is_stopped(self).await
    }
}

impl Invocation<'_> {
    /// Delivers the good records of a batch one by one, and writes the rejects: of those that are
    /// none, and of those that the destination refused.
    pub(super) async fn deliver_records(
        &self,
        lease: &Lease,
        range: &BatchRange,
        scope: &Scope,
        sink: &dyn Sink,
    ) -> PortResult<Result<Completion, BatchEnd>> {
        let mut processed = if range.oversize {
            let head = self.read_head(range).await?;
            reject_oversize(&self.plan, range, &head)
        } else {
            let (bytes, marks) = try_join(self.read(range), self.marks(range)).await?;
            let checked = self.check(lease, range, scope, &bytes, &marks).await?;
            let (mut processed, mut refused) = match checked {
                Ok(checked) => checked,
                Err(end) => return Ok(Err(end)),
            };
            if mutation::on(Mutation::CompleteUnput) {
                let done = processed.completion(range, false);
                self.worker.store.complete(lease, &done).await?;
            }
            let delivery = RecordDelivery {
                sink,
                job: &self.job.id,
                retries: self.plan.retries(),
                ends_ms: self.delivery_ends_ms(),
                clock: &*self.worker.clock,
                ids: &*self.worker.ids,
                steering: self,
            };
            match delivery.deliver(&processed.take_records()).await? {
                Delivered::Done(refusals) if refusals.is_empty() => processed,
                Delivered::Done(refusals) => {
                    // What the destination said may quote the rows, and is for the rejects alone.
                    let (job, count) = (&self.job.id, refusals.len());
                    tracing::warn!(%job, batch = range.index, refused = count, "records refused by the destination");
                    add(&mut refused, refusals);
                    let again = Processing::new(&self.plan, &bytes, range, scope);
                    let again = again.marked(&marks).refusing(refused);
                    let Some(again) = self.work_through(again).await? else {
                        return Ok(Err(BatchEnd::Stopped));
                    };
                    again
                }
                Delivered::Stopped => return Ok(Err(BatchEnd::Stopped)),
                Delivered::OutOfTime => return Ok(Err(BatchEnd::OutOfTime)),
            }
        };
        // It is delivered already.
        processed.part.clear();
        let part = output_part(range.index);
        let completion = processed.completion(range, false);
        self.put(lease, range, processed, part, completion)
            .await
            .map(Ok)
    }
}

fn add(refused: &mut Refused, refusals: Vec<Refusal>) {
    for one in refusals {
        let error = refused_by_destination(&one.reason, one.tries);
        refused.entry(one.index).or_default().push(error);
    }
}
