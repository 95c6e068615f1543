//! JSON Lines: one JSON object a row, into one growing buffer.
//!
//! The keys are escaped once, when the encoder is made, and the buffer is used again, so a row
//! costs no allocation. This file must not know what makes a row good.

use crate::plan::{Encoder, RowPlan};
use crate::types::Value;

/// Encodes rows as JSON Lines.
#[derive(Debug, Clone)]
pub struct JsonLines {
    /// The key of every field with all the punctuation before its value.
    keys: Vec<Box<[u8]>>,
    buffer: Vec<u8>,
    /// Where the row in progress begins.
    row: usize,
}

impl JsonLines {
    /// An encoder for the rows of a plan.
    #[must_use]
    pub fn new(plan: &RowPlan) -> Self {
        let key = |(index, name): (usize, &str)| {
            let mut key = vec![if index == 0 { b'{' } else { b',' }];
            push_string(&mut key, name);
            key.push(b':');
            key.into_boxed_slice()
        };
        Self {
            keys: plan.field_names().enumerate().map(key).collect(),
            buffer: Vec::new(),
            row: 0,
        }
    }

    /// The rows so far, each with its line feed.
    #[must_use]
    pub fn buffer(&self) -> &[u8] {
        &self.buffer
    }

    /// Hands over the rows so far and begins anew.
    #[must_use]
    pub fn take(&mut self) -> Vec<u8> {
        self.row = 0;
        std::mem::take(&mut self.buffer)
    }

    /// Forgets the rows so far and keeps their memory.
    pub fn clear(&mut self) {
        self.row = 0;
        self.buffer.clear();
    }
}

impl Encoder for JsonLines {
    #[inline]
    fn begin(&mut self) {
        self.row = self.buffer.len();
    }

    #[inline]
    fn field(&mut self, index: usize, value: Value<'_>) {
        self.buffer.extend_from_slice(&self.keys[index]);
        push_value(&mut self.buffer, value);
    }

    #[inline]
    fn end(&mut self) {
        self.buffer.extend_from_slice(b"}\n");
    }

    fn discard(&mut self) {
        self.buffer.truncate(self.row);
    }
}

/// Adds a value as JSON.
#[inline]
pub(crate) fn push_value(out: &mut Vec<u8>, value: Value<'_>) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Str(text) => push_string(out, text),
        Value::Int(int) => push_int(out, int),
        Value::Num(number) => push_number(out, number),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Decimal(text) | Value::Json(text) => out.extend_from_slice(text.as_bytes()),
    }
}

/// The letter after the backslash for every byte that needs one, `u` for the six-character form,
/// `L` for the first byte of what may be a line end beyond ASCII, 0 for bytes that stand for
/// themselves.
static ESCAPES: [u8; 256] = escapes();

const fn escapes() -> [u8; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 0x20 {
        table[byte] = b'u';
        byte += 1;
    }
    table[0x08] = b'b';
    table[0x09] = b't';
    table[0x0a] = b'n';
    table[0x0c] = b'f';
    table[0x0d] = b'r';
    table[b'"' as usize] = b'"';
    table[b'\\' as usize] = b'\\';
    table[0xc2] = b'L';
    table[0xe2] = b'L';
    table
}

#[inline]
fn push_string(out: &mut Vec<u8>, text: &str) {
    let mut rest = text.as_bytes();
    out.reserve(rest.len() + 2);
    out.push(b'"');
    while let Some(at) = rest
        .iter()
        .position(|byte| ESCAPES[usize::from(*byte)] != 0)
    {
        out.extend_from_slice(&rest[..at]);
        rest = push_special(out, &rest[at..]);
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

/// The line ends that Unicode has beyond ASCII (NEL, LINE SEPARATOR, PARAGRAPH SEPARATOR). JSON lets
/// them stand, but a reader that takes them for ends of lines would see one row as several, and who
/// wrote the cell could choose what they say.
pub(crate) const LINE_ENDS: [(&str, &str); 3] = [
    ("\u{85}", "\\u0085"),
    ("\u{2028}", "\\u2028"),
    ("\u{2029}", "\\u2029"),
];

/// Writes what `rest` begins with, which does not stand for itself or may not; gives what follows.
fn push_special<'t>(out: &mut Vec<u8>, rest: &'t [u8]) -> &'t [u8] {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let byte = rest[0];
    match ESCAPES[usize::from(byte)] {
        b'L' => {
            for (end, escape) in LINE_ENDS {
                if let Some(rest) = rest.strip_prefix(end.as_bytes()) {
                    out.extend_from_slice(escape.as_bytes());
                    return rest;
                }
            }
            out.push(byte);
        }
        b'u' => {
            out.extend_from_slice(b"\\u00");
            out.push(HEX[usize::from(byte >> 4)]);
            out.push(HEX[usize::from(byte & 15)]);
        }
        letter => out.extend_from_slice(&[b'\\', letter]),
    }
    &rest[1..]
}

fn push_int(out: &mut Vec<u8>, int: i64) {
    let mut digits = [0; 20];
    let mut start = digits.len();
    let mut rest = int.unsigned_abs();
    loop {
        start -= 1;
        digits[start] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if int < 0 {
        start -= 1;
        digits[start] = b'-';
    }
    out.extend_from_slice(&digits[start..]);
}

fn push_number(out: &mut Vec<u8>, number: f64) {
    // The shortest digits that read back to the same number. A `Vec` never fails as a writer.
    let _ = serde_json::to_writer(out, &number);
}
