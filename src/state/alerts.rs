//! The alerts that are there now, and what keeps some of them quiet.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::clean::Clean;
use crate::event::{Alert, Silence};

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

    /// One alert.
    pub fn get(&self, fingerprint: &str) -> Option<&Alert> {
        self.alerts.get(fingerprint)
    }

    /// All of them, the longest firing first.
    pub fn rows(&self) -> Vec<&Alert> {
        let mut rows: Vec<&Alert> = self.alerts.values().collect();
        rows.sort_by_key(|alert| (alert.since, alert.name.clone()));
        rows
    }

    /// By name, those with one that calls for a person first; within a name the longest firing first.
    pub fn grouped(&self) -> Vec<(&Clean, Vec<&Alert>)> {
        let mut groups: BTreeMap<&Clean, Vec<&Alert>> = BTreeMap::new();
        for alert in self.rows() {
            groups.entry(&alert.name).or_default().push(alert);
        }
        let mut groups: Vec<_> = groups.into_iter().collect();
        groups.sort_by_key(|(_, alerts)| !alerts.iter().any(|alert| alert.active()));
        groups
    }

    /// How many call for a person: those that nobody silenced.
    pub fn firing(&self) -> usize {
        self.alerts.values().filter(|alert| alert.active()).count()
    }

    /// The silences, the first to end first.
    pub fn silences(&self) -> Vec<&Silence> {
        let mut all: Vec<&Silence> = self.silences.values().collect();
        all.sort_by_key(|silence| (silence.ends, silence.id.clone()));
        all
    }

    /// The silences that keep an alert quiet, the last to end last.
    pub fn silencing(&self, alert: &Alert) -> Vec<&Silence> {
        self.silences().into_iter().filter(|silence| alert.silenced_by.contains(&silence.id)).collect()
    }

    /// The alerts of a name or with a fingerprint, and what their labels have in common: what names them and nothing else.
    pub fn named(&self, wanted: &str) -> (Vec<&Alert>, BTreeMap<Clean, Clean>) {
        let all: Vec<&Alert> = self.alerts.values().filter(|alert| alert.fingerprint == *wanted || alert.name == *wanted).collect();
        let shared = |(name, value): &(&Clean, &Clean)| all.iter().all(|alert| alert.labels.get(*name) == Some(*value));
        let labels = all.first().map(|first| first.labels.iter().filter(shared).map(|(n, v)| (n.clone(), v.clone())).collect());
        (all, labels.unwrap_or_default())
    }

    /// The alerts that call for a person and have all these labels.
    pub fn matching<'a>(&'a self, labels: &'a BTreeMap<Clean, Clean>) -> impl Iterator<Item = &'a Alert> {
        let fits = move |alert: &&Alert| labels.iter().all(|(name, value)| alert.labels.get(name) == Some(value));
        self.alerts.values().filter(|alert| alert.active()).filter(fits)
    }
}
