//! Rows that become rejects without being checked: refused by the destination, too long to be read,
//! or of a batch whose workers keep dying.
//!
//! Pure, like the processing of a batch. It must not know who gave up, or when.

use batchfleet_definition::{Code, RowError};
use batchfleet_grammar::{BatchRange, Position, RecordReader};

use super::{JobPlan, Processed};
use crate::job::{CodeCounts, Counts};
use crate::rejects::RejectWriter;
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

/// A record that is too long to be read into memory: one reject that says where its bytes are.
#[must_use]
pub fn reject_oversize(plan: &JobPlan, range: &BatchRange) -> Processed {
    let bytes = range.end - range.start;
    let limit = plan.limits.record_bytes_max;
    let message = format!(
        "the record is {bytes} bytes long, over the limit of {limit}; its bytes are {}..{} of the file; \
         a quotation mark opened in it may never be closed",
        range.start, range.end
    );
    let error = RowError::of_row(Code::RecordTooLong, message);
    reject_range(
        plan,
        range,
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
    let mut rejects = RejectWriter::new(&plan.layout);
    let mut counts = Counts::default();
    while let Some(record) = reader.read() {
        counts.records += 1;
        if record.is_blank() || !scope.has(record.index()) {
            counts.skipped += 1;
        } else {
            counts.rejected += 1;
            rejects.record(&record, std::slice::from_ref(&error));
        }
    }
    let codes = CodeCounts::from([(error.code, counts.rejected)]);
    Processed {
        rejects: rejects.finish(),
        counts,
        codes,
        ..Processed::default()
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
    let doubt = doubt(plan, "some");
    let message = format!(
        "{rejected} rows from here on were given up unread after {attempts} attempts that did not finish; \
         their bytes are {start}..{end} of the file{doubt}"
    );
    let error = RowError::of_row(Code::BatchFailed, message);
    let counts = Counts {
        records: range.records,
        rejected,
        skipped: range.records - rejected,
        ..Counts::default()
    };
    reject_range(plan, range, &error, counts)
}

/// A worker that died may have delivered first, where nothing keeps the two together.
fn doubt(plan: &JobPlan, what: &str) -> String {
    if plan.destination.is_record_wise() {
        format!("; {what} may have reached the destination all the same")
    } else {
        String::new()
    }
}

/// One row of rejects for a whole range.
fn reject_range(plan: &JobPlan, range: &BatchRange, error: &RowError, counts: Counts) -> Processed {
    let mut rejects = RejectWriter::new(&plan.layout);
    rejects.without_cells(range, error);
    let codes = CodeCounts::from([(error.code, counts.rejected)]);
    Processed {
        rejects: rejects.finish(),
        counts,
        codes,
        ..Processed::default()
    }
}
