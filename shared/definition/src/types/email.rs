//! Email addresses: a pragmatic rule that refuses what cannot be delivered and little else.
//!
//! - One `@`; at most 254 bytes in all, at most 64 before the `@` (RFC 5321, 4.5.3.1).
//! - Before it a dot-atom: the letters, digits and signs of `atext` (RFC 5322, 3.2.3) and
//!   non-ASCII characters (RFC 6531), with single dots between. Quoted local parts are refused:
//!   hardly any service accepts them, and in a CSV they are mostly an export gone wrong.
//! - After it a domain with at least one dot; labels of 1 to 63 bytes, of letters, digits, inner
//!   hyphens and non-ASCII characters. Address literals (`[192.0.2.1]`) are refused.
//! - No invisible character anywhere: a no-break space from a web page is no part of an address.
//!
//! Whether somebody reads the mailbox is not for this file to know.

use super::{Mismatch, text};
use crate::show::is_format;

const LONGEST: usize = 254;
const LONGEST_LOCAL: usize = 64;
const LONGEST_LABEL: usize = 63;

const LOCAL: u8 = 1;
const DOMAIN: u8 = 2;

/// Which part of an address a byte may be in, dots and hyphens' places aside.
static CLASS: [u8; 256] = classes();

pub(super) fn parse(cell: &[u8]) -> Result<&str, Mismatch> {
    if cell.len() > LONGEST {
        return Err(Mismatch::NotEmail);
    }
    let domain = after_local(cell).ok_or(Mismatch::NotEmail)?;
    if !is_domain(domain) {
        return Err(Mismatch::NotEmail);
    }
    let address = text(cell)?;
    if !cell.is_ascii() && address.chars().any(is_invisible) {
        return Err(Mismatch::NotEmail);
    }
    Ok(address)
}

/// What follows the `@`, when what precedes it is a local part.
fn after_local(cell: &[u8]) -> Option<&[u8]> {
    let mut after_dot = true;
    for (at, &byte) in cell.iter().enumerate().take(LONGEST_LOCAL + 1) {
        match byte {
            b'@' => return if after_dot { None } else { cell.get(at + 1..) },
            b'.' if after_dot => return None,
            b'.' => after_dot = true,
            _ if CLASS[usize::from(byte)] & LOCAL != 0 => after_dot = false,
            _ => return None,
        }
    }
    None
}

fn is_domain(domain: &[u8]) -> bool {
    let mut dots = 0;
    let mut label = 0;
    // A hyphen may stand neither first nor last in a label, and so never beside a dot.
    let mut before = b'.';
    for &byte in domain {
        match byte {
            b'.' if before == b'.' || before == b'-' => return false,
            b'.' => {
                dots += 1;
                label = 0;
            }
            b'-' if before == b'.' => return false,
            _ if CLASS[usize::from(byte)] & DOMAIN != 0 && label < LONGEST_LABEL => label += 1,
            _ => return false,
        }
        before = byte;
    }
    dots > 0 && before != b'.' && before != b'-'
}

fn is_invisible(character: char) -> bool {
    character.is_whitespace() || character.is_control() || is_format(character)
}

const fn classes() -> [u8; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let alphanumeric = (byte as u8).is_ascii_alphanumeric();
        if alphanumeric || byte >= 0x80 {
            table[byte] = LOCAL | DOMAIN;
        }
        byte += 1;
    }
    let signs = b"!#$%&'*+-/=?^_`{|}~";
    let mut sign = 0;
    while sign < signs.len() {
        table[signs[sign] as usize] |= LOCAL;
        sign += 1;
    }
    table[b'-' as usize] |= DOMAIN;
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_addresses() {
        let local = "l".repeat(64);
        let label = "d".repeat(63);
        let longest_local = format!("{local}@example.com");
        let longest_label = format!("a@{label}.com");
        // 64 + 1 + 63 + 1 + 63 + 1 + 61 = 254
        let longest = format!("{local}@{label}.{label}.{}", "e".repeat(61));
        for good in [
            "ada@example.com",
            "a@b.c",
            "first.last+tag@sub.example-site.co.uk",
            "!#$%&'*+-/=?^_`{|}~@example.org",
            "-a-@example.org",
            "1@2.3",
            "zoë@exämple.de",
            "用户@例子.公司",
            "a@xn--bcher-kva.example",
            "a@b--c.de",
            longest_local.as_str(),
            longest_label.as_str(),
            longest.as_str(),
        ] {
            assert_eq!(parse(good.as_bytes()), Ok(good));
        }
    }

    #[test]
    fn refuses_what_cannot_be_delivered() {
        let long_local = format!("{}@example.com", "l".repeat(65));
        let long_label = format!("a@{}.com", "d".repeat(64));
        let label = "d".repeat(63);
        let too_long = format!("{}@{label}.{label}.{}", "l".repeat(64), "e".repeat(62));
        for bad in [
            "ada",
            "@",
            "a@",
            "@b.c",
            "a@b",
            "a@b.",
            "a@.b",
            "a@b..c",
            ".a@b.c",
            "a.@b.c",
            "a..b@c.d",
            "a@b@c.d",
            "a b@c.d",
            "a@b c.d",
            "a@-b.c",
            "a@b-.c",
            "a@b.c-",
            "a@b.-c",
            "a@b_c.de",
            "a@[192.0.2.1]",
            "\"a b\"@c.d",
            "a,b@c.d",
            "a@b,c",
            "<a@b.c>",
            "a@b.c;",
            "mailto:a@b.c",
            "a\t@b.c",
            "a\u{a0}@b.c",
            "a@b.c\u{200b}",
            "a\u{85}@b.c",
            "a@b.c.",
            long_local.as_str(),
            long_label.as_str(),
            too_long.as_str(),
        ] {
            assert_eq!(parse(bad.as_bytes()), Err(Mismatch::NotEmail), "{bad}");
        }
    }

    #[test]
    fn bytes_that_are_not_text_are_refused_as_such() {
        assert_eq!(parse(b"a\xff@b.c"), Err(Mismatch::NotUtf8));
    }
}
