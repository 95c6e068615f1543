//! The dialects that are tried, and the best of them.
//!
//! Only bytes that stand in the text are tried, and only where they stand as such bytes would: so a
//! handful of dialects is read out of the thousands there are. It must not know how one is scored.

use batchfleet_definition::Reading;
use batchfleet_grammar::{Dialect, LineEnd, Position};

use crate::marks::{QuoteUse, has_escapes, line_breaks, quote_places, quote_use};
use crate::region::region;
use crate::sample::{Extent, Sample};
use crate::score::score;
use crate::table::shown;

/// What each candidate is tried on.
const TRIED: Extent = Extent {
    bytes: 32 << 10,
    rows: 200,
    cells: 8_000,
};

/// What those are tried on that find no row there: a very long row, or many lines without cells.
const TRIED_MORE: Extent = Extent {
    bytes: 256 << 10,
    rows: 4_000,
    cells: 8_000,
};

/// What is read where no dialect finds a row in that.
const WHOLE_HEAD: Extent = Extent {
    bytes: usize::MAX >> 1,
    rows: 200,
    cells: 8_000,
};

/// Delimiters that are always tried where they stand in the text, the likeliest first.
const COMMON: [u8; 10] = [b',', b';', b'\t', b'|', 0x1f, 1, b'~', b'^', b':', b' '];

/// Those tried where none of the common ones makes a table.
const RARE: [u8; 14] = [
    b'?', b'#', b'!', b'$', b'%', b'&', b'*', b'/', b'=', b'_', b'-', b'\\', b'@', b'+',
];

/// A common delimiter with this score is good enough for no rare one to be tried.
const GOOD: f64 = 0.42;

/// What a dialect without quotes is worth if it tears cells apart that stand in good ones.
const TORN: f64 = 0.5;

/// A dialect that was tried.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Candidate {
    pub(crate) dialect: Dialect,
    /// Where reading began.
    pub(crate) start: Position,
    score: f64,
    width: usize,
    /// Rows of that width, of those seen.
    fitting: usize,
    seen: usize,
    quotes: QuoteUse,
    /// The delimiter of the best candidate with another one.
    next_best: Option<u8>,
}

/// What the text has that would need a dialect of its own.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clues<'t> {
    text: &'t [u8],
    line_ends: (LineEnd, bool),
}

impl<'t> Clues<'t> {
    /// Looks at the text that the table is in.
    pub(crate) fn of(text: &'t [u8], reading: &Reading) -> Self {
        let text = &text[..text.len().min(2 * TRIED.bytes)];
        let (lf, lone) = line_breaks(text);
        let line_ends = match reading.line_end {
            Some(given) => (given, false),
            None if lone > 0 && lf == 0 => (LineEnd::Any, false),
            None => (LineEnd::Lf, lone > 0),
        };
        Self { text, line_ends }
    }
}

/// The best dialect for the text from `at` on, and how sure it is, from 0 to 1. `None` where no
/// dialect gives a row.
pub(crate) fn candidates(
    head: &[u8],
    at: Position,
    whole: bool,
    reading: &Reading,
    clues: &Clues<'_>,
    fixed_start: bool,
    names: &[&str],
) -> Option<(Candidate, f64)> {
    let mut tried: Vec<Candidate> = Vec::new();
    let try_all = |dialects: Vec<Dialect>, tried: &mut Vec<Candidate>| {
        for dialect in dialects {
            tried.extend(candidate(
                head,
                at,
                dialect,
                TRIED,
                whole,
                reading,
                fixed_start,
                names,
            ));
        }
    };
    for delimiter in delimiters(clues.text, reading, &COMMON) {
        try_all(dialects(delimiter, reading, clues), &mut tried);
    }
    if reading.delimiter.is_none() {
        if tried.iter().all(|candidate| candidate.score < GOOD) {
            for delimiter in delimiters(clues.text, reading, &RARE) {
                try_all(dialects(delimiter, reading, clues), &mut tried);
            }
        }
        try_all(
            dialects(unused_delimiter(clues.text), reading, clues),
            &mut tried,
        );
    }
    if tried.is_empty() {
        // A first row longer than all that: the delimiter that is given, or the usual one.
        let delimiter = reading.delimiter.unwrap_or(b',');
        for dialect in dialects(delimiter, reading, clues) {
            tried.extend(candidate(
                head,
                at,
                dialect,
                WHOLE_HEAD,
                whole,
                reading,
                fixed_start,
                names,
            ));
        }
    }
    let mut best: Option<&Candidate> = None;
    for candidate in &tried {
        if best.is_none_or(|best| candidate.score > best.score) {
            best = Some(candidate);
        }
    }
    let mut best = *best?;
    if best.width == 1 && reading.delimiter.is_none() {
        // A byte that only stands within quotes parts nothing; the usual one says so more plainly.
        let is_usual = |other: &&Candidate| {
            other.dialect.delimiter == b',' && other.width == 1 && other.score >= best.score
        };
        best = tried.iter().find(is_usual).copied().unwrap_or(best);
    }
    let mut second = 0.0;
    for other in tried
        .iter()
        .filter(|other| other.dialect.delimiter != best.dialect.delimiter && other.width > 1)
    {
        if other.score > second {
            second = other.score;
            best.next_best = Some(other.dialect.delimiter);
        }
    }
    let ratio = if best.score > 0.0 {
        second / best.score
    } else {
        1.0
    };
    let quality = (0.5 + best.score * 0.7).min(1.0);
    let sure = if reading.delimiter.is_some() {
        1.0
    } else {
        (1.0 - 0.5 * ratio.powi(3)) * quality
    };
    Some((best, sure))
}

/// The delimiters of `list` that stand in the text, or the one that is given.
fn delimiters(text: &[u8], reading: &Reading, list: &[u8]) -> Vec<u8> {
    if let Some(given) = reading.delimiter {
        return vec![given];
    }
    let mut seen = [false; 256];
    for &byte in text {
        seen[usize::from(byte)] = true;
    }
    list.iter()
        .copied()
        .filter(|byte| seen[usize::from(*byte)])
        .collect()
}

/// One that does not stand in the text, for a table of one column.
fn unused_delimiter(text: &[u8]) -> u8 {
    let unused = [b',', b';', b'\t', b'|', 0x1f]
        .into_iter()
        .find(|byte| memchr::memchr(*byte, text).is_none());
    unused.unwrap_or(0x1e)
}

/// The dialects to try with one delimiter.
fn dialects(delimiter: u8, reading: &Reading, clues: &Clues<'_>) -> Vec<Dialect> {
    let text = clues.text;
    let mut quotes = Vec::new();
    let mut spaced = false;
    if let Some(given) = reading.quote {
        quotes.push(given);
    } else {
        quotes.push(Some(b'"'));
        if memchr::memchr(b'"', text).is_some() {
            spaced |= quote_places(text, delimiter, b'"').spaced > 0;
            quotes.push(None);
        }
        let places = quote_places(text, delimiter, b'\'');
        if places.opens + places.spaced > 0 && places.closes > 0 {
            spaced |= places.spaced > 0;
            quotes.push(Some(b'\''));
        }
    }
    let escapes = match reading.escape {
        Some(given) => vec![given],
        None if has_escapes(text, delimiter) => vec![None, Some(b'\\')],
        None => vec![None],
    };
    let trims = match reading.trim {
        Some(given) => vec![given],
        None if spaced => vec![false, true],
        None => vec![false],
    };
    let line_ends = if clues.line_ends.1 {
        vec![LineEnd::Lf, LineEnd::Any]
    } else {
        vec![clues.line_ends.0]
    };
    let mut dialects = Vec::new();
    for quote in quotes {
        for &escape in &escapes {
            for &trim in &trims {
                for &line_end in &line_ends {
                    let mut dialect = Dialect::new(delimiter, quote);
                    dialect.escape = escape;
                    dialect.trim = trim;
                    dialect.line_end = line_end;
                    dialect.comment = reading.comment.flatten();
                    if dialect.validate().is_ok() {
                        dialects.push(dialect);
                    }
                }
            }
        }
    }
    dialects
}

/// Tries one dialect.
#[expect(
    clippy::too_many_arguments,
    reason = "it is what `candidates` was told, with one dialect"
)]
fn candidate(
    head: &[u8],
    at: Position,
    dialect: Dialect,
    extent: Extent,
    whole: bool,
    reading: &Reading,
    fixed_start: bool,
    names: &[&str],
) -> Option<Candidate> {
    let mut sample = Sample::read(head, at, dialect, extent, whole);
    if !sample.has_cells() {
        sample = Sample::read(head, at, dialect, TRIED_MORE, whole);
    }
    let region = region(&mut sample, reading, fixed_start, names)?;
    let last = sample.rows.last().map_or(0, |row| row.end);
    let from = sample
        .rows
        .get(region.start)
        .map_or(0, |row| row.at.offset as usize);
    let quotes = quote_use(&head[from..last.max(from)], dialect);
    let mut score = score(&sample, &region, quotes);
    if dialect.quote.is_none() && tears(&head[from..last.max(from)], dialect) {
        score *= TORN;
    }
    let rows = sample.rows[region.start..]
        .iter()
        .filter(|row| row.width > 0);
    let (mut fitting, mut seen) = (0, 0);
    for row in rows {
        seen += 1;
        fitting += usize::from(row.width == region.width);
    }
    Some(Candidate {
        dialect,
        start: at,
        score,
        width: region.width,
        fitting,
        seen,
        quotes,
        next_best: None,
    })
}

/// Whether a dialect without quotes tears cells apart: some have a delimiter or a line break between
/// good quotation marks, and no quotation mark has more behind it. One that is never closed is no reason
/// against that: its row becomes a reject, while halves of cells could pass for rows.
fn tears(text: &[u8], dialect: Dialect) -> bool {
    let mut with_quotes = dialect;
    with_quotes.quote = Some(b'"');
    let found = quote_use(text, with_quotes);
    found.holding > 0 && found.dirty == 0
}

impl Candidate {
    /// Why it was chosen, in sentences.
    pub(crate) fn evidence(&self, clues: &Clues<'_>) -> Vec<String> {
        let mut sentences = Vec::new();
        let delimiter = self.dialect.delimiter;
        if self.width == 1 {
            sentences.push("no byte parts the rows into cells of which each row has as many: there is one column".to_owned());
        } else {
            let mut sentence = format!(
                "with {} as the delimiter, {} of {} rows looked at have {} cells",
                shown(delimiter),
                self.fitting,
                self.seen,
                self.width
            );
            if let Some(next) = self.next_best {
                sentence.push_str("; the next best would be ");
                sentence.push_str(&shown(next));
            }
            sentences.push(sentence);
        }
        sentences.push(match self.dialect.quote {
            None => "quotation marks stand in cells, not round them: they are data".to_owned(),
            Some(quote) if self.quotes.clean + self.quotes.dirty > 0 => {
                format!(
                    "{} cells stand in {}, {} of them with more behind it",
                    self.quotes.clean + self.quotes.dirty,
                    shown(quote),
                    self.quotes.dirty
                )
            }
            Some(quote) => format!(
                "no cell stands in quotes; {} is taken, as most files have it",
                shown(quote)
            ),
        });
        if self.quotes.unclosed {
            sentences.push(
                "a quotation mark is opened and, as far as was looked, never closed".to_owned(),
            );
        }
        if self.dialect.escape.is_some() {
            sentences.push("a backslash makes the next character data".to_owned());
        }
        if self.dialect.trim {
            sentences.push("spaces stand between delimiters and quotation marks".to_owned());
        }
        if clues.line_ends.1 {
            sentences.push("there are line ends of `\\r` alone beside others".to_owned());
        }
        sentences
    }
}
