//! Dates, times and durations, read and written.
//!
//! All of them are in UTC: a time of a day that names no zone is taken as UTC, so that it compares
//! with others of its kind. Nothing here knows what time it is now.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};

use super::value::{Fail, Moment, Val};

/// The moment of a date or of a date with a time, as ISO 8601 and RFC 3339 write them.
pub(super) fn read(text: &str) -> Option<Moment> {
    let bytes = text.as_bytes();
    if let &[a, b, c, d, b'-', e, f, b'-', g, h] = bytes {
        let number = |digits: &[u8]| {
            let mut number = 0_i16;
            for digit in digits {
                number = number * 10 + i16::from(digit.checked_sub(b'0').filter(|one| *one < 10)?);
            }
            Some(number)
        };
        let (month, day_of_month) = (number(&[e, f])? as i8, number(&[g, h])? as i8);
        return Some(day(
            Date::new(number(&[a, b, c, d])?, month, day_of_month).ok()?
        ));
    }
    // The time has the shortest form that could have a zone behind it: `10:00`.
    if bytes.len() < 16 {
        return None;
    }
    let at = match text.strip_suffix(['Z', 'z']) {
        // What follows a time is not looked at when it is read without a zone.
        Some(utc) if has_offset(utc.as_bytes()) => return None,
        Some(utc) => utc.parse().ok()?,
        None if has_offset(bytes) => Offset::UTC.to_datetime(text.parse::<Timestamp>().ok()?),
        None => text.parse().ok()?,
    };
    Some(Moment { at, is_day: false })
}

fn has_offset(bytes: &[u8]) -> bool {
    let mut behind = bytes[10..].iter();
    behind.any(|byte| matches!(byte, b'Z' | b'z' | b'+' | b'-' | b'['))
}

/// The beginning of a day.
fn day(date: Date) -> Moment {
    let at = date.to_datetime(Time::midnight());
    Moment { at, is_day: true }
}

/// The day that a moment is in.
pub(super) fn date(moment: Moment) -> Moment {
    day(moment.at.date())
}

const EPOCH: DateTime = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);

/// So many seconds after the beginning of 1970.
pub(super) fn of_seconds(seconds: i64) -> Result<Moment, Fail> {
    let at = EPOCH.checked_add(SignedDuration::from_secs(seconds));
    let at = at.map_err(|_| Fail::Overflow)?;
    Ok(Moment { at, is_day: false })
}

/// The whole seconds since the beginning of 1970.
pub(super) fn seconds(moment: Moment) -> i64 {
    moment.at.duration_since(EPOCH).as_secs()
}

/// A moment so much later. Whole days after a day is a day again.
pub(super) fn later(moment: Moment, span: SignedDuration) -> Result<Moment, Fail> {
    let at = moment.at.checked_add(span).map_err(|_| Fail::Overflow)?;
    let is_day = moment.is_day && span.as_secs() % DAY == 0 && span.subsec_nanos() == 0;
    Ok(Moment { at, is_day })
}

/// Seconds of a day.
pub(super) const DAY: i64 = 24 * 60 * 60;

pub(super) fn shown(moment: Moment) -> String {
    if moment.is_day {
        moment.at.date().to_string()
    } else {
        format!("{}Z", moment.at)
    }
}

/// A duration as CEL writes it: seconds, `5400s`.
pub(super) fn shown_span(span: SignedDuration) -> String {
    let nanos = span.as_nanos();
    let sign = if nanos < 0 { "-" } else { "" };
    let (seconds, rest) = (
        nanos.unsigned_abs() / 1_000_000_000,
        nanos.unsigned_abs() % 1_000_000_000,
    );
    if rest == 0 {
        return format!("{sign}{seconds}s");
    }
    let fraction = format!("{rest:09}");
    format!("{sign}{seconds}.{}s", fraction.trim_end_matches('0'))
}

/// A duration as CEL reads it, `1h30m`, `-1.5s`; the units are `d`, `h`, `m`, `s`, `ms`, `us` and `ns`.
pub(super) fn read_span(text: &str) -> Option<SignedDuration> {
    let (is_negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    if rest == "0" {
        return Some(SignedDuration::ZERO);
    }
    if rest.is_empty() || rest.len() > 64 {
        return None;
    }
    let mut nanos: i128 = 0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, behind) = rest.split_at(digits);
        let unit_end = behind
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(behind.len());
        let (unit, behind) = behind.split_at(unit_end);
        nanos = nanos.checked_add(nanos_of(number, unit)?)?;
        rest = behind;
    }
    let nanos = if is_negative { -nanos } else { nanos };
    let seconds = i64::try_from(nanos / 1_000_000_000).ok()?;
    Some(SignedDuration::new(seconds, (nanos % 1_000_000_000) as i32))
}

fn nanos_of(number: &str, unit: &str) -> Option<i128> {
    let unit: i128 = match unit {
        "d" => i128::from(DAY) * 1_000_000_000,
        "h" => 3_600_000_000_000,
        "m" => 60_000_000_000,
        "s" => 1_000_000_000,
        "ms" => 1_000_000,
        "us" | "µs" => 1_000,
        "ns" => 1,
        _ => return None,
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
        return None;
    }
    let whole: i128 = if whole.is_empty() {
        0
    } else {
        i128::from(whole.parse::<i64>().ok()?)
    };
    let mut nanos = whole.checked_mul(unit)?;
    let mut place = unit;
    for digit in fraction.bytes() {
        place /= 10;
        nanos += i128::from(digit - b'0') * place;
    }
    Some(nanos)
}

/// So many days of 24 hours.
pub(super) fn days(count: i64) -> Result<Val<'static>, Fail> {
    let seconds = count.checked_mul(DAY).ok_or(Fail::Overflow)?;
    Ok(Val::Span(SignedDuration::from_secs(seconds)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_dates_and_times() {
        for (text, expected) in [
            ("2024-02-29", Some("2024-02-29")),
            ("2023-02-29", None),
            ("2024-1-1", None),
            ("2024-00-10", None),
            ("2024-13-10", None),
            ("2024-0:-10", None),
            ("0000-01-01", Some("0000-01-01")),
            ("9999-12-31", Some("9999-12-31")),
            ("20240131", None),
            ("2024-01-31T10:00:00Z", Some("2024-01-31T10:00:00Z")),
            ("2024-01-31T10:00:00+02:00", Some("2024-01-31T08:00:00Z")),
            ("2024-01-31T10:00:00.25", Some("2024-01-31T10:00:00.25Z")),
            ("2024-01-31T10:00", Some("2024-01-31T10:00:00Z")),
            ("9999-12-31T23:59:59Z", Some("9999-12-31T23:59:59Z")),
            ("9999-12-31T23:59:59", Some("9999-12-31T23:59:59Z")),
            ("2024-01-31T10:00:00+02:00Z", None),
            ("2024-01-31T10:00:00-99:00", None),
            ("tomorrow", None),
            ("", None),
            ("éééééééééé", None),
        ] {
            assert_eq!(read(text).map(shown).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn reads_durations() {
        for (text, expected) in [
            ("720h", Some("2592000s")),
            ("1h30m", Some("5400s")),
            ("-1.5s", Some("-1.5s")),
            ("0", Some("0s")),
            ("30d", Some("2592000s")),
            ("1ms", Some("0.001s")),
            (".5m", Some("30s")),
            ("", None),
            ("5", None),
            ("h", None),
            ("5x", None),
            (".s", None),
            ("1..5s", None),
            ("99999999999999999999h", None),
            ("9223372036854775807h", None),
            ("--1s", None),
        ] {
            assert_eq!(
                read_span(text).map(shown_span).as_deref(),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn days_after_a_day_are_days() {
        let first = read("2024-02-28").unwrap();
        let Ok(Val::Span(two)) = days(2) else {
            panic!()
        };
        assert_eq!(shown(later(first, two).unwrap()), "2024-03-01");
        let hour = SignedDuration::from_secs(3600);
        assert_eq!(shown(later(first, hour).unwrap()), "2024-02-28T01:00:00Z");
        assert_eq!(later(first, SignedDuration::MAX), Err(Fail::Overflow));
    }
}
