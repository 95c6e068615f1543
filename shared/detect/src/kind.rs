//! What a cell looks like: a number, a date, a name, a sentence, or what no cell should be.
//!
//! A wrong delimiter cuts values in two and glues others together. Cells that are something are
//! therefore the best sign of the right one (van den Burg, Nazábal, Sutton: "Wrangling messy CSV files
//! by detecting row and type patterns", 2019). Nothing here converts a value, and nothing decides
//! whether one is valid: the definition does.

/// What a cell looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Empty,
    Integer,
    Number,
    Date,
    Time,
    Boolean,
    /// `NULL`, `n/a`, `\N` and the like.
    Null,
    /// An e-mail or web address, a UUID, an IP address.
    Id,
    /// A name, a code, a few words.
    Word,
    /// More than that, but no sign of a wrong reading.
    Text,
    /// An object or a list, as JSON writes them.
    Json,
    /// What the wrong delimiter or quote leaves: other delimiters glued in, stray quotes.
    Odd,
}

/// How many kinds there are.
pub(crate) const KINDS: usize = 12;

impl Kind {
    /// How likely it is a whole cell of a table, from 0 to 1.
    pub(crate) const fn weight(self) -> f64 {
        match self {
            Self::Integer | Self::Number | Self::Date | Self::Time | Self::Boolean | Self::Id => {
                1.0
            }
            Self::Null | Self::Json => 0.95,
            Self::Word => 0.9,
            Self::Empty => 0.75,
            Self::Text => 0.6,
            Self::Odd => 0.1,
        }
    }

    /// Whether a header is unlikely to have such a cell.
    pub(crate) const fn is_value(self) -> bool {
        matches!(
            self,
            Self::Integer
                | Self::Number
                | Self::Date
                | Self::Time
                | Self::Boolean
                | Self::Id
                | Self::Json
        )
    }

    /// Whether it is nothing: it says nothing of its column.
    pub(crate) const fn is_nothing(self) -> bool {
        matches!(self, Self::Empty | Self::Null)
    }

    /// Kinds that stand in one column side by side count as one: whole numbers among numbers, codes
    /// among sentences.
    pub(crate) const fn family(self) -> Self {
        match self {
            Self::Integer | Self::Number => Self::Number,
            Self::Date | Self::Time => Self::Date,
            Self::Word | Self::Text => Self::Word,
            Self::Null => Self::Empty,
            other => other,
        }
    }
}

/// No more of a cell is looked at.
const CELL_BYTES_MAX: usize = 512;

/// What `cell` looks like; `quoted` says that it stood in quotes, so that nothing in it is odd.
pub(crate) fn kind(cell: &[u8], quoted: bool) -> Kind {
    let cell = trimmed(cell);
    let cell = &cell[..cell.len().min(CELL_BYTES_MAX)];
    let (Some(&first), Some(&last)) = (cell.first(), cell.last()) else {
        return Kind::Empty;
    };
    let numeric_start = first.is_ascii_digit()
        || matches!(
            first,
            b'-' | b'+' | b'.' | b',' | b'(' | b'$' | b'U' | b'E' | b'C'
        )
        || first >= 0x80;
    if numeric_start || last.is_ascii_digit() {
        if let Some(kind) = number(cell) {
            return kind;
        }
        if let Some(kind) = date_or_time(cell) {
            return kind;
        }
    }
    if is_null(cell) {
        return Kind::Null;
    }
    if is_boolean(cell) {
        return Kind::Boolean;
    }
    if is_id(cell) {
        return Kind::Id;
    }
    if (first == b'{' && last == b'}' || first == b'[' && last == b']') && cell.len() > 1 {
        return if quoted || !cell.contains(&b'"') || memchr::memchr(b':', cell).is_some() {
            Kind::Json
        } else {
            Kind::Text
        };
    }
    words(cell, quoted)
}

/// Without spaces and tabs at both ends, the no-break space included.
pub(crate) fn trimmed(mut cell: &[u8]) -> &[u8] {
    loop {
        cell = cell.trim_ascii();
        if let Some(rest) = cell.strip_prefix(b"\xc2\xa0") {
            cell = rest;
        } else if let Some(rest) = cell.strip_suffix(b"\xc2\xa0") {
            cell = rest;
        } else {
            return cell;
        }
    }
}

/// What stands around the digits of an amount: currencies, percent.
const UNITS: [&[u8]; 14] = [
    "€".as_bytes(),
    "£".as_bytes(),
    "¥".as_bytes(),
    b"$",
    b"EUR",
    b"USD",
    b"GBP",
    b"CHF",
    b"CAD",
    b"JPY",
    "zł".as_bytes(),
    b"kr",
    b"%",
    "₽".as_bytes(),
];

/// Without units and signs at both ends, and without brackets, which bookkeepers put for a minus.
fn bare(cell: &[u8]) -> &[u8] {
    let mut cell = cell;
    if let Some(inner) = cell.strip_prefix(b"(").and_then(|c| c.strip_suffix(b")")) {
        cell = trimmed(inner);
    }
    // A sign, a unit and the other sign at most, at either end.
    for _ in 0..3 {
        for unit in UNITS {
            if let Some(rest) = cell.strip_prefix(unit) {
                cell = trimmed(rest);
            }
            if let Some(rest) = cell.strip_suffix(unit) {
                cell = trimmed(rest);
            }
        }
        if let [b'-' | b'+', rest @ ..] | [rest @ .., b'-'] = cell {
            cell = trimmed(rest);
        } else if let Some(rest) = cell.strip_prefix("−".as_bytes()) {
            cell = trimmed(rest);
        }
    }
    cell
}

/// A number as any country writes it: `1234`, `1,234.5`, `1.234,5`, `1 234,5`, `1'234.50`, `12,5-`,
/// `3 %`, `€ 5`, `1e-7`.
fn number(cell: &[u8]) -> Option<Kind> {
    let cell = bare(cell);
    if cell.is_empty() || cell.len() > 40 || !cell.iter().any(u8::is_ascii_digit) {
        return None;
    }
    if cell.iter().all(u8::is_ascii_digit) {
        return Some(Kind::Integer);
    }
    let cell = without_exponent(cell);
    // Digits, and what stands between groups of them.
    let mut groups: Vec<(usize, u8)> = Vec::with_capacity(8);
    let mut digits = 0;
    let mut rest = cell;
    while let Some((&byte, tail)) = rest.split_first() {
        let mark = match byte {
            b'0'..=b'9' => {
                digits += 1;
                rest = tail;
                continue;
            }
            b'.' | b',' | b' ' | b'\'' => {
                rest = tail;
                byte
            }
            0xc2 if tail.first() == Some(&0xa0) => {
                rest = &tail[1..];
                b' '
            }
            0xe2 if tail.starts_with(b"\x80\xaf") || tail.starts_with(b"\x80\x99") => {
                rest = &tail[2..];
                b' '
            }
            _ => return None,
        };
        groups.push((digits, mark));
        digits = 0;
    }
    let Some((&(_, last_mark), earlier)) = groups.split_last() else {
        return Some(Kind::Number);
    };
    if earlier.is_empty() {
        // One mark: a decimal point, or one group of thousands.
        let ok = match last_mark {
            b'.' | b',' => true,
            _ => digits == 3 && groups[0].0 <= 3 && groups[0].0 > 0,
        };
        return ok.then_some(Kind::Number);
    }
    // The first groups have up to three digits, the next ones three, and only the last mark differs.
    let thousands = earlier[0].1;
    let mut sizes_fit = (1..=3).contains(&earlier[0].0);
    for &(size, mark) in &earlier[1..] {
        // In India the groups behind the first have two digits.
        sizes_fit &= mark == thousands && (size == 3 || size == 2);
    }
    sizes_fit &= groups[groups.len() - 1].0 == 3;
    let ends = if last_mark == thousands {
        digits == 3
    } else {
        matches!(last_mark, b'.' | b',')
    };
    (sizes_fit && ends).then_some(Kind::Number)
}

fn without_exponent(cell: &[u8]) -> &[u8] {
    let Some(at) = cell.iter().position(|b| matches!(b, b'e' | b'E')) else {
        return cell;
    };
    let exponent = &cell[at + 1..];
    let digits = match exponent {
        [b'-' | b'+', rest @ ..] => rest,
        all => all,
    };
    if at > 0 && !digits.is_empty() && digits.len() <= 3 && digits.iter().all(u8::is_ascii_digit) {
        &cell[..at]
    } else {
        cell
    }
}

/// A date with or without a time, or a time alone.
fn date_or_time(cell: &[u8]) -> Option<Kind> {
    if cell.len() > 40 {
        return None;
    }
    if is_time(cell) {
        return Some(Kind::Time);
    }
    if let Some(len) = date_len(cell) {
        let rest = trimmed(&cell[len..]);
        let rest = rest.strip_prefix(b"T").unwrap_or(rest);
        let rest = rest.strip_prefix(b", ").map_or(rest, trimmed);
        if rest.is_empty() || is_time(rest) {
            return Some(Kind::Date);
        }
    }
    named_month(cell).then_some(Kind::Date)
}

/// The length of the date in numbers that `cell` begins with: `2024-02-29`, `29.02.2024`, `2/29/24`.
fn date_len(cell: &[u8]) -> Option<usize> {
    let mut parts = [0_u32; 3];
    let mut sizes = [0; 3];
    let mut part = 0;
    let mut mark = 0;
    let mut at = 0;
    for (index, &byte) in cell.iter().enumerate() {
        match byte {
            b'0'..=b'9' if sizes[part] < 4 => {
                parts[part] = parts[part] * 10 + u32::from(byte - b'0');
                sizes[part] += 1;
            }
            b'-' | b'/' | b'.' if part < 2 && sizes[part] > 0 && (mark == 0 || mark == byte) => {
                mark = byte;
                part += 1;
            }
            _ => break,
        }
        at = index + 1;
    }
    if part != 2 || sizes[2] == 0 {
        return None;
    }
    let [a, b, c] = parts;
    let day_and_month = |x: u32, y: u32| {
        (1..=31).contains(&x) && (1..=12).contains(&y)
            || (1..=12).contains(&x) && (1..=31).contains(&y)
    };
    let ok = if sizes[0] == 4 {
        sizes[1] <= 2 && sizes[2] <= 2 && day_and_month(b, c)
    } else {
        sizes[0] <= 2 && sizes[1] <= 2 && matches!(sizes[2], 2 | 4) && day_and_month(a, b)
    } || sizes == [2, 2, 2] && day_and_month(b, c);
    ok.then_some(at)
}

/// `12:30`, `12:30:05.123`, `9:05 pm`, with `Z` or `+01:00` behind.
fn is_time(cell: &[u8]) -> bool {
    let digits = cell.iter().take_while(|b| b.is_ascii_digit()).count();
    if !(1..=3).contains(&digits) || cell.get(digits) != Some(&b':') {
        return false;
    }
    let mut rest = &cell[digits..];
    let mut groups = 0;
    while groups < 2 && rest.len() >= 3 && rest[0] == b':' {
        if !(rest[1].is_ascii_digit() && rest[2].is_ascii_digit()) || rest[1] > b'5' {
            return false;
        }
        rest = &rest[3..];
        groups += 1;
    }
    if groups == 0 {
        return false;
    }
    if let [b'.' | b',', tail @ ..] = rest {
        let fraction = tail.iter().take_while(|b| b.is_ascii_digit()).count();
        rest = &tail[fraction..];
    }
    let rest = trimmed(rest);
    match rest {
        [] | [b'Z' | b'z'] | b"UTC" | b"GMT" | b"CET" | b"CEST" => true,
        [a, m] => matches!(a, b'a' | b'A' | b'p' | b'P') && matches!(m, b'm' | b'M'),
        [b'+' | b'-', zone @ ..] => {
            (2..=5).contains(&zone.len()) && zone.iter().all(|b| b.is_ascii_digit() || *b == b':')
        }
        _ => false,
    }
}

/// The first letters of months in English, German, French, Spanish, Italian and Dutch.
const MONTHS: [&[u8]; 27] = [
    b"jan",
    b"feb",
    b"mar",
    b"apr",
    b"may",
    b"jun",
    b"jul",
    b"aug",
    b"sep",
    b"oct",
    b"nov",
    b"dec",
    b"mai",
    b"okt",
    b"dez",
    b"fev",
    "fév".as_bytes(),
    b"avr",
    b"jui",
    b"aou",
    "aoû".as_bytes(),
    "déc".as_bytes(),
    b"ene",
    b"abr",
    b"dic",
    b"gen",
    "mär".as_bytes(),
];

/// `29 Feb 2024`, `Feb 29, 2024`, `29-FEB-24`.
fn named_month(cell: &[u8]) -> bool {
    let (mut numbers, mut months, mut others) = (0, 0, 0);
    let is_mark = |b: &u8| matches!(b, b' ' | b'-' | b'/' | b'.' | b',');
    for token in cell.split(is_mark).filter(|token| !token.is_empty()) {
        let lower = token.to_ascii_lowercase();
        if token.len() <= 4 && token.iter().all(u8::is_ascii_digit) {
            numbers += 1;
        } else if MONTHS.iter().any(|month| lower.starts_with(month)) && token.len() <= 10 {
            months += 1;
        } else if !is_time(token) {
            others += 1;
        }
    }
    months == 1 && (1..=2).contains(&numbers) && others <= usize::from(numbers == 2)
}

fn is_null(cell: &[u8]) -> bool {
    const WORDS: [&[u8]; 10] = [
        b"null", b"na", b"n/a", b"nan", b"\\n", b"none", b"#n/a", b"nil", b"-", b"--",
    ];
    cell.len() <= 4 && WORDS.iter().any(|word| cell.eq_ignore_ascii_case(word))
}

fn is_boolean(cell: &[u8]) -> bool {
    const WORDS: [&[u8]; 14] = [
        b"true",
        b"false",
        b"yes",
        b"no",
        b"ja",
        b"nein",
        b"oui",
        b"non",
        b"wahr",
        b"falsch",
        b"vrai",
        b"faux",
        b"si",
        b"verdadero",
    ];
    cell.len() <= 9 && WORDS.iter().any(|word| cell.eq_ignore_ascii_case(word))
}

/// An e-mail or web address, a UUID, an IP address, a coordinate pair in one cell.
fn is_id(cell: &[u8]) -> bool {
    if cell.len() < 6 || cell.contains(&b' ') {
        return false;
    }
    let has_odd = cell.iter().any(|b| matches!(b, b'"' | b'\t' | b'|'));
    if has_odd {
        return false;
    }
    if cell.starts_with(b"http://") || cell.starts_with(b"https://") || cell.starts_with(b"www.") {
        return !cell.contains(&b';') || cell.contains(&b'?');
    }
    let mut parts = cell.split(|b| *b == b'@');
    if let (Some(user), Some(host), None) = (parts.next(), parts.next(), parts.next()) {
        let plain = |b: &u8| {
            b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b'+') || *b >= 0x80
        };
        return !user.is_empty()
            && host.contains(&b'.')
            && user.iter().all(plain)
            && host.iter().all(plain);
    }
    if cell.len() == 36 {
        return cell.iter().enumerate().all(|(at, b)| {
            if matches!(at, 8 | 13 | 18 | 23) {
                *b == b'-'
            } else {
                b.is_ascii_hexdigit()
            }
        });
    }
    let dotted: Vec<&[u8]> = cell.split(|b| *b == b'.').collect();
    dotted.len() == 4
        && dotted
            .iter()
            .all(|part| (1..=3).contains(&part.len()) && part.iter().all(u8::is_ascii_digit))
}

/// Words, sentences, or what is neither.
fn words(cell: &[u8], quoted: bool) -> Kind {
    let (mut odd, mut sentence) = (false, cell.len() > 60);
    let mut letters = 0;
    for (at, &byte) in cell.iter().enumerate() {
        let next = cell.get(at + 1).copied().unwrap_or(b' ');
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | 0x80.. => letters += 1,
            b' ' | b'_' | b'-' | b'.' | b'/' | b'&' | b'(' | b')' | b'+' | b'#' | b'%' | b'\'' => {}
            b'\t' | b'|' | b'~' | b'^' | 0x1c..=0x1f | 1..=8 => odd = true,
            // Behind a comma or semicolon of a sentence comes a space.
            b';' | b',' => {
                odd |= next != b' ';
                sentence = true;
            }
            b'"' => {
                odd |= at == 0 || at + 1 == cell.len();
                sentence = true;
            }
            _ => sentence = true,
        }
    }
    if let ([b'\'', .., b'\''], true) = (cell, cell.len() > 2) {
        odd = true;
    }
    if quoted {
        return if letters == 0 { Kind::Text } else { Kind::Word };
    }
    if odd {
        Kind::Odd
    } else if sentence || letters == 0 {
        Kind::Text
    } else {
        Kind::Word
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_look_like_what_they_are() {
        for (kind_wanted, cells) in [
            (Kind::Empty, &["", "  ", "\u{a0}"][..]),
            (
                Kind::Integer,
                &["0", "42", "-7", "00123", "+4", "5 €", "(12)"],
            ),
            (
                Kind::Number,
                &[
                    "1.5",
                    "1,5",
                    "1.234,56",
                    "1,234.56",
                    "1 234,56",
                    "1\u{202f}234,56",
                    "12,50-",
                    "€ 1.234,56",
                    "-0,5 %",
                    "1e-7",
                    "1'234.50",
                    "1,23,456.00",
                    ".5",
                    "−3,2",
                    "1.5E+10",
                    "12.345.678",
                ],
            ),
            (
                Kind::Date,
                &[
                    "2024-02-29",
                    "29.02.2024",
                    "2/29/24",
                    "2024-02-29T12:00:00Z",
                    "2024-02-29 12:00:00.123+01:00",
                    "29.02.2024 08:15",
                    "29 Feb 2024",
                    "Feb 29, 2024",
                    "29-FEB-24",
                    "12 février 2024",
                    "24-01-31",
                ],
            ),
            (
                Kind::Time,
                &["12:30", "9:05 pm", "12:30:05.123", "23:59:59Z"],
            ),
            (Kind::Boolean, &["true", "No", "ja"]),
            (Kind::Null, &["NULL", "n/a", "\\N", "-"]),
            (
                Kind::Id,
                &[
                    "a.b@c.example",
                    "https://example.com/?a=1;b=2",
                    "192.168.0.1",
                    "123e4567-e89b-12d3-a456-426614174000",
                ],
            ),
            (
                Kind::Word,
                &["Zoë", "Smith & Sons", "SKU-12/b", "first_name", "C"],
            ),
            (Kind::Text, &["Hello, world", "Is it? Yes!", "a = b"]),
            (Kind::Json, &["{\"a\":1}", "[]"]),
            (
                Kind::Odd,
                &["a;b", "1;2", "a|b", "\"a", "'abc'", "5;7,3", "Smith,John"],
            ),
        ] {
            for cell in cells {
                assert_eq!(kind(cell.as_bytes(), false), kind_wanted, "{cell:?}");
            }
        }
        for no_number in ["1.2.3.4.5", "1,2,3", "12 34", "1-2", "e5", "."] {
            assert_ne!(
                kind(no_number.as_bytes(), false),
                Kind::Number,
                "{no_number}"
            );
        }
    }
}
