//! Room for keys in memory, as much as is asked for or none.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};

use batchfleet_core::unique::{Spill, Spills};
use batchfleet_core::{PortError, PortResult};

use super::lock;

/// Room in memory.
#[derive(Debug, Default)]
pub struct MemorySpills {
    opened: AtomicU64,
    full: AtomicBool,
}

impl MemorySpills {
    /// With all the room there is.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// From now on there is no room.
    pub fn fill(&self) {
        self.full.store(true, SeqCst);
    }

    /// How often room was asked for.
    #[must_use]
    pub fn opened(&self) -> u64 {
        self.opened.load(SeqCst)
    }
}

impl Spills for MemorySpills {
    fn open(&self) -> PortResult<Box<dyn Spill>> {
        if self.full.load(SeqCst) {
            return Err(PortError::refused("make room", "no space left"));
        }
        self.opened.fetch_add(1, SeqCst);
        Ok(Box::new(MemorySpill::default()))
    }
}

#[derive(Debug, Default)]
struct MemorySpill(Mutex<Vec<u8>>);

impl Spill for MemorySpill {
    fn append(&mut self, bytes: &[u8]) -> PortResult<()> {
        lock(&self.0).extend_from_slice(bytes);
        Ok(())
    }

    fn read(&self, offset: u64, bytes: &mut [u8]) -> PortResult<()> {
        let kept = lock(&self.0);
        let start = offset as usize;
        match kept.get(start..start + bytes.len()) {
            Some(found) => bytes.copy_from_slice(found),
            None => return Err(PortError::refused("read keys", "they were never written")),
        }
        Ok(())
    }
}
