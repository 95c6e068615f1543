//! The AWS adapters of Batchfleet's ports: the DynamoDB store, S3 for sources, results and
//! definitions, SQS for messages, tables as destinations and for look-ups; and the settings and clients that the Lambda functions share.
//!
//! Begin reading at [`dynamo`]'s schema for the items and conditions behind the store's protocol.
//! Nothing here decides anything about jobs: decisions are the core's, this crate says them in the
//! language of the services and maps their failures, once, to [`PortError`](batchfleet_core::PortError).

mod attributes;
mod backoff;
mod clients;
pub mod dynamo;
mod errors;
pub mod event;
pub mod operator;
pub mod s3;
pub mod settings;
pub mod sqs;
mod start;
mod system;
mod table_lookup;
mod table_sink;
mod tables;

pub use clients::{Adapters, Clients};
pub use settings::Settings;
pub use start::start;
pub use system::{SystemClock, SystemIds};
pub use table_lookup::TableLookups;
pub use table_sink::{TableSink, TableSinks};
pub use tables::Tables;
