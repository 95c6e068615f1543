//! Finds the table: tries dialects on a sample, takes the best, and reads the header with it.
//!
//! The dialects tried are those whose bytes stand in the text, in two rounds: delimiters with quotes
//! first, and for the best of them escapes, line ends and spaces. What the definition fixes is not
//! tried but taken. It must not know where the bytes come from.

use batchfleet_definition::Reading;
use batchfleet_grammar::{Dialect, Limits, LineEnd, Position, RecordFault, RecordReader, bom_len};

use crate::candidates::{Candidate, Clues, candidates};
use crate::content::{Content, content};
use crate::header::{Column, Verdict, decide};
use crate::kind::Kind;
use crate::marks::{quoted_fields, raw_fields};
use crate::region::{Region, region};
use crate::sample::{Extent, Role, Row, Sample, after_lines};
use crate::{Found, NotATable};

/// What a layout keeps of a header, at most, as JSON: it is one stored item, and those end at 400 KB.
pub const HEADER_BYTES_MAX: usize = 256 << 10;

/// What is read with the dialect found.
const FINAL: Extent = Extent {
    bytes: 256 << 10,
    rows: 2_000,
    cells: 30_000,
};

/// Rows whose words are compared with the header's.
const VALUES_MAX: usize = 40;

/// Finds the table in `head`, the first bytes of a text in UTF-8; `whole` says whether they are all
/// of it. `names` are names of columns that the definition knows, if it does: a row with those is the
/// header.
///
/// # Errors
/// Why there is none.
pub fn table(
    head: &[u8],
    whole: bool,
    reading: &Reading,
    names: &[&str],
) -> Result<Found, NotATable> {
    check_content(head)?;
    let mut evidence = Vec::new();
    let mut reading = reading.clone();
    let mut at = Position::after_bom(bom_len(head) as u64);
    let line_end = reading.line_end.unwrap_or(LineEnd::Any);
    let mut given_rows = reading.preamble_rows;
    if let Some(delimiter) =
        excel_hint(&head[at.offset as usize..]).filter(|_| given_rows.is_none_or(|rows| rows > 0))
    {
        let line = at;
        at = after_lines(head, at, 1, line_end);
        given_rows = given_rows.map(|rows| rows - 1);
        evidence.push(format!(
            "line {} says that the delimiter is {}, as Excel writes it",
            line.line,
            shown(delimiter)
        ));
        reading.delimiter = reading.delimiter.or(Some(delimiter));
    }
    if let Some(rows) = given_rows {
        at = after_lines(head, at, rows, line_end);
    }
    check_text(head, at, whole)?;
    let clues = Clues::of(&head[at.offset as usize..], &reading);
    let tried = candidates(
        head,
        at,
        whole,
        &reading,
        &clues,
        given_rows.is_some(),
        names,
    );
    let Some((best, margin)) = tried else {
        return Err(no_first_line(head, whole));
    };
    evidence.extend(best.evidence(&clues));
    finish(
        head,
        whole,
        &reading,
        &best,
        margin,
        given_rows.is_some(),
        names,
        evidence,
    )
}

/// What is no text at all.
fn check_content(head: &[u8]) -> Result<(), NotATable> {
    let sentence = match content(head) {
        Content::Gzip => "the file is compressed with gzip: unpack it first",
        Content::Zstd => "the file is compressed with zstd: unpack it first",
        Content::Other(foreign) => foreign.sentence(),
        Content::Csv | Content::JsonLines | Content::JsonArray => {
            if head.starts_with(&[0xFF, 0xFE]) || head.starts_with(&[0xFE, 0xFF]) {
                "the file is UTF-16 text: save it as UTF-8"
            } else if head.is_empty() {
                return Err(NotATable::Empty(
                    "the file is empty: a CSV needs at least a header line".to_owned(),
                ));
            } else {
                return Ok(());
            }
        }
    };
    Err(NotATable::Unreadable(sentence.to_owned()))
}

/// What has no line, or none that ends.
fn check_text(head: &[u8], at: Position, whole: bool) -> Result<(), NotATable> {
    let text = &head[at.offset as usize..];
    let is_blank = |byte: &u8| matches!(byte, b'\n' | b'\r' | b' ');
    if text.iter().all(is_blank) {
        if !whole {
            return Err(no_first_line(head, whole));
        }
        let message = if at.offset as usize > bom_len(head) {
            "the file has no line below those that are no part of the table"
        } else {
            "the file has only blank lines: a CSV needs at least a header line"
        };
        return Err(NotATable::Empty(message.to_owned()));
    }
    let start = text.iter().position(|byte| !is_blank(byte)).unwrap_or(0);
    let line = text[start..]
        .split(|byte| matches!(byte, b'\n' | b'\r'))
        .next()
        .unwrap_or_default();
    // A whole line of NUL bytes, or many of them, is no text, whatever stands below.
    let nuls = memchr::memchr_iter(0, line).count();
    if nuls > 0 && nuls * 10 >= line.len() {
        let first = at.offset as usize + start + memchr::memchr(0, line).unwrap_or(0);
        return Err(NotATable::Unreadable(nul_message(first)));
    }
    Ok(())
}

fn nul_message(at: usize) -> String {
    format!("the first line has a NUL byte at byte {at}: the file is binary, not text")
}

fn no_first_line(head: &[u8], whole: bool) -> NotATable {
    NotATable::Unreadable(if whole {
        "a quotation mark opened in line 1 is never closed: no row can be read".to_owned()
    } else {
        format!(
            "the first line does not end within the first {} bytes: the file is no CSV, or a quotation mark in its header is never closed",
            head.len()
        )
    })
}

/// The delimiter of a first line `sep=;`, which Excel writes and reads.
fn excel_hint(text: &[u8]) -> Option<u8> {
    let end = memchr::memchr2(b'\n', b'\r', text)
        .unwrap_or(text.len())
        .min(16);
    let line = text[..end].trim_ascii_start();
    let line = line.strip_prefix(b"\"").unwrap_or(line);
    let (name, rest) = line.split_at_checked(4)?;
    if !name.eq_ignore_ascii_case(b"sep=") {
        return None;
    }
    let rest = rest.strip_suffix(b"\"").unwrap_or(rest);
    match rest {
        [delimiter, others @ ..] if others.iter().all(|b| matches!(b, b' ' | b',' | b';')) => {
            let dialect = Dialect::new(*delimiter, None);
            dialect.validate().is_ok().then_some(*delimiter)
        }
        _ => None,
    }
}

/// A byte as people read it.
pub(crate) fn shown(byte: u8) -> String {
    match byte {
        b'\t' => "the tab".to_owned(),
        b' ' => "the space".to_owned(),
        0x21..=0x7e => format!("`{}`", char::from(byte)),
        _ => format!("the byte {byte:#04x}"),
    }
}

/// Reads with the dialect found: the header, where the data begins, and what the rows say.
#[expect(
    clippy::too_many_arguments,
    reason = "it is the second half of `table`, with all that the first found"
)]
fn finish(
    head: &[u8],
    whole: bool,
    reading: &Reading,
    best: &Candidate,
    margin: f64,
    fixed_start: bool,
    names: &[&str],
    mut evidence: Vec<String>,
) -> Result<Found, NotATable> {
    let seen = settle(head, whole, reading, best, fixed_start, names);
    let Some((sample, region, trim_note)) = seen else {
        return Err(no_first_line(head, whole));
    };
    let dialect = sample.dialect;
    let first = &sample.rows[region.start];
    let body = body(&sample, &region);
    if body.is_empty() && reading.quote.is_none() && dialect.quote.is_none() {
        check_closed(sample.raw(first), first.at.line)?;
    }
    evidence.extend(trim_note);
    let verdict = if let Some(header) = reading.header {
        Verdict {
            header,
            confidence: 1.0,
            reason: "whether there is a header is given".to_owned(),
        }
    } else if region.names_found > 0
        && region.names_found * 2 >= names.len().min(first.width).max(1)
    {
        Verdict {
            header: true,
            confidence: 0.98,
            reason: format!(
                "the row in line {} has {} of the definition's names",
                first.at.line, region.names_found
            ),
        }
    } else {
        judge(&sample, first, &body, region.width)
    };
    evidence.push(verdict.reason);
    let preamble_rows = (first.at.line - Position::START.line) as u32;
    if preamble_rows > 0 {
        evidence.push(format!(
            "the table begins in line {}: what stands above is no part of it",
            first.at.line
        ));
    }
    if let Some(comment) = dialect.comment {
        evidence.push(format!(
            "lines that begin with {} are no rows",
            shown(comment)
        ));
    }
    evidence.extend(rows_note(&sample, &body, region.width, region.footers));
    let (columns, data) = columns(
        head,
        whole,
        reading,
        dialect,
        first,
        region.width,
        verdict.header,
    )?;
    let line_ends = sample.line_ends();
    Ok(Found {
        dialect,
        preamble_rows,
        header: verdict.header,
        columns,
        data,
        confidence: (margin * verdict.confidence.sqrt()).clamp(0.0, 1.0),
        evidence,
        line_ends,
        footer_rows_guess: region.footers as u32,
    })
}

/// Reads with the dialect that was found until nothing more is found in what it makes of the file:
/// first comments, then spaces round cells, each of which may change what the rows are.
fn settle<'h>(
    head: &'h [u8],
    whole: bool,
    reading: &Reading,
    best: &Candidate,
    fixed_start: bool,
    names: &[&str],
) -> Option<(Sample<'h>, Region, Option<String>)> {
    let mut dialect = best.dialect;
    let mut trim_note = None;
    loop {
        let mut sample = Sample::read(head, best.start, dialect, FINAL, whole);
        if sample.rows.is_empty() {
            let extent = Extent {
                bytes: head.len(),
                ..FINAL
            };
            sample = Sample::read(head, best.start, dialect, extent, whole);
        }
        let region = region(&mut sample, reading, fixed_start, names)?;
        dialect.comment = region.comment;
        if reading.trim.is_none() && !dialect.trim {
            let rows = body(&sample, &region);
            dialect.trim = true;
            trim_note = spaces_round(&sample, &sample.rows[region.start], &rows)
                .filter(|_| dialect.validate().is_ok());
            dialect.trim = trim_note.is_some();
        }
        if dialect == sample.dialect {
            return Some((sample, region, trim_note));
        }
    }
}

/// The rows below the first.
fn body<'s>(sample: &'s Sample<'_>, region: &Region) -> Vec<&'s Row> {
    let below = sample.rows[region.start + 1..].iter();
    below.filter(|row| row.width > 0).collect()
}

/// A text of one row that begins with a quotation mark, and has no other, is not a row with one in it
/// but the beginning of a cell that never ends.
fn check_closed(raw: &[u8], line: u64) -> Result<(), NotATable> {
    if raw.first() == Some(&b'"') && memchr::memchr_iter(b'"', raw).count() == 1 {
        return Err(NotATable::Unreadable(format!(
            "the header in line {line}: the quotation mark opened there is never closed"
        )));
    }
    Ok(())
}

/// That most cells have spaces around them, or lines nothing else, where it is so.
fn spaces_round(sample: &Sample<'_>, first: &Row, body: &[&Row]) -> Option<String> {
    let (mut padded, mut all) = (0, 0);
    let is_space = |byte: &u8| *byte == b' ' || *byte == b'\t';
    for row in std::iter::once(&first).chain(body).take(100) {
        let raw = sample.raw(row);
        let raw = raw.strip_suffix(b"\n").unwrap_or(raw);
        let raw = raw.strip_suffix(b"\r").unwrap_or(raw);
        for (index, cell) in raw_fields(raw, sample.dialect).into_iter().enumerate() {
            let begins = cell.first().is_some_and(is_space) && index > 0;
            let ends = cell.last().is_some_and(is_space);
            if !cell.trim_ascii().is_empty() {
                all += usize::from(index > 0 || ends);
                padded += usize::from(begins || ends);
            }
        }
    }
    let trim = all > 1 && padded * 10 >= all * 6 && sample.dialect.delimiter != b' ';
    let mut note = format!(
        "{padded} of {all} cells looked at have spaces around them, which are no part of them"
    );
    // Only a dialect that trims takes a line of spaces for a blank one.
    let is_spaces = |row: &&Row| row.role == Role::Blank && sample.raw(row).contains(&b' ');
    let spaces = sample.rows.iter().filter(is_spaces).count();
    let has_spaces = spaces > 0 && sample.dialect.delimiter != b' ';
    if has_spaces && !trim {
        note = format!("{spaces} lines have nothing but spaces, which are no part of a cell");
    }
    (trim || has_spaces).then_some(note)
}

/// Whether the first row is the header, by what it and the rows below look like.
fn judge(sample: &Sample<'_>, first: &Row, body: &[&Row], width: usize) -> Verdict {
    let top: Vec<(String, Kind)> = sample
        .cells(first)
        .iter()
        .zip(sample.kinds(first))
        .map(|(cell, kind)| (String::from_utf8_lossy(cell).into_owned(), *kind))
        .collect();
    let count = width.max(top.len()).min(512);
    let mut columns = vec![Column::default(); count];
    let mut seen: Vec<Vec<Kind>> = vec![Vec::new(); count];
    for (index, row) in body.iter().take(200).enumerate() {
        for (column, kind) in seen.iter_mut().zip(sample.kinds(row)) {
            if !kind.is_nothing() {
                column.push(kind.family());
            }
        }
        if index < VALUES_MAX {
            for (column, cell) in columns.iter_mut().zip(sample.cells(row)) {
                column
                    .values
                    .push(String::from_utf8_lossy(&cell).into_owned());
            }
        }
    }
    if names_alone_are_quoted(sample, first, body) {
        return Verdict {
            header: true,
            confidence: 0.95,
            reason: "every cell of the first row stands in quotes, and below there are columns without any"
                .to_owned(),
        };
    }
    for (column, kinds) in columns.iter_mut().zip(&seen) {
        let mut most = None;
        for kind in kinds {
            let count = kinds.iter().filter(|other| *other == kind).count();
            if count * 10 >= kinds.len() * 7 {
                most = Some(*kind);
                break;
            }
        }
        column.family = most;
    }
    decide(&top, &columns, body.len())
}

/// Programs that quote texts and no numbers quote every name: `"","0","1"` above `"a",5,7`.
fn names_alone_are_quoted(sample: &Sample<'_>, first: &Row, body: &[&Row]) -> bool {
    let quoted = |row: &Row| {
        let raw = sample.raw(row);
        let raw = raw.strip_suffix(b"\n").unwrap_or(raw);
        let raw = raw.strip_suffix(b"\r").unwrap_or(raw);
        quoted_fields(raw, sample.dialect)
    };
    let names = quoted(first);
    if sample.dialect.quote.is_none() || body.len() < 2 || names.len() < 2 || names.contains(&false)
    {
        return false;
    }
    let mut bare = vec![true; names.len()];
    for row in body.iter().take(20) {
        let (quoted, kinds) = (quoted(row), sample.kinds(row));
        for (column, is_bare) in bare.iter_mut().enumerate() {
            let is_there = kinds.get(column).is_some_and(|kind| !kind.is_nothing());
            *is_bare &= is_there && quoted.get(column) == Some(&false);
        }
    }
    bare.contains(&true)
}

/// What is to be said of rows that do not fit.
fn rows_note(sample: &Sample<'_>, body: &[&Row], width: usize, footers: usize) -> Vec<String> {
    let mut notes = Vec::new();
    let ragged = body.iter().filter(|row| row.width != width).count();
    if ragged > 0 {
        notes.push(format!(
            "{ragged} of {} rows looked at have not {width} cells",
            body.len()
        ));
    }
    if footers > 0 {
        notes.push(format!(
            "the last {footers} rows look like totals or notes, not like rows of the table"
        ));
    }
    let blanks = sample
        .rows
        .iter()
        .filter(|row| row.role == Role::Blank)
        .count();
    if blanks > 0 {
        notes.push(format!("{blanks} blank lines were passed over"));
    }
    notes
}

/// The names of the columns, and where the first record behind the header begins.
fn columns(
    head: &[u8],
    whole: bool,
    reading: &Reading,
    dialect: Dialect,
    first: &Row,
    width: usize,
    header: bool,
) -> Result<(Vec<String>, Position), NotATable> {
    let at = Position {
        record: 0,
        ..first.at
    };
    if !header {
        check_width(head, dialect, at)?;
        let names = if reading.columns.is_empty() {
            (1..=width)
                .map(|number| format!("column_{number}"))
                .collect()
        } else {
            reading.columns.clone()
        };
        return Ok((names, at));
    }
    let limits = Limits::default();
    let mut reader = RecordReader::new(&head[at.offset as usize..], dialect, limits, at);
    let Some(record) = reader.read() else {
        return Err(no_first_line(head, whole));
    };
    if let Some(fault) = record.fault() {
        return Err(NotATable::Unreadable(format!(
            "the header in line {}: {fault}",
            at.line
        )));
    }
    let raw = record.raw();
    if let Some(nul) = memchr::memchr(0, raw) {
        return Err(NotATable::Unreadable(nul_message(at.offset as usize + nul)));
    }
    let mut names = Vec::with_capacity(record.len());
    for (column, cell) in record.cells().enumerate() {
        names.push(name_of(cell, column, at.line)?);
    }
    let bytes = serde_json::to_string(&names).map_or(usize::MAX, |text| text.len());
    if bytes > HEADER_BYTES_MAX {
        return Err(NotATable::Unreadable(format!(
            "the header in line {} is {bytes} bytes long as JSON, over the limit of {HEADER_BYTES_MAX}",
            at.line
        )));
    }
    let data = Position {
        record: 0,
        ..reader.position()
    };
    Ok((names, data))
}

/// Refuses a table whose first row has more cells than are kept of one: of its columns there would be
/// no end.
fn check_width(head: &[u8], dialect: Dialect, at: Position) -> Result<(), NotATable> {
    let text = &head[at.offset as usize..];
    let mut reader = RecordReader::new(text, dialect, Limits::default(), at);
    match reader.read().and_then(|record| record.fault()) {
        Some(fault @ RecordFault::TooManyColumns { .. }) => Err(NotATable::Unreadable(format!(
            "the first row, in line {}: {fault}",
            at.line
        ))),
        _ => Ok(()),
    }
}

fn name_of(cell: &[u8], column: usize, line: u64) -> Result<String, NotATable> {
    let Ok(name) = std::str::from_utf8(cell) else {
        return Err(NotATable::Unreadable(format!(
            "the header in line {line} is not UTF-8 text (column {}): save the file as UTF-8",
            column + 1
        )));
    };
    if name.chars().any(|c| c.is_control() && !c.is_whitespace()) {
        return Err(NotATable::Unreadable(format!(
            "the header in line {line} has a control character in column {}: the file is binary, not text",
            column + 1
        )));
    }
    Ok(name.to_owned())
}
