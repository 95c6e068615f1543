//! Dates: `YYYY-MM-DD`, or the formats of a definition; a day the Gregorian calendar has.
//!
//! Written as `YYYY-MM-DD` whatever was read. Other orders are refused unless the definition names
//! them, because `03/04` is two days. This file must not know about times and zones.

use super::format::{Format, Miss, Parts, is_day, two};
use super::mismatch::listed;
use super::options::OptionFault;
use super::{Mismatch, ascii};

#[inline]
pub(super) fn parse(cell: &[u8]) -> Result<&str, Mismatch> {
    let &[y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = cell else {
        return Err(Mismatch::NotDate);
    };
    let digits = [y1, y2, y3, y4, m1, m2, d1, d2];
    if !digits.iter().all(u8::is_ascii_digit) {
        return Err(Mismatch::NotDate);
    }
    let year = u16::from(two(y1, y2)) * 100 + u16::from(two(y3, y4));
    if is_day(year, two(m1, m2), two(d1, d2)) {
        ascii(cell)
    } else {
        Err(Mismatch::NoSuchDay)
    }
}

/// The formats of a definition.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Dates {
    formats: Vec<DateFormat>,
}

#[derive(Debug, Clone, PartialEq)]
enum DateFormat {
    Iso,
    Own(Format),
}

impl Dates {
    /// The formats of a definition; `None` where it has none but ISO 8601.
    pub(super) fn compile(formats: &[String], faults: &mut Vec<OptionFault>) -> Option<Self> {
        let mut compiled = Vec::new();
        for (index, format) in formats.iter().enumerate() {
            if format.eq_ignore_ascii_case("iso") {
                compiled.push(DateFormat::Iso);
                continue;
            }
            match Format::compile(format, false) {
                Ok(format) => compiled.push(DateFormat::Own(format)),
                Err(message) => faults.push(OptionFault::at("formats", index, message)),
            }
        }
        let is_iso_alone = compiled.iter().all(|format| *format == DateFormat::Iso);
        (!is_iso_alone).then_some(Self { formats: compiled })
    }

    #[inline]
    pub(super) fn parse<'a>(
        &self,
        cell: &'a [u8],
        out: &'a mut String,
    ) -> Result<&'a str, Mismatch> {
        let mut nearest = Miss::Shape;
        for format in &self.formats {
            match format {
                DateFormat::Iso => match parse(cell) {
                    Ok(date) => return Ok(date),
                    Err(Mismatch::NoSuchDay) => nearest = nearest.max(Miss::Day),
                    Err(_) => {}
                },
                DateFormat::Own(format) => match format.read(cell) {
                    Ok(parts) => {
                        out.clear();
                        out.push_str(ascii(&parts.date())?);
                        return Ok(out);
                    }
                    Err(miss) => nearest = nearest.max(miss),
                },
            }
        }
        Err(self.mismatch(nearest))
    }

    #[cold]
    fn mismatch(&self, nearest: Miss) -> Mismatch {
        if let Some(mismatch) = nearest.mismatch() {
            return mismatch;
        }
        let formats = self.formats.iter().map(|format| match format {
            DateFormat::Iso => "YYYY-MM-DD",
            DateFormat::Own(format) => format.name(),
        });
        Mismatch::own(format!("is not a date ({})", listed(formats)))
    }

    /// The day in the first of the formats.
    pub(super) fn write(&self, parts: &Parts) -> String {
        match self.formats.first() {
            Some(DateFormat::Own(format)) => format.write(parts),
            _ => iso(parts),
        }
    }
}

/// The day as ISO 8601 writes it.
pub(super) fn iso(parts: &Parts) -> String {
    parts.date().map(char::from).iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_jiff_on_eight_centuries() {
        for year in 1600..2400 {
            for month in 0..=13 {
                for day in 0..=32 {
                    let text = format!("{year:04}-{month:02}-{day:02}");
                    let exists = jiff::civil::Date::new(year, month, day).is_ok();
                    let expected = exists.then_some(text.as_str()).ok_or(Mismatch::NoSuchDay);
                    assert_eq!(parse(text.as_bytes()), expected, "{text}");
                }
            }
        }
    }

    #[test]
    fn knows_leap_years() {
        for good in [
            "2000-02-29",
            "2024-02-29",
            "0000-02-29",
            "9999-12-31",
            "0001-01-01",
        ] {
            assert_eq!(parse(good.as_bytes()), Ok(good));
        }
        for bad in [
            "1900-02-29",
            "2023-02-29",
            "2024-02-30",
            "2024-04-31",
            "0000-00-00",
        ] {
            assert_eq!(parse(bad.as_bytes()), Err(Mismatch::NoSuchDay), "{bad}");
        }
    }

    #[test]
    fn refuses_other_forms() {
        for bad in [
            "2024-1-1",
            "20240101",
            "2024/01/01",
            "01-01-2024",
            "24-01-01",
            "2024-01-01T00:00:00",
            "2024-01-01Z",
            "-2024-01-01",
            "+2024-01-01",
            "2024-01-0a",
            "2024-W01-1",
            "２024-01-1",
            "today",
        ] {
            assert_eq!(parse(bad.as_bytes()), Err(Mismatch::NotDate), "{bad}");
        }
    }
}
