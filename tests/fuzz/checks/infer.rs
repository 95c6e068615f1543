//! What inference writes of a file reads that file as it was read, and accepts every row of it that can be
//! read.
//!
//! An input is a whole file. It must not know how anything is inferred.

#[path = "../../../shared/detect/tests/proof/mod.rs"]
#[expect(
    dead_code,
    clippy::unwrap_used,
    reason = "it serves tests too, and a check fails by a panic"
)]
mod proof;

/// Panics if it does not hold for this input.
pub(crate) fn check(input: &[u8]) {
    if let Ok(proven) = proof::infer(input, "file.csv") {
        assert_eq!(
            proven.outcome.refused, 0,
            "{:?}\n{}",
            proven.outcome, proven.text
        );
    }
}
