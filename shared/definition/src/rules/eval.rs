//! Runs a program for one record, within a bound on the work whatever the record holds.
//!
//! A missing value is not known, and so is what is made of it: it makes an operator's result null.
//! Only `&&`, `||` and the macros can do without one side, if the other decides. This file must not
//! know what is done with the result.

use std::cmp::Ordering;
use std::rc::Rc;

use regex::Regex;
use rust_decimal::Decimal;

use super::arithmetic::{arithmetic, negative, no_operator, subtract};
use super::functions::{self, TEXT_MAX};
use super::moment;
use super::program::{Loop, LoopKind, Op};
use super::row::Row;
use super::tree::Binary;
use super::value::{Fail, Sort, Text, Val, of_json};
use crate::types::Value;

/// The most steps for one record, of all its rules together. A step is one operation on a few
/// numbers, or on 64 bytes of text; 8 bytes where a pattern is looked for or JSON is read.
pub(super) const STEPS_MAX: u64 = 1_000_000;

/// What a program runs in: one record's values and what is left of its steps.
pub(super) struct Machine<'a> {
    row: &'a Row,
    sorts: &'a [Sort],
    locals: Vec<Val<'a>>,
    /// Lists and maps that were read from their JSON already, by field.
    read: Vec<(u32, Val<'a>)>,
    steps_left: u64,
}

type Result<'a> = std::result::Result<Val<'a>, Fail>;

impl<'a> Machine<'a> {
    pub(super) fn new(row: &'a Row, sorts: &'a [Sort]) -> Self {
        Self {
            row,
            sorts,
            locals: Vec::new(),
            read: Vec::new(),
            steps_left: STEPS_MAX,
        }
    }

    #[cfg(test)]
    pub(super) fn steps(&self) -> u64 {
        STEPS_MAX - self.steps_left
    }

    /// Takes steps off those that are left, before the work they stand for.
    #[inline]
    fn charge(&mut self, steps: u64) -> std::result::Result<(), Fail> {
        if steps > self.steps_left {
            self.steps_left = 0;
            return Err(Fail::TooMuchWork);
        }
        self.steps_left -= steps;
        Ok(())
    }

    /// Whether an expression holds; `None` where that is not known.
    pub(super) fn truth(&mut self, op: &'a Op) -> std::result::Result<Option<bool>, Fail> {
        match self.run(op)? {
            Val::Bool(truth) => Ok(Some(truth)),
            Val::Null => Ok(None),
            other => {
                let message = format!("true or false is needed, not {}", other.sort().as_str());
                Err(Fail::Sorts(message))
            }
        }
    }

    /// The value of an expression.
    pub(super) fn run(&mut self, op: &'a Op) -> Result<'a> {
        self.charge(1)?;
        match op {
            Op::Const(constant) => Ok(constant.value()),
            Op::Field(index) => self.field(*index),
            Op::Local(place) => self
                .locals
                .get(*place as usize)
                .cloned()
                .ok_or(Fail::NoSuchItem),
            Op::Binary(operator, sides) => {
                let left = self.run(&sides[0])?;
                let right = self.run(&sides[1])?;
                self.binary(*operator, &left, &right)
            }
            Op::And(parts) => self.junction(parts, false),
            Op::Or(parts) => self.junction(parts, true),
            Op::Not(inner) => Ok(self
                .truth(inner)?
                .map_or(Val::Null, |truth| Val::Bool(!truth))),
            Op::IsNull(inner) => Ok(Val::Bool(matches!(self.run(inner)?, Val::Null))),
            Op::Has(inner) => Ok(Val::Bool(match self.run(inner)? {
                Val::Null => false,
                Val::Str(text) => !text.is_empty(),
                _ => true,
            })),
            Op::IsOneOf(item, items) => self.is_one_of(item, items),
            Op::Choice(parts) => match self.truth(&parts[0])? {
                Some(true) => self.run(&parts[1]),
                Some(false) => self.run(&parts[2]),
                None => Ok(Val::Null),
            },
            Op::Matches(text, pattern) => self.matches(text, pattern),
            Op::Call(function, arguments) => self.call(*function, arguments),
            Op::Negative(inner) => negative(self.run(inner)?),
            Op::Entry(target, key) => {
                let target = self.run(target)?;
                match target {
                    Val::Null | Val::Map(_) => Ok(target.entry(key)),
                    other => Err(no_parts(&other)),
                }
            }
            Op::Item(pair) => {
                let target = self.run(&pair[0])?;
                let key = self.run(&pair[1])?;
                item(&target, &key)
            }
            Op::List(items) => self.list(items),
            Op::Map(entries) => self.map(entries),
            Op::Loop(of) => self.over_items(of),
        }
    }

    // What is rare stays out of the function that runs for every step, whose frame it would enlarge.

    #[inline(never)]
    fn list(&mut self, items: &'a [Op]) -> Result<'a> {
        let mut list = Vec::with_capacity(items.len());
        for item in items {
            list.push(self.run(item)?);
        }
        Ok(Val::List(Rc::new(list)))
    }

    #[inline(never)]
    fn map(&mut self, entries: &'a [(String, Op)]) -> Result<'a> {
        let mut map = Vec::with_capacity(entries.len());
        for (key, value) in entries {
            map.push((Text::from(key.as_str()), self.run(value)?));
        }
        Ok(Val::Map(Rc::new(map)))
    }

    #[inline(never)]
    fn matches(&mut self, text: &'a Op, pattern: &Regex) -> Result<'a> {
        match self.run(text)? {
            Val::Null => Ok(Val::Null),
            Val::Str(text) => {
                self.charge(text.len() as u64 / 8)?;
                Ok(Val::Bool(pattern.is_match(&text)))
            }
            other => {
                let message = format!("matches() takes a text, not {}", other.sort().as_str());
                Err(Fail::Sorts(message))
            }
        }
    }

    /// A value as the text of a cell.
    pub(super) fn written(&mut self, value: &Val<'a>) -> std::result::Result<String, Fail> {
        if let Val::List(_) | Val::Map(_) = value {
            self.charge_writing(value, &mut TEXT_MAX.clone())?;
        }
        Ok(value.to_text().to_string())
    }

    /// The items of a list as the text of a cell.
    pub(super) fn joined(
        &mut self,
        items: &[Val<'a>],
        separator: &str,
    ) -> std::result::Result<String, Fail> {
        let mut out = String::new();
        for (index, item) in items.iter().enumerate() {
            let text = self.written(item)?;
            if text.contains(separator) {
                let message = "an item of the list has the separator in it";
                return Err(Fail::Sorts(message.to_owned()));
            }
            if out.len() + text.len() > TEXT_MAX {
                return Err(Fail::TooLarge);
            }
            self.charge(1 + text.len() as u64 / 64)?;
            out.push_str(if index == 0 { "" } else { separator });
            out.push_str(&text);
        }
        Ok(out)
    }

    /// The value of a field, as its sort has it.
    fn field(&mut self, index: u32) -> Result<'a> {
        let value = self.row.get(index);
        let sort = self.sorts.get(index as usize).copied().unwrap_or(Sort::Any);
        match value.unwrap_or(Value::Null) {
            Value::Null => Ok(Val::Null),
            Value::Bool(truth) => Ok(Val::Bool(truth)),
            Value::Int(int) => Ok(Val::Int(int)),
            Value::Num(number) => Val::number(number),
            Value::Str(text) if sort == Sort::Time => {
                let moment = moment::read(text).ok_or(Fail::Convert("a date"))?;
                Ok(Val::Time(moment))
            }
            Value::Str(text) => Ok(Val::Str(text.into())),
            Value::Decimal(text) => {
                let number = text.parse().or_else(|_| Decimal::from_scientific(text));
                let number = number.map_err(|_| Fail::Convert("a decimal of at most 28 digits"))?;
                Ok(Val::Dec(number))
            }
            Value::Json(text) => self.json(index, text),
        }
    }

    /// A list or a map, read once for the record however often it is used.
    #[inline(never)]
    fn json(&mut self, index: u32, text: &'a str) -> Result<'a> {
        if let Some((_, value)) = self.read.iter().find(|(field, _)| *field == index) {
            return Ok(value.clone());
        }
        self.charge(text.len() as u64 / 8)?;
        let tree = serde_json::from_str(text).map_err(|_| Fail::Convert("JSON"))?;
        let value = of_json(tree);
        self.read.push((index, value.clone()));
        Ok(value)
    }

    /// `&&` or `||`: the first part that decides does, whatever the others are; else an error of a
    /// part comes before a part that is not known.
    fn junction(&mut self, parts: &'a [Op], deciding: bool) -> Result<'a> {
        let mut fail = None;
        let mut is_known = true;
        for part in parts {
            match self.truth(part) {
                Ok(Some(truth)) if truth == deciding => return Ok(Val::Bool(deciding)),
                Ok(Some(_)) => {}
                Ok(None) => is_known = false,
                Err(Fail::TooMuchWork) => return Err(Fail::TooMuchWork),
                Err(error) => fail = fail.or(Some(error)),
            }
        }
        match fail {
            Some(error) => Err(error),
            None if is_known => Ok(Val::Bool(!deciding)),
            None => Ok(Val::Null),
        }
    }

    #[inline(never)]
    fn is_one_of(&mut self, item: &'a Op, items: &'a [Op]) -> Result<'a> {
        let item = self.run(item)?;
        if matches!(item, Val::Null) {
            return Ok(Val::Null);
        }
        for other in items {
            let other = self.run(other)?;
            if self.is_same(&item, &other)? {
                return Ok(Val::Bool(true));
            }
        }
        Ok(Val::Bool(false))
    }

    /// Whether two values are the same. Values of different kinds are not, numbers aside. Every item
    /// looked at is a step, as lists may hold the same list many times.
    fn is_same(&mut self, left: &Val<'a>, right: &Val<'a>) -> std::result::Result<bool, Fail> {
        self.charge(left.weight().min(right.weight()))?;
        match (left, right) {
            (Val::Null, Val::Null) => Ok(true),
            (Val::List(left), Val::List(right)) if left.len() == right.len() => {
                for (left, right) in left.iter().zip(&**right) {
                    if !self.is_same(left, right)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            (Val::Map(left), Val::Map(right)) if left.len() == right.len() => {
                for (left, right) in left.iter().zip(&**right) {
                    if *left.0 != *right.0 || !self.is_same(&left.1, &right.1)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            _ => Ok(left.order(right) == Some(Ordering::Equal)),
        }
    }

    /// Takes the steps of writing a value as text, if the text is not too large.
    fn charge_writing(
        &mut self,
        value: &Val<'a>,
        room: &mut usize,
    ) -> std::result::Result<(), Fail> {
        // The longest number, and the longest escape of each byte of a text.
        let length = match value {
            Val::Str(text) => 2 + text.len() * 6,
            _ => 48,
        };
        *room = room.checked_sub(length).ok_or(Fail::TooLarge)?;
        self.charge(1 + length as u64 / 64)?;
        match value {
            Val::List(items) => {
                for item in items.iter() {
                    self.charge_writing(item, room)?;
                }
            }
            Val::Map(entries) => {
                for (key, value) in entries.iter() {
                    *room = room.checked_sub(key.len() * 6).ok_or(Fail::TooLarge)?;
                    self.charge_writing(value, room)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn binary(&mut self, operator: Binary, left: &Val<'a>, right: &Val<'a>) -> Result<'a> {
        if matches!(left, Val::Null) || matches!(right, Val::Null) {
            return Ok(Val::Null);
        }
        match operator {
            Binary::Equal => Ok(Val::Bool(self.is_same(left, right)?)),
            Binary::Unequal => Ok(Val::Bool(!self.is_same(left, right)?)),
            Binary::Less | Binary::LessEqual | Binary::Greater | Binary::GreaterEqual => {
                self.charge(left.weight().min(right.weight()))?;
                let order = left
                    .order(right)
                    .ok_or_else(|| no_operator(operator, left, right))?;
                Ok(Val::Bool(match operator {
                    Binary::Less => order.is_lt(),
                    Binary::LessEqual => order.is_le(),
                    Binary::Greater => order.is_gt(),
                    _ => order.is_ge(),
                }))
            }
            Binary::In => self.is_in(left, right),
            Binary::Add => self.add(left, right),
            Binary::Subtract => subtract(left, right),
            _ => arithmetic(operator, left, right),
        }
    }

    #[inline(never)]
    fn is_in(&mut self, item: &Val<'a>, list: &Val<'a>) -> Result<'a> {
        match (item, list) {
            (_, Val::List(items)) => {
                for other in items.iter() {
                    self.charge(1)?;
                    if self.is_same(item, other)? {
                        return Ok(Val::Bool(true));
                    }
                }
                Ok(Val::Bool(false))
            }
            (Val::Str(key), Val::Map(entries)) => Ok(Val::Bool(
                entries
                    .binary_search_by(|(name, _)| (**name).cmp(key))
                    .is_ok(),
            )),
            (_, Val::Map(_)) => Ok(Val::Bool(false)),
            _ => Err(no_operator(Binary::In, item, list)),
        }
    }

    #[inline(never)]
    fn add(&mut self, left: &Val<'a>, right: &Val<'a>) -> Result<'a> {
        match (left, right) {
            (Val::Str(left), Val::Str(right)) => {
                let length = left.len() + right.len();
                if length > TEXT_MAX {
                    return Err(Fail::TooLarge);
                }
                self.charge(length as u64 / 64)?;
                Ok(Val::Str([&**left, &**right].concat().into()))
            }
            (Val::List(left), Val::List(right)) => {
                self.charge((left.len() + right.len()) as u64)?;
                let mut items = Vec::with_capacity(left.len() + right.len());
                items.extend_from_slice(left);
                items.extend_from_slice(right);
                Ok(Val::List(Rc::new(items)))
            }
            (Val::Time(moment), Val::Span(span)) | (Val::Span(span), Val::Time(moment)) => {
                Ok(Val::Time(moment::later(*moment, *span)?))
            }
            (Val::Span(left), Val::Span(right)) => {
                Ok(Val::Span(left.checked_add(*right).ok_or(Fail::Overflow)?))
            }
            _ => arithmetic(Binary::Add, left, right),
        }
    }

    #[inline(never)]
    fn call(&mut self, function: functions::Function, arguments: &'a [Op]) -> Result<'a> {
        // No function takes more.
        let mut values = [Val::Null, Val::Null, Val::Null];
        let mut weight = 0;
        for (value, op) in values.iter_mut().zip(arguments) {
            *value = self.run(op)?;
            if matches!(value, Val::Null) {
                return Ok(Val::Null);
            }
            weight += value.weight();
        }
        let values = &values[..arguments.len().min(3)];
        let growth = functions::growth(function, values)?;
        self.charge(weight + growth as u64 / 64)?;
        if let (functions::Function::String, [value]) = (function, values) {
            return Ok(Val::Str(self.written(value)?.into()));
        }
        functions::call(function, values)
    }

    #[inline(never)]
    fn over_items(&mut self, of: &'a Loop) -> Result<'a> {
        let over = self.run(&of.over)?;
        let count = match &over {
            Val::Null => return Ok(Val::Null),
            Val::List(items) => items.len(),
            Val::Map(entries) => entries.len(),
            other => {
                let message = format!("a list is needed, not {}", other.sort().as_str());
                return Err(Fail::Sorts(message));
            }
        };
        let depth = self.locals.len();
        let mut found = Found::default();
        for index in 0..count {
            let item = match &over {
                Val::List(items) => items[index].clone(),
                Val::Map(entries) => Val::Str(entries[index].0.clone()),
                _ => Val::Null,
            };
            self.locals.push(item.clone());
            let done = self.look_at(of, item, &mut found);
            self.locals.truncate(depth);
            if done? {
                break;
            }
        }
        found.result(of.kind)
    }

    /// Looks at one item. True when no other can change the result.
    fn look_at(
        &mut self,
        of: &'a Loop,
        item: Val<'a>,
        found: &mut Found<'a>,
    ) -> std::result::Result<bool, Fail> {
        self.charge(1)?;
        let holds = match &of.check {
            None => Ok(Some(true)),
            Some(check) => self.truth(check),
        };
        match (of.kind, holds) {
            (_, Err(Fail::TooMuchWork)) => Err(Fail::TooMuchWork),
            (LoopKind::All, Ok(Some(false))) | (LoopKind::Exists, Ok(Some(true))) => {
                found.is_decided = true;
                Ok(true)
            }
            (LoopKind::All | LoopKind::Exists, Ok(None)) => {
                found.is_unknown = true;
                Ok(false)
            }
            (LoopKind::All | LoopKind::Exists, Err(error)) => {
                found.fail.get_or_insert(error);
                Ok(false)
            }
            (_, Err(error)) => Err(error),
            (LoopKind::Map, Ok(Some(true))) => {
                if let Some(result) = &of.result {
                    found.items.push(self.run(result)?);
                }
                Ok(false)
            }
            (_, Ok(Some(true))) => {
                found.items.push(item);
                Ok(false)
            }
            _ => Ok(false),
        }
    }
}

/// What a macro has found among the items so far.
#[derive(Default)]
struct Found<'a> {
    is_decided: bool,
    is_unknown: bool,
    fail: Option<Fail>,
    items: Vec<Val<'a>>,
}

impl<'a> Found<'a> {
    fn result(self, kind: LoopKind) -> Result<'a> {
        match kind {
            LoopKind::All | LoopKind::Exists => {
                if self.is_decided {
                    return Ok(Val::Bool(kind == LoopKind::Exists));
                }
                match self.fail {
                    Some(fail) => Err(fail),
                    None if self.is_unknown => Ok(Val::Null),
                    None => Ok(Val::Bool(kind == LoopKind::All)),
                }
            }
            LoopKind::ExistsOne => Ok(Val::Bool(self.items.len() == 1)),
            LoopKind::Filter | LoopKind::Map => Ok(Val::List(Rc::new(self.items))),
        }
    }
}

fn no_parts(value: &Val) -> Fail {
    Fail::Sorts(format!("{} has no parts", value.sort().as_str()))
}

fn item<'a>(target: &Val<'a>, key: &Val<'a>) -> Result<'a> {
    match (target, key) {
        (Val::Null, _) | (_, Val::Null) => Ok(Val::Null),
        (Val::List(items), Val::Int(index)) => {
            let index = usize::try_from(*index).map_err(|_| Fail::NoSuchItem)?;
            items.get(index).cloned().ok_or(Fail::NoSuchItem)
        }
        (Val::Map(_), Val::Str(key)) => Ok(target.entry(key)),
        (Val::List(_) | Val::Map(_), _) => {
            let message = "a list is looked up by a whole number, a map by a text";
            Err(Fail::Sorts(message.to_owned()))
        }
        _ => Err(no_parts(target)),
    }
}
