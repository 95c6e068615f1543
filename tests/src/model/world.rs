//! What the invocations share: the clock, the table and the buckets of the simulator, the queue.
//!
//! A world is a value: a step copies it and changes the copy. It must not know of invocations.

use std::fmt::{Debug, Write};
use std::hash::{DefaultHasher, Hasher};

use batchfleet_core::batch::{BatchItem, BatchStatus};
use batchfleet_core::ids::OwnerId;
use batchfleet_core::job::Policy;
use batchfleet_core::message::Message;
use batchfleet_core::source::SourceRef;
use serde_json::json;

use crate::sim::bucket::Bucket;
use crate::sim::bugs::StoreBug;
use crate::sim::files::{File, Place, Told};
use crate::sim::record::Record;
use crate::sim::table::Table;

/// When a run begins, in milliseconds since 1970.
pub(super) const EPOCH_MS: u64 = 1_000_000;

/// How long a lease lasts.
pub(super) const LEASE_MS: u64 = 3_000;

/// What passes when all wait: the guard waits the longest, half a second more than a lease.
const WAIT_MS: u64 = LEASE_MS + 1_000;

/// The sweeper's period and patience, and more than a queue hides a message.
const MINUTES_MS: u64 = 300_000;

/// The object's key: its definition is `people`.
const KEY: &str = "incoming/people/three.csv";

/// Three rows of one line each, so three batches.
const TEXT: &str = "id,name,age\n1,Ann,11\n2,Bob,old\n3,Cleo,33\n";

/// How the job is cut: a batch a row, two batches in the first shard and one in the second.
pub(super) const POLICY: Policy = Policy {
    batch_records_max: 1,
    batch_bytes_max: 1 << 20,
    shard_batches: 2,
    page_batches: 1,
    lease_ms: LEASE_MS,
    attempts_max: 5,
    workers_max: 2,
    tolerated: None,
};

/// Bytes that the preparer reads at once: it publishes in several windows.
pub(super) const WINDOW_BYTES: u64 = 22;

/// Where a message is that nobody has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// It may be received.
    Ready,
    /// It was sent with a delay of up to a lease.
    Delayed,
    /// Whoever received it died, so the queue hides it for long.
    Hidden,
}

/// A message that nobody has.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    pub(super) message: Message,
    pub(super) stage: Stage,
}

/// All that is shared.
#[derive(Clone)]
pub(super) struct World {
    pub(super) now_ms: u64,
    pub(super) table: Table,
    pub(super) bucket: Bucket,
    pub(super) queue: Vec<Stored>,
    pub(super) source: SourceRef,
}

impl World {
    /// The object is put, and its event is on its way.
    pub(super) fn new(bug: Option<StoreBug>) -> Self {
        let mut bucket = Bucket::new(true);
        let source = bucket.upload(KEY, TEXT.into());
        let mut world = Self {
            now_ms: EPOCH_MS,
            table: Table::new(bug),
            bucket,
            queue: Vec::new(),
            source,
        };
        let source = world.source.clone();
        world.send(Message::Prepare { source }, Stage::Ready);
        world
    }

    /// The job's record; `None` before it is created.
    pub(super) fn record(&self) -> Option<&Record> {
        self.table.jobs.values().next()
    }

    /// Whether the job is over and its report written.
    pub(super) fn is_done(&self) -> bool {
        self.record()
            .is_some_and(|record| record.job.status.is_terminal() && !record.job.outbox)
    }

    pub(super) fn send(&mut self, message: Message, stage: Stage) {
        self.queue.push(Stored { message, stage });
    }

    /// Whether a message of this stage is there.
    pub(super) fn has(&self, stage: Stage) -> bool {
        self.queue.iter().any(|stored| stored.stage == stage)
    }

    fn readies(&mut self, stage: Stage) {
        for stored in &mut self.queue {
            if stored.stage == stage {
                stored.stage = Stage::Ready;
            }
        }
    }

    /// A lease passes, and with it every delay.
    pub(super) fn pass_lease(&mut self) {
        self.now_ms += WAIT_MS;
        self.readies(Stage::Delayed);
    }

    /// The visibility timeout passes.
    pub(super) fn pass_minutes(&mut self) {
        self.now_ms += MINUTES_MS;
        self.readies(Stage::Delayed);
        self.readies(Stage::Hidden);
    }

    /// The batches whose lease is in force, with their holders.
    pub(super) fn leased(&self) -> Vec<((u32, u32), OwnerId)> {
        let batches = self.record().into_iter().flat_map(|record| &record.batches);
        let leased = batches.filter(|(_, item)| {
            item.status == BatchStatus::Leased && item.lease_until_ms > self.now_ms
        });
        leased
            .filter_map(|(place, item)| Some((*place, item.owner.clone()?)))
            .collect()
    }

    /// The lease of a batch ends now, whatever its holder does.
    pub(super) fn expire(&mut self, place: (u32, u32)) {
        for record in self.table.jobs.values_mut() {
            if let Some(item) = record.batches.get_mut(&place) {
                item.lease_until_ms = 0;
            }
        }
    }

    /// Who holds what, or held it last: the planning, then the batches.
    pub(super) fn holders(&self) -> Vec<Option<&OwnerId>> {
        let Some(record) = self.record() else {
            return Vec::new();
        };
        let batches = record.batches.values().map(|item| item.owner.as_ref());
        let preparer = record.preparer.owner.as_ref();
        std::iter::once(preparer).chain(batches).collect()
    }

    /// Stands for all that can differ between two worlds of one model, but for
    /// [`holders`](Self::holders).
    pub(super) fn digest(&self) -> u64 {
        let mut digest = Digest::default();
        digest.add(&self.now_ms);
        if let Some(record) = self.record() {
            // By name, so that nothing new is left out.
            let Record {
                job,
                snapshot,
                preparer,
                watch,
                tallies,
                shards,
                pages,
                batches,
            } = record;
            let has_layout = snapshot.layout.is_some();
            digest.add(&(job, has_layout, watch, tallies, shards, pages.len()));
            digest.add(&(preparer.fence, preparer.lease_until_ms, preparer.checkpoint));
            for (place, item) in batches {
                digest.add(&(place, but_its_owner(item)));
            }
        }
        for ((_, name), content) in &self.bucket.results {
            digest.add(&(name, content));
        }
        // In any order: a queue has none.
        let messages = self.queue.iter();
        let messages =
            messages.map(|stored| Digest::of(&(but_its_seat(&stored.message), stored.stage)));
        digest.finish() ^ messages.fold(0, u64::wrapping_add)
    }
}

/// All of a batch's state but who it is that holds it.
pub(super) fn but_its_owner(item: &BatchItem) -> BatchItem {
    BatchItem {
        owner: None,
        ..item.clone()
    }
}

/// All of a message but its seat, which counts for a job that is throttled alone: none is here.
pub(super) fn but_its_seat(message: &Message) -> Message {
    match message {
        Message::Work { job, shard, .. } => Message::Work {
            job: job.clone(),
            shard: *shard,
            seat: 0,
        },
        Message::Watch { .. } | Message::Prepare { .. } => message.clone(),
    }
}

/// A hash of what `Debug` shows, which is all of a plain value.
#[derive(Default)]
pub(super) struct Digest(DefaultHasher);

impl Digest {
    pub(super) fn add(&mut self, value: &dyn Debug) {
        // Writing into a hasher can't fail.
        let _ = write!(self, "{value:?};");
    }

    pub(super) fn of(value: &dyn Debug) -> u64 {
        let mut digest = Self::default();
        digest.add(value);
        digest.finish()
    }

    pub(super) fn finish(&self) -> u64 {
        self.0.finish()
    }
}

impl Write for Digest {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.0.write(text.as_bytes());
        Ok(())
    }
}

/// The file, and what is true of it: said by hand, apart from the code under test.
pub(super) fn file() -> File {
    let mut places = Vec::new();
    let mut byte = TEXT.find('\n').map_or(0, |end| end + 1);
    for (line, text) in (2..).zip(TEXT[byte..].split_inclusive('\n')) {
        places.push(Place {
            byte: byte as u64,
            line,
        });
        byte += text.len();
    }
    places.push(Place {
        byte: TEXT.len() as u64,
        line: 5,
    });
    File {
        text: TEXT.to_owned(),
        places,
        rows: vec![
            Told::Accepted(json!({"id": 1, "name": "Ann", "age": 11})),
            Told::Rejected,
            Told::Accepted(json!({"id": 3, "name": "Cleo", "age": 33})),
        ],
        has_header: true,
        packed: None,
    }
}

/// The object's key.
pub(super) fn key() -> String {
    KEY.to_owned()
}
