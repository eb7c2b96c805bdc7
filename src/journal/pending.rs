//! What the owner of the journal and its writing thread say to each other: what a recording starts with,
//! records that wait, and how well they can be written.

use std::path::Path;

use chrono::{DateTime, Utc};
use tokio::sync::OwnedSemaphorePermit;

use super::format::record_line;
use super::limits::Limits;
use crate::clean::redact::Redacted;

/// Parameters of a new recording.
pub struct Opening<'a, W> {
    /// Data folder; the recording becomes `<data>/recordings/<name>`.
    pub data: &'a Path,
    /// Kube-context or scenario, for the folder's name.
    pub context: &'a str,
    /// Description of the session for every header: context, cluster, namespace, mode, start.
    pub about: serde_json::Value,
    /// Time of the beginning, to the microsecond.
    pub at: DateTime<Utc>,
    /// World before record 1.
    pub world: &'a W,
    /// Limits of groups and segments; usually the default.
    pub limits: Limits,
}

/// Permit for a record to wait for its writing; given back once it is written or lost.
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
    /// Creates record number `seq`, which happened `at` (cut to the microsecond before it was reduced).
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

/// State of the writer, told through a watch channel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// Whether the journal can be relied on.
    pub health: JournalHealth,
    /// Number of the last record before which, itself included, every one is on disk, or in a gap that is on
    /// disk.
    pub durable_seq: u64,
    /// Number of records lost since the recording began.
    pub lost: u64,
    /// Whether it waits for [`Writer::checkpoint`](super::Writer::checkpoint); the owner asks
    /// [`Writer::wants_checkpoint`](super::Writer::wants_checkpoint).
    pub wants_checkpoint: bool,
}
