//! Prometheus: rates by service, now and as far back as the charts look.
//!
//! A sample is of the moment that the query named, not of when its answer came, and that moment is a place of
//! a fixed grid: what is filled in later (from before the start, or from while nobody answered) is what would
//! have been read. Filling in never waits for, nor delays, the reading of the present.

mod answer;
mod ask;
mod backlog;
mod find;

use super::Start;
use futures::FutureExt;
use futures::future::BoxFuture;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use self::ask::{Asker, Fault, Faults};
use self::backlog::{Backlog, Chunk};
use super::handle::SourceHandle;
use crate::config::Rates;
use crate::event::{Event, RateHistory, RateSample, Signal, Tier};
use crate::net::clock::Clock;
use crate::net::failure::Failure;
use crate::net::http::Server;
use crate::net::resolver::{Resolver, Unreached};
use crate::net::timing::Timing;

/// After so many places without a sample, what there is to ask may have changed.
const HOLE: i64 = 6;

/// How often is looked for what was not found.
const LOOK_AGAIN: TimeDelta = TimeDelta::minutes(5);

/// Starts reading the rates.
pub(super) fn start(start: Start, handle: SourceHandle) -> BoxFuture<'static, ()> {
    let Start { settings, clock, timing, .. } = start;
    run(settings.prometheus, settings.rates, handle, clock, timing).boxed()
}

/// Why there are no rates.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoRates {
    /// There is no Prometheus.
    #[error(transparent)]
    Unreached(#[from] Unreached),
    /// It does not answer, or not what was asked.
    #[error("{0}")]
    Failed(#[from] Failure),
}

/// Reads the rates of this moment, once.
///
/// # Errors
/// There is no Prometheus, it does not answer, or the errors or the requests cannot be asked for.
pub async fn once(resolver: &Resolver, rates: &Rates, now: DateTime<Utc>) -> Result<RateSample, NoRates> {
    let server = Arc::new(resolver.find().await?);
    let asker = Asker::find(&server, rates).await?;
    let (sample, faults) = asker.now(Tier::Fine.place(now)).await?;
    blind(&faults).map_or(Ok(sample), |failure| Err(failure.into()))
}

/// Without errors or requests nobody knows which service fails, however well the rest can be read.
fn blind(faults: &Faults) -> Option<Failure> {
    let needed = [Signal::Errors, Signal::Requests].map(|signal| faults.get(&signal));
    let told: Vec<String> = needed.into_iter().flatten().map(Fault::to_string).collect();
    (!told.is_empty()).then(|| Failure::Misasked(told.join("; ")))
}

/// Reads the rates every few seconds until it is stopped.
pub async fn run(resolver: Resolver, rates: Rates, mut handle: SourceHandle, clock: Clock, timing: Timing) {
    let mut reader = Reader::new(handle.server(&resolver).await, rates);
    loop {
        match reader.read(clock.now()).await {
            Ok(news) => {
                for event in news {
                    handle.tell(event).await; // first, so that live means read
                }
                match blind(&reader.faults) {
                    Some(failure) => handle.fail(&failure).await,
                    None => handle.live(reader.remark()).await,
                }
            }
            Err(failure) => handle.fail(&failure).await,
        }
        let pause = until_next(clock.now()).min(timing.metrics);
        reader.fill(&handle, clock.sleep(pause)).await;
    }
}

/// Until the next place of the grid begins.
fn until_next(now: DateTime<Utc>) -> Duration {
    (Tier::Fine.at(Tier::Fine.place(now) + 1) - now).to_std().unwrap_or_default()
}

/// A piece of the past that is being asked for.
type Filling = BoxFuture<'static, (Chunk, Result<RateHistory, Failure>)>;

struct Reader {
    server: Arc<Server>,
    rates: Rates,
    /// What is asked, once it is known, and since when.
    asker: Option<(Arc<Asker>, DateTime<Utc>)>,
    /// The newest place that was told.
    last: Option<i64>,
    backlog: Backlog,
    filling: Option<Filling>,
    /// Why a part of the past is missing.
    unread: Option<String>,
    /// What is wrong with single queries.
    faults: Faults,
}

impl Reader {
    fn new(server: Server, rates: Rates) -> Self {
        let server = Arc::new(server);
        Self {
            server,
            rates,
            asker: None,
            last: None,
            backlog: Backlog::default(),
            filling: None,
            unread: None,
            faults: Faults::new(),
        }
    }

    /// What is so now, and, where it is news, what is asked.
    async fn read(&mut self, now: DateTime<Utc>) -> Result<Vec<Event>, Failure> {
        let place = Tier::Fine.place(now);
        let mut news = Vec::new();
        let asker = match &self.asker {
            Some((asker, since))
                if self.last.is_some_and(|last| place - last < HOLE)
                    && !(asker.lacks() && now - *since > LOOK_AGAIN) =>
            {
                Arc::clone(asker)
            }
            before => {
                let found = Arc::new(Asker::find(&self.server, &self.rates).await?);
                if before.as_ref().is_none_or(|(before, _)| before.asked() != found.asked()) {
                    news.push(Event::RateQueries(found.asked()));
                }
                self.asker = Some((Arc::clone(&found), now));
                found
            }
        };
        let (sample, faults) = asker.now(place).await?;
        self.faults = faults;
        if self.last.is_none_or(|last| place > last) {
            news.push(Event::Rates(vec![sample]));
            self.backlog.add(self.last, place);
            self.last = Some(place);
        }
        Ok(news)
    }

    /// Fills in what is missing, the newest first, until it is time for the present again.
    async fn fill(&mut self, handle: &SourceHandle, time: impl Future<Output = ()>) {
        tokio::pin!(time);
        let mut tried = true;
        while let Some((asker, _)) = self.asker.as_ref().filter(|_| tried) {
            let next = || self.backlog.next().map(|chunk| Arc::clone(asker).history(chunk).boxed());
            let Some(mut filling) = self.filling.take().or_else(next) else { break };
            tokio::select! {
                biased;
                () = &mut time => {
                    self.filling = Some(filling);
                    return;
                }
                (chunk, answer) = &mut filling => match answer {
                    Ok(history) => handle.tell(Event::RateHistory(history)).await,
                    Err(failure) => {
                        tried = false;
                        self.unread = self.backlog.failed(chunk, &failure).or(self.unread.take());
                    }
                }
            }
        }
        time.await;
    }

    /// What is wrong with the queries, and what is missing.
    fn remark(&self) -> Option<String> {
        let lacking = self.asker.iter().flat_map(|(asker, _)| asker.lacking());
        let faults = self.faults.values().map(Fault::to_string);
        let parts: Vec<String> = faults.chain(lacking).chain(self.unread.clone()).collect();
        (!parts.is_empty()).then(|| parts.join("; "))
    }
}

/// A question that a server may not know.
fn known<T>(answer: Result<T, Failure>) -> Result<Option<T>, Failure> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(Failure::Rejected(_) | Failure::Misasked(_) | Failure::Forbidden(_)) => Ok(None),
        Err(failure) => Err(failure),
    }
}
