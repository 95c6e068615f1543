//! The two notations of formats: `DD.MM.YYYY HH:mm` and `%d.%m.%Y %H:%M`.
//!
//! A format with a `%` is one of `strptime`, as C, Python, Ruby and PHP's `strftime` have it; any
//! other is one of letters, as Excel, Java, .NET and moment.js have them. These differ in the case of
//! their letters, so here the case counts only where it must: `YYYY` is `yyyy`, `DD` is `dd`, and
//! `mm` is the minutes directly after the hour, the month anywhere else.
//!
//! This file must not know how cells are read.

use super::{Format, Item, Part};

/// A format is a line of a definition. A longer one is a mistake.
const LONGEST: usize = 100;

pub(super) fn compile(format: &str, time: bool) -> Result<Format, String> {
    if format.trim().is_empty() {
        return Err("a format cannot be empty".to_owned());
    }
    if format.len() > LONGEST {
        return Err(format!("a format has {LONGEST} characters at most"));
    }
    let mut builder = Builder::default();
    if format.contains('%') {
        builder.directives(format.trim())?;
    } else {
        builder.letters(format.trim())?;
    }
    builder.finish(format.trim(), time)
}

#[derive(Default)]
struct Builder {
    items: Vec<Item>,
    /// Whether an hour is one of twelve: `%I`.
    twelve: bool,
}

impl Builder {
    fn push(&mut self, part: Part, padded: bool) {
        self.items.push(Item {
            part,
            fixed: false,
            padded,
        });
    }

    fn text(&mut self, text: &str) {
        for character in text.chars() {
            let last = self.items.last_mut().map(|item| &mut item.part);
            if character.is_whitespace() {
                if last != Some(&mut Part::Space) {
                    self.push(Part::Space, false);
                }
            } else if let Some(Part::Text(before)) = last {
                *before = format!("{before}{character}").into();
            } else {
                self.push(Part::Text(character.to_string().into()), false);
            }
        }
    }

    /// The notation of `strptime`.
    fn directives(&mut self, format: &str) -> Result<(), String> {
        let mut rest = format;
        while let Some(at) = rest.find('%') {
            self.text(&rest[..at]);
            rest = &rest[at + 1..];
            let letter = |rest: &str| rest.chars().next();
            let whole = rest;
            // Flags of printing: no zeros in front, spaces instead, and so on.
            let padded = !rest.starts_with(['-', '_']);
            rest = rest.strip_prefix(['-', '_', '0', '^']).unwrap_or(rest);
            let is_dotted = rest.starts_with('.');
            rest = rest.strip_prefix(['.', ':']).unwrap_or(rest);
            rest = rest.strip_prefix(['3', '6', '9']).unwrap_or(rest);
            let Some(directive) = letter(rest) else {
                return Err("a \"%\" at the end stands for nothing; write \"%%\"".to_owned());
            };
            rest = &rest[directive.len_utf8()..];
            match directive {
                'f' | 'N' | 'L' if is_dotted => self.push(Part::DotFraction, true),
                _ => {
                    let written = &whole[..whole.len() - rest.len()];
                    self.directive(directive, written, padded)?;
                }
            }
        }
        self.text(rest);
        Ok(())
    }

    fn directive(&mut self, directive: char, written: &str, padded: bool) -> Result<(), String> {
        let part = match directive {
            'Y' => Part::Year,
            'y' => Part::ShortYear,
            'm' => Part::Month,
            'b' | 'h' => Part::MonthName { long: false },
            'B' => Part::MonthName { long: true },
            'd' | 'e' => Part::Day,
            'a' => Part::Weekday { long: false },
            'A' => Part::Weekday { long: true },
            'H' | 'k' => Part::Hour,
            'I' | 'l' => {
                self.twelve = true;
                Part::Hour
            }
            'M' => Part::Minute,
            'S' => Part::Second,
            'f' | 'N' | 'L' => Part::Fraction,
            'p' | 'P' => Part::Meridiem,
            'z' => Part::Offset {
                colon: written.contains(':'),
            },
            'F' => return self.directives("%Y-%m-%d"),
            'T' => return self.directives("%H:%M:%S"),
            'R' => return self.directives("%H:%M"),
            'D' => return self.directives("%m/%d/%y"),
            '%' => {
                self.text("%");
                return Ok(());
            }
            'n' | 't' => {
                self.text(" ");
                return Ok(());
            }
            'Z' => {
                return Err(
                    "names of time zones cannot be read; write %z, or name the time_zone"
                        .to_owned(),
                );
            }
            's' => return Err("write \"unix\" for seconds since 1970".to_owned()),
            _ => return Err(format!("unknown directive \"%{written}\"")),
        };
        self.push(part, padded && directive != 'e');
        Ok(())
    }

    /// The notation of letters.
    fn letters(&mut self, format: &str) -> Result<(), String> {
        let mut rest = format;
        while let Some(first) = rest.chars().next() {
            if let Some((text, after)) = quoted(rest)? {
                self.text(text);
                rest = after;
                continue;
            }
            if !first.is_ascii_alphabetic() {
                let length = first.len_utf8();
                self.text(&rest[..length]);
                rest = &rest[length..];
                continue;
            }
            if let Some(after) = meridiem(rest) {
                self.push(Part::Meridiem, false);
                rest = after;
                continue;
            }
            let run = rest.find(|letter| letter != first).unwrap_or(rest.len());
            self.letter(first, run)?;
            rest = &rest[run..];
        }
        Ok(())
    }

    /// One letter, so many times.
    fn letter(&mut self, letter: char, run: usize) -> Result<(), String> {
        let part = match (letter.to_ascii_lowercase(), run) {
            ('y', 4) => Part::Year,
            ('y', 2) => Part::ShortYear,
            ('m', 1 | 2) if self.last_value() == Some(&Part::Hour) => Part::Minute,
            ('m', 1 | 2) => Part::Month,
            ('m', 3) => Part::MonthName { long: false },
            ('m', 4) => Part::MonthName { long: true },
            ('d', 1 | 2) => Part::Day,
            ('d' | 'e', 3) | ('e', 1 | 2) => Part::Weekday { long: false },
            ('d' | 'e', 4) => Part::Weekday { long: true },
            ('h', 1 | 2) => Part::Hour,
            ('s', 1 | 2) if self.last_value() == Some(&Part::Minute) => Part::Second,
            ('s' | 'f', 1..=9) => Part::Fraction,
            ('z' | 'x', 1 | 3) => Part::Offset { colon: true },
            ('z' | 'x', 2) => Part::Offset { colon: false },
            ('t', 1) => {
                self.text(&letter.to_string());
                return Ok(());
            }
            _ => {
                let letters = letter.to_string().repeat(run);
                return Err(format!(
                    "unknown letters \"{letters}\"; text that stands for itself goes into [brackets]"
                ));
            }
        };
        self.push(part, run > 1);
        Ok(())
    }

    /// The last item that is no text.
    fn last_value(&self) -> Option<&Part> {
        let mut parts = self.items.iter().rev().map(|item| &item.part);
        parts.find(|part| !matches!(part, Part::Text(_) | Part::Space))
    }

    /// Checks that the items make a date, each of its parts once.
    fn finish(mut self, name: &str, time: bool) -> Result<Format, String> {
        let count = |is: fn(&Part) -> bool| {
            let items = self.items.iter();
            items.filter(|item| is(&item.part)).count()
        };
        let years = count(|part| matches!(part, Part::Year | Part::ShortYear));
        let months = count(|part| matches!(part, Part::Month | Part::MonthName { .. }));
        let days = count(|part| *part == Part::Day);
        let weekdays = count(|part| matches!(part, Part::Weekday { .. }));
        let hours = count(|part| *part == Part::Hour);
        let minutes = count(|part| *part == Part::Minute);
        let seconds = count(|part| *part == Part::Second);
        let fractions = count(|part| matches!(part, Part::Fraction | Part::DotFraction));
        let halves = count(|part| *part == Part::Meridiem);
        let offsets = count(|part| matches!(part, Part::Offset { .. }));
        for (count, what, sign) in [
            (years, "year", "YYYY or YY"),
            (months, "month", "MM"),
            (days, "day", "DD"),
        ] {
            if count == 0 {
                return Err(format!("the {what} is missing ({sign})"));
            }
        }
        if !time && hours + minutes + seconds + fractions + halves + offsets > 0 {
            let message = "a date has no time of day; the type datetime has one";
            return Err(message.to_owned());
        }
        for (count, what, needed, needs) in [
            (years, "year", 1, ""),
            (months, "month", 1, ""),
            (days, "day", 1, ""),
            (weekdays, "day of the week", 1, ""),
            (hours, "hour", 1, ""),
            (minutes, "minute", hours, "hour"),
            (seconds, "second", minutes, "minute"),
            (fractions, "fraction of a second", seconds, "second"),
            (halves, "AM or PM", hours, "hour"),
            (offsets, "offset", hours, "hour"),
        ] {
            if count > 1 {
                return Err(format!("the {what} is there twice"));
            }
            if count > needed {
                return Err(format!("the {what} needs the {needs} too"));
            }
        }
        if self.twelve && halves == 0 {
            return Err("an hour of twelve (%I) needs AM or PM (%p)".to_owned());
        }
        self.fix_widths();
        Ok(Format {
            items: self.items,
            name: name.into(),
            meridiem: halves > 0,
        })
    }

    /// Digits beside other digits can be told apart by their number alone.
    fn fix_widths(&mut self) {
        let digits: Vec<bool> = self
            .items
            .iter()
            .map(|item| item.part.is_digits())
            .collect();
        for (index, item) in self.items.iter_mut().enumerate() {
            let before = index > 0 && digits[index - 1];
            let after = digits.get(index + 1) == Some(&true);
            item.fixed = before || after;
            item.padded |= item.fixed;
        }
    }
}

/// Text in `[brackets]` or in 'quotes' at the front, and what follows.
fn quoted(rest: &str) -> Result<Option<(&str, &str)>, String> {
    for (open, close) in [('[', ']'), ('\'', '\'')] {
        if let Some(inside) = rest.strip_prefix(open) {
            return match inside.split_once(close) {
                // Java writes a quote as two of them.
                Some(("", after)) if open == '\'' => Ok(Some(("'", after))),
                Some(found) => Ok(Some(found)),
                None => Err(format!("the \"{open}\" is not closed")),
            };
        }
    }
    Ok(None)
}

/// What follows a sign for AM or PM.
fn meridiem(rest: &str) -> Option<&str> {
    let run = rest.find(|letter: char| !letter.is_ascii_alphabetic() && letter != '/');
    let word = &rest[..run.unwrap_or(rest.len())];
    let signs = ["am/pm", "a/p", "am", "pm", "aa", "tt", "a", "p"];
    let sign = signs.iter().find(|sign| word.eq_ignore_ascii_case(sign))?;
    Some(&rest[sign.len()..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(format: &str) -> Result<String, String> {
        let parts = super::super::Parts::of_day(2024, 2, 9);
        Format::compile(format, false).map(|format| format.write(&parts))
    }

    #[test]
    fn both_notations_say_the_same() {
        for (letters, directives, written) in [
            ("YYYY-MM-DD", "%Y-%m-%d", "2024-02-09"),
            ("DD.MM.YYYY", "%d.%m.%Y", "09.02.2024"),
            ("dd.mm.yyyy", "%d.%m.%Y", "09.02.2024"),
            ("D/M/YY", "%-d/%-m/%y", "9/2/24"),
            ("MM/DD/YY", "%D", "02/09/24"),
            ("yyyyMMdd", "%Y%m%d", "20240209"),
            ("DMMMYYYY", "%-d%b%Y", "9Feb2024"),
            ("ddd, D MMMM YYYY", "%a, %-d %B %Y", "Fri, 9 February 2024"),
            ("EEEE dd MMM yy", "%A %d %b %y", "Friday 09 Feb 24"),
            ("[am] D.M.YYYY", "am %-d.%-m.%Y", "am 9.2.2024"),
            ("'am' D.M.YYYY", "am %-d.%-m.%Y", "am 9.2.2024"),
            ("YYYY年M月D日", "%Y年%-m月%-d日", "2024年2月9日"),
            ("YYYY%%MM", "%Y%%%m%%%d", "2024%02%09"),
        ] {
            if !letters.contains('%') {
                assert_eq!(date(letters).as_deref(), Ok(written), "{letters}");
            }
            assert_eq!(date(directives).as_deref(), Ok(written), "{directives}");
        }
    }

    #[test]
    fn times_in_the_notations_of_several_programs() {
        let parts = super::super::Parts {
            hour: 15,
            minute: 4,
            second: 5,
            fraction: *b"678000000",
            fraction_digits: 3,
            offset: Some(-90),
            ..super::super::Parts::of_day(2024, 2, 9)
        };
        for (format, written) in [
            ("YYYY-MM-DDTHH:mm:ss.SSSZ", "2024-02-09T15:04:05.678-01:30"),
            ("yyyy-MM-dd HH:mm:ss.fff", "2024-02-09 15:04:05.678"),
            ("yyyy-MM-dd'T'HH:mm:ssXX", "2024-02-09T15:04:05-0130"),
            ("YYYY-MM-DD HH:MM:SS", "2024-02-09 15:04:05"),
            ("dd.mm.yyyy hh:mm", "09.02.2024 15:04"),
            ("M/D/YYYY h:mm:ss A", "2/9/2024 3:04:05 PM"),
            ("m/d/yy h:mm AM/PM", "2/9/24 3:04 PM"),
            ("YYYYMMDDHHmmss", "20240209150405"),
            ("DD/MMM/YYYY:HH:mm:ss ZZ", "09/Feb/2024:15:04:05 -0130"),
            ("%d/%b/%Y:%H:%M:%S %z", "09/Feb/2024:15:04:05 -0130"),
            ("%F %T%.f%:z", "2024-02-09 15:04:05.678-01:30"),
            ("%Y-%m-%dT%H:%M:%S.%f", "2024-02-09T15:04:05.678"),
            ("%m/%d/%Y %I:%M %p", "02/09/2024 03:04 PM"),
            ("DD.MM.YYYY", "09.02.2024"),
            ("DD.MM.YYYY HH [Uhr]", "09.02.2024 15 Uhr"),
        ] {
            let written_by_us = Format::compile(format, true).map(|format| format.write(&parts));
            assert_eq!(written_by_us.as_deref(), Ok(written), "{format}");
        }
    }

    #[test]
    fn faults_say_what_to_write() {
        for (format, time, expected) in [
            ("", true, "a format cannot be empty"),
            ("DD.MM", false, "the year is missing (YYYY or YY)"),
            ("YYYY-DD", false, "the month is missing (MM)"),
            ("%Y-%m", false, "the day is missing (DD)"),
            ("YYYY-MM-DD MM", false, "the month is there twice"),
            (
                "DD.MM.YYYY HH:mm",
                false,
                "a date has no time of day; the type datetime has one",
            ),
            ("%Y-%m-%d %M", true, "the minute needs the hour too"),
            ("%Y-%m-%d %H %S", true, "the second needs the minute too"),
            (
                "%Y-%m-%d %I:%M",
                true,
                "an hour of twelve (%I) needs AM or PM (%p)",
            ),
            ("%Y-%m-%d %Q", true, "unknown directive \"%Q\""),
            (
                "%Y-%m-%d%",
                true,
                "a \"%\" at the end stands for nothing; write \"%%\"",
            ),
            (
                "%Y-%m-%d %Z",
                true,
                "names of time zones cannot be read; write %z, or name the time_zone",
            ),
            ("%s", true, "write \"unix\" for seconds since 1970"),
            (
                "YYYY-MM-DD Uhr",
                true,
                "unknown letters \"U\"; text that stands for itself goes into [brackets]",
            ),
            (
                "YYY-MM-DD",
                true,
                "unknown letters \"YYY\"; text that stands for itself goes into [brackets]",
            ),
            ("YYYY-MM-DD [Uhr", true, "the \"[\" is not closed"),
        ] {
            let fault = Format::compile(format, time).expect_err(format);
            assert_eq!(fault, expected, "{format}");
        }
        assert!(Format::compile(&"Y".repeat(101), true).is_err());
    }
}
