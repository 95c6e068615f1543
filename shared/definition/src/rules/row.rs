//! The converted values of one record, kept while its rules are asked.
//!
//! Values are borrowed from a cell and from room that the next field uses again; here they stay,
//! without an allocation for a record that is no larger than those before. It must not know what is
//! asked of them.

use crate::types::Value;

/// The values of a record's fields, in their order. Made once, used again for every record.
#[derive(Debug, Clone, Default)]
pub struct Row {
    text: String,
    values: Vec<Kept>,
}

/// A value, with its text by its place.
#[derive(Debug, Clone, Copy)]
enum Kept {
    /// The cell is no value of its field's type.
    Broken,
    Null,
    Int(i64),
    Num(f64),
    Bool(bool),
    Str(Place),
    Decimal(Place),
    Json(Place),
}

#[derive(Debug, Clone, Copy)]
struct Place {
    start: usize,
    end: usize,
}

impl Row {
    /// Forgets the values.
    pub fn clear(&mut self) {
        self.text.clear();
        self.values.clear();
    }

    /// Adds the value of the next field; `None` stands for a cell that is no value of its type.
    #[inline]
    pub fn push(&mut self, value: Option<Value<'_>>) {
        let kept = match value {
            None => Kept::Broken,
            Some(Value::Null) => Kept::Null,
            Some(Value::Int(int)) => Kept::Int(int),
            Some(Value::Num(number)) => Kept::Num(number),
            Some(Value::Bool(truth)) => Kept::Bool(truth),
            Some(Value::Str(text)) => Kept::Str(self.keep(text)),
            Some(Value::Decimal(text)) => Kept::Decimal(self.keep(text)),
            Some(Value::Json(text)) => Kept::Json(self.keep(text)),
        };
        self.values.push(kept);
    }

    fn keep(&mut self, text: &str) -> Place {
        let start = self.text.len();
        self.text.push_str(text);
        let end = self.text.len();
        Place { start, end }
    }

    /// The value of a field; `None` where its cell is none.
    #[inline]
    pub(crate) fn get(&self, index: u32) -> Option<Value<'_>> {
        let text = |place: Place| self.text.get(place.start..place.end).unwrap_or("");
        Some(match *self.values.get(index as usize)? {
            Kept::Broken => return None,
            Kept::Null => Value::Null,
            Kept::Int(int) => Value::Int(int),
            Kept::Num(number) => Value::Num(number),
            Kept::Bool(truth) => Value::Bool(truth),
            Kept::Str(place) => Value::Str(text(place)),
            Kept::Decimal(place) => Value::Decimal(text(place)),
            Kept::Json(place) => Value::Json(text(place)),
        })
    }
}

impl<'v> FromIterator<Option<Value<'v>>> for Row {
    fn from_iter<I: IntoIterator<Item = Option<Value<'v>>>>(values: I) -> Self {
        let mut row = Self::default();
        for value in values {
            row.push(value);
        }
        row
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stay_as_they_are() {
        let values = [
            Some(Value::Str("é")),
            None,
            Some(Value::Null),
            Some(Value::Int(1)),
            Some(Value::Num(0.5)),
            Some(Value::Bool(true)),
            Some(Value::Decimal("1.0")),
            Some(Value::Json("[]")),
            Some(Value::Str("")),
        ];
        let mut row: Row = values.into_iter().collect();
        for (index, value) in values.into_iter().enumerate() {
            assert_eq!(row.get(index as u32), value);
        }
        assert_eq!(row.get(99), None);
        row.clear();
        assert_eq!(row.get(0), None);
    }
}
