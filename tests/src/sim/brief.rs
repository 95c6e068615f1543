//! The answers of calls as a line of the trace has them: what matters to a reader, in few words.

use std::fmt::Debug;

use batchfleet_core::batch::{BatchItem, Shard};
use batchfleet_core::checksum::FileSum;
use batchfleet_core::ids::JobId;
use batchfleet_core::job::Job;
use batchfleet_core::message::Message;
use batchfleet_core::plan::PlanPage;
use batchfleet_core::ports::{
    CancelOutcome, ClaimOutcome, CloseOutcome, CompleteOutcome, CreateOutcome, FinalizeOutcome,
    FoundDefinition, Held, LookupAnswer, PauseOutcome, PreparerOutcome, PutOutcome, RecordAnswer,
    ShardView, SinkAnswer, Snapshot, TicketOutcome,
};
use batchfleet_core::preparer::PreparerItem;
use batchfleet_core::watch::Watch;
use bytes::Bytes;

/// Says something in few words.
pub(crate) trait Brief {
    fn brief(&self) -> String;
}

macro_rules! as_they_are {
    ($($type:ty),+ $(,)?) => {
        $(impl Brief for $type {
            fn brief(&self) -> String {
                format!("{self:?}")
            }
        })+
    };
}

as_they_are!(
    (),
    u64,
    CancelOutcome,
    CloseOutcome,
    CompleteOutcome,
    CreateOutcome,
    FinalizeOutcome,
    FoundDefinition,
    Held,
    LookupAnswer,
    PauseOutcome,
    PreparerItem,
    PutOutcome,
    TicketOutcome,
    Watch,
);

impl<T: Brief> Brief for Option<T> {
    fn brief(&self) -> String {
        self.as_ref().map_or_else(|| "none".to_owned(), T::brief)
    }
}

impl<T: Brief> Brief for Vec<T> {
    fn brief(&self) -> String {
        let items: Vec<String> = self.iter().map(T::brief).collect();
        items.join("; ")
    }
}

impl Brief for JobId {
    fn brief(&self) -> String {
        self.as_str()[..4].to_owned()
    }
}

impl Brief for Bytes {
    fn brief(&self) -> String {
        format!("{} bytes", self.len())
    }
}

impl Brief for FileSum {
    fn brief(&self) -> String {
        format!("{} bytes", self.bytes)
    }
}

impl Brief for Job {
    fn brief(&self) -> String {
        let closed = self.shards_closed;
        let shards = self
            .plan
            .map_or("?".to_owned(), |plan| plan.shards.to_string());
        let outbox = if self.outbox { ", report owed" } else { "" };
        format!(
            "{:?}, {closed} of {shards} shards closed{outbox}",
            self.status
        )
    }
}

impl Brief for Snapshot {
    fn brief(&self) -> String {
        let layout = self.layout.as_ref();
        layout.map_or("no layout".to_owned(), |layout| {
            format!("data from {}", layout.data.offset)
        })
    }
}

impl Brief for Shard {
    fn brief(&self) -> String {
        let sealed = if self.sealed { ", sealed" } else { "" };
        let closed = if self.closed { ", closed" } else { "" };
        format!(
            "{} published, cursor {}{sealed}{closed}",
            self.published, self.cursor
        )
    }
}

impl Brief for BatchItem {
    fn brief(&self) -> String {
        format!(
            "{:?} fence {} until {}",
            self.status,
            self.fence,
            self.lease_until_ms % 10_000_000
        )
    }
}

/// Without the reasons, which quote the rows.
impl Brief for SinkAnswer {
    fn brief(&self) -> String {
        match self {
            Self::Accepted => "accepted".to_owned(),
            Self::Refused(_) => "refused".to_owned(),
            Self::Overloaded { retry_after_ms } => format!("overloaded, {retry_after_ms:?}"),
            Self::Each(answers) => {
                let answers = answers.iter().map(|answer| match answer {
                    RecordAnswer::Accepted => "accepted",
                    RecordAnswer::Refused(_) => "refused",
                    RecordAnswer::Overloaded => "left over",
                });
                answers.collect::<Vec<_>>().join(", ")
            }
        }
    }
}

impl Brief for ShardView {
    fn brief(&self) -> String {
        let items = self.batches.iter();
        let items: Vec<String> = items
            .map(|(slot, item)| format!("{slot}: {}", item.brief()))
            .collect();
        format!("{}: {}", self.shard.brief(), items.join("; "))
    }
}

impl Brief for PlanPage {
    fn brief(&self) -> String {
        let (Some(first), Some(last)) = (self.ranges.first(), self.ranges.last()) else {
            return "no batches".to_owned();
        };
        format!(
            "batches {}..={} in {}..{}",
            first.index, last.index, first.start, last.end
        )
    }
}

impl Brief for ClaimOutcome {
    fn brief(&self) -> String {
        match self {
            Self::Claimed(lease) => {
                format!("claimed, fence {} attempt {}", lease.fence, lease.attempt)
            }
            Self::HeldUntil(until_ms) => format!("held until {}", until_ms % 10_000_000),
            Self::Over => "over".to_owned(),
        }
    }
}

impl Brief for PreparerOutcome {
    fn brief(&self) -> String {
        match self {
            Self::Granted(hold, checkpoint) => {
                let from = checkpoint.map_or(0, |checkpoint| checkpoint.next_batch);
                format!("granted, fence {}, from batch {from}", hold.fence)
            }
            Self::HeldUntil(until_ms) => format!("held until {}", until_ms % 10_000_000),
            Self::NotPreparing(status) => format!("{status:?}"),
        }
    }
}

impl Brief for Message {
    fn brief(&self) -> String {
        match self {
            Self::Work { job, shard, seat } => {
                format!("work {} shard {shard} seat {seat}", job.brief())
            }
            Self::Watch { job, token } => format!("watch {} token {token}", job.brief()),
            Self::Prepare { source } => format!("prepare {}", source.job_id().brief()),
        }
    }
}

/// What an invocation came to, without the job that its line began with.
pub(crate) fn outcome(outcome: &dyn Debug) -> String {
    let text = format!("{outcome:?}");
    match text.split_once("JobId(") {
        Some((before, after)) => {
            let rest = after.split_once(')').map_or("", |(_, rest)| rest);
            format!("{before}{}{rest}", &after[..4])
        }
        None => text,
    }
}
