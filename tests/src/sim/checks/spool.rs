//! The spool: whoever writes a part writes the same, all of it is the file's text, and it goes with the
//! job.

use super::super::bucket::Bucket;
use super::{Evidence, Imported, Verdict, violated};

/// I5: a part that is written again is the same.
pub(super) fn parts_are_immutable(bucket: &Bucket) -> Verdict {
    match bucket.spool_changed.first() {
        None => Ok(()),
        Some((job, part)) => violated("I5", format!("part {part} of {job} was changed")),
    }
}

/// What a job's spool holds is the text of its file; and once the job is reported it holds nothing, but
/// for what somebody writes who comes too late.
pub(super) fn is_the_text(evidence: &Evidence<'_>, job: &Imported<'_>) -> Verdict {
    let id = &job.record.job.id;
    let parts = evidence.bucket.spool.iter();
    let parts = parts.filter(|((owner, _), _)| owner == id);
    let text = job.file.text.as_bytes();
    for ((_, part), bytes) in parts {
        let start = (part * evidence.scenario.window_bytes) as usize;
        let expected = text.get(start..start + bytes.len());
        if job.file.packed.is_none() || expected != Some(&bytes[..]) {
            return violated("I5", format!("part {part} of {id} is not the file's text"));
        }
        let was_quiet = evidence.history.disturbed.is_empty() && evidence.history.deaths == 0;
        if was_quiet && job.is_completed() && !job.record.job.outbox {
            return violated("I4", format!("{id} left part {part} in the spool"));
        }
    }
    let marks = evidence.bucket.marks.keys();
    let mut batches = marks.filter(|(owner, _)| owner == id);
    if let Some((_, batch)) = batches.next() {
        if !evidence.scenario.unique {
            return violated("I5", format!("batch {batch} of {id} has marks"));
        }
        let was_quiet = evidence.history.disturbed.is_empty() && evidence.history.deaths == 0;
        if was_quiet && job.is_completed() && !job.record.job.outbox {
            return violated("I4", format!("{id} left the marks of batch {batch}"));
        }
    }
    Ok(())
}

/// How many jobs had a file to be decoded.
pub(crate) fn decoded(evidence: &Evidence<'_>) -> u64 {
    let jobs = super::jobs(evidence).filter_map(Result::ok);
    jobs.filter(|job| job.file.packed.is_some()).count() as u64
}
