//! Which values of a job's records must be unique and are not: found by the preparer, which sees
//! every record in order, and handed to the workers as marks, a batch at a time.
//!
//! The first record by index has the value, whatever order batches run in. It must not know what
//! values are: they come as keys of 128 bits.

mod filter;
pub mod marks;
mod seen;

pub use marks::Mark;
pub use seen::{NoSpills, Seen, Spill, Spills};
