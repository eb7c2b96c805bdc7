//! So many replicas are ready.

use serde::{Deserialize, Serialize};

use super::{Evidence, Expected, Since, rollout};
use crate::clean::Clean;
use crate::event::{Check, Kind, Measure, SourceId, Uid};

#[derive(Serialize, Deserialize)]
pub(super) struct Ready {
    kind: Kind,
    uid: Uid,
    replicas: u32,
}

/// Creates the check that the workload of this identity has so many replicas, all ready.
pub fn ready(kind: Kind, uid: Uid, replicas: u32) -> Check {
    super::check(&Ready { kind, uid, replicas })
}

impl Expected for Ready {
    const NAME: &'static str = "ready";
    const NEEDS: &'static [SourceId] = &[SourceId::Deployments, SourceId::StatefulSets];

    fn measure(&self, evidence: &Evidence<'_>, into: &mut Measure) {
        rollout::workload(&self.uid, evidence, into);
    }

    fn missing(&self, evidence: &Evidence<'_>, _since: &Since) -> Option<Clean> {
        let Self { kind, uid, replicas } = self;
        let Some(w) = evidence.cluster.workloads.get(uid) else {
            return Some(format!("the {} is gone", kind.word()).into());
        };
        let done = w.desired == *replicas && w.ready == *replicas && w.observed >= w.generation;
        (!done).then(|| format!("{} of {replicas} replicas ready", w.ready).into())
    }
}
