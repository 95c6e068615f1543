//! Turns the tree of an expression into a program: names become places, and what could never work
//! is refused before a row is seen.
//!
//! It must not know how programs are run, nor what rules are made of them.

mod calls;

use std::fmt::Write as _;

use super::lexer::Flaw;
use super::moment;
use super::program::{Const, Op};
use super::tree::{Binary, Expr, Node};
use super::value::Sort;
use crate::show::shown;
use crate::suggest;

/// The names an expression may use.
pub(super) struct Scope<'f> {
    pub(super) fields: &'f [(&'f str, Sort)],
    /// The field that `value` stands for.
    pub(super) own: Option<u32>,
    /// The fields the expressions compiled so far use.
    pub(super) uses: Vec<u32>,
    locals: Vec<String>,
}

/// A part of a program and what it gives.
type Compiled = Result<(Op, Sort), Flaw>;

impl<'f> Scope<'f> {
    pub(super) fn new(fields: &'f [(&'f str, Sort)], own: Option<u32>) -> Self {
        Self {
            fields,
            own,
            uses: Vec::new(),
            locals: Vec::new(),
        }
    }

    /// Compiles an expression.
    pub(super) fn compile(&mut self, node: &Node) -> Compiled {
        let (op, sort) = match &node.expr {
            Expr::Null => (Op::Const(Const::Null), Sort::Null),
            Expr::Bool(truth) => (Op::Const(Const::Bool(*truth)), Sort::Bool),
            Expr::Int(int) => (Op::Const(Const::Int(*int)), Sort::Int),
            Expr::Num(number) => (Op::Const(Const::Num(*number)), Sort::Num),
            Expr::Str(text) => (Op::Const(Const::Str(text.clone())), Sort::Str),
            Expr::Name(name) => return self.name(node.at, name),
            Expr::Select(target, name) => return self.select(node.at, target, name),
            Expr::Index(pair) => return self.index(node.at, pair),
            Expr::Call {
                target,
                name,
                arguments,
            } => {
                return self.call(node.at, target.as_deref(), name, arguments);
            }
            Expr::Not(inner) => (Op::Not(Box::new(self.truth(inner, "!")?)), Sort::Bool),
            Expr::Negative(inner) => {
                let (op, sort) = self.compile(inner)?;
                if !sort.is_number() && !matches!(sort, Sort::Any | Sort::Null | Sort::Span) {
                    return Err(Flaw::at(
                        node.at,
                        format!("- needs a number, not {}", sort.as_str()),
                    ));
                }
                (Op::Negative(Box::new(op)), sort)
            }
            Expr::And(parts) => (Op::And(self.truths(parts, "&&")?), Sort::Bool),
            Expr::Or(parts) => (Op::Or(self.truths(parts, "||")?), Sort::Bool),
            Expr::Choice(parts) => {
                let condition = self.truth(&parts[0], "?")?;
                let (then, left) = self.compile(&parts[1])?;
                let (otherwise, right) = self.compile(&parts[2])?;
                let sort = joined(left, right);
                (Op::Choice(Box::new([condition, then, otherwise])), sort)
            }
            Expr::Binary(operator, sides) => return self.binary(node.at, *operator, sides),
            Expr::List(items) => {
                let items = items.iter().map(|item| Ok(self.compile(item)?.0));
                (Op::List(items.collect::<Result<_, Flaw>>()?), Sort::List)
            }
            Expr::Map(entries) => (Op::Map(self.entries(entries)?), Sort::Map),
        };
        Ok((op, sort))
    }

    fn entries(&mut self, entries: &[[Node; 2]]) -> Result<Vec<(String, Op)>, Flaw> {
        let mut compiled: Vec<(String, Op)> = Vec::with_capacity(entries.len());
        for [key, value] in entries {
            let Expr::Str(text) = &key.expr else {
                return Err(Flaw::at(key.at, "a key of a map is a text in quotes"));
            };
            if compiled.iter().any(|(earlier, _)| earlier == text) {
                return Err(Flaw::at(
                    key.at,
                    format!("the key {} is there twice", shown(text)),
                ));
            }
            compiled.push((text.clone(), self.compile(value)?.0));
        }
        compiled.sort_by(|left, right| left.0.cmp(&right.0));
        Ok(compiled)
    }

    fn truths(&mut self, parts: &[Node], operator: &str) -> Result<Vec<Op>, Flaw> {
        parts
            .iter()
            .map(|part| self.truth(part, operator))
            .collect()
    }

    /// An expression that must be true or false.
    pub(super) fn truth(&mut self, node: &Node, wanted_by: &str) -> Result<Op, Flaw> {
        let (op, sort) = self.compile(node)?;
        if !matches!(sort, Sort::Bool | Sort::Any | Sort::Null) {
            let message = format!("{wanted_by} needs true or false, not {}", sort.as_str());
            return Err(Flaw::at(node.at, message));
        }
        Ok(op)
    }

    fn name(&mut self, at: usize, name: &str) -> Compiled {
        if let Some(place) = self.locals.iter().rposition(|local| local == name) {
            return Ok((Op::Local(place as u32), Sort::Any));
        }
        if name == "value"
            && let Some(own) = self.own
        {
            return Ok(self.use_field(own));
        }
        if name == "row" {
            let message = "row needs the name of a field: row.name, or row[\"start date\"]";
            return Err(Flaw::at(at, message));
        }
        self.field(at, name)
    }

    fn field(&mut self, at: usize, name: &str) -> Compiled {
        match self.fields.iter().position(|(field, _)| *field == name) {
            Some(index) => Ok(self.use_field(index as u32)),
            None => Err(Flaw::at(at, self.unknown_field(name))),
        }
    }

    fn use_field(&mut self, index: u32) -> (Op, Sort) {
        if !self.uses.contains(&index) {
            self.uses.push(index);
        }
        let sort = self
            .fields
            .get(index as usize)
            .map_or(Sort::Any, |field| field.1);
        (Op::Field(index), sort)
    }

    fn unknown_field(&self, name: &str) -> String {
        let names = self.fields.iter().map(|(field, _)| *field);
        let locals = self.locals.iter().map(String::as_str);
        let mut message = format!("there is no field {}", shown(name));
        if let Some(nearest) = suggest::nearest(name, names.chain(locals)) {
            let _ = write!(message, "; did you mean {}?", shown(nearest));
        } else if name == "value" {
            message += "; value is only known in the check of a field";
        } else if self.fields.iter().any(|(field, _)| field.starts_with(name)) {
            message += "; write row[\"…\"] for a field whose name is more than one word";
        }
        message
    }

    fn is_row(&self, node: &Node) -> bool {
        let Expr::Name(name) = &node.expr else {
            return false;
        };
        name == "row" && !self.locals.contains(name)
    }

    fn select(&mut self, at: usize, target: &Node, name: &str) -> Compiled {
        if self.is_row(target) {
            return self.field(at, name);
        }
        let (op, sort) = self.compile(target)?;
        if !matches!(sort, Sort::Any | Sort::Map | Sort::Null) {
            let message = format!("{} has no parts to select with a .", sort.as_str());
            return Err(Flaw::at(at, message));
        }
        Ok((Op::Entry(Box::new(op), name.to_owned()), Sort::Any))
    }

    fn index(&mut self, at: usize, pair: &[Node; 2]) -> Compiled {
        let [target, key] = pair;
        if self.is_row(target) {
            return match &key.expr {
                Expr::Str(name) => self.field(key.at, name),
                _ => Err(Flaw::at(key.at, "the name of a field is a text in quotes")),
            };
        }
        let (op, sort) = self.compile(target)?;
        let (key, key_sort) = self.compile(key)?;
        let fits = match sort {
            Sort::List => key_sort == Sort::Int,
            Sort::Map => key_sort == Sort::Str,
            Sort::Any | Sort::Null => matches!(key_sort, Sort::Int | Sort::Str),
            _ => {
                let message = format!("{} has no items to look up with [ ]", sort.as_str());
                return Err(Flaw::at(at, message));
            }
        };
        if !fits && !matches!(key_sort, Sort::Any | Sort::Null) {
            let message = "a list is looked up by a whole number, a map by a text";
            return Err(Flaw::at(at, message));
        }
        let op = match key {
            Op::Const(Const::Str(key)) => Op::Entry(Box::new(op), key),
            key => Op::Item(Box::new([op, key])),
        };
        Ok((op, Sort::Any))
    }

    fn binary(&mut self, at: usize, operator: Binary, sides: &[Node; 2]) -> Compiled {
        let (mut left, mut left_sort) = self.compile(&sides[0])?;
        if operator == Binary::In {
            return self.membership(at, left, &sides[1]);
        }
        let (mut right, mut right_sort) = self.compile(&sides[1])?;
        if matches!(operator, Binary::Equal | Binary::Unequal) {
            let tested = match (left_sort, right_sort) {
                (_, Sort::Null) => Some(left.clone()),
                (Sort::Null, _) => Some(right.clone()),
                _ => None,
            };
            if let Some(tested) = tested {
                let is_null = Op::IsNull(Box::new(tested));
                let not = operator == Binary::Unequal;
                let op = if not {
                    Op::Not(Box::new(is_null))
                } else {
                    is_null
                };
                return Ok((op, Sort::Bool));
            }
        }
        if is_comparison(operator) {
            read_literal(&mut left, &mut left_sort, right_sort, sides[0].at)?;
            read_literal(&mut right, &mut right_sort, left_sort, sides[1].at)?;
        }
        let Some(sort) = sort_of(operator, left_sort, right_sort) else {
            let (left, right) = (left_sort.as_str(), right_sort.as_str());
            let operator = operator.as_str();
            let advice = if operator == "+" {
                "; string(…) makes a text of anything"
            } else {
                ""
            };
            let message = format!("{operator} does not work between {left} and {right}{advice}");
            return Err(Flaw::at(at, message));
        };
        Ok((Op::Binary(operator, Box::new([left, right])), sort))
    }

    fn membership(&mut self, at: usize, item: Op, list: &Node) -> Compiled {
        let (list, sort) = self.compile(list)?;
        let list = match list {
            // Looked at one by one, up to the one that it is: so none may be able to fail.
            Op::List(items) if items.iter().all(|item| matches!(item, Op::Const(_))) => {
                return Ok((Op::IsOneOf(Box::new(item), items), Sort::Bool));
            }
            list => list,
        };
        if !matches!(sort, Sort::List | Sort::Map | Sort::Any | Sort::Null) {
            let message = format!("in looks into a list or a map, not into {}", sort.as_str());
            return Err(Flaw::at(at, message));
        }
        Ok((Op::Binary(Binary::In, Box::new([item, list])), Sort::Bool))
    }
}

fn is_comparison(operator: Binary) -> bool {
    use Binary::{Equal, Greater, GreaterEqual, Less, LessEqual, Unequal};
    matches!(
        operator,
        Equal | Unequal | Less | LessEqual | Greater | GreaterEqual
    )
}

/// A text in quotes that is compared with a date or a duration is one itself.
fn read_literal(op: &mut Op, sort: &mut Sort, other: Sort, at: usize) -> Result<(), Flaw> {
    let Op::Const(Const::Str(text)) = op else {
        return Ok(());
    };
    let (value, wanted) = match other {
        Sort::Time => (
            moment::read(text).map(Const::Time),
            "a date: 2024-01-31 or 2024-01-31T10:00:00Z",
        ),
        Sort::Span => (
            moment::read_span(text).map(Const::Span),
            "a duration: 90s, 1h30m, 30d",
        ),
        _ => return Ok(()),
    };
    let Some(value) = value else {
        return Err(Flaw::at(at, format!("{} is not {wanted}", shown(text))));
    };
    *op = Op::Const(value);
    *sort = other;
    Ok(())
}

/// What an operator gives between two values; nothing where it does not work between them.
fn sort_of(operator: Binary, left: Sort, right: Sort) -> Option<Sort> {
    if is_comparison(operator) {
        return left.compares_with(right).then_some(Sort::Bool).or_else(|| {
            let listed = left == right && matches!(operator, Binary::Equal | Binary::Unequal);
            listed.then_some(Sort::Bool)
        });
    }
    let unknown = |sort| matches!(sort, Sort::Any | Sort::Null);
    if unknown(left) || unknown(right) {
        return Some(Sort::Any);
    }
    if left.is_number() && right.is_number() {
        return Some(match (left, right) {
            (Sort::Dec, _) | (_, Sort::Dec) => Sort::Dec,
            (Sort::Num, _) | (_, Sort::Num) => Sort::Num,
            _ => Sort::Int,
        });
    }
    match (operator, left, right) {
        (Binary::Add, Sort::Str, Sort::Str) => Some(Sort::Str),
        (Binary::Add, Sort::List, Sort::List) => Some(Sort::List),
        (Binary::Add | Binary::Subtract, Sort::Time, Sort::Span)
        | (Binary::Add, Sort::Span, Sort::Time) => Some(Sort::Time),
        (Binary::Add | Binary::Subtract, Sort::Span, Sort::Span)
        | (Binary::Subtract, Sort::Time, Sort::Time) => Some(Sort::Span),
        _ => None,
    }
}

/// What a choice between two values gives.
fn joined(left: Sort, right: Sort) -> Sort {
    match (left, right) {
        _ if left == right => left,
        (Sort::Null, other) | (other, Sort::Null) => other,
        _ => Sort::Any,
    }
}
