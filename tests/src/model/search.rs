//! Searching a scope, and what was found.

use std::fmt;
use std::thread;

use batchfleet_core::mutation::{self, Mutation};
use stateright::{Checker, HasDiscoveries, Model};

use super::{Action, Fault, Fleet, MEMORY, Scope, State};
use crate::sim::{BUGS, Bug, StoreBug};

/// From the finished plan, which is the smaller space, or from the upload.
const fn scope(is_planned: bool, faults: u8, only: Option<Fault>) -> Scope {
    Scope {
        is_planned,
        faults,
        only,
        returns: 0,
    }
}

/// What `./dev model` searches.
pub const SCOPES: [Scope; 4] = [
    scope(true, 0, None),
    Scope {
        returns: 1,
        ..scope(true, 0, None)
    },
    scope(false, 0, None),
    scope(true, 1, None),
];

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let begins = if self.is_planned { "plan" } else { "upload" };
        write!(f, "from the {begins}, {} faults", self.faults)?;
        if let Some(only) = self.only {
            write!(f, " ({only:?})")?;
        }
        if self.returns > 0 {
            write!(f, ", {} early returns", self.returns)?;
        }
        Ok(())
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

impl Found {
    /// Whether the code broke a promise, and not the model its own.
    #[must_use]
    pub fn is_caught(&self) -> bool {
        let broken = self.broken.as_ref();
        broken.is_some_and(|(promise, _)| *promise != MEMORY)
    }
}

/// Searches all of a scope, or up to the first broken promise.
#[must_use]
pub fn search(scope: Scope, bug: Option<Bug>) -> Found {
    // A bug is found soon; alone, a thread finds it by the same run every time.
    let threads = match bug {
        Some(_) => 1,
        None => thread::available_parallelism().map_or(1, usize::from),
    };
    let checker = Fleet::new(scope, bug)
        .checker()
        .threads(threads)
        .finish_when(HasDiscoveries::AnyFailures)
        .spawn_dfs()
        .join();
    let broken = checker.discoveries().into_iter();
    let broken = broken.map(|(promise, path)| (promise, path.into_vec()));
    let shortest = broken.min_by_key(|(promise, run)| (run.len(), *promise));
    Found {
        states: checker.unique_state_count(),
        steps: checker.state_count(),
        depth: checker.max_depth(),
        broken: shortest.map(|(promise, run)| (promise, told(checker.model(), run))),
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

/// Where a bug shows; `None` where it can't, or only in a scope that takes long to search. The model
/// has one upload and no operator, nobody gives a batch up, a heartbeat changes nothing while time
/// stands still, a job must end, but not soon; and what shows while two preparers are at it, or two
/// workers at an open shard, shows late.
fn shows(bug: &Bug) -> Option<Scope> {
    let (freeze, crash) = (Some(Fault::Freeze), Some(Fault::Crash));
    if let Some(bug) = bug.store {
        return match bug {
            StoreBug::CloseInTwoWrites
            | StoreBug::EndWithoutOutbox
            | StoreBug::TornSums
            | StoreBug::EndTwice => Some(scope(true, 0, None)),
            StoreBug::CompleteWithoutFence | StoreBug::ClaimKeepsFence => {
                Some(scope(true, 1, freeze))
            }
            StoreBug::HeartbeatWithoutFence
            | StoreBug::CheckpointWithoutFence
            | StoreBug::TicketsPastPublished
            | StoreBug::PublishLowers
            | StoreBug::PagesResetBatches
            | StoreBug::UnpinnedRead
            | StoreBug::PreparedRevives
            | StoreBug::ResumeRevives => None,
        };
    }
    match bug.core? {
        Mutation::ClaimWithoutExpiry | Mutation::FinalizeOnOneShard => Some(scope(true, 0, None)),
        Mutation::CloseUnsealed => Some(scope(false, 0, None)),
        Mutation::ClearOutboxFirst | Mutation::CompleteFirst => Some(scope(true, 1, crash)),
        Mutation::PartPerClaim => Some(scope(true, 1, freeze)),
        _ => None,
    }
}
