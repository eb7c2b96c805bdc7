//! `StatefulSet` pods that were force-deleted: the API server forgets them at once, and whatever ran may
//! still run beside its successor.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::clean::Clean;
use crate::event::{ClusterEvent, ContainerState, Kind, Pod, Uid};
use crate::state::{Cluster, Subject};

/// How long it is worth a word.
const TOLD: TimeDelta = TimeDelta::minutes(5);

/// A pod that was force-deleted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ForcedPod {
    /// Name, which its successor has too.
    pub name: Clean,
    /// Time when it was deleted.
    pub at: DateTime<Utc>,
}

/// Newest force-deleted pod of each `StatefulSet`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Forced(BTreeMap<Uid, ForcedPod>);

impl Forced {
    /// Looks at an event that the cluster has not taken in yet; gives the pods that go by force with it.
    pub fn fold(&mut self, at: DateTime<Utc>, cluster: &Cluster, event: &ClusterEvent) -> Vec<Subject> {
        let ClusterEvent::Gone(Kind::Pod, uids) = event else { return Vec::new() };
        self.0.retain(|_, pod| at - pod.at < TOLD);
        let gone = uids
            .iter()
            .filter_map(|uid| cluster.pods.get(uid))
            .filter_map(|pod| Some((by_force(at, pod)?, &pod.meta)));
        gone.map(|(owner, meta)| {
            self.0.insert(owner, ForcedPod { name: meta.name.clone(), at });
            meta.into()
        })
        .collect()
    }

    /// Returns what happened to a pod of this `StatefulSet` lately.
    pub fn of(&self, owner: &Uid, now: DateTime<Utc>) -> Option<&ForcedPod> {
        self.0.get(owner).filter(|pod| now - pod.at < TOLD)
    }
}

/// Its owner, if it is a `StatefulSet`'s, ran when it was last seen, and was given no time to end: a kubelet
/// that ends a pod reports its containers' end first, and a grace period lies in the future.
fn by_force(at: DateTime<Utc>, pod: &Pod) -> Option<Uid> {
    let owner = pod.owner.as_ref().filter(|owner| owner.kind == Kind::StatefulSet.name())?;
    let ran =
        pod.containers.iter().any(|container| matches!(container.state, ContainerState::Running { .. }));
    (ran && pod.meta.deleting.is_none_or(|until| until <= at)).then(|| owner.uid.clone())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::event::{Amount, Container, Meta, Owner, PodPhase};

    #[test]
    fn only_a_stateful_pod_that_was_given_no_time_went_by_force() {
        let now = DateTime::UNIX_EPOCH + TimeDelta::seconds(100);
        let running = ContainerState::Running { since: None };
        let ended = ContainerState::Terminated { reason: None, exit: 143, at: None, message: None };
        let cases = [
            ("StatefulSet", None, &running, true),
            ("StatefulSet", Some(0), &running, true),
            ("StatefulSet", Some(30), &running, false),
            ("StatefulSet", Some(0), &ended, false),
            ("ReplicaSet", None, &running, false),
        ];
        for (owner, grace, state, forced) in cases {
            let deleting = grace.map(|grace| now + TimeDelta::seconds(grace));
            let meta = Meta {
                uid: "p".into(),
                namespace: "n".into(),
                name: "kafka-0".into(),
                created: now,
                deleting,
                held_by: None,
            };
            let container = Container {
                name: "c".into(),
                image: "i".into(),
                init: false,
                ready: true,
                restarts: 0,
                state: state.clone(),
                last: None,
                requests: Amount::default(),
                limits: Amount::default(),
            };
            let pod = Pod {
                meta,
                owner: Some(Owner { kind: owner.into(), name: "kafka".into(), uid: "set".into() }.into()),
                node: None,
                phase: PodPhase::Running,
                ready: true,
                reason: None,
                message: None,
                containers: vec![container],
            };
            let mut cluster = Cluster::default();
            let mut known = Forced::default();
            cluster.fold(&ClusterEvent::Pods(vec![Arc::new(pod)]));
            let gone = known.fold(now, &cluster, &ClusterEvent::Gone(Kind::Pod, vec!["p".into()]));
            assert_eq!(gone.len(), usize::from(forced), "{owner} {grace:?}");
            assert_eq!(known.of(&"set".into(), now).is_some(), forced);
            assert_eq!(known.of(&"set".into(), now + TOLD), None);
        }
    }
}
