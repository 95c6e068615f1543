//! Files of definitions: read, checked, and the schema that editors complete them by.
//!
//! `batchfleet definition check` tells every fault at once, and what is suspicious though legal. It
//! must not know what else a definition is for.

mod suspicions;

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::process::ExitCode;

use batchfleet_definition::{Definition, Faults};
use serde_json::json;

use crate::args::{DefinitionAction, DefinitionArgs, DefinitionCheckArgs};
use crate::outcome::Failure;
use crate::terminal::{say, say_json};

/// The longest definition.
const DEFINITION_BYTES_MAX: u64 = 256 << 10;

/// The JSON Schema, as it is in the documentation.
const SCHEMA: &str = include_str!("../../docs/definition.schema.json");

/// Runs the command.
pub(crate) fn definition(args: &DefinitionArgs) -> Result<ExitCode, Failure> {
    match &args.action {
        DefinitionAction::Check(args) => check(args),
        DefinitionAction::Schema => {
            say!("{}", SCHEMA.trim_end());
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// The text of a definition.
pub(crate) fn read_text(path: &Path) -> Result<String, Failure> {
    let unreadable = |error: &dyn std::fmt::Display| {
        Failure::usage(format!(
            "cannot read the definition {}: {error}",
            path.display()
        ))
    };
    let mut bytes = Vec::new();
    // A file need not have an end.
    File::open(path)
        .and_then(|file| file.take(DEFINITION_BYTES_MAX + 1).read_to_end(&mut bytes))
        .map_err(|error| unreadable(&error))?;
    if bytes.len() as u64 > DEFINITION_BYTES_MAX {
        return Err(unreadable(&"it is larger than 256 KiB"));
    }
    String::from_utf8(bytes).map_err(|_| unreadable(&"it is not UTF-8"))
}

/// The definition that a text is; its faults with the file's name.
pub(crate) fn parse(path: &Path, text: &str) -> Result<Definition, Failure> {
    Definition::parse(text).map_err(|faults| {
        Failure::usage(format!(
            "the definition {} has faults:\n{faults}",
            path.display()
        ))
    })
}

/// The definition in a file.
pub(crate) fn read(path: &Path) -> Result<Definition, Failure> {
    parse(path, &read_text(path)?)
}

fn check(args: &DefinitionCheckArgs) -> Result<ExitCode, Failure> {
    let text = read_text(&args.file)?;
    let shown = args.file.display();
    let parsed = Definition::parse(&text);
    let warnings = parsed.as_ref().map(suspicions::of).unwrap_or_default();
    if args.json {
        say_json(&json!({
            "ok": parsed.is_ok(),
            "faults": parsed.as_ref().err().map(faults_json).unwrap_or_default(),
            "warnings": warnings,
        }));
    } else {
        match &parsed {
            Err(faults) => {
                let count = faults.iter().count();
                let s = if count == 1 { "" } else { "s" };
                say!("{shown}: {count} fault{s}\n{faults}");
            }
            Ok(definition) => say!("{shown}: {}", summary(definition)),
        }
        for warning in &warnings {
            say!("warning: {warning}");
        }
    }
    Ok(match parsed {
        Ok(_) => ExitCode::SUCCESS,
        Err(_) => ExitCode::from(1),
    })
}

fn faults_json(faults: &Faults) -> Vec<serde_json::Value> {
    let object = |fault: &batchfleet_definition::Fault| {
        json!({
            "path": fault.path,
            "line": fault.line,
            "column": fault.column,
            "message": fault.message,
        })
    };
    faults.iter().map(object).collect()
}

/// What a good definition is, in a sentence.
fn summary(definition: &Definition) -> String {
    if definition.is_open() {
        return "good; without fields, so every column is text".to_owned();
    }
    let fields = definition.fields().len();
    let rules = definition.rules().len();
    let plural = |count: usize, one: &str| {
        let s = if count == 1 { "" } else { "s" };
        format!("{count} {one}{s}")
    };
    let mut parts = vec![plural(fields, "field")];
    if rules > 0 {
        parts.push(plural(rules, "rule"));
    }
    format!("good; {}", parts.join(", "))
}
