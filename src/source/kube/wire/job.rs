//! batch/v1 `Job`

use serde::Deserialize;

use super::{Condition, Metadata, Names, Object};
use crate::event::{self, ClusterEvent, Kind};

/// batch/v1 `Job`
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Job {
    metadata: Metadata,
    spec: Spec,
    status: Status,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Spec {
    completions: Option<u32>,
    suspend: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Status {
    active: u32,
    succeeded: u32,
    conditions: Option<Vec<Condition>>,
}

impl Object for Job {
    const KIND: Kind = Kind::Job;
    type Fact = event::Workload;

    fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// A Job that failed says why (`BackoffLimitExceeded`, `DeadlineExceeded`); one that goes on lacks
    /// nothing.
    fn fact(mut self, names: &mut Names) -> event::Workload {
        let desired = self.spec.completions.unwrap_or(1);
        let failed = Condition::find(self.status.conditions.as_deref(), "Failed", "True");
        event::Workload {
            kind: Self::KIND,
            desired,
            replicas: self.status.active,
            updated: desired,
            ready: self.status.succeeded,
            generation: self.metadata.generation,
            observed: self.metadata.generation,
            revision: None,
            paused: self.spec.suspend.unwrap_or_default(),
            stuck: failed.and_then(|condition| condition.reason.clone()),
            release: None,
            service: self.metadata.name.clone(),
            changed: self.metadata.changed(names),
            meta: self.metadata.meta(names),
        }
    }

    fn event(facts: Vec<event::Workload>) -> ClusterEvent {
        ClusterEvent::Workloads(facts)
    }
}
