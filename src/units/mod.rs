//! Numbers as people read them: ages, counts, shares, spans. One way each, for the screen, the timeline and
//! the command line; [`duration`]s as they write them, and [`resource`] quantities as Kubernetes does.

pub mod duration;
pub mod resource;

use chrono::{DateTime, TimeDelta, Utc};

use crate::event::Unit;

/// An age in at most two units: `42s`, `3m10s`, `5h12m`, `3d4h`.
pub fn age(span: TimeDelta) -> String {
    let seconds = span.num_seconds().max(0);
    let two = |big: i64, unit: &str, small: i64, rest: &str| {
        if small == 0 { format!("{big}{unit}") } else { format!("{big}{unit}{small}{rest}") }
    };
    match seconds {
        0..=119 => format!("{seconds}s"),
        120..=3_599 if seconds < 600 => two(seconds / 60, "m", seconds % 60, "s"),
        120..=3_599 => format!("{}m", seconds / 60),
        3_600..=86_399 => two(seconds / 3_600, "h", seconds % 3_600 / 60, "m"),
        86_400..=863_999 => two(seconds / 86_400, "d", seconds % 86_400 / 3_600, "h"),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// An age, and the time that it counts from, in UTC, with its day where that is a day ago or more:
/// `42s (14:45:50Z)`.
pub fn ago(at: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let form = if (now - at).num_hours() < 24 { "%H:%M:%SZ" } else { "%Y-%m-%d %H:%M:%SZ" };
    format!("{} ({})", age(between(at, now)), at.format(form))
}

/// From one time to another as the clock shows them, in whole seconds: whoever subtracts one from the other
/// on the screen gets the same.
pub fn between(from: DateTime<Utc>, to: DateTime<Utc>) -> TimeDelta {
    TimeDelta::seconds(to.timestamp() - from.timestamp())
}

/// A clock that counts: `00:14:32`, with days before it where there are any.
pub fn elapsed(span: TimeDelta) -> String {
    let seconds = span.num_seconds();
    let (sign, s) = if seconds < 0 { ("−", -seconds) } else { ("", seconds) };
    match s / 86_400 {
        0 => format!("{sign}{:02}:{:02}:{:02}", s / 3_600, s / 60 % 60, s % 60),
        days => format!("{sign}{days}d {:02}:{:02}:{:02}", s / 3_600 % 24, s / 60 % 60, s % 60),
    }
}

/// Seconds in words: `3 s`, `2 m 04 s`, `1 h 10 m`.
#[allow(clippy::cast_possible_truncation, reason = "seconds of a screen's figures fit")]
pub fn seconds(span: f64) -> String {
    whole(span.round() as i64)
}

/// A span in words, in whole seconds: `3 s`, `2 m 04 s`, `1 h 10 m`.
pub fn span(span: TimeDelta) -> String {
    whole(span.num_seconds())
}

fn whole(seconds: i64) -> String {
    match seconds {
        s if s < 60 => format!("{s} s"),
        s if s < 3_600 => format!("{} m {:02} s", s / 60, s % 60),
        s => format!("{} h {:02} m", s / 3_600, s / 60 % 60),
    }
}

/// Thousandths of a core: `250m`, `1.5`.
pub fn cores(milli: u32) -> String {
    if milli < 1000 { format!("{milli}m") } else { format!("{:.1}", f64::from(milli) / 1000.0) }
}

/// KiB: `820 KiB`, `45 MiB`, `1.5 GiB`.
pub fn kib(kib: u32) -> String {
    match kib {
        0..1024 => format!("{kib} KiB"),
        1024..1_048_576 => format!("{} MiB", kib / 1024),
        _ => format!("{:.1} GiB", f64::from(kib) / 1_048_576.0),
    }
}

/// A share as a percentage with one decimal: `24.8 %`; unknown is `–`.
pub fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "–".to_owned(), |share| format!("{:.1} %", share * 100.0))
}

/// A measured number with its unit: `24.8 %`, `29.8/s`, `231 ms`, `0.25 cores`; unknown is `–`.
pub fn quantity(number: Option<f64>, unit: Unit) -> String {
    let Some(number) = number else { return "–".to_owned() };
    match unit.kept().0 {
        Unit::Ratio => percent(Some(number)),
        Unit::PerSecond => format!("{number:.1}/s"),
        Unit::Seconds if number < 1.0 => format!("{:.0} ms", number * 1_000.0),
        Unit::Seconds => format!("{number:.2} s"),
        Unit::Cores => format!("{number:.2} cores"),
        other => format!("{number:.1} {other}"),
    }
}

/// The same in at most six columns, for the side of a chart: `30 %`, `2.5 %`, `120/s`, `12k/s`, `250 ms`,
/// `1.5 c`.
pub fn short(number: f64, unit: Unit) -> String {
    match unit.kept().0 {
        Unit::Ratio => format!("{} %", brief(number * 100.0)),
        Unit::PerSecond => format!("{}/s", brief(number)),
        Unit::Seconds if number < 1.0 && number > 0.0 => format!("{} ms", brief(number * 1_000.0)),
        Unit::Seconds => format!("{} s", brief(number)),
        Unit::Cores => format!("{} c", brief(number)),
        other => format!("{}{other}", brief(number)),
    }
}

/// Three digits or so: `0.25`, `2.5`, `120`, `12k`, `3M`.
pub fn brief(number: f64) -> String {
    let whole = |number: f64| format!("{number:.1}").trim_end_matches(".0").to_owned();
    match number {
        n if n >= 1e9 => format!("{}G", (n / 1e9).round()),
        n if n >= 1e6 => format!("{}M", (n / 1e6).round()),
        n if n >= 1e4 => format!("{}k", (n / 1e3).round()),
        n if n > 0.0 && n < 1.0 => format!("{n:.2}").trim_end_matches('0').trim_end_matches('.').to_owned(),
        n => whole(n),
    }
}

/// A count with thousands apart: `12,431`; unknown is `–`.
pub fn count(number: Option<i64>) -> String {
    let Some(number) = number else { return "–".to_owned() };
    let digits = number.unsigned_abs().to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    if number < 0 {
        out.push('−');
    }
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 pod`, `3 pods`
pub fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// The number of an action: ①, ②, … and `(10)` beyond ⑨.
pub fn circled(mark: u32) -> String {
    match mark {
        1..=9 => char::from_u32(0x2460 + mark - 1).map(String::from).unwrap_or_default(),
        more => format!("({more})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measured_numbers_have_their_units() {
        let told = [
            (Some(0.2478), Unit::Ratio),
            (Some(29.75), Unit::PerSecond),
            (Some(0.231), Unit::Seconds),
            (Some(1.5), Unit::Seconds),
        ];
        assert_eq!(
            told.map(|(number, unit)| quantity(number, unit)),
            ["24.8 %", "29.8/s", "231 ms", "1.50 s"]
        );
        assert_eq!(
            (quantity(None, Unit::Cores), quantity(Some(0.254), Unit::Cores)),
            ("–".into(), "0.25 cores".into())
        );
        let side = [
            (0.05, Unit::Ratio),
            (0.025, Unit::Ratio),
            (1.0, Unit::Ratio),
            (120.0, Unit::PerSecond),
            (12_000.0, Unit::PerSecond),
        ];
        assert_eq!(
            side.map(|(number, unit)| short(number, unit)),
            ["5 %", "2.5 %", "100 %", "120/s", "12k/s"]
        );
        let side = [
            (0.25, Unit::Seconds),
            (0.0, Unit::Seconds),
            (2.5, Unit::Seconds),
            (0.25, Unit::Cores),
            (2e6, Unit::PerSecond),
        ];
        assert_eq!(
            side.map(|(number, unit)| short(number, unit)),
            ["250 ms", "0 s", "2.5 s", "0.25 c", "2M/s"]
        );
    }

    #[test]
    fn people_read_these() {
        let ages = [5, 119, 190, 600, 3_600, 3_661, 90_000, 864_000].map(|s| age(TimeDelta::seconds(s)));
        assert_eq!(ages, ["5s", "119s", "3m10s", "10m", "1h", "1h1m", "1d1h", "10d"]);
        assert_eq!(
            [None, Some(0), Some(-1_234), Some(12_431), Some(1_000_000)].map(count),
            ["–", "0", "−1,234", "12,431", "1,000,000"]
        );
        assert_eq!(
            (elapsed(TimeDelta::seconds(872)), elapsed(TimeDelta::seconds(-18))),
            ("00:14:32".into(), "−00:00:18".into())
        );
        assert_eq!(
            (seconds(2.6), seconds(124.0), percent(Some(0.2478)), percent(None)),
            ("3 s".into(), "2 m 04 s".into(), "24.8 %".into(), "–".into())
        );
    }
}
