//! The fuzz target of `checks/definition.rs`, which says what must hold.
#![no_main]

#[path = "../checks/definition.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|input: &[u8]| checks::check(input));
