//! Where the text of a spooled source is: parts of one length, so that an offset leads to its part.
//!
//! It must not know how the text came about, nor what is in it.

use std::ops::Range;

use batchfleet_decode::Format;
use bytes::{Bytes, BytesMut};
use futures_util::future::try_join_all;
use serde::{Deserialize, Serialize};

use crate::error::{PortError, PortResult};
use crate::ids::JobId;
use crate::ports::Spool;

/// How a source was decoded, and how its text is kept. Part of the layout.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpoolLayout {
    /// Bytes of every part but the last.
    pub part_bytes: u64,
    /// What the source's bytes are.
    pub format: Format,
}

impl SpoolLayout {
    /// The parts that a range of the text lies in, each with its own range.
    fn parts(&self, range: &Range<u64>) -> Vec<(u64, Range<u64>)> {
        let length = self.part_bytes.max(1);
        let mut parts = Vec::new();
        let mut at = range.start;
        while at < range.end {
            let part = at / length;
            let begin = part * length;
            let end = range.end.min(begin + length);
            parts.push((part, at - begin..end - begin));
            at = end;
        }
        parts
    }
}

/// Reads a range of a job's text.
///
/// # Errors
/// [`PortError::SpoolGone`] where a part is missing, and the port's own.
pub async fn read_text(
    spool: &dyn Spool,
    job: &JobId,
    layout: &SpoolLayout,
    range: Range<u64>,
) -> PortResult<Bytes> {
    let parts = layout.parts(&range);
    let reads = parts
        .iter()
        .map(|(part, within)| spool.read(job, *part, within.clone()));
    let mut pieces = Vec::with_capacity(parts.len());
    for piece in try_join_all(reads).await? {
        pieces.push(piece.ok_or(PortError::SpoolGone)?);
    }
    if let [whole] = pieces.as_slice() {
        return Ok(whole.clone());
    }
    let mut joined = BytesMut::with_capacity((range.end - range.start) as usize);
    for piece in pieces {
        joined.extend_from_slice(&piece);
    }
    Ok(joined.freeze())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_leads_to_its_parts() {
        let layout = SpoolLayout {
            part_bytes: 10,
            format: Format::default(),
        };
        assert_eq!(layout.parts(&(0..10)), [(0, 0..10)]);
        assert_eq!(layout.parts(&(10..11)), [(1, 0..1)]);
        assert_eq!(
            layout.parts(&(7..31)),
            [(0, 7..10), (1, 0..10), (2, 0..10), (3, 0..1)]
        );
        assert_eq!(layout.parts(&(5..5)), []);
    }
}
