//! Tables as destinations, over a DynamoDB inside the test program: the port's conformance suite, and
//! what is particular to tables. That one never has enough, so what is said when a real one has comes
//! from a stand-in.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

mod embedded;
mod support;
mod tables;

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, ScalarAttributeType};
use batchfleet_aws::{TableSinks, Tables};
use batchfleet_core::PortResult;
use batchfleet_core::ids::JobId;
use batchfleet_core::ports::{FoundSink, RecordAnswer, Sink, SinkAnswer, SinkRecord, Sinks};
use batchfleet_definition::{Definition, Destination};
use batchfleet_testing::SinkHarness;
use serde_json::{Value, json};

use crate::tables::{create_table, stand_in};

/// The destination of a definition, into `people`.
fn destination(key: &str) -> Destination {
    let text = format!(
        "fields:
  - {{ name: id, type: integer, required: true }}
  - {{ name: email, required: true }}
destination: {{ type: dynamodb, table: people, key: [{key}] }}
"
    );
    Definition::parse(&text).unwrap().destination().clone()
}

fn sinks(client: &Client) -> TableSinks {
    let own_table = Some(support::TABLE.to_owned());
    TableSinks::new(client.clone(), Some(Tables::all()), own_table)
}

async fn found(sinks: &TableSinks, destination: &Destination) -> Result<Arc<dyn Sink>, String> {
    match sinks.sink(destination).await.unwrap() {
        FoundSink::Sink(sink) => Ok(sink),
        FoundSink::Unusable(reason) => Err(reason),
    }
}

struct Table {
    client: Client,
    sink: Arc<dyn Sink>,
}

async fn make_table() -> Table {
    let client = embedded::clients().await.dynamodb;
    create_table(&client, "people", &[("id", ScalarAttributeType::N)]).await;
    let sink = found(&sinks(&client), &destination("id")).await.unwrap();
    Table { client, sink }
}

fn to_json(attribute: &AttributeValue) -> Value {
    match attribute {
        AttributeValue::S(text) => json!(text),
        AttributeValue::Bool(truth) => json!(truth),
        AttributeValue::N(digits) => match digits.parse::<i64>() {
            Ok(whole) => json!(whole),
            Err(_) => json!(digits.parse::<f64>().unwrap()),
        },
        other => panic!("{other:?}"),
    }
}

#[async_trait]
impl SinkHarness for Table {
    fn sink(&self) -> Arc<dyn Sink> {
        Arc::clone(&self.sink)
    }

    async fn read(&self, _job: &JobId, id: i64) -> Option<Value> {
        let read = self.client.get_item().table_name("people");
        let read = read.key("id", AttributeValue::N(id.to_string()));
        let item = read.consistent_read(true).send().await.unwrap().item?;
        let fields = item
            .iter()
            .map(|(name, value)| (name.clone(), to_json(value)));
        Some(Value::Object(fields.collect()))
    }

    /// Larger than any item may be.
    fn spoil(&self, row: &mut Value) {
        row["essay"] = json!("x".repeat(410_000));
    }
}

batchfleet_testing::sink_conformance!(make_table);

fn job() -> JobId {
    JobId::derive(&["sink"])
}

fn record(index: u64, row: &Value) -> SinkRecord {
    SinkRecord {
        index,
        row: row.to_string().into(),
    }
}

/// One call takes no key twice; the later row of the file stays.
#[tokio::test]
async fn of_two_rows_with_one_key_the_later_one_stays() {
    let table = make_table().await;
    let rows = [
        json!({"id": 1, "name": "first"}),
        json!({"id": 2, "name": "other"}),
        json!({"id": 1, "name": "second"}),
        json!({"id": 1, "name": "third", "age": 3}),
    ];
    let records: Vec<SinkRecord> = (0..).zip(&rows).map(|(i, row)| record(i, row)).collect();
    let answer = table.sink.put(&job(), &records).await.unwrap();
    assert_eq!(answer, SinkAnswer::Accepted);
    assert_eq!(table.read(&job(), 1).await.as_ref(), Some(&rows[3]));
    assert_eq!(table.read(&job(), 2).await.as_ref(), Some(&rows[1]));
    // A row takes the place of an earlier one whole.
    let answer = table.sink.put(&job(), &records[..1]).await.unwrap();
    assert_eq!(answer, SinkAnswer::Accepted);
    assert_eq!(table.read(&job(), 1).await.as_ref(), Some(&rows[0]));
}

/// A number that DynamoDB has no room for is the row's fault, and no other's.
#[tokio::test]
async fn a_number_out_of_range_is_refused() {
    let table = make_table().await;
    let rows = [
        json!({"id": 1}),
        json!({"id": 2, "mass": 1e200}),
        json!({"id": 3}),
    ];
    let records: Vec<SinkRecord> = (0..).zip(&rows).map(|(i, row)| record(i, row)).collect();
    for call in [&records[..], &records[1..2]] {
        let SinkAnswer::Each(answers) = table.sink.put(&job(), call).await.unwrap() else {
            panic!("it tells which");
        };
        let refused = call.iter().position(|one| one.index == 1);
        for (place, answer) in answers.iter().enumerate() {
            match answer {
                RecordAnswer::Refused(reason) if Some(place) == refused => {
                    assert!(
                        reason.starts_with("mass: the table keeps 38 digits"),
                        "{reason}"
                    );
                }
                RecordAnswer::Accepted if Some(place) != refused => {}
                other => panic!("{place}: {other:?}"),
            }
        }
    }
    assert!(table.read(&job(), 3).await.is_some());
    assert!(table.read(&job(), 2).await.is_none());
}

/// Nothing on the way is a float.
#[tokio::test]
async fn decimals_lists_and_objects_arrive_with_every_digit() {
    let table = make_table().await;
    let decimal = "12345678901234567890123456789.012345678";
    let row = format!(
        r#"{{"id":9007199254740993,"price":{decimal},"tags":[1,"a",-0.1],"more":{{"n":{decimal},"no":null}}}}"#
    );
    let records = [SinkRecord {
        index: 0,
        row: row.into(),
    }];
    let answer = table.sink.put(&job(), &records).await.unwrap();
    assert_eq!(answer, SinkAnswer::Accepted);
    let n = |digits: &str| AttributeValue::N(digits.to_owned());
    let read = table.client.get_item().table_name("people");
    let read = read.key("id", n("9007199254740993"));
    let item = read.send().await.unwrap().item.unwrap();
    assert_eq!(item["price"], n(decimal));
    let tags = vec![n("1"), AttributeValue::S("a".to_owned()), n("-0.1")];
    assert_eq!(item["tags"], AttributeValue::L(tags));
    let more = item["more"].as_m().unwrap();
    assert_eq!(more["n"], n(decimal));
    assert_eq!(more["no"], AttributeValue::Null(true));
}

#[tokio::test]
async fn a_table_that_does_not_do_is_named_with_the_reason() {
    let client = embedded::clients().await.dynamodb;
    let all = sinks(&client);
    let reason = |found: Result<_, String>| found.err().unwrap();
    assert_eq!(
        reason(found(&all, &destination("id")).await),
        "the table \"people\" does not exist in this account and region"
    );
    let key = [
        ("email", ScalarAttributeType::S),
        ("id", ScalarAttributeType::N),
    ];
    create_table(&client, "people", &key).await;
    assert_eq!(
        reason(found(&all, &destination("id")).await),
        "the table \"people\" has the key email (text), id (number), the definition says id (number)"
    );
    assert_eq!(
        reason(found(&all, &destination("id, email")).await),
        "the table \"people\" has the key email (text), id (number), the definition says id (number), \
         email (text)"
    );
    assert!(found(&all, &destination("email, id")).await.is_ok());

    let good = destination("email, id");
    for (allowed, own, expected) in [
        (
            None,
            "batchfleet",
            "this stack writes to no table; deploy it with DestinationTables=people",
        ),
        (
            Some("import-*"),
            "batchfleet",
            "the table \"people\" is none of import-*, to which this stack may write; deploy it with \
             another DestinationTables",
        ),
        (
            Some("people"),
            "people",
            "the table \"people\" is the stack's own",
        ),
    ] {
        let allowed = allowed.and_then(Tables::parse);
        let sinks = TableSinks::new(client.clone(), allowed, Some(own.to_owned()));
        assert_eq!(reason(found(&sinks, &good).await), expected);
    }
}

/// A table that is removed under a job is no fault of its rows.
#[tokio::test]
async fn a_table_that_vanished_is_an_error() {
    let table = make_table().await;
    let delete = table.client.delete_table().table_name("people");
    delete.send().await.unwrap();
    let row = json!({"id": 1});
    let error = table.sink.put(&job(), &[record(0, &row)]).await;
    assert!(!error.unwrap_err().is_retryable());
}

/// Puts rows into a table that answers every call like this, after it was looked at.
async fn put_where(status: u16, body: Value, rows: &[Value]) -> PortResult<SinkAnswer> {
    let endpoint = stand_in(&[("id", "N")], status, body);
    let client = support::clients_at(&endpoint).await.dynamodb;
    let sink = found(&sinks(&client), &destination("id")).await.unwrap();
    let records: Vec<SinkRecord> = (0..).zip(rows).map(|(i, row)| record(i, row)).collect();
    sink.put(&job(), &records).await
}

fn left_over(ids: &[&str]) -> Value {
    let puts = ids
        .iter()
        .map(|id| json!({"PutRequest": {"Item": {"id": {"N": id}, "name": {"S": "x"}}}}));
    json!({"UnprocessedItems": {"people": puts.collect::<Vec<_>>()}})
}

#[tokio::test]
async fn items_left_over_are_told_by_record() {
    let rows = [1, 2, 3, 2].map(|id| json!({"id": id}));
    let each = |overloaded: [bool; 4]| {
        let answer = |left| {
            if left {
                RecordAnswer::Overloaded
            } else {
                RecordAnswer::Accepted
            }
        };
        SinkAnswer::Each(overloaded.map(answer).to_vec())
    };
    let whole = SinkAnswer::Overloaded {
        retry_after_ms: None,
    };
    for (left, expected) in [
        (&[][..], SinkAnswer::Accepted),
        (&["3"], each([false, false, true, false])),
        // Both rows of the key that is not there.
        (&["2"], each([false, true, false, true])),
        (&["1", "2", "3"], each([true; 4])),
        // A number goes by its value, however it is spelled.
        (&["2.0"], each([false, true, false, true])),
        // Nobody's: no row counts as taken.
        (&["4"], whole.clone()),
    ] {
        let answer = put_where(200, left_over(left), &rows).await.unwrap();
        assert_eq!(answer, expected, "{left:?}");
    }
}

#[tokio::test]
async fn a_table_that_has_enough_is_overloaded_and_whatever_else_is_an_error() {
    let rows = [json!({"id": 1})];
    let says = |code: &str| json!({"__type": format!("com.amazonaws.dynamodb.v20120810#{code}"), "message": "so"});
    for code in [
        "ProvisionedThroughputExceededException",
        "ThrottlingException",
    ] {
        let answer = put_where(400, says(code), &rows).await.unwrap();
        let expected = SinkAnswer::Overloaded {
            retry_after_ms: None,
        };
        assert_eq!(answer, expected, "{code}");
    }
    for code in [
        "ValidationException",
        "ItemCollectionSizeLimitExceededException",
    ] {
        let answer = put_where(400, says(code), &rows).await.unwrap();
        assert_eq!(answer, SinkAnswer::Refused("so".to_owned()), "{code}");
    }
    for (status, code, is_retryable) in [
        (500, "InternalServerError", true),
        (400, "AccessDeniedException", false),
        (400, "ResourceNotFoundException", false),
        (400, "UnrecognizedClientException", false),
    ] {
        let error = put_where(status, says(code), &rows).await.unwrap_err();
        assert_eq!(error.is_retryable(), is_retryable, "{code}");
    }
}
