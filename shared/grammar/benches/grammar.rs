//! How fast the finder, the splitter and the reader are, beside the `csv` crate in the same run.
//!
//! Being the fastest is a promise of the project, and one machine's absolute figures say little
//! about another's; the ratios do. A dialect with an escape, comments and the like is measured too, on
//! files that need none of that: it shows what such a dialect costs. Run with `cargo bench -p batchfleet-grammar`. It must not know
//! anything that is not public.

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Instant;

use batchfleet_grammar::{
    BatchLimits, BoundaryFinder, Dialect, Limits, LineEnd, Position, RecordReader, Splitter,
};

const BYTES: usize = 64 << 20;
/// What one read of an object's body gives, roughly.
const CHUNK: usize = 64 << 10;
const ROUNDS: usize = 5;

/// Rows of five columns and 58 bytes or so; every `quoted_every`-th row has one quoted field with a
/// comma in it and every tenth of those a doubled quote and a newline besides.
fn rows(quoted_every: usize) -> Vec<u8> {
    let mut text = String::with_capacity(BYTES + 128);
    let mut row = 0_usize;
    while text.len() < BYTES {
        let id = 10_000_000 + row;
        let (day, cents) = (row % 28 + 1, row * 7919 % 100_000);
        let name = match quoted_every {
            0 => "Anna Smith",
            every if row.is_multiple_of(10 * every) => "\"Smith\n\"\"Ann\"\"\"",
            every if row.is_multiple_of(every) => "\"Smith, A.\"",
            _ => "Anna Smith",
        };
        let _ = writeln!(
            text,
            "{id},{name},person.{:05}@example.com,2024-05-{day:02},{cents:05}",
            row % 100_000
        );
        row += 1;
    }
    text.into_bytes()
}

/// Every field quoted, as many exports write them.
fn all_quoted() -> Vec<u8> {
    let mut text = String::with_capacity(BYTES + 128);
    let mut row = 0_usize;
    while text.len() < BYTES {
        let _ = writeln!(
            text,
            "\"{}\",\"Smith, A.\",\"p{:05}@example.com\",\"2024-05-{:02}\",\"{:05}\"",
            10_000_000 + row,
            row % 100_000,
            row % 28 + 1,
            row * 7919 % 100_000
        );
        row += 1;
    }
    text.into_bytes()
}

/// Seconds of the fastest round, and what it counted.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
fn best(mut run: impl FnMut() -> u64) -> (f64, u64) {
    let mut fastest = f64::INFINITY;
    let mut count = 0;
    for _ in 0..ROUNDS {
        let begin = Instant::now();
        count = black_box(run());
        fastest = fastest.min(begin.elapsed().as_secs_f64());
    }
    (fastest, count)
}

/// A dialect that is not plain, in which the same bytes are the same rows.
fn rich() -> Dialect {
    let mut dialect = Dialect::default();
    dialect.escape = Some(b'\\');
    dialect.comment = Some(b'#');
    dialect.line_end = LineEnd::Any;
    dialect.trim = true;
    dialect
}

fn find(input: &[u8]) -> u64 {
    find_in(input, Dialect::default())
}

fn find_rich(input: &[u8]) -> u64 {
    find_in(input, rich())
}

fn find_in(input: &[u8], dialect: Dialect) -> u64 {
    let mut records = 0;
    let mut finder = BoundaryFinder::new(dialect, Position::START);
    for chunk in input.chunks(CHUNK) {
        finder.push(chunk, |span| records += u64::from(!black_box(span).blank));
    }
    finder.finish(|_| records += 1);
    records
}

fn split(input: &[u8]) -> u64 {
    let mut batches = Vec::new();
    let mut splitter = Splitter::new(
        Dialect::default(),
        Limits::default(),
        BatchLimits::default(),
        Position::START,
        0,
    );
    for chunk in input.chunks(CHUNK) {
        splitter.push(chunk, &mut batches).expect("no long record");
    }
    splitter.finish(&mut batches).expect("no long record");
    batches.iter().map(|batch| batch.records).sum()
}

fn read(input: &[u8]) -> u64 {
    read_in(input, Dialect::default())
}

fn read_rich(input: &[u8]) -> u64 {
    read_in(input, rich())
}

fn read_in(input: &[u8], dialect: Dialect) -> u64 {
    let (mut records, mut bytes) = (0, 0);
    let mut reader = RecordReader::new(input, dialect, Limits::default(), Position::START);
    while let Some(record) = reader.read() {
        records += 1;
        for cell in record.cells() {
            bytes += cell.len();
        }
    }
    black_box(bytes);
    records
}

fn read_csv(input: &[u8]) -> u64 {
    let (mut records, mut bytes) = (0, 0);
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(input);
    let mut record = csv::ByteRecord::new();
    while reader.read_byte_record(&mut record).expect("bytes") {
        records += 1;
        for cell in &record {
            bytes += cell.len();
        }
    }
    black_box(bytes);
    records
}

#[expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
fn main() {
    for (name, input) in [
        ("no quotes", rows(0)),
        ("10% of rows quoted", rows(10)),
        ("all fields quoted", all_quoted()),
    ] {
        let (csv_seconds, csv_records) = best(|| read_csv(&input));
        println!(
            "\n{name}: {:.0} MiB, {csv_records} rows, {:.1} bytes each",
            input.len() as f64 / f64::from(1 << 20),
            input.len() as f64 / csv_records as f64
        );
        println!("             Mrows/s     GB/s   times csv");
        let print = |what: &str, seconds: f64, records: u64| {
            assert_eq!(records, csv_records, "{what} sees other rows");
            println!(
                "{what:<13}{:>7.1}  {:>7.2}  {:>9.1}",
                records as f64 / seconds / 1e6,
                input.len() as f64 / seconds / 1e9,
                csv_seconds / seconds
            );
        };
        print("csv", csv_seconds, csv_records);
        for (what, run) in [
            ("finder", find as fn(&[u8]) -> u64),
            ("splitter", split),
            ("reader", read),
            ("finder, rich", find_rich),
            ("reader, rich", read_rich),
        ] {
            let (seconds, records) = best(|| run(&input));
            print(what, seconds, records);
        }
    }
}
