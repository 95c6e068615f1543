//! A queue that keeps its messages until a test asks for those that are due.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use batchfleet_core::PortResult;
use batchfleet_core::message::Message;
use batchfleet_core::ports::{Clock, Queue};

use super::lock;

/// A message as it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// What was sent.
    pub message: Message,
    /// Not before this time (milliseconds since 1970).
    pub due_ms: u64,
}

/// A queue in memory. Delays count from the time on its clock at sending.
pub struct MemoryQueue {
    clock: Arc<dyn Clock>,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    waiting: Vec<Sent>,
    history: Vec<Sent>,
}

impl MemoryQueue {
    /// An empty queue.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            inner: Mutex::default(),
        }
    }

    /// Takes the message that is due the longest at `now_ms`; the earlier sent of two.
    #[must_use]
    pub fn receive(&self, now_ms: u64) -> Option<Message> {
        let waiting = &mut lock(&self.inner).waiting;
        let (place, _) = waiting
            .iter()
            .enumerate()
            .filter(|(_, sent)| sent.due_ms <= now_ms)
            .min_by_key(|(_, sent)| sent.due_ms)?;
        Some(waiting.remove(place).message)
    }

    /// When the next message is due; `None` where none waits.
    #[must_use]
    pub fn next_due_ms(&self) -> Option<u64> {
        lock(&self.inner)
            .waiting
            .iter()
            .map(|sent| sent.due_ms)
            .min()
    }

    /// Everything ever sent, in order, received or not.
    #[must_use]
    pub fn sent(&self) -> Vec<Sent> {
        lock(&self.inner).history.clone()
    }
}

#[async_trait]
impl Queue for MemoryQueue {
    async fn send(&self, message: &Message, delay_ms: u64) -> PortResult<()> {
        let sent = Sent {
            message: message.clone(),
            due_ms: self.clock.now_ms().saturating_add(delay_ms),
        };
        let mut inner = lock(&self.inner);
        inner.waiting.push(sent.clone());
        inner.history.push(sent);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use batchfleet_core::ids::JobId;

    use super::*;
    use crate::memory::ManualClock;

    #[tokio::test]
    async fn messages_come_when_they_are_due_and_once() {
        let clock = Arc::new(ManualClock::new(100));
        let queue = MemoryQueue::new(clock.clone());
        let work = |shard| Message::Work {
            job: JobId::derive(&["j"]),
            shard,
            seat: 0,
        };
        queue.send(&work(1), 50).await.unwrap();
        queue.send(&work(2), 0).await.unwrap();
        queue.send(&work(3), 0).await.unwrap();

        assert_eq!(queue.next_due_ms(), Some(100));
        assert_eq!(queue.receive(100), Some(work(2)));
        assert_eq!(queue.receive(100), Some(work(3)));
        assert_eq!(queue.receive(149), None);
        assert_eq!(queue.receive(150), Some(work(1)));
        assert_eq!(queue.next_due_ms(), None);
        assert_eq!(queue.sent().len(), 3);
    }
}
