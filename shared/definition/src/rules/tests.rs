//! What rules say of records: tables of expressions and outcomes, faults, hostile expressions, and
//! the same expressions run by the crate `cel`.

mod faults;
mod hostile;
mod oracle;
mod outcomes;

use super::value::Sort;
use super::{Machine, Row, RuleSpec, Rules, Scope, parser};
use crate::row_error::RowError;
use crate::types::{FieldType, Value};

/// The fields that expressions of the tests may use, with a value of each.
const RECORD: &[(&str, Sort, Value<'static>)] = &[
    ("name", Sort::Str, Value::Str("Zoë O'Hara")),
    ("empty", Sort::Str, Value::Str("")),
    ("age", Sort::Int, Value::Int(42)),
    ("zero", Sort::Int, Value::Int(0)),
    ("weight", Sort::Num, Value::Num(61.5)),
    ("price", Sort::Dec, Value::Decimal("19.99")),
    ("active", Sort::Bool, Value::Bool(true)),
    ("start_date", Sort::Time, Value::Str("2024-01-31")),
    ("end_date", Sort::Time, Value::Str("2024-03-01")),
    (
        "seen_at",
        Sort::Time,
        Value::Str("2024-01-31T10:30:00+02:00"),
    ),
    ("tags", Sort::List, Value::Json(r#"["red","green"]"#)),
    (
        "data",
        Sort::Any,
        Value::Json(r#"{"b":{"c":[1,2.5,null]},"a":"x"}"#),
    ),
    ("start date", Sort::Time, Value::Str("2024-02-01")),
    ("missing", Sort::Int, Value::Null),
    ("no_date", Sort::Time, Value::Null),
    ("größe", Sort::Int, Value::Int(3)),
];

fn fields() -> Vec<(&'static str, Sort)> {
    RECORD
        .iter()
        .map(|(name, sort, _)| (*name, *sort))
        .collect()
}

/// What an expression makes of the record: its text, or what is wrong.
fn outcome(expression: &str) -> String {
    let values: Vec<_> = RECORD.iter().map(|(_, _, value)| Some(*value)).collect();
    run(expression, &fields(), &values).0
}

/// The outcome, and the steps it took.
fn run(expression: &str, fields: &[(&str, Sort)], values: &[Option<Value<'_>>]) -> (String, u64) {
    let mut scope = Scope::new(fields, None);
    let compiled = parser::parse(expression).and_then(|tree| scope.compile(&tree));
    let op = match compiled {
        Ok((op, _)) => op,
        Err(flaw) => return (format!("fault at {}: {}", flaw.at, flaw.message), 0),
    };
    let sorts: Vec<Sort> = fields.iter().map(|(_, sort)| *sort).collect();
    let row: Row = values.iter().copied().collect();
    let mut machine = Machine::new(&row, &sorts);
    let result = machine.run(&op).map(|value| match value.sort() {
        Sort::Null => "null".to_owned(),
        _ => value.to_text().to_string(),
    });
    let steps = machine.steps();
    (
        result.unwrap_or_else(|fail| format!("error: {fail}")),
        steps,
    )
}

fn rule(check: &str) -> RuleSpec {
    RuleSpec {
        check: check.to_owned(),
        ..RuleSpec::default()
    }
}

const KINDS: &[(&str, FieldType)] = &[
    ("name", FieldType::String),
    ("age", FieldType::Integer),
    ("weight", FieldType::Number),
    ("start_date", FieldType::Date),
    ("end_date", FieldType::Date),
];

/// The errors of a record with the fields of [`KINDS`].
fn errors(specs: &[RuleSpec], values: &[Option<Value<'_>>]) -> Vec<RowError> {
    let rules = Rules::compile(specs, KINDS).unwrap_or_else(|faults| panic!("{faults:?}"));
    let mut errors = Vec::new();
    rules.check(&values.iter().copied().collect(), &mut errors);
    errors
}
