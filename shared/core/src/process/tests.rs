//! Batches of a few rows, worked in memory.

use batchfleet_grammar::Dialect;

use super::*;

fn plan(definition: &str, header: &[&str]) -> JobPlan {
    let layout = Layout {
        dialect: Dialect::default(),
        header: header.iter().map(|&name| name.to_owned()).collect(),
        data: Position {
            offset: 0,
            record: 0,
            line: 2,
        },
        spool: None,
    };
    JobPlan::bind(&Definition::parse(definition).unwrap(), layout).unwrap()
}

fn run(plan: &JobPlan, text: &[u8]) -> Processed {
    let range = BatchRange {
        index: 0,
        start: 0,
        end: text.len() as u64,
        first_record: 0,
        records: u64::MAX,
        first_line: 2,
        oversize: false,
        footer: 0,
    };
    let mut processing = Processing::new(plan, text, &range, &Scope::All);
    while processing.step(1) {}
    processing.finish()
}

const PEOPLE: &str =
    "fields:\n  - {name: email, type: email, required: true}\n  - {name: age, type: integer}\n";

#[test]
fn good_rows_are_delivered_typed_and_bad_rows_with_every_reason() {
    let plan = plan(PEOPLE, &["email", "age"]);
    let done = run(&plan, b"a@b.de,42\nnope,old\n\n\"c@d.de\",\n");
    assert_eq!(
        String::from_utf8(done.part).unwrap(),
        "{\"email\":\"a@b.de\",\"age\":42}\n{\"email\":\"c@d.de\",\"age\":null}\n"
    );
    assert_eq!(
        done.counts,
        Counts {
            records: 4,
            accepted: 2,
            rejected: 1,
            skipped: 1
        }
    );
    assert_eq!(done.codes, CodeCounts::from([(Code::TypeMismatch, 1)]));
    let rejects = String::from_utf8(done.rejects).unwrap();
    assert!(rejects.starts_with("nope,old,1,3,"), "{rejects}");
    assert!(
        rejects.contains("email") && rejects.contains("age"),
        "both reasons: {rejects}"
    );
}

#[test]
fn rejects_can_be_uploaded_again_as_they_are() {
    let first = plan(&format!("{PEOPLE}ragged: reject\n"), &["email", "age"]);
    let text = b"\"a, b\n\"\"c\",1\nshort@x.de\na@b.de,1,2\n\"open,1\n";
    let done = run(&first, text);
    assert_eq!((done.counts.rejected, done.counts.accepted), (4, 0));

    let mut again = first.rejects_head();
    let header_end = again.len();
    again.extend_from_slice(&done.rejects);
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .from_reader(&again[..]);
    let header: Vec<String> = reader
        .headers()
        .unwrap()
        .iter()
        .map(str::to_owned)
        .collect();
    assert_eq!(
        header,
        ["email", "age", "_record", "_line", "_errors", "_codes"]
    );
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(&rows[0][0], "a, b\n\"c");
    assert_eq!(rows[1].len(), 6, "a short row is filled");
    assert_eq!(
        &rows[3][0], "\"open,1\n",
        "what can't be read is kept as it is"
    );

    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    let second = run(&plan(PEOPLE, &header), &again[header_end..]);
    assert_eq!(second.counts.records, 4);
}

#[test]
fn an_added_cell_is_never_a_formula() {
    let plan = plan("fields: [{name: '=cmd', type: integer}]", &["=cmd"]);
    let rejects = String::from_utf8(run(&plan, b"x\n").rejects).unwrap();
    let row = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(rejects.as_bytes())
        .records()
        .next()
        .unwrap()
        .unwrap();
    assert!(!row[3].starts_with('='), "{rejects}");
}

#[test]
fn comments_are_skipped_and_counted() {
    let mut plan = plan(PEOPLE, &["email", "age"]);
    plan.layout.dialect.comment = Some(b'#');
    let done = run(&plan, b"#a@b.de,42\na@b.de,#\n# \"open\n");
    assert_eq!(
        done.counts,
        Counts {
            records: 3,
            accepted: 0,
            rejected: 1,
            skipped: 2
        }
    );
}

#[test]
fn what_is_not_in_the_scope_is_skipped() {
    let plan = plan(PEOPLE, &["email", "age"]);
    let text = b"a@b.de,42\nnope,old\n\nx@y.de,1\nbad,2\n";
    let range = BatchRange {
        index: 0,
        start: 0,
        end: text.len() as u64,
        first_record: 10,
        records: 5,
        first_line: 2,
        oversize: false,
        footer: 0,
    };
    let scope = Scope::Only(BTreeSet::from([13, 14]));
    let mut processing = Processing::new(&plan, text, &range, &scope);
    while processing.step(2) {}
    let done = processing.finish();
    assert_eq!(done.part, b"{\"email\":\"x@y.de\",\"age\":1}\n");
    let counts = Counts {
        records: 5,
        accepted: 1,
        rejected: 1,
        skipped: 3,
    };
    assert_eq!(done.counts, counts);
    assert_eq!(
        plan.rejected_records(&done.rejects).unwrap(),
        BTreeSet::from([14])
    );
    let given_up = reject_all(&plan, text, &range, &scope, 3);
    assert_eq!((given_up.counts.rejected, given_up.counts.skipped), (2, 3));
    let unread = reject_unread(&plan, &range, &scope, 4);
    assert_eq!((unread.counts.rejected, unread.counts.skipped), (2, 3));
}

#[test]
fn any_step_gives_the_same() {
    let plan = plan(PEOPLE, &["email", "age"]);
    let text = b"a@b.de,42\nnope,old\n\nx@y.de,1\n";
    let range = BatchRange {
        index: 0,
        start: 0,
        end: text.len() as u64,
        first_record: 0,
        records: 4,
        first_line: 2,
        oversize: false,
        footer: 0,
    };
    let mut processing = Processing::new(&plan, text, &range, &Scope::All);
    while processing.step(1_000) {}
    assert_eq!(processing.finish(), run(&plan, text));
}

#[test]
fn records_the_destination_refused_become_rejects_in_their_place() {
    let definition = "fields: [{name: id, type: integer, required: true}, {name: name}]\n\
                      destination: {type: dynamodb, table: people, key: [id]}\n";
    let plan = plan(definition, &["id", "name"]);
    let text = b"7,a\nx,b\n\n8,\"c\nd\"\n9,e\n";
    let mut first = run(&plan, text);
    let records = first.take_records();
    let rows: Vec<(u64, &[u8])> = records.iter().map(|one| (one.index, &*one.row)).collect();
    let expected: [(u64, &[u8]); 3] = [
        (0, br#"{"id":7,"name":"a"}"#),
        (3, br#"{"id":8,"name":"c\nd"}"#),
        (4, br#"{"id":9,"name":"e"}"#),
    ];
    assert_eq!(rows, expected);

    let range = BatchRange {
        index: 0,
        start: 0,
        end: text.len() as u64,
        first_record: 0,
        records: 5,
        first_line: 2,
        oversize: false,
        footer: 0,
    };
    let refusal = refused_by_destination("too\nlarge", 4);
    let refused = BTreeMap::from([(0, vec![refusal.clone()]), (3, vec![refusal])]);
    let mut processing = Processing::new(&plan, text, &range, &Scope::All).refusing(refused);
    while processing.step(1) {}
    let second = processing.finish();
    assert_eq!(
        second.counts,
        Counts {
            records: 5,
            accepted: 1,
            rejected: 3,
            skipped: 1
        }
    );
    let codes = [(Code::TypeMismatch, 1), (Code::DeliveryFailed, 2)];
    assert_eq!(second.codes, CodeCounts::from(codes));
    let rejects = String::from_utf8(second.rejects).unwrap();
    let why = "the destination refused the row 4 times: too large";
    assert_eq!(
        rejects,
        format!(
            "7,a,0,2,{why},DELIVERY_FAILED\n\
             x,b,1,3,\"id: \"\"x\"\" is not a whole number\",TYPE_MISMATCH\n\
             8,\"c\nd\",3,5,{why},DELIVERY_FAILED\n"
        )
    );
}

#[test]
fn a_reason_is_short_and_on_one_line() {
    let error = refused_by_destination(&"é\n".repeat(1_000), 1);
    assert_eq!(error.code, Code::DeliveryFailed);
    let cut = format!("the destination refused the row: {}…", "é ".repeat(150));
    assert_eq!(error.message, cut);
}

const CONTACTS: &str = "fields:\n  \
    - {name: email, type: email, required: true}\n  \
    - {name: card, sensitive: true, min_length: 4}\n  \
    - {name: age, type: integer, max: 120, severity: warning}\n";

/// A warning takes nothing of the row away, and is not among the rejects.
#[test]
fn accepted_rows_with_warnings_are_delivered_counted_and_told() {
    let plan = plan(CONTACTS, &["email", "card", "age"]);
    let done = run(
        &plan,
        b"a@b.de,12345,42\nc@d.de,67890,130\ne@f.de,13579,old\nnope,24680,old\n",
    );
    assert_eq!((done.counts.accepted, done.counts.rejected), (3, 1));
    assert_eq!(done.warned, 2);
    let warnings = CodeCounts::from([(Code::TypeMismatch, 1), (Code::OutOfRange, 1)]);
    assert_eq!(done.warnings, warnings);
    assert_eq!(done.codes, CodeCounts::from([(Code::TypeMismatch, 1)]));
    let part = String::from_utf8(done.part.clone()).unwrap();
    assert_eq!(part.lines().count(), 3);
    assert!(
        part.contains("\"age\":130") && part.contains("\"card\":\"67890\""),
        "{part}"
    );

    let objects = |text: &[u8]| -> Vec<serde_json::Value> {
        let text = std::str::from_utf8(text).unwrap();
        let lines = text.lines();
        lines
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    };
    let told = objects(&done.warnings_json);
    let places: Vec<_> = told
        .iter()
        .map(|it| {
            (
                it["record"].as_u64(),
                it["line"].as_u64(),
                it["offset"].as_u64(),
            )
        })
        .collect();
    assert_eq!(
        places,
        [(Some(1), Some(3), Some(16)), (Some(2), Some(4), Some(33))]
    );
    for one in &told {
        assert_eq!(one["errors"][0]["severity"], "warning");
        assert_eq!(one["errors"][0]["field"], "age");
        assert_eq!(one["cells"]["card"], "***");
    }
    let rejects = objects(&done.rejects_json);
    assert_eq!(rejects.len(), 1);
    assert_eq!(
        rejects[0]["errors"].as_array().unwrap().len(),
        2,
        "both: {}",
        rejects[0]
    );
    let text = String::from_utf8(done.rejects.clone()).unwrap();
    assert!(
        text.contains("; warning: age: ") && text.ends_with(",TYPE_MISMATCH\n"),
        "{text}"
    );
    for report in [&done.rejects, &done.rejects_json, &done.warnings_json] {
        let text = String::from_utf8(report.clone()).unwrap();
        assert!(!text.contains("67890") && !text.contains("24680"), "{text}");
    }

    let range = BatchRange {
        index: 0,
        start: 0,
        end: 70,
        first_record: 0,
        records: 4,
        first_line: 2,
        oversize: false,
        footer: 0,
    };
    let completion = done.completion(&range, false);
    assert_eq!((completion.warned, &completion.warnings), (2, &warnings));
    let sum = FileSum::of(&done.part);
    assert_eq!(completion.written, Some(Written { part: Some(sum) }));
}

/// Whatever a sensitive value does wrong, no report shows it; and the mask is not imported.
#[test]
fn sensitive_values_are_in_no_report_and_the_mask_is_in_no_part() {
    let plan = plan(CONTACTS, &["email", "card", "age"]);
    let text = b"a@b.de,q7z,42\nb@b.de,q7z,1,q7z\nq7z\nnope,q7z9999\nc@b.de,\"q7z,1\n";
    let done = run(&plan, text);
    assert_eq!(
        done.counts.rejected,
        5,
        "{:?}",
        String::from_utf8(done.rejects)
    );
    for report in [&done.rejects, &done.rejects_json, &done.warnings_json] {
        let text = String::from_utf8(report.clone()).unwrap();
        // A value in the column of another field is told by that field's own errors.
        let others = text.lines().filter(|line| !line.contains("email: "));
        for line in others {
            assert!(!line.contains("q7z"), "{line}");
        }
    }
    let header = [
        "email", "card", "age", "_record", "_line", "_errors", "_codes",
    ];
    let again = self::plan(CONTACTS, &header);
    let done = run(
        &again,
        b"a@b.de,***,42,0,2,no,LENGTH\na@b.de,12345,42,0,2,no,LENGTH\n",
    );
    assert_eq!((done.counts.accepted, done.counts.rejected), (1, 1));
    let text = String::from_utf8(done.rejects).unwrap();
    assert!(
        text.starts_with("a@b.de,***,42,0,2,\"card: the value was hidden"),
        "{text}"
    );
}

/// What a batch's item holds at the worst stays well under the write unit that it costs: 1 KB, of which
/// keys, owner and lease take some 200 bytes.
#[test]
fn the_largest_completion_is_small() {
    let all = |codes: &[Code]| codes.iter().map(|&code| (code, 5_000)).collect();
    let completion = Completion {
        failed: false,
        counts: Counts {
            records: 5_000,
            accepted: 5_000,
            rejected: 5_000,
            skipped: 5_000,
        },
        bytes: 8 << 20,
        codes: all(&Code::ALL),
        warned: 5_000,
        // Those of fields, rules and constraints; the others are never warnings.
        warnings: all(&Code::ALL[..10]),
        written: Some(Written {
            part: Some(FileSum {
                bytes: 64 << 20,
                sha256: "f".repeat(64),
            }),
        }),
    };
    let text = serde_json::to_string(&completion).unwrap();
    assert!(text.len() <= 824, "{} bytes", text.len());
}

/// The names of the columns are in every object of the rejects, whether a field takes them or not.
#[test]
fn a_header_that_fills_every_reject_makes_small_batches() {
    let names: Vec<String> = (0..100)
        .map(|column| format!("{column}{}", "x".repeat(2_000)))
        .collect();
    let mut header: Vec<&str> = names.iter().map(String::as_str).collect();
    header.push("id");
    let plan = plan("fields: [{name: id, type: integer}]", &header);
    assert!(plan.batch_records_max() <= (64 << 20) / 200_000);
    let row = format!("{}x\n", ",".repeat(100));
    let done = run(&plan, row.repeat(10).as_bytes());
    let most = 10 * ((64 << 20) / u64::from(plan.batch_records_max()));
    assert_eq!(done.counts.rejected, 10);
    assert!(
        done.rejects_json.len() as u64 <= most + 10 * 300,
        "{}",
        done.rejects_json.len()
    );
}
