//! Operators between two numbers, dates or durations.
//!
//! Whole numbers and decimals are exact; with a double the result is one, unless a decimal takes
//! part. What has no finite result is an error. It must not know where the values come from.

use jiff::SignedDuration;
use rust_decimal::Decimal;

use super::moment;
use super::tree::Binary;
use super::value::{Fail, Moment, Val, decimal_of};

type Result<'a> = std::result::Result<Val<'a>, Fail>;

pub(super) fn no_operator(operator: Binary, left: &Val, right: &Val) -> Fail {
    let (left, right) = (left.sort().as_str(), right.sort().as_str());
    Fail::Sorts(format!(
        "{} does not work between {left} and {right}",
        operator.as_str()
    ))
}

pub(super) fn negative(value: Val) -> Result {
    match value {
        Val::Null => Ok(Val::Null),
        Val::Int(int) => Ok(Val::Int(int.checked_neg().ok_or(Fail::Overflow)?)),
        Val::Num(number) => Ok(Val::Num(-number)),
        Val::Dec(number) => Ok(Val::Dec(-number)),
        Val::Span(span) => Ok(Val::Span(span.checked_neg().ok_or(Fail::Overflow)?)),
        other => Err(Fail::Sorts(format!(
            "- needs a number, not {}",
            other.sort().as_str()
        ))),
    }
}

pub(super) fn subtract<'a>(left: &Val<'a>, right: &Val<'a>) -> Result<'a> {
    match (left, right) {
        (Val::Time(left), Val::Time(right)) => Ok(Val::Span(between(*right, *left))),
        (Val::Time(moment), Val::Span(span)) => {
            let span = span.checked_neg().ok_or(Fail::Overflow)?;
            Ok(Val::Time(moment::later(*moment, span)?))
        }
        (Val::Span(left), Val::Span(right)) => {
            Ok(Val::Span(left.checked_sub(*right).ok_or(Fail::Overflow)?))
        }
        _ => arithmetic(Binary::Subtract, left, right),
    }
}

/// The time from one moment to another; the calendar is far shorter than the longest duration.
fn between(from: Moment, to: Moment) -> SignedDuration {
    to.at.duration_since(from.at)
}

/// `+`, `-`, `*`, `/` and `%` of numbers: exact of whole numbers and of decimals, a double if one is.
pub(super) fn arithmetic<'a>(operator: Binary, left: &Val<'a>, right: &Val<'a>) -> Result<'a> {
    match (left, right) {
        (Val::Int(left), Val::Int(right)) => of_ints(operator, *left, *right),
        (Val::Int(left), Val::Num(right)) => of_doubles(operator, *left as f64, *right),
        (Val::Num(left), Val::Int(right)) => of_doubles(operator, *left, *right as f64),
        (Val::Num(left), Val::Num(right)) => of_doubles(operator, *left, *right),
        (Val::Dec(left), Val::Dec(right)) => of_decimals(operator, *left, *right),
        (Val::Dec(left), Val::Int(right)) => of_decimals(operator, *left, Decimal::from(*right)),
        (Val::Int(left), Val::Dec(right)) => of_decimals(operator, Decimal::from(*left), *right),
        (Val::Dec(left), Val::Num(right)) => {
            of_decimals(operator, *left, decimal_of(*right).ok_or(Fail::Overflow)?)
        }
        (Val::Num(left), Val::Dec(right)) => {
            of_decimals(operator, decimal_of(*left).ok_or(Fail::Overflow)?, *right)
        }
        _ => Err(no_operator(operator, left, right)),
    }
}

fn of_ints<'a>(operator: Binary, left: i64, right: i64) -> Result<'a> {
    if right == 0 && matches!(operator, Binary::Divide | Binary::Remainder) {
        return Err(Fail::DivisionByZero);
    }
    let result = match operator {
        Binary::Add => left.checked_add(right),
        Binary::Subtract => left.checked_sub(right),
        Binary::Multiply => left.checked_mul(right),
        Binary::Divide => left.checked_div(right),
        _ => left.checked_rem(right),
    };
    result.map(Val::Int).ok_or(Fail::Overflow)
}

fn of_doubles<'a>(operator: Binary, left: f64, right: f64) -> Result<'a> {
    if right == 0.0 && matches!(operator, Binary::Divide | Binary::Remainder) {
        return Err(Fail::DivisionByZero);
    }
    Val::number(match operator {
        Binary::Add => left + right,
        Binary::Subtract => left - right,
        Binary::Multiply => left * right,
        Binary::Divide => left / right,
        _ => left % right,
    })
}

fn of_decimals<'a>(operator: Binary, left: Decimal, right: Decimal) -> Result<'a> {
    if right.is_zero() && matches!(operator, Binary::Divide | Binary::Remainder) {
        return Err(Fail::DivisionByZero);
    }
    let result = match operator {
        Binary::Add => left.checked_add(right),
        Binary::Subtract => left.checked_sub(right),
        Binary::Multiply => left.checked_mul(right),
        Binary::Divide => left.checked_div(right),
        _ => left.checked_rem(right),
    };
    result.map(Val::Dec).ok_or(Fail::Overflow)
}
