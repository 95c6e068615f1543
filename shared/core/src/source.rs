//! What a job imports, pinned so that no wrong byte is ever read (I5).

use serde::{Deserialize, Serialize};

use crate::ids::JobId;
use crate::mutation::{self, Mutation};

/// One version of one object, as the event named it; for a file, the file at one moment.
///
/// The pin is `version` where the bucket keeps versions, else `etag`: every read asks for exactly
/// that, so an object overwritten under a running job is noticed and fails the job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceRef {
    /// The bucket; `file` for a local file.
    pub bucket: String,
    /// The key, decoded; the absolute path for a local file.
    pub key: String,
    /// The version id, in a bucket with versions.
    #[serde(default)]
    pub version: Option<String>,
    /// The entity tag, without quotation marks; size, time and inode for a local file.
    pub etag: String,
    /// Orders the events of one key.
    #[serde(default)]
    pub sequencer: Option<String>,
    /// The object's length in bytes.
    pub size: u64,
    /// Which attempt at this version: 0 unless asked for again.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub attempt: u32,
    /// Set where the attempt works again only on what an earlier one left undone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redrive: Option<Redrive>,
}

/// What an attempt works on again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redrive {
    /// The job of the attempt before: over, and planned to its end.
    pub of: JobId,
    /// Which of its records.
    pub what: Redriven,
}

/// Records of an ended job that can be worked again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Redriven {
    /// Those of batches that were given up, or never worked because the job ended early.
    Failed,
    /// Those that were rejected, in batches that were given up and in all others.
    Rejected,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// The prefix under which an upload starts a job.
pub const INCOMING_PREFIX: &str = "incoming/";

/// Where an uploaded key leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// To a job under this definition.
    Definition(String),
    /// To nothing, for the reason given: a folder marker, a key outside the prefix.
    Ignored(&'static str),
}

impl SourceRef {
    /// The job of this source. Two events of one version have one id; a new upload of the same
    /// bytes has another, by its version id or else by its sequencer.
    #[must_use]
    pub fn job_id(&self) -> JobId {
        let attempt = self.attempt.to_string();
        if mutation::on(Mutation::JobIdWithoutVersion) {
            return JobId::derive(&[&self.bucket, &self.key, &attempt]);
        }
        let (kind, version, sequencer) = match &self.version {
            Some(version) => ("version", version.as_str(), ""),
            None => (
                "etag",
                self.etag.as_str(),
                self.sequencer.as_deref().unwrap_or(""),
            ),
        };
        JobId::derive(&[&self.bucket, &self.key, kind, version, sequencer, &attempt])
    }

    /// Reads the definition's name off the key: `incoming/<definition>/…`.
    #[must_use]
    pub fn route(&self) -> Route {
        let Some(rest) = self.key.strip_prefix(INCOMING_PREFIX) else {
            return Route::Ignored("the key is not under incoming/");
        };
        if self.key.ends_with('/') {
            return Route::Ignored("the key is a folder marker");
        }
        match rest.split_once('/') {
            Some((name, _)) if is_definition_name(name) => Route::Definition(name.to_owned()),
            Some(_) => Route::Ignored("the folder under incoming/ is no definition name"),
            None => Route::Ignored("the key names no definition: upload to incoming/<definition>/"),
        }
    }
}

/// Whether `name` may name a definition: 1 to 64 letters, digits, `-`, `_` or `.`, not starting
/// with a dot. It becomes part of a key, so nothing else is let through.
#[must_use]
pub fn is_definition_name(name: &str) -> bool {
    let letter = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    (1..=64).contains(&name.len()) && !name.starts_with('.') && name.bytes().all(letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(key: &str) -> SourceRef {
        SourceRef {
            bucket: "uploads".into(),
            key: key.into(),
            version: None,
            etag: "e1".into(),
            sequencer: Some("01".into()),
            size: 3,
            attempt: 0,
            redrive: None,
        }
    }

    #[test]
    fn the_version_makes_the_job_and_else_the_etag_with_the_sequencer() {
        let plain = source("incoming/a/x.csv");
        let later = SourceRef {
            sequencer: Some("02".into()),
            ..plain.clone()
        };
        assert_ne!(
            plain.job_id(),
            later.job_id(),
            "the same bytes uploaded again are a new job"
        );

        let versioned = SourceRef {
            version: Some("v".into()),
            ..plain.clone()
        };
        let again = SourceRef {
            sequencer: Some("02".into()),
            ..versioned.clone()
        };
        assert_eq!(versioned.job_id(), again.job_id(), "one version is one job");
        assert_ne!(plain.job_id(), versioned.job_id());
        assert_ne!(
            plain.job_id(),
            SourceRef {
                attempt: 1,
                ..plain.clone()
            }
            .job_id()
        );
    }

    #[test]
    fn keys_route_by_their_folder() {
        let route = |key| source(key).route();
        assert_eq!(
            route("incoming/people/june.csv"),
            Route::Definition("people".into())
        );
        assert_eq!(
            route("incoming/people/2024/06/june.csv"),
            Route::Definition("people".into())
        );
        for key in [
            "incoming/people/",
            "incoming/x.csv",
            "incoming/../x.csv",
            "other/people/x.csv",
            "incoming//x.csv",
        ] {
            assert!(matches!(route(key), Route::Ignored(_)), "{key}");
        }
    }
}
