//! Booleans: `true`/`false`, `yes`/`no`, `1`/`0`, in any case, or the words of a definition.
//!
//! These are the spellings spreadsheets and databases write. This file must not know anything else.

use super::mismatch::listed;
use super::options::{OptionFault, TypeOptions};
use super::{Mismatch, fold, text};

const TRUE: [&str; 3] = ["true", "yes", "1"];
const FALSE: [&str; 3] = ["false", "no", "0"];

#[inline]
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

/// The words of a definition.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Words {
    /// As the definition has them, those for true first.
    shown: Vec<Box<str>>,
    /// The same without their case.
    folded: Vec<Box<str>>,
    /// How many of them stand for true.
    trues: usize,
}

impl Words {
    /// The words of a definition; `None` where it has none of its own. A side without words has the
    /// usual ones.
    pub(super) fn compile(options: &TypeOptions, faults: &mut Vec<OptionFault>) -> Option<Self> {
        if options.true_words.is_empty() && options.false_words.is_empty() {
            return None;
        }
        let mut words = Self {
            shown: Vec::new(),
            folded: Vec::new(),
            trues: 0,
        };
        words.add("true_words", &options.true_words, TRUE, faults);
        words.trues = words.shown.len();
        words.add("false_words", &options.false_words, FALSE, faults);
        Some(words)
    }

    fn add(
        &mut self,
        key: &'static str,
        own: &[String],
        usual: [&str; 3],
        faults: &mut Vec<OptionFault>,
    ) {
        let mut words: Vec<&str> = own.iter().map(String::as_str).collect();
        if words.is_empty() {
            words.extend(usual);
        }
        for (index, word) in words.into_iter().enumerate() {
            let mut folded = String::new();
            fold(word, &mut folded);
            if word.is_empty() || word.trim() != word {
                let message = "a word cannot be empty or have spaces around it";
                faults.push(OptionFault::at(key, index, message));
            } else if self.folded.iter().any(|other| **other == *folded) {
                let message = format!("the word \"{word}\" is there twice; case does not count");
                let index = (!own.is_empty()).then_some(index);
                faults.push(OptionFault {
                    key: if index.is_some() { key } else { "true_words" },
                    index,
                    message,
                });
            }
            self.shown.push(word.into());
            self.folded.push(folded.into());
        }
    }

    /// `out` is for scratch.
    #[inline]
    pub(super) fn parse(&self, cell: &[u8], out: &mut String) -> Result<bool, Mismatch> {
        let mut words = self.folded.iter();
        if let Some(index) = words.position(|word| is(cell, word.as_bytes())) {
            return Ok(index < self.trues);
        }
        self.parse_folded(cell, out)
    }

    /// Letters beyond ASCII have a case too.
    #[cold]
    fn parse_folded(&self, cell: &[u8], out: &mut String) -> Result<bool, Mismatch> {
        if !cell.is_ascii() {
            fold(text(cell)?, out);
            if let Some(index) = self.folded.iter().position(|word| **word == **out) {
                return Ok(index < self.trues);
            }
        }
        let words = listed(self.words());
        Err(Mismatch::own(format!("is not a boolean ({words})")))
    }

    /// The words, those for true first.
    pub(super) fn words(&self) -> impl ExactSizeIterator<Item = &str> + Clone {
        self.shown.iter().map(|word| &**word)
    }

    /// A word for true or for false.
    pub(super) fn word(&self, truth: bool) -> &str {
        let index = if truth { 0 } else { self.trues };
        self.shown.get(index).map_or("", |word| word)
    }
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

    fn words(trues: &[&str], falses: &[&str]) -> Result<Words, Vec<OptionFault>> {
        let own = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let options = TypeOptions {
            true_words: own(trues),
            false_words: own(falses),
            ..TypeOptions::default()
        };
        let mut faults = Vec::new();
        let words = Words::compile(&options, &mut faults).expect("own words");
        if faults.is_empty() {
            Ok(words)
        } else {
            Err(faults)
        }
    }

    #[test]
    fn own_words_in_any_case() {
        let words = words(&["ja", "ÄTSCH"], &["nein"]).expect("good");
        let mut out = String::new();
        for (good, truth) in [
            ("ja", true),
            ("JA", true),
            ("ätsch", true),
            ("Ätsch", true),
            ("Nein", false),
        ] {
            assert_eq!(words.parse(good.as_bytes(), &mut out), Ok(truth), "{good}");
        }
        for bad in ["yes", "true", "1", "j", "neinn", "ä"] {
            let mismatch = words.parse(bad.as_bytes(), &mut out).unwrap_err();
            let expected = "is not a boolean (ja, ÄTSCH or nein)";
            assert_eq!(mismatch.to_string(), expected, "{bad}");
        }
        assert_eq!(words.parse(b"\xff", &mut out), Err(Mismatch::NotUtf8));
    }

    #[test]
    fn one_side_alone_leaves_the_other_as_it_is() {
        let words = words(&["x"], &[]).expect("good");
        let mut out = String::new();
        assert_eq!(words.parse(b"X", &mut out), Ok(true));
        assert_eq!(words.parse(b"0", &mut out), Ok(false));
        assert!(words.parse(b"true", &mut out).is_err());
    }

    #[test]
    fn a_word_stands_for_one_thing() {
        for (trues, falses, key, index) in [
            (&["a", "A"][..], &["b"][..], "true_words", Some(1)),
            (&["a"], &["b", "a"], "false_words", Some(1)),
            (&["no"], &[], "true_words", None),
            (&[], &["1"], "false_words", Some(0)),
            (&[""], &["b"], "true_words", Some(0)),
            (&[" a"], &["b"], "true_words", Some(0)),
        ] {
            let faults = words(trues, falses).unwrap_err();
            assert_eq!((faults[0].key, faults[0].index), (key, index), "{faults:?}");
        }
    }
}
