//! What is legal in a definition, and probably not meant.
//!
//! Only what is wrong for nearly every file is said: a warning that is ignored teaches to ignore the
//! next one.

use batchfleet_definition::{Definition, Field, FieldType, Severity};

/// A sentence for each.
pub(super) fn of(definition: &Definition) -> Vec<String> {
    let mut found = Vec::new();
    for field in definition.fields() {
        for sentence in of_field(field) {
            found.push(format!("{}: {sentence}", field.name));
        }
    }
    for together in definition.unique_together() {
        for name in &together.fields {
            let field = definition.fields().iter().find(|field| field.name == *name);
            if field.is_some_and(|field| field.unique.is_some()) {
                found.push(format!(
                    "unique_together of {}: {name} alone is unique already",
                    together.fields.join(", ")
                ));
            }
        }
    }
    if !definition.is_open() && !definition.fields().iter().any(Field::has_column) {
        found.push("no field has a column, so no file fits".to_owned());
    }
    found
}

fn of_field(field: &Field) -> Vec<String> {
    let mut found = Vec::new();
    if field.unique.is_some() {
        match most_values(field) {
            Some(0) => found.push("it is unique and the same in every row".to_owned()),
            Some(most) => found.push(format!(
                "it is unique and has {most} values at most, so no file has more good rows with a value"
            )),
            None => {}
        }
    }
    if field.required && field.default.is_some() {
        found.push(
            "it is required and has a default, so an empty cell is never an error".to_owned(),
        );
    }
    if field.required && field.severity == Severity::Warning {
        found.push("it is required, but that it is missing is only a warning".to_owned());
    }
    found
}

/// How many values a field can have, where those are few; 0 where there is only one, in every row.
fn most_values(field: &Field) -> Option<usize> {
    if field.constant.is_some() {
        return Some(0);
    }
    if !field.constraints.one_of.is_empty() {
        return Some(field.constraints.one_of.len());
    }
    match field.kind {
        FieldType::Boolean => Some(2),
        FieldType::Enum => Some(field.options.values.len()),
        _ => None,
    }
}
