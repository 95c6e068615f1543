//! Adapters that keep everything in memory, for tests and the simulator.
//!
//! They are honest: each checks what the real one checks, atomically, and keeps what it is given. A
//! stand-in that accepts everything would make the contract untestable.

mod clock;
mod objects;
mod queue;
mod sink;
mod spills;
mod spool;
mod store;
mod tables;

use std::sync::{Mutex, MutexGuard, PoisonError};

pub use clock::{ManualClock, SequenceIds};
pub use objects::{MemoryDefinitions, MemoryResults, MemorySource};
pub use queue::{MemoryQueue, Sent};
pub use sink::{MemorySink, OneSink, SinkFault};
pub use spills::MemorySpills;
pub use spool::MemorySpool;
pub use store::MemoryStore;
pub use tables::{LookupFault, MemoryTables};

/// Locks, also after a test panicked while holding the lock: what it guards is changed only in
/// whole steps.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
