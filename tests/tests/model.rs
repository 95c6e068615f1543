//! The exhaustive model: its smallest scope holds, and planted bugs are found in it.
//!
//! `./dev model` searches the larger scopes; `docs/reliability.md` says what is modelled.

use batchfleet_tests::model::{Scope, planted, search};

/// From the finished plan: 2 workers, 3 batches, every interleaving of their calls.
const SMALLEST: Scope = Scope {
    is_planned: true,
    faults: 0,
    only: None,
    returns: 0,
};

#[test]
fn every_interleaving_of_the_smallest_scope_keeps_the_promises() {
    let found = search(SMALLEST, None);
    assert_eq!(found.broken, None, "./dev model --faults 0 --planned");
    // 9,298 when it was written. Far fewer would mean that the search passes over something, far more
    // that it tells apart what is alike.
    let usual = 4_000..40_000;
    assert!(usual.contains(&found.states), "{} states", found.states);
}

/// Each planted bug breaks a promise, by a run that is printed (`cargo test -- --nocapture`).
#[test]
fn planted_bugs_are_found() {
    let planted = planted();
    assert!(
        planted.len() >= 5,
        "bugs of the store can always be planted"
    );
    for planted in planted {
        let found = search(planted.scope, Some(planted.bug));
        let (bug, scope) = (planted.bug.name, planted.scope);
        assert!(found.is_caught(), "{bug}, {scope}: {:?}", found.broken);
        if let Some((promise, run)) = found.broken {
            println!("{bug} breaks {promise}:\n  {}", run.join("\n  "));
        }
    }
}
