//! Queue messages, version 1. Stored messages must decode for ever; a future version is refused by
//! name rather than guessed at. They carry ids and keys, never record values (I8).

use serde::{Deserialize, Serialize};

use crate::ids::JobId;
use crate::source::SourceRef;

/// The version this code writes.
pub const VERSION: u32 = 1;

/// What a message asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum Message {
    /// Claim batches of a job, beginning at the shard of the hint.
    Work {
        /// The job.
        job: JobId,
        /// Where to begin looking, so that workers spread.
        #[serde(default)]
        shard: u32,
        /// Which of the job's workers this is, from 0: an overload holds the last ones back.
        #[serde(default)]
        seat: u32,
    },
    /// Like [`Message::Work`], but one of it stays in the queue, delayed, until the job is over: it
    /// is what finds a job whose every worker was killed.
    Watch {
        /// The job.
        job: JobId,
        /// Which of the job's watches this is.
        #[serde(default)]
        token: u64,
    },
    /// Plan this source, or go on planning it.
    Prepare {
        /// The source.
        source: SourceRef,
    },
}

/// Why a body is no message.
#[derive(Debug, thiserror::Error)]
pub enum MessageError {
    /// Not JSON, or JSON of another shape.
    #[error("the message body is not a batchfleet message")]
    Malformed(#[source] serde_json::Error),
    /// Written by a newer release.
    #[error("the message has version {version}, this release reads up to {VERSION}")]
    FutureVersion {
        /// What the body said.
        version: u32,
    },
}

#[derive(Serialize, Deserialize)]
struct Envelope {
    v: u32,
    #[serde(flatten)]
    rest: serde_json::Map<String, serde_json::Value>,
}

impl Message {
    /// The JSON body. JSON writes out control characters; the two others that SQS refuses, which a key
    /// may well have, are written out as well.
    /// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html>
    #[must_use]
    pub fn encode(&self) -> String {
        let mut body = serde_json::json!(self);
        body["v"] = VERSION.into();
        let body = body.to_string();
        body.replace('\u{fffe}', "\\ufffe")
            .replace('\u{ffff}', "\\uffff")
    }

    /// Reads a body.
    ///
    /// # Errors
    /// [`MessageError`] for anything that is not a message of a known version.
    pub fn decode(body: &str) -> Result<Self, MessageError> {
        let envelope: Envelope = serde_json::from_str(body).map_err(MessageError::Malformed)?;
        if envelope.v != VERSION {
            return Err(MessageError::FutureVersion {
                version: envelope.v,
            });
        }
        serde_json::from_value(envelope.rest.into()).map_err(MessageError::Malformed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bodies that version 1 wrote: they must decode for ever.
    #[test]
    fn frozen_bodies_decode() {
        let job = JobId::parse("0123456789abcdef0123456789abcdef").unwrap();
        for (body, message) in [
            (
                r#"{"v":1,"kind":"work","job":"0123456789abcdef0123456789abcdef","shard":3}"#,
                Message::Work {
                    job: job.clone(),
                    shard: 3,
                    seat: 0,
                },
            ),
            (
                r#"{"v":1,"kind":"work","job":"0123456789abcdef0123456789abcdef","shard":3,"seat":7}"#,
                Message::Work {
                    job: job.clone(),
                    shard: 3,
                    seat: 7,
                },
            ),
            (
                r#"{"v":1,"kind":"watch","job":"0123456789abcdef0123456789abcdef"}"#,
                Message::Watch {
                    job: job.clone(),
                    token: 0,
                },
            ),
            (
                r#"{"v":1,"kind":"watch","job":"0123456789abcdef0123456789abcdef","token":7}"#,
                Message::Watch { job, token: 7 },
            ),
            (
                r#"{"v":1,"kind":"prepare","source":{"bucket":"b","key":"incoming/d/k","version":null,"etag":"e","sequencer":null,"size":5}}"#,
                Message::Prepare {
                    source: SourceRef {
                        bucket: "b".into(),
                        key: "incoming/d/k".into(),
                        version: None,
                        etag: "e".into(),
                        sequencer: None,
                        size: 5,
                        attempt: 0,
                        redrive: None,
                    },
                },
            ),
        ] {
            assert_eq!(Message::decode(body).unwrap(), message);
            assert_eq!(Message::decode(&message.encode()).unwrap(), message);
        }
    }

    #[test]
    fn a_body_has_no_character_that_sqs_refuses() {
        let key =
            "incoming/d/\u{1}\u{b}\u{1b}\u{7f}é\u{d7ff}\u{e000}\u{fffd}\u{fffe}\u{ffff}😀\"\\n";
        let message = Message::Prepare {
            source: SourceRef {
                bucket: "b".into(),
                key: key.into(),
                version: None,
                etag: "e".into(),
                sequencer: None,
                size: 5,
                attempt: 0,
                redrive: None,
            },
        };
        let body = message.encode();
        let refused = |c: char| c < ' ' || c == '\u{fffe}' || c == '\u{ffff}';
        assert!(!body.contains(refused), "{body:?}");
        assert_eq!(Message::decode(&body).unwrap(), message);
    }

    #[test]
    fn strangers_bodies_are_refused_by_name() {
        assert!(matches!(
            Message::decode(r#"{"v":2,"kind":"work"}"#),
            Err(MessageError::FutureVersion { version: 2 })
        ));
        for body in [
            "",
            "null",
            "[]",
            "{}",
            r#"{"v":1}"#,
            r#"{"v":1,"kind":"work","job":"../x"}"#,
            r#"{"v":1,"kind":"drop"}"#,
        ] {
            assert!(
                matches!(Message::decode(body), Err(MessageError::Malformed(_))),
                "{body}"
            );
        }
    }
}
