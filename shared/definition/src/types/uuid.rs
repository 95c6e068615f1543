//! UUIDs: 32 hexadecimal digits, with hyphens or without, in braces, or as a URN.
//!
//! Written with hyphens and small letters. Versions and variants do not count: databases make all
//! kinds. This file must not know anything else.

use super::{Mismatch, ascii};

const LENGTH: usize = ::uuid::fmt::Hyphenated::LENGTH;

#[inline]
pub(super) fn parse<'a>(cell: &'a [u8], out: &'a mut String) -> Result<&'a str, Mismatch> {
    if is_canonical(cell) {
        return ascii(cell);
    }
    let uuid = ::uuid::Uuid::try_parse_ascii(cell).map_err(|_| Mismatch::NotUuid)?;
    let mut buffer = [0; LENGTH];
    out.clear();
    out.push_str(uuid.hyphenated().encode_lower(&mut buffer));
    Ok(out)
}

/// Whether a cell is as it will be written. Nearly all that programs write is.
#[inline]
fn is_canonical(cell: &[u8]) -> bool {
    let Ok(cell) = <&[u8; LENGTH]>::try_from(cell) else {
        return false;
    };
    let mut digits = *cell;
    let mut wrong = false;
    for place in [8, 13, 18, 23] {
        wrong |= digits[place] != b'-';
        digits[place] = b'0';
    }
    // Without a branch for every byte, so that many are looked at together.
    for digit in digits {
        wrong |= (digit.wrapping_sub(b'0') > 9) & (digit.wrapping_sub(b'a') > 5);
    }
    !wrong
}

/// A UUID for an example, a different one for every `n`.
pub(super) fn example(n: u64) -> String {
    // Of version 4 and the usual variant, as some readers look at that.
    let digits = 0x4000_8000_0000_0000_0000_u128 | u128::from(n & 0xffff_ffff_ffff);
    ::uuid::Uuid::from_u128(digits).hyphenated().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CANONICAL: &str = "67e55044-10b1-426f-9247-bb680e5fe0c8";

    #[test]
    fn accepts_the_usual_forms() {
        let mut out = String::from("left over");
        for good in [
            CANONICAL,
            "67E55044-10B1-426F-9247-BB680E5FE0C8",
            "67e5504410b1426f9247bb680e5fe0c8",
            "{67e55044-10b1-426f-9247-bb680e5fe0c8}",
            "{67E55044-10B1-426F-9247-BB680E5FE0C8}",
            "urn:uuid:67e55044-10b1-426f-9247-bb680e5fe0c8",
        ] {
            assert_eq!(parse(good.as_bytes(), &mut out), Ok(CANONICAL), "{good}");
        }
        let nil = "00000000-0000-0000-0000-000000000000";
        assert_eq!(parse(nil.as_bytes(), &mut out), Ok(nil));
    }

    #[test]
    fn refuses_the_rest() {
        let long = "a".repeat(1 << 20);
        for bad in [
            "67e55044-10b1-426f-9247-bb680e5fe0c",
            "67e55044-10b1-426f-9247-bb680e5fe0c88",
            "67e55044-10b1-426f-9247-bb680e5fe0cg",
            "67e5-504410b1426f9247bb680e5fe0c8",
            "{67e55044-10b1-426f-9247-bb680e5fe0c8",
            "(67e55044-10b1-426f-9247-bb680e5fe0c8)",
            "67e55044_10b1_426f_9247_bb680e5fe0c8",
            "67e55044–10b1–426f–9247–bb680e5fe0c8",
            "1",
            long.as_str(),
        ] {
            let mismatch = parse(bad.as_bytes(), &mut String::new()).unwrap_err();
            assert_eq!(mismatch, Mismatch::NotUuid);
        }
    }

    proptest! {
        /// What is seen to be good at a glance is what the crate makes of it.
        #[test]
        fn a_glance_is_never_wrong(digits: u128, at in 0_usize..36, other in "[0-9a-gA-F-]") {
            let uuid = ::uuid::Uuid::from_u128(digits).hyphenated().to_string();
            prop_assert!(is_canonical(uuid.as_bytes()));
            let mut odd = uuid.clone();
            odd.replace_range(at..=at, &other);
            let read = ::uuid::Uuid::try_parse(&odd).map(|uuid| uuid.hyphenated().to_string());
            let is_same = read.is_ok_and(|read| read == odd);
            prop_assert_eq!(is_canonical(odd.as_bytes()), is_same, "{}", odd);
        }
    }

    #[test]
    fn examples_differ() {
        assert_eq!(example(1), "00000000-0000-4000-8000-000000000001");
        assert_eq!(example(255), "00000000-0000-4000-8000-0000000000ff");
    }
}
