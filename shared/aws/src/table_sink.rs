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
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::types::{
    AttributeValue, KeyType, PutRequest, ScalarAttributeType, TableDescription, WriteRequest,
};
use batchfleet_core::ids::JobId;
use batchfleet_core::ports::{FoundSink, RecordAnswer, Sink, SinkAnswer, SinkRecord, Sinks};
use batchfleet_core::{PortError, PortResult};
use batchfleet_definition::{Destination, KeyField, TableDestination};
use serde_json::{Map, Value};

use crate::errors::port_error;

/// Items of one `BatchWriteItem` at most:
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html>.
const RECORDS_MAX: usize = 25;

/// What the errors call it.
const ACTION: &str = "put records into the destination";

type Item = HashMap<String, AttributeValue>;

/// Which tables may be destinations: one by name, or all whose names begin alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tables {
    name: String,
    /// Whether more may follow the name.
    is_prefix: bool,
}

impl Tables {
    /// Every table.
    #[must_use]
    pub fn all() -> Self {
        Self {
            name: String::new(),
            is_prefix: true,
        }
    }

    /// Reads `people`, or `import-*`; `None` where it is neither.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (name, is_prefix) = match text.strip_suffix('*') {
            Some(prefix) => (prefix, true),
            None => (text, false),
        };
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
        let is_name = !name.is_empty() && name.bytes().all(allowed);
        is_name.then(|| Self {
            name: name.to_owned(),
            is_prefix,
        })
    }

    fn include(&self, table: &str) -> bool {
        table == self.name || (self.is_prefix && table.starts_with(&self.name))
    }
}

impl fmt::Display for Tables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let more = if self.is_prefix { "*" } else { "" };
        write!(f, "{}{more}", self.name)
    }
}

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

    async fn describe(&self, table: &str) -> PortResult<Option<TableDescription>> {
        let described = self.client.describe_table().table_name(table).send().await;
        match described {
            Ok(output) => Ok(output.table),
            Err(error) if code(&error) == Some("ResourceNotFoundException") => Ok(None),
            Err(error) => Err(port_error("look at the destination", error)),
        }
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
        let Some(description) = self.describe(table).await? else {
            return Ok(FoundSink::Unusable(format!(
                "the table {table:?} does not exist in this account and region"
            )));
        };
        let (expected, found) = (
            key_of_definition(&destination.key),
            key_of_table(&description),
        );
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

/// A key for people: `email (text), year (number)`.
fn key_of_definition(key: &[KeyField]) -> String {
    let fields = key.iter().map(|field| {
        let kind = if field.is_number { "number" } else { "text" };
        format!("{} ({kind})", field.name)
    });
    fields.collect::<Vec<_>>().join(", ")
}

fn key_of_table(table: &TableDescription) -> String {
    let mut elements = table.key_schema().to_vec();
    elements.sort_by_key(|element| *element.key_type() != KeyType::Hash);
    let kind = |name: &str| {
        let mut defined = table.attribute_definitions().iter();
        let attribute = defined.find(|attribute| attribute.attribute_name() == name);
        match attribute.map(aws_sdk_dynamodb::types::AttributeDefinition::attribute_type) {
            Some(ScalarAttributeType::S) => "text",
            Some(ScalarAttributeType::N) => "number",
            _ => "binary",
        }
    };
    let fields = elements.iter().map(|element| {
        let name = element.attribute_name();
        format!("{name} ({})", kind(name))
    });
    fields.collect::<Vec<_>>().join(", ")
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
            Some(AttributeValue::S(text) | AttributeValue::N(text)) => text.clone(),
            _ => String::new(),
        });
        text.collect()
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
            let item = item(record)?;
            let key = self.key(&item);
            if let Some(earlier) = places.insert(key.clone(), place) {
                puts.remove(&earlier);
            }
            puts.insert(place, put_request(item)?);
            keys.push(key);
        }
        let table = &self.destination.table;
        let sent = self
            .client
            .batch_write_item()
            .request_items(table, puts.into_values().collect())
            .send()
            .await;
        let output = match sent {
            Ok(output) => output,
            Err(error) => return refusal_or_error(error),
        };
        let mut left = output.unprocessed_items.unwrap_or_default();
        let left = self.left_over(left.remove(table).unwrap_or_default());
        if left.is_empty() {
            return Ok(SinkAnswer::Accepted);
        }
        if !left.iter().all(|key| places.contains_key(key)) {
            // A number came back spelled otherwise: nobody can tell whose it is, so all go again.
            return Ok(SinkAnswer::Overloaded {
                retry_after_ms: None,
            });
        }
        let answers = keys.iter().map(|key| {
            if left.contains(key) {
                RecordAnswer::Overloaded
            } else {
                RecordAnswer::Accepted
            }
        });
        Ok(SinkAnswer::Each(answers.collect()))
    }
}

/// The attributes of a row.
fn item(record: &SinkRecord) -> PortResult<Item> {
    let row: Map<String, Value> = serde_json::from_slice(&record.row)
        // Its own text could quote the row.
        .map_err(|_| PortError::corrupt("a row", "it is no JSON object"))?;
    let mut item = Item::with_capacity(row.len());
    for (name, value) in row {
        let attribute = match value {
            Value::Null => continue,
            Value::Bool(truth) => AttributeValue::Bool(truth),
            Value::Number(number) => AttributeValue::N(number.to_string()),
            Value::String(text) => AttributeValue::S(text),
            Value::Array(_) | Value::Object(_) => {
                return Err(PortError::corrupt("a row", "it is nested"));
            }
        };
        item.insert(name, attribute);
    }
    Ok(item)
}

fn put_request(item: Item) -> PortResult<WriteRequest> {
    let put = PutRequest::builder().set_item(Some(item)).build();
    let put = put.map_err(|error| PortError::refused(ACTION, error))?;
    Ok(WriteRequest::builder().put_request(put).build())
}

fn code<E: ProvideErrorMetadata>(error: &SdkError<E>) -> Option<&str> {
    error
        .as_service_error()
        .and_then(ProvideErrorMetadata::code)
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
        Some(
            "ProvisionedThroughputExceededException"
            | "RequestLimitExceeded"
            | "ThrottlingException",
        ) => Ok(SinkAnswer::Overloaded {
            retry_after_ms: None,
        }),
        _ => Err(port_error(ACTION, error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_one_or_those_that_begin_alike() {
        let one = Tables::parse("people").unwrap();
        assert!(one.include("people") && !one.include("people2"));
        let some = Tables::parse("import-*").unwrap();
        assert!(some.include("import-people") && !some.include("imports"));
        assert_eq!(some.to_string(), "import-*");
        assert!(Tables::all().include("people"));
        for bad in ["*", "", "a*b", "arn:aws:dynamodb:x", "a b", "people**"] {
            assert_eq!(Tables::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_row_that_does_not_read_is_not_quoted() {
        for row in ["secret", r#"{"secret":[1]}"#] {
            let record = SinkRecord {
                index: 0,
                row: row.into(),
            };
            let error = item(&record).unwrap_err();
            let text = batchfleet_core::error::chain(&error);
            assert!(!text.contains("secret"), "{text}");
        }
    }
}
