//! Texts made to hurt: they are refused quickly, with a fault, and never with a panic.

use std::fmt::Write;

use batchfleet_definition::{Checked, Scratch};

use crate::{definition, faults};

#[test]
fn a_billion_laughs_fall_flat() {
    let mut text = String::from("a0: &a0 [lol, lol]\n");
    for level in 1..30 {
        let below = level - 1;
        writeln!(text, "a{level}: &a{level} [*a{below}, *a{below}]").unwrap();
    }
    let found = faults(&text);
    assert!(
        found.contains("line 1, column 5: anchors (&name) are not allowed"),
        "{found}"
    );
    assert!(
        found.contains("line 2, column 10: aliases (*name) are not allowed"),
        "{found}"
    );
}

#[test]
fn deep_nesting_is_refused() {
    for open in ["[", "{a: ", "- ", "? ", "[{a: ", "- - ? "] {
        let text = open.repeat(200_000 / open.len());
        let found = faults(&text);
        assert!(
            found.ends_with("nested deeper than the 32 levels allowed")
                || found.contains("not valid YAML"),
            "{open}: {found}"
        );
    }
    let block = (0..40).fold(String::new(), |text, depth| {
        format!("{text}{}a:\n", " ".repeat(depth))
    });
    assert_eq!(
        faults(&block),
        "line 33, column 33: nested deeper than the 32 levels allowed"
    );
    let flow = format!("description: {}{}", "[".repeat(40), "]".repeat(40));
    assert_eq!(
        faults(&flow),
        "line 1, column 45: nested deeper than the 32 levels allowed"
    );
    // Unknown keys may hold anything within the bounds.
    let deepest = format!("x: {}{}", "[".repeat(31), "]".repeat(31));
    assert!(faults(&deepest).contains("unknown key"));
}

#[test]
fn size_is_bounded() {
    let limit = 256 * 1024;
    let text = |bytes: usize| format!("{{}}{}", " ".repeat(bytes - 2));
    definition(&text(limit));
    assert_eq!(
        faults(&text(limit + 1)),
        "line 1, column 1: the definition has 262145 bytes, more than the 262144 allowed"
    );
}

#[test]
fn the_number_of_values_is_bounded() {
    // The mapping, its key and the list are three.
    let list = |items: usize| format!("fields: [{}]", "1,".repeat(items));
    let found = faults(&list(20_000 - 3));
    assert_eq!(found.lines().count(), 20_000 - 3);
    let found = faults(&list(20_000 - 2));
    assert_eq!(found.lines().count(), 1);
    assert!(
        found.ends_with("more than the 20000 values allowed"),
        "{found}"
    );
}

/// A name is in every row of the output and in every message about its cells.
#[test]
fn names_are_bounded() {
    let named = |bytes: usize| format!("fields: [{{name: {}}}]", "x".repeat(bytes));
    definition(&named(2048));
    assert_eq!(
        faults(&named(2049)),
        "line 1, column 17: fields[0].name: the name is 2049 bytes long, more than the 2048 allowed"
    );

    let open = definition("{}");
    let header = |bytes: usize| vec![b"id".to_vec(), vec![b'x'; bytes]];
    assert!(open.bind(&header(2048)).is_ok());
    let found = open.bind(&header(100_000)).unwrap_err().to_string();
    assert_eq!(
        found,
        "the name of column 2 is 100000 bytes long, more than the 2048 allowed"
    );
}

#[test]
fn what_every_row_takes_is_known_before_any_is_read() {
    let text = "fields: [{name: four, default: abcde}, {name: id, type: integer}]";
    let plan = definition(text).bind(&[b"id".to_vec()]).unwrap();
    let mut encoder = batchfleet_definition::JsonLines::new(&plan);
    let mut scratch = Scratch::default();
    let checked = plan.check(&["7"][..], &mut scratch, &mut encoder, &mut Vec::new());
    assert_eq!(checked, Checked::Accepted);
    assert_eq!(encoder.buffer(), b"{\"four\":\"abcde\",\"id\":7}\n");
    let cells = b"7".len() as u64;
    let least = plan.bytes_of_every_row();
    assert!(
        least >= 17 && least + cells <= encoder.buffer().len() as u64,
        "{least}"
    );
}

/// Patterns take time linear in the text, whatever they say.
#[test]
fn no_pattern_backtracks() {
    let text = "fields: [{name: a, pattern: '^(a+)+$'}, {name: b, pattern: '(x*)*(x*)*y'}]";
    let plan = definition(text)
        .bind(&[b"a".to_vec(), b"b".to_vec()])
        .unwrap();
    let mut encoder = batchfleet_definition::JsonLines::new(&plan);
    let cells = [format!("{}b", "a".repeat(500_000)), "x".repeat(500_000)];
    let mut errors = Vec::new();
    let checked = plan.check(
        &cells[..],
        &mut Scratch::default(),
        &mut encoder,
        &mut errors,
    );
    assert_eq!((checked, errors.len()), (Checked::Rejected, 2));
    for (bomb, why) in [
        ("a{1000}{1000}{1000}", "repeat fewer times"),
        (r"\w{5000}", "repeat fewer times"),
        ("(?=a)", "look-around"),
    ] {
        let found = faults(&format!("fields: [{{name: a, pattern: '{bomb}'}}]"));
        assert!(found.contains(why), "{found}");
    }
    let deep = format!("fields: [{{name: a, pattern: '{}'}}]", "(".repeat(2000));
    assert!(faults(&deep).contains("not a regular expression"));
}

/// What types make of a cell takes time linear in it too.
#[test]
fn no_type_backtracks() {
    let plan = definition("fields: [{name: a, type: email}, {name: b, type: date}]");
    let plan = plan.bind(&[b"a".to_vec(), b"b".to_vec()]).unwrap();
    let mut encoder = batchfleet_definition::JsonLines::new(&plan);
    let mut scratch = Scratch::default();
    // Linear: a megabyte a cell, a hundred times.
    let cell = "a.".repeat(500_000);
    let mut errors = Vec::new();
    for _ in 0..100 {
        let checked = plan.check(
            &[&*cell, &*cell][..],
            &mut scratch,
            &mut encoder,
            &mut errors,
        );
        assert_eq!(checked, Checked::Rejected);
        errors.clear();
    }
}

#[test]
fn many_faults_are_found_in_little_time() {
    let keys: String =
        (0..9_000).fold(String::new(), |text, key| format!("{text}fieldz{key}: 1\n"));
    assert_eq!(faults(&keys).lines().count(), 9_000);
    let long = format!("\"{}\": 1", "x".repeat(200_000));
    assert!(faults(&long).len() < 500);
}
