//! Unpacks zstd, frame by frame and block by block.
//!
//! The decoder reads whole blocks, so this file knows enough of the format to see whether one is
//! there: <https://www.rfc-editor.org/rfc/rfc8878#section-3.1.1>. Skippable frames are skipped.

use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use crate::feed::Feed;
use crate::unpack::Step;
use crate::{Container, DecodeError};

/// The largest window of a frame: what `zstd --ultra` and `--long` use at most unless told to use
/// more. The decoder keeps as much of what it unpacked.
const WINDOW_BYTES_MAX: u64 = 128 << 20;

const MAGIC: u32 = 0xFD2F_B528;
/// With any last four bits.
const SKIPPABLE: u32 = 0x184D_2A50;

/// A zstd file in the unpacking.
pub(crate) struct Zstd {
    feed: Feed,
    decoder: FrameDecoder,
    /// Whether a frame has begun and not ended, and whether its end has a checksum.
    frame: Option<bool>,
    /// Bytes of a skippable frame that are still to be skipped.
    skip: u64,
    frames: u64,
}

impl Zstd {
    pub(crate) fn new() -> Self {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(WINDOW_BYTES_MAX);
        Self {
            feed: Feed::default(),
            decoder,
            frame: None,
            skip: 0,
            frames: 0,
        }
    }

    pub(crate) fn feed(&mut self) -> &mut Feed {
        &mut self.feed
    }

    pub(crate) fn consumed(&self) -> u64 {
        self.feed.consumed()
    }

    pub(crate) fn step(&mut self, out: &mut Vec<u8>) -> Result<Step, DecodeError> {
        loop {
            if self.skip > 0 {
                let there = self.feed.pending().len() as u64;
                let skipped = there.min(self.skip);
                self.feed.advance(skipped as usize);
                self.skip -= skipped;
            }
            let at_end = self.feed.pending().is_empty() && self.skip == 0 && self.frame.is_none();
            if at_end && self.feed.is_ended() && self.frames > 0 {
                return Ok(Step::End);
            }
            let is_complete = match self.frame {
                _ if self.skip > 0 => false,
                Some(has_checksum) => block_is_there(self.feed.pending(), has_checksum),
                None => header_len(self.feed.pending())
                    .is_some_and(|len| self.feed.pending().len() >= len),
            };
            if !is_complete {
                if self.feed.is_ended() {
                    return Err(DecodeError::Truncated {
                        container: Container::Zstd,
                        at: self.consumed() + self.feed.pending().len() as u64,
                    });
                }
                return Ok(Step::Hungry);
            }
            if self.frame.is_some() {
                let before = out.len();
                self.block(out)?;
                if out.len() > before {
                    return Ok(Step::Some);
                }
            } else {
                self.begin()?;
            }
        }
    }

    /// Begins the frame that is next, whose header is there.
    fn begin(&mut self) -> Result<(), DecodeError> {
        let bytes = self.feed.pending();
        if word(bytes) & !0xF == SKIPPABLE {
            self.skip = u64::from(word(&bytes[4..]));
            self.feed.advance(8);
            self.frames += 1;
            return Ok(());
        }
        // What is no header has no fifth byte, perhaps, and the decoder says what is wrong with it.
        let has_checksum = bytes
            .get(4)
            .is_some_and(|descriptor| descriptor & 0b100 != 0);
        let mut source = bytes;
        let begun = self.decoder.reset(&mut source);
        let taken = self.feed.pending().len() - source.len();
        begun.map_err(|error| self.damaged(&error))?;
        self.feed.advance(taken);
        self.frame = Some(has_checksum);
        Ok(())
    }

    /// Unpacks one block, which is there.
    fn block(&mut self, out: &mut Vec<u8>) -> Result<(), DecodeError> {
        let mut source = self.feed.pending();
        let whole = source.len();
        let done = self
            .decoder
            .decode_blocks(&mut source, BlockDecodingStrategy::UptoBlocks(1));
        let taken = whole - source.len();
        let is_last = done.map_err(|error| self.damaged(&error))?;
        self.feed.advance(taken);
        if let Some(bytes) = self.decoder.collect() {
            out.extend_from_slice(&bytes);
        }
        if is_last {
            self.frame = None;
            self.frames += 1;
            let promised = self.decoder.get_checksum_from_data();
            if promised.is_some() && promised != self.decoder.get_calculated_checksum() {
                return Err(self.damaged(&"its checksum does not match"));
            }
        }
        Ok(())
    }

    fn damaged(&self, error: &dyn std::fmt::Display) -> DecodeError {
        DecodeError::Damaged {
            container: Container::Zstd,
            at: self.consumed(),
            what: error.to_string(),
        }
    }
}

/// The first four bytes, of which there are as many.
fn word(bytes: &[u8]) -> u32 {
    match *bytes {
        [a, b, c, d, ..] => u32::from_le_bytes([a, b, c, d]),
        _ => 0,
    }
}

/// How long the header of a frame is, as soon as that can be told. What is no header counts as one:
/// the decoder then says what is wrong.
fn header_len(bytes: &[u8]) -> Option<usize> {
    if bytes.len() < 4 {
        return None;
    }
    let magic = word(bytes);
    if magic & !0xF == SKIPPABLE {
        return Some(8);
    }
    if magic != MAGIC {
        return Some(4);
    }
    let descriptor = *bytes.get(4)?;
    let is_single_segment = descriptor & 0b10_0000 != 0;
    let window = usize::from(!is_single_segment);
    let dictionary = [0, 1, 2, 4][usize::from(descriptor & 0b11)];
    let size = match descriptor >> 6 {
        0 => usize::from(is_single_segment),
        1 => 2,
        2 => 4,
        _ => 8,
    };
    Some(5 + window + dictionary + size)
}

/// Whether the next block of a frame is there as a whole, with the checksum behind the last one.
fn block_is_there(bytes: &[u8], has_checksum: bool) -> bool {
    let [a, b, c, ..] = *bytes else {
        return false;
    };
    let header = u32::from_le_bytes([a, b, c, 0]);
    let is_last = header & 1 == 1;
    // A block of the second kind is one byte, repeated.
    let content = match (header >> 1) & 0b11 {
        1 => 1,
        _ => (header >> 3) as usize,
    };
    let checksum = if is_last && has_checksum { 4 } else { 0 };
    bytes.len() >= 3 + content + checksum
}
