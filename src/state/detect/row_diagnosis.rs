//! Why a row is not well, completed from what other objects say of its pods: their node, the kubelet's
//! warnings, the newest revision, what was done to them by force, and time. A second step over
//! [`diagnose`](crate::state::diagnose), which knows the pod alone; each question is a look-up, so that it
//! can be asked of every row of a frame.

use std::borrow::Cow;

use chrono::{DateTime, TimeDelta, Utc};

use super::pod_diagnosis::{diagnose, end, words};
use crate::clean::Clean;
use crate::event::{ContainerState, Kind, Notice, Pod, Workload};
use crate::state::{Diagnosis, Severity, WorkloadRow, World};
use crate::units;

/// How long a run that ended badly is worth a word after the next one has begun.
const RECENT: TimeDelta = TimeDelta::minutes(2);

/// How long past its grace period a pod may take to be gone: the kubelet and the API server need a moment.
const LATE: TimeDelta = TimeDelta::seconds(5);

/// Returns the diagnosis of a pod, completed from what other objects say of it.
pub fn told(world: &World, pod: &Pod, diagnosis: &Diagnosis) -> Diagnosis {
    if let Some(why) = lost_node(world, pod) {
        return Diagnosis { severity: Severity::Critical, status: diagnosis.status.clone(), why: Some(why) };
    }
    if let Some(why) = overdue(world, pod) {
        return Diagnosis { severity: Severity::Critical, status: diagnosis.status.clone(), why: Some(why) };
    }
    let why = (diagnosis.severity > Severity::Ok).then(|| from_warnings(world, pod, diagnosis)).flatten();
    Diagnosis { why: why.or_else(|| diagnosis.why.clone()), ..diagnosis.clone() }
}

/// Completes what a row says. It never makes a row look better than its pods are.
pub fn explain(world: &World, row: &mut WorkloadRow<'_>) {
    let (leaving, troubled): (Vec<_>, Vec<_>) =
        if row.severity > Severity::Ok { troubled(world, row) } else { Vec::new() }
            .into_iter()
            .partition(|(pod, _)| world.cluster.is_leaving(pod));
    if let Some((pod, diagnosis)) = troubled.first() {
        let told = told(world, pod, diagnosis);
        row.severity = row.severity.max(told.severity);
        row.why = told.why.or_else(|| row.why.take());
    } else if let Some(why) = leaving.iter().find_map(|(pod, _)| overdue(world, pod)) {
        row.why = Some(why);
    }
    if let Some(why) = hanging(world, row, &troubled) {
        row.why = Some(why);
    }
    if let Some(workload) =
        row.workload.filter(|w| troubled.is_empty() && world.detector.rollouts.is_unseen(w, world.at))
    {
        let why = format!("the controller has not seen generation {}", workload.generation);
        row.severity = row.severity.max(Severity::Warn);
        row.reason = Some("not rolled out yet".into());
        row.why = Some(why.into());
    }
    let other = lost(world, row).or_else(|| forced(world, row));
    let restarts_told = other.is_none();
    let found = other.or_else(|| restarted(world, row));
    if let Some((severity, reason, why)) = found.filter(|(severity, ..)| *severity >= row.severity) {
        row.severity = severity;
        row.reason = Some(reason);
        row.why = Some(why);
        row.restarts_told = restarts_told;
    }
}

/// The pods that are not well, the worst first; a lone pod's row is about itself.
fn troubled<'a>(world: &'a World, row: &WorkloadRow<'a>) -> Vec<(&'a Pod, Cow<'a, Diagnosis>)> {
    match row.pod {
        Some(pod) => vec![(pod, Cow::Owned(diagnose(pod)))],
        None => world
            .cluster
            .troubled(row)
            .into_iter()
            .map(|(pod, diagnosis)| (pod, Cow::Borrowed(diagnosis)))
            .collect(),
    }
}

fn pods<'a>(world: &'a World, row: &WorkloadRow<'a>) -> Vec<&'a Pod> {
    row.pod.map_or_else(|| world.cluster.pods_of(row), |pod| vec![pod])
}

/// The pod's node does not answer, so nothing that is shown of the pod is known to be true.
fn lost_node(world: &World, pod: &Pod) -> Option<Clean> {
    let node = world.cluster.down(pod.meta.context(), pod.node.as_ref()?)?;
    let word = node.why_not_ready();
    Some(format!("node {} is not ready: {word}", node.meta.name).into())
}

/// Pods of the row on nodes that do not answer.
fn lost(world: &World, row: &WorkloadRow<'_>) -> Option<(Severity, Clean, Clean)> {
    if world.cluster.down.is_empty() {
        return None;
    }
    let stay = pods(world, row).into_iter().filter(|pod| !world.cluster.is_leaving(pod));
    let why = stay.into_iter().find_map(|pod| lost_node(world, pod))?;
    Some((Severity::Critical, "node not ready".into(), why))
}

/// `12s past its grace period, held by foregroundDeletion`
fn overdue(world: &World, pod: &Pod) -> Option<Clean> {
    let late = world.at - pod.meta.deleting.filter(|until| world.at - *until > LATE)?;
    let held = pod.meta.held_by.as_ref().map(|held| format!(", held by {held}")).unwrap_or_default();
    Some(format!("{} past its grace period{held}", units::age(late)).into())
}

/// What the kubelet or a controller warned of, where the pod itself says less.
fn from_warnings(world: &World, pod: &Pod, diagnosis: &Diagnosis) -> Option<Clean> {
    let newest = |is: &dyn Fn(&Notice) -> bool| {
        world
            .cluster
            .notices
            .about(&pod.meta.uid)
            .filter(|notice| is(notice))
            .max_by_key(|notice| (notice.last, &notice.meta.uid))
    };
    let probe = || newest(&|notice| notice.reason == "Unhealthy");
    match diagnosis.status.as_str() {
        "Running" | "NotReady" => probe().map(|notice| notice.message.clone()),
        "CrashLoopBackOff" => {
            let probe = probe().filter(|notice| !notice.message.starts_with("Readiness"))?;
            let ended = diagnosis.why.as_ref().map(|why| format!("{why}: ")).unwrap_or_default();
            Some(format!("{ended}{}", probe.message).into())
        }
        "ImagePullBackOff" | "ErrImagePull"
            if diagnosis.why.as_ref().is_none_or(|why| why.starts_with("Back-off")) =>
        {
            newest(&|notice| notice.reason == "Failed" && notice.message.starts_with("Failed to pull"))
                .map(|n| words(&n.message))
        }
        "ContainerCreating" | "PodInitializing" | "Pending" if diagnosis.why.is_none() => {
            newest(&|_| true).map(|notice| format!("{}: {}", notice.reason, notice.message).into())
        }
        _ => None,
    }
}

/// A rollout that does not go on, by the newest revision's worst pod: `rev 8 hangs, 1 of 2 updated: exit 1`.
fn hanging(world: &World, row: &WorkloadRow<'_>, troubled: &[(&Pod, Cow<'_, Diagnosis>)]) -> Option<Clean> {
    let workload = row
        .workload
        .filter(|w| w.kind == Kind::Deployment && row.severity > Severity::Ok && half_rolled(w))?;
    let of_it =
        |r: &&crate::event::Revision| r.owner.as_ref().is_some_and(|owner| owner.uid == workload.meta.uid);
    let newest = world
        .cluster
        .revisions
        .values()
        .filter(of_it)
        .find(|revision| Some(revision.number) == workload.revision)?;
    let of_newest = |pod: &Pod| {
        pod.meta.deleting.is_none() && pod.owner.as_ref().is_some_and(|owner| owner.uid == newest.meta.uid)
    };
    let (pod, diagnosis) = troubled.iter().find(|(pod, _)| of_newest(pod))?;
    if workload.stuck.is_none() && diagnosis.severity < Severity::Critical {
        return None; // it goes on
    }
    let why = told(world, pod, diagnosis).why.unwrap_or_else(|| diagnosis.status.clone());
    Some(
        format!("rev {} hangs, {} of {} updated: {why}", newest.number, workload.updated, workload.desired)
            .into(),
    )
}

/// Whether pods of an older template are still there, or the controller has given the rollout up.
fn half_rolled(workload: &Workload) -> bool {
    workload.replicas > workload.updated || (workload.stuck.is_some() && workload.revision > Some(1))
}

fn forced(world: &World, row: &WorkloadRow<'_>) -> Option<(Severity, Clean, Clean)> {
    let pod = world.forced.of(&row.workload?.meta.uid, world.at)?;
    let why = format!(
        "{} {} ago: its containers may still run beside the new pod",
        pod.name,
        units::age(world.at - pod.at)
    );
    Some((Severity::Warn, "force-deleted".into(), why.into()))
}

/// A run that ended badly a moment ago, in a row that is well again: `OOMKilled`,
/// `running again · 3 restarts · last exit 137 (SIGKILL), 12 s ago`.
fn restarted(world: &World, row: &WorkloadRow<'_>) -> Option<(Severity, Clean, Clean)> {
    let recent = |at: DateTime<Utc>| world.at - at <= RECENT;
    if row.severity > Severity::Ok || row.restarts == 0 || !row.ended.is_some_and(recent) {
        return None;
    }
    let pods = pods(world, row);
    let ends = pods.iter().flat_map(|pod| &pod.containers).filter_map(|container| container.last.as_ref());
    let (at, last) = ends
        .filter_map(|last| Some((bad_end(last)?, last)))
        .max_by_key(|(at, _)| *at)
        .filter(|(at, _)| recent(*at))?;
    let ended = end(last)?;
    let (reason, rest) = ended.split_once(", ").unwrap_or(("restarted", &ended));
    Some((
        Severity::Warn,
        reason.into(),
        format!(
            "running again · {} · last {rest}, {} ago",
            units::counted(row.restarts as usize, "restart"),
            units::span(world.at - at)
        )
        .into(),
    ))
}

fn bad_end(state: &ContainerState) -> Option<DateTime<Utc>> {
    match state {
        ContainerState::Terminated { exit, at, .. } if *exit != 0 => *at,
        _ => None,
    }
}
