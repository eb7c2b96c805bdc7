//! Sources: what turns the outside into events, on one bounded channel.
//!
//! | module | what it is |
//! |---|---|
//! | [`kube`] | the API server: lists and watches of each kind, namespaces, what pods and nodes use |
//! | [`prometheus`], [`alertmanager`] | rates and alerts |
//! | [`kafka`] | consumer group lag: by the broker's own tool, from the brokers, from an exporter |
//! | [`keyboard`] | the terminal's keys, pastes and sizes; and whether it is still there |
//! | [`aggregate`] | a source of several contexts and namespaces: many parts, one health |
//! | [`handle`] | what a source reports through: its events, and its health whenever that changes |
//!
//! A source never ends by itself and never hides that it cannot hear: it goes stale, blind or down with a
//! reason, and comes back. It asks at once when it starts, so that the first reading of each, or the reason
//! why there is none, is there within seconds.

pub mod aggregate;
pub mod alertmanager;
pub mod handle;
pub mod kafka;
pub mod keyboard;
pub mod kube;
pub mod prometheus;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use self::handle::SourceHandle;
use self::kafka::Kafka;
use self::kube::ApiScope;
use crate::clean::Clean;
use crate::config::Rates;
use crate::event::{ContextId, Event, Kind, SourceId};
use crate::net::client::ReloadingClient;
use crate::net::clock::Clock;
use crate::net::connect::{Connection, Contexts};
use crate::net::discovery::Discovery;
use crate::net::failure::Failure;
use crate::net::resolver::Resolver;
use crate::net::timing::Timing;

/// What to ask, and where.
#[derive(Clone, Debug)]
pub struct SourceSettings {
    /// The namespaces watched, and whenever they change; none is all of them. Nodes belong to none.
    pub namespaces: watch::Receiver<Vec<Clean>>,
    /// The way to Prometheus.
    pub prometheus: Resolver,
    /// The way to Alertmanager.
    pub alertmanager: Resolver,
    /// What Prometheus is asked.
    pub rates: Rates,
    /// How Kafka's groups are read.
    pub kafka: Kafka,
    /// Who looks for its broker in the cluster first.
    pub find_kafka: Option<Discovery>,
}

/// All sources at work. They stop when this is dropped.
#[derive(Debug)]
pub struct Sources {
    tasks: JoinSet<()>,
    lines: Vec<Arc<ReloadingClient>>,
}

impl Sources {
    /// What they speak through with the API servers, of each context that there is a way to.
    pub fn lines(&self) -> &[Arc<ReloadingClient>] {
        &self.lines
    }

    /// Starts them. Each tells its first reading, or why there is none, without waiting for a period to pass.
    pub fn spawn(start: &Start) -> Self {
        let lines = start.contexts.connections().map(|one| Arc::clone(&one.line)).collect();
        let mut sources = Self { tasks: JoinSet::new(), lines };
        for (source, run) in registry() {
            let wait = if source == SourceId::Pods { Duration::ZERO } else { start.timing.head_start };
            let handle = {
                let start = start.clone();
                move || SourceHandle::new(source, start.clock.clone(), start.events.clone())
            };
            let begun = start.clone();
            let work = supervise(handle, move |handle| run(begun.clone(), handle), start.timing.backoff_most);
            sources.tasks.spawn(tokio::time::sleep(wait).then(|()| work));
        }
        for line in &sources.lines {
            sources.tasks.spawn(Arc::clone(line).follow(start.events.clone()));
        }
        sources
    }
}

/// What the sources are started with.
#[derive(Clone)]
pub struct Start {
    /// What to ask, and where.
    pub settings: SourceSettings,
    /// The clusters.
    pub contexts: Contexts,
    /// Time.
    pub clock: Clock,
    /// How often they ask, and how long they wait.
    pub timing: Timing,
    /// Where their events go.
    pub events: mpsc::Sender<Event>,
}

/// How a source runs, until it is stopped.
type Run = fn(Start, SourceHandle) -> BoxFuture<'static, ()>;

/// The registry: a source is a file and a line here.
fn registry() -> impl Iterator<Item = (SourceId, Run)> {
    let kinds = Kind::ALL.into_iter().map(|kind| (SourceId::of(kind), of_cluster as Run));
    kinds.chain([
        (SourceId::Namespaces, of_cluster as Run),
        (SourceId::Usage, of_cluster),
        (SourceId::Prometheus, prometheus::start),
        (SourceId::Alertmanager, alertmanager::start),
        (SourceId::Kafka, kafka::start),
    ])
}

fn of_cluster(start: Start, handle: SourceHandle) -> BoxFuture<'static, ()> {
    let source = handle.source();
    drop(handle); // each part has one of its own
    OfCluster { chosen: start.settings.namespaces.clone(), start }.run(source).boxed()
}

/// What the sources have in common that ask the API servers, in the namespaces that are chosen.
#[derive(Clone)]
struct OfCluster {
    start: Start,
    chosen: watch::Receiver<Vec<Clean>>,
}

impl OfCluster {
    /// Runs one of them, and anew when other namespaces are chosen.
    async fn run(mut self, source: SourceId) {
        loop {
            let namespaces = self.chosen.borrow_and_update().clone();
            let work = self.clone().part(source, namespaces);
            tokio::select! {
                () = work => return,
                Ok(()) = self.chosen.changed() => {}
            }
        }
    }

    async fn part(self, source: SourceId, namespaces: Vec<Clean>) {
        let Start { contexts, clock, timing, events, .. } = self.start;
        let kind = Kind::ALL.into_iter().find(|kind| SourceId::of(*kind) == source);
        let apart = kind.is_some_and(Kind::namespaced); // the other sources take several namespaces together
        let parts = parts(&contexts, if apart { &namespaces } else { &[] });
        let part = |way: Reachable, handle: SourceHandle| match (way, kind) {
            (Err(why), _) => unreached(why, handle).boxed(),
            (Ok(place), Some(kind)) => kube::run(kind, place, handle, clock.clone(), timing.clone()),
            (Ok(place), None) if source == SourceId::Usage => {
                kube::usage::run(place, namespaces.clone(), handle, clock.clone(), timing.clone()).boxed()
            }
            (Ok(place), None) => {
                kube::namespaces::run(place, namespaces.clone(), handle, clock.clone(), timing.clone())
                    .boxed()
            }
        };
        aggregate::run(source, parts, &clock, &events, part).await;
    }
}

/// Where a part of a source asks, or why it cannot.
type Reachable = Result<ApiScope, Clean>;

/// Each context with each of the namespaces, or with all of them when none is named; and what each of these
/// is called.
fn parts(contexts: &Contexts, namespaces: &[Clean]) -> Vec<(Clean, Reachable)> {
    let chosen: Vec<Option<&Clean>> =
        if namespaces.is_empty() { vec![None] } else { namespaces.iter().map(Some).collect() };
    let several = contexts.several();
    let part = |id: ContextId, label: &Clean, way: Result<&Connection, Clean>, namespace: Option<&Clean>| {
        let words = [several.then_some(label), namespace]
            .into_iter()
            .flatten()
            .map(Clean::as_str)
            .collect::<Vec<_>>();
        let place = way.map(|one| ApiScope {
            client: one.reader.clone(),
            context: id,
            namespace: namespace.cloned(),
        });
        (words.join(" ").into(), place)
    };
    let of = |(id, label, way): (ContextId, Clean, Result<&Connection, _>)| {
        let way = way.map_err(|no: &crate::net::connect::NoWay| no.why.clone());
        chosen.iter().map(|namespace| part(id, &label, way.clone(), *namespace)).collect::<Vec<_>>()
    };
    contexts.all().flat_map(of).collect()
}

/// A context without a way to it is down for as long as this session lasts.
async fn unreached(why: Clean, mut handle: SourceHandle) {
    handle.fail(&Failure::Lost(format!("{why}; once that is fixed, start warroom again"))).await;
    std::future::pending::<()>().await;
}

/// Runs a source for ever. A fault of warroom's own in it shows as its health, and it is started again after
/// `pause`.
async fn supervise(
    handle: impl Fn() -> SourceHandle,
    run: impl Fn(SourceHandle) -> BoxFuture<'static, ()>,
    pause: Duration,
) {
    loop {
        let Err(panic) = AssertUnwindSafe(run(handle())).catch_unwind().await else { return };
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let words = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no words");
        let why = format!("a fault of warroom itself stopped this source: {words}; it is started again");
        handle().fail(&Failure::Lost(why)).await;
        tokio::time::sleep(pause).await;
    }
}

#[cfg(test)]
mod tests;
