//! The records of a file, one after another, as an import reads them: unpacked, in UTF-8, cut by the
//! splitter, and read batch by batch.
//!
//! It holds a batch and what is read ahead of it: a few MiB, and more only while a record goes on longer
//! than any that is imported. It must not know what the records are for.

use std::io::Read;

use batchfleet_core::job::Layout;
use batchfleet_decode::{Decoder, Limits as DecodeLimits, Pulled, Row};
use batchfleet_grammar::{BatchLimits, BatchRange, Limits, Record, RecordReader, Splitter};
use bytes::Bytes;

/// Bytes read at once.
const WINDOW_BYTES: usize = 1 << 20;
/// How large the pieces are that records are read from.
const PIECES: BatchLimits = BatchLimits {
    records_max: 5_000,
    bytes_max: 1 << 20,
};

/// A record on its way.
pub(super) enum Seen<'r> {
    /// One with cells, or with nothing in it, and the line that it begins on.
    Record(&'r Record<'r>, u64),
    /// One that can't be a row under any definition, by its line.
    Unreadable(u64),
}

/// The text of a file in pieces.
struct Text<'a> {
    input: &'a mut dyn Read,
    decoder: Option<Decoder>,
    is_over: bool,
}

impl Text<'_> {
    /// Appends the next bytes; nothing at the end.
    fn next(&mut self, out: &mut Vec<u8>) -> Result<bool, String> {
        let before = out.len();
        let Some(decoder) = &mut self.decoder else {
            read_window(self.input, out)?;
            return Ok(out.len() > before);
        };
        while !self.is_over && out.len() - before < WINDOW_BYTES {
            match decoder.pull(out, before + WINDOW_BYTES) {
                Ok(Pulled::Full) => break,
                Ok(Pulled::Done) => self.is_over = true,
                Ok(Pulled::Hungry) => {
                    let mut window = Vec::new();
                    read_window(self.input, &mut window)?;
                    if window.is_empty() {
                        decoder.end();
                    } else {
                        decoder.push(Bytes::from(window));
                    }
                }
                Err(error) => return Err(error.to_string()),
            }
        }
        Ok(out.len() > before)
    }
}

fn read_window(input: &mut dyn Read, out: &mut Vec<u8>) -> Result<(), String> {
    input
        .take(WINDOW_BYTES as u64)
        .read_to_end(out)
        .map(|_| ())
        .map_err(|error| format!("it can't be read to its end: {error}"))
}

/// Takes the records of a file, `rows` of them at most, blank ones and comments aside; and says whether
/// those were all. `input` is at the file's first byte.
pub(super) fn each(
    input: &mut dyn Read,
    layout: &Layout,
    rows: Option<u64>,
    take: &mut dyn FnMut(Seen<'_>),
) -> Result<bool, String> {
    let decoder = match &layout.spool {
        None => None,
        Some(spool) => {
            let columns = layout
                .header
                .get(layout.own_columns()..)
                .unwrap_or_default();
            let decoder = Decoder::new(&spool.format, columns, DecodeLimits::default());
            Some(decoder.map_err(|error| error.to_string())?)
        }
    };
    let mut text = Text {
        input,
        decoder,
        is_over: false,
    };
    let mut splitter = Splitter::new(layout.dialect, Limits::default(), PIECES, layout.data, 0);
    let mut pieces: Vec<BatchRange> = Vec::new();
    // The text from `base` on, as far as it is not read yet.
    let (mut pending, mut base) = (Vec::new(), 0_u64);
    let mut skip = layout.data.offset;
    let mut left = rows.unwrap_or(u64::MAX);
    loop {
        let mut at = pending.len();
        let is_more = text.next(&mut pending)?;
        if skip > 0 {
            let skipped = skip.min(pending.len() as u64);
            pending.drain(..skipped as usize);
            (skip, base, at) = (skip - skipped, base + skipped, 0);
        }
        if is_more {
            let pushed = splitter.push(&pending[at..], &mut pieces);
            pushed.map_err(|error| error.to_string())?;
        } else {
            splitter
                .finish(&mut pieces)
                .map_err(|error| error.to_string())?;
        }
        let mut done = 0;
        for piece in pieces.drain(..) {
            let end = (piece.end - base) as usize;
            if !read_piece(&pending[done..end], &piece, layout, &mut left, take) {
                return Ok(false);
            }
            done = end;
        }
        pending.drain(..done);
        base += done as u64;
        if !is_more {
            return Ok(true);
        }
    }
}

/// Takes the records of a piece; `false` where there are more than are left to take.
fn read_piece(
    bytes: &[u8],
    piece: &BatchRange,
    layout: &Layout,
    left: &mut u64,
    take: &mut dyn FnMut(Seen<'_>),
) -> bool {
    if piece.oversize {
        if *left == 0 {
            return false;
        }
        *left -= 1;
        take(Seen::Unreadable(piece.first_line));
        return true;
    }
    let mut reader = RecordReader::new(bytes, layout.dialect, Limits::default(), piece.position());
    while let Some(record) = reader.read() {
        if !record.is_skippable() {
            if *left == 0 {
                return false;
            }
            *left -= 1;
        }
        let ours = match (layout.is_json(), record.get(0), record.get(1)) {
            (true, Some(line), Some(fault)) => Row::read(line, fault),
            _ => None,
        };
        match ours {
            Some(Row {
                line,
                fault: Some(_),
            }) => take(Seen::Unreadable(line)),
            Some(Row { line, fault: None }) => take(Seen::Record(&record, line)),
            None => take(Seen::Record(&record, record.line())),
        }
    }
    true
}
