//! How many nanoseconds one cell of every type takes on one core.
//!
//! A plain program, so that it measures the conversion and nothing around it. It must not judge: the
//! numbers are for people to compare.

use std::hint::black_box;
use std::time::{Duration, Instant};

use batchfleet_definition::{Converter, FieldType, ItemType, TypeOptions};

const CELLS: u64 = 4096;
const ROUNDS: usize = 150;
/// Short, so that some of them have the core to themselves.
const ROUND: Duration = Duration::from_millis(4);

const ROLES: [&str; 5] = ["admin", "editor", "viewer", "guest", "owner"];
const ODD_ROLES: [&str; 5] = ["Admin", "editor", "VIEWER", "guest", "Owner"];

type Write = fn(u64) -> String;

fn main() {
    for (what, kind, write) in plain() {
        report(what, kind, &TypeOptions::default(), write);
    }
    for (what, kind, options, write) in with_options() {
        report(what, kind, &options, write);
    }
}

/// Types that the definition says nothing about.
fn plain() -> [(&'static str, FieldType, Write); 16] {
    [
        ("string", FieldType::String, |n| {
            format!("Maria Gonzales {n}")
        }),
        ("integer", FieldType::Integer, |n| {
            (n * 7919 % 100_000).to_string()
        }),
        ("number", FieldType::Number, |n| {
            format!("{}.{}", n % 1000, n % 100)
        }),
        ("decimal", FieldType::Decimal, |n| {
            format!("{}.{:02}", n % 1000, n % 100)
        }),
        ("boolean", FieldType::Boolean, |n| {
            ["true", "no", "1", "FALSE"][n as usize % 4].to_owned()
        }),
        ("date", FieldType::Date, |n| {
            format!("20{:02}-{:02}-{:02}", n % 25, 1 + n % 12, 1 + n % 28)
        }),
        ("datetime", FieldType::DateTime, |n| {
            format!(
                "2024-{:02}-{:02}T12:{:02}:00+01:00",
                1 + n % 12,
                1 + n % 28,
                n % 60
            )
        }),
        ("datetime, with a space", FieldType::DateTime, |n| {
            format!("2024-{:02}-{:02} 12:{:02}", 1 + n % 12, 1 + n % 28, n % 60)
        }),
        ("email", FieldType::Email, |n| {
            format!("maria.gonzales+{n}@mail.example.com")
        }),
        ("url", FieldType::Url, |n| {
            format!("https://www.example.com/products/{n}?q=1")
        }),
        ("url, not ASCII", FieldType::Url, |n| {
            format!("https://www.exämple.com/products/{n}")
        }),
        ("uuid", FieldType::Uuid, |n| {
            format!("67e55044-10b1-426f-9247-bb68{n:08x}")
        }),
        ("phone", FieldType::Phone, |n| format!("+4930{n:06}")),
        ("phone, with spaces", FieldType::Phone, |n| {
            format!("+49 (0)30 {n:06}")
        }),
        ("array of 3 strings", FieldType::Array, |n| {
            format!("red, green, {n}")
        }),
        ("json, 50 bytes", FieldType::Json, |n| {
            format!("{{\"name\": \"Maria\", \"tags\": [1, 2, {n}], \"ok\": true}}")
        }),
    ]
}

fn with_options() -> Vec<(&'static str, FieldType, TypeOptions, Write)> {
    let none = TypeOptions::default;
    let own = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    let german = || TypeOptions {
        decimal_separator: Some(','),
        thousands_separator: Some('.'),
        ..none()
    };
    let format = |format: &str| TypeOptions {
        formats: vec![format.to_owned()],
        ..none()
    };
    let words = TypeOptions {
        true_words: own(&["ja", "j"]),
        false_words: own(&["nein", "n"]),
        ..none()
    };
    let berlin = TypeOptions {
        time_zone: Some("Europe/Berlin".to_owned()),
        ..none()
    };
    let roles = |ignore_case| TypeOptions {
        values: own(&ROLES),
        ignore_case,
        ..none()
    };
    let hundred = TypeOptions {
        values: (0..100).map(|index| format!("value {index}")).collect(),
        ..none()
    };
    let integers = TypeOptions {
        items: Some(Box::new(ItemType {
            kind: FieldType::Integer,
            options: none(),
        })),
        ..none()
    };
    let grouped: Write = |n| format!("{}.{:03},{:02}", 1 + n % 999, n % 1000, n % 100);
    vec![
        ("integer 1.234", FieldType::Integer, german(), |n| {
            format!("{}.{:03}", 1 + n % 999, n % 1000)
        }),
        ("number 1.234,56", FieldType::Number, german(), grouped),
        ("decimal 1.234,56", FieldType::Decimal, german(), grouped),
        ("boolean, own words", FieldType::Boolean, words, |n| {
            ["ja", "nein"][n as usize % 2].to_owned()
        }),
        (
            "date DD.MM.YYYY",
            FieldType::Date,
            format("DD.MM.YYYY"),
            |n| format!("{:02}.{:02}.20{:02}", 1 + n % 28, 1 + n % 12, n % 25),
        ),
        ("datetime in a zone", FieldType::DateTime, berlin, |n| {
            format!("2024-{:02}-{:02} 12:{:02}", 1 + n % 12, 1 + n % 28, n % 60)
        }),
        (
            "datetime DD.MM.YYYY HH:mm",
            FieldType::DateTime,
            format("DD.MM.YYYY HH:mm"),
            |n| format!("{:02}.{:02}.2024 12:{:02}", 1 + n % 28, 1 + n % 12, n % 60),
        ),
        ("datetime, unix", FieldType::DateTime, format("unix"), |n| {
            (1_700_000_000 + n * 7919).to_string()
        }),
        ("enum of 5", FieldType::Enum, roles(false), |n| {
            ROLES[n as usize % 5].to_owned()
        }),
        ("enum of 5, any case", FieldType::Enum, roles(true), |n| {
            ODD_ROLES[n as usize % 5].to_owned()
        }),
        ("enum of 100", FieldType::Enum, hundred, |n| {
            format!("value {}", n % 100)
        }),
        ("array of 3 integers", FieldType::Array, integers, |n| {
            format!("1, 22, {n}")
        }),
    ]
}

#[expect(clippy::print_stdout, reason = "a bench reports to its terminal")]
fn report(what: &str, kind: FieldType, options: &TypeOptions, write: Write) {
    let converter = Converter::compile(kind, options).expect("good options");
    let cells: Vec<Vec<u8>> = (0..CELLS).map(|n| write(n).into_bytes()).collect();
    let best = (0..ROUNDS)
        .map(|_| round(&converter, &cells))
        .fold(f64::INFINITY, f64::min);
    println!("{what:26} {best:7.1} ns/cell");
}

#[expect(clippy::disallowed_methods, reason = "a bench measures real time")]
fn round(converter: &Converter, cells: &[Vec<u8>]) -> f64 {
    let mut out = String::new();
    let mut count = 0_usize;
    let start = Instant::now();
    while start.elapsed() < ROUND {
        for cell in cells {
            let value = converter.convert(black_box(cell), &mut out);
            assert!(black_box(value).is_ok(), "every cell is good");
        }
        count += cells.len();
    }
    start.elapsed().as_secs_f64() * 1e9 / count as f64
}
