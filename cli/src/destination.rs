//! Where a local run delivers: parts in its folder, or a destination that takes records one by one.

use std::sync::Arc;

use batchfleet_core::ports::{NoSinks, Sinks};
use batchfleet_definition::Destination;

use crate::outcome::Failure;

/// The way to the definition's destination. Tables are reached with the credentials and the region of
/// the environment, and any of them may be written: whoever runs the command has the last word.
#[cfg(feature = "aws")]
pub(crate) async fn sinks(destination: &Destination) -> Result<Arc<dyn Sinks>, Failure> {
    use batchfleet_aws::{Clients, TableSinks, Tables};
    if !destination.is_record_wise() {
        return Ok(Arc::new(NoSinks));
    }
    let client = Clients::from_environment().await.dynamodb;
    Ok(Arc::new(TableSinks::new(client, Some(Tables::all()), None)))
}

/// The way to the definition's destination; this build has none to a table.
#[cfg(not(feature = "aws"))]
pub(crate) async fn sinks(destination: &Destination) -> Result<Arc<dyn Sinks>, Failure> {
    match destination {
        Destination::JsonLines => std::future::ready(Ok(Arc::new(NoSinks) as _)).await,
        Destination::DynamoDb(to) => Err(Failure::usage(format!(
            "the destination is the DynamoDB table {:?}, and this command was built without AWS: build \
             it with --features aws, or leave \"destination\" out of the definition to get files",
            to.table
        ))),
    }
}
