//! The incident's timeline: what was detected, done and said, in the order of when it happened.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::clean::Clean;
use crate::event::{ContextId, Meta, ObjectKey, Uid};

/// Entries kept; the journal keeps them all.
const KEPT: usize = 5_000;

crate::data::names! {
    /// Kind of an entry; the names are what a filter takes after `kind:`.
    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    EntryKind "kind" {
        /// A rollout or a scaling that somebody began.
        Deploy "deploy",
        /// Something else that changed: a config map, a node that came, went or was cordoned.
        Change "change",
        /// Something broke.
        Trouble "trouble",
        /// Something was resolved.
        Recovery "recovery",
        /// An alert fires.
        Alert "alert",
        /// An alert ended.
        AlertEnded "alert-ended",
        /// A change was confirmed in warroom.
        Action "action",
        /// A change was applied.
        Applied "applied",
        /// A command that only looks has run.
        Checked "checked",
        /// A change was refused.
        Rejected "rejected",
        /// The answer to a change was lost.
        Unknown "unknown",
        /// The effect of a change was verified.
        Verified "verified",
        /// The effect of a change was not seen in time.
        Unverified "unverified",
        /// A note of the operator.
        Note "note",
        /// About warroom itself: armed, a source went stale, the session began.
        Session "session",
    }
}

/// Subject of an entry: a service, a workload, a node, a source. May be empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subject {
    /// Context that it is of.
    pub context: ContextId,
    /// Name of the subject.
    pub name: Clean,
}

impl From<&ObjectKey> for Subject {
    fn from(key: &ObjectKey) -> Self {
        Self { context: key.context(), name: key.id().into() }
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
    /// Returns the kind of its entries.
    pub fn kind(self) -> EntryKind {
        if self == Self::Created { EntryKind::Deploy } else { EntryKind::Change }
    }

    /// Returns what many of them are, and what happened to them.
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
    /// Time when it happened (which may be before warroom learnt it).
    pub at: DateTime<Utc>,
    /// Number in the order of learning: an identity that stays.
    pub id: u64,
    /// Kind of the entry.
    pub kind: EntryKind,
    /// Subject: a service, a workload, a node, a source. May be empty.
    pub subject: Clean,
    /// Context that the subject is of.
    #[serde(default, skip_serializing_if = "ContextId::is_main")]
    pub context: ContextId,
    /// What happened, in a few words.
    pub text: Clean,
    /// Number of the action that it belongs to (①, ②, …), on every chart as well.
    pub mark: Option<u32>,
    /// Sort of change, where those that come together are told together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sort: Option<ChangeSort>,
    /// Uid of what it is about: an object of the cluster by its uid, an alert by its fingerprint.
    pub about: Option<Uid>,
    /// Id of the entry that it is a case of; it is shown when that one is expanded.
    pub cause: Option<u64>,
    /// Number of cases that it stands for; 0 where it stands for itself.
    pub cases: u32,
    /// Time since when it has ended, for troubles and alerts.
    pub ended: Option<DateTime<Utc>>,
    /// Whether it is pinned.
    pub pinned: bool,
}

impl TimelineEntry {
    /// Returns its subject.
    pub(in crate::state) fn about(&self) -> Subject {
        Subject { context: self.context, name: self.subject.clone() }
    }

    /// Returns whether it tells of a cluster, and not of a person or of warroom itself.
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

    /// Adds an entry of something that may have been told before.
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

    /// Returns how many entries were ever added: whether there is news.
    pub fn told(&self) -> u64 {
        self.next
    }

    /// Returns all entries, oldest first.
    pub fn entries(&self) -> &[TimelineEntry] {
        &self.entries
    }

    /// Returns the entry with an id.
    pub fn get(&self, id: u64) -> Option<&TimelineEntry> {
        self.entries.iter().rev().find(|entry| entry.id == id)
    }

    /// Returns the entry with an id, to change.
    pub(in crate::state) fn get_mut(&mut self, id: u64) -> Option<&mut TimelineEntry> {
        self.entries.iter_mut().rev().find(|entry| entry.id == id)
    }

    /// Iterates over what stands for itself or for its cases, oldest first: the lines of the timeline.
    pub fn lines(&self) -> impl DoubleEndedIterator<Item = &TimelineEntry> {
        self.entries.iter().filter(|entry| entry.cause.is_none())
    }

    /// Iterates over the cases that an entry stands for, oldest first.
    pub fn cases(&self, of: u64) -> impl Iterator<Item = &TimelineEntry> {
        self.entries.iter().filter(move |entry| entry.cause == Some(of))
    }

    /// Removes an entry that stands for nothing any more.
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

    /// Pins or unpins an entry.
    pub(in crate::state) fn pin(&mut self, id: u64, pinned: bool) {
        if let Some(entry) = self.get_mut(id) {
            entry.pinned = pinned;
        }
    }

    /// Returns the id of the entry added last, 0 before the first.
    pub fn newest(&self) -> u64 {
        self.next
    }

    /// Iterates over what belongs on a chart: deploys and what was done, with its number, in the main
    /// context, whose rates and lags they are.
    pub fn markers(&self) -> impl Iterator<Item = &TimelineEntry> {
        self.lines()
            .filter(|e| e.context.is_main() && matches!(e.kind, EntryKind::Deploy | EntryKind::Applied))
    }
}
