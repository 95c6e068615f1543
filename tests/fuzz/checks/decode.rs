//! Decoding survives any bytes, and what a file becomes does not depend on the pieces in which it was
//! read: a preparer that takes over must write the same text again.
//!
//! An input is one byte of settings (1: gzip, 2: zstd, 4: JSON, 8: an array of it, 16: unknown keys
//! are ignored, 32: short records), one that chooses the encoding, one for the size of pieces, and the
//! file. It must not know how anything is decoded.

use std::collections::BTreeMap;

use batchfleet_decode::{
    Container, DecodeError, Decoder, Format, Json, JsonForm, LateKeys, Limits, Notes, Pulled, Row,
    columns, decode_head, unpack_head,
};
use batchfleet_grammar::{Dialect, Limits as Bounds, Position, RecordReader};
use bytes::Bytes;
use serde_json::value::RawValue;

const ENCODINGS: [Option<&str>; 8] = [
    None,
    Some("UTF-16LE"),
    Some("UTF-16BE"),
    Some("windows-1252"),
    Some("Shift_JIS"),
    Some("ISO-2022-JP"),
    Some("gb18030"),
    Some("EUC-KR"),
];

/// Low enough that inputs of a few bytes reach it.
const LIMITS: Limits = Limits {
    ratio_max: 1_000,
    ratio_from_bytes: 64 << 10,
    bytes_max: 256 << 10,
    record_bytes_max: 1 << 20,
};

/// The bytes at a text's beginning in which its columns are looked for.
const HEAD_BYTES: usize = 300;

/// Panics if it does not hold for this input.
pub(crate) fn check(input: &[u8]) {
    let Some((&[settings, encoding, piece], file)) = input.split_first_chunk::<3>() else {
        return;
    };
    let has = |flag: u8| settings & flag != 0;
    let container = match settings & 3 {
        0 => None,
        1 => Some(Container::Gzip),
        _ => Some(Container::Zstd),
    };
    let mut format = Format {
        container,
        encoding: ENCODINGS[usize::from(encoding) % ENCODINGS.len()].map(str::to_owned),
        json: None,
    };
    heads(file, &format);

    let mut limits = LIMITS;
    let (text, _) = same_in_pieces(file, &format, &[], limits, piece);
    if format.encoding.is_some() {
        assert!(std::str::from_utf8(&text).is_ok(), "decoded text is UTF-8");
    }
    if !has(4) {
        return;
    }

    let form = if has(8) {
        JsonForm::Array
    } else {
        JsonForm::Lines
    };
    let head = &text[..text.len().min(HEAD_BYTES)];
    let Ok(names) = columns(head, head.len() == text.len(), form) else {
        return;
    };
    let late_keys = if has(16) {
        LateKeys::Ignore
    } else {
        LateKeys::Reject
    };
    format.json = Some(Json { form, late_keys });
    if has(32) {
        limits.record_bytes_max = 40;
    }
    let (rows, outcome) = same_in_pieces(file, &format, &names, limits, piece);
    let lines = (form == JsonForm::Lines && outcome.is_ok()).then(|| {
        let mut lines: Vec<&[u8]> = text.split(|&byte| byte == b'\n').collect();
        lines.pop_if(|line| line.is_empty());
        lines
    });
    check_rows(&rows, &names, lines.as_deref());
}

/// The heads, which are decoded before anything is known of a file, are where its text begins.
fn heads(file: &[u8], format: &Format) {
    if let Some(container) = format.container {
        let whole = unpack_head(file, true, container, LIMITS.bytes_max as usize);
        let part = unpack_head(file, false, container, 1_000);
        if let (Ok((whole, _)), Ok((part, _))) = (whole, part) {
            let both = whole.len().min(part.len());
            assert_eq!(whole[..both], part[..both], "a head is a beginning");
        }
    } else {
        let encoding = format.encoding.as_deref();
        let whole = decode_head(file, true, encoding).expect("a known encoding");
        let part = decode_head(&file[..file.len() / 2], false, encoding).expect("the same");
        assert!(whole.starts_with(&part), "a head is a beginning");
    }
}

/// What the file becomes: in one piece, and in small ones, which must make no difference.
fn same_in_pieces(
    file: &[u8],
    format: &Format,
    names: &[String],
    limits: Limits,
    piece: u8,
) -> (Vec<u8>, Result<Notes, DecodeError>) {
    let whole = decode(file, format, names, limits, (usize::MAX, 64 << 10));
    let sizes = (usize::from(piece) + 1, usize::from(piece) * 3 + 1);
    let pieces = decode(file, format, names, limits, sizes);
    match (&whole.1, &pieces.1) {
        (Ok(notes), Ok(again)) => {
            assert_eq!(pieces.0, whole.0, "pieces make no difference");
            assert_eq!(again, notes);
        }
        (Err(why), Err(_)) => assert!(!why.to_string().is_empty(), "a refusal says why"),
        (one, other) => panic!("in one piece {one:?}, in pieces {other:?}"),
    }
    whole
}

fn decode(
    file: &[u8],
    format: &Format,
    names: &[String],
    limits: Limits,
    (raw, upto): (usize, usize),
) -> (Vec<u8>, Result<Notes, DecodeError>) {
    let mut decoder = Decoder::new(format, names, limits).expect("a known encoding");
    let (mut text, mut part) = (Vec::new(), Vec::new());
    let mut pieces = file.chunks(raw);
    loop {
        let pulled = decoder.pull(&mut part, upto);
        text.append(&mut part);
        match pulled {
            Ok(Pulled::Full) => {}
            Ok(Pulled::Hungry) => match pieces.next() {
                Some(piece) => decoder.push(Bytes::copy_from_slice(piece)),
                None => decoder.end(),
            },
            Ok(Pulled::Done) => return (text, Ok(decoder.notes())),
            Err(error) => return (text, Err(error)),
        }
    }
}

/// Every row has our two cells and the columns'; of lines there is one each, and a row without a fault
/// says what its line says to `serde_json`.
fn check_rows(rows: &[u8], names: &[String], lines: Option<&[&[u8]]>) {
    let dialect = Dialect::new(b',', Some(b'"'));
    let mut reader = RecordReader::new(rows, dialect, Bounds::default(), Position::START);
    let mut count = 0;
    while let Some(record) = reader.read() {
        let line = lines.map(|lines| lines[count]);
        count += 1;
        let cells: Vec<&[u8]> = record.cells().collect();
        if record.is_blank() {
            if let Some(line) = line {
                assert!(line.trim_ascii().is_empty(), "only blank lines are blank");
            }
            continue;
        }
        assert!(record.fault().is_none());
        let row = Row::read(cells[0], cells[1]).expect("our two cells");
        if row.fault.is_some() {
            // The text of what is no object has a cell even where no object made a column.
            let widths = names.len() + 2..=(names.len() + 2).max(3);
            assert!(widths.contains(&cells.len()));
            continue;
        }
        assert_eq!(cells.len(), names.len() + 2);
        let Some(line) = line else { continue };
        assert_eq!(row.line, count as u64);
        // What is left out need not be UTF-8.
        let line = String::from_utf8_lossy(line);
        let object: BTreeMap<String, &RawValue> =
            serde_json::from_str(line.trim_ascii()).expect("an object without a fault is one");
        for (name, cell) in names.iter().zip(&cells[2..]) {
            let is_named = |key: &str| key.trim().to_lowercase() == name.trim().to_lowercase();
            let value = object.iter().find(|(key, _)| is_named(key));
            let raw = value.map_or("null", |(_, value)| value.get());
            match raw.as_bytes()[0] {
                b'n' => assert_eq!(*cell, b""),
                b'"' => {
                    let text: String = serde_json::from_str(raw).expect("a text");
                    assert_eq!(*cell, text.as_bytes());
                }
                b'[' | b'{' => assert_eq!(without_spaces(cell), without_spaces(raw.as_bytes())),
                _ => assert_eq!(*cell, raw.as_bytes(), "numbers keep their digits"),
            }
        }
    }
    if let Some(lines) = lines {
        assert_eq!(count, lines.len(), "a row for each line");
    }
}

fn without_spaces(json: &[u8]) -> Vec<u8> {
    let mut json = json.to_vec();
    json.retain(|byte| !byte.is_ascii_whitespace());
    json
}
