//! The grammar a byte at a time, for dialects with an escape, comments, other line ends or trimming.
//!
//! Finder and reader both drive this one machine, so that they agree by construction; for the plain
//! dialects, which most files have, both have faster ways of their own. It must not know where in a
//! file it is, nor keep any byte but a `\r` or an escape whose meaning the next byte decides.

use crate::dialect::{Dialect, LineEnd, Marks, is_padding};

/// What a byte can mean, by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    /// Data, whatever stands around it.
    Other,
    Newline,
    Return,
    Delimiter,
    Quote,
    Escape,
    Comment,
    /// A space or tab, in a dialect that trims.
    Padding,
}

/// What the bytes up to now have come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before a record's first byte.
    RecordStart,
    /// In a field, behind nothing but padding.
    FieldStart,
    /// In an unquoted field, or behind the closing quote of a quoted one: that makes no difference.
    Unquoted,
    /// Behind an escape outside quotes.
    Escaping,
    /// Behind an escaped `\r`: a `\n` right here is data too.
    EscapedReturn,
    Quoted,
    QuotedEscaping,
    /// Behind a quote within quotes: another one here makes it data, anything else makes it the
    /// closing quote.
    QuotedQuote,
    Comment,
    /// Behind a `\r` which is data unless a `\n` comes or the input ends ([`LineEnd::Lf`]).
    HeldReturn,
    /// Likewise in a comment.
    CommentReturn,
    /// Behind a `\r` which ends the record, alone or with a `\n` ([`LineEnd::Any`]).
    RecordReturn,
}

/// What a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It has no byte besides its line end and padding.
    Blank,
    Comment,
    /// It has cells.
    Row,
}

/// What a byte is for the field it stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Nothing: padding before the field, a quote, a comment's text, or a byte that is held.
    Nothing,
    /// The quote that opens the field.
    Open,
    Data,
    /// Data if other data follows in the same field, else nothing.
    Padding,
    /// The end of the field.
    Delimiter,
}

/// What became of a byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// It belongs to the record in progress. `held` is a byte before it that has turned out to be
    /// data.
    Within { held: Option<u8>, role: Role },
    /// It is the last byte of the record.
    Ends,
    /// The record ended before it: it is not taken, and is to be given again.
    EndedBefore,
}

/// A record that has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) kind: Kind,
    /// Line ends within it, its own and those that are data.
    pub(crate) lines: u64,
    /// How many bytes at its end are its line end.
    pub(crate) line_end: usize,
    /// A byte that was held and, as the input ends behind it, is data.
    pub(crate) held: Option<u8>,
    /// Whether it ends inside quotes.
    pub(crate) unclosed: bool,
}

/// Where in a record a stream of bytes is.
#[derive(Debug, Clone)]
pub(crate) struct Machine {
    classes: [Class; 256],
    escape: u8,
    line_end: LineEnd,
    state: State,
    kind: Kind,
    lines: u64,
    /// Whether the last byte was a `\r` that a line was counted for.
    after_return: bool,
    /// Bytes of the line end passed.
    line_end_bytes: usize,
}

impl Machine {
    /// A machine before a record's first byte; `None` for a plain dialect, which needs none.
    pub(crate) const fn of(dialect: Dialect, marks: Marks) -> Option<Self> {
        if dialect.is_plain() {
            return None;
        }
        let mut classes = [Class::Other; 256];
        // Where an invalid dialect gives a byte two meanings, the later of these holds.
        let mut byte = 0;
        while dialect.trim && byte < 128 {
            if is_padding(byte) {
                classes[byte as usize] = Class::Padding;
            }
            byte += 1;
        }
        if let Some(comment) = marks.comment {
            classes[comment as usize] = Class::Comment;
        }
        if let Some(escape) = marks.escape {
            classes[escape as usize] = Class::Escape;
        }
        if let Some(quote) = marks.quote {
            classes[quote as usize] = Class::Quote;
        }
        classes[marks.delimiter as usize] = Class::Delimiter;
        classes[b'\n' as usize] = Class::Newline;
        classes[b'\r' as usize] = Class::Return;
        Some(Self {
            classes,
            escape: match marks.escape {
                Some(escape) => escape,
                None => 0,
            },
            line_end: dialect.line_end,
            state: State::RecordStart,
            kind: Kind::Blank,
            lines: 0,
            after_return: false,
            line_end_bytes: 0,
        })
    }

    /// Lines counted in the record in progress.
    pub(crate) const fn lines(&self) -> u64 {
        self.lines
    }

    /// How many of `bytes`, from the first on, can be passed over at once: each would be
    /// [`Role::Data`], in a comment [`Role::Nothing`], and change nothing here.
    #[inline]
    pub(crate) fn run(&self, bytes: &[u8]) -> usize {
        if !matches!(self.state, State::Unquoted | State::Quoted | State::Comment)
            || self.after_return
        {
            return 0;
        }
        let ends = |&byte: &u8| self.classes[usize::from(byte)] != Class::Other;
        bytes.iter().position(ends).unwrap_or(bytes.len())
    }

    /// Whether the record in progress is a comment.
    pub(crate) const fn in_comment(&self) -> bool {
        matches!(self.kind, Kind::Comment)
    }

    /// Takes the next byte.
    #[inline]
    pub(crate) fn step(&mut self, byte: u8) -> Step {
        let class = self.classes[usize::from(byte)];
        if self.state == State::RecordReturn && class != Class::Newline {
            return Step::EndedBefore;
        }
        self.count_line(class);
        match self.state {
            State::RecordStart if class == Class::Comment => {
                self.kind = Kind::Comment;
                self.pass(State::Comment, Role::Nothing)
            }
            State::RecordStart | State::FieldStart => self.step_field_start(class),
            State::HeldReturn if class == Class::Newline => self.ends(2),
            State::HeldReturn => {
                self.kind = Kind::Row;
                self.step_unquoted(class, Some(b'\r'))
            }
            State::EscapedReturn if class == Class::Newline => {
                self.pass(State::Unquoted, Role::Data)
            }
            State::Escaping => {
                let next = if class == Class::Return {
                    State::EscapedReturn
                } else {
                    State::Unquoted
                };
                self.escaped(class, next)
            }
            State::Quoted => match class {
                Class::Quote => self.pass(State::QuotedQuote, Role::Nothing),
                Class::Escape => self.pass(State::QuotedEscaping, Role::Nothing),
                _ => self.pass(State::Quoted, Role::Data),
            },
            State::QuotedEscaping => self.escaped(class, State::Quoted),
            State::QuotedQuote if class == Class::Quote => self.pass(State::Quoted, Role::Data),
            State::Unquoted | State::EscapedReturn | State::QuotedQuote => {
                self.step_unquoted(class, None)
            }
            State::Comment | State::CommentReturn => self.step_comment(class),
            State::RecordReturn => self.ends(2),
        }
    }

    /// Says that the record has ended: behind the byte that [`Step::Ends`] was said of, before that
    /// of [`Step::EndedBefore`], or because no byte follows. The next record begins.
    pub(crate) fn end(&mut self) -> Ended {
        let unclosed = matches!(self.state, State::Quoted | State::QuotedEscaping);
        let escaping = matches!(self.state, State::Escaping | State::QuotedEscaping);
        let behind_return = matches!(
            self.state,
            State::HeldReturn | State::CommentReturn | State::RecordReturn
        );
        let ended = Ended {
            kind: self.kind,
            lines: self.lines,
            line_end: if behind_return {
                1
            } else {
                self.line_end_bytes
            },
            held: escaping.then_some(self.escape),
            unclosed,
        };
        self.state = State::RecordStart;
        self.kind = Kind::Blank;
        self.lines = 0;
        self.after_return = false;
        self.line_end_bytes = 0;
        ended
    }

    #[inline]
    fn count_line(&mut self, class: Class) {
        let is_return = class == Class::Return && self.line_end == LineEnd::Any;
        if is_return || (class == Class::Newline && !self.after_return) {
            self.lines += 1;
        }
        self.after_return = is_return;
    }

    #[inline]
    fn pass(&mut self, next: State, role: Role) -> Step {
        self.state = next;
        Step::Within { held: None, role }
    }

    #[inline]
    fn ends(&mut self, line_end_bytes: usize) -> Step {
        self.state = State::RecordStart;
        self.line_end_bytes = line_end_bytes;
        Step::Ends
    }

    /// A byte with nothing but padding before it in its field.
    fn step_field_start(&mut self, class: Class) -> Step {
        match class {
            Class::Padding => self.pass(State::FieldStart, Role::Nothing),
            Class::Quote => {
                self.kind = Kind::Row;
                self.pass(State::Quoted, Role::Open)
            }
            Class::Newline | Class::Return => self.step_unquoted(class, None),
            _ => {
                self.kind = Kind::Row;
                self.step_unquoted(class, None)
            }
        }
    }

    /// A byte outside quotes, behind `held` if that has just turned out to be data.
    #[inline]
    fn step_unquoted(&mut self, class: Class, held: Option<u8>) -> Step {
        let (next, role) = match class {
            // Nothing is held here: a `\r` right before it belongs to the line end.
            Class::Newline => return self.ends(1),
            Class::Return => (self.behind_return(State::HeldReturn), Role::Nothing),
            Class::Delimiter => (State::FieldStart, Role::Delimiter),
            Class::Escape => (State::Escaping, Role::Nothing),
            Class::Padding => (State::Unquoted, Role::Padding),
            Class::Other | Class::Quote | Class::Comment => (State::Unquoted, Role::Data),
        };
        self.state = next;
        Step::Within { held, role }
    }

    /// Behind a `\r` outside quotes: `held` where it may still be data.
    const fn behind_return(&self, held: State) -> State {
        match self.line_end {
            LineEnd::Lf => held,
            LineEnd::Any => State::RecordReturn,
        }
    }

    /// The byte behind an escape: data, and the escape as well if it takes no meaning away.
    fn escaped(&mut self, class: Class, next: State) -> Step {
        self.state = next;
        Step::Within {
            held: (class == Class::Other).then_some(self.escape),
            role: Role::Data,
        }
    }

    fn step_comment(&mut self, class: Class) -> Step {
        match class {
            Class::Newline if self.state == State::CommentReturn => self.ends(2),
            Class::Newline => self.ends(1),
            Class::Return => {
                let next = self.behind_return(State::CommentReturn);
                self.pass(next, Role::Nothing)
            }
            _ => self.pass(State::Comment, Role::Nothing),
        }
    }
}
