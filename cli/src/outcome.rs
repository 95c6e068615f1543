//! How a command ends: the summary for people or programs, and the exit code.

use std::fmt::Write as _;
use std::process::ExitCode;

use batchfleet_core::PortError;
use batchfleet_core::error::chain;
use batchfleet_core::job::{CodeCounts, JobStatus};
use batchfleet_core::report::{Decoded, Summary};
use batchfleet_core::source::SourceRef;
use batchfleet_decode::{Container, JsonForm};
use serde_json::json;

use crate::terminal::{one_line, say, say_json};

/// Why a command could not do its work.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) message: String,
    pub(crate) code: u8,
}

impl Failure {
    /// Bad usage, a bad definition, an unreadable file.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            code: 2,
        }
    }

    /// The run could not go on; what was done is kept.
    pub(crate) fn stopped(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            code: 1,
        }
    }
}

impl From<PortError> for Failure {
    fn from(error: PortError) -> Self {
        Self::stopped(chain(&error))
    }
}

/// Prints the summary of an ended job and gives its exit code.
pub(crate) fn report(summary: &Summary, as_json: bool) -> ExitCode {
    if as_json {
        say_json(&to_json(summary));
    } else {
        say!("{}", to_text(summary).trim_end());
    }
    match summary.status {
        JobStatus::Completed => ExitCode::SUCCESS,
        _ => ExitCode::from(1),
    }
}

fn to_json(summary: &Summary) -> serde_json::Value {
    let mut object = json!({
        "job": summary.job,
        "status": summary.status,
        "records": summary.counts.records,
        "accepted": summary.counts.accepted,
        "rejected": summary.counts.rejected,
        "skipped": summary.counts.skipped,
        "errors": summary.errors,
        "batches": summary.batches,
        "bytes": summary.bytes,
        "elapsed_ms": summary.timings.elapsed_ms,
        "rejects": summary.rejects,
        "output": summary.output,
        "manifest": summary.manifest,
    });
    if summary.warned > 0 {
        object["warned"] = json!(summary.warned);
        object["warnings"] = json!(summary.warnings);
        object["warnings_jsonl"] = json!(summary.warnings_jsonl);
    }
    if let Some(at) = &summary.rejects_jsonl {
        object["rejects_jsonl"] = json!(at);
    }
    if let Some(reason) = &summary.reason {
        object["reason"] = json!(reason);
    }
    if let Some(decoded) = &summary.decoded {
        object["decoded"] = json!(decoded);
    }
    object
}

/// What the file was, and what got lost on the way.
fn decoded_from(decoded: &Decoded) -> String {
    let format = &decoded.format;
    let mut names: Vec<&str> = Vec::new();
    names.extend(format.container.map(Container::as_str));
    names.extend(format.encoding.as_deref());
    names.extend(format.json.map(|json| match json.form {
        JsonForm::Lines => "NDJSON",
        JsonForm::Array => "JSON array",
    }));
    let mut text = format!("from {}", names.join(", "));
    if decoded.malformed > 0 {
        let count = thousands(decoded.malformed);
        let name = format.encoding.as_deref().unwrap_or("UTF-8");
        let _ = write!(
            text,
            "; {count} characters mean nothing in {name} and became \u{FFFD}: is that its encoding?"
        );
    }
    if decoded.late_keys > 0 {
        let count = thousands(decoded.late_keys);
        let _ = write!(text, "; {count} objects had keys that no field takes");
    }
    text
}

fn to_text(summary: &Summary) -> String {
    let counts = &summary.counts;
    let seconds = summary.timings.elapsed_ms as f64 / 1_000.0;
    let mut text = String::new();
    let mut line = |name: &str, value: String| {
        // A reason may have lines of its own, which say where each fault is.
        let value = if name == "reason" {
            value.into()
        } else {
            one_line(&value)
        };
        let _ = writeln!(text, "{name:<10} {value}");
    };
    line("job", summary.job.to_string());
    line("status", summary.status.as_str().to_owned());
    if let Some(reason) = &summary.reason {
        line("reason", reason.message.clone());
    }
    if let Some(decoded) = &summary.decoded {
        line("decoded", decoded_from(decoded));
    }
    line("records", thousands(counts.records));
    line("accepted", thousands(counts.accepted));
    line("rejected", thousands(counts.rejected));
    for rows in by_code(&summary.errors) {
        line("", rows);
    }
    if counts.skipped > 0 {
        line("skipped", skipped(counts.skipped, &summary.source));
    }
    if summary.warned > 0 {
        line("warned", warned(summary.warned));
    }
    for rows in by_code(&summary.warnings) {
        line("", rows);
    }
    if !summary.failed_batches.is_empty() {
        line(
            "given up",
            format!(
                "{}; their rows are in the rejects",
                plural(summary.failed_batches.len() as u64, "batch")
            ),
        );
    }
    if !summary.ignored_columns.is_empty() {
        line(
            "ignored",
            format!("columns {}", summary.ignored_columns.join(", ")),
        );
    }
    line(
        "time",
        format!(
            "{seconds:.2} s, {}, {} rows/s",
            plural(summary.batches, "batch"),
            thousands(rate(counts.records, summary.timings.elapsed_ms))
        ),
    );
    line("output", summary.output.clone());
    if let Some(rejects) = &summary.rejects {
        line("rejects", rejects.clone());
    }
    if let Some(warnings) = &summary.warnings_jsonl {
        line("warnings", warnings.clone());
    }
    text
}

/// Rows a second.
pub(crate) fn rate(rows: u64, elapsed_ms: u64) -> u64 {
    rows * 1_000 / elapsed_ms.max(1)
}

/// `1234567` as `1,234,567`.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A length of time, to what matters of it: `41 s`, `3 min 5 s`, `2 h 4 min`, `3 d 2 h`.
pub(crate) fn duration(ms: u64) -> String {
    const UNITS: [(&str, u64); 4] = [("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)];
    let mut left = ms / 1_000;
    let Some(first) = UNITS.iter().position(|(_, seconds)| left >= *seconds) else {
        return "0 s".to_owned();
    };
    let mut parts = Vec::new();
    for (name, seconds) in UNITS.into_iter().skip(first).take(2) {
        if left >= seconds {
            parts.push(format!("{} {name}", left / seconds));
        }
        left %= seconds;
    }
    parts.join(" ")
}

/// `1 batch`, `2 batches`; `1 row`, `2 rows`.
pub(crate) fn plural(number: u64, one: &str) -> String {
    let end = match number {
        1 => "",
        _ if one.ends_with("ch") => "es",
        _ => "s",
    };
    format!("{} {one}{end}", thousands(number))
}

/// How many rows had each error or warning, a line each.
pub(crate) fn by_code(codes: &CodeCounts) -> impl Iterator<Item = String> {
    let lines = codes.iter();
    lines.map(|(code, rows)| format!("{}: {}", code.as_str(), plural(*rows, "row")))
}

/// How many rows were warned of.
pub(crate) fn warned(rows: u64) -> String {
    format!("{} of the accepted rows", thousands(rows))
}

/// How many rows were skipped, and which those are.
pub(crate) fn skipped(rows: u64, source: &SourceRef) -> String {
    let which = if source.redrive.is_some() {
        "blank ones, and those that this redrive does not owe"
    } else {
        "blank or empty rows, comments, footers"
    };
    format!("{} ({which})", thousands(rows))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(thousands(number), text);
        }
    }

    #[test]
    fn times_are_told_to_two_units() {
        for (ms, text) in [
            (0, "0 s"),
            (41_999, "41 s"),
            (60_000, "1 min"),
            (185_000, "3 min 5 s"),
            (7_440_000, "2 h 4 min"),
            (3_600_000 + 5_000, "1 h"),
            (266_400_000, "3 d 2 h"),
        ] {
            assert_eq!(duration(ms), text);
        }
    }
}
