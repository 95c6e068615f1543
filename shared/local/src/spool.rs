//! A folder as the spool: the parts and marks of a job are under `OUT/<job>/spool/` until it is over.
//!
//! They are brought to the disk like results, since the store remembers that they are there.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use batchfleet_core::PortResult;
use batchfleet_core::ids::JobId;
use batchfleet_core::ports::Spool;
use bytes::Bytes;

use crate::folder::Unfinished;
use crate::{blocking, io_error, refuse_link};

/// The spool of the jobs in a folder.
#[derive(Clone, Debug)]
pub struct FolderSpool {
    out: PathBuf,
}

impl FolderSpool {
    /// Parts under `out`, which is made when the first is written.
    #[must_use]
    pub fn new(out: impl Into<PathBuf>) -> Self {
        Self { out: out.into() }
    }

    /// The folder of a job's parts. A link in its place, or in that of the job's folder, is refused.
    fn folder(&self, job: &JobId) -> PortResult<PathBuf> {
        let job = self.out.join(job.as_str());
        let folder = job.join("spool");
        for path in [&job, &folder] {
            refuse_link(path).map_err(|error| io_error("find the spool", path, error))?;
        }
        Ok(folder)
    }

    fn part(&self, job: &JobId, part: u64) -> PortResult<PathBuf> {
        self.file(job, &format!("part-{part:09}"))
    }

    fn marks_of(&self, job: &JobId, batch: u64) -> PortResult<PathBuf> {
        self.file(job, &format!("marks-{batch:09}"))
    }

    fn file(&self, job: &JobId, name: &str) -> PortResult<PathBuf> {
        let path = self.folder(job)?.join(name);
        refuse_link(&path).map_err(|error| io_error("find a file of the spool", &path, error))?;
        Ok(path)
    }
}

#[async_trait]
impl Spool for FolderSpool {
    async fn put(&self, job: &JobId, part: u64, bytes: Bytes) -> PortResult<()> {
        let path = self.part(job, part)?;
        blocking("write spool", move || {
            let action = "write spool";
            Unfinished::write(action, &path, &bytes)?.replace(action, &path)
        })
        .await
    }

    async fn read(&self, job: &JobId, part: u64, range: Range<u64>) -> PortResult<Option<Bytes>> {
        let path = self.part(job, part)?;
        blocking("read spool", move || read(&path, range)).await
    }

    async fn put_marks(&self, job: &JobId, batch: u64, bytes: Bytes) -> PortResult<()> {
        let path = self.marks_of(job, batch)?;
        blocking("write marks", move || {
            let action = "write marks";
            Unfinished::write(action, &path, &bytes)?.replace(action, &path)
        })
        .await
    }

    async fn marks(&self, job: &JobId, batch: u64) -> PortResult<Option<Bytes>> {
        let path = self.marks_of(job, batch)?;
        blocking("read marks", move || match fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes.into())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(io_error("read marks", &path, error)),
        })
        .await
    }

    async fn clear(&self, job: &JobId) -> PortResult<()> {
        let folder = self.folder(job)?;
        blocking("clear spool", move || match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(io_error("clear spool", &folder, error))
            }
            _ => Ok(()),
        })
        .await
    }
}

fn read(path: &Path, range: Range<u64>) -> PortResult<Option<Bytes>> {
    let failed = |error| io_error("read spool", path, error);
    let file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        other => other.map_err(failed)?,
    };
    let mut bytes = vec![0; range.end.saturating_sub(range.start) as usize];
    file.read_exact_at(&mut bytes, range.start)
        .map_err(failed)?;
    Ok(Some(bytes.into()))
}
