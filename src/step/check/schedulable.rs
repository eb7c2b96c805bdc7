//! A node takes new pods, or takes none.

use serde::{Deserialize, Serialize};

use super::{Evidence, Expected, Since};
use crate::clean::Clean;
use crate::event::{Check, Measure, SourceId, Uid};

#[derive(Serialize, Deserialize)]
pub(super) struct Schedulable {
    uid: Uid,
    schedulable: bool,
}

/// Creates the check that the node of this identity takes new pods, or that it takes none.
pub fn schedulable(uid: Uid, schedulable: bool) -> Check {
    super::check(&Schedulable { uid, schedulable })
}

fn word(schedulable: bool) -> &'static str {
    if schedulable { "schedulable" } else { "cordoned" }
}

impl Expected for Schedulable {
    const NAME: &'static str = "schedulable";
    const NEEDS: &'static [SourceId] = &[SourceId::Nodes];

    fn measure(&self, evidence: &Evidence<'_>, into: &mut Measure) {
        let node = evidence.cluster.nodes.get(&self.uid);
        into.states.extend(node.map(|node| (Clean::new("node"), Clean::new(word(!node.cordoned)))));
    }

    fn missing(&self, evidence: &Evidence<'_>, _since: &Since) -> Option<Clean> {
        let Some(node) = evidence.cluster.nodes.get(&self.uid) else {
            return Some("the node is gone, or nodes cannot be read".into());
        };
        (node.cordoned == self.schedulable)
            .then(|| format!("the node is still {}", word(!node.cordoned)).into())
    }
}
