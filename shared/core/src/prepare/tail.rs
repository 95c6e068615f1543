//! The bytes of batches, out of the windows that the text arrives in.
//!
//! A batch may begin in an earlier window than it ends in, so what is open at the end of a window is
//! kept: never more than one batch with one record, since of a record that is too long for a worker
//! the rest is dropped. It must not know what the bytes say.

use batchfleet_grammar::{BatchRange, Limits};
use bytes::{Bytes, BytesMut};

use crate::error::{PortError, PortResult};

/// What is kept of the windows so far.
pub(super) struct Tail {
    /// Offset in the text of the first byte kept.
    start: u64,
    bytes: BytesMut,
    bytes_max: usize,
    /// Where the windows so far end.
    end: u64,
}

impl Tail {
    /// For batches of up to so many bytes, of a text that begins at `start`.
    pub(super) fn new(start: u64, batch_bytes_max: u64, limits: Limits) -> Self {
        let record = limits.record_bytes_limit();
        // The record that completes a batch may be the first of the next one.
        let bytes_max = batch_bytes_max.max(record).saturating_add(record);
        Self {
            start,
            bytes: BytesMut::new(),
            bytes_max: usize::try_from(bytes_max).unwrap_or(usize::MAX),
            end: start,
        }
    }

    /// The bytes of a batch that ends in `window`, which is the next one. Not of one that no worker is
    /// to load.
    pub(super) fn batch(&self, range: &BatchRange, window: &Bytes) -> PortResult<Bytes> {
        let piece = |bytes: &[u8], base: u64, from: u64, to: u64| {
            let found = bytes.get((from - base) as usize..(to - base) as usize);
            found.map(<[u8]>::to_vec)
        };
        let missing = || {
            let cause = format!("batch {} is not in the windows at hand", range.index);
            PortError::corrupt("the text of the source", cause)
        };
        if range.start >= self.end {
            let (from, to) = (range.start - self.end, range.end - self.end);
            if to > window.len() as u64 {
                return Err(missing());
            }
            return Ok(window.slice(from as usize..to as usize));
        }
        if range.start < self.start {
            return Err(missing());
        }
        let kept = range.end.min(self.end);
        let mut bytes = piece(&self.bytes, self.start, range.start, kept).ok_or_else(missing)?;
        if range.end > kept {
            let rest = window.get(..(range.end - kept) as usize);
            bytes.extend_from_slice(rest.ok_or_else(missing)?);
        }
        Ok(bytes.into())
    }

    /// Keeps what is open of the text once `window` has come: from `open` on.
    pub(super) fn keep(&mut self, window: &Bytes, open: u64) {
        let end = self.end + window.len() as u64;
        let fresh = if open >= self.end {
            self.bytes.clear();
            self.start = open;
            window.slice((open.min(end) - self.end) as usize..)
        } else {
            let past = (open - self.start).min(self.bytes.len() as u64);
            let _ = self.bytes.split_to(past as usize);
            self.start = open;
            window.clone()
        };
        let room = self.bytes_max.saturating_sub(self.bytes.len());
        self.bytes
            .extend_from_slice(&fresh[..fresh.len().min(room)]);
        self.end = end;
    }
}

#[cfg(test)]
mod tests {
    use batchfleet_grammar::{BatchLimits, Dialect, Position, Splitter};
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Whatever the text, the windows and the limits, every batch that a worker would load has its
        /// own bytes, and little more than a batch is kept.
        #[test]
        fn every_batch_has_its_bytes(
            lines in prop::collection::vec((0_usize..30, any::<bool>()), 0..60),
            windows in prop::collection::vec(1_usize..50, 1..20),
            records_max in 1_u32..6,
            bytes_max in 1_u64..60,
        ) {
            let mut text = Vec::new();
            for (number, (length, is_long)) in lines.into_iter().enumerate() {
                let length = if is_long { length * 4 } else { length };
                text.extend(std::iter::repeat_n(b'a' + (number % 26) as u8, length));
                text.push(b'\n');
            }
            let limits = Limits { record_bytes_max: 40, ..Limits::default() };
            let batches = BatchLimits { records_max, bytes_max };
            let mut splitter =
                Splitter::new(Dialect::default(), limits, batches, Position::START, 0);
            let mut tail = Tail::new(0, bytes_max, limits);
            let whole = Bytes::from(text.clone());
            let (mut at, mut seen) = (0, 0);
            for length in windows.iter().cycle() {
                let end = (at + length).min(text.len());
                let window = whole.slice(at..end);
                let mut ranges = Vec::new();
                if window.is_empty() {
                    splitter.finish(&mut ranges).unwrap();
                } else {
                    splitter.push(&window, &mut ranges).unwrap();
                }
                for range in &ranges {
                    prop_assert_eq!(range.start, seen);
                    seen = range.end;
                    if !range.oversize {
                        let own = &text[range.start as usize..range.end as usize];
                        prop_assert_eq!(&tail.batch(range, &window).unwrap()[..], own);
                    }
                }
                tail.keep(&window, splitter.position().offset);
                prop_assert!(tail.bytes.len() as u64 <= bytes_max.max(40) + 40);
                at = end;
                if window.is_empty() {
                    break;
                }
            }
            prop_assert_eq!(seen, text.len() as u64);
        }
    }
}
