//! Searching a scope, and what was found.

use std::fmt;
use std::thread;

use batchfleet_core::mutation::{self, Mutation};
use stateright::{Checker, HasDiscoveries, Model};

use super::{Action, Fleet, Scope, State};
use crate::sim::{BUGS, Bug, StoreBug};

const fn scope(is_planned: bool, faults: u8, returns: u8) -> Scope {
    Scope {
        is_planned,
        faults,
        returns,
    }
}

/// What `./dev model` searches.
pub const SCOPES: [Scope; 4] = [
    scope(false, 0, 0),
    scope(true, 0, 1),
    scope(true, 1, 0),
    scope(false, 1, 0),
];

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let begins = if self.is_planned {
            "from the finished plan"
        } else {
            "from the upload"
        };
        let (faults, returns) = (self.faults, self.returns);
        write!(
            f,
            "{begins}, up to {faults} faults and {returns} early returns"
        )
    }
}

/// What a search came to.
#[derive(Clone, Debug)]
pub struct Found {
    /// Different states.
    pub states: usize,
    /// Steps between them.
    pub steps: usize,
    /// The length of the longest run that was followed.
    pub depth: usize,
    /// A promise that is broken, and the run that breaks it.
    pub broken: Option<(&'static str, Vec<String>)>,
}

/// Searches all of a scope, or up to the first broken promise.
#[must_use]
pub fn search(scope: Scope, bug: Option<Bug>) -> Found {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let checker = Fleet::new(scope, bug)
        .checker()
        .threads(threads)
        .finish_when(HasDiscoveries::AnyFailures)
        .spawn_dfs()
        .join();
    let broken = checker.discoveries().into_iter().next();
    Found {
        states: checker.unique_state_count(),
        steps: checker.state_count(),
        depth: checker.max_depth(),
        broken: broken.map(|(promise, path)| (promise, told(checker.model(), path.into_vec()))),
    }
}

/// The run, line by line, and what it broke.
fn told(model: &Fleet, run: Vec<(State, Option<Action>)>) -> Vec<String> {
    let mut lines = Vec::new();
    for (state, action) in run {
        if let Some(action) = action {
            lines.extend(model.told(&state, action));
        } else if let Some(violation) = &state.violation {
            lines.push(violation.to_string());
        } else {
            lines.push("I6: nothing happens any more, and the job is open".to_owned());
        }
    }
    lines
}

/// A bug, and where the model must find it.
#[derive(Clone, Copy, Debug)]
pub struct Planted {
    /// The bug, one of the simulator's.
    pub bug: Bug,
    /// A small scope that shows it.
    pub scope: Scope,
}

/// The bugs that the model must find, as far as this build can plant them.
#[must_use]
pub fn planted() -> Vec<Planted> {
    let mut planted = Vec::new();
    for bug in BUGS {
        let is_possible = bug.core.is_none() || mutation::is_possible();
        if let Some(scope) = shows(&bug).filter(|_| is_possible) {
            planted.push(Planted { bug, scope });
        }
    }
    planted
}

/// Where a bug shows; `None` where it can't: the model has one upload, nobody gives a batch up, and
/// it asks that a job ends, not how soon.
fn shows(bug: &Bug) -> Option<Scope> {
    let by_store = bug.store.map(|bug| match bug {
        StoreBug::CompleteWithoutFence
        | StoreBug::HeartbeatWithoutFence
        | StoreBug::CloseInTwoWrites
        | StoreBug::EndTwice => Some(scope(true, 1, 0)),
        StoreBug::ClaimKeepsFence => Some(scope(true, 1, 0)),
        StoreBug::EndWithoutOutbox | StoreBug::TornSums => Some(scope(true, 0, 0)),
        StoreBug::TicketsPastPublished => Some(scope(false, 0, 0)),
        StoreBug::CheckpointWithoutFence
        | StoreBug::PublishLowers
        | StoreBug::PagesResetBatches => Some(scope(false, 1, 0)),
        StoreBug::UnpinnedRead | StoreBug::PreparedRevives | StoreBug::ResumeRevives => None,
    });
    by_store.unwrap_or_else(|| {
        Some(match bug.core? {
            Mutation::ClaimWithoutExpiry => scope(true, 0, 0),
            Mutation::CloseUnsealed | Mutation::FinalizeOnOneShard => scope(false, 0, 0),
            Mutation::ClearOutboxFirst | Mutation::CompleteFirst | Mutation::PartPerClaim => {
                scope(true, 1, 0)
            }
            Mutation::CheckpointFirst => scope(false, 1, 0),
            _ => return None,
        })
    })
}
