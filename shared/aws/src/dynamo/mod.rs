//! The store over one DynamoDB table.
//!
//! `schema` holds every key and condition, with the protocol in prose; `job`, `plan` and `batch`
//! are the port's methods by what they concern; this file makes the calls for them: conditional
//! writes whose losing side learns the item as it is, transactions, reads. It decides nothing.

mod batch;
mod fleet;
mod item;
mod job;
mod metering;
mod plan;
mod schema;
mod watch;

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{
    CancellationReason, ReturnValue, ReturnValuesOnConditionCheckFailure, TransactWriteItem,
};
use batchfleet_core::batch::{BatchKey, Completion, Lease, Publication, Shard, ShardTotals};
use batchfleet_core::ids::{JobId, OwnerId};
use batchfleet_core::job::{Checkpoint, Ending, Job, Layout, NewJob, PlanTotals, PreparerHold};
use batchfleet_core::plan::PlanPage;
use batchfleet_core::ports::{
    CancelOutcome, ClaimOutcome, Clock, CloseOutcome, CompleteOutcome, CreateOutcome,
    FinalizeOutcome, Held, PauseOutcome, PreparerOutcome, ShardView, Snapshot, Store,
    TicketOutcome,
};
use batchfleet_core::preparer::PreparerItem;
use batchfleet_core::throttle::Throttle;
use batchfleet_core::watch::Watch;
use batchfleet_core::{PortError, PortResult};

use self::metering::Kind;
pub use self::metering::{Metering, Units};
use self::schema::{Change, Item};
use crate::backoff::Backoff;
use crate::errors::{self, port_error};
use crate::system::{SystemClock, SystemIds};

/// The store. Cheap to clone.
#[derive(Clone)]
pub struct DynamoStore {
    client: Client,
    table: String,
    clock: Arc<dyn Clock>,
    ttl_days: u64,
    metering: Arc<Metering>,
}

/// Makes a [`DynamoStore`].
pub struct Builder {
    store: DynamoStore,
}

impl Builder {
    /// How many days an ended job's items stay; 90 unless set.
    #[must_use]
    pub fn ttl_days(mut self, days: u32) -> Self {
        self.store.ttl_days = days.into();
        self
    }

    /// Whether to count capacity units; off unless set.
    #[must_use]
    pub fn metering(mut self, enabled: bool) -> Self {
        self.store.metering = Arc::new(Metering::new(enabled));
        self
    }

    /// The clock for expiry and for waiting between attempts; the system's unless set. Leases go by
    /// the times that callers pass in.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.store.clock = clock;
        self
    }

    /// The store.
    #[must_use]
    pub fn build(self) -> DynamoStore {
        self.store
    }
}

/// What a conditional write came to.
enum Applied {
    /// Written; the attributes that were asked for.
    Done(Item),
    /// The condition was not met; the item as it is, if there is one.
    Unmet(Option<Item>),
}

/// What a transaction came to.
enum Transacted {
    /// All written.
    Done,
    /// Nothing written; for each part in order, what stood against it.
    Unmet(Vec<Verdict>),
}

/// What stood against one part of a transaction.
struct Verdict {
    /// Its condition was not met.
    unmet: bool,
    /// The item as it is, where the condition was not met.
    item: Option<Item>,
}

impl DynamoStore {
    /// A store over `table`, with everything else at its default.
    #[must_use]
    pub fn builder(client: Client, table: impl Into<String>) -> Builder {
        Builder {
            store: Self {
                client,
                table: table.into(),
                clock: Arc::new(SystemClock),
                ttl_days: 90,
                metering: Arc::new(Metering::default()),
            },
        }
    }

    /// The capacity units that this store and its clones used.
    #[must_use]
    pub fn metering(&self) -> Arc<Metering> {
        Arc::clone(&self.metering)
    }

    /// When an item written now expires, in seconds since 1970: not while its job can be open.
    fn expires(&self) -> u64 {
        self.clock.now_ms() / 1_000 + (self.ttl_days + schema::OPEN_DAYS) * 86_400
    }

    /// When the item of a job that ends now expires.
    fn expires_ended(&self) -> u64 {
        self.clock.now_ms() / 1_000 + self.ttl_days * 86_400
    }

    fn backoff(&self) -> Backoff<'_> {
        Backoff::new(self.clock.as_ref(), &SystemIds)
    }

    /// Applies a change to one item, on its condition.
    async fn apply(
        &self,
        kind: Kind,
        action: &'static str,
        change: Change,
        answer: ReturnValue,
    ) -> PortResult<Applied> {
        let call = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(change.key))
            .update_expression(change.update)
            .condition_expression(change.condition)
            .set_expression_attribute_values(none_if_empty(change.values))
            .return_values(answer)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .set_return_consumed_capacity(self.metering.asked());
        let mut backoff = self.backoff();
        loop {
            let error = match call.clone().send().await {
                Ok(output) => {
                    self.metering.wrote(kind, output.consumed_capacity());
                    return Ok(Applied::Done(output.attributes.unwrap_or_default()));
                }
                Err(error) => error,
            };
            match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(unmet)) => {
                    self.metering.unmet(kind, 1);
                    return Ok(Applied::Unmet(unmet.item().cloned()));
                }
                Some(UpdateItemError::TransactionConflictException(_)) if backoff.wait().await => {}
                _ => return Err(port_error(action, error)),
            }
        }
    }

    /// Puts an item where there is none of its key. Whether it was put now.
    async fn put_absent(&self, action: &'static str, item: Item) -> PortResult<bool> {
        let sent = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression(schema::ABSENT)
            .set_return_consumed_capacity(self.metering.asked())
            .send()
            .await;
        match sent {
            Ok(output) => {
                self.metering.wrote(Kind::Other, output.consumed_capacity());
                Ok(true)
            }
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(_)) => {
                    self.metering.unmet(Kind::Other, 1);
                    Ok(false)
                }
                _ => Err(port_error(action, error)),
            },
        }
    }

    /// Writes all of `parts` or nothing. The SDK sends a token with it, so a try repeated after a
    /// lost response is not a second transaction.
    async fn transact(
        &self,
        kind: Kind,
        action: &'static str,
        parts: Vec<TransactWriteItem>,
    ) -> PortResult<Transacted> {
        let units = 2 * parts.len() as u64;
        let call = self
            .client
            .transact_write_items()
            .set_transact_items(Some(parts))
            .set_return_consumed_capacity(self.metering.asked());
        let mut backoff = self.backoff();
        loop {
            let error = match call.clone().send().await {
                Ok(output) => {
                    self.metering.wrote(kind, output.consumed_capacity());
                    return Ok(Transacted::Done);
                }
                Err(error) => error,
            };
            let Some(TransactWriteItemsError::TransactionCanceledException(canceled)) =
                error.as_service_error()
            else {
                return Err(port_error(action, error));
            };
            let reasons = canceled.cancellation_reasons();
            if reasons.iter().any(is_unmet) {
                self.metering.unmet(kind, units);
                return Ok(Transacted::Unmet(reasons.iter().map(verdict).collect()));
            }
            if !reasons.iter().all(passes) {
                return Err(PortError::refused(action, codes(reasons)));
            }
            if !backoff.wait().await {
                return Err(PortError::transient(action, codes(reasons)));
            }
        }
    }

    /// Reads one item.
    async fn get(
        &self,
        action: &'static str,
        key: Item,
        consistent: bool,
    ) -> PortResult<Option<Item>> {
        let output = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(key))
            .consistent_read(consistent)
            .set_return_consumed_capacity(self.metering.asked())
            .send()
            .await
            .map_err(|e| port_error(action, e))?;
        self.metering.read(output.consumed_capacity());
        Ok(output.item)
    }

    /// Reads all items of a partition whose sort key begins with `prefix`, in its order,
    /// consistently. A partition holds one shard, so the pages (1 MB each) are few.
    async fn query(&self, action: &'static str, pk: String, prefix: &str) -> PortResult<Vec<Item>> {
        let call = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression(schema::IN_PARTITION)
            .set_expression_attribute_values(Some(schema::in_partition(pk, prefix)))
            .consistent_read(true)
            .set_return_consumed_capacity(self.metering.asked());
        let mut items = Vec::new();
        let mut after = None;
        loop {
            let output = call
                .clone()
                .set_exclusive_start_key(after)
                .send()
                .await
                .map_err(|e| port_error(action, e))?;
            self.metering.read(output.consumed_capacity());
            items.extend(output.items.unwrap_or_default());
            after = output.last_evaluated_key.filter(|key| !key.is_empty());
            if after.is_none() {
                return Ok(items);
            }
        }
    }
}

/// DynamoDB refuses an empty list of values.
fn none_if_empty(values: Item) -> Option<Item> {
    (!values.is_empty()).then_some(values)
}

fn is_unmet(reason: &CancellationReason) -> bool {
    reason.code() == Some("ConditionalCheckFailed")
}

/// Whether a transaction's part was fine, or may be when tried again.
fn passes(reason: &CancellationReason) -> bool {
    let code = reason.code().unwrap_or("None");
    matches!(
        code,
        "None" | "TransactionConflict" | "ThrottlingError" | "ProvisionedThroughputExceeded"
    ) || errors::is_transient(code, 400)
}

fn verdict(reason: &CancellationReason) -> Verdict {
    Verdict {
        unmet: is_unmet(reason),
        item: reason.item().cloned(),
    }
}

fn codes(reasons: &[CancellationReason]) -> String {
    let codes: Vec<&str> = reasons
        .iter()
        .map(|reason| reason.code().unwrap_or("None"))
        .collect();
    format!("the transaction was cancelled: {}", codes.join(", "))
}

/// Every method is spelled out, and documented, in `job`, `plan` or `batch`.
#[async_trait]
impl Store for DynamoStore {
    async fn create(&self, job: &NewJob) -> PortResult<CreateOutcome> {
        self.create_job(job).await
    }

    async fn job(&self, job: &JobId) -> PortResult<Option<Job>> {
        self.read_job(job).await
    }

    async fn snapshot(&self, job: &JobId) -> PortResult<Option<Snapshot>> {
        self.read_snapshot(job).await
    }

    async fn take_preparer(
        &self,
        job: &JobId,
        owner: &OwnerId,
        now_ms: u64,
        until_ms: u64,
    ) -> PortResult<PreparerOutcome> {
        self.take_preparer_hold(job, owner, now_ms, until_ms).await
    }

    async fn put_layout(&self, job: &JobId, layout: &Layout) -> PortResult<()> {
        self.keep_layout(job, layout).await
    }

    async fn write_pages(
        &self,
        job: &JobId,
        shard: u32,
        first_page: u32,
        pages: &[PlanPage],
    ) -> PortResult<()> {
        self.put_pages(job, shard, first_page, pages).await
    }

    async fn publish(&self, job: &JobId, shard: u32, publication: &Publication) -> PortResult<()> {
        self.raise_published(job, shard, publication).await
    }

    async fn checkpoint(
        &self,
        hold: &PreparerHold,
        checkpoint: &Checkpoint,
        until_ms: u64,
    ) -> PortResult<Held> {
        self.record_checkpoint(hold, checkpoint, until_ms).await
    }

    async fn mark_prepared(&self, hold: &PreparerHold, totals: &PlanTotals) -> PortResult<Held> {
        self.end_planning(hold, totals).await
    }

    async fn shard(&self, job: &JobId, shard: u32) -> PortResult<Option<Shard>> {
        self.read_shard(job, shard).await
    }

    async fn take_tickets(
        &self,
        job: &JobId,
        shard: u32,
        count: u32,
        published_seen: u32,
    ) -> PortResult<TicketOutcome> {
        self.raise_cursor(job, shard, count, published_seen).await
    }

    async fn page(&self, job: &JobId, shard: u32, page: u32) -> PortResult<Option<PlanPage>> {
        self.read_page(job, shard, page).await
    }

    async fn pages(&self, job: &JobId, shard: u32) -> PortResult<Vec<PlanPage>> {
        self.read_pages(job, shard).await
    }

    async fn claim(
        &self,
        key: &BatchKey,
        owner: &OwnerId,
        now_ms: u64,
        until_ms: u64,
    ) -> PortResult<ClaimOutcome> {
        self.claim_batch(key, owner, now_ms, until_ms).await
    }

    async fn heartbeat(&self, lease: &Lease, until_ms: u64) -> PortResult<Held> {
        self.extend_lease(lease, until_ms).await
    }

    async fn complete(
        &self,
        lease: &Lease,
        completion: &Completion,
    ) -> PortResult<CompleteOutcome> {
        self.complete_batch(lease, completion).await
    }

    async fn release(&self, lease: &Lease) -> PortResult<Held> {
        self.release_batch(lease).await
    }

    async fn sweep(&self, job: &JobId, shard: u32) -> PortResult<Option<ShardView>> {
        self.view_shard(job, shard).await
    }

    async fn close_shard(
        &self,
        job: &JobId,
        shard: u32,
        totals: &ShardTotals,
    ) -> PortResult<CloseOutcome> {
        self.close_into_job(job, shard, totals).await
    }

    async fn finalize(
        &self,
        job: &JobId,
        ending: &Ending,
        finished_ms: u64,
    ) -> PortResult<FinalizeOutcome> {
        self.end_job(job, ending, finished_ms).await
    }

    async fn cancel(&self, key: &BatchKey, now_ms: u64) -> PortResult<CancelOutcome> {
        self.cancel_batch(key, now_ms).await
    }

    async fn set_paused(&self, job: &JobId, paused: bool, now_ms: u64) -> PortResult<PauseOutcome> {
        self.pause_job(job, paused, now_ms).await
    }

    async fn preparer(&self, job: &JobId) -> PortResult<Option<PreparerItem>> {
        self.read_preparer(job).await
    }

    async fn watch(&self, job: &JobId) -> PortResult<Option<Watch>> {
        self.read_watch(job).await
    }

    async fn record_watch(&self, job: &JobId, watch: &Watch) -> PortResult<()> {
        self.keep_watch(job, watch).await
    }

    async fn record_tally(&self, job: &JobId, owner: &OwnerId, rejected: u64) -> PortResult<()> {
        self.keep_tally(job, owner, rejected).await
    }

    async fn tallied(&self, job: &JobId) -> PortResult<u64> {
        self.sum_tallies(job).await
    }

    async fn set_throttle(
        &self,
        job: &JobId,
        seen: Option<Throttle>,
        throttle: Throttle,
    ) -> PortResult<()> {
        self.slow_job(job, seen, throttle).await
    }

    async fn open_jobs(&self) -> PortResult<Vec<JobId>> {
        self.list_open_jobs().await
    }

    async fn clear_outbox(&self, job: &JobId) -> PortResult<()> {
        self.clear_outbox_mark(job).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(code: &str) -> CancellationReason {
        CancellationReason::builder().code(code).build()
    }

    #[test]
    fn a_transaction_is_tried_again_only_for_what_passes() {
        for code in [
            "None",
            "TransactionConflict",
            "ThrottlingError",
            "ProvisionedThroughputExceeded",
        ] {
            assert!(passes(&reason(code)), "{code}");
        }
        for code in ["ValidationError", "AccessDenied", "ConditionalCheckFailed"] {
            assert!(!passes(&reason(code)), "{code}");
        }
        assert!(is_unmet(&reason("ConditionalCheckFailed")));
        assert!(!is_unmet(&reason("None")));
    }
}
