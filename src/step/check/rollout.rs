//! All replicas are of the new template and ready: `kubectl rollout status`.

use serde::{Deserialize, Serialize};

use super::{Evidence, Expected, Since};
use crate::clean::Clean;
use crate::event::{Check, Kind, Measure, SourceId, Uid};

#[derive(Serialize, Deserialize)]
pub(super) struct Rollout {
    kind: Kind,
    uid: Uid,
}

/// Creates the check that the workload of this identity has rolled out its template.
pub fn rollout(kind: Kind, uid: Uid) -> Check {
    super::check(&Rollout { kind, uid })
}

/// Ready, wanted and release of a workload.
pub(super) fn workload(uid: &Uid, evidence: &Evidence<'_>, into: &mut Measure) {
    let workload = evidence.cluster.workloads.get(uid);
    into.ready = workload.map(|w| w.ready);
    into.desired = workload.map(|w| w.desired);
    into.release = workload.and_then(|w| w.release.clone());
}

impl Expected for Rollout {
    const NAME: &'static str = "rollout";
    const NEEDS: &'static [SourceId] = &[SourceId::Deployments, SourceId::StatefulSets, SourceId::DaemonSets];

    fn measure(&self, evidence: &Evidence<'_>, into: &mut Measure) {
        workload(&self.uid, evidence, into);
    }

    /// The controller has seen the write, all replicas are new, none is old, all are ready.
    fn missing(&self, evidence: &Evidence<'_>, since: &Since) -> Option<Clean> {
        let Some(w) = evidence.cluster.workloads.get(&self.uid) else {
            return Some(format!("the {} is gone", self.kind.word()).into());
        };
        if w.generation < since.generation || w.observed < w.generation {
            return Some("the controller has not seen the change yet".into());
        }
        let done = w.updated >= w.desired && w.replicas == w.updated && w.ready >= w.desired;
        (!done).then(|| {
            format!(
                "{} of {} replicas updated, {} ready, {} total",
                w.updated, w.desired, w.ready, w.replicas
            )
            .into()
        })
    }
}
