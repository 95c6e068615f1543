//! The words of an expression: names, literals and signs, each with its place.
//!
//! It follows the lexical rules of CEL, with messages for people who know spreadsheets or SQL better.
//! It must not know what the words mean together.
//!
//! <https://github.com/google/cel-spec/blob/master/doc/langdef.md#syntax>

use std::iter::Peekable;
use std::str::CharIndices;

/// The most words of an expression: they bound the nodes, and with them what is built of them.
const TOKENS_MAX: usize = 1_000;

/// What is wrong with an expression, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Flaw {
    /// The byte at which it is.
    pub(super) at: usize,
    /// What is wrong, in words that continue a sentence.
    pub(super) message: String,
}

impl Flaw {
    pub(super) fn at(at: usize, message: impl Into<String>) -> Self {
        Self {
            at,
            message: message.into(),
        }
    }
}

/// One word.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Name(String),
    Int(i64),
    /// A whole number one larger than the largest; only a minus before it makes it one.
    IntMin,
    Num(f64),
    Str(String),
    /// A sign or an operator.
    Sign(&'static str),
}

/// A word and the byte at which it begins.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Placed {
    pub(super) at: usize,
    pub(super) token: Token,
}

/// Every sign, longer ones before those they begin with.
const SIGNS: [&str; 23] = [
    "&&", "||", "==", "!=", "<=", ">=", "<", ">", "+", "-", "*", "/", "%", "!", "?", ":", "(", ")",
    "[", "]", "{", "}", ",",
];

/// Signs of other languages, and what is written here in their place.
const FOREIGN_SIGNS: [(&str, &str); 8] = [
    ("===", "write == to compare"),
    ("<>", "write != for \"is not\""),
    ("=>", "write >= for \"at least\""),
    ("=<", "write <= for \"at most\""),
    ("=", "write == to compare"),
    ("&", "write && for \"and\", + to join texts"),
    ("|", "write || for \"or\""),
    (";", "an expression ends without a semicolon"),
];

/// Divides the text into words.
pub(super) fn tokens(text: &str) -> Result<Vec<Placed>, Flaw> {
    let mut lexer = Lexer {
        text,
        characters: text.char_indices().peekable(),
    };
    let mut tokens = Vec::new();
    while let Some(placed) = lexer.next()? {
        if tokens.len() == TOKENS_MAX {
            let message = format!("the expression has more than {TOKENS_MAX} words and signs");
            return Err(Flaw::at(placed.at, message));
        }
        tokens.push(placed);
    }
    Ok(tokens)
}

struct Lexer<'t> {
    text: &'t str,
    characters: Peekable<CharIndices<'t>>,
}

impl<'t> Lexer<'t> {
    fn next(&mut self) -> Result<Option<Placed>, Flaw> {
        self.skip_blanks();
        let Some(&(at, first)) = self.characters.peek() else {
            return Ok(None);
        };
        let rest = &self.text[at..];
        let dot_number = first == '.' && rest[1..].starts_with(|c: char| c.is_ascii_digit());
        let token = if first.is_ascii_digit() || dot_number {
            self.number(at)?
        } else if matches!(first, '"' | '\'') {
            self.string(at, false)?
        } else if first == '_' || first.is_alphabetic() {
            self.word(at)?
        } else if first == '.' {
            self.advance(1);
            Token::Sign(".")
        } else {
            self.sign(at, rest)?
        };
        Ok(Some(Placed { at, token }))
    }

    fn skip_blanks(&mut self) {
        while let Some(&(at, character)) = self.characters.peek() {
            if character.is_whitespace() {
                self.characters.next();
            } else if self.text[at..].starts_with("//") {
                while self.characters.next_if(|(_, c)| *c != '\n').is_some() {}
            } else {
                return;
            }
        }
    }

    fn advance(&mut self, characters: usize) {
        for _ in 0..characters {
            self.characters.next();
        }
    }

    fn sign(&mut self, at: usize, rest: &'t str) -> Result<Token, Flaw> {
        let known = SIGNS.iter().find(|sign| rest.starts_with(**sign));
        let foreign = FOREIGN_SIGNS
            .iter()
            .find(|(sign, _)| rest.starts_with(*sign));
        match (known, foreign) {
            (Some(known), Some((foreign, advice))) if foreign.len() > known.len() => {
                Err(Flaw::at(at, format!("{foreign} is no operator: {advice}")))
            }
            (Some(known), _) => {
                self.advance(known.len());
                Ok(Token::Sign(known))
            }
            (None, Some((foreign, advice))) => {
                Err(Flaw::at(at, format!("{foreign} is no operator: {advice}")))
            }
            (None, None) => {
                let character = rest.chars().next().unwrap_or_default();
                let shown = crate::show::shown(&character.to_string());
                Err(Flaw::at(at, format!("{shown} means nothing here")))
            }
        }
    }

    /// A name, or a string with a prefix: `r"\d"` is raw.
    fn word(&mut self, at: usize) -> Result<Token, Flaw> {
        let mut end = at;
        while let Some((index, character)) = self
            .characters
            .next_if(|(_, c)| *c == '_' || c.is_alphanumeric())
        {
            end = index + character.len_utf8();
        }
        let word = &self.text[at..end];
        let quoted = matches!(self.characters.peek(), Some((_, '"' | '\'')));
        if quoted && matches!(word, "r" | "R") {
            return self.string(at, true);
        }
        if quoted && matches!(word, "b" | "B" | "br" | "bR" | "Br" | "BR" | "rb" | "Rb") {
            return Err(Flaw::at(at, "there are no bytes in rules, only text"));
        }
        Ok(Token::Name(word.to_owned()))
    }

    fn number(&mut self, at: usize) -> Result<Token, Flaw> {
        let mut end = at;
        let mut before = ' ';
        while let Some((index, character)) = self.characters.next_if(|(index, c)| {
            let decimal_point =
                *c == '.' && self.text[index + 1..].starts_with(|c: char| c.is_ascii_digit());
            let exponent_sign = matches!(c, '+' | '-')
                && matches!(before, 'e' | 'E')
                && !self.text[at..].starts_with("0x");
            c.is_alphanumeric() || *c == '_' || decimal_point || exponent_sign
        }) {
            before = character;
            end = index + character.len_utf8();
        }
        let text = &self.text[at..end];
        if text.ends_with(['u', 'U']) && text[..text.len() - 1].parse::<u64>().is_ok() {
            return Err(Flaw::at(
                at,
                format!("write {text} without the u: there are no unsigned numbers"),
            ));
        }
        let digits = text.strip_prefix("0x").or(text.strip_prefix("0X"));
        let whole = match digits {
            Some(digits) => i64::from_str_radix(digits, 16)
                .ok()
                .filter(|_| !digits.starts_with(['+', '-'])),
            None => text.parse::<i64>().ok(),
        };
        if let Some(whole) = whole {
            return Ok(Token::Int(whole));
        }
        if text == "9223372036854775808" {
            return Ok(Token::IntMin);
        }
        if text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Flaw::at(
                at,
                format!("{text} is too large for a whole number (64 bits)"),
            ));
        }
        let plain = |byte: u8| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-');
        let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
        match number {
            Some(number) if text.bytes().all(plain) => Ok(Token::Num(number)),
            _ => Err(Flaw::at(
                at,
                format!("{} is not a number", crate::show::shown(text)),
            )),
        }
    }

    fn string(&mut self, at: usize, raw: bool) -> Result<Token, Flaw> {
        let open = || Flaw::at(at, "a quote is opened here and never closed");
        let (start, quote) = self.characters.next().ok_or_else(open)?;
        let triple: String = std::iter::repeat_n(quote, 3).collect();
        let is_triple = self.text[start..].starts_with(&triple);
        if is_triple {
            self.advance(2);
        }
        let mut value = String::new();
        loop {
            let (index, character) = self.characters.next().ok_or_else(open)?;
            if is_triple && self.text[index..].starts_with(&triple) {
                self.advance(2);
                return Ok(Token::Str(value));
            }
            match character {
                _ if character == quote && !is_triple => return Ok(Token::Str(value)),
                '\n' | '\r' if !is_triple => return Err(open()),
                '\\' if raw => value.push('\\'),
                '\\' => value.push(self.escape(index)?),
                _ => value.push(character),
            }
        }
    }

    /// The character that an escape stands for; its backslash is taken already.
    fn escape(&mut self, at: usize) -> Result<char, Flaw> {
        let unknown = |text: &str| {
            let advice = "write two backslashes for one, or r\"…\" for a text without escapes";
            Flaw::at(at, format!("\\{text} is no escape: {advice}"))
        };
        let Some((_, letter)) = self.characters.next() else {
            return Err(unknown(""));
        };
        let (count, radix) = match letter {
            'a' => return Ok('\u{7}'),
            'b' => return Ok('\u{8}'),
            'f' => return Ok('\u{c}'),
            'n' => return Ok('\n'),
            'r' => return Ok('\r'),
            't' => return Ok('\t'),
            'v' => return Ok('\u{b}'),
            '\\' | '?' | '"' | '\'' | '`' => return Ok(letter),
            'x' | 'X' => (2, 16),
            'u' => (4, 16),
            'U' => (8, 16),
            '0'..='3' => (2, 8),
            _ => return Err(unknown(&letter.to_string())),
        };
        let mut digits = String::from(if radix == 8 { letter } else { '0' });
        for _ in 0..count {
            let digit = self.characters.next_if(|(_, c)| c.is_digit(radix));
            digits.push(digit.ok_or_else(|| unknown(&letter.to_string()))?.1);
        }
        let code = u32::from_str_radix(&digits, radix).unwrap_or(u32::MAX);
        char::from_u32(code).ok_or_else(|| Flaw::at(at, "the escape stands for no character"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<Token> {
        let tokens = tokens(text).unwrap_or_else(|flaw| panic!("{text}: {flaw:?}"));
        tokens.into_iter().map(|placed| placed.token).collect()
    }

    fn flaw(text: &str) -> (usize, String) {
        let flaw = tokens(text).expect_err(text);
        (flaw.at, flaw.message)
    }

    #[test]
    fn divides_words_and_signs() {
        assert_eq!(
            words("a1>=-2.5e-1 && !größe // why"),
            [
                Token::Name("a1".into()),
                Token::Sign(">="),
                Token::Sign("-"),
                Token::Num(0.25 * 10.0 / 10.0),
                Token::Sign("&&"),
                Token::Sign("!"),
                Token::Name("größe".into()),
            ]
        );
        assert_eq!(words("x.y[0x1F]").len(), 6);
        assert_eq!(words(""), []);
    }

    #[test]
    fn reads_numbers() {
        assert_eq!(words("9223372036854775807"), [Token::Int(i64::MAX)]);
        assert_eq!(words("9223372036854775808"), [Token::IntMin]);
        assert_eq!(words("0xff"), [Token::Int(255)]);
        assert_eq!(words(".5"), [Token::Num(0.5)]);
        assert_eq!(words("1e3"), [Token::Num(1000.0)]);
        assert_eq!(
            flaw("5u").1,
            "write 5u without the u: there are no unsigned numbers"
        );
        assert_eq!(flaw("12ab").1, "\"12ab\" is not a number");
        assert_eq!(flaw("1e999").1, "\"1e999\" is not a number");
        assert_eq!(flaw("0x").1, "\"0x\" is not a number");
        assert!(flaw("99999999999999999999").1.contains("too large"));
    }

    #[test]
    fn reads_strings_with_escapes() {
        for (text, value) in [
            (r#""a\"b""#, "a\"b"),
            (r"'it\'s'", "it's"),
            (r"r'\d+'", r"\d+"),
            (r"'\\d\t\x41\u00e9\U0001F980\101'", "\\d\tAé🦀A"),
            ("'''a\n'b'''", "a\n'b"),
            ("''", ""),
            ("'é'", "é"),
        ] {
            assert_eq!(words(text), [Token::Str(value.to_owned())], "{text}");
        }
        for text in ["'abc", "\"", "'''a''", "'a\nb'", "r'", "'a\\"] {
            assert!(tokens(text).is_err(), "{text}");
        }
        assert!(flaw(r"'\d'").1.contains("no escape"));
        assert!(flaw(r"'\ud800'").1.contains("no character"));
        assert!(flaw("b'a'").1.contains("no bytes"));
    }

    #[test]
    fn signs_of_other_languages_get_advice() {
        assert_eq!(
            flaw("a = b"),
            (2, "= is no operator: write == to compare".into())
        );
        assert_eq!(
            flaw("a <> b"),
            (2, "<> is no operator: write != for \"is not\"".into())
        );
        assert!(flaw("a === b").1.starts_with("=== is no"));
        assert!(flaw("a => b").1.contains(">="));
        assert!(flaw("a & b").1.contains("&&"));
        assert!(flaw("a # b").1.contains("means nothing"));
    }

    #[test]
    fn the_number_of_words_is_bounded() {
        assert!(tokens(&"1 ".repeat(TOKENS_MAX)).is_ok());
        assert!(
            flaw(&"1 ".repeat(TOKENS_MAX + 1))
                .1
                .contains("more than 1000")
        );
    }
}
