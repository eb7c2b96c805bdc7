//! A pod is gone, and its workload is well again.

use serde::{Deserialize, Serialize};

use super::{Evidence, Expected, Since, rollout};
use crate::clean::Clean;
use crate::event::{Check, Measure, SourceId, Uid};

#[derive(Serialize, Deserialize)]
pub(super) struct Gone {
    uid: Uid,
    /// The workload that keeps it.
    #[serde(default)]
    workload: Option<Uid>,
}

/// Creates the check that the pod of this identity is gone, and the workload that kept it has all its
/// replicas.
pub fn gone(uid: Uid, workload: Option<Uid>) -> Check {
    super::check(&Gone { uid, workload })
}

impl Expected for Gone {
    const NAME: &'static str = "gone";
    const NEEDS: &'static [SourceId] =
        &[SourceId::Pods, SourceId::Deployments, SourceId::StatefulSets, SourceId::DaemonSets];

    fn measure(&self, evidence: &Evidence<'_>, into: &mut Measure) {
        let state = match evidence.cluster.pods.get(&self.uid) {
            Some(pod) if pod.meta.deleting.is_some() => "terminating",
            Some(_) => "there",
            None => "gone",
        };
        into.states.insert("pod".into(), state.into());
        if let Some(workload) = &self.workload {
            rollout::workload(workload, evidence, into);
        }
    }

    fn missing(&self, evidence: &Evidence<'_>, _since: &Since) -> Option<Clean> {
        if let Some(pod) = evidence.cluster.pods.get(&self.uid) {
            let state = if pod.meta.deleting.is_some() { "is still terminating" } else { "is still there" };
            return Some(format!("{} {state}", pod.meta.name).into());
        }
        let workload = evidence.cluster.workloads.get(self.workload.as_ref()?)?;
        workload.short().then(|| format!("{} of {} replicas ready", workload.ready, workload.desired).into())
    }
}
