//! Why a source can't be decoded any further, as sentences for whoever uploaded it.
//!
//! None of them holds a value of the file: they end up in logs and summaries.

use crate::Container;

/// Why decoding stopped. Bytes are counted from 0, lines from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The packed bytes break the rules of their container.
    #[error(
        "the {} data is damaged at about byte {at} of the file ({what}): make the file again and upload it",
        container.as_str()
    )]
    Damaged {
        /// The container.
        container: Container,
        /// Bytes of the file read so far.
        at: u64,
        /// What the decoder met.
        what: String,
    },
    /// The file ends before its container does.
    #[error(
        "the {} data ends too early, after {at} bytes: the file was cut off, perhaps by an upload \
         that did not finish",
        container.as_str()
    )]
    Truncated {
        /// The container.
        container: Container,
        /// The file's length in bytes.
        at: u64,
    },
    /// A few bytes become far too many.
    #[error(
        "the first {raw} bytes of the file unpack to more than {decoded} bytes, over the limit of \
         {limit} to 1: it looks like a bomb; unpack it and upload the text"
    )]
    Bomb {
        /// Bytes of the file read.
        raw: u64,
        /// Bytes that they became.
        decoded: u64,
        /// The ratio allowed.
        limit: u64,
    },
    /// The decoded text is longer than allowed.
    #[error("the file unpacks to more than {limit} bytes, which is the limit: divide it")]
    TooLong {
        /// The most bytes allowed.
        limit: u64,
    },
    /// No such encoding.
    #[error(
        "there is no encoding named {name:?}: see https://encoding.spec.whatwg.org/#names-and-labels"
    )]
    UnknownEncoding {
        /// The name.
        name: String,
    },
    /// A JSON array whose elements can't be told apart from here on.
    #[error("the JSON array is broken at line {line} (byte {at} of the text): {what}")]
    BrokenArray {
        /// The line.
        line: u64,
        /// The byte of the decoded text.
        at: u64,
        /// What is wrong.
        what: &'static str,
    },
}
