//! Steps that fit what is wrong now, with their inputs and the reason: an offer, never more.

use std::collections::BTreeMap;

use super::{Cluster, GroupState, World};
use crate::clean::Clean;
use crate::event::{Kind, StepCall, Workload};
use crate::runbook::{Runbook, StepKind};

/// A step offered.
#[derive(Clone, Debug, PartialEq)]
pub struct Suggestion {
    /// The step with its inputs.
    pub call: StepCall,
    /// In words.
    pub title: Clean,
    /// Why.
    pub because: Clean,
}

/// What fits now, the most likely first. Deterministic rules, each over what the panes show.
pub fn suggestions(world: &World, runbook: &Runbook) -> Vec<Suggestion> {
    let mut found = Vec::new();
    for step in &runbook.steps {
        let make = |inputs: &[(&str, String)], title: String, because: String| Suggestion {
            call: StepCall {
                step: step.id.clone(),
                inputs: inputs.iter().map(|(k, v)| (Clean::new(k), Clean::new(v))).collect::<BTreeMap<_, _>>(),
            },
            title: title.into(),
            because: because.into(),
        };
        match step.kind {
            StepKind::RolloutUndo => found.extend(
                rollbacks(world)
                    .map(|(w, because)| make(&[("deployment", w.meta.name.to_string())], format!("roll back {}", w.meta.name), because)),
            ),
            StepKind::Scale => found.extend(lagging(world).map(|(w, because)| {
                let inputs = [("deployment", w.meta.name.to_string()), ("replicas", "10".to_owned())];
                make(&inputs, format!("scale {} {} → 10", w.meta.name, w.desired), because)
            })),
            StepKind::SetEnv => {}
        }
    }
    found
}

/// Deployments that fail, or whose service does, and that have a revision to go back to.
fn rollbacks(world: &World) -> impl Iterator<Item = (&Workload, String)> {
    let rows = world.cluster.rows();
    let broken: BTreeMap<Clean, Clean> =
        rows.iter().filter_map(|row| Some((row.workload?.meta.uid.clone(), row.reason.clone()?))).collect();
    world.cluster.workloads.values().filter(|w| w.kind == Kind::Deployment && previous(&world.cluster, w)).filter_map(move |w| {
        let failing = world.rates.ratio(&w.service).filter(|ratio| *ratio > world.threshold());
        match (failing, broken.get(&w.meta.uid)) {
            (Some(ratio), _) => Some((w, format!("{:.1} % of its requests fail", ratio * 100.0))),
            (None, Some(reason)) => Some((w, reason.to_string())),
            (None, None) => None,
        }
    })
}

fn previous(cluster: &Cluster, deployment: &Workload) -> bool {
    cluster.revisions_of(&deployment.meta.uid).len() > 1
}

/// Deployments named as a group that grows.
fn lagging(world: &World) -> impl Iterator<Item = (&Workload, String)> {
    let growing = world.lag.groups.values().filter(|group| group.state() == GroupState::Warn);
    growing.filter_map(|group| {
        let named = |w: &&Workload| w.kind == Kind::Deployment && w.meta.name == group.now.group && w.desired < 10;
        let because = format!("its lag grows by {:.0}/s", group.growth()?);
        world.cluster.workloads.values().find(named).map(|w| (w, because))
    })
}
