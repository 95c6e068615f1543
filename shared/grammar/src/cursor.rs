//! Moves over a batch's separators and quotes, block by block.
//!
//! It holds the reader's place within a block of bits, apart from what the reader makes of it. It
//! must not know records or cells: only delimiters, line ends and quotes.

use crate::block::{BLOCK, either, equal, low_bits, padded};
use crate::dialect::Marks;

/// A place in the input: the block it is in, and what is left of that block.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cursor {
    base: usize,
    /// Delimiters and `\n`s not passed yet, and one more at the input's end, so that the last field
    /// ends like any other.
    separators: u64,
    /// All quotes of the block.
    quotes: u64,
}

/// A quoted field up to its closing quote.
pub(crate) struct Quoted {
    /// The index of the closing quote.
    pub(crate) close: usize,
    /// Whether a doubled quote is within.
    pub(crate) doubled: bool,
    /// Whether a delimiter or `\n` is within.
    pub(crate) separated: bool,
}

impl Cursor {
    /// At the beginning of `input`.
    pub(crate) fn new(input: &[u8], marks: Marks) -> Self {
        let mut cursor = Self {
            base: 0,
            separators: 0,
            quotes: 0,
        };
        cursor.load(input, marks);
        cursor
    }

    #[inline]
    fn load(&mut self, input: &[u8], marks: Marks) {
        let rest = input.get(self.base..).unwrap_or_default();
        if let Some(block) = rest.first_chunk::<BLOCK>() {
            self.separators = either(block, marks.delimiter, b'\n');
            self.quotes = marks.quote.map_or(0, |quote| equal(block, quote));
        } else {
            self.load_last(rest, marks);
        }
    }

    #[cold]
    fn load_last(&mut self, rest: &[u8], marks: Marks) {
        let block = padded(rest);
        let valid = low_bits(rest.len());
        self.separators = (either(&block, marks.delimiter, b'\n') & valid) | 1 << rest.len();
        self.quotes = marks.quote.map_or(0, |quote| equal(&block, quote)) & valid;
    }

    /// The index of the next delimiter or `\n`, or of the input's end; passes it. Not to be called
    /// again once it has given the input's end.
    #[inline]
    pub(crate) fn next_separator(&mut self, input: &[u8], marks: Marks) -> usize {
        while self.separators == 0 {
            self.base += BLOCK;
            self.load(input, marks);
        }
        let at = self.base + self.separators.trailing_zeros() as usize;
        self.separators &= self.separators - 1;
        at
    }

    /// Passes a quoted field up to its closing quote, given the index of its opening quote. `None`
    /// if it is never closed; the input then has nothing left.
    #[inline]
    pub(crate) fn pass_quoted(
        &mut self,
        input: &[u8],
        marks: Marks,
        open: usize,
    ) -> Option<Quoted> {
        let mut quoted = Quoted {
            close: open,
            doubled: false,
            separated: false,
        };
        let mut from = open + 1;
        loop {
            let close = self.next_quote(input, marks, from, &mut quoted.separated)?;
            if input.get(close + 1).copied() == marks.quote {
                quoted.doubled = true;
                from = close + 2;
                continue;
            }
            quoted.close = close;
            let outside = !low_bits(close - self.base);
            quoted.separated |= self.separators & !outside != 0;
            self.separators &= outside;
            return Some(quoted);
        }
    }

    /// The index of the first quote at or after `from`, which is in this block or a later one.
    #[inline]
    fn next_quote(
        &mut self,
        input: &[u8],
        marks: Marks,
        from: usize,
        separated: &mut bool,
    ) -> Option<usize> {
        loop {
            let quotes = self.quotes & !low_bits(from.saturating_sub(self.base));
            if quotes != 0 {
                return Some(self.base + quotes.trailing_zeros() as usize);
            }
            if self.base + BLOCK >= input.len() {
                return None;
            }
            *separated |= self.separators != 0;
            self.base += BLOCK;
            self.load(input, marks);
        }
    }
}
