//! Rows at the end that are no part of the table.

use std::fmt::Write as _;

use batchfleet_core::job::{JobStatus, Policy, ReasonCode};
use batchfleet_core::prepare::Prepared;
use batchfleet_core::source::Redriven;

use crate::fleet::Fleet;
use crate::small;

/// A number that follows from two others, and looks random.
fn mixed(seed: u64, step: u64) -> u64 {
    let mut z = (seed << 32 ^ step).wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn definition(footers: u64) -> String {
    format!(
        "dialect: {{footer_rows: {footers}, comment: \"#\"}}\nfields:\n  - {{name: id, type: integer, required: true}}\n  - {{name: name}}\n"
    )
}

/// A file of rows, blank lines and comments, of which some rows are wrong; for each record whether it
/// is a row, and whether it is good.
fn file(records: u64, seed: u64) -> (String, Vec<Option<bool>>) {
    let mut text = "id,name\n".to_owned();
    let mut truth = Vec::new();
    for record in 0..records {
        match mixed(seed, record) % 6 {
            0 => text.push('\n'),
            1 => text.push_str("# a, comment\n"),
            2 => writeln!(text, "Total,{record}").unwrap(),
            3 => writeln!(text, "{record},\"two\nlines\"").unwrap(),
            _ => writeln!(text, "{record},name").unwrap(),
        }
        truth.push(match mixed(seed, record) % 6 {
            0 | 1 => None,
            2 => Some(false),
            _ => Some(true),
        });
    }
    (text, truth)
}

/// Of any file, with any number of footers, in batches and windows of any size: the last rows are
/// skipped, and what stands before them is accepted or rejected as it is.
#[tokio::test]
async fn the_last_rows_are_skipped_at_any_cut() {
    for seed in 0..300 {
        let pick = |what: u64, most: u64| mixed(seed, 1_000_000 + what) % (most + 1);
        let (records, footers) = (pick(0, 50), pick(1, 8));
        let (text, truth) = file(records, seed);
        let policy = Policy {
            batch_records_max: 1 + pick(2, 6) as u32,
            ..small()
        };
        let window = 10 + pick(3, 300);
        let fleet = Fleet::decoding(text.into(), &definition(footers), policy, window);
        fleet.upload().await;
        let summary = fleet.run().await;
        assert_eq!(summary.status, JobStatus::Completed, "seed {seed}");
        let rows = truth.iter().filter(|one| one.is_some()).count();
        let kept = rows.saturating_sub(footers as usize);
        let kept: Vec<bool> = truth.iter().flatten().copied().take(kept).collect();
        let accepted = kept.iter().filter(|is_good| **is_good).count() as u64;
        let counts = summary.counts;
        assert_eq!(
            (
                counts.records,
                counts.accepted,
                counts.rejected,
                counts.skipped
            ),
            (
                records,
                accepted,
                kept.len() as u64 - accepted,
                records - kept.len() as u64
            ),
            "seed {seed}: {records} records, {footers} footers"
        );
        assert_eq!(fleet.delivered().len() as u64, accepted);
        assert_eq!(fleet.reasons().len() as u64, counts.rejected);
    }
}

#[tokio::test]
async fn a_crash_at_any_call_makes_no_difference() {
    let (mut text, _) = file(40, 3);
    text.push_str("\n1,the last but one\n\n# more\n2,the last\n\n");
    for call in 0.. {
        let fleet = Fleet::decoding(text.clone().into(), &definition(2), small(), 60);
        fleet.crash_at(call);
        fleet.upload().await;
        let summary = fleet.run().await;
        assert_eq!(summary.status, JobStatus::Completed, "crash at call {call}");
        assert!(!fleet.delivered().iter().any(|row| {
            let name = row["name"].as_str().unwrap();
            name.starts_with("the last")
        }));
        assert_eq!(summary.counts.records, 46, "crash at call {call}");
        if !fleet.has_crashed() {
            assert!(call > 70, "only {call} calls to crash at");
            break;
        }
    }
}

/// A footer is no duplicate, and a record that is too long can be one.
#[tokio::test]
async fn a_footer_has_no_value_that_must_be_unique() {
    let definition =
        "dialect: {footer_rows: 2}\nfields: [{name: id, unique: true}, {name: name}]\n";
    let text = format!("id,name\n1,a\n2,b\n1,{}\n2,d\n\n", "x".repeat(3 << 20));
    for records in [1, 2, 100] {
        let policy = Policy {
            batch_records_max: records,
            ..small()
        };
        let fleet = Fleet::new(&text, definition, policy);
        fleet.upload().await;
        let summary = fleet.run().await;
        let counts = summary.counts;
        assert_eq!(
            (
                counts.records,
                counts.accepted,
                counts.rejected,
                counts.skipped
            ),
            (5, 2, 0, 3)
        );
    }
}

#[tokio::test]
async fn a_redrive_takes_over_which_rows_are_footers() {
    let text = "id,name\n1,a\nx,b\nTotal,2\n";
    let fleet = Fleet::new(text, &definition(1), small());
    fleet.upload().await;
    assert_eq!(fleet.run().await.counts.rejected, 1);
    fleet.define(&definition(1).replace(", type: integer", ""));
    fleet.redrive(Redriven::Rejected).await.unwrap();
    let counts = fleet.run().await.counts;
    assert_eq!((counts.accepted, counts.skipped), (1, 2));

    fleet.define(&definition(0));
    let refused = fleet.redrive(Redriven::Rejected).await.unwrap();
    assert!(matches!(refused, Prepared::Ended(_, JobStatus::Failed)));
    let reason = fleet.run().await.reason.unwrap();
    assert_eq!(reason.code, ReasonCode::BadDefinition);
    assert!(reason.message.contains("dialect"), "{}", reason.message);
}
