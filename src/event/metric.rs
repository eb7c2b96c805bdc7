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

impl GroupLag {
    /// Whether it is told to whom partitions are assigned; an exporter does not know, and in a rebalance
    /// nobody does.
    pub fn assigned(&self) -> bool {
        self.partitions.iter().any(|partition| partition.client.is_some())
    }
}

/// One partition as a group sees it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PartitionLag {
    /// The topic.
    pub topic: Clean,
    /// The partition's number.
    pub partition: u32,
    /// The committed offset; `None` when nothing was ever committed.
    pub committed: Option<i64>,
    /// The end of the log.
    pub end: Option<i64>,
    /// Where the log begins: what stood before was deleted by retention.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<i64>,
    /// The client that it is assigned to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<Clean>,
    /// Where that client runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<Clean>,
}

impl PartitionLag {
    /// Records not yet consumed; unknown (and never the whole log) without a commit.
    pub fn lag(&self) -> Option<i64> {
        Some(self.end?.saturating_sub(self.committed?).max(0))
    }

    /// Records that retention deleted before they were consumed.
    pub fn lost(&self) -> Option<i64> {
        Some(self.start?.saturating_sub(self.committed?).max(0))
    }
}

/// An alert that Alertmanager holds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// Alertmanager's identity of it.
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
    /// Where the rule that fired it can be looked at.
    pub generator: Option<Clean>,
    /// `active`, `suppressed` or `unprocessed`.
    pub state: Clean,
    /// The silences that keep it quiet.
    pub silenced_by: Vec<Clean>,
    /// The alerts that keep it quiet.
    pub inhibited_by: Vec<Clean>,
    /// Since when it fires.
    pub since: DateTime<Utc>,
}

impl Alert {
    /// Whether it calls for a person: nobody silenced it and no other alert stands for it.
    pub fn active(&self) -> bool {
        self.state == "active"
    }

    /// Whom it is about, as its labels name it.
    pub fn about(&self) -> Option<&Clean> {
        ["service", "deployment", "pod", "node", "job", "instance"]
            .into_iter()
            .find_map(|label| self.labels.get(label))
    }

    /// The service that it is about.
    pub fn service(&self) -> Option<&Clean> {
        self.labels.get("service")
    }
}

/// A silence that is in force, or will be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Silence {
    /// Alertmanager's identity of it.
    pub id: Clean,
    /// Which alerts: those that all of these fit.
    pub matchers: Vec<Matcher>,
    /// From when on.
    pub starts: DateTime<Utc>,
    /// Until when.
    pub ends: DateTime<Utc>,
    /// Whose it is.
    pub by: Clean,
    /// Why.
    pub comment: Clean,
    /// Whether it is in force now.
    pub active: bool,
}

/// What a silence wants of one label.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Matcher {
    /// The label.
    pub name: Clean,
    /// Its value, or a pattern of it.
    pub value: Clean,
    /// Whether the value is a pattern (RE2).
    pub regex: bool,
    /// `false`: what does not have it.
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
