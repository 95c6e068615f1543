//! Expressions with every name resolved: what is run for a row.
//!
//! Plain data, shared by every thread that checks rows. This file must not know how it is made or
//! run.

use jiff::SignedDuration;
use regex::Regex;
use rust_decimal::Decimal;

use super::functions::Function;
use super::tree::Binary;
use super::value::{Moment, Val};

/// One step of an expression, with the steps beneath it.
#[derive(Debug, Clone)]
pub(super) enum Op {
    Const(Const),
    /// The value of a field, by its place.
    Field(u32),
    /// The value of a loop's name, by its place among those in force.
    Local(u32),
    /// The value under a key.
    Entry(Box<Op>, String),
    /// The item of a list, or the value under a key, that is only known in each row.
    Item(Box<[Op; 2]>),
    /// Whether there is a value, and not an empty text.
    Has(Box<Op>),
    IsNull(Box<Op>),
    Not(Box<Op>),
    Negative(Box<Op>),
    And(Vec<Op>),
    Or(Vec<Op>),
    Choice(Box<[Op; 3]>),
    /// `==`, an order, or arithmetic.
    Binary(Binary, Box<[Op; 2]>),
    /// Whether a value is one of some constants, which need no list of their own.
    IsOneOf(Box<Op>, Vec<Op>),
    List(Vec<Op>),
    Map(Vec<(String, Op)>),
    Call(Function, Vec<Op>),
    Matches(Box<Op>, Regex),
    Loop(Box<Loop>),
}

/// A macro that looks at each item of a list, or at each key of a map.
#[derive(Debug, Clone)]
pub(super) struct Loop {
    pub(super) kind: LoopKind,
    pub(super) over: Op,
    /// What is asked of each item; `None` for a plain `map`.
    pub(super) check: Option<Op>,
    /// What each item becomes, of a `map`.
    pub(super) result: Option<Op>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LoopKind {
    All,
    Exists,
    ExistsOne,
    Filter,
    Map,
}

/// A value that is the same for every row.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Const {
    Null,
    Bool(bool),
    Int(i64),
    Num(f64),
    Dec(Decimal),
    Str(String),
    Time(Moment),
    Span(SignedDuration),
}

impl Const {
    pub(super) fn value(&self) -> Val<'_> {
        match self {
            Self::Null => Val::Null,
            Self::Bool(truth) => Val::Bool(*truth),
            Self::Int(int) => Val::Int(*int),
            Self::Num(number) => Val::Num(*number),
            Self::Dec(number) => Val::Dec(*number),
            Self::Str(text) => Val::Str(text.as_str().into()),
            Self::Time(moment) => Val::Time(*moment),
            Self::Span(span) => Val::Span(*span),
        }
    }

    /// The value to be kept; lists and maps are not kept.
    pub(super) fn of(value: &Val) -> Option<Self> {
        Some(match value {
            Val::Null => Self::Null,
            Val::Bool(truth) => Self::Bool(*truth),
            Val::Int(int) => Self::Int(*int),
            Val::Num(number) => Self::Num(*number),
            Val::Dec(number) => Self::Dec(*number),
            Val::Str(text) => Self::Str(text.to_string()),
            Val::Time(moment) => Self::Time(*moment),
            Val::Span(span) => Self::Span(*span),
            Val::List(_) | Val::Map(_) => return None,
        })
    }
}
