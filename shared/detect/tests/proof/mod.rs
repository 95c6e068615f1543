//! A definition inferred from a file, and the import under it: what `batchfleet infer` claims.
//!
//! The tests of inference and its fuzz target share it. Panics where the file is read in another way than
//! it was, or where the definition can't be parsed or bound.

use batchfleet_definition::{Definition, Reading};
use batchfleet_detect::infer::{Check, Origin, Outcome, Profile, reads_alike};
use batchfleet_detect::{Found, FoundEncoding, NotATable, decode_head, encoding, table};
use batchfleet_grammar::{Limits, Record, RecordReader};

/// What was inferred, and what an import under it comes to.
pub(crate) struct Proven {
    pub(crate) text: String,
    pub(crate) rows: u64,
    pub(crate) outcome: Outcome,
    /// How often something had to be taken back.
    pub(crate) loosened: u32,
}

fn each(text: &[u8], found: &Found, mut take: impl FnMut(&Record<'_>)) {
    let from = found.data.offset as usize;
    let mut reader = RecordReader::new(&text[from..], found.dialect, Limits::default(), found.data);
    while let Some(record) = reader.read() {
        take(&record);
    }
}

/// Infers a definition from a whole file and holds it against the file.
///
/// # Errors
/// Why the file is no table, or none that a definition can be written of.
pub(crate) fn infer(bytes: &[u8], file: &str) -> Result<Proven, NotATable> {
    let encoding = encoding(bytes, true, None);
    let text = decode_head(bytes, true, &encoding).into_owned();
    let found = table(&text, true, &Reading::default(), &[])?;
    let mut profile = Profile::new(found.columns.len());
    each(&text, &found, |record| profile.add(record, record.line()));
    let rows = profile.rows();
    let mut inferred = profile.finish(&Origin {
        file,
        columns: &found.columns,
        encoding: Some(&encoding),
        found: Some(&found),
        whole: true,
    });
    let mut loosened = 0;
    let mut is_firm = false;
    loop {
        let text = inferred.to_yaml();
        let (columns, imported) = match import(bytes, &text, &encoding, &found) {
            Ok(Some(same)) => same,
            // NUL bytes below a header without names: as the first row, they are no text.
            Err(NotATable::Unreadable(why)) if is_firm && why.contains("a NUL byte") => {
                return Err(NotATable::Unreadable(why));
            }
            _ => {
                assert!(!is_firm, "it is read in another way:\n{text}");
                inferred.fix_reading();
                is_firm = true;
                continue;
            }
        };
        let definition = Definition::parse(&text).unwrap();
        let mut check = match Check::new(&definition, &columns) {
            Ok(check) => check,
            // Without rows, there is no other way to name the columns than the header's own.
            Err(_) if rows == 0 => return Err(NotATable::Empty(text)),
            Err(faults) => panic!("{faults}\n{text}"),
        };
        each(&imported, &found, |record| check.add(record, record.line()));
        let outcome = check.outcome();
        if !inferred.loosen(&outcome) || loosened == 5 {
            return Ok(Proven {
                text,
                rows,
                outcome,
                loosened,
            });
        }
        loosened += 1;
    }
}

/// The columns of a file, and its text.
type Imported = (Vec<String>, Vec<u8>);

/// The columns and the text of the file as an import under the definition reads them; nothing where it
/// reads it in another way than before; and why, where it can't be read.
fn import(
    bytes: &[u8],
    written: &str,
    before: &FoundEncoding,
    first: &Found,
) -> Result<Option<Imported>, NotATable> {
    let definition = Definition::parse(written).unwrap();
    let reading = definition.reading();
    let encoding = encoding(bytes, true, reading.encoding.as_deref());
    let text = decode_head(bytes, true, &encoding).into_owned();
    let names: Vec<&str> = definition
        .fields()
        .iter()
        .flat_map(batchfleet_definition::Field::headers)
        .collect();
    let found = table(&text, true, reading, &names)?;
    let is_same = encoding.name() == before.name() && reads_alike(&text, first, reading, &found);
    Ok(is_same.then_some((found.columns, text)))
}
