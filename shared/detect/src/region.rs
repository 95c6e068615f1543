//! Where among a sample's rows the table is: what stands above it, how wide it is, what ends it.
//!
//! Exports put titles, dates and totals round their tables. A row is above the table if it is
//! narrower than it, or nearly empty, or a pair of a name and a value. It must not know which dialect
//! is right, nor decide whether the first row names the columns.

use batchfleet_definition::Reading;

use crate::kind::{Kind, trimmed};
use crate::sample::{Role, Row, Sample};
use crate::words::is_known;

/// A table among the rows of a sample.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Region {
    /// The index of its first row, the header if there is one.
    pub(crate) start: usize,
    /// How many cells most of its rows have.
    pub(crate) width: usize,
    /// The byte of comment lines, if there are any in it. Where they all stand above, no more is said
    /// of them than of other titles: a row further down may begin with that byte.
    pub(crate) comment: Option<u8>,
    /// Rows at the end that look like totals or signatures.
    pub(crate) footers: usize,
    /// How many names the definition knows are in its first row.
    pub(crate) names_found: usize,
}

/// No header stands further down than this many rows.
const PREAMBLE_ROWS_MAX: usize = 60;

/// Finds the table. `fixed` says that nothing above it is to be passed over. Rows of `sample` that turn
/// out to be comments lose their width. `None` where there is no row with cells.
pub(crate) fn region(
    sample: &mut Sample<'_>,
    reading: &Reading,
    fixed: bool,
    names: &[&str],
) -> Option<Region> {
    // Where rows begin at once, each record is one, whatever it looks like.
    let is_strict = fixed && reading.header == Some(false);
    if !is_strict {
        sample.pass_over_empty();
    }
    let width = common_width(sample)?;
    let is_known = reading.comment.is_some() || sample.dialect.comment.is_some();
    let mark = if is_known {
        sample.dialect.comment
    } else {
        comment_byte(sample, width)
    };
    if let Some(mark) = mark {
        sample.pass_over_comments(mark);
    }
    let width = common_width(sample)?;
    let first = if is_strict {
        let is_comment = |row: &Row| mark.is_some_and(|mark| sample.begins_with(row, mark));
        let is_record = |row: &Row| !row.skippable && !is_comment(row);
        sample.rows.iter().position(is_record)?
    } else {
        sample.rows.iter().position(|row| row.width > 0)?
    };
    let mut start = first;
    let mut names_found = count_names(sample, start, names);
    if !fixed {
        start = find_start(sample, width);
        names_found = count_names(sample, start, names);
        // The definition's names decide, wherever they are.
        for index in 0..sample.rows.len().min(PREAMBLE_ROWS_MAX) {
            let found = count_names(sample, index, names);
            if found > names_found && (found > 1 || names.len() == 1) {
                (start, names_found) = (index, found);
            }
        }
    }
    let comment = if is_known {
        mark
    } else {
        let below = &sample.rows[start + 1..];
        mark.filter(|mark| below.iter().any(|row| sample.begins_with(row, *mark)))
            .or_else(|| ruler_byte(sample, start, width))
    };
    let footers = footers(sample, start, width);
    Some(Region {
        start,
        width,
        comment,
        footers,
        names_found,
    })
}

/// The width that the most cells are in: many narrow rows above a table do not outweigh it.
fn common_width(sample: &Sample<'_>) -> Option<usize> {
    let mut counts: Vec<(usize, usize)> = Vec::new();
    for row in sample.rows.iter().filter(|row| row.width > 0) {
        match counts.iter_mut().find(|(width, _)| *width == row.width) {
            Some((_, count)) => *count += 1,
            None => counts.push((row.width, 1)),
        }
    }
    let several = counts.iter().any(|(width, count)| *width > 1 && *count > 1);
    let weight = |width: usize, count: usize| {
        // One row alone makes a width only where no other has two.
        let count = if several && count == 1 { 0 } else { count };
        (2 * width - 1) * count
    };
    let mut best: Option<(usize, usize)> = None;
    for (width, count) in counts {
        if best.is_none_or(|(w, c)| weight(width, count) > weight(w, c)) {
            best = Some((width, count));
        }
    }
    best.map(|(width, _)| width)
}

/// `#` or the like, if lines that begin with it are no rows.
fn comment_byte(sample: &Sample<'_>, width: usize) -> Option<u8> {
    let rows = &sample.rows;
    let note = rows.iter().find_map(|row| match row.role {
        Role::Note(byte) => Some(byte),
        _ => None,
    })?;
    let mut dialect = sample.dialect;
    dialect.comment = Some(note);
    // Of `//` one byte would make the comment, and `/home` is none.
    let is_cell = |row: &Row| row.role == Role::Cells && sample.begins_with(row, note);
    if dialect.validate().is_err() || note == b'/' && rows.iter().any(is_cell) {
        return None;
    }
    let is_note = |row: &&Row| row.role == Role::Note(note);
    let cells = rows.iter().filter(|row| row.role == Role::Cells).count();
    // As many cells as the table has, and no space behind the mark: a row, whatever it begins with.
    let is_row = |row: &Row| row.width == width && width > 1 && !has_space_behind_mark(sample, row);
    // `#id,name` above the rows is the header, also where titles stand above it.
    let leading = rows.iter().take_while(|row| row.role != Role::Cells);
    let first_wide = rows
        .iter()
        .position(|row| row.role == Role::Cells && row.width == width)
        .unwrap_or(rows.len());
    let (above, below) = rows.split_at(first_wide);
    let is_header = leading.filter(is_note).last().is_some_and(is_row)
        || above
            .iter()
            .rfind(|row| row.width > 0)
            .filter(is_note)
            .is_some_and(is_row);
    let is_data = below.iter().filter(is_note).any(is_row);
    (cells > 0 && !is_header && !is_data).then_some(note)
}

fn has_space_behind_mark(sample: &Sample<'_>, row: &Row) -> bool {
    let text = trimmed(sample.raw(row));
    let text = text.strip_prefix(b"/").unwrap_or(text);
    text.get(1) == Some(&b' ')
}

/// The byte that begins lines drawn among the table's rows. Only where all of them begin with a frame or
/// with padding: elsewhere a row further down may begin with it, as negative numbers do.
fn ruler_byte(sample: &Sample<'_>, start: usize, width: usize) -> Option<u8> {
    let mut dialect = sample.dialect;
    let rows = sample.rows.get(start..)?;
    dialect.comment = rows.iter().find_map(|row| match row.role {
        Role::Ruler(byte) => Some(byte),
        _ => None,
    });
    let is_framed = |row: &Row| {
        let first = sample.raw(row).first();
        row.width != width || first.is_some_and(|byte| *byte == dialect.delimiter || *byte == b' ')
    };
    dialect
        .comment
        .filter(|_| dialect.validate().is_ok() && rows.iter().all(is_framed))
}

/// The row that the table begins with.
fn find_start(sample: &Sample<'_>, width: usize) -> usize {
    let rows = &sample.rows;
    let mut start = rows.iter().position(|row| row.width == width).unwrap_or(0);
    if width == 1 {
        return first_of_last_block(sample, start);
    }
    let passed = after_sparse(sample, after_pairs(sample, start, width), width);
    let passed = after_title(sample, passed);
    if passed > start {
        return passed;
    }
    // A header of another width, or ragged rows, right above.
    while start > 0 {
        let above = &rows[start - 1];
        let near = above.width >= 2 && above.width.abs_diff(width) <= (width / 4).max(1);
        let joined = near && !is_sparse(above, above.width) && !is_pair(sample, above)
            || is_header_of(sample, above, &rows[start]);
        if !joined {
            break;
        }
        start -= 1;
    }
    start
}

/// A row of names alone, above one with values, though it has fewer or more cells.
fn is_header_of(sample: &Sample<'_>, above: &Row, below: &Row) -> bool {
    let words = |row: &Row| sample.kinds(row).iter().all(|kind| *kind == Kind::Word);
    let values = |row: &Row| sample.kinds(row).iter().any(|kind| kind.is_value());
    above.width >= 2 && above.width * 2 >= below.width && words(above) && values(below)
}

/// In a table of one column, a title with a blank line below stands above it.
fn first_of_last_block(sample: &Sample<'_>, start: usize) -> usize {
    let rows = &sample.rows;
    let blank = rows
        .iter()
        .skip(start)
        .take(4)
        .position(|row| row.role == Role::Blank);
    match blank {
        Some(1) => {
            let next = rows
                .iter()
                .enumerate()
                .skip(start + 1)
                .find(|(_, row)| row.width > 0);
            let rows_below = rows
                .iter()
                .skip(start + 1)
                .filter(|row| row.width > 0)
                .count();
            match next {
                Some((index, _)) if rows_below > 2 => index,
                _ => start,
            }
        }
        _ => start,
    }
}

/// `Date:;01.02.2024`: a name with its value.
fn is_pair(sample: &Sample<'_>, row: &Row) -> bool {
    if row.width < 2 || row.filled > 3 {
        return false;
    }
    let cells = sample.cells(row);
    cells.first().is_some_and(|cell| cell.last() == Some(&b':'))
}

/// Passes pairs, and a short block of as many cells that a blank row parts from the table.
fn after_pairs(sample: &Sample<'_>, start: usize, width: usize) -> usize {
    let rows = &sample.rows;
    let mut at = start;
    while at + 1 < rows.len().min(PREAMBLE_ROWS_MAX)
        && (rows[at].width == 0 || is_pair(sample, &rows[at]))
    {
        at += 1;
    }
    if rows[at].width != width {
        // What comes behind the pairs is no table of this width: they are the table.
        let next = rows
            .iter()
            .enumerate()
            .skip(at)
            .find(|(_, row)| row.width == width);
        at = next.map_or(start, |(index, _)| index);
    }
    let block_end = rows
        .iter()
        .enumerate()
        .skip(at)
        .take(12)
        .find(|(_, row)| row.role == Role::Blank);
    let Some((blank, _)) = block_end else {
        return at;
    };
    let Some((next, _)) = rows
        .iter()
        .enumerate()
        .skip(blank)
        .find(|(_, row)| row.width > 0)
    else {
        return at;
    };
    let above = blank - at;
    let below = rows
        .iter()
        .skip(next)
        .take_while(|row| row.role != Role::Blank)
        .filter(|row| row.width == width)
        .count();
    let values = |row: &Row| sample.kinds(row).iter().any(|kind| kind.is_value());
    // A table of its own has a header without values and rows with them; what stands above one
    // is shorter and has values from its first row on, or is one row.
    // Names in every column, with values right below the blank row, are the header.
    let kinds = sample.kinds(&rows[at]);
    let is_name = |kind: &&Kind| !kind.is_value() && !kind.is_nothing();
    let named = kinds.iter().filter(is_name).count();
    let is_header = width >= 3
        && rows[at].width == width
        && named + 1 >= width
        && values(&rows[next])
        && rows[next].width == width;
    let is_preamble = above == 1 && below >= 2 && !is_header
        || (above <= 8 && below > 2 * above && values(&rows[at]) && !values(&rows[next]));
    if is_preamble && rows[next].width == width {
        next
    } else {
        at
    }
}

fn is_sparse(row: &Row, width: usize) -> bool {
    width >= 3 && (row.filled <= 1 || row.filled * 3 <= width)
}

/// Passes rows that are nearly empty where a full one follows: titles, with the delimiters that a
/// spreadsheet adds to every row.
fn after_sparse(sample: &Sample<'_>, start: usize, width: usize) -> usize {
    let rows = &sample.rows;
    let mut at = start;
    while at < rows.len().min(PREAMBLE_ROWS_MAX) {
        let row = &rows[at];
        let passes = row.width == 0
            || row.filled == 0
            || is_sparse(row, width)
            || row.filled * 2 <= width && (row.filled <= 2 || is_pair(sample, row));
        if !passes {
            break;
        }
        at += 1;
    }
    let Some(full) = rows.get(at) else {
        return start;
    };
    // What is passed is in no record, so the full row must be a header: nothing but names, or years.
    let cells = sample.cells(full);
    let values = sample
        .kinds(full)
        .iter()
        .zip(&cells)
        .filter(|(kind, cell)| kind.is_value() && !is_year(cell))
        .count();
    let known = cells
        .iter()
        .any(|cell| is_known(&String::from_utf8_lossy(cell)));
    let next = rows.iter().skip(at + 1).find(|row| row.width > 0);
    let values_below = next.is_some_and(|row| sample.kinds(row).iter().any(|kind| kind.is_value()));
    let is_wide = full.width + width / 4 >= width && full.filled * 5 >= width * 3;
    let is_header = is_wide && values == 0 && (known || values_below);
    // Rows of data may be nearly empty too: then the full one is one of them.
    let mut below: Vec<&Row> = rows.iter().skip(at).filter(|row| row.width > 0).collect();
    let is_empty = |row: &Row| row.filled * 2 <= width && row.filled <= 2 || is_sparse(row, width);
    while below.last().is_some_and(|row| is_empty(row)) {
        below.pop();
    }
    let empty = below.iter().filter(|row| is_empty(row)).count();
    if empty * 6 > below.len() {
        return start;
    }
    if is_header && at < PREAMBLE_ROWS_MAX {
        at
    } else {
        start
    }
}

fn is_year(cell: &[u8]) -> bool {
    matches!(cell, [b'1', b'8' | b'9', _, _] | [b'2', b'0' | b'1', _, _])
        && cell.iter().all(u8::is_ascii_digit)
}

/// Passes a line that is no header where the next one plainly is: a title with delimiters in it.
fn after_title(sample: &Sample<'_>, start: usize) -> usize {
    let known = |row: &Row| {
        let names = sample.cells(row);
        let is_known = |cell: &&Vec<u8>| is_known(&String::from_utf8_lossy(cell));
        names.iter().filter(is_known).count()
    };
    let mut rows = sample
        .rows
        .iter()
        .enumerate()
        .skip(start)
        .filter(|(_, row)| row.width > 0);
    let (Some((_, title)), Some((index, header)), Some((_, below))) =
        (rows.next(), rows.next(), rows.next())
    else {
        return start;
    };
    let values = |row: &Row| {
        sample
            .kinds(row)
            .iter()
            .filter(|kind| kind.is_value())
            .count()
    };
    let is_header = header.filled >= 2
        && values(header) == 0
        && values(below) > 0
        && known(header) * 2 >= header.filled;
    if is_header && header.width >= title.width && known(title) == 0 {
        index
    } else {
        start
    }
}

/// How many of the definition's names are in a row.
fn count_names(sample: &Sample<'_>, index: usize, names: &[&str]) -> usize {
    if names.is_empty() {
        return 0;
    }
    let Some(row) = sample.rows.get(index).filter(|row| row.width > 0) else {
        return 0;
    };
    let mut found = 0;
    for cell in sample.cells(row) {
        let text = String::from_utf8_lossy(&cell).to_lowercase();
        found += usize::from(names.iter().any(|name| name.trim().to_lowercase() == text));
    }
    found
}

/// What a row of totals, or a last line, begins with, in lower case.
const FOOTER_WORDS: [&str; 22] = [
    "total",
    "sum",
    "summe",
    "gesamt",
    "subtotal",
    "grand total",
    "somme",
    "totaal",
    "totale",
    "suma",
    "end",
    "ende",
    "fin",
    "eof",
    "trailer",
    "source:",
    "quelle:",
    "note:",
    "end of",
    "--",
    "saldo",
    "rows:",
];

/// Rows at the end that look like no records of the table.
fn footers(sample: &Sample<'_>, start: usize, width: usize) -> usize {
    if !sample.to_the_end {
        return 0;
    }
    let rows: Vec<&Row> = sample
        .rows
        .iter()
        .skip(start + 1)
        .filter(|row| row.width > 0)
        .collect();
    let mut count = 0;
    for (above, row) in rows.iter().rev().enumerate() {
        if above >= 10 || above + 1 >= rows.len() {
            break;
        }
        let cells = sample.cells(row);
        let first = cells.iter().find(|cell| !cell.is_empty());
        let text = first
            .map(|cell| String::from_utf8_lossy(cell).to_lowercase())
            .unwrap_or_default();
        let is_word = FOOTER_WORDS.iter().any(|word| {
            text.strip_prefix(word)
                .is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric()))
        }) || text.starts_with('(') && text.contains("row");
        let is_narrow = width >= 3 && row.width * 2 < width || width == 2 && row.width == 1;
        if is_word || is_narrow {
            count = above + 1;
        } else {
            break;
        }
    }
    count
}
