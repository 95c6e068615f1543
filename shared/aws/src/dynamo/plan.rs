//! The store's methods that concern a shard's plan and its own item (steps 3, 4, 6 and 10).

use aws_sdk_dynamodb::types::{PutRequest, ReturnValue, WriteRequest};
use batchfleet_core::batch::{Publication, Shard, ShardTotals};
use batchfleet_core::ids::JobId;
use batchfleet_core::plan::PlanPage;
use batchfleet_core::ports::{CloseOutcome, TicketOutcome};
use batchfleet_core::{PortError, PortResult};

use super::job::incomplete;
use super::metering::Kind;
use super::schema::{self, s};
use super::{Applied, DynamoStore, Transacted, item};
use crate::errors::port_error;

/// The most that DynamoDB takes in one `BatchWriteItem`.
const BATCH_WRITE_MAX: usize = 25;

impl DynamoStore {
    /// Step 3.
    pub(super) async fn put_pages(
        &self,
        job: &JobId,
        shard: u32,
        first_page: u32,
        pages: &[PlanPage],
    ) -> PortResult<()> {
        let mut writes = Vec::with_capacity(pages.len());
        for (page, ranges) in (first_page..).zip(pages) {
            let mut new = self.item(schema::page_key(job, shard, page));
            new.insert(schema::PAGE.to_owned(), s(ranges.encode()));
            let put = PutRequest::builder().set_item(Some(new)).build();
            let put = put.map_err(|e| incomplete("write pages", e))?;
            writes.push(WriteRequest::builder().put_request(put).build());
        }
        for chunk in writes.chunks(BATCH_WRITE_MAX) {
            self.batch_write(chunk.to_vec()).await?;
        }
        Ok(())
    }

    /// Writes up to 25 items; what DynamoDB leaves over is sent again after a wait.
    async fn batch_write(&self, mut writes: Vec<WriteRequest>) -> PortResult<()> {
        let action = "write pages";
        let mut backoff = self.backoff();
        loop {
            let output = self
                .client
                .batch_write_item()
                .request_items(&self.table, writes)
                .set_return_consumed_capacity(self.metering.asked())
                .send()
                .await
                .map_err(|e| port_error(action, e))?;
            self.metering
                .wrote(Kind::Publish, output.consumed_capacity());
            let mut left = output.unprocessed_items.unwrap_or_default();
            writes = left.remove(&self.table).unwrap_or_default();
            if writes.is_empty() {
                return Ok(());
            }
            if !backoff.wait().await {
                let cause = format!("{} items were left unprocessed", writes.len());
                return Err(PortError::transient(action, cause));
            }
        }
    }

    /// Step 4. A publication that is older than the one in force changes nothing, and is fine; so does
    /// one of a job that is over, which its preparer notices before the next.
    pub(super) async fn raise_published(
        &self,
        job: &JobId,
        shard: u32,
        publication: &Publication,
    ) -> PortResult<()> {
        let action = "publish batches";
        let change = schema::publish(job, shard, publication, self.expires());
        let parts = vec![
            self.check_part(action, schema::is_open(job))?,
            self.update_part(action, change)?,
        ];
        self.transact(Kind::Publish, action, parts).await?;
        Ok(())
    }

    /// The shard's own item.
    pub(super) async fn read_shard(&self, job: &JobId, shard: u32) -> PortResult<Option<Shard>> {
        let key = schema::shard_key(job, shard);
        let found = self.get("read shard", key, true).await?;
        found.as_ref().map(item::shard).transpose()
    }

    /// Step 6. A lost response costs the block: its slots are found by the sweep.
    pub(super) async fn raise_cursor(
        &self,
        job: &JobId,
        shard: u32,
        count: u32,
        published_seen: u32,
    ) -> PortResult<TicketOutcome> {
        let Some(room) = published_seen.checked_sub(count) else {
            let found = self.read_shard(job, shard).await?;
            return Ok(TicketOutcome::Short(found.unwrap_or_default()));
        };
        let change = schema::take_tickets(job, shard, count, room);
        match self
            .apply(
                Kind::Ticket,
                "take tickets",
                change,
                ReturnValue::UpdatedNew,
            )
            .await?
        {
            Applied::Done(new) => {
                let end: u32 = item::Fields::of("the shard", &new).number(schema::CURSOR)?;
                Ok(TicketOutcome::Taken(end.saturating_sub(count)..end))
            }
            Applied::Unmet(Some(old)) => Ok(TicketOutcome::Short(item::shard(&old)?)),
            Applied::Unmet(None) => Ok(TicketOutcome::Short(Shard::default())),
        }
    }

    /// One page. Pages never change, so a cheap read will do where it finds one.
    pub(super) async fn read_page(
        &self,
        job: &JobId,
        shard: u32,
        page: u32,
    ) -> PortResult<Option<PlanPage>> {
        let key = schema::page_key(job, shard, page);
        let found = match self.get("read page", key.clone(), false).await? {
            Some(found) => Some(found),
            None => self.get("read page", key, true).await?,
        };
        found.as_ref().map(item::page).transpose()
    }

    /// All pages, in order.
    pub(super) async fn read_pages(&self, job: &JobId, shard: u32) -> PortResult<Vec<PlanPage>> {
        let pk = schema::shard_pk(job, shard);
        let found = self.query("read pages", pk, schema::PAGE_PREFIX).await?;
        found.iter().map(item::page).collect()
    }

    /// Step 10.
    pub(super) async fn close_into_job(
        &self,
        job: &JobId,
        shard: u32,
        totals: &ShardTotals,
    ) -> PortResult<CloseOutcome> {
        let action = "close shard";
        let sums = item::json("the shard's sums", totals)?;
        let parts = vec![
            self.update_part(action, schema::close_shard(job, shard, sums))?,
            self.update_part(action, schema::add_shard(job, totals))?,
        ];
        match self.transact(Kind::Close, action, parts).await? {
            Transacted::Done => Ok(CloseOutcome::Closed),
            Transacted::Unmet(verdicts) => {
                let old = verdicts.first().and_then(|verdict| verdict.item.as_ref());
                let closed = old
                    .map(item::shard)
                    .transpose()?
                    .is_some_and(|shard| shard.closed);
                Ok(if closed {
                    CloseOutcome::AlreadyClosed
                } else {
                    CloseOutcome::Refused
                })
            }
        }
    }
}
