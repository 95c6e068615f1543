//! Reads a definition out of a tree: the keys, what they may hold, and what their faults say.
//!
//! This is the reference of the language as it stands. It must not know YAML.

use std::collections::HashMap;
use std::ops::RangeInclusive;

use super::{
    Batches, Definition, Destination, Field, KeyField, Reading, Retries, TableDestination,
    Tolerated,
};
use crate::header::{NAME_BYTES_MAX, is_control, is_ours, key};
use crate::language::{At, Faults, Mapping, Reader, Resolved, parse};
use crate::show::shown;
use crate::types::{FieldType, Literal, Value};

const LONGEST_NAME: usize = 64;
const BATCH_RECORDS_MAX: u32 = 1_000_000;
const BATCH_BYTES_MIN: u32 = 64 * 1024;
const BATCH_BYTES_MAX: u32 = 64 * 1024 * 1024;
const WORKERS_MAX: u32 = 1000;
const RETRIES_MAX: u32 = 10;
const RETRY_MS_MAX: u32 = 60_000;
const TABLE_NAME: RangeInclusive<usize> = 3..=255;

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

/// A character with a meaning in the file.
enum Sign {
    Character(u8),
    Word,
}

impl Reader {
    fn definition(&mut self, root: &At<'_>) -> Option<Definition> {
        let keys = self.mapping(
            root,
            "a definition, which is a mapping",
            &[
                "name",
                "description",
                "dialect",
                "fields",
                "batches",
                "destination",
                "retries",
                "max_workers",
                "on_error",
                "tolerated_failures",
            ],
        )?;
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
        if let Some(at) = keys.get("fields") {
            definition.fields = self.fields(at).unwrap_or_default();
        }
        if let Some(at) = keys.get("batches") {
            definition.batches = self.batches(at).unwrap_or_default();
        }
        if let Some(at) = keys.get("destination") {
            let is_read = keys.get("fields").is_none() || !definition.is_open();
            let fields = is_read.then_some(&*definition.fields);
            definition.destination = self.destination(at, fields).unwrap_or_default();
        }
        if let Some(at) = keys.get("retries") {
            definition.retries = self.retries(at).unwrap_or_default();
        }
        if let Some(at) = keys.get("max_workers") {
            definition.max_workers = self.integer(at, 1..=WORKERS_MAX);
        }
        definition.tolerated = self.tolerated(&keys);
        Some(definition)
    }

    /// Rejects that an import bears: those of `tolerated_failures`, else none after `on_error: stop`.
    fn tolerated(&mut self, keys: &Mapping<'_>) -> Option<Tolerated> {
        let on_error = keys
            .get("on_error")
            .and_then(|at| self.choice(at, "on_error", &["continue", "stop"]));
        let stop = (on_error == Some("stop")).then_some(Tolerated::NONE);
        let Some(at) = keys.get("tolerated_failures") else {
            return stop;
        };
        let bounds = self.mapping(at, "a mapping", &["count", "percent"])?;
        let (count, percent) = (bounds.get("count"), bounds.get("percent"));
        if count.is_none() && percent.is_none() {
            self.fault(bounds.at(), "expected \"count\", \"percent\" or both");
        }
        Some(Tolerated {
            count: count
                .and_then(|at| self.integer(at, 0..=u32::MAX))
                .map(u64::from),
            share: percent.and_then(|at| self.share(at)),
        })
    }

    /// A percentage in hundredths.
    fn share(&mut self, at: &At<'_>) -> Option<u32> {
        let expected = "a number from 0 to 100 with two decimal places at most";
        let percent = match self.scalar(at, expected)?.resolve() {
            Resolved::Int(int) => int as f64,
            Resolved::Float(float) => float,
            _ => f64::NAN,
        };
        let share = (percent * 100.0).round();
        let is_exact = (share - percent * 100.0).abs() < 1e-6;
        if is_exact && (0.0..=f64::from(Tolerated::WHOLE)).contains(&share) {
            // Within bounds, and whole.
            #[expect(clippy::cast_sign_loss, reason = "not negative")]
            return Some(share as u32);
        }
        self.unexpected(at, expected);
        None
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

    fn reading(&mut self, at: &At<'_>) -> Option<Reading> {
        let keys = self.mapping(at, "a mapping", &["delimiter", "quote"])?;
        let mut reading = Reading::default();
        if let Some(at) = keys.get("delimiter") {
            reading.delimiter = match self.sign(at, "tab")? {
                Sign::Character(character) => Some(character),
                Sign::Word => Some(b'\t'),
            };
        }
        if let Some(at) = keys.get("quote") {
            reading.quote = match self.sign(at, "none")? {
                Sign::Character(character) => Some(Some(character)),
                Sign::Word => Some(None),
            };
        }
        if let Err(error) = reading.dialect().validate() {
            self.fault(at, error.to_string());
            return None;
        }
        Some(reading)
    }

    /// One ASCII character, or the word for one that cannot be written or is not wanted.
    fn sign(&mut self, at: &At<'_>, word: &str) -> Option<Sign> {
        let expected = format!("one ASCII character in quotes, or \"{word}\"");
        let text = self.text(at, &expected)?;
        match text.as_bytes() {
            [character] if character.is_ascii() => Some(Sign::Character(*character)),
            _ if text == word => Some(Sign::Word),
            _ => {
                self.unexpected(at, &expected);
                None
            }
        }
    }

    fn fields(&mut self, at: &At<'_>) -> Option<Vec<Field>> {
        let items = self.sequence(at, "a list of fields")?;
        if items.is_empty() {
            let message = "expected at least one field; without \"fields\" every column is text";
            self.fault(at, message);
        }
        let mut lines: HashMap<String, usize> = HashMap::with_capacity(items.len());
        let mut fields = Vec::with_capacity(items.len());
        for item in &items {
            let known = ["name", "type", "required", "default"];
            let Some(keys) = self.mapping(item, "a field, which is a mapping", &known) else {
                continue;
            };
            let Some(field) = self.field(&keys) else {
                continue;
            };
            if let Some(at) = keys.get("name")
                && let Some(line) = lines.insert(key(&field.name), at.line())
            {
                let name = shown(&field.name);
                self.fault(
                    at,
                    format!("duplicate field {name}, first on line {line}; case does not count"),
                );
            }
            fields.push(field);
        }
        Some(fields)
    }

    fn field(&mut self, keys: &Mapping<'_>) -> Option<Field> {
        let kind = match keys.get("type") {
            Some(at) => self.kind(at),
            None => Some(FieldType::String),
        };
        let required = match keys.get("required") {
            Some(at) => self.boolean(at).unwrap_or_default(),
            None => false,
        };
        let default = match (keys.get("default"), kind) {
            (Some(at), Some(kind)) => self.default(at, kind),
            _ => None,
        };
        let Some(name) = keys.get("name") else {
            self.fault(keys.at(), "the key \"name\" is missing");
            return None;
        };
        Some(Field {
            name: self.field_name(name)?,
            // A type that cannot be read is reported, and the name is still compared with others.
            kind: kind.unwrap_or(FieldType::String),
            required,
            default,
        })
    }

    fn field_name(&mut self, at: &At<'_>) -> Option<String> {
        let expected = "the header of a column";
        let name = self.text(at, expected)?.trim();
        if name.is_empty() {
            self.unexpected(at, expected);
            return None;
        }
        if name.chars().any(is_control) {
            self.fault(at, "a name cannot have control characters");
            return None;
        }
        if name.len() > NAME_BYTES_MAX {
            let bytes = name.len();
            self.fault(
                at,
                format!("the name is {bytes} bytes long, more than the {NAME_BYTES_MAX} allowed"),
            );
            return None;
        }
        if is_ours(&key(name)) {
            let message = format!(
                "the name {} is taken by reports of rejected rows",
                shown(name)
            );
            self.fault(at, message);
            return None;
        }
        Some(name.to_owned())
    }

    fn kind(&mut self, at: &At<'_>) -> Option<FieldType> {
        let names = FieldType::PLAIN.map(FieldType::as_str);
        let name = self.choice(at, "type", &names)?;
        FieldType::ALL
            .into_iter()
            .find(|kind| kind.as_str() == name)
    }

    /// The value of an empty cell, as strict as a definition is read: a number in quotes is text.
    fn default(&mut self, at: &At<'_>, kind: FieldType) -> Option<Literal> {
        let expected = match kind {
            FieldType::String => "text",
            FieldType::Number => "a number",
            FieldType::Integer => "a whole number of 64 bits",
            FieldType::Boolean => "true or false",
            FieldType::Date => "a date (YYYY-MM-DD)",
            FieldType::Email => "an email address",
            _ => kind.as_str(),
        };
        let scalar = self.scalar(at, expected)?;
        let literal = match (kind, scalar.resolve()) {
            // What an empty cell is without a default.
            (_, Resolved::Null) => return None,
            (FieldType::String, _) => Some(Literal::Str(scalar.text.clone())),
            (FieldType::Boolean, _) => return self.boolean(at).map(Literal::Bool),
            (FieldType::Integer, Resolved::Int(int)) => i64::try_from(int).ok().map(Literal::Int),
            (FieldType::Number, Resolved::Int(int)) => Some(Literal::Num(int as f64)),
            (FieldType::Number, Resolved::Float(float)) if float.is_finite() => {
                Some(Literal::Num(float))
            }
            (FieldType::Date | FieldType::Email, _) => match kind.convert(scalar.text.as_bytes()) {
                Ok(Value::Str(text)) => Some(Literal::Str(text.to_owned())),
                _ => None,
            },
            _ => None,
        };
        if literal.is_none() {
            self.unexpected(at, expected);
        }
        literal
    }

    fn batches(&mut self, at: &At<'_>) -> Option<Batches> {
        let keys = self.mapping(at, "a mapping", &["records", "bytes"])?;
        let mut batches = Batches::default();
        if let Some(at) = keys.get("records") {
            batches.records = self.integer(at, 1..=BATCH_RECORDS_MAX);
        }
        if let Some(at) = keys.get("bytes") {
            let bytes = self.integer(at, BATCH_BYTES_MIN..=BATCH_BYTES_MAX);
            batches.bytes = bytes.map(u64::from);
        }
        Some(batches)
    }

    /// `fields` are those of the definition; `None` where they could not be read.
    fn destination(&mut self, at: &At<'_>, fields: Option<&[Field]>) -> Option<Destination> {
        let keys = self.mapping(at, "a mapping", &["type", "table", "key"])?;
        let Some(at) = keys.get("type") else {
            self.fault(keys.at(), "the key \"type\" is missing");
            return None;
        };
        if self.choice(at, "type", &["jsonl", "dynamodb"])? == "jsonl" {
            for key in ["table", "key"] {
                if let Some(at) = keys.get(key) {
                    self.fault(
                        at,
                        "only a destination of the type \"dynamodb\" has this key",
                    );
                }
            }
            return Some(Destination::JsonLines);
        }
        let table = match keys.get("table") {
            Some(at) => self.table_name(at),
            None => self.missing(&keys, "table"),
        };
        let key = match keys.get("key") {
            Some(at) => self.table_key(at, fields),
            None => self.missing(&keys, "key"),
        };
        Some(Destination::DynamoDb(TableDestination {
            table: table?,
            key: key?,
        }))
    }

    fn missing<T>(&mut self, keys: &Mapping<'_>, key: &str) -> Option<T> {
        self.fault(keys.at(), format!("the key \"{key}\" is missing"));
        None
    }

    fn table_name(&mut self, at: &At<'_>) -> Option<String> {
        let expected = "the name of a table: 3 to 255 letters, digits, \"_\", \"-\" and \".\"";
        let name = self.text(at, expected)?;
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
        if TABLE_NAME.contains(&name.len()) && name.bytes().all(allowed) {
            return Some(name.to_owned());
        }
        self.unexpected(at, expected);
        None
    }

    /// One or two fields that every row has a value of.
    fn table_key(&mut self, at: &At<'_>, fields: Option<&[Field]>) -> Option<Vec<KeyField>> {
        let items = self.sequence(at, "a list of one or two fields")?;
        if !(1..=2).contains(&items.len()) {
            let message = format!(
                "a table's key is one or two fields, its partition key and then its sort key; found {}",
                items.len()
            );
            self.fault(at, message);
            return None;
        }
        let fields = fields?;
        if fields.is_empty() {
            self.fault(
                at,
                "expected \"fields\" in the definition, of which one is the key",
            );
            return None;
        }
        let key: Vec<KeyField> = items
            .iter()
            .filter_map(|item| self.key_field(item, fields))
            .collect();
        if let [first, second] = &key[..]
            && first.name == second.name
        {
            self.fault(&items[1], "the two fields of a key are different ones");
        }
        (key.len() == items.len()).then_some(key)
    }

    fn key_field(&mut self, at: &At<'_>, fields: &[Field]) -> Option<KeyField> {
        let name = self.text(at, "the name of a field")?;
        let Some(field) = fields.iter().find(|field| field.name == name) else {
            let names: Vec<&str> = fields.iter().map(|field| &*field.name).collect();
            self.unknown(at, "field", name, &names);
            return None;
        };
        let shown = shown(name);
        if !field.required || field.default.is_some() {
            let message = format!(
                "the field {shown} is part of a key, so it needs \"required: true\" and no default"
            );
            self.fault(at, message);
        }
        let is_number = match field.kind {
            FieldType::Number | FieldType::Integer => true,
            FieldType::Boolean => {
                self.fault(
                    at,
                    format!("the field {shown} is a boolean, which no key can be"),
                );
                return None;
            }
            _ => false,
        };
        Some(KeyField {
            name: name.to_owned(),
            is_number,
        })
    }

    fn retries(&mut self, at: &At<'_>) -> Option<Retries> {
        let keys = self.mapping(at, "a mapping", &["max", "base_ms", "cap_ms"])?;
        let default = Retries::default();
        let mut read = |key, bounds, default| match keys.get(key) {
            Some(at) => self.integer(at, bounds),
            None => Some(default),
        };
        let max = read("max", 0..=RETRIES_MAX, default.max);
        let base_ms = read("base_ms", 1..=RETRY_MS_MAX, default.base_ms);
        // A longer first wait than any by default is a longest wait too.
        let cap_ms = default.cap_ms.max(base_ms.unwrap_or(0));
        let cap_ms = read("cap_ms", 1..=RETRY_MS_MAX, cap_ms);
        let retries = Retries {
            max: max?,
            base_ms: base_ms?,
            cap_ms: cap_ms?,
        };
        if let Some(at) = keys.get("cap_ms")
            && retries.cap_ms < retries.base_ms
        {
            let message = format!("expected at least base_ms, which is {}", retries.base_ms);
            self.fault(at, message);
        }
        Some(retries)
    }
}
