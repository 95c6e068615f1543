//! How quotes, escapes and line ends are used, by counting alone.
//!
//! The reader gives a meaning to any bytes; whether that meaning is likely shows in where quotes
//! stand. It must not know rows or cells.

use batchfleet_grammar::{Dialect, LineEnd};

/// How one dialect's quotes fare in a text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct QuoteUse {
    /// Fields whose closing quote is the field's last byte.
    pub(crate) clean: usize,
    /// Fields with more behind their closing quote.
    pub(crate) dirty: usize,
    /// Fields of the first kind that have a delimiter or a line break in them.
    pub(crate) holding: usize,
    /// Two quotes in a row within quotes.
    pub(crate) doubled: usize,
    /// Whether the text ends within quotes.
    pub(crate) unclosed: bool,
}

/// One field, as its quotes stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Plain,
    /// In quotes, with so many doubled ones within, whether more stands behind them, and whether there is
    /// a delimiter or a line break within.
    Quoted {
        doubled: usize,
        dirty: bool,
        holds: bool,
    },
    Unclosed,
}

/// Counts how the quotes of `dialect` are used in `text`, which begins with a field.
pub(crate) fn quote_use(text: &[u8], dialect: Dialect) -> QuoteUse {
    let mut found = QuoteUse::default();
    if dialect.quote.is_none() {
        return found;
    }
    fields(text, dialect, |field, _| match field {
        Field::Plain => {}
        Field::Unclosed => found.unclosed = true,
        Field::Quoted {
            doubled,
            dirty,
            holds,
        } => {
            found.doubled += doubled;
            found.holding += usize::from(holds && !dirty);
            found.dirty += usize::from(dirty);
            found.clean += usize::from(!dirty);
        }
    });
    found
}

/// Which fields of one record stand in quotes, and have nothing behind them.
pub(crate) fn quoted_fields(record: &[u8], dialect: Dialect) -> Vec<bool> {
    let mut quoted = Vec::new();
    fields(record, dialect, |field, _| {
        quoted.push(matches!(field, Field::Quoted { dirty: false, .. }));
    });
    quoted
}

/// The fields of one record as they stand, with their quotes and the spaces around those.
pub(crate) fn raw_fields(record: &[u8], dialect: Dialect) -> Vec<&[u8]> {
    let mut spacious = dialect;
    spacious.trim = true;
    let mut raw = Vec::new();
    fields(record, spacious, |_, text| raw.push(text));
    raw
}

/// Tells `take` each field of `text` in turn, and its bytes.
fn fields<'t>(text: &'t [u8], dialect: Dialect, mut take: impl FnMut(Field, &'t [u8])) {
    let ends_record = |byte: u8| byte == b'\n' || byte == b'\r' && dialect.line_end == LineEnd::Any;
    let mut at = 0;
    while at < text.len() {
        let begin = at;
        at += if dialect.trim { spaces(&text[at..]) } else { 0 };
        let mut field = Field::Plain;
        if dialect.quote.is_some() && text.get(at).copied() == dialect.quote {
            (field, at) = quoted_field(text, at + 1, dialect);
        }
        let mut end = text.len();
        while let Some(&byte) = text.get(at) {
            at += 1;
            if dialect.escape == Some(byte) {
                at += 1;
            } else if byte == dialect.delimiter || ends_record(byte) {
                end = at - 1;
                break;
            }
        }
        take(field, &text[begin..end]);
    }
}

/// The field whose opening quote is right before `at`, and where its closing quote's line goes on.
fn quoted_field(text: &[u8], mut at: usize, dialect: Dialect) -> (Field, usize) {
    let quote = dialect.quote;
    let (mut doubled, mut holds) = (0, false);
    loop {
        let Some(&byte) = text.get(at) else {
            return (Field::Unclosed, text.len());
        };
        if dialect.escape == Some(byte) {
            at += 2;
        } else if Some(byte) == quote && text.get(at + 1).copied() == quote {
            doubled += 1;
            at += 2;
        } else if Some(byte) == quote {
            break;
        } else {
            holds |= byte == dialect.delimiter || byte == b'\n';
            at += 1;
        }
    }
    at += 1;
    at += if dialect.trim { spaces(&text[at..]) } else { 0 };
    let is_end = |byte: &u8| *byte == dialect.delimiter || matches!(byte, b'\n' | b'\r');
    let dirty = !text.get(at).is_none_or(is_end);
    let field = Field::Quoted {
        doubled,
        dirty,
        holds,
    };
    (field, at)
}

fn spaces(text: &[u8]) -> usize {
    text.iter()
        .take_while(|byte| matches!(byte, b' ' | b'\t'))
        .count()
}

/// Where a quote stands for one delimiter.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct QuotePlaces {
    /// At a field's beginning.
    pub(crate) opens: usize,
    /// At a field's end.
    pub(crate) closes: usize,
    /// At a field's beginning but for spaces.
    pub(crate) spaced: usize,
}

/// Counts where `quote` stands beside delimiters and line ends.
pub(crate) fn quote_places(text: &[u8], delimiter: u8, quote: u8) -> QuotePlaces {
    let is_edge = |byte: u8| byte == delimiter || byte == b'\n' || byte == b'\r';
    let mut places = QuotePlaces::default();
    for at in memchr::memchr_iter(quote, text) {
        let before = text[..at].last().copied();
        places.opens += usize::from(before.is_none_or(is_edge));
        places.closes += usize::from(text.get(at + 1).is_none_or(|byte| is_edge(*byte)));
        if before == Some(b' ') && delimiter != b' ' {
            let edge = text[..at].iter().rev().find(|byte| **byte != b' ');
            places.spaced += usize::from(edge.is_some_and(|byte| *byte == delimiter));
        }
    }
    places
}

/// Whether a backslash stands where an escape would: before a quote, a delimiter or a line end.
pub(crate) fn has_escapes(text: &[u8], delimiter: u8) -> bool {
    memchr::memchr_iter(b'\\', text).any(|at| {
        text.get(at + 1).is_some_and(|byte| {
            *byte == delimiter || matches!(byte, b'"' | b'\'' | b'\n' | b'\r' | b'\\')
        })
    })
}

/// How often each kind of line end stands in a text, within quotes or not: `\n`s, and `\r`s that are
/// not before one.
pub(crate) fn line_breaks(text: &[u8]) -> (usize, usize) {
    let lf = memchr::memchr_iter(b'\n', text).count();
    let lone = memchr::memchr_iter(b'\r', text)
        .filter(|at| text.get(at + 1).is_some_and(|byte| *byte != b'\n'))
        .count();
    (lf, lone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raw_fields_keep_their_quotes_and_spaces() {
        let dialect = Dialect::new(b',', Some(b'"'));
        let raw = |record: &'static str| {
            let fields = raw_fields(record.as_bytes(), dialect);
            let texts = fields
                .into_iter()
                .map(|raw| std::str::from_utf8(raw).unwrap());
            texts.collect::<Vec<_>>()
        };
        assert_eq!(raw("\"Lee, Ann\",\"b, c\""), ["\"Lee, Ann\"", "\"b, c\""]);
        assert_eq!(raw("a , \"b, c\" ,d"), ["a ", " \"b, c\" ", "d"]);
        assert_eq!(raw("\"open, end"), ["\"open, end"]);
    }

    #[test]
    fn quotes_are_clean_or_dirty() {
        let usage = |text: &[u8], escape, trim| {
            let mut dialect = Dialect::new(b',', Some(b'"'));
            dialect.escape = escape;
            dialect.trim = trim;
            quote_use(text, dialect)
        };
        let found = usage(b"\"a\",\"b\"\"c\"\r\n\"d\"x,e\n", None, false);
        assert_eq!((found.clean, found.dirty, found.doubled), (2, 1, 1));
        let text = b"\"say \\\"hi\\\" you\",2\n";
        assert_eq!(usage(text, None, false).dirty, 1);
        assert_eq!(usage(text, Some(b'\\'), false).clean, 1);
        let text = b"a, \"b, c\" ,d\n";
        assert_eq!(usage(text, None, false), QuoteUse::default());
        assert_eq!(usage(text, None, true).clean, 1);
        assert!(usage(b"a,\"b", None, false).unclosed);
        let text = b"\"a,b\",\"c\nd\",\"e\",\"f,g\"h\n";
        assert_eq!(usage(text, None, false).holding, 2);
        assert!(usage(b"a,\"b\\", Some(b'\\'), false).unclosed);
    }

    #[test]
    fn places_are_counted() {
        let places = quote_places(b"'a';'b'; 'c'\nit's", b';', b'\'');
        assert_eq!((places.opens, places.closes, places.spaced), (2, 3, 1));
        assert!(has_escapes(b"a\\;b", b';') && !has_escapes(b"C:\\dir;\\N", b';'));
        assert_eq!(line_breaks(b"a\r\nb\rc\n\r"), (2, 1));
    }
}
