//! One entry for one cause: what broke, what ties it to other things that broke, and the line of the timeline that tells of all of them.
//!
//! A trouble on its own is a line. Troubles that are tied (pods of one stopped node, images of one registry, a namespace's quota, a
//! service and its alert, many workloads with the same reason at the same time) are cases of one line that opens. Every trouble has
//! exactly one line. Facts come from recorded events alone and rules look at nothing else, so a replay groups in the same way.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{EntryKind, Subject, Timeline};
use crate::clean::Clean;
use crate::event::{ContextId, Uid};
use crate::units;

/// So many things with the same reason, each no later than [`AT_ONCE`] after one before it, have one cause.
const MANY: usize = 3;
/// See [`MANY`].
const AT_ONCE: TimeDelta = TimeDelta::seconds(60);
/// Cases that are listed under a cause; further ones are only counted.
const LISTED: usize = 200;

/// What troubles can have in common, the strongest first. Every name is marked with its context ([`ContextId::mark`]): what breaks in two
/// clusters at once breaks twice.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tie {
    /// A node: its pods stop with it.
    Node(Clean),
    /// A registry whose images cannot be pulled.
    Registry(Clean),
    /// A namespace in which no pods can be created.
    Namespace(Clean),
    /// A service: its workload, its failing requests, its alerts.
    Service(Clean),
    /// The reason itself, or an alert's name.
    Reason(Clean),
}

/// Something that broke, or another word for it.
#[derive(Clone, Debug)]
pub struct News {
    /// What broke: the same for every word about it.
    pub thing: Thing,
    /// Whom the line is about.
    pub subject: Subject,
    /// What it says.
    pub text: Clean,
    /// What ties it to others, the strongest first.
    pub ties: Vec<Tie>,
}

/// What can be broken.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Thing {
    /// A workload, by uid.
    Workload(Uid),
    /// A node, by uid.
    Node(Uid),
    /// A service whose requests fail, by name.
    Service(Clean),
    /// A consumer group, by name.
    Group(Clean),
    /// An alert, by fingerprint.
    Alert(Clean),
}

impl From<Thing> for String {
    fn from(thing: Thing) -> Self {
        let (word, id) = match thing {
            Thing::Workload(id) => ("workload", id),
            Thing::Node(id) => ("node", id),
            Thing::Service(id) => ("service", id),
            Thing::Group(id) => ("group", id),
            Thing::Alert(id) => ("alert", id),
        };
        format!("{word}/{id}")
    }
}

impl TryFrom<String> for Thing {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.split_once('/') {
            Some(("workload", id)) => Ok(Self::Workload(id.into())),
            Some(("node", id)) => Ok(Self::Node(id.into())),
            Some(("service", id)) => Ok(Self::Service(id.into())),
            Some(("group", id)) => Ok(Self::Group(id.into())),
            Some(("alert", id)) => Ok(Self::Alert(id.into())),
            _ => Err(format!("{text:?} is nothing that can be broken")),
        }
    }
}

impl Thing {
    fn kind(&self) -> EntryKind {
        if matches!(self, Self::Alert(_)) { EntryKind::Alert } else { EntryKind::Trouble }
    }

    fn over(&self) -> EntryKind {
        if matches!(self, Self::Alert(_)) { EntryKind::AlertEnded } else { EntryKind::Recovery }
    }

    fn about(&self) -> Option<Uid> {
        if let Self::Workload(uid) | Self::Node(uid) = self { Some(uid.clone()) } else { None }
    }
}

/// A thing that is broken.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Trouble {
    since: DateTime<Utc>,
    ties: Vec<Tie>,
    /// Its own entry; a case that is only counted has none.
    entry: Option<u64>,
    /// The entry of the cause that it is a case of.
    cause: Option<u64>,
}

/// What several things broke of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Cause {
    tie: Tie,
    since: DateTime<Utc>,
    /// When its newest case came.
    last: DateTime<Utc>,
    /// Cases that are broken now.
    broken: u32,
    /// Cases that are well again, and their entries.
    well: BTreeMap<Thing, Option<u64>>,
    /// The newest words of a case.
    words: Clean,
    /// What was said when a case that is no alert was well again.
    ended: Option<Clean>,
}

impl Cause {
    fn cases(&self) -> usize {
        self.broken as usize + self.well.len()
    }
}

/// Everything that is broken, each thing once.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Causes {
    troubles: BTreeMap<Thing, Trouble>,
    /// By the entry that tells it.
    open: BTreeMap<u64, Cause>,
}

impl Causes {
    /// Whether it is told to be broken.
    pub fn has(&self, thing: &Thing) -> bool {
        self.troubles.contains_key(thing)
    }

    /// What is told to be broken.
    pub fn broken(&self) -> impl Iterator<Item = &Thing> {
        self.troubles.keys()
    }

    /// What is said of a broken thing.
    pub fn words(&self, thing: &Thing, timeline: &Timeline) -> Clean {
        let entry = self.troubles.get(thing).and_then(|trouble| timeline.get(trouble.entry?));
        entry.map(|entry| entry.text.clone()).unwrap_or_default()
    }

    /// Whether nothing can tell any more what it broke of: more than the same reason ties it to others.
    pub fn settled(&self, thing: &Thing) -> bool {
        let cause = self.troubles.get(thing).and_then(|trouble| self.open.get(&trouble.cause?));
        cause.is_some_and(|cause| !matches!(cause.tie, Tie::Reason(_)))
    }

    /// What ties it to others is known better.
    pub fn retie(&mut self, at: DateTime<Utc>, thing: &Thing, ties: Vec<Tie>, timeline: &mut Timeline) {
        if let Some(trouble) = self.troubles.get_mut(thing).filter(|trouble| trouble.ties != ties) {
            trouble.ties = ties;
            self.tie(at, thing, timeline);
        }
    }

    /// Tells that something broke, or what else is wrong with it by now.
    pub fn begin(&mut self, at: DateTime<Utc>, news: News, timeline: &mut Timeline) {
        let News { thing, subject, text, ties } = news;
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
            None => self.broke(at, News { thing, subject, text, ties }, timeline),
        }
    }

    fn broke(&mut self, at: DateTime<Utc>, news: News, timeline: &mut Timeline) {
        let News { thing, subject, text, ties } = news;
        let returned = self.open.iter_mut().find_map(|(id, cause)| Some((*id, cause.well.remove(&thing)?)));
        let cause = returned.map(|(id, _)| id).or_else(|| self.fitting(at, &ties));
        let counted_only = cause.and_then(|id| self.open.get(&id)).is_some_and(|cause| cause.cases() >= LISTED);
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
        if let Some(entry) = entry.and_then(|entry| timeline.get_mut(entry)) {
            (entry.ended, entry.text) = (None, text);
        }
        self.troubles.insert(thing.clone(), Trouble { since: at, ties, entry, cause: None });
        match cause {
            Some(cause) => self.join(at, &thing, cause, timeline),
            None => self.tie(at, &thing, timeline),
        }
    }

    /// Whether a trouble may be tied in this way: it has no cause yet, or only that it has the same reason as others.
    fn free(&self, trouble: &Trouble, tie: &Tie) -> bool {
        let weak = |id: u64| self.open.get(&id).is_some_and(|cause| matches!(cause.tie, Tie::Reason(_)));
        trouble.cause.is_none_or(|id| weak(id) && !matches!(tie, Tie::Reason(_)))
    }

    /// Finds the cause of a trouble that has none yet, or a better one.
    fn tie(&mut self, at: DateTime<Utc>, thing: &Thing, timeline: &mut Timeline) {
        let Some(trouble) = self.troubles.get(thing) else { return };
        let ties: Vec<Tie> = trouble.ties.iter().filter(|tie| self.free(trouble, tie)).cloned().collect();
        if let Some(cause) = self.fitting(at, &ties) {
            return self.join(at, thing, cause, timeline);
        }
        let found = ties.iter().find_map(|tie| Some((tie, self.tied(at, tie)?)));
        let Some((tie, things)) = found else { return };
        let since = things.iter().filter_map(|thing| self.troubles.get(thing)).map(|trouble| trouble.since).min().unwrap_or(at);
        let kind = if things.iter().all(|thing| thing.kind() == EntryKind::Alert) { EntryKind::Alert } else { EntryKind::Trouble };
        let id = timeline.add(since, kind, Subject::default(), Clean::default(), None);
        let cause = Cause { tie: tie.clone(), since, last: at, broken: 0, well: BTreeMap::new(), words: Clean::default(), ended: None };
        self.open.insert(id, cause);
        for thing in &things {
            self.join(at, thing, id, timeline);
        }
    }

    /// The open cause that a trouble with these ties is a case of.
    fn fitting(&self, at: DateTime<Utc>, ties: &[Tie]) -> Option<u64> {
        let fits = |cause: &Cause, tie: &Tie| cause.tie == *tie && (!matches!(tie, Tie::Reason(_)) || at - cause.last <= AT_ONCE);
        ties.iter().find_map(|tie| self.open.iter().find(|(_, cause)| fits(cause, tie)).map(|(id, _)| *id))
    }

    /// The troubles without a cause that have this in common, where they are enough to have one.
    fn tied(&self, at: DateTime<Utc>, tie: &Tie) -> Option<Vec<Thing>> {
        let recent = |trouble: &Trouble| !matches!(tie, Tie::Reason(_)) || at - trouble.since <= AT_ONCE;
        let alone = self.troubles.iter().filter(|(_, trouble)| self.free(trouble, tie) && trouble.ties.contains(tie) && recent(trouble));
        let things: Vec<Thing> = alone.map(|(thing, _)| thing.clone()).collect();
        let enough = match tie {
            Tie::Node(_) => things.len() > 1 && things.iter().any(|thing| matches!(thing, Thing::Node(_))),
            Tie::Registry(_) | Tie::Namespace(_) | Tie::Service(_) => things.len() > 1,
            Tie::Reason(_) => things.len() >= MANY,
        };
        enough.then_some(things)
    }

    fn join(&mut self, at: DateTime<Utc>, thing: &Thing, id: u64, timeline: &mut Timeline) {
        self.detach(thing, timeline);
        let (Some(trouble), Some(cause)) = (self.troubles.get_mut(thing), self.open.get_mut(&id)) else { return };
        trouble.cause = Some(id);
        cause.broken += 1;
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
            let staying = self.troubles.values().find(|trouble| trouble.cause == Some(id) && trouble.entry.is_some());
            let words = staying.and_then(|trouble| timeline.get(trouble.entry?)).map(|entry| entry.text.clone());
            return self.retell(id, words, timeline);
        }
        let left = self.troubles.values_mut().filter(|trouble| trouble.cause == Some(id));
        let entries: Vec<u64> = left.filter_map(|trouble| trouble.cause.take().and(trouble.entry)).collect();
        let well = self.open.remove(&id).into_iter().flat_map(|cause| cause.well.into_values()).flatten();
        for entry in entries.into_iter().chain(well) {
            if let Some(entry) = timeline.get_mut(entry) {
                entry.cause = None;
            }
        }
        timeline.remove(id);
    }

    /// Says that it is well again, for alerts that they ended.
    pub fn end(&mut self, at: DateTime<Utc>, thing: &Thing, text: impl Into<Clean>, timeline: &mut Timeline) {
        let (text, Some(trouble)) = (text.into(), self.troubles.remove(thing)) else { return };
        let entry = trouble.entry.and_then(|entry| timeline.get_mut(entry));
        let subject = entry.map(|entry| {
            entry.ended = Some(at);
            entry.about()
        });
        match trouble.cause {
            None => {
                let id = timeline.add(at, thing.over(), subject.unwrap_or_default(), text, None);
                if let Some(entry) = timeline.get_mut(id) {
                    entry.about = thing.about();
                }
            }
            Some(cause) => {
                let said = (thing.over() == EntryKind::Recovery).then_some(text);
                self.left(at, thing, cause, (trouble.entry, said), timeline);
            }
        }
    }

    /// It is not there any more: nothing to say of a trouble on its own, one case less where there are others.
    pub fn forget(&mut self, at: DateTime<Utc>, thing: &Thing, timeline: &mut Timeline) {
        let Some(trouble) = self.troubles.remove(thing) else { return };
        if let Some(entry) = trouble.entry.and_then(|entry| timeline.get_mut(entry)) {
            entry.ended = Some(at);
        }
        if let Some(cause) = trouble.cause {
            self.left(at, thing, cause, (trouble.entry, None), timeline);
        }
    }

    /// A case is over; when all are, so is the cause.
    fn left(&mut self, at: DateTime<Utc>, thing: &Thing, id: u64, (entry, said): (Option<u64>, Option<Clean>), timeline: &mut Timeline) {
        let Some(cause) = self.open.get_mut(&id) else { return };
        cause.broken = cause.broken.saturating_sub(1);
        cause.well.insert(thing.clone(), entry);
        cause.ended = said.or(cause.ended.take());
        self.retell(id, None, timeline);
        let Some(cause) = self.open.get(&id).filter(|cause| cause.broken == 0) else { return };
        let subject = timeline.get_mut(id).map(|line| {
            line.ended = Some(at);
            line.about()
        });
        let all = if cause.cases() == 2 { "both".to_owned() } else { format!("all {}", cause.cases()) };
        let said =
            cause.ended.as_ref().filter(|_| matches!(cause.tie, Tie::Service(_))).map(|said| format!("{said} · ")).unwrap_or_default();
        let text = format!("{said}{all} over after {}", units::age(at - cause.since));
        timeline.add(at, EntryKind::Recovery, subject.unwrap_or_default(), text, None);
        self.open.remove(&id);
    }

    /// Says on the cause's line what is so now.
    fn retell(&mut self, id: u64, words: Option<Clean>, timeline: &mut Timeline) {
        let Some(cause) = self.open.get_mut(&id) else { return };
        cause.words = words.unwrap_or_else(|| cause.words.clone());
        let (cause, cases) = (&*cause, cause.cases());
        let of_service = matches!(cause.tie, Tie::Service(_));
        let told: Vec<Clean> = timeline.cases(id).filter(|_| of_service).map(|entry| entry.text.clone()).collect();
        let over = if cause.well.is_empty() { String::new() } else { format!("{} of {cases} over · ", cause.well.len()) };
        let Some(line) = timeline.get_mut(id) else { return };
        line.cases = u32::try_from(cases).unwrap_or(u32::MAX);
        let (Tie::Node(tied) | Tie::Registry(tied) | Tie::Namespace(tied) | Tie::Service(tied) | Tie::Reason(tied)) = &cause.tie;
        let name = ContextId::bare(tied);
        let text = match &cause.tie {
            Tie::Node(_) => format!("node not ready, {} with it", workloads(cases.saturating_sub(1))),
            Tie::Registry(_) => format!("{} cannot pull their images: {}", workloads(cases), cause.words),
            Tie::Namespace(_) => format!("{} get no pods: {}", workloads(cases), cause.words),
            Tie::Service(_) => told.iter().map(Clean::as_str).collect::<Vec<_>>().join(" · "),
            Tie::Reason(_) if line.kind == EntryKind::Alert => format!("{cases} alerts at once"),
            Tie::Reason(_) => cause.words.to_string(),
        };
        let many = matches!(cause.tie, Tie::Reason(_)) && line.kind != EntryKind::Alert;
        line.subject = if many { workloads(cases).into() } else { name.into() };
        (line.context, line.text) = (ContextId::of(tied), format!("{over}{text}").into());
    }
}

fn workloads(count: usize) -> String {
    format!("{count} workload{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
#[path = "causes_tests.rs"]
mod tests;
