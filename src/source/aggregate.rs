//! One source made of parts, one for each context and namespace: their events go on as they are, their
//! healths become one, as well as the worst can be heard.

use std::collections::BTreeMap;

use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt};
use tokio::sync::mpsc;

use super::handle::SourceHandle;
use crate::clean::Clean;
use crate::event::{Event, Part, SourceHealth, SourceId, SourceState};
use crate::net::clock::Clock;

/// Events of a part that may wait.
const EVENTS: usize = 4;

/// Runs `part` for all of these, each under the name that its trouble is told by. One alone speaks for
/// itself.
pub async fn run<P>(
    source: SourceId,
    mut all: Vec<(Clean, P)>,
    clock: &Clock,
    events: &mpsc::Sender<Event>,
    part: impl Fn(P, SourceHandle) -> BoxFuture<'static, ()>,
) {
    if all.len() < 2 {
        let Some((_, one)) = all.pop() else { return };
        return part(one, SourceHandle::new(source, clock.clone(), events.clone())).await;
    }
    let count = all.len();
    let mut parts = FuturesUnordered::new();
    let mut heard = Vec::new();
    for (name, one) in all {
        let (sender, receiver) = mpsc::channel(EVENTS);
        parts.push(part(one, SourceHandle::new(source, clock.clone(), sender)));
        heard.push(named(name, receiver));
    }
    let mut heard = futures::stream::select_all(heard);
    let mut aggregate = Aggregate { parts: count, heard: BTreeMap::new(), told: None };
    loop {
        tokio::select! {
            Some(()) = parts.next() => {}
            Some((name, event)) = heard.next() => {
                let event = match event {
                    Event::Health(health) => aggregate.hear(name, health).map(Event::Health),
                    event => Some(event),
                };
                if let Some(event) = event && events.send(event).await.is_err() {
                    return;
                }
            }
            else => return,
        }
    }
}

fn named(
    name: Clean,
    receiver: mpsc::Receiver<Event>,
) -> futures::stream::BoxStream<'static, (Clean, Event)> {
    let next = |(name, mut receiver): (Clean, mpsc::Receiver<Event>)| async move {
        let event = receiver.recv().await?;
        Some(((name.clone(), event), (name, receiver)))
    };
    futures::stream::unfold((name, receiver), next).boxed()
}

/// What the parts last said of their health.
struct Aggregate {
    parts: usize,
    heard: BTreeMap<Clean, SourceHealth>,
    told: Option<SourceHealth>,
}

impl Aggregate {
    /// The health of all, when it changed. Nothing is said before every part has spoken: the first to be
    /// heard is not the whole.
    fn hear(&mut self, name: Clean, health: SourceHealth) -> Option<SourceHealth> {
        self.heard.insert(name, health);
        if self.heard.len() < self.parts {
            return None;
        }
        let whole = self.whole()?;
        (self.told.replace(whole.clone()) != Some(whole.clone())).then_some(whole)
    }

    /// The worst part's, with the names of all that are as bad, and what each has to say.
    fn whole(&self) -> Option<SourceHealth> {
        let worst = self
            .heard
            .values()
            .max_by_key(|health| (health.state.badness(), std::cmp::Reverse(health.since)))?;
        let alike =
            self.heard.iter().filter(|(_, health)| health.state == worst.state && health.error.is_some());
        let names: Vec<&str> = alike.map(|(name, _)| name.as_str()).collect();
        let error = worst.error.as_ref().map(|error| format!("{}: {error}", names.join(", ")).into());
        let remarkable = self
            .heard
            .iter()
            .filter(|(_, health)| health.state != SourceState::Live || health.error.is_some());
        let part = |(name, SourceHealth { state, since, error, .. }): (&Clean, &SourceHealth)| Part {
            name: name.clone(),
            state: *state,
            since: *since,
            error: error.clone(),
        };
        Some(SourceHealth { error, parts: remarkable.map(part).collect(), ..worst.clone() })
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};

    use super::*;
    fn health(state: SourceState, second: i64, error: Option<&str>) -> SourceHealth {
        let since = DateTime::UNIX_EPOCH + TimeDelta::seconds(second);
        SourceHealth { source: SourceId::Pods, state, since, error: error.map(Clean::new), parts: Vec::new() }
    }

    #[test]
    fn the_whole_is_as_well_as_its_worst_part_and_names_it() {
        let mut aggregate = Aggregate { parts: 3, heard: BTreeMap::new(), told: None };
        assert_eq!(aggregate.hear("a".into(), health(SourceState::Live, 1, None)), None);
        assert_eq!(aggregate.hear("b".into(), health(SourceState::Live, 2, None)), None);
        let blind = aggregate
            .hear("c".into(), health(SourceState::Blind, 3, Some("list pods is forbidden (403)")))
            .unwrap();
        assert_eq!(
            (blind.state, blind.error.as_deref()),
            (SourceState::Blind, Some("c: list pods is forbidden (403)"))
        );
        let stale = aggregate.hear("b".into(), health(SourceState::Stale, 4, Some("cut"))).unwrap();
        assert_eq!((stale.state, stale.error.as_deref()), (SourceState::Stale, Some("b: cut")));
        let both = aggregate.hear("a".into(), health(SourceState::Stale, 5, Some("cut"))).unwrap();
        assert_eq!((both.since.timestamp(), both.error.as_deref()), (4, Some("a, b: cut")));
        let parts: Vec<_> =
            both.parts.iter().map(|part| (part.name.as_str(), part.state, part.error.as_deref())).collect();
        let refused = ("c", SourceState::Blind, Some("list pods is forbidden (403)"));
        assert_eq!(
            parts,
            [("a", SourceState::Stale, Some("cut")), ("b", SourceState::Stale, Some("cut")), refused]
        );
        aggregate.hear("a".into(), health(SourceState::Live, 6, None));
        aggregate.hear("b".into(), health(SourceState::Live, 7, None));
        assert_eq!(
            aggregate.hear("c".into(), health(SourceState::Live, 8, None)).map(|health| health.state),
            Some(SourceState::Live)
        );
        assert_eq!(aggregate.hear("c".into(), health(SourceState::Live, 8, None)), None, "nothing changed");
    }
}
