//! Tables as destinations, over a DynamoDB inside the test program: the port's conformance suite, and
//! what is particular to tables. That one never has enough, so what is said when a real one has comes
//! from a stand-in.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

mod embedded;
mod support;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType,
    ScalarAttributeType,
};
use batchfleet_aws::{TableSinks, Tables};
use batchfleet_core::PortResult;
use batchfleet_core::ids::JobId;
use batchfleet_core::ports::{FoundSink, RecordAnswer, Sink, SinkAnswer, SinkRecord, Sinks};
use batchfleet_definition::{Definition, Destination};
use batchfleet_testing::SinkHarness;
use serde_json::{Value, json};

/// Makes a table with these key attributes: the partition key, and perhaps a sort key.
async fn create_table(client: &Client, table: &str, key: &[(&str, ScalarAttributeType)]) {
    let mut call = client
        .create_table()
        .table_name(table)
        .billing_mode(BillingMode::PayPerRequest);
    for (place, (name, kind)) in key.iter().enumerate() {
        let role = [KeyType::Hash, KeyType::Range][place].clone();
        let attribute = AttributeDefinition::builder()
            .attribute_name(*name)
            .attribute_type(kind.clone());
        let element = KeySchemaElement::builder()
            .attribute_name(*name)
            .key_type(role);
        call = call
            .attribute_definitions(attribute.build().unwrap())
            .key_schema(element.build().unwrap());
    }
    call.send().await.unwrap();
}

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

/// A number that DynamoDB has no room for is the row's fault.
#[tokio::test]
async fn a_number_out_of_range_is_refused() {
    let table = make_table().await;
    let row = json!({"id": 1, "mass": 1e200});
    let answer = table.sink.put(&job(), &[record(0, &row)]).await.unwrap();
    match answer {
        SinkAnswer::Refused(reason) => assert!(reason.contains("magnitude"), "{reason}"),
        other => panic!("{other:?}"),
    }
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

/// Reads one request, and answers it.
fn answer(stream: &mut TcpStream, status: u16, body: &str) {
    let (mut request, mut buffer) = (Vec::new(), [0; 4_096]);
    loop {
        let read = stream.read(&mut buffer).unwrap();
        request.extend_from_slice(&buffer[..read]);
        let text = String::from_utf8_lossy(&request);
        let Some((head, content)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            let is_length = name.eq_ignore_ascii_case("content-length");
            is_length.then(|| value.trim().parse::<usize>().unwrap())
        });
        if content.len() >= length.unwrap_or(0) {
            break;
        }
    }
    let response = format!(
        "HTTP/1.1 {status} so\r\ncontent-type: application/x-amz-json-1.0\r\nconnection: close\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(response.as_bytes()).unwrap();
}

/// Puts rows into a table that answers every call like this, after it was looked at.
async fn put_where(status: u16, body: Value, rows: &[Value]) -> PortResult<SinkAnswer> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let description = json!({"Table": {
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "N"}],
    }});
    // Its thread ends with the test program.
    std::thread::spawn(move || {
        let mut is_first = true;
        for stream in listener.incoming() {
            let (status, body) = if is_first {
                (200, &description)
            } else {
                (status, &body)
            };
            answer(&mut stream.unwrap(), status, &body.to_string());
            is_first = false;
        }
    });
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
        // Spelled otherwise, it might be anyone's: nobody's row counts as taken.
        (&["2.0"], whole.clone()),
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
