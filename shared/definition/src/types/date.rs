//! Dates: `YYYY-MM-DD`, a day the Gregorian calendar has.
//!
//! Written out as read. Other orders are refused because `03/04` is two days. This file must not
//! know about times and zones.

use super::{Mismatch, text};

const DAYS: [u32; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

pub(super) fn parse(cell: &[u8]) -> Result<&str, Mismatch> {
    let &[y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = cell else {
        return Err(Mismatch::NotDate);
    };
    let digits = [y1, y2, y3, y4, m1, m2, d1, d2];
    if !digits.iter().all(u8::is_ascii_digit) {
        return Err(Mismatch::NotDate);
    }
    let two = |tens: u8, ones: u8| u32::from(tens - b'0') * 10 + u32::from(ones - b'0');
    let year = two(y1, y2) * 100 + two(y3, y4);
    if is_day(year, two(m1, m2), two(d1, d2)) {
        text(cell)
    } else {
        Err(Mismatch::NoSuchDay)
    }
}

fn is_day(year: u32, month: u32, day: u32) -> bool {
    let Some(&days) = DAYS.get(month.wrapping_sub(1) as usize) else {
        return false;
    };
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = days + u32::from(month == 2 && leap);
    (1..=days).contains(&day)
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
