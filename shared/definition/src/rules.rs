//! Rules of a definition's author's own, and fields that are calculated: expressions in CEL.
//!
//! The language is the Common Expression Language, read and run here: a record's values are borrowed
//! as they are, decimals stay exact, a missing value makes a rule say nothing, and the work for a
//! record is counted and bounded. The crate `cel` is what the tests compare it with. This file must
//! not know how definitions are written nor how records are read.
//!
//! <https://github.com/google/cel-spec/blob/master/doc/langdef.md>

mod arithmetic;
mod compile;
mod eval;
mod functions;
mod lexer;
mod moment;
mod parser;
mod program;
mod row;
#[cfg(test)]
mod tests;
mod tree;
mod value;

use std::fmt::Write as _;

use self::compile::Scope;
use self::eval::Machine;
use self::lexer::Flaw;
use self::program::Op;
pub use self::row::Row;
use self::value::{Fail, Sort, Val};
use crate::row_error::{Code, RowError, Severity};
use crate::show::shown;
use crate::suggest;
use crate::transform::{GROWTH_BYTES, GROWTH_FACTOR};
use crate::types::{FieldType, Value};

/// The most rules of a definition.
pub const RULES_MAX: usize = 1_000;

/// One rule, as its author wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RuleSpec {
    /// Rows for which this does not hold are none of the rule's business.
    pub when: Option<String>,
    /// What must hold.
    pub check: String,
    /// What to say where it does not, in place of our own sentence.
    pub message: Option<String>,
    /// The field to blame.
    pub field: Option<String>,
    /// Whether a row that breaks it is a reject.
    pub severity: Severity,
    /// Whether it is the field's own check, in which `value` is the field's value.
    pub is_own: bool,
}

/// What is wrong with a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleFault {
    /// Which rule, counted from 0.
    pub rule: usize,
    /// Which part of it: `when`, `check`, `field` or `compute`.
    pub key: &'static str,
    /// The character of the part at which it is, counted from 1.
    pub character: usize,
    /// What is wrong.
    pub message: String,
}

impl std::fmt::Display for RuleFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} (at character {})", self.message, self.character)
    }
}

/// The rules of a definition, compiled.
#[derive(Debug, Clone)]
pub struct Rules {
    rules: Vec<Rule>,
    sorts: Vec<Sort>,
}

#[derive(Debug, Clone)]
struct Rule {
    when: Option<Op>,
    check: Op,
    /// The fields that it looks at.
    uses: Vec<u32>,
    field: Option<u32>,
    is_own: bool,
    severity: Severity,
    /// What to say where it does not hold.
    message: String,
    /// What to call it where it can't be asked.
    name: String,
}

impl Rules {
    /// Compiles rules for records with these fields.
    ///
    /// # Errors
    /// Everything that is wrong with any of them.
    pub fn compile(
        specs: &[RuleSpec],
        fields: &[(&str, FieldType)],
    ) -> Result<Self, Vec<RuleFault>> {
        let typed: Vec<(&str, Sort)> = fields
            .iter()
            .map(|(name, kind)| (*name, sort_of(*kind)))
            .collect();
        let mut rules = Vec::with_capacity(specs.len());
        let mut faults = Vec::new();
        let mut number = 0;
        for (index, spec) in specs.iter().enumerate() {
            number += usize::from(!spec.is_own);
            if index == RULES_MAX {
                let message = format!("there are more than {RULES_MAX} rules");
                faults.push(RuleFault {
                    rule: index,
                    key: "check",
                    character: 1,
                    message,
                });
                break;
            }
            rules.extend(Rule::compile((index, number), spec, &typed, &mut faults));
        }
        if faults.is_empty() {
            let sorts = typed.iter().map(|(_, sort)| *sort).collect();
            Ok(Self { rules, sorts })
        } else {
            Err(faults)
        }
    }

    /// True when there is nothing to ask.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Asks every rule about a record, and adds an error for each that does not hold or can't be
    /// asked. Rules that look at a cell that is no value of its field's type are left out, as it is an
    /// error already.
    pub fn check(&self, row: &Row, errors: &mut Vec<RowError>) {
        let mut machine = Machine::new(row, &self.sorts);
        for rule in &self.rules {
            if !are_known(&rule.uses, row) || rule.is_passed_over(row) {
                continue;
            }
            match rule.holds(&mut machine) {
                Ok(true) => {}
                Ok(false) => errors.push(rule.error(rule.message.clone())),
                Err(fail) => {
                    let message = format!("{} can't be asked of this row: {fail}", rule.name);
                    errors.push(rule.error(message));
                }
            }
        }
    }
}

impl Rule {
    fn compile(
        (index, number): (usize, usize),
        spec: &RuleSpec,
        fields: &[(&str, Sort)],
        faults: &mut Vec<RuleFault>,
    ) -> Option<Self> {
        let faults_before = faults.len();
        let mut fault = |key: &'static str, text: &str, flaw: &Flaw| {
            faults.push(RuleFault {
                rule: index,
                key,
                character: character(text, flaw.at),
                message: flaw.message.clone(),
            });
        };
        let field = spec.field.as_deref().and_then(|name| {
            let place = fields.iter().position(|(field, _)| *field == name);
            if place.is_none() {
                let names = fields.iter().map(|(field, _)| *field);
                let mut message = format!("there is no field {}", shown(name));
                if let Some(nearest) = suggest::nearest(name, names) {
                    let _ = write!(message, "; did you mean {}?", shown(nearest));
                }
                fault("field", name, &Flaw::at(0, message));
            }
            place.map(|place| place as u32)
        });
        let mut scope = Scope::new(fields, field.filter(|_| spec.is_own));
        let mut compiled = |key: &'static str, text: &str| {
            let op = parser::parse(text).and_then(|tree| scope.truth(&tree, key));
            op.map_err(|flaw| fault(key, text, &flaw)).ok()
        };
        let when = spec.when.as_deref().map(|when| compiled("when", when));
        let check = compiled("check", &spec.check);
        let uses = scope.uses;
        if faults.len() > faults_before {
            return None;
        }
        let name = match spec.field.as_deref().filter(|_| spec.is_own) {
            Some(field) => format!("{field}: the check"),
            None => format!("rule {number}"),
        };
        let message = match (&spec.message, spec.field.as_deref().filter(|_| spec.is_own)) {
            (Some(message), Some(field)) => format!("{field}: {message}"),
            (Some(message), None) => message.clone(),
            (None, _) => {
                let expression = spec.check.split_whitespace().collect::<Vec<_>>().join(" ");
                format!("{name} does not hold: {expression}")
            }
        };
        Some(Self {
            when: when.flatten(),
            check: check?,
            uses,
            field,
            is_own: spec.is_own,
            severity: spec.severity,
            message,
            name,
        })
    }

    /// Whether it is a check of a field that is empty in this record.
    fn is_passed_over(&self, row: &Row) -> bool {
        let Some(field) = self.field.filter(|_| self.is_own) else {
            return false;
        };
        matches!(row.get(field), Some(Value::Null | Value::Str("")))
    }

    /// Whether it holds. What is not known is no breach of it, and no occasion for it.
    fn holds<'a>(&'a self, machine: &mut Machine<'a>) -> Result<bool, Fail> {
        if let Some(when) = &self.when
            && machine.truth(when)? != Some(true)
        {
            return Ok(true);
        }
        Ok(machine.truth(&self.check)? != Some(false))
    }

    #[cold]
    fn error(&self, message: String) -> RowError {
        RowError {
            field: self.field,
            severity: self.severity,
            ..RowError::of_row(Code::Rule, message)
        }
    }
}

/// A field's value as an expression, compiled.
#[derive(Debug, Clone)]
pub struct Computed {
    op: Op,
    uses: Vec<u32>,
    sorts: Vec<Sort>,
    /// Bytes of the expression, which may have all of the text in it.
    length: usize,
    /// What stands between the items of a list; without one a list is JSON.
    separator: Option<String>,
}

impl Computed {
    /// Compiles the expression of a field that is calculated from these fields.
    ///
    /// # Errors
    /// What is wrong with it. [`RuleFault::rule`] is 0, its key is `compute`.
    pub fn compile(expression: &str, fields: &[(&str, FieldType)]) -> Result<Self, RuleFault> {
        let typed: Vec<(&str, Sort)> = fields
            .iter()
            .map(|(name, kind)| (*name, sort_of(*kind)))
            .collect();
        let mut scope = Scope::new(&typed, None);
        let compiled = parser::parse(expression).and_then(|tree| scope.compile(&tree));
        let (op, _) = compiled.map_err(|flaw| RuleFault {
            rule: 0,
            key: "compute",
            character: character(expression, flaw.at),
            message: flaw.message,
        })?;
        let uses = scope.uses;
        let sorts = typed.iter().map(|(_, sort)| *sort).collect();
        let length = expression.len();
        Ok(Self {
            op,
            uses,
            sorts,
            length,
            separator: None,
        })
    }

    /// Lists become text with this between their items.
    #[must_use]
    pub fn with_separator(mut self, separator: &str) -> Self {
        self.separator = Some(separator.to_owned());
        self
    }

    /// The fields that it is calculated from, by their places.
    #[must_use]
    pub fn uses(&self) -> &[u32] {
        &self.uses
    }

    /// The most bytes that it may have in every row, whatever the cells hold.
    #[must_use]
    pub fn bytes_added_max(&self) -> usize {
        GROWTH_BYTES + self.length
    }

    /// The text that a cell of the field would have: empty where a value it needs is missing. `None`
    /// where a cell it needs is no value of its field's type, which is an error already.
    ///
    /// # Errors
    /// Why it can't be calculated, in words that continue a sentence.
    pub fn text(&self, row: &Row) -> Result<Option<String>, String> {
        let mut bytes = self.bytes_added_max();
        for index in &self.uses {
            bytes += match row.get(*index) {
                None => return Ok(None),
                Some(Value::Str(text) | Value::Decimal(text) | Value::Json(text)) => {
                    text.len() * GROWTH_FACTOR
                }
                Some(_) => 0,
            };
        }
        let mut machine = Machine::new(row, &self.sorts);
        let value = machine.run(&self.op);
        let value = value.and_then(|value| match (&value, &self.separator) {
            (Val::List(items), Some(separator)) => machine.joined(items, separator),
            _ => machine.written(&value),
        });
        match value {
            Ok(text) if text.len() > bytes => Err(Fail::TooLarge.to_string()),
            Ok(text) => Ok(Some(text)),
            Err(fail) => Err(fail.to_string()),
        }
    }
}

/// What is wrong with an expression whatever fields there are.
pub(crate) fn syntax_fault(expression: &str) -> Option<String> {
    let flaw = parser::parse(expression).err()?;
    let character = character(expression, flaw.at);
    Some(format!("{} (at character {character})", flaw.message))
}

fn are_known(uses: &[u32], row: &Row) -> bool {
    uses.iter().all(|index| row.get(*index).is_some())
}

/// What values of a type are in expressions.
fn sort_of(kind: FieldType) -> Sort {
    match kind {
        FieldType::String
        | FieldType::Email
        | FieldType::Url
        | FieldType::Uuid
        | FieldType::Phone
        | FieldType::Enum => Sort::Str,
        FieldType::Number => Sort::Num,
        FieldType::Integer => Sort::Int,
        FieldType::Decimal => Sort::Dec,
        FieldType::Boolean => Sort::Bool,
        FieldType::Date | FieldType::DateTime => Sort::Time,
        FieldType::Array => Sort::List,
        FieldType::Json => Sort::Any,
    }
}

/// Which character of a text a byte belongs to, counted from 1.
fn character(text: &str, byte: usize) -> usize {
    let before = text.get(..byte).unwrap_or(text);
    before.chars().count() + 1
}
