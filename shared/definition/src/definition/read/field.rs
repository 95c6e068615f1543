//! Reads `fields`: one mapping for each, and what must hold between them.

use std::collections::HashMap;
use std::sync::Arc;

use super::super::{Compiled, Constraints, Field, Unique};
use crate::constraint::{Checks, Violation};
use crate::field_plan::FieldPlan;
use crate::header::{NAME_BYTES_MAX, is_control, is_ours, key};
use crate::language::{At, Mapping, Reader};
use crate::row_error::Severity;
use crate::show::shown;
use crate::transform::Steps;
use crate::types::{Converter, FieldType, Literal, TypeOptions};

/// The keys of a field: its own, those of its type, and its constraints.
pub(super) const KEYS: [&str; 37] = [
    "name",
    "type",
    "description",
    "required",
    "default",
    "column",
    "aliases",
    "constant",
    "compute",
    "trim",
    "null_values",
    "transforms",
    "check",
    "pattern",
    "min",
    "max",
    "min_length",
    "max_length",
    "one_of",
    "unique",
    "severity",
    "message",
    "suggestion",
    "sensitive",
    "format",
    "formats",
    "time_zone",
    "true_words",
    "false_words",
    "values",
    "ignore_case",
    "separator",
    "items",
    "decimal_separator",
    "thousands_separator",
    "schemes",
    "fraction_digits",
];

/// Keys that need a column, which a constant does not have.
const NEED_COLUMN: [&str; 9] = [
    "required",
    "default",
    "column",
    "aliases",
    "trim",
    "null_values",
    "transforms",
    "unique",
    "sensitive",
];

impl Reader {
    pub(super) fn fields(&mut self, at: &At<'_>) -> Option<Vec<Field>> {
        let items = self.sequence(at, "a list of fields")?;
        if items.is_empty() {
            let message = "expected at least one field; without \"fields\" every column is text";
            self.fault(at, message);
        }
        let mut names: HashMap<String, usize> = HashMap::with_capacity(items.len());
        let mut owners: HashMap<String, String> = HashMap::with_capacity(items.len());
        let mut fields = Vec::with_capacity(items.len());
        for item in &items {
            let Some(keys) = self.mapping(item, "a field, which is a mapping", &KEYS) else {
                continue;
            };
            let Some(field) = self.field(&keys) else {
                continue;
            };
            let mut is_first = true;
            if let Some(at) = keys.get("name")
                && let Some(line) = names.insert(key(&field.name), at.line())
            {
                let name = shown(&field.name);
                self.fault(
                    at,
                    format!("duplicate field {name}, first on line {line}; case does not count"),
                );
                is_first = false;
            }
            if is_first {
                self.claim_headers(&keys, &field, &mut owners);
            }
            fields.push(field);
        }
        Some(fields)
    }

    /// A header belongs to one field.
    fn claim_headers(
        &mut self,
        keys: &Mapping<'_>,
        field: &Field,
        owners: &mut HashMap<String, String>,
    ) {
        let aliases = keys.get("aliases").map(At::items).unwrap_or_default();
        let own = keys.get("column").or_else(|| keys.get("name"));
        let places = own.into_iter().chain(&aliases);
        // One that could not be read is empty, and belongs to nobody.
        let headers = field.headers().zip(places);
        for (header, at) in headers.filter(|(header, _)| !header.is_empty()) {
            let owner = owners
                .entry(key(header))
                .or_insert_with(|| field.name.clone());
            if *owner != field.name {
                let message = format!(
                    "the header {} belongs to the field {} already; case does not count",
                    shown(header),
                    shown(owner)
                );
                self.fault(at, message);
            }
        }
    }

    fn field(&mut self, keys: &Mapping<'_>) -> Option<Field> {
        let kind = match keys.get("type") {
            Some(at) => self.kind(at),
            None => Some(FieldType::String),
        };
        // A type that cannot be read is reported, and whatever depends on it passed over.
        let known = kind.is_some();
        let kind = kind.unwrap_or(FieldType::String);
        let (options, items) = self.options(keys, kind, known);
        let converter = self.converter(keys, kind, &options, known);
        let mut field = self.plain_field(keys, kind, options)?;
        field.items = items;
        let transforms = keys.get("transforms").and_then(|at| self.transforms(at));
        let steps = transforms.unwrap_or_default();
        field.transforms = steps;
        let steps = self.steps(keys, &field);
        if let Some(converter) = converter.as_ref().filter(|_| known) {
            self.values(keys, &mut field, converter);
        }
        let checks = Checks::compile(&field.constraints).unwrap_or_default();
        let (item_kind, item_checks) = match &field.options.items {
            Some(items) => (items.kind, Checks::compile(&field.items)),
            None => (FieldType::String, Ok(Checks::default())),
        };
        let checks = checks.with_items(item_kind, item_checks.unwrap_or_default());
        for (key, value) in [("default", &field.default), ("constant", &field.constant)] {
            if let (Some(at), Some(value)) = (keys.get(key), value) {
                self.fitting(at, value, &checks);
            }
        }
        if let Some(converter) = converter {
            field.plan = Compiled(Arc::new(FieldPlan {
                steps: steps.unwrap_or_default(),
                converter,
                checks: (!checks.is_empty()).then_some(checks),
            }));
        }
        Some(field)
    }

    /// All of a field that does not depend on its type, with what depends on it left open.
    fn plain_field(
        &mut self,
        keys: &Mapping<'_>,
        kind: FieldType,
        options: TypeOptions,
    ) -> Option<Field> {
        self.without_column(keys);
        let mut flag = |key: &str, default: bool| match keys.get(key) {
            Some(at) => self.boolean(at).unwrap_or(default),
            None => default,
        };
        let required = flag("required", false);
        let sensitive = flag("sensitive", false);
        // Text keeps its spaces unless told otherwise: they may be part of it.
        let trim = flag("trim", kind != FieldType::String);
        let severity = keys.get("severity");
        let severity = severity.and_then(|at| self.choice(at, "severity", &["error", "warning"]));
        let mut sentence = |key: &str| {
            let at = keys.get(key)?;
            self.short_text(at, "a sentence")
        };
        let message = sentence("message");
        let suggestion = sentence("suggestion");
        let expected = "the header of a column";
        let column = keys.get("column");
        let column = column.and_then(|at| self.header_name(at, expected));
        let aliases = match keys.get("aliases") {
            Some(at) => self.header_names(at),
            None => Vec::new(),
        };
        let null_values = match keys.get("null_values") {
            Some(at) => self.texts(at, "a list of texts").unwrap_or_default(),
            None => Vec::new(),
        };
        let compute = keys.get("compute");
        let compute = compute.and_then(|at| self.text(at, "an expression").map(str::to_owned));
        let unique = keys.get("unique").and_then(|at| self.unique(at));
        if let (Some(_), Some(at)) = (unique, keys.get("default")) {
            self.fault(
                at,
                "a unique field has no default: the second row with it would be a duplicate",
            );
        }
        let description = keys.get("description");
        let description = description.and_then(|at| self.text(at, "text"));
        let Some(name) = keys.get("name") else {
            return self.missing(keys, "name");
        };
        Some(Field {
            name: self.header_name(name, expected)?,
            description: description.map(str::to_owned),
            column,
            aliases,
            kind,
            options,
            required,
            default: None,
            constant: None,
            compute,
            trim,
            null_values: null_values
                .iter()
                .map(|null| null.trim().to_owned())
                .collect(),
            transforms: Vec::new(),
            constraints: Constraints::default(),
            items: Constraints::default(),
            unique,
            severity: match severity {
                Some("warning") => Severity::Warning,
                _ => Severity::Error,
            },
            message,
            suggestion,
            sensitive,
            // Until its type is read.
            plan: Compiled(Arc::new(FieldPlan::text()?)),
        })
    }

    /// A constant needs no column, and nothing that is about one; nor does what is calculated.
    fn without_column(&mut self, keys: &Mapping<'_>) {
        if keys.get("compute").is_some() {
            for key in ["constant", "column", "aliases"] {
                if let Some(at) = keys.get(key) {
                    self.fault(
                        at,
                        "a calculated field has no column, so it does not have this key",
                    );
                }
            }
        }
        if keys.get("constant").is_none() {
            return;
        }
        for key in NEED_COLUMN {
            if let Some(at) = keys.get(key) {
                self.fault(at, "a constant has no column, so it does not have this key");
            }
        }
    }

    /// The values that the definition gives, in the field's own type.
    fn values(&mut self, keys: &Mapping<'_>, field: &mut Field, converter: &Converter) {
        let mut given = |key: &str| {
            let at = keys.get(key)?;
            self.literal(at, field.kind, converter)
        };
        field.default = given("default");
        field.constant = given("constant");
        field.constraints = self.constraints(keys, field.kind, converter);
    }

    fn steps(&mut self, keys: &Mapping<'_>, field: &Field) -> Option<Steps> {
        let at = keys.get("transforms")?;
        match Steps::compile(&field.transforms) {
            Ok(steps) => Some(steps),
            Err(faults) => {
                let items = at.items();
                for (index, message) in faults {
                    self.fault(items.get(index).unwrap_or(at), message);
                }
                None
            }
        }
    }

    /// A value that the definition gives keeps the definition's own rules.
    fn fitting(&mut self, at: &At<'_>, value: &Literal, checks: &Checks) {
        let mut found = Vec::new();
        checks.check(&value.value(), &mut found);
        for Violation { tail, item, .. } in found {
            let what = item.map_or_else(
                || "the value".to_owned(),
                |(place, _)| format!("its item {place}"),
            );
            self.fault(at, format!("{what} {tail}"));
        }
    }

    fn unique(&mut self, at: &At<'_>) -> Option<Unique> {
        if !at.is_mapping() {
            return self.boolean(at)?.then(Unique::default);
        }
        let keys = self.mapping(at, "true or a mapping", &["ignore_case"])?;
        let mut unique = Unique::default();
        if let Some(at) = keys.get("ignore_case") {
            unique.ignore_case = self.boolean(at)?;
        }
        Some(unique)
    }

    fn header_names(&mut self, at: &At<'_>) -> Vec<String> {
        let items = self.sequence(at, "a list of headers").unwrap_or_default();
        let mut names = Vec::with_capacity(items.len());
        for item in &items {
            // One that cannot be read keeps its place.
            let name = self.header_name(item, "the header of a column");
            names.push(name.unwrap_or_default());
        }
        names
    }

    pub(super) fn header_name(&mut self, at: &At<'_>, expected: &str) -> Option<String> {
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

    pub(super) fn kind(&mut self, at: &At<'_>) -> Option<FieldType> {
        let names = FieldType::ALL.map(FieldType::as_str);
        let name = self.choice(at, "type", &names)?;
        FieldType::ALL
            .into_iter()
            .find(|kind| kind.as_str() == name)
    }
}

/// A type in a sentence.
pub(super) fn with_article(kind: FieldType) -> String {
    match kind {
        FieldType::Json => "JSON".to_owned(),
        FieldType::Integer | FieldType::Email | FieldType::Enum | FieldType::Array => {
            format!("an {}", kind.as_str())
        }
        _ => format!("a {}", kind.as_str()),
    }
}
