//! Decoding of what the orchestrator is invoked with: S3 events and messages of the prepare queue. It is
//! here because operators' commands read events that failed, and must read them alike.
//!
//! Every record is decoded by itself, so that one that does not read takes no other with it.

use aws_lambda_events::s3::S3EventRecord;
use aws_lambda_events::sqs::SqsMessage;
use batchfleet_core::source::SourceRef;
use serde_json::Value;

/// An invocation.
#[derive(Debug)]
pub enum Event {
    /// What S3 sends when a notification is set up.
    Test,
    /// S3's notifications.
    Uploads(Vec<Result<Upload, EventError>>),
    /// Messages of the prepare queue.
    Messages(Vec<Delivery>),
}

/// One of S3's notifications.
#[derive(Debug, PartialEq, Eq)]
pub enum Upload {
    /// An object was created.
    Created(SourceRef),
    /// Something else happened, of this name.
    Other(String),
}

/// One delivery of a message.
#[derive(Debug, PartialEq, Eq)]
pub struct Delivery {
    /// By which the answer names it.
    pub id: String,
    /// Not yet decoded.
    pub body: String,
}

/// Why an event or record does not read. Never quotes what it read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// Neither S3 nor SQS sent it.
    #[error("the event comes neither from S3 nor from SQS")]
    UnknownSource,
    /// The record lacks something, or has it in another form.
    #[error("the record is not as S3 documents it: {problem}")]
    Record {
        /// What is wrong.
        problem: &'static str,
    },
}

impl Event {
    /// Reads an invocation's payload.
    ///
    /// # Errors
    /// [`EventError::UnknownSource`]; what is wrong with one record is that record's own error.
    pub fn decode(mut event: Value) -> Result<Self, EventError> {
        if event["Event"] == "s3:TestEvent" {
            return Ok(Self::Test);
        }
        let Some(Value::Array(records)) = event.get_mut("Records").map(Value::take) else {
            return Err(EventError::UnknownSource);
        };
        let source = records
            .first()
            .and_then(|record| record["eventSource"].as_str());
        match source {
            Some("aws:s3") => Ok(Self::Uploads(records.into_iter().map(upload).collect())),
            Some("aws:sqs") => Ok(Self::Messages(records.into_iter().map(delivery).collect())),
            _ => Err(EventError::UnknownSource),
        }
    }
}

/// Reads one delivery. One that lacks its id makes Lambda repeat the batch, which is right; one that
/// lacks its body is a message that does not read.
fn delivery(record: Value) -> Delivery {
    let message: SqsMessage = serde_json::from_value(record).unwrap_or_default();
    Delivery {
        id: message.message_id.unwrap_or_default(),
        body: message.body.unwrap_or_default(),
    }
}

fn upload(record: Value) -> Result<Upload, EventError> {
    let problem = |problem| EventError::Record { problem };
    let record: S3EventRecord =
        serde_json::from_value(record).map_err(|_| problem("its form is another"))?;
    let name = record.event_name.unwrap_or_default();
    // Event names come with and without the prefix `s3:`.
    if !name.trim_start_matches("s3:").starts_with("ObjectCreated:") {
        return Ok(Upload::Other(name));
    }
    let object = record.s3.object;
    let key = object.key.ok_or(problem("it names no key"))?;
    let size = object.size.and_then(|size| u64::try_from(size).ok());
    let present = |text: Option<String>| text.filter(|text| !text.is_empty());
    let source = SourceRef {
        bucket: present(record.s3.bucket.name).ok_or(problem("it names no bucket"))?,
        key: decode_key(&key).ok_or(problem("its key is not URL-encoded UTF-8"))?,
        // `null` is the version of an object in a bucket whose versioning is suspended. It can be
        // overwritten, so it pins nothing.
        version: present(object.version_id).filter(|version| version != "null"),
        etag: object
            .e_tag
            .unwrap_or_default()
            .trim_matches('"')
            .to_owned(),
        sequencer: present(object.sequencer),
        size: size.ok_or(problem("it names no size"))?,
        attempt: 0,
        redrive: None,
    };
    if source.version.is_none() && source.etag.is_empty() {
        return Err(problem("it names neither version nor etag"));
    }
    Ok(Upload::Created(source))
}

/// Decodes a key as S3 encodes it in events: like a form, with `+` for a space.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html>
fn decode_key(encoded: &str) -> Option<String> {
    let mut decoded = Vec::with_capacity(encoded.len());
    let mut rest = encoded.bytes();
    while let Some(byte) = rest.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => hexadecimal(rest.next()?)? << 4 | hexadecimal(rest.next()?)?,
            other => other,
        });
    }
    String::from_utf8(decoded).ok()
}

fn hexadecimal(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|value| value as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(text: &str) -> Event {
        Event::decode(serde_json::from_str(text).unwrap()).unwrap()
    }

    fn created(text: &str) -> Vec<SourceRef> {
        let Event::Uploads(uploads) = decode(text) else {
            panic!("no uploads");
        };
        uploads
            .into_iter()
            .map(|upload| match upload.unwrap() {
                Upload::Created(source) => source,
                Upload::Other(name) => panic!("{name}"),
            })
            .collect()
    }

    #[test]
    fn an_upload_to_a_versioned_bucket_reads() {
        let sources = created(include_str!("../../../events/s3-put.json"));
        let [source] = sources.as_slice() else {
            panic!("{sources:?}");
        };
        assert!(source.key.starts_with("incoming/"));
        assert!(source.version.is_some() && source.sequencer.is_some());
        assert!(!source.etag.is_empty() && source.size > 0);
    }

    #[test]
    fn the_same_event_twice_is_the_same_job() {
        let job = |text| created(text)[0].job_id();
        assert_eq!(
            job(include_str!("../../../events/s3-put.json")),
            job(include_str!("../../../events/s3-duplicate.json"))
        );
    }

    #[test]
    fn a_multipart_upload_reads() {
        let sources = created(include_str!("../../../events/s3-multipart-complete.json"));
        assert!(
            sources[0].etag.contains('-'),
            "the etag ends in the number of parts"
        );
    }

    #[test]
    fn an_upload_to_a_bucket_without_versions_is_pinned_by_its_etag() {
        let sources = created(include_str!("../../../events/s3-unversioned.json"));
        assert_eq!(sources[0].version, None);
        assert!(!sources[0].etag.is_empty());
    }

    #[test]
    fn keys_are_decoded() {
        let sources = created(include_str!("../../../events/s3-url-encoded-key.json"));
        assert_eq!(
            sources[0].key,
            "incoming/people/June 2026 (1+1) größe=100%.csv"
        );
        for (encoded, decoded) in [
            ("a%2Bb+c", Some("a+b c")),
            ("%e2%82%AC", Some("€")),
            ("a%2", None),
            ("a%zz", None),
            ("%ff", None),
            ("", Some("")),
        ] {
            assert_eq!(decode_key(encoded).as_deref(), decoded, "{encoded}");
        }
    }

    #[test]
    fn several_records_all_read() {
        let sources = created(include_str!("../../../events/s3-several-records.json"));
        assert_eq!(sources.len(), 3);
        let markers = created(include_str!("../../../events/s3-folder-marker.json"));
        assert!(markers[0].key.ends_with('/'));
    }

    #[test]
    fn the_test_event_and_strangers_are_told_apart() {
        assert!(matches!(
            decode(include_str!("../../../events/s3-test-event.json")),
            Event::Test
        ));
        for stranger in [
            r#"{"Records":[]}"#,
            r#"{"Records":[{"eventSource":"aws:sns"}]}"#,
            "{}",
            "[]",
            "null",
        ] {
            let event = serde_json::from_str(stranger).unwrap();
            assert_eq!(
                Event::decode(event).unwrap_err(),
                EventError::UnknownSource,
                "{stranger}"
            );
        }
    }

    fn with(change: impl FnOnce(&mut Value)) -> Result<Upload, EventError> {
        let text = include_str!("../../../events/s3-unversioned.json");
        let mut event: Value = serde_json::from_str(text).unwrap();
        change(&mut event["Records"][0]);
        let Event::Uploads(mut uploads) = Event::decode(event).unwrap() else {
            panic!("no uploads");
        };
        uploads.remove(0)
    }

    #[test]
    fn quoted_etags_and_null_versions_pin_as_they_should() {
        let upload = with(|record| {
            record["s3"]["object"]["eTag"] = "\"abc\"".into();
            record["s3"]["object"]["versionId"] = "null".into();
        });
        let Ok(Upload::Created(source)) = upload else {
            panic!("{upload:?}");
        };
        assert_eq!((source.etag.as_str(), source.version), ("abc", None));
    }

    #[test]
    fn a_record_that_pins_nothing_is_an_error() {
        let upload = with(|record| {
            record["s3"]["object"]
                .as_object_mut()
                .unwrap()
                .remove("eTag");
        });
        let problem = "it names neither version nor etag";
        assert_eq!(upload, Err(EventError::Record { problem }));
        assert!(with(|record| record["s3"] = "x".into()).is_err());
    }

    #[test]
    fn what_created_nothing_is_told_apart() {
        let upload = with(|record| record["eventName"] = "ObjectRemoved:Delete".into());
        assert_eq!(upload, Ok(Upload::Other("ObjectRemoved:Delete".to_owned())));
    }

    #[test]
    fn messages_are_read_one_by_one_and_not_yet_decoded() {
        let Event::Messages(deliveries) =
            decode(include_str!("../../../events/sqs-several-records.json"))
        else {
            panic!("no messages");
        };
        assert_eq!(deliveries.len(), 3);
        assert!(deliveries.iter().all(|delivery| !delivery.id.is_empty()));
        assert_eq!(deliveries[2].body, "not json");
    }
}
