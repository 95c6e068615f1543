//! What the tests of the AWS adapters share: clients for an endpoint, and the table as the template
//! makes it.

use aws_config::BehaviorVersion;
use aws_sdk_dynamodb::config::{Credentials, Region};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use batchfleet_aws::Clients;

/// The table's name in tests.
pub(crate) const TABLE: &str = "batchfleet-test";

/// Clients of whatever listens there.
pub(crate) async fn clients_at(endpoint: &str) -> Clients {
    let config = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .endpoint_url(endpoint)
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "tests"))
        .load()
        .await;
    Clients::new(&config)
}

/// Makes the table of `infra/template.yaml`, unless it is there.
pub(crate) async fn create_table(client: &aws_sdk_dynamodb::Client) {
    let attribute = |name| {
        AttributeDefinition::builder()
            .attribute_name(name)
            .attribute_type(ScalarAttributeType::S)
            .build()
            .expect("complete")
    };
    let key = |name, kind| {
        KeySchemaElement::builder()
            .attribute_name(name)
            .key_type(kind)
            .build()
            .expect("complete")
    };
    let created = client
        .create_table()
        .table_name(TABLE)
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(attribute("pk"))
        .attribute_definitions(attribute("sk"))
        .key_schema(key("pk", KeyType::Hash))
        .key_schema(key("sk", KeyType::Range))
        .send()
        .await;
    if let Err(error) = created {
        let error = error.into_service_error();
        assert!(error.is_resource_in_use_exception(), "{error:?}");
    }
}
