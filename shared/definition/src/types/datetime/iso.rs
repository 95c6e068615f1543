//! Dates with a time as ISO 8601 writes them, and as databases and languages write instead.
//!
//! This file must not know zones by their names.

use super::super::format::{Miss, Parts, is_day, offset, two};

/// Whether a cell is as it will be written, for certain: with seconds and without a fraction, with an
/// offset or, where `local` allows, without. Nearly all that programs write is.
#[inline]
pub(super) fn is_canonical(cell: &[u8], local: bool) -> bool {
    let Some((date_time, offset)) = cell.split_first_chunk::<19>() else {
        return false;
    };
    let &[
        y1,
        y2,
        y3,
        y4,
        b'-',
        m1,
        m2,
        b'-',
        d1,
        d2,
        b'T',
        h1,
        h2,
        b':',
        n1,
        n2,
        b':',
        s1,
        s2,
    ] = date_time
    else {
        return false;
    };
    let digits = [y1, y2, y3, y4, m1, m2, d1, d2, h1, h2, n1, n2, s1, s2];
    if !digits.iter().all(u8::is_ascii_digit) {
        return false;
    }
    let is_offset = match *offset {
        [] => local,
        [b'Z'] => true,
        [b'+' | b'-', h1, h2, b':', m1, m2] => {
            // That of UTC is written in another way.
            [h1, h2, m1, m2].iter().all(u8::is_ascii_digit)
                && two(h1, h2) < 24
                && two(m1, m2) < 60
                && two(h1, h2) + two(m1, m2) > 0
        }
        _ => false,
    };
    let year = u16::from(two(y1, y2)) * 100 + u16::from(two(y3, y4));
    is_offset
        && is_day(year, two(m1, m2), two(d1, d2))
        && two(h1, h2) < 24
        && two(n1, n2) < 60
        && two(s1, s2) < 60
}

/// Reads a cell.
#[inline]
pub(super) fn read(cell: &[u8]) -> Result<Parts, Miss> {
    let (date, rest) = cell.split_first_chunk::<10>().ok_or(Miss::Shape)?;
    let &[y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = date else {
        return Err(Miss::Shape);
    };
    let [b'T' | b't' | b' ', h1, h2, b':', n1, n2, rest @ ..] = rest else {
        return Err(Miss::Shape);
    };
    let digits = [y1, y2, y3, y4, m1, m2, d1, d2, *h1, *h2, *n1, *n2];
    if !digits.iter().all(u8::is_ascii_digit) {
        return Err(Miss::Shape);
    }
    let mut parts = Parts {
        hour: two(*h1, *h2),
        minute: two(*n1, *n2),
        ..Parts::of_day(
            u16::from(two(y1, y2)) * 100 + u16::from(two(y3, y4)),
            two(m1, m2),
            two(d1, d2),
        )
    };
    let mut rest = rest;
    if let [b':', tens @ b'0'..=b'9', ones @ b'0'..=b'9', after @ ..] = rest {
        parts.second = two(*tens, *ones);
        rest = after;
        if let [b'.' | b',', after @ ..] = rest {
            rest = parts.read_fraction(after).ok_or(Miss::Shape)?;
        }
    }
    if !rest.is_empty() {
        parts.offset = Some(iso_offset(rest).ok_or(Miss::Shape)?);
    }
    parts.check()
}

/// The offset at the end of a cell.
#[inline]
fn iso_offset(rest: &[u8]) -> Option<i16> {
    if let [b' ', b'U' | b'G', b'T' | b'M', b'C' | b'T'] = rest {
        return matches!(rest, b" UTC" | b" GMT").then_some(0);
    }
    let rest = rest.strip_prefix(b" ").unwrap_or(rest);
    match offset(rest)? {
        (minutes, []) => Some(minutes),
        _ => None,
    }
}
