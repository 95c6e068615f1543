//! I8: no record value in a message, a reason, a summary or a log line.

use super::super::files::PLANTED;
use super::{Evidence, Verdict, violated};

/// I8: the text that every row has is nowhere but in outputs and rejects.
pub(super) fn no_value_leaks(evidence: &Evidence<'_>) -> Verdict {
    for (_, message) in &evidence.history.sent {
        let body = message.encode();
        if body.contains(PLANTED) {
            return violated("I8", format!("a message says {body}"));
        }
    }
    for record in evidence.table.jobs.values() {
        let reason = record.job.reason.as_ref();
        if let Some(reason) = reason.filter(|reason| reason.message.contains(PLANTED)) {
            return violated("I8", format!("a reason says {}", reason.message));
        }
    }
    for (_, _, summary) in &evidence.history.summaries {
        let summary = String::from_utf8_lossy(summary);
        if summary.contains(PLANTED) {
            return violated("I8", format!("a summary says {summary}"));
        }
    }
    for line in &evidence.history.logs {
        if line.contains(PLANTED) {
            return violated("I8", format!("a log says {line}"));
        }
    }
    Ok(())
}
