//! Dates with a time: ISO 8601, or the formats of a definition; written as RFC 3339 has it.
//!
//! - `2024-02-29T12:00:00+01:00`. The `T` may be a space, seconds and their fraction may be missing,
//!   the offset may be `Z`, `+02:00`, `+0200`, `+02`, ` +0200` or ` UTC`.
//! - An offset stays as it was read, but for that of UTC, which is written `Z`.
//! - Without an offset, the time is one of the clocks of the definition's time zone, and gets the
//!   offset they had. Where clocks were put forward over it, it is moved forward as far as they
//!   were; where they showed it twice, the first is meant (RFC 5545, 3.3.5). Without a time zone, it
//!   is written without an offset.
//! - Where a zone had an offset with seconds, before about 1900, the time is written in UTC: RFC 3339
//!   has no seconds there.
//! - `unix` and `unix_ms` count seconds and milliseconds since 1970, in UTC.
//! - Leap seconds are refused, as next to nothing that reads them later can.
//!
//! The zones are those compiled in, the same for every worker. This file must not know the clock.

mod iso;
mod zone;

use super::format::{Format, Miss, Parts, pair};
use super::mismatch::listed;
use super::options::{OptionFault, TypeOptions};
use super::{Mismatch, ascii};
use zone::Zone;

/// What a definition says about dates with a time.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct DateTimes {
    /// At least one.
    formats: Vec<Form>,
    zone: Option<Zone>,
}

#[derive(Debug, Clone, PartialEq)]
enum Form {
    Iso,
    UnixSeconds,
    UnixMillis,
    Own(Format),
}

impl DateTimes {
    pub(super) fn compile(options: &TypeOptions, faults: &mut Vec<OptionFault>) -> Self {
        let mut formats = Vec::new();
        for (index, format) in options.formats.iter().enumerate() {
            let form = match &*format.to_ascii_lowercase() {
                "iso" => Form::Iso,
                "unix" => Form::UnixSeconds,
                "unix_ms" => Form::UnixMillis,
                _ => match Format::compile(format, true) {
                    Ok(format) => Form::Own(format),
                    Err(message) => {
                        faults.push(OptionFault::at("formats", index, message));
                        continue;
                    }
                },
            };
            formats.push(form);
        }
        if formats.is_empty() {
            formats.push(Form::Iso);
        }
        let zone = options.time_zone.as_deref().and_then(|name| {
            Zone::parse(name)
                .map_err(|message| faults.push(OptionFault::of("time_zone", message)))
                .ok()
        });
        Self { formats, zone }
    }

    #[inline]
    pub(super) fn parse<'a>(
        &self,
        cell: &'a [u8],
        out: &'a mut String,
    ) -> Result<&'a str, Mismatch> {
        if self.formats.first() == Some(&Form::Iso) && iso::is_canonical(cell, self.zone.is_none())
        {
            return ascii(cell);
        }
        let mut nearest = Miss::Shape;
        for form in &self.formats {
            let read = match form {
                Form::Iso => iso::read(cell),
                Form::UnixSeconds => unix(cell, false),
                Form::UnixMillis => unix(cell, true),
                Form::Own(format) => format.read(cell),
            };
            match read {
                Ok(parts) => {
                    let parts = self.placed(parts)?;
                    let mut buffer = [0; LONGEST];
                    let written = write(&parts, &mut buffer);
                    if written == cell {
                        return ascii(cell);
                    }
                    out.clear();
                    out.push_str(ascii(written)?);
                    return Ok(out);
                }
                Err(miss) => nearest = nearest.max(miss),
            }
        }
        Err(self.mismatch(nearest))
    }

    /// With the offset of the definition's zone, where the cell has none.
    #[inline]
    fn placed(&self, parts: Parts) -> Result<Parts, Mismatch> {
        match &self.zone {
            Some(zone) if parts.offset.is_none() => zone.place(parts).ok_or(Mismatch::TimeRange),
            _ => Ok(parts),
        }
    }

    #[cold]
    fn mismatch(&self, nearest: Miss) -> Mismatch {
        if let Some(mismatch) = nearest.mismatch() {
            return mismatch;
        }
        if self.formats == [Form::Iso] {
            return Mismatch::NotDateTime;
        }
        let names = self.formats.iter().map(|form| match form {
            Form::Iso => "YYYY-MM-DDTHH:MM:SS",
            Form::UnixSeconds => "seconds since 1970",
            Form::UnixMillis => "milliseconds since 1970",
            Form::Own(format) => format.name(),
        });
        Mismatch::own(format!("is not a date with a time ({})", listed(names)))
    }

    /// The time in the first of the formats.
    pub(super) fn write(&self, parts: &Parts) -> String {
        match self.formats.first() {
            Some(Form::Own(format)) => format.write(parts),
            Some(Form::UnixSeconds) => zone::seconds(parts).unwrap_or(0).to_string(),
            Some(Form::UnixMillis) => (zone::seconds(parts).unwrap_or(0) * 1000).to_string(),
            _ => {
                let mut buffer = [0; LONGEST];
                let written = write(parts, &mut buffer);
                ascii(written).unwrap_or_default().to_owned()
            }
        }
    }
}

/// Seconds or milliseconds since 1970: a sign, digits, and for seconds a fraction.
fn unix(cell: &[u8], millis: bool) -> Result<Parts, Miss> {
    let (whole, fraction) = match cell.iter().position(|byte| *byte == b'.') {
        Some(at) if !millis => cell.split_at(at),
        _ => (cell, &[][..]),
    };
    let count = super::integer::parse(whole).map_err(|_| Miss::Shape)?;
    let seconds = if millis {
        count.div_euclid(1000)
    } else {
        count
    };
    let mut parts = zone::moment(seconds).ok_or(Miss::Time)?;
    if millis && count.rem_euclid(1000) > 0 {
        parts.set_millis(count.rem_euclid(1000).unsigned_abs());
    }
    if let [_, digits @ ..] = fraction {
        // A fraction before 1970 would have to be taken from the second before.
        let is_before = whole.first() == Some(&b'-');
        match parts.read_fraction(digits) {
            Some([]) if !is_before => {}
            _ => return Err(Miss::Shape),
        }
    }
    Ok(parts)
}

/// `YYYY-MM-DDTHH:MM:SS.123456789+00:00`
const LONGEST: usize = 35;

/// Writes as RFC 3339 has it.
#[inline]
fn write<'b>(parts: &Parts, buffer: &'b mut [u8; LONGEST]) -> &'b [u8] {
    buffer[..10].copy_from_slice(&parts.date());
    let [h1, h2] = pair(parts.hour);
    let [m1, m2] = pair(parts.minute);
    let [s1, s2] = pair(parts.second);
    buffer[10..19].copy_from_slice(&[b'T', h1, h2, b':', m1, m2, b':', s1, s2]);
    let mut end = 19;
    let mut push = |bytes: &[u8]| {
        buffer[end..end + bytes.len()].copy_from_slice(bytes);
        end += bytes.len();
    };
    if parts.fraction_digits > 0 {
        push(b".");
        push(parts.fraction_text().as_bytes());
    }
    match parts.offset {
        None => {}
        Some(0) => push(b"Z"),
        Some(offset) => {
            let minutes = offset.unsigned_abs();
            let sign = if offset < 0 { b'-' } else { b'+' };
            let [h1, h2] = pair((minutes / 60) as u8);
            let [m1, m2] = pair((minutes % 60) as u8);
            push(&[sign, h1, h2, b':', m1, m2]);
        }
    }
    &buffer[..end]
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::tz::{Offset, TimeZoneDatabase};
    use proptest::prelude::*;

    fn options(formats: &[&str], zone: Option<&str>) -> TypeOptions {
        TypeOptions {
            formats: formats.iter().map(|format| (*format).to_owned()).collect(),
            time_zone: zone.map(str::to_owned),
            ..TypeOptions::default()
        }
    }

    fn times(formats: &[&str], zone: Option<&str>) -> DateTimes {
        let mut faults = Vec::new();
        let times = DateTimes::compile(&options(formats, zone), &mut faults);
        assert_eq!(faults, []);
        times
    }

    fn parse(times: &DateTimes, cell: &str) -> Result<String, Mismatch> {
        let mut out = String::from("left over");
        times.parse(cell.as_bytes(), &mut out).map(str::to_owned)
    }

    #[test]
    fn iso_in_its_many_forms() {
        let times = times(&[], None);
        for (good, expected) in [
            ("2024-02-29T12:00:00Z", "2024-02-29T12:00:00Z"),
            ("2024-02-29T12:00:00+01:00", "2024-02-29T12:00:00+01:00"),
            ("2024-02-29 12:00:00+0100", "2024-02-29T12:00:00+01:00"),
            ("2024-02-29 12:00:00 +0100", "2024-02-29T12:00:00+01:00"),
            ("2024-02-29 12:00:00+01", "2024-02-29T12:00:00+01:00"),
            ("2024-02-29 12:00:00 UTC", "2024-02-29T12:00:00Z"),
            ("2024-02-29t12:00:00z", "2024-02-29T12:00:00Z"),
            ("2024-02-29T12:00:00+00:00", "2024-02-29T12:00:00Z"),
            ("2024-02-29T12:00:00-00:00", "2024-02-29T12:00:00Z"),
            ("2024-02-29T12:00:00-03:30", "2024-02-29T12:00:00-03:30"),
            ("2024-02-29T12:00Z", "2024-02-29T12:00:00Z"),
            ("2024-02-29 12:00", "2024-02-29T12:00:00"),
            ("2024-02-29 12:00:01.50", "2024-02-29T12:00:01.50"),
            (
                "2024-02-29 12:00:01,123456789",
                "2024-02-29T12:00:01.123456789",
            ),
            (
                "2024-02-29T12:00:01.123456789+14:00",
                "2024-02-29T12:00:01.123456789+14:00",
            ),
            ("0000-01-01T00:00:00", "0000-01-01T00:00:00"),
            ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(parse(&times, good).as_deref(), Ok(expected), "{good}");
        }
    }

    #[test]
    fn refuses_the_rest() {
        let times = times(&[], None);
        for bad in [
            "2024-02-29",
            "12:00",
            "2024-02-29T12",
            "2024-02-29T1200",
            "20240229T120000Z",
            "2024-02-29T12:0",
            "2024-02-29T12:00:0",
            "2024-02-29T12:00:00.",
            "2024-02-29T12:00:00.1234567890",
            "2024-02-29T12:00:00+1",
            "2024-02-29T12:00:00+24:00",
            "2024-02-29T12:00:00+01:60",
            "2024-02-29T12:00:00+01:00[Europe/Berlin]",
            "2024-02-29T12:00:00 CET",
            "2024-02-29  12:00:00",
            "29.02.2024 12:00",
            "-2024-02-29T12:00:00",
            "2024-02-29T12:00:00 ",
            "２024-02-29T12:00",
            "now",
        ] {
            assert_eq!(parse(&times, bad), Err(Mismatch::NotDateTime), "{bad}");
        }
        for bad in ["2023-02-29T12:00", "2024-13-01T12:00", "2024-00-10 24:00"] {
            assert_eq!(parse(&times, bad), Err(Mismatch::NoSuchDay), "{bad}");
        }
        for bad in [
            "2024-02-29T24:00",
            "2024-02-29T12:60",
            "2016-12-31T23:59:60Z",
        ] {
            assert_eq!(parse(&times, bad), Err(Mismatch::NoSuchTime), "{bad}");
        }
    }

    #[test]
    fn a_zone_is_for_cells_that_name_none() {
        let berlin = times(&[], Some("Europe/Berlin"));
        for (good, expected) in [
            ("2024-02-29 12:00", "2024-02-29T12:00:00+01:00"),
            ("2024-07-01 12:00", "2024-07-01T12:00:00+02:00"),
            ("2024-07-01 12:00Z", "2024-07-01T12:00:00Z"),
            ("2024-07-01 12:00:00.5", "2024-07-01T12:00:00.5+02:00"),
            // Clocks went from 02:00 to 03:00.
            ("2024-03-31 02:30", "2024-03-31T03:30:00+02:00"),
            ("2024-03-31 01:59:59", "2024-03-31T01:59:59+01:00"),
            ("2024-03-31 03:00", "2024-03-31T03:00:00+02:00"),
            // And from 03:00 to 02:00.
            ("2024-10-27 02:30", "2024-10-27T02:30:00+02:00"),
            ("2024-10-27 03:00", "2024-10-27T03:00:00+01:00"),
            // Local mean time was 53 minutes and 28 seconds ahead.
            ("1880-01-01 00:53:28", "1880-01-01T00:00:00Z"),
            ("2999-07-01 00:00", "2999-07-01T00:00:00+02:00"),
        ] {
            assert_eq!(parse(&berlin, good).as_deref(), Ok(expected), "{good}");
        }
        let outside = parse(&berlin, "0000-01-01 00:00");
        assert_eq!(outside, Err(Mismatch::TimeRange));
        for (zone, expected) in [
            ("UTC", "2024-07-01T12:00:00Z"),
            ("Z", "2024-07-01T12:00:00Z"),
            ("+02:00", "2024-07-01T12:00:00+02:00"),
            ("-0330", "2024-07-01T12:00:00-03:30"),
            ("america/new_york", "2024-07-01T12:00:00-04:00"),
            ("Asia/Kolkata", "2024-07-01T12:00:00+05:30"),
        ] {
            let times = times(&[], Some(zone));
            assert_eq!(parse(&times, "2024-07-01 12:00").as_deref(), Ok(expected));
        }
    }

    #[test]
    fn an_unknown_zone_is_a_fault() {
        for (zone, expected) in [
            (
                "Europe/Berln",
                "unknown time zone \"Europe/Berln\"; did you mean \"Europe/Berlin\"?",
            ),
            (
                "new york",
                "unknown time zone \"new york\"; did you mean \"America/New_York\"?",
            ),
            (
                "somewhere else",
                "unknown time zone \"somewhere else\"; expected one like \"Europe/Berlin\", \"+02:00\" or \"UTC\"",
            ),
        ] {
            let mut faults = Vec::new();
            DateTimes::compile(&options(&[], Some(zone)), &mut faults);
            assert_eq!(faults, [OptionFault::of("time_zone", expected)]);
        }
    }

    #[test]
    fn own_formats_in_order() {
        let times = times(
            &["DD.MM.YYYY HH:mm", "M/D/YYYY h:mm A", "DD.MM.YYYY", "iso"],
            None,
        );
        for (good, expected) in [
            ("29.02.2024 12:00", "2024-02-29T12:00:00"),
            ("1.2.2024  9:05", "2024-02-01T09:05:00"),
            ("2/29/2024 12:05 AM", "2024-02-29T00:05:00"),
            ("2/29/2024 12:05 pm", "2024-02-29T12:05:00"),
            ("2/29/2024 1:05 p.m.", "2024-02-29T13:05:00"),
            ("29.02.2024", "2024-02-29T00:00:00"),
            ("2024-02-29T12:00Z", "2024-02-29T12:00:00Z"),
        ] {
            assert_eq!(parse(&times, good).as_deref(), Ok(expected), "{good}");
        }
        for (bad, expected) in [
            (
                "soon",
                "is not a date with a time (DD.MM.YYYY HH:mm, M/D/YYYY h:mm A, DD.MM.YYYY or YYYY-MM-DDTHH:MM:SS)",
            ),
            ("31.02.2024 12:00", "is not a day of the calendar"),
            ("29.02.2024 25:00", "is not a time of the day"),
            ("2/29/2024 13:05 PM", "is not a time of the day"),
        ] {
            let mismatch = parse(&times, bad).unwrap_err();
            assert_eq!(mismatch.to_string(), expected, "{bad}");
        }
    }

    #[test]
    fn seconds_and_milliseconds_since_1970() {
        let seconds = times(&["unix"], Some("Europe/Berlin"));
        let millis = times(&["unix_ms"], None);
        for (times, good, expected) in [
            (&seconds, "0", "1970-01-01T00:00:00Z"),
            (&seconds, "1709208000", "2024-02-29T12:00:00Z"),
            (&seconds, "1709208000.25", "2024-02-29T12:00:00.25Z"),
            (&seconds, "-1", "1969-12-31T23:59:59Z"),
            (&millis, "1709208000000", "2024-02-29T12:00:00Z"),
            (&millis, "1709208000007", "2024-02-29T12:00:00.007Z"),
            (&millis, "-1", "1969-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(parse(times, good).as_deref(), Ok(expected), "{good}");
        }
        for bad in ["", "1e9", "-1.5", "1.", "x", "1709208000.1234567890"] {
            let mismatch = parse(&seconds, bad).unwrap_err();
            let expected = "is not a date with a time (seconds since 1970)";
            assert_eq!(mismatch.to_string(), expected, "{bad}");
        }
        for bad in ["253402300800", "-62167219201", "9223372036854775807"] {
            assert_eq!(parse(&seconds, bad), Err(Mismatch::NoSuchTime), "{bad}");
        }
        assert!(parse(&millis, "1.5").is_err());
    }

    proptest! {
        /// Every moment that jiff writes is read as that moment, and written as jiff writes it.
        #[test]
        fn agrees_with_jiff(seconds in -62_000_000_000_i64..253_000_000_000, nanos in 0_i32..1_000_000_000) {
            let moment = jiff::Timestamp::new(seconds, nanos).expect("in range");
            let written = moment.to_string();
            prop_assert_eq!(parse(&times(&[], None), &written), Ok(written));
        }

        /// What is seen to be as it will be written is read, and written so.
        #[test]
        fn a_glance_is_never_wrong(cell in "[01][09][012][0349]-[01][0-9]-[0-3][0-9][T ][0-2][0-9]:[0-6][0-9]:[0-6][0-9](Z|[+-][012][0-9]:[0-6][0-9]|[+-]00:0[01])?") {
            for zone in [None, Some("+01:00")] {
                if iso::is_canonical(cell.as_bytes(), zone.is_none()) {
                    // Not the first of its formats, so that it is read like any other.
                    let slow = times(&["YYYYMMDD", "iso"], zone);
                    prop_assert_eq!(parse(&slow, &cell), Ok(cell.clone()));
                }
            }
        }

        /// A local time in a zone is the moment that jiff finds by its "compatible" rule.
        #[test]
        fn zones_agree_with_jiff(seconds in -2_000_000_000_i64..5_000_000_000, zone in 0_usize..6) {
            let zone = ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe",
                "Africa/Casablanca", "Pacific/Apia"][zone];
            let local = Offset::UTC.to_datetime(jiff::Timestamp::from_second(seconds).expect("in range"));
            let read = parse(&times(&[], Some(zone)), &local.to_string()).expect("a time");
            let read: jiff::Timestamp = read.parse().expect("a moment");
            let zone = TimeZoneDatabase::bundled().get(zone).expect("a zone");
            let expected = zone.to_ambiguous_timestamp(local).compatible().expect("a moment");
            prop_assert_eq!(read, expected);
        }
    }
}
