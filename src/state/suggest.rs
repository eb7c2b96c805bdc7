//! When steps fit what is wrong now: deterministic rules, each over what the panes show. The kinds of step offer by them.

use std::cmp::Reverse;

use chrono::{DateTime, TimeDelta, Utc};

use super::{Cluster, GroupState, Run, Severity, Stage, World};
use crate::event::{ContextId, Kind, Workload};
use crate::step::Suggested;

/// How long after a rollout failing requests are taken to come of it.
const RECENT: TimeDelta = TimeDelta::minutes(30);
/// How long after a change from here what is seen may come of that.
const YOUNG: TimeDelta = TimeDelta::minutes(3);

/// Deployments that are broken, or whose requests fail since they were rolled out lately, and that have a revision to go back to. The
/// newest rollout is the likeliest cause. What was changed from here is left alone until it is verified, and for a while after.
pub fn rollbacks(world: &World) -> Vec<Suggested> {
    let failing = world.failing();
    let mut found: Vec<(DateTime<Utc>, &Workload, String)> = Vec::new();
    for (workload, row) in world.cluster.rows().filter_map(|row| Some((row.workload?, row))) {
        // A crash loop runs for a moment again and again: what it was told to be holds until it has been well for a while.
        let broken = row.reason.as_ref().filter(|_| row.severity == Severity::Critical).or_else(|| world.detector.unsteady(row.uid()));
        let failing = failing.get(&workload.service).filter(|_| workload.meta.context().is_main());
        let because = match (broken, failing) {
            (Some(reason), _) => reason.to_string(),
            (None, Some(ratio)) => format!("{:.1} % of its requests fail", ratio * 100.0),
            (None, None) => continue,
        };
        let Some(rolled_out) = latest_rollout(&world.cluster, workload) else { continue };
        let recent = world.rates.at.is_none_or(|now| now - rolled_out < RECENT);
        if (broken.is_some() || recent) && !changed_from_here(world, workload) {
            found.push((rolled_out, workload, because));
        }
    }
    found.sort_by_key(|(rolled_out, ..)| Reverse(*rolled_out));
    let offer = |(_, workload, because): (DateTime<Utc>, &Workload, String)| Suggested {
        context: workload.meta.context(),
        inputs: vec![("deployment", world.called(&workload.meta).to_string())],
        title: format!("roll back {}", workload.meta.name),
        because,
        rank: 1,
    };
    found.into_iter().map(offer).collect()
}

/// Whether a change from here is still on its way, or so young that what is seen may come of it.
fn changed_from_here(world: &World, workload: &Workload) -> bool {
    let here = |run: &&Run| is(world, run, workload) && !matches!(run.stage, Stage::Rejected(_));
    let young = |run: &Run| !run.settled() || world.rates.at.is_none_or(|now| now - run.at < YOUNG);
    world.runs.all().filter(here).any(young)
}

/// Whether a run is aimed at this workload.
fn is(world: &World, run: &Run, workload: &Workload) -> bool {
    let target = &run.intent.target;
    *target.uid == *ContextId::bare(&workload.meta.uid) && world.context_of(target) == workload.meta.context()
}

/// When the newest revision of a Deployment that has more than one was made; none of another kind.
fn latest_rollout(cluster: &Cluster, workload: &Workload) -> Option<DateTime<Utc>> {
    let revisions = cluster.revisions_of(&workload.meta.uid);
    (workload.kind == Kind::Deployment && revisions.len() > 1).then(|| revisions.first().map(|newest| newest.meta.created)).flatten()
}

/// Deployments named as a group that grows.
pub fn lagging(world: &World) -> Vec<Suggested> {
    let growing = world.lag.groups.values().filter(|group| group.state() == GroupState::Warn || group.growing());
    let found = growing.filter_map(|group| {
        let named =
            |w: &&Workload| w.kind == Kind::Deployment && w.meta.name == group.now.group && w.meta.context().is_main() && w.desired < 10;
        let because = format!("its lag grows by {:.0}/s", group.growth()?);
        world.cluster.workloads.values().find(named).map(|w| (w, because))
    });
    let offer = |(workload, because): (&Workload, String)| Suggested {
        context: workload.meta.context(),
        inputs: vec![("deployment", world.called(&workload.meta).to_string()), ("replicas", "10".to_owned())],
        title: format!("scale {} {} → 10", workload.meta.name, workload.desired),
        because,
        rank: 0,
    };
    found.map(offer).collect()
}
