//! The local adapters keep the contracts of the ports.
//!
//! The tests of a suite share one database and one folder of results, as those of the AWS adapters
//! share a table and a bucket. Both are left for a look after a failure, and replaced by the next run.

use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};
use std::{fs, io};

use async_trait::async_trait;
use batchfleet_core::ports::Source;
use batchfleet_core::source::SourceRef;
use batchfleet_local::{FileSource, FolderResults, FolderSpool, SqliteStore};
use batchfleet_testing::SourceHarness;
use bytes::Bytes;

/// An empty folder of this name for the tests of one suite.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    match fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => panic!("{error}"),
        _ => {}
    }
    fs::create_dir_all(&folder).expect("a folder");
    folder
}

mod sqlite {
    use super::{Arc, LazyLock, SqliteStore, folder};

    static STORE: LazyLock<Arc<SqliteStore>> = LazyLock::new(|| {
        let path = folder("conformance-store").join("store.sqlite");
        Arc::new(SqliteStore::open(&path).expect("a store"))
    });

    async fn make_store() -> Arc<SqliteStore> {
        Arc::clone(&STORE)
    }

    batchfleet_testing::store_conformance!(make_store);
}

mod sqlite_in_memory {
    use super::{Arc, SqliteStore};

    async fn make_store() -> Arc<SqliteStore> {
        Arc::new(SqliteStore::in_memory().expect("a store"))
    }

    batchfleet_testing::store_conformance!(make_store);
}

mod results {
    use super::{Arc, FolderResults, LazyLock, folder};

    static RESULTS: LazyLock<Arc<FolderResults>> =
        LazyLock::new(|| Arc::new(FolderResults::new(folder("conformance-results"))));

    async fn make_results() -> Arc<FolderResults> {
        Arc::clone(&RESULTS)
    }

    batchfleet_testing::results_conformance!(make_results);
}

mod spool {
    use super::{Arc, FolderSpool, LazyLock, folder};

    static SPOOL: LazyLock<Arc<FolderSpool>> =
        LazyLock::new(|| Arc::new(FolderSpool::new(folder("conformance-spool"))));

    async fn make_spool() -> Arc<FolderSpool> {
        Arc::clone(&SPOOL)
    }

    batchfleet_testing::spool_conformance!(make_spool);
}

/// Files in a folder, overwritten by being replaced, as editors and downloads do it.
struct Files {
    folder: tempfile::TempDir,
    source: Arc<FileSource>,
}

#[async_trait]
impl SourceHarness for Files {
    fn source(&self) -> Arc<dyn Source> {
        self.source.clone()
    }

    async fn put(&self, name: &str, content: Bytes) -> SourceRef {
        let path = self.folder.path().join(name);
        let beside = path.with_extension("new");
        fs::write(&beside, content).expect("written");
        fs::rename(&beside, &path).expect("renamed");
        FileSource::describe(&path).expect("a file")
    }

    async fn remove(&self, name: &str) {
        fs::remove_file(self.folder.path().join(name)).expect("removed");
    }
}

mod source {
    use super::{Arc, FileSource, Files};

    async fn make_files() -> Files {
        Files {
            folder: tempfile::tempdir().expect("a folder"),
            source: Arc::new(FileSource::new()),
        }
    }

    batchfleet_testing::source_conformance!(make_files);
}
