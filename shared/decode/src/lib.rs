//! Sources that do not split: compressed, in an encoding that is not UTF-8, or JSON.
//!
//! A worker can't begin in the middle of such a file, so whoever plans it decodes it once, from the
//! beginning, into CSV text in UTF-8, which splits. The text is a function of the file's bytes and the
//! [`Format`] alone: decoded again, by anyone, in pieces of any size, it is the same to the byte. So a
//! piece of it that is written again is the same piece.
//!
//! Three stages, each of which may do nothing: a container is unpacked, its text brought to UTF-8, and
//! JSON turned into rows. All of them take bounded steps, so that a few bytes that unpack to gigabytes
//! never fill the memory. This crate must not know where the bytes come from or go to, nor jobs.

mod decoder;
mod error;
mod feed;
mod gzip;
mod json;
mod text;
mod unpack;
mod zstd;

use serde::{Deserialize, Serialize};

pub use decoder::{Decoder, Limits, Notes, Pulled, decode_head, unpack_head};
pub use error::DecodeError;
pub use json::{Fault, LateKeys, Row, columns, is_ours};

/// What a source's bytes are, besides CSV in UTF-8. Kept with the job: nobody guesses it twice.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Format {
    /// What the text is packed in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container: Option<Container>,
    /// The text's encoding, by its name in the Encoding Standard; UTF-8 where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoding: Option<String>,
    /// How the text is JSON; CSV where it is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub json: Option<Json>,
}

impl Format {
    /// Whether the bytes are CSV in UTF-8 as they are.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        *self == Self::default()
    }
}

/// What a text can be packed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Container {
    /// One member or several. <https://www.rfc-editor.org/rfc/rfc1952>
    Gzip,
    /// One frame or several. <https://www.rfc-editor.org/rfc/rfc8878>
    Zstd,
}

impl Container {
    /// The container that begins with these bytes.
    #[must_use]
    pub fn of(head: &[u8]) -> Option<Self> {
        match head {
            [0x1F, 0x8B, ..] => Some(Self::Gzip),
            [0x28, 0xB5, 0x2F, 0xFD, ..] => Some(Self::Zstd),
            _ => None,
        }
    }

    /// Its name, for people.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }
}

/// How a text is JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Json {
    /// What is between the objects.
    pub form: JsonForm,
    /// What becomes of keys that the columns don't have.
    pub late_keys: LateKeys,
}

/// What is between the objects of a JSON text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JsonForm {
    /// A line each: NDJSON, JSON Lines.
    Lines,
    /// They are the elements of one array.
    Array,
}
