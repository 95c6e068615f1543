//! Unpacks gzip, member by member.
//!
//! Zeros behind a member are passed over, as `gzip` itself does: tapes and block devices leave them.
//! Anything else there is damage, never the end of the file: what it held would be lost silently.

use std::io::{ErrorKind, Read};

use flate2::bufread::GzDecoder;

use crate::feed::Feed;
use crate::unpack::Step;
use crate::{Container, DecodeError};

/// Bytes unpacked in one step.
const STEP_BYTES: usize = 64 << 10;

/// A gzip file in the unpacking.
pub(crate) struct Gzip {
    state: State,
}

enum State {
    /// Between members; whether there was one already.
    Between(Feed, bool),
    Member(Box<GzDecoder<Feed>>),
    /// For the moment of a change.
    Moving,
}

impl Gzip {
    pub(crate) fn new() -> Self {
        Self {
            state: State::Between(Feed::default(), false),
        }
    }

    pub(crate) fn feed(&mut self) -> Option<&mut Feed> {
        match &mut self.state {
            State::Between(feed, _) => Some(feed),
            State::Member(decoder) => Some(decoder.get_mut()),
            State::Moving => None,
        }
    }

    pub(crate) fn consumed(&self) -> u64 {
        match &self.state {
            State::Between(feed, _) => feed.consumed(),
            State::Member(decoder) => decoder.get_ref().consumed(),
            State::Moving => 0,
        }
    }

    pub(crate) fn step(&mut self, out: &mut Vec<u8>) -> Result<Step, DecodeError> {
        loop {
            match std::mem::replace(&mut self.state, State::Moving) {
                State::Between(mut feed, was_one) => {
                    if was_one {
                        let zeros = feed.pending().iter().take_while(|&&byte| byte == 0).count();
                        feed.advance(zeros);
                    }
                    if feed.pending().is_empty() {
                        let ended = feed.is_ended();
                        self.state = State::Between(feed, was_one);
                        return match (ended, was_one) {
                            (false, _) => Ok(Step::Hungry),
                            (true, true) => Ok(Step::End),
                            (true, false) => Err(self.truncated()),
                        };
                    }
                    self.state = State::Member(Box::new(GzDecoder::new(feed)));
                }
                State::Member(mut decoder) => {
                    let before = out.len();
                    out.resize(before + STEP_BYTES, 0);
                    let read = decoder.read(&mut out[before..]);
                    out.truncate(before + read.as_ref().copied().unwrap_or(0));
                    match read {
                        Ok(0) => self.state = State::Between(decoder.into_inner(), true),
                        Ok(_) => {
                            self.state = State::Member(decoder);
                            return Ok(Step::Some);
                        }
                        Err(error) => {
                            self.state = State::Member(decoder);
                            return match error.kind() {
                                ErrorKind::WouldBlock => Ok(Step::Hungry),
                                ErrorKind::UnexpectedEof => Err(self.truncated()),
                                _ => Err(self.damaged(&error)),
                            };
                        }
                    }
                }
                State::Moving => return Ok(Step::End),
            }
        }
    }

    fn truncated(&self) -> DecodeError {
        DecodeError::Truncated {
            container: Container::Gzip,
            at: self.consumed(),
        }
    }

    fn damaged(&self, error: &std::io::Error) -> DecodeError {
        DecodeError::Damaged {
            container: Container::Gzip,
            at: self.consumed(),
            what: error.to_string(),
        }
    }
}
