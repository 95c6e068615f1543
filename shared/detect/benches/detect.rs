//! How long detection takes on a head of 1 MiB: on what people upload, and on the worst that can be
//! made. The goal is 50 ms. Run with `cargo bench -p batchfleet-detect`.

use std::hint::black_box;
use std::time::Instant;

use batchfleet_definition::Reading;
use batchfleet_detect::{decode_head, encoding, table};

const MIB: usize = 1 << 20;

fn fill(unit: &[u8]) -> Vec<u8> {
    unit.iter().copied().cycle().take(MIB).collect()
}

fn main() {
    let heads: Vec<(&str, Vec<u8>)> = vec![
        (
            "people",
            fill(b"1,Ann Smith,ann.smith@example.com,2024-05-01,12.50\n"),
        ),
        (
            "quoted",
            fill(b"\"1\";\"Smith, Ann\";\"a \"\"b\"\" c\";\"1.234,50\"\r\n"),
        ),
        (
            "windows-1252",
            fill(b"1;M\xfcller;K\xf6nigsallee 5;1.234,50\r\n"),
        ),
        (
            "wide",
            fill(&[b"12.5,".repeat(500), b"x\n".to_vec()].concat()),
        ),
        ("delimiters", fill(b",;\t|:^~ ")),
        ("quotes", fill(b"\"")),
        ("quotes of both kinds", fill(b"\"',\n'\"")),
        ("open quotes", fill(b"\"a,b\n'c;d\r\\\"")),
        ("backslashes", fill(b"\\\"\\,\\\n")),
        ("one long line", fill(b"abc def ")),
        ("blank lines", fill(b"\n")),
        ("carriage returns", fill(b"a,b\rc;d\n")),
        ("a wide line", fill(b"a,")),
        ("comments", fill(b"# a,b\n")),
        ("rulers", fill(b"-----\n")),
        ("continuation bytes", fill(b"\x80")),
        ("numbers", fill(b"1.2.3,4-5/6:7 8\n")),
        (
            "everything",
            fill(b"1,\"a\",2024-01-31,x y;z,\\N,'q',12:00\r\n# c\n|\\\",\n"),
        ),
    ];
    for (name, head) in &heads {
        let start = now();
        let found = encoding(head, false, None);
        let text = decode_head(head, false, &found);
        let decoded = start.elapsed();
        let _ = black_box(table(&text, false, &Reading::default(), &[]));
        let all = start.elapsed();
        print(&format!(
            "{name:<22} {:>8.2} ms, {:>8.2} of them for the encoding",
            all.as_secs_f64() * 1e3,
            decoded.as_secs_f64() * 1e3
        ));
    }
}

#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
fn now() -> Instant {
    Instant::now()
}

#[expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
fn print(line: &str) {
    println!("{line}");
}
