//! Answers that break off in the middle of their body: the headers came, so the SDK does not try again.

#[expect(dead_code, reason = "no table is needed here")]
mod support;

use batchfleet_aws::s3::{S3Definitions, S3Results, S3Source};
use batchfleet_core::ids::JobId;
use batchfleet_core::ports::{Definitions, FoundDefinition, Results, Source};
use batchfleet_core::source::SourceRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const BODY: &str = "fields: []";
/// Answers that break off before one is whole.
const BROKEN: usize = 3;

/// An S3 that answers every read with [`BODY`], or with half of it and the end of the connection.
async fn clients() -> batchfleet_aws::Clients {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        for answers in 1.. {
            let (mut connection, _) = listener.accept().await.expect("a connection");
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                request.push(connection.read_u8().await.expect("a request"));
            }
            let bytes = BODY.len();
            let head = format!(
                "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {bytes}\r\n\
                 Content-Range: bytes 0-{last}/{bytes}\r\n\r\n",
                last = bytes - 1
            );
            let sent = if answers % (BROKEN + 1) == 0 {
                bytes
            } else {
                bytes / 2
            };
            let answer = head + &BODY[..sent];
            connection
                .write_all(answer.as_bytes())
                .await
                .expect("an answer");
            connection.shutdown().await.expect("the end of it");
        }
    });
    support::clients_at(&format!("http://{address}")).await
}

#[tokio::test]
async fn a_source_is_read_again_when_its_body_breaks_off() {
    let source = SourceRef {
        bucket: "uploads".to_owned(),
        key: "incoming/people/june.csv".to_owned(),
        version: Some("1".to_owned()),
        etag: String::new(),
        sequencer: None,
        size: BODY.len() as u64,
        attempt: 0,
        redrive: None,
    };
    let read = S3Source::new(clients().await.s3)
        .read(&source, 0..source.size)
        .await;
    assert_eq!(read.expect("the source"), BODY);
}

#[tokio::test]
async fn a_result_is_read_again_when_its_body_breaks_off() {
    let job = JobId::parse("00000000000000000000000000000001").expect("an id");
    let read = S3Results::new(clients().await.s3, "results")
        .get(&job, "summary.json")
        .await;
    assert_eq!(read.expect("the result").expect("there is one"), BODY);
}

#[tokio::test]
async fn a_definition_is_read_again_when_its_body_breaks_off() {
    let found = S3Definitions::new(clients().await.s3, "uploads")
        .definition("people")
        .await;
    assert_eq!(
        found.expect("the definition"),
        FoundDefinition::Text(BODY.to_owned())
    );
}
