//! Rows out of candidates: each field's that fit it, then combinations for which the rules hold and
//! whose unique values differ.
//!
//! The compiled check is the judge of both. What is tried follows from the definition alone, so that
//! the same definition gives the same template.

use std::collections::{BTreeSet, HashSet};

use batchfleet_definition::{
    Checked, Code, Definition, Encoder, Field, RowError, RowPlan, Scratch, Severity, Value,
};

use super::candidates;

/// Good cells that are kept of a field, and of one whose values are unique how many more than rows.
const POOL: usize = 24;

/// The same where there are rules, which pick among them.
const RULES_POOL: usize = 100;

/// Combinations tried for a row before it is given up.
const TRIES_MAX: u32 = 20_000;

/// Rows of cells.
pub(super) struct Made {
    pub(super) cells: Vec<Vec<String>>,
    pub(super) notes: Vec<String>,
}

/// Makes `count` rows for this header, or says why there are none.
pub(super) fn make(definition: &Definition, header: &[String], count: u64) -> Result<Made, String> {
    let names: Vec<Vec<u8>> = header
        .iter()
        .map(|name| name.clone().into_bytes())
        .collect();
    let plan = definition
        .bind(&names)
        .map_err(|faults| faults.to_string())?;
    let mut bench = Bench::new(&plan);
    let mut notes = Vec::new();
    let pools = bench.pools(definition, header.len(), count, &mut notes)?;
    let mut cells = Vec::new();
    for row in 0..count {
        cells.push(bench.row(&pools, row, definition)?);
    }
    Ok(Made { cells, notes })
}

/// A plan, and what it needs to judge a row.
struct Bench<'p> {
    plan: &'p RowPlan,
    scratch: Scratch,
    errors: Vec<RowError>,
    keys: Vec<Option<u128>>,
    seen: HashSet<(usize, u128)>,
    random: u64,
}

impl<'p> Bench<'p> {
    fn new(plan: &'p RowPlan) -> Self {
        Self {
            plan,
            scratch: Scratch::default(),
            errors: Vec::new(),
            keys: Vec::new(),
            seen: HashSet::new(),
            random: 1,
        }
    }

    fn check(&mut self, row: &[String]) -> Checked {
        self.errors.clear();
        self.plan
            .check(row, &mut self.scratch, &mut Nowhere, &mut self.errors)
    }

    /// Good cells of each column. One candidate of every field is tried at once.
    fn pools(
        &mut self,
        definition: &Definition,
        columns: usize,
        count: u64,
        notes: &mut Vec<String>,
    ) -> Result<Vec<Vec<String>>, String> {
        let mut pools: Vec<Pool> = Vec::new();
        pools.resize_with(columns, Pool::default);
        for (index, field) in definition.fields().iter().enumerate() {
            let column = self.plan.field_column(index as u32);
            if let Some(pool) = column.and_then(|column| pools.get_mut(column)) {
                *pool = Pool::of(definition, field, count);
            }
        }
        let rounds = pools.iter().map(|pool| pool.candidates.len()).max();
        for round in 0..rounds.unwrap_or(0) {
            let row: Vec<String> = pools.iter().map(|pool| pool.candidate(round)).collect();
            self.check(&row);
            let bad: BTreeSet<usize> = self
                .errors
                .iter()
                .filter(|error| error.code != Code::Rule)
                .filter_map(|error| self.plan.field_column(error.field?))
                .collect();
            for (column, cell) in row.into_iter().enumerate() {
                if !cell.is_empty() && !bad.contains(&column) {
                    pools[column].take(cell);
                }
            }
        }
        for (index, field) in definition.fields().iter().enumerate() {
            let column = self.plan.field_column(index as u32);
            let Some(pool) = column.and_then(|column| pools.get_mut(column)) else {
                continue;
            };
            if !pool.good.is_empty() {
                continue;
            }
            if field.required && field.default.is_none() {
                return Err(no_cell(field));
            }
            notes.push(format!(
                "no example was found for {:?}, so its cells are empty",
                field.name
            ));
        }
        Ok(pools.into_iter().map(Pool::into_cells).collect())
    }

    /// A row of good cells for which the rules hold, and with values that no row before it has where
    /// they must be unique. Begins with the plainest cells and changes a few at a time, never for the
    /// worse.
    fn row(
        &mut self,
        pools: &[Vec<String>],
        number: u64,
        definition: &Definition,
    ) -> Result<Vec<String>, String> {
        let mut row: Vec<String> = pools
            .iter()
            .map(|pool| pool[number as usize % pool.len()].clone())
            .collect();
        let mut wrong = self.wrongs(&row);
        for _ in 0..TRIES_MAX {
            if wrong == (0, 0) {
                break;
            }
            let mut next = row.clone();
            for _ in 0..=self.below(3) {
                let column = self.below(pools.len());
                let choice = self.below(pools[column].len());
                next[column].clone_from(&pools[column][choice]);
            }
            let now = self.wrongs(&next);
            if now <= wrong {
                (row, wrong) = (next, now);
            }
        }
        if wrong.0 > 0 {
            self.wrongs(&row);
            return Err(self.no_row(&row, number, definition));
        }
        self.unique_keys(&row);
        let keys = self.keys.iter().enumerate();
        let keys = keys.filter_map(|(constraint, key)| Some((constraint, (*key)?)));
        self.seen.extend(keys);
        Ok(row)
    }

    fn unique_keys(&mut self, row: &[String]) {
        self.plan
            .unique_keys(row, &mut self.scratch, &mut self.keys);
    }

    /// The errors of a row, those of values that a row before it has among them; and its warnings.
    fn wrongs(&mut self, row: &[String]) -> (usize, usize) {
        if self.check(row) == Checked::Skipped {
            return (usize::MAX, 0);
        }
        let is_error = |error: &&RowError| error.severity == Severity::Error;
        let errors = self.errors.iter().filter(is_error).count();
        let warnings = self.errors.len() - errors;
        (errors + self.duplicates(row).len(), warnings)
    }

    /// The constraints under which a row before has the same values.
    fn duplicates(&mut self, row: &[String]) -> Vec<usize> {
        self.unique_keys(row);
        let keys = self.keys.iter().enumerate();
        let duplicate = |(constraint, key): (usize, &Option<u128>)| {
            let is_seen = self.seen.contains(&(constraint, (*key)?));
            is_seen.then_some(constraint)
        };
        keys.filter_map(duplicate).collect()
    }

    fn no_row(&mut self, row: &[String], number: u64, definition: &Definition) -> String {
        let duplicates = self.duplicates(row);
        if let Some(constraint) = duplicates.first() {
            let name = &self.plan.unique_constraints()[*constraint];
            return format!(
                "only {number} rows were found that differ in what must be unique: {name}; ask for fewer \
                 with --rows {}",
                number.max(1)
            );
        }
        self.check(row);
        let is_error = |error: &&RowError| error.severity == Severity::Error;
        let message = match self.errors.iter().find(is_error) {
            Some(error) => error.message.as_str(),
            None => "every cell is empty",
        };
        let rules = definition.rules().len();
        format!(
            "no row was found that the definition takes, with {rules} rules and checks; of the nearest one: \
             {message}; write the rows by hand"
        )
    }

    /// The next number, below a bound of at least 1.
    fn below(&mut self, bound: usize) -> usize {
        self.random = self
            .random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 33) as usize % bound.max(1)
    }
}

fn no_cell(field: &Field) -> String {
    let what = if field.constraints.pattern.is_some() {
        ", whose pattern is harder than this can do"
    } else {
        ""
    };
    format!(
        "no value was found that the field {:?} takes{what}; write the rows by hand",
        field.name
    )
}

/// The candidates of a column, and those of them that are good.
#[derive(Default)]
struct Pool {
    candidates: Vec<String>,
    good: Vec<String>,
    wanted: usize,
}

impl Pool {
    fn of(definition: &Definition, field: &Field, count: u64) -> Self {
        let mut candidates = candidates::of(definition, field, count);
        let mut seen = HashSet::new();
        candidates.retain(|cell| !cell.is_empty() && seen.insert(cell.clone()));
        let dialect = definition.reading().dialect();
        if dialect.quote.is_none() && dialect.escape.is_none() {
            // What such a file can't hold.
            let delimiter = char::from(dialect.delimiter);
            candidates.retain(|cell| !cell.contains([delimiter, '\n', '\r']));
        }
        Self {
            candidates,
            good: Vec::new(),
            wanted: if definition.rules().is_empty() {
                POOL
            } else {
                RULES_POOL
            } + count as usize,
        }
    }

    /// The candidate of a round; empty where there is none, or there are good ones enough.
    fn candidate(&self, round: usize) -> String {
        if self.good.len() >= self.wanted {
            return String::new();
        }
        self.candidates.get(round).cloned().unwrap_or_default()
    }

    fn take(&mut self, cell: String) {
        self.good.push(cell);
    }

    /// The good cells; an empty one where there are none, as in columns that are no field.
    fn into_cells(self) -> Vec<String> {
        if self.good.is_empty() {
            vec![String::new()]
        } else {
            self.good
        }
    }
}

/// Takes rows and keeps nothing of them.
struct Nowhere;

impl Encoder for Nowhere {
    fn begin(&mut self) {}
    fn field(&mut self, _: usize, _: Value<'_>) {}
    fn end(&mut self) {}
    fn discard(&mut self) {}
}
