//! The SDK's clients and the adapters over them, made once per cold start.

use std::sync::Arc;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};

use crate::Settings;
use crate::dynamo::DynamoStore;
use crate::s3::{S3Definitions, S3Results, S3Source, S3Spool};
use crate::sqs::SqsQueue;
use crate::table_lookup::TableLookups;
use crate::table_sink::TableSinks;

/// Attempts of one call, the first included: throttled and cut-off calls are repeated by the SDK.
const CALL_ATTEMPTS_MAX: u32 = 5;

/// One client per service.
#[derive(Clone, Debug)]
pub struct Clients {
    /// For the store.
    pub dynamodb: aws_sdk_dynamodb::Client,
    /// For sources, results and definitions.
    pub s3: aws_sdk_s3::Client,
    /// For messages.
    pub sqs: aws_sdk_sqs::Client,
}

impl Clients {
    /// Clients by what the environment says of region, credentials and endpoint.
    pub async fn from_environment() -> Self {
        Self::in_region(None).await
    }

    /// Clients in this region, else as the environment says.
    pub async fn in_region(region: Option<String>) -> Self {
        let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
            .retry_config(RetryConfig::standard().with_max_attempts(CALL_ATTEMPTS_MAX));
        if let Some(region) = region {
            loader = loader.region(Region::new(region));
        }
        Self::new(&loader.load().await)
    }

    /// Clients by this configuration.
    #[must_use]
    pub fn new(config: &SdkConfig) -> Self {
        // A small call that takes seconds is lost; a lease must not end while one waits for it.
        let quick = attempt_timeout(5);
        // One attempt moves up to 8 MiB.
        let slow = attempt_timeout(60);
        let dynamodb = aws_sdk_dynamodb::config::Builder::from(config)
            .timeout_config(quick.clone())
            .build();
        let sqs = aws_sdk_sqs::config::Builder::from(config)
            .timeout_config(quick)
            .build();
        let s3 = aws_sdk_s3::config::Builder::from(config)
            .timeout_config(slow)
            // A local AWS has one address for all buckets.
            .force_path_style(config.endpoint_url().is_some())
            .build();
        Self {
            dynamodb: aws_sdk_dynamodb::Client::from_conf(dynamodb),
            s3: aws_sdk_s3::Client::from_conf(s3),
            sqs: aws_sdk_sqs::Client::from_conf(sqs),
        }
    }
}

fn attempt_timeout(seconds: u64) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(3))
        .operation_attempt_timeout(Duration::from_secs(seconds))
        .build()
}

/// The ports' adapters, as the settings name their resources.
#[derive(Clone)]
pub struct Adapters {
    /// The table.
    pub store: Arc<DynamoStore>,
    /// The uploads.
    pub source: Arc<S3Source>,
    /// The decoded text of sources that do not split.
    pub spool: Arc<S3Spool>,
    /// The definitions.
    pub definitions: Arc<S3Definitions>,
    /// The results.
    pub results: Arc<S3Results>,
    /// The destinations that take records one by one.
    pub sinks: Arc<TableSinks>,
    /// The tables that records are looked up in.
    pub lookups: Arc<TableLookups>,
    /// The queues.
    pub queue: Arc<SqsQueue>,
}

impl Adapters {
    /// Adapters over `clients`.
    #[must_use]
    pub fn new(clients: Clients, settings: &Settings) -> Self {
        let sinks = TableSinks::new(
            clients.dynamodb.clone(),
            settings.destination_tables.clone(),
            Some(settings.table.clone()),
        );
        let asked = [&settings.lookup_tables, &settings.destination_tables];
        let lookups = TableLookups::new(
            clients.dynamodb.clone(),
            asked.into_iter().flatten().cloned().collect(),
            Some(settings.table.clone()),
        );
        let store = DynamoStore::builder(clients.dynamodb, &settings.table)
            .ttl_days(settings.ttl_days)
            .metering(settings.metering)
            .build();
        let queue = SqsQueue::new(
            clients.sqs,
            &settings.work_queue_url,
            &settings.prepare_queue_url,
        );
        Self {
            store: Arc::new(store),
            source: Arc::new(S3Source::new(clients.s3.clone())),
            spool: Arc::new(S3Spool::new(clients.s3.clone(), &settings.results_bucket)),
            definitions: Arc::new(S3Definitions::new(
                clients.s3.clone(),
                &settings.upload_bucket,
            )),
            results: Arc::new(S3Results::new(clients.s3, &settings.results_bucket)),
            sinks: Arc::new(sinks),
            lookups: Arc::new(lookups),
            queue: Arc::new(queue),
        }
    }
}
