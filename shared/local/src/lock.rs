//! One run at a time in a folder. The lock is the system's, so it ends with its process however
//! that ends; nothing is left to clean up. It knows nothing of what the folder is for.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use crate::refuse_link;

/// The exclusive use of an output folder, until it is dropped or the process ends.
#[derive(Debug)]
pub struct FolderLock {
    /// Closing the file releases the lock.
    _file: File,
}

/// Why a folder is not ours.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process, or another part of this one, has it.
    #[error("another run is using the folder {}; wait until it has ended, or choose another folder", folder.display())]
    Busy {
        /// The folder.
        folder: PathBuf,
    },
    /// The folder can't be made or written to, or its file system has no locks.
    #[error("cannot use the folder {} for output", folder.display())]
    Unusable {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

impl FolderLock {
    /// Makes the folder where it is missing, and takes it.
    ///
    /// # Errors
    /// [`LockError`].
    pub fn take(folder: &Path) -> Result<Self, LockError> {
        let unusable = |source| LockError::Unusable {
            folder: folder.to_owned(),
            source,
        };
        fs::create_dir_all(folder).map_err(unusable)?;
        let path = folder.join(".lock");
        refuse_link(&path).map_err(unusable)?;
        // The file stays when the lock is released: were it removed, two runs could each lock their
        // own file of that name.
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path)
            .map_err(unusable)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(LockError::Busy {
                folder: folder.to_owned(),
            }),
            Err(TryLockError::Error(source)) => Err(unusable(source)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_taken_once_at_a_time() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("new/out");
        let lock = FolderLock::take(&folder).unwrap();
        let error = FolderLock::take(&folder).unwrap_err();
        assert!(matches!(error, LockError::Busy { .. }));
        assert!(
            error.to_string().contains("another run is using"),
            "{error}"
        );
        assert!(error.to_string().contains("new/out"), "{error}");
        drop(lock);
        FolderLock::take(&folder).unwrap();
    }

    #[test]
    fn a_file_is_no_folder() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("file");
        fs::write(&path, "").unwrap();
        let error = FolderLock::take(&path).unwrap_err();
        assert!(matches!(error, LockError::Unusable { .. }), "{error:?}");
    }
}
