//! Whether a table's first row names its columns.
//!
//! Names are no numbers, are not repeated, and differ from what stands below them. Where a table has
//! nothing but words, the words themselves are looked at. It must not know the dialect.

use crate::kind::Kind;
use crate::words::is_known;

/// What the rows below say of one column.
#[derive(Debug, Clone, Default)]
pub(crate) struct Column {
    /// What most of its cells look like, with `None` where they differ too much or are all empty.
    pub(crate) family: Option<Kind>,
    /// Some of its cells.
    pub(crate) values: Vec<String>,
}

/// The answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Verdict {
    pub(crate) header: bool,
    pub(crate) confidence: f64,
    pub(crate) reason: String,
}

/// What speaks for a header (above 0) and against it, in points; a whole point nearly decides.
struct Points {
    sum: f64,
    /// Columns with values below a name, below a value, and with a known word as the name.
    named: usize,
    valued: usize,
    known: usize,
}

/// Decides. `top` are the cells of the first row with what they look like; `rows_below` is how many
/// rows were looked at.
pub(crate) fn decide(top: &[(String, Kind)], columns: &[Column], rows_below: usize) -> Verdict {
    let verdict = |header, confidence, reason: &str| Verdict {
        header,
        confidence,
        reason: reason.to_owned(),
    };
    let is_empty = |column: &Column| column.values.iter().all(String::is_empty);
    if rows_below == 0 || columns.iter().all(is_empty) {
        let is_words = top.iter().all(|(_, kind)| !kind.is_value())
            && top.iter().any(|(_, kind)| !kind.is_nothing());
        return if is_words {
            verdict(
                true,
                0.6,
                "there is one row, and it has no values: it is taken for the header",
            )
        } else {
            verdict(
                false,
                0.6,
                "there is one row, and it has values: there is no header",
            )
        };
    }
    let repeats = (0..columns.first().map_or(0, |column| column.values.len())).any(|row| {
        top.iter().zip(columns).all(|((name, _), column)| {
            column
                .values
                .get(row)
                .is_some_and(|value| value.to_lowercase() == name.to_lowercase())
        })
    });
    if repeats && top.len() > 1 && top.iter().all(|(_, kind)| !kind.is_value()) {
        return verdict(
            true,
            0.9,
            "the first row stands again further down: it is the header",
        );
    }
    let points = points(top, columns);
    let sum = points.sum
        + if points.known == 0 && points.named == 0 {
            likeness(top, columns)
        } else {
            0.0
        };
    let header = sum >= 0.0;
    let confidence = 0.5 + 0.49 * (sum.abs() / (sum.abs() + 1.0));
    let reason = if header && points.named > 0 {
        format!(
            "the first row has names where the rows below have numbers, dates or the like ({} of {} columns)",
            points.named,
            top.len()
        )
    } else if header && points.known > 0 {
        format!(
            "the first row has words that usually name columns ({} of {})",
            points.known,
            top.len()
        )
    } else if header {
        "nothing speaks against the first row being the header".to_owned()
    } else if points.valued > 0 {
        format!(
            "the first row has numbers, dates or the like, as the rows below ({} of {} columns)",
            points.valued,
            top.len()
        )
    } else {
        "the first row looks like the rows below".to_owned()
    };
    Verdict {
        header,
        confidence,
        reason,
    }
}

fn points(top: &[(String, Kind)], columns: &[Column]) -> Points {
    let mut points = Points {
        sum: 0.0,
        named: 0,
        valued: 0,
        known: 0,
    };
    if names_but_the_corner(top, columns) {
        points.sum += 1.0;
    }
    let years = are_years(top, columns) || are_numbered(top, columns);
    if is_alphabet(top) {
        points.known += 1;
        // Sparse tables of examples have the same letters below.
        let is_first = top
            .iter()
            .any(|(name, _)| matches!(name.as_str(), "a" | "A" | "x" | "X"));
        points.sum += if is_first { 2.5 } else { 1.0 };
    }
    for (index, (name, kind)) in top.iter().enumerate() {
        let column = columns.get(index);
        let family = column.and_then(|column| column.family);
        let is_valued = family.is_some_and(Kind::is_value);
        points.sum += match kind {
            _ if kind.is_value() && years => 0.5,
            // `product,Jan 24,Feb 24`, above numbers.
            Kind::Date if family == Some(Kind::Number) => 0.6,
            _ if kind.is_value() => {
                let same = family == Some(kind.family());
                points.valued += usize::from(same);
                if same {
                    -1.5
                } else if family.is_none() {
                    -0.8
                } else {
                    -0.5
                }
            }
            Kind::Empty | Kind::Null if family.is_some() => -0.15,
            Kind::Empty | Kind::Null => 0.0,
            _ if is_valued => {
                points.named += 1;
                1.2
            }
            _ => 0.0,
        };
        if kind.is_value() || kind.is_nothing() {
            continue;
        }
        if is_known(name) {
            points.known += 1;
            points.sum += 0.8;
        }
        if name.chars().count() > 60 {
            points.sum -= 0.3;
        }
        let below = column.map_or(0, |column| {
            column.values.iter().filter(|value| *value == name).count()
        });
        points.sum -= match below {
            0 => 0.0,
            1 => 0.6,
            _ => 1.0,
        };
        let twice = top[..index].iter().any(|(other, _)| other == name);
        points.sum -= if twice { 0.3 } else { 0.0 };
    }
    points
}

/// A row of names, but for the first column, which has something in each row below: the rows' own names
/// need none.
fn names_but_the_corner(top: &[(String, Kind)], columns: &[Column]) -> bool {
    let ([(_, Kind::Empty), names @ ..], Some(first)) = (top, columns.first()) else {
        return false;
    };
    let is_name = |(_, kind): &(String, Kind)| !kind.is_value() && !kind.is_nothing();
    !names.is_empty()
        && names.iter().all(is_name)
        && first.values.len() >= 3
        && first.values.iter().all(|value| !value.is_empty())
}

/// `0,1,2,3` above numbers that are not whole, as programs number columns without a name.
fn are_numbered(top: &[(String, Kind)], columns: &[Column]) -> bool {
    let (mut next, mut count) = (None, 0);
    for ((name, kind), column) in top.iter().zip(columns) {
        if kind.is_nothing() && count == 0 {
            continue;
        }
        let Ok(number) = name.parse::<u32>() else {
            return false;
        };
        let follows = next.map_or(number <= 1, |next| number == next);
        let whole = column
            .values
            .iter()
            .filter(|value| value.bytes().all(|byte| byte.is_ascii_digit()))
            .count();
        if !follows || whole * 2 > column.values.len() {
            return false;
        }
        next = Some(number + 1);
        count += 1;
    }
    count >= 2
}

/// `a,b,c` or `x,y,z`: names of those who need none.
fn is_alphabet(top: &[(String, Kind)]) -> bool {
    let mut last = None;
    let mut letters = 0;
    for (name, kind) in top {
        if kind.is_nothing() {
            continue;
        }
        let &[letter @ (b'a'..=b'z' | b'A'..=b'Z')] = name.as_bytes() else {
            return false;
        };
        if last.is_some_and(|last: u8| letter != last + 1) {
            return false;
        }
        last = Some(letter);
        letters += 1;
    }
    letters >= 2
}

/// `country,2019,2020,2021`: years in a row, above numbers that are none.
fn are_years(top: &[(String, Kind)], columns: &[Column]) -> bool {
    let as_year = |text: &str| {
        text.trim()
            .parse::<u32>()
            .ok()
            .filter(|year| (1800..=2200).contains(year))
    };
    let (mut years, mut last, mut in_order) = (0, None, true);
    for ((name, kind), column) in top.iter().zip(columns) {
        if !kind.is_value() {
            continue;
        }
        let Some(year) = as_year(name) else {
            return false;
        };
        in_order &= last.is_none_or(|last: u32| year.abs_diff(last) <= 10 && year != last);
        last = Some(year);
        years += usize::from(!column.values.iter().any(|value| as_year(value).is_some()));
    }
    years >= 2 && in_order
}

/// Whether words in the first row look like those below, where nothing else tells: below 0 if so.
fn likeness(top: &[(String, Kind)], columns: &[Column]) -> f64 {
    let (mut alike, mut all) = (0, 0);
    for ((name, kind), column) in top.iter().zip(columns) {
        if kind.is_nothing() || column.values.len() < 2 {
            continue;
        }
        all += 1;
        let lengths: Vec<f64> = column
            .values
            .iter()
            .map(|value| value.chars().count() as f64)
            .collect();
        let mean = lengths.iter().sum::<f64>() / lengths.len() as f64;
        let spread =
            lengths.iter().map(|len| (len - mean).powi(2)).sum::<f64>() / lengths.len() as f64;
        let far = (name.chars().count() as f64 - mean).abs() > 2.0 * spread.sqrt() + 1.0;
        let code = |text: &str| text.contains('_') || text.chars().any(|c| c.is_ascii_digit());
        let coded =
            column.values.iter().filter(|value| code(value)).count() * 2 > column.values.len();
        let shape_differs = code(name) != coded || name.contains('_');
        alike += usize::from(!far && !shape_differs);
    }
    match all {
        0 | 1 => 0.0,
        _ if alike * 5 >= all * 4 => -0.4,
        _ => 0.3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::kind;

    fn header(rows: &[&[&str]]) -> bool {
        let top: Vec<(String, Kind)> = rows[0]
            .iter()
            .map(|cell| ((*cell).to_owned(), kind(cell.as_bytes(), false)))
            .collect();
        let columns: Vec<Column> = (0..top.len())
            .map(|index| {
                let below: Vec<&str> = rows[1..]
                    .iter()
                    .filter_map(|row| row.get(index).copied())
                    .collect();
                let families: Vec<Kind> = below
                    .iter()
                    .map(|c| kind(c.as_bytes(), false).family())
                    .collect();
                let family = families
                    .first()
                    .copied()
                    .filter(|first| families.iter().all(|f| f == first));
                Column {
                    family,
                    values: below.iter().map(|cell| (*cell).to_owned()).collect(),
                }
            })
            .collect();
        decide(&top, &columns, rows.len() - 1).header
    }

    #[test]
    fn headers_are_told_from_rows() {
        assert!(header(&[&["id", "name"], &["1", "Ann"], &["2", "Bob"]]));
        assert!(!header(&[&["1", "Ann"], &["2", "Bob"]]));
        assert!(!header(&[
            &["John", "Smith", "London"],
            &["Mary", "Jones", "Paris"],
            &["Anne", "Brown", "Berlin"]
        ]));
        assert!(header(&[
            &["First Name", "Last Name"],
            &["Mary", "Jones"],
            &["Anne", "Brown"]
        ]));
        assert!(header(&[
            &["country", "2019", "2020"],
            &["France", "12.5", "13"],
            &["Italy", "1", "7"]
        ]));
        assert!(!header(&[
            &["France", "2019", "12.5"],
            &["Italy", "2020", "13"]
        ]));
        assert!(!header(&[&["a@b.example", "Ann"], &["b@b.example", "Bob"]]));
        assert!(header(&[
            &["Имя", "Город"],
            &["Анна", "Москва"],
            &["Пётр", "Казань"]
        ]));
        assert!(header(&[&["x", "y"], &["x", "y"], &["1", "2"]]));
        assert!(header(&[&["a", "b", "c"]]) && !header(&[&["1", "2", "3"]]));
    }
}
