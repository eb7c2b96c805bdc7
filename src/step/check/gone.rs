//! A pod is gone, and its workload is well again.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{CheckKind, Evidence, Since, args, rollout, unread};
use crate::clean::Clean;
use crate::event::{Check, Measure, SourceId, Uid};

#[derive(Serialize, Deserialize)]
struct Args {
    uid: Uid,
    /// The workload that keeps it.
    #[serde(default)]
    workload: Option<Uid>,
}

pub(super) struct Gone;

/// The pod of this identity is gone, and the workload that kept it has all its replicas.
pub fn gone(uid: Uid, workload: Option<Uid>) -> Check {
    super::check(&Gone, &Args { uid, workload })
}

impl CheckKind for Gone {
    fn name(&self) -> &'static str {
        "gone"
    }

    fn needs(&self) -> &'static [SourceId] {
        &[SourceId::Pods, SourceId::Deployments, SourceId::StatefulSets, SourceId::DaemonSets]
    }

    fn measure(&self, held: &Value, evidence: &Evidence<'_>, into: &mut Measure) {
        let Some(Args { uid, workload }) = args(held) else { return };
        let state = match evidence.cluster.pods.get(&uid) {
            Some(pod) if pod.meta.deleting.is_some() => "terminating",
            Some(_) => "there",
            None => "gone",
        };
        into.states.insert("pod".into(), state.into());
        if let Some(workload) = workload {
            rollout::workload(&workload, evidence, into);
        }
    }

    fn missing(&self, held: &Value, evidence: &Evidence<'_>, _since: &Since) -> Option<Clean> {
        let Some(Args { uid, workload }) = args(held) else { return Some(unread()) };
        if let Some(pod) = evidence.cluster.pods.get(&uid) {
            let state = if pod.meta.deleting.is_some() { "is still terminating" } else { "is still there" };
            return Some(format!("{} {state}", pod.meta.name).into());
        }
        let workload = evidence.cluster.workloads.get(&workload?)?;
        workload.short().then(|| format!("{} of {} replicas ready", workload.ready, workload.desired).into())
    }
}
