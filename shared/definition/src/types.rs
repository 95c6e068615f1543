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
#[expect(missing_docs, reason = "replaced by the types")]
pub enum FieldType {
    String,
    Integer,
    Number,
    Decimal,
    Boolean,
    Date,
    DateTime,
    Email,
    Url,
    Uuid,
    Phone,
    Enum,
    Array,
    Json,
}

#[expect(missing_docs, reason = "replaced by the types")]
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TypeOptions {
    pub formats: Vec<String>,
    pub time_zone: Option<String>,
    pub true_words: Vec<String>,
    pub false_words: Vec<String>,
    pub values: Vec<String>,
    pub ignore_case: bool,
    pub separator: Option<String>,
    pub items: Option<Box<ItemType>>,
    pub decimal_separator: Option<char>,
    pub thousands_separator: Option<char>,
    pub schemes: Vec<String>,
    pub fraction_digits: Option<u32>,
}

#[expect(missing_docs, reason = "replaced by the types")]
#[derive(Debug, Clone, PartialEq)]
pub struct ItemType {
    pub kind: FieldType,
    pub options: TypeOptions,
}

#[derive(Debug, Clone)]
pub(crate) struct Converter {
    kind: FieldType,
}

pub(crate) struct OptionFault {
    pub(crate) key: &'static str,
    pub(crate) index: Option<usize>,
    pub(crate) message: String,
}

impl Converter {
    pub(crate) fn compile(kind: FieldType, _: &TypeOptions) -> Result<Self, Vec<OptionFault>> {
        Ok(Self { kind })
    }
    #[inline]
    pub(crate) fn convert<'a>(
        &'a self,
        cell: &'a [u8],
        _: &'a mut String,
    ) -> Result<Value<'a>, Mismatch> {
        self.kind.convert(cell)
    }
    pub(crate) fn suggest(&self, _: &[u8]) -> Option<String> {
        None
    }
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
    /// A number with all its digits, as JSON writes it.
    Decimal(String),
    /// A list or an object, as JSON text on one line.
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

impl Mismatch {
    pub(crate) fn code(&self) -> crate::Code {
        crate::Code::TypeMismatch
    }
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
            _ => "other",
        }
    }

    /// Converts a cell that is not empty. Only [`FieldType::String`] keeps the spaces around it,
    /// the others expect it without.
    #[inline]
    pub(crate) fn convert(self, cell: &[u8]) -> Result<Value<'_>, Mismatch> {
        let converted = match self {
            Self::Number => number::parse(cell).map(Value::Num),
            Self::Integer => integer::parse(cell).map(Value::Int),
            Self::Boolean => boolean::parse(cell).map(Value::Bool),
            Self::Date => date::parse(cell).map(Value::Str),
            Self::Email => email::parse(cell).map(Value::Str),
            _ => text(cell).map(Value::Str),
        };
        // Most types look at ASCII only, so bytes that are no text at all fail them first.
        converted.map_err(|mismatch| text(cell).err().unwrap_or(mismatch))
    }
}

#[inline]
fn text(cell: &[u8]) -> Result<&str, Mismatch> {
    std::str::from_utf8(cell).map_err(|_| Mismatch::NotUtf8)
}
