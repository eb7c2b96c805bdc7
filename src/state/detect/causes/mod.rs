//! One entry for one cause: what broke, what ties it to other things that broke, and the line of the timeline
//! that tells of all of them.
//!
//! A trouble on its own is a line. Troubles that are tied (pods of one stopped node, images of one registry,
//! a namespace's quota, a service and its alert, many workloads with the same reason at the same time) are
//! cases of one line that opens. Every trouble has exactly one line. Facts come from recorded events alone
//! and rules look at nothing else, so a replay groups in the same way.

mod cause;

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use self::cause::Cause;
use super::findings::{CorrelationKey, Finding, Thing};
use crate::clean::Clean;
use crate::state::{EntryKind, Subject, Timeline};
use crate::units;

pub use self::cause::Ending;

/// So many things with the same reason, each no later than [`AT_ONCE`] after one before it, have one cause.
const MANY: usize = 3;
/// See [`MANY`].
const AT_ONCE: TimeDelta = TimeDelta::seconds(60);
/// News that is so much younger than the line that would tell it stands where it came: nobody reads what is
/// out of sight.
const FRESH: TimeDelta = TimeDelta::minutes(5);
/// Cases that are listed under a cause; further ones are only counted.
const LISTED: usize = 200;

/// A thing that is broken.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Trouble {
    since: DateTime<Utc>,
    ties: Vec<CorrelationKey>,
    /// Its own entry; a case that is only counted has none.
    entry: Option<u64>,
    /// The entry of the cause that it is a case of.
    cause: Option<u64>,
}

/// Everything that is broken, each thing once.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Causes {
    troubles: BTreeMap<Thing, Trouble>,
    /// By the entry that tells it.
    open: BTreeMap<u64, Cause>,
    /// Since when the oldest trouble is there.
    #[serde(default)]
    oldest: Option<DateTime<Utc>>,
    /// When the last incident began: the oldest of the troubles that were there one after the other without a
    /// pause.
    #[serde(default)]
    began: Option<DateTime<Utc>>,
}

impl Causes {
    /// Returns whether a thing is reported as broken.
    pub fn has(&self, thing: &Thing) -> bool {
        self.troubles.contains_key(thing)
    }

    /// Iterates over what is reported as broken.
    pub fn broken(&self) -> impl Iterator<Item = &Thing> {
        self.troubles.keys()
    }

    /// Returns since when the oldest of the present troubles lasts; `None` while nothing is broken.
    pub fn standing(&self) -> Option<DateTime<Utc>> {
        self.oldest
    }

    /// Returns the time that elapsed time is counted from: since when the oldest trouble is there; while
    /// nothing is broken, the beginning of what was.
    pub fn began(&self) -> Option<DateTime<Utc>> {
        self.oldest.or(self.began)
    }

    fn insert(&mut self, thing: Thing, trouble: Trouble) {
        let since = Some(trouble.since);
        let before = if self.oldest.is_some() { self.began } else { None };
        self.oldest = self.oldest.min(since).or(since);
        self.began = before.min(since).or(since);
        self.troubles.insert(thing, trouble);
    }

    fn remove(&mut self, thing: &Thing) -> Option<Trouble> {
        let trouble = self.troubles.remove(thing)?;
        if self.oldest == Some(trouble.since) {
            self.oldest = self.troubles.values().map(|trouble| trouble.since).min();
        }
        Some(trouble)
    }

    /// Returns what the timeline says of a broken thing.
    pub fn words(&self, thing: &Thing, timeline: &Timeline) -> Clean {
        let entry = self.troubles.get(thing).and_then(|trouble| timeline.get(trouble.entry?));
        entry.map(|entry| entry.text.clone()).unwrap_or_default()
    }

    /// Returns whether its cause is final: more than the same reason ties it to others.
    pub fn settled(&self, thing: &Thing) -> bool {
        let cause = self.troubles.get(thing).and_then(|trouble| self.open.get(&trouble.cause?));
        cause.is_some_and(|cause| !matches!(cause.tie, CorrelationKey::Reason(_)))
    }

    /// Replaces what ties a thing to others, once that is known better.
    pub fn retie(
        &mut self,
        at: DateTime<Utc>,
        thing: &Thing,
        ties: Vec<CorrelationKey>,
        timeline: &mut Timeline,
    ) {
        if let Some(trouble) = self.troubles.get_mut(thing).filter(|trouble| trouble.ties != ties) {
            trouble.ties = ties;
            self.tie(at, thing, timeline);
        }
    }

    /// Reports that something broke, or what else is wrong with it by now.
    pub fn begin(&mut self, at: DateTime<Utc>, news: Finding, timeline: &mut Timeline) {
        let Finding { thing, subject, text, ties } = news;
        match self.troubles.get_mut(&thing) {
            Some(trouble) => {
                trouble.ties = ties;
                if let Some(entry) = trouble.entry.and_then(|entry| timeline.get_mut(entry)) {
                    entry.text = text.clone();
                }
                if let Some(cause) = trouble.cause {
                    self.retell(cause, Some(text), timeline);
                }
                self.tie(at, &thing, timeline);
            }
            None => self.broke(at, Finding { thing, subject, text, ties }, timeline),
        }
    }

    fn broke(&mut self, at: DateTime<Utc>, news: Finding, timeline: &mut Timeline) {
        let Finding { thing, subject, text, ties } = news;
        if matches!(thing, Thing::Node(_)) {
            self.close(&thing, at, timeline); // a node that is lost again is lost anew
        }
        let returned = self.open.iter_mut().find_map(|(id, cause)| Some((*id, cause.left.remove(&thing)?.0)));
        let cause = returned.map(|(id, _)| id).or_else(|| self.fitting(at, &ties));
        let counted_only =
            cause.and_then(|id| self.open.get(&id)).is_some_and(|cause| cause.cases() >= LISTED);
        let entry = match returned {
            Some((_, entry)) => entry,
            None if counted_only => None,
            None => {
                let id = timeline.add(at, thing.kind(), subject, text.clone(), None);
                if let Some(entry) = timeline.get_mut(id) {
                    entry.about = thing.about();
                }
                Some(id)
            }
        };
        let told = entry.and_then(|entry| timeline.get_mut(entry));
        let since = told.map_or(at, |entry| {
            entry.ended = None;
            entry.text = text;
            entry.at
        });
        self.insert(thing.clone(), Trouble { since, ties, entry, cause: None });
        match cause {
            Some(cause) => {
                if returned.is_none() {
                    self.bring(at, cause, timeline);
                }
                self.join(at, &thing, cause, timeline);
            }
            None => self.tie(at, &thing, timeline),
        }
    }

    /// A cause's line comes to where its news is, if it is far from there. What else breaks with a node is no
    /// news of the node.
    fn bring(&self, at: DateTime<Utc>, id: u64, timeline: &mut Timeline) {
        let node = self.open.get(&id).is_some_and(|cause| matches!(cause.tie, CorrelationKey::Node(_)));
        if !node && timeline.get(id).is_some_and(|line| at - line.at > FRESH) {
            timeline.bring(id, at);
        }
    }

    /// Ends a cause that this was a case of: what is still broken is told on its own, or of another cause.
    fn close(&mut self, thing: &Thing, at: DateTime<Utc>, timeline: &mut Timeline) {
        let Some(id) = self.open.iter().find(|(_, cause)| cause.left.contains_key(thing)).map(|(id, _)| *id)
        else {
            return;
        };
        self.release(id, timeline);
        let alone = self.open.get_mut(&id).is_none_or(|cause| {
            cause.broken = 0;
            cause.left.len() < 2
        });
        if alone {
            return self.dissolve(id, timeline);
        }
        self.retell(id, None, timeline);
        self.open.remove(&id);
        if let Some(line) = timeline.get_mut(id) {
            line.ended = Some(at);
        }
    }

    /// Whether a trouble may be tied in this way: it has no cause yet, or only that it has the same reason as
    /// others.
    fn free(&self, trouble: &Trouble, tie: &CorrelationKey) -> bool {
        let weak =
            |id: u64| self.open.get(&id).is_some_and(|cause| matches!(cause.tie, CorrelationKey::Reason(_)));
        trouble.cause.is_none_or(|id| weak(id) && !matches!(tie, CorrelationKey::Reason(_)))
    }

    /// Finds the cause of a trouble that has none yet, or a better one.
    fn tie(&mut self, at: DateTime<Utc>, thing: &Thing, timeline: &mut Timeline) {
        let Some(trouble) = self.troubles.get(thing) else { return };
        let ties: Vec<CorrelationKey> =
            trouble.ties.iter().filter(|tie| self.free(trouble, tie)).cloned().collect();
        if let Some(cause) = self.fitting(at, &ties) {
            return self.join(at, thing, cause, timeline);
        }
        let found = ties.iter().find_map(|tie| Some((tie, self.tied(at, tie)?)));
        let Some((tie, things)) = found else { return };
        let since = self.since(tie, &things).unwrap_or(at);
        let kind = if things.iter().all(|thing| thing.kind() == EntryKind::Alert) {
            EntryKind::Alert
        } else {
            EntryKind::Trouble
        };
        let place = if at - since > FRESH && !matches!(tie, CorrelationKey::Node(_)) { at } else { since };
        let id = timeline.add(place, kind, Subject::default(), Clean::default(), None);
        self.open.insert(id, Cause::new(tie.clone(), since, at));
        for thing in &things {
            self.join(at, thing, id, timeline);
        }
    }

    /// When a cause began: with the first of these things; a node's with the node, whatever was broken on it
    /// before.
    fn since(&self, tie: &CorrelationKey, things: &[Thing]) -> Option<DateTime<Utc>> {
        let of_tie =
            |thing: &&Thing| !matches!(tie, CorrelationKey::Node(_)) || matches!(thing, Thing::Node(_));
        things
            .iter()
            .filter(of_tie)
            .filter_map(|thing| self.troubles.get(thing))
            .map(|trouble| trouble.since)
            .min()
    }

    /// The open cause that a trouble with these ties is a case of.
    fn fitting(&self, at: DateTime<Utc>, ties: &[CorrelationKey]) -> Option<u64> {
        let fits = |cause: &Cause, tie: &CorrelationKey| {
            cause.tie == *tie && (!matches!(tie, CorrelationKey::Reason(_)) || at - cause.last <= AT_ONCE)
        };
        ties.iter().find_map(|tie| self.open.iter().find(|(_, cause)| fits(cause, tie)).map(|(id, _)| *id))
    }

    /// The troubles without a cause that have this in common, where they are enough to have one.
    fn tied(&self, at: DateTime<Utc>, tie: &CorrelationKey) -> Option<Vec<Thing>> {
        let recent =
            |trouble: &Trouble| !matches!(tie, CorrelationKey::Reason(_)) || at - trouble.since <= AT_ONCE;
        let alone = self
            .troubles
            .iter()
            .filter(|(_, trouble)| self.free(trouble, tie) && trouble.ties.contains(tie) && recent(trouble));
        let things: Vec<Thing> = alone.map(|(thing, _)| thing.clone()).collect();
        let enough = match tie {
            CorrelationKey::Node(_) => {
                things.len() > 1 && things.iter().any(|thing| matches!(thing, Thing::Node(_)))
            }
            CorrelationKey::Registry(_) | CorrelationKey::Namespace(_) | CorrelationKey::Service(_) => {
                things.len() > 1
            }
            CorrelationKey::Reason(_) => things.len() >= MANY,
        };
        enough.then_some(things)
    }

    fn join(&mut self, at: DateTime<Utc>, thing: &Thing, id: u64, timeline: &mut Timeline) {
        self.detach(thing, timeline);
        let (Some(trouble), Some(cause)) = (self.troubles.get_mut(thing), self.open.get_mut(&id)) else {
            return;
        };
        trouble.cause = Some(id);
        cause.broken += 1;
        cause.pods &= matches!(thing, Thing::Pod(_));
        cause.last = cause.last.max(at);
        let entry = trouble.entry.and_then(|entry| timeline.get_mut(entry));
        let words = entry.map(|entry| {
            entry.cause = Some(id);
            entry.text.clone()
        });
        self.retell(id, words, timeline);
    }

    /// Takes a case out of a cause that turned out not to be its own. A cause that is left with one is none.
    fn detach(&mut self, thing: &Thing, timeline: &mut Timeline) {
        let Some(id) = self.troubles.get_mut(thing).and_then(|trouble| trouble.cause.take()) else { return };
        let Some(cause) = self.open.get_mut(&id) else { return };
        cause.broken = cause.broken.saturating_sub(1);
        if cause.cases() > 1 && cause.broken > 0 {
            let staying =
                self.troubles.values().find(|trouble| trouble.cause == Some(id) && trouble.entry.is_some());
            let words =
                staying.and_then(|trouble| timeline.get(trouble.entry?)).map(|entry| entry.text.clone());
            return self.retell(id, words, timeline);
        }
        self.release(id, timeline);
        self.dissolve(id, timeline);
    }

    /// The cases of a cause that are broken stand for themselves again.
    fn release(&mut self, id: u64, timeline: &mut Timeline) {
        let broken = self.troubles.values_mut().filter(|trouble| trouble.cause == Some(id));
        for entry in broken.filter_map(|trouble| trouble.cause.take().and(trouble.entry)) {
            if let Some(entry) = timeline.get_mut(entry) {
                entry.cause = None;
            }
        }
    }

    /// Takes back a cause that is none; cases that are over stand for themselves again.
    fn dissolve(&mut self, id: u64, timeline: &mut Timeline) {
        for entry in self
            .open
            .remove(&id)
            .into_iter()
            .flat_map(|cause| cause.left.into_values())
            .filter_map(|(entry, _)| entry)
        {
            if let Some(entry) = timeline.get_mut(entry) {
                entry.cause = None;
            }
        }
        timeline.remove(id);
    }

    /// Reports that a thing was resolved.
    pub fn end(&mut self, at: DateTime<Utc>, thing: &Thing, text: impl Into<Clean>, timeline: &mut Timeline) {
        self.cease(at, thing, Ending::Over, text.into(), timeline);
    }

    /// Reports that an alert still fires and is silenced or inhibited.
    pub fn quiet(
        &mut self,
        at: DateTime<Utc>,
        thing: &Thing,
        text: impl Into<Clean>,
        timeline: &mut Timeline,
    ) {
        self.cease(at, thing, Ending::Silenced, text.into(), timeline);
    }

    /// Reports that an object was deleted, which is told as a change. That it was not well again stands where
    /// it was told to be broken.
    pub fn gone(&mut self, at: DateTime<Utc>, thing: &Thing, timeline: &mut Timeline) {
        self.cease(at, thing, Ending::Deleted, "deleted".into(), timeline);
    }

    /// Reports that a thing is no longer watched.
    pub fn lose_sight(&mut self, at: DateTime<Utc>, thing: &Thing, timeline: &mut Timeline) {
        self.cease(at, thing, Ending::OutOfSight, "no longer watched".into(), timeline);
    }

    fn cease(&mut self, at: DateTime<Utc>, thing: &Thing, way: Ending, text: Clean, timeline: &mut Timeline) {
        let Some(trouble) = self.remove(thing) else { return };
        let unsaid = matches!(way, Ending::Deleted | Ending::OutOfSight);
        let entry = trouble.entry.and_then(|entry| timeline.get_mut(entry));
        let subject = entry.map(|entry| {
            entry.ended = Some(at);
            if unsaid {
                entry.text = format!("{} · {text}", entry.text).into();
            }
            entry.about()
        });
        match trouble.cause {
            Some(cause) => self.left(at, thing, cause, (&trouble, way, text), timeline),
            None if unsaid => {}
            None => tell(at, thing, subject.unwrap_or_default(), text, timeline),
        }
    }

    /// A case is trouble no more; when none is, the cause is over. That a node answers again is told at once,
    /// whatever is not well on it.
    fn left(
        &mut self,
        at: DateTime<Utc>,
        thing: &Thing,
        id: u64,
        (trouble, way, text): (&Trouble, Ending, Clean),
        timeline: &mut Timeline,
    ) {
        let Some(cause) = self.open.get_mut(&id) else { return };
        cause.broken = cause.broken.saturating_sub(1);
        cause.left.insert(thing.clone(), (trouble.entry, way));
        if way == Ending::Over && thing.over() == EntryKind::Recovery {
            cause.said = Some(text.clone());
        }
        self.retell(id, None, timeline);
        let Some(cause) = self.open.get(&id) else { return };
        let subject = timeline.get(id).map(crate::state::TimelineEntry::about).unwrap_or_default();
        if cause.broken > 0 {
            if matches!((thing, way), (Thing::Node(_), Ending::Over)) {
                let rest = format!("{} of {} not resolved yet", cause.broken, cause.cases());
                tell(
                    at,
                    thing,
                    subject,
                    format!("{text} after {}, {rest}", units::span(at - trouble.since)).into(),
                    timeline,
                );
            }
            return;
        }
        if let Some(line) = timeline.get_mut(id) {
            line.ended = Some(at);
        }
        let text = format!("{} after {}", cause.end(), units::span(at - cause.since));
        if cause.any(Ending::Over) {
            timeline.add(at, EntryKind::Recovery, subject, text, None);
        } else if cause.any(Ending::Silenced) {
            timeline.add(at, EntryKind::AlertEnded, subject, text, None);
        }
        self.open.remove(&id);
    }

    /// Says on the cause's line what is so now.
    fn retell(&mut self, id: u64, words: Option<Clean>, timeline: &mut Timeline) {
        let Some(cause) = self.open.get_mut(&id) else { return };
        cause.words = words.unwrap_or_else(|| cause.words.clone());
        let told = if matches!(cause.tie, CorrelationKey::Service(_)) {
            unlike(timeline.cases(id).map(|entry| &entry.text))
        } else {
            Vec::new()
        };
        let Some(line) = timeline.get_mut(id) else { return };
        let alerts = line.kind == EntryKind::Alert;
        line.cases = u32::try_from(cause.cases()).unwrap_or(u32::MAX);
        line.context = cause.context();
        line.subject = cause.subject(alerts).into();
        let over = cause.broken == 0;
        line.text = format!("{}{}", cause.text(&told, alerts), before(line.at, cause.since, over)).into();
    }
}

/// Each text once, in order.
fn unlike<'a>(all: impl Iterator<Item = &'a Clean>) -> Vec<Clean> {
    let mut told: Vec<Clean> = Vec::new();
    for text in all {
        if !told.contains(text) {
            told.push(text.clone());
        }
    }
    told
}

/// Says that a thing on its own is trouble no more.
fn tell(at: DateTime<Utc>, thing: &Thing, subject: Subject, text: Clean, timeline: &mut Timeline) {
    let id = timeline.add(at, thing.over(), subject, text, None);
    if let Some(entry) = timeline.get_mut(id) {
        entry.about = thing.about();
    }
}

/// ` · since 13:05:10`, where a line does not stand where its cause began; ` · began 13:05:10` once that is
/// over.
fn before(at: DateTime<Utc>, since: DateTime<Utc>, over: bool) -> String {
    let word = if over { "began" } else { "since" };
    match (at == since, at.date_naive() == since.date_naive()) {
        (true, _) => String::new(),
        (false, true) => format!(" · {word} {}", since.format("%H:%M:%S")),
        (false, false) => format!(" · {word} {}", since.format("%Y-%m-%d %H:%M:%S")),
    }
}

#[cfg(test)]
mod tests;
