//! One source's mouth: its events, and its health whenever that changes.

use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::mpsc;

use crate::clean::Clean;
use crate::event::{Event, SourceHealth, SourceId, SourceState};
use crate::net::backoff::Backoff;
use crate::net::clock::Clock;
use crate::net::failure::Failure;
use crate::net::http::Server;
use crate::net::resolver::{Resolver, Unreached};

/// After so long it is looked again for what the cluster did not have.
const AGAIN: Duration = Duration::from_secs(300);

/// Speaks for one source.
#[derive(Debug)]
pub struct SourceHandle {
    source: SourceId,
    clock: Clock,
    events: mpsc::Sender<Event>,
    told: Option<SourceHealth>,
    /// When it was last heard; nothing counts before it was live once.
    heard: Option<DateTime<Utc>>,
    /// What is to be known of it whenever it is live.
    remark: Option<String>,
}

impl SourceHandle {
    /// A source that has not said anything yet.
    pub fn new(source: SourceId, clock: Clock, events: mpsc::Sender<Event>) -> Self {
        Self { source, clock, events, told: None, heard: None, remark: None }
    }

    /// Which source it is of.
    pub fn source(&self) -> SourceId {
        self.source
    }

    /// From now on this is to be known of the source whenever it is live: where it was found.
    pub fn remark(&mut self, remark: Option<String>) {
        self.remark = remark;
    }

    /// The source's server, as soon as there is one; until then it says why there is none.
    pub async fn server(&mut self, resolver: &Resolver) -> Server {
        let mut backoff = Backoff::new(resolver.timing().clone());
        loop {
            match resolver.find().await {
                Ok(server) => {
                    self.remark(server.remark());
                    return server;
                }
                Err(Unreached::Nowhere(why)) => {
                    self.off(&why).await;
                    self.clock.sleep(AGAIN).await;
                }
                Err(Unreached::Failed(failure)) => {
                    self.fail(&failure).await;
                    tokio::time::sleep(backoff.next(&failure)).await;
                }
            }
        }
    }

    /// Tells an event; waits while the channel is full. When nobody listens any more it waits to be stopped.
    pub async fn tell(&self, event: Event) {
        if self.events.send(event).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// The source has just been heard.
    pub fn hear(&mut self) {
        if self.heard.is_some() {
            self.heard = Some(self.clock.now());
        }
    }

    /// Whether it was last told that the source is live.
    pub fn is_live(&self) -> bool {
        self.told.as_ref().is_some_and(|told| told.state == SourceState::Live)
    }

    /// What is shown is what the source says now; `remark` is what is missing from it all the same.
    pub async fn live(&mut self, remark: Option<String>) {
        let now = self.clock.now();
        self.heard = Some(now);
        let remark = match (self.remark.clone(), remark) {
            (Some(always), Some(now)) => Some(format!("{always}; {now}")),
            (always, now) => always.or(now),
        };
        self.change(SourceState::Live, now, remark).await;
    }

    /// The source failed: what it said before is stale, and if it never was live it is down; what it refuses
    /// to show it is blind to.
    pub async fn fail(&mut self, failure: &Failure) {
        let (state, since) = match self.heard {
            _ if failure.blind() => (SourceState::Blind, self.clock.now()),
            Some(heard) => (SourceState::Stale, heard),
            None => (SourceState::Down, self.clock.now()),
        };
        self.change(state, since, Some(failure.to_string())).await;
    }

    /// The source is not asked, and why.
    pub async fn off(&mut self, why: &str) {
        self.change(SourceState::Off, self.clock.now(), Some(why.to_owned())).await;
    }

    async fn change(&mut self, state: SourceState, since: DateTime<Utc>, error: Option<String>) {
        let error = error.as_deref().map(Clean::new);
        let before = self.told.as_ref().filter(|told| told.state == state);
        if before.is_some_and(|told| told.error == error) {
            return;
        }
        let since = before.map_or(since, |told| told.since);
        let health = SourceHealth { source: self.source, state, since, error, parts: Vec::new() };
        self.told = Some(health.clone());
        self.tell(Event::Health(health)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn health_is_told_when_it_changes_and_stale_counts_from_when_it_was_last_heard() {
        let start = DateTime::UNIX_EPOCH;
        let (events, mut heard) = mpsc::channel(16);
        let clock = Clock::manual(start);
        let mut handle = SourceHandle::new(SourceId::Pods, clock.clone(), events);
        let second = || clock.advance(std::time::Duration::from_secs(1));
        let cut = Failure::Lost("cut".into());
        handle.fail(&cut).await;
        handle.live(None).await;
        second();
        handle.live(None).await;
        second();
        handle.fail(&cut).await;
        handle.fail(&cut).await;
        handle.fail(&Failure::Forbidden("no".into())).await;
        drop(handle);
        let mut told = Vec::new();
        while let Some(Event::Health(health)) = heard.recv().await {
            told.push((health.state, (health.since - start).num_seconds()));
        }
        let expected = [
            (SourceState::Down, 0),
            (SourceState::Live, 0),
            (SourceState::Stale, 1),
            (SourceState::Blind, 2),
        ];
        assert_eq!(told, expected);
    }
}
