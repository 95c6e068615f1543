//! The planted bugs: each breaks the protocol in one place, and the checks must notice.
//!
//! Those of a use case are hooks in the core, compiled in with the feature `mutations` alone; those
//! of a store are in the simulated table and in front of it.

use batchfleet_core::mutation::Mutation;

/// A bug of a store, or of what stands before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreBug {
    /// A completion is taken whatever its fence.
    CompleteWithoutFence,
    /// A heartbeat extends whatever lease there is.
    HeartbeatWithoutFence,
    /// A claim does not raise the fence.
    ClaimKeepsFence,
    /// A checkpoint is taken whatever its fence.
    CheckpointWithoutFence,
    /// The shard is marked in one write, its sums are added in the next.
    CloseInTwoWrites,
    /// Closing a shard loses its sums.
    TornSums,
    /// The ending does not set the outbox mark.
    EndWithoutOutbox,
    /// An ending overwrites an earlier one.
    EndTwice,
    /// An older publication lowers what is published.
    PublishLowers,
    /// The cursor is raised without regard to what is published.
    TicketsPastPublished,
    /// Writing a page of the plan resets the state of its batches.
    PagesResetBatches,
    /// Reads do not ask for the pinned version.
    UnpinnedRead,
    /// The end of the planning overwrites an ending.
    PreparedRevives,
    /// Resuming overwrites an ending.
    ResumeRevives,
}

/// A planted bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bug {
    /// What it does wrong.
    pub name: &'static str,
    /// The hook in the core, if it is there.
    pub core: Option<Mutation>,
    /// The bug of the store, if it is there.
    pub store: Option<StoreBug>,
}

const fn core(name: &'static str, mutation: Mutation) -> Bug {
    Bug {
        name,
        core: Some(mutation),
        store: None,
    }
}

const fn store(name: &'static str, bug: StoreBug) -> Bug {
    Bug {
        name,
        core: None,
        store: Some(bug),
    }
}

/// Seeds within which every planted bug must be caught.
pub const SEEDS_PER_BUG_MAX: u64 = 10_000;

/// All that are planted on purpose.
pub const BUGS: [Bug; 48] = [
    store(
        "no fence check on completion",
        StoreBug::CompleteWithoutFence,
    ),
    store("heartbeat without fence", StoreBug::HeartbeatWithoutFence),
    store(
        "a claim does not raise the fence",
        StoreBug::ClaimKeepsFence,
    ),
    store("checkpoint without fence", StoreBug::CheckpointWithoutFence),
    core("sweep claims without expiry", Mutation::ClaimWithoutExpiry),
    store(
        "close a shard outside its transaction",
        StoreBug::CloseInTwoWrites,
    ),
    core("close an unsealed shard", Mutation::CloseUnsealed),
    core("finalize on one shard", Mutation::FinalizeOnOneShard),
    Bug {
        name: "finalize without the ledger check (after closings that lost their sums)",
        core: Some(Mutation::FinalizeUnchecked),
        store: Some(StoreBug::TornSums),
    },
    store("an ending overwrites an earlier one", StoreBug::EndTwice),
    store("close without outbox", StoreBug::EndWithoutOutbox),
    core(
        "clear the outbox before the report",
        Mutation::ClearOutboxFirst,
    ),
    core("acknowledge before commit", Mutation::CompleteFirst),
    core("drop instead of defer", Mutation::DropInsteadOfDefer),
    core("no watch message", Mutation::NoWatch),
    core("no guard message", Mutation::NoGuard),
    core(
        "job id without version and sequencer",
        Mutation::JobIdWithoutVersion,
    ),
    core(
        "resume from a checkpoint written before its batches",
        Mutation::CheckpointFirst,
    ),
    core(
        "deliver under a lost lease (a part's name has the fence in it)",
        Mutation::PartPerClaim,
    ),
    core(
        "reuse a name: give up a batch without taking its part's name",
        Mutation::GiveUpUnnamed,
    ),
    store("publish what is not monotonic", StoreBug::PublishLowers),
    store(
        "a ticket block past what is published",
        StoreBug::TicketsPastPublished,
    ),
    store(
        "a zombie preparer's pages reset their batches",
        StoreBug::PagesResetBatches,
    ),
    store("reads without the pinned version", StoreBug::UnpinnedRead),
    core("record values in a log line", Mutation::LoudLog),
    core("claim while paused", Mutation::ClaimWhilePaused),
    core(
        "no look at the job in the middle of a batch",
        Mutation::StopUnnoticed,
    ),
    core(
        "a paused job loses its watch, so that nothing wakes it once it is resumed",
        Mutation::PausedUnwatched,
    ),
    core(
        "report an abort while workers hold batches",
        Mutation::ReportUnquiet,
    ),
    core(
        "abort without raising the fences of its batches",
        Mutation::CancelKeepsFence,
    ),
    core(
        "a summary of an abort without the parts that are in no count",
        Mutation::UncountedUnnamed,
    ),
    core(
        "abort without taking the names of parts that may still be delivered",
        Mutation::CancelledNameFree,
    ),
    store(
        "the end of the planning overwrites an abort",
        StoreBug::PreparedRevives,
    ),
    store("a resume overwrites an abort", StoreBug::ResumeRevives),
    core(
        "redrive whole batches, not what they owe",
        Mutation::RedriveWholeBatches,
    ),
    core(
        "redrive by the attempt before alone, not by all of them",
        Mutation::RedriveForgetsChain,
    ),
    core(
        "publish batches before the part of the spool that they lie in",
        Mutation::SpoolLate,
    ),
    core(
        "plan again what lies before the checkpoint of a decoded text",
        Mutation::SpoolUnskipped,
    ),
    core("keep the spool of a job that is over", Mutation::SpoolKept),
    core(
        "publish batches before their duplicates are marked",
        Mutation::MarksLate,
    ),
    core(
        "take over the planning without the values seen before",
        Mutation::UniqueForgets,
    ),
    core(
        "complete a batch before its records are put",
        Mutation::CompleteUnput,
    ),
    core(
        "take a call without an answer for one that put all records",
        Mutation::UnansweredIsTaken,
    ),
    core(
        "reject a record that the destination left over",
        Mutation::LeftOverIsRefused,
    ),
    core(
        "rejects of the destination without the claim's fence in their name",
        Mutation::RefusedSameName,
    ),
    core(
        "look up rows again at each claim of their batch",
        Mutation::LookUpAgain,
    ),
    core(
        "a redrive looks up again what an attempt before it may have put",
        Mutation::RedriveLooksUpAgain,
    ),
    core(
        "a summary of an abort without the batches whose records may be in the destination",
        Mutation::BegunUnnamed,
    ),
];

/// A defect that the simulator found in the code as it was, mended since; its hook puts it back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// The defect.
    pub bug: Bug,
    /// A seed that shows it: the one that found it, or, since the code makes other calls now, another.
    pub seed: u64,
    /// Whether it does so without operators. A seed is kept as the run that it was when it was found.
    pub unsteered: bool,
    /// Whether it does so with plain files and parts as the output, for the same reason.
    pub plain: bool,
}

/// Of a run without operators.
const fn found_unsteered(seed: u64, name: &'static str, mutation: Mutation) -> Found {
    Found {
        unsteered: true,
        ..found_plain(seed, name, mutation)
    }
}

/// Of a run with plain files.
const fn found_plain(seed: u64, name: &'static str, mutation: Mutation) -> Found {
    Found {
        plain: true,
        ..found(seed, name, mutation)
    }
}

const fn found(seed: u64, name: &'static str, mutation: Mutation) -> Found {
    Found {
        bug: core(name, mutation),
        seed,
        unsteered: false,
        plain: false,
    }
}

/// A run that a check called wrong although every promise held; the check is mended since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Misjudged {
    /// Its seed.
    pub seed: u64,
    /// Whether it is the run without operators.
    pub unsteered: bool,
    /// Whether it is the run with plain files and parts as the output.
    pub plain: bool,
    /// What the check did not allow for.
    pub why: &'static str,
}

/// All that were found.
pub const FOUND: [Found; 11] = [
    found_unsteered(
        18,
        "rejects of a given-up batch under the name of a worked one's",
        Mutation::GiveUpSameName,
    ),
    found_unsteered(
        7_742,
        "a zombie's conflict fails its job",
        Mutation::ZombieConflict,
    ),
    found_unsteered(
        93,
        "wait for a lease after a sweep that passed over open shards",
        Mutation::WaitUnswept,
    ),
    found_unsteered(
        1_702,
        "the guard of a job without batches ends although its report is owed",
        Mutation::GuardEndsEarly,
    ),
    found_unsteered(
        125_620,
        "a layout that is kept late changes the report of a failed job",
        Mutation::ReportLateLayout,
    ),
    found(
        48_964,
        "the sweeper leaves a lost watch to the next minute",
        Mutation::SweepOneByOne,
    ),
    found_unsteered(
        82_786,
        "the preparer's hold runs out while it publishes one window",
        Mutation::HoldUnextended,
    ),
    found_plain(
        79,
        "a job that is paused while it is ended counts as over, and its messages are dropped",
        Mutation::PausedCountsAsOver,
    ),
    found(
        882,
        "batches are published into a job that is over, and worked after its report",
        Mutation::PublishIntoEnded,
    ),
    found(
        86_378,
        "a redrive claims long after its job was paused",
        Mutation::RedriveLooksEarly,
    ),
    found(
        6_268,
        "a throttle that arrives late changes a job that is over",
        Mutation::ThrottleEnded,
    ),
];

/// Seeds of runs that were right and that a check once called wrong.
pub const MISJUDGED: [Misjudged; 3] = [
    Misjudged {
        seed: 1_083_467,
        unsteered: true,
        plain: true,
        why: "a job was created after the faults, by a late write, with no guard left in a queue",
    },
    Misjudged {
        seed: 183_255,
        unsteered: false,
        plain: false,
        why: "a job was created after the faults, by a zombie, with no guard left in a queue",
    },
    Misjudged {
        seed: 2_234_579,
        unsteered: false,
        plain: false,
        why: "three preparers of 5 s met calls of nearly as much, and none got further",
    },
];
