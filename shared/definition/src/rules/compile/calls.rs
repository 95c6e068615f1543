//! Compiles calls: functions, `has`, `matches`, and the macros that look at every item of a list.
//!
//! It must not know what the functions do.

use std::fmt::Write as _;

use super::super::functions::{FUNCTIONS, Function, Signature, Style, call, growth, listed};
use super::super::lexer::Flaw;
use super::super::program::{Const, Loop, LoopKind, Op};
use super::super::tree::{Expr, Node};
use super::super::value::{Sort, Val};
use super::{Compiled, Scope};
use crate::pattern;
use crate::show::shown;
use crate::suggest;

/// The most macros within each other: each may look at every item of a list for each of the other's.
const LOOPS_MAX: usize = 3;

/// Every function that is no entry of the table.
const OWN_FUNCTIONS: [&str; 8] = [
    "has",
    "matches",
    "all",
    "exists",
    "exists_one",
    "existsOne",
    "map",
    "filter",
];

impl Scope<'_> {
    pub(super) fn call(
        &mut self,
        at: usize,
        target: Option<&Node>,
        name: &str,
        arguments: &[Node],
    ) -> Compiled {
        if let Some(target) = target {
            if let Some(kind) = loop_kind(name) {
                return self.over_items(at, kind, target, name, arguments);
            }
            if let Expr::Name(space) = &target.expr
                && space == "math"
                && self.fields.iter().all(|(field, _)| field != space)
            {
                return self.function(at, Style::Plain, &format!("math.{name}"), arguments, None);
            }
        } else if name == "has" {
            return self.has(at, arguments);
        }
        if name == "matches" {
            return self.matches(at, target, arguments);
        }
        let style = if target.is_some() {
            Style::Method
        } else {
            Style::Plain
        };
        self.function(at, style, name, arguments, target)
    }

    fn has(&mut self, at: usize, arguments: &[Node]) -> Compiled {
        let [argument] = arguments else {
            return Err(Flaw::at(at, "has takes one field: has(row.name)"));
        };
        if !matches!(
            argument.expr,
            Expr::Select(..) | Expr::Name(_) | Expr::Index(_)
        ) {
            return Err(Flaw::at(
                argument.at,
                "has takes a field, not a calculation: has(row.name)",
            ));
        }
        let (op, _) = self.compile(argument)?;
        Ok((Op::Has(Box::new(op)), Sort::Bool))
    }

    fn matches(&mut self, at: usize, target: Option<&Node>, arguments: &[Node]) -> Compiled {
        let ((Some(text), [pattern]) | (None, [text, pattern])) = (target, arguments) else {
            let message = "matches is called as name.matches(\"pattern\")";
            return Err(Flaw::at(at, message));
        };
        let (op, sort) = self.compile(text)?;
        if !matches!(sort, Sort::Str | Sort::Any | Sort::Null) {
            let message = format!("matches() takes a text, not {}", sort.as_str());
            return Err(Flaw::at(text.at, message));
        }
        let Expr::Str(text) = &pattern.expr else {
            let message =
                "the pattern is a text in quotes, so that it is compiled once for all rows";
            return Err(Flaw::at(pattern.at, message));
        };
        let regex = pattern::compile(text).map_err(|message| Flaw::at(pattern.at, message))?;
        Ok((Op::Matches(Box::new(op), regex), Sort::Bool))
    }

    fn over_items(
        &mut self,
        at: usize,
        kind: LoopKind,
        target: &Node,
        name: &str,
        arguments: &[Node],
    ) -> Compiled {
        let (local, check, result) = match (kind, arguments) {
            (LoopKind::Map, [local, result]) => (local, None, Some(result)),
            (LoopKind::Map, [local, check, result]) => (local, Some(check), Some(result)),
            (LoopKind::Map, _) => {
                return Err(Flaw::at(
                    at,
                    "map is called as items.map(item, what it becomes)",
                ));
            }
            (_, [local, check]) => (local, Some(check), None),
            _ => {
                let message = format!("{name} is called as items.{name}(item, what to ask of it)");
                return Err(Flaw::at(at, message));
            }
        };
        let Expr::Name(local) = &local.expr else {
            return Err(Flaw::at(
                local.at,
                format!("{name} needs a name for the item first"),
            ));
        };
        let (over, sort) = self.compile(target)?;
        if !matches!(sort, Sort::List | Sort::Map | Sort::Any | Sort::Null) {
            let message = format!(
                "{name} looks at the items of a list, not of {}",
                sort.as_str()
            );
            return Err(Flaw::at(at, message));
        }
        if self.locals.len() == LOOPS_MAX {
            let message =
                format!("more than {LOOPS_MAX} of all, exists, map and filter within each other");
            return Err(Flaw::at(at, message));
        }
        self.locals.push(local.clone());
        let check = check.map(|node| self.truth(node, name)).transpose();
        let result = result.map(|node| Ok(self.compile(node)?.0)).transpose();
        self.locals.pop();
        let gives = match kind {
            LoopKind::Map | LoopKind::Filter => Sort::List,
            _ => Sort::Bool,
        };
        let compiled = Loop {
            kind,
            over,
            check: check?,
            result: result?,
        };
        Ok((Op::Loop(Box::new(compiled)), gives))
    }

    fn function(
        &mut self,
        at: usize,
        style: Style,
        name: &str,
        arguments: &[Node],
        target: Option<&Node>,
    ) -> Compiled {
        let Some(signature) = FUNCTIONS.iter().find(|signature| signature.name == name) else {
            return Err(Flaw::at(at, unknown_function(name)));
        };
        let is_misplaced = signature.style != Style::Both && signature.style != style;
        let given = arguments.len() + usize::from(target.is_some());
        if is_misplaced || !(signature.needs..=signature.takes.len()).contains(&given) {
            return Err(Flaw::at(
                at,
                format!("{name} is called as {}", usage(signature)),
            ));
        }
        let mut ops = Vec::with_capacity(given);
        for (node, takes) in target.into_iter().chain(arguments).zip(signature.takes) {
            let (op, sort) = self.compile(node)?;
            let fits = takes.contains(&sort) || takes.contains(&Sort::Any);
            if !fits && !matches!(sort, Sort::Any | Sort::Null) {
                let (takes, sort) = (listed(takes), sort.as_str());
                return Err(Flaw::at(
                    node.at,
                    format!("{name}() takes {takes}, not {sort}"),
                ));
            }
            ops.push(op);
        }
        folded(at, signature.function, ops, signature.gives)
    }
}

/// The call, or its value if that is the same for every row.
fn folded(at: usize, function: Function, ops: Vec<Op>, gives: Sort) -> Compiled {
    let mut values = Vec::with_capacity(ops.len());
    for op in &ops {
        let Op::Const(value) = op else {
            return Ok((Op::Call(function, ops), gives));
        };
        values.push(value.value());
    }
    if values.iter().any(|value| matches!(value, Val::Null)) {
        return Ok((Op::Const(Const::Null), Sort::Null));
    }
    let made = growth(function, &values).and_then(|_| call(function, &values));
    let value = made.map_err(|fail| Flaw::at(at, format!("{}(): {fail}", function.name())))?;
    Ok(match Const::of(&value) {
        Some(constant) => (Op::Const(constant), value.sort()),
        None => (Op::Call(function, ops), gives),
    })
}

fn unknown_function(name: &str) -> String {
    let names = FUNCTIONS
        .iter()
        .map(|signature| signature.name)
        .chain(OWN_FUNCTIONS);
    let mut message = format!("there is no function {}", shown(name));
    if let Some(nearest) = suggest::nearest(name, names) {
        let _ = write!(message, "; did you mean {nearest}?");
    } else if matches!(name, "now" | "today" | "date.now") {
        message += ": what a rule says must not depend on when it is asked";
    }
    message
}

/// How a function is called: `text.replace(text, text)`.
fn usage(signature: &Signature) -> String {
    let short = |sorts: &[Sort]| match sorts {
        [Sort::Str] => "text",
        [Sort::Int] | [Sort::Int, Sort::Num, Sort::Dec] => "number",
        [Sort::Time] | [Sort::Time, Sort::Span] => "date",
        [Sort::List] => "list",
        _ => "value",
    };
    let mut words: Vec<&str> = signature.takes.iter().map(|sorts| short(sorts)).collect();
    words.truncate(signature.takes.len().max(1));
    match signature.style {
        Style::Method => format!("{}.{}({})", words[0], signature.name, words[1..].join(", ")),
        _ => format!("{}({})", signature.name, words.join(", ")),
    }
}

fn loop_kind(name: &str) -> Option<LoopKind> {
    Some(match name {
        "all" => LoopKind::All,
        "exists" => LoopKind::Exists,
        "exists_one" | "existsOne" => LoopKind::ExistsOne,
        "filter" => LoopKind::Filter,
        "map" => LoopKind::Map,
        _ => return None,
    })
}
