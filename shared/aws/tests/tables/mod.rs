//! Tables for the tests of what is done with them: real ones, and one that answers what it is told to.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use serde_json::{Value, json};

/// Makes a table with these key attributes: the partition key, and perhaps a sort key.
pub(crate) async fn create_table(
    client: &Client,
    table: &str,
    key: &[(&str, ScalarAttributeType)],
) {
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

/// Where a table of this key is that answers every call like this, after it was looked at.
pub(crate) fn stand_in(key: &[(&str, &str)], status: u16, body: Value) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let schema = key.iter().zip(["HASH", "RANGE"]);
    let schema = schema.map(|((name, _), role)| json!({"AttributeName": name, "KeyType": role}));
    let attributes = key.iter();
    let attributes =
        attributes.map(|(name, kind)| json!({"AttributeName": name, "AttributeType": kind}));
    let description = json!({"Table": {
        "KeySchema": schema.collect::<Vec<_>>(),
        "AttributeDefinitions": attributes.collect::<Vec<_>>(),
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
    endpoint
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
