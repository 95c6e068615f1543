//! Rows that become rejects without being checked: refused by the destination, too long to be read,
//! or of a batch whose workers keep dying.
//!
//! Pure, like the processing of a batch. It must not know who gave up, or when.

use std::fmt::Write;

use batchfleet_definition::{Code, RowError};
use batchfleet_grammar::{BatchRange, Position, RecordReader};

use super::{JobPlan, Processed, file, origin};
use crate::job::{CodeCounts, Counts};
use crate::rejects::{Place, RejectWriter};
use crate::work::Scope;

/// What a reason of the destination is cut to: it may quote the call that it answers.
const REASON_CHARACTERS_MAX: usize = 300;

/// Why a good record becomes a reject: the destination refused it, `tries` times.
#[must_use]
pub fn refused_by_destination(reason: &str, tries: u32) -> RowError {
    let times = match tries {
        0 | 1 => String::new(),
        _ => format!(" {tries} times"),
    };
    let mut message = format!("the destination refused the row{times}: ");
    let mut characters = reason.chars();
    let shown = characters.by_ref().take(REASON_CHARACTERS_MAX);
    message.extend(shown.map(|one| if one.is_control() { ' ' } else { one }));
    if characters.next().is_some() {
        message.push('…');
    }
    RowError::of_row(Code::DeliveryFailed, message)
}

/// A record that is too long to be read into memory: one reject that says where its bytes are, with
/// the first of them, as far as they are at hand ([`RAW_BYTES_MAX`](crate::rejects::RAW_BYTES_MAX)).
#[must_use]
pub fn reject_oversize(plan: &JobPlan, range: &BatchRange, head: &[u8]) -> Processed {
    if range.footer > 0 {
        return Processed::skipped(range);
    }
    let bytes = range.end - range.start;
    let limit = plan.limits.record_bytes_max;
    let file = file(plan);
    let mut message = format!(
        "the record is {bytes} bytes long, over the limit of {limit}; it begins in line {}, its bytes are \
         {}..{} of {file}; a quotation mark opened in it may never be closed",
        range.first_line, range.start, range.end
    );
    if let Some(kept) = plan.rejects.cut_at(head) {
        let _ = write!(message, "; the first {kept} of its bytes are kept here");
    }
    let error = RowError::of_row(Code::RecordTooLong, message);
    reject_range(
        plan,
        range,
        head,
        &error,
        Counts {
            records: 1,
            rejected: 1,
            ..Counts::default()
        },
    )
}

/// Every record of a batch as a reject: what is left of a batch whose workers keep dying.
#[must_use]
pub fn reject_all(
    plan: &JobPlan,
    bytes: &[u8],
    range: &BatchRange,
    scope: &Scope,
    attempts: u32,
) -> Processed {
    let doubt = doubt(plan, "the row");
    let message = format!(
        "the batch of this row was given up after {attempts} attempts that did not finish{doubt}"
    );
    let error = RowError::of_row(Code::BatchFailed, message);
    let at = Position {
        offset: range.start,
        record: range.first_record,
        line: range.first_line,
    };
    let mut reader = RecordReader::new(bytes, plan.layout.dialect, plan.limits, at);
    let mut rejects = RejectWriter::new(&plan.rejects);
    let mut counts = Counts::default();
    while let Some(record) = reader.read() {
        counts.records += 1;
        let is_footer = record.index() >= range.footer_start();
        if is_footer || record.is_skippable() || !scope.has(record.index()) {
            counts.skipped += 1;
        } else {
            counts.rejected += 1;
            let line = origin(&plan.layout, &record).line;
            rejects.record(&record, line, std::slice::from_ref(&error));
        }
    }
    let codes = CodeCounts::from([(error.code, counts.rejected)]);
    Processed {
        counts,
        codes,
        ..Processed::of(rejects.finish())
    }
}

/// A batch whose bytes even the reader did not survive: one row that says where the records are.
#[must_use]
pub fn reject_unread(
    plan: &JobPlan,
    range: &BatchRange,
    scope: &Scope,
    attempts: u32,
) -> Processed {
    let BatchRange { start, end, .. } = *range;
    let rejected = scope.count(range);
    let (doubt, file) = (doubt(plan, "some"), file(plan));
    let message = format!(
        "{rejected} rows from here on were given up unread after {attempts} attempts that did not finish; \
         their bytes are {start}..{end} of {file}{doubt}"
    );
    let error = RowError::of_row(Code::BatchFailed, message);
    let counts = Counts {
        records: range.records,
        rejected,
        skipped: range.records - rejected,
        ..Counts::default()
    };
    reject_range(plan, range, b"", &error, counts)
}

/// A worker that died may have delivered first, where nothing keeps the two together.
fn doubt(plan: &JobPlan, what: &str) -> String {
    if plan.destination.is_record_wise() {
        format!("; {what} may have reached the destination all the same")
    } else {
        String::new()
    }
}

/// One row of rejects for a whole range, with what is known of its text.
fn reject_range(
    plan: &JobPlan,
    range: &BatchRange,
    raw: &[u8],
    error: &RowError,
    counts: Counts,
) -> Processed {
    let mut rejects = RejectWriter::new(&plan.rejects);
    let place = Place::start_of(range, counts.rejected);
    rejects.unread(&place, raw, std::slice::from_ref(error));
    let codes = CodeCounts::from([(error.code, counts.rejected)]);
    Processed {
        counts,
        codes,
        ..Processed::of(rejects.finish())
    }
}
