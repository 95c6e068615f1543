//! The delivery of records one by one, over a destination with faults: every bad record is found, no
//! good one is lost, and nothing that is the destination's fault becomes a record's.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use async_trait::async_trait;
use batchfleet_core::PortResult;
use batchfleet_core::delivery::{Delivered, RecordDelivery, Refusal, Steering};
use batchfleet_core::ids::JobId;
use batchfleet_core::ports::{Clock, Sink, SinkAnswer, SinkRecord};
use batchfleet_definition::Retries;
use batchfleet_testing::{ManualClock, MemorySink, SequenceIds, SinkFault};

const NOW: u64 = 1_700_000_000_000;

/// A job that is stopped at a time.
struct StoppedAt {
    clock: Arc<ManualClock>,
    at_ms: u64,
}

#[async_trait]
impl Steering for StoppedAt {
    async fn is_stopped(&self) -> PortResult<bool> {
        Ok(self.clock.now_ms() >= self.at_ms)
    }
}

/// A destination whose calls take their time.
struct Slow<'a> {
    sink: &'a MemorySink,
    clock: &'a ManualClock,
    call_ms: u64,
}

#[async_trait]
impl Sink for Slow<'_> {
    fn records_max(&self) -> usize {
        self.sink.records_max()
    }

    async fn put(&self, job: &JobId, records: &[SinkRecord]) -> PortResult<SinkAnswer> {
        self.clock.advance(self.call_ms);
        self.sink.put(job, records).await
    }
}

/// A destination, and what surrounds a delivery to it.
struct World {
    sink: MemorySink,
    call_ms: u64,
    clock: Arc<ManualClock>,
    retries: Retries,
    ends_ms: Option<u64>,
    stopped_ms: u64,
    seed: AtomicU64,
}

impl World {
    fn new() -> Self {
        Self {
            sink: MemorySink::new(),
            call_ms: 0,
            clock: Arc::new(ManualClock::new(NOW)),
            retries: Retries::default(),
            ends_ms: None,
            stopped_ms: u64::MAX,
            seed: AtomicU64::new(0),
        }
    }

    fn patient(max: u32, base_ms: u32, cap_ms: u32) -> Self {
        Self {
            retries: Retries {
                max,
                base_ms,
                cap_ms,
            },
            ..Self::new()
        }
    }

    async fn deliver(&self, records: u64) -> PortResult<Delivered> {
        let ids = SequenceIds::new(self.seed.fetch_add(1, SeqCst));
        let steering = StoppedAt {
            clock: Arc::clone(&self.clock),
            at_ms: self.stopped_ms,
        };
        let sink = Slow {
            sink: &self.sink,
            clock: &self.clock,
            call_ms: self.call_ms,
        };
        let delivery = RecordDelivery {
            sink: &sink,
            job: &job(),
            retries: self.retries,
            ends_ms: self.ends_ms,
            clock: &*self.clock,
            ids: &ids,
            steering: &steering,
        };
        let records: Vec<SinkRecord> = (0..records).map(record).collect();
        delivery.deliver(&records).await
    }

    /// What is refused, where the delivery comes to its end; everything else is in the destination.
    async fn refused(&self, records: u64) -> Vec<Refusal> {
        match self.deliver(records).await {
            Ok(Delivered::Done(mut refusals)) => {
                refusals.sort_by_key(|one| one.index);
                let mut all = self.taken();
                all.extend(refusals.iter().map(|one| one.index));
                all.sort_unstable();
                assert_eq!(all, (0..records).collect::<Vec<_>>(), "once, or refused");
                refusals
            }
            other => panic!("{other:?}"),
        }
    }

    fn taken(&self) -> Vec<u64> {
        self.sink.rows(&job()).into_keys().collect()
    }

    fn elapsed_ms(&self) -> u64 {
        self.clock.now_ms() - NOW
    }
}

fn job() -> JobId {
    JobId::derive(&["delivery"])
}

fn record(index: u64) -> SinkRecord {
    SinkRecord {
        index,
        row: format!("{{\"id\":{index}}}").into(),
    }
}

fn row(index: u64) -> String {
    format!(":{index}}}")
}

fn indexes(refusals: &[Refusal]) -> Vec<u64> {
    refusals.iter().map(|one| one.index).collect()
}

#[tokio::test]
async fn records_go_out_in_chunks_in_their_order() {
    let world = World::new();
    world.sink.limit(4);
    assert_eq!(world.refused(0).await, []);
    assert_eq!(world.refused(10).await, []);
    let calls = [vec![0, 1, 2, 3], vec![4, 5, 6, 7], vec![8, 9]];
    assert_eq!(world.sink.calls(), calls);
    assert_eq!(world.elapsed_ms(), 0, "nothing to wait for");
}

/// At each place of a chunk of any size, within the calls that are promised.
#[tokio::test]
async fn a_poison_record_is_found_wherever_it_is() {
    for size in 1..=33_u64 {
        let levels = u64::BITS - (size - 1).leading_zeros();
        for poison in 0..size {
            let world = World::patient(0, 1, 1);
            world.sink.limit(size as usize);
            world.sink.refuse(&row(poison), u32::MAX);
            let refusals = world.refused(size).await;
            assert_eq!(indexes(&refusals), [poison]);
            assert_eq!(refusals[0].tries, 1);
            assert_eq!(refusals[0].reason, format!("it contains {}", row(poison)));
            let calls = world.sink.calls().len() as u64;
            assert!(calls <= 1 + 2 * u64::from(levels), "{calls} for {size}");
        }
    }
}

#[tokio::test]
async fn two_poison_records_are_found_wherever_they_are() {
    let size = 25;
    for first in 0..size {
        for second in first + 1..size {
            let world = World::patient(1, 1, 1);
            world.sink.refuse(&row(first), u32::MAX);
            world.sink.refuse(&row(second), u32::MAX);
            let refusals = world.refused(size).await;
            assert_eq!(indexes(&refusals), [first, second]);
            assert!(refusals.iter().all(|one| one.tries == 2));
            let calls = world.sink.calls().len();
            assert!(calls <= 1 + 2 * 2 * 5 + 2, "{calls}");
        }
    }
}

/// No chunk takes more than two calls a record and one for each retry, whatever is wrong.
#[tokio::test]
async fn a_file_of_poison_ends_too() {
    let world = World::patient(3, 200, 5_000);
    world.sink.refuse("id", u32::MAX);
    assert_eq!(world.refused(100).await.len(), 100);
    assert_eq!(world.sink.calls().len(), 4 * (2 * 25 - 1) + 3 * 100);
    // The waits are those of one record: at most 200, 400 and 800 ms.
    assert!(world.elapsed_ms() <= 1_400, "{}", world.elapsed_ms());
}

#[tokio::test]
async fn a_refused_record_is_tried_again_by_itself() {
    for calls in 1..=8 {
        let world = World::patient(3, 100, 1_000);
        // The bisection of a chunk of 25 refuses the first record six times: in the chunk, in four
        // parts of it, and alone. So each call beyond is a try.
        world.sink.refuse(&row(0), calls + 5);
        let refusals = world.refused(25).await;
        if calls <= 3 {
            assert_eq!(refusals, [], "taken at try {}", calls + 1);
        } else {
            assert_eq!((indexes(&refusals), refusals[0].tries), (vec![0], 4));
        }
        let alone = world
            .sink
            .calls()
            .iter()
            .filter(|call| **call == [0])
            .count();
        assert_eq!(alone as u32, calls.min(3) + 1);
    }
}

#[tokio::test]
async fn a_destination_that_tells_of_each_record_is_not_asked_twice() {
    let world = World::patient(2, 100, 1_000);
    world.sink.tell_each();
    world.sink.refuse(&row(3), u32::MAX);
    world.sink.refuse(&row(40), u32::MAX);
    let refusals = world.refused(50).await;
    assert_eq!(indexes(&refusals), [3, 40]);
    assert!(refusals.iter().all(|one| one.tries == 3));
    let calls: Vec<usize> = world.sink.calls().iter().map(Vec::len).collect();
    assert_eq!(calls, [25, 25, 1, 1, 1, 1]);
}

#[tokio::test]
async fn overload_that_passes_costs_time_and_nothing_else() {
    let world = World::patient(3, 100, 1_000);
    let overloaded = SinkFault::Overloaded(None);
    world.sink.fail_next([overloaded, overloaded, overloaded]);
    assert_eq!(world.refused(10).await, []);
    let calls: Vec<usize> = world.sink.calls().iter().map(Vec::len).collect();
    assert_eq!(calls, [10, 10, 10, 10], "the whole chunk, again");
    assert!(
        (1..=700).contains(&world.elapsed_ms()),
        "{}",
        world.elapsed_ms()
    );
}

/// Only what was left over is offered again, and progress is patience gained.
#[tokio::test]
async fn what_was_left_over_is_offered_again() {
    let world = World::patient(1, 100, 1_000);
    world.sink.fail_next([7, 5, 2].map(SinkFault::LeftOver));
    assert_eq!(world.refused(10).await, []);
    let calls: Vec<usize> = world.sink.calls().iter().map(Vec::len).collect();
    assert_eq!(calls, [10, 7, 5, 2]);

    let world = World::patient(2, 100, 1_000);
    world.sink.fail_always(Some(SinkFault::LeftOver(10)));
    let error = world.deliver(10).await.unwrap_err();
    assert!(error.is_retryable(), "{error}");
    assert_eq!(world.sink.calls().len(), 3, "no progress, no patience");
}

/// The batch is handed back then: a destination's trouble is no record's fault.
#[tokio::test]
async fn trouble_that_lasts_is_an_error_and_never_a_refusal() {
    for fault in [
        SinkFault::Overloaded(None),
        SinkFault::Unavailable,
        SinkFault::ResponseLost,
    ] {
        let world = World::patient(3, 100, 1_000);
        world.sink.fail_always(Some(fault));
        let error = world.deliver(10).await.unwrap_err();
        assert!(error.is_retryable(), "{error}");
        assert_eq!(world.sink.calls().len(), 4, "{fault:?}");
    }
    let world = World::new();
    world.sink.fail_always(Some(SinkFault::Forbidden));
    let error = world.deliver(10).await.unwrap_err();
    assert!(!error.is_retryable(), "{error}");
    assert_eq!(world.sink.calls().len(), 1, "asking again is no use");
}

/// Trouble after a record was refused, while it is tried again: still an error.
#[tokio::test]
async fn trouble_in_a_retry_is_an_error_too() {
    let world = World::patient(1, 100, 1_000);
    world.sink.refuse(&row(0), u32::MAX);
    let trouble = SinkFault::Unavailable;
    world.sink.fail_next([SinkFault::None, trouble, trouble]);
    let error = world.deliver(1).await.unwrap_err();
    assert!(error.is_retryable(), "{error}");
    assert_eq!(world.sink.calls().len(), 3);

    let world = World::patient(0, 100, 1_000);
    world.sink.fail_next([trouble]);
    let error = world.deliver(1).await.unwrap_err();
    assert!(error.is_retryable(), "no retries, and no reject either");
}

#[tokio::test]
async fn a_lost_response_is_asked_for_again() {
    let world = World::patient(1, 100, 1_000);
    world.sink.fail_next([SinkFault::ResponseLost]);
    assert_eq!(world.refused(10).await, []);
}

/// Full jitter: anything up to the doubled base, and never more than the cap.
#[tokio::test]
async fn waits_are_random_and_bounded() {
    let mut longest = 0;
    for seed in 0..200 {
        let world = World::patient(3, 100, 150);
        world.seed.store(seed, SeqCst);
        world.sink.fail_always(Some(SinkFault::Unavailable));
        world.deliver(1).await.unwrap_err();
        assert!(world.elapsed_ms() <= 100 + 150 + 150);
        longest = longest.max(world.elapsed_ms());
    }
    assert!(longest > 300, "{longest}");
}

#[tokio::test]
async fn a_destination_is_left_alone_for_as_long_as_it_asks() {
    let world = World::patient(3, 100, 1_000);
    world.sink.fail_next([SinkFault::Overloaded(Some(900))]);
    assert_eq!(world.refused(1).await, []);
    assert!((900..=1_000).contains(&world.elapsed_ms()));

    // A worker does not hold a batch for longer than its longest wait.
    let world = World::patient(3, 100, 1_000);
    world.sink.fail_next([SinkFault::Overloaded(Some(1_001))]);
    let error = world.deliver(1).await.unwrap_err();
    assert!(error.is_retryable());
    assert_eq!((world.elapsed_ms(), world.sink.calls().len()), (0, 1));
}

/// Paused or aborted in the middle of a long wait: it ends within one step.
#[tokio::test]
async fn a_wait_is_broken_off_when_the_job_is_stopped() {
    let waits = [
        (SinkFault::Overloaded(Some(60_000)), "overloaded"),
        (SinkFault::Unavailable, "unavailable"),
    ];
    for (fault, what) in waits {
        let mut world = World::patient(10, 60_000, 60_000);
        world.stopped_ms = NOW + 1_000;
        world.sink.fail_always(Some(fault));
        assert_eq!(
            world.deliver(5).await.unwrap(),
            Delivered::Stopped,
            "{what}"
        );
        assert!((1_000..=1_250).contains(&world.elapsed_ms()), "{what}");
    }
    // As well as the wait before a refused record is tried again.
    let mut world = World::patient(10, 60_000, 60_000);
    world.stopped_ms = NOW + 1_000;
    world.sink.refuse(&row(2), u32::MAX);
    assert_eq!(world.deliver(5).await.unwrap(), Delivered::Stopped);
    assert!(world.elapsed_ms() <= 1_250);
    assert_eq!(world.taken(), [0, 1, 3, 4]);
}

#[tokio::test]
async fn a_stopped_job_is_not_delivered_to() {
    let mut world = World::new();
    world.stopped_ms = NOW;
    assert_eq!(world.deliver(5).await.unwrap(), Delivered::Stopped);
    assert_eq!(world.sink.calls().len(), 0);
}

/// No wait begins that would end too late; what was refused by then is a reject, and what could not be
/// delivered is the destination's trouble.
#[tokio::test]
async fn the_deadline_ends_the_retries() {
    let mut world = World::patient(10, 60_000, 60_000);
    world.ends_ms = Some(NOW + 1_000);
    world.sink.refuse(&row(2), u32::MAX);
    let refusals = world.refused(5).await;
    assert_eq!(indexes(&refusals), [2]);
    assert!(refusals[0].tries < 11);
    assert!(world.elapsed_ms() < 1_000, "{}", world.elapsed_ms());

    for fault in [SinkFault::Overloaded(None), SinkFault::Unavailable] {
        let mut world = World::patient(10, 60_000, 60_000);
        world.ends_ms = Some(NOW + 1_000);
        world.sink.fail_always(Some(fault));
        let error = world.deliver(5).await.unwrap_err();
        assert!(error.is_retryable(), "{error}");
        assert!(world.elapsed_ms() < 1_000, "{}", world.elapsed_ms());
    }
}

#[tokio::test]
async fn without_time_nothing_is_begun() {
    let mut world = World::new();
    world.ends_ms = Some(NOW);
    assert_eq!(world.deliver(5).await.unwrap(), Delivered::OutOfTime);
    assert_eq!(world.sink.calls().len(), 0);
}

/// The time is up while records are tried again: those whose turn did not come are refused all the
/// same, and none is lost.
#[tokio::test]
async fn the_deadline_may_come_between_two_retries() {
    let mut world = World::patient(3, 1, 1);
    world.call_ms = 100;
    world.ends_ms = Some(NOW + 500);
    world.sink.tell_each();
    world.sink.refuse("id", u32::MAX);
    let refusals = world.refused(10).await;
    let tries: Vec<u32> = refusals.iter().map(|one| one.tries).collect();
    assert_eq!(tries, [2, 2, 2, 2, 1, 1, 1, 1, 1, 1]);
}

/// The time is up while good records wait: what is delivered is not to be counted.
#[tokio::test]
async fn a_delivery_that_is_too_slow_is_no_completion() {
    let mut world = World::new();
    world.call_ms = 100;
    world.ends_ms = Some(NOW + 200);
    assert_eq!(world.deliver(60).await.unwrap(), Delivered::OutOfTime);
    assert_eq!(world.taken().len(), 50);
}
