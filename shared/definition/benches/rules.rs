//! What rules cost: nanoseconds for one row with three typical ones, and for the worst there is.
//!
//! A plain program, so that it measures the compiled rules and nothing around them. It must not
//! judge: the number is for people to compare.

use std::hint::black_box;
use std::time::{Duration, Instant};

use batchfleet_definition::{
    Definition, FieldType, JsonLines, Row, RuleSpec, Rules, Scratch, Value,
};

const ROUND: Duration = Duration::from_millis(500);
const ROUNDS: usize = 5;

const FIELDS: [(&str, FieldType); 6] = [
    ("start_date", FieldType::Date),
    ("end_date", FieldType::Date),
    ("quantity", FieldType::Integer),
    ("price", FieldType::Number),
    ("status", FieldType::String),
    ("items", FieldType::Array),
];
const VALUES: [Value<'static>; 6] = [
    Value::Str("2024-01-30"),
    Value::Str("2024-02-02"),
    Value::Int(3),
    Value::Num(80.5),
    Value::Str("shipped"),
    Value::Json(r#"["a","b","c"]"#),
];
const TYPICAL: [&str; 3] = [
    "end_date >= start_date",
    "double(quantity) * price <= 10000.0",
    "status in ['open', 'paid', 'shipped']",
];

fn main() {
    let row: Row = VALUES.iter().copied().map(Some).collect();
    for expression in TYPICAL {
        report(expression, &rules(&[expression]), &row);
    }
    report("these three", &rules(&TYPICAL), &row);
    for expression in [
        "end_date - start_date <= duration('720h')",
        "status.matches('^[a-z]+$')",
        "items.all(i, i.size() == 1)",
    ] {
        report(expression, &rules(&[expression]), &row);
    }
    worst();
    rows();
}

fn rules(expressions: &[&str]) -> Rules {
    let mut specs = Vec::new();
    for expression in expressions {
        let check = (*expression).to_owned();
        specs.push(RuleSpec {
            check,
            ..RuleSpec::default()
        });
    }
    Rules::compile(&specs, &FIELDS).expect("the rules are good")
}

fn report(name: &str, rules: &Rules, row: &Row) {
    let mut errors = Vec::new();
    let nanos = best(|| rules.check(black_box(row), &mut errors));
    assert!(errors.is_empty(), "{errors:?}");
    say(&format!("{nanos:>10.0} ns  {name}"));
}

/// The most that the rules of one row can take.
#[expect(clippy::disallowed_methods, reason = "a measurement")]
fn worst() {
    let list = format!("[{}1]", "1,".repeat(100_000));
    let text = "a".repeat(1_000_000);
    let mut values = VALUES.map(Some);
    values[4] = Some(Value::Str(&text));
    values[5] = Some(Value::Json(&list));
    let row: Row = values.into_iter().collect();
    for expression in [
        "items.all(a, items.all(b, items.all(c, c == '1' || a != b)))",
        "items.exists(a, status.matches('(a|aa)*b$'))",
        "items.exists(a, status.contains('aaaab'))",
        "items.map(a, items) == items.map(a, items)",
    ] {
        let rules = rules(&[expression]);
        let mut errors = Vec::new();
        let begun = Instant::now();
        rules.check(&row, &mut errors);
        let millis = begun.elapsed().as_secs_f64() * 1e3;
        say(&format!(
            "{millis:>10.1} ms  {expression}: {}",
            errors[0].message
        ));
    }
}

/// The same rows with and without rules, through the whole check.
fn rows() {
    let fields = "
fields:
  - { name: start_date, type: date }
  - { name: end_date, type: date }
  - { name: quantity, type: integer }
  - { name: price, type: number }
  - { name: status }
";
    let rules =
        "rules:\n".to_owned() + &TYPICAL.map(|rule| format!("  - check: {rule}\n")).concat();
    let computed = "  - { name: total, type: number, compute: double(quantity) * price }\n";
    let header = ["start_date", "end_date", "quantity", "price", "status"].map(Vec::from);
    let cells = ["2024-01-30", "2024-02-02", "3", "80.5", "shipped"];
    for (name, text) in [
        ("a row without rules", fields.to_owned()),
        ("a row with three rules", fields.to_owned() + &rules),
        (
            "a row with a calculated field",
            fields.to_owned() + computed,
        ),
    ] {
        let definition = Definition::parse(&text).expect("the definition is good");
        let plan = definition.bind(&header).expect("the header is good");
        let mut encoder = JsonLines::new(&plan);
        let mut scratch = Scratch::default();
        let mut errors = Vec::new();
        let nanos = best(|| {
            encoder.clear();
            black_box(plan.check(
                black_box(&cells[..]),
                &mut scratch,
                &mut encoder,
                &mut errors,
            ));
        });
        say(&format!("{nanos:>10.0} ns  {name}"));
    }
}

#[expect(clippy::print_stdout, reason = "what the program is for")]
fn say(line: &str) {
    println!("{line}");
}

/// Nanoseconds of the fastest of some rounds.
#[expect(clippy::disallowed_methods, reason = "a measurement")]
fn best(mut work: impl FnMut()) -> f64 {
    let mut best = f64::INFINITY;
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        let mut times = 0;
        while begun.elapsed() < ROUND {
            for _ in 0..1000 {
                work();
            }
            times += 1000;
        }
        best = best.min(begun.elapsed().as_secs_f64() * 1e9 / f64::from(times));
    }
    best
}
