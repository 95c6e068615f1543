//! How many rows a second one core checks, converts and encodes.
//!
//! A plain program, so that it measures the compiled plan and nothing around it. It must not judge:
//! the number is for people to compare.

use std::hint::black_box;
use std::time::{Duration, Instant};

use batchfleet_definition::{Checked, Definition, JsonLines, RowPlan, Scratch};

const DEFINITION: &str = "
fields:
  - { name: email, type: email, required: true }
  - { name: name, required: true }
  - { name: age, type: integer }
  - { name: signup_date, type: date }
  - { name: role }
";
/// Five typed fields, an enum and a pattern.
const TYPED: &str = "
fields:
  - { name: email, type: email, required: true, unique: true }
  - { name: name, required: true }
  - { name: age, type: integer, min: 0, max: 150 }
  - { name: signup_date, type: date }
  - { name: active, type: boolean }
  - { name: score, type: number }
  - { name: role, type: enum, values: [admin, editor, viewer, guest] }
  - { name: code, pattern: '^[A-Z]{2}-[0-9]{4}$' }
";
/// The same with something done to three of its texts.
const TRANSFORMED: &str = "
fields:
  - { name: email, type: email, required: true, transforms: [normalize_email] }
  - { name: name, required: true, transforms: [collapse_whitespace, title_case] }
  - { name: age, type: integer, min: 0, max: 150 }
  - { name: signup_date, type: date }
  - { name: active, type: boolean }
  - { name: score, type: number }
  - { name: role, type: enum, values: [admin, editor, viewer, guest] }
  - { name: code, pattern: '^[A-Z]{2}-[0-9]{4}$', transforms: [uppercase] }
";
const HEADER: [&str; 5] = ["email", "name", "age", "signup_date", "role"];
const TYPED_HEADER: [&str; 8] = [
    "email",
    "name",
    "age",
    "signup_date",
    "role",
    "active",
    "score",
    "code",
];
const ROWS: usize = 10_000;
const ROUNDS: usize = 7;
const ROUND: Duration = Duration::from_millis(400);

type Row = Vec<Vec<u8>>;

fn main() {
    let five = plan(DEFINITION, &HEADER);
    report("five fields, plain rows", &five, &rows("Maria Gonzales", 5));
    report("five fields, non-ASCII", &five, &rows("María Gonzáles", 5));
    let escapes = rows("Maria \"Mia\" Gonzales", 5);
    report("five fields, escapes", &five, &escapes);
    let plain = rows("Maria Gonzales", 8);
    report(
        "typed, enum and pattern",
        &plan(TYPED, &TYPED_HEADER),
        &plain,
    );
    let transformed = plan(TRANSFORMED, &TYPED_HEADER);
    report("the same, transforms", &transformed, &plain);
    report_keys("one unique email", &plan(TYPED, &TYPED_HEADER), &plain);
    let open = plan(Definition::OPEN_TEXT, &HEADER);
    report(
        "no definition, plain rows",
        &open,
        &rows("Maria Gonzales", 5),
    );
}

fn plan(text: &str, header: &[&str]) -> RowPlan {
    let definition = Definition::parse(text).expect("the definition is good");
    let header: Vec<Vec<u8>> = header.iter().copied().map(Vec::from).collect();
    definition.bind(&header).expect("the header is good")
}

/// Rows of the first `columns` cells.
fn rows(name: &str, columns: usize) -> Vec<Row> {
    (0..ROWS)
        .map(|index| {
            let cells = [
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
                ["true", "no"][index % 2].to_owned(),
                format!("{}.{}", index % 100, index % 10),
                format!("DE-{:04}", index % 10_000),
            ];
            let cells = cells.into_iter().take(columns);
            cells.map(String::into_bytes).collect()
        })
        .collect()
}

fn report(what: &str, plan: &RowPlan, rows: &[Row]) {
    let mut encoder = JsonLines::new(plan);
    let mut scratch = Scratch::default();
    let mut errors = Vec::new();
    measure(what, rows, |rows| {
        encoder.clear();
        for row in rows {
            let checked = plan.check(black_box(&row[..]), &mut scratch, &mut encoder, &mut errors);
            assert_eq!(checked, Checked::Accepted, "every row is good");
        }
        black_box(encoder.buffer());
    });
    assert!(errors.is_empty(), "no row has a warning");
}

fn report_keys(what: &str, plan: &RowPlan, rows: &[Row]) {
    let mut scratch = Scratch::default();
    let mut keys = Vec::new();
    measure(what, rows, |rows| {
        for row in rows {
            plan.unique_keys(black_box(&row[..]), &mut scratch, &mut keys);
            black_box(&keys);
        }
    });
}

/// The best of some rounds: what the machine did besides is in the others.
#[expect(clippy::print_stdout, reason = "a bench reports to its terminal")]
fn measure(what: &str, rows: &[Row], mut run: impl FnMut(&[Row])) {
    let best = (0..ROUNDS)
        .map(|_| round(rows, &mut run))
        .fold(0.0, f64::max);
    let nanoseconds = 1e9 / best;
    println!(
        "{what:28} {:6.2} M rows/s  {nanoseconds:5.0} ns/row",
        best / 1e6
    );
}

#[expect(clippy::disallowed_methods, reason = "a bench measures real time")]
fn round(rows: &[Row], run: &mut impl FnMut(&[Row])) -> f64 {
    let mut checked = 0_usize;
    let start = Instant::now();
    while start.elapsed() < ROUND {
        run(rows);
        checked += rows.len();
    }
    checked as f64 / start.elapsed().as_secs_f64()
}
