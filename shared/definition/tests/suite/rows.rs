//! What single rows become: values, defaults, and errors.

use batchfleet_definition::{Checked, Code, Encoder, JsonLines, RowError, RowPlan, Scratch, Value};

use crate::{check, plan};

const PEOPLE: &str = "
fields:
  - { name: email, type: email, required: true }
  - { name: age, type: integer, default: 0 }
  - { name: score, type: number }
  - { name: active, type: boolean }
  - { name: since, type: date }
  - { name: name, required: true }
";
const HEADER: [&str; 6] = ["email", "age", "score", "active", "since", "name"];

/// The errors of a row as `CODE field message`.
#[track_caller]
fn errors<T: AsRef<[u8]>>(text: &str, names: &[&str], cells: &[T]) -> Vec<String> {
    let plan = plan(text, names);
    let errors = check(&plan, cells).expect_err("errors");
    let show = |error: RowError| {
        let field = error.field.and_then(|field| plan.field_name(field));
        format!("{} {} {}", error.code, field.unwrap_or("-"), error.message)
    };
    errors.into_iter().map(show).collect()
}

#[test]
fn values_are_converted() {
    let plan = plan(PEOPLE, &HEADER);
    assert_eq!(
        check(
            &plan,
            &["ada@b.c", " -7 ", "1e3", "YES", "2024-02-29", " Ada "]
        )
        .unwrap(),
        "{\"email\":\"ada@b.c\",\"age\":-7,\"score\":1000.0,\"active\":true,\
         \"since\":\"2024-02-29\",\"name\":\" Ada \"}\n"
    );
    assert_eq!(
        check(&plan, &["\tada@b.c\r\n", "", " ", "", "", "Ada"]).unwrap(),
        "{\"email\":\"ada@b.c\",\"age\":0,\"score\":null,\"active\":null,\
         \"since\":null,\"name\":\"Ada\"}\n"
    );
}

#[test]
fn every_error_of_a_row_is_reported() {
    let cells = ["nobody", "abc", "1,5", "maybe", "2023-02-29", "  "];
    assert_eq!(
        errors(PEOPLE, &HEADER, &cells),
        [
            "TYPE_MISMATCH email email: \"nobody\" is not an email address",
            "TYPE_MISMATCH age age: \"abc\" is not a whole number",
            "TYPE_MISMATCH score score: \"1,5\" is not a number",
            "TYPE_MISMATCH active active: \"maybe\" is not a boolean (true, false, yes, no, 1 or 0)",
            "TYPE_MISMATCH since since: \"2023-02-29\" is not a day of the calendar",
            "REQUIRED name name: a value is required",
        ]
    );
    assert_eq!(
        errors(
            PEOPLE,
            &HEADER,
            &["", "9223372036854775808", "1e999", "", "1/2/2024", "x"]
        ),
        [
            "REQUIRED email email: a value is required",
            "TYPE_MISMATCH age age: \"9223372036854775808\" is too large for a whole number (64 bits)",
            "TYPE_MISMATCH score score: \"1e999\" is too large for a number",
            "TYPE_MISMATCH since since: \"1/2/2024\" is not a date (YYYY-MM-DD)",
        ]
    );
}

#[test]
fn ragged_rows_are_padded_or_have_one_error() {
    let text = "fields: [{ name: a, required: true }, { name: d }]";
    let names = ["a", "b", "c", "d", "e"];
    let accepts = |ragged: &str, cells: &[&str], json: &str| {
        let plan = plan(&format!("{text}\n{ragged}"), &names);
        assert_eq!(check(&plan, cells).as_deref(), Ok(json), "{ragged}");
    };
    let rejects = |ragged: &str, cells: &[&str], error: &str| {
        let text = format!("{text}\n{ragged}");
        assert_eq!(errors(&text, &names, cells), [error], "{ragged}");
    };
    let short = "{\"a\":\"x\",\"d\":\"\"}\n";
    for ragged in ["", "ragged: pad", "ragged: truncate"] {
        accepts(ragged, &["x"], short);
        accepts(ragged, &["x", "", "", "", "", "", " \t"], short);
        rejects(ragged, &["", "y"], "REQUIRED a a: a value is required");
    }
    let long = "MALFORMED_ROW - the row has 6 cells, the header has 5";
    rejects("", &["x"; 6], long);
    rejects("ragged: pad", &["x", "", "", "", "", "y"], long);
    accepts("ragged: truncate", &["x"; 6], "{\"a\":\"x\",\"d\":\"x\"}\n");
    rejects("ragged: reject", &["x"; 6], long);
    rejects("ragged: reject", &["x", "", "", "", "", ""], long);
    rejects(
        "ragged: reject",
        &["x"],
        "MALFORMED_ROW - the row has 1 cell, the header has 5",
    );
}

#[test]
fn empty_rows_are_skipped_unless_told_otherwise() {
    let checked = |text: &str, cells: &[&str]| {
        let plan = plan(&format!("fields: [{{ name: a }}]\n{text}"), &["a", "b"]);
        let mut errors = Vec::new();
        let mut encoder = JsonLines::new(&plan);
        let checked = plan.check(cells, &mut Scratch::default(), &mut encoder, &mut errors);
        assert!(errors.is_empty());
        let is_written = checked == Checked::Accepted;
        assert_eq!(is_written, !encoder.buffer().is_empty());
        checked
    };
    for cells in [&["", ""][..], &[" ", "\t"], &[], &["", "", "", ""]] {
        assert_eq!(checked("", cells), Checked::Skipped, "{cells:?}");
        assert_eq!(checked("ragged: reject", cells), Checked::Skipped);
        let kept = checked("skip_empty_rows: false", cells);
        assert_eq!(kept, Checked::Accepted, "{cells:?}");
    }
    // What no field takes is a value all the same.
    assert_eq!(checked("", &["", "x"]), Checked::Accepted);
}

#[test]
fn bytes_that_are_not_text_are_refused_in_bound_columns_only() {
    for kind in ["string", "number", "integer", "boolean", "date", "email"] {
        let text = format!("fields: [{{ name: a, type: {kind} }}]");
        assert_eq!(
            errors(&text, &["a"], &[b"caf\xe9"]),
            ["TYPE_MISMATCH a a: \"caf\u{fffd}\" is not valid UTF-8 text"],
            "{kind}"
        );
    }
    let plan = plan("fields: [{ name: a }]", &["a", "other"]);
    assert_eq!(
        check(&plan, &[&b"x"[..], b"\xff"]).unwrap(),
        "{\"a\":\"x\"}\n"
    );
}

#[test]
fn values_in_messages_are_cut_and_harmless() {
    let text = "fields: [{ name: a, type: integer }]";
    let long = "x".repeat(10_000);
    assert_eq!(
        errors(text, &["a"], &[&long]),
        [format!(
            "TYPE_MISMATCH a a: \"{}…\" is not a whole number",
            "x".repeat(64)
        )]
    );
    assert_eq!(
        errors(text, &["a"], &["1\0\n\u{202e}\u{1b}[0m"]),
        [r#"TYPE_MISMATCH a a: "1\u{0}\n\u{202e}\u{1b}[0m" is not a whole number"#]
    );
}

#[test]
fn required_and_default() {
    let row = |field: &str, cell: &str| {
        let text = format!("fields: [{{ name: a, {field} }}]\nskip_empty_rows: false");
        let plan = plan(&text, &["a"]);
        check(&plan, &[cell]).map_err(|errors| errors[0].code)
    };
    let ok = |json: &str| Ok(format!("{{\"a\":{json}}}\n"));
    assert_eq!(row("type: string", ""), ok("\"\""));
    assert_eq!(row("default: x", ""), ok("\"x\""));
    assert_eq!(row("default: x", " "), ok("\" \""));
    assert_eq!(row("required: true", ""), Err(Code::Required));
    assert_eq!(row("required: true", " \u{3000}\t"), Err(Code::Required));
    assert_eq!(row("required: true, default: x", ""), ok("\"x\""));
    assert_eq!(row("required: true, default: x", " "), Err(Code::Required));
    assert_eq!(row("type: integer", " "), ok("null"));
    assert_eq!(row("type: integer, default: 5", " "), ok("5"));
    assert_eq!(
        row("type: integer, required: true", " "),
        Err(Code::Required)
    );
    assert_eq!(
        row("type: integer, required: true, default: 5", ""),
        ok("5")
    );
    assert_eq!(row("type: number, default: 42", ""), ok("42.0"));
    assert_eq!(row("type: boolean, default: false", ""), ok("false"));
    assert_eq!(
        row("type: date, default: 2024-01-01", ""),
        ok("\"2024-01-01\"")
    );
}

#[test]
fn strings_and_keys_are_escaped() {
    let every: String = (0..0x80_u8)
        .map(char::from)
        .chain("é🦀\u{2028}".chars())
        .collect();
    let plan = plan("{}", &["k\"e\\y\n"]);
    let json = check(&plan, &[&every]).unwrap();
    let read: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(read["k\"e\\y"], serde_json::Value::String(every.clone()));
    let expected = format!(
        "{{\"k\\\"e\\\\y\":{}}}\n",
        serde_json::to_string(&every)
            .unwrap()
            .replace('\u{2028}', "\\u2028")
    );
    assert_eq!(json, expected);
}

/// A reader that takes what Unicode calls line ends for such would see one row as several, some of
/// them as whoever wrote the cell wants them.
#[test]
fn no_cell_ends_a_line_of_the_output_for_any_reader() {
    let ends = "\n\r\x0b\x0c\x1c\x1d\x1e\u{85}\u{2028}\u{2029}";
    // Their neighbours, which begin with the same bytes, stand as they are.
    let neighbours = "\u{80}\u{84}\u{86}\u{a0}\u{bf}€\u{2027}\u{202a}\u{2030}\u{20ac}";
    for cell in [
        "a\u{2028}{\"admin\":true}\u{2029}b".to_owned(),
        format!("{ends}{neighbours}{ends}"),
        format!("\u{85}{neighbours}"),
        "\u{2028}".to_owned(),
    ] {
        // In the key as well.
        let plan = plan("fields: [{name: 'k\u{2028}ey'}]", &["k\u{2028}ey"]);
        let json = check(&plan, &[&cell]).unwrap();
        let line = json.strip_suffix('\n').unwrap();
        assert!(
            !line.contains(|c: char| ends.contains(c)),
            "{line:?} is more than one line"
        );
        for neighbour in neighbours.chars().filter(|c| cell.contains(*c)) {
            assert!(line.contains(neighbour), "{neighbour:?} of {line:?}");
        }
        let read: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(read["k\u{2028}ey"], serde_json::Value::String(cell));
    }
}

/// Whether the row is accepted.
fn run<E: Encoder>(
    plan: &RowPlan,
    cells: &[&str],
    encoder: &mut E,
    errors: &mut Vec<RowError>,
) -> bool {
    plan.check(cells, &mut Scratch::default(), encoder, errors) == Checked::Accepted
}

#[test]
fn the_encoder_keeps_good_rows_and_forgets_bad_ones() {
    let plan = plan("fields: [{ name: a, type: integer }]", &["a"]);
    let mut encoder = JsonLines::new(&plan);
    let mut errors = Vec::new();
    let accepted =
        ["1", "x", "-2", "y", "3"].map(|cell| run(&plan, &[cell], &mut encoder, &mut errors));
    assert_eq!(accepted, [true, false, true, false, true]);
    assert_eq!(errors.len(), 2);
    assert_eq!(encoder.buffer(), b"{\"a\":1}\n{\"a\":-2}\n{\"a\":3}\n");
    encoder.clear();
    assert_eq!(encoder.buffer(), b"");
    assert!(run(&plan, &["4"], &mut encoder, &mut errors));
    assert_eq!(encoder.take(), b"{\"a\":4}\n");
    assert!(!run(&plan, &["z"], &mut encoder, &mut errors));
    assert_eq!(encoder.buffer(), b"");
}

#[test]
fn another_encoder_sees_every_field_in_order() {
    #[derive(Default)]
    struct Seen(Vec<String>);

    impl Encoder for Seen {
        fn begin(&mut self) {
            self.0.push("begin".to_owned());
        }
        fn field(&mut self, index: usize, value: Value<'_>) {
            self.0.push(format!("{index} {value:?}"));
        }
        fn end(&mut self) {
            self.0.push("end".to_owned());
        }
        fn discard(&mut self) {
            self.0.push("discard".to_owned());
        }
    }

    let plan = plan(
        "fields: [{ name: a, type: integer }, { name: b }]",
        &["b", "a"],
    );
    let mut seen = Seen::default();
    assert!(run(&plan, &["x", "1"], &mut seen, &mut Vec::new()));
    assert_eq!(seen.0, ["begin", "0 Int(1)", "1 Str(\"x\")", "end"]);
    let mut seen = Seen::default();
    assert!(!run(&plan, &["x", "y"], &mut seen, &mut Vec::new()));
    assert_eq!(seen.0.first().map(String::as_str), Some("begin"));
    assert_eq!(seen.0.last().map(String::as_str), Some("discard"));
}
