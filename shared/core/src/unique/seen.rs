//! The keys seen so far, each with where it was first: in memory up to a bound, beyond it in sorted
//! runs on disk.
//!
//! Memory: 29 to 57 bytes a key until the bound (a hash table that doubles); beyond it, 1.6 bytes a
//! key for filters and fences, and 24 bytes on disk. It must not know records or columns.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash, Hasher};

use super::filter::Filter;
use crate::error::{PortError, PortResult};

/// Room for what does not fit into memory, gone with the value: a temporary file.
pub trait Spill: Send + Sync {
    /// Adds bytes behind those that are there.
    ///
    /// # Errors
    /// The disk's, which may be full.
    fn append(&mut self, bytes: &[u8]) -> PortResult<()>;

    /// Fills `bytes` with those at `offset`, all of which were appended.
    ///
    /// # Errors
    /// The disk's.
    fn read(&self, offset: u64, bytes: &mut [u8]) -> PortResult<()>;
}

/// Makes room when it is needed.
pub trait Spills: Send + Sync {
    /// Room of its own, empty.
    ///
    /// # Errors
    /// The disk's.
    fn open(&self) -> PortResult<Box<dyn Spill>>;
}

/// A key and its place, as a run has them.
const ENTRY: usize = 24;

/// Entries that are read at once. Of the first of each, a run keeps the key in memory.
const GROUP: usize = 128;

/// A hash table's slot: key, place and a byte of its own; at most seven of eight are in use.
const SLOT_BYTES: u64 = 25;

/// A key as two words: a `u128` would be aligned to 16 bytes, and cost 8 more an entry.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Words([u64; 2]);

impl Hash for Words {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0[1]);
    }
}

/// The keys of a job, each with the place of its first record.
pub struct Seen<'s> {
    fresh: HashMap<Words, u64, BuildHasherDefault<AsItIs>>,
    fresh_max: usize,
    runs: Vec<Run>,
    spills: &'s dyn Spills,
    spill: Option<Box<dyn Spill>>,
    spilled: u64,
}

/// Keys in order, on disk.
struct Run {
    filter: Filter,
    /// The first key of each group.
    fences: Vec<u128>,
    start: u64,
    entries: usize,
}

impl<'s> Seen<'s> {
    /// Nothing seen yet; what is more than `memory_bytes` of the newest keys goes to a spill.
    #[must_use]
    pub fn new(memory_bytes: u64, spills: &'s dyn Spills) -> Self {
        // The greatest table of a power of two slots that fits; while it is written out as a run, its
        // entries are in memory once more.
        let slots = (memory_bytes / (2 * SLOT_BYTES)).max(16);
        let slots = 1_u64 << slots.ilog2();
        Self {
            fresh: HashMap::default(),
            fresh_max: (slots / 8 * 7) as usize,
            runs: Vec::new(),
            spills,
            spill: None,
            spilled: 0,
        }
    }

    /// The place of the first record with this key, if there was one; else this is the first, at
    /// `place`.
    ///
    /// # Errors
    /// The spill's.
    pub fn first(&mut self, key: u128, place: u64) -> PortResult<Option<u64>> {
        if let Some(&first) = self.fresh.get(&words(key)) {
            return Ok(Some(first));
        }
        if let Some(spill) = &self.spill {
            for run in &self.runs {
                if let Some(first) = run.find(key, &**spill)? {
                    return Ok(Some(first));
                }
            }
        }
        if self.fresh.len() >= self.fresh_max {
            self.write_run()?;
        }
        self.fresh.insert(words(key), place);
        Ok(None)
    }

    /// Keys that are on disk.
    #[must_use]
    pub fn spilled(&self) -> usize {
        self.runs.iter().map(|run| run.entries).sum()
    }

    /// Writes what is in memory to disk, and begins anew.
    fn write_run(&mut self) -> PortResult<()> {
        let spill = match &mut self.spill {
            Some(spill) => spill,
            none => none.insert(self.spills.open()?),
        };
        let keys = self.fresh.drain();
        let mut entries: Vec<(u128, u64)> = keys.map(|(key, place)| (joined(key), place)).collect();
        entries.sort_unstable();
        let mut run = Run {
            filter: Filter::for_keys(entries.len()),
            fences: Vec::with_capacity(entries.len().div_ceil(GROUP)),
            start: self.spilled,
            entries: entries.len(),
        };
        let mut bytes = Vec::with_capacity(GROUP * ENTRY);
        for group in entries.chunks(GROUP) {
            run.fences.push(group[0].0);
            bytes.clear();
            for (key, place) in group {
                run.filter.add(*key);
                bytes.extend_from_slice(&key.to_be_bytes());
                bytes.extend_from_slice(&place.to_be_bytes());
            }
            spill.append(&bytes)?;
            self.spilled += bytes.len() as u64;
        }
        self.runs.push(run);
        Ok(())
    }
}

impl Run {
    fn find(&self, key: u128, spill: &dyn Spill) -> PortResult<Option<u64>> {
        if !self.filter.may_have(key) {
            return Ok(None);
        }
        let groups = self.fences.partition_point(|fence| *fence <= key);
        let Some(group) = groups.checked_sub(1) else {
            return Ok(None);
        };
        let entries = GROUP.min(self.entries - group * GROUP);
        let mut bytes = [0; GROUP * ENTRY];
        let bytes = &mut bytes[..entries * ENTRY];
        spill.read(self.start + (group * GROUP * ENTRY) as u64, bytes)?;
        let (entries, _) = bytes.as_chunks::<ENTRY>();
        let found = entries.binary_search_by_key(&key.to_be_bytes(), first_chunk);
        Ok(found
            .ok()
            .map(|at| u64::from_be_bytes(last_chunk(&entries[at]))))
    }
}

fn first_chunk(entry: &[u8; ENTRY]) -> [u8; 16] {
    std::array::from_fn(|at| entry[at])
}

fn last_chunk(entry: &[u8; ENTRY]) -> [u8; 8] {
    std::array::from_fn(|at| entry[16 + at])
}

fn words(key: u128) -> Words {
    Words([(key >> 64) as u64, key as u64])
}

fn joined(Words([upper, lower]): Words) -> u128 {
    u128::from(upper) << 64 | u128::from(lower)
}

/// Takes a word of a key as it is: keys are hashes.
#[derive(Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = word;
    }
}

/// Has no room.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoSpills;

impl Spills for NoSpills {
    fn open(&self) -> PortResult<Box<dyn Spill>> {
        Err(PortError::refused(
            "keep the keys of unique fields",
            "there is no room on disk for them, and they are too many for the memory",
        ))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Default)]
    struct Memory(Arc<Mutex<Vec<u8>>>);

    impl Spill for Memory {
        fn append(&mut self, bytes: &[u8]) -> PortResult<()> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(())
        }

        fn read(&self, offset: u64, bytes: &mut [u8]) -> PortResult<()> {
            let start = offset as usize;
            bytes.copy_from_slice(&self.0.lock().unwrap()[start..start + bytes.len()]);
            Ok(())
        }
    }

    impl Spills for Memory {
        fn open(&self) -> PortResult<Box<dyn Spill>> {
            Ok(Box::new(self.clone()))
        }
    }

    /// Spread like a hash, from a number.
    fn key(n: u64) -> u128 {
        let mix = |n: u64| {
            let n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            n ^ (n >> 31)
        };
        u128::from(mix(n + 1)) << 64 | u128::from(mix(!n))
    }

    #[test]
    fn what_does_not_fit_into_memory_is_found_on_disk() {
        let spills = Memory::default();
        let mut seen = Seen::new(50 * 1024, &spills);
        for n in 0..10_000 {
            assert_eq!(seen.first(key(n), n * 7).unwrap(), None, "{n}");
        }
        assert!(seen.spilled() > 8_000, "{}", seen.spilled());
        for n in 0..10_000 {
            assert_eq!(seen.first(key(n), 1).unwrap(), Some(n * 7), "{n}");
        }
    }

    #[test]
    fn without_room_on_disk_it_is_an_error_and_no_wrong_answer() {
        let mut seen = Seen::new(0, &NoSpills);
        let answers: Vec<_> = (0..100).map(|n| seen.first(key(n), n)).collect();
        assert!(
            answers[..14]
                .iter()
                .all(|answer| matches!(answer, Ok(None)))
        );
        assert!(answers[14..].iter().all(Result::is_err));
    }

    proptest! {
        /// Whatever keys come in whatever order, with memory for a few, the answer is the place of
        /// the first record with the key, as a plain map has it.
        #[test]
        fn the_first_place_of_a_key_is_given(
            numbers in prop::collection::vec(0_u64..200, 0..600),
            memory in 0_u64..8_000,
        ) {
            let spills = Memory::default();
            let mut seen = Seen::new(memory, &spills);
            let mut model = HashMap::new();
            for (place, number) in numbers.into_iter().enumerate() {
                let place = place as u64;
                let expected = model.get(&number).copied();
                model.entry(number).or_insert(place);
                prop_assert_eq!(seen.first(key(number), place).unwrap(), expected);
            }
        }
    }
}
