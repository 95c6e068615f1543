//! The columns of a JSON text: the keys of its first objects.

use std::collections::HashSet;

use crate::json::elements::Elements;
use crate::json::object::{folded, keys};
use crate::{DecodeError, JsonForm};

/// Columns that a report of rejected rows adds; a key of such a name is passed over.
const OURS: [&str; 4] = ["_record", "_line", "_errors", "_codes"];

/// Whether a column or key of this name is one that a report of rejected rows adds.
#[must_use]
pub fn is_ours(name: &str) -> bool {
    OURS.contains(&folded(name).as_str())
}

/// The keys of the objects in `head`, the first bytes of a JSON text in UTF-8, in the order in which
/// they appear; `whole` says whether `head` is all of it. Of keys that differ in case alone the first
/// stays. Lines and elements that are no objects are passed over here.
///
/// # Errors
/// [`DecodeError::BrokenArray`].
pub fn columns(head: &[u8], whole: bool, form: JsonForm) -> Result<Vec<String>, DecodeError> {
    let mut names = Vec::new();
    let mut seen = HashSet::new();
    let mut elements = Elements::new(form, head.len());
    let mut take = |element: crate::json::elements::Element<'_>| {
        for key in keys(element.text) {
            if !is_ours(&key) && seen.insert(folded(&key)) {
                names.push(key);
            }
        }
    };
    elements.push(head, &mut take)?;
    if whole {
        elements.finish(&mut take)?;
    }
    Ok(names)
}
