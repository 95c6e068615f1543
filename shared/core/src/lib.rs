//! The domain of Batchfleet: jobs, batches, leases, and the use cases over their ports.
//!
//! This crate knows nothing of AWS, files or SQL. Adapters depend on it, never the reverse.
//! Begin reading at [`ports`]'s store for the protocol, then at [`prepare`](mod@prepare),
//! [`work`](mod@work) and [`close`](mod@close) for its three actors.

pub mod batch;
pub mod checksum;
pub mod close;
pub mod delivery;
pub mod error;
pub mod exact;
pub mod head;
pub mod ids;
pub mod invariants;
pub mod job;
mod lease;
pub mod lookup;
pub mod manifest;
pub mod message;
pub mod mutation;
pub mod opening;
mod patience;
pub mod plan;
pub mod ports;
pub mod prepare;
pub mod preparer;
pub mod preview;
pub mod process;
mod reason;
pub mod rejects;
pub mod report;
mod shard;
pub mod source;
pub mod spool;
mod status;
pub mod sweep;
pub mod throttle;
pub mod unique;
pub mod watch;
pub mod work;

pub use error::{PortError, PortResult};
