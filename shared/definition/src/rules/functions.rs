//! The functions of expressions: what they are called, what they take and what they give.
//!
//! They are those of CEL and of its string and math extensions that imports need, and `date`, `days`
//! and `decimal`. None of them can tell the time, chance or place. This file must not know how the
//! tree of an expression looks.

mod run;

pub(super) use self::run::{TEXT_MAX, call, growth};
use super::value::Sort;

/// One function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    Size,
    Contains,
    StartsWith,
    EndsWith,
    IndexOf,
    Substring,
    Trim,
    LowerAscii,
    UpperAscii,
    Replace,
    Split,
    Join,
    Int,
    Double,
    Decimal,
    String,
    Bool,
    Timestamp,
    Date,
    Duration,
    Days,
    Year,
    Month,
    DayOfYear,
    DayOfMonth,
    DayOfMonthFromOne,
    DayOfWeek,
    Hours,
    Minutes,
    Seconds,
    Milliseconds,
    Abs,
    Ceil,
    Floor,
    Round,
    Trunc,
    Greatest,
    Least,
}

/// How a function is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// `size(name)`
    Plain,
    /// `name.trim()`
    Method,
    /// Either.
    Both,
}

/// A function's name and what it takes. The target of a method is its first argument.
pub(super) struct Signature {
    pub(super) name: &'static str,
    pub(super) style: Style,
    pub(super) function: Function,
    pub(super) takes: &'static [&'static [Sort]],
    /// How many arguments it needs at least.
    pub(super) needs: usize,
    pub(super) gives: Sort,
}

const TEXT: &[Sort] = &[Sort::Str];
const INT: &[Sort] = &[Sort::Int];
const NUMBER: &[Sort] = &[Sort::Int, Sort::Num, Sort::Dec];
const TIME: &[Sort] = &[Sort::Time];
const CLOCK: &[Sort] = &[Sort::Time, Sort::Span];
const LIST: &[Sort] = &[Sort::List];
const SIZED: &[Sort] = &[Sort::Str, Sort::List, Sort::Map];
const TO_NUMBER: &[Sort] = &[Sort::Int, Sort::Num, Sort::Dec, Sort::Str];
const TO_INT: &[Sort] = &[Sort::Int, Sort::Num, Sort::Dec, Sort::Str, Sort::Time];
const TO_TIME: &[Sort] = &[Sort::Str, Sort::Time, Sort::Int];
const TO_SPAN: &[Sort] = &[Sort::Str, Sort::Span];
const TO_BOOL: &[Sort] = &[Sort::Bool, Sort::Str];
const ANYTHING: &[Sort] = &[Sort::Any];
const EXTREME: &[Sort] = &[Sort::Int, Sort::Num, Sort::Dec, Sort::List];

const fn method(
    name: &'static str,
    function: Function,
    takes: &'static [&'static [Sort]],
    gives: Sort,
) -> Signature {
    Signature {
        name,
        style: Style::Method,
        function,
        takes,
        needs: takes.len(),
        gives,
    }
}

const fn plain(
    name: &'static str,
    function: Function,
    takes: &'static [&'static [Sort]],
    gives: Sort,
) -> Signature {
    Signature {
        name,
        style: Style::Plain,
        function,
        takes,
        needs: takes.len(),
        gives,
    }
}

/// Every function, but for `has`, `matches` and the macros, which the compiler knows itself.
pub(super) const FUNCTIONS: &[Signature] = &[
    Signature {
        style: Style::Both,
        ..plain("size", Function::Size, &[SIZED], Sort::Int)
    },
    method("contains", Function::Contains, &[TEXT, TEXT], Sort::Bool),
    method(
        "startsWith",
        Function::StartsWith,
        &[TEXT, TEXT],
        Sort::Bool,
    ),
    method("endsWith", Function::EndsWith, &[TEXT, TEXT], Sort::Bool),
    method("indexOf", Function::IndexOf, &[TEXT, TEXT], Sort::Int),
    Signature {
        needs: 2,
        ..method(
            "substring",
            Function::Substring,
            &[TEXT, INT, INT],
            Sort::Str,
        )
    },
    method("trim", Function::Trim, &[TEXT], Sort::Str),
    method("lowerAscii", Function::LowerAscii, &[TEXT], Sort::Str),
    method("upperAscii", Function::UpperAscii, &[TEXT], Sort::Str),
    method("replace", Function::Replace, &[TEXT, TEXT, TEXT], Sort::Str),
    method("split", Function::Split, &[TEXT, TEXT], Sort::List),
    Signature {
        needs: 1,
        ..method("join", Function::Join, &[LIST, TEXT], Sort::Str)
    },
    plain("int", Function::Int, &[TO_INT], Sort::Int),
    plain("double", Function::Double, &[TO_NUMBER], Sort::Num),
    plain("decimal", Function::Decimal, &[TO_NUMBER], Sort::Dec),
    plain("string", Function::String, &[ANYTHING], Sort::Str),
    plain("bool", Function::Bool, &[TO_BOOL], Sort::Bool),
    plain("timestamp", Function::Timestamp, &[TO_TIME], Sort::Time),
    plain("date", Function::Date, &[TO_TIME], Sort::Time),
    plain("duration", Function::Duration, &[TO_SPAN], Sort::Span),
    plain("days", Function::Days, &[INT], Sort::Span),
    method("getFullYear", Function::Year, &[TIME], Sort::Int),
    method("getMonth", Function::Month, &[TIME], Sort::Int),
    method("getDayOfYear", Function::DayOfYear, &[TIME], Sort::Int),
    method("getDayOfMonth", Function::DayOfMonth, &[TIME], Sort::Int),
    method("getDate", Function::DayOfMonthFromOne, &[TIME], Sort::Int),
    method("getDayOfWeek", Function::DayOfWeek, &[TIME], Sort::Int),
    method("getHours", Function::Hours, &[CLOCK], Sort::Int),
    method("getMinutes", Function::Minutes, &[CLOCK], Sort::Int),
    method("getSeconds", Function::Seconds, &[CLOCK], Sort::Int),
    method(
        "getMilliseconds",
        Function::Milliseconds,
        &[CLOCK],
        Sort::Int,
    ),
    plain("math.abs", Function::Abs, &[NUMBER], Sort::Any),
    plain("math.ceil", Function::Ceil, &[NUMBER], Sort::Any),
    plain("math.floor", Function::Floor, &[NUMBER], Sort::Any),
    plain("math.round", Function::Round, &[NUMBER], Sort::Any),
    plain("math.trunc", Function::Trunc, &[NUMBER], Sort::Any),
    Signature {
        needs: 1,
        ..plain(
            "math.greatest",
            Function::Greatest,
            &[EXTREME, EXTREME, EXTREME],
            Sort::Any,
        )
    },
    Signature {
        needs: 1,
        ..plain(
            "math.least",
            Function::Least,
            &[EXTREME, EXTREME, EXTREME],
            Sort::Any,
        )
    },
];

impl Function {
    fn signature(self) -> Option<&'static Signature> {
        FUNCTIONS
            .iter()
            .find(|signature| signature.function == self)
    }

    pub(super) fn name(self) -> &'static str {
        self.signature().map_or("", |signature| signature.name)
    }
}

/// The sorts, in words.
pub(super) fn listed(sorts: &[Sort]) -> String {
    let mut out = String::new();
    for (index, sort) in sorts.iter().enumerate() {
        if index > 0 {
            out.push_str(if index + 1 == sorts.len() {
                " or "
            } else {
                ", "
            });
        }
        out.push_str(sort.as_str());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_function_has_one_name() {
        for (index, signature) in FUNCTIONS.iter().enumerate() {
            assert!(signature.needs <= signature.takes.len() && signature.needs > 0);
            for other in &FUNCTIONS[..index] {
                assert_ne!(other.name, signature.name);
                assert_ne!(other.function, signature.function);
            }
        }
    }
}
