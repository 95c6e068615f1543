//! The last rows of a file, where the definition says that so many are no part of the table.
//!
//! Which rows those are is known at the end of the file alone, so batches are held back until enough
//! rows follow them. It must not know what is in a row.

use std::collections::VecDeque;

use batchfleet_grammar::BatchRange;

use crate::process::Entry;

/// A batch with the keys of its records.
pub(crate) struct Scanned {
    pub(crate) range: BatchRange,
    pub(crate) entries: Vec<Entry>,
}

/// Batches that may end in footers.
pub(crate) struct Footer {
    rows: usize,
    /// The indexes of the last rows so far, at most [`rows`](Self::rows) of them.
    last: VecDeque<u64>,
    held: VecDeque<Scanned>,
}

impl Footer {
    /// Of so many rows.
    pub(crate) fn new(rows: u32) -> Self {
        Self {
            rows: rows as usize,
            last: VecDeque::new(),
            held: VecDeque::new(),
        }
    }

    /// Sees the next record that is a row.
    #[inline]
    pub(crate) fn row(&mut self, record: u64) {
        if self.rows == 0 {
            return;
        }
        if self.last.len() == self.rows {
            self.last.pop_front();
        }
        self.last.push_back(record);
    }

    /// Holds a batch whose rows were all seen.
    pub(crate) fn hold(&mut self, batch: Scanned) {
        self.held.push_back(batch);
    }

    /// The first batch that is held.
    pub(crate) fn first(&self) -> Option<&BatchRange> {
        self.held.front().map(|held| &held.range)
    }

    /// Lets go the batches that hold no footer, whatever follows.
    pub(crate) fn release(&mut self) -> Vec<Scanned> {
        let start = self.start();
        let is_free = |held: &Scanned| held.range.first_record + held.range.records <= start;
        let free = self.held.iter().take_while(|held| is_free(held)).count();
        self.held.drain(..free).collect()
    }

    /// Lets go all batches, since nothing follows. Their footers have no keys.
    pub(crate) fn finish(&mut self) -> Vec<Scanned> {
        let start = self.start();
        let mut batches: Vec<Scanned> = self.held.drain(..).collect();
        for Scanned { range, entries } in &mut batches {
            let end = range.first_record + range.records;
            range.footer = end.saturating_sub(start.max(range.first_record));
            entries.retain(|entry| entry.record < start);
        }
        batches
    }

    /// The first record that may be a footer.
    fn start(&self) -> u64 {
        match self.last.front() {
            _ if self.rows == 0 => u64::MAX,
            Some(first) if self.last.len() == self.rows => *first,
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Of any records, of which some are rows, in batches of any size: the last so many rows, with
        /// what stands between and below them, are footers; and no batch is let go that holds one
        /// before the end is known.
        #[test]
        fn the_last_rows_are_the_footers(
            records in prop::collection::vec(any::<bool>(), 0..60),
            rows in 0_u32..8,
            size in 1_usize..10,
        ) {
            let mut footer = Footer::new(rows);
            let mut batches = Vec::new();
            for (index, chunk) in records.chunks(size).enumerate() {
                let first_record = (index * size) as u64;
                for (record, is_row) in (first_record..).zip(chunk) {
                    if *is_row {
                        footer.row(record);
                    }
                }
                let range = BatchRange {
                    index: index as u64,
                    start: first_record,
                    end: first_record + chunk.len() as u64,
                    first_record,
                    records: chunk.len() as u64,
                    first_line: 1,
                    oversize: false,
                    footer: 0,
                };
                footer.hold(Scanned { range, entries: Vec::new() });
                batches.extend(footer.release());
            }
            batches.extend(footer.finish());
            let all: Vec<u64> = (0_u64..).zip(&records).filter(|(_, is_row)| **is_row).map(|(at, _)| at).collect();
            let start = match all.len().checked_sub(rows as usize) {
                _ if rows == 0 => u64::MAX,
                Some(kept) => all[kept..].first().copied().unwrap_or(u64::MAX),
                None => 0,
            };
            let mut at = 0;
            for (index, batch) in (0_u64..).zip(&batches) {
                prop_assert_eq!(batch.range.index, index);
                for record in batch.range.first_record..batch.range.first_record + batch.range.records {
                    prop_assert_eq!(record, at);
                    prop_assert_eq!(record >= batch.range.footer_start(), record >= start, "{}", record);
                    at += 1;
                }
            }
            prop_assert_eq!(at, records.len() as u64);
        }
    }
}
