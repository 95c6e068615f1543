//! Regular expressions, compiled within bounds.
//!
//! The engine takes time linear in the text for any expression: it has neither look-around nor
//! backreferences. This file must not know what an expression is for.

use regex::{Regex, RegexBuilder};

/// The most memory that a compiled expression may take, in bytes. `\w{1,60}` needs half of it.
const SIZE_MAX: usize = 4 << 20;
/// The deepest nesting of groups.
const NESTING_MAX: u32 = 50;
/// The longest expression, in bytes.
const TEXT_MAX: usize = 4096;

/// Compiles an expression, or says on one line what is wrong with it.
pub(crate) fn compile(text: &str) -> Result<Regex, String> {
    if text.len() > TEXT_MAX {
        return Err(format!(
            "the pattern is {} bytes long, more than the {TEXT_MAX} allowed",
            text.len()
        ));
    }
    let built = RegexBuilder::new(text)
        .size_limit(SIZE_MAX)
        .nest_limit(NESTING_MAX)
        .build();
    built.map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => {
            "the pattern needs too much memory; repeat fewer times".to_owned()
        }
        error => {
            // Its text shows the pattern on lines of its own and ends with what is wrong.
            let error = error.to_string();
            let why = error.rsplit_once("error: ").map_or(&*error, |(_, why)| why);
            let why = why.split_whitespace().collect::<Vec<_>>().join(" ");
            format!("not a regular expression: {why}")
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_is_wrong_on_one_line() {
        for (bad, expected) in [
            ("(a", "not a regular expression: unclosed group"),
            (
                "(?=a)",
                "not a regular expression: look-around, including look-ahead and look-behind, is not supported",
            ),
            (
                r"(a)\1",
                "not a regular expression: backreferences are not supported",
            ),
            (
                r"\w{1000}{1000}",
                "the pattern needs too much memory; repeat fewer times",
            ),
        ] {
            assert_eq!(compile(bad).unwrap_err(), expected, "{bad}");
        }
        assert!(compile(&"(".repeat(3000)).is_err());
        assert!(compile(&"a".repeat(4097)).is_err());
        assert!(compile(r"^\w{1,60}$").unwrap().is_match("Zoë"));
    }
}
