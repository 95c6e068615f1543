//! The fuzz target of `checks/reader_against_finder.rs`, which says what must hold.
#![no_main]

#[path = "../checks/reader_against_finder.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|input: &[u8]| checks::check(input));
