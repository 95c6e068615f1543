//! The first stage: the container, if there is one.

use bytes::Bytes;

use crate::feed::Feed;
use crate::gzip::Gzip;
use crate::zstd::Zstd;
use crate::{Container, DecodeError};

/// Bytes of an unpacked file that are passed on in one step.
const STEP_BYTES: usize = 64 << 10;

/// What one bounded step came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Bytes were appended.
    Some,
    /// More of the file is needed.
    Hungry,
    /// There is nothing more.
    End,
}

pub(crate) enum Unpacker {
    Plain(Feed),
    Gzip(Gzip),
    Zstd(Box<Zstd>),
}

impl Unpacker {
    pub(crate) fn new(container: Option<Container>) -> Self {
        match container {
            None => Self::Plain(Feed::default()),
            Some(Container::Gzip) => Self::Gzip(Gzip::new()),
            Some(Container::Zstd) => Self::Zstd(Box::new(Zstd::new())),
        }
    }

    fn feed(&mut self) -> Option<&mut Feed> {
        match self {
            Self::Plain(feed) => Some(feed),
            Self::Gzip(gzip) => gzip.feed(),
            Self::Zstd(zstd) => Some(zstd.feed()),
        }
    }

    pub(crate) fn push(&mut self, bytes: Bytes) {
        if let Some(feed) = self.feed() {
            feed.push(bytes);
        }
    }

    pub(crate) fn end(&mut self) {
        if let Some(feed) = self.feed() {
            feed.end();
        }
    }

    /// Bytes of the file consumed so far.
    pub(crate) fn consumed(&self) -> u64 {
        match self {
            Self::Plain(feed) => feed.consumed(),
            Self::Gzip(gzip) => gzip.consumed(),
            Self::Zstd(zstd) => zstd.consumed(),
        }
    }

    /// Appends a bounded number of bytes: at most as many as a window of the container has.
    pub(crate) fn step(&mut self, out: &mut Vec<u8>) -> Result<Step, DecodeError> {
        match self {
            Self::Plain(feed) => {
                let count = feed.pending().len().min(STEP_BYTES);
                if count == 0 {
                    let ended = feed.is_ended();
                    return Ok(if ended { Step::End } else { Step::Hungry });
                }
                out.extend_from_slice(&feed.pending()[..count]);
                feed.advance(count);
                Ok(Step::Some)
            }
            Self::Gzip(gzip) => gzip.step(out),
            Self::Zstd(zstd) => zstd.step(out),
        }
    }
}
