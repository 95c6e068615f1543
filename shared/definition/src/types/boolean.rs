//! Booleans: `true`/`false`, `yes`/`no`, `1`/`0`, in any case.
//!
//! These are the spellings spreadsheets and databases write. This file must not know anything else.

use super::Mismatch;

pub(super) fn parse(cell: &[u8]) -> Result<bool, Mismatch> {
    match cell {
        b"1" => Ok(true),
        b"0" => Ok(false),
        _ if is(cell, b"true") || is(cell, b"yes") => Ok(true),
        _ if is(cell, b"false") || is(cell, b"no") => Ok(false),
        _ => Err(Mismatch::NotBoolean),
    }
}

fn is(cell: &[u8], word: &[u8]) -> bool {
    cell.eq_ignore_ascii_case(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_the_six_words_in_any_case() {
        for good in ["1", "true", "True", "TRUE", "tRuE", "yes", "Yes", "YES"] {
            assert_eq!(parse(good.as_bytes()), Ok(true), "{good}");
        }
        for good in ["0", "false", "False", "FALSE", "no", "No", "NO"] {
            assert_eq!(parse(good.as_bytes()), Ok(false), "{good}");
        }
    }

    #[test]
    fn refuses_the_rest() {
        for bad in [
            "2",
            "01",
            "t",
            "f",
            "y",
            "n",
            "on",
            "off",
            "wahr",
            "true.",
            "ｔｒｕｅ",
        ] {
            assert_eq!(parse(bad.as_bytes()), Err(Mismatch::NotBoolean), "{bad}");
        }
    }
}
