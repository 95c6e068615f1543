//! From what was seen of a column to the field that takes it.
//!
//! The strictest type that every value fits is taken, unless it would change what the values are: digits
//! that nobody counts with stay text. Each decision leaves a sentence. It must not know how the
//! definition is written.

use batchfleet_definition::{FieldType, TypeOptions};

use super::column::{Bound, Column, Difference, Trial};
use super::kinds::{self, Kind};
use super::shapes::Shape;
use super::words::{self, Hint, NULL_DAYS, NULLS, NULLS_FOR_CERTAIN, NULLS_OF_PROGRAMS, says};
use super::{InferredField, counted};

/// Rows from which "never empty" is more than chance.
const ROWS_FOR_REQUIRED: u64 = 3;
/// Values from which "all differ" is more than chance.
const VALUES_FOR_UNIQUE: u64 = 5;
/// Values that an odd cell must stand against to be called one.
const VALUES_FOR_ODD: u64 = 5;

/// What is known of the file as a whole.
#[derive(Debug, Clone, Copy)]
pub(super) struct Facts<'f> {
    pub(super) shapes: &'f [Shape],
    /// Rows looked at.
    pub(super) rows: u64,
    /// Whether they are all.
    pub(super) whole: bool,
    pub(super) locale: Locale,
}

/// How the file writes numbers and days, where its own values or its delimiter say so.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Locale {
    /// A comma stands before the fraction.
    pub(super) comma: Option<bool>,
    /// The day comes before the month.
    pub(super) day_first: Option<bool>,
}

impl Locale {
    /// What the columns that can be read in one way alone say; else the delimiter: with the comma as
    /// their decimal separator, people separate cells by semicolons.
    pub(super) fn of(columns: &[Column], shapes: &[Shape], delimiter: Option<u8>) -> Self {
        let mut votes = [0_i64; 2];
        for column in columns {
            let (comma, day_first) = kinds::votes(column, shapes);
            votes[0] += comma;
            votes[1] += day_first;
        }
        let semicolon = (delimiter == Some(b';')).then_some(true);
        let decide = |vote: i64| match vote {
            0 => semicolon,
            vote => Some(vote > 0),
        };
        Self {
            comma: decide(votes[0]),
            day_first: decide(votes[1]),
        }
    }
}

/// The field for a column.
pub(super) fn choose(name: String, column: &Column, facts: &Facts<'_>) -> InferredField {
    let mut evidence = Vec::new();
    let kind = kind(&name, column, facts, &mut evidence);
    let mut field = InferredField {
        name,
        kind: kind.of,
        options: kind.options,
        required: false,
        unique: false,
        null_values: Vec::new(),
        evidence,
    };
    nulls(&mut field, column);
    required(&mut field, column, facts);
    unique(&mut field, column, facts);
    field
}

fn kind(name: &str, column: &Column, facts: &Facts<'_>, evidence: &mut Vec<String>) -> Kind {
    if column.values == 0 {
        evidence.push(nothing(column, facts.rows));
        return Kind::text();
    }
    if let Some(kind) = kinds::strict(name, column, facts, evidence) {
        if let Some(range) = kind.shape.and_then(|shape| range(column, shape)) {
            evidence.push(range);
        }
        return kind;
    }
    if let Some(values) = values(name, column, facts, evidence) {
        return Kind {
            of: FieldType::Enum,
            options: TypeOptions {
                values,
                ..TypeOptions::default()
            },
            shape: None,
        };
    }
    if let Some((_, longest)) = column.lengths {
        evidence.push(format!("up to {}", counted(longest as u64, "character")));
    }
    evidence.extend(odd(name, column, facts));
    if says(name, Hint::List) {
        evidence.push("several items in a cell? type: array makes a list of them".to_owned());
    }
    Kind::text()
}

fn nothing(column: &Column, rows: u64) -> String {
    if rows == 0 {
        "there are no rows to tell its type".to_owned()
    } else if column.nulls.is_empty() && column.null_days.is_empty() {
        format!("empty in all {}", counted(rows, "row"))
    } else {
        "no value in any row, only words for none".to_owned()
    }
}

fn range(column: &Column, shape: usize) -> Option<String> {
    let trial = column.trials.iter().find(|trial| trial.shape == shape)?;
    match trial.range.as_ref()? {
        (low, high) if low == high => None,
        (Bound::Int(low), Bound::Int(high)) => Some(format!("{low} to {high}")),
        (Bound::Day(low), Bound::Day(high)) => Some(format!("{low} to {high}")),
        _ => None,
    }
}

/// The values of an enum, the most frequent first, where there are few in many rows.
fn values(
    name: &str,
    column: &Column,
    facts: &Facts<'_>,
    evidence: &mut Vec<String>,
) -> Option<Vec<String>> {
    let mut counts: Vec<(&str, u64)> = column
        .distinct
        .as_ref()?
        .iter()
        .map(|(value, count)| (&**value, *count))
        .collect();
    let words = NULLS.iter().zip(&column.nulls).skip(NULLS_FOR_CERTAIN);
    let days = NULL_DAYS.iter().zip(&column.null_days);
    counts.extend(
        words
            .chain(days)
            .filter(|(_, count)| **count > 0)
            .map(|(word, count)| (*word, *count)),
    );
    counts.sort_by(|one, other| other.1.cmp(&one.1).then(one.0.cmp(other.0)));
    let different = counts.len() as u64;
    let all: u64 = counts.iter().map(|(_, count)| count).sum();
    let rarest = counts.last().map_or(0, |(_, count)| *count);
    let is_short = |(value, _): &(&str, u64)| {
        value.chars().count() <= 40 && !value.chars().any(char::is_control)
    };
    if different < 2 || !counts.iter().all(is_short) || says(name, Hint::Open) {
        if different == 1 && all > 1 {
            evidence.push("the same value in every row that has one".to_owned());
        }
        return None;
    }
    let is_closed = if facts.whole {
        all >= 30 && different <= 20 && all >= different * 10 && rarest >= 2
    } else {
        all >= 1_000 && different <= 10 && rarest >= 20
    };
    if is_closed {
        evidence.push(format!(
            "{different} values in {}, the rarest in {rarest}",
            counted(all, "row")
        ));
        return Some(
            counts
                .iter()
                .map(|(value, _)| (*value).to_owned())
                .collect(),
        );
    }
    if all >= 10 && different <= 10 && all >= different * 3 {
        let listed: Vec<&str> = counts.iter().map(|(value, _)| *value).collect();
        evidence.push(format!(
            "only {different} values in {}: an enum? {}",
            counted(all, "row"),
            listed.join(" | ")
        ));
    }
    None
}

/// That a column would have a type but for a few cells.
fn odd(name: &str, column: &Column, facts: &Facts<'_>) -> Option<String> {
    let mut best: Option<(&Trial, &Shape)> = None;
    for trial in &column.trials {
        let shape = facts.shapes.get(trial.shape)?;
        let is_number = shape.is_numeric() && column.leading_zeros > 0;
        let is_worse = best.is_some_and(|(other, _)| other.hits >= trial.hits);
        if is_number || is_worse || !kinds::is_telling(name, column, trial, shape) {
            continue;
        }
        if trial.misses > 0 && trial.hits >= VALUES_FOR_ODD {
            best = Some((trial, shape));
        }
    }
    let (trial, shape) = best?;
    let lines: Vec<String> = trial.lines.iter().map(u64::to_string).collect();
    let (others, lead) = if trial.misses > lines.len() as u64 {
        ("the others are not, those in ", "among others")
    } else if trial.misses == 1 {
        ("the other is not, in ", "")
    } else {
        ("the others are not, in ", "")
    };
    let places = if lines.len() == 1 { "line" } else { "lines" };
    let lead = if lead.is_empty() {
        String::new()
    } else {
        format!(", {lead}")
    };
    Some(format!(
        "{} in {} of {}; {others}{places} {}{lead}: mend them and write {}",
        kinds::article(shape.kind),
        super::grouped(trial.hits),
        counted(trial.hits + trial.misses, "value"),
        lines.join(", "),
        kinds::written(shape.kind, &shape.options)
    ))
}

/// Words for no value, of a field that is no text: there they are what the cell says.
fn nulls(field: &mut InferredField, column: &Column) {
    let mut found: Vec<(&str, u64)> = Vec::new();
    for (words, counts) in [
        (&NULLS[..], &column.nulls),
        (&NULL_DAYS[..], &column.null_days),
    ] {
        for (word, count) in words.iter().zip(counts) {
            if *count > 0 {
                found.push((word, *count));
            }
        }
    }
    if field.kind == FieldType::Enum {
        found.retain(|(word, _)| !field.options.values.iter().any(|value| value == word));
    }
    if found.is_empty() {
        return;
    }
    let is_text = field.kind == FieldType::String;
    if is_text {
        let (of_programs, others): (Vec<_>, Vec<_>) = found
            .into_iter()
            .partition(|(word, _)| NULLS[..NULLS_OF_PROGRAMS].contains(word));
        if !others.is_empty() && column.values > 0 {
            let sentence = "null_values would make it no value";
            field.evidence.push(tell(&others, sentence));
        }
        found = of_programs;
    }
    if !found.is_empty() {
        field.evidence.push(tell(&found, "no value"));
        field.null_values = found.iter().map(|(word, _)| (*word).to_owned()).collect();
    }
}

fn tell(found: &[(&str, u64)], sentence: &str) -> String {
    let counts: u64 = found.iter().map(|(_, count)| count).sum();
    let words: Vec<&str> = found.iter().map(|(word, _)| *word).collect();
    format!(
        "{} in {}: {sentence}",
        words.join(", "),
        counted(counts, "row")
    )
}

fn required(field: &mut InferredField, column: &Column, facts: &Facts<'_>) {
    if column.empty > 0 {
        if column.empty < facts.rows {
            field.evidence.push(format!(
                "empty in {}, first in line {}",
                counted(column.empty, "row"),
                column.empty_line
            ));
        }
        return;
    }
    if !field.null_values.is_empty() || facts.rows == 0 {
        return;
    }
    if facts.whole && facts.rows >= ROWS_FOR_REQUIRED {
        field.required = true;
    } else {
        field.evidence.push(format!(
            "never empty in {}: required?",
            counted(facts.rows, "row")
        ));
    }
}

fn unique(field: &mut InferredField, column: &Column, facts: &Facts<'_>) {
    let is_key = says(&field.name, Hint::Key);
    let can_be = match field.kind {
        FieldType::String | FieldType::Integer | FieldType::Uuid | FieldType::Email => true,
        FieldType::Phone | FieldType::Url => is_key,
        _ => false,
    };
    let is_full = column.values == facts.rows;
    if !can_be || !is_full || column.values < VALUES_FOR_UNIQUE {
        return;
    }
    match column.difference {
        Difference::All(_) if is_key && facts.whole => field.unique = true,
        Difference::All(_) => field.evidence.push(format!(
            "all {} differ: unique?",
            counted(column.values, "value")
        )),
        Difference::Unknown if is_key => field
            .evidence
            .push("as far as values could be kept, all differ: unique?".to_owned()),
        Difference::Unknown | Difference::Broken => {}
    }
}

/// Whether a column's values are of a pair of words, or of 1 and 0 under a name that asks a question.
pub(super) fn truth(name: &str, column: &Column) -> Option<(TypeOptions, String)> {
    let distinct = column.distinct.as_ref()?;
    let values = || distinct.keys().map(|value| &**value);
    if let Some((yes, no)) = words::truth(&values()) {
        let is_usual = matches!(yes, "true" | "yes");
        let own = |word: &str| {
            if is_usual {
                Vec::new()
            } else {
                vec![word.to_owned()]
            }
        };
        let options = TypeOptions {
            true_words: own(yes),
            false_words: own(no),
            ..TypeOptions::default()
        };
        return Some((options, format!("nothing but {yes} and {no}")));
    }
    let is_binary = distinct.len() == 2 && values().all(|value| value == "0" || value == "1");
    (is_binary && says(name, Hint::Flag)).then(|| {
        (
            TypeOptions::default(),
            "nothing but 1 and 0, and a name that asks yes or no".to_owned(),
        )
    })
}
