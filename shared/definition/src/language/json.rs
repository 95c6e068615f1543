//! Lets the YAML parser read all of JSON.
//!
//! YAML 1.2 contains JSON but for one thing: JSON writes characters beyond 16 bits as two escapes
//! (`\ud83d\ude00`), where YAML wants one (`\U0001f600`). Many JSON writers escape everything, so
//! the pairs are rewritten. This file must not know what is in the document.

use std::borrow::Cow;

/// The document with every escaped pair as one escape, if it is JSON; columns outside the strings
/// concerned stay where they are.
pub(super) fn join_surrogates(text: &str) -> Cow<'_, str> {
    let may_have_pairs = text.contains("\\ud") || text.contains("\\uD");
    if !may_have_pairs || serde_json::from_str::<serde::de::IgnoredAny>(text).is_err() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut in_string = false;
    // The new escape is shorter: blanks after the string make up for it.
    let mut owed = 0;
    while let Some(at) = rest.find(['"', '\\']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let taken = if let Some(character) = pair(rest) {
            let joined = format!("\\U{:08x}", u32::from(character));
            owed += PAIR - joined.len();
            out.push_str(&joined);
            PAIR
        } else if rest.starts_with('"') {
            in_string = !in_string;
            out.push('"');
            if !in_string {
                out.extend(std::iter::repeat_n(' ', std::mem::take(&mut owed)));
            }
            1
        } else {
            // A backslash and the ASCII character it escapes.
            out.push_str(&rest[..2]);
            2
        };
        rest = &rest[taken..];
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// The length of `\ud83d\ude00`.
const PAIR: usize = 12;

/// The character of the escaped pair that the text begins with.
fn pair(text: &str) -> Option<char> {
    let unit = |at: usize| {
        let digits = text.get(at..at + 6)?.strip_prefix("\\u")?;
        u16::from_str_radix(digits, 16).ok()
    };
    let units = [unit(0)?, unit(6)?];
    // A single unit that is a character by itself would be another escape.
    if !(0xd800..0xdc00).contains(&units[0]) {
        return None;
    }
    char::decode_utf16(units).next()?.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joins_pairs_and_keeps_columns() {
        assert_eq!(
            join_surrogates(r#"{"a": "x\ud83d\uDE00y", "b": 1}"#),
            r#"{"a": "x\U0001f600y"  , "b": 1}"#
        );
    }

    #[test]
    fn leaves_everything_else_alone() {
        for text in [
            r#"{"a": "\\ud83d\\ude00"}"#,
            r#"{"a": "\u00e9\ud7ff\ue000"}"#,
            r#"{"a": "\ud83d"}"#,
            r#"{"a": "\ude00\ud83d"}"#,
            r"a: '\ud83d\ude00'",
            r#"a: "\ud83d\ude00""#,
        ] {
            assert_eq!(join_surrogates(text), text);
        }
    }
}
