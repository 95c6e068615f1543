//! Finds where the objects of a JSON text begin and end: lines, or the elements of one array.
//!
//! It only looks at brackets and quotes, so that an element that is wrong inside is still told from
//! the next one. It must not know what an element should be.

use memchr::{memchr, memchr_iter, memchr2};

use crate::{DecodeError, JsonForm};

/// Brackets in brackets, at most. Beyond, the end of an element is not looked for.
const DEPTH_MAX: usize = 64 << 10;

/// One line, or one element of the array.
pub(crate) struct Element<'a> {
    /// Its text, without the spaces around.
    pub(crate) text: &'a [u8],
    /// The line at which it begins, counted from 1.
    pub(crate) line: u64,
    /// Whether it is a line of nothing.
    pub(crate) is_blank: bool,
    /// Whether it is longer than allowed, so that its end is not there.
    pub(crate) is_cut: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before the array's bracket.
    Before,
    /// Where an element begins: behind the array's bracket, or a comma.
    Between,
    /// Within an element.
    Within,
    /// Behind the array.
    After,
}

/// Splits a text that comes in pieces.
pub(crate) struct Elements {
    form: JsonForm,
    bytes_max: usize,
    /// What is kept of the element that has begun, and whether that is not all.
    open: Vec<u8>,
    is_cut: bool,
    /// The line at which the open element begins, and the one that is read.
    open_line: u64,
    line: u64,
    /// Bytes before this piece, and of it.
    at: u64,
    state: State,
    /// The closing brackets that are awaited, the innermost last.
    depth: Vec<u8>,
    in_string: bool,
    is_escaped: bool,
}

type Take<'t> = &'t mut dyn FnMut(Element<'_>);

impl Elements {
    pub(crate) fn new(form: JsonForm, bytes_max: usize) -> Self {
        Self {
            form,
            bytes_max,
            open: Vec::new(),
            is_cut: false,
            open_line: 1,
            line: 1,
            at: 0,
            state: State::Before,
            depth: Vec::new(),
            in_string: false,
            is_escaped: false,
        }
    }

    /// Takes the next piece, and gives each element that is complete.
    pub(crate) fn push(&mut self, text: &[u8], take: Take<'_>) -> Result<(), DecodeError> {
        match self.form {
            JsonForm::Lines => {
                self.push_lines(text, take);
                Ok(())
            }
            JsonForm::Array => self.push_array(text, take),
        }
    }

    /// Says that nothing follows.
    pub(crate) fn finish(&mut self, take: Take<'_>) -> Result<(), DecodeError> {
        match (self.form, self.state) {
            (JsonForm::Lines, _) => {
                if !self.open.is_empty() || self.is_cut {
                    self.give(take);
                }
                Ok(())
            }
            (JsonForm::Array, State::After) => Ok(()),
            (JsonForm::Array, State::Before) => Err(self.broken("there is no array")),
            (JsonForm::Array, State::Between | State::Within) => {
                Err(self.broken("the file ends within the array: it was cut off"))
            }
        }
    }

    fn push_lines(&mut self, mut text: &[u8], take: Take<'_>) {
        while let Some(end) = memchr(b'\n', text) {
            let (line, rest) = text.split_at(end + 1);
            if self.open.is_empty() && !self.is_cut && line.len() <= self.bytes_max {
                give_line(line, self.line, false, take);
            } else {
                self.keep(line);
                self.give(take);
            }
            self.line += 1;
            self.open_line = self.line;
            text = rest;
        }
        self.keep(text);
    }

    fn push_array(&mut self, text: &[u8], take: Take<'_>) -> Result<(), DecodeError> {
        let mut at = 0;
        // Where the part of the open element begins that is in this piece.
        let mut from = 0;
        while at < text.len() {
            let byte = text[at];
            if self.state == State::Within {
                if self.in_string {
                    at += self.pass_string(&text[at..]);
                    continue;
                }
                let is_end = self.depth.is_empty() && matches!(byte, b',' | b']');
                if !is_end {
                    self.enter(byte, at)?;
                    at += 1;
                    continue;
                }
                self.keep(&text[from..at]);
                self.give(take);
                self.state = if byte == b',' {
                    State::Between
                } else {
                    State::After
                };
                at += 1;
                continue;
            }
            self.between(byte, at, take)?;
            if self.state == State::Within {
                from = at;
                continue;
            }
            at += 1;
        }
        if self.state == State::Within {
            self.keep(&text[from..]);
        }
        self.at += text.len() as u64;
        Ok(())
    }

    /// A byte outside all elements.
    fn between(&mut self, byte: u8, at: usize, take: Take<'_>) -> Result<(), DecodeError> {
        if byte.is_ascii_whitespace() {
            self.line += u64::from(byte == b'\n');
            return Ok(());
        }
        match (self.state, byte) {
            (State::Before, b'[') => self.state = State::Between,
            (State::Before, _) => return Err(self.broken_at(at, "there is no array")),
            (State::Between, b']') => self.state = State::After,
            (State::Between, b',') => {
                // Nothing between two commas: a row all the same, since one may be missing there.
                self.open_line = self.line;
                self.give(take);
            }
            (State::Between, _) => {
                self.open_line = self.line;
                self.state = State::Within;
            }
            (State::After | State::Within, _) => {
                return Err(self.broken_at(at, "there is something behind the array's end"));
            }
        }
        Ok(())
    }

    /// A byte of an element, outside strings.
    fn enter(&mut self, byte: u8, at: usize) -> Result<(), DecodeError> {
        match byte {
            b'"' => self.in_string = true,
            b'\n' => self.line += 1,
            b'{' | b'[' if self.depth.len() >= DEPTH_MAX => {
                return Err(self.broken_at(at, "there are too many brackets within brackets"));
            }
            b'{' => self.depth.push(b'}'),
            b'[' => self.depth.push(b']'),
            b'}' | b']' if self.depth.pop() != Some(byte) => {
                return Err(
                    self.broken_at(at, "a closing bracket is not that of the last one opened")
                );
            }
            _ => {}
        }
        Ok(())
    }

    /// Passes over what is in a string; how many bytes that is.
    fn pass_string(&mut self, text: &[u8]) -> usize {
        if self.is_escaped {
            self.is_escaped = false;
            self.line += u64::from(text[0] == b'\n');
            return 1;
        }
        let end = memchr2(b'"', b'\\', text).unwrap_or(text.len());
        let lines = memchr_iter(b'\n', &text[..end]).count();
        self.line += lines as u64;
        let Some(byte) = text.get(end) else {
            return end;
        };
        if *byte == b'"' {
            self.in_string = false;
        } else {
            self.is_escaped = true;
        }
        end + 1
    }

    /// Keeps a piece of the open element, as far as it is allowed to be long.
    fn keep(&mut self, piece: &[u8]) {
        let room = self.bytes_max.saturating_sub(self.open.len());
        self.is_cut |= piece.len() > room;
        self.open.extend_from_slice(&piece[..piece.len().min(room)]);
    }

    /// Gives the open element.
    fn give(&mut self, take: Take<'_>) {
        match self.form {
            JsonForm::Lines => give_line(&self.open, self.open_line, self.is_cut, take),
            JsonForm::Array => take(Element {
                text: self.open.trim_ascii(),
                line: self.open_line,
                is_blank: false,
                is_cut: self.is_cut,
            }),
        }
        self.open.clear();
        self.is_cut = false;
    }

    fn broken(&self, what: &'static str) -> DecodeError {
        self.broken_at(0, what)
    }

    fn broken_at(&self, at: usize, what: &'static str) -> DecodeError {
        DecodeError::BrokenArray {
            line: self.line,
            at: self.at + at as u64,
            what,
        }
    }
}

fn give_line(line: &[u8], number: u64, is_cut: bool, take: Take<'_>) {
    let text = line.trim_ascii();
    take(Element {
        text,
        line: number,
        is_blank: text.is_empty() && !is_cut,
        is_cut,
    });
}
