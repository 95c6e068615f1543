//! Sources that do not split: decoded once into the spool, and then imported like any other. Whatever
//! dies or is lost, the outcome is that of the plain file, and nothing stays in the spool.

use std::io::Write;

use batchfleet_core::job::{JobStatus, Policy, ReasonCode};
use batchfleet_core::ports::Store;
use batchfleet_core::prepare::Prepared;
use batchfleet_core::source::Redriven;
use batchfleet_definition::Code;
use serde_json::json;

use crate::fleet::{Fleet, sequential};
use crate::{DEFINITION, rows, small};

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn utf16(text: &str) -> Vec<u8> {
    let units = std::iter::once(0xFEFF).chain(text.encode_utf16());
    units.flat_map(u16::to_le_bytes).collect()
}

#[tokio::test]
async fn a_decoded_file_comes_to_what_the_plain_one_does_at_any_cut() {
    for count in [0, 1, 3, 40, 100] {
        let text = rows(count);
        for file in [gzip(&text), utf16(&text)] {
            for window in [7, 64, 1_000, 1 << 20] {
                let fleet = Fleet::decoding(file.clone(), DEFINITION, small(), window);
                fleet.upload().await;
                let summary = fleet.run().await;
                assert_eq!(summary.status, JobStatus::Completed);
                fleet.assert_delivered(&summary, &sequential(&text, DEFINITION));
                assert!(fleet.spool.is_empty(), "the spool goes with the job");
                let decoded = summary.decoded.unwrap();
                assert_eq!(
                    (decoded.bytes, decoded.malformed),
                    (Some(text.len() as u64), 0)
                );
            }
        }
    }
}

/// A process that dies at its nth call of any port, for every n: whoever comes next decodes again from
/// the beginning, and goes on behind the checkpoint.
#[tokio::test]
async fn a_crash_at_any_call_of_a_decoded_job_loses_nothing_and_doubles_nothing() {
    let text = rows(40);
    let file = gzip(&text);
    let expected = sequential(&text, DEFINITION);
    let mut crashes = 0;
    for call in 0.. {
        let fleet = Fleet::decoding(file.clone(), DEFINITION, small(), 90);
        fleet.crash_at(call);
        fleet.upload().await;
        let summary = fleet.run().await;
        assert_eq!(summary.status, JobStatus::Completed, "crash at call {call}");
        fleet.assert_delivered(&summary, &expected);
        assert!(fleet.spool.is_empty(), "crash at call {call}");
        if !fleet.has_crashed() {
            break;
        }
        crashes += 1;
    }
    assert!(crashes > 70, "only {crashes} calls to crash at");
}

#[tokio::test]
async fn a_preparer_out_of_time_is_followed_by_one_that_goes_on() {
    let text = rows(2_000);
    let fleet = Fleet::decoding(gzip(&text), DEFINITION, small(), 100);
    // Every look at the clock takes a while. Here decoding again costs as much time as planning does,
    // so whoever comes next is given more.
    fleet.let_time_pass(15);
    let mut handed_over = 0;
    fleet.limit_time(Some(5_000));
    let mut outcome = fleet.upload().await;
    while matches!(outcome, Prepared::HandedOver(_)) && handed_over < 100 {
        handed_over += 1;
        fleet.limit_time(Some(5_000 * (handed_over + 1)));
        outcome = fleet.upload().await;
    }
    assert!(matches!(outcome, Prepared::Planned(_)), "{outcome:?}");
    assert!(handed_over >= 2, "{handed_over}");
    fleet.let_time_pass(0);
    fleet.limit_time(None);
    let summary = fleet.run().await;
    assert_eq!(summary.status, JobStatus::Completed);
    fleet.assert_delivered(&summary, &sequential(&text, DEFINITION));
}

/// No preparer could ever get behind the checkpoint: that is said, rather than tried for ever.
#[tokio::test]
async fn a_file_that_takes_longer_to_decode_than_a_preparer_has_fails_its_job() {
    let text = rows(2_000);
    let fleet = Fleet::decoding(gzip(&text), DEFINITION, small(), 100);
    fleet.let_time_pass(20);
    fleet.limit_time(Some(20_000));
    assert!(matches!(fleet.upload().await, Prepared::HandedOver(_)));
    // From now on there is only time for a step or two.
    fleet.limit_time(Some(200));
    let mut outcome = fleet.upload().await;
    for _ in 0..10 {
        if matches!(outcome, Prepared::Ended(..)) {
            break;
        }
        outcome = fleet.upload().await;
    }
    assert!(
        matches!(outcome, Prepared::Ended(_, JobStatus::Failed)),
        "{outcome:?}"
    );
    fleet.let_time_pass(0);
    fleet.limit_time(None);
    let summary = fleet.run().await;
    let reason = summary.reason.unwrap();
    assert_eq!(reason.code, ReasonCode::BadSource);
    assert!(
        reason.message.contains("unpack the file"),
        "{}",
        reason.message
    );
    assert!(fleet.spool.is_empty());
}

#[tokio::test]
async fn a_file_that_was_cut_off_fails_its_job_and_what_was_before_is_accounted_for() {
    // Names that do not compress, so that the cut lies behind the head that is looked at first.
    let mut text = b"id,name,age\n".to_vec();
    let mut number = 1_u64;
    for row in 0..70_000_u64 {
        number = number
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(row | 1);
        let name = number.rotate_left(29);
        writeln!(text, "{row},{number:016x}{name:016x},1").unwrap();
    }
    let whole = gzip(std::str::from_utf8(&text).unwrap());
    let file = whole[..whole.len() - 1_000].to_vec();
    assert!(file.len() > 1_200_000, "{} bytes", file.len());
    let policy = Policy {
        batch_records_max: 1_000,
        ..small()
    };
    let fleet = Fleet::decoding(file, DEFINITION, policy, 1 << 18);
    fleet.upload().await;
    let summary = fleet.run().await;
    assert_eq!(summary.status, JobStatus::Failed);
    let reason = summary.reason.unwrap();
    assert_eq!(reason.code, ReasonCode::BadSource);
    assert!(reason.message.contains("cut off"), "{}", reason.message);
    assert!(fleet.spool.is_empty());
    // Nobody worked before the file ended; what was planned was cancelled, and nothing was delivered.
    assert_eq!((summary.counts.records, fleet.delivered().len()), (0, 0));
    assert!(
        fleet.store.shard(&fleet.id(), 0).await.unwrap().is_some(),
        "batches were planned"
    );
}

#[tokio::test]
async fn a_spool_that_is_gone_fails_the_job_with_what_to_do() {
    let text = rows(100);
    let fleet = Fleet::decoding(gzip(&text), DEFINITION, small(), 100);
    fleet.upload().await;
    fleet.parts_are_gone();
    let summary = fleet.run().await;
    assert_eq!(summary.status, JobStatus::Failed);
    let reason = summary.reason.unwrap();
    assert_eq!(reason.code, ReasonCode::BadSource);
    assert!(reason.message.contains("upload"), "{}", reason.message);
}

#[tokio::test]
async fn a_decoded_job_is_redriven_from_its_file_whatever_dies() {
    const MENDED: &str = "fields:\n  - {name: id, type: integer, required: true}\n  - {name: name}\n  - {name: age}\n";
    let text = rows(70);
    for call in 0.. {
        let fleet = Fleet::decoding(gzip(&text), DEFINITION, small(), 100);
        fleet.upload().await;
        assert_eq!(fleet.run().await.counts.rejected, 20);
        fleet.define(MENDED);
        fleet.crash_at(call);
        fleet.redrive(Redriven::Rejected).await.unwrap();
        let second = fleet.run().await;
        assert_eq!(second.status, JobStatus::Completed, "crash at call {call}");
        let counts = second.counts;
        assert_eq!(
            (counts.records, counts.accepted, counts.rejected),
            (70, 10, 10)
        );
        assert!(fleet.delivered().iter().all(|row| row["age"] == "old"));
        assert!(fleet.spool.is_empty());
        if !fleet.has_crashed() {
            assert!(call > 50, "only {call} calls to crash at");
            break;
        }
    }
}

#[tokio::test]
async fn json_rows_keep_their_lines_and_nothing_is_lost() {
    let lines = concat!(
        "{\"id\":1,\"name\":\"Zoë\",\"age\":30}\n",
        "{\"name\":\"no id\"}\n",
        "\n",
        "[1]\n",
        "{\"id\":2,\"age\":\"old\",\"more\":{\"a\": [1]}}\n",
        "{\"id\":\"3\",\"name\":null,\"age\":7}",
    );
    let array = format!("[\n{}\n]", lines.replace("\n\n", "\n").replace('\n', ",\n"));
    for (file, skipped, first) in [(lines, 1, 1), (array.as_str(), 0, 2)] {
        let policy = Policy {
            batch_records_max: 2,
            ..small()
        };
        let fleet = Fleet::decoding(file.into(), DEFINITION, policy, 50);
        fleet.upload().await;
        let summary = fleet.run().await;
        assert_eq!(summary.status, JobStatus::Completed, "{:?}", summary.reason);
        let expected = [
            json!({"id": 1, "name": "Zoë", "age": 30}),
            json!({"id": 3, "name": "", "age": 7}),
        ];
        assert_eq!(fleet.delivered(), expected);
        let counts = summary.counts;
        assert_eq!(
            (counts.records, counts.rejected, counts.skipped),
            (5 + skipped, 3, skipped)
        );
        assert_eq!(summary.errors[&Code::MalformedRow], 1);
        assert_eq!(summary.ignored_columns, ["more"]);
        let rejects = fleet.rejects();
        let mut reader = csv::Reader::from_reader(rejects.as_bytes());
        let header: Vec<&str> = reader.headers().unwrap().iter().collect();
        assert_eq!(
            header,
            [
                "id", "name", "age", "more", "_record", "_line", "_errors", "_codes"
            ]
        );
        let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        let line = |index: usize| rows[index][5].parse::<u64>().unwrap();
        assert_eq!(
            (line(0), line(1), line(2)),
            (first + 1, first + 2 + skipped, first + 3 + skipped)
        );
        assert_eq!((&rows[1][0], &rows[2][3]), ("[1]", "{\"a\":[1]}"));
        assert!(rows[1][6].contains("no JSON object"), "{}", &rows[1][6]);
    }
}

#[tokio::test]
async fn a_key_that_comes_late_is_told_where_every_key_is_a_column() {
    let mut text = String::new();
    while text.len() < (1 << 20) {
        text.push_str("{\"a\":\"some text that takes its room\"}\n");
    }
    text.push_str("{\"a\":\"x\",\"late\":1}\n");
    let policy = Policy::default();
    let open = Fleet::decoding(text.clone().into(), "{}", policy, 1 << 20);
    open.upload().await;
    let summary = open.run().await;
    assert_eq!(
        (summary.counts.rejected, summary.errors[&Code::UnknownField]),
        (1, 1)
    );
    assert!(
        open.rejects().contains("the key \"\"late\"\" is not among"),
        "{}",
        open.rejects()
    );

    let fields = Fleet::decoding(text.into(), "fields: [{name: a}]", policy, 1 << 20);
    fields.upload().await;
    let summary = fields.run().await;
    assert_eq!(summary.counts.rejected, 0);
    assert_eq!(summary.decoded.unwrap().late_keys, 1);
}
