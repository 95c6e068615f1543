//! The head of a file: whether it is text that can be a CSV, its header, and where its data begins.
//!
//! Every refusal here is met by the person who uploaded the file, so it says what was found and
//! what to do. It must not know of definitions: whether the header fits one is theirs to say.

use batchfleet_grammar::{
    BoundaryFinder, Dialect, Limits, Position, RecordReader, RecordSpan, bom_len,
};

use crate::job::{Reason, ReasonCode};

/// How much of the file is looked at. A header must end within it.
pub const HEAD_BYTES: u64 = 1 << 20;

/// What a layout keeps of a header, at most, as JSON: it is one stored item, and those end at 400 KB.
const HEADER_BYTES_MAX: usize = 256 << 10;

/// What the head says.
#[derive(Debug, PartialEq, Eq)]
pub struct Head {
    /// The header's cells.
    pub header: Vec<String>,
    /// Where the data begins.
    pub data: Position,
}

/// Files that are not CSV, by their first bytes, and what to do about them. What can be decoded was
/// decoded before: of that only what was packed twice comes here.
const MAGIC: [(&[u8], &str); 7] = [
    (
        &[0xFF, 0xFE],
        "the text in the file is UTF-16 once more: save it as UTF-8",
    ),
    (
        &[0xFE, 0xFF],
        "the text in the file is UTF-16 once more: save it as UTF-8",
    ),
    (
        &[0x1F, 0x8B],
        "the file is compressed twice, with gzip within: unpack it once",
    ),
    (
        &[0x28, 0xB5, 0x2F, 0xFD],
        "the file is compressed twice, with zstd within: unpack it once",
    ),
    (
        b"PK\x03\x04",
        "the file is a ZIP archive or a spreadsheet (.xlsx, .ods): save it as CSV",
    ),
    (
        &[0xD0, 0xCF, 0x11, 0xE0],
        "the file is an Excel workbook (.xls): save it as CSV",
    ),
    (
        b"%PDF",
        "the file is a PDF document: export the data as CSV",
    ),
];

/// Reads the head. `bytes` are the first of the file, `whole` says whether they are all of it.
///
/// # Errors
/// The reason why the job can't begin.
pub fn read(bytes: &[u8], whole: bool, dialect: Dialect) -> Result<Head, Reason> {
    if bytes.is_empty() {
        return Err(empty(
            "the file is empty: a CSV needs at least a header line",
        ));
    }
    for (magic, message) in MAGIC {
        if bytes.starts_with(magic) {
            return Err(bad_header(message));
        }
    }
    let skip = bom_len(bytes);
    let Some(span) = first_record(bytes, skip, whole, dialect) else {
        return Err(if whole {
            empty("the file has only blank lines: a CSV needs at least a header line")
        } else {
            bad_header(
                "the first line does not end within the first 1048576 bytes: the file is no CSV, or a quotation mark in its header is never closed",
            )
        });
    };
    let line = &bytes[span.start as usize..span.end as usize];
    if let Some(at) = line.iter().position(|&b| b == 0) {
        return Err(bad_header(&format!(
            "the first line has a NUL byte at byte {}: the file is binary, not text",
            span.start as usize + at
        )));
    }
    let at = Position {
        offset: span.start,
        record: 0,
        line: span.line,
    };
    let header = header_cells(line, dialect, at)?;
    let data = Position {
        offset: span.end,
        record: 0,
        line: span.line + span.lines,
    };
    Ok(Head { header, data })
}

/// The first record that is not blank; blank lines above a header are passed over.
fn first_record(bytes: &[u8], skip: usize, whole: bool, dialect: Dialect) -> Option<RecordSpan> {
    let mut found = None;
    let mut take = |span: RecordSpan| {
        if found.is_none() && !span.blank {
            found = Some(span);
        }
    };
    let mut finder = BoundaryFinder::new(
        dialect,
        Position {
            offset: skip as u64,
            record: 0,
            line: 1,
        },
    );
    finder.push(&bytes[skip..], &mut take);
    if whole {
        finder.finish(&mut take);
    }
    found
}

fn header_cells(line: &[u8], dialect: Dialect, at: Position) -> Result<Vec<String>, Reason> {
    let limits = Limits::default();
    let mut reader = RecordReader::new(line, dialect, limits, at);
    let Some(record) = reader.read() else {
        return Err(empty("the file has no header line"));
    };
    if let Some(fault) = record.fault() {
        return Err(bad_header(&format!(
            "the header in line {}: {fault}",
            at.line
        )));
    }
    let mut header = Vec::with_capacity(record.len());
    for (column, cell) in record.cells().enumerate() {
        let Ok(name) = std::str::from_utf8(cell) else {
            return Err(bad_header(&format!(
                "the header in line {} is not UTF-8 text (column {}): save the file as UTF-8",
                at.line,
                column + 1
            )));
        };
        if name
            .chars()
            .any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
        {
            return Err(bad_header(&format!(
                "the header in line {} has a control character in column {}: the file is binary, not text",
                at.line,
                column + 1
            )));
        }
        header.push(name.to_owned());
    }
    check_size(&header, at.line)?;
    Ok(header)
}

/// Refuses a header that a layout could not keep.
pub(crate) fn check_size(header: &[String], line: u64) -> Result<(), Reason> {
    // As it is stored: a quotation mark or a line break in a name takes two bytes there.
    let bytes = serde_json::to_string(header).map_or(usize::MAX, |text| text.len());
    if bytes > HEADER_BYTES_MAX {
        return Err(bad_header(&format!(
            "the header in line {line} is {bytes} bytes long as JSON, over the limit of {HEADER_BYTES_MAX}"
        )));
    }
    Ok(())
}

fn empty(message: &str) -> Reason {
    Reason {
        code: ReasonCode::EmptyFile,
        message: message.to_owned(),
    }
}

pub(crate) fn bad_header(message: &str) -> Reason {
    Reason {
        code: ReasonCode::BadHeader,
        message: message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(bytes: &[u8]) -> Result<Head, Reason> {
        read(bytes, true, Dialect::default())
    }

    #[test]
    fn a_header_is_read_and_the_data_begins_behind_it() {
        let found = head(b"a,\"b\nc\"\n1,2\n").unwrap();
        assert_eq!(found.header, ["a", "b\nc"]);
        assert_eq!(
            (found.data.offset, found.data.line, found.data.record),
            (8, 3, 0)
        );
        assert_eq!(head(b"\xEF\xBB\xBFa,b\r\n").unwrap().header, ["a", "b"]);
        assert_eq!(head(b"a,b").unwrap().data.offset, 3);
        assert_eq!(
            head(b"\n\r\na,b\n").unwrap().data,
            Position {
                offset: 7,
                record: 0,
                line: 4
            }
        );
    }

    #[test]
    fn what_is_no_csv_is_refused_with_a_sentence() {
        for (bytes, code, words) in [
            (&b""[..], ReasonCode::EmptyFile, "empty"),
            (b"\n\n", ReasonCode::EmptyFile, "blank"),
            (b"\xEF\xBB\xBF", ReasonCode::EmptyFile, "blank"),
            (&[0; 4096], ReasonCode::BadHeader, "NUL"),
            (b"a,\x01\n", ReasonCode::BadHeader, "control"),
            (b"a,\xE9t\xE9\n", ReasonCode::BadHeader, "UTF-8"),
            (b"\xFF\xFEa\0", ReasonCode::BadHeader, "UTF-16"),
            (b"\x1F\x8B\x08", ReasonCode::BadHeader, "gzip"),
            (b"PK\x03\x04", ReasonCode::BadHeader, "spreadsheet"),
            (b"\"a,b\n", ReasonCode::BadHeader, "line 1"),
        ] {
            let reason = head(bytes).unwrap_err();
            assert_eq!(reason.code, code, "{bytes:?}");
            assert!(reason.message.contains(words), "{}", reason.message);
        }
        // A layout of more than 400 KB could not be kept, and the job would never end: 180,000 quotation
        // marks are 360,000 bytes of JSON.
        let quotes = format!("\"{}\"\n", "\"\"".repeat(180_000));
        let reason = head(quotes.as_bytes()).unwrap_err();
        assert!(
            reason.message.contains("360004 bytes"),
            "{}",
            reason.message
        );
        let long = vec![b'x'; 2 << 20];
        let reason = read(&long[..1 << 20], false, Dialect::default()).unwrap_err();
        assert!(
            reason.message.contains("does not end"),
            "{}",
            reason.message
        );
    }
}
