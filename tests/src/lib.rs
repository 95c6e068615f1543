//! What the end-to-end tests and benchmarks share: the generator of people.csv.
//!
//! It must not depend on the crates under test: its counts are the independent answer.

pub mod people;
