//! Reads `destination`: where accepted rows go.

use std::ops::RangeInclusive;

use super::super::{Destination, Field, KeyField, TableDestination};
use super::field::with_article;
use crate::language::{At, Reader};
use crate::row_error::Severity;
use crate::show::shown;
use crate::types::FieldType;

const TABLE_NAME: RangeInclusive<usize> = 3..=255;

impl Reader {
    /// `fields` are those of the definition; `None` where they could not be read.
    pub(super) fn destination(
        &mut self,
        at: &At<'_>,
        fields: Option<&[Field]>,
    ) -> Option<Destination> {
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

    /// The name of a table as DynamoDB takes it.
    pub(super) fn table_name(&mut self, at: &At<'_>) -> Option<String> {
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
        let field = self.field_of(at, fields)?;
        let shown = shown(&field.name);
        if !field.required || field.default.is_some() {
            let message = format!(
                "the field {shown} is part of a key, so it needs \"required: true\" and no default"
            );
            self.fault(at, message);
        }
        if field.severity == Severity::Warning {
            let message =
                format!("the field {shown} is part of a key, so it needs the severity \"error\"");
            self.fault(at, message);
        }
        Some(KeyField {
            is_number: self.key_type(at, field)?,
            name: field.name.clone(),
        })
    }

    /// The field of this name.
    pub(super) fn field_of<'f>(&mut self, at: &At<'_>, fields: &'f [Field]) -> Option<&'f Field> {
        let name = self.text(at, "the name of a field")?;
        let field = fields.iter().find(|field| field.name == name);
        if field.is_none() {
            let names: Vec<&str> = fields.iter().map(|field| &*field.name).collect();
            self.unknown(at, "field", name, &names);
        }
        field
    }

    /// Whether the values of a field that is part of a table's key are numbers (N) rather than text (S).
    pub(super) fn key_type(&mut self, at: &At<'_>, field: &Field) -> Option<bool> {
        match field.kind {
            FieldType::Number | FieldType::Integer | FieldType::Decimal => Some(true),
            FieldType::String
            | FieldType::Date
            | FieldType::DateTime
            | FieldType::Email
            | FieldType::Url
            | FieldType::Uuid
            | FieldType::Phone
            | FieldType::Enum => Some(false),
            FieldType::Boolean | FieldType::Array | FieldType::Json => {
                let (shown, kind) = (shown(&field.name), with_article(field.kind));
                let message = format!("the field {shown} is {kind}, which no key can be");
                self.fault(at, message);
                None
            }
        }
    }
}
