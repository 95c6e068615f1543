//! Reads `duplicates_of`: tables whose records the rows must not be.
//!
//! Its fields and the destination may be named, so it is read after both. It must not know how a table
//! is asked.

use super::super::{Destination, Field, LookupField, TableLookup};
use crate::language::{At, Reader};
use crate::row_error::Severity;

/// The keys of one look-up.
pub(super) const KEYS: [&str; 4] = ["table", "key", "severity", "message"];

/// Each is a call for every 100 rows.
const LOOKUPS_MAX: usize = 4;

const EXPECTED: &str = "a mapping with \"table\" and \"key\", or the word destination";

impl Reader {
    /// `fields` and `destination` are those of the definition; `None` where they could not be read.
    pub(super) fn duplicates_of(
        &mut self,
        at: &At<'_>,
        fields: Option<&[Field]>,
        destination: Option<&Destination>,
    ) -> Option<Vec<TableLookup>> {
        let items = self.sequence(at, "a list of tables")?;
        if items.len() > LOOKUPS_MAX {
            let message = format!("expected at most {LOOKUPS_MAX}, found {}", items.len());
            self.fault(at, message);
        }
        let lookups = items.iter().filter_map(|item| {
            if item.is_mapping() {
                self.lookup(item, fields)
            } else {
                self.lookup_in_destination(item, destination)
            }
        });
        Some(lookups.collect())
    }

    fn lookup(&mut self, at: &At<'_>, fields: Option<&[Field]>) -> Option<TableLookup> {
        let keys = self.mapping(at, EXPECTED, &KEYS)?;
        let table = match keys.get("table") {
            Some(at) => self.table_name(at),
            None => self.missing(&keys, "table"),
        };
        let key = match keys.get("key") {
            Some(at) => self.lookup_key(at, fields),
            None => self.missing(&keys, "key"),
        };
        let mut severity = Severity::Error;
        if let Some(at) = keys.get("severity")
            && self.choice(at, "severity", &["error", "warning"]) == Some("warning")
        {
            severity = Severity::Warning;
        }
        let message = keys
            .get("message")
            .and_then(|at| self.short_text(at, "a sentence"));
        Some(TableLookup {
            table: table?,
            key: key?,
            severity,
            message,
            is_destination: false,
        })
    }

    fn lookup_key(&mut self, at: &At<'_>, fields: Option<&[Field]>) -> Option<Vec<LookupField>> {
        let expected =
            "a mapping of the table's key attributes to fields: { customer_email: email }";
        let entries = self.entries(at, expected)?;
        if !(1..=2).contains(&entries.len()) {
            let message = format!(
                "a table's key is one or two attributes, its partition key and its sort key; found {}",
                entries.len()
            );
            self.fault(at, message);
            return None;
        }
        let fields = fields?;
        if fields.is_empty() {
            self.fault(
                at,
                "expected \"fields\" in the definition, which have the values of the key",
            );
            return None;
        }
        let key: Vec<LookupField> = entries
            .iter()
            .filter_map(|(attribute, at)| self.lookup_field(attribute, at, fields))
            .collect();
        if let [first, second] = &key[..]
            && first.field == second.field
        {
            self.fault(
                &entries[1].1,
                "the two attributes of a key have different fields",
            );
        }
        (key.len() == entries.len()).then_some(key)
    }

    fn lookup_field(
        &mut self,
        attribute: &str,
        at: &At<'_>,
        fields: &[Field],
    ) -> Option<LookupField> {
        if !(1..=255).contains(&attribute.len()) {
            self.fault(at, "the name of a key attribute is 1 to 255 bytes long");
            return None;
        }
        let field = self.field_of(at, fields)?;
        Some(LookupField {
            attribute: attribute.to_owned(),
            is_number: self.key_type(at, field)?,
            field: field.name.clone(),
        })
    }

    /// The short form: the table that accepted rows go to, under its own key.
    fn lookup_in_destination(
        &mut self,
        at: &At<'_>,
        destination: Option<&Destination>,
    ) -> Option<TableLookup> {
        if !at.is_word("destination") {
            self.unexpected(at, EXPECTED);
            return None;
        }
        let Destination::DynamoDb(destination) = destination? else {
            self.fault(
                at,
                "the destination is no table: expected a destination of the type \"dynamodb\"",
            );
            return None;
        };
        let key = destination.key.iter().map(|field| LookupField {
            attribute: field.name.clone(),
            field: field.name.clone(),
            is_number: field.is_number,
        });
        Some(TableLookup {
            table: destination.table.clone(),
            key: key.collect(),
            severity: Severity::Error,
            message: None,
            is_destination: true,
        })
    }
}
