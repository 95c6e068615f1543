//! What the store's calls cost in write units, as DynamoDB itself reports it, and that the budget of
//! the design holds: publish + ticket + claim + complete at 4 units a batch at most.

mod embedded;
mod support;

use std::sync::Arc;

use batchfleet_aws::dynamo::{DynamoStore, Metering, Units};
use batchfleet_aws::s3::S3Source;
use batchfleet_core::batch::{BatchKey, Completion, Lease, Publication, ShardTotals, Written};
use batchfleet_core::checksum::FileSum;
use batchfleet_core::ids::{JobId, OwnerId};
use batchfleet_core::job::{
    Checkpoint, CodeCounts, Counts, Ending, Layout, NewJob, PlanTotals, Policy, PreparerHold,
};
use batchfleet_core::plan::PlanPage;
use batchfleet_core::ports::{ClaimOutcome, PreparerOutcome, Source, Store, TicketOutcome};
use batchfleet_core::source::SourceRef;
use batchfleet_definition::Code;
use batchfleet_grammar::{BatchRange, Dialect, Position};

const BATCHES: u32 = 50;
const PAGE: u32 = 25;
const LEASE_MS: u64 = 60_000;

fn source() -> SourceRef {
    SourceRef {
        bucket: "batchfleet-uploads-123456789012-eu-central-1".to_owned(),
        key: "incoming/people/2026/06/30/an-ordinary-name.csv".to_owned(),
        version: Some("096fKKXTRTtl3on89fVO.nfljtsv6qko".to_owned()),
        etag: "d41e8c8f7a0b5c6d9e3f2a1b4c5d6e7f".to_owned(),
        sequencer: Some("0055AED6DCD90281E5".to_owned()),
        size: 10_000_000_000,
        attempt: 0,
        redrive: None,
    }
}

fn new_job() -> NewJob {
    NewJob {
        id: source().job_id(),
        source: source(),
        definition_name: "people".to_owned(),
        definition_text: "columns: []\n".to_owned(),
        policy: Policy::default(),
        created_ms: 1_000,
    }
}

/// A page of batches deep inside a large file, where numbers are long.
fn page(first: u32) -> PlanPage {
    let range = |index: u64| BatchRange {
        index,
        start: 9_000_000_000 + index * 300_000,
        end: 9_000_000_000 + (index + 1) * 300_000,
        first_record: index * 5_000,
        records: 5_000,
        first_line: index * 5_003,
        oversize: false,
        footer: 0,
    };
    PlanPage {
        ranges: (first..first + PAGE).map(u64::from).map(range).collect(),
    }
}

fn completion() -> Completion {
    let counts = Counts {
        records: 5_000,
        accepted: 4_900,
        rejected: 90,
        skipped: 10,
    };
    Completion {
        failed: false,
        counts,
        bytes: 300_000,
        codes: CodeCounts::from([(Code::TypeMismatch, 90)]),
        warned: 12,
        warnings: CodeCounts::from([(Code::Length, 12)]),
        written: Some(Written {
            part: Some(FileSum::of(b"part")),
        }),
    }
}

struct Metered {
    store: DynamoStore,
    metering: Arc<Metering>,
    job: JobId,
}

impl Metered {
    async fn new() -> Self {
        let clients = embedded::clients().await;
        let store = DynamoStore::builder(clients.dynamodb, support::TABLE)
            .metering(true)
            .build();
        let metering = store.metering();
        store.create(&new_job()).await.expect("the store");
        Self {
            store,
            metering,
            job: new_job().id,
        }
    }

    fn taken(&self) -> Units {
        self.metering.take().expect("the store")
    }

    async fn hold(&self) -> PreparerHold {
        let owner = OwnerId::from_random(1);
        match self
            .store
            .take_preparer(&self.job, &owner, 1_000, 61_000)
            .await
            .expect("the store")
        {
            PreparerOutcome::Granted(hold, _) => hold,
            other => panic!("{other:?}"),
        }
    }

    async fn plan(&self, hold: &PreparerHold) {
        let layout = Layout {
            dialect: Dialect::default(),
            header: vec!["name".to_owned()],
            data: Position {
                offset: 5,
                record: 0,
                line: 2,
            },
            spool: None,
        };
        self.store
            .put_layout(&self.job, &layout)
            .await
            .expect("the store");
        let pages: Vec<PlanPage> = (0..BATCHES).step_by(PAGE as usize).map(page).collect();
        self.store
            .write_pages(&self.job, 0, 0, &pages)
            .await
            .expect("the store");
        let publication = Publication {
            published: BATCHES,
            start: 5,
            end: 10_000,
            sealed: true,
        };
        self.store
            .publish(&self.job, 0, &publication)
            .await
            .expect("the store");
        let next = Position {
            offset: 10_000,
            record: 250_000,
            line: 250_002,
        };
        let checkpoint = Checkpoint {
            next,
            next_batch: 50,
            messages: 50,
            fruitless: 2,
        };
        self.store
            .checkpoint(hold, &checkpoint, 0)
            .await
            .expect("the store");
    }

    async fn claim(&self, slot: u32) -> Lease {
        let key = BatchKey {
            job: self.job.clone(),
            shard: 0,
            slot,
        };
        let owner = OwnerId::from_random(u64::from(slot));
        match self
            .store
            .claim(&key, &owner, 1_000, 1_000 + LEASE_MS)
            .await
            .expect("the store")
        {
            ClaimOutcome::Claimed(lease) => lease,
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_stays_within_its_budget_of_write_units() {
    let metered = Metered::new().await;
    let Metered { store, job, .. } = &metered;
    assert_eq!(
        metered.taken().other,
        8,
        "creating: a transaction of four small items"
    );

    let hold = metered.hold().await;
    assert_eq!(metered.taken().other, 1);

    metered.plan(&hold).await;
    let planned = metered.taken();
    assert_eq!(
        planned.publish, 7,
        "two pages, one publication (a transaction of two items), one checkpoint"
    );
    assert_eq!(planned.other, 1, "the layout");

    for _ in 0..BATCHES / 5 {
        let taken = store.take_tickets(job, 0, 5, BATCHES).await.unwrap();
        assert!(matches!(taken, TicketOutcome::Taken(_)));
    }
    let taken = metered.taken();
    assert_eq!(taken.ticket, 10);

    for slot in 0..BATCHES {
        let lease = metered.claim(slot).await;
        store.complete(&lease, &completion()).await.unwrap();
    }
    let worked = metered.taken();
    assert_eq!((worked.claim, worked.complete), (50, 50));
    assert!(worked.read < 0.5, "winning needs no read");

    let units = planned.publish + taken.ticket + worked.claim + worked.complete;
    let a_batch = units as f64 / f64::from(BATCHES);
    assert!(a_batch <= 4.0, "{a_batch} write units a batch");
    println!("{a_batch} write units a batch");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn losing_costs_one_unit_and_no_read() {
    let metered = Metered::new().await;
    let hold = metered.hold().await;
    metered.plan(&hold).await;
    let lease = metered.claim(0).await;
    metered.taken();

    let rival = OwnerId::from_random(9);
    let lost = metered
        .store
        .claim(&lease.key, &rival, 2_000, 3_000)
        .await
        .unwrap();
    assert_eq!(lost, ClaimOutcome::HeldUntil(61_000));
    let cost = metered.taken();
    assert_eq!((cost.claim, cost.unmet, cost.read), (1, 1, 0.0));

    metered.store.heartbeat(&lease, 70_000).await.unwrap();
    metered.store.release(&lease).await.unwrap();
    let cost = metered.taken();
    assert_eq!((cost.heartbeat, cost.release), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closing_is_paid_by_the_shard() {
    let metered = Metered::new().await;
    let Metered { store, job, .. } = &metered;
    let hold = metered.hold().await;
    metered.plan(&hold).await;
    let totals = PlanTotals {
        shards: 1,
        batches: 50,
        ..PlanTotals::default()
    };
    metered.taken();

    store.mark_prepared(&hold, &totals).await.unwrap();
    assert_eq!(metered.taken().other, 4, "a transaction of two small items");
    for slot in 0..BATCHES {
        let lease = metered.claim(slot).await;
        store.complete(&lease, &completion()).await.unwrap();
    }
    metered.taken();
    store.sweep(job, 0).await.unwrap();
    let swept = metered.taken();
    assert!(
        swept.read <= 6.0,
        "{} read units for 50 batches",
        swept.read
    );
    store
        .close_shard(job, 0, &ShardTotals::default())
        .await
        .unwrap();
    assert_eq!(metered.taken().close, 4);
    store
        .finalize(job, &Ending::Completed, 5_000)
        .await
        .unwrap();
    store.clear_outbox(job).await.unwrap();
    assert_eq!(
        metered.taken().other,
        3,
        "the ending, the mark, and the item among the open jobs"
    );
}

/// Whoever forges a message chooses the version and the `ETag` that are asked for: neither becomes a
/// header or a parameter of its own, nor is it tried again and again.
#[tokio::test]
async fn a_forged_pin_stays_a_value() {
    let s3 = S3Source::new(embedded::clients().await.s3);
    for (version, etag) in [
        (None, "e\r\nx-amz-acl: public-read"),
        (None, "e\0"),
        (Some("v&response-content-type=text/html"), "e"),
        (Some("v\r\nHost: elsewhere"), "e"),
    ] {
        let forged = SourceRef {
            version: version.map(str::to_owned),
            etag: etag.to_owned(),
            ..source()
        };
        // The server knows no S3: what reaches it is refused too.
        let error = s3.read(&forged, 0..10).await.unwrap_err();
        assert!(!error.is_retryable(), "{version:?} {etag:?}: {error:?}");
    }
}
