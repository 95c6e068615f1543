//! The second stage: text in any encoding to UTF-8, without its byte order mark.
//!
//! UTF-8 passes as it is, bad bytes too: whoever checks the rows rejects those that have some. In
//! other encodings a sequence that means nothing becomes U+FFFD, and is counted.

use encoding_rs::{DecoderResult, Encoding};

use crate::DecodeError;

const BOM: [u8; 3] = [0xEF, 0xBB, 0xBF];

pub(crate) enum Text {
    /// Passes through; holds the first bytes back until it is clear whether they are a mark.
    Utf8 { held: Option<Vec<u8>> },
    /// Decoded.
    Other {
        decoder: Box<encoding_rs::Decoder>,
        malformed: u64,
    },
}

impl Text {
    pub(crate) fn new(encoding: Option<&str>) -> Result<Self, DecodeError> {
        let encoding = match encoding {
            None => encoding_rs::UTF_8,
            Some(name) => Encoding::for_label(name.as_bytes()).ok_or_else(|| {
                DecodeError::UnknownEncoding {
                    name: name.chars().take(64).collect(),
                }
            })?,
        };
        Ok(if encoding == encoding_rs::UTF_8 {
            Self::Utf8 {
                held: Some(Vec::with_capacity(BOM.len())),
            }
        } else {
            Self::Other {
                decoder: Box::new(encoding.new_decoder_with_bom_removal()),
                malformed: 0,
            }
        })
    }

    /// Sequences replaced so far.
    pub(crate) fn malformed(&self) -> u64 {
        match self {
            Self::Utf8 { .. } => 0,
            Self::Other { malformed, .. } => *malformed,
        }
    }

    /// Appends what `bytes` say; `last` once, when nothing follows.
    pub(crate) fn push(&mut self, mut bytes: &[u8], last: bool, out: &mut Vec<u8>) {
        match self {
            Self::Utf8 { held } => {
                if let Some(first) = held {
                    let missing = BOM.len() - first.len();
                    let (now, rest) = bytes.split_at(missing.min(bytes.len()));
                    first.extend_from_slice(now);
                    bytes = rest;
                    if first.len() < BOM.len() && !last {
                        return;
                    }
                    if first[..] != BOM {
                        out.extend_from_slice(first);
                    }
                    *held = None;
                }
                out.extend_from_slice(bytes);
            }
            Self::Other { decoder, malformed } => *malformed += decode(decoder, bytes, last, out),
        }
    }
}

/// How many sequences were replaced.
fn decode(decoder: &mut encoding_rs::Decoder, bytes: &[u8], last: bool, out: &mut Vec<u8>) -> u64 {
    let mut malformed = 0;
    let mut rest = bytes;
    loop {
        let room = decoder
            .max_utf8_buffer_length_without_replacement(rest.len())
            .unwrap_or(rest.len())
            .max(16);
        let before = out.len();
        out.resize(before + room, 0);
        let (result, read, written) =
            decoder.decode_to_utf8_without_replacement(rest, &mut out[before..], last);
        out.truncate(before + written);
        rest = &rest[read..];
        match result {
            DecoderResult::InputEmpty => return malformed,
            DecoderResult::OutputFull => {}
            DecoderResult::Malformed(..) => {
                malformed += 1;
                out.extend_from_slice("\u{FFFD}".as_bytes());
            }
        }
    }
}
