//! A fleet on one thread over memory adapters, which dies on request and goes on.

use std::collections::BTreeMap;
use std::ops::Range;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::Poll;

use async_trait::async_trait;
use batchfleet_core::checksum::FileSum;
use batchfleet_core::ids::JobId;
use batchfleet_core::job::{Job, JobStatus, Policy};
use batchfleet_core::message::Message;
use batchfleet_core::ports::{
    Clock, FoundLookup, Lookup, LookupAnswer, LookupKey, Lookups, PauseOutcome, PutOutcome, Queue,
    Results, Sink, SinkAnswer, SinkRecord, Source, Spool, Store, Unobserved,
};
use batchfleet_core::prepare::{Prepared, Preparer, next_attempt};
use batchfleet_core::report::{
    OUTPUT_FOLDER, REJECTS_FILE, REJECTS_JSON_FILE, SUMMARY_FILE, Summary,
};
use batchfleet_core::source::{Redriven, SourceRef};
use batchfleet_core::sweep::{Sweeper, Swept};
use batchfleet_core::work::{Pace, PlanCache, Worked, Worker};
use batchfleet_core::{PortError, PortResult};
use batchfleet_definition::TableLookup;
use batchfleet_testing::{
    ManualClock, MemoryDefinitions, MemoryQueue, MemoryResults, MemorySink, MemorySource,
    MemorySpills, MemorySpool, MemoryStore, MemoryTables, OneSink, SequenceIds,
};
use bytes::Bytes;
use serde_json::Value;

const KEY: &str = "incoming/people/june.csv";

/// How long the queue hides a message whose receiver died: 6 times a function's 5 minutes.
const VISIBILITY_MS: u64 = 1_800_000;

/// What a plain loop over the `csv` crate makes of a file: the independent answer.
pub(crate) struct Expected {
    pub(crate) records: u64,
    pub(crate) accepted: Vec<Value>,
    pub(crate) rejected: u64,
    pub(crate) skipped: u64,
}

/// Reads with the `csv` crate and judges rows of `id,name,age` by hand. Blank lines, which that
/// crate passes over, are counted apart.
pub(crate) fn sequential(text: &str, _definition: &str) -> Expected {
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .from_reader(text.as_bytes());
    let mut expected = Expected {
        records: 0,
        accepted: Vec::new(),
        rejected: 0,
        skipped: 0,
    };
    for row in reader.records().map(Result::unwrap) {
        expected.records += 1;
        let id = row.get(0).and_then(|cell| cell.parse::<i64>().ok());
        let age = row.get(2).and_then(|cell| cell.parse::<i64>().ok());
        match (row.len(), id, age) {
            (3, Some(id), Some(age)) => {
                expected
                    .accepted
                    .push(serde_json::json!({"id": id, "name": &row[1], "age": age}));
            }
            _ => expected.rejected += 1,
        }
    }
    expected.skipped = text.split('\n').filter(|line| line.is_empty()).count() as u64 - 1;
    expected.records += expected.skipped;
    expected
}

/// Hangs for ever at one call, which is what a killed process looks like from outside.
#[derive(Default)]
struct Crash {
    calls_left: AtomicI64,
    armed: AtomicBool,
    crashed: AtomicBool,
    poison: Mutex<Option<u64>>,
    /// How many of the next writes of results are throttled.
    throttled: AtomicI64,
    /// How much time passes with every look at the clock.
    tick_ms: AtomicU64,
    /// Waits of up to this pass at once; longer ones, as that for a heartbeat, never end.
    nap_ms_max: AtomicU64,
    sink_call_ms: AtomicU64,
    deadly_row: Mutex<Option<String>>,
}

impl Crash {
    async fn call(&self) {
        if self.armed.load(SeqCst) && self.calls_left.fetch_sub(1, SeqCst) == 0 {
            self.crashed.store(true, SeqCst);
            std::future::pending::<()>().await;
        }
    }
}

struct Mortal<P> {
    inner: Arc<P>,
    crash: Arc<Crash>,
}

#[async_trait]
impl Source for Mortal<MemorySource> {
    async fn read(&self, source: &SourceRef, range: Range<u64>) -> PortResult<Bytes> {
        let poison = *self.crash.poison.lock().unwrap();
        // Only the read of a batch is deadly; the preparer's window ends with the file.
        if poison.is_some_and(|at| range.end < source.size && range.contains(&at)) {
            std::future::pending::<()>().await;
        }
        self.crash.call().await;
        self.inner.read(source, range).await
    }
}

#[async_trait]
impl Spool for Mortal<MemorySpool> {
    async fn put(&self, job: &JobId, part: u64, bytes: Bytes) -> PortResult<()> {
        self.crash.call().await;
        let put = self.inner.put(job, part, bytes).await;
        self.crash.call().await;
        put
    }
    async fn read(&self, job: &JobId, part: u64, range: Range<u64>) -> PortResult<Option<Bytes>> {
        self.crash.call().await;
        self.inner.read(job, part, range).await
    }
    async fn put_marks(&self, job: &JobId, batch: u64, bytes: Bytes) -> PortResult<()> {
        self.crash.call().await;
        let put = self.inner.put_marks(job, batch, bytes).await;
        self.crash.call().await;
        put
    }
    async fn marks(&self, job: &JobId, batch: u64) -> PortResult<Option<Bytes>> {
        self.crash.call().await;
        self.inner.marks(job, batch).await
    }
    async fn clear(&self, job: &JobId) -> PortResult<()> {
        self.crash.call().await;
        let cleared = self.inner.clear(job).await;
        self.crash.call().await;
        cleared
    }
}

#[async_trait]
impl Results for Mortal<MemoryResults> {
    async fn put_once(&self, job: &JobId, name: &str, content: Bytes) -> PortResult<PutOutcome> {
        self.crash.call().await;
        if self.crash.throttled.fetch_sub(1, SeqCst) > 0 {
            return Err(PortError::throttled("write result", "slow down"));
        }
        let outcome = self.inner.put_once(job, name, content).await;
        self.crash.call().await;
        outcome
    }
    async fn put(&self, job: &JobId, name: &str, content: Bytes) -> PortResult<()> {
        self.crash.call().await;
        self.inner.put(job, name, content).await
    }
    async fn join(
        &self,
        job: &JobId,
        name: &str,
        head: Bytes,
        parts: &[String],
    ) -> PortResult<FileSum> {
        self.crash.call().await;
        self.inner.join(job, name, head, parts).await
    }
    async fn get(&self, job: &JobId, name: &str) -> PortResult<Option<Bytes>> {
        self.inner.get(job, name).await
    }
    fn location(&self, job: &JobId, name: &str) -> String {
        self.inner.location(job, name)
    }
}

#[async_trait]
impl Queue for Mortal<MemoryQueue> {
    async fn send(&self, message: &Message, delay_ms: u64) -> PortResult<()> {
        self.crash.call().await;
        self.inner.send(message, delay_ms).await
    }
}

/// A destination that takes its time.
struct Slow {
    inner: Arc<MemorySink>,
    crash: Arc<Crash>,
    clock: Arc<ManualClock>,
}

#[async_trait]
impl Sink for Slow {
    fn records_max(&self) -> usize {
        self.inner.records_max()
    }
    async fn put(&self, job: &JobId, records: &[SinkRecord]) -> PortResult<SinkAnswer> {
        self.crash.call().await;
        self.clock.advance(self.crash.sink_call_ms.load(SeqCst));
        let answer = self.inner.put(job, records).await;
        let deadly = self.crash.deadly_row.lock().unwrap().clone();
        if let Some(text) = deadly {
            let rows = records
                .iter()
                .map(|record| String::from_utf8_lossy(&record.row));
            if rows.into_iter().any(|row| row.contains(&text)) {
                std::future::pending::<()>().await;
            }
        }
        self.crash.call().await;
        answer
    }
}

/// A table to look records up in.
struct MortalTable {
    inner: Arc<dyn Lookup>,
    crash: Arc<Crash>,
}

#[async_trait]
impl Lookups for Mortal<MemoryTables> {
    async fn lookup(&self, table: &TableLookup) -> PortResult<FoundLookup> {
        Ok(match self.inner.lookup(table).await? {
            FoundLookup::Lookup(inner) => FoundLookup::Lookup(Arc::new(MortalTable {
                inner,
                crash: Arc::clone(&self.crash),
            })),
            unusable @ FoundLookup::Unusable(_) => unusable,
        })
    }
}

#[async_trait]
impl Lookup for MortalTable {
    fn keys_max(&self) -> usize {
        self.inner.keys_max()
    }
    async fn existing(&self, keys: &[LookupKey]) -> PortResult<LookupAnswer> {
        self.crash.call().await;
        let answer = self.inner.existing(keys).await;
        self.crash.call().await;
        answer
    }
}

#[async_trait]
impl Clock for Mortal<ManualClock> {
    fn now_ms(&self) -> u64 {
        self.inner.advance(self.crash.tick_ms.load(SeqCst));
        self.inner.now_ms()
    }
    async fn sleep_ms(&self, ms: u64) {
        if ms <= self.crash.nap_ms_max.load(SeqCst) {
            return self.inner.sleep_ms(ms).await;
        }
        // Time passes only between messages, so no lease ends under a worker that lives.
        std::future::pending::<()>().await;
    }
}

pub(crate) struct Fleet {
    pub(crate) store: Arc<MemoryStore>,
    source: Arc<MemorySource>,
    pub(crate) spool: Arc<MemorySpool>,
    pub(crate) spills: Arc<MemorySpills>,
    results: Arc<MemoryResults>,
    pub(crate) sink: Arc<MemorySink>,
    pub(crate) tables: Arc<MemoryTables>,
    queue: Arc<MemoryQueue>,
    clock: Arc<ManualClock>,
    crash: Arc<Crash>,
    /// What the newest attempt imports.
    object: Mutex<SourceRef>,
    definitions: Arc<MemoryDefinitions>,
    preparer: Preparer,
    worker: Worker,
    time_limit_ms: AtomicU64,
}

impl Fleet {
    pub(crate) fn new(text: &str, definition: &str, policy: Policy) -> Self {
        let store = Arc::new(MemoryStore::new());
        Self::over(text, definition, policy, Arc::clone(&store), store)
    }

    pub(crate) fn without_definition(text: &str, policy: Policy) -> Self {
        let store = Arc::new(MemoryStore::new());
        Self::build(
            text.to_owned().into(),
            None,
            policy,
            Arc::clone(&store),
            store,
        )
    }

    pub(crate) fn over(
        text: &str,
        definition: &str,
        policy: Policy,
        store: Arc<MemoryStore>,
        used: Arc<dyn Store>,
    ) -> Self {
        Self::build(
            text.to_owned().into(),
            Some(definition),
            policy,
            store,
            used,
        )
    }

    /// Over a source that has to be decoded, in windows of this size.
    pub(crate) fn decoding(file: Vec<u8>, definition: &str, policy: Policy, window: u64) -> Self {
        let store = Arc::new(MemoryStore::new());
        let used = Arc::clone(&store);
        let mut fleet = Self::build(file.into(), Some(definition), policy, store, used);
        fleet.preparer.window_bytes = window;
        fleet
    }

    fn build(
        file: Bytes,
        definition: Option<&str>,
        policy: Policy,
        store: Arc<MemoryStore>,
        used: Arc<dyn Store>,
    ) -> Self {
        let clock = Arc::new(ManualClock::new(1_700_000_000_000));
        let source = Arc::new(MemorySource::new());
        let results = Arc::new(MemoryResults::new());
        let sink = Arc::new(MemorySink::new());
        let queue = Arc::new(MemoryQueue::new(Arc::clone(&clock) as _));
        let definitions = Arc::new(MemoryDefinitions::new());
        if let Some(definition) = definition {
            definitions.insert("people", definition);
        }
        let object = source.put("uploads", KEY, file);
        let crash = Arc::new(Crash::default());
        let ids = Arc::new(SequenceIds::new(1));
        let mortal_source = Arc::new(Mortal {
            inner: Arc::clone(&source),
            crash: Arc::clone(&crash),
        });
        let spills = Arc::new(MemorySpills::new());
        let spool = Arc::new(MemorySpool::new());
        let mortal_spool = Arc::new(Mortal {
            inner: Arc::clone(&spool),
            crash: Arc::clone(&crash),
        });
        let mortal_results = Arc::new(Mortal {
            inner: Arc::clone(&results),
            crash: Arc::clone(&crash),
        });
        let mortal_sink = Arc::new(Slow {
            inner: Arc::clone(&sink),
            crash: Arc::clone(&crash),
            clock: Arc::clone(&clock),
        });
        let tables = Arc::new(MemoryTables::new());
        let mortal_tables = Arc::new(Mortal {
            inner: Arc::clone(&tables),
            crash: Arc::clone(&crash),
        });
        let mortal_queue = Arc::new(Mortal {
            inner: Arc::clone(&queue),
            crash: Arc::clone(&crash),
        });
        let mortal_clock = Arc::new(Mortal {
            inner: Arc::clone(&clock),
            crash: Arc::clone(&crash),
        });
        let preparer = Preparer {
            store: Arc::clone(&used),
            source: Arc::clone(&mortal_source) as _,
            spool: Arc::clone(&mortal_spool) as _,
            definitions: Arc::clone(&definitions) as _,
            results: Arc::clone(&mortal_results) as _,
            queue: Arc::clone(&mortal_queue) as _,
            clock: Arc::clone(&mortal_clock) as _,
            ids: Arc::clone(&ids) as _,
            policy,
            batch_records: None,
            window_bytes: 8 << 20,
            spills: Arc::clone(&spills) as _,
            unique_memory_bytes: 0,
        };
        let worker = Worker {
            store: used,
            source: mortal_source,
            spool: mortal_spool,
            results: mortal_results,
            sinks: Arc::new(OneSink(mortal_sink)),
            lookups: mortal_tables,
            queue: mortal_queue,
            clock: mortal_clock,
            ids,
            observer: Arc::new(Unobserved),
            pace: Pace::default(),
            plans: PlanCache::default(),
        };
        let time_limit_ms = AtomicU64::new(u64::MAX);
        Self {
            store,
            source,
            spool,
            spills,
            results,
            sink,
            tables,
            queue,
            clock,
            crash,
            object: Mutex::new(object),
            definitions,
            preparer,
            worker,
            time_limit_ms,
        }
    }

    pub(crate) fn crash_at(&self, call: i64) {
        self.crash.calls_left.store(call, SeqCst);
        self.crash.armed.store(true, SeqCst);
    }

    pub(crate) fn has_crashed(&self) -> bool {
        self.crash.crashed.load(SeqCst)
    }

    pub(crate) fn poison_byte(&self, at: Option<u64>) {
        *self.crash.poison.lock().unwrap() = at;
    }

    pub(crate) fn throttle_writes(&self, count: i64) {
        self.crash.throttled.store(count, SeqCst);
    }

    pub(crate) fn let_time_pass(&self, tick_ms: u64) {
        self.crash.tick_ms.store(tick_ms, SeqCst);
    }

    /// What a worker makes of a message of this seat.
    pub(crate) async fn work_at(&self, seat: u32) -> Worked {
        let message = Message::Work {
            job: self.id(),
            shard: 0,
            seat,
        };
        self.worker.work(&message, None).await.unwrap()
    }

    pub(crate) async fn job(&self) -> Job {
        self.store.job(&self.id()).await.unwrap().unwrap()
    }

    /// Waits of up to this pass at once.
    pub(crate) fn nap(&self, ms_max: u64) {
        self.crash.nap_ms_max.store(ms_max, SeqCst);
    }

    /// Whoever delivers a row with this text dies right after.
    pub(crate) fn deadly_row(&self, text: &str) {
        *self.crash.deadly_row.lock().unwrap() = Some(text.to_owned());
    }

    /// Each call of the destination takes so long.
    pub(crate) fn slow_sink(&self, call_ms: u64) {
        self.crash.sink_call_ms.store(call_ms, SeqCst);
    }

    pub(crate) fn limit_time(&self, ms: Option<u64>) {
        self.time_limit_ms.store(ms.unwrap_or(u64::MAX), SeqCst);
    }

    /// An operator's abort, asked for until it is answered.
    pub(crate) async fn abort(&self) -> JobStatus {
        let closer = self.preparer.closer();
        for _ in 0..100 {
            if let Some(Ok(status)) = until_it_hangs(closer.abort(&self.id())).await {
                return status;
            }
        }
        panic!("the abort was asked for 100 times in vain");
    }

    /// Every message is lost, as from a queue that expired them.
    pub(crate) fn lose_all_messages(&self) {
        while self.queue.receive(u64::MAX).is_some() {}
    }

    /// Every worker dies, so that no message is left but the watch, which comes now.
    pub(crate) async fn leave_the_watch_alone(&self) {
        let mut watch = None;
        while let Some(message) = self.queue.receive(u64::MAX) {
            if matches!(message, Message::Watch { .. }) {
                watch = Some(message);
            }
        }
        self.queue.send(&watch.unwrap(), 0).await.unwrap();
    }

    /// How long no message comes.
    pub(crate) fn silence_ms(&self) -> Option<u64> {
        let due_ms = self.queue.next_due_ms()?;
        Some(due_ms.saturating_sub(self.clock.now_ms()))
    }

    /// A look of the sweeper, this much later.
    pub(crate) async fn sweep_after(&self, ms: u64) -> Swept {
        self.clock.advance(ms);
        let sweeper = Sweeper {
            store: Arc::clone(&self.store) as _,
            queue: Arc::clone(&self.queue) as _,
            clock: Arc::clone(&self.clock) as _,
        };
        sweeper.sweep().await.unwrap()
    }

    pub(crate) async fn set_paused(&self, paused: bool) -> PauseOutcome {
        let now = self.clock.now_ms();
        let outcome = self.store.set_paused(&self.id(), paused, now).await;
        outcome.unwrap()
    }

    pub(crate) fn overwrite(&self, text: &str) {
        self.source.put("uploads", KEY, text.to_owned());
    }

    fn deadline(&self) -> Option<u64> {
        let limit = self.time_limit_ms.load(SeqCst);
        (limit != u64::MAX).then(|| self.clock.now_ms() + limit)
    }

    /// The event, delivered once and not again, whatever becomes of it.
    pub(crate) async fn upload_once(&self) {
        let object = self.object();
        let call = self.preparer.prepare(&object, self.deadline());
        let _ = until_it_hangs(call).await;
    }

    /// The event. S3 delivers it again while the orchestrator dies or fails.
    pub(crate) async fn upload(&self) -> Prepared {
        let object = self.object();
        for _ in 0..100 {
            let call = self.preparer.prepare(&object, self.deadline());
            if let Some(Ok(prepared)) = until_it_hangs(call).await {
                return prepared;
            }
        }
        panic!("the event was delivered 100 times in vain");
    }

    /// Delivers the next message, moving the clock to it; one whose receiver dies or fails comes
    /// back after the visibility timeout.
    pub(crate) async fn deliver_next(&self) -> bool {
        let Some(due) = self.queue.next_due_ms() else {
            return false;
        };
        self.clock.advance(due.saturating_sub(self.clock.now_ms()));
        let Some(message) = self.queue.receive(self.clock.now_ms()) else {
            return false;
        };
        let done = match &message {
            Message::Prepare { source } => {
                let call = self.preparer.prepare(source, self.deadline());
                matches!(until_it_hangs(call).await, Some(Ok(_)))
            }
            Message::Work { .. } | Message::Watch { .. } => {
                let call = self.worker.work(&message, self.deadline());
                matches!(until_it_hangs(call).await, Some(Ok(_)))
            }
        };
        if !done {
            self.queue.send(&message, VISIBILITY_MS).await.unwrap();
        }
        true
    }

    /// Delivers messages until none are left: the job must be over then, with its report.
    pub(crate) async fn run(&self) -> Summary {
        for _ in 0..10_000 {
            if !self.deliver_next().await {
                let job = self
                    .store
                    .job(&self.id())
                    .await
                    .unwrap()
                    .expect("the job exists");
                assert!(job.status.is_terminal() && !job.outbox, "stuck: {job:?}");
                let text = self
                    .results
                    .get(&self.id(), SUMMARY_FILE)
                    .await
                    .unwrap()
                    .expect("a summary");
                return serde_json::from_slice(&text).unwrap();
            }
        }
        let job = self.store.job(&self.id()).await.unwrap();
        panic!(
            "the queue never ran empty: {job:?} {:?}",
            self.queue.sent().iter().rev().take(5).collect::<Vec<_>>()
        );
    }

    pub(crate) fn id(&self) -> JobId {
        self.object().job_id()
    }

    fn object(&self) -> SourceRef {
        self.object.lock().unwrap().clone()
    }

    /// From now on this fleet is asked about the attempt that redrives the newest, which is begun.
    pub(crate) async fn redrive(&self, what: Redriven) -> Result<Prepared, String> {
        let next = next_attempt(&*self.store, &self.id(), what)
            .await
            .unwrap()?;
        *self.object.lock().unwrap() = next;
        Ok(self.upload().await)
    }

    /// As after the days for which a spool is kept.
    pub(crate) fn parts_are_gone(&self) {
        let id = self.id();
        let cleared = self.spool.clear(&id);
        futures_util::FutureExt::now_or_never(cleared)
            .unwrap()
            .unwrap();
    }

    pub(crate) fn define(&self, definition: &str) {
        self.definitions.insert("people", definition);
    }

    pub(crate) fn forget_definition(&self) {
        self.definitions.remove("people");
    }

    /// The names of all results, in order.
    pub(crate) fn names(&self) -> Vec<String> {
        self.results.names(&self.id())
    }

    /// Writes a result, as an earlier attempt would have.
    pub(crate) fn leave(&self, name: &str, content: Vec<u8>) {
        let id = self.id();
        let put = self.results.put_once(&id, name, content.into());
        futures_util::FutureExt::now_or_never(put).unwrap().unwrap();
    }

    /// A result; empty where there is none.
    pub(crate) fn bytes(&self, name: &str) -> Vec<u8> {
        let id = self.id();
        let got = self.results.get(&id, name);
        let bytes = futures_util::FutureExt::now_or_never(got)
            .unwrap()
            .unwrap()
            .unwrap_or_default();
        bytes.to_vec()
    }

    /// The same, which is text.
    pub(crate) fn text(&self, name: &str) -> String {
        String::from_utf8(self.bytes(name)).unwrap()
    }

    pub(crate) fn rejects(&self) -> String {
        self.text(REJECTS_FILE)
    }

    /// Every delivered row, in the order of the file.
    pub(crate) fn delivered(&self) -> Vec<Value> {
        self.delivered_but(&[])
    }

    /// Every row in the destination that takes records one by one, in the order of the file.
    pub(crate) fn delivered_one_by_one(&self) -> Vec<Value> {
        let rows = self.sink.rows(&self.id());
        rows.values()
            .map(|row| serde_json::from_slice(row).unwrap())
            .collect()
    }

    /// The rows of rejects.csv: the record of each, and why. Those of rejects.jsonl are the same.
    pub(crate) fn reasons(&self) -> BTreeMap<u64, String> {
        let rejects = self.rejects();
        let mut reader = csv::ReaderBuilder::new()
            .flexible(true)
            .from_reader(rejects.as_bytes());
        let mut reasons = BTreeMap::new();
        for row in reader.records().map(Result::unwrap) {
            let record: u64 = row[row.len() - 4].parse().unwrap();
            let twice = reasons.insert(record, row[row.len() - 2].to_owned());
            assert_eq!(twice, None, "record {record} is rejected twice");
        }
        let objects = self.text(REJECTS_JSON_FILE);
        let objects = objects.lines().map(|line| {
            let object: Value = serde_json::from_str(line).unwrap();
            object["record"].as_u64().unwrap()
        });
        let told: Vec<u64> = objects.collect();
        let expected: Vec<u64> = reasons.keys().copied().collect();
        assert_eq!(told, expected, "rejects.jsonl is another");
        reasons
    }

    /// The rows of all parts but these.
    pub(crate) fn delivered_but(&self, uncounted: &[String]) -> Vec<Value> {
        let mut names: Vec<String> = self.results.names(&self.id());
        names.retain(|name| name.starts_with(OUTPUT_FOLDER) && !uncounted.contains(name));
        names.sort();
        let texts: Vec<String> = names.iter().map(|name| self.text(name)).collect();
        texts
            .iter()
            .flat_map(|text| text.lines())
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    pub(crate) fn assert_delivered(&self, summary: &Summary, expected: &Expected) {
        assert_eq!(self.delivered(), expected.accepted);
        let counts = &summary.counts;
        assert_eq!(
            (
                counts.records,
                counts.accepted,
                counts.rejected,
                counts.skipped
            ),
            (
                expected.records,
                expected.accepted.len() as u64,
                expected.rejected,
                expected.skipped
            )
        );
        assert_eq!(self.reasons().len() as u64, expected.rejected);
    }
}

/// Polls a call until it is done, or waits for nothing that will ever come: then it is dropped,
/// wherever it stands. Every port is ready at once, so what still waits after yielding hangs.
async fn until_it_hangs<T>(call: impl Future<Output = T>) -> Option<T> {
    let mut call = pin!(call);
    let mut idle_polls = 0;
    std::future::poll_fn(move |context| match call.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending if idle_polls > 2_000 => Poll::Ready(None),
        Poll::Pending => {
            idle_polls += 1;
            context.waker().wake_by_ref();
            Poll::Pending
        }
    })
    .await
}
