//! Expressions and what they make of the record.

use super::{RECORD, errors, outcome, rule};
use crate::row_error::{Category, Code, Severity};
use crate::rules::{Computed, RuleSpec};
use crate::types::{FieldType, Value};

#[track_caller]
fn table(rows: &[(&str, &str)]) {
    for (expression, expected) in rows {
        assert_eq!(outcome(expression), *expected, "{expression}");
    }
}

#[test]
fn numbers() {
    table(&[
        ("age + 1", "43"),
        ("7 / 2", "3"),
        ("-7 % 3", "-1"),
        ("age / 4.0", "10.5"),
        ("age * weight", "2583"),
        ("weight > age", "true"),
        ("age == 42.0", "true"),
        ("9007199254740993 > 9007199254740992.0", "true"),
        ("-9223372036854775808", "-9223372036854775808"),
        (
            "-(-9223372036854775807 - 1)",
            "error: a result is out of range",
        ),
        ("age / zero", "error: division by zero"),
        ("age % zero", "error: division by zero"),
        ("weight / 0.0", "error: division by zero"),
        (
            "9223372036854775807 + age",
            "error: a result is out of range",
        ),
        ("1e308 * 10.0", "error: a result is out of range"),
        ("math.abs(-3)", "3"),
        ("math.round(2.5)", "3"),
        ("math.floor(-2.5)", "-3"),
        ("math.greatest(1, 2.5, age)", "42"),
        ("math.least([3, 1, 2])", "1"),
        ("math.least([])", "null"),
        ("int(\" 17 \") + int(2.9) + int(\"-3\")", "16"),
        (
            "int(\"17.5\")",
            "fault at 0: int(): a text is not a whole number",
        ),
        ("double(\"1.5\") + double(1)", "2.5"),
        ("double(name)", "error: a text is not a number"),
        ("int(1e300)", "fault at 0: int(): a result is out of range"),
        ("0xff", "255"),
        ("größe * 2", "6"),
    ]);
}

/// Decimals are exact, also with the literals of expressions.
#[test]
fn decimals() {
    table(&[
        ("price * 3", "59.97"),
        ("price * 3 == 59.97", "true"),
        ("price + 0.01 == 20", "true"),
        ("decimal(\"0.1\") + decimal(\"0.2\") == 0.3", "true"),
        ("0.1 + 0.2 == 0.3", "false"),
        ("price > 19.98 && price < 20 && price >= age - 23", "true"),
        ("price / 0", "error: division by zero"),
        ("price % 5", "4.99"),
        ("math.round(price)", "20"),
        ("math.round(decimal(\"2.5\"))", "3"),
        ("math.trunc(price)", "19"),
        ("int(price)", "19"),
        ("double(price)", "19.99"),
        ("price < 1e300", "true"),
        ("price * 1e28", "error: a result is out of range"),
        ("string(price * 100)", "1999.00"),
        ("-price", "-19.99"),
    ]);
}

#[test]
fn texts() {
    table(&[
        ("name + \"!\"", "Zoë O'Hara!"),
        ("size(name)", "10"),
        ("name.size() == 10", "true"),
        (
            "name.startsWith('Zo') && name.endsWith('a') && name.contains(' O')",
            "true",
        ),
        ("name.matches(\"^Z.. [A-Z]'\")", "true"),
        ("name.matches(r\"\\d\")", "false"),
        ("matches(name, 'H')", "true"),
        ("name.lowerAscii()", "zoë o'hara"),
        ("name.upperAscii()", "ZOë O'HARA"),
        ("' a '.trim()", "a"),
        ("name.replace('a', 'o')", "Zoë O'Horo"),
        ("name.substring(2, 5)", "ë O"),
        ("name.substring(8)", "ra"),
        ("name.substring(99)", ""),
        (
            "name.substring(5, 2)",
            "error: a list has no item of this number",
        ),
        (
            "name.substring(-1)",
            "error: a list has no item of this number",
        ),
        (
            "age in [age, tags[9]]",
            "error: a list has no item of this number",
        ),
        ("name.indexOf('O')", "4"),
        ("name.indexOf('q')", "-1"),
        ("name.split(' ')", r#"["Zoë","O'Hara"]"#),
        ("name.split(' ')[1]", "O'Hara"),
        ("'ab'.split('').join('-')", "a-b"),
        ("tags.join(', ')", "red, green"),
        (
            "[1].join()",
            "error: join() takes a list of texts, not of a whole number",
        ),
        ("'a' < 'b' && 'B' < 'a'", "true"),
        (
            "string(age) + string(weight) + string(active)",
            "4261.5true",
        ),
        (
            "string(start_date) + ' ' + string(seen_at)",
            "2024-01-31 2024-01-31T08:30:00Z",
        ),
        ("string(tags)", r#"["red","green"]"#),
        ("bool('true') && !bool('0')", "true"),
        ("'''it's'''", "it's"),
    ]);
}

#[test]
fn dates_and_durations() {
    table(&[
        ("end_date > start_date", "true"),
        ("start_date == date('2024-01-31')", "true"),
        ("start_date == timestamp('2024-01-31T00:00:00Z')", "true"),
        (
            "start_date >= '2024-01-01' && start_date < '2024-02-01'",
            "true",
        ),
        (
            "'2024-02-30' > start_date",
            "fault at 0: \"2024-02-30\" is not a date: 2024-01-31 or 2024-01-31T10:00:00Z",
        ),
        ("end_date - start_date", "2592000s"),
        ("end_date - start_date <= duration('720h')", "true"),
        ("end_date - start_date == days(30)", "true"),
        ("end_date - start_date < '29d'", "false"),
        ("start_date + days(29)", "2024-02-29"),
        ("start_date + duration('36h')", "2024-02-01T12:00:00Z"),
        ("start_date - days(31)", "2023-12-31"),
        ("seen_at > start_date", "true"),
        ("date(seen_at) == start_date", "true"),
        ("seen_at.getHours()", "8"),
        (
            "end_date.getFullYear() + end_date.getMonth() + end_date.getDate()",
            "2027",
        ),
        ("start_date.getDayOfWeek()", "3"),
        ("start_date.getDayOfYear()", "30"),
        ("start_date.getDayOfMonth()", "30"),
        ("(end_date - start_date).getHours() / 24", "30"),
        ("duration('1h30m') + duration('90s')", "5490s"),
        ("-duration('1.5s')", "-1.5s"),
        (
            "duration('5 apples')",
            "fault at 0: duration(): a text is not a duration (90s, 1h30m, 30d)",
        ),
        (
            "days(9223372036854775807)",
            "fault at 0: days(): a result is out of range",
        ),
        (
            "start_date + days(99999999)",
            "error: a result is out of range",
        ),
        (
            "date(name)",
            "error: a text is not a date (2024-01-31) or a date with a time (2024-01-31T10:00:00Z)",
        ),
        ("row[\"start date\"] > row.start_date", "true"),
        ("int(timestamp('1970-01-02T00:00:00Z'))", "86400"),
        ("timestamp(0)", "1970-01-01T00:00:00Z"),
        ("int(timestamp('1969-12-31T23:59:59Z'))", "-1"),
        ("date('9999-12-31') > start_date", "true"),
        (
            "date('9999-12-31') + days(1)",
            "error: a result is out of range",
        ),
    ]);
}

#[test]
fn lists_and_maps() {
    table(&[
        ("'red' in tags", "true"),
        ("'blue' in tags", "false"),
        ("name in ['a', 'Zoë O\\'Hara']", "true"),
        ("age in [1, 42.0]", "true"),
        ("size(tags)", "2"),
        ("tags[0] + tags[1]", "redgreen"),
        ("tags[2]", "error: a list has no item of this number"),
        ("tags[-1]", "error: a list has no item of this number"),
        ("tags + ['blue']", r#"["red","green","blue"]"#),
        ("tags == ['red', 'green']", "true"),
        ("data.a", "x"),
        ("data.b.c[1]", "2.5"),
        ("data['b']['c'][0] == 1", "true"),
        ("data.nothing.at.all", "null"),
        ("data.a.b", "error: a text has no parts"),
        ("'a' in data", "true"),
        ("has(data.b) && !has(data.q)", "true"),
        ("data.b", r#"{"c":[1,2.5,null]}"#),
        ("{'k': age, 'a': [name]}", r#"{"a":["Zoë O'Hara"],"k":42}"#),
        ("{'k': 1} == {'k': 1.0}", "true"),
        ("{'k': 1}.k", "1"),
    ]);
}

#[test]
fn macros() {
    table(&[
        ("tags.all(t, t.size() > 2)", "true"),
        ("tags.exists(t, t == 'green')", "true"),
        ("tags.exists_one(t, t.contains('e'))", "false"),
        (
            "tags.map(t, t + name.substring(0, 1))",
            r#"["redZ","greenZ"]"#,
        ),
        ("tags.map(t, t.size() > 3, t.upperAscii())", r#"["GREEN"]"#),
        ("tags.filter(t, t != 'red')", r#"["green"]"#),
        ("[[1, 2], [3]].map(l, l.map(x, x * 2))", "[[2,4],[6]]"),
        ("[1, 2].all(name, name > 0) && name != ''", "true"),
        ("data.all(key, key in ['a', 'b'])", "true"),
        ("[].all(x, x)", "true"),
        ("[].exists(x, x)", "false"),
        ("[1, 0].exists(x, 1 / x == 1)", "true"),
        ("[0, 2].exists(x, 1 / x == 1)", "error: division by zero"),
        ("[0, 2].all(x, 1 / x == 1)", "false"),
        (
            "[1].all(x, x)",
            "error: true or false is needed, not a whole number",
        ),
        (
            "age.all(x, x > 1)",
            "fault at 4: all looks at the items of a list, not of a whole number",
        ),
    ]);
}

/// What is missing is not known, and a part that is not known decides nothing.
#[test]
fn missing_values() {
    table(&[
        ("missing > 5", "null"),
        ("missing + 1", "null"),
        ("!(missing > 5)", "null"),
        ("missing in [1, 2]", "null"),
        ("end_date >= no_date", "null"),
        ("missing == null", "true"),
        ("null != missing", "false"),
        ("age == null", "false"),
        ("has(row.missing)", "false"),
        ("has(missing)", "false"),
        ("has(row.age)", "true"),
        ("has(row['start date'])", "true"),
        ("has(row.empty)", "false"),
        ("empty != null", "true"),
        ("missing == zero", "null"),
        ("missing > 5 && false", "false"),
        ("missing > 5 && true", "null"),
        ("missing > 5 || true", "true"),
        ("missing > 5 || false", "null"),
        ("missing == null || missing > 5", "true"),
        ("missing > 5 ? 1 : 2", "null"),
        ("has(missing) ? missing : 7", "7"),
        ("null + 1", "null"),
        ("int(missing)", "null"),
        ("[1, null] == [1, null]", "true"),
        ("[null].all(x, x > 1)", "null"),
        ("[null, 1].all(x, x > 1)", "false"),
        ("[null, 3].filter(x, x > 1)", "[3]"),
        (
            "missing.nothing",
            "fault at 8: a whole number has no parts to select with a .",
        ),
    ]);
}

#[test]
fn an_error_beside_a_part_that_decides_does_not_count() {
    table(&[
        ("age / zero == 1 || true", "true"),
        ("age / zero == 1 && false", "false"),
        ("false && age / zero == 1", "false"),
        ("age / zero == 1 || false", "error: division by zero"),
        ("missing == 1 || age / zero == 1", "error: division by zero"),
    ]);
}

#[test]
fn a_rule_that_does_not_hold_is_an_error() {
    let row = |age| {
        [
            Some(Value::Str("Ann")),
            Some(age),
            Some(Value::Null),
            Some(Value::Str("2024-02-01")),
            Some(Value::Str("2024-01-01")),
        ]
    };
    let dates = RuleSpec {
        field: Some("end_date".into()),
        ..rule("end_date >=\n  start_date")
    };
    let adult = RuleSpec {
        when: Some("name != 'Bob'".into()),
        message: Some("only adults may sign up".into()),
        severity: Severity::Warning,
        ..rule("age >= 18")
    };
    let own = RuleSpec {
        field: Some("age".into()),
        is_own: true,
        ..rule("value < 100")
    };
    let found = errors(
        &[dates.clone(), adult.clone(), own.clone()],
        &row(Value::Int(7)),
    );
    assert_eq!(found.len(), 2);
    assert_eq!(
        found[0].message,
        "rule 1 does not hold: end_date >= start_date"
    );
    assert_eq!(
        (found[0].code, found[0].code.category()),
        (Code::Rule, Category::Custom)
    );
    assert_eq!(
        (found[0].field, found[0].severity),
        (Some(4), Severity::Error)
    );
    assert_eq!(found[1].message, "only adults may sign up");
    assert_eq!(
        (found[1].field, found[1].severity),
        (None, Severity::Warning)
    );
    let found = errors(std::slice::from_ref(&own), &row(Value::Int(100)));
    assert_eq!(
        found[0].message,
        "age: the check does not hold: value < 100"
    );
    // Nobody's age is known: neither rule has anything to say.
    assert_eq!(errors(&[adult.clone(), own.clone()], &row(Value::Null)), []);
    // The cell is no number, which is an error already.
    let mut broken = row(Value::Null);
    broken[1] = None;
    assert_eq!(errors(&[adult, own], &broken), []);
}

#[test]
fn a_rule_is_not_asked_where_its_occasion_is_not_known() {
    let spec = RuleSpec {
        when: Some("weight > 5".into()),
        ..rule("age > 18")
    };
    let row = [
        Some(Value::Null),
        Some(Value::Int(7)),
        Some(Value::Null),
        None,
        None,
    ];
    assert_eq!(errors(&[spec], &row), []);
}

#[test]
fn a_rule_that_can_not_be_asked_is_an_error_that_says_why() {
    let row = [
        Some(Value::Null),
        Some(Value::Int(0)),
        Some(Value::Null),
        None,
        None,
    ];
    let found = errors(&[rule("100 / age > 5")], &row);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].code, Code::Rule);
    assert_eq!(
        found[0].message,
        "rule 1 can't be asked of this row: division by zero"
    );
}

#[test]
fn fields_are_computed() {
    let kinds = [
        ("first", FieldType::String),
        ("age", FieldType::Integer),
        ("day", FieldType::Date),
    ];
    let text = |expression: &str, values: &[Option<Value<'_>>]| {
        Computed::compile(expression, &kinds)
            .unwrap()
            .text(&values.iter().copied().collect())
    };
    let row = [
        Some(Value::Str("Ann")),
        Some(Value::Int(7)),
        Some(Value::Str("2024-02-28")),
    ];
    for (expression, expected) in [
        ("first + ' the ' + string(age)", "Ann the 7"),
        ("age * 2", "14"),
        ("age / 2.0", "3.5"),
        ("day + days(2)", "2024-03-01"),
        ("age > 5", "true"),
        ("null", ""),
        ("[age]", "[7]"),
    ] {
        assert_eq!(
            text(expression, &row),
            Ok(Some(expected.to_owned())),
            "{expression}"
        );
    }
    assert_eq!(
        text("1 / (age - 7)", &row),
        Err("division by zero".to_owned())
    );
    let unknown = [Some(Value::Null), None, Some(Value::Null)];
    assert_eq!(text("first + '!'", &unknown), Ok(Some(String::new())));
    assert_eq!(text("age + 1", &unknown), Ok(None));
    let computed = Computed::compile("string(day) + first", &kinds).unwrap();
    assert_eq!(computed.uses(), [2, 0]);
}

#[test]
fn the_record_is_what_the_tables_take_it_for() {
    for (name, _, value) in RECORD {
        let expected = if *value == Value::Null { "null" } else { "" };
        let found = outcome(&format!("row[\"{name}\"]"));
        assert!(
            found == expected || !expected.starts_with("null"),
            "{name}: {found}"
        );
        assert!(
            !found.starts_with("error") && !found.starts_with("fault"),
            "{name}: {found}"
        );
    }
}
