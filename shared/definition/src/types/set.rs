//! Enums: one of the values that a definition lists.
//!
//! Few values are compared one by one, which is quicker than a hash; many are looked up. This file
//! must not know what the values mean.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use super::mismatch::listed;
use super::options::{OptionFault, TypeOptions};
use super::{Mismatch, fold, text};
use crate::suggest::nearest;

/// So many values are compared one by one.
const FEW: usize = 12;

/// The values of a definition.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Set {
    values: Vec<Box<str>>,
    /// The place of every value, when there are many; without its case when that does not count.
    places: HashMap<Box<str>, usize, BuildHasherDefault<Fnv>>,
    /// The values without their case, when case does not count.
    folded: Option<Vec<Box<str>>>,
}

impl Set {
    pub(super) fn compile(options: &TypeOptions, faults: &mut Vec<OptionFault>) -> Self {
        let values = &options.values;
        if values.is_empty() {
            let message = "an enum needs at least one value";
            faults.push(OptionFault::of("values", message));
        }
        let mut places: HashMap<Box<str>, usize, BuildHasherDefault<Fnv>> =
            HashMap::with_capacity_and_hasher(values.len(), BuildHasherDefault::default());
        let mut folded = Vec::with_capacity(values.len());
        for (index, value) in values.iter().enumerate() {
            if value.is_empty() || value.trim() != value {
                let message = "a value cannot be empty or have spaces around it, as no cell has";
                faults.push(OptionFault::at("values", index, message));
            }
            let mut key = value.clone();
            if options.ignore_case {
                fold(value, &mut key);
            }
            folded.push(key.clone().into_boxed_str());
            if places.insert(key.into(), index).is_some() {
                let case = if options.ignore_case {
                    "; case does not count"
                } else {
                    ""
                };
                let message = format!("the value \"{value}\" is there twice{case}");
                faults.push(OptionFault::at("values", index, message));
            }
        }
        if values.len() <= FEW {
            places.clear();
        }
        Self {
            values: values.iter().map(|value| (**value).into()).collect(),
            places,
            folded: options.ignore_case.then_some(folded),
        }
    }

    /// The value as the definition has it. `out` is for scratch.
    #[inline]
    pub(super) fn parse(&self, cell: &[u8], out: &mut String) -> Result<&str, Mismatch> {
        if self.places.is_empty() {
            for value in &self.values {
                if value.as_bytes() == cell {
                    return Ok(value);
                }
            }
        }
        let cell = text(cell)?;
        let place = match &self.folded {
            None => self.places.get(cell).copied(),
            Some(folded) => {
                if self.places.is_empty() {
                    for value in &self.values {
                        if value.eq_ignore_ascii_case(cell) {
                            return Ok(value);
                        }
                    }
                }
                fold(cell, out);
                if self.places.is_empty() {
                    folded.iter().position(|value| **value == **out)
                } else {
                    self.places.get(out.as_str()).copied()
                }
            }
        };
        place
            .and_then(|place| self.values.get(place))
            .map(|value| &**value)
            .ok_or_else(|| self.mismatch())
    }

    #[cold]
    fn mismatch(&self) -> Mismatch {
        Mismatch::NotInSet(format!("is not {}", one_of(self.values())).into())
    }

    /// The value nearest to the cell.
    pub(super) fn nearest(&self, cell: &str) -> Option<&str> {
        nearest(cell, self.values())
    }

    /// The values, in the order of the definition.
    pub(super) fn values(&self) -> impl ExactSizeIterator<Item = &str> + Clone {
        self.values.iter().map(|value| &**value)
    }
}

/// FNV-1a, the quickest hash of short text that is a few lines. Whoever writes a definition could make
/// its values collide, and would harm nobody else by it; cells choose no keys.
#[derive(Debug, Clone)]
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

fn one_of<'a>(values: impl ExactSizeIterator<Item = &'a str>) -> String {
    if values.len() == 1 {
        listed(values)
    } else {
        format!("one of {}", listed(values))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(values: &[&str], ignore_case: bool) -> Result<Set, Vec<OptionFault>> {
        let options = TypeOptions {
            values: values.iter().map(|value| (*value).to_owned()).collect(),
            ignore_case,
            ..TypeOptions::default()
        };
        let mut faults = Vec::new();
        let set = Set::compile(&options, &mut faults);
        if faults.is_empty() {
            Ok(set)
        } else {
            Err(faults)
        }
    }

    #[test]
    fn a_value_is_written_as_the_definition_has_it() {
        let many: Vec<String> = (0..50).map(|index| format!("Größe {index}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let mut out = String::new();
        for values in [&["Rot", "GRÜN", "blau"][..], &many] {
            let strict = set(values, false).expect("good");
            let loose = set(values, true).expect("good");
            for value in values {
                assert_eq!(strict.parse(value.as_bytes(), &mut out), Ok(*value));
                for other in [value.to_lowercase(), value.to_uppercase()] {
                    assert_eq!(
                        loose.parse(other.as_bytes(), &mut out),
                        Ok(*value),
                        "{other}"
                    );
                    let is_same = other == *value;
                    assert_eq!(strict.parse(other.as_bytes(), &mut out).is_ok(), is_same);
                }
            }
            assert!(loose.parse(b"gelb", &mut out).is_err());
            assert_eq!(loose.parse(b"\xff", &mut out), Err(Mismatch::NotUtf8));
        }
    }

    #[test]
    fn a_mismatch_lists_the_values() {
        let mut out = String::new();
        for (values, expected) in [
            (&["a"][..], "is not a"),
            (&["a", "b", "c"], "is not one of a, b or c"),
        ] {
            let mismatch = set(values, false)
                .unwrap()
                .parse(b"x", &mut out)
                .unwrap_err();
            assert_eq!(mismatch.to_string(), expected);
            assert_eq!(mismatch.code(), crate::Code::NotInSet);
        }
    }

    #[test]
    fn values_are_checked() {
        for (values, ignore_case, index, message) in [
            (&[][..], false, None, "an enum needs at least one value"),
            (
                &["a", "b", "a"],
                false,
                Some(2),
                "the value \"a\" is there twice",
            ),
            (
                &["a", "A"],
                true,
                Some(1),
                "the value \"A\" is there twice; case does not count",
            ),
            (
                &["a", ""],
                false,
                Some(1),
                "a value cannot be empty or have spaces around it, as no cell has",
            ),
        ] {
            let faults = set(values, ignore_case).unwrap_err();
            assert_eq!(faults[0].key, "values");
            assert_eq!((faults[0].index, &*faults[0].message), (index, message));
        }
        assert!(set(&["a", "A"], false).is_ok());
    }
}
