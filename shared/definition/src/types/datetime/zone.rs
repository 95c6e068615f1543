//! The offsets that clocks had in a place.
//!
//! The zones are those compiled in, never those of the machine: every worker has the same. This file
//! must not know how times are written.

use jiff::civil;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone, TimeZoneDatabase};

use super::super::format::{Parts, offset, pair};
use crate::show::shown;
use crate::suggest::nearest;

/// The zone of times that name none.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Zone {
    /// Always the same minutes east of Greenwich.
    Fixed(i16),
    Named(TimeZone),
}

impl Zone {
    /// The zone of a definition, by its name or its offset.
    ///
    /// # Errors
    ///
    /// A sentence about what is wrong with it.
    pub(super) fn parse(name: &str) -> Result<Self, String> {
        let name = name.trim();
        if name.eq_ignore_ascii_case("utc") {
            return Ok(Self::Fixed(0));
        }
        if let Some((minutes, [])) = offset(name.as_bytes()) {
            return Ok(Self::Fixed(minutes));
        }
        let zones = TimeZoneDatabase::bundled();
        if let Ok(zone) = zones.get(name) {
            return Ok(Self::Named(zone));
        }
        let names: Vec<String> = zones.available().map(|name| name.to_string()).collect();
        let names = names.iter().map(String::as_str);
        // `Berlin`, whatever continent it is on.
        let is_city = |zone: &&str| {
            let city = zone.rsplit('/').next().unwrap_or_default();
            city.replace('_', " ")
                .eq_ignore_ascii_case(&name.replace('_', " "))
        };
        let hint = match names.clone().find(is_city).or_else(|| nearest(name, names)) {
            Some(near) => format!("; did you mean \"{near}\"?"),
            None => "; expected one like \"Europe/Berlin\", \"+02:00\" or \"UTC\"".to_owned(),
        };
        Err(format!("unknown time zone {}{hint}", shown(name)))
    }

    /// A local time with the offset that clocks had then; `None` outside the years of four digits.
    #[inline]
    pub(super) fn place(&self, parts: Parts) -> Option<Parts> {
        match self {
            Self::Fixed(offset) => Some(Parts {
                offset: Some(*offset),
                ..parts
            }),
            Self::Named(zone) => in_zone(parts, zone),
        }
    }
}

/// The time with the offset that the zone had then; `None` outside the years of four digits.
fn in_zone(mut parts: Parts, zone: &TimeZone) -> Option<Parts> {
    let time = civil_of(&parts)?;
    let ambiguous = zone.to_ambiguous_timestamp(time);
    let offset = match ambiguous.offset() {
        AmbiguousOffset::Unambiguous { offset }
        // The first of the two times.
        | AmbiguousOffset::Fold { before: offset, .. } => offset,
        // The clocks have been put forward already.
        AmbiguousOffset::Gap { before, after } => {
            let moment = before.to_timestamp(time).ok()?;
            parts.set(after.to_datetime(moment))?;
            after
        }
    };
    if offset.seconds() % 60 == 0 {
        parts.offset = i16::try_from(offset.seconds() / 60).ok();
        return Some(parts);
    }
    let moment = ambiguous.compatible().ok()?;
    parts.set(Offset::UTC.to_datetime(moment))?;
    parts.offset = Some(0);
    Some(parts)
}

/// The moment so many seconds after 1970, in UTC; `None` outside the years of four digits.
pub(super) fn moment(seconds: i64) -> Option<Parts> {
    let moment = jiff::Timestamp::from_second(seconds).ok()?;
    let mut parts = Parts::default();
    parts.set(Offset::UTC.to_datetime(moment))?;
    parts.offset = Some(0);
    Some(parts)
}

/// Seconds from 1970 to the time, were it one of UTC.
pub(super) fn seconds(parts: &Parts) -> Option<i64> {
    let moment = Offset::UTC.to_timestamp(civil_of(parts)?).ok()?;
    Some(moment.as_second())
}

/// The time on a calendar, without its fraction of a second.
#[inline]
fn civil_of(parts: &Parts) -> Option<civil::DateTime> {
    civil::DateTime::new(
        parts.year.cast_signed(),
        parts.month.cast_signed(),
        parts.day.cast_signed(),
        parts.hour.cast_signed(),
        parts.minute.cast_signed(),
        parts.second.cast_signed(),
        0,
    )
    .ok()
}

impl Parts {
    /// Takes over milliseconds, below a thousand.
    pub(super) fn set_millis(&mut self, millis: u64) {
        let [tens, ones] = pair((millis % 100) as u8);
        self.fraction[..3].copy_from_slice(&[b'0' + (millis / 100) as u8, tens, ones]);
        self.fraction_digits = 3;
    }

    /// Takes over all but the fraction of a second; `None` outside the years of four digits.
    fn set(&mut self, time: civil::DateTime) -> Option<()> {
        self.year = u16::try_from(time.year())
            .ok()
            .filter(|year| *year <= 9999)?;
        self.month = time.month().unsigned_abs();
        self.day = time.day().unsigned_abs();
        self.hour = time.hour().unsigned_abs();
        self.minute = time.minute().unsigned_abs();
        self.second = time.second().unsigned_abs();
        Some(())
    }
}
