//! A destination that takes records one by one, with faults that a test asks for.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use batchfleet_core::ids::JobId;
use batchfleet_core::ports::{FoundSink, RecordAnswer, Sink, SinkAnswer, SinkRecord, Sinks};
use batchfleet_core::{PortError, PortResult};
use batchfleet_definition::Destination;
use bytes::Bytes;

use super::lock;

/// What one call comes to, in place of what it would.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SinkFault {
    /// The call comes to what it would.
    None,
    /// Nothing is taken; perhaps it says when to come again.
    Overloaded(Option<u64>),
    /// All but the last so many records are answered for.
    LeftOver(usize),
    /// Nothing is taken, and the call fails for now.
    Unavailable,
    /// The call comes to what it would, and the response is lost.
    ResponseLost,
    /// Nothing is taken, and the caller has no permission.
    Forbidden,
}

/// Keeps rows by job and record. Without faults it takes everything.
#[derive(Debug, Default)]
pub struct MemorySink {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    rows: BTreeMap<(JobId, u64), Bytes>,
    /// The indexes of the records of each call.
    calls: Vec<Vec<u64>>,
    records_max: Option<usize>,
    /// A text that rows are refused for, and for how many calls yet.
    refused: Vec<(String, u32)>,
    tells_each: bool,
    next: VecDeque<SinkFault>,
    always: Option<SinkFault>,
}

impl MemorySink {
    /// Records of one call unless [`limit`](Self::limit) says otherwise.
    const RECORDS_MAX: usize = 25;

    /// An empty destination.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes so many records in one call.
    pub fn limit(&self, records_max: usize) {
        lock(&self.state).records_max = Some(records_max);
    }

    /// Tells of each record what became of it, rather than of the call.
    pub fn tell_each(&self) {
        lock(&self.state).tells_each = true;
    }

    /// Refuses rows that contain `text`, in so many calls.
    pub fn refuse(&self, text: &str, calls: u32) {
        lock(&self.state).refused.push((text.to_owned(), calls));
    }

    /// The next calls come to this, one after another.
    pub fn fail_next(&self, faults: impl IntoIterator<Item = SinkFault>) {
        lock(&self.state).next.extend(faults);
    }

    /// Every call comes to this from now on, or no more.
    pub fn fail_always(&self, fault: Option<SinkFault>) {
        lock(&self.state).always = fault;
    }

    /// The rows of a job by record.
    #[must_use]
    pub fn rows(&self, job: &JobId) -> BTreeMap<u64, Bytes> {
        let state = lock(&self.state);
        let rows = state.rows.iter().filter(|((of, _), _)| of == job);
        rows.map(|((_, index), row)| (*index, row.clone()))
            .collect()
    }

    /// The indexes of the records of each call so far.
    #[must_use]
    pub fn calls(&self) -> Vec<Vec<u64>> {
        lock(&self.state).calls.clone()
    }
}

impl State {
    /// Why a row is refused, if it is.
    fn refusal(&mut self, row: &[u8]) -> Option<String> {
        let row = String::from_utf8_lossy(row);
        let refused = self.refused.iter_mut();
        let (text, calls) = refused
            .filter(|(_, calls)| *calls > 0)
            .find(|(text, _)| row.contains(text.as_str()))?;
        *calls -= 1;
        Some(format!("it contains {text}"))
    }

    fn keep(&mut self, job: &JobId, records: &[SinkRecord]) {
        for record in records {
            let key = (job.clone(), record.index);
            self.rows.insert(key, record.row.clone());
        }
    }

    fn put(&mut self, job: &JobId, records: &[SinkRecord]) -> SinkAnswer {
        let refusals: Vec<Option<String>> = records
            .iter()
            .map(|record| self.refusal(&record.row))
            .collect();
        if !self.tells_each {
            // All or nothing, as a destination that checks a call before it takes any of it.
            if let Some(reason) = refusals.into_iter().flatten().next() {
                return SinkAnswer::Refused(reason);
            }
            self.keep(job, records);
            return SinkAnswer::Accepted;
        }
        let mut answers = Vec::new();
        for (record, refusal) in records.iter().zip(refusals) {
            answers.push(refusal.map_or(RecordAnswer::Accepted, RecordAnswer::Refused));
            if answers.last() == Some(&RecordAnswer::Accepted) {
                self.keep(job, std::slice::from_ref(record));
            }
        }
        SinkAnswer::Each(answers)
    }
}

#[async_trait]
impl Sink for MemorySink {
    fn records_max(&self) -> usize {
        let state = lock(&self.state);
        state.records_max.unwrap_or(Self::RECORDS_MAX)
    }

    async fn put(&self, job: &JobId, records: &[SinkRecord]) -> PortResult<SinkAnswer> {
        let records_max = self.records_max();
        assert!(
            (1..=records_max).contains(&records.len()),
            "{} records in a call",
            records.len()
        );
        let mut state = lock(&self.state);
        let indexes = records.iter().map(|record| record.index).collect();
        state.calls.push(indexes);
        let action = "put records";
        match state.next.pop_front().or(state.always) {
            None | Some(SinkFault::None) => Ok(state.put(job, records)),
            Some(SinkFault::Overloaded(retry_after_ms)) => {
                Ok(SinkAnswer::Overloaded { retry_after_ms })
            }
            Some(SinkFault::LeftOver(left)) => {
                let taken = records.len().saturating_sub(left);
                let mut answers = match state.put(job, &records[..taken]) {
                    SinkAnswer::Each(answers) => answers,
                    SinkAnswer::Accepted => vec![RecordAnswer::Accepted; taken],
                    refused => return Ok(refused),
                };
                answers.resize(records.len(), RecordAnswer::Overloaded);
                Ok(SinkAnswer::Each(answers))
            }
            Some(SinkFault::Unavailable) => {
                Err(PortError::transient(action, "the connection was refused"))
            }
            Some(SinkFault::ResponseLost) => {
                state.put(job, records);
                Err(PortError::transient(action, "the response was lost"))
            }
            Some(SinkFault::Forbidden) => Err(PortError::refused(action, "no permission")),
        }
    }
}

/// Every destination is this one.
pub struct OneSink(pub Arc<dyn Sink>);

#[async_trait]
impl Sinks for OneSink {
    async fn sink(&self, _destination: &Destination) -> PortResult<FoundSink> {
        Ok(FoundSink::Sink(Arc::clone(&self.0)))
    }
}
