//! DynamoDB tables as destinations: each record is an item under a key of its own fields.
//!
//! - A row is put whole, in place of whatever has its key: putting it again is putting it once. A
//!   field without a value is no attribute.
//! - Of two rows of one call with one key the later one of the file is put, since one call takes no key
//!   twice; both count as taken. Chunks of a batch go out in their order, so this holds within a batch.
//!   Batches are worked side by side: which row of two batches stays, nobody can say. A file whose keys
//!   are its rows' own has none of this.
//! - `BatchWriteItem` checks all of a call before it puts any of it, and does not tell which item it
//!   refuses it for. What it has no capacity for it leaves over, and says so.
//! - A table is looked at before the first row of a job: that it has the key which the definition says, since
//!   every single row would be refused else.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use batchfleet_core::exact::ExactNumber;
use batchfleet_core::ids::JobId;
use batchfleet_core::ports::{FoundSink, RecordAnswer, Sink, SinkAnswer, SinkRecord, Sinks};
use batchfleet_core::{PortError, PortResult};
use batchfleet_definition::{Destination, TableDestination};

use crate::attributes::{Item, attributes};
use crate::errors::port_error;
use crate::tables::{
    Tables, code, describe, is_overload, key_for_people, key_parts, kind, missing,
};

/// Items of one `BatchWriteItem` at most:
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html>.
const RECORDS_MAX: usize = 25;

/// What the errors call it.
const ACTION: &str = "put records into the destination";

/// Finds the tables that definitions name.
pub struct TableSinks {
    client: Client,
    /// Which may be written; `None` for none.
    allowed: Option<Tables>,
    /// The store's own table, which is nobody's destination.
    own_table: Option<String>,
}

impl TableSinks {
    /// Tables among `allowed`, but for the store's own.
    #[must_use]
    pub fn new(client: Client, allowed: Option<Tables>, own_table: Option<String>) -> Self {
        Self {
            client,
            allowed,
            own_table,
        }
    }

    /// Why the table is not to be written, if so.
    fn forbidden(&self, table: &str) -> Option<String> {
        let Some(allowed) = &self.allowed else {
            return Some(format!(
                "this stack writes to no table; deploy it with DestinationTables={table}"
            ));
        };
        if self.own_table.as_deref() == Some(table) {
            return Some(format!("the table {table:?} is the stack's own"));
        }
        (!allowed.include(table)).then(|| {
            format!(
                "the table {table:?} is none of {allowed}, to which this stack may write; deploy it \
                 with another DestinationTables"
            )
        })
    }
}

#[async_trait]
impl Sinks for TableSinks {
    async fn sink(&self, destination: &Destination) -> PortResult<FoundSink> {
        let Destination::DynamoDb(destination) = destination else {
            return Ok(FoundSink::Unusable("it is no table".to_owned()));
        };
        let table = &destination.table;
        if let Some(reason) = self.forbidden(table) {
            return Ok(FoundSink::Unusable(reason));
        }
        let Some(description) = describe(&self.client, table).await? else {
            return Ok(FoundSink::Unusable(missing(table)));
        };
        let expected = destination.key.iter();
        let expected = key_for_people(expected.map(|one| (&*one.name, kind(one.is_number))));
        let found = key_parts(&description);
        let found = key_for_people(found.iter().map(|(name, kind)| (&**name, *kind)));
        if expected != found {
            return Ok(FoundSink::Unusable(format!(
                "the table {table:?} has the key {found}, the definition says {expected}"
            )));
        }
        Ok(FoundSink::Sink(Arc::new(TableSink {
            client: self.client.clone(),
            destination: destination.clone(),
        })))
    }
}

/// One table as a destination.
pub struct TableSink {
    client: Client,
    destination: TableDestination,
}

/// The values of an item's key.
type Key = Vec<String>;

impl TableSink {
    fn key(&self, item: &Item) -> Key {
        let fields = self.destination.key.iter();
        let text = fields.map(|field| match item.get(&field.name) {
            Some(AttributeValue::S(text)) => text.clone(),
            // By its value: a number that is left over may come back spelled otherwise.
            Some(AttributeValue::N(text)) => match ExactNumber::parse(text) {
                Some(number) => number.to_string(),
                None => text.clone(),
            },
            _ => String::new(),
        });
        text.collect()
    }

    /// The keys that were left over of a call; or what became of all of it.
    async fn send(
        &self,
        writes: Vec<WriteRequest>,
    ) -> PortResult<Result<HashSet<Key>, SinkAnswer>> {
        let table = &self.destination.table;
        let call = self.client.batch_write_item();
        let sent = call.request_items(table, writes).send().await;
        let output = match sent {
            Ok(output) => output,
            Err(error) => return refusal_or_error(error).map(Err),
        };
        let mut left = output.unprocessed_items.unwrap_or_default();
        let left = left.remove(table).unwrap_or_default();
        Ok(Ok(self.left_over(left)))
    }

    /// What was left over of a call, by key.
    fn left_over(&self, writes: Vec<WriteRequest>) -> HashSet<Key> {
        let items = writes.into_iter().filter_map(|write| write.put_request);
        items.map(|put| self.key(&put.item)).collect()
    }
}

#[async_trait]
impl Sink for TableSink {
    fn records_max(&self) -> usize {
        RECORDS_MAX
    }

    async fn put(&self, _job: &JobId, records: &[SinkRecord]) -> PortResult<SinkAnswer> {
        let mut keys = Vec::with_capacity(records.len());
        // By place, so that calls of the same records are alike.
        let mut puts: BTreeMap<usize, WriteRequest> = BTreeMap::new();
        let mut places: HashMap<Key, usize> = HashMap::new();
        for (place, record) in records.iter().enumerate() {
            let item = match attributes(&record.row)? {
                Ok(item) => item,
                Err(unfit) => {
                    keys.push(Err(unfit));
                    continue;
                }
            };
            let key = self.key(&item);
            if let Some(earlier) = places.insert(key.clone(), place) {
                puts.remove(&earlier);
            }
            puts.insert(place, put_request(item)?);
            keys.push(Ok(key));
        }
        let left = if puts.is_empty() {
            HashSet::new()
        } else {
            match self.send(puts.into_values().collect()).await? {
                Ok(left) => left,
                Err(answer) => return Ok(answer),
            }
        };
        if !left.iter().all(|key| places.contains_key(key)) {
            // A key came back spelled otherwise: nobody can tell whose it is, so all go again.
            return Ok(SinkAnswer::Overloaded {
                retry_after_ms: None,
            });
        }
        if left.is_empty() && keys.iter().all(Result::is_ok) {
            return Ok(SinkAnswer::Accepted);
        }
        let answers = keys.into_iter().map(|key| match key {
            Err(unfit) => RecordAnswer::Refused(unfit),
            Ok(key) if left.contains(&key) => RecordAnswer::Overloaded,
            Ok(_) => RecordAnswer::Accepted,
        });
        Ok(SinkAnswer::Each(answers.collect()))
    }
}

fn put_request(item: Item) -> PortResult<WriteRequest> {
    let put = PutRequest::builder().set_item(Some(item)).build();
    let put = put.map_err(|error| PortError::refused(ACTION, error))?;
    Ok(WriteRequest::builder().put_request(put).build())
}

/// What is the fault of the records, what is too much, and what is neither.
fn refusal_or_error<E>(error: SdkError<E>) -> PortResult<SinkAnswer>
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    match code(&error) {
        Some("ValidationException" | "ItemCollectionSizeLimitExceededException") => {
            let message = error.as_service_error().and_then(E::message);
            let message = message.unwrap_or("the item is not valid");
            Ok(SinkAnswer::Refused(message.to_owned()))
        }
        code if is_overload(code) => Ok(SinkAnswer::Overloaded {
            retry_after_ms: None,
        }),
        _ => Err(port_error(ACTION, error)),
    }
}
