//! What a job has cost so far, roughly: the table's operations, counted from what is stored, by
//! their list price. Lambda, S3 and SQS are not included; nothing stored tells them.

use batchfleet_core::prepare::S3_WINDOW_BYTES;

use crate::look::{Look, Sums};

/// US dollars for a million write units, on demand, in us-east-1: the price since November 2024,
/// as of November 2026. <https://aws.amazon.com/dynamodb/pricing/on-demand/>
const USD_PER_MILLION_WRITES: f64 = 0.625;

/// US dollars for a million read units; the same source and date.
const USD_PER_MILLION_READS: f64 = 0.125;

/// Where and when those prices hold, for people.
pub(crate) const BASIS: &str = "DynamoDB on demand in us-east-1, without Lambda, S3 and SQS";

/// Write units of a job whatever its size: created in one transaction (3 items, 2 units each),
/// preparer's hold, layout, end of the planning (a transaction of 2), ending, report.
const WRITES_PER_JOB: u64 = 6 + 1 + 1 + 4 + 1 + 1;

/// Write units of a window of the planning: publication (a transaction of 2 items), checkpoint.
const WRITES_PER_WINDOW: u64 = 4 + 1;

/// Write units of a closed shard: a transaction of 2 items.
const WRITES_PER_CLOSE: u64 = 4;

/// Read units of one claim and its batch: looks at the job, its page, its share of the sweeps. As
/// metered on a local AWS: a million rows in 200 batches took 199 read and 536 write units, of which
/// the estimate finds 506.
const READS_PER_CLAIM: u64 = 1;

/// Tickets that a worker takes at once, at most.
const TICKETS_MAX: u32 = 8;

/// An estimate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Cost {
    pub(crate) write_units: u64,
    pub(crate) read_units: u64,
    pub(crate) usd: f64,
}

/// Estimates the cost of a job so far. Heartbeats and lost races are left out: a batch seldom has any.
pub(crate) fn estimate(look: &Look, sums: &Sums) -> Cost {
    let policy = &look.job.policy;
    let mut writes = WRITES_PER_JOB;
    let planned = look.shards.last().map_or(0, |view| view.shard.end);
    writes += WRITES_PER_WINDOW * planned.div_ceil(S3_WINDOW_BYTES);
    for view in &look.shards {
        writes += u64::from(view.shard.published.div_ceil(policy.page_batches));
        writes += ticket_calls(view.shard.published, view.shard.cursor, policy.workers_max);
        writes += WRITES_PER_CLOSE * u64::from(view.shard.closed);
    }
    // A retry's earlier claim was released, or died; the one is a write, and the likelier.
    writes += sums.claims + sums.retries + sums.over() + sums.cancelled;
    let end = look.job.finished_ms.unwrap_or(look.now_ms);
    writes += end.saturating_sub(look.job.created_ms) / policy.lease_ms.max(1);
    let reads = sums.claims * READS_PER_CLAIM;
    let usd = writes as f64 * USD_PER_MILLION_WRITES + reads as f64 * USD_PER_MILLION_READS;
    Cost {
        write_units: writes,
        read_units: reads,
        usd: usd / 1e6,
    }
}

/// The calls that took tickets up to `cursor`: blocks shrink towards the end of a shard.
fn ticket_calls(published: u32, cursor: u32, workers: u32) -> u64 {
    let (mut at, mut calls) = (0, 0);
    while at < cursor {
        let left = published.saturating_sub(at);
        at += (left / (2 * workers.max(1))).clamp(1, TICKETS_MAX);
        calls += 1;
    }
    calls
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_of_tickets_shrink_towards_the_end() {
        assert_eq!(ticket_calls(0, 0, 50), 0);
        assert_eq!(ticket_calls(40, 40, 50), 40, "one at a time");
        assert_eq!(ticket_calls(1_000, 8, 50), 1);
        let all = ticket_calls(1_000, 1_000, 50);
        assert!((300..450).contains(&all), "{all}");
    }
}
