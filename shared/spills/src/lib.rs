//! Room on disk for the keys of unique fields: files without a name, which the system removes with the
//! process, however that ends.
//!
//! A crate of its own, because the command and the orchestrator both need it, and the orchestrator
//! nothing else of what is local. It must not know what is written.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use batchfleet_core::unique::{Spill, Spills};
use batchfleet_core::{PortError, PortResult};

/// Temporary files in a folder.
#[derive(Clone, Debug)]
pub struct FileSpills {
    folder: PathBuf,
}

impl FileSpills {
    /// In this folder, which exists by the time that room is needed.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
        }
    }
}

impl Spills for FileSpills {
    fn open(&self) -> PortResult<Box<dyn Spill>> {
        let file = tempfile::tempfile_in(&self.folder)
            .map_err(|error| failed("make room for unique keys", &self.folder, error))?;
        Ok(Box::new(FileSpill {
            file,
            length: 0,
            folder: self.folder.clone(),
        }))
    }
}

/// One file.
struct FileSpill {
    file: File,
    length: u64,
    /// For messages: the file has no name.
    folder: PathBuf,
}

impl Spill for FileSpill {
    fn append(&mut self, bytes: &[u8]) -> PortResult<()> {
        // What a write that failed has left is written over by the next.
        self.file
            .write_all_at(bytes, self.length)
            .map_err(|error| failed("write unique keys", &self.folder, error))?;
        self.length += bytes.len() as u64;
        Ok(())
    }

    fn read(&self, offset: u64, bytes: &mut [u8]) -> PortResult<()> {
        self.file
            .read_exact_at(bytes, offset)
            .map_err(|error| failed("read unique keys", &self.folder, error))
    }
}

/// What the system said of the folder. A full disk stays full for as long as a job may wait.
fn failed(action: &'static str, folder: &Path, source: io::Error) -> PortError {
    let cause = FolderError {
        folder: folder.to_owned(),
        source,
    };
    PortError::refused(action, cause)
}

#[derive(Debug, thiserror::Error)]
#[error("a file in {}", folder.display())]
struct FolderError {
    folder: PathBuf,
    #[source]
    source: io::Error,
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;

    use batchfleet_core::error::chain;
    use batchfleet_core::unique::Seen;

    use super::*;

    #[test]
    fn what_is_written_is_read_back_and_nothing_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let spills = FileSpills::new(folder.path());
        let key = |n: u64| u128::from(n.wrapping_mul(0x9e37_79b9_7f4a_7c15)) << 64 | u128::from(n);
        let mut seen = Seen::new(50_000, &spills);
        for n in 0..10_000 {
            assert_eq!(seen.first(key(n), n).unwrap(), None);
        }
        assert!(seen.spilled() > 5_000, "{}", seen.spilled());
        for n in 0..10_000 {
            assert_eq!(seen.first(key(n), 0).unwrap(), Some(n));
        }
        let names = || folder.path().read_dir().unwrap().count();
        assert_eq!(names(), 0, "it has no name even while it is there");
        drop(seen);
        assert_eq!(names(), 0);
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let spills = FileSpills::new("/nowhere/at/all");
        let error = spills.open().map(|_| ()).unwrap_err();
        assert!(!error.is_retryable());
        assert!(chain(&error).contains("/nowhere/at/all"), "{error}");
    }

    #[test]
    fn a_full_disk_is_an_error_that_says_so() {
        let Ok(full) = OpenOptions::new().write(true).open("/dev/full") else {
            panic!("this system has no device that is full");
        };
        let mut spill = FileSpill {
            file: full,
            length: 0,
            folder: "/tmp".into(),
        };
        let error = spill.append(b"key").unwrap_err();
        assert!(!error.is_retryable());
        let told = chain(&error);
        assert!(
            told.contains("write unique keys was refused: a file in /tmp: No space left"),
            "{told}"
        );
    }
}
