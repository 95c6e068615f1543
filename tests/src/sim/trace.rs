//! What happened in a run, line by line: as a hash always, as text where somebody reads it.

use super::world::ActorId;

/// The trace of one run.
#[derive(Clone, Debug)]
pub(crate) struct Trace {
    hash: u64,
    lines: Option<Vec<String>>,
}

/// A line of the trace is cut here: views of whole shards are long.
const LINE_CHARS_MAX: usize = 400;

impl Trace {
    /// A trace that keeps its text, or only its hash.
    pub(crate) fn new(keeps_text: bool) -> Self {
        Self {
            hash: 0xcbf2_9ce4_8422_2325,
            lines: keeps_text.then(Vec::new),
        }
    }

    pub(crate) fn keeps_text(&self) -> bool {
        self.lines.is_some()
    }

    pub(crate) fn note(
        &mut self,
        at_ms: u64,
        actor: ActorId,
        call: &'static str,
        text: impl FnOnce() -> String,
    ) {
        self.mix(&at_ms.to_le_bytes());
        self.mix(&actor.to_le_bytes());
        self.mix(call.as_bytes());
        if let Some(lines) = &mut self.lines {
            let (seconds, ms) = (at_ms / 1_000, at_ms % 1_000);
            let text: String = text().chars().take(LINE_CHARS_MAX).collect();
            lines.push(format!(
                "{seconds:>4}.{ms:03} #{actor:<3} {call:<14} {text}"
            ));
        }
    }

    /// FNV-1a: any change of any line shows.
    fn mix(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.hash = (self.hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    pub(crate) fn hash(&self) -> u64 {
        self.hash
    }

    pub(crate) fn into_lines(self) -> Vec<String> {
        self.lines.unwrap_or_default()
    }
}
