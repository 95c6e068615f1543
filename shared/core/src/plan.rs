//! Pages of the plan: the ranges of consecutive batches, packed into one small immutable item.
//!
//! The plan is kept apart from the state of its batches. A page depends on nothing but the pinned
//! bytes and the policy, so a preparer that was superseded and writes on can only write the same
//! page again: it can never reset a batch that someone holds or has completed (I2, I5). And a page
//! of 25 batches costs one write unit, where an item a batch would cost 25.

use batchfleet_grammar::BatchRange;
use serde::{Deserialize, Serialize};

use crate::error::{PortError, PortResult};

/// The ranges of consecutive batches of one shard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanPage {
    /// In order, contiguous, at least one.
    pub ranges: Vec<BatchRange>,
}

/// The stored form: the first range's position, then differences. 25 ordinary batches take about
/// 400 bytes, well under the 1 KB of a write unit.
#[derive(Serialize, Deserialize)]
struct Packed {
    v: u32,
    index: u64,
    start: u64,
    record: u64,
    line: u64,
    /// Bytes, records, lines before this batch since the last one's beginning, and 1 if oversize.
    batches: Vec<(u64, u64, u64, u8)>,
    /// The batches that end in footers, by their place in the page, each with how many. Version 2: a
    /// release that does not know of them must not take footers for rows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    footers: Vec<(usize, u64)>,
}

impl PlanPage {
    /// The text a store keeps.
    #[must_use]
    pub fn encode(&self) -> String {
        let Some(first) = self.ranges.first() else {
            return String::new();
        };
        let mut line = first.first_line;
        let mut batches = Vec::with_capacity(self.ranges.len());
        let mut footers = Vec::new();
        for (place, range) in self.ranges.iter().enumerate() {
            let lines = range.first_line - line;
            line = range.first_line;
            batches.push((
                range.end - range.start,
                range.records,
                lines,
                u8::from(range.oversize),
            ));
            if range.footer > 0 {
                footers.push((place, range.footer));
            }
        }
        let packed = Packed {
            v: if footers.is_empty() { 1 } else { 2 },
            index: first.index,
            start: first.start,
            record: first.first_record,
            line: first.first_line,
            batches,
            footers,
        };
        serde_json::to_string(&packed).unwrap_or_default()
    }

    /// Reads what a store kept.
    ///
    /// # Errors
    /// [`PortError::Corrupt`] where the text is not a page.
    pub fn decode(text: &str) -> PortResult<Self> {
        let packed: Packed =
            serde_json::from_str(text).map_err(|e| PortError::corrupt("a page of the plan", e))?;
        if !matches!(packed.v, 1 | 2) {
            return Err(PortError::corrupt(
                "a page of the plan",
                format!("version {}", packed.v),
            ));
        }
        let (mut start, mut record, mut line) = (packed.start, packed.record, packed.line);
        let mut ranges = Vec::with_capacity(packed.batches.len());
        for (index, (bytes, records, lines, oversize)) in (packed.index..).zip(packed.batches) {
            line += lines;
            ranges.push(BatchRange {
                index,
                start,
                end: start + bytes,
                first_record: record,
                records,
                first_line: line,
                oversize: oversize == 1,
                footer: 0,
            });
            start += bytes;
            record += records;
        }
        for (place, footer) in packed.footers {
            match ranges.get_mut(place) {
                Some(range) if footer <= range.records => range.footer = footer,
                _ => {
                    let cause = format!("{footer} footers in batch {place}");
                    return Err(PortError::corrupt("a page of the plan", cause));
                }
            }
        }
        Ok(Self { ranges })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_reads_back_and_is_small() {
        let mut ranges = Vec::new();
        let (mut start, mut line) = (9_000_000_000_000, 1_000_000_002);
        for index in 0..25 {
            ranges.push(BatchRange {
                index: 123_450 + index,
                start,
                end: start + 299_999,
                first_record: 617_250_000 + index * 5_000,
                records: 5_000,
                first_line: line,
                oversize: index == 7,
                footer: if index == 24 { 5_000 } else { 0 },
            });
            start += 299_999;
            line += 5_003;
        }
        let page = PlanPage { ranges };
        let text = page.encode();
        assert_eq!(PlanPage::decode(&text).unwrap(), page);
        assert!(text.len() < 800, "{} bytes", text.len());
    }

    /// What version 1 stored must decode for ever.
    #[test]
    fn a_frozen_page_decodes() {
        let page = PlanPage::decode(
            r#"{"v":1,"index":25,"start":100,"record":50,"line":52,"batches":[[10,2,0,0],[7,1,2,1]]}"#,
        )
        .unwrap();
        let second = page.ranges[1];
        assert_eq!(
            (
                second.index,
                second.start,
                second.end,
                second.first_record,
                second.first_line,
                second.oversize
            ),
            (26, 110, 117, 52, 54, true)
        );
        assert_eq!(second.footer, 0);
    }

    /// What version 2 stored must decode for ever; more footers than records are none.
    #[test]
    fn a_frozen_page_with_footers_decodes() {
        let page = |footer| {
            format!(
                r#"{{"v":2,"index":0,"start":0,"record":0,"line":2,"batches":[[10,2,0,0],[7,3,2,0]],"footers":[[1,{footer}]]}}"#
            )
        };
        let decoded = PlanPage::decode(&page(2)).unwrap();
        let last = decoded.ranges[1];
        assert_eq!((last.footer, last.footer_start()), (2, 3));
        assert_eq!(decoded.ranges[0].footer, 0);
        assert_eq!(decoded.encode(), page(2));
        assert!(PlanPage::decode(&page(4)).is_err());
    }
}
