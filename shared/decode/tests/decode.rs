//! What files become: every container, encoding and form of JSON, in pieces of any size; and what is
//! said of those that can't be decoded.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use std::io::Write;

use batchfleet_decode::{
    Container, DecodeError, Decoder, Fault, Format, Json, JsonForm, LateKeys, Limits, Notes,
    Pulled, Row, columns,
};
use bytes::Bytes;
use proptest::prelude::*;

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn zstd(text: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(text, ruzstd::encoding::CompressionLevel::Fastest)
}

fn packed(container: Container) -> Format {
    Format {
        container: Some(container),
        ..Format::default()
    }
}

fn json(form: JsonForm) -> Format {
    Format {
        json: Some(Json {
            form,
            late_keys: LateKeys::Reject,
        }),
        ..Format::default()
    }
}

/// Decodes in pieces of `raw` bytes, pulled `upto` at a time.
fn decode_in(
    bytes: &[u8],
    format: &Format,
    names: &[&str],
    (raw, upto): (usize, usize),
) -> (Vec<u8>, Result<Notes, DecodeError>) {
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let mut decoder = Decoder::new(format, &names, Limits::default()).unwrap();
    let (mut text, mut part) = (Vec::new(), Vec::new());
    let mut pieces = bytes.chunks(raw.max(1));
    loop {
        let pulled = decoder.pull(&mut part, upto.max(1));
        text.append(&mut part);
        match pulled {
            Ok(Pulled::Full) => {}
            Ok(Pulled::Hungry) => match pieces.next() {
                Some(piece) => decoder.push(Bytes::copy_from_slice(piece)),
                None => decoder.end(),
            },
            Ok(Pulled::Done) => return (text, Ok(decoder.notes())),
            Err(error) => return (text, Err(error)),
        }
    }
}

fn decode(bytes: &[u8], format: &Format, names: &[&str]) -> String {
    let (text, notes) = decode_in(bytes, format, names, (1 << 16, 1 << 16));
    notes.unwrap();
    String::from_utf8(text).unwrap()
}

fn fails(bytes: &[u8], format: &Format) -> DecodeError {
    decode_in(bytes, format, &["a"], (7, 100)).1.unwrap_err()
}

fn rows(bytes: &[u8], form: JsonForm, names: &[&str]) -> Vec<Vec<String>> {
    let text = decode(bytes, &json(form), names);
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(text.as_bytes());
    let rows = reader
        .records()
        .map(|row| row.unwrap().iter().map(str::to_owned).collect());
    rows.collect()
}

fn fault(row: &[String]) -> (Fault, String) {
    let row = Row::read(row[0].as_bytes(), row[1].as_bytes()).unwrap();
    let (fault, sentence) = row.fault.unwrap();
    (fault, sentence.to_owned())
}

#[test]
fn containers_are_told_by_their_first_bytes() {
    assert_eq!(Container::of(&gzip(b"x")), Some(Container::Gzip));
    assert_eq!(Container::of(&zstd(b"x")), Some(Container::Zstd));
    assert_eq!(Container::of(b"a,b\n"), None);
    assert_eq!(Container::of(b""), None);
}

#[test]
fn members_and_frames_follow_one_another() {
    let both = [gzip(b"a,b\n1,2\n"), gzip(b""), gzip(b"3,4\n")].concat();
    assert_eq!(
        decode(&both, &packed(Container::Gzip), &[]),
        "a,b\n1,2\n3,4\n"
    );
    let padded = [both, vec![0; 1000]].concat();
    assert_eq!(
        decode(&padded, &packed(Container::Gzip), &[]),
        "a,b\n1,2\n3,4\n"
    );

    let skippable = [&[0x5A, 0x2A, 0x4D, 0x18, 3, 0, 0, 0][..], b"xyz"].concat();
    let frames = [zstd(b"a,b\n"), skippable, zstd(b"1,2\n")].concat();
    assert_eq!(decode(&frames, &packed(Container::Zstd), &[]), "a,b\n1,2\n");
}

#[test]
fn a_packed_file_that_was_cut_off_or_damaged_is_told() {
    let text = "some text that takes a few bytes\n".repeat(50);
    for (whole, container) in [
        (gzip(text.as_bytes()), Container::Gzip),
        (zstd(text.as_bytes()), Container::Zstd),
    ] {
        let format = packed(container);
        for end in 0..whole.len() {
            let error = fails(&whole[..end], &format);
            assert!(
                matches!(error, DecodeError::Truncated { .. }),
                "{end}: {error}"
            );
        }
        let mut flipped = whole.clone();
        let last = flipped.len() - 6;
        flipped[last] ^= 1;
        let error = fails(&flipped, &format);
        assert!(matches!(error, DecodeError::Damaged { .. }), "{error}");
        let behind = [&whole[..], b"something else"].concat();
        let error = fails(&behind, &format);
        assert!(matches!(error, DecodeError::Damaged { .. }), "{error}");
    }
}

#[test]
fn a_bomb_is_noticed_before_it_is_large() {
    let bomb = gzip(&vec![0; 64 << 20]);
    let (text, outcome) = decode_in(&bomb, &packed(Container::Gzip), &[], (1 << 20, 1 << 20));
    assert!(
        matches!(outcome, Err(DecodeError::Bomb { .. })),
        "{outcome:?}"
    );
    assert!(text.len() < 20 << 20, "{} bytes", text.len());

    // A frame of blocks that are one byte each, and 128 KiB unpacked.
    let mut bomb = vec![0x28, 0xB5, 0x2F, 0xFD, 0, 0x58];
    for _ in 0..1_000 {
        bomb.extend_from_slice(&[0x02, 0, 0x10, b'x']);
    }
    let (text, outcome) = decode_in(&bomb, &packed(Container::Zstd), &[], (1 << 20, 1 << 20));
    assert!(
        matches!(outcome, Err(DecodeError::Bomb { .. })),
        "{outcome:?}"
    );
    assert!(text.len() < 20 << 20, "{} bytes", text.len());

    let limits = Limits {
        bytes_max: 1_000,
        ..Limits::default()
    };
    let mut decoder = Decoder::new(&Format::default(), &[], limits).unwrap();
    decoder.push(vec![b'x'; 2_000].into());
    let outcome = decoder.pull(&mut Vec::new(), 1 << 20);
    assert_eq!(outcome, Err(DecodeError::TooLong { limit: 1_000 }));
}

#[test]
fn encodings_become_utf_8_without_their_mark() {
    let of = |name: &str| Format {
        encoding: Some(name.to_owned()),
        ..Format::default()
    };
    let utf16 = |text: &str, little: bool| -> Vec<u8> {
        let bytes = |unit: u16| {
            if little {
                unit.to_le_bytes()
            } else {
                unit.to_be_bytes()
            }
        };
        text.encode_utf16().flat_map(bytes).collect()
    };
    for mark in ["", "\u{FEFF}"] {
        let text = format!("{mark}name,ort\nJörg,Łódź 🎈\n");
        assert_eq!(
            decode(&utf16(&text, true), &of("UTF-16LE"), &[]),
            "name,ort\nJörg,Łódź 🎈\n"
        );
        assert_eq!(
            decode(&utf16(&text, false), &of("utf-16be"), &[]),
            "name,ort\nJörg,Łódź 🎈\n"
        );
        assert_eq!(
            decode(text.as_bytes(), &Format::default(), &[]),
            "name,ort\nJörg,Łódź 🎈\n"
        );
    }
    assert_eq!(
        decode(b"J\xF6rg \x80\n", &of("windows-1252"), &[]),
        "Jörg €\n"
    );
    assert_eq!(decode(b"\x93\xFA\x96{\n", &of("shift_jis"), &[]), "日本\n");
    // Shorter than a mark.
    for text in ["", "a", "ab"] {
        assert_eq!(decode(text.as_bytes(), &Format::default(), &[]), text);
    }

    let odd = [utf16("ab", true), vec![0x00, 0xD8, b'c', 0, 0x01]].concat();
    let (text, notes) = decode_in(&odd, &of("UTF-16LE"), &[], (1, 1));
    assert_eq!(String::from_utf8(text).unwrap(), "ab\u{FFFD}c\u{FFFD}");
    assert_eq!(notes.unwrap().malformed, 2);

    let unknown = Decoder::new(&of("klingon"), &[], Limits::default());
    assert!(matches!(
        unknown.err(),
        Some(DecodeError::UnknownEncoding { .. })
    ));
}

#[test]
fn objects_become_rows_whichever_form_they_come_in() {
    let expected = [
        ["1", "", "1.50", "a \"b\",\nc", "true", ""],
        ["2", "", "-1e9", "", "", "[1,{\"k\":\"v w\"}]"],
    ];
    let lines = "{\"n\":1.50,\"s\":\"a \\\"b\\\",\\nc\",\"b\":true,\"x\":null}\r\n\
                 { \"x\" : [ 1 , {\"k\": \"v w\"} ] , \"n\" : -1e9 }";
    let names = ["n", "s", "b", "x"];
    assert_eq!(rows(lines.as_bytes(), JsonForm::Lines, &names), expected);
    let array = format!("[{}]", lines.replace("}\r\n", "},\n"));
    assert_eq!(rows(array.as_bytes(), JsonForm::Array, &names), expected);
    // An object may stand over several lines, and its line is that of its beginning.
    let spread = "\n[\n\n{\"n\":\n1},\n  {\n\"n\":2}\n]\n";
    let places = rows(spread.as_bytes(), JsonForm::Array, &["n"]);
    assert_eq!(places, [["4", "", "1"], ["6", "", "2"]]);
    assert!(rows(b" [ ] ", JsonForm::Array, &["n"]).is_empty());
    assert_eq!(
        decode(b"{\"a\":1}\n\n \n{}\n", &json(JsonForm::Lines), &["a"]),
        "1,,1\n\n\n4,,\n"
    );
}

#[test]
fn what_is_no_object_is_a_row_with_its_text() {
    let text = b"{\"a\":1}\n{\"a\":\n[1,\"x\"]\n{\"a\":1,\"a\":2}\n{\"a\":1}}\n\"\xFF\"\n{\"a\":\"\\ud800\"}\n";
    let rows_of = rows(text, JsonForm::Lines, &["a", "b"]);
    assert_eq!(rows_of.len(), 7);
    let raws = [
        "{\"a\":",
        "[1,\"x\"]",
        "{\"a\":1,\"a\":2}",
        "{\"a\":1}}",
        "\"\u{FFFD}\"",
        "{\"a\":\"\\ud800\"}",
    ];
    for (index, raw) in raws.iter().enumerate() {
        let row = &rows_of[index + 1];
        assert_eq!(row[0], (index + 2).to_string());
        assert_eq!(fault(row).0, Fault::Malformed);
        assert_eq!((&*row[2], &*row[3]), (*raw, ""));
    }
    let array = rows(
        b"[1,,{a:1},[{\"a\":1}],\"],[\",{\"a\":1},]",
        JsonForm::Array,
        &["a"],
    );
    let faulty: Vec<&str> = array[..5].iter().map(|row| &*row[2]).collect();
    assert_eq!(faulty, ["1", "", "{a:1}", "[{\"a\":1}]", "\"],[\""]);
    assert_eq!(array[5], ["1", "", "1"]);
    assert_eq!(array.len(), 6);
    // Without a comma nobody can tell where the first ends: both are in one row.
    let joined = rows(b"[{\"a\":1} {\"a\":2}, {\"a\":3}]", JsonForm::Array, &["a"]);
    assert_eq!(joined[0][2], "{\"a\":1} {\"a\":2}");
    assert_eq!(joined[1..], [["1", "", "3"]]);
}

#[test]
fn a_late_key_is_told_or_counted_and_ours_are_passed_over() {
    let text = b"{\"A \":1,\"_Errors\":\"old\",\"b\":2}\n{\"b\":1}\n{\"a\":3}\n";
    let told = rows(text, JsonForm::Lines, &["a"]);
    let (kind, sentence) = fault(&told[0]);
    assert_eq!(kind, Fault::UnknownKey);
    assert!(sentence.contains("\"b\""), "{sentence}");
    assert_eq!(told[0][2], "1", "what has a column stays readable");
    assert_eq!(told[2], ["3", "", "3"]);

    let mut format = json(JsonForm::Lines);
    format.json.as_mut().unwrap().late_keys = LateKeys::Ignore;
    let (left_out, notes) = decode_in(text, &format, &["a"], (3, 3));
    assert_eq!(left_out, b"1,,1\n2,,\n3,,3\n");
    assert_eq!(notes.unwrap().late_keys, 2);
}

#[test]
fn an_array_that_can_not_be_told_apart_fails_with_its_place() {
    for (text, words) in [
        ("[{\"a\":1]", "bracket"),
        ("[\n{\"a\":1}\n]]", "line 3"),
        ("[{\"a\":1}", "cut off"),
        ("[{\"a\":\"1}]", "cut off"),
        ("[{\"a\":1}] x", "behind"),
        ("{\"a\":1}", "no array"),
        ("", "no array"),
    ] {
        let error = fails(text.as_bytes(), &json(JsonForm::Array)).to_string();
        assert!(error.contains(words), "{text}: {error}");
    }
    let deep = "[".repeat(1 << 20);
    let error = fails(deep.as_bytes(), &json(JsonForm::Array)).to_string();
    assert!(error.contains("brackets within"), "{error}");
}

#[test]
fn long_and_deep_elements_are_rows_of_bounded_size() {
    let limits = Limits {
        record_bytes_max: 100,
        ..Limits::default()
    };
    let long = format!("{{\"a\":\"{}\"}}", "x".repeat(1_000));
    for (form, text) in [
        (JsonForm::Lines, format!("{long}\n{{\"a\":1}}\n")),
        (JsonForm::Array, format!("[{long},{{\"a\":1}}]")),
    ] {
        let mut decoder = Decoder::new(&json(form), &["a".to_owned()], limits).unwrap();
        decoder.push(text.into());
        decoder.end();
        let mut out = Vec::new();
        while decoder.pull(&mut out, 1 << 20).unwrap() != Pulled::Done {}
        let text = String::from_utf8(out).unwrap();
        assert!(text.starts_with("1,too-long the row"), "{text}");
        assert!(text.ends_with(",,1\n") && text.len() < 400, "{text}");
    }
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(1_000), "]".repeat(1_000));
    assert_eq!(
        fault(&rows(deep.as_bytes(), JsonForm::Lines, &["a"])[0]).0,
        Fault::Malformed
    );
}

#[test]
fn columns_are_the_keys_of_the_first_objects() {
    let head = b"{\"b\":1,\"A\":2}\nnonsense\n{\"c\":{\"d\":1},\"a\":1,\"_line\":3}\n{\"cut";
    assert_eq!(
        columns(head, false, JsonForm::Lines).unwrap(),
        ["b", "A", "c"]
    );
    let head = b"[{\"b\":1},{\"a\":1},{\"cut";
    assert_eq!(columns(head, false, JsonForm::Array).unwrap(), ["b", "a"]);
    assert!(columns(b"{", true, JsonForm::Array).is_err());
    let last = b"{\"b\":1}\n{\"z\":1}";
    assert_eq!(columns(last, true, JsonForm::Lines).unwrap(), ["b", "z"]);
}

/// Formats, each with a file of it.
fn files() -> impl Strategy<Value = (Format, Vec<u8>)> {
    let csv =
        proptest::collection::vec("[a-zäö\",\n]{0,6}", 0..200).prop_map(|cells| cells.concat());
    let object = proptest::collection::hash_map("[abc]", "[ \"\\\\{}\\[\\]a,]{0,5}", 0..3);
    let objects = proptest::collection::vec(object, 0..20);
    let container = prop_oneof![
        Just(None),
        Just(Some(Container::Gzip)),
        Just(Some(Container::Zstd))
    ];
    let pack = |container: Option<Container>, text: Vec<u8>| match container {
        None => text,
        Some(Container::Gzip) => gzip(&text),
        Some(Container::Zstd) => zstd(&text),
    };
    let texts = (csv, container.clone(), any::<bool>()).prop_map(move |(text, container, wide)| {
        let bytes = if wide {
            text.encode_utf16().flat_map(u16::to_le_bytes).collect()
        } else {
            text.into_bytes()
        };
        let format = Format {
            container,
            encoding: wide.then(|| "UTF-16LE".to_owned()),
            json: None,
        };
        (format, pack(container, bytes))
    });
    let jsons = (objects, container, any::<bool>()).prop_map(move |(objects, container, lines)| {
        let form = if lines {
            JsonForm::Lines
        } else {
            JsonForm::Array
        };
        let objects: Vec<String> = objects
            .iter()
            .map(|object| serde_json::to_string(object).unwrap())
            .collect();
        let text = if lines {
            objects.join("\n")
        } else {
            format!("[{}]", objects.join(" ,\n"))
        };
        let format = Format {
            container,
            ..json(form)
        };
        (format, pack(container, text.into_bytes()))
    });
    prop_oneof![texts, jsons]
}

proptest! {
    /// The text is the same whatever the size of the pieces that come and of those that are pulled.
    #[test]
    fn pieces_make_no_difference((format, file) in files(), raw in 1_usize..40, upto in 1_usize..40) {
        let whole = decode_in(&file, &format, &["a", "b"], (1 << 20, 1 << 20));
        let pieces = decode_in(&file, &format, &["a", "b"], (raw, upto));
        prop_assert!(whole.1.is_ok());
        prop_assert_eq!(whole, pieces);
    }

    /// Any bytes under any format decode or fail with a sentence: nothing panics and nothing hangs.
    #[test]
    fn any_bytes_come_to_an_end((format, mut file) in files(), noise in any::<Vec<u8>>(), at in any::<prop::sample::Index>()) {
        let at = at.index(file.len() + 1);
        file.splice(at..at, noise);
        let whole = decode_in(&file, &format, &["a", "b"], (1 << 20, 1 << 20));
        let pieces = decode_in(&file, &format, &["a", "b"], (11, 5));
        prop_assert_eq!(whole.1.is_ok(), pieces.1.is_ok());
        if whole.1.is_ok() {
            prop_assert_eq!(whole.0, pieces.0);
        }
    }
}
