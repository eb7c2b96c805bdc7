//! The incident's timeline: what was detected, done and said, in the order of when it happened.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::clean::Clean;

/// Entries kept; the journal keeps them all.
const KEPT: usize = 5_000;

/// What sort of thing an entry tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EntryKind {
    /// A rollout or a scaling that somebody began.
    Deploy,
    /// Something else that changed: a config map, a node that came, went or was cordoned.
    Change,
    /// Something broke.
    Trouble,
    /// It is well again.
    Recovery,
    /// An alert fires.
    Alert,
    /// An alert ended.
    AlertEnded,
    /// A change was confirmed in warroom.
    Action,
    /// It was made.
    Applied,
    /// It was refused.
    Rejected,
    /// Its answer was lost.
    Unknown,
    /// Its effect was seen.
    Verified,
    /// Its effect was not seen in time.
    Unverified,
    /// A note.
    Note,
    /// About warroom itself: armed, a source went stale, the session began.
    Session,
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// When it happened (which may be before warroom learnt it).
    pub at: DateTime<Utc>,
    /// Its place in the order of learning: an identity that stays.
    pub id: u64,
    /// What sort of thing.
    pub kind: EntryKind,
    /// Whom it is about: a service, a workload, a node, a source. May be empty.
    pub subject: Clean,
    /// What happened, in a few words.
    pub text: Clean,
    /// The number of the action that it belongs to (①, ②, …), on every chart as well.
    pub mark: Option<u32>,
}

/// All entries, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Timeline {
    entries: Vec<Entry>,
    next: u64,
}

impl Timeline {
    /// Adds an entry at the place where its time belongs.
    pub fn add(&mut self, at: DateTime<Utc>, kind: EntryKind, subject: Clean, text: impl Into<Clean>, mark: Option<u32>) {
        self.next += 1;
        let entry = Entry { at, id: self.next, kind, subject, text: text.into(), mark };
        let place = self.entries.partition_point(|other| other.at <= at);
        self.entries.insert(place, entry);
        if self.entries.len() > KEPT {
            self.entries.remove(0);
        }
    }

    /// The same of something that may have been told before.
    pub fn add_once(&mut self, at: DateTime<Utc>, kind: EntryKind, subject: Clean, text: impl Into<Clean>) {
        let same = self.entries.partition_point(|other| other.at < at);
        let mut then = self.entries[same..].iter().take_while(|other| other.at == at);
        if !then.any(|other| other.kind == kind && other.subject == subject) {
            self.add(at, kind, subject, text, None);
        }
    }

    /// Entries, oldest first.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The id of the entry learnt last, 0 before the first.
    pub fn newest(&self) -> u64 {
        self.next
    }

    /// The first alert or trouble: where elapsed time is counted from.
    pub fn began(&self) -> Option<DateTime<Utc>> {
        self.entries.iter().find(|e| matches!(e.kind, EntryKind::Alert | EntryKind::Trouble)).map(|e| e.at)
    }

    /// What belongs on a chart: deploys and what was done, with its number.
    pub fn markers(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|e| matches!(e.kind, EntryKind::Deploy | EntryKind::Applied))
    }
}
