//! What a person sees while a job runs: a bar on a terminal, a line now and then elsewhere. It
//! writes to stderr, so that stdout holds the result alone.

use std::io::IsTerminal;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use batchfleet_core::batch::Completion;
use batchfleet_core::job::Counts;
use batchfleet_core::ports::{Clock, Observer};
use indicatif::{ProgressBar, ProgressStyle};

use crate::outcome::{duration, rate, thousands};
use crate::terminal::{note, one_line};

/// Counts what workers complete.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    rows: AtomicU64,
    accepted: AtomicU64,
    rejected: AtomicU64,
    bytes: AtomicU64,
    /// Why nothing is completed just now.
    note: Mutex<Option<String>>,
}

impl Tally {
    /// Replaces what was counted, for a job that is followed from outside.
    pub(crate) fn set(&self, counts: &Counts, bytes: u64) {
        self.rows.store(counts.records, Relaxed);
        self.accepted.store(counts.accepted, Relaxed);
        self.rejected.store(counts.rejected, Relaxed);
        self.bytes.store(bytes, Relaxed);
    }

    /// Says in place of the numbers why they stand still; `None` when they go on.
    pub(crate) fn explain(&self, note: Option<String>) {
        let note = note.map(|note| one_line(&note).into_owned());
        *self.note.lock().unwrap_or_else(PoisonError::into_inner) = note;
    }

    fn note(&self) -> Option<String> {
        let note = self.note.lock().unwrap_or_else(PoisonError::into_inner);
        note.clone()
    }
}

impl Observer for Tally {
    fn batch_completed(&self, completion: &Completion) {
        self.rows.fetch_add(completion.counts.records, Relaxed);
        self.accepted.fetch_add(completion.counts.accepted, Relaxed);
        self.rejected.fetch_add(completion.counts.rejected, Relaxed);
        self.bytes.fetch_add(completion.bytes, Relaxed);
    }
}

/// Shows a tally until it is dropped.
pub(crate) struct Progress {
    bar: ProgressBar,
    task: tokio::task::JoinHandle<()>,
}

/// The tally and where it began, for rates: what an earlier run did is no part of them.
struct Shown {
    tally: Arc<Tally>,
    clock: Arc<dyn Clock>,
    begun_ms: u64,
    rows_before: u64,
}

impl Progress {
    /// How often a bar is drawn.
    const DRAW_MS: u64 = 100;
    /// How often a line is printed where there is no terminal.
    const LINE_MS: u64 = 5_000;
    /// How often a line that says why nothing moves is looked for.
    const NOTE_MS: u64 = 250;

    /// Begins to show `tally` against `bytes_total`. Call within a runtime.
    pub(crate) fn show(tally: Arc<Tally>, clock: Arc<dyn Clock>, bytes_total: u64) -> Self {
        let shown = Shown {
            begun_ms: clock.now_ms(),
            rows_before: tally.rows.load(Relaxed),
            tally,
            clock,
        };
        if !std::io::stderr().is_terminal() {
            let task = tokio::spawn(async move { shown.print_lines(bytes_total).await });
            return Self {
                bar: ProgressBar::hidden(),
                task,
            };
        }
        let bar = ProgressBar::new(bytes_total).with_style(style());
        bar.set_position(shown.tally.bytes.load(Relaxed));
        bar.reset_eta();
        let drawn = bar.clone();
        let task = tokio::spawn(async move { shown.draw(&drawn).await });
        Self { bar, task }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.task.abort();
        self.bar.finish_and_clear();
    }
}

fn style() -> ProgressStyle {
    let template = "{bar:30} {percent:>3}%  {msg}";
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

impl Shown {
    async fn draw(&self, bar: &ProgressBar) {
        loop {
            bar.set_position(self.tally.bytes.load(Relaxed));
            bar.set_message(self.tally.note().unwrap_or_else(|| {
                let left = bar.eta().as_millis() as u64;
                format!("{}  ETA {}", self.numbers(), duration(left))
            }));
            self.clock.sleep_ms(Progress::DRAW_MS).await;
        }
    }

    async fn print_lines(&self, bytes_total: u64) {
        let mut said = None;
        let mut next_ms = self.begun_ms + Progress::LINE_MS;
        loop {
            self.clock.sleep_ms(Progress::NOTE_MS).await;
            let (note, now) = (self.tally.note(), self.clock.now_ms());
            let is_news = note != said;
            if is_news || (note.is_none() && now >= next_ms) {
                // A file that is decoded has more text than bytes, which is known at the end alone.
                let percent = self.tally.bytes.load(Relaxed) * 100 / bytes_total.max(1);
                let percent = percent.min(100);
                let text = note.clone().unwrap_or_else(|| self.numbers());
                note!("{percent:>3}%  {text}");
                next_ms = now + Progress::LINE_MS;
            }
            said = note;
        }
    }

    fn numbers(&self) -> String {
        let rows = self.tally.rows.load(Relaxed);
        let elapsed = self.clock.now_ms().saturating_sub(self.begun_ms);
        let since = rows.saturating_sub(self.rows_before);
        format!(
            "{} rows  {}/s  accepted {}  rejected {}",
            thousands(rows),
            thousands(rate(since, elapsed)),
            thousands(self.tally.accepted.load(Relaxed)),
            thousands(self.tally.rejected.load(Relaxed)),
        )
    }
}
