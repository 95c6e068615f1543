//! Reads the values that a definition gives: a default, a bound, one of those allowed.
//!
//! Where YAML has a type of its own, a value is as strict as the definition: a number in quotes is
//! text. Otherwise it is written as a cell of the field is, or as the type writes it by itself.

use crate::language::{At, Reader, Resolved};
use crate::types::{Converter, FieldType, Literal, TypeOptions, Value};

impl Reader {
    /// A value of a type. Nothing is no value, and no fault.
    pub(super) fn literal(
        &mut self,
        at: &At<'_>,
        kind: FieldType,
        converter: &Converter,
    ) -> Option<Literal> {
        let expected = expected(kind);
        let scalar = self.scalar(at, expected)?;
        let literal = match (kind, scalar.resolve()) {
            (_, Resolved::Null) => return None,
            (FieldType::String, _) => Some(Literal::Str(scalar.text.clone())),
            (FieldType::Boolean, _) => return self.boolean(at).map(Literal::Bool),
            (FieldType::Integer, Resolved::Int(int)) => i64::try_from(int).ok().map(Literal::Int),
            (FieldType::Number, Resolved::Int(int)) => Some(Literal::Num(int as f64)),
            (FieldType::Number, Resolved::Float(float)) if float.is_finite() => {
                Some(Literal::Num(float))
            }
            (FieldType::Integer | FieldType::Number, _) => None,
            _ => converted(&scalar.text, converter).or_else(|| {
                let plain = Converter::compile(kind, &TypeOptions::default()).ok()?;
                let literal = converted(&scalar.text, &plain)?;
                // What has options of its own is in their form; dates may be in both.
                matches!(
                    kind,
                    FieldType::Date | FieldType::DateTime | FieldType::Decimal
                )
                .then_some(literal)
            }),
        };
        if literal.is_none() {
            self.unexpected(at, expected);
        }
        literal
    }
}

fn converted(text: &str, converter: &Converter) -> Option<Literal> {
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    let mut out = String::new();
    let literal = match converter.convert(text.as_bytes(), &mut out).ok()? {
        Value::Null => return None,
        Value::Str(text) => Literal::Str(text.to_owned()),
        Value::Int(int) => Literal::Int(int),
        Value::Num(number) => Literal::Num(number),
        Value::Bool(truth) => Literal::Bool(truth),
        Value::Decimal(text) => Literal::Decimal(text.to_owned()),
        Value::Json(text) => Literal::Json(text.to_owned()),
    };
    Some(literal)
}

fn expected(kind: FieldType) -> &'static str {
    match kind {
        FieldType::String => "text",
        FieldType::Number => "a number",
        FieldType::Integer => "a whole number of 64 bits",
        FieldType::Decimal => "a decimal number",
        FieldType::Boolean => "true or false",
        FieldType::Date => "a date (YYYY-MM-DD)",
        FieldType::DateTime => "a date with a time (YYYY-MM-DDTHH:MM:SS)",
        FieldType::Email => "an email address",
        FieldType::Url => "a URL",
        FieldType::Uuid => "a UUID",
        FieldType::Phone => "a telephone number with its country code",
        FieldType::Enum => "one of the values",
        FieldType::Array => "the text of a list, as a cell has it",
        FieldType::Json => "JSON in quotes",
    }
}
