//! The watch: one message of a job that stays in the queue until the job is over.
//!
//! Each delivery puts the next one into the queue before it records that, and records it before it
//! works. So there is always one waiting, whatever is killed when; and should there ever be two, the
//! second finds a newer token recorded and ends.

use serde::{Deserialize, Serialize};

/// The newest watch of a job that was recorded: it is in the queue, or was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watch {
    /// Raised by every delivery.
    pub token: u64,
    /// When it is to be delivered (milliseconds since 1970).
    pub due_ms: u64,
}

impl Watch {
    /// Whether a watch with `token` is older than this one, and so has a successor.
    #[must_use]
    pub fn supersedes(&self, token: u64) -> bool {
        self.token > token
    }
}
