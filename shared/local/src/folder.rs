//! A folder of results: each job's files under a folder of its id.
//!
//! Every file is written beside its place under a temporary name, brought to the disk, and only then
//! given its name, so a reader sees all of it or nothing, whatever is killed when. A part that was
//! written is on the disk before the store hears that its batch is done.

use std::fs::{self, File};
use std::io::{self, BufReader, ErrorKind, Write};
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use batchfleet_core::checksum::{FileSum, Summing};
use batchfleet_core::ids::JobId;
use batchfleet_core::ports::{PutOutcome, Results};
use batchfleet_core::{PortError, PortResult};
use bytes::Bytes;

use crate::{blocking, io_error, refuse_link};

/// What the name of an unfinished file has in it, and that of no result.
const UNFINISHED: &str = ".tmp-";

/// Results in a folder: those of a job are under `OUT/<job>/`.
#[derive(Clone, Debug)]
pub struct FolderResults {
    out: PathBuf,
}

impl FolderResults {
    /// Results under `out`, which is made when the first is written.
    #[must_use]
    pub fn new(out: impl Into<PathBuf>) -> Self {
        Self { out: out.into() }
    }

    /// The folder of a job's results.
    #[must_use]
    pub fn folder(&self, job: &JobId) -> PathBuf {
        self.out.join(job.as_str())
    }

    /// Removes what killed runs left unfinished, and says how many files that were. Only while no
    /// other run writes there.
    ///
    /// # Errors
    /// Where the folder can't be read or a file not removed.
    pub fn clean(&self, job: &JobId) -> PortResult<u64> {
        clean(&self.folder(job))
    }

    /// Where `name` is, if it may be one: relative, staying below the job, not unfinished.
    fn path(&self, job: &JobId, name: &str) -> PortResult<PathBuf> {
        let plain = |part| matches!(part, Component::Normal(_));
        let path = Path::new(name);
        let is_valid = !name.is_empty()
            && !name.ends_with('/')
            && !name.contains(['\0', '\\'])
            && !name.contains(UNFINISHED)
            && path.components().all(plain);
        if !is_valid {
            return Err(PortError::refused(
                "name a result",
                format!("{name:?} is not the name of a file below the job's folder"),
            ));
        }
        let mut below = self.folder(job);
        for part in path {
            refuse_link(&below).map_err(|error| io_error("name a result", &below, error))?;
            below.push(part);
        }
        refuse_link(&below).map_err(|error| io_error("name a result", &below, error))?;
        Ok(below)
    }
}

#[async_trait]
impl Results for FolderResults {
    async fn put_once(&self, job: &JobId, name: &str, content: Bytes) -> PortResult<PutOutcome> {
        let (path, name) = (self.path(job, name)?, name.to_owned());
        blocking("write result", move || put_once(&path, name, &content)).await
    }

    async fn put(&self, job: &JobId, name: &str, content: Bytes) -> PortResult<()> {
        let path = self.path(job, name)?;
        blocking("write result", move || {
            let action = "write result";
            let unfinished = Unfinished::write(action, &path, &content)?;
            unfinished.replace(action, &path)
        })
        .await
    }

    async fn join(
        &self,
        job: &JobId,
        name: &str,
        head: Bytes,
        parts: &[String],
    ) -> PortResult<FileSum> {
        let path = self.path(job, name)?;
        let parts: PortResult<Vec<PathBuf>> =
            parts.iter().map(|part| self.path(job, part)).collect();
        let parts = parts?;
        blocking("join results", move || join(&path, &head, &parts)).await
    }

    async fn get(&self, job: &JobId, name: &str) -> PortResult<Option<Bytes>> {
        let path = self.path(job, name)?;
        blocking("read result", move || match fs::read(&path) {
            Ok(content) => Ok(Some(content.into())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(io_error("read result", &path, error)),
        })
        .await
    }

    fn location(&self, job: &JobId, name: &str) -> String {
        self.folder(job).join(name).display().to_string()
    }
}

/// A file under its temporary name; removed where it never gets its own.
pub(crate) struct Unfinished {
    path: PathBuf,
}

impl Unfinished {
    /// Makes the file that will be `target`, in the same folder, and the folder where it is missing.
    fn create(action: &'static str, target: &Path) -> PortResult<(Self, File)> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let mut name = target.as_os_str().to_owned();
        name.push(format!("{UNFINISHED}{}-{number}", std::process::id()));
        let path = PathBuf::from(name);
        let file = match File::create_new(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                create_folder(target).and_then(|()| File::create_new(&path))
            }
            // Of a killed run whose process had our number; or put there, perhaps as a link.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                fs::remove_file(&path).and_then(|()| File::create_new(&path))
            }
            other => other,
        };
        match file {
            Ok(file) => Ok((Self { path }, file)),
            Err(error) => Err(io_error(action, target, error)),
        }
    }

    pub(crate) fn write(action: &'static str, target: &Path, content: &[u8]) -> PortResult<Self> {
        let (unfinished, mut file) = Self::create(action, target)?;
        let written = file.write_all(content).and_then(|()| file.sync_data());
        written.map_err(|error| io_error(action, target, error))?;
        Ok(unfinished)
    }

    /// Gives the file its name, whatever had it before.
    pub(crate) fn replace(self, action: &'static str, target: &Path) -> PortResult<()> {
        let renamed = fs::rename(&self.path, target).and_then(|()| sync_folder(target));
        renamed.map_err(|error| io_error(action, target, error))
    }

    /// Gives the file its name, unless another has it; whether it did.
    fn place(self, action: &'static str, target: &Path) -> PortResult<bool> {
        // A second name for one file is made atomically, and never in place of another. The first,
        // temporary one is removed when `self` is dropped.
        let placed = match fs::hard_link(&self.path, target) {
            Ok(()) => sync_folder(target).map(|()| true),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
            // A file system without second names. Here only, two writers of one name at the same
            // moment could both place it; they write the same.
            Err(_) => match fs::exists(target) {
                Ok(true) => Ok(false),
                Ok(false) => fs::rename(&self.path, target)
                    .and_then(|()| sync_folder(target))
                    .map(|()| true),
                Err(error) => Err(error),
            },
        };
        placed.map_err(|error| io_error(action, target, error))
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // Gone already where it was renamed. Where this fails, `clean` does it in the next run.
        let _ = fs::remove_file(&self.path);
    }
}

fn create_folder(target: &Path) -> io::Result<()> {
    match target.parent() {
        Some(folder) => fs::create_dir_all(folder),
        None => Ok(()),
    }
}

/// Brings a new name in the folder of `target` to the disk.
fn sync_folder(target: &Path) -> io::Result<()> {
    match target.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

fn put_once(path: &Path, name: String, content: &[u8]) -> PortResult<PutOutcome> {
    const ACTION: &str = "write result";
    // Mostly it is not there, but an attempt that repeats another need not write it all again.
    let exists = fs::exists(path).map_err(|error| io_error(ACTION, path, error))?;
    if !exists && Unfinished::write(ACTION, path, content)?.place(ACTION, path)? {
        return Ok(PutOutcome::Created);
    }
    let kept = fs::read(path).map_err(|error| io_error(ACTION, path, error))?;
    if kept != content {
        return Err(PortError::Conflict { name });
    }
    // Whoever placed it may have been killed before its name was on the disk.
    sync_folder(path).map_err(|error| io_error(ACTION, path, error))?;
    Ok(PutOutcome::Existed)
}

fn join(path: &Path, head: &[u8], parts: &[PathBuf]) -> PortResult<FileSum> {
    const ACTION: &str = "join results";
    let (unfinished, file) = Unfinished::create(ACTION, path)?;
    let mut whole = Summed {
        file,
        summing: Summing::default(),
    };
    whole
        .write_all(head)
        .map_err(|error| io_error(ACTION, path, error))?;
    for part in parts {
        // Copied through a buffer, never loaded whole.
        let copied = File::open(part).and_then(|part| {
            let mut part = BufReader::with_capacity(COPY_BYTES, part);
            io::copy(&mut part, &mut whole)
        });
        copied.map_err(|error| io_error(ACTION, part, error))?;
    }
    let Summed { file, summing } = whole;
    file.sync_data()
        .map_err(|error| io_error(ACTION, path, error))?;
    unfinished.replace(ACTION, path)?;
    Ok(summing.finish())
}

/// How much is copied at once.
const COPY_BYTES: usize = 128 << 10;

/// A file that is summed up while it is written.
struct Summed {
    file: File,
    summing: Summing,
}

impl Write for Summed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.summing.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

fn clean(folder: &Path) -> PortResult<u64> {
    const ACTION: &str = "clean results";
    let failed = |error| io_error(ACTION, folder, error);
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(failed(error)),
    };
    let mut removed = 0;
    for entry in entries {
        let entry = entry.map_err(failed)?;
        let is_folder = entry.file_type().map_err(failed)?.is_dir();
        if is_folder {
            removed += clean(&entry.path())?;
        } else if entry.file_name().to_string_lossy().contains(UNFINISHED) {
            fs::remove_file(entry.path()).map_err(failed)?;
            removed += 1;
        }
    }
    Ok(removed)
}
