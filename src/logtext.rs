//! Reads a line of a log as its writer meant it: how bad it is, and, where it is one JSON object, its message
//! and fields.
//!
//! [`level`] looks at the start of a line only and is asked of every line; [`readable`] takes a line apart
//! and is asked of those that are drawn. Both take any text and neither fails.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use serde::de::{Deserializer as _, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::clean::{Clean, Styled};
use crate::event::Level;

/// Bytes of a line in which its level is looked for.
const HEAD: usize = 256;
/// Fields that tell the level, the message and the time, in the loggers of Go, Java, JavaScript, Python and
/// Rust.
const LEVELS: [&str; 8] =
    ["level", "lvl", "severity", "log.level", "levelname", "loglevel", "@l", "log_level"];
const MESSAGES: [&str; 5] = ["msg", "message", "@m", "log", "text"];
const TIMES: [&str; 6] = ["ts", "time", "timestamp", "@timestamp", "@t", "datetime"];

/// A JSON line made readable.
#[derive(Clone, Debug, PartialEq)]
pub struct Readable {
    /// How bad it is.
    pub level: Level,
    /// The message; empty where there is none.
    pub message: Styled,
    /// The other fields, in the line's order. The time is among them only when it is not the line's own.
    pub fields: Vec<(Clean, Clean)>,
}

/// How bad a line says that it is: a JSON or logfmt field, klog's first letter, or the word that most loggers
/// write in capitals.
pub fn level(line: &str) -> Level {
    let end = (0..=HEAD.min(line.len())).rev().find(|end| line.is_char_boundary(*end)).unwrap_or(0);
    let head = &line[..end];
    let plain = head.trim_start();
    let told =
        if plain.starts_with('{') { field(plain, LEVELS) } else { klog(plain).or_else(|| logfmt(head)) };
    told.unwrap_or_else(|| shouted(head))
}

/// A word for a level, or the number that bunyan and pino write.
fn named(word: &str) -> Option<Level> {
    let word = word.trim_matches(['"', '[', ']']);
    let is = |names: &[&str]| names.iter().any(|name| name.eq_ignore_ascii_case(word));
    match () {
        () if is(&[
            "error",
            "err",
            "fatal",
            "critical",
            "crit",
            "panic",
            "alert",
            "emerg",
            "emergency",
            "dpanic",
            "severe",
            "50",
            "60",
        ]) =>
        {
            Some(Level::Error)
        }
        () if is(&["warn", "warning", "wrn", "40"]) => Some(Level::Warn),
        () if is(&["info", "information", "inf", "notice", "30"]) => Some(Level::Info),
        () if is(&["debug", "trace", "dbg", "verbose", "fine", "20", "10"]) => Some(Level::Debug),
        () => None,
    }
}

/// `"level":"error"` in the start of an object that need not be whole.
fn field(head: &str, names: [&str; 8]) -> Option<Level> {
    names.iter().find_map(|name| {
        let (_, rest) = head.split_once(&format!("\"{name}\""))?;
        let value = rest.trim_start().strip_prefix(':')?.trim_start().trim_start_matches('"');
        named(value.split(['"', ',', '}', ' ']).next()?)
    })
}

/// `E1123 14:46:32.123456       1 main.go:12] words`
fn klog(line: &str) -> Option<Level> {
    let (letter, rest) = line.split_at_checked(1)?;
    let dated = rest.len() > 5
        && rest.bytes().take(4).all(|byte| byte.is_ascii_digit())
        && rest.as_bytes()[4] == b' ';
    match letter {
        "E" | "F" if dated => Some(Level::Error),
        "W" if dated => Some(Level::Warn),
        "I" if dated => Some(Level::Info),
        _ => None,
    }
}

/// `… level=error …`
fn logfmt(head: &str) -> Option<Level> {
    let pairs = head.split(' ').filter_map(|word| word.split_once('='));
    pairs.filter(|(key, _)| matches!(*key, "level" | "lvl" | "severity")).find_map(|(_, value)| named(value))
}

/// `ERROR`, `[error]`, `LOG:`, `panic:`, `Traceback`: a word of its own.
fn shouted(head: &str) -> Level {
    if head.starts_with("panic:")
        || head.starts_with("fatal:")
        || head.starts_with("Traceback ")
        || head.starts_with("Exception in ")
    {
        return Level::Error;
    }
    let words = head.split([' ', '\t', '|', ':', '(', ')', '<', '>', '/']).take(16);
    let capitals = |word: &str| {
        word.len() > 2 && (word.bytes().all(|byte| byte.is_ascii_uppercase()) || word.starts_with('['))
    };
    words.filter(|word| capitals(word)).find_map(named).unwrap_or_default()
}

/// The line as one JSON object; none when it is anything else.
pub fn readable(line: &str, at: DateTime<Utc>) -> Option<Readable> {
    if !line.starts_with('{') || !line.ends_with('}') {
        return None;
    }
    let mut json = serde_json::Deserializer::from_str(line);
    let pairs = json.deserialize_map(Pairs).ok().filter(|_| json.end().is_ok())?;
    let mut read = Readable {
        level: Level::Unsaid,
        message: Styled::default(),
        fields: Vec::with_capacity(pairs.len()),
    };
    for (key, value) in pairs {
        let text = told(value);
        if read.level == Level::Unsaid && LEVELS.contains(&&*key) {
            read.level = named(&text).unwrap_or_default();
            if read.level != Level::Unsaid {
                continue;
            }
        }
        if read.message.text().is_empty() && MESSAGES.contains(&&*key) {
            read.message = Styled::new(&text);
        } else if !(TIMES.contains(&&*key) && same_time(&text, at)) {
            read.fields.push((Clean::new(&key), Clean::new(&text)));
        }
    }
    Some(read)
}

/// A string without its quotes, everything else as it stands.
fn told(value: &RawValue) -> Cow<'_, str> {
    let text = value.get();
    if text.starts_with('"') {
        serde_json::from_str(text).map_or(Cow::Borrowed(text), Cow::Owned)
    } else {
        Cow::Borrowed(text)
    }
}

/// Whether a time says no more than the one that the line stands under: RFC 3339, or seconds or milliseconds
/// since 1970.
fn same_time(text: &str, at: DateTime<Utc>) -> bool {
    let rfc = DateTime::parse_from_rfc3339(text).ok().map(|time| time.to_utc());
    let number = || text.parse::<f64>().ok().filter(|number| number.is_finite());
    #[allow(
        clippy::cast_possible_truncation,
        reason = "a float too large saturates, and is no time near the line's"
    )]
    let since_1970 = || {
        number()
            .and_then(|n| DateTime::from_timestamp_millis(if n > 1e11 { n as i64 } else { (n * 1e3) as i64 }))
    };
    rfc.or_else(since_1970).is_some_and(|time| (time - at).num_milliseconds().abs() <= 1000)
}

/// The pairs of an object in their order.
struct Pairs;

impl<'de> Visitor<'de> for Pairs {
    type Value = Vec<(Cow<'de, str>, &'de RawValue)>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut pairs = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            pairs.push((Cow::Owned(key), map.next_value()?));
        }
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(pairs)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at() -> DateTime<Utc> {
        "2026-11-23T14:46:32.5Z".parse().unwrap()
    }

    #[test]
    fn levels_of_the_loggers_that_people_use() {
        for (line, expected) in [
            (r#"{"ts":"2026-11-23T14:46:32Z","level":"error","msg":"x"}"#, Level::Error),
            (r#"{"severity": "WARNING", "message": "x"}"#, Level::Warn),
            (r#"{"level":30,"msg":"pino"}"#, Level::Info),
            (r#"{"level":50,"msg":"pino"}"#, Level::Error),
            (r#"{"msg":"cut in the mid"#, Level::Unsaid),
            ("E1123 14:46:32.123456       1 main.go:12] lost", Level::Error),
            ("I1123 14:46:32.123456       1 main.go:12] found", Level::Info),
            ("ts=2026-11-23 level=warn msg=\"an error was avoided\"", Level::Warn),
            ("2026-11-23 14:46:32.123 UTC [1] ERROR:  relation does not exist", Level::Error),
            ("2026-11-23 14:46:32.123 UTC [1] FATAL:  no", Level::Error),
            ("[2026-11-23 14:46:32,123] WARN [Producer] slow (kafka.server)", Level::Warn),
            ("2026/11/23 14:46:32 [error] 31#31: *1 connect() failed", Level::Error),
            ("panic: runtime error: index out of range", Level::Error),
            ("Traceback (most recent call last):", Level::Error),
            ("no errors were found", Level::Unsaid),
            ("GET /errors 200", Level::Unsaid),
            ("", Level::Unsaid),
        ] {
            assert_eq!(level(line), expected, "{line}");
        }
    }

    #[test]
    fn json_lines_become_readable() {
        for (line, expected) in [
            (
                r#"{"ts":"2026-11-23T14:46:32.4Z","level":"error","msg":"upstream failed","status":500,"to":"ai service"}"#,
                Some((Level::Error, "upstream failed", vec![("status", "500"), ("to", "ai service")])),
            ),
            (
                r#"{"time":1795445192500,"level":30,"msg":"hi","pid":1}"#,
                Some((Level::Info, "hi", vec![("pid", "1")])),
            ),
            (
                r#"{"time":"2020-01-01T00:00:00Z","msg":"late"}"#,
                Some((Level::Unsaid, "late", vec![("time", "2020-01-01T00:00:00Z")])),
            ),
            (
                r#"{"b":{"c":[1, null]},"a":true}"#,
                Some((Level::Unsaid, "", vec![("b", r#"{"c":[1, null]}"#), ("a", "true")])),
            ),
            (
                r#"{"msg":"\u001b]0;owned\u0007","k\u001b":"\u202e"}"#,
                Some((Level::Unsaid, "␛]0;owned␇", vec![("k␛", "<U+202E>")])),
            ),
            ("{}", Some((Level::Unsaid, "", vec![]))),
            (r#"{"msg":"two"} {"msg":"objects"}"#, None),
            ("{not json}", None),
            ("plain", None),
        ] {
            let read = readable(line, at());
            let read = read.as_ref().map(|r| {
                (
                    r.level,
                    r.message.text().as_str(),
                    r.fields.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect::<Vec<_>>(),
                )
            });
            assert_eq!(read, expected, "{line}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_taken(line in ".{0,400}|\\{[\"a-z:,{}0-9]{0,40}\\}") {
            let _ = level(&line);
            let _ = readable(&line, at());
        }
    }
}
