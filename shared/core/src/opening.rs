//! The head of a source: what its bytes are, and the layout that follows from it.
//!
//! Looked at from the outside in: a container by its first bytes, the encoding of what is in it, the
//! content of that text, and only then the header. Whatever is not CSV in UTF-8 as it is will be
//! decoded into a spool. Pure: it must not know where the bytes come from.

use std::collections::HashSet;

use batchfleet_decode::{
    Container, DecodeError, Format, Json, JsonForm, LateKeys, Row, columns, decode_head, is_ours,
    unpack_head,
};
use batchfleet_definition::{Definition, Field, Reading, UnknownColumns};
use batchfleet_detect::Found;
use batchfleet_grammar::{Dialect, Position, bom_len};

use crate::head::{self, HEAD_BYTES};
use crate::job::{Layout, Reason};
use crate::spool::SpoolLayout;

/// The first lines of a text that are looked at to see whether they are JSON.
const JSON_LINES_LOOKED_AT: usize = 10;

/// What the head of a source shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Opened {
    /// What a job keeps of it.
    pub layout: Layout,
    /// The table as it was found, with the evidence; none where the rows are JSON.
    pub table: Option<Found>,
}

/// Reads the layout off the first bytes of a source; `whole` says whether they are all of it. A source
/// that has to be decoded will have parts of `part_bytes`.
///
/// # Errors
/// The reason why the job can't begin.
pub fn layout(
    raw: &[u8],
    whole: bool,
    definition: &Definition,
    part_bytes: u64,
) -> Result<Layout, Reason> {
    open(raw, whole, definition, part_bytes).map(|opened| opened.layout)
}

/// As [`layout`], with what people want to know besides.
///
/// # Errors
/// The reason why the job can't begin.
pub fn open(
    raw: &[u8],
    whole: bool,
    definition: &Definition,
    part_bytes: u64,
) -> Result<Opened, Reason> {
    let container = Container::of(raw);
    let upto = HEAD_BYTES as usize;
    let (unpacked, whole) = match container {
        None => (raw.to_vec(), whole),
        Some(container) => unpack_head(raw, whole, container, upto).map_err(bad_source)?,
    };
    let encoding = choose_encoding(&unpacked, whole, definition.reading());
    let decoded = decode_head(&unpacked, whole, encoding.as_deref()).map_err(bad_source)?;
    let json = json_form(&decoded, whole).map(|form| Json {
        form,
        late_keys: late_keys(definition),
    });
    let format = Format {
        container,
        encoding,
        json,
    };
    if format.is_plain() {
        return csv(&unpacked, whole, definition, None);
    }
    let spool = SpoolLayout { part_bytes, format };
    match json {
        None => csv(&decoded, whole, definition, Some(spool)),
        Some(json) => rows(&decoded, whole, json.form, definition, spool),
    }
}

fn csv(
    text: &[u8],
    whole: bool,
    definition: &Definition,
    spool: Option<SpoolLayout>,
) -> Result<Opened, Reason> {
    let found = head::read(text, whole, definition)?;
    let layout = Layout {
        dialect: found.dialect,
        header: found.columns.clone(),
        data: found.data,
        spool,
    };
    Ok(Opened {
        layout,
        table: Some(found),
    })
}

/// The layout of rows that are made of JSON: in the dialect that our own text has, without a header
/// line.
fn rows(
    text: &[u8],
    whole: bool,
    form: JsonForm,
    definition: &Definition,
    spool: SpoolLayout,
) -> Result<Opened, Reason> {
    let keys = columns(text, whole, form).map_err(bad_source)?;
    if keys.is_empty() {
        return Err(head::bad_header(
            "the file looks like JSON, but there is no object with a key within its first 1048576 bytes: \
             a row must be an object, one a line or as elements of one array",
        ));
    }
    let mut header: Vec<String> = Row::COLUMNS.map(str::to_owned).to_vec();
    let late = late_fields(definition, &keys, whole);
    header.extend(keys);
    header.extend(late);
    head::check_size(&header, 1)?;
    let layout = Layout {
        dialect: Dialect::default(),
        header,
        data: Position {
            offset: 0,
            record: 0,
            line: 1,
        },
        spool: Some(spool),
    };
    Ok(Opened {
        layout,
        table: None,
    })
}

/// What becomes of a row with a key that comes too late to be a column. It may be left out where the
/// definition leaves out columns that it does not know, and nowhere else.
fn late_keys(definition: &Definition) -> LateKeys {
    let leaves_out = definition.unknown_columns() == UnknownColumns::Ignore;
    if leaves_out && !definition.is_open() {
        LateKeys::Ignore
    } else {
        LateKeys::Reject
    }
}

/// Headers of fields whose key may still come: an object need not have every key. Where the file is
/// seen to its end none can come; and where no key is a field's, it is the wrong file, which binding
/// then says.
fn late_fields(definition: &Definition, keys: &[String], whole: bool) -> Vec<String> {
    let folded = |name: &str| name.trim().to_lowercase();
    let known: HashSet<String> = keys.iter().map(|key| folded(key)).collect();
    // Under any of its headers: a second column would be a fault of the header.
    let is_there = |field: &&Field| field.headers().any(|name| known.contains(&folded(name)));
    let fields = definition.fields();
    if whole || !fields.iter().any(|field| is_there(&field)) {
        return Vec::new();
    }
    let late = fields.iter().filter(|field| !is_there(field));
    late.filter_map(|field| field.headers().next())
        .filter(|name| !is_ours(name))
        .map(str::to_owned)
        .collect()
}

/// The encoding to decode from, or `None` for UTF-8.
#[must_use]
pub fn choose_encoding(head: &[u8], whole: bool, reading: &Reading) -> Option<String> {
    let found = batchfleet_detect::encoding(head, whole, reading.encoding.as_deref()).encoding;
    (found.name() != "UTF-8").then(|| found.name().to_owned())
}

/// How a text in UTF-8 is JSON, if it is.
#[must_use]
pub fn json_form(text: &[u8], whole: bool) -> Option<JsonForm> {
    let text = &text[bom_len(text)..];
    let text = text.trim_ascii_start();
    let behind = |count: usize| text.get(count..).unwrap_or_default().trim_ascii_start();
    match text.first() {
        Some(b'[') => {
            matches!(behind(1).first(), Some(b'{' | b'[' | b']')).then_some(JsonForm::Array)
        }
        Some(b'{') => {
            let is_object = |line: &[u8]| {
                serde_json::from_slice::<serde::de::IgnoredAny>(line).is_ok()
                    && line.starts_with(b"{")
            };
            let lines: Vec<&[u8]> = text.split(|&byte| byte == b'\n').collect();
            let complete = if whole { lines.len() } else { lines.len() - 1 };
            let looked_at = lines.iter().take(complete.min(JSON_LINES_LOOKED_AT));
            let has_object = looked_at.map(|line| line.trim_ascii()).any(is_object);
            // One object may be longer than the head.
            let is_long = complete == 0 && behind(1).starts_with(b"\"");
            (has_object || is_long).then_some(JsonForm::Lines)
        }
        _ => None,
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "it is given to map_err, which passes by value"
)]
fn bad_source(error: DecodeError) -> Reason {
    Reason::bad_source(&error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::ReasonCode;

    fn open(raw: &[u8], definition: &str) -> Result<Layout, Reason> {
        layout(raw, true, &Definition::parse(definition).unwrap(), 100)
    }

    fn format(raw: &[u8]) -> Option<Format> {
        open(raw, "{}").unwrap().spool.map(|spool| spool.format)
    }

    #[test]
    fn plain_files_have_no_spool() {
        for text in [
            &b"a,b\n1,2\n"[..],
            b"\xEF\xBB\xBFa,b\n",
            "größe\nä\n".as_bytes(),
            b"{a},[b]\n1,2\n",
        ] {
            assert_eq!(format(text), None);
        }
        // Some good letters and a damaged one: UTF-8 with a fault, which makes one reject.
        assert_eq!(format("ä,ö\n\u{FC}\n".as_bytes()), None);
        let damaged = ["ä,ö\n".as_bytes(), b"\xFC\n"].concat();
        assert_eq!(format(&damaged), None);
    }

    #[test]
    fn encodings_are_chosen_by_mark_then_definition_then_bytes() {
        let encoding = |raw: &[u8], definition: &str| {
            let definition = Definition::parse(definition).unwrap();
            choose_encoding(raw, false, definition.reading())
        };
        assert_eq!(encoding(b"\xFF\xFEa\0", "{}").as_deref(), Some("UTF-16LE"));
        assert_eq!(encoding(b"\xFE\xFF\0a", "{}").as_deref(), Some("UTF-16BE"));
        assert_eq!(
            encoding(b"J\xF6rg,M\xFCller\n", "{}").as_deref(),
            Some("windows-1252")
        );
        assert_eq!(
            encoding(b"\0\xFF\xFF\xFF", "{}"),
            None,
            "binary, which the header says"
        );
        let cut = &"aä".as_bytes()[..2];
        assert_eq!(encoding(cut, "{}"), None, "a character that the head cuts");
    }

    #[test]
    fn json_is_told_by_its_objects() {
        for (text, form) in [
            ("{\"a\":1}\n{\"a\":2}\n", Some(JsonForm::Lines)),
            ("nonsense\n{\"a\":2}\n", None),
            ("{\"a\":\n{\"a\":2}\n", Some(JsonForm::Lines)),
            ("  [\n {\"a\":1}]", Some(JsonForm::Array)),
            ("[]", Some(JsonForm::Array)),
            ("[id],[name]\n", None),
            ("{id},{name}\n", None),
            ("", None),
        ] {
            assert_eq!(json_form(text.as_bytes(), true), form, "{text}");
        }
    }

    #[test]
    fn the_columns_of_json_are_ours_the_keys_and_the_fields_that_may_come() {
        let text = b"{\"name\":\"x\",\"B\":1}\n";
        let layout = open(text, "{}").unwrap();
        assert_eq!(layout.header, ["_line", "_errors", "name", "B"]);
        assert!(layout.is_json());
        let fields = "fields: [{name: b}, {name: c}]";
        let definition = Definition::parse(fields).unwrap();
        let head = super::layout(text, false, &definition, 100).unwrap();
        assert_eq!(head.header, ["_line", "_errors", "name", "B", "c"]);
        // Not a column more for a field that is there under another name, or has no column at all.
        let fields = "fields: [{name: b}, {name: full, aliases: [name]}, {name: c, column: C 1}, \
                      {name: d, constant: x}]";
        let definition = Definition::parse(fields).unwrap();
        let head = super::layout(text, false, &definition, 100).unwrap();
        assert_eq!(head.header, ["_line", "_errors", "name", "B", "C 1"]);
        let reason = open(b"[1,2]", "{}").map(|layout| layout.header);
        assert_eq!(
            reason.unwrap(),
            ["[1", "2]"],
            "this is a CSV of two columns"
        );
        let reason = open(b"[[1,2]]", "{}").unwrap_err();
        assert_eq!(reason.code, ReasonCode::BadHeader);
    }

    #[test]
    fn late_keys_are_left_out_only_where_unknown_columns_are() {
        for (definition, expected) in [
            ("{}", LateKeys::Reject),
            ("fields: [{name: a}]", LateKeys::Ignore),
            ("fields: [{name: a}]\nstrict: true", LateKeys::Reject),
            (
                "fields: [{name: a}]\nunknown_columns: keep",
                LateKeys::Reject,
            ),
        ] {
            let definition_read = Definition::parse(definition).unwrap();
            assert_eq!(late_keys(&definition_read), expected, "{definition}");
        }
    }

    #[test]
    fn a_head_that_does_not_unpack_is_a_bad_source() {
        let reason = open(b"\x1F\x8B\x08\x00oh no", "{}").unwrap_err();
        assert_eq!(reason.code, ReasonCode::BadSource);
        assert!(reason.message.contains("gzip"), "{}", reason.message);
    }
}
