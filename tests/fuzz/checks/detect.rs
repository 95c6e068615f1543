//! Detection survives any bytes, and what it finds reads them from there on without losing one.
//!
//! An input is one byte (odd: the bytes are the whole file) and the file's first bytes. It must not
//! know how anything is detected.

use batchfleet_definition::Reading;
use batchfleet_detect::{NotATable, table};
use batchfleet_grammar::{Limits, RecordReader};

/// Panics if it does not hold for this input.
pub(crate) fn check(input: &[u8]) {
    let Some((flags, file)) = input.split_first() else {
        return;
    };
    let whole = flags % 2 == 1;
    let found = match table(file, whole, &Reading::default()) {
        Ok(found) => found,
        Err(NotATable::Empty(why) | NotATable::Unreadable(why)) => {
            assert!(!why.is_empty(), "a refusal says why");
            return;
        }
    };
    assert_eq!(found.dialect.validate(), Ok(()));
    assert!((0.0..=1.0).contains(&found.confidence));
    assert!(!found.columns.is_empty());
    assert!(found.data.offset <= file.len() as u64);
    assert!(found.data.line >= 1);

    let rest = &file[found.data.offset as usize..];
    let mut reader = RecordReader::new(rest, found.dialect, Limits::default(), found.data);
    let mut end = found.data.offset;
    while let Some(record) = reader.read() {
        assert_eq!(record.start(), end, "records tile the file");
        end = record.end();
    }
    assert_eq!(end, file.len() as u64);
}
