//! What a stack's dead-letter queues hold, and how it is put back.
//!
//! 1. Messages that the workers' or the preparers' queue delivered five times in vain are the two
//!    queues' own, in two dead-letter queues. Uploads' events that the orchestrator failed on three
//!    times are in a third, each in a record of Lambda's that has the event as `requestPayload`.
//! 2. SQS has no reading without receiving: whoever reads hides the messages from others for
//!    [`HIDDEN_SECONDS`], and shows them again at the end. After a crash they show up by themselves.
//! 3. To put one back is to send what it asks for, each message to the queue of its kind and each upload
//!    as a preparation of its source, and then to delete it. A crash in between leaves both: at least
//!    once, like every delivery of SQS, which all messages bear.
//! 4. What does not read is never put back: it would only die again.

use std::collections::BTreeSet;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry, Message as Received, MessageSystemAttributeName,
    QueueAttributeName,
};
use batchfleet_core::message::{Message, MessageError};
use batchfleet_core::ports::Queue as _;
use batchfleet_core::{PortError, PortResult};
use serde_json::Value;

use crate::errors::port_error;
use crate::event::{Event, EventError, Upload};
use crate::sqs::SqsQueue;

/// Messages that are read of one queue, at most.
pub const LETTERS_MAX: usize = 1_000;

/// How long a message that is read is hidden from others, unless it is shown before: longer than
/// reading [`LETTERS_MAX`] takes.
const HIDDEN_SECONDS: i32 = 120;

/// Messages of one call, at most.
const PAGE_MAX: i32 = 10;

/// A long poll asks all of a queue's servers, a short one some of them.
const WAIT_SECONDS: i32 = 1;

/// Which of the three.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeadQueue {
    /// Of messages to workers.
    Work,
    /// Of messages to preparers.
    Prepare,
    /// Of uploads' events.
    Upload,
}

impl DeadQueue {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Work, Self::Prepare, Self::Upload];

    /// For people and programs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Work => "work",
            Self::Prepare => "prepare",
            Self::Upload => "upload",
        }
    }
}

/// Why a dead letter asks for nothing that could be put back. Never quotes it.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// It is no message of this release.
    #[error(transparent)]
    Message(#[from] MessageError),
    /// It is not Lambda's record of an event.
    #[error("it is not a failed invocation's record")]
    NoInvocation,
    /// The record's event, or an upload of it, does not read.
    #[error(transparent)]
    Event(#[from] EventError),
    /// The record's event is of another kind.
    #[error("the failed invocation was for no upload")]
    NoUpload,
}

/// One dead letter.
#[derive(Debug)]
pub struct DeadLetter {
    /// SQS's name of it.
    pub id: String,
    /// When it was first sent (milliseconds since 1970). SQS keeps that when a message dies.
    pub sent_ms: Option<u64>,
    /// What it asks for: one message, or a preparation for each upload of an event.
    pub asks: Result<Vec<Message>, Unreadable>,
    receipt: String,
}

/// Where a stack's queues are.
#[derive(Clone, Debug)]
pub struct Queues {
    /// Of messages to workers.
    pub work: String,
    /// Of messages to preparers.
    pub prepare: String,
    /// Of dead letters, in the order of [`DeadQueue::ALL`].
    pub dead: [String; 3],
}

/// The dead-letter queues of a stack.
#[derive(Clone, Debug)]
pub struct DeadLetters {
    client: Client,
    alive: SqsQueue,
    dead: [String; 3],
}

impl DeadLetters {
    /// Over these queues.
    #[must_use]
    pub fn new(client: Client, queues: Queues) -> Self {
        Self {
            alive: SqsQueue::new(client.clone(), queues.work, queues.prepare),
            client,
            dead: queues.dead,
        }
    }

    fn url(&self, queue: DeadQueue) -> &str {
        &self.dead[queue as usize]
    }

    /// About how many there are, those included that someone reads just now.
    ///
    /// # Errors
    /// The service's.
    pub async fn count(&self, queue: DeadQueue) -> PortResult<u64> {
        let names = [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
        ];
        let found = self
            .client
            .get_queue_attributes()
            .queue_url(self.url(queue))
            .set_attribute_names(Some(names.to_vec()))
            .send()
            .await
            .map_err(|error| port_error("count dead letters", error))?;
        let attributes = found.attributes.unwrap_or_default();
        let number = |name| {
            attributes
                .get(name)
                .and_then(|text| text.parse::<u64>().ok())
        };
        Ok(names.iter().filter_map(number).sum())
    }

    /// Reads what the queue holds, [`LETTERS_MAX`] at most, and hides it from others until it is shown
    /// again or put back.
    ///
    /// # Errors
    /// The service's.
    pub async fn read(&self, queue: DeadQueue) -> PortResult<Vec<DeadLetter>> {
        let mut letters = Vec::new();
        let mut ids = BTreeSet::new();
        while letters.len() < LETTERS_MAX {
            let page = self
                .client
                .receive_message()
                .queue_url(self.url(queue))
                .max_number_of_messages(PAGE_MAX)
                .visibility_timeout(HIDDEN_SECONDS)
                .wait_time_seconds(WAIT_SECONDS)
                .message_system_attribute_names(MessageSystemAttributeName::SentTimestamp)
                .send()
                .await
                .map_err(|error| port_error("read dead letters", error))?;
            let page = page.messages.unwrap_or_default();
            if page.is_empty() {
                break;
            }
            for received in page {
                let letter = letter(queue, received)?;
                // SQS may deliver one twice, hidden or not.
                if ids.insert(letter.id.clone()) {
                    letters.push(letter);
                }
            }
        }
        Ok(letters)
    }

    /// Shows letters again that were read.
    ///
    /// # Errors
    /// The service's. They show up by themselves then.
    pub async fn show(&self, queue: DeadQueue, letters: &[DeadLetter]) -> PortResult<()> {
        for page in letters.chunks(PAGE_MAX as usize) {
            let entries: Result<Vec<_>, _> = (0..)
                .zip(page)
                .map(|(number, letter)| {
                    ChangeMessageVisibilityBatchRequestEntry::builder()
                        .id(format!("n{number}"))
                        .receipt_handle(&letter.receipt)
                        .visibility_timeout(0)
                        .build()
                })
                .collect();
            let entries = entries.map_err(|e| PortError::refused("show dead letters", e))?;
            self.client
                .change_message_visibility_batch()
                .queue_url(self.url(queue))
                .set_entries(Some(entries))
                .send()
                .await
                .map_err(|error| port_error("show dead letters", error))?;
        }
        Ok(())
    }

    /// Puts a letter back, at least once.
    ///
    /// # Errors
    /// The service's. The letter shows up again by itself then.
    pub async fn put_back(
        &self,
        queue: DeadQueue,
        letter: &DeadLetter,
        asks: &[Message],
    ) -> PortResult<()> {
        for message in asks {
            self.alive.send(message, 0).await?;
        }
        self.client
            .delete_message()
            .queue_url(self.url(queue))
            .receipt_handle(&letter.receipt)
            .send()
            .await
            .map_err(|error| port_error("delete a dead letter", error))?;
        Ok(())
    }
}

fn letter(queue: DeadQueue, received: Received) -> PortResult<DeadLetter> {
    let (Some(id), Some(receipt)) = (received.message_id, received.receipt_handle) else {
        return Err(PortError::corrupt("a message of SQS", "it has no id"));
    };
    let attributes = received.attributes.unwrap_or_default();
    let sent = attributes.get(&MessageSystemAttributeName::SentTimestamp);
    Ok(DeadLetter {
        id,
        sent_ms: sent.and_then(|text| text.parse().ok()),
        asks: asks(queue, &received.body.unwrap_or_default()),
        receipt,
    })
}

/// What the body of a dead letter asks for.
fn asks(queue: DeadQueue, body: &str) -> Result<Vec<Message>, Unreadable> {
    if queue != DeadQueue::Upload {
        return Ok(vec![Message::decode(body)?]);
    }
    let mut record: Value = serde_json::from_str(body).map_err(|_| Unreadable::NoInvocation)?;
    let event = record.get_mut("requestPayload").map(Value::take);
    match Event::decode(event.ok_or(Unreadable::NoInvocation)?)? {
        Event::Uploads(uploads) => {
            let mut asks = Vec::new();
            for upload in uploads {
                if let Upload::Created(source) = upload? {
                    asks.push(Message::Prepare { source });
                }
            }
            Ok(asks)
        }
        Event::Test => Ok(Vec::new()),
        Event::Messages(_) => Err(Unreadable::NoUpload),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAILED_UPLOAD: &str = include_str!("../../../../events/lambda-failed-upload.json");

    fn problem(queue: DeadQueue, body: &str) -> String {
        asks(queue, body).unwrap_err().to_string()
    }

    #[test]
    fn a_message_asks_for_itself() {
        let body =
            r#"{"v":1,"kind":"work","job":"0123456789abcdef0123456789abcdef","shard":3,"seat":7}"#;
        for queue in [DeadQueue::Work, DeadQueue::Prepare] {
            let asked = asks(queue, body).unwrap();
            assert_eq!(asked, [Message::decode(body).unwrap()]);
        }
    }

    #[test]
    fn a_failed_upload_asks_for_the_preparation_of_its_source() {
        let asked = asks(DeadQueue::Upload, FAILED_UPLOAD).unwrap();
        let [Message::Prepare { source }] = asked.as_slice() else {
            panic!("{asked:?}");
        };
        assert_eq!(source.key, "incoming/people/June 2026.csv");
        assert!(source.version.is_some());
    }

    #[test]
    fn a_removed_object_asks_for_nothing() {
        let removed = FAILED_UPLOAD.replace("ObjectCreated:Put", "ObjectRemoved:Delete");
        assert_eq!(asks(DeadQueue::Upload, &removed).unwrap(), []);
    }

    #[test]
    fn what_does_not_read_is_told_without_quoting_it() {
        assert_eq!(
            problem(DeadQueue::Work, "zqxjkvwy"),
            "the message body is not a batchfleet message"
        );
        assert_eq!(
            problem(DeadQueue::Prepare, r#"{"v":2,"kind":"work"}"#),
            "the message has version 2, this release reads up to 1"
        );
        for body in ["zqxjkvwy", "[]", r#"{"v":1,"kind":"work"}"#] {
            assert_eq!(
                problem(DeadQueue::Upload, body),
                "it is not a failed invocation's record"
            );
        }
        let stranger = r#"{"requestPayload":{"zqxjkvwy":1}}"#;
        assert_eq!(
            problem(DeadQueue::Upload, stranger),
            "the event comes neither from S3 nor from SQS"
        );
        let messages = r#"{"requestPayload":{"Records":[{"eventSource":"aws:sqs"}]}}"#;
        assert_eq!(
            problem(DeadQueue::Upload, messages),
            "the failed invocation was for no upload"
        );
        let keyless = FAILED_UPLOAD.replace(r#""key""#, r#""clef""#);
        assert_eq!(
            problem(DeadQueue::Upload, &keyless),
            "the record is not as S3 documents it: it names no key"
        );
    }
}
