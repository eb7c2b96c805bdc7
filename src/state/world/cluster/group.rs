//! The pods of one controller, the worst first.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::clean::Clean;
use crate::event::{Pod, Uid};
use crate::state::detect::pod_diagnosis::{Diagnosis, Severity, diagnose, restarts};

/// Where a troubled pod stands among those of its controller.
pub(in crate::state) type Rank = (Reverse<Severity>, Clean, Uid);

/// The pods of one controller; a pod without one is a group of its own.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::state) struct Group {
    pub(in crate::state) pods: BTreeMap<(Clean, Uid), Severity>,
    pub(in crate::state) trouble: BTreeMap<Rank, Diagnosis>,
    /// Restarts of all of them.
    pub(in crate::state) restarts: u32,
}

impl Group {
    /// Takes in a pod.
    pub(in crate::state) fn add(&mut self, pod: &Pod) {
        let diagnosis = diagnose(pod);
        let name = pod.meta.name.clone();
        let uid = pod.meta.uid.clone();
        self.pods.insert((name.clone(), uid.clone()), diagnosis.severity);
        self.restarts = self.restarts.saturating_add(restarts(pod));
        if diagnosis.severity > Severity::Ok {
            self.trouble.insert((Reverse(diagnosis.severity), name, uid), diagnosis);
        }
    }

    /// Forgets a pod.
    pub(in crate::state) fn remove(&mut self, pod: &Pod) {
        let key = (pod.meta.name.clone(), pod.meta.uid.clone());
        self.restarts = self.restarts.saturating_sub(restarts(pod));
        if let Some(severity) = self.pods.remove(&key) {
            self.trouble.remove(&(Reverse(severity), key.0, key.1));
        }
    }

    /// The diagnosis of the worst of these pods, with its rank.
    pub(in crate::state) fn worst(&self, of: impl Fn(&Uid) -> bool) -> Option<(&Rank, &Diagnosis)> {
        self.trouble.iter().find(|((.., uid), _)| of(uid))
    }

    /// Its pods by name.
    pub(in crate::state) fn pods(&self) -> impl Iterator<Item = &Uid> {
        self.pods.keys().map(|(_, uid)| uid)
    }
}
