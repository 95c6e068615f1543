//! What is kept of one column while its cells go by: never more than some values and counts.
//!
//! It must not know what is concluded from them.

use std::collections::{HashMap, HashSet};
use std::hash::Hasher as _;

use batchfleet_definition::Value;
use siphasher::sip128::{Hasher128 as _, SipHasher13};

use super::shapes::Shape;
use super::words::{NULL_DAYS, NULLS, is_gtin};

/// Different values that are counted one by one, at most.
const DISTINCT_MAX: usize = 300;
/// The longest value among them, in bytes.
const VALUE_BYTES_MAX: usize = 120;
/// Misses that are borne while there are few values.
const MISSES_BORNE: u64 = 8;
/// Lines of misses that are kept.
const LINES_KEPT: usize = 3;

/// How one shape fared.
#[derive(Debug, Clone)]
pub(super) struct Trial {
    /// The place of the shape.
    pub(super) shape: usize,
    pub(super) hits: u64,
    pub(super) misses: u64,
    /// The first lines with a miss.
    pub(super) lines: Vec<u64>,
    /// The smallest and the largest value, of those that are compared.
    pub(super) range: Option<(Bound, Bound)>,
}

/// A value that is compared.
#[derive(Debug, Clone, PartialEq, PartialOrd)]
pub(super) enum Bound {
    Int(i64),
    /// A day, or a moment without an offset, as ISO 8601 writes it.
    Day(String),
}

/// What is known of the values' being different.
#[derive(Debug)]
pub(super) enum Difference {
    /// All so far, by their hashes.
    All(HashSet<u128>),
    /// Two are the same.
    Broken,
    /// There were too many to keep.
    Unknown,
}

/// What was seen of a column.
#[derive(Debug)]
pub(super) struct Column {
    /// Rows without a value: the cell is empty, or not there.
    pub(super) empty: u64,
    /// The first line with an empty cell.
    pub(super) empty_line: u64,
    /// Cells that have text, words for no value aside.
    pub(super) values: u64,
    /// How often each of the words for no value was there, by its place.
    pub(super) nulls: Vec<u64>,
    /// The same of days that are none.
    pub(super) null_days: Vec<u64>,
    /// Characters of the shortest and the longest value, spaces around them aside.
    pub(super) lengths: Option<(usize, usize)>,
    /// Values of digits alone.
    pub(super) digits: u64,
    /// Those of them with a zero in front of others.
    pub(super) leading_zeros: u64,
    /// Those of them that end in the check digit of a GTIN.
    pub(super) gtins: u64,
    /// The most digits of one of them.
    pub(super) digits_longest: usize,
    /// Values that begin with a plus.
    pub(super) plus: u64,
    /// Values that begin as JSON does.
    pub(super) brackets: u64,
    /// Digits behind the last point, and behind the last comma: the fewest and the most, of values that
    /// have such a mark.
    pub(super) fractions: [Option<(u32, u32)>; 2],
    /// Values with a point, and with a comma.
    pub(super) marked: [u64; 2],
    /// The most digits of a number.
    pub(super) digits_most: u32,
    /// Values with spaces around them.
    pub(super) padded: u64,
    pub(super) trials: Vec<Trial>,
    /// The values and how often they are there, until there are too many.
    pub(super) distinct: Option<HashMap<Box<str>, u64>>,
    pub(super) difference: Difference,
}

/// What columns work in, and what they share.
#[derive(Debug)]
pub(super) struct Room {
    pub(super) shapes: Vec<Shape>,
    /// Hashes that may still be kept.
    pub(super) hashes: usize,
    pub(super) out: String,
}

impl Column {
    pub(super) fn new(shapes: usize) -> Self {
        let trial = |shape| Trial {
            shape,
            hits: 0,
            misses: 0,
            lines: Vec::new(),
            range: None,
        };
        Self {
            empty: 0,
            empty_line: 0,
            values: 0,
            nulls: Vec::new(),
            null_days: Vec::new(),
            lengths: None,
            digits: 0,
            leading_zeros: 0,
            gtins: 0,
            digits_longest: 0,
            plus: 0,
            brackets: 0,
            fractions: [None; 2],
            marked: [0; 2],
            digits_most: 0,
            padded: 0,
            trials: (0..shapes).map(trial).collect(),
            distinct: Some(HashMap::new()),
            difference: Difference::All(HashSet::new()),
        }
    }

    /// Looks at the cell of a row that begins on `line`.
    pub(super) fn add(&mut self, cell: &[u8], line: u64, room: &mut Room) {
        let Ok(text) = std::str::from_utf8(cell) else {
            // No type takes it, and so it says nothing about the type.
            return;
        };
        let value = trimmed(text);
        if text.trim().is_empty() {
            self.add_empty(line);
            // What Unicode alone takes for a space is a value to every type but text.
            if value.is_empty() {
                return;
            }
        }
        if self.add_null(value) {
            return;
        }
        self.values += 1;
        self.padded += u64::from(value.len() < text.len());
        self.add_form(value);
        self.add_distinct(value);
        self.add_hash(value, &mut room.hashes);
        self.try_shapes(value, line, room);
    }

    pub(super) fn add_empty(&mut self, line: u64) {
        if self.empty == 0 {
            self.empty_line = line;
        }
        self.empty += 1;
    }

    /// Words for no value are counted by themselves: whether they are such depends on the others.
    fn add_null(&mut self, value: &str) -> bool {
        for (words, counts) in [
            (&NULLS[..], &mut self.nulls),
            (&NULL_DAYS[..], &mut self.null_days),
        ] {
            if value.len() <= 19
                && let Some(place) = words.iter().position(|word| *word == value)
            {
                counts.resize(words.len(), 0);
                counts[place] += 1;
                return true;
            }
        }
        false
    }

    fn add_form(&mut self, value: &str) {
        let length = value.chars().count();
        let (low, high) = self.lengths.unwrap_or((length, length));
        self.lengths = Some((low.min(length), high.max(length)));
        let bytes = value.as_bytes();
        if bytes.iter().all(u8::is_ascii_digit) {
            self.digits += 1;
            self.digits_longest = self.digits_longest.max(bytes.len());
            self.gtins += u64::from(is_gtin(bytes));
        }
        let unsigned = value.trim_start_matches(['-', '+']).as_bytes();
        let is_zero_led = matches!(unsigned, [b'0', next, ..] if next.is_ascii_digit());
        self.leading_zeros += u64::from(is_zero_led);
        self.plus += u64::from(value.starts_with('+'));
        self.brackets += u64::from(value.starts_with(['{', '[']));
        for (at, mark) in [b'.', b','].into_iter().enumerate() {
            let Some(place) = memchr::memrchr(mark, bytes) else {
                continue;
            };
            let rest = &bytes[place + 1..];
            let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count() as u32;
            let (low, high) = self.fractions[at].unwrap_or((count, count));
            self.fractions[at] = Some((low.min(count), high.max(count)));
            self.marked[at] += 1;
        }
        let digits = bytes.iter().filter(|byte| byte.is_ascii_digit()).count();
        self.digits_most = self.digits_most.max(digits as u32);
    }

    fn add_distinct(&mut self, value: &str) {
        let Some(distinct) = &mut self.distinct else {
            return;
        };
        if let Some(count) = distinct.get_mut(value) {
            *count += 1;
        } else if value.len() <= VALUE_BYTES_MAX && distinct.len() < DISTINCT_MAX {
            distinct.insert(value.into(), 1);
        } else {
            self.distinct = None;
        }
    }

    fn add_hash(&mut self, value: &str, hashes: &mut usize) {
        let Difference::All(seen) = &mut self.difference else {
            return;
        };
        // Text is compared without its case, unless a definition says otherwise.
        let mut sip = SipHasher13::new();
        if value.is_ascii() {
            for byte in value.bytes() {
                sip.write_u8(byte.to_ascii_lowercase());
            }
        } else {
            sip.write(value.to_lowercase().as_bytes());
        }
        if !seen.insert(sip.finish128().as_u128()) {
            *hashes += seen.len();
            self.difference = Difference::Broken;
        } else if *hashes == 0 {
            // As many as were there are free for others.
            *hashes += seen.len().saturating_sub(1);
            self.difference = Difference::Unknown;
        } else {
            *hashes -= 1;
        }
    }

    fn try_shapes(&mut self, value: &str, line: u64, room: &mut Room) {
        let Room { shapes, out, .. } = room;
        let mut has_dead = false;
        for trial in &mut self.trials {
            let Some(shape) = shapes.get(trial.shape) else {
                continue;
            };
            if let Some(value) = shape.convert(value.as_bytes(), out) {
                trial.hits += 1;
                if let Some(bound) = Bound::of(value) {
                    trial.widen(bound);
                }
                continue;
            }
            trial.misses += 1;
            if trial.lines.len() < LINES_KEPT {
                trial.lines.push(line);
            }
            has_dead |= trial.is_dead();
        }
        if has_dead {
            self.trials.retain(|trial| !trial.is_dead());
        }
    }
}

impl Trial {
    /// More than a tenth does not fit, so nobody would call the column that.
    fn is_dead(&self) -> bool {
        self.misses > MISSES_BORNE && self.misses * 9 > self.hits
    }

    fn widen(&mut self, bound: BoundRef<'_>) {
        match &mut self.range {
            None => self.range = Some((bound.owned(), bound.owned())),
            Some((low, high)) => {
                if bound.is_below(low) {
                    *low = bound.owned();
                } else if bound.is_above(high) {
                    *high = bound.owned();
                }
            }
        }
    }
}

/// A value that is compared, before it is kept.
#[derive(Clone, Copy)]
enum BoundRef<'v> {
    Int(i64),
    Day(&'v str),
}

impl Bound {
    fn of(value: Value<'_>) -> Option<BoundRef<'_>> {
        match value {
            Value::Int(int) => Some(BoundRef::Int(int)),
            Value::Str(day) if day.len() == 10 && day.as_bytes()[4] == b'-' => {
                Some(BoundRef::Day(day))
            }
            _ => None,
        }
    }
}

impl BoundRef<'_> {
    fn owned(self) -> Bound {
        match self {
            Self::Int(int) => Bound::Int(int),
            Self::Day(day) => Bound::Day(day.to_owned()),
        }
    }

    fn is_below(self, other: &Bound) -> bool {
        match (self, other) {
            (Self::Int(one), Bound::Int(other)) => one < *other,
            (Self::Day(one), Bound::Day(other)) => *one < **other,
            _ => false,
        }
    }

    fn is_above(self, other: &Bound) -> bool {
        match (self, other) {
            (Self::Int(one), Bound::Int(other)) => one > *other,
            (Self::Day(one), Bound::Day(other)) => *one > **other,
            _ => false,
        }
    }
}

/// A cell without the spaces around it, as every type but text takes it.
fn trimmed(text: &str) -> &str {
    let text = text.trim_matches(|character: char| character.is_ascii_whitespace());
    let bytes = text.as_bytes();
    match (bytes.first(), bytes.last()) {
        (Some(first), Some(last)) if first.is_ascii() && last.is_ascii() => text,
        _ => text.trim(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::infer::shapes;

    fn room() -> Room {
        Room {
            shapes: shapes::all(),
            hashes: 100,
            out: String::new(),
        }
    }

    fn seen(cells: &[&str], room: &mut Room) -> Column {
        let mut column = Column::new(room.shapes.len());
        for (line, cell) in cells.iter().enumerate() {
            column.add(cell.as_bytes(), line as u64 + 2, room);
        }
        column
    }

    #[test]
    fn cells_are_counted_by_what_they_are() {
        let mut room = room();
        let column = seen(
            &["007", "", " n/a ", "\u{a0}", " 12", "0000-00-00"],
            &mut room,
        );
        assert_eq!((column.values, column.empty, column.empty_line), (2, 2, 3));
        assert_eq!(column.nulls.iter().sum::<u64>(), 1);
        assert_eq!(column.null_days, [1, 0, 0]);
        assert_eq!(
            (column.digits, column.leading_zeros, column.padded),
            (2, 1, 1)
        );
        assert_eq!(column.lengths, Some((2, 3)));
    }

    #[test]
    fn memory_is_bounded_and_given_back() {
        let mut room = room();
        room.hashes = 3;
        let column = seen(&["a", "b", "c", "d", "e"], &mut room);
        assert!(matches!(column.difference, Difference::Unknown));
        assert_eq!(room.hashes, 3);
        let column = seen(&["a", "b", "A"], &mut room);
        assert!(matches!(column.difference, Difference::Broken));
        assert_eq!(room.hashes, 3);
        let many: Vec<String> = (0..400).map(|number| number.to_string()).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert!(seen(&many, &mut room).distinct.is_none());
    }

    #[test]
    fn a_few_misses_are_told_by_their_lines() {
        let mut room = room();
        let mut cells = vec!["1"; 100];
        cells[50] = "x";
        let column = seen(&cells, &mut room);
        let whole = column
            .trials
            .iter()
            .find(|trial| {
                room.shapes[trial.shape].kind == batchfleet_definition::FieldType::Integer
            })
            .unwrap();
        assert_eq!((whole.hits, whole.misses), (99, 1));
        assert_eq!(whole.lines, [52]);
        assert_eq!(whole.range, Some((Bound::Int(1), Bound::Int(1))));
    }
}
