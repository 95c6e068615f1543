//! The simulator: it repeats itself, CI's seeds hold, and what it once found stays mended.
//!
//! `./dev sim --seed S` replays a seed with its trace; `docs/reliability.md` says what is simulated.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;

use batchfleet_core::mutation;
#[cfg(feature = "mutations")]
use batchfleet_tests::sim::{BUGS, SEEDS_PER_BUG_MAX};
use batchfleet_tests::sim::{FOUND, MISJUDGED, Options, Tally, run};

/// Seeds of every run of the tests; `./dev sim --seeds N` runs as many as wanted.
const SEEDS: u64 = 2_000;

#[test]
fn a_seed_is_the_same_run_for_ever() {
    let traced = Options {
        keeps_trace: true,
        ..Options::default()
    };
    for seed in [0, 1, 7, 21, 79, 8_105, 55_937] {
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
    let tally = Mutex::new(Tally::default());
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Relaxed);
                    if seed >= SEEDS {
                        break;
                    }
                    let run = run(seed, Options::default());
                    assert_eq!(run.violation, None, "./dev sim --seed {seed}");
                    tally.lock().unwrap().add(&run.tally);
                }
            });
        }
    });
    // Nothing was promised of what did not happen.
    let tally = tally.into_inner().unwrap();
    for (what, count) in [
        ("deaths", tally.deaths),
        ("faults", tally.faults),
        ("reclaims", tally.reclaims),
        ("batches given up", tally.given_up),
        ("takeovers", tally.takeovers),
        ("overwritten objects", tally.overwritten),
        ("pauses", tally.pauses),
        ("aborts", tally.aborts),
        ("redrives", tally.redrives),
        ("decoded files", tally.decoded),
        ("record-wise jobs", tally.record_wise),
        ("uncounted parts", tally.uncounted),
    ] {
        assert!(count > 0, "no {what} in {SEEDS} seeds");
    }
}

/// Each defect that a seed once showed is mended: the seed holds now. Where it can be put back, the
/// same seed shows it again.
#[test]
fn what_was_found_stays_mended() {
    for found in FOUND {
        let name = found.bug.name;
        let mended = Options {
            unsteered: found.unsteered,
            plain: found.plain,
            ..Options::default()
        };
        assert_eq!(run(found.seed, mended).violation, None, "{name}");
        if mutation::is_possible() {
            let put_back = Options {
                bug: Some(found.bug),
                ..mended
            };
            assert!(run(found.seed, put_back).violation.is_some(), "{name}");
        }
    }
}

/// A check that nothing fails proves nothing: each planted bug breaks a promise, within as many seeds as
/// `./dev sim --mutations` allows it.
#[cfg(feature = "mutations")]
#[test]
fn every_planted_bug_is_caught() {
    let next = AtomicU64::new(0);
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(bug) = BUGS.get(next.fetch_add(1, Relaxed) as usize) {
                    let planted = Options {
                        bug: Some(*bug),
                        ..Options::default()
                    };
                    let is_caught = |seed| run(seed, planted).violation.is_some();
                    assert!((0..SEEDS_PER_BUG_MAX).any(is_caught), "{}", bug.name);
                }
            });
        }
    });
}

/// A layout that was kept after the report of an aborted job made the report say what its file was, the
/// second time that it was written.
#[test]
fn a_late_layout_of_a_file_to_be_decoded_changes_no_report() {
    for seed in [302_379, 302_801] {
        assert_eq!(run(seed, Options::default()).violation, None, "seed {seed}");
    }
}

/// Runs that a check once called wrong hold under the check as it is now.
#[test]
fn what_was_misjudged_holds() {
    for misjudged in MISJUDGED {
        let options = Options {
            unsteered: misjudged.unsteered,
            plain: misjudged.plain,
            ..Options::default()
        };
        let violation = run(misjudged.seed, options).violation;
        assert_eq!(violation, None, "{}", misjudged.why);
    }
}

/// What operators do is drawn apart: where a seed has none, its run is the one without them, to the last
/// choice. So the defects that were found before there were operators are replayed as they were.
#[test]
fn operators_leave_every_other_choice_of_a_seed_as_it_is() {
    let unsteered = Options {
        unsteered: true,
        ..Options::default()
    };
    let mut same = 0;
    for seed in 0..100 {
        let (steered, without) = (run(seed, Options::default()), run(seed, unsteered));
        assert_eq!((without.tally.pauses, without.tally.aborts), (0, 0));
        same += u32::from(steered.hash == without.hash);
    }
    assert!(
        (25..75).contains(&same),
        "operators have part in {same} of 100"
    );
}
