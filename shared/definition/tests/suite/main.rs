//! The public face of the crate: what definitions are accepted, what faults say, and what rows
//! become. These tests must not know how the crate is divided inside.

mod docs;
mod faults;
mod header;
mod hostile;
mod keys;
mod language;
mod pipeline;
mod properties;
mod rows;
mod rules;
mod types;

use batchfleet_definition::{Checked, Definition, JsonLines, RowError, RowPlan, Scratch};

/// The definition in the text, which is good.
fn definition(text: &str) -> Definition {
    Definition::parse(text).unwrap_or_else(|faults| panic!("{text}\n{faults}"))
}

/// What is wrong with the text, one line for every fault.
fn faults(text: &str) -> String {
    match Definition::parse(text) {
        Ok(definition) => panic!("accepted:\n{text}\n{definition:?}"),
        Err(faults) => faults.to_string(),
    }
}

/// A header as a file has it.
fn header(names: &[&str]) -> Vec<Vec<u8>> {
    names.iter().map(|name| name.as_bytes().to_vec()).collect()
}

fn plan(text: &str, names: &[&str]) -> RowPlan {
    definition(text)
        .bind(&header(names))
        .unwrap_or_else(|faults| panic!("{faults}"))
}

/// The row as JSON, or its errors.
fn check<T: AsRef<[u8]>>(plan: &RowPlan, cells: &[T]) -> Result<String, Vec<RowError>> {
    let mut encoder = JsonLines::new(plan);
    let mut errors = Vec::new();
    let checked = plan.check(cells, &mut Scratch::default(), &mut encoder, &mut errors);
    let accepted = checked == Checked::Accepted;
    assert_eq!(accepted, errors.is_empty());
    let json = String::from_utf8(encoder.take()).expect("JSON is UTF-8");
    if accepted {
        Ok(json)
    } else {
        assert_eq!(json, "", "a refused row leaves nothing behind");
        Err(errors)
    }
}
