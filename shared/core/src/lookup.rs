//! Whether the rows of a batch exist already in tables of the definition's `duplicates_of`.
//!
//! 1. The good rows of a batch are looked up before any of them is delivered: their different keys, in
//!    calls of what a table takes, one call after another.
//! 2. The answer, by the numbers of the records, is written once beside the job, under a name of the
//!    batch ([`existing_part`]). Whoever writes second takes what is there. So every attempt at the batch
//!    comes to the same rejects and the same part, whatever the tables hold by then; and a row that an
//!    earlier attempt delivered into the very table is no duplicate of itself, since the answer was
//!    there before the row.
//! 3. What is left over or can't be asked for now is asked again after waits, as a delivery is. Then the
//!    caller gets the error, hands its batch back, and comes again later. It is never a reject.
//!
//! It must not know of stores or leases.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use batchfleet_definition::{LookupField, Retries, TableLookup};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::error::{PortError, PortResult};
use crate::exact::ExactNumber;
use crate::patience::{Halt, Patience, Steering};
use crate::ports::{Clock, Ids, KeyAnswer, KeyValue, Lookup, LookupAnswer, LookupKey};

/// What the errors call it.
const ACTION: &str = "look up records";

/// The version of the kept answers.
const VERSION: u32 = 1;

/// The name of a batch's kept answer. It depends on the batch alone: whoever works it finds what an
/// earlier attempt was told.
#[must_use]
pub fn existing_part(batch: u64) -> String {
    format!("lookups/part-{batch:09}.json")
}

/// Which records of a batch exist already, as the tables said when it was looked up. It holds no values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Existing {
    /// The version of this format: 1.
    version: u32,
    /// The SHA-256 of the definition's text: another definition has other tables, or other good rows.
    definition: String,
    /// The records that exist, by their index in the job and in order, for each look-up of the
    /// definition.
    records: Vec<Vec<u64>>,
}

impl Existing {
    /// Under the definition of this SHA-256, for each of its look-ups.
    #[must_use]
    pub fn new(definition: &str, records: Vec<Vec<u64>>) -> Self {
        Self {
            version: VERSION,
            definition: definition.to_owned(),
            records,
        }
    }

    /// Reads a kept answer; `None` where it is one under another definition.
    ///
    /// # Errors
    /// [`PortError::Corrupt`] where it is none.
    pub fn read(kept: &[u8], definition: &str, lookups: usize) -> PortResult<Option<Self>> {
        let what = "a kept look-up";
        let read: Self =
            serde_json::from_slice(kept).map_err(|error| PortError::corrupt(what, error))?;
        if read.version != VERSION {
            let cause = format!("version {}", read.version);
            return Err(PortError::corrupt(what, cause));
        }
        if read.definition != definition {
            return Ok(None);
        }
        if read.records.len() != lookups {
            let cause = format!("{} look-ups, not {lookups}", read.records.len());
            return Err(PortError::corrupt(what, cause));
        }
        Ok(Some(read))
    }

    /// What is kept of it: the same for the same answer.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// The look-ups that each record was found by.
    #[must_use]
    pub fn by_record(&self) -> BTreeMap<u64, Vec<usize>> {
        let mut found: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
        for (lookup, records) in self.records.iter().enumerate() {
            for record in records {
                found.entry(*record).or_default().push(lookup);
            }
        }
        found
    }
}

/// The keys of a batch's good rows: which records have each, for each look-up.
#[derive(Debug, Default)]
pub struct RowKeys(Vec<BTreeMap<LookupKey, Vec<u64>>>);

impl RowKeys {
    /// None yet, of so many look-ups.
    #[must_use]
    pub fn new(lookups: usize) -> Self {
        Self(vec![BTreeMap::new(); lookups])
    }

    /// Adds a row, as it is delivered: one JSON object. A row without a value in one of a key's fields
    /// has no key.
    ///
    /// # Errors
    /// [`PortError::Corrupt`] where it is none; the error does not quote it.
    pub fn add(&mut self, lookups: &[TableLookup], record: u64, row: &[u8]) -> PortResult<()> {
        let fields: HashMap<String, &RawValue> = serde_json::from_slice(row)
            // Its own text could quote the row.
            .map_err(|_| PortError::corrupt("a row", "it is no JSON object"))?;
        for (keys, lookup) in self.0.iter_mut().zip(lookups) {
            let values = lookup
                .key
                .iter()
                .map(|part| value(part, fields.get(&part.field)?));
            if let Some(values) = values.collect() {
                keys.entry(LookupKey(values)).or_default().push(record);
            }
        }
        Ok(())
    }

    /// The different keys of one look-up.
    #[must_use]
    pub fn of(&self, lookup: usize) -> Vec<LookupKey> {
        let keys = self.0.get(lookup).into_iter().flat_map(BTreeMap::keys);
        keys.cloned().collect()
    }

    /// The records with one of these keys, in order.
    #[must_use]
    pub fn records(&self, lookup: usize, existing: &BTreeSet<LookupKey>) -> Vec<u64> {
        let keys = self.0.get(lookup).into_iter().flatten();
        let found = keys.filter(|(key, _)| existing.contains(key));
        let mut records: Vec<u64> = found.flat_map(|(_, records)| records).copied().collect();
        records.sort_unstable();
        records
    }
}

/// The value of a key's attribute. A field whose fault is a warning may hold text for a number.
fn value(part: &LookupField, value: &RawValue) -> Option<KeyValue> {
    if part.is_number {
        return ExactNumber::parse(value.get()).map(KeyValue::Number);
    }
    let text: String = serde_json::from_str(value.get()).ok()?;
    (!text.is_empty()).then_some(KeyValue::Text(text))
}

/// One look-up of many keys.
pub struct Asking<'a> {
    /// The table.
    pub lookup: &'a dyn Lookup,
    /// How patiently.
    pub retries: Retries,
    /// When it must be over (milliseconds since 1970); `None` where there is time.
    pub ends_ms: Option<u64>,
    /// The time.
    pub clock: &'a dyn Clock,
    /// Randomness, for the waits.
    pub ids: &'a dyn Ids,
    /// Whether to go on.
    pub steering: &'a dyn Steering,
}

/// What a look-up came to.
#[derive(Debug, PartialEq, Eq)]
pub enum Asked {
    /// These exist, and no others.
    Done(BTreeSet<LookupKey>),
    /// The job was paused or ended meanwhile.
    Stopped,
    /// The time was up before every key was asked for.
    OutOfTime,
}

impl Asking<'_> {
    /// Which of these different keys exist.
    ///
    /// # Errors
    /// The table stayed overloaded or could not be asked, or the steering failed.
    pub async fn existing(&self, keys: &[LookupKey]) -> PortResult<Asked> {
        let mut existing = BTreeSet::new();
        for chunk in keys.chunks(self.lookup.keys_max().max(1)) {
            match self.ask(chunk.to_vec(), &mut existing).await {
                Ok(()) => {}
                Err(Halt::Stopped) => return Ok(Asked::Stopped),
                Err(Halt::OutOfTime) => return Ok(Asked::OutOfTime),
                Err(Halt::Failed(error)) => return Err(error),
            }
        }
        Ok(Asked::Done(existing))
    }

    /// Asks for keys until all of them are answered for.
    async fn ask(
        &self,
        mut keys: Vec<LookupKey>,
        existing: &mut BTreeSet<LookupKey>,
    ) -> Result<(), Halt> {
        let patience = Patience {
            retries: self.retries,
            ends_ms: self.ends_ms,
            clock: self.clock,
            ids: self.ids,
            steering: self.steering,
        };
        let mut failures = 0;
        loop {
            patience.check().await?;
            let (error, retry_after_ms) = match self.lookup.existing(&keys).await {
                Ok(LookupAnswer::Each(answers)) => {
                    let asked = keys.len();
                    keys = left_over(keys, &answers, existing)?;
                    if keys.is_empty() {
                        return Ok(());
                    }
                    if keys.len() < asked {
                        failures = 0;
                    }
                    let cause = format!("{} of {asked} keys were left over", keys.len());
                    (PortError::throttled(ACTION, cause), 0)
                }
                Ok(LookupAnswer::Overloaded { retry_after_ms }) => {
                    let error = PortError::throttled(ACTION, "the table is overloaded");
                    (error, retry_after_ms.unwrap_or(0))
                }
                Err(error) if error.is_retryable() => (error, 0),
                Err(error) => return Err(Halt::Failed(error)),
            };
            failures += 1;
            patience.bear(error, failures, retry_after_ms).await?;
        }
    }
}

/// Takes what exists out of the answers, and gives back what is to be asked for again.
fn left_over(
    keys: Vec<LookupKey>,
    answers: &[KeyAnswer],
    existing: &mut BTreeSet<LookupKey>,
) -> PortResult<Vec<LookupKey>> {
    if keys.len() != answers.len() {
        let cause = format!("{} answers for {} keys", answers.len(), keys.len());
        return Err(PortError::corrupt("what the table answered", cause));
    }
    let mut left = Vec::new();
    for (key, answer) in keys.into_iter().zip(answers) {
        match answer {
            KeyAnswer::Exists => {
                existing.insert(key);
            }
            KeyAnswer::Missing => {}
            KeyAnswer::Overloaded => left.push(key),
        }
    }
    Ok(left)
}

#[cfg(test)]
mod tests {
    use batchfleet_definition::Definition;

    use super::*;

    fn lookups(key: &str) -> Vec<TableLookup> {
        let text = format!(
            "fields: [{{ name: id, type: decimal }}, {{ name: email }}, {{ name: 'a \"b\"' }}]\n\
             duplicates_of: [{{ table: people, key: {{ {key} }} }}]\n"
        );
        Definition::parse(&text).unwrap().duplicates_of().to_vec()
    }

    fn keys(key: &str, rows: &[&str]) -> Vec<(LookupKey, Vec<u64>)> {
        let lookups = lookups(key);
        let mut keys = RowKeys::new(lookups.len());
        for (record, row) in (0..).zip(rows) {
            keys.add(&lookups, record, row.as_bytes()).unwrap();
        }
        keys.0.remove(0).into_iter().collect()
    }

    fn text(text: &str) -> KeyValue {
        KeyValue::Text(text.to_owned())
    }

    #[test]
    fn rows_of_one_key_are_asked_for_once() {
        let rows = [
            r#"{"id":1.50,"email":"Zo\u00eb"}"#,
            r#"{"id":9,"email":"Zoë"}"#,
            r#"{"id":1.5,"email":"b"}"#,
        ];
        assert_eq!(
            keys("mail: email", &rows),
            [
                (LookupKey(vec![text("Zoë")]), vec![0, 1]),
                (LookupKey(vec![text("b")]), vec![2])
            ]
            .into_iter()
            .collect::<BTreeMap<_, _>>()
            .into_iter()
            .collect::<Vec<_>>()
        );
        let number = KeyValue::Number(ExactNumber::parse("15e-1").unwrap());
        let found = keys("number: id", &rows);
        assert!(found.contains(&(LookupKey(vec![number]), vec![0, 2])));
    }

    #[test]
    fn a_row_without_a_value_has_no_key() {
        let rows = [
            r#"{"id":null,"email":"a"}"#,
            r#"{"id":1,"email":""}"#,
            r#"{"id":"old","email":"a"}"#,
            r#"{"email":"a"}"#,
        ];
        assert_eq!(keys("number: id, mail: email", &rows), []);
        assert_eq!(keys("mail: email", &rows).len(), 1);
        // The name of a field has to be escaped.
        let named = keys("it: 'a \"b\"'", &[r#"{"a \"b\"":"x"}"#]);
        assert_eq!(named, [(LookupKey(vec![text("x")]), vec![0])]);
    }

    #[test]
    fn a_row_that_does_not_read_is_not_quoted() {
        let error = RowKeys::new(1)
            .add(&lookups("number: id"), 0, b"secret")
            .unwrap_err();
        let text = crate::error::chain(&error);
        assert!(!text.contains("secret"), "{text}");
    }

    /// A kept answer of version 1 reads for ever.
    #[test]
    fn a_kept_answer_reads_back() {
        let kept = br#"{"version":1,"definition":"d1","records":[[3,5],[5]]}"#;
        let read = Existing::read(kept, "d1", 2).unwrap().unwrap();
        assert_eq!(read.to_json(), kept);
        assert_eq!(
            read.by_record(),
            BTreeMap::from([(3, vec![0]), (5, vec![0, 1])])
        );
        assert_eq!(Existing::read(kept, "d2", 2).unwrap(), None);
        for bad in [
            &b"{}"[..],
            b"",
            br#"{"version":2,"definition":"d1","records":[]}"#,
        ] {
            assert!(Existing::read(bad, "d1", 2).is_err());
        }
        assert!(Existing::read(kept, "d1", 1).is_err());
    }
}
