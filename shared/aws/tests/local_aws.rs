//! The conformance suites of store, source and results over the local AWS at `AWS_ENDPOINT_URL`,
//! and what else only real calls show.

mod support;

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{BucketVersioningStatus, VersioningConfiguration};
use batchfleet_aws::Clients;
use batchfleet_aws::s3::{S3Definitions, S3Source};
use batchfleet_aws::sqs::SqsQueue;
use batchfleet_core::ids::JobId;
use batchfleet_core::message::Message;
use batchfleet_core::ports::{Definitions, FoundDefinition, Queue, Source};
use batchfleet_core::source::SourceRef;
use batchfleet_testing::SourceHarness;
use bytes::Bytes;

const PLAIN: &str = "batchfleet-test-plain";
const VERSIONED: &str = "batchfleet-test-versioned";

async fn clients() -> Clients {
    let endpoint = std::env::var("AWS_ENDPOINT_URL").expect("AWS_ENDPOINT_URL, of the local AWS");
    support::clients_at(&endpoint).await
}

async fn bucket(client: &aws_sdk_s3::Client, name: &str) {
    let created = client.create_bucket().bucket(name).send().await;
    if let Err(error) = created {
        let error = error.into_service_error();
        assert!(
            error.is_bucket_already_owned_by_you() || error.is_bucket_already_exists(),
            "{error:?}"
        );
    }
}

mod store {
    use std::sync::Arc;

    use batchfleet_aws::dynamo::DynamoStore;

    use crate::support;

    async fn make_store() -> Arc<DynamoStore> {
        let client = super::clients().await.dynamodb;
        support::create_table(&client).await;
        Arc::new(DynamoStore::builder(client, support::TABLE).build())
    }

    batchfleet_testing::store_conformance!(make_store);
}

mod results {
    use std::sync::Arc;

    use batchfleet_aws::s3::S3Results;

    async fn make_results() -> Arc<S3Results> {
        let client = super::clients().await.s3;
        super::bucket(&client, super::PLAIN).await;
        Arc::new(S3Results::new(client, super::PLAIN))
    }

    batchfleet_testing::results_conformance!(make_results);
}

mod spool {
    use std::sync::Arc;

    use batchfleet_aws::s3::S3Spool;

    async fn make_spool() -> Arc<S3Spool> {
        let client = super::clients().await.s3;
        super::bucket(&client, super::PLAIN).await;
        Arc::new(S3Spool::new(client, super::PLAIN))
    }

    batchfleet_testing::spool_conformance!(make_spool);
}

/// Writes to a bucket what [`S3Source`] reads.
struct Bucket {
    client: aws_sdk_s3::Client,
    name: &'static str,
}

impl Bucket {
    async fn plain() -> Self {
        let client = clients().await.s3;
        bucket(&client, PLAIN).await;
        Self {
            client,
            name: PLAIN,
        }
    }

    async fn versioned() -> Self {
        let client = clients().await.s3;
        bucket(&client, VERSIONED).await;
        let enabled = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled);
        let call = client.put_bucket_versioning().bucket(VERSIONED);
        call.versioning_configuration(enabled.build())
            .send()
            .await
            .expect("S3");
        Self {
            client,
            name: VERSIONED,
        }
    }
}

#[async_trait]
impl SourceHarness for Bucket {
    fn source(&self) -> Arc<dyn Source> {
        Arc::new(S3Source::new(self.client.clone()))
    }

    async fn put(&self, name: &str, content: Bytes) -> SourceRef {
        let key = format!("incoming/tests/{name}");
        let size = content.len() as u64;
        let call = self.client.put_object().bucket(self.name).key(&key);
        let put = call
            .body(ByteStream::from(content))
            .send()
            .await
            .expect("S3");
        SourceRef {
            bucket: self.name.to_owned(),
            key,
            version: put.version_id.filter(|_| self.name == VERSIONED),
            etag: put.e_tag.expect("an etag").trim_matches('"').to_owned(),
            sequencer: None,
            size,
            attempt: 0,
            redrive: None,
        }
    }

    async fn remove(&self, name: &str) {
        let key = format!("incoming/tests/{name}");
        self.client
            .delete_object()
            .bucket(self.name)
            .key(key)
            .send()
            .await
            .expect("S3");
    }
}

mod source {
    use super::Bucket;

    batchfleet_testing::source_conformance!(Bucket::plain);
}

mod source_with_versions {
    use super::Bucket;

    batchfleet_testing::source_conformance!(Bucket::versioned);
}

#[tokio::test]
async fn definitions_are_found_by_name_and_extension() {
    let client = clients().await.s3;
    bucket(&client, PLAIN).await;
    let put = async |key: &str, text: &'static str| {
        let call = client.put_object().bucket(PLAIN).key(key);
        call.body(ByteStream::from_static(text.as_bytes()))
            .send()
            .await
            .unwrap();
    };
    put("definitions/first.json", "{}").await;
    put("definitions/second.yaml", "a: 1").await;
    put("definitions/second.json", "{}").await;
    let definitions = S3Definitions::new(client.clone(), PLAIN);
    for (name, text) in [
        ("first", FoundDefinition::Text("{}".to_owned())),
        ("second", FoundDefinition::Text("a: 1".to_owned())),
        ("third", FoundDefinition::Missing),
    ] {
        let found = definitions.definition(name).await.unwrap();
        assert_eq!(found, text, "{name}");
    }
    let large = ByteStream::from(vec![b' '; 257 << 10]);
    let call = client
        .put_object()
        .bucket(PLAIN)
        .key("definitions/large.yml")
        .body(large);
    call.send().await.unwrap();
    let large = definitions.definition("large").await.unwrap();
    assert!(matches!(large, FoundDefinition::Unusable(_)), "{large:?}");
}

#[tokio::test]
async fn each_kind_of_message_goes_to_its_queue() {
    let client = clients().await.sqs;
    let mut urls = Vec::new();
    for name in ["batchfleet-test-work", "batchfleet-test-prepare"] {
        let created = client.create_queue().queue_name(name).send().await.unwrap();
        urls.push(created.queue_url.unwrap());
    }
    let queue = SqsQueue::new(client.clone(), &urls[0], &urls[1]);
    let work = Message::Work {
        job: JobId::derive(&["sqs test"]),
        shard: 3,
        seat: 4,
    };
    let source = SourceRef {
        bucket: "b".to_owned(),
        key: "incoming/d/größe.csv".to_owned(),
        version: None,
        etag: "e".to_owned(),
        sequencer: None,
        size: 1,
        attempt: 0,
        redrive: None,
    };
    let prepare = Message::Prepare { source };
    for (message, url) in [(work, &urls[0]), (prepare, &urls[1])] {
        queue.send(&message, 0).await.unwrap();
        let received = client
            .receive_message()
            .queue_url(url)
            .wait_time_seconds(2)
            .send()
            .await;
        let received = received.unwrap().messages.unwrap().remove(0);
        assert_eq!(Message::decode(received.body().unwrap()).unwrap(), message);
        let done = client.delete_message().queue_url(url);
        done.set_receipt_handle(received.receipt_handle)
            .send()
            .await
            .unwrap();
    }
}
