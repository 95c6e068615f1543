//! What the end-to-end tests, the simulator and the benchmarks share.
//!
//! `people`, `sim::files` and what `unique` plants must not depend on the crates under test: their counts are the
//! independent answer.

pub mod model;
pub mod people;
pub mod sim;
pub mod unique;
