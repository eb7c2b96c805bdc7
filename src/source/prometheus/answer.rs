//! Prometheus' answers, and what they say as samples and as rows of the past.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::clean::Clean;
use crate::event::{Rate, RateHistory, RateSample, ServiceHistory, ServiceRate, Signal, Tier};
use crate::units;

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
    metric: BTreeMap<String, Clean>,
    value: Option<(f64, String)>,
    values: Vec<(f64, String)>,
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
    /// Seconds between two scrapes: the slowest of the jobs, so that no service of theirs is lost between two
    /// points; the fastest of all where the jobs are not known.
    pub fn interval(&self, jobs: &Jobs) -> Option<f64> {
        let of = |target: &Target| duration(&target.scrape_interval).filter(|span| *span > 0.0);
        let counted = self
            .active_targets
            .iter()
            .filter(|target| jobs.0.contains(&target.labels.job))
            .filter_map(of)
            .reduce(f64::max);
        counted.or_else(|| self.active_targets.iter().filter_map(of).reduce(f64::min))
    }
}

/// Seconds of a duration as Prometheus writes it: `15s`, `1m30s`, `500ms`.
#[allow(clippy::cast_precision_loss, reason = "a scrape interval is far below 2^52 ms")]
fn duration(text: &str) -> Option<f64> {
    units::duration::parse_milliseconds(text).map(|milliseconds| milliseconds as f64 / 1_000.0)
}

/// One number a service; one that cannot be told is `None`.
pub type Numbers = BTreeMap<Clean, Option<f64>>;

/// One query's answer: the service of each series (empty without the label), and its numbers by moment,
/// milliseconds since 1970. What is no number is unknown.
#[derive(Debug)]
pub struct Rows(Vec<Row>);

type Row = (Clean, Vec<(i64, Option<f64>)>);

impl Rows {
    /// `factor` turns the query's unit into the one that is kept.
    pub fn new(series: Vec<Points>, label: &str, factor: f64) -> Self {
        let number = |text: &str| {
            text.parse().ok().filter(|number: &f64| number.is_finite()).map(|number| rounded(number * factor))
        };
        let row = |mut points: Points| {
            let all = points
                .values
                .iter()
                .chain(&points.value)
                .map(|(at, text)| (millis(*at), number(text)))
                .collect();
            (points.metric.remove(label).unwrap_or_default(), all)
        };
        Self(series.into_iter().map(row).collect())
    }

    /// Whether any of them is of a service, or there are none at all.
    pub fn labelled(&self) -> bool {
        self.0.is_empty() || self.0.iter().any(|(service, _)| !service.is_empty())
    }

    /// The only number of each service.
    pub fn single(self) -> Numbers {
        let first = |(service, points): Row| (service, points.first().and_then(|(_, number)| *number));
        self.0.into_iter().map(first).collect()
    }
}

/// Seven digits: more than a counter's rate is worth, and a short line in the recording.
fn rounded(number: f64) -> f64 {
    format!("{number:.6e}").parse().unwrap_or(number)
}

#[allow(clippy::cast_possible_truncation, reason = "milliseconds of this era fit, and any other is no date")]
fn millis(seconds: f64) -> i64 {
    (seconds * 1_000.0).round() as i64
}

/// The answers of one moment.
#[derive(Debug, Default)]
pub struct Moment {
    /// By signal; empty where it is not asked for.
    pub numbers: [Numbers; Signal::COUNT],
    /// The errors are shares of all requests.
    pub shares: bool,
    /// Nobody knows how many errors there are: their query could not be asked.
    pub blind: bool,
    /// Errors a second over 5 minutes.
    pub errors_5m: Numbers,
}

impl Moment {
    /// What they say together. A service with requests and no series of errors has none: that is known; a
    /// service with neither is not there, whatever else is measured under its name.
    pub fn sample(&self, place: i64, window: u32) -> RateSample {
        let [errors, requests, ..] = &self.numbers;
        let names: BTreeSet<&Clean> =
            errors.keys().chain(requests.keys()).filter(|name| !name.is_empty()).collect();
        let services = names
            .into_iter()
            .map(|name| ServiceRate { service: name.clone(), rate: self.rate(name) })
            .collect();
        let errors_5m = self.errors_5m.values().copied().flatten().reduce(|a, b| a + b);
        RateSample { at: Tier::Fine.at(place), window, services, errors_5m: errors_5m.map(rounded) }
    }

    fn rate(&self, service: &Clean) -> Rate {
        let [errors, requests, latency, saturation] =
            self.numbers.each_ref().map(|numbers| numbers.get(service).copied());
        let requests = requests.flatten();
        let none = requests.map(|_| 0.0).filter(|_| !self.blind);
        let (errors, share) = if self.shares {
            (None, errors.unwrap_or(none.filter(|_| requests > Some(0.0))))
        } else {
            (errors.unwrap_or(none), None)
        };
        let errors_5m = if self.shares { None } else { self.errors_5m.get(service).copied().unwrap_or(none) };
        Rate {
            errors,
            requests,
            share,
            latency: latency.flatten(),
            saturation: saturation.flatten(),
            errors_5m,
        }
    }
}

/// What range queries say together, as rows of the places from `first` on. The errors are shares; a service
/// that has requests at a place and no share of errors there has none.
pub fn history(tier: Tier, first: i64, count: i64, answers: Vec<(Signal, Rows)>) -> RateHistory {
    let mut told: BTreeMap<Clean, [Vec<Option<f64>>; Signal::COUNT]> = BTreeMap::new();
    let len = usize::try_from(count).unwrap_or(0);
    let blind = answers.iter().all(|(signal, _)| *signal != Signal::Errors);
    for (signal, Rows(rows)) in answers {
        for (service, points) in rows.into_iter().filter(|(service, _)| !service.is_empty()) {
            let line = &mut told.entry(service).or_default()[signal as usize];
            line.resize(len, None);
            for (millis, number) in points {
                let place = usize::try_from((millis.div_euclid(1_000)).div_euclid(tier.step()) - first);
                place.ok().and_then(|place| line.get_mut(place)).into_iter().for_each(|at| *at = number);
            }
        }
    }
    let counted =
        |lines: &[Vec<Option<f64>>; Signal::COUNT]| lines[..2].iter().flatten().any(Option::is_some);
    let services = told.into_iter().filter(|(_, lines)| counted(lines));
    let services =
        services.map(|(service, lines)| ServiceHistory { service, lines: dense(lines, blind) }).collect();
    RateHistory { tier, first, services }
}

/// Where there are requests and no series of errors, the share of errors is 0, unless the errors could not be
/// asked for. A line without a number is left out.
fn dense(mut lines: [Vec<Option<f64>>; Signal::COUNT], blind: bool) -> [Vec<Option<f64>>; Signal::COUNT] {
    let [errors, requests, ..] = &mut lines;
    errors.resize(requests.len().max(errors.len()), None);
    for (share, requests) in errors.iter_mut().zip(requests.iter()).filter(|_| !blind) {
        *share = share.or(requests.filter(|all| *all > 0.0).map(|_| 0.0));
    }
    lines.iter_mut().filter(|line| line.iter().all(Option::is_none)).for_each(Vec::clear);
    lines
}
