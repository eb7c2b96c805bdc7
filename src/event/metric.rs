//! Numbers read from Prometheus, Kafka and Alertmanager. Unknown is `None`, never 0.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::clean::Clean;

/// The request rates of all services at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RateSample {
    /// The moment that the rates are of.
    pub at: DateTime<Utc>,
    /// The window they are averaged over, seconds: max(30, 4 × the scrape interval).
    pub window: u32,
    /// By service, sorted by name.
    pub services: Vec<ServiceRate>,
    /// The runbook's own figure: all 5xx per second over 5 minutes.
    pub errors_5m: Option<f64>,
}

/// One service's rates.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServiceRate {
    /// The service.
    pub service: Clean,
    /// Failing requests (5xx) a second.
    pub errors: Option<f64>,
    /// All requests a second.
    pub requests: Option<f64>,
}

impl ServiceRate {
    /// The share of requests that fail, 0..1; unknown without requests.
    pub fn ratio(&self) -> Option<f64> {
        let requests = self.requests.filter(|all| *all > 0.0)?;
        Some((self.errors? / requests).clamp(0.0, 1.0))
    }
}

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
    /// The `runbook_url` annotation.
    #[serde(default)]
    pub runbook: Option<Clean>,
    /// Where the rule can be looked at: Alertmanager's `generatorURL`.
    #[serde(default)]
    pub generator: Option<Clean>,
    /// `active`, `suppressed` or `unprocessed`.
    pub state: Clean,
    /// Since when it fires.
    pub since: DateTime<Utc>,
}
