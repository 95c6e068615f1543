//! Tables that can be asked whether they have a record, with faults that a test asks for.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use batchfleet_core::ids::JobId;
use batchfleet_core::lookup::RowKeys;
use batchfleet_core::ports::{FoundLookup, KeyAnswer, Lookup, LookupAnswer, LookupKey, Lookups};
use batchfleet_core::{PortError, PortResult};
use batchfleet_definition::TableLookup;

use super::{MemorySink, lock};

/// What one call comes to, in place of what it would.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LookupFault {
    /// Nothing is answered; perhaps it says when to come again.
    Overloaded(Option<u64>),
    /// All but the last so many keys are answered for.
    LeftOver(usize),
    /// The call fails for now.
    Unavailable,
    /// The caller has no permission.
    Forbidden,
}

/// Keeps the keys of records by table. A table exists once it was given something.
#[derive(Debug, Default)]
pub struct MemoryTables {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    tables: BTreeMap<String, BTreeSet<LookupKey>>,
    /// Tables that jobs write to.
    sinks: BTreeMap<String, (Arc<MemorySink>, JobId)>,
    /// The keys of each call.
    calls: Vec<Vec<LookupKey>>,
    keys_max: Option<usize>,
    next: VecDeque<LookupFault>,
    always: Option<LookupFault>,
}

impl MemoryTables {
    /// Keys of one call unless [`limit`](Self::limit) says otherwise.
    const KEYS_MAX: usize = 100;

    /// No tables.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts records of these keys into a table.
    pub fn put(&self, table: &str, keys: impl IntoIterator<Item = LookupKey>) {
        let mut state = lock(&self.state);
        let records = state.tables.entry(table.to_owned()).or_default();
        records.extend(keys);
    }

    /// Takes all records out of a table.
    pub fn empty(&self, table: &str) {
        lock(&self.state).tables.remove(table);
        self.put(table, []);
    }

    /// The table has besides what a job's rows are in this destination.
    pub fn share(&self, table: &str, sink: Arc<MemorySink>, job: JobId) {
        self.put(table, []);
        let shared = (sink, job);
        lock(&self.state).sinks.insert(table.to_owned(), shared);
    }

    /// Answers for so many keys in one call.
    pub fn limit(&self, keys_max: usize) {
        lock(&self.state).keys_max = Some(keys_max);
    }

    /// The next calls come to this, one after another.
    pub fn fail_next(&self, faults: impl IntoIterator<Item = LookupFault>) {
        lock(&self.state).next.extend(faults);
    }

    /// Every call comes to this from now on, or no more.
    pub fn fail_always(&self, fault: Option<LookupFault>) {
        lock(&self.state).always = fault;
    }

    /// The keys of each call so far.
    #[must_use]
    pub fn calls(&self) -> Vec<Vec<LookupKey>> {
        lock(&self.state).calls.clone()
    }
}

#[async_trait]
impl Lookups for MemoryTables {
    async fn lookup(&self, table: &TableLookup) -> PortResult<FoundLookup> {
        if !lock(&self.state).tables.contains_key(&table.table) {
            let why = format!("the table {:?} does not exist", table.table);
            return Ok(FoundLookup::Unusable(why));
        }
        Ok(FoundLookup::Lookup(Arc::new(MemoryLookup {
            state: Arc::clone(&self.state),
            table: table.clone(),
        })))
    }
}

/// One of the tables.
struct MemoryLookup {
    state: Arc<Mutex<State>>,
    table: TableLookup,
}

impl MemoryLookup {
    /// What the table has now.
    fn records(&self) -> PortResult<BTreeSet<LookupKey>> {
        let (mut records, shared) = {
            let state = lock(&self.state);
            let records = state.tables.get(&self.table.table).cloned();
            let shared = state.sinks.get(&self.table.table).cloned();
            (records.unwrap_or_default(), shared)
        };
        let Some((sink, job)) = shared else {
            return Ok(records);
        };
        let mut keys = RowKeys::new(1);
        for (record, row) in sink.rows(&job) {
            keys.add(std::slice::from_ref(&self.table), record, &row)?;
        }
        records.extend(keys.of(0));
        Ok(records)
    }
}

#[async_trait]
impl Lookup for MemoryLookup {
    fn keys_max(&self) -> usize {
        let state = lock(&self.state);
        state.keys_max.unwrap_or(MemoryTables::KEYS_MAX)
    }

    async fn existing(&self, keys: &[LookupKey]) -> PortResult<LookupAnswer> {
        let keys_max = self.keys_max();
        assert!(
            (1..=keys_max).contains(&keys.len()),
            "{} keys in a call",
            keys.len()
        );
        let distinct: BTreeSet<&LookupKey> = keys.iter().collect();
        assert_eq!(distinct.len(), keys.len(), "a key was asked for twice");
        let fault = {
            let mut state = lock(&self.state);
            state.calls.push(keys.to_vec());
            state.next.pop_front().or(state.always)
        };
        let action = "look up records";
        let left = match fault {
            None => 0,
            Some(LookupFault::LeftOver(left)) => left,
            Some(LookupFault::Overloaded(retry_after_ms)) => {
                return Ok(LookupAnswer::Overloaded { retry_after_ms });
            }
            Some(LookupFault::Unavailable) => {
                return Err(PortError::transient(action, "the connection was refused"));
            }
            Some(LookupFault::Forbidden) => {
                return Err(PortError::refused(action, "no permission"));
            }
        };
        let records = self.records()?;
        let answered = keys.len().saturating_sub(left);
        let answers = keys.iter().enumerate().map(|(place, key)| {
            if place >= answered {
                KeyAnswer::Overloaded
            } else if records.contains(key) {
                KeyAnswer::Exists
            } else {
                KeyAnswer::Missing
            }
        });
        Ok(LookupAnswer::Each(answers.collect()))
    }
}
