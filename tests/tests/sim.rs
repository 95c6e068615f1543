//! The simulator: it repeats itself, CI's seeds hold, and what it once found stays mended.
//!
//! `./dev sim --seed S` replays a seed with its trace; `docs/reliability.md` says what is simulated.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;

use batchfleet_core::mutation;
use batchfleet_tests::sim::{FOUND, Options, run};

/// Seeds of every run of the tests; `./dev sim --seeds N` runs as many as wanted.
const SEEDS: u64 = 2_000;

#[test]
fn a_seed_is_the_same_run_for_ever() {
    let traced = Options {
        keeps_trace: true,
        bug: None,
    };
    for seed in [0, 1, 7, 21, 55_937] {
        let (first, again) = (run(seed, traced), run(seed, traced));
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
                loop {
                    let seed = next.fetch_add(1, Relaxed);
                    if seed >= SEEDS {
                        break;
                    }
                    let violation = run(seed, Options::default()).violation;
                    assert_eq!(violation, None, "./dev sim --seed {seed}");
                }
            });
        }
    });
}

/// Each defect that a seed once showed is mended: the seed holds now. Where it can be put back, the
/// same seed shows it again.
#[test]
fn what_was_found_stays_mended() {
    for found in FOUND {
        let name = found.bug.name;
        let violation = run(found.seed, Options::default()).violation;
        assert_eq!(violation, None, "{name}");
        if mutation::is_possible() {
            let put_back = Options {
                keeps_trace: false,
                bug: Some(found.bug),
            };
            assert!(run(found.seed, put_back).violation.is_some(), "{name}");
        }
    }
}
