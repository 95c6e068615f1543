//! What a job leaves behind: the names of its outputs and the summary.

use serde::{Deserialize, Serialize};

use batchfleet_decode::Format;
use batchfleet_definition::Code;
use batchfleet_grammar::BatchRange;

use crate::batch::{BatchItem, Completion};
use crate::ids::JobId;
use crate::job::{CodeCounts, Counts, Job, JobStatus, Layout, Reason, add_codes};
use crate::mutation::{self, Mutation};
use crate::source::SourceRef;

/// The summary's name.
pub const SUMMARY_FILE: &str = "summary.json";
/// The name of the merged rejects.
pub const REJECTS_FILE: &str = "rejects.csv";
/// The name of the same rejects as JSON Lines.
pub const REJECTS_JSON_FILE: &str = "rejects.jsonl";
/// The name of the merged records with warnings; there is none where no record has any.
pub const WARNINGS_FILE: &str = "warnings.jsonl";
/// The manifest's name.
pub const MANIFEST_FILE: &str = "manifest.json";
/// The folder of the delivered parts.
pub const OUTPUT_FOLDER: &str = "output/";

/// The name of a batch's delivered part. It depends on the batch alone, so that a batch which is
/// worked again finds what an earlier attempt delivered.
#[must_use]
pub fn output_part(batch: u64) -> String {
    format!("{OUTPUT_FOLDER}part-{batch:09}.jsonl")
}

/// A report that every batch writes a part of, and that the closer merges in the order of the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Report {
    /// The rejects with their cells as they were.
    Rejects,
    /// The rejects as JSON Lines.
    RejectsJson,
    /// The accepted records with warnings, as JSON Lines.
    Warnings,
}

impl Report {
    /// Every report.
    pub const ALL: [Self; 3] = [Self::Rejects, Self::RejectsJson, Self::Warnings];

    /// The name of the merged report.
    #[must_use]
    pub fn file(self) -> &'static str {
        match self {
            Self::Rejects => REJECTS_FILE,
            Self::RejectsJson => REJECTS_JSON_FILE,
            Self::Warnings => WARNINGS_FILE,
        }
    }

    /// The name of a batch's part.
    #[must_use]
    pub fn part(self, of: PartOf) -> String {
        let (folder, extension) = match self {
            Self::Rejects => ("rejects", "csv"),
            Self::RejectsJson => ("rejects", "jsonl"),
            Self::Warnings => ("warnings", "jsonl"),
        };
        let batch = of.batch;
        let after = match of.outcome {
            Outcome::OfItsBytes => String::new(),
            Outcome::GivenUp(_) if mutation::on(Mutation::GiveUpSameName) => String::new(),
            Outcome::GivenUp(fence) => format!("-given-up-{fence}"),
            Outcome::Refused(_) if mutation::on(Mutation::RefusedSameName) => String::new(),
            Outcome::Refused(fence) => format!("-refused-{fence}"),
        };
        format!("{folder}/part-{batch:09}{after}.{extension}")
    }

    /// Whether a batch that came to this has a part of the report.
    #[must_use]
    pub fn is_of(self, done: &Completion) -> bool {
        match self {
            Self::Rejects => done.counts.rejected > 0,
            // Batches of releases before there was this report have none.
            Self::RejectsJson => done.counts.rejected > 0 && done.written.is_some(),
            Self::Warnings => done.warned > 0,
        }
    }

    /// The name of the part of a batch that is over, if it has one.
    #[must_use]
    pub fn part_of(self, batch: u64, item: &BatchItem) -> Option<String> {
        let done = item.completion.as_ref().filter(|_| item.status.is_over())?;
        let of = PartOf::new(batch, item.fence, done);
        self.is_of(done).then(|| self.part(of))
    }
}

/// Whose part of a report it is: all that its name follows from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartOf {
    /// The batch.
    pub batch: u64,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of a batch, as far as the names of its reports depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// What follows from its bytes, the same in every attempt.
    OfItsBytes,
    /// It was given up under this fence. An earlier worker may have written the reports of the batch
    /// itself before it died, and each giving up says how many did: one name for them all would be a
    /// conflict.
    GivenUp(u64),
    /// The destination refused some of its rows under this fence. Another attempt may come to others,
    /// and only those of the claim that completes the batch count.
    Refused(u64),
}

impl PartOf {
    /// Of a batch that ends like this under this fence.
    #[must_use]
    pub fn new(batch: u64, fence: u64, done: &Completion) -> Self {
        let outcome = if done.failed {
            Outcome::GivenUp(fence)
        } else if done.codes.contains_key(&Code::DeliveryFailed) {
            Outcome::Refused(fence)
        } else {
            Outcome::OfItsBytes
        };
        Self { batch, outcome }
    }
}

/// What the batches of a job sum to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// The ledger of the batches that are over.
    pub counts: Counts,
    /// How many are.
    pub batches: u64,
    /// Rejected rows by error code.
    pub codes: CodeCounts,
    /// Accepted rows with warnings.
    pub warned: u64,
    /// Those by the codes of their warnings.
    pub warnings: CodeCounts,
    /// Batches given up.
    pub failed_batches: Vec<FailedBatch>,
    /// Whose parts there are of each [`Report::ALL`], in the order of the rows.
    pub parts: [Vec<PartOf>; 3],
    /// Parts of cancelled batches.
    pub uncounted_parts: Vec<String>,
    /// Cancelled batches whose rows a destination may have all the same.
    pub uncounted_batches: Vec<FailedBatch>,
}

impl Account {
    /// Adds a batch that is over.
    pub fn add(&mut self, of: PartOf, done: &Completion) {
        self.batches += 1;
        self.counts += done.counts;
        add_codes(&mut self.codes, &done.codes);
        self.warned += done.warned;
        add_codes(&mut self.warnings, &done.warnings);
        for (report, parts) in Report::ALL.into_iter().zip(&mut self.parts) {
            if report.is_of(done) {
                parts.push(of);
            }
        }
    }
}

/// Where the rows of a batch that did not get through are in the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedBatch {
    /// Its index.
    pub batch: u64,
    /// Its first record.
    pub first_record: u64,
    /// Its records.
    pub records: u64,
    /// The line of its first record.
    pub first_line: u64,
    /// Its first byte.
    pub start: u64,
    /// The byte after its last.
    pub end: u64,
}

impl FailedBatch {
    /// Of a range of the plan.
    #[must_use]
    pub fn of(range: &BatchRange) -> Self {
        Self {
            batch: range.index,
            first_record: range.first_record,
            records: range.records,
            first_line: range.first_line,
            start: range.start,
            end: range.end,
        }
    }
}

/// `summary.json`: everything a person or a program needs to know of an ended job. Made of stored
/// facts alone, so that it is the same however often it is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// The version of this format: 1.
    pub version: u32,
    /// The job.
    pub job: JobId,
    /// How it ended.
    pub status: JobStatus,
    /// Why it failed, if it did.
    pub reason: Option<Reason>,
    /// What was imported, with its version or `ETag`.
    pub source: SourceRef,
    /// The definition that judged it.
    pub definition: DefinitionSnapshot,
    /// Columns of the file that no field took.
    pub ignored_columns: Vec<String>,
    /// The ledger.
    #[serde(flatten)]
    pub counts: Counts,
    /// Batches that are over.
    pub batches: u64,
    /// Batches that were given up; their rows are rejects.
    pub failed_batches: Vec<FailedBatch>,
    /// Parts in the output of a job that ended early whose rows are in no count: their workers died
    /// between delivery and completion.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub uncounted_parts: Vec<String>,
    /// Batches of a job that ended early whose rows are in no count, although a destination that takes
    /// records one by one may have some of them: a worker had begun to deliver.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub uncounted_batches: Vec<FailedBatch>,
    /// Bytes of the source.
    pub bytes: u64,
    /// What the source was, where it was not CSV in UTF-8 as it is; absent where the job ended before
    /// its first batch did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decoded: Option<Decoded>,
    /// Rejected rows by error code. A row counts once under each code it has.
    pub errors: CodeCounts,
    /// Accepted rows with warnings.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub warned: u64,
    /// Accepted rows by the codes of their warnings, counted like the errors.
    #[serde(default, skip_serializing_if = "CodeCounts::is_empty")]
    pub warnings: CodeCounts,
    /// When what happened.
    pub timings: Timings,
    /// Where the delivered parts are, or the destination's address.
    pub output: String,
    /// Where rejects.csv is; absent where the job ended before its header was read.
    pub rejects: Option<String>,
    /// Where rejects.jsonl is, likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejects_jsonl: Option<String>,
    /// Where warnings.jsonl is; absent where no row has a warning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warnings_jsonl: Option<String>,
    /// Where manifest.json is, which lists the files with their checksums.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest: Option<String>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// Where a person finds the outputs of a job.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Locations {
    /// The delivered parts, or the destination's address.
    pub output: String,
    /// Of each [`Report::ALL`], where it is, if it is.
    pub reports: [Option<String>; 3],
    /// The manifest.
    pub manifest: String,
}

/// What a source was that had to be decoded, and what it became.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decoded {
    /// Container, encoding, form of JSON: those that it had.
    #[serde(flatten)]
    pub format: Format,
    /// Bytes of the text; absent where the job ended before they were all known.
    pub bytes: Option<u64>,
    /// Sequences that mean nothing in its encoding, and became U+FFFD.
    pub malformed: u64,
    /// Objects with keys that were left out.
    pub late_keys: u64,
}

impl Decoded {
    /// Of a job, if its source is spooled.
    #[must_use]
    pub fn of(job: &Job, layout: &Layout) -> Option<Self> {
        let format = layout.spool.as_ref()?.format.clone();
        let notes = job.plan.map(|plan| plan.notes()).unwrap_or_default();
        Some(Self {
            format,
            bytes: job.plan.map(|plan| plan.data_end),
            malformed: notes.malformed,
            late_keys: notes.late_keys,
        })
    }
}

/// A definition as it was when the job was created.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DefinitionSnapshot {
    /// Its name.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// Times in milliseconds since 1970, and how long it took.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timings {
    /// The event came.
    pub created_ms: u64,
    /// The plan was complete.
    pub prepared_ms: Option<u64>,
    /// The job ended.
    pub finished_ms: u64,
    /// From created to finished.
    pub elapsed_ms: u64,
}

impl Summary {
    /// Of an ended job.
    #[must_use]
    pub fn new(
        job: &Job,
        account: Account,
        definition_text: String,
        ignored_columns: Vec<String>,
        at: Locations,
    ) -> Self {
        let [rejects, rejects_jsonl, warnings_jsonl] = at.reports;
        let finished_ms = job.finished_ms.unwrap_or(job.created_ms);
        Self {
            version: 1,
            job: job.id.clone(),
            status: job.status,
            reason: job.reason.clone(),
            source: job.source.clone(),
            definition: DefinitionSnapshot {
                name: job.definition_name.clone(),
                text: definition_text,
            },
            ignored_columns,
            counts: account.counts,
            batches: account.batches,
            failed_batches: account.failed_batches,
            uncounted_parts: account.uncounted_parts,
            uncounted_batches: account.uncounted_batches,
            bytes: job.source.size,
            decoded: None,
            errors: account.codes,
            warned: account.warned,
            warnings: account.warnings,
            timings: Timings {
                created_ms: job.created_ms,
                prepared_ms: job.plan.map(|plan| plan.prepared_ms),
                finished_ms,
                elapsed_ms: finished_ms.saturating_sub(job.created_ms),
            },
            output: at.output,
            rejects,
            rejects_jsonl,
            warnings_jsonl,
            manifest: Some(at.manifest),
        }
    }

    /// The file's content.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }
}
