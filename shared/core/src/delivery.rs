//! Delivery of records to a destination that takes them one by one.
//!
//! 1. The records go out in chunks of what the sink takes in one call, one chunk after another, so
//!    that of two rows with one key the later one of the batch stays.
//! 2. A chunk that is refused is halved until the record stands alone that it is refused for. Of `n`
//!    records with `k` bad ones that takes at most `1 + 2k⌈log2 n⌉` calls, and never more than
//!    `2n - 1`: 11 calls for one bad record of 25.
//! 3. The records that were refused alone are tried again, all of them once in each of
//!    `retries.max` rounds, with a wait before each round. So the waits of a batch don't grow with the
//!    number of its bad records. What is refused in the last round, or when there is no time left for
//!    another, becomes a reject.
//! 4. A destination that is overloaded, or can't be reached, says nothing about the records: the same
//!    call is made again after a wait, `retries.max` times in a row without any progress. Then the
//!    caller gets the error, hands its batch back, and comes again later. It is never a reject.
//!
//! So every delivery ends: each record is offered a bounded number of times. No wait begins that
//! would end after `ends_ms`, and one that lasts is broken off when the job is paused or ended. The
//! lease is kept alive by whoever calls, and the delivery dropped where it is lost.
//!
//! It must not know of stores, batches or files.

use batchfleet_definition::Retries;

use crate::error::{PortError, PortResult};
use crate::ids::JobId;
use crate::mutation::{self, Mutation};
use crate::patience::{Halt, Patience};
use crate::ports::{Clock, Ids, RecordAnswer, Sink, SinkAnswer, SinkRecord};

pub use crate::patience::Steering;

/// What the errors call it.
const ACTION: &str = "deliver records";

/// One delivery.
pub struct RecordDelivery<'a> {
    /// Where to.
    pub sink: &'a dyn Sink,
    /// The records' job.
    pub job: &'a JobId,
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

/// What a delivery came to.
#[derive(Debug, PartialEq, Eq)]
pub enum Delivered {
    /// Every record is in the destination but these, in no particular order.
    Done(Vec<Refusal>),
    /// The job was paused or ended meanwhile; some records are in the destination.
    Stopped,
    /// The time was up before every record was offered once; some are in the destination.
    OutOfTime,
}

/// A record that the destination does not take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Its index in the job.
    pub index: u64,
    /// Why not, as the destination said last.
    pub reason: String,
    /// How often it was offered alone, or answered for by itself.
    pub tries: u32,
}

/// A record that was refused alone, and may be tried again.
struct Suspect {
    record: SinkRecord,
    reason: String,
    tries: u32,
}

impl RecordDelivery<'_> {
    /// Delivers records, which are in the order of the file.
    ///
    /// # Errors
    /// The destination stayed overloaded or could not be asked, or the steering failed.
    pub async fn deliver(&self, records: &[SinkRecord]) -> PortResult<Delivered> {
        match self.deliver_all(records).await {
            Ok(refusals) => Ok(Delivered::Done(refusals)),
            Err(Halt::Stopped) => Ok(Delivered::Stopped),
            Err(Halt::OutOfTime) => Ok(Delivered::OutOfTime),
            Err(Halt::Failed(error)) => Err(error),
        }
    }

    async fn deliver_all(&self, records: &[SinkRecord]) -> Result<Vec<Refusal>, Halt> {
        let mut suspects = Vec::new();
        for chunk in records.chunks(self.sink.records_max().max(1)) {
            self.sift(chunk.to_vec(), 1, &mut suspects).await?;
        }
        for round in 1..=self.retries.max {
            if suspects.is_empty() || !self.try_again(round, &mut suspects).await? {
                break;
            }
        }
        let refusals = suspects.into_iter().map(|suspect| Refusal {
            index: suspect.record.index,
            reason: suspect.reason,
            tries: suspect.tries,
        });
        Ok(refusals.collect())
    }

    /// Offers each suspect once more and keeps those that are refused again. `false` once there is no
    /// time for more: those whose turn did not come stay refused as they were.
    async fn try_again(&self, round: u32, suspects: &mut Vec<Suspect>) -> Result<bool, Halt> {
        match self.patience().wait_before(round, 0).await {
            Err(Halt::OutOfTime) => return Ok(false),
            waited => waited?,
        }
        let mut left = std::mem::take(suspects).into_iter();
        while let Some(suspect) = left.next() {
            let again = vec![suspect.record.clone()];
            match self.sift(again, suspect.tries + 1, suspects).await {
                Ok(()) => {}
                Err(Halt::OutOfTime) => {
                    suspects.push(suspect);
                    suspects.extend(left);
                    return Ok(false);
                }
                Err(halt) => return Err(halt),
            }
        }
        Ok(true)
    }

    /// Offers records, and halves what is refused until each bad one stands alone.
    async fn sift(
        &self,
        records: Vec<SinkRecord>,
        tries: u32,
        suspects: &mut Vec<Suspect>,
    ) -> Result<(), Halt> {
        let mut parts = vec![records];
        while let Some(part) = parts.pop() {
            let Some((mut part, reason)) = self.offer(part, tries, suspects).await? else {
                continue;
            };
            let right = part.split_off(part.len().div_ceil(2));
            if right.is_empty() {
                suspects.extend(part.into_iter().map(|record| Suspect {
                    record,
                    reason: reason.clone(),
                    tries,
                }));
            } else {
                // The left half next, so that records arrive in their order.
                parts.extend([right, part]);
            }
        }
        Ok(())
    }

    /// Offers records until the destination has answered for all of them. Those that it refuses
    /// together come back, with its reason.
    async fn offer(
        &self,
        mut records: Vec<SinkRecord>,
        tries: u32,
        suspects: &mut Vec<Suspect>,
    ) -> Result<Option<(Vec<SinkRecord>, String)>, Halt> {
        let mut failures = 0;
        loop {
            self.patience().check().await?;
            let (error, retry_after_ms) = match self.sink.put(self.job, &records).await {
                Ok(SinkAnswer::Accepted) => return Ok(None),
                Ok(SinkAnswer::Refused(reason)) => return Ok(Some((records, reason))),
                Ok(SinkAnswer::Each(answers)) => {
                    let offered = records.len();
                    records = left_over(records, answers, tries, suspects)?;
                    if records.is_empty() {
                        return Ok(None);
                    }
                    if records.len() < offered {
                        failures = 0;
                    }
                    let cause = format!("{} of {offered} records were left over", records.len());
                    (PortError::throttled(ACTION, cause), 0)
                }
                Ok(SinkAnswer::Overloaded { retry_after_ms }) => {
                    let cause = "the destination is overloaded";
                    (
                        PortError::throttled(ACTION, cause),
                        retry_after_ms.unwrap_or(0),
                    )
                }
                Err(_) if mutation::on(Mutation::UnansweredIsTaken) => return Ok(None),
                Err(error) if error.is_retryable() => (error, 0),
                Err(error) => return Err(Halt::Failed(error)),
            };
            failures += 1;
            self.patience()
                .bear(error, failures, retry_after_ms)
                .await?;
        }
    }

    fn patience(&self) -> Patience<'_> {
        Patience {
            retries: self.retries,
            ends_ms: self.ends_ms,
            clock: self.clock,
            ids: self.ids,
            steering: self.steering,
        }
    }
}

/// Sorts records by what became of each: those that were left over are to be offered again.
fn left_over(
    records: Vec<SinkRecord>,
    answers: Vec<RecordAnswer>,
    tries: u32,
    suspects: &mut Vec<Suspect>,
) -> PortResult<Vec<SinkRecord>> {
    if records.len() != answers.len() {
        let cause = format!("{} answers for {} records", answers.len(), records.len());
        return Err(PortError::corrupt("what the destination answered", cause));
    }
    let mut left = Vec::new();
    for (record, answer) in records.into_iter().zip(answers) {
        match answer {
            RecordAnswer::Accepted => {}
            RecordAnswer::Overloaded if mutation::on(Mutation::LeftOverIsRefused) => {
                let reason = "left over".to_owned();
                suspects.push(Suspect {
                    record,
                    reason,
                    tries,
                });
            }
            RecordAnswer::Overloaded => left.push(record),
            RecordAnswer::Refused(reason) => suspects.push(Suspect {
                record,
                reason,
                tries,
            }),
        }
    }
    Ok(left)
}
