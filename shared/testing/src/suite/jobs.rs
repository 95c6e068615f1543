//! What is written once, and that it reads back exactly: jobs, snapshots, layouts, pages.

use std::sync::Arc;

use batchfleet_core::batch::{Completion, Publication, ShardTotals};
use batchfleet_core::job::{
    Checkpoint, CodeCounts, Counts, Ending, Job, JobStatus, Layout, NewJob, PlanTotals, Policy,
};
use batchfleet_core::plan::PlanPage;
use batchfleet_core::ports::{
    CloseOutcome, CompleteOutcome, CreateOutcome, FinalizeOutcome, Held, PreparerOutcome, Snapshot,
    Store,
};
use batchfleet_core::source::{Redrive, Redriven, SourceRef};
use batchfleet_core::spool::SpoolLayout;
use batchfleet_decode::{Container, Format, Json, JsonForm, LateKeys};
use batchfleet_definition::{Code, Tolerated};
use batchfleet_grammar::{BatchRange, Dialect, Position};

use super::fixture::{
    LEASE, NOW, batch, claim, completion, created, job, key, layout, new_job, owner, page, planned,
    prepare, publication, shard, sweep,
};

/// The first whole number that a 64-bit float cannot hold.
const NO_FLOAT: u64 = (1 << 53) + 1;
/// Nearly the largest number of a signed 64-bit integer.
const HUGE: u64 = (1 << 62) + 3;

/// Every field of a job and its snapshot.
pub async fn a_job_reads_back_as_it_was_created(store: Arc<dyn Store>) {
    let source = SourceRef {
        version: Some("3/L4kqtJlcpXroDTDmJ+rmSpXd3dIbrHY".into()),
        sequencer: None,
        key: format!("incoming/people/Größe \"1\" + 2 – {}.csv", owner().as_str()),
        size: HUGE,
        attempt: 3,
        redrive: Some(Redrive {
            of: new_job().id,
            what: Redriven::Rejected,
        }),
        ..new_job().source
    };
    let policy = Policy {
        batch_records_max: 1,
        batch_bytes_max: NO_FLOAT,
        shard_batches: 250,
        page_batches: 5,
        lease_ms: 7_000,
        attempts_max: 2,
        workers_max: 1_000,
        tolerated: Some(Tolerated {
            count: Some(NO_FLOAT),
            share: Some(1),
        }),
    };
    let new = NewJob {
        id: source.job_id(),
        source: source.clone(),
        definition_name: "people.v2".into(),
        definition_text: "# Définition\nfields:\n  id: {type: integer}\n".into(),
        policy,
        created_ms: NOW + 1,
    };
    let outcome = store.create(&new).await.expect("create");
    assert_eq!(outcome, CreateOutcome::Created);

    let expected = Job {
        id: new.id.clone(),
        status: JobStatus::Preparing,
        source,
        definition_name: "people.v2".into(),
        policy,
        created_ms: NOW + 1,
        plan: None,
        shards_closed: 0,
        closed: Counts::default(),
        closed_bytes: 0,
        finished_ms: None,
        reason: None,
        outbox: false,
        throttle: None,
        paused_ms: None,
    };
    assert_eq!(job(&*store, &new.id).await, expected);
    let expected = Snapshot {
        definition_text: new.definition_text,
        layout: None,
    };
    let snapshot = store.snapshot(&new.id).await.expect("snapshot");
    assert_eq!(snapshot, Some(expected));
}

/// A second creation finds the first, and changes nothing of it.
pub async fn a_job_is_created_once(store: Arc<dyn Store>) {
    let first = new_job();
    let outcome = store.create(&first).await.expect("create");
    assert_eq!(outcome, CreateOutcome::Created);

    let second = NewJob {
        definition_name: "other".into(),
        definition_text: "another text".into(),
        created_ms: NOW + 1_000,
        ..first.clone()
    };
    let outcome = store.create(&second).await.expect("create again");
    assert_eq!(outcome, CreateOutcome::Exists);

    let kept = job(&*store, &first.id).await;
    assert_eq!(
        (kept.definition_name.as_str(), kept.created_ms),
        ("people", NOW)
    );
    let snapshot = store.snapshot(&first.id).await.expect("snapshot");
    let text = snapshot.map(|snapshot| snapshot.definition_text);
    assert_eq!(text, Some(first.definition_text));
}

/// Reading what nobody wrote is no error.
pub async fn what_was_never_written_is_none(store: Arc<dyn Store>) {
    let unknown = new_job().id;
    assert_eq!(store.job(&unknown).await.expect("job"), None);
    assert_eq!(store.snapshot(&unknown).await.expect("snapshot"), None);

    for job in [unknown, created(&*store).await] {
        assert_eq!(store.shard(&job, 0).await.expect("shard"), None);
        assert_eq!(store.sweep(&job, 0).await.expect("sweep"), None);
        assert_eq!(store.page(&job, 0, 0).await.expect("page"), None);
        assert_eq!(store.pages(&job, 0).await.expect("pages"), []);
    }
}

/// A definition of 200,000 bytes, not all of them ASCII.
pub async fn a_long_definition_reads_back(store: Arc<dyn Store>) {
    let mut text = "# Größe\t\"x\"\\ \u{1f980}\r\n".repeat(8_000);
    text.truncate(200_000);
    let new = NewJob {
        definition_text: text.clone(),
        ..new_job()
    };
    store.create(&new).await.expect("create");
    let snapshot = store.snapshot(&new.id).await.expect("snapshot");
    assert!(snapshot.is_some_and(|snapshot| snapshot.definition_text == text));
}

/// The first layout stays, with every cell of the header as it was.
pub async fn a_layout_is_kept_once(store: Arc<dyn Store>) {
    let job = created(&*store).await;
    let first = Layout {
        dialect: Dialect::new(b';', None),
        header: ["", " id ", "größe", "a\"b", "two\nlines", "\u{1f980}"]
            .map(String::from)
            .to_vec(),
        data: Position {
            offset: 61,
            record: 0,
            line: 4,
        },
        spool: Some(SpoolLayout {
            part_bytes: 8 << 20,
            format: Format {
                container: Some(Container::Gzip),
                encoding: Some("UTF-16LE".to_owned()),
                json: Some(Json {
                    form: JsonForm::Array,
                    late_keys: LateKeys::Ignore,
                }),
            },
        }),
    };
    store.put_layout(&job, &first).await.expect("put layout");
    store.put_layout(&job, &layout()).await.expect("put again");
    let snapshot = store.snapshot(&job).await.expect("snapshot");
    assert_eq!(snapshot.and_then(|snapshot| snapshot.layout), Some(first));
}

/// 40 pages of a shard, written in groups and not in order, and a short page in another shard.
pub async fn pages_read_back_in_order(store: Arc<dyn Store>) {
    let job = created(&*store).await;
    let all: Vec<PlanPage> = (0..40).map(|number| page(number * 25, 25)).collect();
    for (from, to) in [(26, 40), (0, 1), (1, 26)] {
        let first = u32::try_from(from).expect("a page's number");
        let written = store.write_pages(&job, 0, first, &all[from..to]).await;
        written.expect("write pages");
    }
    let short = page(1_000, 3);
    let written = store.write_pages(&job, 1, 0, std::slice::from_ref(&short));
    written.await.expect("write a short page");

    assert_eq!(store.pages(&job, 0).await.expect("pages"), all);
    let read = store.pages(&job, 1).await.expect("pages");
    assert_eq!(read, std::slice::from_ref(&short));
    for number in [0, 9, 10, 39] {
        let read = store.page(&job, 0, number).await.expect("page");
        assert_eq!(read.as_ref(), Some(&all[number as usize]), "page {number}");
    }
    assert_eq!(store.page(&job, 0, 40).await.expect("page"), None);
    assert_eq!(store.page(&job, 1, 0).await.expect("page"), Some(short));
}

/// The same shards and slots of two jobs are different items.
pub async fn jobs_do_not_see_one_another(store: Arc<dyn Store>) {
    let one = planned(&*store, 1, 2).await;
    let other = planned(&*store, 1, 2).await;
    let lease = claim(&*store, &key(&one, 0), NOW).await;
    let completed = store.complete(&lease, &completion()).await;
    assert_eq!(completed.expect("complete"), CompleteOutcome::Completed);
    store
        .write_pages(&one, 0, 0, &[page(0, 2)])
        .await
        .expect("write pages");
    let closed = store.close_shard(&one, 0, &ShardTotals::default()).await;
    assert_eq!(closed.expect("close shard"), CloseOutcome::Closed);

    assert!(sweep(&*store, &other, 0).await.batches.is_empty());
    assert_eq!(store.pages(&other, 0).await.expect("pages"), []);
    assert!(!shard(&*store, &other, 0).await.closed);
    assert_eq!(job(&*store, &other).await.shards_closed, 0);
}

/// Sizes, offsets, counts and times are whole numbers of 63 bits, in every item and in every sum.
pub async fn large_numbers_read_back_exactly(store: Arc<dyn Store>) {
    let new = NewJob {
        created_ms: NO_FLOAT,
        ..new_job()
    };
    store.create(&new).await.expect("create");
    let id = &new.id;

    let range = BatchRange {
        index: NO_FLOAT,
        start: HUGE,
        end: HUGE + NO_FLOAT,
        first_record: NO_FLOAT + 2,
        records: NO_FLOAT,
        first_line: NO_FLOAT + 4,
        oversize: true,
        footer: 0,
    };
    let pages = [PlanPage {
        ranges: vec![range],
    }];
    let written = store.write_pages(id, 0, 0, &pages).await;
    written.expect("write pages");
    assert_eq!(store.pages(id, 0).await.expect("pages"), pages);

    let wide = Publication {
        published: 1,
        start: NO_FLOAT,
        end: HUGE,
        sealed: true,
    };
    store.publish(id, 0, &wide).await.expect("publish");
    let next = Publication {
        start: HUGE,
        end: HUGE + 2,
        ..publication(1, true)
    };
    store.publish(id, 1, &next).await.expect("publish");
    let kept = shard(&*store, id, 0).await;
    assert_eq!((kept.start, kept.end), (NO_FLOAT, HUGE));

    large_batch(&*store, id).await;
    large_job(&*store, id).await;
    assert_eq!(job(&*store, id).await.created_ms, NO_FLOAT);
}

/// A claim and its completion.
async fn large_batch(store: &dyn Store, id: &batchfleet_core::ids::JobId) {
    let lease = claim(store, &key(id, 0), HUGE).await;
    let leased = batch(store, &key(id, 0)).await;
    assert_eq!(leased.lease_until_ms, HUGE + LEASE);

    let done = Completion {
        failed: false,
        counts: large_counts(),
        bytes: HUGE,
        codes: CodeCounts::from([(Code::Required, NO_FLOAT), (Code::TypeMismatch, HUGE)]),
        ..Completion::default()
    };
    let completed = store.complete(&lease, &done).await.expect("complete");
    assert_eq!(completed, CompleteOutcome::Completed);
    let item = batch(store, &key(id, 0)).await;
    assert_eq!(item.completion, Some(done));
}

fn large_counts() -> Counts {
    Counts {
        records: NO_FLOAT + 6,
        accepted: NO_FLOAT,
        rejected: 4,
        skipped: 2,
    }
}

/// The checkpoint, the plan's totals, the sums of two shards, the end.
async fn large_job(store: &dyn Store, id: &batchfleet_core::ids::JobId) {
    let hold = prepare(store, id).await;
    let checkpoint = Checkpoint {
        next: Position {
            offset: HUGE,
            record: NO_FLOAT,
            line: NO_FLOAT + 2,
        },
        next_batch: NO_FLOAT + 4,
        messages: u32::MAX,
        fruitless: 2,
    };
    let kept = store.checkpoint(&hold, &checkpoint, 0).await;
    assert_eq!(kept.expect("checkpoint"), Held::Kept);
    let taken = store.take_preparer(id, &owner(), HUGE, HUGE + 2).await;
    let Ok(PreparerOutcome::Granted(hold, Some(read))) = taken else {
        panic!("{taken:?}");
    };
    assert_eq!(read, checkpoint);

    let totals = PlanTotals {
        shards: 2,
        batches: NO_FLOAT,
        records: NO_FLOAT + 2,
        data_start: NO_FLOAT + 4,
        data_end: HUGE,
        prepared_ms: HUGE + 2,
        malformed: NO_FLOAT,
        late_keys: HUGE,
    };
    let marked = store.mark_prepared(&hold, &totals).await;
    assert_eq!(marked.expect("mark prepared"), Held::Kept);
    for number in 0..2 {
        let sums = ShardTotals {
            counts: large_counts(),
            bytes: NO_FLOAT + 2,
            failed_batches: number,
        };
        let closed = store.close_shard(id, number, &sums).await;
        assert_eq!(closed.expect("close shard"), CloseOutcome::Closed);
        assert_eq!(shard(store, id, number).await.totals, Some(sums));
    }
    let ended = store.finalize(id, &Ending::Completed, HUGE).await;
    assert_eq!(ended.expect("finalize"), FinalizeOutcome::Won);

    let over = job(store, id).await;
    let mut sums = large_counts();
    sums += large_counts();
    assert_eq!((over.plan, over.closed), (Some(totals), sums));
    assert_eq!(over.closed_bytes, 2 * (NO_FLOAT + 2));
    assert_eq!(over.finished_ms, Some(HUGE));
}
