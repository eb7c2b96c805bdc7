//! What the owner of the journal and its writing thread say to each other: what a recording starts with,
//! records that wait, and how well they can be written.

use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::OwnedSemaphorePermit;

use super::format::record_line;
use crate::clean::redact::Redacted;

/// What a new recording starts with.
pub struct Opening<'a, W> {
    /// The data folder; the recording becomes `<data>/recordings/<name>`.
    pub data: &'a Path,
    /// The kube-context or the scenario, for the folder's name.
    pub context: &'a str,
    /// What to say about the session in every header: context, cluster, namespace, mode, start.
    pub about: serde_json::Value,
    /// Now, to the microsecond.
    pub at: DateTime<Utc>,
    /// The world before record 1.
    pub world: &'a W,
    /// Usually the default.
    pub limits: Limits,
}

/// How much is gathered before it is written out.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The longest that an observation waits for its commit.
    pub group: Duration,
    /// A segment takes at least this many bytes of records, or as many as its checkpoint has.
    pub segment: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { group: Duration::from_millis(200), segment: 4 << 20 }
    }
}

/// What a record that waits to be written takes of the room there is; given back once it is written or lost.
pub type Permit = OwnedSemaphorePermit;

/// A record, ready to be written.
#[derive(Debug)]
pub struct Pending {
    pub(super) seq: u64,
    pub(super) at: DateTime<Utc>,
    pub(super) line: Vec<u8>,
    pub(super) _room: Option<Permit>,
}

impl Pending {
    /// Record number `seq`, which happened `at` (cut to the microsecond before it was reduced).
    pub fn new<E>(seq: u64, at: DateTime<Utc>, event: &Redacted<E>, room: Option<Permit>) -> Self {
        Self { seq, at, line: record_line(seq, at, event.json()), _room: room }
    }
}

/// Whether the journal can be relied on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum JournalHealth {
    /// Everything is written.
    #[default]
    Ok,
    /// Everything is written, but no new segment could be started: seeking gets slower.
    Strained {
        /// Since which record's time.
        since: DateTime<Utc>,
        /// What the system said.
        error: String,
    },
    /// Nothing is written, and decisions are refused.
    Failing {
        /// Since which record's time.
        since: DateTime<Utc>,
        /// What the system said.
        error: String,
    },
}

/// What the writer says about itself, through a watch channel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// Whether it can write.
    pub health: JournalHealth,
    /// Every record up to this one is on disk, or in a gap that is on disk.
    pub durable_seq: u64,
    /// Records lost since the recording began.
    pub lost: u64,
    /// It waits for [`Writer::checkpoint`](super::Writer::checkpoint); the owner asks
    /// [`Writer::wants_checkpoint`](super::Writer::wants_checkpoint).
    pub wants_checkpoint: bool,
}
