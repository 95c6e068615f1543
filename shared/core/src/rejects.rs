//! The rows of rejects.csv: the cells as they were, in the dialect they came in, and what is wrong
//! with them; so that the file can be mended in a spreadsheet and uploaded again as it is.
//!
//! It must not know how rows are judged.

use std::collections::BTreeSet;
use std::fmt::Write;

use batchfleet_definition::RowError;
use batchfleet_grammar::{BatchRange, Dialect, Limits, Position, Record, RecordReader};

use crate::error::{PortError, PortResult};
use crate::job::Layout;

/// Columns that rejects.csv adds behind the original ones. A file that has them, because it is a
/// rejects.csv uploaded again, is read without them.
pub const REJECT_COLUMNS: [&str; 3] = ["_record", "_line", "_errors"];

/// Writes rejected rows into memory.
pub(crate) struct RejectWriter {
    writer: csv::Writer<Vec<u8>>,
    dialect: Dialect,
    /// The columns of the file that are repeated: all but those that an earlier rejects.csv added.
    columns: Vec<usize>,
    /// Columns of the file.
    width: usize,
}

impl RejectWriter {
    pub(crate) fn new(layout: &Layout) -> Self {
        let dialect = layout.dialect;
        let mut builder = csv::WriterBuilder::new();
        builder.delimiter(dialect.delimiter).flexible(true);
        match dialect.quote {
            Some(quote) => builder.quote(quote),
            None => builder.quote_style(csv::QuoteStyle::Never),
        };
        let is_added = |name: &String| REJECT_COLUMNS.contains(&name.trim());
        let columns = layout.header.iter().enumerate();
        Self {
            writer: builder.from_writer(Vec::new()),
            dialect,
            columns: columns
                .filter(|(_, name)| !is_added(name))
                .map(|(column, _)| column)
                .collect(),
            width: layout.header.len(),
        }
    }

    /// The header line alone.
    pub(crate) fn head(mut self, header: &[String]) -> Vec<u8> {
        let names = self
            .columns
            .iter()
            .map(|&column| header[column].clone().into_bytes());
        let cells = names.collect();
        self.row(cells, REJECT_COLUMNS.map(str::to_owned));
        self.finish()
    }

    /// A record with what is wrong with it. A row that is too short is filled with empty cells, so
    /// that the added columns stand under their names; one that is too long keeps all its cells.
    /// `line` is the one at which the record began in the file.
    pub(crate) fn record(&mut self, record: &Record<'_>, line: u64, errors: &[RowError]) {
        let beyond = self.width..record.len();
        let columns = self.columns.iter().copied().chain(beyond);
        let cells = columns
            .map(|column| record.get(column).unwrap_or_default().to_vec())
            .collect();
        self.row(cells, added_cells(record.index(), line, errors));
    }

    /// One row for records that could not be read: no cells, but where they begin.
    pub(crate) fn without_cells(&mut self, range: &BatchRange, error: &RowError) {
        let cells = vec![Vec::new(); self.columns.len()];
        let errors = std::slice::from_ref(error);
        self.row(
            cells,
            added_cells(range.first_record, range.first_line, errors),
        );
    }

    fn row(&mut self, mut cells: Vec<Vec<u8>>, added: [String; 3]) {
        cells.extend(added.map(|text| self.plain(text)));
        // Writing to memory does not fail, and `flexible` takes rows of any length.
        let _ = self.writer.write_record(&cells);
    }

    /// Our own text, which a dialect without quotes could not hold if it had delimiters in it.
    fn plain(&self, text: String) -> Vec<u8> {
        let mut bytes = text.into_bytes();
        if self.dialect.quote.is_none() {
            for byte in &mut bytes {
                if *byte == self.dialect.delimiter || matches!(*byte, b'\n' | b'\r') {
                    *byte = b' ';
                }
            }
        }
        bytes
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        self.writer.into_inner().unwrap_or_default()
    }
}

/// The records whose rows are in a part, which has no header.
pub(crate) fn records(part: &[u8], dialect: Dialect, limits: Limits) -> PortResult<BTreeSet<u64>> {
    let mut reader = RecordReader::new(part, dialect, limits, Position::default());
    let mut records = BTreeSet::new();
    while let Some(row) = reader.read() {
        let place = row.len().checked_sub(REJECT_COLUMNS.len());
        let cell = place.and_then(|place| row.get(place));
        let index = cell.and_then(|cell| std::str::from_utf8(cell).ok()?.parse().ok());
        let index = index.ok_or_else(|| {
            PortError::corrupt(
                "the rejects",
                format!("line {} names no record", row.line()),
            )
        })?;
        records.insert(index);
    }
    Ok(records)
}

/// The longest text of `_errors`: a spreadsheet's cell takes 32,767 characters. A row can have an
/// error in each of 4,096 columns, so without a limit rows of a few bytes would fill the memory.
const ERRORS_BYTES_MAX: usize = 32_000;

fn added_cells(record: u64, line: u64, errors: &[RowError]) -> [String; 3] {
    let mut sentences = String::new();
    for (told, error) in errors.iter().enumerate() {
        let separator = if told == 0 { "" } else { "; " };
        if sentences.len() + error.message.len() > ERRORS_BYTES_MAX {
            let more = errors.len() - told;
            let _ = write!(sentences, "{separator}and {more} more");
            break;
        }
        sentences.push_str(separator);
        sentences.push_str(&error.message);
    }
    [record.to_string(), line.to_string(), defuse(sentences)]
}

/// Spreadsheets run a cell that begins like this as a formula; an apostrophe makes it text. (OWASP,
/// "CSV Injection".)
fn defuse(text: String) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{text}")
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use batchfleet_definition::Code;

    use super::*;

    #[test]
    fn an_added_cell_is_never_a_formula() {
        assert_eq!(defuse("=1+1".into()), "'=1+1");
        assert_eq!(defuse("age: fine".into()), "age: fine");
    }

    #[test]
    fn a_row_with_an_error_in_every_column_fits_into_a_spreadsheets_cell() {
        let error = RowError::of_row(Code::TypeMismatch, "é".repeat(100));
        let cell = |errors: usize| {
            let [_, _, cell] = added_cells(0, 2, &vec![error.clone(); errors]);
            cell
        };
        assert_eq!(cell(2), format!("{0}; {0}", error.message));
        let full = cell(4096);
        assert!(full.len() <= 32_767, "{} bytes", full.len());
        let told = full.matches("éé; ").count();
        assert!(
            full.ends_with(&format!("; and {} more", 4096 - told)),
            "{told}"
        );
    }
}
