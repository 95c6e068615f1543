//! The head of a text: its table as detection finds it, or the reason why there is none.
//!
//! Every refusal here is met by the person who uploaded the file, so it says what was found and
//! what to do. It must not know how detection finds the table.

use batchfleet_definition::{Definition, Field, Reading};
use batchfleet_detect::{Content, Found, HEADER_BYTES_MAX, NotATable, content, table};

use crate::job::{Reason, ReasonCode};
use crate::rejects::is_rejects_file;

/// How much of the file is looked at. A header must end within it.
pub const HEAD_BYTES: u64 = 1 << 20;

/// Finds the table. `text` is the beginning of a text in UTF-8, `whole` says whether it is all of it.
/// What the definition fixes is taken as given, and the headers that it knows are looked for.
///
/// # Errors
/// The reason why the job can't begin.
pub fn read(text: &[u8], whole: bool, definition: &Definition) -> Result<Found, Reason> {
    let names: Vec<&str> = definition
        .fields()
        .iter()
        .flat_map(Field::headers)
        .collect();
    let mut reading = definition.reading().clone();
    // Fields are found by the names of their columns, so there must be some: better names that fit no
    // field, which is told with the nearest, than a header that is taken for a row.
    let is_named = |name: &&str| !name.starts_with("column_");
    if reading.header.is_none() && names.iter().any(is_named) {
        reading.header = Some(true);
    }
    check_packed(text)?;
    if let Some(found) = rejects_file(text, whole, &reading, &names) {
        return Ok(found);
    }
    table(text, whole, &reading, &names).map_err(|reason| match reason {
        NotATable::Empty(message) => Reason {
            code: ReasonCode::EmptyFile,
            message,
        },
        NotATable::Unreadable(message) => bad_header(&message),
    })
}

/// A rejects.csv that is uploaded again: it has a header and nothing above, whatever the definition says
/// of the files that its rows came from.
fn rejects_file(text: &[u8], whole: bool, reading: &Reading, names: &[&str]) -> Option<Found> {
    let is_told_apart = reading.header == Some(false) || reading.preamble_rows.is_some();
    let has_name = |name: &[u8]| {
        text.windows(name.len())
            .any(|it| it.eq_ignore_ascii_case(name))
    };
    if !is_told_apart || !has_name(b"_errors") {
        return None;
    }
    let reading = Reading {
        header: Some(true),
        preamble_rows: Some(0),
        ..reading.clone()
    };
    let found = table(text, whole, &reading, names).ok()?;
    is_rejects_file(&found.columns).then_some(found)
}

/// What is packed was unpacked before, and what is UTF-16 decoded: this is packed twice.
fn check_packed(text: &[u8]) -> Result<(), Reason> {
    let within = match content(text) {
        Content::Gzip => "gzip",
        Content::Zstd => "zstd",
        _ => return Ok(()),
    };
    Err(bad_header(&format!(
        "the file is compressed twice, with {within} within: unpack it once"
    )))
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

pub(crate) fn bad_header(message: &str) -> Reason {
    Reason {
        code: ReasonCode::BadHeader,
        message: message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use batchfleet_grammar::Position;

    use super::*;

    fn head(bytes: &[u8]) -> Result<Found, Reason> {
        read(bytes, true, &Definition::open())
    }

    #[test]
    fn a_header_is_read_and_the_data_begins_behind_it() {
        let found = head(b"a,\"b\nc\"\n1,2\n").unwrap();
        assert_eq!(found.columns, ["a", "b\nc"]);
        assert_eq!(
            (found.data.offset, found.data.line, found.data.record),
            (8, 3, 0)
        );
        assert_eq!(head(b"\xEF\xBB\xBFa,b\r\n").unwrap().columns, ["a", "b"]);
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
    fn a_rejects_file_has_a_header_and_nothing_above_it() {
        let definition = "{header: false, columns: [id, name]}";
        let definition = Definition::parse(&format!("dialect: {definition}")).unwrap();
        let rejects = b"id,name,_record,_line,_errors,_codes\n1,Ann,4,5,wrong,RULE\n";
        let found = read(rejects, true, &definition).unwrap();
        assert_eq!(found.columns[..2], ["id", "name"]);
        assert_eq!((found.data.line, found.columns.len()), (2, 6));
        let own = read(b"1,_errors\n2,Bob\n", true, &definition).unwrap();
        assert_eq!((own.data.line, own.columns.len()), (1, 2));
        let definition = Definition::parse("dialect: {preamble_rows: 2}").unwrap();
        assert_eq!(read(rejects, true, &definition).unwrap().data.line, 2);
        let titled = b"Report of _errors\n\nid,name\n1,Ann\n";
        assert_eq!(read(titled, true, &definition).unwrap().data.line, 4);
    }

    #[test]
    fn comments_above_the_header_are_passed_over() {
        let definition = Definition::parse("dialect: {comment: '#'}").unwrap();
        let found = read(b"#x,\"y\n\na,b\n", true, &definition).unwrap();
        assert_eq!(found.columns, ["a", "b"]);
        assert_eq!((found.data.offset, found.data.line), (11, 4));
    }

    #[test]
    fn what_is_no_csv_is_refused_with_a_sentence() {
        for (bytes, code, words) in [
            (&b""[..], ReasonCode::EmptyFile, "empty"),
            (b"\n\n", ReasonCode::EmptyFile, "blank"),
            (b"\xEF\xBB\xBF", ReasonCode::EmptyFile, "blank"),
            (&[0; 4096], ReasonCode::BadHeader, "NUL"),
            (b"a,\x02\n", ReasonCode::BadHeader, "control"),
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
        let reason = read(&long[..1 << 20], false, &Definition::open()).unwrap_err();
        assert!(
            reason.message.contains("does not end"),
            "{}",
            reason.message
        );
    }
}
