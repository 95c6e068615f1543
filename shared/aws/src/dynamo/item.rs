//! From stored items to the domain. What does not read back is [`PortError::Corrupt`], by the name
//! of the attribute and never by its value.

use std::str::FromStr;

use aws_sdk_dynamodb::types::AttributeValue;
use batchfleet_core::batch::{BatchItem, BatchStatus, Shard};
use batchfleet_core::ids::{JobId, OwnerId};
use batchfleet_core::job::{Counts, Job, JobStatus};
use batchfleet_core::plan::PlanPage;
use batchfleet_core::preparer::PreparerItem;
use batchfleet_core::watch::Watch;
use batchfleet_core::{PortError, PortResult};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::schema::{self, Item};

/// An item being read, with a name for errors.
pub(super) struct Fields<'a> {
    what: &'static str,
    item: &'a Item,
}

impl<'a> Fields<'a> {
    pub(super) fn of(what: &'static str, item: &'a Item) -> Self {
        Self { what, item }
    }

    fn corrupt(&self, name: &str, problem: &str) -> PortError {
        PortError::corrupt(self.what, format!("attribute {name} {problem}"))
    }

    fn required<T>(&self, name: &str, value: Option<T>) -> PortResult<T> {
        value.ok_or_else(|| self.corrupt(name, "is missing"))
    }

    fn text_if_any(&self, name: &str) -> PortResult<Option<&'a str>> {
        match self.item.get(name) {
            None => Ok(None),
            Some(AttributeValue::S(text)) => Ok(Some(text)),
            Some(_) => Err(self.corrupt(name, "is not a string")),
        }
    }

    pub(super) fn text(&self, name: &str) -> PortResult<&'a str> {
        self.required(name, self.text_if_any(name)?)
    }

    fn number_if_any<N: FromStr>(&self, name: &str) -> PortResult<Option<N>> {
        match self.item.get(name) {
            None => Ok(None),
            Some(AttributeValue::N(digits)) => match digits.parse() {
                Ok(number) => Ok(Some(number)),
                Err(_) => Err(self.corrupt(name, "is out of range")),
            },
            Some(_) => Err(self.corrupt(name, "is not a number")),
        }
    }

    pub(super) fn number<N: FromStr>(&self, name: &str) -> PortResult<N> {
        self.required(name, self.number_if_any(name)?)
    }

    fn flag(&self, name: &str) -> PortResult<bool> {
        match self.item.get(name) {
            None => Ok(false),
            Some(AttributeValue::Bool(flag)) => Ok(*flag),
            Some(_) => Err(self.corrupt(name, "is not a boolean")),
        }
    }

    fn json_if_any<T: DeserializeOwned>(&self, name: &str) -> PortResult<Option<T>> {
        let Some(text) = self.text_if_any(name)? else {
            return Ok(None);
        };
        match serde_json::from_str(text) {
            Ok(value) => Ok(Some(value)),
            // The error's own text could quote the value.
            Err(_) => Err(self.corrupt(name, "does not read back")),
        }
    }

    pub(super) fn json<T: DeserializeOwned>(&self, name: &str) -> PortResult<T> {
        self.required(name, self.json_if_any(name)?)
    }
}

/// The text of a structured attribute.
pub(super) fn json(what: &'static str, value: &impl Serialize) -> PortResult<String> {
    serde_json::to_string(value).map_err(|e| PortError::corrupt(what, e))
}

/// Reads a job's status alone.
pub(super) fn job_status(item: &Item) -> PortResult<JobStatus> {
    let fields = Fields::of("the job", item);
    let status = JobStatus::parse(fields.text(schema::STATUS)?);
    status.ok_or_else(|| fields.corrupt(schema::STATUS, "is no status"))
}

/// Reads a job.
pub(super) fn job(id: &JobId, item: &Item) -> PortResult<Job> {
    let fields = Fields::of("the job", item);
    Ok(Job {
        id: id.clone(),
        status: job_status(item)?,
        source: fields.json(schema::SOURCE)?,
        definition_name: fields.text(schema::DEFINITION)?.to_owned(),
        policy: fields.json(schema::POLICY)?,
        created_ms: fields.number(schema::CREATED)?,
        plan: fields.json_if_any(schema::PLAN)?,
        shards_closed: fields.number(schema::SHARDS_CLOSED)?,
        closed: Counts {
            records: fields.number(schema::RECORDS)?,
            accepted: fields.number(schema::ACCEPTED)?,
            rejected: fields.number(schema::REJECTED)?,
            skipped: fields.number(schema::SKIPPED)?,
        },
        closed_bytes: fields.number(schema::BYTES)?,
        finished_ms: fields.number_if_any(schema::FINISHED)?,
        reason: fields.json_if_any(schema::REASON)?,
        outbox: fields.flag(schema::OUTBOX)?,
        throttle: fields.json_if_any(schema::THROTTLE)?,
        paused_ms: fields.number_if_any(schema::PAUSED)?,
    })
}

/// Reads the preparer's item.
pub(super) fn preparer(item: &Item) -> PortResult<PreparerItem> {
    let fields = Fields::of("the preparer's item", item);
    Ok(PreparerItem {
        owner: fields.text_if_any(schema::OWNER)?.map(OwnerId::from_stored),
        lease_until_ms: fields.number(schema::LEASE_UNTIL)?,
        fence: fields.number(schema::FENCE)?,
        checkpoint: fields.json_if_any(schema::CHECKPOINT)?,
    })
}

/// Reads a job's watch.
pub(super) fn watch(item: &Item) -> PortResult<Watch> {
    let fields = Fields::of("the watch", item);
    Ok(Watch {
        token: fields.number(schema::TOKEN)?,
        due_ms: fields.number(schema::DUE)?,
    })
}

/// Reads a shard's own item.
pub(super) fn shard(item: &Item) -> PortResult<Shard> {
    let fields = Fields::of("the shard", item);
    Ok(Shard {
        published: fields.number(schema::PUBLISHED)?,
        cursor: fields.number(schema::CURSOR)?,
        sealed: fields.flag(schema::SEALED)?,
        closed: fields.flag(schema::CLOSED)?,
        start: fields.number(schema::START)?,
        end: fields.number(schema::END)?,
        totals: fields.json_if_any(schema::TOTALS)?,
    })
}

/// Reads a page of the plan.
pub(super) fn page(item: &Item) -> PortResult<PlanPage> {
    PlanPage::decode(Fields::of("a page of the plan", item).text(schema::PAGE)?)
}

/// Reads a batch.
pub(super) fn batch(item: &Item) -> PortResult<BatchItem> {
    let fields = Fields::of("the batch", item);
    let status = BatchStatus::parse(fields.text(schema::STATUS)?);
    Ok(BatchItem {
        status: status.ok_or_else(|| fields.corrupt(schema::STATUS, "is no status"))?,
        fence: fields.number(schema::FENCE)?,
        attempts: fields.number(schema::ATTEMPTS)?,
        owner: fields.text_if_any(schema::OWNER)?.map(OwnerId::from_stored),
        lease_until_ms: fields.number(schema::LEASE_UNTIL)?,
        completion: fields.json_if_any(schema::COMPLETION)?,
    })
}

/// The slot of a batch's item.
pub(super) fn slot(item: &Item) -> PortResult<u32> {
    let fields = Fields::of("the batch", item);
    let slot = schema::slot_of(fields.text(schema::SK)?);
    slot.ok_or_else(|| fields.corrupt(schema::SK, "names no slot"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_64_bits_of_a_number_read_back() {
        let item = Item::from([("x".to_owned(), schema::n(u64::MAX))]);
        assert_eq!(
            Fields::of("a test", &item).number::<u64>("x").unwrap(),
            u64::MAX
        );
        assert!(Fields::of("a test", &item).number::<u32>("x").is_err());
    }

    #[test]
    fn what_does_not_read_back_is_named_but_not_quoted() {
        let item = Item::from([(schema::STATUS.to_owned(), schema::s("a secret"))]);
        let error = batchfleet_core::error::chain(&job_status(&item).unwrap_err());
        assert_eq!(
            error,
            "the job is not as this release writes it: attribute st is no status"
        );
    }
}
