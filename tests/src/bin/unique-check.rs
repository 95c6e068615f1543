//! `unique-check [ROWS]`: imports a file with planted duplicates at 1, 2 and 8 workers, batches in
//! shuffled order, and compares what they reject, byte for byte.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command speaks"
)]

use std::process::ExitCode;

use batchfleet_core::prepare::UNIQUE_MEMORY_BYTES;
use batchfleet_tests::unique::{Setup, check, import, planted};

const ROWS: u64 = 3_000_000;

#[tokio::main]
async fn main() -> ExitCode {
    let rows = match std::env::args().nth(1).map(|arg| arg.parse()) {
        None => ROWS,
        Some(Ok(rows)) => rows,
        Some(Err(_)) => {
            eprintln!("usage: unique-check [ROWS]");
            return ExitCode::from(2);
        }
    };
    let planted = planted(rows, 1);
    println!(
        "{rows} rows, {} bytes, {} duplicates",
        planted.text.len(),
        planted.duplicates.len()
    );
    let mut first = None;
    // The last run has memory for a tenth of the keys.
    for (workers, memory_bytes) in [
        (1, UNIQUE_MEMORY_BYTES),
        (2, UNIQUE_MEMORY_BYTES),
        (8, UNIQUE_MEMORY_BYTES),
        (8, rows * 5),
    ] {
        let setup = Setup {
            workers,
            batch_records: 5_000,
            memory_bytes,
            seed: u64::from(workers),
        };
        let outcome = match import(&planted, setup).await {
            Ok(outcome) => outcome,
            Err(error) => {
                eprintln!(
                    "{workers} workers: {}",
                    batchfleet_core::error::chain(&error)
                );
                return ExitCode::FAILURE;
            }
        };
        let seconds = outcome.planning.as_secs_f64();
        println!(
            "{workers} workers: {} bytes of rejects; {} batches out of order; planned in {seconds:.2} s, {:.0} rows/s{}",
            outcome.rejects.len(),
            outcome.out_of_order,
            rows as f64 / seconds,
            if outcome.spilled { ", spilled" } else { "" }
        );
        if let Err(why) = check(&planted, &outcome.rejects) {
            eprintln!("{workers} workers: {why}");
            return ExitCode::FAILURE;
        }
        if first.get_or_insert_with(|| outcome.rejects.clone()) != &outcome.rejects {
            eprintln!("{workers} workers reject something else than one");
            return ExitCode::FAILURE;
        }
    }
    println!("identical");
    ExitCode::SUCCESS
}
