//! `sim --seeds N [--from S]` runs N seeds of the simulator, `sim --seed S` replays one with its
//! trace, `sim --mutations` proves that planted bugs are caught. `--planted BUG` plants the one whose
//! name begins so. `./dev sim` builds and runs it.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command speaks"
)]

use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::Instant;

use batchfleet_core::mutation;
use batchfleet_tests::sim::{self, BUGS, Bug, FOUND, Options, Run, SEEDS_PER_BUG_MAX, Tally};

const USAGE: &str = "usage: sim --seeds N [--from S] | --seed S | --mutations [--from S]; with --seeds or --seed: [--planted BUG] [--unsteered] [--plain]";

/// Violations that are printed with their traces.
const TRACES_MAX: usize = 3;

/// What the command line asks for.
#[derive(Default)]
struct Wish {
    seeds: Option<u64>,
    seed: Option<u64>,
    from: u64,
    mutations: bool,
    bug: Option<Bug>,
    unsteered: bool,
    plain: bool,
}

fn main() -> ExitCode {
    let wish = Wish::read(std::env::args().skip(1));
    let needs_hooks = |wish: &Wish| wish.mutations || wish.bug.is_some();
    match wish {
        Some(wish) if needs_hooks(&wish) && !mutation::is_possible() => {
            eprintln!("sim: this build has no hooks for bugs: build with --features mutations");
            ExitCode::from(2)
        }
        Some(Wish {
            mutations: true,
            from,
            ..
        }) => mutations(from),
        Some(Wish {
            seed: Some(seed),
            bug,
            unsteered,
            plain,
            ..
        }) => replay(seed, options(bug, unsteered, plain)),
        Some(Wish {
            seeds: Some(seeds),
            from,
            bug,
            unsteered,
            plain,
            ..
        }) => campaign(from, seeds, options(bug, unsteered, plain)),
        _ => {
            eprintln!("{USAGE}");
            ExitCode::from(2)
        }
    }
}

impl Wish {
    fn read(mut words: impl Iterator<Item = String>) -> Option<Self> {
        let mut wish = Self::default();
        while let Some(word) = words.next() {
            match word.as_str() {
                "--seeds" => wish.seeds = Some(number(&words.next()?)?),
                "--seed" => wish.seed = Some(number(&words.next()?)?),
                "--from" => wish.from = number(&words.next()?)?,
                "--planted" => wish.bug = Some(bug(&words.next()?)?),
                "--mutations" => wish.mutations = true,
                "--unsteered" => wish.unsteered = true,
                "--plain" => wish.plain = true,
                _ => return None,
            }
        }
        Some(wish)
    }
}

fn number(text: &str) -> Option<u64> {
    text.replace('_', "").parse().ok()
}

fn bug(name: &str) -> Option<Bug> {
    let mut all = BUGS.into_iter().chain(FOUND.map(|found| found.bug));
    all.find(|bug| bug.name.starts_with(name))
}

fn options(bug: Option<Bug>, unsteered: bool, plain: bool) -> Options {
    Options {
        keeps_trace: false,
        bug,
        unsteered,
        plain,
    }
}

fn exit(is_well: bool) -> ExitCode {
    if is_well {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Runs seeds `from..from + count` on every core.
#[expect(
    clippy::disallowed_methods,
    reason = "how fast it was is measured on the real clock"
)]
fn campaign(from: u64, count: u64, options: Options) -> ExitCode {
    let begun = Instant::now();
    let (tally, violations) = run_all(from, count, options);
    let seconds = begun.elapsed().as_secs_f64();
    for seed in violations.iter().take(TRACES_MAX) {
        print_run(&traced(*seed, options));
    }
    let rest = violations.iter().skip(TRACES_MAX).take(20);
    let rest: Vec<String> = rest.map(u64::to_string).collect();
    if !rest.is_empty() {
        println!("violated as well, among others: seeds {}", rest.join(", "));
    }
    println!(
        "{} jobs of {} rows; {} invocations, {} of them killed; {} calls disturbed",
        tally.jobs, tally.rows, tally.invocations, tally.deaths, tally.faults
    );
    println!(
        "{} batches claimed again, {} given up; {} plannings taken over; {} objects overwritten under their job",
        tally.reclaims, tally.given_up, tally.takeovers, tally.overwritten
    );
    println!(
        "{} jobs of files to be decoded, {} delivered record by record; {} pauses, {} aborts, {} redrives; {} parts of aborted jobs not counted",
        tally.decoded,
        tally.record_wise,
        tally.pauses,
        tally.aborts,
        tally.redrives,
        tally.uncounted
    );
    println!(
        "the slowest job took {:.0} % of its bound; {:.0} seeds/s",
        tally.bound_permille_max as f64 / 10.0,
        count as f64 / seconds
    );
    println!("{count} seeds, {} violations", violations.len());
    exit(violations.is_empty())
}

/// What the seeds came to, and those that violated a promise, in order.
fn run_all(from: u64, count: u64, options: Options) -> (Tally, Vec<u64>) {
    let next = AtomicU64::new(from);
    let found = Mutex::new((Tally::default(), Vec::new()));
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                let mut tally = Tally::default();
                let mut violations = Vec::new();
                loop {
                    let seed = next.fetch_add(1, Relaxed);
                    if seed >= from + count {
                        break;
                    }
                    let run = sim::run(seed, options);
                    tally.add(&run.tally);
                    violations.extend(run.violation.map(|_| seed));
                }
                if let Ok(mut found) = found.lock() {
                    found.0.add(&tally);
                    found.1.append(&mut violations);
                }
            });
        }
    });
    let (tally, mut violations) = found.into_inner().unwrap_or_default();
    violations.sort_unstable();
    (tally, violations)
}

fn traced(seed: u64, options: Options) -> Run {
    let options = Options {
        keeps_trace: true,
        ..options
    };
    sim::run(seed, options)
}

fn replay(seed: u64, options: Options) -> ExitCode {
    let run = traced(seed, options);
    print_run(&run);
    exit(run.violation.is_none())
}

fn print_run(run: &Run) {
    for line in &run.trace {
        println!("{line}");
    }
    match &run.violation {
        Some(violation) => println!("seed {}: VIOLATED {violation}", run.seed),
        None => println!("seed {}: every promise held", run.seed),
    }
    println!("trace hash {:016x}", run.hash);
}

/// Plants each bug by itself, and runs seeds until it is caught; then puts each defect back that was
/// once found, and runs its seed.
fn mutations(from: u64) -> ExitCode {
    println!("| planted bug | caught by | seeds needed | what was found |");
    println!("| --- | --- | --- | --- |");
    let mut escaped = 0;
    for bug in BUGS {
        if let Some((seeds, run)) = catch(options(Some(bug), false, false), from, SEEDS_PER_BUG_MAX)
        {
            println!("| {} | {} |", bug.name, columns(&run, seeds));
        } else {
            escaped += 1;
            println!("| {} | nothing | over {SEEDS_PER_BUG_MAX} | |", bug.name);
        }
    }
    println!();
    println!("| defect put back | caught by | at seed | what was found |");
    println!("| --- | --- | --- | --- |");
    for found in FOUND {
        let put_back = options(Some(found.bug), found.unsteered, found.plain);
        if let Some((_, run)) = catch(put_back, found.seed, 1) {
            println!("| {} | {} |", found.bug.name, columns(&run, found.seed));
        } else {
            escaped += 1;
            println!("| {} | nothing | {} | |", found.bug.name, found.seed);
        }
    }
    println!();
    let planted = BUGS.len() + FOUND.len();
    println!("{planted} bugs, {escaped} escaped");
    exit(escaped == 0)
}

/// How many seeds it takes to catch a bug, and the run that does.
fn catch(options: Options, from: u64, seeds: u64) -> Option<(u64, Run)> {
    (0..seeds).find_map(|tried| {
        let run = sim::run(from + tried, options);
        run.violation.is_some().then_some((tried + 1, run))
    })
}

/// The columns of the table behind the bug's name.
fn columns(run: &Run, number: u64) -> String {
    const CHARS_MAX: usize = 90;
    let Some(violation) = &run.violation else {
        return String::new();
    };
    let mut short: String = violation.detail.chars().take(CHARS_MAX).collect();
    if short.len() < violation.detail.len() {
        short.push('…');
    }
    let short = short.replace(['|', '\n'], " ");
    format!("{} | {number} | {short}", violation.promise)
}
