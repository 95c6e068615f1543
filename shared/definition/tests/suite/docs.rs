//! Every example of the reference page, run.
//!
//! An example is a block ```` ```yaml ````, which is a definition; a block ```` ```csv ````, which is
//! a file, unless the definition itself is what is wrong; and a block ```` ```json ```` or
//! ```` ```text ````, which is what becomes of it. A result has a line for each record: the accepted
//! row as JSON; `skipped`; or `CODE message` for each error, with `(suggestion)` behind it where
//! there is one, and `warning` before it where it is one. What is wrong with a definition or a header
//! stands there as it is said.

use std::fmt::Write;

use batchfleet_definition::{
    Cells, Checked, Definition, JsonLines, RowError, RowPlan, Scratch, Severity,
};
use batchfleet_grammar::{Limits, Position, Record, RecordReader};

const PAGE: &str = include_str!("../../../../docs/definitions.md");

/// One example of the page.
struct Example<'t> {
    line: usize,
    definition: &'t str,
    file: Option<&'t str>,
    result: &'t str,
}

/// The fenced blocks of the page: the line, the language, what is in it.
fn blocks(page: &str) -> Vec<(usize, &str, &str)> {
    let mut blocks = Vec::new();
    let mut open: Option<(usize, &str, usize)> = None;
    let mut offset = 0;
    for (index, line) in page.split_inclusive('\n').enumerate() {
        let start = offset;
        offset += line.len();
        let Some(language) = line.strip_prefix("```") else {
            continue;
        };
        match open.take() {
            None => open = Some((index + 1, language.trim(), offset)),
            Some((line, language, from)) => blocks.push((line, language, &page[from..start])),
        }
    }
    assert!(open.is_none(), "a block is not closed");
    blocks
}

/// Blocks of other languages are no examples. A YAML block without a result is one all the same, of
/// a definition that is good.
fn examples(page: &str) -> Vec<Example<'_>> {
    let mut examples: Vec<Example<'_>> = Vec::new();
    for (line, language, text) in blocks(page) {
        match (language, examples.last_mut()) {
            ("yaml", _) => examples.push(Example {
                line,
                definition: text,
                file: None,
                result: "",
            }),
            ("csv", Some(example)) => {
                assert!(example.file.is_none(), "line {line}: a second file");
                example.file = Some(text);
            }
            ("json" | "text", Some(example)) => {
                assert_eq!(example.result, "", "line {line}: a second result");
                example.result = text;
            }
            _ => {}
        }
    }
    examples
}

struct RowCells<'a, 'r>(&'a Record<'r>);

impl Cells for RowCells<'_, '_> {
    fn cell(&self, index: usize) -> Option<&[u8]> {
        self.0.get(index)
    }
    fn count(&self) -> usize {
        self.0.len()
    }
}

fn run(definition: &str, file: &str) -> String {
    let definition = match Definition::parse(definition) {
        Ok(definition) => definition,
        Err(faults) => return format!("{faults}\n"),
    };
    let reading = definition.reading();
    let skipped = reading.preamble_rows.unwrap_or(0) as usize;
    let table: String = file.split_inclusive('\n').skip(skipped).collect();
    let mut reader = RecordReader::new(
        table.as_bytes(),
        reading.dialect(),
        Limits::default(),
        Position {
            offset: 0,
            record: 0,
            line: 1,
        },
    );
    let header: Vec<Vec<u8>> = if reading.header == Some(false) {
        let names = reading.columns.iter();
        names.map(|name| name.clone().into_bytes()).collect()
    } else {
        let record = reader.read().expect("a header");
        record.cells().map(<[u8]>::to_vec).collect()
    };
    let plan = match definition.bind(&header) {
        Ok(plan) => plan,
        Err(faults) => return format!("{faults}\n"),
    };
    let mut out = String::new();
    let mut scratch = Scratch::default();
    let mut first_lines = std::collections::HashMap::new();
    let mut keys = Vec::new();
    while let Some(record) = reader.read() {
        if record.is_blank() {
            out.push_str("skipped\n");
            continue;
        }
        let mut errors = Vec::new();
        let cells = RowCells(&record);
        let mut encoder = JsonLines::new(&plan);
        let mut checked = plan.check(&cells, &mut scratch, &mut encoder, &mut errors);
        plan.unique_keys(&cells, &mut scratch, &mut keys);
        for (constraint, key) in keys.iter().enumerate() {
            let Some(key) = key else { continue };
            let first = *first_lines
                .entry((constraint, *key))
                .or_insert(record.line());
            if first != record.line() {
                let error = plan.duplicate(constraint, first);
                if error.severity == Severity::Error {
                    checked = Checked::Rejected;
                }
                errors.push(error);
            }
        }
        match checked {
            Checked::Accepted => {
                out.push_str(std::str::from_utf8(encoder.buffer()).expect("JSON is UTF-8"));
            }
            Checked::Skipped => out.push_str("skipped\n"),
            Checked::Rejected => {}
        }
        for error in errors {
            out.push_str(&line_of(&plan, &error));
        }
    }
    out
}

fn line_of(plan: &RowPlan, error: &RowError) -> String {
    let field = error.field.map(|field| plan.field_name(field));
    assert_ne!(field, Some(None), "an error names a field of the plan");
    let warning = match error.severity {
        Severity::Warning => "warning ",
        Severity::Error => "",
    };
    let suggestion = error.suggestion.as_deref();
    let suggestion = suggestion.map_or_else(String::new, |near| format!(" ({near})"));
    format!("{warning}{} {}{suggestion}\n", error.code, error.message)
}

#[test]
fn every_example_of_the_page_is_true() {
    let examples = examples(PAGE);
    assert!(examples.len() >= 37, "{} examples", examples.len());
    let mut wrong = String::new();
    for example in &examples {
        let found = match example.file {
            Some(file) => run(example.definition, file),
            None => match Definition::parse(example.definition) {
                Ok(_) => String::new(),
                Err(faults) => format!("{faults}\n"),
            },
        };
        if found != example.result {
            let Example {
                line,
                definition,
                result,
                ..
            } = example;
            writeln!(
                wrong,
                "line {line}:\n{definition}--- found\n{found}--- the page says\n{result}"
            )
            .expect("a string takes all");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// A key that the page does not have is a key that nobody finds.
#[test]
fn every_key_is_on_the_page() {
    for unknown in [
        "nonsense: 1",
        "fields: [{ nonsense: 1 }]",
        "dialect: { nonsense: 1 }",
    ] {
        let faults = Definition::parse(unknown).expect_err("unknown").to_string();
        let list = faults.split("expected one of ").nth(1).expect("a list");
        let list = list.lines().next().unwrap_or_default();
        for key in list.split(", ") {
            let is_there = PAGE.contains(&format!("`{key}")) || PAGE.contains(&format!("| {key}"));
            assert!(is_there, "the key {key} is not on the page");
        }
    }
}
