//! Look-ups: what exists is said to, and nothing else is.

use std::sync::Arc;

use async_trait::async_trait;
use batchfleet_core::exact::ExactNumber;
use batchfleet_core::ports::{KeyAnswer, KeyValue, Lookup, LookupAnswer, LookupKey};

use super::fixture::unique;

/// A table with a key of two attributes, first a number and then a text, and the means to write it.
#[async_trait]
pub trait LookupHarness: Send + Sync {
    /// The table under test.
    fn lookup(&self) -> Arc<dyn Lookup>;
    /// Puts a record of this key into the table. The number is spelled as JSON spells it.
    async fn write(&self, number: &str, text: &str);
}

fn key(number: &str, text: &str) -> LookupKey {
    let number = ExactNumber::parse(number).expect("a number");
    LookupKey(vec![
        KeyValue::Number(number),
        KeyValue::Text(text.to_owned()),
    ])
}

/// A text that no other test has.
fn fresh(text: &str) -> String {
    format!("{text}-{}", unique())
}

/// Asks until every key is answered for.
async fn ask(harness: &impl LookupHarness, keys: &[LookupKey]) -> Vec<bool> {
    let answer = harness.lookup().existing(keys).await.expect("an answer");
    let LookupAnswer::Each(answers) = answer else {
        panic!("{answer:?}");
    };
    assert_eq!(answers.len(), keys.len());
    let exists = answers.iter().map(|answer| match answer {
        KeyAnswer::Exists => true,
        KeyAnswer::Missing => false,
        KeyAnswer::Overloaded => panic!("left over"),
    });
    exists.collect()
}

/// One key, before and after.
pub async fn what_is_written_exists_at_once(harness: impl LookupHarness) {
    let text = fresh("ann");
    assert_eq!(ask(&harness, &[key("1", &text)]).await, [false]);
    harness.write("1", &text).await;
    assert_eq!(ask(&harness, &[key("1", &text)]).await, [true]);
    // Both attributes count.
    let others = [key("2", &text), key("1", &fresh("ann"))];
    assert_eq!(ask(&harness, &others).await, [false, false]);
}

/// In the order of the keys, however many there are.
pub async fn as_many_keys_are_answered_for_as_the_lookup_says(harness: impl LookupHarness) {
    let keys_max = harness.lookup().keys_max();
    assert!(keys_max > 0);
    let text = fresh("many");
    for number in (0..keys_max).step_by(3) {
        harness.write(&number.to_string(), &text).await;
    }
    let keys = (0..keys_max).map(|number| key(&number.to_string(), &text));
    let keys: Vec<LookupKey> = keys.rev().collect();
    let expected: Vec<bool> = (0..keys_max).map(|number| number % 3 == 0).rev().collect();
    assert_eq!(ask(&harness, &keys).await, expected);
}

/// Not by their spelling, and with every digit.
pub async fn numbers_are_compared_by_their_value(harness: impl LookupHarness) {
    let text = fresh("numbers");
    for (written, asked) in [
        ("1.50", "15e-1"),
        ("-0.0", "0"),
        ("1E+20", "100000000000000000000"),
        ("9007199254740993", "9007199254740993"),
        (
            "12345678901234567890123456789.012345678",
            "12345678901234567890123456789.012345678",
        ),
        ("-1e-120", "-0.1e-119"),
    ] {
        assert_eq!(ask(&harness, &[key(asked, &text)]).await, [false]);
        harness.write(written, &text).await;
        assert_eq!(ask(&harness, &[key(asked, &text)]).await, [true], "{asked}");
    }
    let near = [
        "9007199254740992",
        "9007199254740994",
        "12345678901234567890123456789.012345679",
        "1.5000000000000000000001",
    ];
    let near = near.map(|number| key(number, &text));
    assert_eq!(ask(&harness, &near).await, [false; 4]);
}

/// Case and all.
pub async fn texts_are_compared_as_they_are(harness: impl LookupHarness) {
    let text = fresh("Zoë \"Z\"\n, 日本 😀");
    harness.write("1", &text).await;
    let keys = [
        key("1", &text),
        key("1", &text.to_lowercase()),
        key("1", &format!("{text} ")),
    ];
    assert_eq!(ask(&harness, &keys).await, [true, false, false]);
}

/// It is no error, and stands in nobody's way.
pub async fn a_key_that_no_record_can_have_is_missing(harness: impl LookupHarness) {
    let text = fresh("extreme");
    harness.write("1", &text).await;
    let forty_digits = "1234567890123456789012345678901234567891";
    let keys = [
        key("1", &"x".repeat(4_000)),
        key("1e200", &text),
        key("1", &text),
        key("1e-200", &text),
        key(forty_digits, &text),
    ];
    let expected = [false, false, true, false, false];
    assert_eq!(ask(&harness, &keys).await, expected);
    let impossible = [key("1e200", &text)];
    assert_eq!(ask(&harness, &impossible).await, [false]);
}
