//! What holds for any definition's pipeline and any cells: rows are whole or not there, errors are
//! all there, secrets stay secret, keys depend on the values alone.

use batchfleet_definition::{Checked, JsonLines, RowError, RowPlan, Scratch, Severity};
use proptest::prelude::*;

use crate::{check, plan};

/// A plan in which every step has something to do.
fn rich() -> RowPlan {
    plan(
        r#"
fields:
  - { name: id, type: integer, required: true, min: 1, null_values: ["-"] }
  - { name: text, trim: true, transforms: [collapse_whitespace, { replace: { pattern: "b+", with: "<$0>" } }], max_length: 6 }
  - { name: upper, transforms: [uppercase, { truncate: 3 }, { prefix: "x" }], pattern: "^xA", severity: warning }
  - { name: mail, type: email, transforms: [normalize_email], sensitive: true }
  - { name: score, type: number, max: 10, default: 5, severity: warning }
  - { name: kind, one_of: [a, b, c], ignore_case: true }
  - { name: source, constant: crm }
unknown_columns: keep
"#,
        &["id", "text", "upper", "mail", "score", "kind", "other"],
    )
}

fn run(plan: &RowPlan, cells: &[String]) -> (Checked, String, Vec<RowError>) {
    let mut encoder = JsonLines::new(plan);
    let mut errors = Vec::new();
    let checked = plan.check(cells, &mut Scratch::default(), &mut encoder, &mut errors);
    let json = String::from_utf8(encoder.take()).expect("JSON is UTF-8");
    (checked, json, errors)
}

fn cell() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        Just("-".to_owned()),
        "[0-9]{1,3}",
        "[abAB ,.]{0,8}",
        "[a-z]{1,3}@[a-z]{1,3}\\.de",
        "\\PC{0,12}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// An accepted row has every key, and no error but warnings. A rejected one leaves nothing, and has
    /// an error. A skipped one has neither. What is left in the scratch from other rows changes nothing.
    #[test]
    fn a_row_is_whole_or_not_there(
        rows in proptest::collection::vec(proptest::collection::vec(cell(), 0..9), 1..5),
    ) {
        let plan = rich();
        let mut scratch = Scratch::default();
        let mut encoder = JsonLines::new(&plan);
        for cells in &rows {
            encoder.clear();
            let mut errors = Vec::new();
            let checked = plan.check(&cells[..], &mut scratch, &mut encoder, &mut errors);
            let json = String::from_utf8(encoder.buffer().to_vec()).unwrap();
            prop_assert_eq!(&(checked, json.clone(), errors.clone()), &run(&plan, cells));
            let is_error = |error: &RowError| error.severity == Severity::Error;
            match checked {
                Checked::Accepted => {
                    prop_assert!(!errors.iter().any(is_error));
                    let row: serde_json::Value = serde_json::from_str(&json).unwrap();
                    let row = row.as_object().unwrap();
                    prop_assert_eq!(row.len(), 8);
                    prop_assert_eq!(&row["source"], "crm");
                }
                Checked::Rejected => {
                    prop_assert!(errors.iter().any(is_error));
                    prop_assert_eq!(json, "");
                }
                Checked::Skipped => {
                    prop_assert!(errors.is_empty() && json.is_empty());
                    prop_assert!(cells.iter().all(|cell| cell.trim().is_empty()));
                }
            }
        }
    }

    /// A planted cell of a sensitive field is in no message and no suggestion.
    #[test]
    fn secrets_stay_secret(kind in 0..4_usize, junk in "[a-z@., ]{0,6}") {
        let field = [
            "type: integer, max: 5",
            "type: email",
            "pattern: '^$', max_length: 2, one_of: [plantex, b]",
            "type: date, transforms: [lowercase]",
        ][kind];
        let text = format!("fields: [{{ name: a, sensitive: true, {field} }}, {{ name: b }}]");
        let plan = plan(&text, &["a", "b"]);
        let cell = format!("planted{junk}");
        // Some junk makes an address of it.
        let errors = check(&plan, &[&*cell, "x"]).err();
        prop_assert!(kind == 1 || errors.is_some());
        for error in errors.into_iter().flatten() {
            prop_assert!(!error.message.contains("planted"), "{}", error.message);
            prop_assert_eq!(error.suggestion, None);
        }
        prop_assert_eq!(plan.sensitive_columns(), [0]);
    }

    /// A row with a cell too few or too many may have the sensitive value in any column: then no message
    /// shows a value at all, of whichever field, given or calculated.
    #[test]
    fn secrets_that_stand_in_another_column_stay_secret(place in 0..4_usize, extra in any::<bool>()) {
        let text = "fields: [{ name: n, type: integer }, { name: t, pattern: '^$', max_length: 2 }, \
                    { name: tags, type: array, items: { one_of: [plantex] } }, { name: s, sensitive: true }, \
                    { name: c, compute: 't + \"!\"', type: integer }]";
        let plan = plan(text, &["n", "t", "tags", "s", "none"]);
        let mut cells = ["1", "", "", "x"].map(str::to_owned);
        cells[place] = "planted".to_owned();
        let mut row = cells.to_vec();
        if extra {
            row.extend([String::new(), String::new()]);
        }
        let errors = check(&plan, &row).err();
        prop_assert!(errors.is_some());
        for error in errors.into_iter().flatten() {
            prop_assert!(!error.message.contains("planted"), "{}", error.message);
            prop_assert_eq!(error.suggestion, None);
        }
    }

    /// Two rows have the same keys exactly if their values are the same but for case, wherever the
    /// columns stand and whatever else is in the rows.
    #[test]
    fn keys_depend_on_values_alone(
        a in "[aAbB]{0,2}", b in "[aAbB]{0,2}", x in "[ab]{1,2}", y in "[ab]{1,2}", other in cell(),
    ) {
        let text = "fields: [{ name: k, unique: true }, { name: l }]\nunique_together: [[k, l]]";
        let keys = |names: &[&str], cells: &[&str]| {
            let plan = plan(text, names);
            prop_assert_eq!(plan.unique_constraints(), ["k", "k, l"]);
            let mut out = vec![Some(7)];
            plan.unique_keys(cells, &mut Scratch::default(), &mut out);
            Ok(out)
        };
        let first = keys(&["k", "l", "m"], &[&a, &x, ""])?;
        let second = keys(&["m", "l", "k"], &[&other, &y, &b])?;
        let same_key = a.eq_ignore_ascii_case(&b);
        prop_assert_eq!(first[0].is_none(), a.is_empty());
        prop_assert_eq!(first[1].is_none(), a.is_empty());
        if !a.is_empty() && !b.is_empty() {
            prop_assert_eq!(first[0] == second[0], same_key);
            prop_assert_eq!(first[1] == second[1], same_key && x == y);
        }
    }
}

#[test]
fn rows_that_are_no_rows_have_no_keys() {
    let text = "fields: [{ name: k, unique: true }, { name: l, default: x }]\n\
                unique_together: [[k, l]]\nragged: reject";
    let plan = plan(text, &["k", "l"]);
    let mut out = Vec::new();
    let mut scratch = Scratch::default();
    for cells in [&["a"][..], &["a", "b", "c"], &["", ""]] {
        plan.unique_keys(cells, &mut scratch, &mut out);
        assert_eq!(out, [None, None], "{cells:?}");
    }
    // A default is a value like any other, together with others.
    plan.unique_keys(&["a", ""][..], &mut scratch, &mut out);
    let with_default = out.clone();
    plan.unique_keys(&["A", "X"][..], &mut scratch, &mut out);
    assert_eq!(out, with_default);
    assert!(out.iter().all(Option::is_some));
}

#[test]
fn a_duplicate_says_where_the_first_is() {
    let text = "fields: [{ name: k, unique: true, severity: warning }, { name: l, sensitive: true }]\n\
                unique_together: [[k, l]]";
    let plan = plan(text, &["k", "l"]);
    let first = plan.duplicate(0, 7);
    assert_eq!((first.field, first.severity), (Some(0), Severity::Warning));
    assert_eq!(
        first.message,
        "k: the value must be unique, and is in line 7 already"
    );
    let second = plan.duplicate(1, 1_000_000);
    assert_eq!((second.field, second.severity), (None, Severity::Error));
    assert_eq!(
        second.message,
        "k, l: these values together must be unique, and are in line 1000000 already"
    );
}

#[test]
fn a_header_may_be_missing_where_that_is_a_warning() {
    let text = "fields: [{ name: a }, { name: b, required: true, severity: warning }]";
    let plan = plan(text, &["a"]);
    let (checked, json, errors) = run(&plan, &["x".to_owned()]);
    assert_eq!(checked, Checked::Accepted);
    assert_eq!(json, "{\"a\":\"x\",\"b\":null}\n");
    assert_eq!(errors.len(), 1);
    assert_eq!(errors[0].message, "b: a value is required");
}

#[test]
fn a_text_that_grows_without_bound_is_a_reject() {
    let text =
        "fields: [{ name: a, transforms: [{ replace: { pattern: '', with: '0123456789' } }] }]";
    let plan = plan(text, &["a"]);
    let (checked, _, errors) = run(&plan, &["x".repeat(10_000)]);
    assert_eq!(checked, Checked::Rejected);
    let expected = format!(
        "a: \"{}…\" is too long for what is to be done to it",
        "x".repeat(64)
    );
    assert_eq!(errors[0].message, expected);
}
