//! The deterministic simulator: the real use cases under a seeded clock, scheduler and faults.
//!
//! One seed is one run: its files, how their jobs are cut, the rate of every fault, and every choice
//! of the schedule come from it, and the same seed is the same run for ever.
//!
//! - [`Preparer`](batchfleet_core::prepare::Preparer), [`Worker`](batchfleet_core::work::Worker),
//!   [`Closer`](batchfleet_core::close::Closer) and [`Sweeper`](batchfleet_core::sweep::Sweeper) are
//!   the real ones. Simulated are their ports: `store` and `table`, `objects` and `bucket`,
//!   `messages`, the clock and the ids in `ports`.
//! - Each invocation of a Lambda is a future with a skewed clock of its own (`fleet`). Each call of a
//!   port is two waits around an atomic operation (`ports`); whatever is due next is chosen by time,
//!   then by the seed (`world`).
//! - Faults end after a bounded time. The run goes on until nothing is left to happen; then every
//!   promise is checked (`checks`) against what the table went through (`history`), and against what
//!   the generator of the file and the `csv` crate know of it (`files`).
//!
//! Why a scheduler of its own, rather than `madsim` or `turmoil`: those stand in for the network and
//! the runtime of Tokio, which nothing here uses; the core's only contact with the world are its
//! ports. An executor of 300 lines needs no dependency, controls every await point, and runs more
//! than a thousand seeds a second.
//!
//! A third of the seeds has files that must be decoded into the spool, a quarter a unique field, and a
//! quarter goes into a destination that takes records one by one (`destination`); all that is drawn apart,
//! too (`Options::plain`).
//!
//! What operators do is in `steering`. It is drawn apart from all the rest, so that the seeds of
//! defects that were found before there were operators still show them (`bugs`).

pub(crate) mod brief;
pub(crate) mod bucket;
pub(crate) mod bugs;
pub(crate) mod checks;
pub(crate) mod destination;
pub(crate) mod files;
mod fleet;
pub(crate) mod history;
mod logs;
mod messages;
mod objects;
mod ports;
mod process;
mod random;
pub(crate) mod record;
pub(crate) mod scenario;
pub(crate) mod steering;
mod store;
pub(crate) mod table;
mod torn;
mod trace;
mod world;

use batchfleet_core::batch::BatchStatus;
use batchfleet_core::invariants::Violation;
use batchfleet_core::job::{JobStatus, ReasonCode};

use self::checks::Evidence;
use self::fleet::Fleet;
use self::history::Change;
use self::random::Random;
use self::scenario::Scenario;
use self::table::Table;
use self::trace::Trace;
use self::world::State;

pub use self::bugs::{BUGS, Bug, FOUND, Found, MISJUDGED, Misjudged, SEEDS_PER_BUG_MAX, StoreBug};

/// How a seed is run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Keep the text of the trace, which takes a while.
    pub keeps_trace: bool,
    /// A bug to plant. Those of the core need the feature `mutations`.
    pub bug: Option<Bug>,
    /// Without operators: the run that the seed stood for before there were any.
    pub unsteered: bool,
    /// With every file as it is, no unique field, and parts as the output: the run that the seed stood for
    /// before there was anything else.
    pub plain: bool,
}

/// What became of a run.
#[derive(Clone, Debug)]
pub struct Run {
    /// Its seed.
    pub seed: u64,
    /// The first promise that did not hold.
    pub violation: Option<Violation>,
    /// A hash of everything that happened.
    pub hash: u64,
    /// What happened, where [`Options::keeps_trace`] asked for it.
    pub trace: Vec<String>,
    /// How much of it there was.
    pub tally: Tally,
}

/// What happened in one run, or in many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Invocations of functions.
    pub invocations: u64,
    /// Those that were killed.
    pub deaths: u64,
    /// Calls that failed, or whose response was lost, late or made twice.
    pub faults: u64,
    /// Jobs.
    pub jobs: u64,
    /// Rows of their files.
    pub rows: u64,
    /// Claims of batches whose lease had run out, or that were handed back.
    pub reclaims: u64,
    /// Batches given up after too many claims.
    pub given_up: u64,
    /// Plannings taken over from a preparer.
    pub takeovers: u64,
    /// Jobs that failed because their object was overwritten.
    pub overwritten: u64,
    /// Times that a job was paused.
    pub pauses: u64,
    /// Jobs that were aborted.
    pub aborts: u64,
    /// Attempts that redrove an earlier one.
    pub redrives: u64,
    /// Jobs whose file had to be decoded.
    pub decoded: u64,
    /// Jobs into a destination that takes records one by one.
    pub record_wise: u64,
    /// Parts that the summaries of aborted jobs name as not counted.
    pub uncounted: u64,
    /// The longest that a job took to end, in thousandths of its bound.
    pub bound_permille_max: u64,
}

impl Tally {
    /// Adds another run's.
    pub fn add(&mut self, other: &Self) {
        self.invocations += other.invocations;
        self.deaths += other.deaths;
        self.faults += other.faults;
        self.jobs += other.jobs;
        self.rows += other.rows;
        self.reclaims += other.reclaims;
        self.given_up += other.given_up;
        self.takeovers += other.takeovers;
        self.overwritten += other.overwritten;
        self.pauses += other.pauses;
        self.aborts += other.aborts;
        self.redrives += other.redrives;
        self.decoded += other.decoded;
        self.record_wise += other.record_wise;
        self.uncounted += other.uncounted;
        self.bound_permille_max = self.bound_permille_max.max(other.bound_permille_max);
    }
}

/// Runs a seed, and checks every promise.
#[must_use]
pub fn run(seed: u64, options: Options) -> Run {
    logs::listen();
    logs::drain(drop);
    batchfleet_core::mutation::plant(options.bug.and_then(|bug| bug.core));
    let mut random = Random::new(seed);
    let mut scenario = Scenario::draw(&mut random);
    if !options.unsteered {
        scenario = scenario.steered(seed);
    }
    if !options.plain {
        scenario = scenario.packed(seed).made_unique(seed).one_by_one(seed);
    }
    let table = Table::new(options.bug.and_then(|bug| bug.store));
    let mut trace = Trace::new(options.keeps_trace);
    trace.note(0, 0, "scenario", || format!("{scenario:?}"));
    let mut fleet = Fleet::new(State::new(scenario, random, trace, table));
    fleet.run();
    let mut violation = judge(&fleet, checks::check).err();
    if violation.is_none() && fleet.encore() {
        violation = judge(&fleet, checks::check_encore).err();
    }
    batchfleet_core::mutation::plant(None);
    let tally = judge(&fleet, tally);
    let state = &mut *fleet.world.lock();
    let trace = std::mem::replace(&mut state.trace, Trace::new(false));
    Run {
        seed,
        violation,
        hash: trace.hash(),
        trace: trace.into_lines(),
        tally,
    }
}

/// What something says of all that a run left.
fn judge<T>(fleet: &Fleet, judge: impl FnOnce(&Evidence<'_>) -> T) -> T {
    let state = &*fleet.world.lock();
    judge(&Evidence {
        scenario: &state.scenario,
        history: &state.history,
        table: &state.table,
        bucket: &state.bucket,
        rows: &state.rows,
    })
}

fn tally(evidence: &Evidence<'_>) -> Tally {
    let delays = checks::delays(evidence);
    let permille = delays
        .iter()
        .map(|(_, took, bound)| took.map_or(0, |took| took * 1_000 / bound));
    let rows = evidence
        .scenario
        .uploads
        .iter()
        .map(|upload| upload.file.rows.len() as u64);
    let (mut reclaims, mut given_up, mut takeovers) = (0, 0, 0);
    let (mut pauses, mut aborts) = (0, 0);
    for (_, change) in &evidence.history.changes {
        match change {
            Change::Batch { after, .. } if after.status == BatchStatus::Failed => given_up += 1,
            Change::Batch { step, before, .. } if *step == "claim" && before.fence > 0 => {
                reclaims += 1;
            }
            Change::Preparer { step, before, .. } if *step == "take" && before.fence > 0 => {
                takeovers += 1;
            }
            Change::Job {
                before: Some(before),
                after,
                ..
            } if before.status != after.status => match after.status {
                JobStatus::Paused => pauses += 1,
                JobStatus::Aborted => aborts += 1,
                _ => {}
            },
            _ => {}
        }
    }
    let failed = evidence.table.jobs.values();
    let failed = failed.filter_map(|record| record.job.reason.as_ref());
    let overwritten = failed.filter(|reason| reason.code == ReasonCode::SourceChanged);
    Tally {
        reclaims,
        given_up,
        takeovers,
        overwritten: overwritten.count() as u64,
        pauses,
        aborts,
        redrives: checks::redrives(evidence),
        decoded: checks::decoded(evidence),
        record_wise: checks::record_wise(evidence),
        uncounted: checks::uncounted_parts(evidence),
        invocations: evidence.history.invocations,
        deaths: evidence.history.deaths,
        faults: evidence.history.faults,
        jobs: evidence.table.jobs.len() as u64,
        rows: rows.sum(),
        bound_permille_max: permille.max().unwrap_or(0),
    }
}
