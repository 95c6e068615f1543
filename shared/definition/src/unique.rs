//! Keys of the values that no two rows of a job may share, short enough to remember them all.
//!
//! A key is the SipHash-1-3 of 128 bits, without a secret, of the values: of two different ones
//! among a billion the chance is 1 in 10^20. The same values have the same key in every process and
//! every version, because a job may be planned by several. It must not know who remembers them.

use std::hash::Hasher;

use siphasher::sip128::{Hasher128, SipHasher13};

use crate::constraint::{Digits, moment};
use crate::types::{FieldType, Value};

/// Fields whose values are unique.
#[derive(Debug, Clone)]
pub(crate) struct Constraint {
    /// Their places in the plan; one, or several that are unique together.
    pub(crate) slots: Vec<usize>,
    pub(crate) ignore_case: bool,
}

/// Adds a value to a key in the making. `false` for what is no value: it is like no other.
pub(crate) fn add(
    key: &mut Vec<u8>,
    value: &Value<'_>,
    kind: FieldType,
    ignore_case: bool,
) -> bool {
    // The length comes before, so that of two texts the end of one is never the beginning of the next.
    let start = key.len();
    key.extend_from_slice(&[0; 4]);
    match value {
        Value::Null | Value::Str("") => return false,
        // The same moment in two places is the same.
        Value::Str(text) if kind == FieldType::DateTime => match moment(text) {
            Some(moment) => key.extend_from_slice(&moment.as_nanosecond().to_le_bytes()),
            None => key.extend_from_slice(text.as_bytes()),
        },
        // Of an address the path's case counts.
        Value::Str(text) if ignore_case && kind != FieldType::Url => folded(key, text),
        Value::Str(text) | Value::Json(text) => key.extend_from_slice(text.as_bytes()),
        Value::Int(int) => key.extend_from_slice(&int.to_le_bytes()),
        Value::Num(number) => {
            // Zero has two forms.
            let number = if *number == 0.0 { 0.0 } else { *number };
            key.extend_from_slice(&number.to_bits().to_le_bytes());
        }
        Value::Bool(truth) => key.push(u8::from(*truth)),
        Value::Decimal(text) => {
            let digits = Digits::of(text);
            key.push(if digits.negative { b'-' } else { b'+' });
            key.extend_from_slice(digits.whole.as_bytes());
            key.push(b'.');
            key.extend_from_slice(digits.fraction.as_bytes());
        }
    }
    let length = (key.len() - start - 4) as u32;
    key[start..start + 4].copy_from_slice(&length.to_le_bytes());
    true
}

fn folded(key: &mut Vec<u8>, text: &str) {
    if text.is_ascii() {
        let start = key.len();
        key.extend_from_slice(text.as_bytes());
        key[start..].make_ascii_lowercase();
        return;
    }
    let mut bytes = [0; 4];
    for letter in text.chars().flat_map(char::to_lowercase) {
        key.extend_from_slice(letter.encode_utf8(&mut bytes).as_bytes());
    }
}

/// The key of all that was added.
pub(crate) fn hash(key: &[u8]) -> u128 {
    let mut hasher = SipHasher13::new();
    hasher.write(key);
    hasher.finish128().as_u128()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(value: Value<'_>) -> Option<u128> {
        let mut key = Vec::new();
        add(&mut key, &value, FieldType::String, true).then(|| hash(&key))
    }

    /// What a preparer remembers of a job must mean the same to the next, of whatever version.
    #[test]
    fn keys_never_change() {
        assert_eq!(
            key(Value::Str("Ann@Example.com")),
            key(Value::Str("ann@example.com"))
        );
        // By an implementation of its own, in another language.
        for (value, expected) in [
            (
                Value::Str("ann@example.com"),
                0x1b9c_90d8_8d7e_bde9_c41a_1794_f870_2cec,
            ),
            (Value::Str("Zoë"), 0xd2e6_9a67_57b1_417d_23e3_49ff_4462_c62b),
            (Value::Int(42), 0xea11_a94d_aa8c_50be_2ee7_757a_c962_299d),
            (Value::Num(1.5), 0x9058_f518_02b9_fc1c_cb40_c851_ffbb_a260),
            (
                Value::Decimal("12.30"),
                0xe911_f5c7_6868_864d_c1d9_8c34_aa74_8684,
            ),
            (Value::Bool(true), 0x0afe_a274_5540_42ca_cf49_549a_90ab_deb2),
        ] {
            assert_eq!(key(value), Some(expected), "{value:?}");
        }
    }

    #[test]
    fn equal_values_have_equal_keys() {
        assert_eq!(key(Value::Decimal("12.30")), key(Value::Decimal("012.3")));
        assert_ne!(key(Value::Decimal("12.30")), key(Value::Decimal("-12.3")));
        assert_eq!(key(Value::Num(0.0)), key(Value::Num(-0.0)));
        assert_eq!(key(Value::Str("ÄÖ")), key(Value::Str("äö")));
        assert_eq!(key(Value::Null), None);
        assert_eq!(key(Value::Str("")), None);
    }

    #[test]
    fn where_one_text_ends_and_the_next_begins_counts() {
        let both = |a, b| {
            let mut key = Vec::new();
            add(&mut key, &Value::Str(a), FieldType::String, true);
            add(&mut key, &Value::Str(b), FieldType::String, true);
            hash(&key)
        };
        assert_ne!(both("ab", "c"), both("a", "bc"));
    }
}
