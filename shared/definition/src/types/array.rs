//! Arrays: several values of one type in one cell, written as a JSON list.
//!
//! - Items stand between separators, `,` unless the definition says otherwise. Spaces around them
//!   go, and so do empty ones: `a, b,,c` is three items.
//! - A cell that is a JSON list is taken as one: `["a, b", 3]`. Its strings and numbers are converted
//!   as cells would be, and `null` is an empty item.
//!
//! This file must not know the types of items.

use super::mismatch::BadItem;
use super::options::{ItemType, OptionFault, TypeOptions};
use super::{Converter, FieldType, Mismatch, json, text};
use crate::json_lines::push_value;
use crate::show::shown_bytes;

/// Arrays of arrays of arrays are more than anybody writes in a cell.
const DEPTH_MAX: u32 = 3;
const SEPARATOR_MAX: usize = 16;

/// What a definition says about an array.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Arrays {
    separator: Box<str>,
    items: Box<Converter>,
}

impl Arrays {
    /// `depth` is the number of arrays around this one.
    pub(super) fn compile(
        options: &TypeOptions,
        depth: u32,
        faults: &mut Vec<OptionFault>,
    ) -> Option<Self> {
        let separator = options.separator.as_deref().unwrap_or(",");
        if separator.is_empty() || separator.len() > SEPARATOR_MAX {
            let message = format!("expected 1 to {SEPARATOR_MAX} bytes that stand between items");
            faults.push(OptionFault::of("separator", message));
        }
        let strings = ItemType {
            kind: FieldType::String,
            options: TypeOptions::default(),
        };
        let items = options.items.as_deref().unwrap_or(&strings);
        if depth + 1 >= DEPTH_MAX && items.kind == FieldType::Array {
            let message = format!("more than {DEPTH_MAX} arrays within each other");
            faults.push(OptionFault::of("items", message));
            return None;
        }
        clash(separator, items, faults);
        match Converter::compile_within(items.kind, &items.options, depth + 1) {
            Ok(items) => Some(Self {
                separator: separator.into(),
                items: Box::new(items),
            }),
            Err(inner) => {
                for fault in inner {
                    let place = match fault.index {
                        Some(index) => format!("{} {}", fault.key, index + 1),
                        None => fault.key.to_owned(),
                    };
                    let message = format!("{place}: {}", fault.message);
                    faults.push(OptionFault::of("items", message));
                }
                None
            }
        }
    }

    pub(super) fn parse<'a>(&self, cell: &[u8], out: &'a mut String) -> Result<&'a str, Mismatch> {
        let cell = text(cell)?;
        let mut list = std::mem::take(out).into_bytes();
        list.clear();
        list.push(b'[');
        let mut scratch = String::new();
        if let Some(items) = json::items(cell) {
            for (index, item) in items.into_iter().enumerate() {
                self.json_item(item.get(), index, &mut list, &mut scratch)?;
            }
        } else {
            for (index, item) in cell.split(&*self.separator).enumerate() {
                self.item(item, index, &mut list, &mut scratch)?;
            }
        }
        list.push(b']');
        *out = String::from_utf8(list).map_err(|_| Mismatch::NotUtf8)?;
        Ok(out)
    }

    /// Converts one item and adds it to the list.
    fn item(
        &self,
        item: &str,
        index: usize,
        list: &mut Vec<u8>,
        scratch: &mut String,
    ) -> Result<(), Mismatch> {
        let item = item.trim_ascii();
        if item.is_empty() {
            return Ok(());
        }
        if list.len() > 1 {
            list.push(b',');
        }
        match self.items.convert(item.as_bytes(), scratch) {
            Ok(value) => {
                push_value(list, value);
                Ok(())
            }
            Err(why) => Err(bad_item(index, item, why)),
        }
    }

    /// As [`Arrays::item`], for an item of a JSON list.
    fn json_item(
        &self,
        item: &str,
        index: usize,
        list: &mut Vec<u8>,
        scratch: &mut String,
    ) -> Result<(), Mismatch> {
        let kind = self.items.kind();
        match item.as_bytes() {
            [b'n', ..] => Ok(()),
            _ if kind == FieldType::Json => self.item(item, index, list, scratch),
            [b'"', inner @ .., b'"'] if !inner.contains(&b'\\') => {
                self.item(text(inner)?, index, list, scratch)
            }
            [b'"', ..] => {
                let decoded: String = serde_json::from_str(item).unwrap_or_default();
                self.item(&decoded, index, list, scratch)
            }
            [b'[' | b'{', ..] if kind != FieldType::Array => {
                let why = Mismatch::own("is not a single value");
                Err(bad_item(index, item, why))
            }
            _ => self.item(item, index, list, scratch),
        }
    }

    /// The cell with what the items' type suggests in place of those that do not fit.
    pub(super) fn suggest(&self, cell: &str) -> Option<String> {
        if cell.starts_with('[') {
            return None;
        }
        let mut scratch = String::new();
        let mut items = Vec::new();
        for item in cell.split(&*self.separator).map(str::trim_ascii) {
            let is_good =
                item.is_empty() || self.items.convert(item.as_bytes(), &mut scratch).is_ok();
            items.push(if is_good {
                item.to_owned()
            } else {
                self.items.suggest(item.as_bytes())?
            });
        }
        Some(items.join(&self.separator))
    }

    /// Two items.
    pub(super) fn example(&self, n: u64) -> String {
        let items = [n, n.wrapping_add(1)].map(|n| self.items.example(n));
        let is_split = items.iter().any(|item| item.contains(&*self.separator));
        if is_split || items[0].starts_with('[') || self.items.kind() == FieldType::Json {
            let json = |item: &String| match self.items.kind() {
                FieldType::Json => item.clone(),
                _ => serde_json::Value::from(item.as_str()).to_string(),
            };
            return format!("[{}]", items.iter().map(json).collect::<Vec<_>>().join(","));
        }
        items.join(&self.separator)
    }
}

#[cold]
fn bad_item(index: usize, item: &str, why: Mismatch) -> Mismatch {
    Mismatch::Item(Box::new(BadItem {
        number: index + 1,
        shown: shown_bytes(item.as_bytes()),
        why,
    }))
}

/// A separator that items have in them would cut them in pieces.
fn clash(separator: &str, items: &ItemType, faults: &mut Vec<OptionFault>) {
    let marks = [
        items.options.decimal_separator,
        items.options.thousands_separator,
    ];
    let is_mark = marks
        .into_iter()
        .flatten()
        .any(|mark| separator.trim_ascii() == mark.to_string());
    let inner = items.options.separator.as_deref().unwrap_or(",");
    if is_mark || (items.kind == FieldType::Array && inner == separator) {
        let message = "the items have this separator in them; expected another";
        faults.push(OptionFault::of("separator", message));
    }
}
