//! What functions do with values of which none is null.
//!
//! It must not know how functions are called, nor what is done with what they give.

use std::rc::Rc;

use jiff::SignedDuration;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::super::moment;
use super::super::value::{Fail, Moment, Text, Val, decimal_of, double_of};
use super::{Function, listed};

/// The longest text that a function may make, in bytes.
pub(in crate::rules) const TEXT_MAX: usize = 1 << 20;

/// How many bytes the result may have besides what its arguments weigh; known before it is made.
pub(in crate::rules) fn growth(function: Function, arguments: &[Val]) -> Result<usize, Fail> {
    let length = match (function, arguments) {
        (Function::Replace, [Val::Str(text), Val::Str(from), Val::Str(to)]) => {
            let places = if from.is_empty() {
                text.chars().count() + 1
            } else {
                text.len() / from.len()
            };
            places.saturating_mul(to.len()).saturating_add(text.len())
        }
        (Function::Join, [Val::List(items), rest @ ..]) => {
            let separator = match rest {
                [Val::Str(separator)] => separator.len(),
                _ => 0,
            };
            let mut length = items.len().saturating_mul(separator);
            for item in items.iter() {
                if let Val::Str(text) = item {
                    length = length.saturating_add(text.len());
                }
            }
            length
        }
        // Each piece is a value of its own, which is larger than most texts.
        (Function::Split, [Val::Str(text), ..]) => return Ok(text.len().saturating_mul(64)),
        _ => 0,
    };
    if length > TEXT_MAX {
        return Err(Fail::TooLarge);
    }
    Ok(length)
}

/// What a function gives for arguments of which none is null.
pub(in crate::rules) fn call<'a>(
    function: Function,
    arguments: &[Val<'a>],
) -> Result<Val<'a>, Fail> {
    let found = match arguments {
        [one] => of_one(function, one)?,
        [Val::Str(text), Val::Str(other)] => of_texts(function, text, other),
        [Val::Str(text), Val::Str(from), Val::Str(to)] if function == Function::Replace => {
            Some(Val::Str(text.replace(&**from, to).into()))
        }
        [Val::Str(text), Val::Int(start)] if function == Function::Substring => {
            Some(substring(text, *start, None)?)
        }
        [Val::Str(text), Val::Int(start), Val::Int(end)] if function == Function::Substring => {
            Some(substring(text, *start, Some(*end))?)
        }
        [Val::List(items), Val::Str(separator)] if function == Function::Join => {
            Some(join(items, separator)?)
        }
        _ => None,
    };
    match (found, function) {
        (Some(value), _) => Ok(value),
        (None, Function::Greatest) => extreme(arguments, true),
        (None, Function::Least) => extreme(arguments, false),
        (None, _) => Err(mistaken(function, arguments)),
    }
}

/// The function does not take what it was given.
fn mistaken(function: Function, arguments: &[Val]) -> Fail {
    let takes = function
        .signature()
        .map_or(&[][..], |signature| signature.takes);
    for (takes, given) in takes.iter().zip(arguments) {
        if !takes.contains(&given.sort()) {
            let name = function.name();
            let (takes, given) = (listed(takes), given.sort().as_str());
            return Fail::Sorts(format!("{name}() takes {takes}, not {given}"));
        }
    }
    Fail::Sorts(format!("{}() does not take these values", function.name()))
}

fn of_one<'a>(function: Function, value: &Val<'a>) -> Result<Option<Val<'a>>, Fail> {
    let value = match (function, value) {
        (Function::Size, Val::Str(text)) => count(text.chars().count()),
        (Function::Size, Val::List(items)) => count(items.len()),
        (Function::Size, Val::Map(entries)) => count(entries.len()),
        (Function::Trim, Val::Str(text)) => Val::Str(trimmed(text)),
        (Function::LowerAscii, Val::Str(text)) => Val::Str(text.to_ascii_lowercase().into()),
        (Function::UpperAscii, Val::Str(text)) => Val::Str(text.to_ascii_uppercase().into()),
        (Function::Join, Val::List(items)) => join(items, "")?,
        (Function::String, value) => Val::Str(value.to_text()),
        (Function::Bool, Val::Bool(truth)) => Val::Bool(*truth),
        (Function::Bool, Val::Str(text)) => match &**text {
            "true" | "True" | "TRUE" | "t" | "1" => Val::Bool(true),
            "false" | "False" | "FALSE" | "f" | "0" => Val::Bool(false),
            _ => return Err(Fail::Convert("true or false")),
        },
        (Function::Int | Function::Double | Function::Decimal, value) => {
            return to_number(function, value);
        }
        (Function::Timestamp, Val::Time(moment)) => Val::Time(Moment {
            is_day: false,
            ..*moment
        }),
        (Function::Date, Val::Time(moment)) => Val::Time(moment::date(*moment)),
        (Function::Timestamp, Val::Int(seconds)) => Val::Time(moment::of_seconds(*seconds)?),
        (Function::Date, Val::Int(seconds)) => {
            Val::Time(moment::date(moment::of_seconds(*seconds)?))
        }
        (Function::Timestamp | Function::Date, Val::Str(text)) => {
            let moment = moment::read(text.trim()).ok_or(Fail::Convert(
                "a date (2024-01-31) or a date with a time (2024-01-31T10:00:00Z)",
            ))?;
            Val::Time(if function == Function::Date {
                moment::date(moment)
            } else {
                moment
            })
        }
        (Function::Duration, Val::Span(span)) => Val::Span(*span),
        (Function::Duration, Val::Str(text)) => Val::Span(
            moment::read_span(text.trim()).ok_or(Fail::Convert("a duration (90s, 1h30m, 30d)"))?,
        ),
        (Function::Days, Val::Int(count)) => moment::days(*count)?,
        (_, Val::Time(at)) => match part_of_time(function, *at) {
            Some(part) => Val::Int(part),
            None => return Ok(None),
        },
        (_, Val::Span(span)) => match part_of_span(function, *span) {
            Some(part) => Val::Int(part),
            None => return Ok(None),
        },
        (_, Val::Int(_) | Val::Num(_) | Val::Dec(_)) => return rounded(function, value),
        _ => return Ok(None),
    };
    Ok(Some(value))
}

/// A number of characters or items.
fn count<'a>(count: usize) -> Val<'a> {
    Val::Int(i64::try_from(count).unwrap_or(i64::MAX))
}

fn trimmed<'a>(text: &Text<'a>) -> Text<'a> {
    match text {
        Text::Borrowed(text) => Text::Borrowed(text.trim()),
        Text::Shared(text) => Text::from(text.trim().to_owned()),
    }
}

fn of_texts<'a>(function: Function, text: &Text<'a>, other: &str) -> Option<Val<'a>> {
    Some(match function {
        Function::Contains => Val::Bool(text.contains(other)),
        Function::StartsWith => Val::Bool(text.starts_with(other)),
        Function::EndsWith => Val::Bool(text.ends_with(other)),
        Function::IndexOf => match text.find(other) {
            Some(at) => count(text[..at].chars().count()),
            None => Val::Int(-1),
        },
        Function::Split => Val::List(Rc::new(split(text, other))),
        _ => return None,
    })
}

fn split<'a>(text: &Text<'a>, separator: &str) -> Vec<Val<'a>> {
    let mut parts = Vec::new();
    match (text, separator) {
        (_, "") => {
            for character in text.chars() {
                parts.push(Val::Str(character.to_string().into()));
            }
        }
        (Text::Borrowed(text), _) => {
            for part in text.split(separator) {
                parts.push(Val::Str(part.into()));
            }
        }
        (Text::Shared(text), _) => {
            for part in text.split(separator) {
                parts.push(Val::Str(part.to_owned().into()));
            }
        }
    }
    parts
}

fn join<'a>(items: &[Val<'a>], separator: &str) -> Result<Val<'a>, Fail> {
    let mut out = String::new();
    for (index, item) in items.iter().enumerate() {
        let Val::Str(text) = item else {
            let message = format!(
                "join() takes a list of texts, not of {}",
                item.sort().as_str()
            );
            return Err(Fail::Sorts(message));
        };
        if index > 0 {
            out.push_str(separator);
        }
        out.push_str(text);
    }
    Ok(Val::Str(out.into()))
}

/// Characters from one place to another, counted from 0; places behind the end are the end.
fn substring<'a>(text: &Text<'a>, start: i64, end: Option<i64>) -> Result<Val<'a>, Fail> {
    let place = |index: i64| -> Result<usize, Fail> {
        let index = usize::try_from(index).map_err(|_| Fail::NoSuchItem)?;
        Ok(text
            .char_indices()
            .nth(index)
            .map_or(text.len(), |(at, _)| at))
    };
    let start = place(start)?;
    let end = end.map_or(Ok(text.len()), place)?;
    if end < start {
        return Err(Fail::NoSuchItem);
    }
    Ok(Val::Str(match text {
        Text::Borrowed(text) => Text::Borrowed(&text[start..end]),
        Text::Shared(text) => Text::from(text[start..end].to_owned()),
    }))
}

fn to_number<'a>(function: Function, value: &Val<'a>) -> Result<Option<Val<'a>>, Fail> {
    let value = match (function, value) {
        (Function::Int, Val::Int(int)) => Val::Int(*int),
        (Function::Int, Val::Num(number)) => Val::Int(whole(*number)?),
        (Function::Int, Val::Dec(number)) => {
            Val::Int(number.trunc().to_i64().ok_or(Fail::Overflow)?)
        }
        (Function::Int, Val::Time(moment)) => Val::Int(moment::seconds(*moment)),
        (Function::Int, Val::Str(text)) => Val::Int(
            text.trim()
                .parse()
                .map_err(|_| Fail::Convert("a whole number"))?,
        ),
        (Function::Double, Val::Int(int)) => Val::Num(*int as f64),
        (Function::Double, Val::Num(number)) => Val::Num(*number),
        (Function::Double, Val::Dec(number)) => Val::Num(double_of(*number)),
        (Function::Double, Val::Str(text)) => {
            let number: f64 = text.trim().parse().map_err(|_| Fail::Convert("a number"))?;
            Val::number(number)?
        }
        (Function::Decimal, Val::Int(int)) => Val::Dec(Decimal::from(*int)),
        (Function::Decimal, Val::Num(number)) => {
            Val::Dec(decimal_of(*number).ok_or(Fail::Overflow)?)
        }
        (Function::Decimal, Val::Dec(number)) => Val::Dec(*number),
        (Function::Decimal, Val::Str(text)) => Val::Dec(
            text.trim()
                .parse()
                .map_err(|_| Fail::Convert("a decimal of at most 28 digits"))?,
        ),
        _ => return Ok(None),
    };
    Ok(Some(value))
}

/// A double without its fraction.
fn whole(number: f64) -> Result<i64, Fail> {
    // 2^63 is the first that does not fit.
    const BEYOND: f64 = 9_223_372_036_854_775_808.0;
    if !(-BEYOND..BEYOND).contains(&number) {
        return Err(Fail::Overflow);
    }
    Ok(number as i64)
}

fn rounded<'a>(function: Function, value: &Val<'a>) -> Result<Option<Val<'a>>, Fail> {
    use rust_decimal::RoundingStrategy::MidpointAwayFromZero;
    let value = match (function, value) {
        (Function::Abs, Val::Int(int)) => Val::Int(int.checked_abs().ok_or(Fail::Overflow)?),
        (Function::Abs, Val::Num(number)) => Val::Num(number.abs()),
        (Function::Abs, Val::Dec(number)) => Val::Dec(number.abs()),
        (Function::Ceil | Function::Floor | Function::Round | Function::Trunc, Val::Int(int)) => {
            Val::Int(*int)
        }
        (Function::Ceil, Val::Num(number)) => Val::Num(number.ceil()),
        (Function::Floor, Val::Num(number)) => Val::Num(number.floor()),
        (Function::Round, Val::Num(number)) => Val::Num(number.round()),
        (Function::Trunc, Val::Num(number)) => Val::Num(number.trunc()),
        (Function::Ceil, Val::Dec(number)) => Val::Dec(number.ceil()),
        (Function::Floor, Val::Dec(number)) => Val::Dec(number.floor()),
        (Function::Round, Val::Dec(number)) => {
            Val::Dec(number.round_dp_with_strategy(0, MidpointAwayFromZero))
        }
        (Function::Trunc, Val::Dec(number)) => Val::Dec(number.trunc()),
        (Function::Greatest | Function::Least, number) => number.clone(),
        _ => return Ok(None),
    };
    Ok(Some(value))
}

/// The largest or the smallest of some numbers, or of a list of them.
fn extreme<'a>(arguments: &[Val<'a>], largest: bool) -> Result<Val<'a>, Fail> {
    let function = if largest {
        Function::Greatest
    } else {
        Function::Least
    };
    let numbers = match arguments {
        [Val::List(items)] => items,
        _ => arguments,
    };
    let mut best: Option<&Val> = None;
    for number in numbers {
        if !number.sort().is_number() {
            let message = format!(
                "{}() takes numbers, not {}",
                function.name(),
                number.sort().as_str()
            );
            return Err(Fail::Sorts(message));
        }
        let wanted = if largest {
            std::cmp::Ordering::Greater
        } else {
            std::cmp::Ordering::Less
        };
        if best.is_none_or(|best| number.order(best) == Some(wanted)) {
            best = Some(number);
        }
    }
    Ok(best.cloned().unwrap_or(Val::Null))
}

/// A part of a date or time in UTC. As in CEL, only `getDate` counts from 1.
fn part_of_time(function: Function, moment: Moment) -> Option<i64> {
    let civil = moment.at;
    Some(match function {
        Function::Year => i64::from(civil.year()),
        Function::Month => i64::from(civil.month()) - 1,
        Function::DayOfYear => i64::from(civil.date().day_of_year()) - 1,
        Function::DayOfMonth => i64::from(civil.day()) - 1,
        Function::DayOfMonthFromOne => i64::from(civil.day()),
        Function::DayOfWeek => i64::from(civil.date().weekday().to_sunday_zero_offset()),
        Function::Hours => i64::from(civil.hour()),
        Function::Minutes => i64::from(civil.minute()),
        Function::Seconds => i64::from(civil.second()),
        Function::Milliseconds => i64::from(civil.subsec_nanosecond()) / 1_000_000,
        _ => return None,
    })
}

/// A duration in whole hours, minutes or seconds, and the milliseconds beyond the last second.
fn part_of_span(function: Function, span: SignedDuration) -> Option<i64> {
    Some(match function {
        Function::Hours => span.as_hours(),
        Function::Minutes => span.as_mins(),
        Function::Seconds => span.as_secs(),
        Function::Milliseconds => i64::from(span.subsec_millis()),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a function makes is never longer than what was said before.
    #[test]
    fn growth_is_known_before() {
        let text = |text: &'static str| Val::Str(text.into());
        for arguments in [
            [text("aaaa"), text("a"), text("xyz")],
            [text("aaaa"), text(""), text("xyz")],
            [text(""), text(""), text("xyz")],
            [text("äöü"), text("ö"), text("")],
        ] {
            let most = growth(Function::Replace, &arguments).unwrap();
            let Val::Str(made) = call(Function::Replace, &arguments).unwrap() else {
                panic!()
            };
            assert!(made.len() <= most, "{arguments:?}");
        }
        let long = Val::Str("a".repeat(2000).into());
        let arguments = [long.clone(), text("a"), long];
        assert_eq!(growth(Function::Replace, &arguments), Err(Fail::TooLarge));
    }
}
