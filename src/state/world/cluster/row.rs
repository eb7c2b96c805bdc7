//! A row of the workloads pane: how bad a workload is and why, from its own counts and from what is wrong
//! with its pods.

use chrono::{DateTime, Utc};

use super::Objects;
use super::group::Group;
use crate::clean::Clean;
use crate::event::{ContainerState, Meta, Pod, Uid, Workload};
use crate::state::detect::pod_diagnosis::{Diagnosis, Severity, diagnose, restarts};

/// The reason of a workload whose pods are being replaced.
pub(in crate::state) const ROLLING_OUT: &str = "rolling out";

/// A workload with what is wrong with it, or a pod that no known workload owns.
#[derive(Clone, Debug, PartialEq)]
pub struct WorkloadRow<'a> {
    meta: &'a Meta,
    /// Workload; `None` for a pod on its own.
    pub workload: Option<&'a Workload>,
    /// Pod, where the row is a pod on its own.
    pub pod: Option<&'a Pod>,
    /// Severity of the row.
    pub severity: Severity,
    /// Worst reason: `CrashLoopBackOff`, or `None` when it is well.
    pub reason: Option<Clean>,
    /// Details of the reason: `exit 1`.
    pub why: Option<Clean>,
    /// Number of restarts of all its pods.
    pub restarts: u32,
    /// Whether `why` tells them.
    pub restarts_told: bool,
    /// Time when a container of it ended last, where one was started again.
    pub ended: Option<DateTime<Utc>>,
}

impl<'a> WorkloadRow<'a> {
    pub(in crate::state) fn new(objects: &'a Objects, uid: &Uid, summary: &Summary) -> Option<Self> {
        let workload = objects.workloads.get(uid);
        let pod = if workload.is_none() { objects.pods.get(uid).map(AsRef::as_ref) } else { None };
        let meta = workload.map(|w| &w.meta).or(pod.map(|pod| &pod.meta))?;
        let Summary { severity, reason, why, restarts, ended } = summary.clone();
        Some(Self { meta, workload, pod, severity, reason, why, restarts, restarts_told: false, ended })
    }

    /// Returns identity and age: the workload's, or the lone pod's.
    pub fn meta(&self) -> &'a Meta {
        self.meta
    }

    /// Returns the name: the workload's, or the lone pod's.
    pub fn name(&self) -> &'a Clean {
        &self.meta.name
    }

    /// Returns the namespace.
    pub fn namespace(&self) -> &'a Clean {
        &self.meta.namespace
    }

    /// Returns the identity of the row: the workload's, or the lone pod's.
    pub fn uid(&self) -> &'a Uid {
        &self.meta.uid
    }
}

/// What a row says beside the object itself.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::state) struct Summary {
    pub(in crate::state) severity: Severity,
    reason: Option<Clean>,
    why: Option<Clean>,
    restarts: u32,
    ended: Option<DateTime<Utc>>,
}

impl Summary {
    /// Of a pod on its own.
    pub(in crate::state) fn of_pod(pod: &Pod) -> Self {
        let diagnosis = diagnose(pod);
        let bad = diagnosis.severity > Severity::Ok;
        Self {
            severity: diagnosis.severity,
            reason: bad.then(|| in_trouble(&diagnosis)),
            why: diagnosis.why.filter(|_| bad),
            restarts: restarts(pod),
            ended: last_end(pod),
        }
    }

    /// Of a workload with the pods that its controllers have. Those that are on their way out are never why
    /// it is broken.
    pub(in crate::state) fn of_workload(
        workload: &Workload,
        groups: &[&Group],
        leaving: impl Fn(&Pod) -> bool,
        objects: &Objects,
    ) -> Self {
        let stays = |uid: &Uid| objects.pods.get(uid).is_none_or(|pod| !leaving(pod));
        let worst = groups
            .iter()
            .filter_map(|group| group.worst(stays))
            .min_by(|(a, _), (b, _)| a.cmp(b))
            .map(|(_, diagnosis)| diagnosis);
        let ends = worst.is_none() && groups.iter().any(|group| group.worst(|_| true).is_some());
        let short = workload.short() || workload.stuck.is_some();
        let severity = severity(workload, worst, short).max(if ends { Severity::Warn } else { Severity::Ok });
        let bad = severity > Severity::Ok;
        let restarts = groups.iter().map(|group| group.restarts).fold(0, u32::saturating_add);
        let pods = || groups.iter().flat_map(|group| group.pods()).filter_map(|uid| objects.pods.get(uid));
        Self {
            severity,
            reason: worst
                .map(in_trouble)
                .or_else(|| short.then(|| shortage(workload)))
                .or_else(|| ends.then(|| ending(workload)))
                .filter(|_| bad),
            why: worst.and_then(|d| d.why.clone()).or_else(|| workload.stuck.clone().filter(|_| short)),
            restarts,
            ended: if restarts > 0 { pods().filter_map(|pod| last_end(pod)).max() } else { None },
        }
    }
}

fn severity(workload: &Workload, worst: Option<&Diagnosis>, short: bool) -> Severity {
    let broken = worst.is_some_and(|d| d.severity == Severity::Critical);
    if broken || (short && (workload.ready == 0 || workload.stuck.is_some())) {
        return Severity::Critical;
    }
    if worst.is_some() || short { Severity::Warn } else { Severity::Ok }
}

/// kubectl calls a pod `Running` that is not ready; as a reason that says nothing.
fn in_trouble(diagnosis: &Diagnosis) -> Clean {
    if diagnosis.status == "Running" { "not ready".into() } else { diagnosis.status.clone() }
}

fn shortage(workload: &Workload) -> Clean {
    workload
        .stuck
        .clone()
        .unwrap_or_else(|| if workload.updated < workload.desired { ROLLING_OUT } else { "not ready" }.into())
}

/// Nothing is wrong but with pods that are on their way out.
fn ending(workload: &Workload) -> Clean {
    if workload.is_rolling_out() { ROLLING_OUT } else { "Terminating" }.into()
}

/// Returns when a container of the pod ended last.
pub fn last_end(pod: &Pod) -> Option<DateTime<Utc>> {
    let states = pod
        .containers
        .iter()
        .flat_map(|container| container.last.as_deref().into_iter().chain([&container.state]));
    let ends =
        states.filter_map(|state| if let ContainerState::Terminated { at, .. } = state { *at } else { None });
    ends.max()
}
