//! The types that a column is tried as, each with the options that cells are written in.
//!
//! Every shape is the definition's own converter, so what fits here fits an import. They stand in the
//! order in which they are preferred where several fit. This file must not know columns.

use batchfleet_definition::{Converter, FieldType, TypeOptions, Value};

/// What a shape stands for, besides its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trait {
    /// Nothing else.
    Plain,
    /// The day comes before the month, though the other way round might be read as well.
    DayFirst,
    /// The month comes before the day.
    MonthFirst,
    /// Digits alone, which may just as well be a number.
    Digits,
    /// A year of two digits, which may just as well be a version or a place.
    ShortYear,
    /// A point before the fraction.
    Point,
    /// A comma before the fraction.
    Comma,
}

/// One way to read a column.
#[derive(Debug)]
pub(super) struct Shape {
    pub(super) kind: FieldType,
    pub(super) options: TypeOptions,
    pub(super) is: Trait,
    converter: Converter,
}

impl Shape {
    /// Whether a cell fits, without the spaces around it.
    pub(super) fn convert<'a>(&'a self, cell: &'a [u8], out: &'a mut String) -> Option<Value<'a>> {
        self.converter.convert(cell, out).ok()
    }

    /// Whether it is a number of any kind.
    pub(super) fn is_numeric(&self) -> bool {
        matches!(
            self.kind,
            FieldType::Integer | FieldType::Decimal | FieldType::Number
        )
    }
}

const DATES: [(&str, Trait); 18] = [
    ("iso", Trait::Plain),
    ("YYYY/MM/DD", Trait::Plain),
    ("YYYY.MM.DD", Trait::Plain),
    ("DD.MM.YYYY", Trait::Plain),
    ("DD/MM/YYYY", Trait::DayFirst),
    ("MM/DD/YYYY", Trait::MonthFirst),
    ("DD-MM-YYYY", Trait::DayFirst),
    ("MM-DD-YYYY", Trait::MonthFirst),
    ("DD-MMM-YYYY", Trait::Plain),
    ("DD MMM YYYY", Trait::Plain),
    ("DD MMMM YYYY", Trait::Plain),
    ("MMM DD, YYYY", Trait::Plain),
    ("MMMM DD, YYYY", Trait::Plain),
    ("DD-MMM-YY", Trait::Plain),
    ("DD.MM.YY", Trait::ShortYear),
    ("DD/MM/YY", Trait::ShortYear),
    ("MM/DD/YY", Trait::ShortYear),
    ("YYYYMMDD", Trait::Digits),
];

const TIMES: [(&str, Trait); 27] = [
    ("iso", Trait::Plain),
    ("DD.MM.YYYY HH:mm", Trait::Plain),
    ("DD.MM.YYYY HH:mm:ss", Trait::Plain),
    ("DD.MM.YYYY, HH:mm", Trait::Plain),
    ("DD.MM.YYYY, HH:mm:ss", Trait::Plain),
    ("DD.MM.YY HH:mm", Trait::Plain),
    ("YYYY/MM/DD HH:mm", Trait::Plain),
    ("YYYY/MM/DD HH:mm:ss", Trait::Plain),
    ("DD/MM/YYYY HH:mm", Trait::DayFirst),
    ("DD/MM/YYYY HH:mm:ss", Trait::DayFirst),
    ("MM/DD/YYYY HH:mm", Trait::MonthFirst),
    ("MM/DD/YYYY HH:mm:ss", Trait::MonthFirst),
    ("MM/DD/YYYY hh:mm A", Trait::MonthFirst),
    ("MM/DD/YYYY hh:mm:ss A", Trait::MonthFirst),
    ("MM/DD/YYYY, hh:mm:ss A", Trait::MonthFirst),
    ("DD/MM/YYYY, HH:mm:ss", Trait::DayFirst),
    ("MM/DD/YY HH:mm", Trait::MonthFirst),
    ("DD/MM/YY HH:mm", Trait::DayFirst),
    ("DD-MM-YYYY HH:mm", Trait::DayFirst),
    ("DD-MM-YYYY HH:mm:ss", Trait::DayFirst),
    ("DD-MMM-YYYY HH:mm:ss", Trait::Plain),
    ("DD/MMM/YYYY:HH:mm:ss ZZ", Trait::Plain),
    ("MMM DD, YYYY hh:mm:ss A", Trait::Plain),
    ("YYYYMMDDTHHmmss", Trait::Plain),
    ("YYYYMMDDHHmmss", Trait::Digits),
    ("unix", Trait::Digits),
    ("unix_ms", Trait::Digits),
];

/// The separators of thousands and of the fraction.
const MARKS: [(Option<char>, char); 9] = [
    (None, '.'),
    (None, ','),
    (Some(','), '.'),
    (Some('.'), ','),
    (Some(' '), ','),
    (Some(' '), '.'),
    (Some('\''), '.'),
    (Some('\''), ','),
    (Some('_'), '.'),
];

/// Every shape, the preferred ones first.
pub(super) fn all() -> Vec<Shape> {
    let mut shapes = Vec::new();
    for kind in [FieldType::Uuid, FieldType::Email, FieldType::Url] {
        add(&mut shapes, kind, TypeOptions::default(), Trait::Plain);
    }
    add(
        &mut shapes,
        FieldType::Json,
        TypeOptions::default(),
        Trait::Plain,
    );
    add(
        &mut shapes,
        FieldType::Phone,
        TypeOptions::default(),
        Trait::Plain,
    );
    for (format, is) in DATES {
        add(&mut shapes, FieldType::Date, formats(format), is);
    }
    for (format, is) in TIMES {
        add(&mut shapes, FieldType::DateTime, formats(format), is);
    }
    for kind in [FieldType::Integer, FieldType::Decimal, FieldType::Number] {
        for (thousands, point) in MARKS {
            // A whole number has a mark between thousands, or none at all.
            let is_whole = kind == FieldType::Integer;
            if is_whole && thousands.is_none() && point == ',' {
                continue;
            }
            let is = if point == ',' {
                Trait::Comma
            } else {
                Trait::Point
            };
            let implied = if thousands == Some('.') { ',' } else { '.' };
            let options = TypeOptions {
                thousands_separator: thousands,
                decimal_separator: (!is_whole && point != implied).then_some(point),
                ..TypeOptions::default()
            };
            if is_whole
                && shapes
                    .iter()
                    .any(|shape: &Shape| same(shape, kind, &options))
            {
                continue;
            }
            add(&mut shapes, kind, options, is);
        }
    }
    shapes
}

fn same(shape: &Shape, kind: FieldType, options: &TypeOptions) -> bool {
    shape.kind == kind && shape.options == *options
}

fn formats(format: &str) -> TypeOptions {
    let formats = if format == "iso" {
        Vec::new()
    } else {
        vec![format.to_owned()]
    };
    TypeOptions {
        formats,
        ..TypeOptions::default()
    }
}

fn add(shapes: &mut Vec<Shape>, kind: FieldType, options: TypeOptions, is: Trait) {
    // One that did not compile would be left out of every guess; a test sees to it that all do.
    if let Ok(converter) = Converter::compile(kind, &options) {
        shapes.push(Shape {
            kind,
            options,
            is,
            converter,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_compiles() {
        let whole = MARKS.len() - 1;
        // Of whole numbers, two marks before a fraction make one shape of a mark between thousands.
        let doubled = 2;
        let numbers = 2 * MARKS.len() + whole - doubled;
        assert_eq!(all().len(), 5 + DATES.len() + TIMES.len() + numbers);
    }
}
