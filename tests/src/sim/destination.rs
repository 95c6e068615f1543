//! A destination that takes records one by one, and can be asked what it has: a table beside the
//! protocol's own.
//!
//! What it makes of a row follows from the row's id, but for the fickle ones: whether it takes those may
//! differ from call to call.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use batchfleet_core::PortResult;
use batchfleet_core::exact::ExactNumber;
use batchfleet_core::ids::JobId;
use batchfleet_core::ports::{
    FoundLookup, FoundSink, KeyAnswer, KeyValue, Lookup, LookupAnswer, LookupKey, Lookups,
    RecordAnswer, Sink, SinkAnswer, SinkRecord, Sinks,
};
use batchfleet_definition::{Destination as Named, TableLookup};
use bytes::Bytes;
use serde_json::Value;

use super::brief::Brief;
use super::files;
use super::ports::{Kind, Ports};
use super::random::Random;
use super::world::State;

/// What the destination makes of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Taken,
    Refused,
    /// Taken or refused, call by call.
    Fickle,
    /// It is there before anything is imported.
    Known,
}

/// What a seed says of the destination.
#[derive(Clone, Debug)]
pub(crate) struct Destination {
    fates: u64,
    records_max: usize,
    /// Of every call while faults last, in millionths: too much is asked.
    overload: u64,
    retries_max: u64,
    /// Whether rows that it has already are rejects.
    is_asked: bool,
}

impl Destination {
    /// `may_be_asked`: no two uploads have the same rows.
    pub(crate) fn draw(random: &mut Random, may_be_asked: bool) -> Self {
        Self {
            fates: random.next(),
            records_max: random.between(1, 4) as usize,
            overload: random.pick(&[0, 30_000, 200_000]),
            retries_max: random.below(3),
            is_asked: random.one_in(2) && may_be_asked,
        }
    }

    pub(crate) fn fate(&self, id: u64) -> Fate {
        match Random::stream(self.fates, id).below(16) {
            0 | 1 => Fate::Refused,
            2 | 3 => Fate::Fickle,
            4..=6 if self.is_asked => Fate::Known,
            _ => Fate::Taken,
        }
    }

    /// What a definition of it says beside its fields.
    pub(crate) fn clause(&self) -> String {
        let asked = if self.is_asked { "[destination]" } else { "[]" };
        let tries = self.retries_max;
        format!(
            "destination: {{type: dynamodb, table: people, key: [id]}}\n\
             retries: {{max: {tries}, base_ms: 50, cap_ms: 200}}\n\
             duplicates_of: {asked}\n"
        )
    }
}

/// A record that the destination took.
#[derive(Clone, Debug)]
pub(crate) struct Put {
    pub(crate) job: JobId,
    /// The record's index in its job.
    pub(crate) index: u64,
    pub(crate) row: Value,
}

/// What the destination has, and how it came there.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rows {
    kept: BTreeMap<LookupKey, Bytes>,
    pub(crate) puts: Vec<Put>,
}

impl Rows {
    /// Before anything is imported.
    pub(crate) fn new(destination: Option<&Destination>) -> Self {
        let mut rows = Self::default();
        if let Some(destination) = destination {
            let known = files::IDS.filter(|id| destination.fate(*id) == Fate::Known);
            rows.kept
                .extend(known.filter_map(|id| Some((key(id)?, Bytes::from_static(b"known")))));
        }
        rows
    }

    fn take(&mut self, job: &JobId, record: &SinkRecord) {
        let row: Value = serde_json::from_slice(&record.row).unwrap_or_default();
        if let Some(key) = row["id"].as_u64().and_then(key) {
            self.kept.insert(key, record.row.clone());
        }
        self.puts.push(Put {
            job: job.clone(),
            index: record.index,
            row,
        });
    }
}

fn key(id: u64) -> Option<LookupKey> {
    let number = ExactNumber::parse(&id.to_string())?;
    Some(LookupKey(vec![KeyValue::Number(number)]))
}

/// The way to the destination from one process.
pub(crate) struct Destinations(pub(crate) Arc<Ports>);

impl Destinations {
    async fn look(&self) -> PortResult<()> {
        let what = || "the destination".to_owned();
        self.0.call(Kind::Read, "look at", what, |_| Ok(())).await
    }
}

#[async_trait]
impl Sinks for Destinations {
    async fn sink(&self, _: &Named) -> PortResult<FoundSink> {
        self.look().await?;
        Ok(FoundSink::Sink(self.0.clone()))
    }
}

#[async_trait]
impl Lookups for Destinations {
    async fn lookup(&self, _: &TableLookup) -> PortResult<FoundLookup> {
        self.look().await?;
        Ok(FoundLookup::Lookup(self.0.clone()))
    }
}

#[async_trait]
impl Sink for Ports {
    fn records_max(&self) -> usize {
        let state = self.world.lock();
        let destination = state.scenario.destination.as_ref();
        destination.map_or(1, |destination| destination.records_max)
    }

    async fn put(&self, job: &JobId, records: &[SinkRecord]) -> PortResult<SinkAnswer> {
        let (of, records) = (job.clone(), records.to_vec());
        let indexes: Vec<u64> = records.iter().map(|record| record.index).collect();
        let what = move || format!("records {indexes:?} of {}", of.brief());
        let job = job.clone();
        let put = move |state: &mut State| Ok(put(state, &job, &records));
        self.call(Kind::Write, "put records", what, put).await
    }
}

/// How many of a call's records or keys are answered for, where too much is asked.
fn answered(state: &mut State, asked: usize) -> Option<usize> {
    let overload = state.scenario.destination.as_ref()?.overload;
    if !state.strikes(overload) {
        return None;
    }
    state.history.faults += 1;
    Some(state.random.below(asked as u64) as usize)
}

fn retry_after_ms(state: &mut State) -> Option<u64> {
    state.random.pick(&[None, Some(100), Some(3_000)])
}

fn put(state: &mut State, job: &JobId, records: &[SinkRecord]) -> SinkAnswer {
    let answered = answered(state, records.len());
    if answered.is_some() && state.random.one_in(2) {
        let retry_after_ms = retry_after_ms(state);
        return SinkAnswer::Overloaded { retry_after_ms };
    }
    let mut answers: Vec<RecordAnswer> = Vec::with_capacity(records.len());
    for (place, record) in records.iter().enumerate() {
        answers.push(if answered.is_some_and(|answered| place >= answered) {
            RecordAnswer::Overloaded
        } else if is_refused(state, record) {
            // It may quote the row.
            let row = String::from_utf8_lossy(&record.row);
            RecordAnswer::Refused(format!("not wanted: {row}"))
        } else {
            RecordAnswer::Accepted
        });
    }
    let refused = answers.iter().find_map(|answer| match answer {
        RecordAnswer::Refused(reason) => Some(reason.clone()),
        RecordAnswer::Accepted | RecordAnswer::Overloaded => None,
    });
    let tells_each = answered.is_some() || state.random.one_in(2);
    let takes_others = tells_each || refused.is_none() || state.random.one_in(2);
    if takes_others {
        for (record, answer) in records.iter().zip(&answers) {
            if *answer == RecordAnswer::Accepted {
                state.rows.take(job, record);
            }
        }
    }
    match refused {
        _ if tells_each => SinkAnswer::Each(answers),
        Some(reason) => SinkAnswer::Refused(reason),
        None => SinkAnswer::Accepted,
    }
}

fn is_refused(state: &mut State, record: &SinkRecord) -> bool {
    let row: Value = serde_json::from_slice(&record.row).unwrap_or_default();
    let destination = state.scenario.destination.as_ref();
    let fate = destination.zip(row["id"].as_u64());
    match fate.map(|(destination, id)| destination.fate(id)) {
        Some(Fate::Taken | Fate::Known) => false,
        Some(Fate::Refused) | None => true,
        Some(Fate::Fickle) => state.random.one_in(2),
    }
}

#[async_trait]
impl Lookup for Ports {
    fn keys_max(&self) -> usize {
        self.records_max()
    }

    async fn existing(&self, keys: &[LookupKey]) -> PortResult<LookupAnswer> {
        let (count, keys) = (keys.len(), keys.to_vec());
        let existing = move |state: &mut State| Ok(existing(state, &keys));
        let what = || format!("{count} keys");
        self.call(Kind::Read, "look up", what, existing).await
    }
}

fn existing(state: &mut State, keys: &[LookupKey]) -> LookupAnswer {
    let answered = answered(state, keys.len());
    if answered.is_some() && state.random.one_in(2) {
        let retry_after_ms = retry_after_ms(state);
        return LookupAnswer::Overloaded { retry_after_ms };
    }
    let answer = |(place, key)| {
        if answered.is_some_and(|answered| place >= answered) {
            KeyAnswer::Overloaded
        } else if state.rows.kept.contains_key(key) {
            KeyAnswer::Exists
        } else {
            KeyAnswer::Missing
        }
    };
    LookupAnswer::Each(keys.iter().enumerate().map(answer).collect())
}
