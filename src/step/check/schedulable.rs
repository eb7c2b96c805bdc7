//! A node takes new pods, or takes none.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{CheckKind, Evidence, Since, args, unread};
use crate::clean::Clean;
use crate::event::{Check, Measure, SourceId, Uid};

#[derive(Serialize, Deserialize)]
struct Args {
    uid: Uid,
    schedulable: bool,
}

pub(super) struct Schedulable;

/// The node of this identity takes new pods, or not.
pub fn schedulable(uid: Uid, schedulable: bool) -> Check {
    super::check(&Schedulable, &Args { uid, schedulable })
}

fn word(schedulable: bool) -> &'static str {
    if schedulable { "schedulable" } else { "cordoned" }
}

impl CheckKind for Schedulable {
    fn name(&self) -> &'static str {
        "schedulable"
    }

    fn needs(&self) -> &'static [SourceId] {
        &[SourceId::Nodes]
    }

    fn measure(&self, held: &Value, evidence: &Evidence<'_>, into: &mut Measure) {
        let node = args(held).and_then(|Args { uid, .. }| evidence.cluster.nodes.get(&uid));
        into.states.extend(node.map(|node| (Clean::new("node"), Clean::new(word(!node.cordoned)))));
    }

    fn missing(&self, held: &Value, evidence: &Evidence<'_>, _since: &Since) -> Option<Clean> {
        let Some(Args { uid, schedulable }) = args(held) else { return Some(unread()) };
        let Some(node) = evidence.cluster.nodes.get(&uid) else { return Some("the node is gone, or nodes cannot be read".into()) };
        (node.cordoned == schedulable).then(|| format!("the node is still {}", word(!node.cordoned)).into())
    }
}
