//! The store's conformance suite over a DynamoDB inside the test program: nothing to install.

mod embedded;
mod support;

use std::sync::Arc;

use batchfleet_aws::dynamo::DynamoStore;

async fn make_store() -> Arc<DynamoStore> {
    let clients = embedded::clients().await;
    Arc::new(DynamoStore::builder(clients.dynamodb, support::TABLE).build())
}

batchfleet_testing::store_conformance!(make_store);
