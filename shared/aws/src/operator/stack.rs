//! A stack's parts, by the stack's name.
//!
//! The template names the table after the stack, and the table's tags name the other parts. So nothing
//! more is needed than two calls that any DynamoDB client has; whoever has no permission for them can
//! name the parts one by one.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::describe_table::DescribeTableError;
use batchfleet_core::PortError;

use crate::errors::port_error;

/// How the tags that name a part begin.
const TAG_PREFIX: &str = "batchfleet:";

/// Pages of tags at most: a resource has 50 tags at most, and a page some 10.
const TAG_PAGES_MAX: usize = 50;

/// Why a stack's parts are not known.
#[derive(Debug, thiserror::Error)]
pub enum StackError {
    /// It has no table, here and now.
    #[error("there is no table {table}")]
    Missing {
        /// The table's name.
        table: String,
    },
    /// The table says nothing of other parts.
    #[error("the table {table} has no tags that name the parts of a stack")]
    Foreign {
        /// The table's name.
        table: String,
    },
    /// A call did not succeed.
    #[error(transparent)]
    Port(#[from] PortError),
}

/// Whether a stack may be called so: a letter, then letters, digits and hyphens, 128 in all.
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html>
#[must_use]
pub fn is_stack_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    name.len() <= 128
        && name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.bytes().all(allowed)
}

/// The table of a stack, as `infra/template.yaml` names it.
#[must_use]
pub fn table_of_stack(stack: &str) -> String {
    format!("{stack}-jobs")
}

/// The parts that the tags of the stack's table name, such as `results-bucket`.
///
/// # Errors
/// [`StackError`].
pub async fn parts_of_stack(
    client: &Client,
    stack: &str,
) -> Result<BTreeMap<String, String>, StackError> {
    let table = table_of_stack(stack);
    let described = client.describe_table().table_name(&table).send().await;
    let described = match described {
        Ok(described) => described,
        Err(error)
            if error
                .as_service_error()
                .is_some_and(DescribeTableError::is_resource_not_found_exception) =>
        {
            return Err(StackError::Missing { table });
        }
        Err(error) => return Err(port_error("find the stack's table", error).into()),
    };
    let arn = described.table.and_then(|table| table.table_arn);
    let Some(arn) = arn else {
        return Err(StackError::Missing { table });
    };
    let mut parts = BTreeMap::new();
    let mut next = None;
    for _ in 0..TAG_PAGES_MAX {
        let page = client
            .list_tags_of_resource()
            .resource_arn(&arn)
            .set_next_token(next)
            .send()
            .await
            .map_err(|error| port_error("read the tags of the stack's table", error))?;
        for tag in page.tags.unwrap_or_default() {
            if let Some(part) = tag.key.strip_prefix(TAG_PREFIX) {
                parts.insert(part.to_owned(), tag.value);
            }
        }
        next = page.next_token;
        if next.is_none() {
            break;
        }
    }
    if parts.is_empty() {
        return Err(StackError::Foreign { table });
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_is_called_as_cloudformation_says() {
        for name in ["batchfleet", "B-2", &"a".repeat(128)] {
            assert!(is_stack_name(name), "{name}");
        }
        for name in [
            "",
            "2nd",
            "-a",
            "a_b",
            "a b",
            "arn:aws:dynamodb",
            "ä",
            &"a".repeat(129),
        ] {
            assert!(!is_stack_name(name), "{name}");
        }
    }
}
