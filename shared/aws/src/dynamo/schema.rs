//! Every key, attribute name and condition of the DynamoDB store. Nothing else of this crate spells
//! one, and nothing here makes a call.
//!
//! # Items
//!
//! One table, key `pk` (partition) and `sk` (sort), both strings. Names are short because they are
//! stored, and billed, with every item. All items but `snapshot` and `layout` stay under 1 KB, so
//! that a write of one costs one write unit (a job whose object key is near S3's limit of 1,024
//! bytes costs two, once a shard).
//!
//! | `pk` | `sk` | attributes |
//! | --- | --- | --- |
//! | `J#<job>` | `job` | `st` status, `src` source, `def` name of the definition, `pol` policy, `cr` created, `tp` totals of the plan, `shs` shards of the plan, `sc` shards closed, `rec acc rej skp byt` sums of the closed shards, `fin` finished, `rsn` reason, `ob` outbox, `thr` throttle, `pau` paused since |
//! | `J#<job>` | `snapshot` | `txt` the definition's text |
//! | `J#<job>` | `layout` | `lay` dialect and header |
//! | `J#<job>` | `preparer` | `own` owner, `lu` lease until, `f` fence, `cp` checkpoint |
//! | `J#<job>` | `watch` | `tok` token, `due` when it is due |
//! | `J#<job>` | `tally#<owner>` | `rej` what that worker rejected; only where rejects are bounded |
//! | `OPEN` | `open#<job>` | nothing: the job is open, or owes its report |
//! | `S#<job>#<shard>` | `shard` | `pub` published, `cur` cursor, `sealed`, `closed`, `ss` start, `se` end, `tot` sums |
//! | `S#<job>#<shard>` | `plan#<page>` | `p` the ranges of 25 batches |
//! | `S#<job>#<shard>` | `batch#<slot>` | `st` status, `own` owner, `lu` lease until, `f` fence, `att` attempts, `c` completion |
//!
//! Shard, page and slot are written with six digits, so that the sort key sorts. Times are
//! milliseconds since 1970, except `expires_at`, which is DynamoDB's time to live in seconds.
//!
//! # Steps, their conditions, and what a crash after each leaves
//!
//! The numbers are those of the protocol in `batchfleet_core::ports`.
//!
//! 1. **create**: a transaction of three puts (job, snapshot, preparer), each only where there is no
//!    such item. After it: a job in `PREPARING` that nobody holds; the next event, or the message
//!    that the preparer sent before, takes it.
//! 2. **take preparer**: `lu <= :now`, on the preparer's item; sets owner and lease, `f + 1`. The
//!    job's status is read after it, so a grant is only given out for a job that was still
//!    `PREPARING` later than the hold began. After it: a lease that ends by itself.
//! 3. **layout**: put where there is none. **pages**: put, without a condition: a page is the same
//!    whoever writes it. After it: pages that nobody looks at until step 4.
//! 4. **publish**: a transaction: no shard item yet, or `sealed = false` and `pub <= :pub`, and the job
//!    is open, so that its report counts all there is. After it: workers claim; the next preparer
//!    writes the same pages and publishes the same again.
//! 5. **checkpoint**: `own` and `f` are the caller's. After it: planning goes on from there.
//! 6. **tickets**: `cur <= :room`, where `:room` is what the caller saw published, less the block.
//!    After it, and when a lost response makes the SDK repeat it: slots that no ticket leads to. The
//!    cursor is only a hint; the sweep finds them.
//! 7. **claim**: no item yet, or `PENDING`, or `LEASED` with `lu <= :now`; sets owner and lease,
//!    `f + 1`, `att + 1`. After it: a lease that ends by itself; the next claim raises the fence.
//! 8. **heartbeat, complete, release**: `LEASED`, and `own` and `f` are the caller's. Owner and
//!    fence stay on a completed batch: they tell a completion repeated after a lost response from a
//!    stranger's. After a completion: counted, once; the sweep sums it.
//! 9. **mark prepared**: a transaction: `own` and `f` of the preparer are the caller's, and the job
//!    is `PREPARING`. After it: whoever closes the last shard finalizes.
//! 10. **close shard**: a transaction: `sealed = true AND closed = false` on the shard, and the job
//!     is open; adds the sums to the job. After it: closed, once; whoever looks next finalizes.
//! 11. **finalize**: completion asks for `PROCESSING` and `sc = shs`, failure for any open status.
//!     Sets the outbox mark in the same write. After it: the mark says what is still owed.
//! 12. **cancel** (only of a job that ended early): the condition of step 7; sets `CANCELLED`, `f + 1`.
//!     After it: nobody claims or completes the batch. **clear outbox**: the job exists.
//!     The job's item under `OPEN` is deleted after it; the sweeper deletes one that was left behind.
//! 13. **pause, resume**: `PROCESSING` becomes `PAUSED`, with `pau`, or back; an ending takes `pau` away.
//! 14. **record watch**: no item yet, or `tok < :token`.
//!
//! 15. **tally**: a worker's own item, put without a condition.
//! 16. **throttle**: `thr` is what the caller saw, and the job is not over. After it: fewer workers run, for a while.
//!
//! A write whose condition is not met is answered with the item as it is
//! (`ReturnValuesOnConditionCheckFailure`), so losing costs no second read, and a write whose
//! response was lost, which the SDK repeats and which then fails its own condition, is recognized.
//!
//! # Expiry
//!
//! Every item has `expires_at`. When it is written it is set so far ahead (the setting's days and
//! [`OPEN_DAYS`] more) that nothing of an open job ever vanishes; the job's own item is set anew
//! when it ends. No lease or condition relies on it.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use batchfleet_core::batch::{BatchKey, BatchStatus, Lease, Publication, ShardTotals};
use batchfleet_core::ids::{JobId, OwnerId};
use batchfleet_core::job::{JobStatus, PreparerHold};
use batchfleet_core::watch::Watch;

/// An item, a key, or the values of an expression.
pub(super) type Item = HashMap<String, AttributeValue>;

/// How many days longer than an ended job's items an open job's stay.
pub(super) const OPEN_DAYS: u64 = 30;

pub(super) const PK: &str = "pk";
pub(super) const SK: &str = "sk";
pub(super) const EXPIRES: &str = "expires_at";

pub(super) const STATUS: &str = "st";
pub(super) const OWNER: &str = "own";
pub(super) const LEASE_UNTIL: &str = "lu";
pub(super) const FENCE: &str = "f";
pub(super) const ATTEMPTS: &str = "att";
pub(super) const COMPLETION: &str = "c";
pub(super) const CHECKPOINT: &str = "cp";

pub(super) const PUBLISHED: &str = "pub";
pub(super) const CURSOR: &str = "cur";
pub(super) const SEALED: &str = "sealed";
pub(super) const CLOSED: &str = "closed";
pub(super) const START: &str = "ss";
pub(super) const END: &str = "se";
pub(super) const TOTALS: &str = "tot";
pub(super) const PAGE: &str = "p";

pub(super) const SOURCE: &str = "src";
pub(super) const DEFINITION: &str = "def";
pub(super) const POLICY: &str = "pol";
pub(super) const CREATED: &str = "cr";
pub(super) const PLAN: &str = "tp";
pub(super) const SHARDS_CLOSED: &str = "sc";
pub(super) const RECORDS: &str = "rec";
pub(super) const ACCEPTED: &str = "acc";
pub(super) const REJECTED: &str = "rej";
pub(super) const SKIPPED: &str = "skp";
pub(super) const BYTES: &str = "byt";
pub(super) const FINISHED: &str = "fin";
pub(super) const REASON: &str = "rsn";
pub(super) const OUTBOX: &str = "ob";
pub(super) const THROTTLE: &str = "thr";
pub(super) const PAUSED: &str = "pau";
pub(super) const TOKEN: &str = "tok";
pub(super) const DUE: &str = "due";
pub(super) const TEXT: &str = "txt";
pub(super) const LAYOUT: &str = "lay";

/// The sort keys of a job's own partition.
pub(super) const JOB_SK: &str = "job";
pub(super) const SNAPSHOT_SK: &str = "snapshot";
pub(super) const LAYOUT_SK: &str = "layout";
pub(super) const PREPARER_SK: &str = "preparer";
pub(super) const WATCH_SK: &str = "watch";
pub(super) const TALLY_PREFIX: &str = "tally#";
/// The partition of open jobs: one small item for each, written and deleted once.
pub(super) const OPEN_PK: &str = "OPEN";
pub(super) const OPEN_PREFIX: &str = "open#";
/// The sort keys, or how they begin, of a shard's partition.
pub(super) const SHARD_SK: &str = "shard";
pub(super) const PAGE_PREFIX: &str = "plan#";
pub(super) const BATCH_PREFIX: &str = "batch#";

/// The key of one of a job's own items.
pub(super) fn job_key(job: &JobId, sk: &str) -> Item {
    key(job_pk(job), sk.to_owned())
}

/// The key of a job's item among the open ones.
pub(super) fn open_key(job: &JobId) -> Item {
    key(OPEN_PK.to_owned(), format!("{OPEN_PREFIX}{job}"))
}

/// Step 14.
pub(super) fn record_watch(job: &JobId, watch: &Watch, expires: u64) -> Change {
    Change {
        key: job_key(job, WATCH_SK),
        update: "SET tok = :token, due = :due, expires_at = :expires",
        condition: "attribute_not_exists(tok) OR tok < :token",
        values: values([
            (":token", n(watch.token)),
            (":due", n(watch.due_ms)),
            (":expires", n(expires)),
        ]),
    }
}

/// Step 16.
pub(super) fn set_throttle(job: &JobId, seen: Option<String>, throttle: String) -> Change {
    let condition = match seen {
        Some(_) => "st IN (:preparing, :processing, :paused) AND thr = :seen",
        None => "st IN (:preparing, :processing, :paused) AND attribute_not_exists(thr)",
    };
    let mut all = open();
    all.extend(values([(":throttle", s(throttle))]));
    all.extend(seen.map(|seen| (":seen".to_owned(), s(seen))));
    Change {
        key: job_key(job, JOB_SK),
        update: "SET thr = :throttle",
        condition,
        values: all,
    }
}

/// The partition of a job's own items.
pub(super) fn job_pk(job: &JobId) -> String {
    format!("J#{job}")
}

/// The key of a shard's own item.
pub(super) fn shard_key(job: &JobId, shard: u32) -> Item {
    key(shard_pk(job, shard), SHARD_SK.to_owned())
}

/// The key of a page of the plan.
pub(super) fn page_key(job: &JobId, shard: u32, page: u32) -> Item {
    key(shard_pk(job, shard), format!("{PAGE_PREFIX}{page:06}"))
}

/// The key of a batch.
pub(super) fn batch_key(batch: &BatchKey) -> Item {
    key(
        shard_pk(&batch.job, batch.shard),
        format!("{BATCH_PREFIX}{:06}", batch.slot),
    )
}

/// The partition key of a shard.
pub(super) fn shard_pk(job: &JobId, shard: u32) -> String {
    format!("S#{job}#{shard:06}")
}

/// The slot that a batch's sort key names.
pub(super) fn slot_of(sk: &str) -> Option<u32> {
    sk.strip_prefix(BATCH_PREFIX)?.parse().ok()
}

fn key(pk: String, sk: String) -> Item {
    Item::from([
        (PK.to_owned(), AttributeValue::S(pk)),
        (SK.to_owned(), AttributeValue::S(sk)),
    ])
}

/// A number attribute. Numbers travel as text: all 64 bits of them arrive.
pub(super) fn n(number: impl Into<u64>) -> AttributeValue {
    AttributeValue::N(number.into().to_string())
}

/// A string attribute.
pub(super) fn s(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

/// Only where there is no such item.
pub(super) const ABSENT: &str = "attribute_not_exists(pk)";

/// All items of a partition whose sort key begins so.
pub(super) const IN_PARTITION: &str = "pk = :pk AND begins_with(sk, :prefix)";

/// The values of [`IN_PARTITION`].
pub(super) fn in_partition(pk: String, prefix: &str) -> Item {
    values([(":pk", s(pk)), (":prefix", s(prefix))])
}

/// One conditional change of one item.
pub(super) struct Change {
    pub(super) key: Item,
    /// Empty where the condition alone is checked, within a transaction.
    pub(super) update: &'static str,
    pub(super) condition: &'static str,
    pub(super) values: Item,
}

fn values<const N: usize>(pairs: [(&str, AttributeValue); N]) -> Item {
    pairs
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

fn status(of: JobStatus) -> AttributeValue {
    s(of.as_str())
}

fn batch_status(of: BatchStatus) -> AttributeValue {
    s(of.as_str())
}

/// Step 2.
pub(super) fn take_preparer(job: &JobId, owner: &OwnerId, now_ms: u64, until_ms: u64) -> Change {
    Change {
        key: job_key(job, PREPARER_SK),
        update: "SET own = :own, lu = :until ADD f :one",
        condition: "lu <= :now",
        values: values([
            (":own", s(owner.as_str())),
            (":until", n(until_ms)),
            (":now", n(now_ms)),
            (":one", n(1u64)),
        ]),
    }
}

/// Step 4, first half: the job is not over.
pub(super) fn is_open(job: &JobId) -> Change {
    Change {
        key: job_key(job, JOB_SK),
        update: "",
        condition: OPEN,
        values: open(),
    }
}

/// Step 4, second half.
pub(super) fn publish(job: &JobId, shard: u32, publication: &Publication, expires: u64) -> Change {
    Change {
        key: shard_key(job, shard),
        update: "SET pub = :pub, ss = :start, se = :end, sealed = :sealed, \
                 cur = if_not_exists(cur, :zero), closed = if_not_exists(closed, :no), \
                 expires_at = if_not_exists(expires_at, :expires)",
        condition: "attribute_not_exists(pub) OR (sealed = :no AND pub <= :pub)",
        values: values([
            (":pub", n(publication.published)),
            (":start", n(publication.start)),
            (":end", n(publication.end)),
            (":sealed", AttributeValue::Bool(publication.sealed)),
            (":zero", n(0u64)),
            (":no", AttributeValue::Bool(false)),
            (":expires", n(expires)),
        ]),
    }
}

/// Step 5.
pub(super) fn checkpoint(hold: &PreparerHold, checkpoint: String, until_ms: u64) -> Change {
    Change {
        key: job_key(&hold.job, PREPARER_SK),
        update: "SET cp = :cp, lu = :until",
        condition: "own = :own AND f = :fence",
        values: values([
            (":cp", s(checkpoint)),
            (":until", n(until_ms)),
            (":own", s(hold.owner.as_str())),
            (":fence", n(hold.fence)),
        ]),
    }
}

/// Step 6.
pub(super) fn take_tickets(job: &JobId, shard: u32, count: u32, room: u32) -> Change {
    Change {
        key: shard_key(job, shard),
        update: "ADD cur :count",
        condition: "cur <= :room",
        values: values([(":count", n(count)), (":room", n(room))]),
    }
}

/// Steps 7 and 12: the condition that nobody holds a batch that is not over.
const CLAIMABLE: &str =
    "attribute_not_exists(st) OR st = :pending OR (st = :leased AND lu <= :now)";

/// Step 7.
pub(super) fn claim(
    batch: &BatchKey,
    owner: &OwnerId,
    now_ms: u64,
    until_ms: u64,
    expires: u64,
) -> Change {
    Change {
        key: batch_key(batch),
        update: "SET st = :leased, own = :own, lu = :until, \
                 expires_at = if_not_exists(expires_at, :expires) ADD f :one, att :one",
        condition: CLAIMABLE,
        values: values([
            (":leased", batch_status(BatchStatus::Leased)),
            (":pending", batch_status(BatchStatus::Pending)),
            (":own", s(owner.as_str())),
            (":until", n(until_ms)),
            (":now", n(now_ms)),
            (":one", n(1u64)),
            (":expires", n(expires)),
        ]),
    }
}

/// Step 12: a batch of a job that ended early is taken out of it.
pub(super) fn cancel(batch: &BatchKey, now_ms: u64, expires: u64) -> Change {
    Change {
        key: batch_key(batch),
        update: "SET st = :cancelled, lu = :none, att = if_not_exists(att, :none), \
                 expires_at = if_not_exists(expires_at, :expires) ADD f :one",
        condition: CLAIMABLE,
        values: values([
            (":cancelled", batch_status(BatchStatus::Cancelled)),
            (":leased", batch_status(BatchStatus::Leased)),
            (":pending", batch_status(BatchStatus::Pending)),
            (":now", n(now_ms)),
            (":none", n(0u64)),
            (":one", n(1u64)),
            (":expires", n(expires)),
        ]),
    }
}

/// Step 8: the condition that a lease is the one in force.
const HELD: &str = "st = :leased AND own = :own AND f = :fence";

/// Step 8: a change under a lease, with the values of [`HELD`] beside its own.
fn under<const N: usize>(
    lease: &Lease,
    update: &'static str,
    own: [(&str, AttributeValue); N],
) -> Change {
    let mut all = values([
        (":leased", batch_status(BatchStatus::Leased)),
        (":own", s(lease.owner.as_str())),
        (":fence", n(lease.fence)),
    ]);
    all.extend(values(own));
    Change {
        key: batch_key(&lease.key),
        update,
        condition: HELD,
        values: all,
    }
}

/// Step 8.
pub(super) fn heartbeat(lease: &Lease, until_ms: u64) -> Change {
    under(lease, "SET lu = :until", [(":until", n(until_ms))])
}

/// Step 8.
pub(super) fn complete(lease: &Lease, failed: bool, completion: String) -> Change {
    let over = if failed {
        BatchStatus::Failed
    } else {
        BatchStatus::Done
    };
    under(
        lease,
        "SET st = :over, lu = :zero, c = :completion",
        [
            (":over", batch_status(over)),
            (":zero", n(0u64)),
            (":completion", s(completion)),
        ],
    )
}

/// Step 8.
pub(super) fn release(lease: &Lease) -> Change {
    under(
        lease,
        "SET st = :pending, lu = :zero REMOVE own ADD att :less",
        [
            (":pending", batch_status(BatchStatus::Pending)),
            (":zero", n(0u64)),
            (":less", AttributeValue::N("-1".to_owned())),
        ],
    )
}

/// Step 9, first half: the preparer's hold is in force.
pub(super) fn holds_preparer(hold: &PreparerHold) -> Change {
    Change {
        key: job_key(&hold.job, PREPARER_SK),
        update: "",
        condition: "own = :own AND f = :fence",
        values: values([(":own", s(hold.owner.as_str())), (":fence", n(hold.fence))]),
    }
}

/// Step 9, second half.
pub(super) fn mark_prepared(job: &JobId, plan: String, shards: u32) -> Change {
    Change {
        key: job_key(job, JOB_SK),
        update: "SET st = :processing, tp = :plan, shs = :shards",
        condition: "st = :preparing",
        values: values([
            (":processing", status(JobStatus::Processing)),
            (":preparing", status(JobStatus::Preparing)),
            (":plan", s(plan)),
            (":shards", n(shards)),
        ]),
    }
}

/// Step 10, first half.
pub(super) fn close_shard(job: &JobId, shard: u32, totals: String) -> Change {
    Change {
        key: shard_key(job, shard),
        update: "SET closed = :yes, tot = :totals",
        condition: "sealed = :yes AND closed = :no",
        values: values([
            (":yes", AttributeValue::Bool(true)),
            (":no", AttributeValue::Bool(false)),
            (":totals", s(totals)),
        ]),
    }
}

/// Steps 10 and 11: the condition that a job is not over.
const OPEN: &str = "st IN (:preparing, :processing, :paused)";

/// The values of [`OPEN`].
fn open() -> Item {
    values([
        (":preparing", status(JobStatus::Preparing)),
        (":processing", status(JobStatus::Processing)),
        (":paused", status(JobStatus::Paused)),
    ])
}

/// Step 10, second half.
pub(super) fn add_shard(job: &JobId, totals: &ShardTotals) -> Change {
    let mut all = open();
    all.extend(values([
        (":one", n(1u64)),
        (":records", n(totals.counts.records)),
        (":accepted", n(totals.counts.accepted)),
        (":rejected", n(totals.counts.rejected)),
        (":skipped", n(totals.counts.skipped)),
        (":bytes", n(totals.bytes)),
    ]));
    Change {
        key: job_key(job, JOB_SK),
        update: "ADD sc :one, rec :records, acc :accepted, rej :rejected, skp :skipped, byt :bytes",
        condition: OPEN,
        values: all,
    }
}

/// Step 11: the job completed.
pub(super) fn finalize_completed(job: &JobId, finished_ms: u64, expires: u64) -> Change {
    Change {
        key: job_key(job, JOB_SK),
        update: "SET st = :completed, fin = :finished, ob = :yes, expires_at = :expires",
        condition: "st = :processing AND sc = shs",
        values: values([
            (":completed", status(JobStatus::Completed)),
            (":processing", status(JobStatus::Processing)),
            (":finished", n(finished_ms)),
            (":yes", AttributeValue::Bool(true)),
            (":expires", n(expires)),
        ]),
    }
}

/// Step 11: an operator ended the job.
pub(super) fn finalize_aborted(job: &JobId, finished_ms: u64, expires: u64) -> Change {
    let mut all = open();
    all.extend(values([
        (":aborted", status(JobStatus::Aborted)),
        (":finished", n(finished_ms)),
        (":yes", AttributeValue::Bool(true)),
        (":expires", n(expires)),
    ]));
    Change {
        key: job_key(job, JOB_SK),
        update: "SET st = :aborted, fin = :finished, ob = :yes, expires_at = :expires REMOVE pau",
        condition: OPEN,
        values: all,
    }
}

/// Step 13.
pub(super) fn pause(job: &JobId, now_ms: u64) -> Change {
    Change {
        key: job_key(job, JOB_SK),
        update: "SET st = :paused, pau = :now",
        condition: "st = :processing",
        values: values([
            (":paused", status(JobStatus::Paused)),
            (":processing", status(JobStatus::Processing)),
            (":now", n(now_ms)),
        ]),
    }
}

/// Step 13, undone.
pub(super) fn resume(job: &JobId) -> Change {
    Change {
        key: job_key(job, JOB_SK),
        update: "SET st = :processing REMOVE pau",
        condition: "st = :paused",
        values: values([
            (":paused", status(JobStatus::Paused)),
            (":processing", status(JobStatus::Processing)),
        ]),
    }
}

/// Step 11: the job failed.
pub(super) fn finalize_failed(
    job: &JobId,
    reason: String,
    finished_ms: u64,
    expires: u64,
) -> Change {
    let mut all = open();
    all.extend(values([
        (":failed", status(JobStatus::Failed)),
        (":reason", s(reason)),
        (":finished", n(finished_ms)),
        (":yes", AttributeValue::Bool(true)),
        (":expires", n(expires)),
    ]));
    Change {
        key: job_key(job, JOB_SK),
        update: "SET st = :failed, rsn = :reason, fin = :finished, ob = :yes, \
                 expires_at = :expires REMOVE pau",
        condition: OPEN,
        values: all,
    }
}

/// Step 12.
pub(super) fn clear_outbox(job: &JobId) -> Change {
    Change {
        key: job_key(job, JOB_SK),
        update: "REMOVE ob",
        condition: "attribute_exists(pk)",
        values: Item::new(),
    }
}
