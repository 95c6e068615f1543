//! The tables of a local run: a destination that takes records one by one, and those that records are
//! looked up in. Without them a run needs its folder alone.

use std::sync::Arc;

use batchfleet_core::ports::{Lookups, NoLookups, NoSinks, Sinks};
use batchfleet_definition::{Definition, Destination};

use crate::outcome::Failure;

/// The ways to the tables that a definition names.
pub(crate) struct Tables {
    /// To its destination.
    pub(crate) sinks: Arc<dyn Sinks>,
    /// To those of `duplicates_of`.
    pub(crate) lookups: Arc<dyn Lookups>,
}

impl Tables {
    /// Of a definition that names none.
    fn none() -> Self {
        Self {
            sinks: Arc::new(NoSinks),
            lookups: Arc::new(NoLookups),
        }
    }
}

/// The ways to a definition's tables. They are reached with the credentials and the region of the
/// environment, and any of them may be used: whoever runs the command has the last word.
#[cfg(feature = "aws")]
pub(crate) async fn tables(definition: &Definition) -> Result<Tables, Failure> {
    use batchfleet_aws::{Clients, TableLookups, TableSinks, Tables as Names};
    if !names_tables(definition) {
        return Ok(Tables::none());
    }
    let client = Clients::from_environment().await.dynamodb;
    let all = || Some(Names::all());
    Ok(Tables {
        sinks: Arc::new(TableSinks::new(client.clone(), all(), None)),
        lookups: Arc::new(TableLookups::new(client, all().into_iter().collect(), None)),
    })
}

/// The ways to a definition's tables; this build has none.
#[cfg(not(feature = "aws"))]
pub(crate) async fn tables(definition: &Definition) -> Result<Tables, Failure> {
    if !names_tables(definition) {
        return std::future::ready(Ok(Tables::none())).await;
    }
    let without = "and this command was built without AWS: build it with --features aws, or leave";
    Err(Failure::usage(match definition.destination() {
        Destination::DynamoDb(to) => format!(
            "the destination is the DynamoDB table {:?}, {without} \"destination\" out of the \
             definition to get files",
            to.table
        ),
        Destination::JsonLines => {
            let names = definition.duplicates_of().iter();
            let names: Vec<String> = names.map(|one| format!("{:?}", one.table)).collect();
            format!(
                "records are looked up in DynamoDB ({}), {without} \"duplicates_of\" out of the \
                 definition",
                names.join(", ")
            )
        }
    }))
}

fn names_tables(definition: &Definition) -> bool {
    let is_table = matches!(definition.destination(), Destination::DynamoDb(_));
    is_table || !definition.duplicates_of().is_empty()
}
