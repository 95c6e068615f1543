//! What `check` found, for people and for programs.
//!
//! Both are made from one value, so that they say the same. It must not know how it was found.

use std::fmt::Write as _;
use std::path::Path;

use batchfleet_core::job::{Layout, Reason};
use batchfleet_core::preview::Looked;
use batchfleet_core::process::JobPlan;
use batchfleet_core::rejects::is_added;
use batchfleet_decode::{Container, JsonForm};
use batchfleet_definition::{Definition, RowPlan};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::{Checked, shown};
use crate::detect::{escape, rounded, text_of};
use crate::outcome::{plural, rate, thousands};
use crate::terminal::{one_line, printable, say, say_json};

/// Columns and fields that are listed for people; a program gets all of them.
const LISTED_MAX: usize = 50;

/// Characters shown of a row that could not be read.
const RAW_SHOWN_MAX: usize = 200;

/// What is printed.
#[derive(Serialize)]
pub(super) struct Report {
    file: String,
    /// Whether every row looked at is good.
    ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Value>,
    #[serde(skip_serializing_if = "Value::is_null")]
    reading: Value,
    columns: Vec<Column>,
    fields_without_column: Vec<WithoutColumn>,
    /// Tables of `duplicates_of`: an import looks there for each record, a preview does not.
    tables_not_asked: Vec<String>,
    rows: Rows,
    errors: Value,
    warnings: Value,
    by_field: Vec<Kind>,
    good_rows: Vec<Good>,
    /// As rejects.jsonl has them.
    bad_rows: Vec<Box<RawValue>>,
    warned_rows: Vec<Box<RawValue>>,
    elapsed_ms: u64,
    rows_per_second: u64,
}

/// A column of the file.
#[derive(Serialize)]
struct Column {
    /// Counted from 1.
    #[serde(rename = "column")]
    number: usize,
    name: String,
    /// The field that it fills.
    field: Option<String>,
    /// `field`, `kept`, `ignored`, or `report` where an earlier rejects.csv added it.
    r#use: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    did_you_mean: Option<String>,
}

#[derive(Serialize)]
struct WithoutColumn {
    field: String,
    /// What its value is in every row: `constant`, `computed`, `default` or `null`.
    value: &'static str,
}

#[derive(Default, Serialize)]
struct Rows {
    looked_at: u64,
    good: u64,
    bad: u64,
    skipped: u64,
    warned: u64,
    /// Whether these are all.
    whole_file: bool,
}

/// Rows with one kind of error in one field.
#[derive(Serialize)]
struct Kind {
    field: Option<String>,
    code: &'static str,
    severity: &'static str,
    rows: u64,
}

#[derive(Serialize)]
struct Good {
    line: u64,
    row: Box<RawValue>,
}

/// The report of a file whose table was not found.
pub(super) fn refused(file: &Path, reason: &Reason) -> Report {
    Report {
        file: shown(file),
        ok: false,
        reason: Some(json!(reason)),
        reading: Value::Null,
        columns: Vec::new(),
        fields_without_column: Vec::new(),
        tables_not_asked: Vec::new(),
        rows: Rows::default(),
        errors: json!({}),
        warnings: json!({}),
        by_field: Vec::new(),
        good_rows: Vec::new(),
        bad_rows: Vec::new(),
        warned_rows: Vec::new(),
        elapsed_ms: 0,
        rows_per_second: 0,
    }
}

/// The report of a file that was looked at.
pub(super) fn of(file: &Path, definition: &Definition, checked: &Checked) -> Report {
    let looked = &checked.looked;
    let counts = &looked.counts;
    let plan = checked.plan.as_ref().map(JobPlan::rows);
    let seen = counts.accepted + counts.rejected;
    Report {
        file: shown(file),
        ok: checked.is_good(),
        reason: checked.reason.as_ref().map(|reason| json!(reason)),
        reading: reading(checked),
        columns: columns(definition, plan, &checked.opened.layout),
        fields_without_column: without_column(definition, plan),
        tables_not_asked: not_asked(definition),
        rows: Rows {
            looked_at: seen,
            good: counts.accepted,
            bad: counts.rejected,
            skipped: counts.skipped,
            warned: looked.warned,
            whole_file: checked.is_whole,
        },
        errors: json!(looked.codes),
        warnings: json!(looked.warnings),
        by_field: kinds(plan, looked),
        good_rows: good_rows(looked),
        bad_rows: objects(&looked.bad),
        warned_rows: objects(&looked.warned_rows),
        elapsed_ms: checked.elapsed_ms,
        rows_per_second: rate(seen, checked.elapsed_ms),
    }
}

/// How the file is read.
fn reading(checked: &Checked) -> Value {
    let layout = &checked.opened.layout;
    let format = layout.spool.as_ref().map(|spool| &spool.format);
    let encoding = format.and_then(|format| format.encoding.as_deref());
    let container = format.and_then(|format| format.container);
    let form = format.and_then(|format| format.json).map(|json| json.form);
    let content = match form {
        None => "csv",
        Some(JsonForm::Lines) => "json lines",
        Some(JsonForm::Array) => "json array",
    };
    let mut reading = json!({
        "content": content,
        "container": container.map(Container::as_str),
        "encoding": encoding.unwrap_or("UTF-8"),
        "malformed_characters": checked.notes.malformed,
    });
    let Some(table) = &checked.opened.table else {
        return reading;
    };
    let dialect = &table.dialect;
    for (key, value) in [
        ("delimiter", json!(text_of(Some(dialect.delimiter)))),
        ("quote", json!(text_of(dialect.quote))),
        ("escape", json!(text_of(escape(dialect)))),
        ("comment", json!(text_of(dialect.comment))),
        ("trim", json!(dialect.trim)),
        ("header", json!(table.header)),
        ("preamble_rows", json!(table.preamble_rows)),
        ("data_line", json!(table.data.line)),
        ("confidence", json!(rounded(table.confidence))),
        ("evidence", json!(table.evidence)),
    ] {
        reading[key] = value;
    }
    reading
}

fn columns(definition: &Definition, plan: Option<&RowPlan>, layout: &Layout) -> Vec<Column> {
    let mut owners: Vec<Option<u32>> = vec![None; layout.header.len()];
    for field in 0..plan.map_or(0, |plan| plan.field_names().len() as u32) {
        let column = plan.and_then(|plan| plan.field_column(field));
        if let Some(owner) = column.and_then(|column| owners.get_mut(column)) {
            *owner = Some(field);
        }
    }
    let mut columns = Vec::new();
    let mut unknown = 0;
    let header = layout.header.iter().zip(owners);
    for (name, owner) in header.skip(layout.own_columns()) {
        let mut column = Column {
            number: columns.len() + 1,
            name: name.trim().to_owned(),
            field: None,
            r#use: "ignored",
            did_you_mean: None,
        };
        match owner {
            Some(field) => {
                column.field = plan.and_then(|plan| plan.field_name(field).map(str::to_owned));
                let is_field = (field as usize) < definition.fields().len();
                column.r#use = if is_field { "field" } else { "kept" };
            }
            None if is_added(name) => column.r#use = "report",
            None => {}
        }
        if let Some(plan) = plan
            && matches!(column.r#use, "kept" | "ignored")
            && unknown < LISTED_MAX
        {
            unknown += 1;
            let near = definition.did_you_mean(&column.name, plan);
            column.did_you_mean = near.map(str::to_owned);
        }
        columns.push(column);
    }
    columns
}

fn without_column(definition: &Definition, plan: Option<&RowPlan>) -> Vec<WithoutColumn> {
    let mut without = Vec::new();
    let Some(plan) = plan else { return without };
    for (index, field) in definition.fields().iter().enumerate() {
        if plan.field_column(index as u32).is_some() {
            continue;
        }
        let value = if field.constant.is_some() {
            "constant"
        } else if field.compute.is_some() {
            "computed"
        } else if field.default.is_some() {
            "default"
        } else {
            "null"
        };
        without.push(WithoutColumn {
            field: field.name.clone(),
            value,
        });
    }
    without
}

fn not_asked(definition: &Definition) -> Vec<String> {
    let lookups = definition.duplicates_of().iter();
    lookups.map(|lookup| lookup.table.clone()).collect()
}

fn kinds(plan: Option<&RowPlan>, looked: &Looked) -> Vec<Kind> {
    let mut kinds = Vec::with_capacity(looked.by_field.len());
    for ((field, code, is_warning), rows) in &looked.by_field {
        let name = field.and_then(|field| plan?.field_name(field));
        kinds.push(Kind {
            field: name.map(str::to_owned),
            code: code.as_str(),
            severity: if *is_warning { "warning" } else { "error" },
            rows: *rows,
        });
    }
    kinds.sort_by_key(|kind| std::cmp::Reverse(kind.rows));
    kinds
}

fn good_rows(looked: &Looked) -> Vec<Good> {
    let mut rows = Vec::with_capacity(looked.good.len());
    for good in &looked.good {
        if let Ok(row) = RawValue::from_string(good.json.clone()) {
            rows.push(Good {
                line: good.line,
                row,
            });
        }
    }
    rows
}

/// JSON Lines as they are.
fn objects(lines: &[u8]) -> Vec<Box<RawValue>> {
    lines
        .split(|byte| *byte == b'\n')
        .filter_map(|line| serde_json::from_slice(line).ok())
        .collect()
}

/// What people see of a bad row.
#[derive(Deserialize)]
struct Sample {
    line: u64,
    /// Its cells in the order of the columns.
    cells: Option<Box<RawValue>>,
    /// Cells beyond the last column.
    extra: Option<Box<RawValue>>,
    /// Its text, where it could not be read into cells.
    raw: Option<String>,
    errors: Vec<SampleError>,
}

#[derive(Deserialize)]
struct SampleError {
    code: String,
    message: String,
    suggestion: Option<String>,
}

impl Report {
    /// Prints it, for programs or for people.
    pub(super) fn print(&self, as_json: bool) {
        if as_json {
            say_json(self);
        } else {
            say!("{}", self.to_text().trim_end());
        }
    }

    fn to_text(&self) -> String {
        let mut text = String::new();
        line(&mut text, "file", &self.file);
        if !self.reading.is_null() {
            line(&mut text, "read as", &self.reading_text());
        }
        self.columns_text(&mut text);
        if self.rows.looked_at > 0 || self.reason.is_none() {
            self.rows_text(&mut text);
        }
        if let Some(reason) = &self.reason {
            let message = reason["message"].as_str().unwrap_or_default();
            let code = reason["code"].as_str().unwrap_or_default();
            let _ = writeln!(text, "\nAn import would fail with {code}:");
            for sentence in message.lines() {
                let _ = writeln!(text, "  {}", printable(sentence));
            }
        }
        text
    }

    fn reading_text(&self) -> String {
        let reading = &self.reading;
        let name = |key: &str| reading[key].as_str().unwrap_or_default().to_owned();
        let mut parts = vec![match name("content").as_str() {
            "csv" => "CSV".to_owned(),
            other => other.replace("json", "JSON"),
        }];
        if let Some(container) = reading["container"].as_str() {
            parts.push(format!("packed with {container}"));
        }
        parts.push(name("encoding"));
        for key in ["delimiter", "quote", "escape", "comment"] {
            let is_doubled = key == "escape" && reading["escape"] == reading["quote"];
            if let Some(value) = reading[key].as_str().filter(|_| !is_doubled) {
                parts.push(format!("{key} {value:?}"));
            }
        }
        match reading["header"].as_bool() {
            Some(true) => parts.push("a header".to_owned()),
            Some(false) => parts.push("no header".to_owned()),
            None => {}
        }
        match reading["preamble_rows"].as_u64() {
            None | Some(0) => {}
            Some(rows) => parts.push(format!("{} above the table", plural(rows, "line"))),
        }
        let malformed = reading["malformed_characters"].as_u64().unwrap_or(0);
        if malformed > 0 {
            parts.push(format!(
                "{} that mean nothing in that encoding",
                plural(malformed, "character")
            ));
        }
        parts.join(", ")
    }

    fn columns_text(&self, text: &mut String) {
        if self.columns.is_empty() {
            return;
        }
        line(
            text,
            "columns",
            &thousands(self.columns.len() as u64).clone(),
        );
        for column in self.columns.iter().take(LISTED_MAX) {
            let name = &column.name;
            let shown = if name.is_empty() { "(no name)" } else { name };
            let mut what = match (column.r#use, &column.field) {
                ("field", Some(field)) => format!("field {field}"),
                ("kept", Some(field)) => format!("kept as {field}"),
                ("report", _) => "added by a report of rejects; left out".to_owned(),
                _ if self.reason.is_some() && self.rows.looked_at == 0 => String::new(),
                _ => "no field; left out".to_owned(),
            };
            if let Some(near) = &column.did_you_mean {
                let _ = write!(what, "; did you mean {near}?");
            }
            let arrow = if what.is_empty() { "" } else { " → " };
            let entry = format!("{:>4} {shown}{arrow}{what}", column.number);
            let _ = writeln!(text, "  {}", one_line(&entry));
        }
        more(text, self.columns.len(), "column");
        for without in self.fields_without_column.iter().take(LISTED_MAX) {
            let what = match without.value {
                "constant" => "no column; the same in every row",
                "computed" => "no column; calculated",
                "default" => "no column; its default in every row",
                _ => "no column; empty in every row",
            };
            let _ = writeln!(text, "     - field {}: {what}", one_line(&without.field));
        }
        more(text, self.fields_without_column.len(), "field");
    }

    fn rows_text(&self, text: &mut String) {
        let rows = &self.rows;
        let extent = if rows.whole_file {
            "the whole file"
        } else {
            "the first of the file; --all looks at every row"
        };
        let seconds = self.elapsed_ms as f64 / 1_000.0;
        line(
            text,
            "looked at",
            &format!("{}, {extent}", plural(rows.looked_at, "row")),
        );
        line(text, "good", &thousands(rows.good));
        line(text, "bad", &thousands(rows.bad));
        if rows.skipped > 0 {
            line(text, "skipped", &thousands(rows.skipped));
        }
        if rows.warned > 0 {
            let of = format!("{} of the good rows", thousands(rows.warned));
            line(text, "warned", &of);
        }
        for kind in self.by_field.iter().take(LISTED_MAX) {
            let place = kind.field.as_deref().unwrap_or("(the row)");
            let warning = if kind.severity == "warning" {
                " (warning)"
            } else {
                ""
            };
            let entry = format!(
                "{:<18} {place}: {}{warning}",
                kind.code,
                plural(kind.rows, "row")
            );
            let _ = writeln!(text, "  {}", one_line(&entry));
        }
        more(text, self.by_field.len(), "kind");
        if !self.tables_not_asked.is_empty() {
            let tables = self.tables_not_asked.join(", ");
            let what = format!("{tables}: an import rejects the rows that are there already");
            line(text, "not asked", &what);
        }
        let rate = thousands(self.rows_per_second);
        line(text, "time", &format!("{seconds:.2} s, {rate} rows/s"));
        if !self.good_rows.is_empty() {
            let _ = writeln!(text, "\nGood rows, as they would come out:");
        }
        for good in &self.good_rows {
            let entry = format!("line {}: {}", good.line, good.row.get());
            let _ = writeln!(text, "  {}", one_line(&entry));
        }
        samples(text, "Bad rows:", &self.bad_rows);
        samples(text, "Rows with warnings:", &self.warned_rows);
    }
}

/// Rows with what is wrong with them.
fn samples(text: &mut String, title: &str, rows: &[Box<RawValue>]) {
    if !rows.is_empty() {
        let _ = writeln!(text, "\n{title}");
    }
    for row in rows {
        let Ok(row) = serde_json::from_str::<Sample>(row.get()) else {
            continue;
        };
        let content = match (&row.cells, &row.raw) {
            (Some(cells), _) => {
                let extra = row
                    .extra
                    .as_ref()
                    .map(|extra| format!(" and {}", extra.get()));
                cells.get().to_owned() + &extra.unwrap_or_default()
            }
            (None, Some(raw)) => {
                let cut: String = raw.chars().take(RAW_SHOWN_MAX).collect();
                json!(cut).to_string()
            }
            (None, None) => String::new(),
        };
        let entry = format!("line {}: {content}", row.line);
        let _ = writeln!(text, "  {}", one_line(&entry));
        for error in row.errors.iter().take(LISTED_MAX) {
            let hint = match &error.suggestion {
                Some(suggestion) => format!(" ({suggestion})"),
                None => String::new(),
            };
            let entry = format!("{} {}{hint}", error.code, error.message);
            let _ = writeln!(text, "    {}", one_line(&entry));
        }
        more(text, row.errors.len(), "error");
    }
}

fn line(text: &mut String, name: &str, value: &str) {
    let _ = writeln!(text, "{name:<10} {}", one_line(value));
}

/// That there are more than are listed.
fn more(text: &mut String, count: usize, what: &str) {
    if let Some(left) = count.checked_sub(LISTED_MAX).filter(|left| *left > 0) {
        let _ = writeln!(text, "       and {} more", plural(left as u64, what));
    }
}
