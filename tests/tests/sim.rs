//! The simulator: it repeats itself, CI's seeds hold, and what it once found stays mended.
//!
//! `./dev sim --seed S` replays a seed with its trace; `docs/reliability.md` says what is simulated.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;

use batchfleet_tests::sim::{BUGS, Options, run};

/// Seeds of every run of the tests; `./dev sim --seeds N` runs as many as wanted.
const SEEDS: u64 = 2_000;

const TRACED: Options = Options {
    keeps_trace: true,
    bug: None,
};

#[test]
fn a_seed_is_the_same_run_for_ever() {
    for seed in [0, 1, 7, 21, 5_224] {
        let (first, again) = (run(seed, TRACED), run(seed, TRACED));
        assert!(first.trace.len() > 20, "seed {seed} has a trace");
        assert_eq!(first.trace, again.trace, "seed {seed}");
        assert_eq!(first.hash, again.hash, "seed {seed}");
        let untraced = run(seed, Options::default());
        assert_eq!(untraced.hash, first.hash, "looking changes nothing");
        assert_ne!(run(seed + 1, Options::default()).hash, first.hash);
    }
}

#[test]
fn every_promise_holds_under_every_seed() {
    let next = AtomicU64::new(0);
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(seed) = Some(next.fetch_add(1, Relaxed)).filter(|seed| *seed < SEEDS)
                {
                    let violation = run(seed, Options::default()).violation;
                    assert_eq!(violation, None, "./dev sim --seed {seed}");
                }
            });
        }
    });
}

/// Seeds that violated a promise when they were first run. Each names the planted bug that brings
/// its defect back; with the feature `mutations` it must still be found there.
const FOUND: [(u64, &str); 0] = [];

#[test]
fn what_was_found_stays_mended() {
    for (seed, defect) in FOUND {
        let name = format!("found: {defect}");
        let bug = BUGS.iter().find(|bug| bug.name == name).copied();
        assert!(bug.is_some(), "no planted bug brings back: {defect}");
        assert_eq!(run(seed, Options::default()).violation, None, "{defect}");
        if batchfleet_core::mutation::is_possible() {
            let options = Options {
                bug,
                ..Options::default()
            };
            assert!(run(seed, options).violation.is_some(), "{defect}");
        }
    }
}
