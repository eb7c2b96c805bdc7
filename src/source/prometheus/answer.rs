//! Prometheus' answers, and what they say as samples.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::Deserialize;

use crate::clean::Clean;
use crate::event::{RateSample, ServiceRate};

/// The envelope of every answer.
#[derive(Debug, Deserialize)]
pub struct Answer<T> {
    /// What was asked for.
    pub data: T,
}

/// `data` of a query.
#[derive(Debug, Deserialize)]
pub struct Series<T> {
    /// One element a series.
    pub result: Vec<T>,
}

/// One series: a point of an instant query, or the points of a range query.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Points {
    metric: Labels,
    value: Option<(f64, String)>,
    values: Vec<(f64, String)>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Labels {
    service: Clean,
}

/// One job that counts requests.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct JobSeries {
    metric: Job,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Job {
    job: String,
}

/// The jobs that count requests.
#[derive(Debug)]
pub struct Jobs(BTreeSet<String>);

impl Jobs {
    /// From the answer to `count by (job) (…)`.
    pub fn new(series: Vec<JobSeries>) -> Self {
        Self(series.into_iter().map(|series| series.metric.job).collect())
    }
}

/// `data` of `/api/v1/targets`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Targets {
    active_targets: Vec<Target>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Target {
    labels: Job,
    scrape_interval: String,
}

impl Targets {
    /// Seconds between two scrapes: the slowest of the jobs, so that no service of theirs is lost between two points; the fastest
    /// of all where the jobs are not known.
    pub fn interval(&self, jobs: &Jobs) -> Option<f64> {
        let of = |target: &Target| duration(&target.scrape_interval).filter(|span| *span > 0.0);
        let counted = self.active_targets.iter().filter(|target| jobs.0.contains(&target.labels.job)).filter_map(of).reduce(f64::max);
        counted.or_else(|| self.active_targets.iter().filter_map(of).reduce(f64::min))
    }
}

/// Seconds of a duration as Prometheus writes it: `15s`, `1m30s`, `500ms`.
fn duration(text: &str) -> Option<f64> {
    let (mut seconds, mut rest) = (0.0, text);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let number: f64 = rest[..digits].parse().ok()?;
        let unit_end = rest[digits..].find(|c: char| c.is_ascii_digit()).map_or(rest.len(), |at| digits + at);
        let unit = match &rest[digits..unit_end] {
            "ms" => 0.001,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3_600.0,
            "d" => 86_400.0,
            _ => return None,
        };
        seconds += number * unit;
        rest = &rest[unit_end..];
    }
    Some(seconds)
}

/// What three queries say together, oldest first. A service with requests and no series of errors has none: that is known; a service
/// with neither is not there. What is no number is unknown.
pub fn samples(window: u32, errors: Vec<Points>, requests: Vec<Points>, total: Vec<Points>) -> Vec<RateSample> {
    let mut moments: BTreeMap<i64, (BTreeMap<Clean, ServiceRate>, Option<f64>)> = BTreeMap::new();
    for (at, service, rate) in points(requests) {
        let known = ServiceRate { service: service.clone(), errors: Some(0.0), requests: rate };
        moments.entry(at).or_default().0.insert(service, known);
    }
    for (at, service, rate) in points(errors) {
        let unknown = ServiceRate { service: service.clone(), errors: None, requests: None };
        moments.entry(at).or_default().0.entry(service).or_insert(unknown).errors = rate;
    }
    for (at, _, rate) in points(total) {
        moments.entry(at).or_default().1 = rate;
    }
    let sample = |(millis, (services, errors_5m)): (i64, (BTreeMap<Clean, ServiceRate>, Option<f64>))| {
        let services = services.into_values().filter(|rate| !rate.service.is_empty()).collect();
        Some(RateSample { at: DateTime::<Utc>::from_timestamp_millis(millis)?, window, services, errors_5m })
    };
    moments.into_iter().filter_map(sample).collect()
}

fn points(all: Vec<Points>) -> impl Iterator<Item = (i64, Clean, Option<f64>)> {
    all.into_iter().flat_map(|Points { metric, value, values }| {
        let each = values.into_iter().chain(value);
        each.map(move |(at, text)| (millis(at), metric.service.clone(), text.parse().ok().filter(|rate: &f64| rate.is_finite())))
    })
}

#[allow(clippy::cast_possible_truncation, reason = "milliseconds of this era fit, and any other is no date")]
fn millis(seconds: f64) -> i64 {
    (seconds * 1_000.0).round() as i64
}
