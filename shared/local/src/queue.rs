//! The queue of one process: messages in memory, with delays.
//!
//! It forgets everything when the process ends, which is what "at least once" comes to here: a run
//! makes its messages anew when it starts, because the store says what is left to do.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use batchfleet_core::PortResult;
use batchfleet_core::message::Message;
use batchfleet_core::ports::{Clock, Queue};
use tokio::sync::Notify;

/// A queue in memory for any number of senders and receivers.
pub struct LocalQueue {
    clock: Arc<dyn Clock>,
    waiting: Mutex<Waiting>,
    /// Wakes the receiver at the front when a message was sent.
    sent: Notify,
    /// Receivers stand in line for the front, first come, first served.
    front: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Waiting {
    next_number: u64,
    /// The one due first on top; the one sent first of those due at once.
    messages: BinaryHeap<Reverse<Due>>,
}

struct Due {
    at_ms: u64,
    number: u64,
    message: Message,
}

/// What a look at the queue found.
enum Next {
    Due(Message),
    In(u64),
    Nothing,
}

impl LocalQueue {
    /// An empty queue whose delays are measured by `clock`.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            waiting: Mutex::default(),
            sent: Notify::new(),
            front: tokio::sync::Mutex::new(()),
        }
    }

    /// Waits for a message that is due, and takes it. Receivers get messages in the order in which
    /// they began to wait; one that is dropped while it waits takes nothing with it. (One that is
    /// kept, but no longer polled, holds up those behind it.)
    pub async fn receive(&self) -> Message {
        let _front = self.front.lock().await;
        loop {
            match self.next() {
                // Nothing is awaited between taking a message and handing it out.
                Next::Due(message) => return message,
                Next::In(ms) => {
                    tokio::select! {
                        () = self.clock.sleep_ms(ms) => {}
                        () = self.sent.notified() => {}
                    }
                }
                // A message sent since the look has left a permit, so this returns at once.
                Next::Nothing => self.sent.notified().await,
            }
        }
    }

    /// Messages that nobody has taken, due or not.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock().messages.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn next(&self) -> Next {
        let mut waiting = self.lock();
        let Some(Reverse(first)) = waiting.messages.peek() else {
            return Next::Nothing;
        };
        let left_ms = first.at_ms.saturating_sub(self.clock.now_ms());
        if left_ms > 0 {
            return Next::In(left_ms);
        }
        match waiting.messages.pop() {
            Some(Reverse(due)) => Next::Due(due.message),
            None => Next::Nothing,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Queue for LocalQueue {
    async fn send(&self, message: &Message, delay_ms: u64) -> PortResult<()> {
        let at_ms = self.clock.now_ms().saturating_add(delay_ms);
        let mut waiting = self.lock();
        let number = waiting.next_number;
        waiting.next_number += 1;
        waiting.messages.push(Reverse(Due {
            at_ms,
            number,
            message: message.clone(),
        }));
        drop(waiting);
        self.sent.notify_one();
        Ok(())
    }
}

impl Due {
    fn order(&self) -> (u64, u64) {
        (self.at_ms, self.number)
    }
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        self.order() == other.order()
    }
}

impl Eq for Due {}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Due {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.order().cmp(&other.order())
    }
}
