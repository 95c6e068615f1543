//! A CSV of people, of any size, the same for the same seed: about 58 bytes a row, 1 % bad e-mail
//! addresses, names with quoted commas, newlines, doubled quotes and non-ASCII letters.

use std::io::{self, Write};

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Rows under the header.
    pub rows: u64,
    /// Rows whose address is no e-mail address.
    pub bad_emails: u64,
    /// Bytes, header included.
    pub bytes: u64,
}

/// The header line.
pub const HEADER: &str = "email,name,age,signup_date,role\n";

const FIRST: [&str; 12] = [
    "Ada",
    "Grace",
    "Zoë",
    "José",
    "Łukasz",
    "Anna",
    "Björn",
    "Chloé",
    "Mei",
    "Oluwaseun",
    "Søren",
    "Yuki",
];
const LAST: [&str; 12] = [
    "Lovelace",
    "Hopper",
    "Müller",
    "García",
    "Nowak",
    "Schmidt",
    "Ångström",
    "Dubois",
    "Wang",
    "Adeyemi",
    "Holm",
    "Sato",
];
const NICK: [&str; 4] = ["Ace", "Kit", "Bo", "Zé"];
const ROLES: [&str; 4] = ["admin", "editor", "viewer", "guest"];

/// `SplitMix64`: a small generator whose sequence is part of this file's contract.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn pick(&mut self, from: &[&'static str]) -> &'static str {
        from[self.below(from.len() as u64) as usize]
    }
}

/// Writes the header and `rows` rows.
///
/// # Errors
/// The writer's.
pub fn write(out: &mut impl Write, rows: u64, seed: u64) -> io::Result<Written> {
    let mut random = Random(seed);
    let mut written = Written {
        bytes: HEADER.len() as u64,
        ..Written::default()
    };
    out.write_all(HEADER.as_bytes())?;
    let mut line = Vec::with_capacity(128);
    for row in 0..rows {
        line.clear();
        written.bad_emails += u64::from(email(&mut line, row, &mut random)?);
        line.push(b',');
        name(&mut line, &mut random)?;
        let (age, year) = (18 + random.below(70), 2010 + random.below(15));
        let (month, day) = (1 + random.below(12), 1 + random.below(28));
        writeln!(
            line,
            ",{age},{year}-{month:02}-{day:02},{}",
            random.pick(&ROLES)
        )?;
        out.write_all(&line)?;
        written.bytes += line.len() as u64;
        written.rows += 1;
    }
    Ok(written)
}

/// One row in a hundred has an address that is none. Returns whether this one has.
fn email(line: &mut Vec<u8>, row: u64, random: &mut Random) -> io::Result<bool> {
    let bad = random.below(100) == 0;
    if bad {
        let shapes = [
            "user{}example.com",
            "user{}@",
            "@example{}.com",
            "user {}@example.com",
            "user{}@example",
        ];
        let shape = random.pick(&shapes);
        line.extend_from_slice(shape.replace("{}", &row.to_string()).as_bytes());
    } else {
        write!(line, "user{row}@example{}.com", random.below(10))?;
    }
    Ok(bad)
}

fn name(line: &mut Vec<u8>, random: &mut Random) -> io::Result<()> {
    let (first, last) = (random.pick(&FIRST), random.pick(&LAST));
    match random.below(20) {
        0 => write!(line, "\"{last}, {first}\""),
        1 => write!(line, "\"{first} \"\"{}\"\" {last}\"", random.pick(&NICK)),
        2 => write!(line, "\"{first}\n{last}\""),
        _ => write!(line, "{first} {last}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_file_of_about_58_bytes_a_row() {
        let (mut a, mut b) = (Vec::new(), Vec::new());
        let written = write(&mut a, 10_000, 1).unwrap();
        write(&mut b, 10_000, 1).unwrap();
        assert_eq!(a, b);
        assert_eq!(written.bytes, a.len() as u64);
        assert!(
            (50..66).contains(&(written.bytes / written.rows)),
            "{}",
            written.bytes
        );
        assert!(
            (70..140).contains(&written.bad_emails),
            "{}",
            written.bad_emails
        );
    }
}
