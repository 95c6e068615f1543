//! I2: at any fence at most one worker holds a batch, and nothing happens under an older one.

use std::collections::BTreeMap;

use batchfleet_core::batch::{BatchItem, BatchStatus};

use super::super::history::{Change, History};
use super::{Verdict, violated};

/// I2 for every change of a batch.
pub(super) fn one_owner(history: &History) -> Verdict {
    let mut overs: BTreeMap<(String, u32, u32), u32> = BTreeMap::new();
    for (by, change) in &history.changes {
        let Change::Batch {
            step,
            key,
            fence,
            caller_ms,
            before,
            after,
        } = change
        else {
            continue;
        };
        let place = format!("batch {}/{} by #{}", key.shard, key.slot, by.actor);
        let detail = |what: &str| format!("{place}: {step} {what}: {before:?} became {after:?}");
        let may_change = match *step {
            "claim" | "cancel" => {
                is_free(before, caller_ms.unwrap_or(0)) && after.fence > before.fence
            }
            "heartbeat" | "release" | "complete" => {
                before.status == BatchStatus::Leased && *fence == Some(before.fence)
            }
            _ => false,
        };
        if !may_change {
            return violated("I2", detail("changed what it may not"));
        }
        if after.fence < before.fence {
            return violated("I2", detail("lowered the fence"));
        }
        if after.status.is_over() {
            let count = overs
                .entry((key.job.to_string(), key.shard, key.slot))
                .or_default();
            *count += 1;
            if *count > 1 {
                return violated("I2", detail("ended the batch again"));
            }
        }
    }
    Ok(())
}

/// Whether nobody holds it at that time: said here once more, apart from the code under test.
fn is_free(item: &BatchItem, now_ms: u64) -> bool {
    item.status == BatchStatus::Pending
        || (item.status == BatchStatus::Leased && item.lease_until_ms <= now_ms)
}

/// I2 for the planning: a checkpoint counts under the fence in force alone.
pub(super) fn one_preparer(history: &History) -> Verdict {
    for (by, change) in &history.changes {
        let Change::Preparer {
            step,
            fence,
            before,
            after,
        } = change
        else {
            continue;
        };
        let is_allowed = match *step {
            "take" => after.fence == before.fence + 1,
            _ => *fence == Some(before.fence) && after.fence == before.fence,
        };
        if !is_allowed {
            let actor = by.actor;
            return violated(
                "I2",
                format!(
                    "the preparer #{actor}: {step} under {fence:?}: {before:?} became {after:?}"
                ),
            );
        }
    }
    Ok(())
}
