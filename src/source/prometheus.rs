//! Prometheus: request and error rates by service, now and as far back as a screen shows.
//!
//! A sample is of the moment that the query named, not of when its answer came. What was missed (before the start, or while nobody
//! answered) is filled in by a range query, so that the charts have no hole that Prometheus itself does not have.

mod answer;

use chrono::{DateTime, TimeDelta, Utc};

use self::answer::{Answer, Jobs, Series, Targets, samples};
use super::clock::Clock;
use super::failure::Failure;
use super::http::Server;
use super::reach::Reach;
use super::timing::Timing;
use super::voice::Voice;
use crate::event::{Event, RateSample};

/// How far back the charts go when warroom starts.
const HISTORY: TimeDelta = TimeDelta::minutes(30);

/// The distance of two points that are filled in: 181 points a series, far below Prometheus' limit of 11,000.
const STEP: TimeDelta = TimeDelta::seconds(10);

/// Prometheus' own default is a minute; most installations and the common charts set 15 s or 30 s.
const USUAL_INTERVAL: f64 = 15.0;

const ERRORS: &str = "http_requests_total{status=~\"5..\"}";
const REQUESTS: &str = "http_requests_total";

/// Reads the rates every few seconds until it is stopped.
pub async fn run(reach: Reach, mut voice: Voice, clock: Clock, timing: Timing) {
    let mut rates = Rates { server: reach.open(&mut voice, &clock).await, window: 0, last: None };
    let hole = TimeDelta::from_std(timing.metrics * 3).unwrap_or(STEP).max(STEP);
    loop {
        match rates.since_last(clock.now(), hole).await {
            Ok(samples) => {
                voice.tell(Event::Rates(samples)).await; // first, so that live means read
                voice.live(None).await;
            }
            Err(failure) => voice.fail(&failure).await,
        }
        clock.sleep(timing.metrics).await;
    }
}

struct Rates {
    server: Server,
    /// Seconds that a rate is averaged over.
    window: u32,
    /// The newest sample's time.
    last: Option<DateTime<Utc>>,
}

impl Rates {
    async fn since_last(&mut self, now: DateTime<Utc>, hole: TimeDelta) -> Result<Vec<RateSample>, Failure> {
        let samples = match self.last {
            Some(last) if now - last <= hole => self.now(now).await?,
            _ => self.history(now).await?,
        };
        self.last = Some(now);
        Ok(samples)
    }

    /// What is missing up to now, oldest first. Where a server tells no history, there is only the present.
    async fn history(&mut self, now: DateTime<Utc>) -> Result<Vec<RateSample>, Failure> {
        self.window = window(self.interval().await?);
        let missing = self.last.map_or(HISTORY, |last| (now - last).min(HISTORY));
        let steps = i32::try_from(missing.num_seconds() / STEP.num_seconds()).unwrap_or(i32::MAX);
        let (start, end, step) = (seconds(now - STEP * steps), seconds(now), STEP.num_seconds().to_string());
        let range = [("start", start.as_str()), ("end", end.as_str()), ("step", step.as_str())];
        match self.ask("api/v1/query_range", &range).await {
            Err(Failure::Rejected(_)) => self.now(now).await,
            // What was told before is not told again.
            samples => samples.map(|all| all.into_iter().filter(|sample| self.last.is_none_or(|last| sample.at > last)).collect()),
        }
    }

    async fn now(&self, now: DateTime<Utc>) -> Result<Vec<RateSample>, Failure> {
        let mut samples = self.ask("api/v1/query", &[("time", seconds(now).as_str())]).await?;
        if samples.is_empty() {
            // Prometheus answers and knows no service: that is news as well.
            samples.push(RateSample { at: now, window: self.window, services: Vec::new(), errors_5m: None });
        }
        Ok(samples)
    }

    async fn ask(&self, path: &str, when: &[(&str, &str)]) -> Result<Vec<RateSample>, Failure> {
        let window = self.window;
        let by_service = |counter: &str| format!("sum by (service) (rate({counter}[{window}s]))");
        let (errors, requests, total) = (by_service(ERRORS), by_service(REQUESTS), format!("sum(rate({ERRORS}[5m]))"));
        let (errors, requests, total) =
            tokio::try_join!(self.query(path, &errors, when), self.query(path, &requests, when), self.query(path, &total, when))?;
        Ok(samples(window, errors, requests, total))
    }

    async fn query<T: serde::de::DeserializeOwned>(&self, path: &str, query: &str, when: &[(&str, &str)]) -> Result<Vec<T>, Failure> {
        let form: Vec<(&str, &str)> = [("query", query)].into_iter().chain(when.iter().copied()).collect();
        let answer: Answer<Series<T>> = self.server.ask(self.server.post(path, &form)).await?;
        Ok(answer.data.result)
    }

    /// Seconds between two scrapes of what counts the requests; the usual figure where the server does not tell (Thanos, Mimir).
    async fn interval(&self) -> Result<f64, Failure> {
        let query = format!("count by (job) ({REQUESTS})");
        let jobs = known(self.query("api/v1/query", &query, &[]).await)?.unwrap_or_default();
        let targets: Option<Answer<Targets>> = known(self.server.ask(self.server.get("api/v1/targets", &[("state", "active")])).await)?;
        Ok(targets.and_then(|answer| answer.data.interval(&Jobs::new(jobs))).unwrap_or(USUAL_INTERVAL))
    }
}

/// A question that a server may not know.
fn known<T>(answer: Result<T, Failure>) -> Result<Option<T>, Failure> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(Failure::Rejected(_) | Failure::Forbidden(_)) => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// max(30 s, 4 × the scrape interval): trouble shows soon, and a missed scrape is no hole.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "seconds between 30 and a day")]
fn window(interval: f64) -> u32 {
    (interval * 4.0).ceil().clamp(30.0, 86_400.0) as u32
}

/// A moment as Prometheus reads it: seconds with three decimals.
fn seconds(at: DateTime<Utc>) -> String {
    let millis = at.timestamp_millis();
    format!("{}.{:03}", millis.div_euclid(1_000), millis.rem_euclid(1_000))
}

#[cfg(test)]
#[path = "prometheus_tests.rs"]
mod tests;
