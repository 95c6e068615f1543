//! The three stages in a row, under the limits that guard against bombs.

use bytes::Bytes;

use crate::json::Rows;
use crate::text::Text;
use crate::unpack::{Step, Unpacker};
use crate::{Container, DecodeError, Format};

/// What guards against bombs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Decoded bytes for each byte of the file, at most; gzip alone can reach 1,032.
    pub ratio_max: u64,
    /// Decoded bytes that are fine whatever the file's length.
    pub ratio_from_bytes: u64,
    /// Decoded bytes in all, at most.
    pub bytes_max: u64,
    /// Bytes of one JSON line or element that are kept, at most; a longer one is a faulty row.
    pub record_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            ratio_max: 1_000,
            ratio_from_bytes: 16 << 20,
            bytes_max: 1 << 40,
            record_bytes_max: 1 << 20,
        }
    }
}

/// What happened on the way that nobody sees in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Notes {
    /// Sequences that mean nothing in the file's encoding; each became U+FFFD.
    pub malformed: u64,
    /// JSON objects with keys that were ignored, because they are no columns.
    pub late_keys: u64,
}

/// What [`Decoder::pull`] came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pulled {
    /// As much as was asked for, or a little more.
    Full,
    /// More of the file is needed: [`Decoder::push`] or [`Decoder::end`] comes next.
    Hungry,
    /// That was the end of the text.
    Done,
}

/// A file in the decoding. Bytes are pushed as it asks for them, and text is pulled.
pub struct Decoder {
    unpacker: Unpacker,
    text: Text,
    rows: Option<Rows>,
    limits: Limits,
    /// Decoded bytes so far.
    decoded: u64,
    /// The first stage is through.
    unpacked: bool,
    done: bool,
    packed: Vec<u8>,
    /// Text of JSON that is not rows yet, from `utf8_at` on.
    utf8: Vec<u8>,
    utf8_at: usize,
}

/// Bytes of JSON that become rows in one step: an object of two bytes may become a row of 4,096 cells.
const JSON_STEP_BYTES: usize = 8 << 10;

impl Decoder {
    /// A decoder at a file's first byte. `columns` are those of the text that JSON becomes, ours not
    /// among them; for all else they mean nothing.
    ///
    /// # Errors
    /// [`DecodeError::UnknownEncoding`].
    pub fn new(format: &Format, columns: &[String], limits: Limits) -> Result<Self, DecodeError> {
        Ok(Self {
            unpacker: Unpacker::new(format.container),
            text: Text::new(format.encoding.as_deref())?,
            rows: format
                .json
                .map(|json| Rows::new(json, columns, limits.record_bytes_max)),
            limits,
            decoded: 0,
            unpacked: false,
            done: false,
            packed: Vec::new(),
            utf8: Vec::new(),
            utf8_at: 0,
        })
    }

    /// Adds the next bytes of the file.
    pub fn push(&mut self, raw: Bytes) {
        self.unpacker.push(raw);
    }

    /// Says that the file has no more bytes.
    pub fn end(&mut self) {
        self.unpacker.end();
    }

    /// What happened so far.
    #[must_use]
    pub fn notes(&self) -> Notes {
        Notes {
            malformed: self.text.malformed(),
            late_keys: self.rows.as_ref().map_or(0, Rows::late_keys),
        }
    }

    /// Appends text to `out` until it is `upto` bytes long, or a bounded step longer.
    ///
    /// # Errors
    /// Why the file can't be decoded any further. What it became so far has been appended.
    pub fn pull(&mut self, out: &mut Vec<u8>, upto: usize) -> Result<Pulled, DecodeError> {
        while !self.done {
            if out.len() >= upto {
                return Ok(Pulled::Full);
            }
            let before = out.len();
            let stepped = self.step(out);
            self.decoded += (out.len() - before) as u64;
            if stepped? == Step::Hungry {
                return Ok(Pulled::Hungry);
            }
            self.guard()?;
        }
        Ok(Pulled::Done)
    }

    /// One bounded step.
    fn step(&mut self, out: &mut Vec<u8>) -> Result<Step, DecodeError> {
        if let Some(rows) = &mut self.rows
            && self.utf8_at < self.utf8.len()
        {
            let end = self.utf8.len().min(self.utf8_at + JSON_STEP_BYTES);
            rows.push(&self.utf8[self.utf8_at..end], out)?;
            self.utf8_at = end;
            return Ok(Step::Some);
        }
        self.packed.clear();
        if !self.unpacked {
            let step = self.unpacker.step(&mut self.packed)?;
            if step == Step::Hungry {
                return Ok(step);
            }
            self.unpacked = step == Step::End;
            if self.rows.is_none() {
                self.text.push(&self.packed, self.unpacked, out);
                self.done = self.unpacked;
            } else {
                self.utf8.clear();
                self.utf8_at = 0;
                self.text.push(&self.packed, self.unpacked, &mut self.utf8);
            }
            return Ok(Step::Some);
        }
        if let Some(rows) = &mut self.rows {
            rows.finish(out)?;
        }
        self.done = true;
        Ok(Step::End)
    }

    fn guard(&self) -> Result<(), DecodeError> {
        let Limits {
            ratio_max,
            ratio_from_bytes,
            bytes_max,
            ..
        } = self.limits;
        let raw = self.unpacker.consumed();
        if self.decoded > bytes_max {
            return Err(DecodeError::TooLong { limit: bytes_max });
        }
        if self.decoded > ratio_from_bytes && self.decoded / ratio_max > raw {
            return Err(DecodeError::Bomb {
                raw,
                decoded: self.decoded,
                limit: ratio_max,
            });
        }
        Ok(())
    }
}

/// Unpacks the head of a file, up to about `upto` bytes; and says whether that is all of it. `raw` are
/// the file's first bytes, and `whole` says whether they are all.
///
/// # Errors
/// Why it does not unpack.
pub fn unpack_head(
    raw: &[u8],
    whole: bool,
    container: Container,
    upto: usize,
) -> Result<(Vec<u8>, bool), DecodeError> {
    let mut unpacker = Unpacker::new(Some(container));
    unpacker.push(Bytes::copy_from_slice(raw));
    if whole {
        unpacker.end();
    }
    let mut head = Vec::new();
    loop {
        match unpacker.step(&mut head)? {
            Step::Some if head.len() < upto => {}
            Step::Some | Step::Hungry => return Ok((head, false)),
            Step::End => return Ok((head, true)),
        }
    }
}

/// Brings the head of a text to UTF-8, without its byte order mark.
///
/// # Errors
/// [`DecodeError::UnknownEncoding`].
pub fn decode_head(
    bytes: &[u8],
    whole: bool,
    encoding: Option<&str>,
) -> Result<Vec<u8>, DecodeError> {
    let mut text = Vec::with_capacity(bytes.len());
    Text::new(encoding)?.push(bytes, whole, &mut text);
    Ok(text)
}
