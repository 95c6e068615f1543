//! The memory adapters keep the contracts of the ports, like every other adapter.

use std::sync::Arc;

use async_trait::async_trait;
use batchfleet_core::exact::ExactNumber;
use batchfleet_core::ids::JobId;
use batchfleet_core::ports::{FoundLookup, KeyValue, Lookup, LookupKey, Lookups, Sink, Source};
use batchfleet_core::source::SourceRef;
use batchfleet_definition::Definition;
use batchfleet_testing::{
    LookupHarness, MemoryResults, MemorySink, MemorySource, MemorySpool, MemoryStore, MemoryTables,
    SinkHarness, SourceHarness,
};
use bytes::Bytes;
use serde_json::Value;

mod store {
    use super::{Arc, MemoryStore};

    async fn make_store() -> Arc<MemoryStore> {
        Arc::new(MemoryStore::new())
    }

    batchfleet_testing::store_conformance!(make_store);
}

mod results {
    use super::{Arc, MemoryResults};

    async fn make_results() -> Arc<MemoryResults> {
        Arc::new(MemoryResults::new())
    }

    batchfleet_testing::results_conformance!(make_results);
}

mod spool {
    use super::{Arc, MemorySpool};

    async fn make_spool() -> Arc<MemorySpool> {
        Arc::new(MemorySpool::new())
    }

    batchfleet_testing::spool_conformance!(make_spool);
}

struct Bucket(Arc<MemorySource>);

#[async_trait]
impl SourceHarness for Bucket {
    fn source(&self) -> Arc<dyn Source> {
        self.0.clone()
    }

    async fn put(&self, name: &str, content: Bytes) -> SourceRef {
        self.0.put("uploads", name, content)
    }

    async fn remove(&self, name: &str) {
        self.0.remove("uploads", name);
    }
}

mod source {
    use super::{Arc, Bucket, MemorySource};

    async fn make_bucket() -> Bucket {
        Bucket(Arc::new(MemorySource::new()))
    }

    batchfleet_testing::source_conformance!(make_bucket);
}

mod versioned_source {
    use super::{Arc, Bucket, MemorySource};

    async fn make_bucket() -> Bucket {
        Bucket(Arc::new(MemorySource::versioned()))
    }

    batchfleet_testing::source_conformance!(make_bucket);
}

struct Destination(Arc<MemorySink>);

impl Destination {
    fn new() -> Self {
        let sink = MemorySink::new();
        sink.refuse("\"poison\"", u32::MAX);
        Self(Arc::new(sink))
    }
}

#[async_trait]
impl SinkHarness for Destination {
    fn sink(&self) -> Arc<dyn Sink> {
        self.0.clone()
    }

    async fn read(&self, job: &JobId, id: i64) -> Option<Value> {
        let rows = self.0.rows(job);
        let rows = rows.values().map(|row| serde_json::from_slice(row));
        let mut row: Value = rows
            .map(Result::unwrap)
            .find(|row: &Value| row["id"] == id)?;
        row.as_object_mut()?.retain(|_, value| !value.is_null());
        Some(row)
    }

    fn spoil(&self, row: &mut Value) {
        row["poison"] = Value::Bool(true);
    }
}

mod sink {
    use super::Destination;

    async fn make_destination() -> Destination {
        Destination::new()
    }

    batchfleet_testing::sink_conformance!(make_destination);
}

mod sink_that_tells_each {
    use super::Destination;

    async fn make_destination() -> Destination {
        let destination = Destination::new();
        destination.0.tell_each();
        destination
    }

    batchfleet_testing::sink_conformance!(make_destination);
}

struct Table {
    tables: MemoryTables,
    lookup: Arc<dyn Lookup>,
}

#[async_trait]
impl LookupHarness for Table {
    fn lookup(&self) -> Arc<dyn Lookup> {
        Arc::clone(&self.lookup)
    }

    async fn write(&self, number: &str, text: &str) {
        let key = LookupKey(vec![
            KeyValue::Number(ExactNumber::parse(number).expect("a number")),
            KeyValue::Text(text.to_owned()),
        ]);
        self.tables.put("people", [key]);
    }
}

mod lookup {
    use super::{Definition, FoundLookup, Lookups, MemoryTables, Table};

    async fn make_table() -> Table {
        let tables = MemoryTables::new();
        tables.put("people", []);
        let definition = Definition::parse(
            "fields: [{ name: id, type: decimal }, { name: email }]\n\
             duplicates_of: [{ table: people, key: { id: id, email: email } }]\n",
        );
        let definition = definition.expect("a definition");
        let found = tables
            .lookup(&definition.duplicates_of()[0])
            .await
            .expect("the tables");
        let FoundLookup::Lookup(lookup) = found else {
            panic!("the table exists");
        };
        Table { tables, lookup }
    }

    batchfleet_testing::lookup_conformance!(make_table);
}
