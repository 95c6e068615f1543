//! Where accepted rows go, and how patiently they are brought there.

/// Where accepted rows go.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Destination {
    /// Files of JSON Lines beside the job, one whole file a batch.
    #[default]
    JsonLines,
    /// A DynamoDB table, which takes records one by one.
    DynamoDb(TableDestination),
}

/// A DynamoDB table as a destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableDestination {
    /// The table's name: 3 to 255 letters, digits, `_`, `-` and `.`.
    pub table: String,
    /// The fields that are the table's key: its partition key, then its sort key if it has one. A
    /// row of the same key as an earlier one takes its place.
    pub key: Vec<KeyField>,
}

/// One field of a table's key. Its values are never empty: the field is required.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyField {
    /// The field's name, and that of the table's attribute.
    pub name: String,
    /// Whether its values are numbers; text where not.
    pub is_number: bool,
}

/// How often and after which waits a delivery is tried again. Before try `n` of the same thing a
/// random time passes of at most `base_ms * 2^(n-1)`, nor more than `cap_ms` (exponential backoff
/// with full jitter).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retries {
    /// Tries after the first, 0 to 10.
    pub max: u32,
    /// The longest first wait, 1 ms to a minute.
    pub base_ms: u32,
    /// The longest wait, `base_ms` to a minute.
    pub cap_ms: u32,
}

impl Default for Retries {
    fn default() -> Self {
        Self {
            max: 3,
            base_ms: 200,
            cap_ms: 5_000,
        }
    }
}

impl Destination {
    /// Whether it takes records one by one, rather than a whole batch at once.
    #[must_use]
    pub fn is_record_wise(&self) -> bool {
        match self {
            Self::JsonLines => false,
            Self::DynamoDb(_) => true,
        }
    }
}
