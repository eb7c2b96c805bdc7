//! Pods that were evicted from a node are gone from it.

use serde::{Deserialize, Serialize};

use super::{Evidence, Expected, Since};
use crate::clean::Clean;
use crate::event::{Check, Measure, Pod, SourceId, Uid};
use crate::units;

/// Pods whose names are told at most.
const NAMED: usize = 3;

#[derive(Serialize, Deserialize)]
pub(super) struct Drained {
    /// The evicted pods, each with its namespace.
    pods: Vec<(Clean, Uid)>,
}

/// Creates the check that these pods, each given with its namespace, are gone.
pub fn drained(pods: Vec<(Clean, Uid)>) -> Check {
    super::check(&Drained { pods })
}

impl Drained {
    fn left<'a>(&'a self, evidence: &'a Evidence<'_>) -> Vec<&'a Pod> {
        self.pods.iter().filter_map(|(_, uid)| evidence.cluster.pods.get(uid)).map(AsRef::as_ref).collect()
    }

    /// Number of pods that nobody looks at here: what became of them is not known.
    fn unwatched(&self, evidence: &Evidence<'_>) -> usize {
        self.pods.iter().filter(|(namespace, _)| !evidence.cluster.watches(namespace)).count()
    }
}

impl Expected for Drained {
    const NAME: &'static str = "drained";
    const NEEDS: &'static [SourceId] = &[SourceId::Pods];

    fn measure(&self, evidence: &Evidence<'_>, into: &mut Measure) {
        let left = self.left(evidence).len();
        let unwatched = self.unwatched(evidence);
        let seen = self.pods.len() - unwatched;
        let told = if left == 0 { format!("{seen} gone") } else { format!("{left} of {seen} there") };
        let rest = if unwatched == 0 { String::new() } else { format!(", {unwatched} not watched") };
        into.states.insert("evicted pods".into(), format!("{told}{rest}").into());
    }

    fn missing(&self, evidence: &Evidence<'_>, _since: &Since) -> Option<Clean> {
        let left = self.left(evidence);
        let names: Vec<&str> = left.iter().take(NAMED).map(|pod| pod.meta.name.as_str()).collect();
        let more = left.len() - names.len();
        let rest = if more == 0 { String::new() } else { format!(" and {more} more") };
        if !left.is_empty() {
            return Some(format!("{}{rest} still on the node", names.join(", ")).into());
        }
        let unwatched = self.unwatched(evidence);
        (unwatched > 0).then(|| {
            let pods = units::counted(unwatched, "evicted pod");
            format!("what became of {pods} is not known: nobody watches their namespaces here").into()
        })
    }
}
