//! Whatever bytes a stranger uploads: an answer or a sentence, never a panic, in bounded time.

use std::hint::black_box;

use batchfleet_definition::Reading;
use batchfleet_detect::{NotATable, content, decode_head, encoding, table};
use batchfleet_grammar::{Limits, LineEnd, RecordReader};
use proptest::prelude::*;

/// Bytes that mean something to CSV, far more often than chance has them.
fn biased() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![
        4 => prop::sample::select(b",;\t|:^~ \"'\\#\r\n\n".to_vec()),
        4 => prop::sample::select(b"abcXYZ0123456789.-/_@".to_vec()),
        1 => any::<u8>(),
    ];
    prop::collection::vec(byte, 0..600)
}

/// Pieces of real files, put together wrongly.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop::sample::select(vec![
        &b"id,name,city\n"[..],
        b"1,Ann,Leeds\n",
        b"\"a\";\"b\"\r\n",
        b"sep=;\r\n",
        b"\xef\xbb\xbf",
        b"\xff\xfe",
        b"# note\n",
        b"---------\n",
        b"| a | b |\n",
        b"Total;;5\n",
        b"\n\n",
        b"\r",
        b"\"open,\n",
        b"caf\xe9;1,5\r\n",
        b"\0\0\0",
        b"[{\"a\":1}]",
        b"{\"a\":1}\n",
        b"a\\,b,\\\"c\n",
        b"2024-01-31 10:00:00,5\n",
        b"\x1b$B",
        b"Date:,x\n",
        b"a\tb\tc\n",
        b"'a','b'\n",
        b"x y z\n",
        b"1/2/24/5\n",
        b"\xe3\x81\x82,\xe3\x81\x84\n",
    ]);
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

/// Readings that a definition may fix, in part or whole.
fn readings() -> impl Strategy<Value = Reading> {
    (
        prop::option::of(prop::sample::select(b",;\t| ".to_vec())),
        prop::option::of(prop::option::of(prop::sample::select(b"\"'".to_vec()))),
        prop::option::of(prop::option::of(Just(b'\\'))),
        prop::option::of(prop::option::of(Just(b'#'))),
        prop::option::of(prop::sample::select(vec![LineEnd::Lf, LineEnd::Any])),
        prop::option::of(any::<bool>()),
        prop::option::of(0_u32..6),
        prop::option::of(any::<bool>()),
    )
        .prop_map(
            |(delimiter, quote, escape, comment, line_end, trim, preamble_rows, header)| Reading {
                delimiter,
                quote,
                escape,
                comment,
                line_end,
                trim,
                preamble_rows,
                header,
                ..Reading::default()
            },
        )
}

fn check(
    bytes: &[u8],
    whole: bool,
    reading: &Reading,
    names: &[&str],
) -> Result<(), TestCaseError> {
    black_box(content(bytes));
    let found = encoding(bytes, whole, None);
    prop_assert!((0.0..=1.0).contains(&found.confidence) && !found.evidence.is_empty());
    let text = decode_head(bytes, whole, &found);
    for text in [&*text, bytes] {
        let found = match table(text, whole, reading, names) {
            Ok(found) => found,
            Err(NotATable::Empty(why) | NotATable::Unreadable(why)) => {
                prop_assert!(why.len() > 20, "{why:?}");
                continue;
            }
        };
        prop_assert_eq!(
            &Ok(found.clone()),
            &table(text, whole, reading, names),
            "not deterministic"
        );
        prop_assert!(
            (0.0..=1.0).contains(&found.confidence),
            "{}",
            found.confidence
        );
        prop_assert!(!found.columns.is_empty() && !found.evidence.is_empty());
        prop_assert!(found.dialect.validate().is_ok(), "{:?}", found.dialect);
        prop_assert!(found.data.offset <= text.len() as u64 && found.data.record == 0);
        prop_assert_eq!(
            reading.delimiter.unwrap_or(found.dialect.delimiter),
            found.dialect.delimiter
        );
        prop_assert_eq!(
            reading.quote.unwrap_or(found.dialect.quote),
            found.dialect.quote
        );
        prop_assert_eq!(
            reading.escape.unwrap_or(found.dialect.escape),
            found.dialect.escape
        );
        prop_assert_eq!(
            reading.comment.unwrap_or(found.dialect.comment),
            found.dialect.comment
        );
        prop_assert_eq!(
            reading.line_end.unwrap_or(found.dialect.line_end),
            found.dialect.line_end
        );
        prop_assert_eq!(
            reading.trim.unwrap_or(found.dialect.trim),
            found.dialect.trim
        );
        prop_assert_eq!(reading.header.unwrap_or(found.header), found.header);
        if found.header {
            // The header is the record right above the data.
            prop_assert!(found.data.offset > 0 && found.data.line >= 1);
        }
        let rest = &text[found.data.offset as usize..];
        let mut reader = RecordReader::new(rest, found.dialect, Limits::default(), found.data);
        while let Some(record) = reader.read() {
            black_box(record.len());
        }
        let end = reader.position().offset;
        prop_assert_eq!(
            end,
            text.len() as u64,
            "the records tile what is behind the header"
        );
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// For any bytes, any part of a reading fixed, and any names, detection gives an answer that is
    /// within the file, is the same again, and keeps what was fixed, or a sentence.
    #[test]
    fn any_bytes_get_an_answer(
        bytes in prop_oneof![biased(), pieces(), prop::collection::vec(any::<u8>(), 0..300)],
        whole in any::<bool>(),
        reading in prop_oneof![Just(Reading::default()), readings()],
        with_names in any::<bool>(),
    ) {
        let names: &[&str] = if with_names { &["id", "Name", "b"] } else { &[] };
        check(&bytes, whole, &reading, names)?;
    }
}

/// Heads of the full size that are as bad as can be made: none takes long.
#[test]
fn the_worst_heads_are_bounded() {
    let mib = 1 << 20;
    let fill = |unit: &[u8]| unit.iter().copied().cycle().take(mib).collect::<Vec<u8>>();
    let mut worst: Vec<(&str, Vec<u8>)> = vec![
        ("delimiters", fill(b",;\t|:^~ ")),
        ("quotes", fill(b"\"")),
        ("quotes of both kinds", fill(b"\"',\n'\"")),
        ("open quotes", fill(b"\"a,b\n'c;d\r\\\"")),
        ("backslashes", fill(b"\\\"\\,\\\n")),
        ("one long line", fill(b"abc def ")),
        ("blank lines", fill(b"\n")),
        ("carriage returns", fill(b"a,b\rc;d\n")),
        ("NUL", fill(b"\0")),
        ("a wide line", fill(b"a,")),
        ("comments", fill(b"# a,b\n")),
        ("rulers", fill(b"-----\n")),
        ("continuation bytes", fill(b"\x80")),
        ("open brackets", fill(b"[{")),
        ("numbers", fill(b"1.2.3,4-5/6:7 8\n")),
    ];
    let mut row = fill(b"1,\"a\",2024-01-31,x y;z,\\N,'q',12:00\n");
    row[0] = b'"';
    worst.push(("everything", row));
    for (name, bytes) in &worst {
        // The bound is on the work: tests must not read the clock, and CI's is slow. The figures are
        // in the benchmark.
        check(bytes, false, &Reading::default(), &[])
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        check(bytes, true, &Reading::default(), &["a", "b"])
            .unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}
