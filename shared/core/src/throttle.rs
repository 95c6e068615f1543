//! Overload: how a job's fleet slows down together, and speeds up again.
//!
//! A worker that is throttled halves the number of workers that its job may have; that number then
//! doubles by itself every twelfth of a lease. So the fleet swings about what its destination takes,
//! and half a lease after the last throttled call at the latest everyone runs again: a batch whose
//! holder died waits no longer for it than for the lease (I6), and the recovery needs no write.
//!
//! The number is kept on the job, which every worker reads once a second anyway. Seats decide who
//! runs: a worker's message has one, from 0, and seat 0 is never held back.

use serde::{Deserialize, Serialize};

use crate::job::Policy;

/// Doublings in a lease: more than `log2` of any `workers_max` in half of one.
const DOUBLINGS_PER_LEASE: u64 = 24;

/// How many of a job's workers may run, since when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Throttle {
    /// Workers that ran on from `since_ms`.
    pub workers: u32,
    /// When a worker was throttled (milliseconds since 1970).
    pub since_ms: u64,
}

impl Throttle {
    /// The throttle after a throttled call at `now_ms`: half the workers that may run then. `None`
    /// where it was set a moment ago: the calls of one overload fail together, and halve once.
    #[must_use]
    pub fn slower(current: Option<Self>, policy: &Policy, now_ms: u64) -> Option<Self> {
        let is_fresh =
            current.is_some_and(|current| now_ms < current.since_ms + doubling_ms(policy) / 2);
        (!is_fresh).then(|| Self {
            workers: (allowed(current, policy, now_ms) / 2).max(1),
            since_ms: now_ms,
        })
    }

    /// Workers that may run after so many doublings.
    fn after(self, doublings: u64) -> u64 {
        let doublings = doublings.min(u64::from(u32::BITS));
        u64::from(self.workers.max(1)) << doublings
    }
}

/// How long the number of workers takes to double.
fn doubling_ms(policy: &Policy) -> u64 {
    (policy.lease_ms / DOUBLINGS_PER_LEASE).max(1)
}

/// Workers of the job that may run at `now_ms`.
#[must_use]
pub fn allowed(throttle: Option<Throttle>, policy: &Policy, now_ms: u64) -> u32 {
    let Some(throttle) = throttle else {
        return policy.workers_max;
    };
    let doublings = now_ms.saturating_sub(throttle.since_ms) / doubling_ms(policy);
    throttle.after(doublings).min(policy.workers_max.into()) as u32
}

/// How long the worker of this seat is held back from `now_ms`; `None` where it may run.
#[must_use]
pub fn held_back_ms(
    throttle: Option<Throttle>,
    policy: &Policy,
    seat: u32,
    now_ms: u64,
) -> Option<u64> {
    let throttle = throttle?;
    if seat == 0 || seat < allowed(Some(throttle), policy, now_ms) {
        return None;
    }
    // A seat beyond `workers_max`, of a message sent under another policy, runs once all do.
    let needed = u64::from(seat.min(policy.workers_max.saturating_sub(1)));
    let doublings =
        (0..=u64::from(u32::BITS)).find(|&doublings| throttle.after(doublings) > needed)?;
    let runs_ms = throttle.since_ms + doublings * doubling_ms(policy);
    (runs_ms > now_ms).then(|| runs_ms - now_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: Policy = Policy {
        lease_ms: 24_000,
        workers_max: 50,
        ..Policy::DEFAULT
    };

    #[test]
    fn each_overload_halves_the_fleet_once() {
        let first = Throttle::slower(None, &POLICY, 1_000).unwrap();
        assert_eq!(
            first,
            Throttle {
                workers: 25,
                since_ms: 1_000
            }
        );
        assert_eq!(Throttle::slower(Some(first), &POLICY, 1_499), None);
        let second = Throttle::slower(Some(first), &POLICY, 1_500).unwrap();
        assert_eq!(second.workers, 12);
    }

    #[test]
    fn it_never_stops_the_fleet() {
        let mut throttle = None;
        for now in (0..100_000).step_by(500) {
            throttle = Throttle::slower(throttle, &POLICY, now).or(throttle);
            assert!(allowed(throttle, &POLICY, now) >= 1);
            assert_eq!(held_back_ms(throttle, &POLICY, 0, now), None);
        }
        assert_eq!(throttle.unwrap().workers, 1);
    }

    #[test]
    fn everyone_runs_again_within_half_a_lease() {
        let policy = Policy {
            workers_max: 1_000,
            ..POLICY
        };
        let throttle = Some(Throttle {
            workers: 1,
            since_ms: 0,
        });
        assert_eq!(allowed(throttle, &policy, policy.lease_ms / 2), 1_000);
        for seat in [1, 2, 3, 499, 999, 5_000] {
            let wait = held_back_ms(throttle, &policy, seat, 0).unwrap();
            assert!(wait <= policy.lease_ms / 2, "seat {seat} waits {wait} ms");
            assert_eq!(
                held_back_ms(throttle, &policy, seat, wait),
                None,
                "seat {seat}"
            );
            assert!(
                held_back_ms(throttle, &policy, seat, wait - 1).is_some(),
                "seat {seat}"
            );
        }
    }

    #[test]
    fn nobody_is_held_back_without_an_overload() {
        assert_eq!(held_back_ms(None, &POLICY, 49, 0), None);
        assert_eq!(allowed(None, &POLICY, 0), 50);
    }
}
