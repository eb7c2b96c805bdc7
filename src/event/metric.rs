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
    /// Partitions that the group reads, sorted by topic and number.
    pub partitions: Vec<PartitionLag>,
}

impl GroupLag {
    /// Returns whether the reading says to whom partitions are assigned; an exporter does not know, and in a
    /// rebalance nobody does.
    pub fn assigned(&self) -> bool {
        self.partitions.iter().any(|partition| partition.client.is_some())
    }
}

/// A partition and the group's offset in it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PartitionLag {
    /// Topic of the partition.
    pub topic: Clean,
    /// The partition's number.
    pub partition: u32,
    /// The committed offset; `None` when nothing was ever committed.
    pub committed: Option<i64>,
    /// End of the log: the offset of the next record; `None` when it is unknown.
    pub end: Option<i64>,
    /// Start of the log: retention deleted what stood before; `None` when it is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<i64>,
    /// Client that the partition is assigned to; `None` when it is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<Clean>,
    /// Host of that client; `None` when it is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<Clean>,
}

impl PartitionLag {
    /// Returns the number of records not yet consumed; `None`, and never the whole log, without a commit.
    pub fn lag(&self) -> Option<i64> {
        Some(self.end?.saturating_sub(self.committed?).max(0))
    }

    /// Returns the number of records that retention deleted before they were consumed.
    pub fn lost(&self) -> Option<i64> {
        Some(self.start?.saturating_sub(self.committed?).max(0))
    }
}

/// An alert that Alertmanager holds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// Fingerprint by which Alertmanager identifies it.
    pub fingerprint: Clean,
    /// `alertname`
    pub name: Clean,
    /// All labels.
    pub labels: BTreeMap<Clean, Clean>,
    /// The `summary` annotation.
    pub summary: Option<Clean>,
    /// The `description` annotation.
    pub description: Option<Clean>,
    /// The `runbook_url` annotation.
    pub runbook: Option<Clean>,
    /// URL of the rule that fired it (`generatorURL`).
    pub generator: Option<Clean>,
    /// `active`, `suppressed` or `unprocessed`.
    pub state: Clean,
    /// Ids of the silences that suppress it.
    pub silenced_by: Vec<Clean>,
    /// Fingerprints of the alerts that inhibit it.
    pub inhibited_by: Vec<Clean>,
    /// Time since when it fires.
    pub since: DateTime<Utc>,
}

impl Alert {
    /// Returns whether the alert is active: neither silenced nor inhibited.
    pub fn active(&self) -> bool {
        self.state == "active"
    }

    /// Returns the service or object that its labels name.
    pub fn about(&self) -> Option<&Clean> {
        ["service", "deployment", "pod", "node", "job", "instance"]
            .into_iter()
            .find_map(|label| self.labels.get(label))
    }

    /// Returns the service that its labels name.
    pub fn service(&self) -> Option<&Clean> {
        self.labels.get("service")
    }
}

/// A silence that is in force, or will be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Silence {
    /// Id that Alertmanager gave the silence.
    pub id: Clean,
    /// Matchers that an alert must all fit to be silenced.
    pub matchers: Vec<Matcher>,
    /// Time from which it is in force.
    pub starts: DateTime<Utc>,
    /// Time until which it is in force.
    pub ends: DateTime<Utc>,
    /// Name of the person who created it.
    pub by: Clean,
    /// Reason that its creator gave.
    pub comment: Clean,
    /// Whether it is in force now.
    pub active: bool,
}

/// Condition of a silence on one label.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Matcher {
    /// Name of the label.
    pub name: Clean,
    /// Value that the label must have, or a pattern of it.
    pub value: Clean,
    /// Whether the value is a pattern (RE2).
    pub regex: bool,
    /// Whether the label must have the value; `false` where it must not.
    pub equal: bool,
}

impl std::fmt::Display for Matcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = match (self.equal, self.regex) {
            (true, false) => "=",
            (false, false) => "!=",
            (true, true) => "=~",
            (false, true) => "!~",
        };
        write!(f, "{}{sign}\"{}\"", self.name, self.value)
    }
}
