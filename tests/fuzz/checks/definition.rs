//! No text makes the language of definitions panic, and no header or row the check it compiles to.
//!
//! An input is a definition, and behind a NUL byte, if it has one, a CSV whose first record is the
//! header. It must not know what definitions say.

use batchfleet_definition::{Checked, Definition, JsonLines, RowError, Scratch, Severity};
use batchfleet_grammar::{Dialect, Limits, Position, Record, RecordReader};

/// For inputs without a file of their own: cells that types, bounds and transforms may stumble over.
const FILE: &[u8] = b"email,age,name,date,column_5\n\
    a@b.de,42,Anna,2024-02-29,true\n\
    ,,,,\n\
    \"a\"\"b\",-9223372036854775808,\xff\xfe,9999-12-31,1e400\n\
    \xc3\x9f@\xc3\xa9.de,+0,\0,2024-02-30,\xf0\x9f\x98\x80\n\
    short\n";

/// Panics if it does not hold for this input.
pub(crate) fn check(input: &[u8]) {
    let mut parts = input.splitn(2, |&byte| byte == 0);
    let text = parts.next().unwrap_or_default();
    let file = parts.next().unwrap_or(FILE);
    let Ok(text) = std::str::from_utf8(text) else {
        return;
    };
    let definition = match Definition::parse(text) {
        Ok(definition) => definition,
        Err(faults) => {
            assert!(!faults.to_string().is_empty(), "a refusal says why");
            return;
        }
    };
    assert_eq!(definition.reading().dialect().validate(), Ok(()));

    let mut reader =
        RecordReader::new(file, Dialect::default(), Limits::default(), Position::START);
    let header = match reader.read() {
        Some(record) => cells(&record),
        None => return,
    };
    let plan = match definition.bind(&header) {
        Ok(plan) => plan,
        Err(faults) => {
            assert!(!faults.to_string().is_empty(), "a refusal says why");
            return;
        }
    };
    let mut encoder = JsonLines::new(&plan);
    let mut scratch = Scratch::default();
    let mut errors = Vec::new();
    let (mut keys, mut keys_again) = (Vec::new(), Vec::new());
    while let Some(record) = reader.read() {
        errors.clear();
        let before = encoder.buffer().len();
        let row = cells(&record);
        let checked = plan.check(&row[..], &mut scratch, &mut encoder, &mut errors);
        let is_error = |error: &RowError| error.severity == Severity::Error;
        assert_eq!(
            checked == Checked::Rejected,
            errors.iter().any(is_error),
            "a reject says why, and nothing else has errors"
        );
        assert_eq!(
            checked == Checked::Accepted,
            encoder.buffer().len() > before,
            "what is not accepted leaves nothing in the output"
        );
        for keys in [&mut keys, &mut keys_again] {
            plan.unique_keys(&row[..], &mut scratch, keys);
        }
        assert_eq!(keys, keys_again, "a row has the same keys each time");
        for error in &errors {
            assert!(!error.message.is_empty());
        }
    }
}

fn cells(record: &Record<'_>) -> Vec<Vec<u8>> {
    record.cells().map(<[u8]>::to_vec).collect()
}
