//! Sends messages over SQS: work and watch messages to the workers' queue, prepare messages to the
//! preparers'.

use async_trait::async_trait;
use aws_sdk_sqs::Client;
use batchfleet_core::PortResult;
use batchfleet_core::message::Message;
use batchfleet_core::ports::Queue;

use crate::errors::port_error;

/// The longest delay that SQS takes.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html>
const DELAY_SECONDS_MAX: u64 = 900;

/// The two queues.
#[derive(Clone, Debug)]
pub struct SqsQueue {
    client: Client,
    work_url: String,
    prepare_url: String,
}

impl SqsQueue {
    /// Over these queues.
    #[must_use]
    pub fn new(
        client: Client,
        work_url: impl Into<String>,
        prepare_url: impl Into<String>,
    ) -> Self {
        Self {
            client,
            work_url: work_url.into(),
            prepare_url: prepare_url.into(),
        }
    }

    fn url_of(&self, message: &Message) -> &str {
        match message {
            Message::Work { .. } | Message::Watch { .. } => &self.work_url,
            Message::Prepare { .. } => &self.prepare_url,
        }
    }
}

#[async_trait]
impl Queue for SqsQueue {
    async fn send(&self, message: &Message, delay_ms: u64) -> PortResult<()> {
        self.client
            .send_message()
            .queue_url(self.url_of(message))
            .message_body(message.encode())
            .delay_seconds(delay_seconds(delay_ms))
            .send()
            .await
            .map_err(|e| port_error("send message", e))?;
        Ok(())
    }
}

/// Whole seconds, rounded up, cut at the longest.
fn delay_seconds(delay_ms: u64) -> i32 {
    delay_ms.div_ceil(1_000).min(DELAY_SECONDS_MAX) as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_are_whole_seconds_and_never_too_short_nor_too_long() {
        for (ms, seconds) in [
            (0, 0),
            (1, 1),
            (1_000, 1),
            (1_001, 2),
            (899_001, 900),
            (u64::MAX, 900),
        ] {
            assert_eq!(delay_seconds(ms), seconds, "{ms} ms");
        }
    }
}
