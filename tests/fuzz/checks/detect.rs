//! Detection survives any bytes, and what it finds reads them from there on without losing one.
//!
//! An input is one byte of flags (1: the bytes are the whole file, 2: they are decoded first, 4: the
//! definition names columns, 8: it fixes the rows above the header) and the file's first bytes. It
//! must not know how anything is detected.

use batchfleet_definition::Reading;
use batchfleet_detect::{NotATable, content, decode_head, encoding, table};
use batchfleet_grammar::{Limits, RecordReader};

/// Panics if it does not hold for this input.
pub(crate) fn check(input: &[u8]) {
    let Some((flags, file)) = input.split_first() else {
        return;
    };
    let whole = flags & 1 != 0;
    let _ = content(file);
    let encoding = encoding(file, whole, None);
    let decoded = decode_head(file, whole, &encoding);
    let text = if flags & 2 != 0 { &decoded[..] } else { file };
    let names: &[&str] = if flags & 4 != 0 {
        &["id", "Name", "email"]
    } else {
        &[]
    };
    let mut reading = Reading::default();
    if flags & 8 != 0 {
        reading.preamble_rows = Some(1);
    }

    let found = match table(text, whole, &reading, names) {
        Ok(found) => found,
        Err(NotATable::Empty(why) | NotATable::Unreadable(why)) => {
            assert!(!why.is_empty(), "a refusal says why");
            return;
        }
    };
    assert_eq!(found.dialect.validate(), Ok(()));
    assert!((0.0..=1.0).contains(&found.confidence));
    assert!(!found.columns.is_empty());
    assert!(found.data.offset <= text.len() as u64);
    assert!(found.data.line >= 1);

    let rest = &text[found.data.offset as usize..];
    let mut reader = RecordReader::new(rest, found.dialect, Limits::default(), found.data);
    let mut end = found.data.offset;
    while let Some(record) = reader.read() {
        assert_eq!(record.start(), end, "records tile the file");
        end = record.end();
    }
    assert_eq!(end, text.len() as u64);
}
