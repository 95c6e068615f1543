//! The store's methods that concern a job's own partition: its creation, its preparer, its end
//! (steps 1, 2, 5, 9, 11 and 12, and the layout of step 3).

use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::types::{
    ConditionCheck, Put, ReturnValue, ReturnValuesOnConditionCheckFailure, TransactWriteItem,
    Update,
};
use batchfleet_core::ids::{JobId, OwnerId};
use batchfleet_core::job::{
    Checkpoint, Ending, Job, JobStatus, Layout, NewJob, PlanTotals, PreparerHold, pause_event,
};
use batchfleet_core::ports::{
    CreateOutcome, FinalizeOutcome, Held, PauseOutcome, PreparerOutcome, Snapshot,
};
use batchfleet_core::{PortError, PortResult};

use super::metering::Kind;
use super::schema::{self, Change, Item, n, s};
use super::{Applied, DynamoStore, Transacted, Verdict, item, none_if_empty};

impl DynamoStore {
    /// Step 1. The transaction's token makes a repeated try after a lost response the same one.
    pub(super) async fn create_job(&self, job: &NewJob) -> PortResult<CreateOutcome> {
        let action = "create job";
        let parts = vec![
            self.put_part(action, self.new_job(job)?)?,
            self.put_part(action, self.new_snapshot(job))?,
            self.put_part(action, self.new_preparer(job))?,
            self.put_part(action, self.item(schema::open_key(&job.id)))?,
        ];
        match self.transact(Kind::Other, action, parts).await? {
            Transacted::Done => Ok(CreateOutcome::Created),
            Transacted::Unmet(_) => Ok(CreateOutcome::Exists),
        }
    }

    fn new_job(&self, job: &NewJob) -> PortResult<Item> {
        let mut new = self.item(schema::job_key(&job.id, schema::JOB_SK));
        new.extend(
            [
                (schema::STATUS, s(JobStatus::Preparing.as_str())),
                (schema::SOURCE, s(item::json("the source", &job.source)?)),
                (schema::DEFINITION, s(&job.definition_name)),
                (schema::POLICY, s(item::json("the policy", &job.policy)?)),
                (schema::CREATED, n(job.created_ms)),
                (schema::SHARDS_CLOSED, n(0u64)),
                (schema::RECORDS, n(0u64)),
                (schema::ACCEPTED, n(0u64)),
                (schema::REJECTED, n(0u64)),
                (schema::SKIPPED, n(0u64)),
                (schema::BYTES, n(0u64)),
            ]
            .map(|(name, value)| (name.to_owned(), value)),
        );
        Ok(new)
    }

    fn new_snapshot(&self, job: &NewJob) -> Item {
        let mut new = self.item(schema::job_key(&job.id, schema::SNAPSHOT_SK));
        new.insert(schema::TEXT.to_owned(), s(&job.definition_text));
        new
    }

    fn new_preparer(&self, job: &NewJob) -> Item {
        let mut new = self.item(schema::job_key(&job.id, schema::PREPARER_SK));
        new.insert(schema::LEASE_UNTIL.to_owned(), n(0u64));
        new.insert(schema::FENCE.to_owned(), n(0u64));
        new
    }

    /// An item of this key that expires some day.
    pub(super) fn item(&self, mut key: Item) -> Item {
        key.insert(schema::EXPIRES.to_owned(), n(self.expires()));
        key
    }

    /// The job, read consistently.
    pub(super) async fn read_job(&self, id: &JobId) -> PortResult<Option<Job>> {
        let found = self
            .get("read job", schema::job_key(id, schema::JOB_SK), true)
            .await?;
        found.map(|found| item::job(id, &found)).transpose()
    }

    /// The definition's text and the layout.
    pub(super) async fn read_snapshot(&self, id: &JobId) -> PortResult<Option<Snapshot>> {
        let action = "read snapshot";
        let (snapshot, layout) = tokio::try_join!(
            self.get(action, schema::job_key(id, schema::SNAPSHOT_SK), true),
            self.get(action, schema::job_key(id, schema::LAYOUT_SK), true),
        )?;
        let Some(snapshot) = snapshot else {
            return Ok(None);
        };
        let text = item::Fields::of("the snapshot", &snapshot).text(schema::TEXT)?;
        let layout = layout
            .map(|found| item::Fields::of("the layout", &found).json(schema::LAYOUT))
            .transpose()?;
        Ok(Some(Snapshot {
            definition_text: text.to_owned(),
            layout,
        }))
    }

    /// Step 2. The status is read after the hold began: a job that is `PREPARING` then was so when
    /// it began, because no job returns to `PREPARING`.
    pub(super) async fn take_preparer_hold(
        &self,
        job: &JobId,
        owner: &OwnerId,
        now_ms: u64,
        until_ms: u64,
    ) -> PortResult<PreparerOutcome> {
        let change = schema::take_preparer(job, owner, now_ms, until_ms);
        let applied = self
            .apply(Kind::Other, "take preparer", change, ReturnValue::AllNew)
            .await?;
        let (is_mine, preparer) = match applied {
            Applied::Done(new) => (true, item::preparer(&new)?),
            Applied::Unmet(Some(old)) => {
                let preparer = item::preparer(&old)?;
                // A lost response: owners are unique to an invocation, so this hold is this call's.
                let own = preparer.owner.as_ref() == Some(owner);
                (own && preparer.lease_until_ms > now_ms, preparer)
            }
            Applied::Unmet(None) => return Err(missing("take preparer", "job")),
        };
        let status = self.read_status("take preparer", job).await?;
        if status != JobStatus::Preparing {
            return Ok(PreparerOutcome::NotPreparing(status));
        }
        if !is_mine {
            return Ok(PreparerOutcome::HeldUntil(preparer.lease_until_ms));
        }
        let hold = PreparerHold {
            job: job.clone(),
            owner: owner.clone(),
            fence: preparer.fence,
        };
        Ok(PreparerOutcome::Granted(hold, preparer.checkpoint))
    }

    async fn read_status(&self, action: &'static str, job: &JobId) -> PortResult<JobStatus> {
        let found = self
            .get(action, schema::job_key(job, schema::JOB_SK), true)
            .await?;
        item::job_status(&found.ok_or_else(|| missing(action, "job"))?)
    }

    /// Step 3. That one is kept already is fine: it is the same.
    pub(super) async fn keep_layout(&self, job: &JobId, layout: &Layout) -> PortResult<()> {
        let mut new = self.item(schema::job_key(job, schema::LAYOUT_SK));
        new.insert(
            schema::LAYOUT.to_owned(),
            s(item::json("the layout", layout)?),
        );
        self.put_absent("keep layout", new).await?;
        Ok(())
    }

    /// Step 5. Owner and fence stay as they are, so a repeated try finds them again.
    pub(super) async fn record_checkpoint(
        &self,
        hold: &PreparerHold,
        checkpoint: &Checkpoint,
        until_ms: u64,
    ) -> PortResult<Held> {
        let text = item::json("the checkpoint", checkpoint)?;
        let change = schema::checkpoint(hold, text, until_ms);
        match self
            .apply(
                Kind::Publish,
                "record checkpoint",
                change,
                ReturnValue::None,
            )
            .await?
        {
            Applied::Done(_) => Ok(Held::Kept),
            Applied::Unmet(_) => Ok(Held::Lost),
        }
    }

    /// Step 9.
    pub(super) async fn end_planning(
        &self,
        hold: &PreparerHold,
        totals: &PlanTotals,
    ) -> PortResult<Held> {
        let action = "mark job prepared";
        let plan = item::json("the plan's totals", totals)?;
        let parts = vec![
            self.check_part(action, schema::holds_preparer(hold))?,
            self.update_part(
                action,
                schema::mark_prepared(&hold.job, plan, totals.shards),
            )?,
        ];
        let verdicts = match self.transact(Kind::Other, action, parts).await? {
            Transacted::Done => return Ok(Held::Kept),
            Transacted::Unmet(verdicts) => verdicts,
        };
        // An earlier call, whose response was lost beyond the SDK's tries, may have done it.
        let [
            Verdict { unmet: false, .. },
            Verdict {
                item: Some(job), ..
            },
        ] = verdicts.as_slice()
        else {
            return Ok(Held::Lost);
        };
        let job = item::job(&hold.job, job)?;
        let done = matches!(job.status, JobStatus::Processing | JobStatus::Paused)
            && job.plan == Some(*totals);
        Ok(if done { Held::Kept } else { Held::Lost })
    }

    /// Step 11.
    pub(super) async fn end_job(
        &self,
        job: &JobId,
        ending: &Ending,
        finished_ms: u64,
    ) -> PortResult<FinalizeOutcome> {
        let expires = self.expires_ended();
        let change = match ending {
            Ending::Completed => schema::finalize_completed(job, finished_ms, expires),
            Ending::Failed(reason) => {
                let reason = item::json("the reason", reason)?;
                schema::finalize_failed(job, reason, finished_ms, expires)
            }
            Ending::Aborted => schema::finalize_aborted(job, finished_ms, expires),
        };
        match self
            .apply(Kind::Other, "finalize job", change, ReturnValue::None)
            .await?
        {
            Applied::Done(_) => Ok(FinalizeOutcome::Won),
            Applied::Unmet(None) => Err(missing("finalize job", "job")),
            Applied::Unmet(Some(old)) => {
                let status = item::job_status(&old)?;
                if status.is_terminal() {
                    Ok(FinalizeOutcome::AlreadyOver(status))
                } else {
                    Ok(FinalizeOutcome::NotReady)
                }
            }
        }
    }

    /// Step 13.
    pub(super) async fn pause_job(
        &self,
        job: &JobId,
        paused: bool,
        now_ms: u64,
    ) -> PortResult<PauseOutcome> {
        let (_, wanted) = pause_event(paused);
        let change = if paused {
            schema::pause(job, now_ms)
        } else {
            schema::resume(job)
        };
        match self
            .apply(Kind::Other, "pause job", change, ReturnValue::None)
            .await?
        {
            Applied::Done(_) => Ok(PauseOutcome::Done),
            Applied::Unmet(None) => Err(missing("pause job", "job")),
            Applied::Unmet(Some(old)) => Ok(match item::job_status(&old)? {
                status if status == wanted => PauseOutcome::Done,
                status => PauseOutcome::NotPossible(status),
            }),
        }
    }

    /// Step 12.
    pub(super) async fn clear_outbox_mark(&self, job: &JobId) -> PortResult<()> {
        let change = schema::clear_outbox(job);
        match self
            .apply(Kind::Other, "clear outbox", change, ReturnValue::None)
            .await?
        {
            Applied::Done(_) => self.forget_open_job(job).await,
            Applied::Unmet(_) => Err(missing("clear outbox", "job")),
        }
    }

    fn put_part(&self, action: &'static str, item: Item) -> PortResult<TransactWriteItem> {
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression(schema::ABSENT)
            .build();
        let put = put.map_err(|e| incomplete(action, e))?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    pub(super) fn update_part(
        &self,
        action: &'static str,
        change: Change,
    ) -> PortResult<TransactWriteItem> {
        let update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(change.key))
            .update_expression(change.update)
            .condition_expression(change.condition)
            .set_expression_attribute_values(none_if_empty(change.values))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build();
        let update = update.map_err(|e| incomplete(action, e))?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    pub(super) fn check_part(
        &self,
        action: &'static str,
        change: Change,
    ) -> PortResult<TransactWriteItem> {
        let check = ConditionCheck::builder()
            .table_name(&self.table)
            .set_key(Some(change.key))
            .condition_expression(change.condition)
            .set_expression_attribute_values(none_if_empty(change.values))
            .build();
        let check = check.map_err(|e| incomplete(action, e))?;
        Ok(TransactWriteItem::builder().condition_check(check).build())
    }
}

/// A request that the SDK's builder finds incomplete: a defect of ours.
pub(super) fn incomplete(action: &'static str, error: BuildError) -> PortError {
    PortError::refused(action, error)
}

/// An action on something that is not there.
pub(super) fn missing(action: &'static str, what: &str) -> PortError {
    PortError::refused(action, format!("there is no such {what}"))
}
