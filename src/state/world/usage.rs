//! What pods and nodes use, as last measured.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::clean::Clean;
use crate::event::{self, ObjectKey};

/// Processor time in thousandths of a core, and memory in KiB.
pub type Measured = (u32, u32);

/// Usage of pods and nodes, by `namespace/name` of a pod or the name of a node, marked with their context.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Usage {
    /// Time of the newest reading.
    pub at: Option<DateTime<Utc>>,
    of: BTreeMap<ObjectKey, Measured>,
}

impl Usage {
    /// Takes in a reading.
    pub fn fold(&mut self, reading: &event::Usage) {
        self.at = Some(reading.at);
        for used in &reading.used {
            self.of.insert(used.name.clone(), (used.cpu, used.memory));
        }
        for name in &reading.gone {
            self.of.remove(name);
        }
    }

    /// Returns what a node uses; `None` where it is not measured.
    pub fn node(&self, node: &event::Node) -> Option<Measured> {
        self.of.get(&*ObjectKey::text(node.meta.context(), &node.meta.name)).copied()
    }

    /// Returns what a pod uses; `None` where it is not measured.
    pub fn pod(&self, pod: &event::Pod) -> Option<Measured> {
        let name = format!("{}/{}", pod.meta.namespace, pod.meta.name);
        self.of.get(&*ObjectKey::text(pod.meta.context(), &name)).copied()
    }

    /// Returns what several pods use together, as far as they are measured.
    pub fn pods<'a>(&self, pods: impl Iterator<Item = &'a event::Pod>) -> Option<Measured> {
        let measured = pods.filter_map(|pod| self.pod(pod));
        measured.reduce(|sum, one| (sum.0.saturating_add(one.0), sum.1.saturating_add(one.1)))
    }

    /// Forgets the pods of other namespaces than these.
    pub fn keep(&mut self, namespaces: &[Clean]) {
        let watched = |name: &ObjectKey| {
            name.id()
                .split_once('/')
                .is_none_or(|(namespace, _)| namespaces.iter().any(|known| known == namespace))
        };
        self.of.retain(|name, _| namespaces.is_empty() || watched(name));
    }
}
