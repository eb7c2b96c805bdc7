//! Sources: what turns the outside into events, on one bounded channel.
//!
//! | module | what it is |
//! |---|---|
//! | [`connect`], [`client`] | from a kubeconfig to a reading and a writing client |
//! | [`kube`] | the API server: lists and watches of the six kinds |
//! | [`prometheus`], [`alertmanager`] | rates and alerts, over [`http`] |
//! | [`kafka`] | consumer group lag, by the broker's own tool |
//! | [`keyboard`] | the terminal's keys, pastes and sizes; and whether it is still there |
//! | [`clock`] | the only reader of the wall clock |
//! | [`voice`], [`failure`], [`timing`] | what all have in common: health, sentences and backoff, every period and deadline |
//!
//! A source never ends by itself and never hides that it cannot hear: it goes stale, blind or down with a reason, and comes back. It
//! asks at once when it starts, so that the first reading of each, or the reason why there is none, is there within seconds.

pub mod alertmanager;
pub mod client;
pub mod clock;
pub mod connect;
pub mod failure;
pub mod http;
pub mod kafka;
pub mod keyboard;
pub mod kube;
pub mod prometheus;
pub mod timing;
pub mod voice;

use std::panic::AssertUnwindSafe;

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use self::clock::Clock;
use self::connect::Connection;
use self::failure::Failure;
use self::kafka::Kafka;
use self::timing::Timing;
use self::voice::Voice;
use crate::clean::Clean;
use crate::config::Rates;
use crate::event::{Event, Kind, SourceId};

/// What to ask, and where.
#[derive(Clone, Debug)]
pub struct SourceSettings {
    /// The namespace watched; `None` is all of them. Nodes belong to none.
    pub namespace: Option<Clean>,
    /// Prometheus' address.
    pub prometheus: Option<String>,
    /// What Prometheus is asked.
    pub rates: Rates,
    /// Alertmanager's address.
    pub alertmanager: Option<String>,
    /// How Kafka's groups are read.
    pub kafka: Kafka,
}

/// All sources at work. They stop when this is dropped.
#[derive(Debug)]
pub struct Sources {
    tasks: JoinSet<()>,
}

impl Sources {
    /// Starts them. Each tells its first reading, or why there is none, without waiting for a period to pass.
    pub fn spawn(settings: &SourceSettings, connection: &Connection, clock: &Clock, timing: &Timing, events: &mpsc::Sender<Event>) -> Self {
        let mut sources = Self { tasks: JoinSet::new() };
        let voice = {
            let (clock, events) = (clock.clone(), events.clone());
            move |source| Voice::new(source, clock.clone(), events.clone())
        };
        let mut start = |source: SourceId, run: Box<dyn Fn(Voice) -> BoxFuture<'static, ()> + Send>| {
            sources.tasks.spawn(supervise(source, voice.clone(), run, timing.clone()));
        };
        for kind in Kind::ALL {
            let (client, namespace, clock, timing) = (connection.reader.clone(), settings.namespace.clone(), clock.clone(), timing.clone());
            let run = move |voice| kube::run(kind, client.clone(), namespace.clone(), voice, clock.clone(), timing.clone());
            start(SourceId::of(kind), Box::new(run));
        }
        let (address, rates, at, times) = (settings.prometheus.clone(), settings.rates.clone(), clock.clone(), timing.clone());
        let run = move |voice| prometheus::run(address.clone(), rates.clone(), voice, at.clone(), times.clone()).boxed();
        start(SourceId::Prometheus, Box::new(run));
        let (address, at, times) = (settings.alertmanager.clone(), clock.clone(), timing.clone());
        let run = move |voice| alertmanager::run(address.clone(), voice, at.clone(), times.clone()).boxed();
        start(SourceId::Alertmanager, Box::new(run));
        let (how, client, at, times) = (settings.kafka.clone(), connection.reader.clone(), clock.clone(), timing.clone());
        let run = move |voice| kafka::run(how.clone(), client.clone(), voice, at.clone(), times.clone()).boxed();
        start(SourceId::Kafka, Box::new(run));
        sources
    }
}

/// Runs a source for ever. A fault of warroom's own in it shows as its health, and it is started again.
async fn supervise(
    source: SourceId,
    voice: impl Fn(SourceId) -> Voice,
    run: Box<dyn Fn(Voice) -> BoxFuture<'static, ()> + Send>,
    timing: Timing,
) {
    loop {
        let Err(panic) = AssertUnwindSafe(run(voice(source))).catch_unwind().await else { return };
        let said = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
        let failure =
            Failure::Lost(format!("a fault of warroom itself stopped this source: {}; it is started again", said.unwrap_or("no words")));
        voice(source).fail(&failure).await;
        tokio::time::sleep(timing.backoff_most).await;
    }
}

#[cfg(test)]
mod tests;
