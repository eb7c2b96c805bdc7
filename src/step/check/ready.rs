//! So many replicas are ready.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{CheckKind, Evidence, Since, args, rollout, unread};
use crate::clean::Clean;
use crate::event::{Check, Kind, Measure, SourceId, Uid};

#[derive(Serialize, Deserialize)]
struct Args {
    kind: Kind,
    uid: Uid,
    replicas: u32,
}

pub(super) struct Ready;

/// The workload of this identity has so many replicas, all ready.
pub fn ready(kind: Kind, uid: Uid, replicas: u32) -> Check {
    super::check(&Ready, &Args { kind, uid, replicas })
}

impl CheckKind for Ready {
    fn name(&self) -> &'static str {
        "ready"
    }

    fn needs(&self) -> &'static [SourceId] {
        &[SourceId::Deployments, SourceId::StatefulSets]
    }

    fn measure(&self, held: &Value, evidence: &Evidence<'_>, into: &mut Measure) {
        if let Some(Args { uid, .. }) = args(held) {
            rollout::workload(&uid, evidence, into);
        }
    }

    fn missing(&self, held: &Value, evidence: &Evidence<'_>, _since: &Since) -> Option<Clean> {
        let Some(Args { kind, uid, replicas }) = args(held) else { return Some(unread()) };
        let Some(w) = evidence.cluster.workloads.get(&uid) else { return Some(format!("the {} is gone", kind.word()).into()) };
        let done = w.desired == replicas && w.ready == replicas && w.observed >= w.generation;
        (!done).then(|| format!("{} of {replicas} replicas ready", w.ready).into())
    }
}
