//! Reads how an import is cut and how much it bears: `batches`, `retries`, `on_error`,
//! `tolerated_failures`.

use super::super::{Batches, Retries, Tolerated};
use crate::language::{At, Mapping, Reader, Resolved};

const BATCH_RECORDS_MAX: u32 = 1_000_000;
const BATCH_BYTES_MIN: u32 = 64 * 1024;
const BATCH_BYTES_MAX: u32 = 64 * 1024 * 1024;
const RETRIES_MAX: u32 = 10;
const RETRY_MS_MAX: u32 = 60_000;

impl Reader {
    /// Rejects that an import bears: those of `tolerated_failures`, else none after `on_error: stop`.
    pub(super) fn tolerated(&mut self, keys: &Mapping<'_>) -> Option<Tolerated> {
        let on_error = keys
            .get("on_error")
            .and_then(|at| self.choice(at, "on_error", &["continue", "stop"]));
        let stop = (on_error == Some("stop")).then_some(Tolerated::NONE);
        let Some(at) = keys.get("tolerated_failures") else {
            return stop;
        };
        let bounds = self.mapping(at, "a mapping", &["count", "percent"])?;
        let (count, percent) = (bounds.get("count"), bounds.get("percent"));
        if count.is_none() && percent.is_none() {
            self.fault(bounds.at(), "expected \"count\", \"percent\" or both");
        }
        Some(Tolerated {
            count: count
                .and_then(|at| self.integer(at, 0..=u32::MAX))
                .map(u64::from),
            share: percent.and_then(|at| self.share(at)),
        })
    }

    /// A percentage in hundredths.
    fn share(&mut self, at: &At<'_>) -> Option<u32> {
        let expected = "a number from 0 to 100 with two decimal places at most";
        let percent = match self.scalar(at, expected)?.resolve() {
            Resolved::Int(int) => int as f64,
            Resolved::Float(float) => float,
            _ => f64::NAN,
        };
        let share = (percent * 100.0).round();
        let is_exact = (share - percent * 100.0).abs() < 1e-6;
        if is_exact && (0.0..=f64::from(Tolerated::WHOLE)).contains(&share) {
            // Within bounds, and whole.
            #[expect(clippy::cast_sign_loss, reason = "not negative")]
            return Some(share as u32);
        }
        self.unexpected(at, expected);
        None
    }

    pub(super) fn batches(&mut self, at: &At<'_>) -> Option<Batches> {
        let keys = self.mapping(at, "a mapping", &["records", "bytes"])?;
        let mut batches = Batches::default();
        if let Some(at) = keys.get("records") {
            batches.records = self.integer(at, 1..=BATCH_RECORDS_MAX);
        }
        if let Some(at) = keys.get("bytes") {
            let bytes = self.integer(at, BATCH_BYTES_MIN..=BATCH_BYTES_MAX);
            batches.bytes = bytes.map(u64::from);
        }
        Some(batches)
    }

    pub(super) fn retries(&mut self, at: &At<'_>) -> Option<Retries> {
        let keys = self.mapping(at, "a mapping", &["max", "base_ms", "cap_ms"])?;
        let default = Retries::default();
        let mut read = |key, bounds, default| match keys.get(key) {
            Some(at) => self.integer(at, bounds),
            None => Some(default),
        };
        let max = read("max", 0..=RETRIES_MAX, default.max);
        let base_ms = read("base_ms", 1..=RETRY_MS_MAX, default.base_ms);
        // A longer first wait than any by default is a longest wait too.
        let cap_ms = default.cap_ms.max(base_ms.unwrap_or(0));
        let cap_ms = read("cap_ms", 1..=RETRY_MS_MAX, cap_ms);
        let retries = Retries {
            max: max?,
            base_ms: base_ms?,
            cap_ms: cap_ms?,
        };
        if let Some(at) = keys.get("cap_ms")
            && retries.cap_ms < retries.base_ms
        {
            let message = format!("expected at least base_ms, which is {}", retries.base_ms);
            self.fault(at, message);
        }
        Some(retries)
    }
}
