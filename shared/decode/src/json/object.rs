//! One JSON object to the cells of its row.

use std::collections::HashMap;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::json::{cell, is_ours};

/// Arrays and objects within one another, at most, in one row.
const DEPTH_MAX: u32 = 128;

/// The columns that keys lead to. Spelling with other case or spaces leads to the same one, as
/// headers do.
pub(crate) struct Columns {
    exact: HashMap<String, usize>,
    folded: HashMap<String, usize>,
    len: usize,
}

/// What names are compared by.
pub(crate) fn folded(name: &str) -> String {
    name.trim().to_lowercase()
}

impl Columns {
    pub(crate) fn new(names: &[String]) -> Self {
        let mut columns = Self {
            exact: HashMap::with_capacity(names.len()),
            folded: HashMap::with_capacity(names.len()),
            len: names.len(),
        };
        for (index, name) in names.iter().enumerate() {
            columns.exact.entry(name.clone()).or_insert(index);
            columns.folded.entry(folded(name)).or_insert(index);
        }
        columns
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    fn find(&self, key: &str) -> Option<usize> {
        let found = self.exact.get(key).copied();
        found.or_else(|| self.folded.get(&folded(key)).copied())
    }
}

/// An object whose values are still JSON.
pub(crate) struct Object<'a> {
    values: Vec<Option<&'a RawValue>>,
    /// The first key that no column takes.
    pub(crate) late: Option<String>,
}

impl<'a> Object<'a> {
    /// Reads an object.
    ///
    /// # Errors
    /// Why it is none, as a sentence.
    pub(crate) fn parse(text: &'a [u8], columns: &Columns) -> Result<Self, String> {
        if text.is_empty() {
            return Err("there is nothing between two commas".to_owned());
        }
        if text.first() != Some(&b'{') {
            return Err("the row is no JSON object: it must begin with {".to_owned());
        }
        let mut reader = serde_json::Deserializer::from_slice(text);
        let read = ObjectSeed(columns).deserialize(&mut reader);
        let read = read.and_then(|object| reader.end().map(|()| object));
        read.map_err(|error| format!("the row is no JSON object: {error}"))
    }

    /// Appends the cells, each behind a comma.
    ///
    /// # Errors
    /// Why a value can't be one, as a sentence. What was appended until then means nothing.
    pub(crate) fn write(&self, columns: usize, out: &mut Vec<u8>) -> Result<(), String> {
        for column in 0..columns {
            out.push(b',');
            if let Some(Some(value)) = self.values.get(column) {
                write_value(value.get(), out)?;
            }
        }
        Ok(())
    }
}

fn write_value(raw: &str, out: &mut Vec<u8>) -> Result<(), String> {
    match raw.as_bytes().first() {
        Some(b'n') | None => {}
        Some(b'"') => {
            let inner = raw.get(1..raw.len() - 1).unwrap_or_default();
            if inner.contains('\\') {
                let text: String = serde_json::from_str(raw)
                    .map_err(|error| format!("a text of the row can't be read: {error}"))?;
                cell(&text, out);
            } else {
                cell(inner, out);
            }
        }
        Some(b'{' | b'[') => cell(&compact(raw)?, out),
        // Numbers and booleans have nothing in them that CSV would need quotes for.
        Some(_) => out.extend_from_slice(raw.as_bytes()),
    }
    Ok(())
}

/// JSON without the spaces between its parts.
fn compact(raw: &str) -> Result<String, String> {
    let mut text = String::with_capacity(raw.len());
    let (mut in_string, mut is_escaped, mut depth) = (false, false, 0_u32);
    for character in raw.chars() {
        if in_string {
            in_string = is_escaped || character != '"';
            is_escaped = !is_escaped && character == '\\';
        } else {
            match character {
                '"' => in_string = true,
                '{' | '[' => depth += 1,
                '}' | ']' => depth = depth.saturating_sub(1),
                ' ' | '\t' | '\n' | '\r' => continue,
                _ => {}
            }
            if depth > DEPTH_MAX {
                return Err(format!(
                    "the row has more than {DEPTH_MAX} arrays or objects within one another"
                ));
            }
        }
        text.push(character);
    }
    Ok(text)
}

struct ObjectSeed<'c>(&'c Columns);

impl<'de> DeserializeSeed<'de> for ObjectSeed<'_> {
    type Value = Object<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for ObjectSeed<'_> {
    type Value = Object<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut object = Object {
            values: vec![None; self.0.len()],
            late: None,
        };
        while let Some(key) = map.next_key_seed(KeySeed(self.0))? {
            let column = match key {
                Key::Column(column) => column,
                Key::Ours => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
                Key::Late(name) => {
                    map.next_value::<IgnoredAny>()?;
                    object.late.get_or_insert(name);
                    continue;
                }
            };
            let value: &RawValue = map.next_value()?;
            let slot = &mut object.values[column];
            if slot.is_some() {
                return Err(A::Error::custom(format!(
                    "it has two values for the column {}",
                    column + 1
                )));
            }
            *slot = Some(value);
        }
        Ok(object)
    }
}

enum Key {
    Column(usize),
    /// A key that a report of rejected rows adds: passed over, as such columns are.
    Ours,
    Late(String),
}

struct KeySeed<'c>(&'c Columns);

impl<'de> DeserializeSeed<'de> for KeySeed<'_> {
    type Value = Key;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Key, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for KeySeed<'_> {
    type Value = Key;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Key, E> {
        Ok(match self.0.find(key) {
            Some(column) => Key::Column(column),
            None if is_ours(key) => Key::Ours,
            None => Key::Late(key.to_owned()),
        })
    }
}

/// The keys of an object in their order; none where it is no object.
pub(crate) fn keys(text: &[u8]) -> Vec<String> {
    struct Keys;
    impl<'de> Visitor<'de> for Keys {
        type Value = Vec<String>;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut keys = Vec::new();
            while let Some(key) = map.next_key::<String>()? {
                map.next_value::<IgnoredAny>()?;
                keys.push(key);
            }
            Ok(keys)
        }
    }
    let mut reader = serde_json::Deserializer::from_slice(text);
    let keys = reader.deserialize_map(Keys);
    let keys = keys.and_then(|keys| reader.end().map(|()| keys));
    keys.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaces_go_but_for_those_in_texts() {
        let text = compact(" [ 1.50 , {\"a b\" : \"c \\\" d\"} ]".trim()).unwrap();
        assert_eq!(text, "[1.50,{\"a b\":\"c \\\" d\"}]");
        let deep = "[".repeat(200) + &"]".repeat(200);
        assert!(compact(&deep).is_err());
    }
}
