//! Reported records as JSON Lines, for programs: one object a record, with its structured errors.
//!
//! It must not know whether they are rejects or warnings.

use std::collections::HashSet;

use batchfleet_definition::{Category, Code, RowError, Severity};
use batchfleet_grammar::Record;
use serde::Serialize;

use super::{ERRORS_BYTES_MAX, Place, RejectForm};

/// What is kept of a record.
pub(super) enum Content<'a> {
    /// Its cells, by the names of their columns.
    Cells(&'a Record<'a>),
    /// Its text, as it may be shown.
    Raw(&'a [u8]),
}

/// An error as a program reads it.
#[derive(Serialize)]
struct ErrorObject<'a> {
    code: Code,
    category: Category,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'a str>,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    suggestion: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    severity: Option<Severity>,
}

/// Objects in the making.
#[derive(Debug, Default)]
pub(super) struct Objects {
    out: Vec<u8>,
}

/// The keys of these columns as JSON, each with its colon: no two alike, and none empty.
pub(super) fn keys(columns: &[usize], names: &[String]) -> Vec<String> {
    let mut taken: HashSet<String> = HashSet::new();
    let mut keys = Vec::with_capacity(names.len());
    for (column, name) in columns.iter().zip(names) {
        let place = column + 1;
        let mut key = match name.as_str() {
            "" => format!("column {place}"),
            _ => name.clone(),
        };
        if taken.contains(&key) {
            key = format!("{key} (column {place})");
        }
        // A third column could have the name that was made up for the second.
        while !taken.insert(key.clone()) {
            key.push('\'');
        }
        let mut json = serde_json::to_string(&key).unwrap_or_default();
        json.push(':');
        keys.push(json);
    }
    keys
}

impl Objects {
    /// Adds the object of one record.
    pub(super) fn push(
        &mut self,
        form: &RejectForm,
        place: &Place,
        errors: &[RowError],
        content: &Content<'_>,
    ) {
        self.text(&format!(
            "{{\"record\":{},\"line\":{},\"offset\":{}",
            place.record, place.line, place.offset
        ));
        if place.records != 1 {
            self.text(&format!(",\"records\":{}", place.records));
        }
        self.errors(form, errors);
        match content {
            Content::Cells(record) => self.cells(form, record),
            Content::Raw(raw) => {
                self.text(",\"raw\":");
                self.value(raw);
            }
        }
        self.text("}\n");
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.out
    }

    /// All errors, or as many as fit and how many there are more: a row can have one in each of 4,096
    /// columns.
    fn errors(&mut self, form: &RejectForm, errors: &[RowError]) {
        self.text(",\"errors\":[");
        let begin = self.out.len();
        let mut told = 0;
        for error in errors {
            let before = self.out.len();
            if told > 0 {
                self.text(",");
            }
            let field = error
                .field
                .and_then(|field| form.fields.get(field as usize));
            let object = ErrorObject {
                code: error.code,
                category: error.code.category(),
                field: field.map(String::as_str),
                message: &error.message,
                suggestion: error.suggestion.as_deref(),
                severity: Some(error.severity).filter(|severity| *severity != Severity::Error),
            };
            self.json(&object);
            if told > 0 && self.out.len() - begin > ERRORS_BYTES_MAX {
                self.out.truncate(before);
                break;
            }
            told += 1;
        }
        self.text("]");
        if told < errors.len() {
            self.text(&format!(",\"more_errors\":{}", errors.len() - told));
        }
    }

    fn cells(&mut self, form: &RejectForm, record: &Record<'_>) {
        self.text(",\"cells\":{");
        let mut separator = "";
        for (column, key) in form.columns.iter().zip(&form.keys) {
            // A row that is too short has no value there.
            let Some(cell) = form.shown(record, *column) else {
                continue;
            };
            self.text(separator);
            self.text(key);
            self.value(cell);
            separator = ",";
        }
        self.text("}");
        if record.len() > form.width {
            self.text(",\"extra\":[");
            for column in form.width..record.len() {
                if column > form.width {
                    self.text(",");
                }
                self.value(form.shown(record, column).unwrap_or_default());
            }
            self.text("]");
        }
    }

    /// A JSON string. Bytes that are no text are replaced: rejects.csv has them as they were.
    fn value(&mut self, bytes: &[u8]) {
        self.json(&String::from_utf8_lossy(bytes));
    }

    fn json<T: Serialize + ?Sized>(&mut self, value: &T) {
        // Neither writing to memory nor text and numbers can fail.
        let _ = serde_json::to_writer(&mut self.out, value);
    }

    fn text(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }
}
