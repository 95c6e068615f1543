//! URLs: absolute, with a scheme that the definition allows and a host; `http` and `https` unless it
//! says otherwise.
//!
//! The rules are those of the WHATWG's URL standard, which browsers follow, without its leniency: a
//! cell with a space, a line break or a `\` in it is no URL, nor is one without its `//`. What passes
//! is written as it was read. Most URLs are simple enough to be seen to be good at a glance; the
//! others are for the crate that implements the standard.
//!
//! This file must not know what is behind a URL.

use super::mismatch::listed;
use super::options::{OptionFault, TypeOptions};
use super::{Mismatch, ascii, text};
use crate::show::is_format;

/// What servers are asked to take (RFC 9110, 4.1), in bytes.
const LONGEST: usize = 8000;
const LONGEST_LABEL: usize = 63;

/// What a definition says about URLs.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Urls {
    /// In small letters.
    schemes: Vec<Box<str>>,
}

impl Urls {
    pub(super) fn compile(options: &TypeOptions, faults: &mut Vec<OptionFault>) -> Self {
        if options.schemes.is_empty() {
            let schemes = ["https", "http"].map(Box::from).to_vec();
            return Self { schemes };
        }
        for (index, scheme) in options.schemes.iter().enumerate() {
            let mut letters = scheme.chars();
            let is_scheme = letters
                .next()
                .is_some_and(|first| first.is_ascii_alphabetic())
                && letters.all(|letter| letter.is_ascii_alphanumeric() || "+-.".contains(letter));
            if !is_scheme {
                let message = "a scheme is what precedes the \"://\", such as \"https\"";
                faults.push(OptionFault::at("schemes", index, message));
            }
        }
        let schemes = options.schemes.iter();
        Self {
            schemes: schemes
                .map(|scheme| scheme.to_ascii_lowercase().into())
                .collect(),
        }
    }

    #[inline]
    pub(super) fn parse<'a>(&self, cell: &'a [u8]) -> Result<&'a str, Mismatch> {
        let after = self.schemes.iter().find_map(|scheme| {
            let (front, after) = cell.split_at_checked(scheme.len())?;
            let is_scheme = front.eq_ignore_ascii_case(scheme.as_bytes());
            is_scheme.then(|| after.strip_prefix(b"://")).flatten()
        });
        match after {
            Some(after) if cell.len() <= LONGEST && is_plain(after) => ascii(cell),
            after => self.parse_odd(cell, after),
        }
    }

    #[cold]
    fn parse_odd<'a>(&self, cell: &'a [u8], after: Option<&[u8]>) -> Result<&'a str, Mismatch> {
        let text = text(cell)?;
        // Browsers look for a host beyond.
        if let Some([b'/' | b'?' | b'#', ..]) = after {
            return Err(Mismatch::NotUrl);
        }
        if text.len() > LONGEST || text.chars().any(is_foreign) {
            return Err(Mismatch::NotUrl);
        }
        let url = ::url::Url::parse(text).map_err(|_| Mismatch::NotUrl)?;
        if !url.has_host() || url.host_str().is_none_or(str::is_empty) {
            return Err(Mismatch::NotUrl);
        }
        if after.is_some() {
            return Ok(text);
        }
        if self.schemes.iter().any(|scheme| **scheme == *url.scheme()) {
            // `http:example.com`, which browsers mend.
            return Err(Mismatch::NotUrl);
        }
        let schemes = listed(self.schemes());
        Err(Mismatch::own(format!(
            "is not a URL that begins with {schemes}"
        )))
    }

    /// The schemes allowed.
    pub(super) fn schemes(&self) -> impl ExactSizeIterator<Item = &str> + Clone {
        self.schemes.iter().map(|scheme| &**scheme)
    }
}

/// What no URL has, though browsers may take it out or mend it.
fn is_foreign(character: char) -> bool {
    character.is_whitespace()
        || character.is_control()
        || is_format(character)
        || matches!(character, '"' | '<' | '>' | '\\' | '`')
}

/// Whether what follows the `://` is a host name of letters, digits and hyphens with nothing odd
/// about it, and then a path of such characters as no rule is about.
#[inline]
fn is_plain(after: &[u8]) -> bool {
    let mut label = 0;
    let mut first = b'.';
    let mut end = after.len();
    for (at, &byte) in after.iter().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => {
                if label == 0 {
                    first = byte;
                }
                label += 1;
            }
            // A hyphen in the third and fourth place is of a name in another script.
            b'-' if label > 0 && label != 2 && label != 3 => label += 1,
            b'.' if label > 0 && label <= LONGEST_LABEL => label = 0,
            b'/' | b'?' | b'#' => {
                end = at;
                break;
            }
            _ => return false,
        }
    }
    // A last label that begins with a digit may be a number, and the host an address.
    label > 0
        && label <= LONGEST_LABEL
        && first.is_ascii_alphabetic()
        && after[end..].iter().all(|byte| PLAIN[usize::from(*byte)])
}

/// The characters of a path, a query and a fragment that stand for themselves in all of them.
static PLAIN: [bool; 256] = plain();

const fn plain() -> [bool; 256] {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 128 {
        table[byte] = (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    let signs = b"-._~:/?#@!$&'()*+,;=%";
    let mut sign = 0;
    while sign < signs.len() {
        table[signs[sign] as usize] = true;
        sign += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn urls(schemes: &[&str]) -> Urls {
        let options = TypeOptions {
            schemes: schemes.iter().map(|scheme| (*scheme).to_owned()).collect(),
            ..TypeOptions::default()
        };
        let mut faults = Vec::new();
        let urls = Urls::compile(&options, &mut faults);
        assert_eq!(faults, []);
        urls
    }

    #[test]
    fn accepts_what_browsers_go_to() {
        let urls = urls(&[]);
        for good in [
            "https://example.com",
            "http://example.com/",
            "HTTPS://Example.COM/Path?q=1&r=%20#top",
            "https://example.com:8443/a",
            "https://user:secret@example.com/",
            "https://localhost:3000",
            "https://192.0.2.1/",
            "https://[2001:db8::1]:80/",
            "https://exämple.de/straße?q=ä",
            "https://xn--exmple-cua.de",
            "https://example.com/a|b",
            "https://example.com.",
        ] {
            assert_eq!(urls.parse(good.as_bytes()), Ok(good));
        }
    }

    #[test]
    fn refuses_the_rest() {
        let urls = urls(&[]);
        let long = format!("https://example.com/{}", "a".repeat(LONGEST));
        for bad in [
            "example.com",
            "www.example.com",
            "//example.com",
            "/path",
            "https://",
            "https:///path",
            "https:example.com",
            "https:/example.com",
            "https//example.com",
            "https://exa mple.com",
            "https://example.com/a b",
            "https://example.com/a\nb",
            "https://example.com/\u{200b}",
            "https://example.com\\path",
            "https://<example>.com",
            "https://example.com:99999",
            "https://example.com:port",
            "https://1.2.3.4.5",
            "https://256.1.1.1",
            "https://[::1",
            "https://xn--a",
            "https://?q",
            "https://#a",
            "https://@",
            "not a url",
            long.as_str(),
        ] {
            assert_eq!(urls.parse(bad.as_bytes()), Err(Mismatch::NotUrl), "{bad}");
        }
        assert_eq!(urls.parse(b"https://a.b/\xff"), Err(Mismatch::NotUtf8));
    }

    #[test]
    fn schemes_are_those_of_the_definition() {
        let mismatch = urls(&[]).parse(b"ftp://example.com").unwrap_err();
        let expected = "is not a URL that begins with https or http";
        assert_eq!(mismatch.to_string(), expected);
        let urls = urls(&["ftp", "S3"]);
        for good in [
            "ftp://example.com/a",
            "s3://bucket/key",
            "FTP://example.com",
        ] {
            assert_eq!(urls.parse(good.as_bytes()), Ok(good));
        }
        assert!(urls.parse(b"https://example.com").is_err());
        assert!(urls.parse(b"s3:///key").is_err());
        let options = TypeOptions {
            schemes: vec!["http".to_owned(), "a b".to_owned()],
            ..TypeOptions::default()
        };
        let mut faults = Vec::new();
        Urls::compile(&options, &mut faults);
        assert_eq!((faults[0].key, faults[0].index), ("schemes", Some(1)));
    }

    proptest! {
        /// What is seen to be good at a glance is good by the standard too, with the same host.
        #[test]
        fn a_glance_is_never_wrong(host in "[a-zA-Z0-9.xn-]{1,12}", path in "([/?#][ -~]{0,8})?") {
            let cell = format!("https://{host}{path}");
            if is_plain(&cell.as_bytes()["https://".len()..]) {
                let url = ::url::Url::parse(&cell).expect("a URL");
                prop_assert_eq!(url.host_str(), Some(&*host.to_lowercase()));
            }
        }
    }
}
