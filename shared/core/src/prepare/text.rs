//! What the plan's ranges are ranges of, window by window: the object's own bytes, or those of the
//! text that it decodes to.
//!
//! A decoded window is a part of the spool, and is written there before anybody hears of it: so no
//! batch is published whose bytes are not there to be read. Decoding begins at the first byte whoever
//! does it, since no decoder can begin elsewhere; what an earlier preparer already wrote is decoded,
//! and neither written nor cut again.

use batchfleet_decode::{DecodeError, Decoder, Limits, Notes, Pulled};
use bytes::Bytes;

use super::{Preparer, Stop};
use crate::error::PortResult;
use crate::job::{Job, Layout, Reason};
use crate::mutation::{self, Mutation};
use crate::source::SourceRef;
use crate::spool::SpoolLayout;

/// The windows of a job's text, one after another.
pub(super) enum SourceText<'a> {
    /// The object as it is.
    Plain(PlainText<'a>),
    /// What it decodes to.
    Decoded(Box<DecodedText<'a>>),
}

pub(super) struct PlainText<'a> {
    preparer: &'a Preparer,
    source: &'a SourceRef,
    at: u64,
}

pub(super) struct DecodedText<'a> {
    preparer: &'a Preparer,
    job: &'a Job,
    part_bytes: u64,
    decoder: Decoder,
    /// Bytes of the object read so far.
    read: u64,
    /// Text that is no part yet.
    text: Vec<u8>,
    /// Parts that are complete.
    parts: u64,
    /// Bytes of all of them.
    length: u64,
    /// Where the text is wanted from: what lies before was planned already.
    from: u64,
    /// A part that is not written yet: only under [`Mutation::SpoolLate`].
    late: Option<(u64, Bytes)>,
}

impl<'a> SourceText<'a> {
    /// The text from offset `from` on.
    pub(super) fn open(
        preparer: &'a Preparer,
        job: &'a Job,
        layout: &Layout,
        from: u64,
    ) -> Result<Self, Stop> {
        let Some(spool) = &layout.spool else {
            return Ok(Self::Plain(PlainText {
                preparer,
                source: &job.source,
                at: from,
            }));
        };
        let columns = layout
            .header
            .get(layout.own_columns()..)
            .unwrap_or_default();
        let SpoolLayout { part_bytes, format } = spool;
        let decoder = Decoder::new(format, columns, Limits::default())?;
        Ok(Self::Decoded(Box::new(DecodedText {
            preparer,
            job,
            part_bytes: (*part_bytes).max(1),
            decoder,
            read: 0,
            text: Vec::new(),
            parts: 0,
            length: 0,
            from,
            late: None,
        })))
    }

    /// The next window, or `None` at the end. One of a text that was planned already is empty.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Stop> {
        match self {
            Self::Plain(plain) => plain.next().await,
            Self::Decoded(decoded) => decoded.next().await,
        }
    }

    /// Where the windows so far end.
    pub(super) fn end(&self) -> u64 {
        match self {
            Self::Plain(plain) => plain.at,
            Self::Decoded(decoded) => decoded.length,
        }
    }

    /// Whether whoever begins must begin at the first byte.
    pub(super) fn is_decoded(&self) -> bool {
        matches!(self, Self::Decoded(_))
    }

    /// What decoding noted so far.
    pub(super) fn notes(&self) -> Notes {
        match self {
            Self::Plain(_) => Notes::default(),
            Self::Decoded(decoded) => decoded.decoder.notes(),
        }
    }
}

impl PlainText<'_> {
    async fn next(&mut self) -> Result<Option<Bytes>, Stop> {
        let window = read_window(self.preparer, self.source, self.at).await?;
        self.at += window.len() as u64;
        Ok(Some(window).filter(|window| !window.is_empty()))
    }
}

impl DecodedText<'_> {
    async fn next(&mut self) -> Result<Option<Bytes>, Stop> {
        self.fill().await?;
        if self.text.is_empty() {
            if let Some((part, bytes)) = self.late.take() {
                self.preparer.spool.put(&self.job.id, part, bytes).await?;
            }
            return Ok(None);
        }
        let rest = self
            .text
            .split_off(self.text.len().min(self.part_bytes as usize));
        let part = Bytes::from(std::mem::replace(&mut self.text, rest));
        let start = self.length;
        let end = start + part.len() as u64;
        // What ends before the checkpoint was written before the checkpoint was.
        if end > self.from {
            self.write(self.parts, part.clone()).await?;
        }
        self.parts += 1;
        self.length = end;
        let planned = self.from.saturating_sub(start).min(part.len() as u64);
        if mutation::on(Mutation::SpoolUnskipped) && planned < part.len() as u64 {
            return Ok(Some(part));
        }
        Ok(Some(part.slice(planned as usize..)))
    }

    async fn write(&mut self, part: u64, bytes: Bytes) -> PortResult<()> {
        let (spool, job) = (&self.preparer.spool, &self.job.id);
        if mutation::on(Mutation::SpoolLate) {
            return match self.late.replace((part, bytes)) {
                Some((part, bytes)) => spool.put(job, part, bytes).await,
                None => Ok(()),
            };
        }
        spool.put(job, part, bytes).await
    }

    /// Decodes until there is a part, or the end.
    async fn fill(&mut self) -> Result<(), Stop> {
        loop {
            match self
                .decoder
                .pull(&mut self.text, self.part_bytes as usize)?
            {
                Pulled::Full | Pulled::Done => return Ok(()),
                Pulled::Hungry => {
                    let window = read_window(self.preparer, &self.job.source, self.read).await?;
                    if window.is_empty() {
                        self.decoder.end();
                    }
                    self.read += window.len() as u64;
                    self.decoder.push(window);
                }
            }
        }
    }
}

async fn read_window(preparer: &Preparer, source: &SourceRef, offset: u64) -> PortResult<Bytes> {
    let end = source.size.min(offset + preparer.window_bytes);
    if offset >= end {
        return Ok(Bytes::new());
    }
    preparer.source.read(source, offset..end).await
}

impl From<DecodeError> for Stop {
    fn from(error: DecodeError) -> Self {
        Self::Job(Reason::bad_source(&error.to_string()))
    }
}
