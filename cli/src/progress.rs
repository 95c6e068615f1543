//! What a person sees while a job runs: a bar on a terminal, a line now and then elsewhere. It
//! writes to stderr, so that stdout holds the result alone.

use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use batchfleet_core::batch::Completion;
use batchfleet_core::job::Counts;
use batchfleet_core::ports::{Clock, Observer};
use indicatif::{ProgressBar, ProgressStyle};

use crate::outcome::{rate, thousands};

/// Counts what workers complete.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    rows: AtomicU64,
    accepted: AtomicU64,
    rejected: AtomicU64,
    bytes: AtomicU64,
}

impl Tally {
    /// Replaces what was counted, for a job that is followed from outside.
    #[cfg_attr(
        not(feature = "aws"),
        expect(dead_code, reason = "only a deployed job is followed from outside")
    )]
    pub(crate) fn set(&self, counts: &Counts, bytes: u64) {
        self.rows.store(counts.records, Relaxed);
        self.accepted.store(counts.accepted, Relaxed);
        self.rejected.store(counts.rejected, Relaxed);
        self.bytes.store(bytes, Relaxed);
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

impl Progress {
    /// How often a bar is drawn.
    const DRAW_MS: u64 = 100;
    /// How often a line is printed where there is no terminal.
    const LINE_MS: u64 = 5_000;

    /// Begins to show `tally` against `bytes_total`. Call within a runtime.
    pub(crate) fn show(tally: Arc<Tally>, clock: Arc<dyn Clock>, bytes_total: u64) -> Self {
        if !std::io::stderr().is_terminal() {
            let task = tokio::spawn(print_lines(tally, clock, bytes_total));
            return Self {
                bar: ProgressBar::hidden(),
                task,
            };
        }
        let bar = ProgressBar::new(bytes_total).with_style(style());
        let drawn = bar.clone();
        let task = tokio::spawn(async move {
            loop {
                drawn.set_position(tally.bytes.load(Relaxed));
                drawn.set_message(message(&tally, drawn.elapsed()));
                clock.sleep_ms(Self::DRAW_MS).await;
            }
        });
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
    let template = "{bar:30} {percent:>3}%  {msg}  ETA {eta}";
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

fn message(tally: &Tally, elapsed: Duration) -> String {
    let rows = tally.rows.load(Relaxed);
    format!(
        "{} rows  {}/s  accepted {}  rejected {}",
        thousands(rows),
        thousands(rate(rows, elapsed.as_millis() as u64)),
        thousands(tally.accepted.load(Relaxed)),
        thousands(tally.rejected.load(Relaxed)),
    )
}

async fn print_lines(tally: Arc<Tally>, clock: Arc<dyn Clock>, bytes_total: u64) {
    let begun = clock.now_ms();
    loop {
        clock.sleep_ms(Progress::LINE_MS).await;
        let elapsed = Duration::from_millis(clock.now_ms() - begun);
        let percent = tally.bytes.load(Relaxed) * 100 / bytes_total.max(1);
        eprintln!("{percent:>3}%  {}", message(&tally, elapsed));
    }
}
