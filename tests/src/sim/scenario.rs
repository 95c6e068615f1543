//! What a seed stands for: the files, how their jobs are cut, when what is uploaded, and the rate of
//! every fault. Some seeds are quiet, some wild.

use batchfleet_core::job::Policy;

use super::destination::Destination;
use super::files::{DEFINITION, File, Packing, UNIQUE_DEFINITION};
use super::random::Random;
use super::steering::Steering;

/// When a run begins, in milliseconds since 1970.
pub(crate) const EPOCH_MS: u64 = 1_700_000_000_000;

/// The stream of random numbers that says which files are to be decoded: apart from all others, so that
/// the seeds of defects that were found before still show them.
const PACKING_STREAM: u64 = 0x7061_636b;

/// The stream that says whether values must be unique: apart for the same reason.
const UNIQUE_STREAM: u64 = 0x756e_6971;

/// The stream that says whether records are delivered one by one: apart for the same reason.
const DESTINATION_STREAM: u64 = 0x7369_6e6b;

/// How often the rows of a batch are gone through where they are delivered one by one: once more without
/// those that a look-up finds, and once more without those that are refused.
const GOES_MAX: u64 = 3;

/// One object put, with the events that S3 sends of it.
#[derive(Clone, Debug)]
pub(crate) struct Upload {
    pub(crate) at_ms: u64,
    pub(crate) key: String,
    pub(crate) file: File,
    /// How long after the upload each of its events comes: at least one, in any order.
    pub(crate) events_ms: Vec<u64>,
}

/// The rate of every fault, in millionths, and its size.
#[derive(Clone, Debug, Default)]
pub(crate) struct Faults {
    /// Of every wake of an invocation: it dies there.
    pub(crate) crash: u64,
    /// Of every wake of an invocation: it stops there for up to three leases, and then goes on.
    pub(crate) freeze: u64,
    /// Of every call: it fails before it did anything (throttled, 5xx, cut off).
    pub(crate) failure: u64,
    /// Of every write: it goes through and its response is lost.
    pub(crate) lost_response: u64,
    /// Of every write: the caller gives up waiting, and it goes through later.
    pub(crate) late_write: u64,
    /// Of every write: the client in the adapter makes it twice, as after a lost response.
    pub(crate) repeat: u64,
    /// Of every call: it takes up to half a lease.
    pub(crate) slow: u64,
    /// Of every message sent: it is delivered twice.
    pub(crate) duplicate: u64,
    /// Of every message sent: it comes up to 5 s late, behind others.
    pub(crate) delay: u64,
    /// Every invocation's clock is off by up to a quarter of a lease in either direction, so that
    /// two of them differ by up to half a lease.
    pub(crate) skew_ms: u64,
}

/// Everything that is drawn before a run begins.
#[derive(Clone, Debug)]
pub(crate) struct Scenario {
    pub(crate) policy: Policy,
    pub(crate) uploads: Vec<Upload>,
    /// Whether the bucket keeps versions.
    pub(crate) versioned: bool,
    pub(crate) faults: Faults,
    /// Faults happen before this, none after. From the beginning of the run.
    pub(crate) faults_end_ms: u64,
    /// What a call takes at most, one way.
    pub(crate) latency_ms: u64,
    /// How long a message is hidden from others once it was received.
    pub(crate) visibility_ms: u64,
    /// After how long S3 repeats an event whose invocation failed.
    pub(crate) event_retry_ms: u64,
    /// The functions' time limit.
    pub(crate) time_limit_ms: u64,
    pub(crate) window_bytes: u64,
    pub(crate) steering: Steering,
    /// Whether the files are judged by a definition with a unique field.
    pub(crate) unique: bool,
    /// Where the rows go, if it takes them one by one.
    pub(crate) destination: Option<Destination>,
}

impl Scenario {
    /// When the faults end, in milliseconds since 1970.
    pub(crate) fn faults_end_at_ms(&self) -> u64 {
        EPOCH_MS + self.faults_end_ms
    }

    /// The same with what operators do under this seed.
    pub(crate) fn steered(mut self, seed: u64) -> Self {
        let lease_ms = self.policy.lease_ms;
        self.steering = Steering::draw(seed, self.uploads.len(), self.faults_end_ms, lease_ms);
        self
    }

    /// The same with some of its files to be decoded: in one seed of three.
    pub(crate) fn packed(mut self, seed: u64) -> Self {
        let mut random = Random::stream(seed, PACKING_STREAM);
        if !random.one_in(3) {
            return self;
        }
        for upload in &mut self.uploads {
            match random.below(4) {
                0 | 1 => upload.file.pack(Packing::Gzip),
                2 => upload.file.pack(Packing::Utf16),
                _ => upload.file.pack(Packing::Windows1252),
            }
        }
        self
    }

    /// The same under a definition with a unique field: in one seed of four.
    pub(crate) fn made_unique(mut self, seed: u64) -> Self {
        self.unique = Random::stream(seed, UNIQUE_STREAM).one_in(4);
        if self.unique {
            for upload in &mut self.uploads {
                upload.file.tell_unique();
            }
        }
        self
    }

    /// The same into a destination that takes records one by one: in one seed of four.
    pub(crate) fn one_by_one(mut self, seed: u64) -> Self {
        let mut random = Random::stream(seed, DESTINATION_STREAM);
        if !random.one_in(4) {
            return self;
        }
        // Of the same rows twice, those of either upload could be there before the other's.
        let is_twice = matches!(&self.uploads[..], [one, two] if one.file.text == two.file.text);
        let destination = Destination::draw(&mut random, !is_twice);
        for upload in &mut self.uploads {
            upload.file.tell_taken(&destination);
        }
        self.destination = Some(destination);
        // An invocation must have the time for a batch, with all that it waits for.
        let batch_ms = GOES_MAX * u64::from(self.policy.batch_records_max) * self.steering.step.ms;
        self.time_limit_ms = self.time_limit_ms.max(batch_ms + 15_000);
        self
    }

    /// How often a worker goes through the rows of a batch, at most.
    pub(crate) fn goes_max(&self) -> u64 {
        self.destination.as_ref().map_or(1, |_| GOES_MAX)
    }

    /// The definition that judges every file.
    pub(crate) fn definition(&self) -> String {
        let fields = if self.unique {
            UNIQUE_DEFINITION
        } else {
            DEFINITION
        };
        let clause = self.destination.as_ref().map(Destination::clause);
        fields.to_owned() + &clause.unwrap_or_default()
    }

    /// What this seed stands for, without operators, with files as they are and parts as the output.
    pub(crate) fn draw(random: &mut Random) -> Self {
        let lease_ms = random.between(3_000, 10_000);
        let shard_batches = random.between(2, 5);
        let divisors: Vec<u64> = (1..=shard_batches)
            .filter(|pages| shard_batches.is_multiple_of(*pages))
            .collect();
        let policy = Policy {
            batch_records_max: random.between(1, 7) as u32,
            shard_batches: shard_batches as u32,
            page_batches: random.pick(&divisors) as u32,
            lease_ms,
            attempts_max: random.between(1, 5) as u32,
            workers_max: random.between(1, 4) as u32,
            ..Policy::default()
        };
        let latency_ms = random.pick(&[2, 10, 10, 40, 150]);
        let wildness = random.pick(&[0, 1, 2, 2, 3, 3]);
        Self {
            policy,
            uploads: draw_uploads(random),
            versioned: random.one_in(2),
            faults: Faults::draw(random, wildness, lease_ms),
            faults_end_ms: random.between(1_000, 60_000),
            latency_ms,
            // Six times a function's time limit in production; short ones end in mid-work.
            visibility_ms: random.pick(&[2_000, 15_000, 300_000, 300_000]),
            event_retry_ms: random.between(1_000, 60_000),
            // An invocation must have the time to look through all shards before it hands over.
            time_limit_ms: random
                .pick(&[5_000, 15_000, 60_000, 300_000])
                .max(500 * latency_ms),
            window_bytes: random.between(40, 500),
            steering: Steering::default(),
            unique: false,
            destination: None,
        }
    }
}

impl Faults {
    /// The wilder, the more kinds of faults, and the more of each.
    fn draw(random: &mut Random, wildness: u64, lease_ms: u64) -> Self {
        let mut rate = |most: u64| match wildness {
            1 if random.one_in(3) => random.between(1, most),
            0 | 1 => 0,
            2 => random.between(0, most / 3),
            _ => random.between(0, most),
        };
        Self {
            crash: rate(50_000),
            freeze: rate(30_000),
            failure: rate(200_000),
            lost_response: rate(200_000),
            late_write: rate(100_000),
            repeat: rate(200_000),
            slow: rate(40_000),
            duplicate: rate(100_000),
            delay: rate(200_000),
            skew_ms: if wildness == 0 {
                0
            } else {
                random.below(lease_ms / 4)
            },
        }
    }
}

/// One upload or two; the second under its own key, over the first, or the same bytes again.
fn draw_uploads(random: &mut Random) -> Vec<Upload> {
    let count = random.pick(&[0, 6, 25, 60, 60]);
    let count = random.between(0, count);
    let first = Upload {
        at_ms: 0,
        key: "incoming/people/first.csv".to_owned(),
        file: if random.one_in(20) {
            File::unreadable(random)
        } else {
            File::draw(random, count, 1)
        },
        events_ms: draw_events(random),
    };
    if random.one_in(2) {
        return vec![first];
    }
    let count = random.between(0, 25);
    let within_ms = random.pick(&[500, 3_000, 15_000]);
    let mut second = Upload {
        at_ms: random.between(1, within_ms),
        key: first.key.clone(),
        file: File::draw(random, count, 2),
        events_ms: draw_events(random),
    };
    match random.below(4) {
        0 => "incoming/people/second.csv".clone_into(&mut second.key),
        1 => second.file = first.file.clone(),
        _ => {}
    }
    vec![first, second]
}

fn draw_events(random: &mut Random) -> Vec<u64> {
    let events = random.pick(&[1, 1, 1, 2, 3]);
    let within_ms = random.pick(&[500, 3_000, 20_000]);
    (0..events).map(|_| random.below(within_ms)).collect()
}
