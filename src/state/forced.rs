//! `StatefulSet` pods that were deleted by force: the API server forgets them at once, and whatever ran may still run beside its successor.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::Cluster;
use crate::clean::Clean;
use crate::event::{ClusterEvent, ContainerState, Kind, Pod, Uid};

/// How long it is worth a word.
const TOLD: TimeDelta = TimeDelta::minutes(5);

/// A pod that was deleted by force.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ForcedPod {
    /// Its name, which its successor has too.
    pub name: Clean,
    /// When it went.
    pub at: DateTime<Utc>,
}

/// The newest of each `StatefulSet`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Forced(BTreeMap<Uid, ForcedPod>);

impl Forced {
    /// Looks at an event that the cluster has not taken in yet; gives the pods that go by force with it.
    pub fn fold(&mut self, at: DateTime<Utc>, cluster: &Cluster, event: &ClusterEvent) -> Vec<Clean> {
        let ClusterEvent::Gone(Kind::Pod, uids) = event else { return Vec::new() };
        self.0.retain(|_, pod| at - pod.at < TOLD);
        let gone = uids.iter().filter_map(|uid| cluster.pods.get(uid)).filter_map(|pod| Some((by_force(pod)?, pod.meta.name.clone())));
        gone.map(|(owner, name)| {
            self.0.insert(owner, ForcedPod { name: name.clone(), at });
            name
        })
        .collect()
    }

    /// What happened to a pod of this `StatefulSet` lately.
    pub fn of(&self, owner: &str, now: DateTime<Utc>) -> Option<&ForcedPod> {
        self.0.get(owner).filter(|pod| now - pod.at < TOLD)
    }
}

/// Its owner, if it is a `StatefulSet`'s, ran when it was last seen, and nobody had asked it to end.
fn by_force(pod: &Pod) -> Option<Uid> {
    let owner = pod.owner.as_ref().filter(|owner| owner.kind == Kind::StatefulSet.name())?;
    let ran = pod.containers.iter().any(|container| matches!(container.state, ContainerState::Running { .. }));
    (ran && pod.meta.deleting.is_none()).then(|| owner.uid.clone())
}
