//! Which encoding a file's text has, by its first bytes, and that text as UTF-8.
//!
//! An encoding can seldom be proven: a byte order mark and valid UTF-8 beyond ASCII nearly do, the
//! rest is statistics over letters. It must not know tables.

use std::borrow::Cow;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{
    Encoding, ISO_8859_8, ISO_8859_15, KOI8_R, KOI8_U, MACINTOSH, UTF_8, UTF_16BE, UTF_16LE,
    WINDOWS_1250, WINDOWS_1252, WINDOWS_1255,
};

/// The encoding of a file's text.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundEncoding {
    /// The encoding. Its name in lower case is what people and programs are told.
    pub encoding: &'static Encoding,
    /// Whether the file begins with a byte order mark, which is no part of the text.
    pub bom: bool,
    /// How sure this is, from 0 to 1.
    pub confidence: f64,
    /// Why, in sentences for people.
    pub evidence: Vec<String>,
}

impl FoundEncoding {
    fn new(encoding: &'static Encoding, confidence: f64, evidence: impl Into<String>) -> Self {
        Self {
            encoding,
            bom: false,
            confidence,
            evidence: vec![evidence.into()],
        }
    }

    /// Its name as the Encoding Standard has it, in lower case: `utf-8`, `windows-1252`.
    #[must_use]
    pub fn name(&self) -> String {
        self.encoding.name().to_ascii_lowercase()
    }
}

/// No more of the head is looked at where statistics decide: they cost a hundred times what reading does.
const STATISTICS_BYTES: usize = 64 << 10;

/// Finds the encoding of the text that begins with `head`; `whole` says whether that is all of it.
/// `fixed` is the name that the definition gives, if it does; one that is no encoding's is passed over.
#[must_use]
pub fn encoding(head: &[u8], whole: bool, fixed: Option<&str>) -> FoundEncoding {
    let marked = Encoding::for_bom(head).map(|(encoding, _)| encoding);
    if let Some(encoding) = fixed.and_then(|name| Encoding::for_label(name.as_bytes())) {
        return given(encoding, marked);
    }
    if let Some(encoding) = marked {
        let evidence = format!(
            "the file begins with the byte order mark of {}",
            encoding.name()
        );
        let mut found = FoundEncoding::new(encoding, 1.0, evidence);
        found.bom = true;
        if encoding == UTF_8 {
            let bytes = invalid_utf8(head, whole).0;
            if bytes > 0 {
                found.confidence = 0.8;
                found
                    .evidence
                    .push(format!("{bytes} bytes of it are not UTF-8 all the same"));
            }
        }
        return found;
    }
    if let Some(found) = utf16_without_mark(head) {
        return found;
    }
    utf8(head, whole).unwrap_or_else(|| by_statistics(head, whole))
}

/// What the definition says. UTF-16 may stand for either order of bytes: the mark tells.
fn given(encoding: &'static Encoding, marked: Option<&'static Encoding>) -> FoundEncoding {
    let is_utf16 = |encoding| encoding == UTF_16LE || encoding == UTF_16BE;
    let (encoding, bom) = match marked {
        Some(marked) if marked == encoding => (encoding, true),
        Some(marked) if is_utf16(marked) && is_utf16(encoding) => (marked, true),
        _ => (encoding, false),
    };
    let mut found = FoundEncoding::new(encoding, 1.0, "the encoding is given");
    found.bom = bom;
    found
}

/// UTF-16 by its zeros: of Latin text, and of line ends and delimiters in any, every second byte is 0.
fn utf16_without_mark(head: &[u8]) -> Option<FoundEncoding> {
    let sample = &head[..head.len().min(64 << 10) & !1];
    let (pairs, _) = sample.as_chunks::<2>();
    if pairs.len() < 2 {
        return None;
    }
    let (mut first_zeros, mut second_zeros, mut both) = (0, 0, 0);
    for [first, second] in pairs {
        match (first, second) {
            (0, 0) => both += 1,
            (0, _) => first_zeros += 1,
            (_, 0) => second_zeros += 1,
            _ => {}
        }
    }
    let few = pairs.len() / 100;
    let enough = (pairs.len() / 20).max(2);
    let encoding = if both <= few && second_zeros >= enough && first_zeros <= second_zeros / 4 {
        UTF_16LE
    } else if both <= few && first_zeros >= enough && second_zeros <= first_zeros / 4 {
        UTF_16BE
    } else {
        return None;
    };
    // The text must be text: no lone surrogates, and no control characters to speak of.
    let (text, errors) = encoding.decode_without_bom_handling(sample);
    let controls = text
        .chars()
        .filter(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
        .count();
    if errors && sample.len() < head.len() || controls > text.chars().count() / 100 {
        return None;
    }
    let share = 100 * first_zeros.max(second_zeros) / pairs.len();
    Some(FoundEncoding::new(
        encoding,
        0.9,
        format!(
            "no byte order mark, but one byte of the two is 0 in {share} % of the pairs: {}",
            encoding.name()
        ),
    ))
}

/// UTF-8, if it is, or was meant to be: wrong bytes here and there come from files glued together.
fn utf8(head: &[u8], whole: bool) -> Option<FoundEncoding> {
    let (invalid, characters) = invalid_utf8(head, whole);
    if invalid == 0 && characters == 0 {
        if head
            .windows(3)
            .any(|w| matches!(w, b"\x1b$B" | b"\x1b$@" | b"\x1b(J"))
        {
            return None;
        }
        let part = if whole { "" } else { " of its first MiB" };
        return Some(FoundEncoding::new(
            UTF_8,
            if whole { 1.0 } else { 0.9 },
            format!("every byte{part} is ASCII, which UTF-8 contains"),
        ));
    }
    if invalid == 0 {
        let confidence = if characters > 2 { 0.99 } else { 0.9 };
        let evidence = format!("valid UTF-8, with {characters} characters beyond ASCII");
        return Some(FoundEncoding::new(UTF_8, confidence, evidence));
    }
    if head.contains(&0) && characters <= invalid {
        let evidence = "NUL bytes are in no text that statistics could tell: this is binary";
        return Some(FoundEncoding::new(UTF_8, 0.1, evidence));
    }
    // In text of another encoding, valid sequences are rare accidents.
    (invalid * 2 <= characters).then(|| {
        FoundEncoding::new(
            UTF_8,
            0.5,
            format!(
                "{characters} characters are UTF-8 beyond ASCII, {invalid} bytes are not UTF-8: rows with those are rejected"
            ),
        )
    })
}

/// How many bytes are not UTF-8, and how many characters are beyond ASCII. A character cut at the
/// end of a head that is not the whole file is neither.
fn invalid_utf8(head: &[u8], whole: bool) -> (usize, usize) {
    let (mut invalid, mut characters) = (0, 0);
    let mut rest = head;
    loop {
        let (valid, bad) = match std::str::from_utf8(rest) {
            Ok(_) => (rest.len(), None),
            Err(error) => (error.valid_up_to(), Some(error.error_len())),
        };
        // A character beyond ASCII has one byte that is not a continuation.
        let text = &rest[..valid];
        characters += text.iter().filter(|byte| **byte >= 0xc0).count();
        match bad {
            None => break,
            Some(None) => {
                invalid += if whole { rest.len() - valid } else { 0 };
                break;
            }
            Some(Some(len)) => {
                invalid += len;
                rest = &rest[valid + len..];
            }
        }
    }
    (invalid, characters)
}

/// The lines with bytes beyond ASCII, up to what statistics look at; all lines where there are none.
/// A line end is never part of a longer character in the encodings that are told by statistics.
fn telling_lines(head: &[u8]) -> Vec<u8> {
    let mut lines = Vec::new();
    if head.is_ascii() {
        lines.extend_from_slice(&head[..head.len().min(STATISTICS_BYTES)]);
        return lines;
    }
    for line in head.split_inclusive(|byte| matches!(byte, b'\n' | b'\r')) {
        if lines.len() >= STATISTICS_BYTES {
            break;
        }
        if !line.is_ascii() {
            let room = STATISTICS_BYTES - lines.len();
            lines.extend_from_slice(&line[..line.len().min(room)]);
        }
    }
    lines
}

/// What the letters say.
fn by_statistics(head: &[u8], whole: bool) -> FoundEncoding {
    let sample = &telling_lines(head);
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    detector.feed(sample, whole);
    let guess = detector.guess(None, Utf8Detection::Deny);
    let high = sample.iter().filter(|byte| **byte >= 0x80).count();
    if !guess.is_single_byte() {
        // Statistics of multi-byte text are sure only where there is some of it.
        let (_, errors) = guess.decode_without_bom_handling(sample);
        let confidence = if high >= 40 && !errors { 0.9 } else { 0.6 };
        let evidence = format!(
            "{high} bytes beyond ASCII, not UTF-8; by their frequency it is {}",
            guess.name()
        );
        return FoundEncoding::new(guess, confidence, evidence);
    }
    western(sample, plainer(guess, sample), high)
}

/// The encoding that people know, where two agree on all letters: the detector has no KOI8-R, and
/// tells the order in which Hebrew is drawn, which no table has.
fn plainer(guess: &'static Encoding, sample: &[u8]) -> &'static Encoding {
    let ukrainian =
        |byte: &u8| matches!(byte, 0xa4 | 0xa6 | 0xa7 | 0xad | 0xb4 | 0xb6 | 0xb7 | 0xbd);
    if guess == KOI8_U && !sample.iter().any(ukrainian) {
        KOI8_R
    } else if guess == ISO_8859_8 {
        WINDOWS_1255
    } else {
        guess
    }
}

/// Bytes of the letters that western languages use most beyond ASCII, where each encoding has them.
const LETTERS_WINDOWS: &[u8] = b"\xe9\xe8\xe0\xe7\xfc\xf6\xe4\xdf\xf1\xea\xe1\xed\xf3\xfa\xc4\xd6\xdc\xc9\xe2\xee\xf4\xfb\xe5\xf8\xe6\xeb\xef\xe3\xf5\xc5\xd8\xc0\xc8";
const LETTERS_MACINTOSH: &[u8] = b"\x8e\x8f\x88\x8d\x9f\x9a\x8a\xa7\x96\x90\x87\x92\x97\x9c\x80\x85\x86\x83\x89\x94\x99\x9e\x8c\xbf\xbe\x91\x95\x8b\x9b\x81\xaf\xcb\xe9";
const LETTERS_DOS: &[u8] = b"\x82\x8a\x85\x87\x81\x94\x84\xe1\xa4\x88\xa0\xa1\xa2\xa3\x8e\x99\x9a\x90\x83\x8c\x93\x96\x86\x9b\x91\x89\x8b";

/// All letters of Hungarian beyond ASCII, where windows-1250 and ISO-8859-2 have them.
const LETTERS_HUNGARIAN: &[u8] =
    b"\xc1\xc9\xcd\xd3\xd6\xd5\xda\xdc\xdb\xe1\xe9\xed\xf3\xf6\xf5\xfa\xfc\xfb";

/// Among encodings of one byte a character, what the detector does not know: old Macs, DOS, the euro of
/// ISO-8859-15, and Hungarian.
fn western(sample: &[u8], guess: &'static Encoding, high: usize) -> FoundEncoding {
    let count = |letters: &[u8]| letters_in_words(sample, letters);
    let (windows, macintosh, dos) = (
        count(LETTERS_WINDOWS),
        count(LETTERS_MACINTOSH),
        count(LETTERS_DOS),
    );
    // Within words, windows-1252 has no more than a few rare letters and an apostrophe there.
    let strange = strange_in_words(sample);
    let speaks = |score: usize| {
        score > windows && strange >= 2 && 3 * strange >= windows && 3 * score >= 2 * high
    };
    if speaks(dos) && dos > macintosh {
        return FoundEncoding::new(
            WINDOWS_1252,
            0.2,
            "the letters are those of a DOS code page (437 or 850), which can't be read: save the file as UTF-8; read as windows-1252, its accents are wrong",
        );
    }
    if speaks(macintosh) && macintosh > dos {
        return FoundEncoding::new(
            MACINTOSH,
            0.6,
            format!(
                "{macintosh} letters of {high} bytes beyond ASCII are where old Macs have them"
            ),
        );
    }
    let euros = sample.windows(3).filter(|w| is_euro_15(w)).count();
    let has_controls = sample.iter().any(|byte| (0x80..0xa0).contains(byte));
    if guess == WINDOWS_1252 && euros > 0 && !has_controls {
        let evidence =
            format!("not UTF-8; {euros} amounts have the euro sign where only iso-8859-15 has it");
        return FoundEncoding::new(ISO_8859_15, 0.7, evidence);
    }
    if guess == WINDOWS_1252 && is_hungarian(sample) {
        return FoundEncoding::new(
            WINDOWS_1250,
            0.7,
            "not UTF-8; the letters beyond ASCII are those of Hungarian, which has its ő and ű where windows-1252 has õ and û",
        );
    }
    let confidence = if high >= 20 { 0.85 } else { 0.65 };
    let mut found = FoundEncoding::new(
        guess,
        confidence,
        format!(
            "{high} bytes beyond ASCII, not UTF-8; by their frequency it is {}",
            guess.name()
        ),
    );
    if guess == WINDOWS_1252 {
        found
            .evidence
            .push("latin-1 is read as windows-1252, which contains it".to_owned());
    }
    found
}

/// Whether all letters beyond ASCII are Hungarian, `ő` or `ű` among them, and one that no language with
/// `õ` or `û` has beside them: Portuguese has `õ` before an `e`, and Estonian no acute accents.
fn is_hungarian(sample: &[u8]) -> bool {
    let is_letter = |byte: &u8| *byte >= 0xc0 && !matches!(byte, 0xd7 | 0xf7);
    let mut letters = sample.iter().filter(|byte| is_letter(byte));
    let has = |wanted: &[u8]| sample.iter().any(|byte| wanted.contains(byte));
    let has_double_acute = has(b"\xdb\xd5\xfb")
        || sample
            .windows(2)
            .any(|pair| pair[0] == 0xf5 && !matches!(pair[1], b'e' | b'E'));
    letters.all(|byte| LETTERS_HUNGARIAN.contains(byte))
        && has_double_acute
        && has(b"\xc1\xcd\xd3\xda\xe1\xed\xf3\xfa")
}

/// How often one of `letters` stands beside an ASCII letter.
fn letters_in_words(sample: &[u8], letters: &[u8]) -> usize {
    let mut wanted = [false; 256];
    for &letter in letters {
        wanted[usize::from(letter)] = true;
    }
    let mut count = 0;
    for (at, &byte) in sample.iter().enumerate() {
        if byte >= 0x80 && wanted[usize::from(byte)] {
            let before = at > 0 && sample[at - 1].is_ascii_alphabetic();
            let behind = sample.get(at + 1).is_some_and(u8::is_ascii_alphabetic);
            count += usize::from(before || behind);
        }
    }
    count
}

/// How often a byte that is a control or a quotation mark elsewhere stands between two letters.
fn strange_in_words(sample: &[u8]) -> usize {
    let is_letter = |byte: u8| byte.is_ascii_alphabetic() || byte >= 0x80;
    let strange = |byte: u8| (0x80..0xa0).contains(&byte) && !matches!(byte, 0x92 | 0x96);
    let around = sample.windows(3).filter(|w| strange(w[1]));
    around
        .filter(|w| is_letter(w[0]) && is_letter(w[2]))
        .count()
}

/// A digit or a space between digit and 0xA4, the euro of ISO-8859-15.
fn is_euro_15(window: &[u8]) -> bool {
    match window {
        [_, digit, 0xa4] | [0xa4, b' ', digit] if digit.is_ascii_digit() => true,
        [digit, b' ', 0xa4] | [0xa4, digit, _] => digit.is_ascii_digit(),
        _ => false,
    }
}

/// The head as UTF-8, without its byte order mark. Bytes that are none stand for a replacement
/// character, but in UTF-8, where they stay: a reader rejects those rows.
///
/// `whole` says whether the head is all of the file: else a character cut at its end is left out.
#[must_use]
pub fn decode_head<'h>(head: &'h [u8], whole: bool, found: &FoundEncoding) -> Cow<'h, [u8]> {
    let skip = match Encoding::for_bom(head) {
        Some((_, len)) if found.bom => len,
        _ => 0,
    };
    let text = &head[skip..];
    if found.encoding == UTF_8 {
        return Cow::Borrowed(text);
    }
    let mut decoder = found.encoding.new_decoder_without_bom_handling();
    let room = decoder.max_utf8_buffer_length(text.len()).unwrap_or(0);
    let mut utf8 = String::with_capacity(room);
    // The room is enough for all, so one call reads all.
    let _ = decoder.decode_to_string(text, &mut utf8, whole);
    Cow::Owned(utf8.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(head: &[u8]) -> String {
        encoding(head, true, None).name()
    }

    fn in_encoding(label: &str, text: &str) -> Vec<u8> {
        let encoding = Encoding::for_label(label.as_bytes()).unwrap();
        encoding.encode(text).0.into_owned()
    }

    fn utf16(text: &str, big: bool) -> Vec<u8> {
        let pair = |unit: u16| {
            if big {
                unit.to_be_bytes()
            } else {
                unit.to_le_bytes()
            }
        };
        text.encode_utf16().flat_map(pair).collect()
    }

    #[test]
    fn marks_and_zeros_tell() {
        assert_eq!(name(b""), "utf-8");
        assert_eq!(name(b"a,b\n"), "utf-8");
        assert_eq!(name("a,zo\u{eb}\n".as_bytes()), "utf-8");
        assert!(encoding(b"\xef\xbb\xbfa,b\n", true, None).bom);
        for (big, wanted) in [(false, "utf-16le"), (true, "utf-16be")] {
            let plain = utf16("id,name\n1,Zo\u{eb}\n", big);
            assert_eq!(name(&plain), wanted);
            let marked = utf16("\u{feff}id,name\n", big);
            let found = encoding(&marked, true, None);
            assert_eq!((found.name().as_str(), found.bom), (wanted, true));
            assert_eq!(&*decode_head(&marked, true, &found), b"id,name\n");
            let japanese = utf16("番号,名前\n1,山田\n2,鈴木\n", big);
            assert_eq!(name(&japanese), wanted);
        }
        // A few NUL bytes are no UTF-16.
        assert_eq!(name(b"a,b\n1,\0\n2,x\n"), "utf-8");
    }

    #[test]
    fn utf8_may_be_cut_at_the_end_and_may_have_wrong_bytes() {
        let text = "größe,straße\nä,ö\n".repeat(3);
        let cut = &text.as_bytes()[..3];
        assert_eq!(encoding(cut, false, None).name(), "utf-8");
        let mut wrong = text.into_bytes();
        wrong.extend_from_slice(b"caf\xe9,x\n");
        let found = encoding(&wrong, true, None);
        assert_eq!(found.name(), "utf-8");
        assert!(found.confidence < 0.6);
        assert!(
            found.evidence[0].contains("1 bytes are not"),
            "{:?}",
            found.evidence
        );
        // They stay, so that the row is rejected with its bytes.
        assert!(decode_head(&wrong, true, &found).ends_with(b"caf\xe9,x\n"));
    }

    #[test]
    fn statistics_tell_the_rest() {
        let german =
            "Nr;Straße;Größe\n1;Königsallee;groß\n2;Mühlenweg;klein\n3;Hauptstraße;übergroß\n";
        assert_eq!(name(&in_encoding("windows-1252", german)), "windows-1252");
        assert_eq!(
            name(&in_encoding("iso-8859-15", "Prix\n12,50 €\nété 5 €\n")),
            "iso-8859-15"
        );
        assert_eq!(
            name(&in_encoding("windows-1252", "Preis\n12,50 €\nStraße 5 €\n")),
            "windows-1252"
        );
        let russian = "номер,имя,город\n1,Иванов Пётр,Москва\n2,Сидорова Анна,Санкт-Петербург\n";
        assert_eq!(name(&in_encoding("windows-1251", russian)), "windows-1251");
        let japanese = "番号,氏名,住所\n1,山田太郎,東京都千代田区\n2,鈴木花子,大阪市北区梅田\n";
        assert_eq!(name(&in_encoding("shift_jis", japanese)), "shift_jis");
        assert_eq!(name(&in_encoding("euc-jp", japanese)), "euc-jp");
        let chinese = "编号,姓名,城市\n1,张伟,北京市朝阳区\n2,王芳,上海市浦东新区\n";
        assert_eq!(name(&in_encoding("gbk", chinese)), "gbk");
        let taiwan = "編號,姓名,城市\n1,陳怡君,臺北市信義區\n2,林志明,高雄市左營區\n";
        assert_eq!(name(&in_encoding("big5", taiwan)), "big5");
        let korean = "번호,이름,도시\n1,김철수,서울특별시 강남구\n2,이영희,부산광역시 해운대구\n";
        assert_eq!(name(&in_encoding("euc-kr", korean)), "euc-kr");
        let polish = "nr;imię;miasto\n1;Łukasz Żółć;Łódź\n2;Małgorzata Wiśniewska;Kraków\n";
        assert_eq!(name(&in_encoding("windows-1250", polish)), "windows-1250");
        let hungarian = "név;város\nKőszegi Ágnes;Győr\nFűrész Ödön;Pécs\n";
        assert_eq!(
            name(&in_encoding("windows-1250", hungarian)),
            "windows-1250"
        );
        for western in [
            "nome;fruta\nJosé;limões\nSá;milhões\n",
            "nom;goût\nÉté;août\nCoût;dû\n",
            "nimi;õis\nTõnu;öö\nPäär;jõgi\n",
        ] {
            assert_eq!(name(&in_encoding("windows-1252", western)), "windows-1252");
        }
        assert_eq!(name(&in_encoding("macintosh", german)), "macintosh");
        let greek =
            "αριθμός;όνομα;πόλη\n1;Γιώργος Παπαδόπουλος;Αθήνα\n2;Μαρία Νικολάου;Θεσσαλονίκη\n";
        assert!(
            ["windows-1253", "iso-8859-7"]
                .contains(&name(&in_encoding("windows-1253", greek)).as_str())
        );
    }

    #[test]
    fn a_dos_code_page_is_told_though_it_can_not_be_read() {
        let dos =
            b"Nr;Stra\xe1e;Gr\x94\xe1e\n1;M\x81hlenweg;gro\xe1\n2;K\x94nigsallee;\x81bergro\xe1\n";
        let found = encoding(dos, true, None);
        assert!(found.confidence < 0.3);
        assert!(found.evidence[0].contains("DOS"), "{:?}", found.evidence);
    }

    #[test]
    fn what_the_definition_says_is_taken() {
        let found = encoding(b"caf\xe9", true, Some("Latin1"));
        assert_eq!(
            (found.name().as_str(), found.confidence),
            ("windows-1252", 1.0)
        );
        assert_eq!(&*decode_head(b"caf\xe9", true, &found), "café".as_bytes());
        let found = encoding(&utf16("\u{feff}a", true), true, Some("utf-16"));
        assert_eq!((found.name().as_str(), found.bom), ("utf-16be", true));
    }
}
