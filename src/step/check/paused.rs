//! A Deployment's rollout is paused, or goes on.

use serde::{Deserialize, Serialize};

use super::{Evidence, Expected, Since};
use crate::clean::Clean;
use crate::event::{Check, Measure, SourceId, Uid};

#[derive(Serialize, Deserialize)]
pub(super) struct Paused {
    uid: Uid,
    paused: bool,
}

/// Creates the check that the rollout of the Deployment of this identity is paused, or that it is not.
pub fn paused(uid: Uid, paused: bool) -> Check {
    super::check(&Paused { uid, paused })
}

fn word(paused: bool) -> &'static str {
    if paused { "paused" } else { "not paused" }
}

impl Expected for Paused {
    const NAME: &'static str = "paused";
    const NEEDS: &'static [SourceId] = &[SourceId::Deployments];

    fn measure(&self, evidence: &Evidence<'_>, into: &mut Measure) {
        let deployment = evidence.cluster.workloads.get(&self.uid);
        let state = deployment.map(|found| (Clean::new("rollout"), Clean::new(word(found.paused))));
        into.states.extend(state);
    }

    /// The watch shows the write, and the controller has seen it.
    fn missing(&self, evidence: &Evidence<'_>, since: &Since) -> Option<Clean> {
        let Some(found) = evidence.cluster.workloads.get(&self.uid) else {
            return Some("the deployment is gone".into());
        };
        if found.paused != self.paused {
            return Some(format!("the rollout is still {}", word(found.paused)).into());
        }
        let seen = found.generation >= since.generation && found.observed >= found.generation;
        (!seen).then(|| "the controller has not seen the change yet".into())
    }
}
