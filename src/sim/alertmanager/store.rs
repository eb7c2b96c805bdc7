//! What the simulated Alertmanager knows: the rule's alerts and the silences.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::sim::prometheus::eval::vector;
use crate::sim::prometheus::tsdb::Tsdb;

const RATIO: &str = r#"sum(rate(http_requests_total{status=~"5.."}[30s])) by (service) / sum(rate(http_requests_total[30s])) by (service)"#;
const THRESHOLD: f64 = 0.05;
/// How long the ratio has to stay above the threshold.
pub(super) const FOR: TimeDelta = TimeDelta::seconds(6);

/// The services whose error ratio is too high, and what was silenced.
#[derive(Debug, Default)]
pub(crate) struct Alerts {
    pub(super) pending: BTreeMap<String, Pending>,
    /// In the order in which they were made; what expired stays, as Alertmanager keeps it for days.
    pub(super) silences: Vec<Silence>,
}

#[derive(Debug)]
pub(super) struct Silence {
    pub(super) id: String,
    /// As it was posted.
    pub(super) posted: Posted,
    pub(super) updated: DateTime<Utc>,
}

/// `postableSilence`
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Posted {
    pub(super) matchers: Vec<Matcher>,
    pub(super) starts_at: DateTime<Utc>,
    pub(super) ends_at: DateTime<Utc>,
    pub(super) created_by: String,
    pub(super) comment: String,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Matcher {
    pub(super) name: String,
    pub(super) value: String,
    pub(super) is_regex: bool,
    #[serde(default = "yes")]
    pub(super) is_equal: bool,
}

fn yes() -> bool {
    true
}

impl Silence {
    pub(super) fn state(&self, now: DateTime<Utc>) -> &'static str {
        match (self.posted.starts_at > now, self.posted.ends_at > now) {
            (_, false) => "expired",
            (true, true) => "pending",
            (false, true) => "active",
        }
    }

    /// Patterns are taken as plain values: warroom makes none.
    pub(super) fn mutes(&self, labels: &Value, now: DateTime<Utc>) -> bool {
        let fits = |matcher: &Matcher| {
            (labels[&matcher.name].as_str().unwrap_or("") == matcher.value) == matcher.is_equal
        };
        self.state(now) == "active" && self.posted.matchers.iter().all(fits)
    }

    pub(super) fn json(&self, now: DateTime<Utc>) -> Value {
        let mut json = serde_json::to_value(&self.posted).unwrap_or_default();
        json["id"] = self.id.as_str().into();
        json["status"] = json!({"state": self.state(now)});
        json["updatedAt"] = time(self.updated).into();
        json
    }
}

#[derive(Debug)]
pub(super) struct Pending {
    pub(super) since: DateTime<Utc>,
    pub(super) ratio: f64,
}

impl Alerts {
    /// Applies the rule at `now`.
    pub(crate) fn evaluate(&mut self, tsdb: &Tsdb, now: DateTime<Utc>) {
        let high = vector(tsdb, RATIO, now).into_iter().filter(|(_, ratio)| *ratio > THRESHOLD);
        let high: BTreeMap<_, _> =
            high.filter_map(|(labels, ratio)| Some((labels.get("service")?.clone(), ratio))).collect();
        self.pending.retain(|service, _| high.contains_key(service));
        for (service, ratio) in high {
            self.pending.entry(service).or_insert(Pending { since: now, ratio }).ratio = ratio;
        }
    }

    pub(super) fn firing(&self, now: DateTime<Utc>) -> impl Iterator<Item = (&str, &Pending)> {
        self.pending
            .iter()
            .filter(move |(_, pending)| now - pending.since >= FOR)
            .map(|(service, pending)| (service.as_str(), pending))
    }
}

pub(super) fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}
