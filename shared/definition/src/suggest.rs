//! Finds the word somebody most likely meant.
//!
//! It is here because a definition and a header both name things that people mistype. It must not
//! know what the words stand for.

/// Longer words are not compared: nobody mistypes them, and the comparison is quadratic.
const LONGEST: usize = 64;

/// The candidate nearest to `word`, where one is near enough to be a slip of the keyboard.
///
/// The case of letters, and the spaces around, do not count.
pub(crate) fn nearest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let word = folded(word)?;
    let limit = (word.len() / 3).max(1);
    candidates
        .into_iter()
        .filter_map(|candidate| {
            let other = folded(candidate)?;
            let distance = if other.len().abs_diff(word.len()) > limit {
                return None;
            } else {
                distance(&word, &other)
            };
            (distance <= limit && distance < word.len()).then_some((distance, candidate))
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

fn folded(word: &str) -> Option<Vec<char>> {
    let word = word.trim();
    // A character takes at most four bytes.
    if word.len() > LONGEST * 4 {
        return None;
    }
    let folded: Vec<char> = word.chars().flat_map(char::to_lowercase).collect();
    (1..=LONGEST).contains(&folded.len()).then_some(folded)
}

/// Insertions, deletions, replacements and swaps of neighbours that turn one word into the other.
fn distance(from: &[char], to: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=to.len()).collect();
    for (row, a) in from.iter().enumerate() {
        let mut line = Vec::with_capacity(to.len() + 1);
        line.push(row + 1);
        for (column, b) in to.iter().enumerate() {
            let replaced = above[column] + usize::from(a != b);
            let mut best = replaced.min(above[column + 1] + 1).min(line[column] + 1);
            let swapped = row > 0 && column > 0 && *a == to[column - 1] && from[row - 1] == *b;
            if swapped {
                best = best.min(before[column - 1] + 1);
            }
            line.push(best);
        }
        before = std::mem::replace(&mut above, line);
    }
    above[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    const TYPES: [&str; 4] = ["string", "number", "integer", "date"];

    #[test]
    fn finds_slips() {
        assert_eq!(nearest("integr", TYPES), Some("integer"));
        assert_eq!(nearest("INTEGER", TYPES), Some("integer"));
        assert_eq!(nearest("nubmer", TYPES), Some("number"));
        assert_eq!(nearest("dat", TYPES), Some("date"));
        assert_eq!(nearest(" strin ", TYPES), Some("string"));
    }

    #[test]
    fn says_nothing_when_nothing_is_near() {
        assert_eq!(nearest("float", TYPES), None);
        assert_eq!(nearest("", TYPES), None);
        assert_eq!(nearest("x", ["a", "b"]), None);
        assert_eq!(nearest(&"s".repeat(100_000), TYPES), None);
    }

    #[test]
    fn a_swap_of_neighbours_is_one_step() {
        let word = |text: &str| text.chars().collect::<Vec<_>>();
        assert_eq!(distance(&word("ab"), &word("ba")), 1);
        assert_eq!(distance(&word("kitten"), &word("sitting")), 3);
        assert_eq!(distance(&word(""), &word("abc")), 3);
    }
}
