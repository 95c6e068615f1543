//! Shows a value of the user's inside a message: quoted, cut, and with nothing unprintable.
//!
//! It is here so that every message treats foreign text alike. It must not know what the value is.

/// A longer value is cut here: a message is a hint to the place, not a copy of the file.
const LONGEST: usize = 64;

/// The value in double quotes, at most 64 characters of it, with invisible characters escaped.
pub(crate) fn shown(value: &str) -> String {
    let mut out = String::with_capacity(value.len().min(LONGEST) + 2);
    out.push('"');
    let mut characters = value.chars();
    for character in characters.by_ref().take(LONGEST) {
        push_visible(&mut out, character);
    }
    if characters.next().is_some() {
        out.push('…');
    }
    out.push('"');
    out
}

/// As [`shown`], for bytes that may not be text.
pub(crate) fn shown_bytes(value: &[u8]) -> String {
    // Four bytes a character, and one more character to tell that something was cut.
    let seen = value.get(..(LONGEST + 1) * 4).unwrap_or(value);
    shown(&String::from_utf8_lossy(seen))
}

fn push_visible(out: &mut String, character: char) {
    let hidden = character.is_control()
        || (character.is_whitespace() && character != ' ')
        || is_format(character);
    if hidden {
        out.extend(character.escape_default());
    } else {
        out.push(character);
    }
}

/// Characters without a width or that turn the direction of the text around them.
pub(crate) fn is_format(character: char) -> bool {
    matches!(
        character,
        '\u{ad}'
            | '\u{61c}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_text_as_it_is() {
        assert_eq!(shown("Zoë \"Z\" O'Hara"), "\"Zoë \"Z\" O'Hara\"");
    }

    #[test]
    fn escapes_what_cannot_be_seen() {
        assert_eq!(
            shown("a\tb\0c\u{202e}d\u{a0}"),
            r#""a\tb\u{0}c\u{202e}d\u{a0}""#
        );
    }

    #[test]
    fn cuts_at_64_characters() {
        assert_eq!(shown(&"é".repeat(64)), format!("\"{}\"", "é".repeat(64)));
        assert_eq!(shown(&"é".repeat(65)), format!("\"{}…\"", "é".repeat(64)));
        let long = "🦀".repeat(1000);
        assert_eq!(
            shown_bytes(long.as_bytes()),
            format!("\"{}…\"", "🦀".repeat(64))
        );
    }

    #[test]
    fn bytes_that_are_not_text_show_their_readable_part() {
        assert_eq!(shown_bytes(b"a\xffb"), "\"a\u{fffd}b\"");
    }
}
