//! What a file is at all, by its first bytes: text, compressed, JSON, or something that is no table.
//!
//! File names lie, so they are not asked. It must not know what is done with each: some are unpacked,
//! some are refused with the sentence given here.

use serde::de::IgnoredAny;

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// Text that is read as a table of delimited cells, unless it turns out to be none.
    Csv,
    /// A JSON object in every line.
    JsonLines,
    /// One JSON array of objects.
    JsonArray,
    /// Compressed with gzip.
    Gzip,
    /// Compressed with zstd.
    Zstd,
    /// Something else that has a name; it can't be read as a table.
    Other(Foreign),
}

/// Files that hold no delimited text, though some of them hold tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Foreign {
    /// A ZIP archive, which `.xlsx` and `.ods` are too.
    Zip,
    /// A workbook of old Excel.
    Xls,
    /// A PDF document.
    Pdf,
    /// A `SQLite` database.
    Sqlite,
    /// A Parquet file.
    Parquet,
    /// A picture.
    Image,
    /// Compressed with bzip2, xz or 7-Zip.
    Packed,
    /// Text of four bytes a character.
    Utf32,
    /// A page or document of HTML or XML.
    Markup,
    /// Rich text.
    Rtf,
}

impl Content {
    /// Its name for programs: `csv`, `ndjson`, `json`, `gzip`, `zstd`, `zip` and so on.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::JsonLines => "ndjson",
            Self::JsonArray => "json",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Other(foreign) => foreign.name(),
        }
    }
}

impl Foreign {
    /// Its name for programs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Zip => "zip",
            Self::Xls => "xls",
            Self::Pdf => "pdf",
            Self::Sqlite => "sqlite",
            Self::Parquet => "parquet",
            Self::Image => "image",
            Self::Packed => "compressed",
            Self::Utf32 => "utf-32",
            Self::Markup => "markup",
            Self::Rtf => "rtf",
        }
    }

    /// What it is and what to do about it, for whoever uploaded it.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Zip => "the file is a ZIP archive or a spreadsheet (.xlsx, .ods): save it as CSV",
            Self::Xls => "the file is an Excel workbook (.xls): save it as CSV",
            Self::Pdf => "the file is a PDF document: export the data as CSV",
            Self::Sqlite => "the file is an SQLite database: export a table as CSV",
            Self::Parquet => "the file is a Parquet file: export it as CSV",
            Self::Image => "the file is a picture: it has no table to read",
            Self::Packed => {
                "the file is compressed with bzip2, xz or 7-Zip: unpack it, or pack it with gzip or zstd"
            }
            Self::Utf32 => "the file is UTF-32 text: save it as UTF-8",
            Self::Markup => "the file is HTML or XML: export the data as CSV",
            Self::Rtf => "the file is a document (.rtf): export the data as CSV",
        }
    }
}

/// First bytes that say all. The longer ones come first where one begins another.
const MAGIC: [(&[u8], Content); 19] = [
    (&[0x1F, 0x8B], Content::Gzip),
    (&[0x28, 0xB5, 0x2F, 0xFD], Content::Zstd),
    (b"PK\x03\x04", Content::Other(Foreign::Zip)),
    (b"PK\x05\x06", Content::Other(Foreign::Zip)),
    (&[0xD0, 0xCF, 0x11, 0xE0], Content::Other(Foreign::Xls)),
    (b"%PDF", Content::Other(Foreign::Pdf)),
    (b"SQLite format 3\0", Content::Other(Foreign::Sqlite)),
    (b"PAR1", Content::Other(Foreign::Parquet)),
    (b"\x89PNG", Content::Other(Foreign::Image)),
    (b"\xFF\xD8\xFF", Content::Other(Foreign::Image)),
    (b"GIF89a", Content::Other(Foreign::Image)),
    (b"GIF87a", Content::Other(Foreign::Image)),
    (b"BZh91AY", Content::Other(Foreign::Packed)),
    (b"\xFD7zXZ\0", Content::Other(Foreign::Packed)),
    (b"7z\xBC\xAF\x27\x1C", Content::Other(Foreign::Packed)),
    (&[0xFF, 0xFE, 0, 0], Content::Other(Foreign::Utf32)),
    (&[0, 0, 0xFE, 0xFF], Content::Other(Foreign::Utf32)),
    (b"{\\rtf", Content::Other(Foreign::Rtf)),
    (b"<?xml", Content::Other(Foreign::Markup)),
];

/// What the file that begins with `head` is.
///
/// JSON is told from CSV by its first characters: `[` with an object behind it, or a line that is one
/// whole object. So text of another encoding is to be decoded, and asked about again.
#[must_use]
pub fn content(head: &[u8]) -> Content {
    for (magic, content) in MAGIC {
        if head.starts_with(magic) {
            return content;
        }
    }
    let text = head[batchfleet_grammar::bom_len(head)..].trim_ascii_start();
    match text.first() {
        Some(b'[') if text[1..].trim_ascii_start().starts_with(b"{") => Content::JsonArray,
        Some(b'{') if begins_with_objects(text) => Content::JsonLines,
        Some(b'<') if is_markup(text) => Content::Other(Foreign::Markup),
        _ => Content::Csv,
    }
}

/// Whether the first line is a JSON object, and the second too, if it is all there.
fn begins_with_objects(text: &[u8]) -> bool {
    let mut lines = text.split(|byte| *byte == b'\n');
    let first = lines.next().unwrap_or_default();
    let is_object = |line: &[u8]| {
        line.trim_ascii().starts_with(b"{") && serde_json::from_slice::<IgnoredAny>(line).is_ok()
    };
    if first.len() == text.len() && !is_object(first) {
        // One line that does not end here: an object too long for the head, or none.
        let inner = first[1..].trim_ascii_start();
        return first.len() >= 4_096 && inner.starts_with(b"\"") && first.contains(&b':');
    }
    let second = lines.find(|line| !line.trim_ascii().is_empty());
    is_object(first) && second.is_none_or(|line| line.trim_ascii_start().starts_with(b"{"))
}

/// A table does not begin with the word of a page.
fn is_markup(text: &[u8]) -> bool {
    let begins = |word: &[u8]| {
        text.get(1..=word.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(word))
    };
    begins(b"!doctype") || begins(b"html") || begins(b"table")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_told_by_their_first_bytes() {
        for (head, name) in [
            (&b"a,b\n1,2\n"[..], "csv"),
            (b"", "csv"),
            (b"\x1f\x8b\x08", "gzip"),
            (b"\x28\xb5\x2f\xfd", "zstd"),
            (b"PK\x03\x04", "zip"),
            (b"\xd0\xcf\x11\xe0", "xls"),
            (b"%PDF-1.7", "pdf"),
            (b"\xff\xfe\0\0a\0\0\0", "utf-32"),
            (b"\xff\xfea\0", "csv"),
            (b"{\"a\":1}\n{\"a\":2}\n", "ndjson"),
            (b"\xef\xbb\xbf{\"a\":1}", "ndjson"),
            (b"{\"a\":1},5\n{\"a\":2},6\n", "csv"),
            (b"{id},{name}\n1,2\n", "csv"),
            (b"[{\"a\":1},", "json"),
            (b" [\n  {\"a\"", "json"),
            (b"[id],[name]\n", "csv"),
            (b"<!DOCTYPE html>", "markup"),
            (b"<5,>7\n", "csv"),
        ] {
            assert_eq!(content(head).name(), name, "{head:?}");
        }
    }

    #[test]
    fn an_object_longer_than_the_head_is_still_one() {
        let long = format!("{{\"a\":\"{}", "x".repeat(5_000));
        assert_eq!(content(long.as_bytes()), Content::JsonLines);
        assert_eq!(content(b"{\"a\":\"x"), Content::Csv);
    }
}
