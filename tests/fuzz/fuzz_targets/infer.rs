//! The fuzz target of `checks/infer.rs`, which says what must hold.
#![no_main]

#[path = "../checks/infer.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|input: &[u8]| checks::check(input));
