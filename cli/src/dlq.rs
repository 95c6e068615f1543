//! `batchfleet dlq`: the messages that were given up, and `dlq drain`, which puts them back.
//!
//! What does not read is named by its id and its fault, never shown: nobody knows what is in it.

use std::process::ExitCode;

use batchfleet_aws::operator::{DeadLetter, DeadLetters, DeadQueue, LETTERS_MAX};
use batchfleet_core::PortResult;
use batchfleet_core::error::chain;
use batchfleet_core::ids::JobId;
use batchfleet_core::message::Message;
use batchfleet_core::ports::Clock as _;
use batchfleet_local::SystemClock;
use serde_json::{Value, json};

use crate::args::{DlqAction, DlqArgs};
use crate::explain::among_dead;
use crate::look::Dead;
use crate::outcome::{Failure, duration, plural};
use crate::site::Site;
use crate::stack::{Stack, is_named};
use crate::status::{moment, source_name};
use crate::terminal::{note, one_line, say, say_json};

/// One queue of dead letters, as it was read.
struct Held {
    queue: DeadQueue,
    /// About how many there are; fewer may have been read.
    count: u64,
    letters: Vec<DeadLetter>,
}

/// Runs the command.
pub(crate) async fn dlq(args: &DlqArgs) -> Result<ExitCode, Failure> {
    if !is_named(&args.stack) {
        return Err(Failure::usage(
            "name the stack by --stack (or BATCHFLEET_STACK): a folder of jobs has no dead letters",
        ));
    }
    let stack = Stack::open(&args.stack, &[]).await?;
    let dead = stack.dead_letters()?;
    let held = read_all(&dead).await?;
    match args.action {
        None => {
            show_all(&dead, &held).await;
            print(
                &held,
                &format!("batchfleet dlq drain{}", stack.words),
                args.json,
            );
            Ok(ExitCode::SUCCESS)
        }
        Some(DlqAction::Drain) => drain(&dead, held, args.json).await,
    }
}

/// The messages of a job among the dead letters; `None` where there are none, or none can be read.
pub(crate) async fn of_job(site: &Site, id: &JobId) -> Option<Dead> {
    let stack = site.stack.as_ref()?;
    // Who names the parts one by one need not know the queues.
    let dead = stack.dead_letters().ok()?;
    let held = match read_all(&dead).await {
        Ok(held) => held,
        Err(error) => {
            note!("the dead letters can't be read: {}", chain(&error));
            return None;
        }
    };
    show_all(&dead, &held).await;
    let letters = held.iter().flat_map(|held| &held.letters);
    let of_job: Vec<_> = letters
        .filter(|letter| jobs_of(letter).contains(id))
        .collect();
    let first = of_job.iter().filter_map(|letter| letter.sent_ms).min();
    (!of_job.is_empty()).then(|| Dead {
        messages: of_job.len() as u64,
        sent_ms: first,
        command: format!("batchfleet dlq drain{}", stack.words),
    })
}

/// Adds to what keeps a job from being found: its upload's event may be among the dead letters.
pub(crate) async fn explain_none(site: &Site, name: &str, failure: Failure) -> Failure {
    let Ok(id) = JobId::parse(name) else {
        return failure;
    };
    match Box::pin(of_job(site, &id)).await {
        Some(dead) => Failure {
            message: format!(
                "{}; {}",
                failure.message,
                among_dead(&dead, site.clock.now_ms())
            ),
            ..failure
        },
        None => failure,
    }
}

/// The jobs that a letter is about.
fn jobs_of(letter: &DeadLetter) -> Vec<JobId> {
    let asks = letter.asks.as_deref().unwrap_or_default();
    asks.iter().map(|message| job_of(message).1).collect()
}

/// What a message asks for in a word, of which job, and of which file where it says so.
fn job_of(message: &Message) -> (&'static str, JobId, Option<String>) {
    match message {
        Message::Work { job, .. } => ("work", job.clone(), None),
        Message::Watch { job, .. } => ("watch", job.clone(), None),
        Message::Prepare { source } => ("prepare", source.job_id(), Some(source_name(source))),
    }
}

/// All three queues at once: an empty one takes its time.
async fn read_all(dead: &DeadLetters) -> PortResult<Vec<Held>> {
    let read = |queue| async move {
        let count = dead.count(queue).await?;
        let letters = dead.read(queue).await?;
        Ok(Held {
            queue,
            count: count.max(letters.len() as u64),
            letters,
        })
    };
    // The SDK's futures are large.
    let [work, prepare, upload] = DeadQueue::ALL.map(|queue| Box::pin(read(queue)));
    let (work, prepare, upload) = tokio::try_join!(work, prepare, upload)?;
    Ok(vec![work, prepare, upload])
}

/// Shows letters to others again. Where that fails they show up by themselves.
async fn show_all(dead: &DeadLetters, held: &[Held]) {
    for held in held {
        if let Err(error) = dead.show(held.queue, &held.letters).await {
            note!(
                "the {} dead letters are hidden for two minutes: {}",
                held.queue.as_str(),
                chain(&error)
            );
        }
    }
}

fn print(held: &[Held], drain: &str, as_json: bool) {
    if as_json {
        let queues: Vec<Value> = held.iter().map(to_json).collect();
        say_json(&json!({ "queues": queues }));
        return;
    }
    let now = SystemClock::new().now_ms();
    for held in held {
        say!(
            "{:<8} {}",
            held.queue.as_str(),
            plural(held.count, "message")
        );
        for letter in &held.letters {
            say!("  {}", line(letter, now));
        }
        if held.count > held.letters.len() as u64 {
            say!(
                "  and {} more, which others read just now, or beyond the first {LETTERS_MAX}",
                held.count - held.letters.len() as u64
            );
        }
    }
    if held.iter().any(|held| held.count > 0) {
        note!("{drain} puts them back");
    }
}

fn line(letter: &DeadLetter, now_ms: u64) -> String {
    let sent = letter.sent_ms.map_or_else(
        || "at an unknown time".to_owned(),
        |sent| {
            let ago = duration(now_ms.saturating_sub(sent));
            format!("{}, {ago} ago", moment(sent))
        },
    );
    let what = match &letter.asks {
        Ok(asks) if asks.is_empty() => "asks for nothing".to_owned(),
        Ok(asks) => {
            let asks: Vec<String> = asks.iter().map(said).collect();
            asks.join("; ")
        }
        Err(fault) => format!("message {}: {fault}", one_line(&letter.id)),
    };
    format!("{sent}  {what}")
}

fn said(message: &Message) -> String {
    let (kind, job, file) = job_of(message);
    let file = file.map_or_else(String::new, |file| format!("  {}", one_line(&file)));
    format!("{kind:<7} job {job}{file}")
}

fn to_json(held: &Held) -> Value {
    let letters: Vec<Value> = held.letters.iter().map(letter_json).collect();
    json!({ "queue": held.queue.as_str(), "messages": held.count, "letters": letters })
}

fn letter_json(letter: &DeadLetter) -> Value {
    let asks = letter.asks.as_deref().unwrap_or_default();
    let asks: Vec<Value> = asks
        .iter()
        .map(|message| {
            let (kind, job, file) = job_of(message);
            json!({ "kind": kind, "job": job, "file": file })
        })
        .collect();
    let fault = letter.asks.as_ref().err().map(ToString::to_string);
    json!({ "id": letter.id, "sent_ms": letter.sent_ms, "asks": asks, "fault": fault })
}

/// Puts back what reads, one by one, and leaves the rest where it is.
async fn drain(dead: &DeadLetters, held: Vec<Held>, as_json: bool) -> Result<ExitCode, Failure> {
    let now = SystemClock::new().now_ms();
    let mut put_back = 0;
    let mut staying = Vec::new();
    for held in held {
        let unread = held.count - held.letters.len() as u64;
        let (good, bad) = held
            .letters
            .into_iter()
            .partition::<Vec<_>, _>(|letter| letter.asks.is_ok());
        for letter in &good {
            let asks = letter.asks.as_deref().unwrap_or_default();
            dead.put_back(held.queue, letter, asks).await?;
            put_back += 1;
        }
        staying.push(Held {
            queue: held.queue,
            count: unread + bad.len() as u64,
            letters: bad,
        });
    }
    show_all(dead, &staying).await;
    let stay: u64 = staying.iter().map(|held| held.count).sum();
    if as_json {
        let queues: Vec<Value> = staying.iter().map(to_json).collect();
        say_json(&json!({ "put_back": put_back, "stay": stay, "queues": queues }));
    } else {
        say!("{} put back", plural(put_back, "message"));
        for held in &staying {
            for letter in &held.letters {
                note!("stays in {}: {}", held.queue.as_str(), line(letter, now));
            }
        }
    }
    if stay == 0 {
        return Ok(ExitCode::SUCCESS);
    }
    let stay = plural(stay, "message");
    Err(Failure::stopped(format!(
        "{stay} could not be put back: what does not read stays until it is deleted in SQS, or expires; \
         for those that others read just now, try again"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_told_by_its_kind_job_and_file() {
        let id = "0123456789abcdef0123456789abcdef";
        let work = format!(r#"{{"v":1,"kind":"work","job":"{id}"}}"#);
        assert_eq!(
            said(&Message::decode(&work).unwrap()),
            format!("work    job {id}")
        );
        let key = "incoming/d/\\u001b[31m.csv";
        let prepare = format!(
            r#"{{"v":1,"kind":"prepare","source":{{"bucket":"b","key":"{key}","etag":"e","size":5}}}}"#
        );
        let message = Message::decode(&prepare).unwrap();
        let (_, job, _) = job_of(&message);
        assert_eq!(
            said(&message),
            format!("prepare job {job}  s3://b/incoming/d/\\u{{1b}}[31m.csv")
        );
    }
}
