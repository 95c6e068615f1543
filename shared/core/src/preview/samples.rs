//! The few rows that a preview shows: the first good ones, converted; bad ones, and those with
//! warnings, the first of each kind of error among them.
//!
//! Nothing sensitive is in them. It must not know how rows are counted.

use std::collections::HashSet;

use batchfleet_definition::{
    Checked, Code, Definition, Encoder, JsonLines, RowError, Scratch, Value,
};
use batchfleet_grammar::Record;

use super::{Looked, Origin};
use crate::process::JobPlan;
use crate::rejects::{MASK, RejectWriter};

/// Good rows that are shown.
const GOOD_MAX: usize = 3;

/// Bad rows that are shown whatever is wrong with them, and those in all: each of the further ones has
/// an error of a kind that none before it had.
const BAD_MAX: usize = 3;
const BAD_KINDS_MAX: usize = 10;

/// A good row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoodRow {
    /// The line on which it began.
    pub line: u64,
    /// What becomes of it: a JSON object, with what is sensitive masked.
    pub json: String,
}

pub(super) struct Samples<'p> {
    plan: &'p JobPlan,
    encoder: Masked,
    good: Vec<GoodRow>,
    rejects: RejectWriter<'p>,
    bad: Picked,
    with_warnings: Picked,
    whole: Vec<u8>,
}

/// Which rows were picked so far.
#[derive(Default)]
struct Picked {
    rows: usize,
    kinds: HashSet<(Option<u32>, Code)>,
}

impl Picked {
    fn picks(&mut self, errors: &[RowError]) -> bool {
        if self.rows >= BAD_KINDS_MAX {
            return false;
        }
        let mut is_new = false;
        for error in errors.iter().take(BAD_KINDS_MAX) {
            is_new |= self.kinds.insert((error.field, error.code));
        }
        let picks = is_new || self.rows < BAD_MAX;
        self.rows += usize::from(picks);
        picks
    }
}

impl<'p> Samples<'p> {
    pub(super) fn new(definition: &Definition, plan: &'p JobPlan) -> Self {
        let fields = definition.fields().iter();
        Self {
            plan,
            encoder: Masked {
                hidden: fields.map(|field| field.sensitive).collect(),
                json: JsonLines::new(plan.rows()),
            },
            good: Vec::new(),
            rejects: RejectWriter::new(plan.reject_form()),
            bad: Picked::default(),
            with_warnings: Picked::default(),
            whole: Vec::new(),
        }
    }

    pub(super) fn wants_good(&self) -> bool {
        self.good.len() < GOOD_MAX
    }

    /// Checks a record that may become a sample.
    pub(super) fn check(
        &mut self,
        record: &Record<'_>,
        origin: &Origin<'_>,
        scratch: &mut Scratch,
        errors: &mut Vec<RowError>,
    ) -> Checked {
        self.encoder.json.clear();
        let encoder = &mut self.encoder;
        self.plan
            .check(record, origin.fault, &[], scratch, encoder, errors)
    }

    /// The record that was checked last is a good one.
    pub(super) fn accepted(&mut self, line: u64) {
        if self.wants_good() {
            let json = String::from_utf8_lossy(self.encoder.json.buffer());
            let json = json.trim_end().to_owned();
            self.good.push(GoodRow { line, json });
        }
    }

    pub(super) fn rejected(&mut self, record: &Record<'_>, line: u64, errors: &[RowError]) {
        if self.bad.picks(errors) {
            self.rejects.record(record, line, errors);
        }
    }

    pub(super) fn warned(&mut self, record: &Record<'_>, line: u64, errors: &[RowError]) {
        if self.with_warnings.picks(errors) {
            self.rejects.warn(record, line, errors);
        }
    }

    /// A bad row in the form in which it is shown.
    pub(super) fn rejected_whole(&mut self, json: &[u8]) {
        if self.bad.rows < BAD_KINDS_MAX {
            self.bad.rows += 1;
            self.whole.extend_from_slice(json);
        }
    }

    pub(super) fn into_looked(self, looked: &mut Looked) {
        let reported = self.rejects.finish();
        looked.good = self.good;
        looked.bad = reported.rejects_json;
        looked.bad.extend_from_slice(&self.whole);
        looked.warned_rows = reported.warnings_json;
    }
}

/// JSON in which nobody sees what is sensitive.
struct Masked {
    /// By the place of the field.
    hidden: Vec<bool>,
    json: JsonLines,
}

impl Encoder for Masked {
    fn begin(&mut self) {
        self.json.begin();
    }

    fn field(&mut self, index: usize, value: Value<'_>) {
        let is_hidden = self.hidden.get(index).is_some_and(|hidden| *hidden);
        let is_nothing = matches!(value, Value::Null | Value::Str(""));
        let shown = if is_hidden && !is_nothing {
            Value::Str(MASK)
        } else {
            value
        };
        self.json.field(index, shown);
    }

    fn end(&mut self) {
        self.json.end();
    }

    fn discard(&mut self) {
        self.json.discard();
    }
}
