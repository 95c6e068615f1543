//! Writes what was inferred as a definition that people read: in order, with comments, in quotes where
//! YAML needs them.
//!
//! Names and values come from strangers' files, so nothing of them stands in the text as it is unless
//! every character is harmless. It must not decide anything.

use std::fmt::Write as _;

use batchfleet_definition::FieldType;

use super::{Inferred, InferredField};

/// How much is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// Everything, with comments.
    Full,
    /// A line for each field, without comments: a definition has at most 256 KiB.
    Bare,
    /// Those fields alone that are more than text.
    Typed,
}

/// Where comments are broken.
const WIDTH: usize = 100;
/// The longest list of values that stands in one line.
const LIST_WIDTH: usize = 90;

pub(super) fn write(inferred: &Inferred, style: Style) -> String {
    let mut out = String::new();
    for note in &inferred.notes {
        comment(&mut out, "", note);
    }
    if style != Style::Full {
        comment(
            &mut out,
            "",
            "There are too many columns for comments to each.",
        );
    }
    if let Some(title) = &inferred.title {
        let _ = writeln!(out, "name: {}", scalar(title));
    }
    write_head(&mut out, inferred);
    if let Some(why) = &inferred.truncate {
        comment(&mut out, "", why);
        out.push_str("ragged: truncate\n");
    }
    if let Some(why) = &inferred.keep {
        comment(&mut out, "", why);
    }
    if inferred.keep.is_some() || style == Style::Typed {
        out.push_str("unknown_columns: keep\n");
    }
    out.push_str("fields:\n");
    for field in &inferred.fields {
        let is_plain = field.kind == FieldType::String && !field.required && !field.unique;
        match style {
            Style::Full => write_field(&mut out, field),
            Style::Typed if is_plain => {}
            Style::Bare | Style::Typed => {
                let keys: Vec<String> = keys(field)
                    .into_iter()
                    .map(|(key, value)| format!("{key}: {value}"))
                    .collect();
                let _ = writeln!(out, "  - {{ {} }}", keys.join(", "));
            }
        }
    }
    out
}

/// The definition without fields, where none can be named: every column is text.
pub(super) fn open(inferred: &Inferred, why: &str) -> String {
    let mut out = String::new();
    for note in &inferred.notes {
        comment(&mut out, "", note);
    }
    comment(&mut out, "", why);
    if inferred.truncate.is_some() {
        out.push_str("ragged: truncate\n");
    }
    let before = out.len();
    write_head(&mut out, inferred);
    if out.len() == before && inferred.truncate.is_none() {
        out.push_str("{}\n");
    }
    out
}

fn write_head(out: &mut String, inferred: &Inferred) {
    let mut lines = inferred.head.lines().peekable();
    if lines.peek().is_none() {
        return;
    }
    out.push_str("dialect:\n");
    if let Some(doubt) = &inferred.head.doubt {
        comment(out, "  ", doubt);
    }
    for line in lines {
        let _ = write!(out, "  {}: {}", line.key, line.value);
        if !line.why.is_empty() && !line.is_default {
            let _ = write!(out, "  # {}", line.why);
        }
        out.push('\n');
    }
}

fn write_field(out: &mut String, field: &InferredField) {
    let mut lead = "  - ";
    for (key, value) in keys(field) {
        let _ = writeln!(out, "{lead}{key}: {value}");
        if key == "name" && !field.evidence.is_empty() {
            comment(out, "    ", &field.evidence.join("; "));
        }
        lead = "    ";
    }
}

/// The keys of a field, in their order.
fn keys(field: &InferredField) -> Vec<(&'static str, String)> {
    let mut keys = vec![
        ("name", scalar(&field.name)),
        ("type", field.kind.as_str().to_owned()),
    ];
    let options = &field.options;
    match &options.formats[..] {
        [] => {}
        [format] => keys.push(("format", scalar(format))),
        formats => keys.push(("formats", flow(formats))),
    }
    for (key, mark) in [
        ("thousands_separator", options.thousands_separator),
        ("decimal_separator", options.decimal_separator),
    ] {
        if let Some(mark) = mark {
            keys.push((key, quoted(&mark.to_string())));
        }
    }
    if let Some(digits) = options.fraction_digits {
        keys.push(("fraction_digits", digits.to_string()));
    }
    for (key, words) in [
        ("true_words", &options.true_words),
        ("false_words", &options.false_words),
        ("values", &options.values),
        ("null_values", &field.null_values),
    ] {
        if !words.is_empty() {
            keys.push((key, list(words)));
        }
    }
    if field.required {
        keys.push(("required", "true".to_owned()));
    }
    if field.unique {
        keys.push(("unique", "true".to_owned()));
    }
    keys
}

/// A list on one line.
pub(super) fn flow(texts: &[String]) -> String {
    let texts: Vec<String> = texts.iter().map(|text| scalar(text)).collect();
    format!("[{}]", texts.join(", "))
}

/// A list within brackets, broken where it is long.
fn list(texts: &[String]) -> String {
    let short = flow(texts);
    if short.chars().count() <= LIST_WIDTH {
        return short;
    }
    let texts: Vec<String> = texts.iter().map(|text| scalar(text)).collect();
    format!("[\n      {},\n    ]", texts.join(",\n      "))
}

/// A text as YAML has it, in quotes unless it is plainly a word.
pub(super) fn scalar(text: &str) -> String {
    let starts = text.starts_with(|first: char| first.is_alphabetic());
    let is_plain = |character: char| {
        character.is_alphanumeric() || matches!(character, ' ' | '_' | '-' | '.' | '/' | '(' | ')')
    };
    let ends = !text.ends_with([' ', '-']);
    // A dash that begins a word looks like that of a list to some parsers, in a list of one line.
    if starts && ends && !text.contains(" -") && text.chars().all(is_plain) && !is_word(text) {
        return text.to_owned();
    }
    quoted(text)
}

/// What some reader of YAML takes for no text.
fn is_word(text: &str) -> bool {
    let words = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"];
    words.contains(&text.to_ascii_lowercase().as_str())
}

/// A text in double quotes.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => {
                out.push('\\');
                out.push(character);
            }
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            _ if is_hidden(character) => {
                let _ = write!(out, "\\U{:08x}", u32::from(character));
            }
            _ => out.push(character),
        }
    }
    out.push('"');
    out
}

/// What can't be seen, or turns the text around it.
fn is_hidden(character: char) -> bool {
    character.is_control()
        || (character.is_whitespace() && character != ' ')
        || matches!(
            character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff0}'..='\u{ffff}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

/// A comment, broken into lines between its words.
fn comment(out: &mut String, indent: &str, text: &str) {
    let mut line = String::new();
    for word in text.split_whitespace() {
        let length = indent.len() + 2 + line.chars().count() + 1 + word.chars().count();
        if !line.is_empty() && length > WIDTH {
            let _ = writeln!(out, "{indent}# {line}");
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        for character in word.chars() {
            if is_hidden(character) {
                line.extend(character.escape_default());
            } else {
                line.push(character);
            }
        }
    }
    if !line.is_empty() {
        let _ = writeln!(out, "{indent}# {line}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use batchfleet_definition::Definition;

    #[test]
    fn any_name_comes_back() {
        for name in [
            "id",
            "First Name",
            "null",
            "yes",
            "No",
            "12",
            "1e3",
            "a: b",
            "#x",
            "- y",
            "y -",
            "y - z",
            "y-",
            "-",
            "{a}",
            "*x",
            "&x",
            "it's",
            "say \"x\"",
            "back\\slash",
            "a\nb",
            "tab\tx",
            "ä ö",
            "🦀",
            "\u{a0}x\u{a0}y",
            "a\u{feff}b",
            "a\u{85}b",
            "price (€)",
            "a,b",
            "?",
            "@",
            "`",
            "%",
            "!x",
            "|",
            ">",
            "~",
            ".inf",
            "0x1F",
            "2024-01-01",
        ] {
            let text = format!("fields: [{{ name: {} }}]", scalar(name));
            let Ok(definition) = Definition::parse(&text) else {
                // A control character is no part of a name, however it is written.
                assert!(
                    name.chars().any(|c| c.is_control() && !"\t\n".contains(c)),
                    "{text}"
                );
                continue;
            };
            assert_eq!(definition.fields()[0].name, name.trim(), "{text}");
            let text = format!("dialect: {{ columns: [{}, last] }}", scalar(name));
            let definition = Definition::parse(&text).expect(&text);
            let columns = &definition.reading().columns;
            assert_eq!(columns[..], [name.trim(), "last"], "{text}");
        }
    }

    #[test]
    fn comments_hold_no_line_breaks() {
        let mut out = String::new();
        comment(
            &mut out,
            "  ",
            &format!("a\nb\u{85}c {}", "word ".repeat(40)),
        );
        assert!(
            out.lines()
                .all(|line| line.starts_with("  # ") && line.chars().count() <= WIDTH)
        );
        assert!(out.lines().count() > 1);
    }
}
