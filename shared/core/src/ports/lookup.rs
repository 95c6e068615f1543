//! The look-up port: whether records exist in a table already, asked for many at a time.
//!
//! What it answers is true of the moment of the call. It is asked before anything is delivered, and the
//! answer is kept: see [`lookup`](crate::lookup).

use std::sync::Arc;

use async_trait::async_trait;
use batchfleet_definition::TableLookup;

use crate::error::PortResult;
use crate::exact::ExactNumber;

/// The key of a record: a value for each attribute of the table's key, in the order of the definition.
/// Two keys are equal where the table takes them for one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LookupKey(pub Vec<KeyValue>);

/// One value of a key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyValue {
    /// Text, never empty.
    Text(String),
    /// A number.
    Number(ExactNumber),
}

/// What a table makes of a call. That it can't be reached, or lets nobody in, is no answer but a
/// [`PortError`](crate::PortError).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LookupAnswer {
    /// What is known of each key, in their order.
    Each(Vec<KeyAnswer>),
    /// Too much is asked of the table.
    Overloaded {
        /// When it wants to be asked again, if it says so.
        retry_after_ms: Option<u64>,
    },
}

/// What is known of one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyAnswer {
    /// A record has it.
    Exists,
    /// No record has it, or no record could.
    Missing,
    /// It was left over, for want of capacity.
    Overloaded,
}

/// A table that can be asked.
#[async_trait]
pub trait Lookup: Send + Sync {
    /// Keys of one call at most; at least 1.
    fn keys_max(&self) -> usize;

    /// Which of 1 to [`keys_max`](Self::keys_max) different keys exist. What was written before the
    /// call began is seen.
    ///
    /// # Errors
    /// The table could not be asked: never for the sake of a key.
    async fn existing(&self, keys: &[LookupKey]) -> PortResult<LookupAnswer>;
}

/// What looking for a table brought.
pub enum FoundLookup {
    /// The way to it.
    Lookup(Arc<dyn Lookup>),
    /// It can't be asked, for this reason, which is for the person who uploaded the file.
    Unusable(String),
}

/// Finds the tables that definitions name.
#[async_trait]
pub trait Lookups: Send + Sync {
    /// The table of a look-up. Asked for once a job, so it may take a look at the table.
    async fn lookup(&self, table: &TableLookup) -> PortResult<FoundLookup>;
}

/// Has no tables.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoLookups;

#[async_trait]
impl Lookups for NoLookups {
    async fn lookup(&self, table: &TableLookup) -> PortResult<FoundLookup> {
        let why = format!("there is no way to the table {:?} from here", table.table);
        Ok(FoundLookup::Unusable(why))
    }
}
