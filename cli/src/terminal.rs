//! What is printed, and what of it may reach a terminal.
//!
//! Names of files, keys, headers and messages come from whoever uploaded a file. A terminal acts on
//! some characters: it moves the cursor, changes its title, or writes text that looks like ours. So
//! only this file prints, and nothing of the kind leaves it.

#![expect(
    clippy::print_stderr,
    reason = "printing is what a command is for, and this is the one place that does"
)]

use std::borrow::Cow;
use std::io::{self, IsTerminal, Write};

use serde::Serialize;

/// Prints a line of the result.
macro_rules! say {
    ($($text:tt)*) => { $crate::terminal::print_result(&format!($($text)*)) };
}

/// Prints a line beside the result.
macro_rules! note {
    ($($text:tt)*) => { $crate::terminal::print_note(&format!($($text)*)) };
}

pub(crate) use {note, say};

/// Prints lines of the result on stdout.
pub(crate) fn print_result(text: &str) {
    print_line(&printable(text));
}

/// Whoever read the result may have seen enough of it (`| head`): the command goes on, and its exit code
/// stays what it is. A result that can't be written for another reason is one that is not there.
fn print_line(line: &str) {
    match writeln!(io::stdout(), "{line}") {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            print_note(&format!("the result can't be written: {error}"));
            std::process::exit(1);
        }
        _ => {}
    }
}

/// Prints lines beside the result on stderr.
pub(crate) fn print_note(text: &str) {
    eprintln!("{}", printable(text));
}

/// Prints the result as one line of JSON on stdout.
pub(crate) fn say_json(value: &impl Serialize) {
    print_line(&harmless_json(value));
}

/// What a terminal acts on, or does not show: control characters, and those that turn the direction
/// of the text around them or have no width.
fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
        )
}

/// Lines of text with everything hidden written out: `\u{1b}`.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    written_out(text, |character| character != '\n' && is_hidden(character))
}

/// A value within a line: line breaks are written out too.
pub(crate) fn one_line(text: &str) -> Cow<'_, str> {
    written_out(text, is_hidden)
}

fn written_out(text: &str, is_hidden: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if is_hidden(character) {
            out.extend(character.escape_default());
        } else {
            out.push(character);
        }
    }
    Cow::Owned(out)
}

/// The same JSON with what it lets stand beyond ASCII, and a terminal would act on, as escapes. What
/// is hidden has at most 16 bits, and stands only within strings.
fn harmless_json(value: &impl Serialize) -> String {
    use std::fmt::Write as _;
    let mut out = String::new();
    // Neither maps with keys that are no text nor errors of their own are in what is printed.
    let text = serde_json::to_string(value).unwrap_or_default();
    for character in text.chars() {
        if is_hidden(character) {
            let _ = write!(out, "\\u{:04x}", u32::from(character));
        } else {
            out.push(character);
        }
    }
    out
}

/// Writes rows to stdout: as they are to a file or a program, printable to a terminal.
pub(crate) struct Rows<W> {
    to: W,
    is_terminal: bool,
}

impl Rows<io::StdoutLock<'static>> {
    /// To stdout.
    pub(crate) fn to_stdout() -> Self {
        let to = io::stdout().lock();
        let is_terminal = to.is_terminal();
        Self { to, is_terminal }
    }
}

impl<W: Write> Write for Rows<W> {
    /// Whole rows, so that no character is cut.
    fn write(&mut self, rows: &[u8]) -> io::Result<usize> {
        if self.is_terminal {
            let text = String::from_utf8_lossy(rows);
            self.to.write_all(printable(&text).as_bytes())?;
        } else {
            self.to.write_all(rows)?;
        }
        Ok(rows.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    /// Clears the screen, sets the title, 8-bit CSI, backspaces, reversed text.
    const HOSTILE: &str = "\u{1b}[2J\u{1b}]0;owned\u{7}\u{9b}31m\u{8}\u{7f}\r\u{202e}gpj.\u{200b}";

    #[test]
    fn nothing_hidden_is_printed() {
        let text = format!("zoë 🦀 {HOSTILE}\nnext");
        let shown = printable(&text);
        assert!(!shown.contains(|c| c != '\n' && is_hidden(c)), "{shown:?}");
        assert!(shown.starts_with("zoë 🦀 \\u{1b}[2J"), "{shown}");
        assert!(shown.ends_with("\nnext"), "{shown}");
        assert!(!one_line(&text).contains(is_hidden));
        assert!(matches!(printable("plain\n"), Cow::Borrowed(_)));
    }

    #[test]
    fn json_stays_the_same_json() {
        let value = serde_json::json!({ HOSTILE: [HOSTILE, "\n\t\"\\", 1.5, null] });
        let text = harmless_json(&value);
        assert!(!text.contains(is_hidden), "{text:?}");
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
    }

    #[test]
    fn rows_are_printable_on_a_terminal_and_untouched_elsewhere() {
        let rows = [HOSTILE.as_bytes(), b"\x9b2J\xff,1\n2,3\n"].concat();
        let written = |is_terminal| {
            let mut rows_to = Rows {
                to: Vec::new(),
                is_terminal,
            };
            rows_to.write_all(&rows).unwrap();
            rows_to.to
        };
        assert_eq!(written(false), rows);
        let shown = String::from_utf8(written(true)).unwrap();
        assert!(!shown.contains(|c| c != '\n' && is_hidden(c)), "{shown:?}");
        assert!(shown.ends_with(",1\n2,3\n"), "{shown}");
    }
}
