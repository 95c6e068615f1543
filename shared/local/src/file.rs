//! A file as the source of a job, pinned by what tells it from any other: its size, the time of its
//! last change, and its inode.
//!
//! Every read looks at the path again after it has its bytes, so that a file that was written to or
//! replaced under the running job is noticed before a byte of it is used (I5). What it can't notice
//! is a change within the granularity of the file system's clock (a few milliseconds) that keeps
//! the size.

use std::collections::HashMap;
use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind};
use std::ops::Range;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use batchfleet_core::ports::Source;
use batchfleet_core::source::SourceRef;
use batchfleet_core::{PortError, PortResult};
use bytes::Bytes;

use crate::{blocking, io_error};

/// The bucket of a reference to a file.
const BUCKET: &str = "file";

/// Why a file is no source, as one sentence for people.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// Nothing there.
    #[error("there is no file {}", path.display())]
    Missing {
        /// The path as given.
        path: PathBuf,
    },
    /// A folder.
    #[error("{} is a folder; give the path of a CSV file in it", path.display())]
    Folder {
        /// The path as given.
        path: PathBuf,
    },
    /// A pipe, a device, a socket.
    #[error("{} is not a regular file, and a job reads its file more than once; save it to a file first", path.display())]
    NotRegular {
        /// The path as given.
        path: PathBuf,
    },
    /// Not ours to read.
    #[error("no permission to read {}", path.display())]
    Denied {
        /// The path as given.
        path: PathBuf,
    },
    /// A path that is not UTF-8 can't be kept with the job.
    #[error("the path {} is not UTF-8; rename the file", path.display())]
    NotUnicode {
        /// The absolute path.
        path: PathBuf,
    },
    /// Anything else.
    #[error("cannot read {}", path.display())]
    Io {
        /// The path as given.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

/// Reads files by ranges; no file is ever loaded whole.
#[derive(Debug, Default)]
pub struct FileSource {
    /// The opened files by what they were opened for.
    open: Arc<Mutex<HashMap<SourceKey, Arc<File>>>>,
}

type SourceKey = (String, String);

impl FileSource {
    /// A reader of files.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The reference to a file as it is now.
    ///
    /// # Errors
    /// [`FileError`] where it can't be a source.
    pub fn describe(path: &Path) -> Result<SourceRef, FileError> {
        let failed = |source: io::Error| {
            let path = path.to_owned();
            match source.kind() {
                ErrorKind::NotFound => FileError::Missing { path },
                ErrorKind::PermissionDenied => FileError::Denied { path },
                _ => FileError::Io { path, source },
            }
        };
        let absolute = fs::canonicalize(path).map_err(failed)?;
        let metadata = fs::metadata(&absolute).map_err(failed)?;
        if metadata.is_dir() {
            return Err(FileError::Folder {
                path: path.to_owned(),
            });
        }
        if !metadata.is_file() {
            return Err(FileError::NotRegular {
                path: path.to_owned(),
            });
        }
        File::open(&absolute).map_err(failed)?;
        match absolute.into_os_string().into_string() {
            Ok(key) => Ok(SourceRef {
                bucket: BUCKET.into(),
                key,
                version: None,
                etag: etag(&metadata),
                sequencer: None,
                size: metadata.len(),
                attempt: 0,
                redrive: None,
            }),
            Err(path) => Err(FileError::NotUnicode { path: path.into() }),
        }
    }
}

/// What tells this file, as it is, from any other and from itself after a change.
fn etag(metadata: &Metadata) -> String {
    let nanoseconds =
        i128::from(metadata.mtime()) * 1_000_000_000 + i128::from(metadata.mtime_nsec());
    format!("{}-{nanoseconds}-{}", metadata.len(), metadata.ino())
}

#[async_trait]
impl Source for FileSource {
    async fn read(&self, source: &SourceRef, range: Range<u64>) -> PortResult<Bytes> {
        if range.start > range.end || range.end > source.size {
            let cause = format!("{range:?} of {} bytes", source.size);
            return Err(PortError::refused(ACTION, cause));
        }
        let (open, source) = (Arc::clone(&self.open), source.clone());
        blocking(ACTION, move || read(&open, &source, &range)).await
    }
}

const ACTION: &str = "read source file";

fn read(
    open: &Mutex<HashMap<SourceKey, Arc<File>>>,
    source: &SourceRef,
    range: &Range<u64>,
) -> PortResult<Bytes> {
    let path = Path::new(&source.key);
    let file = opened(open, source)?;
    let mut bytes = vec![0; (range.end - range.start) as usize];
    let read = file.read_exact_at(&mut bytes, range.start);
    // Looked at afterwards: whatever changed the file before or during the read shows now. The path,
    // not the open file, because a file that was replaced is unchanged where nobody finds it.
    check(fs::metadata(path), source)?;
    read.map_err(|error| io_error(ACTION, path, error))?;
    Ok(bytes.into())
}

/// The pinned file, kept open after the first read.
fn opened(
    open: &Mutex<HashMap<SourceKey, Arc<File>>>,
    source: &SourceRef,
) -> PortResult<Arc<File>> {
    let key = (source.key.clone(), source.etag.clone());
    let mut open = open.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(file) = open.get(&key) {
        return Ok(Arc::clone(file));
    }
    let path = Path::new(&source.key);
    let file = match File::open(path) {
        Ok(file) => Arc::new(file),
        Err(error) => return Err(gone_or_failed(path, error)),
    };
    check(file.metadata(), source)?;
    open.insert(key, Arc::clone(&file));
    Ok(file)
}

fn check(metadata: io::Result<Metadata>, source: &SourceRef) -> PortResult<()> {
    match metadata {
        Ok(metadata) if etag(&metadata) == source.etag => Ok(()),
        Ok(_) => Err(PortError::SourceChanged),
        Err(error) => Err(gone_or_failed(Path::new(&source.key), error)),
    }
}

fn gone_or_failed(path: &Path, error: io::Error) -> PortError {
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => PortError::SourceChanged,
        _ => io_error(ACTION, path, error),
    }
}
