//! The types of fields from outside: what holds for every one of them, whatever its options.
//!
//! Tables of good and bad cells of each type stand beside its code. These tests must not know how
//! a definition names a type and its options.

use std::time::{Duration, Instant};

use batchfleet_definition::{Converter, FieldType, ItemType, Mismatch, TypeOptions, Value};
use proptest::prelude::*;

fn own(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn compile(kind: FieldType, options: &TypeOptions) -> Converter {
    Converter::compile(kind, options).unwrap_or_else(|faults| panic!("{kind:?}: {faults:?}"))
}

/// As the output has it, or the message.
fn convert(converter: &Converter, cell: &str) -> Result<String, String> {
    let mut out = String::from("left over");
    match converter.convert(cell.as_bytes(), &mut out) {
        Ok(Value::Null) => Ok("null".to_owned()),
        Ok(Value::Str(text)) => Ok(format!("\"{text}\"")),
        Ok(Value::Int(int)) => Ok(int.to_string()),
        Ok(Value::Num(number)) => Ok(number.to_string()),
        Ok(Value::Bool(truth)) => Ok(truth.to_string()),
        Ok(Value::Decimal(text) | Value::Json(text)) => Ok(text.to_owned()),
        Err(mismatch) => Err(mismatch.to_string()),
    }
}

fn array(separator: Option<&str>, kind: FieldType, options: TypeOptions) -> TypeOptions {
    TypeOptions {
        separator: separator.map(str::to_owned),
        items: Some(Box::new(ItemType { kind, options })),
        ..TypeOptions::default()
    }
}

/// Every type, most of them with several options.
fn converters() -> Vec<Converter> {
    let none = TypeOptions::default;
    let german = || TypeOptions {
        decimal_separator: Some(','),
        thousands_separator: Some('.'),
        ..none()
    };
    let formats = |formats: &[&str]| TypeOptions {
        formats: own(formats),
        ..none()
    };
    let values = TypeOptions {
        values: own(&["red", "green", "Größe"]),
        ignore_case: true,
        ..none()
    };
    let words = TypeOptions {
        true_words: own(&["ja", "j"]),
        false_words: own(&["nein", "n"]),
        ..none()
    };
    let cents = TypeOptions {
        fraction_digits: Some(2),
        ..german()
    };
    let berlin = TypeOptions {
        time_zone: Some("Europe/Berlin".to_owned()),
        ..formats(&["DD.MM.YYYY HH:mm", "iso"])
    };
    let schemes = TypeOptions {
        schemes: own(&["sftp", "s3"]),
        ..none()
    };
    let mut converters: Vec<Converter> = FieldType::ALL
        .into_iter()
        .filter(|kind| *kind != FieldType::Enum)
        .map(|kind| compile(kind, &none()))
        .collect();
    for (kind, options) in [
        (FieldType::Enum, values.clone()),
        (FieldType::Integer, german()),
        (FieldType::Number, german()),
        (FieldType::Decimal, cents),
        (FieldType::Boolean, words),
        (FieldType::Date, formats(&["DD.MM.YYYY", "D MMM YY", "iso"])),
        (FieldType::Date, formats(&["%a, %d %b %Y"])),
        (FieldType::DateTime, berlin),
        (FieldType::DateTime, formats(&["unix"])),
        (FieldType::DateTime, formats(&["unix_ms"])),
        (FieldType::Url, schemes),
        (FieldType::Array, array(None, FieldType::Integer, none())),
        (
            FieldType::Array,
            array(Some(";"), FieldType::Number, german()),
        ),
        (FieldType::Array, array(Some("|"), FieldType::Enum, values)),
        (
            FieldType::Array,
            array(Some("."), FieldType::Decimal, none()),
        ),
        (FieldType::Array, array(Some("-"), FieldType::Date, none())),
        (FieldType::Array, array(None, FieldType::Json, none())),
        (
            FieldType::Array,
            array(
                Some(";"),
                FieldType::Array,
                array(Some("/"), FieldType::Boolean, none()),
            ),
        ),
    ] {
        converters.push(compile(kind, &options));
    }
    converters
}

#[test]
fn arrays() {
    let none = TypeOptions::default;
    let strings = compile(FieldType::Array, &none());
    for (good, expected) in [
        ("a", r#"["a"]"#),
        ("a, b,,c ,", r#"["a","b","c"]"#),
        (",", "[]"),
        ("[]", "[]"),
        (
            r#"["a, b", "c", null, "", 3, true]"#,
            r#"["a, b","c","3","true"]"#,
        ),
        (r#"["\u00e9\n\"x\""]"#, r#"["é\n\"x\""]"#),
        ("[a], b", r#"["[a]","b"]"#),
        ("[a, b]", r#"["[a","b]"]"#),
        ("a\u{2028}b,é", r#"["a\u2028b","é"]"#),
    ] {
        assert_eq!(convert(&strings, good).as_deref(), Ok(expected), "{good}");
    }
    let integers = compile(
        FieldType::Array,
        &array(Some(";"), FieldType::Integer, none()),
    );
    for (good, expected) in [
        ("1; 2;3", "[1,2,3]"),
        ("007", "[7]"),
        ("[1, \"2\", 3]", "[1,2,3]"),
    ] {
        assert_eq!(convert(&integers, good).as_deref(), Ok(expected), "{good}");
    }
    for (bad, expected) in [
        (
            "1;x;3",
            "has the item \"x\" (number 2), which is not a whole number",
        ),
        (
            "[1, 2.5]",
            "has the item \"2.5\" (number 2), which is not a whole number",
        ),
        (
            "[1, [2]]",
            "has the item \"[2]\" (number 2), which is not a single value",
        ),
        (
            "1,2",
            "has the item \"1,2\" (number 1), which is not a whole number",
        ),
    ] {
        assert_eq!(convert(&integers, bad).unwrap_err(), expected, "{bad}");
    }
    let decimals = compile(FieldType::Array, &array(None, FieldType::Decimal, none()));
    let exact = "[12.30, 123456789012345678901234567890.12]";
    assert_eq!(convert(&decimals, exact), Ok(exact.replace(' ', "")));
    let json = compile(FieldType::Array, &array(None, FieldType::Json, none()));
    assert_eq!(
        convert(&json, r#"[{"a": 1}, [2], null, "x"]"#).as_deref(),
        Ok(r#"[{"a":1},[2],"x"]"#)
    );
    let nested = array(Some("/"), FieldType::Boolean, none());
    let nested = compile(
        FieldType::Array,
        &array(Some(";"), FieldType::Array, nested),
    );
    for good in ["yes/no; 1", "[[\"yes\", 0], [1]]"] {
        let read = convert(&nested, good);
        assert_eq!(read.as_deref(), Ok("[[true,false],[true]]"), "{good}");
    }
}

/// Each cell is refused, and the suggestion is the one expected.
fn suggests(cases: &[(&Converter, &str, Option<&str>)]) {
    for (converter, cell, expected) in cases {
        let kind = converter.kind();
        assert!(convert(converter, cell).is_err(), "{kind:?} {cell}: fits");
        let suggestion = converter.suggest(cell.as_bytes());
        assert_eq!(suggestion.as_deref(), *expected, "{kind:?} {cell}");
    }
}

#[test]
fn suggestions_for_numbers() {
    let none = TypeOptions::default;
    let german = TypeOptions {
        decimal_separator: Some(','),
        thousands_separator: Some('.'),
        ..none()
    };
    let cents = TypeOptions {
        fraction_digits: Some(2),
        ..none()
    };
    let integer = compile(FieldType::Integer, &none());
    let number = compile(FieldType::Number, &none());
    let number_german = compile(FieldType::Number, &german);
    let cents = compile(FieldType::Decimal, &cents);
    suggests(&[
        (&integer, "42.0", Some("42")),
        (&integer, "1,234,567", Some("1234567")),
        (&integer, "1 234", Some("1234")),
        (&integer, "1'234", Some("1234")),
        (&integer, "12-", Some("-12")),
        (&integer, "1,234", None),
        (&integer, "1.5", None),
        (&integer, "abc", None),
        (&integer, "", None),
        (&number, "1,5", Some("1.5")),
        (&number, "-1,5", Some("-1.5")),
        (&number, "1.234,56", Some("1234.56")),
        (&number, "1,234.56", Some("1234.56")),
        (&number, "€ 12,50", Some("12.50")),
        (&number, "12.50 EUR", Some("12.50")),
        (&number, "(12.30)", Some("-12.30")),
        (&number, "1,234", None),
        (&number, "1,2,3", None),
        (&number, "12%", None),
        (&number_german, "1.5", Some("1,5")),
        (&number_german, "1,234.56", Some("1234,56")),
        (&cents, "12.3000", Some("12.30")),
        (&cents, "12.300", None),
        (&integer, "1.000", None),
        (&number, "1.000 €", None),
        (&number, "0.125 €", Some("0.125")),
        (&cents, "12.345", None),
        (&cents, "1.2e3", None),
    ]);
}

#[test]
fn suggestions_for_dates() {
    let none = TypeOptions::default;
    let german = TypeOptions {
        formats: own(&["DD.MM.YYYY"]),
        ..none()
    };
    let date = compile(FieldType::Date, &none());
    let date_german = compile(FieldType::Date, &german);
    let time = compile(FieldType::DateTime, &none());
    suggests(&[
        (&date, "29.2.2024", Some("2024-02-29")),
        (&date, "2/29/2024", Some("2024-02-29")),
        (&date, "2024/2/9", Some("2024-02-09")),
        (&date, "20240229", Some("2024-02-29")),
        (&date, "2024-2-9", Some("2024-02-09")),
        (&date, "29 Feb 2024", Some("2024-02-29")),
        (&date, "February 29th, 2024", Some("2024-02-29")),
        (&date, "2023-02-29", Some("2023-02-28")),
        (&date, "2024-04-31", Some("2024-04-30")),
        (&date, "2024-13-05", Some("2024-05-13")),
        (&date, "2024-02-29T00:00:00", Some("2024-02-29")),
        (&date, "5.5.2024", Some("2024-05-05")),
        (&date, "3.4.2024", None),
        (&date, "2024-02-29T12:00:00", None),
        (&date, "2024-02-00", None),
        (&date, "29.2.24", None),
        (&date, "tomorrow", None),
        (&date_german, "2024-02-29", Some("29.02.2024")),
        (&date_german, "31.02.2024", Some("29.02.2024")),
        (&time, "2024-02-29", Some("2024-02-29T00:00:00")),
        (&time, "29.2.2024 9:05", Some("2024-02-29T09:05:00")),
        (&time, "2/29/2024 9:05 PM", Some("2024-02-29T21:05:00")),
        (&time, "2016-12-31T23:59:60", Some("2016-12-31T23:59:59")),
        (&time, "2024-02-29T25:00:00", None),
    ]);
}

#[test]
fn suggestions_for_words() {
    let none = TypeOptions::default;
    let colours = TypeOptions {
        values: own(&["red", "green", "blue"]),
        ..none()
    };
    let boolean = compile(FieldType::Boolean, &none());
    let email = compile(FieldType::Email, &none());
    let url = compile(FieldType::Url, &none());
    let uuid = compile(FieldType::Uuid, &none());
    let phone = compile(FieldType::Phone, &none());
    let colours = compile(FieldType::Enum, &colours);
    let list = compile(FieldType::Array, &array(None, FieldType::Integer, none()));
    suggests(&[
        (&boolean, "ture", Some("true")),
        (&boolean, "y", Some("yes")),
        (&boolean, "F", Some("false")),
        (&boolean, "maybe", None),
        (&email, "ada @example.com", Some("ada@example.com")),
        (&email, "mailto:ada@example.com", Some("ada@example.com")),
        (&email, "Ada L. <ada@example.com>", Some("ada@example.com")),
        (&email, "ada@example.com.", Some("ada@example.com")),
        (&email, "ada@example,com", Some("ada@example.com")),
        (&email, "ada@example..com", Some("ada@example.com")),
        (&email, "ada(at)example.com", Some("ada@example.com")),
        (&email, "ada@gmail", Some("ada@gmail.com")),
        (&email, "ada@example", None),
        (&email, "ada", None),
        (&email, "a@b@c.de", None),
        (&url, "www.example.com", Some("https://www.example.com")),
        (&url, "example.com/a b", Some("https://example.com/a%20b")),
        (&url, "htps://example.com", Some("https://example.com")),
        (&url, "https:/example.com", Some("https://example.com")),
        (
            &url,
            "https://example.com/a b",
            Some("https://example.com/a%20b"),
        ),
        (&url, "nothing", None),
        (&url, "ada@example.com", None),
        (
            &uuid,
            "67e55044 10b1 426f 9247 bb680e5fe0c8",
            Some("67e55044-10b1-426f-9247-bb680e5fe0c8"),
        ),
        (&uuid, "67e55044", None),
        (&phone, "030 12345", None),
        (&colours, "gren", Some("green")),
        (&colours, "RED", Some("red")),
        (&colours, "yellow", None),
        (&list, "1, 2.0, 3", Some("1,2,3")),
        (&list, "1, x", None),
    ]);
}

#[test]
fn every_example_fits_and_most_differ() {
    for converter in converters() {
        let mut seen = std::collections::BTreeSet::new();
        for n in (0..400).chain([u64::MAX - 1, u64::MAX]) {
            let example = converter.example(n);
            let read = convert(&converter, &example);
            assert!(read.is_ok(), "{converter:?} {example}: {read:?}");
            seen.insert(example);
        }
        let kind = converter.kind();
        let few = matches!(
            kind,
            FieldType::Boolean | FieldType::Enum | FieldType::Array
        );
        assert!(few || seen.len() > 300, "{kind:?}: {} differ", seen.len());
        assert!(seen.len() > 1);
    }
}

#[test]
fn an_option_of_another_type_is_a_fault() {
    let options = TypeOptions {
        values: own(&["a"]),
        fraction_digits: Some(2),
        ..TypeOptions::default()
    };
    let faults = Converter::compile(FieldType::Date, &options).unwrap_err();
    let shown: Vec<String> = faults
        .iter()
        .map(|fault| format!("{}: {}", fault.key, fault.message))
        .collect();
    assert_eq!(
        shown,
        [
            "values: the type date does not have this key; it belongs to enum",
            "fraction_digits: the type date does not have this key; it belongs to decimal",
        ]
    );
}

#[test]
fn faults_of_arrays() {
    let none = TypeOptions::default;
    let german = TypeOptions {
        decimal_separator: Some(','),
        ..none()
    };
    let bad_dates = TypeOptions {
        formats: own(&["iso", "DD.MM"]),
        ..none()
    };
    let deep = array(
        Some(";"),
        FieldType::Array,
        array(
            Some("/"),
            FieldType::Array,
            array(Some("|"), FieldType::Array, none()),
        ),
    );
    for (options, key, message) in [
        (
            array(Some(""), FieldType::String, none()),
            "separator",
            "expected 1 to 16 bytes that stand between items",
        ),
        (
            array(None, FieldType::Number, german),
            "separator",
            "the items have this separator in them; expected another",
        ),
        (
            array(None, FieldType::Array, none()),
            "separator",
            "the items have this separator in them; expected another",
        ),
        (
            array(None, FieldType::Date, bad_dates),
            "items",
            "formats 2: the year is missing (YYYY or YY)",
        ),
        (
            array(None, FieldType::Enum, none()),
            "items",
            "values: an enum needs at least one value",
        ),
        (
            deep,
            "items",
            "items: items: more than 3 arrays within each other",
        ),
    ] {
        let faults = Converter::compile(FieldType::Array, &options).unwrap_err();
        let faults: Vec<(&str, &str)> = faults
            .iter()
            .map(|fault| (fault.key, &*fault.message))
            .collect();
        assert_eq!(faults, [(key, message)]);
    }
}

#[test]
fn own_formats_of_dates() {
    let formats = TypeOptions {
        formats: own(&[
            "DD.MM.YYYY",
            "D.M.YY",
            "%d %b %Y",
            "YYYYMMDD",
            "ddd, D MMMM YYYY",
        ]),
        ..TypeOptions::default()
    };
    let dates = compile(FieldType::Date, &formats);
    for (good, expected) in [
        ("29.02.2024", "\"2024-02-29\""),
        ("1.2.2024", "\"2024-02-01\""),
        ("1.2.68", "\"2068-02-01\""),
        ("1.2.69", "\"1969-02-01\""),
        ("29 feb 2024", "\"2024-02-29\""),
        ("20240229", "\"2024-02-29\""),
        ("Thu, 29 February 2024", "\"2024-02-29\""),
        ("thursday,  29 Feb 2024", "\"2024-02-29\""),
        ("Sun, 1 Sept 2024", "\"2024-09-01\""),
    ] {
        assert_eq!(convert(&dates, good).as_deref(), Ok(expected), "{good}");
    }
    let expected = "is not a date (DD.MM.YYYY, D.M.YY, %d %b %Y, YYYYMMDD or ddd, D MMMM YYYY)";
    for bad in [
        "2024-02-29",
        "29.02.202",
        "29.02.20244",
        "029.02.2024",
        "29/02/2024",
        "2024229",
        "29.02.",
        "29.Feb.2024",
        "２9.02.2024",
        "29.02.2024 ",
        "+9.02.2024",
        "x",
    ] {
        assert_eq!(convert(&dates, bad).unwrap_err(), expected, "{bad}");
    }
    for bad in [
        "31.02.2024",
        "00.01.2024",
        "01.13.2024",
        "30 Feb 2024",
        "29.2.23",
    ] {
        assert_eq!(
            convert(&dates, bad).unwrap_err(),
            "is not a day of the calendar",
            "{bad}"
        );
    }
    let other = convert(&dates, "Mon, 29 February 2024").unwrap_err();
    assert_eq!(other, "names another day of the week than its date is");
}

/// Cells of a megabyte of every kind that could make a type slow or deep.
#[test]
#[expect(clippy::disallowed_methods, reason = "it measures real time")]
fn hostile_cells_take_no_time() {
    const SIZE: usize = 1 << 20;
    let pieces = [
        "1", "0", "-", ".", ",", "[", "]", "{\"a\":", "\"", "\\", "1,", "1.234", "a@", "a.", "@",
        " ", "é", "\u{2028}", "(", "(0)", "+", "x;", "[1],", "https://", "xn--", "%", "\u{0}",
        "[1",
    ];
    let mut cells: Vec<Vec<u8>> = pieces
        .iter()
        .map(|piece| piece.repeat(SIZE / piece.len()).into_bytes())
        .collect();
    cells.push(format!("[{}1]", "1,".repeat(SIZE / 2)).into_bytes());
    cells.push(format!("\"{}\"", "\\u0041".repeat(SIZE / 6)).into_bytes());
    cells.push(format!("https://{}", "é".repeat(SIZE / 2)).into_bytes());
    cells.push(vec![0xff; SIZE]);
    for converter in converters() {
        for cell in &cells {
            let start = Instant::now();
            let mut out = String::new();
            let is_good = converter.convert(cell, &mut out).is_ok();
            let suggestion = converter.suggest(cell);
            assert!(is_good || suggestion.is_none());
            let elapsed = start.elapsed();
            // A thousand times what it takes: quadratic work takes hours.
            assert!(
                elapsed < Duration::from_secs(5),
                "{converter:?}: {elapsed:?}"
            );
        }
    }
}

#[test]
fn bytes_that_are_no_text_are_refused_by_every_type() {
    for converter in converters() {
        for cell in [
            &b"\xff"[..],
            b"2024-02-29\xc3",
            b"https://a.b/\xe2\x28\xa1",
            b"[\"\xff\"]",
        ] {
            let read = converter.convert(cell, &mut String::new()).map(|_| ());
            assert_eq!(read, Err(Mismatch::NotUtf8), "{converter:?}");
        }
    }
}

/// Text that is near to being something.
fn cell() -> impl Strategy<Value = String> {
    prop_oneof![
        "[-+0-9., ]{1,12}",
        "[0-9]{1,4}[-./ ][0-9]{1,2}[-./ ][0-9]{1,4}([T ][0-9]{1,2}:[0-9]{2}(:[0-9]{2})?)?",
        "[a-z<( ]{0,5}@[a-z.,]{1,8}",
        "(http|https|htp|ftp)?[:/]{0,3}[a-z.]{1,8}[ /a-z]{0,4}",
        "[+0(]{0,2}[0-9 ()/-]{1,18}",
        "[\\[\\]{}\",:0-9a ]{1,12}",
        "[truefalsynoj]{1,5}",
        "[redgnuolb]{1,6}",
        "\\PC{0,16}",
    ]
}

proptest! {
    /// Whatever a suggestion is, it fits, and it is not what was there.
    #[test]
    fn a_suggestion_fits(cell in cell()) {
        let cell = cell.trim();
        for converter in converters() {
            if let Some(suggestion) = converter.suggest(cell.as_bytes()) {
                let read = convert(&converter, &suggestion);
                prop_assert!(read.is_ok(), "{:?} {} -> {}", converter, cell, suggestion);
                prop_assert_ne!(&suggestion, cell);
            }
        }
    }

    /// What a type makes of a cell does not depend on what was in the scratch before, and where it
    /// is text of the type's own form, it is taken again and stays as it is.
    #[test]
    fn what_was_converted_stays_as_it_is(cell in cell()) {
        let cell = cell.trim();
        if cell.is_empty() {
            return Ok(());
        }
        for kind in FieldType::ALL {
            if kind == FieldType::Enum {
                continue;
            }
            let converter = compile(kind, &TypeOptions::default());
            let Ok(read) = convert(&converter, cell) else { continue };
            let again = match kind {
                FieldType::Number | FieldType::Integer | FieldType::Boolean | FieldType::Decimal
                | FieldType::Json | FieldType::Array => read.clone(),
                _ => read.trim_matches('"').to_owned(),
            };
            if kind == FieldType::String || again.is_empty() {
                continue;
            }
            prop_assert_eq!(convert(&converter, &again), Ok(read), "{:?} {}", kind, cell);
        }
    }

    /// Every day, written in a format, reads back as that day; jiff writes it alike.
    #[test]
    fn days_read_back_in_every_format(year in 1970_i16..2069, ordinal in 1_i16..366) {
        let day = jiff::civil::Date::new(year, 1, 1).expect("a day")
            .checked_add(jiff::Span::new().days(ordinal - 1)).expect("a day");
        for format in ["%Y-%m-%d", "%d.%m.%Y", "%-d/%-m/%y", "%m/%d/%Y", "%Y%m%d", "%d-%b-%Y",
            "%A, %-d %B %Y", "%a %b %e %Y", "%y%m%d", "%F", "%D"] {
            let options = TypeOptions { formats: own(&[format]), ..TypeOptions::default() };
            let dates = compile(FieldType::Date, &options);
            let written = day.strftime(format).to_string();
            let expected = format!("\"{day}\"");
            prop_assert_eq!(convert(&dates, &written), Ok(expected), "{}", format);
        }
    }

    /// No cell at all makes a type panic, and a mismatch continues a sentence.
    #[test]
    fn no_cell_is_too_odd(cell: Vec<u8>, text in cell()) {
        for converter in converters() {
            for cell in [&cell[..], text.as_bytes()] {
                if let Err(mismatch) = converter.convert(cell, &mut String::new()) {
                    let message = mismatch.to_string();
                    let verb = ["is ", "has ", "names "].iter().any(|verb| message.starts_with(verb));
                    prop_assert!(verb, "{}", message);
                    prop_assert!(!message.ends_with('.'));
                }
            }
        }
    }
}
