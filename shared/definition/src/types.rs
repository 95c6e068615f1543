//! The types of fields: their names, what a definition may say besides, and the values they make.
//!
//! [`Converter`] is a type compiled once for a job; it converts one cell at a time. Every type has
//! a file of its own beneath this one. They must not know about fields, required cells or defaults:
//! an empty cell never reaches a type.

mod array;
mod boolean;
mod converter;
mod date;
mod datetime;
mod decimal;
mod digits;
mod email;
mod example;
mod format;
mod guess;
mod integer;
mod json;
mod mismatch;
mod number;
mod options;
mod phone;
mod set;
mod url;
mod uuid;

pub use converter::Converter;
pub use mismatch::Mismatch;
pub use options::{ItemType, OptionFault, TypeOptions};

/// The type of a field: its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FieldType {
    /// The cell as it is.
    String,
    /// A number, an [`f64`] that is finite.
    Number,
    /// A whole number, an [`i64`].
    Integer,
    /// A number with all its digits, 38 at most.
    Decimal,
    /// True or false.
    Boolean,
    /// A day of the calendar, written `YYYY-MM-DD`.
    Date,
    /// A moment, or a time of a day without a place, written as RFC 3339 does.
    DateTime,
    /// An email address.
    Email,
    /// An absolute URL with a host.
    Url,
    /// A UUID, written with hyphens and small letters.
    Uuid,
    /// A telephone number with its country code, written as E.164 does: `+493012345`.
    Phone,
    /// One of the values that the definition lists.
    Enum,
    /// A list of values of one type.
    Array,
    /// Any JSON.
    Json,
}

/// One converted value. Text is borrowed from the cell where it stays as it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'a> {
    /// No value.
    Null,
    /// Text.
    Str(&'a str),
    /// A whole number.
    Int(i64),
    /// A finite decimal number.
    Num(f64),
    /// True or false.
    Bool(bool),
    /// A number with all its digits, as JSON writes it: `12.30`.
    Decimal(&'a str),
    /// A list, an object or any other value, as JSON text on one line.
    Json(&'a str),
}

/// A value a definition gives, such as the default of a field.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// Text.
    Str(String),
    /// A whole number.
    Int(i64),
    /// A finite decimal number.
    Num(f64),
    /// True or false.
    Bool(bool),
    /// A number with all its digits, as JSON writes it.
    Decimal(String),
    /// JSON text on one line.
    Json(String),
}

impl Literal {
    /// The value as a row holds it.
    #[must_use]
    pub fn value(&self) -> Value<'_> {
        match self {
            Self::Str(text) => Value::Str(text),
            Self::Int(int) => Value::Int(*int),
            Self::Num(number) => Value::Num(*number),
            Self::Bool(truth) => Value::Bool(*truth),
            Self::Decimal(text) => Value::Decimal(text),
            Self::Json(text) => Value::Json(text),
        }
    }
}

impl FieldType {
    /// Every type, in the order messages list them.
    pub const ALL: [Self; 14] = [
        Self::String,
        Self::Number,
        Self::Integer,
        Self::Decimal,
        Self::Boolean,
        Self::Date,
        Self::DateTime,
        Self::Email,
        Self::Url,
        Self::Uuid,
        Self::Phone,
        Self::Enum,
        Self::Array,
        Self::Json,
    ];

    /// The name in a definition.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Number => "number",
            Self::Integer => "integer",
            Self::Decimal => "decimal",
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::DateTime => "datetime",
            Self::Email => "email",
            Self::Url => "url",
            Self::Uuid => "uuid",
            Self::Phone => "phone",
            Self::Enum => "enum",
            Self::Array => "array",
            Self::Json => "json",
        }
    }
}

#[inline]
fn text(cell: &[u8]) -> Result<&str, Mismatch> {
    std::str::from_utf8(cell).map_err(|_| Mismatch::NotUtf8)
}

/// Letters and digits that are known to be ASCII, as text.
#[inline]
fn ascii(bytes: &[u8]) -> Result<&str, Mismatch> {
    text(bytes)
}

/// Text without the case of its letters. What is the same in capitals is the same, `ß` and `SS`.
fn fold(text: &str, out: &mut String) {
    out.clear();
    if text.is_ascii() {
        out.push_str(text);
        out.make_ascii_lowercase();
    } else {
        out.push_str(&text.to_uppercase().to_lowercase());
    }
}
