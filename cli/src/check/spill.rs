//! Room on disk for unique values that do not fit into memory: a temporary file without a name, which
//! the system takes away with the process, however that ends.

use std::fs::File;
use std::os::unix::fs::FileExt;

use batchfleet_core::unique::{Spill, Spills};
use batchfleet_core::{PortError, PortResult};

/// Temporary files in the system's folder for them.
pub(super) struct TemporarySpills;

struct TemporaryFile {
    file: File,
    length: u64,
}

impl Spills for TemporarySpills {
    fn open(&self) -> PortResult<Box<dyn Spill>> {
        let file = tempfile::tempfile().map_err(full)?;
        Ok(Box::new(TemporaryFile { file, length: 0 }))
    }
}

impl Spill for TemporaryFile {
    fn append(&mut self, bytes: &[u8]) -> PortResult<()> {
        self.file.write_all_at(bytes, self.length).map_err(full)?;
        self.length += bytes.len() as u64;
        Ok(())
    }

    fn read(&self, offset: u64, bytes: &mut [u8]) -> PortResult<()> {
        self.file.read_exact_at(bytes, offset).map_err(full)
    }
}

fn full(error: std::io::Error) -> PortError {
    PortError::refused("use a temporary file", error)
}
