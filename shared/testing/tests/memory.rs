//! The memory adapters keep the contracts of the ports, like every other adapter.

use std::sync::Arc;

use async_trait::async_trait;
use batchfleet_core::ports::Source;
use batchfleet_core::source::SourceRef;
use batchfleet_testing::{MemoryResults, MemorySource, MemoryStore, SourceHarness};
use bytes::Bytes;

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
