//! Planted bugs: proof that the simulator would notice if the protocol were broken in one place.
//!
//! A hook asks `on`, which is always `false` unless the crate is built with the feature
//! `mutations`, as `./dev sim --mutations` does. Nothing that is deployed has that feature.

/// A bug that can be planted in a use case or a decision of this crate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutation {
    /// A batch can be claimed although its lease has not ended.
    ClaimWithoutExpiry,
    /// A shard is closed although more of it may be published.
    CloseUnsealed,
    /// A job counts as balanced once one shard is closed.
    FinalizeOnOneShard,
    /// A job is completed without looking at its ledger.
    FinalizeUnchecked,
    /// The outbox mark is cleared before the report is written.
    ClearOutboxFirst,
    /// A batch is completed before its part is delivered.
    CompleteFirst,
    /// A worker that finds nothing to claim drops its message.
    DropInsteadOfDefer,
    /// No watch is left in the queue.
    NoWatch,
    /// No guard is left in the queue.
    NoGuard,
    /// A job's id depends on bucket and key alone.
    JobIdWithoutVersion,
    /// A checkpoint is written before the batches that lie before it.
    CheckpointFirst,
    /// The name of a part has the claim's fence in it.
    PartPerClaim,
    /// A batch is given up without taking the name of its part.
    GiveUpUnnamed,
    /// A log line quotes what was read.
    LoudLog,
    /// Batches of a paused job are claimed.
    ClaimWhilePaused,
    /// A worker does not look whether its job was paused or ended while it works on a batch.
    StopUnnoticed,
    /// The watch of a paused job leaves no successor.
    PausedUnwatched,
    /// The report of a job that ended early does not wait for those that still hold batches.
    ReportUnquiet,
    /// A batch is cancelled without raising its fence.
    CancelKeepsFence,
    /// A delivered part of a cancelled batch is not named in the summary.
    UncountedUnnamed,
    /// The names of the parts of cancelled batches are left free.
    CancelledNameFree,
    /// Rejects of a batch that was given up have the name of those of a worked one. Found by the
    /// simulator.
    GiveUpSameName,
    /// A worker whose part's name was taken fails the job although it lost its lease. Found by the
    /// simulator.
    ZombieConflict,
    /// A worker waits for a lease after a sweep that passed over open shards. Found by the simulator.
    WaitUnswept,
    /// The guard of a job without batches ends although its report is owed. Found by the simulator.
    GuardEndsEarly,
    /// The sweeper wakes the preparer of a job and leaves its lost watch to the next minute. Found by
    /// the simulator.
    SweepOneByOne,
    /// The preparer's hold runs out while it publishes one window. Found by the simulator.
    HoldUnextended,
    /// A layout that is kept late changes the report of a failed job. Found by the simulator.
    ReportLateLayout,
    /// A job that is paused while it is ended counts as over, and so its messages are dropped. Found by
    /// the simulator.
    PausedCountsAsOver,
    /// Batches are published into a job that is over. Found by the simulator.
    PublishIntoEnded,
    /// A redrive does not look whether its job was paused after it read what a batch owes. Found by the
    /// simulator.
    RedriveLooksEarly,
    /// A throttle that arrives late changes a job that is over. Found by the simulator.
    ThrottleEnded,
    /// A redrive works on every record of a batch that owes any.
    RedriveWholeBatches,
    /// A redrive looks at the attempt before alone, as if that had worked on everything.
    RedriveForgetsChain,
    /// Batches of a decoded text are published before the part that they lie in is written.
    SpoolLate,
    /// Whoever takes over the planning of a decoded text plans again what lies before the checkpoint.
    SpoolUnskipped,
    /// The spool stays when its job is over.
    SpoolKept,
    /// A batch is published before its marks are written.
    MarksLate,
    /// Whoever takes over the planning does not go through what was published before.
    UniqueForgets,
    /// A batch is completed before its records are put into a destination that takes them one by one.
    CompleteUnput,
    /// A call of the destination without an answer counts as one that took all records.
    UnansweredIsTaken,
    /// A record that the destination left over counts as refused.
    LeftOverIsRefused,
    /// Rejects that the destination made have the name of those that follow from the batch's bytes.
    RefusedSameName,
    /// What a table said of a batch's rows is not kept: each claim asks again.
    LookUpAgain,
    /// A redrive asks again for rows that an attempt before it may have delivered.
    RedriveLooksUpAgain,
    /// The summary of a job that ended early does not name the batches of which records may be in the
    /// destination.
    BegunUnnamed,
}

#[cfg(feature = "mutations")]
mod planted {
    use std::cell::Cell;

    thread_local! {
        pub(super) static PLANTED: Cell<Option<super::Mutation>> = const { Cell::new(None) };
    }
}

/// Plants a bug for this thread, in place of any other; `None` plants none. Does nothing without the
/// feature.
pub fn plant(mutation: Option<Mutation>) {
    #[cfg(feature = "mutations")]
    planted::PLANTED.set(mutation);
    #[cfg(not(feature = "mutations"))]
    let _ = mutation;
}

/// Whether bugs can be planted in this build.
#[must_use]
pub const fn is_possible() -> bool {
    cfg!(feature = "mutations")
}

/// The name of a part, as [`Mutation::PartPerClaim`] would have it.
pub(crate) fn per_claim(name: String, fence: u64) -> String {
    if on(Mutation::PartPerClaim) {
        format!("{name}.{fence}")
    } else {
        name
    }
}

/// Whether this bug is planted.
#[inline]
#[must_use]
pub(crate) fn on(mutation: Mutation) -> bool {
    #[cfg(feature = "mutations")]
    return planted::PLANTED.get() == Some(mutation);
    #[cfg(not(feature = "mutations"))]
    {
        let _ = mutation;
        false
    }
}
