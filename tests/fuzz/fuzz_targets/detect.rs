//! The fuzz target of `checks/detect.rs`, which says what must hold.
#![no_main]

#[path = "../checks/detect.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|input: &[u8]| checks::check(input));
