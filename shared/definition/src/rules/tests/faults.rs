//! Expressions that are refused before a row is seen, and what is said of them.

use super::{KINDS, outcome, rule};
use crate::rules::{Computed, RULES_MAX, RuleSpec, Rules};

fn faults(specs: &[RuleSpec]) -> Vec<String> {
    let faults = Rules::compile(specs, KINDS).expect_err("there is a fault");
    let line = |fault: &crate::rules::RuleFault| format!("{} {}: {fault}", fault.rule, fault.key);
    faults.iter().map(line).collect()
}

/// Expressions, and what is said of them.
const HOPELESS: &[(&str, &str)] = &[
    (
        "ag > 5",
        "fault at 0: there is no field \"ag\"; did you mean \"age\"?",
    ),
    (
        "row.nmae == ''",
        "fault at 4: there is no field \"nmae\"; did you mean \"name\"?",
    ),
    (
        "row['start  date'] > start_date",
        "fault at 4: there is no field \"start  date\"; did you mean \"start date\"?",
    ),
    (
        "start > 1",
        "fault at 0: there is no field \"start\"; write row[\"…\"] for a field whose name is more than one word",
    ),
    (
        "value > 1",
        "fault at 0: there is no field \"value\"; value is only known in the check of a field",
    ),
    (
        "row == 1",
        "fault at 0: row needs the name of a field: row.name, or row[\"start date\"]",
    ),
    (
        "row[name]",
        "fault at 4: the name of a field is a text in quotes",
    ),
    (
        "age > '5'",
        "fault at 4: > does not work between a whole number and a text",
    ),
    (
        "age == '5'",
        "fault at 4: == does not work between a whole number and a text",
    ),
    (
        "name + age",
        "fault at 5: + does not work between a text and a whole number; string(…) makes a text of anything",
    ),
    (
        "start_date + 1",
        "fault at 11: + does not work between a date and a whole number; string(…) makes a text of anything",
    ),
    (
        "!age",
        "fault at 1: ! needs true or false, not a whole number",
    ),
    (
        "age && active",
        "fault at 0: && needs true or false, not a whole number",
    ),
    ("-name", "fault at 0: - needs a number, not a text"),
    (
        "now() > start_date",
        "fault at 0: there is no function \"now\": what a rule says must not depend on when it is asked",
    ),
    (
        "name.startswith('a')",
        "fault at 5: there is no function \"startswith\"; did you mean startsWith?",
    ),
    ("len(name) > 5", "fault at 0: there is no function \"len\""),
    (
        "startsWith(name, 'a')",
        "fault at 0: startsWith is called as text.startsWith(text)",
    ),
    (
        "name.replace('a')",
        "fault at 5: replace is called as text.replace(text, text)",
    ),
    (
        "name.string()",
        "fault at 5: string is called as string(value)",
    ),
    (
        "name.startsWith(5)",
        "fault at 16: startsWith() takes a text, not a whole number",
    ),
    (
        "age.size()",
        "fault at 0: size() takes a text, a list or a map, not a whole number",
    ),
    (
        "name.matches(name)",
        "fault at 13: the pattern is a text in quotes, so that it is compiled once for all rows",
    ),
    (
        "age.matches('a')",
        "fault at 0: matches() takes a text, not a whole number",
    ),
    (
        "has(age + 1)",
        "fault at 8: has takes a field, not a calculation: has(row.name)",
    ),
    (
        "tags.all(t)",
        "fault at 5: all is called as items.all(item, what to ask of it)",
    ),
    (
        "tags.all(1, true)",
        "fault at 9: all needs a name for the item first",
    ),
    (
        "tags.all(t, 5)",
        "fault at 12: all needs true or false, not a whole number",
    ),
    (
        "age in name",
        "fault at 4: in looks into a list or a map, not into a text",
    ),
    (
        "name[0]",
        "fault at 4: a text has no items to look up with [ ]",
    ),
    (
        "tags['a']",
        "fault at 4: a list is looked up by a whole number, a map by a text",
    ),
    ("{1: 2}", "fault at 1: a key of a map is a text in quotes"),
    (
        "{'a': 2, 'a': 3}",
        "fault at 9: the key \"a\" is there twice",
    ),
    ("random()", "fault at 0: there is no function \"random\""),
    ("type(age)", "fault at 0: there is no function \"type\""),
    (
        "timestamp('yesterday')",
        "fault at 0: timestamp(): a text is not a date (2024-01-31) or a date with a time (2024-01-31T10:00:00Z)",
    ),
];

#[test]
fn what_could_never_work_is_refused() {
    for (expression, expected) in HOPELESS {
        assert_eq!(outcome(expression), *expected, "{expression}");
    }
    assert!(outcome("name.matches('(')").starts_with("fault at 13: "));
    assert!(outcome("name.matches(r'(\\w{1000}){1000}')").starts_with("fault at 13: "));
}

#[test]
fn faults_name_their_rule_part_and_character() {
    let specs = [
        rule("age > 5"),
        RuleSpec {
            when: Some("größe".into()),
            field: Some("nmae".into()),
            ..rule("'é' == nam")
        },
        rule("age + 1"),
    ];
    assert_eq!(
        faults(&specs),
        [
            "1 field: there is no field \"nmae\"; did you mean \"name\"? (at character 1)",
            "1 when: there is no field \"größe\" (at character 1)",
            "1 check: there is no field \"nam\"; did you mean \"name\"? (at character 8)",
            "2 check: check needs true or false, not a whole number (at character 5)",
        ]
    );
    let fault = Computed::compile("first + 1", KINDS).expect_err("there is no such field");
    assert_eq!(
        fault.to_string(),
        "there is no field \"first\" (at character 1)"
    );
    assert_eq!(fault.key, "compute");
}

#[test]
fn the_number_of_rules_is_bounded() {
    let specs = vec![rule("age > 5"); RULES_MAX + 5];
    assert!(Rules::compile(&specs[..RULES_MAX], KINDS).is_ok());
    assert_eq!(
        faults(&specs),
        ["1000 check: there are more than 1000 rules (at character 1)"]
    );
}
