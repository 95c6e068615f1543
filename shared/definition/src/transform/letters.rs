//! Texts letter by letter: case, spaces, accents, and addresses as people paste them.
//!
//! Each writes the changed text behind `out`. They must not know what the text stands for.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::show::is_format;

pub(super) fn lowercase(text: &str, out: &mut String) {
    if text.is_ascii() {
        out.push_str(text);
        out.make_ascii_lowercase();
    } else {
        // As a whole, because a sigma at the end of a word is another letter.
        out.push_str(&text.to_lowercase());
    }
}

pub(super) fn uppercase(text: &str, out: &mut String) {
    if text.is_ascii() {
        out.push_str(text);
        out.make_ascii_uppercase();
    } else {
        out.extend(text.chars().flat_map(char::to_uppercase));
    }
}

/// A word begins after anything but a letter, a digit or an apostrophe; and after an apostrophe
/// behind a single letter: `O'Hara`, `D'Angelo`, but `Anna's`.
pub(super) fn title_case(text: &str, out: &mut String) {
    let mut letters = 0;
    for character in text.chars() {
        if is_combining_mark(character) {
            out.push(character);
            continue;
        }
        if !character.is_alphanumeric() {
            let is_inside = matches!(character, '\'' | '’') && letters != 1;
            letters = if is_inside { letters } else { 0 };
            out.push(character);
            continue;
        }
        if letters == 0 {
            out.extend(character.to_uppercase());
        } else {
            out.extend(character.to_lowercase());
        }
        letters += 1;
    }
}

pub(super) fn collapse(text: &str, out: &mut String) {
    for (index, word) in text.split_whitespace().enumerate() {
        if index > 0 {
            out.push(' ');
        }
        out.push_str(word);
    }
}

/// Letters that are no letter with an accent, but that people write as others where they have no key
/// for them.
const PLAIN: [(char, &str); 17] = [
    ('ß', "ss"),
    ('ẞ', "SS"),
    ('æ', "ae"),
    ('Æ', "AE"),
    ('œ', "oe"),
    ('Œ', "OE"),
    ('ø', "o"),
    ('Ø', "O"),
    ('ł', "l"),
    ('Ł', "L"),
    ('đ', "d"),
    ('Đ', "D"),
    ('ð', "d"),
    ('Ð', "D"),
    ('þ', "th"),
    ('Þ', "Th"),
    ('ı', "i"),
];

pub(super) fn remove_accents(text: &str, out: &mut String) {
    if text.is_ascii() {
        out.push_str(text);
        return;
    }
    let letters = text.nfd().filter(|&letter| !is_combining_mark(letter));
    for letter in letters {
        let plain = PLAIN.iter().find(|(from, _)| *from == letter);
        match plain {
            Some((_, plain)) => out.push_str(plain),
            None => out.push(letter),
        }
    }
}

/// `Ann Lee <mailto:Ann@Example.com>` is `ann@example.com`.
pub(super) fn normalize_email(text: &str, out: &mut String) {
    let inner = text
        .rsplit_once('<')
        .and_then(|(_, rest)| rest.split_once('>'))
        .map_or(text, |(inner, _)| inner);
    let is_unseen = |c: char| c.is_whitespace() || c.is_control() || is_format(c);
    let inner = inner.trim_matches(is_unseen);
    let has_scheme = inner
        .get(..7)
        .is_some_and(|start| start.eq_ignore_ascii_case("mailto:"));
    let address = if has_scheme { &inner[7..] } else { inner };
    let address = address.trim_matches(is_unseen);
    if address.is_ascii() {
        out.push_str(address);
        out.make_ascii_lowercase();
    } else {
        let seen = address.chars().filter(|&character| !is_format(character));
        out.extend(seen.flat_map(char::to_lowercase));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn assert_becomes(write: fn(&str, &mut String), cases: &[(&str, &str)]) {
        for (from, to) in cases {
            let mut out = String::new();
            write(from, &mut out);
            assert_eq!(out, *to, "{from:?}");
        }
    }

    #[test]
    fn case() {
        assert_becomes(lowercase, &[("AbC", "abc"), ("ÄΣΟΣ", "äσος"), ("", "")]);
        assert_becomes(uppercase, &[("AbC1", "ABC1"), ("straße", "STRASSE")]);
        assert_becomes(
            title_case,
            &[
                ("maria GONZALES-lópez", "Maria Gonzales-López"),
                ("o'hara d’angelo", "O'Hara D’Angelo"),
                ("anna's café", "Anna's Café"),
                ("1st (second) a/b", "1st (Second) A/B"),
                ("ÉTÉ à nice", "Été À Nice"),
                ("e\u{301}te", "E\u{301}te"),
            ],
        );
    }

    #[test]
    fn spaces() {
        assert_becomes(collapse, &[(" a \n\t b\u{a0}c ", "a b c"), ("  ", "")]);
    }

    #[test]
    fn accents() {
        assert_becomes(
            remove_accents,
            &[
                ("Zoë Ångström", "Zoe Angstrom"),
                ("Straße Œuvre Łódź", "Strasse OEuvre Lodz"),
                ("e\u{301}", "e"),
                ("Ελλάδα 東京", "Ελλαδα 東京"),
                ("plain", "plain"),
            ],
        );
    }

    #[test]
    fn addresses() {
        assert_becomes(
            normalize_email,
            &[
                (" Ann@Example.COM\u{a0}", "ann@example.com"),
                ("Ann Lee <Ann@Example.com>", "ann@example.com"),
                ("MAILTO:ann@b.c", "ann@b.c"),
                ("<mailto:ann@b.c>;", "ann@b.c"),
                ("\u{200b}zoë@b.c", "zoë@b.c"),
                ("a@b.c\u{200b}", "a@b.c"),
                ("", ""),
            ],
        );
    }
}
