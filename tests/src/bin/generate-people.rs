//! `generate-people ROWS [SEED] > people.csv`: writes the file to stdout and what it wrote, as one
//! JSON object, to stderr.
#![expect(clippy::print_stderr, reason = "a command speaks")]

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

fn main() -> ExitCode {
    let numbers: Option<Vec<u64>> = std::env::args()
        .skip(1)
        .map(|arg| arg.parse().ok())
        .collect();
    let (rows, seed) = match numbers.as_deref() {
        Some([rows]) => (*rows, 1),
        Some([rows, seed]) => (*rows, *seed),
        _ => {
            eprintln!("usage: generate-people ROWS [SEED] > people.csv");
            return ExitCode::from(2);
        }
    };
    let mut out = BufWriter::with_capacity(1 << 20, io::stdout().lock());
    match batchfleet_tests::people::write(&mut out, rows, seed)
        .and_then(|w| out.flush().map(|()| w))
    {
        Ok(written) => {
            eprintln!(
                "{{\"rows\":{},\"bad_emails\":{},\"bytes\":{}}}",
                written.rows, written.bad_emails, written.bytes
            );
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("generate-people: {error}");
            ExitCode::FAILURE
        }
    }
}
