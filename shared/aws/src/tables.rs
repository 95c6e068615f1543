//! Tables that definitions name: which of them may be used, whether they exist, and what key they have.
//!
//! It must not know what is done with them.

use std::fmt;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, KeyType, ScalarAttributeType, TableDescription,
};
use batchfleet_core::PortResult;

use crate::errors::port_error;

/// Which tables definitions may name: one by name, or all whose names begin alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tables {
    name: String,
    /// Whether more may follow the name.
    is_prefix: bool,
}

impl Tables {
    /// Every table.
    #[must_use]
    pub fn all() -> Self {
        Self {
            name: String::new(),
            is_prefix: true,
        }
    }

    /// Reads `people`, or `import-*`; `None` where it is neither.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (name, is_prefix) = match text.strip_suffix('*') {
            Some(prefix) => (prefix, true),
            None => (text, false),
        };
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
        let is_name = !name.is_empty() && name.bytes().all(allowed);
        is_name.then(|| Self {
            name: name.to_owned(),
            is_prefix,
        })
    }

    pub(crate) fn include(&self, table: &str) -> bool {
        table == self.name || (self.is_prefix && table.starts_with(&self.name))
    }
}

impl fmt::Display for Tables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let more = if self.is_prefix { "*" } else { "" };
        write!(f, "{}{more}", self.name)
    }
}

/// Looks at a table; `None` where there is none.
pub(crate) async fn describe(client: &Client, table: &str) -> PortResult<Option<TableDescription>> {
    match client.describe_table().table_name(table).send().await {
        Ok(output) => Ok(output.table),
        Err(error) if code(&error) == Some("ResourceNotFoundException") => Ok(None),
        Err(error) => Err(port_error("look at a table", error)),
    }
}

/// Why a table that does not exist can't be used.
pub(crate) fn missing(table: &str) -> String {
    format!("the table {table:?} does not exist in this account and region")
}

/// A key for people: `email (text), year (number)`. Of each attribute its name and its kind.
pub(crate) fn key_for_people<'a>(parts: impl Iterator<Item = (&'a str, &'static str)>) -> String {
    let parts = parts.map(|(name, kind)| format!("{name} ({kind})"));
    parts.collect::<Vec<_>>().join(", ")
}

/// What a key attribute of this kind is called.
pub(crate) fn kind(is_number: bool) -> &'static str {
    if is_number { "number" } else { "text" }
}

/// The attributes of a table's key, its partition key first, each with its kind.
pub(crate) fn key_parts(table: &TableDescription) -> Vec<(String, &'static str)> {
    let mut elements = table.key_schema().to_vec();
    elements.sort_by_key(|element| *element.key_type() != KeyType::Hash);
    let kind_of = |name: &str| {
        let mut defined = table.attribute_definitions().iter();
        let attribute = defined.find(|attribute| attribute.attribute_name() == name);
        match attribute.map(AttributeDefinition::attribute_type) {
            Some(ScalarAttributeType::S) => kind(false),
            Some(ScalarAttributeType::N) => kind(true),
            _ => "binary",
        }
    };
    let parts = elements.iter().map(|element| {
        let name = element.attribute_name();
        (name.to_owned(), kind_of(name))
    });
    parts.collect()
}

/// The code of a service's error.
pub(crate) fn code<E: ProvideErrorMetadata>(error: &SdkError<E>) -> Option<&str> {
    error
        .as_service_error()
        .and_then(ProvideErrorMetadata::code)
}

/// Whether a code says that too much is asked of the table.
pub(crate) fn is_overload(code: Option<&str>) -> bool {
    matches!(
        code,
        Some(
            "ProvisionedThroughputExceededException"
                | "RequestLimitExceeded"
                | "ThrottlingException"
        )
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_one_or_those_that_begin_alike() {
        let one = Tables::parse("people").unwrap();
        assert!(one.include("people") && !one.include("people2"));
        let some = Tables::parse("import-*").unwrap();
        assert!(some.include("import-people") && !some.include("imports"));
        assert_eq!(some.to_string(), "import-*");
        assert!(Tables::all().include("people"));
        for bad in ["*", "", "a*b", "arn:aws:dynamodb:x", "a b", "people**"] {
            assert_eq!(Tables::parse(bad), None, "{bad}");
        }
    }
}
