//! A process of a function, or of an operator's command: the real use cases over the simulated ports,
//! and an invocation as a future of it.

use std::pin::Pin;
use std::sync::Arc;

use batchfleet_core::PortResult;
use batchfleet_core::ids::JobId;
use batchfleet_core::message::Message;
use batchfleet_core::ports::Unobserved;
use batchfleet_core::prepare::{Prepared, Preparer};
use batchfleet_core::sweep::{Sweeper, Swept};
use batchfleet_core::work::{Pace, PlanCache, Worked, Worker};
use batchfleet_testing::MemorySpills;

use super::brief::{self, Brief};
use super::destination::Destinations;
use super::ports::Ports;
use super::scenario::Scenario;
use super::steering::{Obeyed, Operator, Order};
use super::world::World;

/// How an invocation ended by itself.
pub(crate) enum Done {
    Prepared(Prepared),
    Worked(Worked),
    Swept(Swept),
    Obeyed(Obeyed),
}

impl Brief for Done {
    fn brief(&self) -> String {
        match self {
            Self::Prepared(prepared) => brief::outcome(prepared),
            Self::Worked(worked) => brief::outcome(worked),
            Self::Swept(swept) => brief::outcome(swept),
            Self::Obeyed(obeyed) => brief::outcome(obeyed),
        }
    }
}

/// What an invocation is for.
#[derive(Clone)]
pub(crate) enum Task {
    /// This message, under its number.
    Message(u64, Message),
    /// A sweep of all jobs.
    Sweep,
    /// A command of an operator.
    Order(Order, JobId),
}

pub(crate) type Call = Pin<Box<dyn Future<Output = PortResult<Done>> + Send>>;

/// A process that serves invocations, one after the other; or one command.
pub(crate) struct Process {
    pub(crate) ports: Arc<Ports>,
    preparer: Preparer,
    worker: Worker,
    sweeper: Sweeper,
    operator: Operator,
}

impl Process {
    /// A new one, whose clock is off by `skew_ms`.
    pub(crate) fn new(world: &Arc<World>, scenario: &Scenario, skew_ms: i64) -> Self {
        let mut pace = Pace::default();
        let step = scenario.steering.step;
        pace.step_records = step.records.unwrap_or(pace.step_records);
        let ports = Arc::new(Ports::new(Arc::clone(world), skew_ms));
        let preparer = Preparer {
            store: ports.clone(),
            source: ports.clone(),
            spool: ports.clone(),
            definitions: ports.clone(),
            results: ports.clone(),
            queue: ports.clone(),
            clock: ports.clone(),
            ids: ports.clone(),
            policy: scenario.policy,
            batch_records: None,
            window_bytes: scenario.window_bytes,
            spills: Arc::new(MemorySpills::new()),
            // So little that most of what is seen is spilled.
            unique_memory_bytes: 0,
        };
        let destinations = Arc::new(Destinations(ports.clone()));
        let worker = Worker {
            store: ports.clone(),
            source: ports.clone(),
            spool: ports.clone(),
            results: ports.clone(),
            sinks: destinations.clone(),
            lookups: destinations,
            queue: ports.clone(),
            clock: ports.clone(),
            ids: ports.clone(),
            observer: Arc::new(Unobserved),
            pace,
            plans: PlanCache::default(),
        };
        let sweeper = Sweeper {
            store: ports.clone(),
            queue: ports.clone(),
            clock: ports.clone(),
        };
        let operator = Operator {
            store: ports.clone(),
            queue: ports.clone(),
            closer: preparer.closer(),
            clock: ports.clone(),
        };
        Self {
            ports,
            preparer,
            worker,
            sweeper,
            operator,
        }
    }
}

/// The future of an invocation; it owns all it needs, so that its process can be dropped with it.
pub(crate) fn call(process: &Arc<Process>, task: &Task, deadline_ms: u64) -> Call {
    let (process, task) = (Arc::clone(process), task.clone());
    Box::pin(async move {
        match task {
            Task::Sweep => process.sweeper.sweep().await.map(Done::Swept),
            Task::Message(_, Message::Prepare { source }) => {
                let prepared = process.preparer.prepare(&source, Some(deadline_ms)).await;
                prepared.map(Done::Prepared)
            }
            Task::Message(_, message) => {
                let worked = process.worker.work(&message, Some(deadline_ms)).await;
                worked.map(Done::Worked)
            }
            Task::Order(order, job) => {
                let obeyed = process.operator.obey(order.command, &job).await;
                obeyed.map(Done::Obeyed)
            }
        }
    })
}
