//! Where a job stands, and the one description of how that changes.

use serde::{Deserialize, Serialize};

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum JobStatus {
    /// The preparer is still writing the plan; workers already run on what is published.
    Preparing,
    /// The plan is complete; batches remain.
    Processing,
    /// An operator stopped claiming; nothing is lost.
    Paused,
    /// Every batch is accounted for.
    Completed,
    /// The job ended early, with a reason.
    Failed,
    /// An operator ended the job.
    Aborted,
}

/// What can happen to a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobEvent {
    /// The preparer published its last batch.
    Prepared,
    /// Every shard is closed and the ledger holds.
    Balanced,
    /// Something ended the job for good.
    Failed,
    /// An operator paused it.
    Paused,
    /// An operator resumed it.
    Resumed,
    /// An operator aborted it.
    Aborted,
}

impl JobStatus {
    /// The one description of a job's life: where `event` leads, or `None` where it changes nothing.
    #[must_use]
    pub fn after(self, event: JobEvent) -> Option<Self> {
        match (self, event) {
            (Self::Preparing, JobEvent::Prepared) | (Self::Paused, JobEvent::Resumed) => {
                Some(Self::Processing)
            }
            (Self::Processing, JobEvent::Balanced) => Some(Self::Completed),
            (Self::Processing, JobEvent::Paused) => Some(Self::Paused),
            (Self::Preparing | Self::Processing | Self::Paused, JobEvent::Failed) => {
                Some(Self::Failed)
            }
            (Self::Preparing | Self::Processing | Self::Paused, JobEvent::Aborted) => {
                Some(Self::Aborted)
            }
            (_, _) => None,
        }
    }

    /// Whether the job is over.
    #[must_use]
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Aborted)
    }

    /// The stored and printed name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Preparing => "PREPARING",
            Self::Processing => "PROCESSING",
            Self::Paused => "PAUSED",
            Self::Completed => "COMPLETED",
            Self::Failed => "FAILED",
            Self::Aborted => "ABORTED",
        }
    }

    /// Reads a stored name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [
            Self::Preparing,
            Self::Processing,
            Self::Paused,
            Self::Completed,
            Self::Failed,
            Self::Aborted,
        ]
        .into_iter()
        .find(|status| status.as_str() == text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_status_is_never_left() {
        for status in [JobStatus::Completed, JobStatus::Failed, JobStatus::Aborted] {
            assert!(status.is_terminal());
            for event in [
                JobEvent::Prepared,
                JobEvent::Balanced,
                JobEvent::Failed,
                JobEvent::Paused,
                JobEvent::Resumed,
                JobEvent::Aborted,
            ] {
                assert_eq!(status.after(event), None);
            }
        }
    }

    #[test]
    fn only_a_planned_job_completes() {
        assert_eq!(JobStatus::Preparing.after(JobEvent::Balanced), None);
        assert_eq!(JobStatus::Paused.after(JobEvent::Balanced), None);
        assert_eq!(
            JobStatus::Processing.after(JobEvent::Balanced),
            Some(JobStatus::Completed)
        );
    }
}
