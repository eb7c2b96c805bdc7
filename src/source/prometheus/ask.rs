//! The questions: all signals at one moment, and over a piece of the past.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use futures::future::try_join_all;
use serde::de::DeserializeOwned;

use super::answer::{Answer, Jobs, Moment, Rows, Series, Targets, history};
use super::backlog::Chunk;
use super::find::{self, Query};
use super::known;
use crate::config::Rates;
use crate::event::{Asked, RateHistory, RateSample, Signal, Tier, Unit};
use crate::net::failure::Failure;
use crate::net::http::Server;

/// Prometheus' own default is a minute; most installations and the common charts set 15 s or 30 s.
const USUAL_INTERVAL: f64 = 15.0;

/// What is wrong with a query, however well the server can be asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The server does not take it.
    #[error("rates.{signal}: {why}")]
    Misasked {
        /// What it asks for.
        signal: Signal,
        /// The server's words.
        why: String,
    },
    /// Nothing of its answer says which service it is of.
    #[error(
        "no series of the {signal} has the label \"{label}\": rates.service says which one names a service"
    )]
    Unlabelled {
        /// What it asks for.
        signal: Signal,
        /// The label that should say it.
        label: String,
    },
}

/// Signals that could not be read for their query's fault.
pub type Faults = BTreeMap<Signal, Fault>;

/// Knows what to ask whom.
#[derive(Debug)]
pub struct Asker {
    server: Arc<Server>,
    queries: Vec<Query>,
    /// Seconds that a rate is averaged over.
    window: u32,
}

impl Asker {
    /// Finds out what there is to ask.
    pub async fn find(server: &Arc<Server>, rates: &Rates) -> Result<Self, Failure> {
        let queries = find::queries(server, rates).await?;
        let mut asker = Self { server: Arc::clone(server), queries, window: 0 };
        asker.window = match rates.window {
            Some(window) => window,
            None => window(asker.interval().await?),
        };
        Ok(asker)
    }

    fn query(&self, signal: Signal) -> Option<&Query> {
        self.queries.iter().find(|query| query.signal == signal)
    }

    /// The queries, as they are sent.
    pub fn asked(&self) -> Vec<Asked> {
        let asked = |query: &Query| {
            let (unit, factor) = query.unit.kept();
            let text = query.over(&format!("{}s", self.window));
            Asked {
                signal: query.signal,
                query: text.into(),
                unit,
                threshold: query.threshold.map(|threshold| threshold * factor),
            }
        };
        self.queries.iter().map(asked).collect()
    }

    /// Whether something was not found that may come yet.
    pub fn lacks(&self) -> bool {
        self.queries.len() < Signal::COUNT
    }

    /// What is not asked, in words; what is asked stands beside each chart.
    pub fn lacking(&self) -> impl Iterator<Item = String> + '_ {
        let lacking = Signal::ALL.iter().filter(|signal| self.query(**signal).is_none());
        lacking.map(|signal| format!("{signal}: no known metric found; set rates.{signal}"))
    }

    /// All signals at one place of the grid, and what could not be asked.
    pub async fn now(&self, place: i64) -> Result<(RateSample, Faults), Failure> {
        let time = seconds(Tier::Fine.at(place));
        let when = [("time", time.as_str())];
        let window = format!("{}s", self.window);
        let shares = self.query(Signal::Errors).is_some_and(|query| query.unit.kept().0 == Unit::Ratio);
        let over_5m = self.query(Signal::Errors).filter(|_| !shares);
        let single = async |query: &Query, window: &str| {
            let rows = self.rows("api/v1/query", query, &query.over(window), &when).await?;
            Ok::<_, Failure>((query.signal, rows.map(Rows::single)))
        };
        let asked = try_join_all(self.queries.iter().map(|query| single(query, &window)));
        let (answers, errors_5m) =
            tokio::try_join!(asked, try_join_all(over_5m.map(|query| single(query, "5m"))))?;
        let mut moment = Moment { shares, ..Moment::default() };
        let mut faults = Faults::new();
        for (signal, numbers) in answers {
            match numbers {
                Ok(numbers) => moment.numbers[signal as usize] = numbers,
                Err(why) => drop(faults.insert(signal, why)),
            }
        }
        moment.blind = faults.contains_key(&Signal::Errors);
        moment.errors_5m = errors_5m.into_iter().find_map(|(_, numbers)| numbers.ok()).unwrap_or_default();
        Ok((moment.sample(place, self.window), faults))
    }

    /// All signals over a piece of the past.
    pub async fn history(self: Arc<Self>, chunk: Chunk) -> (Chunk, Result<RateHistory, Failure>) {
        let Chunk { tier, first, count, .. } = chunk;
        let begin = tier.at(first);
        let end = tier.at(first + count - 1);
        // A coarse place is asked for at its end, so that the stretch looked over is the place and nothing of
        // the next.
        let late = if tier == Tier::Fine { TimeDelta::zero() } else { TimeDelta::seconds(tier.step() - 1) };
        let start = seconds(begin + late);
        let end = seconds(end + late);
        let step = tier.step().to_string();
        let range = [("start", start.as_str()), ("end", end.as_str()), ("step", step.as_str())];
        let row = async |query: &Query| {
            let rows = self.rows("api/v1/query_range", query, &self.line(query, tier), &range).await?;
            Ok::<_, Failure>((query.signal, rows))
        };
        let answers = try_join_all(self.queries.iter().map(row)).await;
        let read = |answers: Vec<(Signal, Result<Rows, Fault>)>| {
            let readable = answers.into_iter().filter_map(|(signal, rows)| Some((signal, rows.ok()?)));
            history(tier, first, count, readable.collect())
        };
        (chunk, answers.map(read))
    }

    /// What a line goes through: of the errors the share of all requests. A coarse one asks for the greatest
    /// of each place, looked at twice a window, so that it holds what a fine one would have shown.
    fn line(&self, query: &Query, tier: Tier) -> String {
        let window = format!("{}s", self.window);
        let line = match self
            .query(Signal::Requests)
            .filter(|_| query.signal == Signal::Errors && query.unit.kept().0 != Unit::Ratio)
        {
            Some(requests) => format!("({}) / ({})", query.over(&window), requests.over(&window)),
            None => query.over(&window),
        };
        match tier {
            Tier::Fine => line,
            Tier::Coarse => {
                format!("max_over_time(({line})[{}s:{}s])", tier.step(), (self.window / 2).clamp(5, 120))
            }
        }
    }

    /// The numbers of a query; why there are none, where it is the query's own fault.
    async fn rows(
        &self,
        path: &str,
        query: &Query,
        text: &str,
        when: &[(&str, &str)],
    ) -> Result<Result<Rows, Fault>, Failure> {
        let factor = query.unit.kept().1;
        // A share that was made here is one query by another, each in a unit of its own.
        let made =
            path.ends_with("range") && query.signal == Signal::Errors && query.unit.kept().0 != Unit::Ratio;
        let divisor =
            self.query(Signal::Requests).filter(|_| made).map_or(1.0, |requests| requests.unit.kept().1);
        match self.series(path, text, when).await {
            Ok(series) => Ok(Some(Rows::new(series, &query.label, factor / divisor))
                .filter(Rows::labelled)
                .ok_or_else(|| unlabelled(query))),
            Err(Failure::Misasked(why)) => Ok(Err(Fault::Misasked { signal: query.signal, why })),
            Err(failure) => Err(failure),
        }
    }

    async fn series<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &str,
        when: &[(&str, &str)],
    ) -> Result<Vec<T>, Failure> {
        let form: Vec<(&str, &str)> = [("query", query)].into_iter().chain(when.iter().copied()).collect();
        let answer: Answer<Series<T>> = self.server.ask(self.server.post(path, &form)).await?;
        Ok(answer.data.result)
    }

    /// Seconds between two scrapes of what counts the requests; the usual figure where the server does not
    /// tell (Thanos, Mimir).
    async fn interval(&self) -> Result<f64, Failure> {
        let jobs = match self.query(Signal::Requests).and_then(|query| query.metric) {
            Some(metric) => {
                known(self.series("api/v1/query", &format!("count by (job) ({metric})"), &[]).await)?
                    .unwrap_or_default()
            }
            None => Vec::new(),
        };
        let targets: Option<Answer<Targets>> =
            known(self.server.ask(self.server.get("api/v1/targets", &[("state", "active")])).await)?;
        Ok(targets.and_then(|answer| answer.data.interval(&Jobs::new(jobs))).unwrap_or(USUAL_INTERVAL))
    }
}

fn unlabelled(query: &Query) -> Fault {
    Fault::Unlabelled { signal: query.signal, label: query.label.clone() }
}

/// max(30 s, 4 × the scrape interval): trouble shows soon, and a missed scrape is no hole.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "seconds between 30 and a day")]
pub fn window(interval: f64) -> u32 {
    (interval * 4.0).ceil().clamp(30.0, 86_400.0) as u32
}

/// A moment as Prometheus reads it.
fn seconds(at: DateTime<Utc>) -> String {
    at.timestamp().to_string()
}

#[cfg(test)]
mod tests;
