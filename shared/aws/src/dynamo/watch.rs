//! What the sweeper asks for: open jobs, their watches, and who prepares them (step 14).

use aws_sdk_dynamodb::types::ReturnValue;
use batchfleet_core::ids::JobId;
use batchfleet_core::preparer::PreparerItem;
use batchfleet_core::watch::Watch;
use batchfleet_core::{PortError, PortResult};

use super::metering::Kind;
use super::{Applied, DynamoStore, item, schema};
use crate::errors::port_error;

impl DynamoStore {
    pub(super) async fn read_preparer(&self, job: &JobId) -> PortResult<Option<PreparerItem>> {
        let key = schema::job_key(job, schema::PREPARER_SK);
        let found = self.get("read preparer", key, true).await?;
        found.as_ref().map(item::preparer).transpose()
    }

    pub(super) async fn read_watch(&self, job: &JobId) -> PortResult<Option<Watch>> {
        let key = schema::job_key(job, schema::WATCH_SK);
        let found = self.get("read watch", key, true).await?;
        found.as_ref().map(item::watch).transpose()
    }

    /// Step 14. An unmet condition means that a newer one is recorded.
    pub(super) async fn keep_watch(&self, job: &JobId, watch: &Watch) -> PortResult<()> {
        let change = schema::record_watch(job, watch, self.expires());
        let applied = self.apply(Kind::Other, "record watch", change, ReturnValue::None);
        match applied.await? {
            Applied::Done(_) | Applied::Unmet(_) => Ok(()),
        }
    }

    pub(super) async fn list_open_jobs(&self) -> PortResult<Vec<JobId>> {
        let pk = schema::OPEN_PK.to_owned();
        let found = self
            .query("list open jobs", pk, schema::OPEN_PREFIX)
            .await?;
        let id = |item| {
            let text = item::Fields::of("an open job", item).text(schema::SK)?;
            let id = text.strip_prefix(schema::OPEN_PREFIX).unwrap_or(text);
            JobId::parse(id).map_err(|error| PortError::corrupt("the id of an open job", error))
        };
        found.iter().map(id).collect()
    }

    /// Step 12, after the mark is cleared.
    pub(super) async fn forget_open_job(&self, job: &JobId) -> PortResult<()> {
        let action = "forget open job";
        let call = self
            .client
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(schema::open_key(job)))
            .set_return_consumed_capacity(self.metering.asked());
        let output = call.send().await.map_err(|e| port_error(action, e))?;
        self.metering.wrote(Kind::Other, output.consumed_capacity());
        Ok(())
    }
}
