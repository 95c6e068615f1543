//! tmp
use std::sync::Arc;
use batchfleet_core::job::Policy;
use batchfleet_core::ports::*;
use batchfleet_core::prepare::Preparer;
use batchfleet_testing::*;
#[tokio::test]
async fn seal() {
    for rows in [49u32, 50, 51, 100] {
        let store = Arc::new(MemoryStore::new());
        let source = Arc::new(MemorySource::new());
        let defs = MemoryDefinitions::new();
        defs.insert("people", "version: 1\nfields:\n  id: {type: integer}\n");
        let clock = Arc::new(ManualClock::new(1_000));
        let mut text = String::from("id\n");
        for n in 0..rows { text.push_str(&format!("{n}\n")); }
        let src = source.put("b", "incoming/people/x.csv", text);
        let p = Preparer { store: store.clone(), source, definitions: Arc::new(defs), results: Arc::new(MemoryResults::new()),
            queue: Arc::new(MemoryQueue::new(clock.clone())), clock, ids: Arc::new(SequenceIds::new(1)),
            batch_records: None, window_bytes: 1 << 20,
            policy: Policy { batch_records_max: 2, page_batches: 5, shard_batches: 20, ..Policy::default() } };
        let out = p.prepare(&src, None).await.unwrap();
        println!("{rows}: {out:?}");
        let job = src.job_id();
        if let Some(j) = store.job(&job).await.unwrap() { println!("   {:?} {:?} {:?}", j.status, j.plan, j.reason); }
        for s in 0..4 { if let Some(v) = store.sweep(&job, s).await.unwrap() { println!("   shard {s}: published {} sealed {}", v.shard.published, v.shard.sealed); } }
    }
}
