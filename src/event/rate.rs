//! Rates read from Prometheus: the newest numbers of every service, and rows of older ones. Unknown is
//! `None`, never 0.
//!
//! Time is a grid: every number is of a moment that is a multiple of its tier's step, whoever asked and
//! whenever, so that what is filled in later falls into the same places as what was read live.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::clean::Clean;

crate::data::names! {
    /// A figure that is measured of a service.
    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    Signal "signal" {
        /// Failing requests (5xx); as a line their share of all requests, 0 to 1.
        Errors "errors",
        /// All requests, per second.
        Requests "requests",
        /// Latency: the time in which 95 % of the requests are answered, seconds.
        Latency "latency",
        /// Saturation: how much of its limit the service uses.
        Saturation "saturation",
    }
}

impl Signal {
    /// Number of signals.
    pub const COUNT: usize = Self::ALL.len();
}

crate::data::names! {
    /// Unit of a query's numbers.
    #[derive(Serialize, Deserialize)]
    Unit "unit" {
        /// A share, 0 to 1.
        Ratio "ratio",
        /// A share, 0 to 100 %.
        Percent "%",
        /// A count per second.
        PerSecond "/s",
        /// A count per minute.
        PerMinute "/min",
        /// Seconds.
        Seconds "s",
        /// Milliseconds.
        Millis "ms",
        /// Processor cores.
        Cores "cores",
    }
}

impl Unit {
    /// Returns the unit that numbers are kept in, and the factor that converts them to it.
    pub fn kept(self) -> (Self, f64) {
        match self {
            Self::Percent => (Self::Ratio, 0.01),
            Self::PerMinute => (Self::PerSecond, 1.0 / 60.0),
            Self::Millis => (Self::Seconds, 0.001),
            kept => (kept, 1.0),
        }
    }
}

/// A query that is in use.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Asked {
    /// Signal that the query measures.
    pub signal: Signal,
    /// Text of the query as it is sent.
    pub query: Clean,
    /// Unit that its numbers are kept in.
    pub unit: Unit,
    /// Threshold that the numbers should stay below, in that unit.
    pub threshold: Option<f64>,
}

/// The request rates of all services at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RateSample {
    /// Time that the rates are of: a place of [`Tier::Fine`].
    pub at: DateTime<Utc>,
    /// Window that the rates are averaged over, seconds: max(30, 4 × the scrape interval).
    pub window: u32,
    /// Rates by service, sorted by name.
    pub services: Vec<ServiceRate>,
    /// All failing requests (5xx) per second, over 5 minutes: the figure of the runbook.
    pub errors_5m: Option<f64>,
}

/// One service's rates.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServiceRate {
    /// The service.
    pub service: Clean,
    /// Rates of the service.
    pub rate: Rate,
}

/// The numbers of a service at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rate {
    /// Failing requests (5xx) per second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub errors: Option<f64>,
    /// All requests per second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests: Option<f64>,
    /// Share of requests that fail, 0 to 1, where the query itself is of a share.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub share: Option<f64>,
    /// Time in which 95 % of the requests are answered, seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency: Option<f64>,
    /// Saturation, in the query's unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub saturation: Option<f64>,
    /// Failing requests per second over 5 minutes: the figure of the runbook.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub errors_5m: Option<f64>,
}

impl Rate {
    /// Returns the share of requests that fail, 0 to 1; `None` without requests.
    pub fn ratio(&self) -> Option<f64> {
        let divided = || Some(self.errors? / self.requests.filter(|all| *all > 0.0)?);
        self.share.or_else(divided).map(|share| share.clamp(0.0, 1.0))
    }

    /// Returns the value of a signal, as its chart draws it.
    pub fn of(&self, signal: Signal) -> Option<f64> {
        match signal {
            Signal::Errors => self.ratio(),
            Signal::Requests => self.requests,
            Signal::Latency => self.latency,
            Signal::Saturation => self.saturation,
        }
    }
}

/// Resolution and retention of kept rates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tier {
    /// A value every 5 seconds, kept for an hour.
    Fine,
    /// The greatest value of every 2 minutes, kept for a day.
    Coarse,
}

impl Tier {
    /// Returns the step from one place to the next, seconds.
    pub const fn step(self) -> i64 {
        match self {
            Self::Fine => 5,
            Self::Coarse => 120,
        }
    }

    /// Returns the number of places that are kept.
    pub const fn kept(self) -> i64 {
        self.span().num_seconds() / self.step()
    }

    /// Returns the span that is kept.
    pub const fn span(self) -> TimeDelta {
        match self {
            Self::Fine => TimeDelta::hours(1),
            Self::Coarse => TimeDelta::hours(24),
        }
    }

    /// Returns the place that a time belongs to, counted from 1970.
    pub const fn place(self, at: DateTime<Utc>) -> i64 {
        at.timestamp().div_euclid(self.step())
    }

    /// Returns the time when a place begins; the end of time for one that no calendar has.
    pub fn at(self, place: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(place.saturating_mul(self.step()), 0).unwrap_or(DateTime::<Utc>::MAX_UTC)
    }
}

/// Rates of the past, which fill gaps: rows of numbers, one place after another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RateHistory {
    /// Resolution of the rows.
    pub tier: Tier,
    /// Place of the first value of each row.
    pub first: i64,
    /// Rows by service, sorted by name.
    pub services: Vec<ServiceHistory>,
}

/// One service's rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServiceHistory {
    /// The service.
    pub service: Clean,
    /// A row for each of [`Signal::ALL`]; empty where nothing is known of it.
    pub lines: [Vec<Option<f64>>; Signal::COUNT],
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_said_or_divided_and_unknown_without_requests() {
        let rate = |errors, requests, share| Rate { errors, requests, share, ..Rate::default() }.ratio();
        assert_eq!(rate(Some(1.0), Some(4.0), None), Some(0.25));
        assert_eq!(rate(Some(9.0), Some(4.0), None), Some(1.0));
        assert_eq!(rate(Some(0.0), Some(0.0), None), None);
        assert_eq!((rate(None, Some(4.0), None), rate(Some(1.0), None, None)), (None, None));
        assert_eq!(rate(None, None, Some(0.1)), Some(0.1));
    }

    #[test]
    fn a_sample_is_recorded_in_few_words_and_read_back() {
        let rate = Rate { errors: Some(0.25), requests: Some(4.0), ..Rate::default() };
        let text = serde_json::to_string(&ServiceRate { service: "app".into(), rate }).unwrap();
        assert_eq!(text, r#"{"service":"app","rate":{"errors":0.25,"requests":4.0}}"#);
        assert_eq!(serde_json::from_str::<ServiceRate>(&text).unwrap().rate, rate);
    }

    #[test]
    fn places_are_the_same_for_everybody() {
        let at = |second| DateTime::from_timestamp(second, 999_000_000).unwrap();
        assert_eq!([1_000, 1_004, 1_005].map(|second| Tier::Fine.place(at(second))), [200, 200, 201]);
        assert_eq!(Tier::Coarse.at(Tier::Coarse.place(at(1_000))).timestamp(), 960);
        assert_eq!((Tier::Fine.kept(), Tier::Coarse.kept()), (720, 720));
    }
}
