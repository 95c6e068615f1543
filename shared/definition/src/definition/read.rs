//! Reads a definition out of a tree: the keys, what they may hold, and what their faults say.
//!
//! This and the files beneath it, one for each subject, are the reference of the language as it
//! stands. They must not know YAML.

mod constraints;
mod destination;
mod dialect;
mod field;
mod literal;
mod lookup;
mod options;
mod policy;
mod rules;
#[cfg(test)]
mod schema;
mod transforms;

use std::collections::HashSet;

use super::{Definition, Field, Ragged, Unique, UniqueTogether, UnknownColumns};
use crate::language::{At, Faults, Mapping, Reader, parse};
use crate::show::shown;

const LONGEST_NAME: usize = 64;
const WORKERS_MAX: u32 = 1000;
/// Constraints over the whole job: each is a key for every row, which somebody has to remember.
const TOGETHER_MAX: usize = 16;

/// The keys of a definition.
const KEYS: [&str; 17] = [
    "name",
    "description",
    "dialect",
    "fields",
    "ragged",
    "strict",
    "unknown_columns",
    "skip_empty_rows",
    "unique_together",
    "duplicates_of",
    "rules",
    "batches",
    "destination",
    "retries",
    "max_workers",
    "on_error",
    "tolerated_failures",
];

pub(super) fn definition(text: &str) -> Result<Definition, Faults> {
    let (root, faults) = parse(text);
    let mut reader = Reader::new(faults);
    let definition = root.and_then(|root| reader.definition(&At::root(&root)));
    let faults = reader.into_faults();
    match definition {
        Some(definition) if faults.is_empty() => Ok(definition),
        _ => Err(Faults::new(faults)),
    }
}

impl Reader {
    fn definition(&mut self, root: &At<'_>) -> Option<Definition> {
        let keys = self.mapping(root, "a definition, which is a mapping", &KEYS)?;
        let mut definition = Definition::open();
        if let Some(at) = keys.get("name") {
            definition.name = self.name(at);
        }
        if let Some(at) = keys.get("description") {
            definition.description = self.text(at, "text").map(str::to_owned);
        }
        if let Some(at) = keys.get("dialect") {
            definition.reading = self.reading(at).unwrap_or_default();
        }
        let faults_before = self.count();
        if let Some(at) = keys.get("fields") {
            definition.fields = self.fields(at).unwrap_or_default();
        }
        let is_whole = self.count() == faults_before;
        (definition.rules, definition.logic) = self.logic(&keys, &mut definition.fields, is_whole);
        let is_read = keys.get("fields").is_none() || !definition.is_open();
        let fields = is_read.then_some(&*definition.fields);
        if let Some(at) = keys.get("unique_together") {
            definition.unique_together = self.unique_together(at, fields).unwrap_or_default();
        }
        if let Some(at) = keys.get("batches") {
            definition.batches = self.batches(at).unwrap_or_default();
        }
        let mut is_destined = true;
        if let Some(at) = keys.get("destination") {
            let destination = self.destination(at, fields);
            is_destined = destination.is_some();
            definition.destination = destination.unwrap_or_default();
        }
        if let Some(at) = keys.get("duplicates_of") {
            let destination = is_destined.then_some(&definition.destination);
            definition.duplicates_of = self
                .duplicates_of(at, fields, destination)
                .unwrap_or_default();
        }
        if let Some(at) = keys.get("retries") {
            definition.retries = self.retries(at).unwrap_or_default();
        }
        if let Some(at) = keys.get("max_workers") {
            definition.max_workers = self.integer(at, 1..=WORKERS_MAX);
        }
        self.shape(&keys, &mut definition);
        definition.tolerated = self.tolerated(&keys);
        Some(definition)
    }

    /// What holds for the rows and columns of the file as a whole.
    fn shape(&mut self, keys: &Mapping<'_>, definition: &mut Definition) {
        if let Some(at) = keys.get("ragged") {
            let choice = self.choice(at, "ragged", &["pad", "reject", "truncate"]);
            definition.ragged = match choice {
                Some("reject") => Ragged::Reject,
                Some("truncate") => Ragged::Truncate,
                _ => Ragged::Pad,
            };
        }
        if let Some(at) = keys.get("skip_empty_rows") {
            definition.skip_empty_rows = self.boolean(at).unwrap_or(true);
        }
        let strict = keys.get("strict").and_then(|at| self.boolean(at));
        if strict == Some(true) {
            definition.unknown_columns = UnknownColumns::Error;
        }
        if let Some(at) = keys.get("unknown_columns") {
            let choice = self.choice(at, "unknown_columns", &["ignore", "keep", "error"]);
            if strict == Some(true) && choice.is_some_and(|choice| choice != "error") {
                self.fault(at, "\"strict: true\" says that unknown columns are errors");
            }
            definition.unknown_columns = match choice {
                Some("keep") => UnknownColumns::Keep,
                Some("error") => UnknownColumns::Error,
                _ => UnknownColumns::Ignore,
            };
        }
        if definition.unknown_columns == UnknownColumns::Error && keys.get("fields").is_none() {
            let at = keys.get("unknown_columns").or_else(|| keys.get("strict"));
            if let Some(at) = at {
                self.fault(
                    at,
                    "expected \"fields\" in the definition: without them no column is unknown",
                );
            }
        }
    }

    fn name(&mut self, at: &At<'_>) -> Option<String> {
        let expected = "a name of 1 to 64 letters, digits, \"-\", \"_\" and \".\"";
        let name = self.text(at, expected)?;
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if (1..=LONGEST_NAME).contains(&name.len()) && name.bytes().all(allowed) {
            return Some(name.to_owned());
        }
        self.unexpected(at, expected);
        None
    }

    /// `fields` are those of the definition; `None` where they could not be read.
    fn unique_together(
        &mut self,
        at: &At<'_>,
        fields: Option<&[Field]>,
    ) -> Option<Vec<UniqueTogether>> {
        let items = self.sequence(at, "a list of lists of fields")?;
        if items.len() > TOGETHER_MAX {
            let message = format!("expected at most {TOGETHER_MAX}, found {}", items.len());
            self.fault(at, message);
        }
        let together = items
            .iter()
            .filter_map(|item| self.together(item, fields?))
            .collect();
        Some(together)
    }

    /// A list of fields, or a mapping with one and how their values are compared.
    fn together(&mut self, at: &At<'_>, fields: &[Field]) -> Option<UniqueTogether> {
        let expected = "a list of two fields or more";
        let mut unique = Unique::default();
        let list = if at.is_mapping() {
            let keys = self.mapping(at, expected, &["fields", "ignore_case"])?;
            if let Some(at) = keys.get("ignore_case") {
                unique.ignore_case = self.boolean(at)?;
            }
            match keys.get("fields") {
                Some(at) => at.clone(),
                None => return self.missing(&keys, "fields"),
            }
        } else {
            at.clone()
        };
        let items = self.sequence(&list, expected)?;
        if items.len() < 2 {
            let message = "expected two fields or more; one alone is \"unique: true\" at the field";
            self.fault(&list, message);
            return None;
        }
        let mut names = Vec::with_capacity(items.len());
        let mut seen = HashSet::new();
        for item in &items {
            let name = self.text(item, "the name of a field")?;
            if !fields.iter().any(|field| field.name == name) {
                let known: Vec<&str> = fields.iter().map(|field| &*field.name).collect();
                if known.is_empty() {
                    self.fault(item, "expected \"fields\" in the definition");
                } else {
                    self.unknown(item, "field", name, &known);
                }
                return None;
            }
            if !seen.insert(name) {
                self.fault(item, format!("the field {} is named twice", shown(name)));
                return None;
            }
            names.push(name.to_owned());
        }
        Some(UniqueTogether {
            fields: names,
            unique,
        })
    }

    fn missing<T>(&mut self, keys: &Mapping<'_>, key: &str) -> Option<T> {
        self.fault(keys.at(), format!("the key \"{key}\" is missing"));
        None
    }
}
