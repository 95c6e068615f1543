//! The store's methods that concern a job's fleet as a whole: tallies and the throttle (steps 15 and
//! 16).

use aws_sdk_dynamodb::types::ReturnValue;
use batchfleet_core::PortResult;
use batchfleet_core::ids::{JobId, OwnerId};
use batchfleet_core::throttle::Throttle;

use super::job::missing;
use super::metering::Kind;
use super::schema::{self, n};
use super::{Applied, DynamoStore, item};
use crate::errors::port_error;

impl DynamoStore {
    /// Step 15. Only its owner writes the item, so it is simply replaced.
    pub(super) async fn keep_tally(
        &self,
        job: &JobId,
        owner: &OwnerId,
        rejected: u64,
    ) -> PortResult<()> {
        let sk = format!("{}{}", schema::TALLY_PREFIX, owner.as_str());
        let mut tally = self.item(schema::job_key(job, &sk));
        tally.insert(schema::REJECTED.to_owned(), n(rejected));
        let output = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(tally))
            .set_return_consumed_capacity(self.metering.asked())
            .send()
            .await
            .map_err(|e| port_error("record tally", e))?;
        self.metering.wrote(Kind::Other, output.consumed_capacity());
        Ok(())
    }

    pub(super) async fn sum_tallies(&self, job: &JobId) -> PortResult<u64> {
        let pk = schema::job_pk(job);
        let found = self.query("read tallies", pk, schema::TALLY_PREFIX).await?;
        let rejected = |item| item::Fields::of("a tally", item).number::<u64>(schema::REJECTED);
        found.iter().map(rejected).sum()
    }

    /// Step 16. An unmet condition means that someone else slowed it down.
    pub(super) async fn slow_job(
        &self,
        job: &JobId,
        seen: Option<Throttle>,
        throttle: Throttle,
    ) -> PortResult<()> {
        let action = "set throttle";
        let text = |throttle: &Throttle| item::json("the throttle", throttle);
        let seen = seen.as_ref().map(text).transpose()?;
        let change = schema::set_throttle(job, seen, text(&throttle)?);
        match self
            .apply(Kind::Other, action, change, ReturnValue::None)
            .await?
        {
            Applied::Unmet(None) => Err(missing(action, "job")),
            Applied::Done(_) | Applied::Unmet(Some(_)) => Ok(()),
        }
    }
}
