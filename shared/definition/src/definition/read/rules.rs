//! Reads `rules`, and of every field its `check` and how it is calculated.
//!
//! They may name any field, so they are read after all of them. It must not know the language of
//! expressions.

use super::super::Field;
use crate::language::{At, Mapping, Reader};
use crate::logic::Logic;
use crate::row_error::Severity;
use crate::rules::{Computed, RuleFault, RuleSpec, Rules, syntax_fault};
use crate::show::shown;
use crate::types::FieldType;

/// The keys of a rule.
pub(super) const RULE_KEYS: [&str; 5] = ["when", "check", "message", "field", "severity"];
/// The keys of a check of a field.
pub(super) const CHECK_KEYS: [&str; 4] = ["when", "check", "message", "severity"];

/// A rule, and where its parts stand.
struct Placed<'t> {
    spec: RuleSpec,
    rule: At<'t>,
    when: Option<At<'t>>,
    check: At<'t>,
    field: Option<At<'t>>,
}

impl Reader {
    /// The expressions of a definition. Those of fields that could not be read are looked at only as
    /// far as they can be without them.
    pub(super) fn logic(
        &mut self,
        keys: &Mapping<'_>,
        fields: &mut [Field],
        is_whole: bool,
    ) -> (Vec<RuleSpec>, Logic) {
        let items = keys.get("fields").map(At::items).unwrap_or_default();
        let mut placed = Vec::new();
        for item in &items {
            let name = item.peek("name").and_then(|at| at.word().map(str::trim));
            let field = fields.iter().find(|field| name == Some(&field.name));
            if let (Some(field), Some(at)) = (field, item.peek("check")) {
                placed.extend(self.checks(&at, field));
            }
        }
        if let Some(at) = keys.get("rules") {
            for item in self.sequence(at, "a list of rules").unwrap_or_default() {
                placed.extend(self.rule(&item, &RULE_KEYS, None));
            }
        }
        let computed = self.computed(&items, fields, is_whole);
        let specs: Vec<RuleSpec> = placed.iter().map(|rule| rule.spec.clone()).collect();
        if !is_whole {
            self.syntax(&placed);
            return (specs, Logic::default());
        }
        let named = named(fields);
        let logic = match Rules::compile(&specs, &named) {
            Ok(rules) => Logic::new(rules, computed),
            Err(faults) => {
                for fault in faults {
                    self.rule_fault(&placed, &fault);
                }
                Logic::default()
            }
        };
        (specs, logic)
    }

    /// One expression, or a list of checks.
    fn checks<'t>(&mut self, at: &At<'t>, field: &Field) -> Vec<Placed<'t>> {
        let items = at.items();
        if items.is_empty() {
            return self
                .rule(at, &CHECK_KEYS, Some(field))
                .into_iter()
                .collect();
        }
        let checks = items
            .iter()
            .filter_map(|item| self.rule(item, &CHECK_KEYS, Some(field)));
        checks.collect()
    }

    /// A rule, or a check of a field, which may be an expression alone.
    fn rule<'t>(
        &mut self,
        at: &At<'t>,
        known: &'static [&'static str],
        own: Option<&Field>,
    ) -> Option<Placed<'t>> {
        let mut spec = RuleSpec {
            field: own.map(|field| field.name.clone()),
            message: own.and_then(|field| field.message.clone()),
            severity: own.map_or(Severity::Error, |field| field.severity),
            is_own: own.is_some(),
            ..RuleSpec::default()
        };
        if own.is_some() && !at.is_mapping() {
            self.text(at, "an expression")?.clone_into(&mut spec.check);
            let (rule, check) = (at.clone(), at.clone());
            return Some(Placed {
                spec,
                rule,
                when: None,
                check,
                field: None,
            });
        }
        let keys = self.mapping(at, "a rule, which is a mapping", known)?;
        if let Some(at) = keys.get("when") {
            spec.when = Some(self.text(at, "an expression")?.to_owned());
        }
        if let Some(at) = keys.get("message") {
            spec.message = self.short_text(at, "a sentence");
        }
        if let Some(at) = keys.get("field") {
            spec.field = Some(self.text(at, "the name of a field")?.trim().to_owned());
        }
        if let Some(at) = keys.get("severity") {
            let choice = self.choice(at, "severity", &["error", "warning"]);
            spec.severity = match choice {
                Some("warning") => Severity::Warning,
                _ => Severity::Error,
            };
        }
        let Some(check) = keys.get("check").cloned() else {
            return self.missing(&keys, "check");
        };
        self.text(&check, "an expression")?
            .clone_into(&mut spec.check);
        Some(Placed {
            spec,
            rule: at.clone(),
            when: keys.get("when").cloned(),
            check,
            field: keys.get("field").cloned(),
        })
    }

    fn rule_fault(&mut self, placed: &[Placed<'_>], fault: &RuleFault) {
        let Some(rule) = placed.get(fault.rule) else {
            return;
        };
        match fault.key {
            "when" => self.fault(rule.when.as_ref().unwrap_or(&rule.rule), fault.to_string()),
            "field" => self.fault(rule.field.as_ref().unwrap_or(&rule.rule), &*fault.message),
            _ => self.fault(&rule.check, fault.to_string()),
        }
    }

    /// What is wrong with expressions whatever fields there are.
    fn syntax(&mut self, placed: &[Placed<'_>]) {
        for rule in placed {
            let parts = [
                (rule.when.as_ref(), rule.spec.when.as_deref()),
                (Some(&rule.check), Some(&*rule.spec.check)),
            ];
            for part in parts {
                if let (Some(at), Some(text)) = part
                    && let Some(fault) = syntax_fault(text)
                {
                    self.fault(at, fault);
                }
            }
        }
    }

    /// How fields are calculated, by their places. What is calculated from a secret is one.
    fn computed(
        &mut self,
        items: &[At<'_>],
        fields: &mut [Field],
        is_whole: bool,
    ) -> Vec<Option<Computed>> {
        let mut computed: Vec<Option<Computed>> = Vec::new();
        computed.resize_with(fields.len(), || None);
        for (index, item) in items.iter().enumerate() {
            let Some(at) = item.peek("compute") else {
                continue;
            };
            if !is_whole {
                if let Some(fault) = at.word().and_then(syntax_fault) {
                    self.fault(&at, fault);
                }
                continue;
            }
            let Some(compiled) = self.calculation(&at, index, fields) else {
                continue;
            };
            let secret = compiled
                .uses()
                .iter()
                .any(|used| fields[*used as usize].sensitive);
            fields[index].sensitive |= secret;
            computed[index] = Some(compiled);
        }
        computed
    }

    fn calculation(&mut self, at: &At<'_>, index: usize, fields: &[Field]) -> Option<Computed> {
        let field = fields.get(index)?;
        let compiled = match Computed::compile(field.compute.as_deref()?, &named(fields)) {
            Ok(compiled) => compiled,
            Err(fault) => {
                self.fault(at, fault.to_string());
                return None;
            }
        };
        if let Some(later) = compiled.uses().iter().find(|used| **used as usize >= index) {
            let message = if *later as usize == index {
                "a field can't be calculated from itself".to_owned()
            } else {
                let later = shown(&fields[*later as usize].name);
                format!("a field is calculated from those above it; put it below {later}")
            };
            self.fault(at, message);
            return None;
        }
        Some(match field.kind {
            FieldType::Array => {
                let separator = field.options.separator.as_deref();
                compiled.with_separator(separator.unwrap_or(","))
            }
            _ => compiled,
        })
    }
}

fn named(fields: &[Field]) -> Vec<(&str, FieldType)> {
    fields
        .iter()
        .map(|field| (&*field.name, field.kind))
        .collect()
}
