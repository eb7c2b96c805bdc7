//! The incident's timeline: what was detected, done and said, in the order of when it happened.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::clean::Clean;
use crate::event::{ContextId, Meta, Uid};

/// Entries kept; the journal keeps them all.
const KEPT: usize = 5_000;

crate::data::names! {
    /// What sort of thing an entry tells; the names are what a filter takes after `kind:`.
    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    EntryKind "kind" {
        /// A rollout or a scaling that somebody began.
        Deploy "deploy",
        /// Something else that changed: a config map, a node that came, went or was cordoned.
        Change "change",
        /// Something broke.
        Trouble "trouble",
        /// It is well again.
        Recovery "recovery",
        /// An alert fires.
        Alert "alert",
        /// An alert ended.
        AlertEnded "alert-ended",
        /// A change was confirmed in warroom.
        Action "action",
        /// It was made.
        Applied "applied",
        /// A command that only looks has run.
        Checked "checked",
        /// It was refused.
        Rejected "rejected",
        /// Its answer was lost.
        Unknown "unknown",
        /// Its effect was seen.
        Verified "verified",
        /// Its effect was not seen in time.
        Unverified "unverified",
        /// A note.
        Note "note",
        /// About warroom itself: armed, a source went stale, the session began.
        Session "session",
    }
}

/// Whom an entry is about: a service, a workload, a node, a source. May be empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subject {
    /// The context that it is of.
    pub context: ContextId,
    /// Its name.
    pub name: Clean,
}

impl Subject {
    /// A name that is marked with its context ([`ContextId::mark`]).
    pub fn marked(name: &str) -> Self {
        Self { context: ContextId::of(name), name: ContextId::bare(name).into() }
    }
}

impl From<&Meta> for Subject {
    fn from(meta: &Meta) -> Self {
        Self { context: meta.context(), name: meta.name.clone() }
    }
}

impl From<Clean> for Subject {
    fn from(name: Clean) -> Self {
        Self { context: ContextId::MAIN, name }
    }
}

impl From<&str> for Subject {
    fn from(name: &str) -> Self {
        Clean::new(name).into()
    }
}

/// Changes that are told in one entry where several come together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeSort {
    /// Workloads that were made.
    Created,
    /// Workloads that were deleted.
    Deleted,
    /// Pods and Jobs that were deleted while they were in trouble.
    Ended,
    /// ConfigMaps that were made, changed or deleted.
    Configured,
    /// Nodes that joined.
    Joined,
    /// Nodes that left.
    Left,
}

impl ChangeSort {
    /// What its entries are.
    pub fn kind(self) -> EntryKind {
        if self == Self::Created { EntryKind::Deploy } else { EntryKind::Change }
    }

    /// What many of them are, and what happened to them.
    pub fn many(self) -> (&'static str, &'static str) {
        match self {
            Self::Created => ("workloads", "created"),
            Self::Deleted => ("workloads", "deleted"),
            Self::Ended => ("pods and jobs", "deleted while in trouble"),
            Self::Configured => ("config maps", "changed"),
            Self::Joined => ("nodes", "joined"),
            Self::Left => ("nodes", "left"),
        }
    }
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TimelineEntry {
    /// When it happened (which may be before warroom learnt it).
    pub at: DateTime<Utc>,
    /// Its place in the order of learning: an identity that stays.
    pub id: u64,
    /// What sort of thing.
    pub kind: EntryKind,
    /// Whom it is about: a service, a workload, a node, a source. May be empty.
    pub subject: Clean,
    /// The context that the subject is of.
    #[serde(default, skip_serializing_if = "ContextId::is_main")]
    pub context: ContextId,
    /// What happened, in a few words.
    pub text: Clean,
    /// The number of the action that it belongs to (①, ②, …), on every chart as well.
    pub mark: Option<u32>,
    /// Of which sort of change it is, where those that come together are told together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sort: Option<ChangeSort>,
    /// What it is about: an object of the cluster by its uid, an alert by its fingerprint.
    pub about: Option<Uid>,
    /// The entry that it is one case of; it is seen when that one is opened.
    pub cause: Option<u64>,
    /// How many cases it stands for; 0 where it stands for itself.
    pub cases: u32,
    /// Since when it is over, for troubles and alerts.
    pub ended: Option<DateTime<Utc>>,
    /// Somebody wants it kept in sight.
    pub pinned: bool,
}

impl TimelineEntry {
    /// Whom it is about.
    pub(in crate::state) fn about(&self) -> Subject {
        Subject { context: self.context, name: self.subject.clone() }
    }

    /// Whether it tells of a cluster, and not of a person or of warroom itself.
    pub fn of_cluster(&self) -> bool {
        !matches!(self.kind, EntryKind::Note | EntryKind::Session | EntryKind::Alert | EntryKind::AlertEnded)
    }
}

/// All entries, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Timeline {
    entries: Vec<TimelineEntry>,
    next: u64,
}

impl Timeline {
    /// Adds an entry at the place where its time belongs; answers its id.
    pub fn add(
        &mut self,
        at: DateTime<Utc>,
        kind: EntryKind,
        subject: impl Into<Subject>,
        text: impl Into<Clean>,
        mark: Option<u32>,
    ) -> u64 {
        self.next += 1;
        let id = self.next;
        let text = text.into();
        let Subject { context, name } = subject.into();
        let sort = None;
        let about = None;
        let cause = None;
        let cases = 0;
        let ended = None;
        let pinned = false;
        let entry = TimelineEntry {
            at,
            id,
            kind,
            subject: name,
            context,
            text,
            mark,
            sort,
            about,
            cause,
            cases,
            ended,
            pinned,
        };
        let place = self.entries.partition_point(|other| other.at <= at);
        self.entries.insert(place, entry);
        if self.entries.len() > KEPT {
            self.forget_oldest();
        }
        self.next
    }

    /// The oldest goes, and its cases with it; not what is pinned, nor a cause that still has cases to come.
    fn forget_oldest(&mut self) {
        let open = |entry: &TimelineEntry| {
            entry.cases > 0
                && entry.ended.is_none()
                && matches!(entry.kind, EntryKind::Trouble | EntryKind::Alert)
        };
        let may_go = |entry: &&TimelineEntry| !entry.pinned && entry.cause.is_none() && !open(entry);
        let oldest = self.entries.iter().find(may_go).map(|entry| entry.id);
        self.entries
            .retain(|entry| Some(entry.id) != oldest && (entry.cause.is_none() || entry.cause != oldest));
    }

    /// The same of something that may have been told before.
    pub fn add_once(
        &mut self,
        at: DateTime<Utc>,
        kind: EntryKind,
        subject: impl Into<Subject>,
        text: impl Into<Clean>,
    ) {
        let subject = subject.into();
        let same = self.entries.partition_point(|other| other.at < at);
        let mut then = self.entries[same..].iter().take_while(|other| other.at == at);
        if !then.any(|other| other.kind == kind && other.about() == subject) {
            self.add(at, kind, subject, text, None);
        }
    }

    /// How many entries were ever told: whether there is news.
    pub fn told(&self) -> u64 {
        self.next
    }

    /// All entries, oldest first.
    pub fn entries(&self) -> &[TimelineEntry] {
        &self.entries
    }

    /// One entry.
    pub fn get(&self, id: u64) -> Option<&TimelineEntry> {
        self.entries.iter().rev().find(|entry| entry.id == id)
    }

    /// One entry, to change.
    pub(in crate::state) fn get_mut(&mut self, id: u64) -> Option<&mut TimelineEntry> {
        self.entries.iter_mut().rev().find(|entry| entry.id == id)
    }

    /// What stands for itself or for its cases, oldest first: the lines of the timeline.
    pub fn lines(&self) -> impl DoubleEndedIterator<Item = &TimelineEntry> {
        self.entries.iter().filter(|entry| entry.cause.is_none())
    }

    /// The cases that an entry stands for, oldest first.
    pub fn cases(&self, of: u64) -> impl Iterator<Item = &TimelineEntry> {
        self.entries.iter().filter(move |entry| entry.cause == Some(of))
    }

    /// Takes back an entry that stands for nothing any more.
    pub(in crate::state) fn remove(&mut self, id: u64) {
        self.entries.retain(|entry| entry.id != id);
    }

    /// Notes what an entry is about.
    pub(in crate::state) fn about(&mut self, id: u64, uid: &Uid) {
        if let Some(entry) = self.get_mut(id) {
            entry.about = Some(uid.clone());
        }
    }

    /// Gives an entry another time, and the place of that time.
    pub(in crate::state) fn bring(&mut self, id: u64, at: DateTime<Utc>) {
        let Some(from) = self.entries.iter().rposition(|entry| entry.id == id) else { return };
        let entry = TimelineEntry { at, ..self.entries.remove(from) };
        let place = self.entries.partition_point(|other| other.at <= at);
        self.entries.insert(place, entry);
    }

    /// Keeps an entry in sight, or no longer.
    pub(in crate::state) fn pin(&mut self, id: u64, pinned: bool) {
        if let Some(entry) = self.get_mut(id) {
            entry.pinned = pinned;
        }
    }

    /// The id of the entry learnt last, 0 before the first.
    pub fn newest(&self) -> u64 {
        self.next
    }

    /// What belongs on a chart: deploys and what was done, with its number, in the main context, whose rates
    /// and lags they are.
    pub fn markers(&self) -> impl Iterator<Item = &TimelineEntry> {
        self.lines()
            .filter(|e| e.context.is_main() && matches!(e.kind, EntryKind::Deploy | EntryKind::Applied))
    }
}
