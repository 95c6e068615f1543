//! How many rows a second one core checks, converts and encodes.
//!
//! A plain program, so that it measures the compiled plan and nothing around it. It must not judge:
//! the number is for people to compare.

use std::hint::black_box;
use std::time::{Duration, Instant};

use batchfleet_definition::{Definition, JsonLines, RowPlan, Scratch};

const DEFINITION: &str = "
fields:
  - { name: email, type: email, required: true }
  - { name: name, required: true }
  - { name: age, type: integer }
  - { name: signup_date, type: date }
  - { name: role }
";
const ROWS: usize = 10_000;
const ROUNDS: usize = 7;
const ROUND: Duration = Duration::from_millis(400);

type Row = [Vec<u8>; 5];

fn main() {
    let definition = Definition::parse(DEFINITION).expect("the definition is good");
    let header = ["email", "name", "age", "signup_date", "role"].map(Vec::from);
    let plan = definition.bind(&header).expect("the header is good");
    report("five fields, plain rows", &plan, &rows("Maria Gonzales"));
    report("five fields, non-ASCII", &plan, &rows("María Gonzáles"));
    report(
        "five fields, escapes",
        &plan,
        &rows("Maria \"Mia\" Gonzales"),
    );
    let open = Definition::open();
    let plan = open.bind(&header).expect("the header is good");
    report("no definition, plain rows", &plan, &rows("Maria Gonzales"));
}

fn rows(name: &str) -> Vec<Row> {
    (0..ROWS)
        .map(|index| {
            [
                format!("maria.gonzales+{index}@mail.example.com"),
                format!("{name} {index}"),
                format!("{}", 18 + index % 80),
                format!(
                    "20{:02}-{:02}-{:02}",
                    index % 25,
                    1 + index % 12,
                    1 + index % 28
                ),
                "editor".to_owned(),
            ]
            .map(String::into_bytes)
        })
        .collect()
}

#[expect(clippy::print_stdout, reason = "a bench reports to its terminal")]
fn report(what: &str, plan: &RowPlan, rows: &[Row]) {
    let best = (0..ROUNDS).map(|_| round(plan, rows)).fold(0.0, f64::max);
    let nanoseconds = 1e9 / best;
    println!(
        "{what:28} {:6.2} M rows/s  {nanoseconds:5.0} ns/row",
        best / 1e6
    );
}

#[expect(clippy::disallowed_methods, reason = "a bench measures real time")]
fn round(plan: &RowPlan, rows: &[Row]) -> f64 {
    let mut encoder = JsonLines::new(plan);
    let mut errors = Vec::new();
    let mut scratch = Scratch::default();
    let mut checked = 0_usize;
    let start = Instant::now();
    while start.elapsed() < ROUND {
        encoder.clear();
        for row in rows {
            plan.check(black_box(&row[..]), &mut scratch, &mut encoder, &mut errors);
        }
        black_box(encoder.buffer());
        checked += rows.len();
    }
    let elapsed = start.elapsed();
    assert!(errors.is_empty(), "every row is good");
    checked as f64 / elapsed.as_secs_f64()
}
