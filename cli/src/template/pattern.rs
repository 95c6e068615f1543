//! Texts that a regular expression matches, for examples.
//!
//! The expression is walked as it is parsed, and at each choice one is taken by a number. What stands
//! before and behind (`^`, `\b`) is left out of account: whoever asks looks whether the text fits.

use regex_syntax::hir::{Class, Hir, HirKind};
use regex_syntax::parse;

/// The longest text made.
const TEXT_CHARS_MAX: usize = 2_000;

/// Repetitions beyond the fewest.
const MORE_MAX: u32 = 3;

/// Characters that people expect first, of a class that has them.
const LIKED: [(char, char); 4] = [('a', 'z'), ('A', 'Z'), ('0', '9'), (' ', '~')];

/// An expression, parsed.
pub(super) struct Pattern(Hir);

impl Pattern {
    /// Parses an expression; none where it is no expression of this engine.
    pub(super) fn parse(pattern: &str) -> Option<Self> {
        parse(pattern).ok().map(Self)
    }

    /// A text that matches, another one for most `n`; the first repeat as little as they may.
    pub(super) fn example(&self, n: u64) -> Option<String> {
        let mut choices = Choices(n);
        let mut out = String::new();
        write(&self.0, &mut choices, &mut out)?;
        Some(out)
    }
}

/// Numbers that follow from one; all zero from zero.
struct Choices(u64);

impl Choices {
    fn below(&mut self, bound: u64) -> u64 {
        if self.0 == 0 || bound < 2 {
            return 0;
        }
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) % bound
    }
}

/// Nothing where no text matches, or it would be too long.
fn write(hir: &Hir, choices: &mut Choices, out: &mut String) -> Option<()> {
    if out.len() > TEXT_CHARS_MAX {
        return None;
    }
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => out.push_str(std::str::from_utf8(&literal.0).ok()?),
        HirKind::Class(class) => out.push(character(class, choices)?),
        HirKind::Capture(capture) => write(&capture.sub, choices, out)?,
        HirKind::Concat(parts) => {
            for part in parts {
                write(part, choices, out)?;
            }
        }
        HirKind::Alternation(parts) => {
            let part = choices.below(parts.len() as u64) as usize;
            write(parts.get(part)?, choices, out)?;
        }
        HirKind::Repetition(repetition) => {
            let most = repetition
                .max
                .unwrap_or(u32::MAX)
                .min(repetition.min.saturating_add(MORE_MAX));
            let more = choices.below(u64::from(most - repetition.min) + 1) as u32;
            for _ in 0..repetition.min + more {
                write(&repetition.sub, choices, out)?;
            }
        }
    }
    Some(())
}

/// A character of a class: one that people type, if it has any.
fn character(class: &Class, choices: &mut Choices) -> Option<char> {
    let ranges: Vec<(char, char)> = match class {
        Class::Unicode(class) => class.iter().map(|r| (r.start(), r.end())).collect(),
        Class::Bytes(class) => class
            .iter()
            .map(|r| (char::from(r.start()), char::from(r.end())))
            .collect(),
    };
    for (first, last) in LIKED {
        let overlap = |&(from, to): &(char, char)| (from.max(first), to.min(last));
        let liked: Vec<(char, char)> = ranges.iter().map(overlap).collect();
        if let Some(found) = pick(&liked, choices) {
            return Some(found);
        }
    }
    pick(&ranges, choices)
}

/// One of the characters in the ranges, those that are empty aside.
fn pick(ranges: &[(char, char)], choices: &mut Choices) -> Option<char> {
    let width = |&(from, to): &(char, char)| {
        (u64::from(u32::from(to)) + 1).saturating_sub(u64::from(u32::from(from)))
    };
    let count: u64 = ranges.iter().map(width).sum();
    if count == 0 {
        return None;
    }
    let mut at = choices.below(count);
    for range in ranges {
        if at < width(range) {
            // A number within the surrogates is no character; the range's first is one.
            return char::from_u32(u32::from(range.0) + at as u32).or(Some(range.0));
        }
        at -= width(range);
    }
    None
}

#[cfg(test)]
mod tests {
    use regex::Regex;

    use super::*;

    /// Every text made of an expression without look-around is matched by it, from end to end.
    #[test]
    fn what_is_made_is_matched() {
        for text in [
            r"[A-Z]{2}",
            r"[A-Z]{3}-\d{4,6}",
            r"(?:red|green|blue)(?: light)?",
            r"\w+@\w+\.(?:com|org)",
            r"\p{Lu}\p{Ll}*",
            r"[^a-z]{3}",
            r"(?i)abc[0-9a-f]{8}",
            r"\+?[1-9]\d{7,14}",
            r"[äöü]{2}.",
            r"",
        ] {
            let pattern = Pattern::parse(text).unwrap();
            let whole = Regex::new(&format!("^(?:{text})$")).unwrap();
            for n in 0..200 {
                let example = pattern.example(n).unwrap();
                assert!(whole.is_match(&example), "{text}: {example}");
            }
        }
    }

    #[test]
    fn what_cannot_be_made_is_not() {
        assert!(Pattern::parse("[a&&b]").unwrap().example(1).is_none());
        assert!(Pattern::parse("a{5000}").unwrap().example(1).is_none());
        assert!(Pattern::parse("(").is_none());
    }
}
