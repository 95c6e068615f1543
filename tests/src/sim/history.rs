//! What happened in a run, as the checks read it: typed, in order, complete.

use std::collections::{BTreeMap, BTreeSet};

use batchfleet_core::batch::{BatchItem, BatchKey, Shard};
use batchfleet_core::ids::JobId;
use batchfleet_core::job::Job;
use batchfleet_core::message::Message;
use batchfleet_core::plan::PlanPage;
use batchfleet_core::preparer::PreparerItem;
use batchfleet_core::source::SourceRef;
use batchfleet_core::work::Worked;
use bytes::Bytes;

use super::steering::{Command, Obeyed};
use super::world::ActorId;

/// Who did something, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct By {
    pub(crate) at_ms: u64,
    pub(crate) actor: ActorId,
}

/// A step of the protocol that changed the table.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    /// A batch, by `step`, under the fence that the caller named (where the step names one).
    Batch {
        step: &'static str,
        key: BatchKey,
        /// The fence of the caller's lease.
        fence: Option<u64>,
        /// The time by the caller's clock, where the step depends on it.
        caller_ms: Option<u64>,
        before: Box<BatchItem>,
        after: Box<BatchItem>,
    },
    /// A shard's own item; with it the batches of the shard, where it was closed.
    Shard {
        step: &'static str,
        job: JobId,
        number: u32,
        before: Shard,
        after: Shard,
        batches: BTreeMap<u32, BatchItem>,
    },
    /// A job; with it the sums of all its closed shards.
    Job {
        before: Option<Box<Job>>,
        after: Box<Job>,
        shards: Vec<Shard>,
    },
    /// A page of the plan.
    Page {
        job: JobId,
        shard: u32,
        page: u32,
        before: Option<PlanPage>,
        after: PlanPage,
    },
    /// The preparer's item, under the fence that the caller named.
    Preparer {
        step: &'static str,
        fence: Option<u64>,
        before: PreparerItem,
        after: PreparerItem,
    },
}

/// How an invocation of a worker ended by itself, and the batches of the job at that moment.
#[derive(Clone, Debug)]
pub(crate) struct Handled {
    pub(crate) message: Message,
    pub(crate) worked: Worked,
    /// When the invocation began.
    pub(crate) begun_ms: u64,
    /// How long the first batch of the job that is not over is still held, by the worker's clock; 0
    /// where it can be claimed at once. Of a message that was deferred, and a job in `PROCESSING`.
    pub(crate) next_claimable_in_ms: Option<u64>,
}

/// A read of an upload: what was asked for, and which version answered.
#[derive(Clone, Debug)]
pub(crate) struct Read {
    pub(crate) wanted: SourceRef,
    pub(crate) got: SourceRef,
}

/// How an open job stood when the faults ended, or when it was created after that.
#[derive(Clone, Debug)]
pub(crate) struct Standing {
    pub(crate) job: JobId,
    /// Its guard while it is planned, or its watch, is with an invocation, living or dead, or was with
    /// one that failed, and none waits: so perhaps nothing is left to go on with but the sweeper. A job
    /// that has none at all is not excused like this.
    pub(crate) is_lost: bool,
}

/// Everything that happened.
#[derive(Default)]
pub(crate) struct History {
    pub(crate) uploads: Vec<(u64, SourceRef)>,
    pub(crate) changes: Vec<(By, Change)>,
    /// Messages that were sent, however often they are delivered.
    pub(crate) sent: Vec<(By, Message)>,
    pub(crate) handled: Vec<(By, Handled)>,
    pub(crate) reads: Vec<(By, Read)>,
    /// Summaries as they were written.
    pub(crate) summaries: Vec<(By, JobId, Bytes)>,
    pub(crate) logs: Vec<String>,
    pub(crate) standing: Vec<Standing>,
    /// Commands of operators, as they were begun, and what came of those that ended by themselves.
    pub(crate) orders: Vec<(By, JobId, Command)>,
    pub(crate) obeyed: Vec<(By, JobId, Command, Obeyed)>,
    /// Invocations that met a fault: of a call, a freeze, or their death.
    pub(crate) disturbed: BTreeSet<ActorId>,
    /// Invocations, and how many of them died.
    pub(crate) invocations: u64,
    pub(crate) deaths: u64,
    /// Faults of calls.
    pub(crate) faults: u64,
}
