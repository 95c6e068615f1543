//! How likely a dialect is, by what it makes of a sample.
//!
//! The right dialect makes rows of one width, out of cells that are something, in columns of one
//! kind; a wrong one fails in at least one of the three. The method follows van den Burg, Nazábal and
//! Sutton ("Wrangling messy CSV files by detecting row and type patterns", 2019) in multiplying a
//! score of the rows' pattern with one of the cells' types; what stands beside it (columns, quotes,
//! what a delimiter cuts in two) is this project's. It must not know where the sample comes from.

use crate::kind::{KINDS, Kind};
use crate::marks::QuoteUse;
use crate::region::Region;
use crate::sample::{Row, Sample};

/// What a table of one column is worth beside one of several.
const ONE_COLUMN: f64 = 0.36;

/// How likely a delimiter is before a file is looked at.
pub(crate) const fn prior(delimiter: u8) -> f64 {
    match delimiter {
        b',' | b';' | b'\t' => 1.0,
        b'|' | 0x1f | 1 => 0.97,
        b'~' | b'^' => 0.8,
        b':' | b' ' => 0.5,
        _ => 0.35,
    }
}

/// The score of a dialect, from 0 to about 1.
pub(crate) fn score(sample: &Sample<'_>, region: &Region, quotes: QuoteUse) -> f64 {
    let rows: Vec<&Row> = sample.rows[region.start..]
        .iter()
        .filter(|row| row.width > 0)
        .collect();
    let body = &rows[..rows.len().saturating_sub(region.footers).max(1)];
    let width = region.width;
    let pattern = pattern(body, width);
    let columns = if width == 1 {
        ONE_COLUMN
    } else {
        1.0 - 0.4 / width as f64
    };
    let count = body.iter().filter(|row| row.width == width).count() as f64;
    let several = if width == 1 {
        1.0
    } else {
        count / (count + 0.3)
    };
    let types = types(sample, body);
    let coherence = coherence(sample, body, width);
    let mut score = pattern * columns * several * types * (0.7 + 0.3 * coherence);
    score *= coverage(sample, body);
    score *= quoting(quotes);
    let dialect = sample.dialect;
    if width > 1 {
        score *= prior(dialect.delimiter) * cuts(sample, body, width);
        if !region_has_names(region) && dialect.delimiter == b',' {
            score *= sentence(sample, body, pattern);
        }
    }
    // What is seldom needed must earn its place.
    if dialect.escape.is_some() {
        score *= 0.99;
    }
    if dialect.trim {
        score *= 0.995;
    }
    if dialect.line_end != batchfleet_grammar::LineEnd::Lf {
        score *= 0.997;
    }
    if region.names_found > 0 {
        score *= 1.0 + region.names_found.min(4) as f64 * 0.2;
    }
    score
}

fn region_has_names(region: &Region) -> bool {
    region.names_found > 0
}

/// How many of the rows have the width, and how many widths there are beside it.
fn pattern(body: &[&Row], width: usize) -> f64 {
    let mut weight = 0.0;
    let mut others: Vec<usize> = Vec::new();
    for row in body {
        if row.width == width {
            weight += 1.0;
        } else {
            if row.width.abs_diff(width) == 1 && row.width > 1 {
                weight += 0.4;
            }
            if !others.contains(&row.width) && others.len() < 20 {
                others.push(row.width);
            }
        }
    }
    weight / body.len() as f64 / (1.0 + 0.05 * others.len() as f64)
}

/// How much the cells look like cells.
fn types(sample: &Sample<'_>, body: &[&Row]) -> f64 {
    let (mut sum, mut count) = (0.0, 0);
    for row in body {
        for kind in sample.kinds(row) {
            sum += kind.weight();
            count += 1;
        }
    }
    if count == 0 {
        0.0
    } else {
        sum / f64::from(count)
    }
}

/// How much the cells of a column look alike, without its first one, which may be its name.
fn coherence(sample: &Sample<'_>, body: &[&Row], width: usize) -> f64 {
    if body.len() < 3 {
        return 0.8;
    }
    let width = width.min(256);
    let mut counts = vec![[0_u32; KINDS]; width];
    for row in &body[1..] {
        for (column, kind) in counts.iter_mut().zip(sample.kinds(row)) {
            if !kind.is_nothing() {
                column[kind.family() as usize] += 1;
            }
        }
    }
    let mut sum = 0.0;
    for column in &counts {
        let all: u32 = column.iter().sum();
        let most = column.iter().max().copied().unwrap_or(0);
        sum += if all == 0 {
            0.8
        } else {
            f64::from(most) / f64::from(all)
        };
    }
    sum / width as f64
}

/// How much of the text is in the table. Titles are short; what is cut off at the end, or lies in one
/// open quote, is not.
fn coverage(sample: &Sample<'_>, body: &[&Row]) -> f64 {
    let inside: usize = body
        .iter()
        .map(|row| row.end - row.at.offset as usize)
        .sum();
    let largest = body
        .iter()
        .map(|row| row.end - row.at.offset as usize)
        .max()
        .unwrap_or(0);
    let first = sample.rows.first().map_or(0, |row| row.at.offset as usize);
    let last = sample.rows.last().map_or(0, |row| row.end);
    let all = (last - first + sample.cut_bytes).max(1);
    let mut inside = inside;
    if sample.unclosed && largest * 3 > all {
        inside -= largest;
    }
    0.4 + 0.6 * (inside as f64 / all as f64).min(1.0)
}

/// How well the quotes fit.
fn quoting(quotes: QuoteUse) -> f64 {
    let clean = quotes.clean as f64 + 1.0;
    let share = clean / (clean + 1.5 * quotes.dirty as f64);
    if quotes.unclosed { share * 0.9 } else { share }
}

/// A delimiter that cuts in two what is one number, date or time in every row is none.
fn cuts(sample: &Sample<'_>, body: &[&Row], width: usize) -> f64 {
    let delimiter = sample.dialect.delimiter;
    if !matches!(
        delimiter,
        b',' | b'.' | b':' | b'-' | b'/' | b' ' | b'\'' | b'_' | b'@'
    ) {
        return 1.0;
    }
    if within_dates(sample, body) {
        return 0.2;
    }
    // Where the first row has the comma as well, it parts columns: `1,2` is a decimal only below a name
    // without one.
    let first = sample.rows.iter().find(|row| row.width > 0);
    if delimiter == b',' && first.is_some_and(|row| row.width == width) {
        return 1.0;
    }
    let (mut whole, mut seen) = (0, 0);
    for row in body.iter().take(50) {
        let raw = crate::kind::trimmed(sample.raw(row));
        // With a space behind it, a comma is a delimiter.
        let parted = delimiter == b',' && raw.windows(2).any(|w| w == b", ");
        seen += 1;
        let kind = crate::kind::kind(raw, false);
        whole += usize::from(!parted && (kind.is_value() && kind != Kind::Json));
    }
    if whole * 2 > seen { 0.2 } else { 1.0 }
}

/// Whether most of the delimiters stand within dates and times.
fn within_dates(sample: &Sample<'_>, body: &[&Row]) -> bool {
    let delimiter = sample.dialect.delimiter;
    if !matches!(delimiter, b'/' | b'-' | b':' | b'.') {
        return false;
    }
    let (mut within, mut all) = (0, 0);
    for row in body.iter().take(50) {
        let raw = sample.raw(row);
        all += memchr::memchr_iter(delimiter, raw).count();
        for run in raw.split(|byte| !byte.is_ascii_digit() && *byte != delimiter) {
            if run.len() >= 4 && matches!(crate::kind::kind(run, false), Kind::Date | Kind::Time) {
                within += memchr::memchr_iter(delimiter, run).count();
            }
        }
    }
    within * 2 > all
}

/// Commas with a space behind them, in rows of different widths or in long words alone, are those of
/// sentences.
fn sentence(sample: &Sample<'_>, body: &[&Row], pattern: f64) -> f64 {
    let (mut spaced, mut all, mut values, mut bytes) = (0, 0, 0, 0);
    for row in body.iter().take(50) {
        let raw = sample.raw(row);
        for at in memchr::memchr_iter(b',', raw) {
            all += 1;
            spaced += usize::from(raw.get(at + 1) == Some(&b' '));
        }
        values += sample
            .kinds(row)
            .iter()
            .filter(|kind| kind.is_value())
            .count();
        bytes += raw.len();
    }
    let is_spaced = spaced * 10 >= all * 8;
    let is_ragged = pattern <= 0.9 && !sample.dialect.trim;
    let is_prose = values == 0 && bytes > 14 * (all + body.len().min(50));
    if is_spaced && (is_ragged || is_prose) {
        0.25
    } else {
        1.0
    }
}
