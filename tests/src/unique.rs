//! Unique values at any number of workers, in any order of batches: what they reject is the same, byte
//! for byte, and right by the generator's own account.
//!
//! The preparer and the workers are the real ones, over memory. Nothing here knows how duplicates are
//! found.

use std::fmt::Write as _;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use batchfleet_core::ids::JobId;
use batchfleet_core::job::{JobStatus, Policy};
use batchfleet_core::message::Message;
use batchfleet_core::ports::{Clock, NoLookups, NoSinks, Results, Source, Store, Unobserved};
use batchfleet_core::prepare::Preparer;
use batchfleet_core::report::REJECTS_FILE;
use batchfleet_core::source::SourceRef;
use batchfleet_core::work::{Pace, PlanCache, Worker};
use batchfleet_core::{PortError, PortResult};
use batchfleet_testing::{
    MemoryDefinitions, MemoryQueue, MemoryResults, MemorySource, MemorySpills, MemorySpool,
    MemoryStore, SequenceIds,
};
use bytes::Bytes;

/// The definition that the rows are judged by.
const DEFINITION: &str = "\
fields:
  - {name: id, type: integer, required: true}
  - {name: email, type: email, unique: true}
  - {name: name}
";

/// How many ticks of the clock an invocation has: enough for a few batches.
const INVOCATION_TICKS: u64 = 120;

/// A file with planted duplicates.
#[derive(Clone, Debug)]
pub struct Planted {
    /// Its bytes.
    pub text: Bytes,
    /// Each duplicate: its record, and the line of the first row with its address.
    pub duplicates: Vec<(u64, u64)>,
}

/// So many rows, of which one in a hundred has the address of an earlier one, often in other letters.
#[must_use]
pub fn planted(rows: u64, seed: u64) -> Planted {
    let mut text = String::with_capacity(rows as usize * 48 + 16);
    text.push_str("id,email,name\n");
    let mut firsts: Vec<u64> = Vec::with_capacity(rows as usize);
    let mut duplicates = Vec::new();
    for row in 0..rows {
        let random = mixed(seed, row);
        let is_twin = row > 0 && random.is_multiple_of(100);
        let first = if is_twin {
            firsts[((random >> 8) % row) as usize]
        } else {
            row
        };
        firsts.push(first);
        let user = if is_twin && random & (1 << 40) == 0 {
            "USER"
        } else {
            "user"
        };
        let _ = writeln!(
            text,
            "{row},{user}{first}@example.com,Name {}",
            random % 1_000
        );
        if is_twin {
            duplicates.push((row, first + 2));
        }
    }
    Planted {
        text: text.into(),
        duplicates,
    }
}

/// A number that follows from two others, and looks random.
fn mixed(seed: u64, step: u64) -> u64 {
    let mut z = step.wrapping_add(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// How a run is set up.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    /// Workers side by side.
    pub workers: u32,
    /// Records in a batch.
    pub batch_records: u32,
    /// Memory for keys, in bytes.
    pub memory_bytes: u64,
    /// What shuffles the batches.
    pub seed: u64,
}

/// What a run came to.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// rejects.csv.
    pub rejects: Bytes,
    /// Batches that were worked after one that comes later in the file.
    pub out_of_order: u64,
    /// Whether keys went to disk.
    pub spilled: bool,
    /// How long the planning took.
    pub planning: Duration,
}

/// Imports the file, and answers what was rejected.
///
/// # Errors
/// A port's, or what is not as it should be.
#[expect(
    clippy::disallowed_methods,
    reason = "how long the planning took is measured on the real clock"
)]
pub async fn import(planted: &Planted, setup: Setup) -> PortResult<Outcome> {
    let source = Arc::new(MemorySource::new());
    let object = source.put("uploads", "incoming/people/june.csv", planted.text.clone());
    let reads = Arc::new(Reads {
        inner: source,
        starts: Mutex::default(),
    });
    let clock = Arc::new(Ticks(AtomicU64::new(1_700_000_000_000)));
    let (store, results) = (Arc::new(MemoryStore::new()), Arc::new(MemoryResults::new()));
    let queue = Arc::new(MemoryQueue::new(clock.clone()));
    let (spool, spills) = (Arc::new(MemorySpool::new()), Arc::new(MemorySpills::new()));
    let definitions = Arc::new(MemoryDefinitions::new());
    definitions.insert("people", DEFINITION);
    let ids = Arc::new(SequenceIds::new(setup.seed + 1));
    let policy = Policy {
        batch_records_max: setup.batch_records,
        shard_batches: 4,
        page_batches: 4,
        workers_max: setup.workers,
        // Ticks, of which nobody ever waits for so many.
        lease_ms: 1_000_000_000,
        ..Policy::default()
    };
    let preparer = Preparer {
        store: store.clone(),
        source: reads.inner.clone(),
        spool: spool.clone(),
        definitions,
        results: results.clone(),
        queue: queue.clone(),
        clock: clock.clone(),
        ids: ids.clone(),
        policy,
        batch_records: None,
        window_bytes: 1 << 20,
        spills: spills.clone(),
        unique_memory_bytes: setup.memory_bytes,
    };
    let begun = Instant::now();
    preparer.prepare(&object, None).await?;
    let planning = begun.elapsed();
    let worker = Arc::new(Worker {
        store: store.clone(),
        source: reads.clone(),
        spool: spool.clone(),
        results: results.clone(),
        sinks: Arc::new(NoSinks),
        lookups: Arc::new(NoLookups),
        queue,
        clock: clock.clone(),
        ids,
        observer: Arc::new(Unobserved),
        pace: Pace {
            handover_margin_ms: 0,
            ..Pace::default()
        },
        plans: PlanCache::default(),
    });
    let job = object.job_id();
    let mut tasks = Vec::new();
    for seat in 0..setup.workers {
        let (worker, store) = (Arc::clone(&worker), store.clone());
        let (clock, job) = (Arc::clone(&clock), job.clone());
        let seed = setup.seed * 1_000 + u64::from(seat);
        tasks.push(tokio::spawn(work(worker, store, clock, job, seat, seed)));
    }
    for task in tasks {
        let ended = task.await;
        ended.map_err(|error| PortError::refused("work", error))??;
    }
    let found = store.job(&job).await?;
    let status = found.map(|job| job.status);
    if status != Some(JobStatus::Completed) || !spool.is_empty() {
        let cause = format!("the job is {status:?}, with {} marks left", spool.len());
        return Err(PortError::refused("import", cause));
    }
    Ok(Outcome {
        rejects: results.get(&job, REJECTS_FILE).await?.unwrap_or_default(),
        out_of_order: reads.out_of_order(),
        spilled: spills.opened() > 0,
        planning,
    })
}

/// One worker: invocations of a few batches each, every one in another part of the file.
async fn work(
    worker: Arc<Worker>,
    store: Arc<MemoryStore>,
    clock: Arc<Ticks>,
    job: JobId,
    seat: u32,
    seed: u64,
) -> PortResult<()> {
    for step in 0.. {
        let Some(found) = store.job(&job).await? else {
            return Err(PortError::refused("work", "the job is gone"));
        };
        if found.status.is_terminal() && !found.outbox {
            break;
        }
        let shards = found.plan.map_or(1, |plan| plan.shards.max(1));
        let message = Message::Work {
            job: job.clone(),
            shard: (mixed(seed, step) % u64::from(shards)) as u32,
            seat,
        };
        let deadline = clock.now_ms() + INVOCATION_TICKS;
        worker.work(&message, Some(deadline)).await?;
        tokio::task::yield_now().await;
    }
    Ok(())
}

/// Whether the rejects are those that were planted, each with the line of the first.
///
/// # Errors
/// The first row that is not as it should be.
pub fn check(planted: &Planted, rejects: &[u8]) -> Result<(), String> {
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .from_reader(rejects);
    let mut expected = planted.duplicates.iter();
    for row in reader.records() {
        let row = row.map_err(|error| error.to_string())?;
        let cell = |from_end: usize| row.get(row.len() - from_end).unwrap_or_default();
        let Some((record, line)) = expected.next() else {
            return Err(format!(
                "record {} is rejected beyond what was planted",
                cell(4)
            ));
        };
        let is_named = cell(2).contains(&format!("in line {line} already"));
        if cell(4) != record.to_string() || cell(1) != "DUPLICATE_VALUE" || !is_named {
            return Err(format!(
                "record {record} was planted as that of line {line}, found is record {}",
                cell(4)
            ));
        }
    }
    match expected.next() {
        None => Ok(()),
        Some((record, _)) => Err(format!("record {record} is a duplicate, and not rejected")),
    }
}

/// A clock that moves when it is looked at, so that a deadline is a number of steps.
struct Ticks(AtomicU64);

#[async_trait]
impl Clock for Ticks {
    fn now_ms(&self) -> u64 {
        self.0.fetch_add(1, SeqCst)
    }

    async fn sleep_ms(&self, _ms: u64) {
        // The next heartbeat, which no batch lives to see.
        std::future::pending::<()>().await;
    }
}

/// Remembers the order in which batches were read.
struct Reads {
    inner: Arc<MemorySource>,
    starts: Mutex<Vec<u64>>,
}

impl Reads {
    fn out_of_order(&self) -> u64 {
        let starts = self.starts.lock().unwrap_or_else(PoisonError::into_inner);
        let mut furthest = 0;
        let mut count = 0;
        for &start in &*starts {
            count += u64::from(start < furthest);
            furthest = furthest.max(start);
        }
        count
    }
}

#[async_trait]
impl Source for Reads {
    async fn read(&self, source: &SourceRef, range: Range<u64>) -> PortResult<Bytes> {
        {
            let starts = self.starts.lock();
            let mut starts = starts.unwrap_or_else(PoisonError::into_inner);
            starts.push(range.start);
        }
        Source::read(&*self.inner, source, range).await
    }
}
