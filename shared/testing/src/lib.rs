//! Test support: adapters of every port that live in memory, faults to wrap around them, and the
//! suites that every implementation of a port must pass.
//!
//! A port changes in its suite first. An adapter opts in by one line of its tests:
//!
//! ```no_run
//! use std::sync::Arc;
//!
//! use batchfleet_testing::MemoryStore;
//!
//! async fn make_store() -> Arc<MemoryStore> {
//!     Arc::new(MemoryStore::new())
//! }
//!
//! batchfleet_testing::store_conformance!(make_store);
//! ```
//!
//! This crate is for tests only, and knows nothing of AWS, files or SQL.

pub mod faults;
pub mod memory;
mod random;
pub mod suite;

pub use faults::LostResponses;
pub use memory::{
    LookupFault, ManualClock, MemoryDefinitions, MemoryQueue, MemoryResults, MemorySink,
    MemorySource, MemorySpills, MemorySpool, MemoryStore, MemoryTables, OneSink, Sent, SequenceIds,
    SinkFault,
};
pub use suite::lookup::LookupHarness;
pub use suite::new_job;
pub use suite::sink::SinkHarness;
pub use suite::source::SourceHarness;
