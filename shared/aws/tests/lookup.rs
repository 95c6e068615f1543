//! Tables as look-ups, over a DynamoDB inside the test program: the port's conformance suite, and what is
//! particular to tables. What is said when a real one has enough comes from a stand-in.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

mod embedded;
mod support;
mod tables;

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, ScalarAttributeType};
use batchfleet_aws::{TableLookups, Tables};
use batchfleet_core::PortResult;
use batchfleet_core::exact::ExactNumber;
use batchfleet_core::ports::{
    FoundLookup, KeyAnswer, KeyValue, Lookup, LookupAnswer, LookupKey, Lookups,
};
use batchfleet_definition::{Definition, TableLookup};
use batchfleet_testing::LookupHarness;
use serde_json::{Value, json};

use crate::tables::{create_table, stand_in};

/// A look-up in `people`, whose attributes are reserved words.
fn people(key: &str) -> TableLookup {
    let text = format!(
        "fields: [{{ name: id, type: decimal }}, {{ name: email }}]\n\
         duplicates_of: [{{ table: people, key: {{ {key} }} }}]\n"
    );
    Definition::parse(&text).unwrap().duplicates_of()[0].clone()
}

const KEY: [(&str, ScalarAttributeType); 2] = [
    ("name", ScalarAttributeType::S),
    ("number", ScalarAttributeType::N),
];

async fn found(lookups: &TableLookups, lookup: &TableLookup) -> Result<Arc<dyn Lookup>, String> {
    match lookups.lookup(lookup).await.unwrap() {
        FoundLookup::Lookup(lookup) => Ok(lookup),
        FoundLookup::Unusable(reason) => Err(reason),
    }
}

fn all(client: &Client) -> TableLookups {
    TableLookups::new(
        client.clone(),
        vec![Tables::all()],
        Some(support::TABLE.to_owned()),
    )
}

struct Table {
    client: Client,
    lookup: Arc<dyn Lookup>,
}

/// In the order of the suite, which is another than the table's.
async fn make_table() -> Table {
    let client = embedded::clients().await.dynamodb;
    create_table(&client, "people", &KEY).await;
    let lookup = people("number: id, name: email");
    let lookup = found(&all(&client), &lookup).await.unwrap();
    Table { client, lookup }
}

#[async_trait]
impl LookupHarness for Table {
    fn lookup(&self) -> Arc<dyn Lookup> {
        Arc::clone(&self.lookup)
    }

    async fn write(&self, number: &str, text: &str) {
        let put = self.client.put_item().table_name("people");
        let put = put
            .item("name", AttributeValue::S(text.to_owned()))
            .item("number", AttributeValue::N(number.to_owned()))
            .item("essay", AttributeValue::S("x".repeat(1_000)));
        put.send().await.unwrap();
    }
}

batchfleet_testing::lookup_conformance!(make_table);

#[tokio::test]
async fn a_table_that_does_not_do_is_named_with_the_reason() {
    let client = embedded::clients().await.dynamodb;
    let all = all(&client);
    let reason = |found: Result<_, String>| found.err().unwrap();
    let good = people("number: id, name: email");
    assert_eq!(
        reason(found(&all, &good).await),
        "the table \"people\" does not exist in this account and region"
    );
    create_table(&client, "people", &KEY).await;
    assert!(found(&all, &good).await.is_ok());
    for (key, says) in [
        ("name: email", "name (text)"),
        ("number: email, name: id", "name (number), number (text)"),
        ("nmae: email, number: id", "number (number), nmae (text)"),
    ] {
        assert_eq!(
            reason(found(&all, &people(key)).await),
            format!(
                "the table \"people\" has the key name (text), number (number), the definition says {says}"
            )
        );
    }
    for (allowed, own, expected) in [
        (
            vec![],
            "batchfleet",
            "this stack looks records up in no table; deploy it with LookupTables=people",
        ),
        (
            vec!["crm-*", "pets"],
            "batchfleet",
            "the table \"people\" is none of crm-*, pets, in which this stack may look records up; deploy it \
             with another LookupTables",
        ),
        (
            vec!["people"],
            "people",
            "the table \"people\" is the stack's own",
        ),
    ] {
        let allowed = allowed.into_iter().filter_map(Tables::parse).collect();
        let lookups = TableLookups::new(client.clone(), allowed, Some(own.to_owned()));
        assert_eq!(reason(found(&lookups, &good).await), expected);
    }
}

fn key(number: &str) -> LookupKey {
    LookupKey(vec![KeyValue::Number(ExactNumber::parse(number).unwrap())])
}

/// Asks a table that answers every call like this, after it was looked at.
async fn ask_where(status: u16, body: Value) -> PortResult<LookupAnswer> {
    let endpoint = stand_in(&[("number", "N")], status, body);
    let client = support::clients_at(&endpoint).await.dynamodb;
    let lookup = found(&all(&client), &people("number: id")).await.unwrap();
    let keys = ["1.50", "2", "3"].map(key);
    lookup.existing(&keys).await
}

/// However the table spells their numbers.
#[tokio::test]
async fn keys_left_over_are_told_by_key() {
    let body = json!({
        "Responses": {"people": [{"number": {"N": "1.5"}}]},
        "UnprocessedKeys": {"people": {"Keys": [{"number": {"N": "3.0"}}], "ConsistentRead": true}},
    });
    let expected = vec![KeyAnswer::Exists, KeyAnswer::Missing, KeyAnswer::Overloaded];
    let answer = ask_where(200, body).await.unwrap();
    assert_eq!(answer, LookupAnswer::Each(expected));
    // An answer that can't be told apart is none.
    let body = json!({"Responses": {"people": [{"other": {"N": "1.5"}}]}});
    assert!(ask_where(200, body).await.is_err());
}

#[tokio::test]
async fn a_table_that_has_enough_is_overloaded_and_whatever_else_is_an_error() {
    let says = |code: &str| json!({"__type": format!("com.amazonaws.dynamodb.v20120810#{code}"), "message": "so"});
    for code in [
        "ProvisionedThroughputExceededException",
        "ThrottlingException",
    ] {
        let answer = ask_where(400, says(code)).await.unwrap();
        let expected = LookupAnswer::Overloaded {
            retry_after_ms: None,
        };
        assert_eq!(answer, expected, "{code}");
    }
    for (status, code, is_retryable) in [
        (500, "InternalServerError", true),
        (400, "AccessDeniedException", false),
        (400, "ResourceNotFoundException", false),
        (400, "ValidationException", false),
    ] {
        let error = ask_where(status, says(code)).await.unwrap_err();
        assert_eq!(error.is_retryable(), is_retryable, "{code}");
    }
}
