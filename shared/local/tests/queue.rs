//! The queue of one process: order, delays, and receivers that come and go.

use std::sync::Arc;
use std::time::Duration;

use batchfleet_core::ids::JobId;
use batchfleet_core::message::Message;
use batchfleet_core::ports::{Clock, Queue};
use batchfleet_local::{LocalQueue, SystemClock};
use batchfleet_testing::ManualClock;
use tokio::time::timeout;

fn message(shard: u32) -> Message {
    Message::Work {
        job: JobId::derive(&["queue"]),
        shard,
        seat: 0,
    }
}

fn queue() -> Arc<LocalQueue> {
    Arc::new(LocalQueue::new(Arc::new(SystemClock::new())))
}

#[tokio::test]
async fn messages_come_in_the_order_in_which_they_are_due() {
    let clock = Arc::new(ManualClock::new(1_000));
    let queue = LocalQueue::new(clock.clone());
    for (shard, delay_ms) in [(3, 500), (1, 0), (4, 500), (2, 0), (5, 100_000)] {
        queue.send(&message(shard), delay_ms).await.unwrap();
    }
    assert_eq!(queue.len(), 5);
    for shard in 1..=5 {
        assert_eq!(queue.receive().await, message(shard));
    }
    assert!(queue.is_empty());
    assert_eq!(
        clock.now_ms(),
        101_000,
        "it slept until each was due, and no longer"
    );
}

#[tokio::test]
async fn a_delayed_message_does_not_come_early_and_no_later_than_needed() {
    let (queue, clock) = (queue(), SystemClock::new());
    let sent = clock.now_ms();
    queue.send(&message(1), 60).await.unwrap();
    assert_eq!(queue.receive().await, message(1));
    let waited = clock.now_ms() - sent;
    assert!((60..1_000).contains(&waited), "{waited} ms");
}

#[tokio::test]
async fn a_waiting_receiver_wakes_at_once_also_when_it_waits_for_a_later_message() {
    for later in [false, true] {
        let queue = queue();
        if later {
            queue.send(&message(9), 60_000).await.unwrap();
        }
        let waiting = tokio::spawn({
            let queue = Arc::clone(&queue);
            async move { queue.receive().await }
        });
        tokio::task::yield_now().await;
        queue.send(&message(1), 0).await.unwrap();
        let received = timeout(Duration::from_secs(5), waiting).await;
        assert_eq!(received.unwrap().unwrap(), message(1));
    }
}

#[tokio::test]
async fn receivers_are_served_in_the_order_in_which_they_came() {
    let queue = queue();
    let (served, mut order) = tokio::sync::mpsc::unbounded_channel();
    for receiver in 0..8 {
        let (queue, served) = (Arc::clone(&queue), served.clone());
        tokio::spawn(async move {
            let message = queue.receive().await;
            served.send((receiver, message)).unwrap();
        });
        tokio::task::yield_now().await;
    }
    for shard in 0..8 {
        queue.send(&message(shard), 0).await.unwrap();
    }
    for number in 0..8 {
        assert_eq!(order.recv().await, Some((number, message(number))));
    }
}

#[tokio::test]
async fn a_receiver_that_is_dropped_takes_nothing_with_it() {
    let queue = queue();
    for round in 0..50 {
        let (front, next) = (queue.receive(), queue.receive());
        let mut next = std::pin::pin!(next);
        {
            let mut front = std::pin::pin!(front);
            let waits = timeout(Duration::from_micros(50), async {
                tokio::join!(&mut front, &mut next)
            });
            assert!(waits.await.is_err(), "nothing was sent yet");
            // The message's wake goes to the receiver at the front, which is dropped with it.
            queue.send(&message(round), 0).await.unwrap();
        }
        let received = timeout(Duration::from_secs(5), next).await;
        assert_eq!(received.unwrap(), message(round));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_message_goes_to_one_of_many_receivers() {
    const MESSAGES: u32 = 2_000;
    let queue = queue();
    let mut receivers = Vec::new();
    for _ in 0..8 {
        let queue = Arc::clone(&queue);
        receivers.push(tokio::spawn(async move {
            let mut received = Vec::new();
            loop {
                match queue.receive().await {
                    Message::Work { shard, .. } => received.push(shard),
                    _ => return received,
                }
            }
        }));
    }
    let mut senders = Vec::new();
    for sender in 0..4 {
        let queue = Arc::clone(&queue);
        senders.push(tokio::spawn(async move {
            for shard in (sender..MESSAGES).step_by(4) {
                let delay_ms = u64::from(shard % 3);
                queue.send(&message(shard), delay_ms).await.unwrap();
            }
        }));
    }
    for sender in senders {
        sender.await.unwrap();
    }
    let last = Message::Watch {
        job: JobId::derive(&["queue"]),
        token: 1,
    };
    for _ in 0..8 {
        queue.send(&last, 50).await.unwrap();
    }
    let mut received = Vec::new();
    for receiver in receivers {
        let one = timeout(Duration::from_secs(20), receiver).await;
        received.extend(one.unwrap().unwrap());
    }
    received.sort_unstable();
    assert_eq!(received, (0..MESSAGES).collect::<Vec<_>>());
}
