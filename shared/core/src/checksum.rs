//! How long a file is and what its SHA-256 is, summed up while it is written: nobody reads it again
//! for that.
//!
//! It must not know what the file is, or where it goes.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::ids::hex;

/// The sum of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileSum {
    /// Its length.
    pub bytes: u64,
    /// Its SHA-256, 64 lower-case hexadecimal characters.
    pub sha256: String,
}

impl FileSum {
    /// Of a file in memory.
    #[must_use]
    pub fn of(content: &[u8]) -> Self {
        let mut summing = Summing::default();
        summing.update(content);
        summing.finish()
    }
}

/// The sum of a file that is written piece by piece.
#[derive(Clone, Debug, Default)]
pub struct Summing {
    bytes: u64,
    hash: Sha256,
}

impl Summing {
    /// Adds the next piece.
    pub fn update(&mut self, piece: &[u8]) {
        self.bytes += piece.len() as u64;
        self.hash.update(piece);
    }

    /// The sum of all pieces.
    #[must_use]
    pub fn finish(self) -> FileSum {
        FileSum {
            bytes: self.bytes,
            sha256: hex(&self.hash.finalize()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_is_that_of_the_whole_however_it_is_cut() {
        // FIPS 180-2, appendix B.1.
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(FileSum::of(b"abc").sha256, abc);
        let mut summing = Summing::default();
        for piece in [&b"a"[..], b"", b"bc"] {
            summing.update(piece);
        }
        assert_eq!(summing.finish(), FileSum::of(b"abc"));
        assert_eq!(FileSum::of(b"abc").bytes, 3);
    }
}
