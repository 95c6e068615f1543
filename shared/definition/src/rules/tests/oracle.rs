//! The same expressions here and in the crate `cel`, which is nobody's of ours.
//!
//! Where it gives a value we give the same, and where it gives an error we do. Our own additions
//! (mixed numbers, missing values, dates written as text) are left out, as it has none of them.

use cel::{Context, Program};
use proptest::prelude::*;

use super::super::value::Sort;
use super::run;
use crate::types::Value;

const FIELDS: &[(&str, Sort)] = &[
    ("a", Sort::Int),
    ("b", Sort::Int),
    ("x", Sort::Num),
    ("y", Sort::Num),
    ("s", Sort::Str),
    ("t", Sort::Str),
    ("p", Sort::Bool),
    ("q", Sort::Bool),
    ("l", Sort::List),
];

#[derive(Debug, Clone)]
struct Record {
    ints: [i64; 2],
    numbers: [f64; 2],
    texts: [String; 2],
    truths: [bool; 2],
    list: Vec<i64>,
}

fn record() -> impl Strategy<Value = Record> {
    let int = prop_oneof![-3_i64..4, any::<i64>()];
    let number = prop_oneof![(-8_i32..8).prop_map(|n| f64::from(n) / 4.0), -1e9..1e9];
    let text = "[ab \u{e9}]{0,4}";
    let pair = (prop::array::uniform2(int), prop::array::uniform2(number));
    (
        pair,
        prop::array::uniform2(text),
        any::<[bool; 2]>(),
        prop::collection::vec(-3_i64..4, 0..4),
    )
        .prop_map(|((ints, numbers), texts, truths, list)| Record {
            ints,
            numbers,
            texts,
            truths,
            list,
        })
}

fn leaf(choices: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop::sample::select(choices).prop_map(str::to_owned)
}

/// Expressions of each sort, built of those of others.
fn expressions() -> impl Strategy<Value = String> {
    let ints = leaf(&[
        "a",
        "b",
        "0",
        "1",
        "7",
        "-2",
        "size(s)",
        "l.size()",
        "9223372036854775807",
    ]);
    let numbers = leaf(&["x", "y", "0.5", "2.0", "-1.25"]);
    let texts = leaf(&["s", "t", "''", "'a'", "\"b \\u00e9\""]);
    let lists = leaf(&["l", "[]", "[1, 2, 3]", "[a, b]"]);
    let truths = leaf(&["p", "q", "true", "false"]);
    let all = (ints, numbers, texts, lists, truths);
    let start = all.prop_map(|(i, n, s, l, p)| [i, n, s, l, p]);
    let grown = start.boxed().prop_recursive(5, 48, 2, |inner| {
        let operator = leaf(&["+", "-", "*", "/", "%"]);
        let safe = leaf(&["+", "-", "*"]);
        let relation = leaf(&["==", "!=", "<", "<=", ">", ">="]);
        let junction = leaf(&["&&", "||"]);
        let question = leaf(&["contains", "startsWith", "endsWith"]);
        let shape = 0_usize..6;
        let words = (operator, safe, relation, junction, question, shape);
        (inner.clone(), inner, words).prop_map(|(left, right, words)| grow(&left, &right, &words))
    });
    (grown, 0_usize..5).prop_map(|(sorts, which)| sorts[which].clone())
}

type Words = (String, String, String, String, String, usize);

/// One more level of each sort: whole number, number, text, list, truth.
#[expect(
    clippy::many_single_char_names,
    reason = "the letters stand in the expressions made of them"
)]
fn grow(left: &[String; 5], right: &[String; 5], words: &Words) -> [String; 5] {
    let [i, n, s, l, p] = left;
    let [j, m, t, k, q] = right;
    let (operator, safe, relation, junction, question, shape) = words;
    let ints = match shape {
        0 => format!("({p} ? {i} : {j})"),
        1 => format!("size({s} + {t})"),
        2 => format!("{l}[{j}]"),
        3 => format!("-({i})"),
        _ => format!("({i} {operator} {j})"),
    };
    let numbers = match shape {
        0 => format!("({p} ? {n} : {m})"),
        1 => format!("double({i})"),
        _ => format!("({n} {safe} {m})"),
    };
    let texts = match shape {
        0 => format!("({p} ? {s} : {t})"),
        1 => format!("string({i})"),
        _ => format!("({s} + {t})"),
    };
    let lists = match shape {
        0 => format!("({p} ? {l} : {k})"),
        1 => format!("{l}.map(v, v + {j})"),
        2 => format!("{l}.filter(v, v {relation} {j})"),
        3 => format!("{l}.map(v, v {relation} {i}, v * 2)"),
        4 => format!("[{i}, {j}]"),
        _ => format!("({l} + {k})"),
    };
    let truths = match shape {
        0 => format!("{l}.all(v, v {relation} {j})"),
        1 => format!("{l}.exists(v, {i} / v {relation} {j})"),
        2 => format!("{l}.exists_one(v, v {relation} {j})"),
        3 => format!("({i} {relation} {j} {junction} {n} {relation} {m})"),
        4 => format!("({s} {relation} {t} {junction} !{p} {junction} {q})"),
        _ => format!("({s}.{question}({t}) {junction} {i} in {k} {junction} {l} == {k})"),
    };
    [ints, numbers, texts, lists, truths]
}

/// What the crate makes of it, as we write it; `Err` for an error of its.
fn theirs(expression: &str, record: &Record) -> Result<String, String> {
    let program = Program::compile(expression).map_err(|error| format!("fault: {error}"))?;
    let mut context = Context::default();
    context.add_variable_from_value("a", record.ints[0]);
    context.add_variable_from_value("b", record.ints[1]);
    context.add_variable_from_value("x", record.numbers[0]);
    context.add_variable_from_value("y", record.numbers[1]);
    context.add_variable_from_value("s", record.texts[0].clone());
    context.add_variable_from_value("t", record.texts[1].clone());
    context.add_variable_from_value("p", record.truths[0]);
    context.add_variable_from_value("q", record.truths[1]);
    let list: Vec<cel::Value> = record
        .list
        .iter()
        .map(|int| cel::Value::Int(*int))
        .collect();
    context.add_variable_from_value("l", list);
    let value = program
        .execute(&context)
        .map_err(|error| error.to_string())?;
    Ok(written(&value))
}

fn written(value: &cel::Value) -> String {
    match value {
        cel::Value::Int(int) => int.to_string(),
        cel::Value::Float(number) => number.to_string(),
        cel::Value::String(text) => text.to_string(),
        cel::Value::Bool(truth) => truth.to_string(),
        cel::Value::List(items) => {
            let items: Vec<String> = items.iter().map(written).collect();
            format!("[{}]", items.join(","))
        }
        other => panic!("no expression gives {other:?}"),
    }
}

fn ours(expression: &str, record: &Record) -> String {
    let list = format!("{:?}", record.list);
    let values = [
        Some(Value::Int(record.ints[0])),
        Some(Value::Int(record.ints[1])),
        Some(Value::Num(record.numbers[0])),
        Some(Value::Num(record.numbers[1])),
        Some(Value::Str(&record.texts[0])),
        Some(Value::Str(&record.texts[1])),
        Some(Value::Bool(record.truths[0])),
        Some(Value::Bool(record.truths[1])),
        Some(Value::Json(&list)),
    ];
    run(expression, FIELDS, &values).0
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Random expressions over random records mean the same here and there.
    #[test]
    fn expressions_mean_what_they_mean_in_cel(expression in expressions(), record in record()) {
        let ours = ours(&expression, &record);
        match theirs(&expression, &record) {
            Ok(theirs) => prop_assert_eq!(ours, theirs, "{}", expression),
            Err(error) => prop_assert!(ours.starts_with("error: "), "{expression}\n{error}\n{ours}"),
        }
    }
}
