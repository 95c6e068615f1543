//! `batchfleet template`: a file with the header and a few rows that a definition takes.
//!
//! Candidates for each field are tried by the compiled check itself, then put together into rows that
//! the rules hold for, and the whole text is read as an import reads it before a byte is printed: a
//! template that is not good is never shown. It must not know what makes a row good.

mod candidates;
mod pattern;
mod rows;

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::ExitCode;

use batchfleet_core::opening;
use batchfleet_core::preview::{Extent, Preview};
use batchfleet_core::process::JobPlan;
use batchfleet_core::rejects::write_rows;
use batchfleet_core::unique::NoSpills;
use batchfleet_definition::{Definition, Reading};

use crate::args::TemplateArgs;
use crate::definition;
use crate::outcome::Failure;
use crate::terminal::{Rows, note};

/// Keys of unique values, in bytes: enough for the most rows a template has.
const UNIQUE_BYTES: u64 = 64 << 20;

/// Runs the command.
pub(crate) fn template(args: &TemplateArgs) -> Result<ExitCode, Failure> {
    let definition = definition::read(&args.definition)?;
    let made = make(&definition, args.rows)
        .map_err(|why| Failure::stopped(format!("{}: {why}", args.definition.display())))?;
    for sentence in &made.notes {
        note!("{sentence}");
    }
    let mut out = Rows::to_stdout();
    out.write_all(&made.bytes)
        .and_then(|()| out.flush())
        .map_err(|error| Failure::stopped(format!("cannot write: {error}")))?;
    Ok(ExitCode::SUCCESS)
}

/// A template.
struct Made {
    bytes: Vec<u8>,
    /// What people should know of it.
    notes: Vec<String>,
}

fn make(definition: &Definition, count: u64) -> Result<Made, String> {
    let header = header(definition)?;
    let rows = rows::make(definition, &header, count)?;
    let mut lines = Vec::new();
    if definition.reading().header != Some(false) {
        lines.push(header);
    }
    lines.extend(rows.cells);
    let mut why = String::new();
    for form in Form::ALL {
        let Some(table) = form.write(definition.reading(), &lines) else {
            continue;
        };
        let bytes = encode(&around(definition.reading(), &table), definition.reading())?;
        match verify(definition, &bytes, count) {
            Ok(()) => {
                return Ok(Made {
                    bytes,
                    notes: rows.notes,
                });
            }
            // What the plainest of them lacks is what people can mend.
            Err(fault) if why.is_empty() => why = fault,
            Err(_) => {}
        }
    }
    Err(why)
}

/// Ways to write a table. What the definition leaves open is found in the file, and cells that look
/// like several would mislead that in the plainest.
#[derive(Clone, Copy)]
enum Form {
    Plain,
    Semicolons,
    Quoted,
}

impl Form {
    const ALL: [Self; 3] = [Self::Plain, Self::Semicolons, Self::Quoted];

    /// The table; nothing where the definition has it otherwise.
    fn write(self, reading: &Reading, lines: &[Vec<String>]) -> Option<String> {
        let mut dialect = reading.dialect();
        let quote = dialect.quote.map(char::from);
        match self {
            Self::Plain => {}
            Self::Semicolons if reading.delimiter.is_none() => dialect.delimiter = b';',
            Self::Quoted if dialect.escape.is_none() => {
                let (quote, delimiter) = (quote?, char::from(dialect.delimiter));
                let quoted = |cell: &String| {
                    let doubled = cell.replace(quote, &format!("{quote}{quote}"));
                    format!("{quote}{doubled}{quote}")
                };
                let mut text = String::new();
                for line in lines {
                    let cells: Vec<String> = line.iter().map(quoted).collect();
                    text.push_str(&cells.join(delimiter.encode_utf8(&mut [0; 4])));
                    text.push('\n');
                }
                return Some(text);
            }
            Self::Semicolons | Self::Quoted => return None,
        }
        let table = write_rows(dialect, lines);
        Some(String::from_utf8_lossy(&table).into_owned())
    }
}

/// A table with what is above and below it.
fn around(reading: &Reading, table: &str) -> String {
    let mut text = String::new();
    for line in 1..=reading.preamble_rows.unwrap_or(0) {
        let _ = writeln!(text, "Line {line} above the table");
    }
    text.push_str(table);
    for row in 1..=reading.footer_rows {
        let _ = writeln!(text, "Row {row} below the table");
    }
    text
}

/// The names of the columns, in their order.
fn header(definition: &Definition) -> Result<Vec<String>, String> {
    if definition.is_open() {
        return Err(
            "the definition has no fields, so any file fits; there is nothing to make rows of"
                .to_owned(),
        );
    }
    let reading = definition.reading();
    if !reading.columns.is_empty() {
        return Ok(reading.columns.clone());
    }
    let fields = definition.fields().iter();
    let names: Vec<String> = fields
        .filter_map(|field| field.headers().next().map(str::to_owned))
        .collect();
    if names.is_empty() {
        return Err("no field has a column, so no file fits".to_owned());
    }
    if reading.header != Some(false) {
        return Ok(names);
    }
    // Columns of a file without names are called by their number.
    let number = |header: &str| {
        let number = header.trim().to_lowercase();
        let number = number.strip_prefix("column_")?.parse::<usize>().ok();
        number.filter(|number| (1..=batchfleet_definition::MAX_COLUMNS).contains(number))
    };
    let fields = definition.fields().iter();
    let most = fields
        .flat_map(|field| field.headers().filter_map(number))
        .max();
    let Some(most) = most else {
        return Err(
            "the file has no header, and no field is called column_1 and so on: name its columns in \
             dialect.columns"
                .to_owned(),
        );
    };
    Ok((1..=most)
        .map(|number| format!("column_{number}"))
        .collect())
}

/// The text in the encoding that the definition asks for.
fn encode(text: &str, reading: &Reading) -> Result<Vec<u8>, String> {
    let Some(label) = reading.encoding.as_deref() else {
        return Ok(text.as_bytes().to_vec());
    };
    let units = || text.encode_utf16();
    match label {
        "UTF-16LE" => {
            let bytes = units().flat_map(u16::to_le_bytes);
            return Ok([0xFF, 0xFE].into_iter().chain(bytes).collect());
        }
        "UTF-16BE" => {
            let bytes = units().flat_map(u16::to_be_bytes);
            return Ok([0xFE, 0xFF].into_iter().chain(bytes).collect());
        }
        _ => {}
    }
    let encoding = encoding_rs::Encoding::for_label(label.as_bytes());
    let encoding = encoding.unwrap_or(encoding_rs::UTF_8);
    let (bytes, _, unmappable) = encoding.encode(text);
    if unmappable {
        return Err(format!("the rows have letters that {label} does not have"));
    }
    Ok(bytes.into_owned())
}

/// Reads the template as an import would.
fn verify(definition: &Definition, bytes: &[u8], count: u64) -> Result<(), String> {
    let failed = |why: String| {
        format!(
            "the rows made are not read back as they were meant ({why}); fix more of the dialect, or write \
             the file by hand"
        )
    };
    let head = &bytes[..bytes.len().min(batchfleet_core::head::HEAD_BYTES as usize)];
    let is_all = head.len() == bytes.len();
    let opened = opening::open(head, is_all, definition, 1 << 20);
    let layout = opened.map_err(|reason| failed(reason.message))?.layout;
    let text = match &layout.spool {
        None => std::borrow::Cow::Borrowed(bytes),
        Some(spool) => {
            let encoding = spool.format.encoding.as_deref();
            let text = batchfleet_decode::decode_head(bytes, true, encoding);
            text.map_err(|error| failed(error.to_string()))?.into()
        }
    };
    let data = text.get(layout.data.offset as usize..).unwrap_or_default();
    let plan = JobPlan::bind(definition, layout).map_err(|faults| failed(faults.to_string()))?;
    let extent = Extent {
        rows_max: None,
        unique_bytes: UNIQUE_BYTES,
    };
    let mut preview = Preview::new(definition, &plan, extent, &NoSpills);
    let read = preview.push(data).and_then(|_| preview.finish());
    read.map_err(|error| failed(error.to_string()))?;
    let counts = preview.looked().counts;
    if counts.rejected > 0 || counts.accepted != count {
        return Err(failed(format!(
            "of {count} rows {} were accepted and {} rejected",
            counts.accepted, counts.rejected
        )));
    }
    Ok(())
}
