//! Expressions and records that mean harm: they end within the steps there are, and nothing panics.

use proptest::prelude::*;

use super::super::eval::STEPS_MAX;
use super::super::value::Sort;
use super::{KINDS, RECORD, errors, fields, rule, run};
use crate::rules::{Computed, Rules};
use crate::types::Value;

/// A list as long as a cell can make one, and a text as long as a cell can be.
fn worst() -> (String, String) {
    let list = format!("[{}1]", "1,".repeat(100_000));
    (list, "a".repeat(1_000_000))
}

const WORST_FIELDS: &[(&str, Sort)] = &[("l", Sort::List), ("s", Sort::Str)];

/// Whatever is asked of whatever record, it takes no more steps than there are.
#[test]
fn the_worst_expressions_end() {
    let (list, text) = worst();
    let values = [Some(Value::Json(&list)), Some(Value::Str(&text))];
    for expression in [
        "l.all(x, l.all(y, l.all(z, x + y + z > 0)))",
        "l.map(x, l.map(y, l))",
        "l.map(x, l) == l.map(x, l)",
        "string(l.map(x, l))",
        "l.map(x, s).join(s)",
        "l.exists(x, s.matches('(a*)*b'))",
        "l.exists(x, s.contains('b'))",
        "l.exists(x, s < s)",
        "l.map(x, s + s)",
        "l.all(x, x in l && !(2 in l))",
        "l.map(x, s.split('')).size() > 0",
        "l.map(x, s.replace('a', 'b'))",
        "l.map(x, l + l)",
        "l.all(x, [s, s, s] == [s, s, s])",
        "l.all(x, s.trim() != s.upperAscii())",
        "l.all(x, math.greatest(l) == 1)",
        "l.map(x, string(l))",
        "l.map(x, s.substring(0, 999999))",
    ] {
        let (outcome, steps) = run(expression, WORST_FIELDS, &values);
        assert!(steps <= STEPS_MAX, "{expression}: {steps}");
        let expected = [
            "error: it takes too many steps for this row",
            "error: a text or a list grows too large",
        ];
        assert!(
            expected.contains(&&*outcome),
            "{expression}: {steps} steps, {outcome:.80}"
        );
    }
}

/// Texts don't grow out of nothing either.
#[test]
fn texts_grow_to_a_bound() {
    let (list, text) = worst();
    let values = [Some(Value::Json(&list)), Some(Value::Str(&text))];
    for expression in [
        "s + s",
        "s.replace('', s)",
        "s.replace('a', 'ab')",
        "[s, s].join()",
        "string([s])",
    ] {
        let (outcome, _) = run(expression, WORST_FIELDS, &values);
        assert_eq!(
            outcome, "error: a text or a list grows too large",
            "{expression}"
        );
    }
    let doubled = "[s.substring(0, 20000)].map(a, a + a).map(a, a + a).map(a, a + a).map(a, a + a)\
        .map(a, a + a).map(a, a + a).map(a, a + a)";
    let (outcome, _) = run(doubled, WORST_FIELDS, &values);
    assert_eq!(outcome, "error: a text or a list grows too large");
}

/// The steps are those of a record, so many rules can't take more than one.
#[test]
fn all_rules_of_a_record_share_its_steps() {
    let text = "a".repeat(500_000);
    let specs = vec![rule("name.matches('b') || name.size() > 5"); 100];
    let row = [Some(Value::Str(&text)), None, None, None, None];
    let found = errors(&specs, &row);
    let first = found.first().expect("the steps do not suffice for all");
    assert!(
        first
            .message
            .ends_with("it takes too many steps for this row")
    );
    assert!(found.len() > 80 && found.len() < 100, "{}", found.len());
}

#[test]
fn macros_nest_to_a_bound() {
    let nested = |depth: usize| {
        let levels = (0..depth).map(|level| format!("l.all(x{level}, "));
        let open = levels.collect::<Vec<_>>().concat();
        open + "true" + &")".repeat(depth)
    };
    let values = [Some(Value::Json("[1]")), Some(Value::Null)];
    assert_eq!(run(&nested(3), WORST_FIELDS, &values).0, "true");
    let (fault, _) = run(&nested(4), WORST_FIELDS, &values);
    assert!(
        fault.ends_with("more than 3 of all, exists, map and filter within each other"),
        "{fault}"
    );
}

/// The deepest tree that is allowed is compiled, run and dropped on the smallest stack we use.
#[test]
fn the_deepest_expressions_fit_the_stack() {
    let run_deep = || {
        for text in [
            format!("{}age{}", "(".repeat(60), ")".repeat(60)),
            format!("{}active", "!".repeat(60)),
            format!("age{}", " + 1".repeat(60)),
            format!("{}1{}", "[".repeat(60), "]".repeat(60)),
            format!("{}age", "active ? age : ".repeat(50)),
            format!("string({}age{})", "math.abs(".repeat(60), ")".repeat(60)),
        ] {
            let outcome = super::outcome(&text);
            assert!(!outcome.starts_with("fault"), "{text}: {outcome}");
        }
        let json = format!("{}{}", "[".repeat(120), "]".repeat(120));
        let values = [Some(Value::Json(&json)), Some(Value::Null)];
        assert_eq!(
            run("l == l && string(l).size() > 9", WORST_FIELDS, &values).0,
            "true"
        );
        let json = format!("{}{}", "[".repeat(50_000), "]".repeat(50_000));
        let values = [Some(Value::Json(&json)), Some(Value::Null)];
        assert_eq!(
            run("l == l", WORST_FIELDS, &values).0,
            "error: a text is not JSON"
        );
    };
    let thread = std::thread::Builder::new()
        .stack_size(1 << 20)
        .spawn(run_deep);
    thread.unwrap().join().expect("nothing overflows");
}

/// Words of the language, so that random texts get past the first of them.
fn piece() -> impl Strategy<Value = String> {
    const WORDS: &[&str] = &[
        "age",
        "name",
        "weight",
        "start_date",
        "end_date",
        "value",
        "row",
        "row.age",
        "row[\"name\"]",
        "null",
        "true",
        "1",
        "0",
        "2.5",
        "'a'",
        "\"2024-01-01\"",
        "+",
        "-",
        "*",
        "/",
        "%",
        "==",
        "!=",
        "<",
        ">=",
        "in",
        "&&",
        "||",
        "!",
        "?",
        ":",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ",",
        ".",
        ".size()",
        ".all(x, ",
        ".map(x, x)",
        "x",
        "has(",
        "string(",
        "date(",
        "days(",
        "math.abs(",
        ".matches('",
        "9223372036854775807",
        "duration('1h')",
        ".split('')",
        ".join()",
        " ",
        "é",
    ];
    prop_oneof![8 => prop::sample::select(WORDS).prop_map(str::to_owned), 1 => any::<String>()]
}

/// Values of any kind, fitting their field or not.
fn value() -> impl Strategy<Value = Option<Value<'static>>> {
    const TEXTS: &[&str] = &[
        "",
        "a",
        "2024-02-30",
        "2024-02-28",
        "9999-12-31",
        "-9999-01-01",
        "ééé",
        "1e400",
    ];
    const JSON: &[&str] = &[
        "[1,2]",
        "{\"a\":null}",
        "[",
        "null",
        "\"\\ud800\"",
        "1e999",
        "[[[]]]",
    ];
    prop_oneof![
        Just(None),
        Just(Some(Value::Null)),
        any::<bool>().prop_map(|truth| Some(Value::Bool(truth))),
        any::<i64>().prop_map(|int| Some(Value::Int(int))),
        (-3_i64..3).prop_map(|int| Some(Value::Int(int))),
        any::<f64>().prop_map(|number| Some(Value::Num(number))),
        prop::sample::select(TEXTS).prop_map(|text| Some(Value::Str(text))),
        prop::sample::select(TEXTS).prop_map(|text| Some(Value::Decimal(text))),
        prop::sample::select(JSON).prop_map(|text| Some(Value::Json(text))),
    ]
}

proptest! {
    /// Any text at all is compiled or refused with a place within it.
    #[test]
    fn any_text_is_compiled_or_refused(text: String) {
        if let Err(faults) = Rules::compile(&[rule(&text)], KINDS) {
            prop_assert!(faults[0].character <= text.chars().count() + 1);
        }
    }

    /// Whatever words of the language follow each other, they are compiled or refused; and what is
    /// compiled gives a value or an error for any values whatever.
    #[test]
    fn any_words_and_any_values_end(
        pieces in prop::collection::vec(piece(), 1..14),
        values in prop::collection::vec(value(), 5),
    ) {
        let text = pieces.concat();
        if let Ok(computed) = Computed::compile(&text, KINDS) {
            let _ = computed.text(&values.iter().copied().collect());
        }
        if let Ok(rules) = Rules::compile(&[rule(&text)], KINDS) {
            rules.check(&values.iter().copied().collect(), &mut Vec::new());
        }
    }

    /// Every function gives a value or an error for any values whatever.
    #[test]
    fn any_call_ends(
        left in prop::sample::select(RECORD),
        right in prop::sample::select(RECORD),
        values in prop::collection::vec(value(), RECORD.len()),
    ) {
        for function in super::super::functions::FUNCTIONS {
            let mut arguments = vec![format!("row[\"{}\"]", left.0), format!("row[\"{}\"]", right.0)];
            arguments.push("row.age".to_owned());
            arguments.truncate(function.takes.len());
            let target = arguments.remove(0);
            let expressions = [
                format!("{target}.{}({})", function.name, arguments.join(",")),
                format!("{}({target})", function.name),
            ];
            for expression in expressions {
                let (_, steps) = run(&expression, &fields(), &values);
                prop_assert!(steps <= STEPS_MAX);
                // The sorts are not known before, as of values in JSON.
                let any: Vec<_> = fields().into_iter().map(|(name, _)| (name, Sort::Any)).collect();
                run(&expression, &any, &values);
            }
        }
    }
}
