//! DynamoDB tables as look-ups: whether records of these keys exist.
//!
//! - `BatchGetItem` answers for 100 keys a call, and gives the keys alone back. What it has no capacity for
//!   it leaves over, and says so.
//! - Reads are consistent: the answer is kept for good, so a record that an import put a second before must
//!   be in it. They cost twice as much as others, by the size of the items that are there: the key alone
//!   is sent back, but the whole item is read.
//! - A key that no item can have would fail the whole call, so it is not asked for: no item has it.
//! - A table is looked at before the first row of a job, as a destination is.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use batchfleet_core::exact::ExactNumber;
use batchfleet_core::ports::{
    FoundLookup, KeyAnswer, KeyValue, Lookup, LookupAnswer, LookupKey, Lookups,
};
use batchfleet_core::{PortError, PortResult};
use batchfleet_definition::{LookupField, TableLookup};

use crate::attributes::{Item, is_kept};
use crate::errors::port_error;
use crate::tables::{
    Tables, code, describe, is_overload, key_for_people, key_parts, kind, missing,
};

/// Keys of one `BatchGetItem` at most:
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html>.
const KEYS_MAX: usize = 100;

/// Bytes of a partition key's text, and of a sort key's, at most:
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>.
const PARTITION_BYTES_MAX: usize = 2048;
const SORT_BYTES_MAX: usize = 1024;

/// What the errors call it.
const ACTION: &str = "look up records";

/// Finds the tables that definitions name.
pub struct TableLookups {
    client: Client,
    /// Which may be asked.
    allowed: Vec<Tables>,
    /// The store's own table, which is nobody else's.
    own_table: Option<String>,
}

impl TableLookups {
    /// Tables among `allowed`, but for the store's own.
    #[must_use]
    pub fn new(client: Client, allowed: Vec<Tables>, own_table: Option<String>) -> Self {
        Self {
            client,
            allowed,
            own_table,
        }
    }

    /// Why the table is not to be asked, if so.
    fn forbidden(&self, table: &str) -> Option<String> {
        if self.own_table.as_deref() == Some(table) {
            return Some(format!("the table {table:?} is the stack's own"));
        }
        if self.allowed.iter().any(|tables| tables.include(table)) {
            return None;
        }
        if self.allowed.is_empty() {
            return Some(format!(
                "this stack looks records up in no table; deploy it with LookupTables={table}"
            ));
        }
        let allowed: Vec<String> = self.allowed.iter().map(Tables::to_string).collect();
        Some(format!(
            "the table {table:?} is none of {}, in which this stack may look records up; deploy it with \
             another LookupTables",
            allowed.join(", ")
        ))
    }
}

#[async_trait]
impl Lookups for TableLookups {
    async fn lookup(&self, lookup: &TableLookup) -> PortResult<FoundLookup> {
        let table = &lookup.table;
        if let Some(reason) = self.forbidden(table) {
            return Ok(FoundLookup::Unusable(reason));
        }
        let Some(description) = describe(&self.client, table).await? else {
            return Ok(FoundLookup::Unusable(missing(table)));
        };
        let parts = key_parts(&description);
        // In the order of the table: the definition may say it in any.
        let place = |attribute: &str| parts.iter().position(|(name, _)| name == attribute);
        let mut expected: Vec<&LookupField> = lookup.key.iter().collect();
        expected.sort_by_key(|part| place(&part.attribute).unwrap_or(usize::MAX));
        let expected = expected.iter();
        let expected =
            key_for_people(expected.map(|part| (&*part.attribute, kind(part.is_number))));
        let found = key_for_people(parts.iter().map(|(name, kind)| (&**name, *kind)));
        if expected != found {
            return Ok(FoundLookup::Unusable(format!(
                "the table {table:?} has the key {found}, the definition says {expected}"
            )));
        }
        let partition = parts.into_iter().next().map(|(name, _)| name);
        Ok(FoundLookup::Lookup(Arc::new(TableKeys {
            client: self.client.clone(),
            table: table.clone(),
            key: lookup.key.clone(),
            partition: partition.unwrap_or_default(),
        })))
    }
}

/// One table to look records up in.
struct TableKeys {
    client: Client,
    table: String,
    key: Vec<LookupField>,
    /// The attribute that is the partition key.
    partition: String,
}

impl TableKeys {
    /// Whether an item could have the key.
    fn is_possible(&self, key: &LookupKey) -> bool {
        self.key
            .iter()
            .zip(&key.0)
            .all(|(part, value)| match value {
                KeyValue::Number(number) => is_kept(number),
                KeyValue::Text(text) if part.attribute == self.partition => {
                    text.len() <= PARTITION_BYTES_MAX
                }
                KeyValue::Text(text) => text.len() <= SORT_BYTES_MAX,
            })
    }

    fn item(&self, key: &LookupKey) -> Item {
        let parts = self.key.iter().zip(&key.0);
        let attributes = parts.map(|(part, value)| {
            let value = match value {
                KeyValue::Text(text) => AttributeValue::S(text.clone()),
                KeyValue::Number(number) => AttributeValue::N(number.to_string()),
            };
            (part.attribute.clone(), value)
        });
        attributes.collect()
    }

    /// The key of an item that came back; `None` where it has another.
    fn key_of(&self, item: &Item) -> Option<LookupKey> {
        let values = self
            .key
            .iter()
            .map(|part| match item.get(&part.attribute)? {
                AttributeValue::S(text) => Some(KeyValue::Text(text.clone())),
                AttributeValue::N(text) => ExactNumber::parse(text).map(KeyValue::Number),
                _ => None,
            });
        values.collect::<Option<_>>().map(LookupKey)
    }

    fn keys_of(&self, items: &[Item]) -> PortResult<BTreeSet<LookupKey>> {
        let keys: Option<_> = items.iter().map(|item| self.key_of(item)).collect();
        keys.ok_or_else(|| PortError::corrupt("what the table answered", "an item has another key"))
    }

    /// All key attributes, under names that no reserved word is.
    fn request(&self, keys: Vec<Item>) -> PortResult<KeysAndAttributes> {
        let mut names = HashMap::with_capacity(self.key.len());
        let mut projection = Vec::with_capacity(self.key.len());
        for (place, part) in self.key.iter().enumerate() {
            let name = format!("#{place}");
            names.insert(name.clone(), part.attribute.clone());
            projection.push(name);
        }
        let request = KeysAndAttributes::builder()
            .set_keys(Some(keys))
            .consistent_read(true)
            .projection_expression(projection.join(", "))
            .set_expression_attribute_names(Some(names))
            .build();
        request.map_err(|error| PortError::refused(ACTION, error))
    }
}

#[async_trait]
impl Lookup for TableKeys {
    fn keys_max(&self) -> usize {
        KEYS_MAX
    }

    async fn existing(&self, keys: &[LookupKey]) -> PortResult<LookupAnswer> {
        let possible = keys.iter().filter(|key| self.is_possible(key));
        let items: Vec<Item> = possible.map(|key| self.item(key)).collect();
        if items.is_empty() {
            return Ok(LookupAnswer::Each(vec![KeyAnswer::Missing; keys.len()]));
        }
        let call = self.client.batch_get_item();
        let sent = call
            .request_items(&self.table, self.request(items)?)
            .send()
            .await;
        let output = match sent {
            Ok(output) => output,
            Err(error) if is_overload(code(&error)) => {
                return Ok(LookupAnswer::Overloaded {
                    retry_after_ms: None,
                });
            }
            Err(error) => return Err(port_error(ACTION, error)),
        };
        let mut found = output.responses.unwrap_or_default();
        let found = self.keys_of(&found.remove(&self.table).unwrap_or_default())?;
        let mut left = output.unprocessed_keys.unwrap_or_default();
        let left = left.remove(&self.table).map(|left| left.keys);
        let left = self.keys_of(&left.unwrap_or_default())?;
        let answers = keys.iter().map(|key| {
            if found.contains(key) {
                KeyAnswer::Exists
            } else if left.contains(key) {
                KeyAnswer::Overloaded
            } else {
                KeyAnswer::Missing
            }
        });
        Ok(LookupAnswer::Each(answers.collect()))
    }
}
