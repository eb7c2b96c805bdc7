//! Numbers read from Kafka and Alertmanager. Unknown is `None`, never 0.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::clean::Clean;

/// A consumer group at one reading.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GroupLag {
    /// The group's id.
    pub group: Clean,
    /// Live members; `None` where the reading cannot tell.
    pub members: Option<u32>,
    /// Its partitions, sorted by topic and number.
    pub partitions: Vec<PartitionLag>,
}

/// One partition as a group sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PartitionLag {
    /// The topic.
    pub topic: Clean,
    /// The partition's number.
    pub partition: u32,
    /// The committed offset; `None` when nothing was ever committed.
    pub committed: Option<i64>,
    /// The end of the log.
    pub end: Option<i64>,
}

impl PartitionLag {
    /// Records not yet consumed; unknown (and never the whole log) without a commit.
    pub fn lag(&self) -> Option<i64> {
        Some((self.end? - self.committed?).max(0))
    }
}

/// An active alert.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// Alertmanager's identity of it.
    pub fingerprint: Clean,
    /// `alertname`
    pub name: Clean,
    /// All labels.
    pub labels: BTreeMap<Clean, Clean>,
    /// The `summary` annotation.
    pub summary: Option<Clean>,
    /// `active`, `suppressed` or `unprocessed`.
    pub state: Clean,
    /// Since when it fires.
    pub since: DateTime<Utc>,
}
