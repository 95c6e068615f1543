//! The types of fields: their names, and the conversion of one cell to one.
//!
//! Every type has a file of its own beneath this one. They must not know about fields, required
//! cells or defaults: an empty cell never reaches a type.

mod boolean;
mod date;
mod email;
mod integer;
mod number;

/// The type of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FieldType {
    /// The cell as it is.
    String,
    /// A decimal number, an [`f64`].
    Number,
    /// A whole number, an [`i64`].
    Integer,
    /// True or false.
    Boolean,
    /// A day of the calendar, `YYYY-MM-DD`.
    Date,
    /// An email address.
    Email,
}

/// One converted value. Text is borrowed from the cell.
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
    /// A list or an object, as JSON text on one line.
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
        }
    }
}

/// Why a cell does not fit a type. Each continues a sentence that begins with the cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Mismatch {
    #[error("is not valid UTF-8 text")]
    NotUtf8,
    #[error("is not a whole number")]
    NotInteger,
    #[error("is too large for a whole number (64 bits)")]
    IntegerRange,
    #[error("is not a number")]
    NotNumber,
    #[error("is too large for a number")]
    NumberRange,
    #[error("is not a boolean (true, false, yes, no, 1 or 0)")]
    NotBoolean,
    #[error("is not a date (YYYY-MM-DD)")]
    NotDate,
    #[error("is not a day of the calendar")]
    NoSuchDay,
    #[error("is not an email address")]
    NotEmail,
}

impl FieldType {
    /// Every type, in the order messages list them.
    pub const ALL: [Self; 6] = [
        Self::String,
        Self::Number,
        Self::Integer,
        Self::Boolean,
        Self::Date,
        Self::Email,
    ];

    /// The name in a definition.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Number => "number",
            Self::Integer => "integer",
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::Email => "email",
        }
    }

    /// Converts a cell that is not empty. Only [`FieldType::String`] keeps the spaces around it,
    /// the others expect it without.
    #[inline]
    pub(crate) fn convert(self, cell: &[u8]) -> Result<Value<'_>, Mismatch> {
        let converted = match self {
            Self::String => text(cell).map(Value::Str),
            Self::Number => number::parse(cell).map(Value::Num),
            Self::Integer => integer::parse(cell).map(Value::Int),
            Self::Boolean => boolean::parse(cell).map(Value::Bool),
            Self::Date => date::parse(cell).map(Value::Str),
            Self::Email => email::parse(cell).map(Value::Str),
        };
        // Most types look at ASCII only, so bytes that are no text at all fail them first.
        converted.map_err(|mismatch| text(cell).err().unwrap_or(mismatch))
    }
}

#[inline]
fn text(cell: &[u8]) -> Result<&str, Mismatch> {
    std::str::from_utf8(cell).map_err(|_| Mismatch::NotUtf8)
}
