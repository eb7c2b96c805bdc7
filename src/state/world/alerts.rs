//! The alerts that are there now, and what keeps some of them quiet.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::clean::Clean;
use crate::event::{Alert, Silence};
use crate::state::Severity;

/// Labels that tell alerts of one name apart, whatever others of that name there are.
const TELLING: [&str; 5] = ["container", "device", "instance", "node", "pod"];

/// Returns the severity of an alert, by its label `severity`. What only informs needs nobody: `none` is that
/// of kube-prometheus' `Watchdog` and `InfoInhibitor`, which always fire.
pub fn urgency(alert: &Alert) -> Severity {
    match alert.labels.get("severity").map(|severity| severity.to_lowercase()).as_deref() {
        Some("none" | "info" | "informational" | "debug") => Severity::Ok,
        Some("critical" | "page" | "emergency" | "fatal") => Severity::Critical,
        _ => Severity::Warn,
    }
}

/// Alerts by fingerprint, silences by id.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Alerts {
    alerts: BTreeMap<Clean, Alert>,
    silences: BTreeMap<Clean, Silence>,
}

impl Alerts {
    /// Takes in the full list of alerts.
    pub fn fold(&mut self, now: &[Alert]) {
        self.alerts = now.iter().map(|alert| (alert.fingerprint.clone(), alert.clone())).collect();
    }

    /// Takes in the full list of silences.
    pub fn silence(&mut self, now: &[Silence]) {
        self.silences = now.iter().map(|silence| (silence.id.clone(), silence.clone())).collect();
    }

    /// Returns the alert with a fingerprint.
    pub fn get(&self, fingerprint: &str) -> Option<&Alert> {
        self.alerts.get(fingerprint)
    }

    /// Returns all alerts, the longest firing first.
    pub fn rows(&self) -> Vec<&Alert> {
        let mut rows: Vec<&Alert> = self.alerts.values().collect();
        rows.sort_by(|a, b| (a.since, &a.name).cmp(&(b.since, &b.name)));
        rows
    }

    /// Returns the alerts by name, those with one that calls for a person first; within a name the longest
    /// firing first.
    pub fn grouped(&self) -> Vec<(&Clean, Vec<&Alert>)> {
        let mut groups: BTreeMap<&Clean, Vec<&Alert>> = BTreeMap::new();
        for alert in self.rows() {
            groups.entry(&alert.name).or_default().push(alert);
        }
        let mut groups: Vec<_> = groups.into_iter().collect();
        groups.sort_by_key(|(_, alerts)| !alerts.iter().any(|alert| alert.active()));
        groups
    }

    /// Returns the number of active alerts: those that nobody silenced.
    pub fn firing(&self) -> usize {
        self.alerts.values().filter(|alert| alert.active()).count()
    }

    /// Iterates over those that call for a person and do not only inform, with how much they do.
    pub fn urgent(&self) -> impl Iterator<Item = (&Alert, Severity)> {
        let rated = self.alerts.values().filter(|alert| alert.active()).map(|alert| (alert, urgency(alert)));
        rated.filter(|(_, urgency)| *urgency > Severity::Ok)
    }

    /// Returns an alert's name, and the labels that tell it from others of that name: `DiskFull
    /// instance=10.0.0.1:9100`.
    pub fn told(&self, alert: &Alert) -> Clean {
        let about = alert.about();
        let (_, shared) = self.named(&alert.name);
        let telling = |name: &Clean| {
            TELLING.contains(&name.as_str()) || (*name != "severity" && !shared.contains_key(name))
        };
        let labels = alert.labels.iter().filter(|(name, value)| telling(name) && Some(*value) != about);
        labels.fold(alert.name.to_string(), |told, (name, value)| format!("{told}  {name}={value}")).into()
    }

    /// Returns the silences, the first to end first.
    pub fn silences(&self) -> Vec<&Silence> {
        let mut all: Vec<&Silence> = self.silences.values().collect();
        all.sort_by_key(|silence| (silence.ends, silence.id.clone()));
        all
    }

    /// Returns the silences of an alert, the last to end last.
    pub fn silencing(&self, alert: &Alert) -> Vec<&Silence> {
        self.silences().into_iter().filter(|silence| alert.silenced_by.contains(&silence.id)).collect()
    }

    /// Returns the alerts of a name or with a fingerprint, and what their labels have in common: what names
    /// them and nothing else.
    pub fn named(&self, wanted: &str) -> (Vec<&Alert>, BTreeMap<Clean, Clean>) {
        let all: Vec<&Alert> = self
            .alerts
            .values()
            .filter(|alert| alert.fingerprint == *wanted || alert.name == *wanted)
            .collect();
        let shared = |(name, value): &(&Clean, &Clean)| {
            all.iter().all(|alert| alert.labels.get(*name) == Some(*value))
        };
        let labels = all
            .first()
            .map(|first| first.labels.iter().filter(shared).map(|(n, v)| (n.clone(), v.clone())).collect());
        (all, labels.unwrap_or_default())
    }

    /// Iterates over the active alerts and have all these labels.
    pub fn matching<'a>(&'a self, labels: &'a BTreeMap<Clean, Clean>) -> impl Iterator<Item = &'a Alert> {
        let fits =
            move |alert: &&Alert| labels.iter().all(|(name, value)| alert.labels.get(name) == Some(value));
        self.alerts.values().filter(|alert| alert.active()).filter(fits)
    }
}
