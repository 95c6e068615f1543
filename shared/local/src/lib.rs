//! The ports for one process with nothing to install: a file as source, an SQLite database as
//! store, a folder of results, a queue in memory, the system's clock.
//!
//! `batchfleet run` is made of these. What they keep survives the process: killed at any moment and
//! run again over the same folder, a job goes on where it was. They know the ports, and nothing of
//! AWS. They run on Unix: a source is told from its replacement by its inode.

mod definitions;
mod file;
mod folder;
mod lock;
mod queue;
mod spool;
mod sqlite;
mod system;

pub use definitions::FixedDefinitions;
pub use file::{FileError, FileSource};
pub use folder::FolderResults;
pub use lock::{FolderLock, LockError};
pub use queue::LocalQueue;
pub use spool::FolderSpool;
pub use sqlite::{JobEntry, OpenError, SqliteStore};
pub use system::{SystemClock, SystemIds};

use batchfleet_core::{PortError, PortResult};

/// Runs file work that may take milliseconds where it holds up no other task.
async fn blocking<T: Send + 'static>(
    action: &'static str,
    work: impl FnOnce() -> PortResult<T> + Send + 'static,
) -> PortResult<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(answer) => answer,
        // Panicked, or the runtime is shutting down; the work's own errors are in its answer.
        Err(error) => Err(PortError::transient(action, error)),
    }
}

/// Refuses a symbolic link in the place of a file or folder of ours: following one that somebody else
/// put there would write to wherever it leads. Who can put one there between this look and the write
/// can write to the folder anyway.
fn refuse_link(path: &std::path::Path) -> std::io::Result<()> {
    match std::fs::symlink_metadata(path) {
        Ok(found) if found.is_symlink() => Err(std::io::Error::other(
            "it is a symbolic link, and results are only written to real files and folders: remove it",
        )),
        _ => Ok(()),
    }
}

/// Says of a failed file operation whether trying it again may help.
fn io_error(action: &'static str, path: &std::path::Path, error: std::io::Error) -> PortError {
    use std::io::ErrorKind;

    /// Too many open files, in the process or in the system.
    const EXHAUSTED: [i32; 2] = [24, 23];
    let passing = matches!(
        error.kind(),
        ErrorKind::Interrupted
            | ErrorKind::WouldBlock
            | ErrorKind::TimedOut
            | ErrorKind::ResourceBusy
    ) || error
        .raw_os_error()
        .is_some_and(|code| EXHAUSTED.contains(&code));
    let cause = PathError {
        path: path.to_owned(),
        source: error,
    };
    if passing {
        PortError::transient(action, cause)
    } else {
        PortError::refused(action, cause)
    }
}

/// What the system said of a path.
#[derive(Debug, thiserror::Error)]
#[error("{}", path.display())]
struct PathError {
    path: std::path::PathBuf,
    #[source]
    source: std::io::Error,
}
