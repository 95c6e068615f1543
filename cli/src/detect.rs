//! `batchfleet detect`: how a file would be read, and why.
//!
//! It looks at the file's first MiB, as the preparer does, and changes nothing. Of a compressed file
//! it looks at what that much unpacks to.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::process::ExitCode;

use batchfleet_definition::Reading;
use batchfleet_detect::{
    Content, Found, FoundEncoding, NotATable, content, decode_head, encoding, table,
};
use batchfleet_grammar::Dialect;
use serde_json::{Value, json};

use crate::args::DetectArgs;
use crate::outcome::Failure;
use crate::terminal::{one_line, say, say_json};

/// How much of a file's beginning is looked at, in bytes, unpacked.
const HEAD_BYTES: usize = 1 << 20;

/// The first bytes of a file, unpacked where it is compressed.
struct Head {
    bytes: Vec<u8>,
    /// Whether they are all of it.
    whole: bool,
    /// What the file itself is.
    content: Content,
}

/// Runs the command.
pub(crate) fn detect(args: &DetectArgs) -> Result<ExitCode, Failure> {
    let head = read_head(&args.file)?;
    let name = args.file.display();
    if let Content::Other(foreign) = head.content {
        return Err(Failure::stopped(format!("{name}: {}", foreign.sentence())));
    }
    let found = encoding(&head.bytes, head.whole, None);
    let text = decode_head(&head.bytes, head.whole, &found);
    let inside = content(&text);
    if let Content::Other(foreign) = inside {
        return Err(Failure::stopped(format!("{name}: {}", foreign.sentence())));
    }
    let report = if matches!(inside, Content::JsonLines | Content::JsonArray) {
        of_json(&head, inside, &found)
    } else {
        match table(&text, head.whole, &Reading::default(), &[]) {
            Ok(table) => of_table(&head, &found, &table),
            Err(NotATable::Empty(why) | NotATable::Unreadable(why)) => {
                return Err(Failure::stopped(format!("{name}: {why}")));
            }
        }
    };
    if args.json {
        say_json(&report);
    } else {
        say!("{}", to_text(&report).trim_end());
    }
    Ok(ExitCode::SUCCESS)
}

fn read_head(path: &Path) -> Result<Head, Failure> {
    let failed =
        |error: io::Error| Failure::usage(format!("cannot read {}: {error}", path.display()));
    let mut raw = Vec::new();
    let file = File::open(path).map_err(failed)?;
    file.take(HEAD_BYTES as u64 + 1)
        .read_to_end(&mut raw)
        .map_err(failed)?;
    let whole = raw.len() <= HEAD_BYTES;
    let content = content(&raw);
    let unpacked = match content {
        Content::Gzip => unpack(flate2::read::MultiGzDecoder::new(raw.as_slice()), whole),
        Content::Zstd => match ruzstd::decoding::StreamingDecoder::new(raw.as_slice()) {
            Ok(decoder) => unpack(decoder, whole),
            Err(error) => Err(io::Error::other(error)),
        },
        _ => {
            raw.truncate(HEAD_BYTES);
            Ok((raw, whole))
        }
    };
    let (bytes, whole) = unpacked.map_err(|error| {
        Failure::stopped(format!(
            "{}: the file is not valid {}: {error}",
            path.display(),
            content.name()
        ))
    })?;
    Ok(Head {
        bytes,
        whole,
        content,
    })
}

/// What `packed` unpacks to, up to the head's length, and whether that is all. An error at the end of
/// a head that is not all of the file says nothing, as long as something came before it.
fn unpack(packed: impl Read, packed_is_whole: bool) -> io::Result<(Vec<u8>, bool)> {
    let mut bytes = Vec::new();
    let read = packed.take(HEAD_BYTES as u64 + 1).read_to_end(&mut bytes);
    if let Err(error) = read
        && (packed_is_whole || bytes.is_empty())
    {
        return Err(error);
    }
    let whole = packed_is_whole && bytes.len() <= HEAD_BYTES;
    bytes.truncate(HEAD_BYTES);
    Ok((bytes, whole))
}

/// That all else is said of what the file unpacks to.
fn packed_note(head: &Head) -> Vec<String> {
    match head.content {
        Content::Gzip | Content::Zstd => vec![format!(
            "the file is compressed with {}: all else is said of what it unpacks to",
            head.content.name()
        )],
        _ => Vec::new(),
    }
}

fn of_table(head: &Head, encoding: &FoundEncoding, table: &Found) -> Value {
    let dialect = &table.dialect;
    let mut evidence = packed_note(head);
    evidence.extend(encoding.evidence.iter().cloned());
    evidence.extend(table.evidence.iter().cloned());
    json!({
        "encoding": encoding.name(),
        "bom": encoding.bom,
        "delimiter": text_of(Some(dialect.delimiter)),
        "quote": text_of(dialect.quote),
        "escape": text_of(escape(dialect)),
        "comment": text_of(dialect.comment),
        "line_end": table.line_ends.name(),
        "trim": dialect.trim,
        "header": table.header,
        "preamble_rows": table.preamble_rows,
        "columns": table.columns,
        "content": head.content.name(),
        "confidence": rounded(encoding.confidence * table.confidence),
        "evidence": evidence,
    })
}

/// Records of JSON have names of their own, and no dialect.
fn of_json(head: &Head, inside: Content, encoding: &FoundEncoding) -> Value {
    let sentence = if inside == Content::JsonLines {
        "every line is a JSON object"
    } else {
        "the file is a JSON array of objects"
    };
    let mut evidence = packed_note(head);
    evidence.extend(encoding.evidence.iter().cloned());
    evidence.push(sentence.to_owned());
    let content = if head.content == Content::Csv {
        inside
    } else {
        head.content
    };
    json!({
        "encoding": encoding.name(),
        "bom": encoding.bom,
        "delimiter": null,
        "quote": null,
        "escape": null,
        "comment": null,
        "line_end": null,
        "trim": false,
        "header": false,
        "preamble_rows": 0,
        "columns": [],
        "content": content.name(),
        "confidence": rounded(encoding.confidence),
        "evidence": evidence,
    })
}

/// What makes a quote data within quotes: a backslash, or the quote itself where doubling does.
pub(crate) fn escape(dialect: &Dialect) -> Option<u8> {
    dialect.escape.or(dialect.quote)
}

pub(crate) fn text_of(byte: Option<u8>) -> Option<String> {
    byte.map(|byte| char::from(byte).to_string())
}

/// Two digits are enough to compare.
pub(crate) fn rounded(confidence: f64) -> f64 {
    (confidence * 100.0).round() / 100.0
}

fn to_text(report: &Value) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    let names = [
        "content",
        "encoding",
        "bom",
        "delimiter",
        "quote",
        "escape",
        "comment",
        "line_end",
        "trim",
        "header",
        "preamble_rows",
    ];
    for name in names {
        let value = match &report[name] {
            Value::Null => "none".to_owned(),
            Value::Bool(is) => if *is { "yes" } else { "no" }.to_owned(),
            // Quoted where they would not be seen.
            Value::String(value) if value.trim().is_empty() || value.len() == 1 => {
                format!("{value:?}")
            }
            Value::String(value) => value.clone(),
            other => other.to_string(),
        };
        let _ = writeln!(text, "{name:<14} {}", one_line(&value));
    }
    let columns = report["columns"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let shown: Vec<&str> = columns.iter().filter_map(Value::as_str).take(20).collect();
    let more = if columns.len() > shown.len() {
        ", …"
    } else {
        ""
    };
    let list = format!("{}: {}{more}", columns.len(), shown.join(", "));
    let _ = writeln!(text, "{:<14} {}", "columns", one_line(&list));
    let _ = writeln!(text, "{:<14} {}", "confidence", report["confidence"]);
    for sentence in report["evidence"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default()
    {
        let _ = writeln!(
            text,
            "  - {}",
            one_line(sentence.as_str().unwrap_or_default())
        );
    }
    text
}
