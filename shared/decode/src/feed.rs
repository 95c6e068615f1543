//! The raw bytes that have come and are not consumed yet: a reader that says when it has no more for
//! now, rather than that it is at its end.

use std::io::{self, BufRead, ErrorKind, Read};

use bytes::{Buf, Bytes, BytesMut};

#[derive(Debug, Default)]
pub(crate) struct Feed {
    bytes: Bytes,
    ended: bool,
    consumed: u64,
}

impl Feed {
    /// Adds bytes. Those left of before are few: at most what one step of a decoder needs.
    pub(crate) fn push(&mut self, bytes: Bytes) {
        if self.bytes.is_empty() {
            self.bytes = bytes;
        } else {
            let mut joined = BytesMut::with_capacity(self.bytes.len() + bytes.len());
            joined.extend_from_slice(&self.bytes);
            joined.extend_from_slice(&bytes);
            self.bytes = joined.freeze();
        }
    }

    /// Says that nothing follows.
    pub(crate) fn end(&mut self) {
        self.ended = true;
    }

    pub(crate) fn pending(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn is_ended(&self) -> bool {
        self.ended
    }

    /// Bytes consumed so far.
    pub(crate) fn consumed(&self) -> u64 {
        self.consumed
    }

    pub(crate) fn advance(&mut self, count: usize) {
        let count = count.min(self.bytes.len());
        self.bytes.advance(count);
        self.consumed += count as u64;
    }
}

impl Read for Feed {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let there = self.fill_buf()?;
        let count = there.len().min(into.len());
        into[..count].copy_from_slice(&there[..count]);
        self.advance(count);
        Ok(count)
    }
}

impl BufRead for Feed {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.bytes.is_empty() && !self.ended {
            return Err(ErrorKind::WouldBlock.into());
        }
        Ok(&self.bytes)
    }

    fn consume(&mut self, count: usize) {
        self.advance(count);
    }
}
