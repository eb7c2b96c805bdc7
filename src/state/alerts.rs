//! The alerts that are active now.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::clean::Clean;
use crate::event::Alert;

/// Active alerts by fingerprint.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Alerts(BTreeMap<Clean, Alert>);

impl Alerts {
    /// Takes in the full list; answers which alerts are new and which have ended.
    pub fn fold(&mut self, now: &[Alert]) -> (Vec<Alert>, Vec<Alert>) {
        let next: BTreeMap<Clean, Alert> = now.iter().map(|alert| (alert.fingerprint.clone(), alert.clone())).collect();
        let new = next.values().filter(|alert| !self.0.contains_key(&alert.fingerprint)).cloned().collect();
        let ended = self.0.values().filter(|alert| !next.contains_key(&alert.fingerprint)).cloned().collect();
        self.0 = next;
        (new, ended)
    }

    /// All of them, the longest firing first.
    pub fn rows(&self) -> Vec<&Alert> {
        let mut rows: Vec<&Alert> = self.0.values().collect();
        rows.sort_by_key(|alert| (alert.since, alert.name.clone()));
        rows
    }

    /// How many call for a person: those that nobody silenced.
    pub fn firing(&self) -> usize {
        self.0.values().filter(|alert| alert.state == "active").count()
    }
}
