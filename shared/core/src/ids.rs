//! Names that must be right for ever: jobs, owners, and the keys of batches.
//!
//! A job's id is derived from what it imports, so that an event delivered twice finds the job it
//! already made; an owner's id is random, so that two workers never share one.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Identifies one job for ever.
///
/// - Derived, never drawn: the same version of the same object under the same attempt has the same id.
/// - 32 lower-case hexadecimal characters (the first 128 bits of a SHA-256), so it is safe in keys,
///   paths and URLs.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct JobId(String);

impl JobId {
    const LENGTH: usize = 32;

    /// Derives an id from the parts that name what is imported. Parts are length-prefixed before
    /// hashing, so no two lists of parts collide by concatenation.
    #[must_use]
    pub fn derive(parts: &[&str]) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"batchfleet job v1");
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        Self(hex(&hash.finalize()[..Self::LENGTH / 2]))
    }

    /// Reads an id as printed.
    ///
    /// # Errors
    /// [`InvalidId`] unless it is 32 lower-case hexadecimal characters.
    pub fn parse(text: &str) -> Result<Self, InvalidId> {
        let hexadecimal = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if text.len() == Self::LENGTH && text.bytes().all(hexadecimal) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidId)
        }
    }

    /// The id as printed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JobId({})", self.0)
    }
}

impl TryFrom<String> for JobId {
    type Error = InvalidId;
    fn try_from(text: String) -> Result<Self, InvalidId> {
        Self::parse(&text)
    }
}

impl From<JobId> for String {
    fn from(id: JobId) -> Self {
        id.0
    }
}

/// A text that is no job id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a job id is 32 lower-case hexadecimal characters")]
pub struct InvalidId;

/// Identifies one holder of leases: one invocation of a function, or one worker task.
///
/// - Drawn at random by the [`Ids`](crate::ports::Ids) port, never reused.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct OwnerId(String);

impl OwnerId {
    /// Makes an owner from a random number of the port.
    #[must_use]
    pub fn from_random(number: u64) -> Self {
        Self(format!("{number:016x}"))
    }

    /// Reads an owner as a store kept it.
    #[must_use]
    pub fn from_stored(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The owner as stored.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The first 128 bits of the SHA-256 of `bytes`, in hexadecimal.
#[must_use]
pub fn hex_digest(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes)[..16])
}

/// Lower-case hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(char::from_digit(u32::from(byte >> 4), 16).unwrap_or('0'));
        text.push(char::from_digit(u32::from(byte & 15), 16).unwrap_or('0'));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_depends_on_every_part_and_on_where_parts_end() {
        let id = JobId::derive(&["bucket", "key", "v1"]);
        assert_eq!(id, JobId::derive(&["bucket", "key", "v1"]));
        assert_ne!(id, JobId::derive(&["bucket", "key", "v2"]));
        assert_ne!(id, JobId::derive(&["bucketk", "ey", "v1"]));
    }

    #[test]
    fn an_id_reads_back_and_nothing_else_does() {
        let id = JobId::derive(&["a"]);
        assert_eq!(JobId::parse(id.as_str()), Ok(id.clone()));
        for bad in [
            "",
            "abc",
            "../../../../../../../../etc/passw",
            &id.as_str().to_uppercase(),
        ] {
            assert_eq!(JobId::parse(bad), Err(InvalidId), "{bad}");
        }
    }
}
