//! Why a pod is not well, in the words of kubectl's STATUS column and a sentence more.

use serde::{Deserialize, Serialize};

use crate::clean::Clean;
use crate::event::{Container, ContainerState, Pod, PodPhase};

/// How much a thing needs a person. Ordered: the worst is the greatest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Well.
    Ok,
    /// On its way, or worth an eye.
    Warn,
    /// Broken.
    Critical,
}

/// What is wrong with a pod.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Diagnosis {
    /// How bad it is.
    pub severity: Severity,
    /// As kubectl's STATUS column has it: `Running`, `CrashLoopBackOff`, `Init:Error`, `Terminating`.
    pub status: Clean,
    /// More, where there is more: `exit 1`, `0/3 nodes are available: …`.
    pub why: Option<Clean>,
}

/// Reads a pod as kubectl's printer does (kubernetes/pkg/printers/internalversion `printPod`): init containers first, then the last
/// container that waits or ended names the reason; deletion outranks both.
pub fn diagnose(pod: &Pod) -> Diagnosis {
    let (status, why) = status(pod);
    Diagnosis { severity: severity(pod, &status), status, why }
}

fn status(pod: &Pod) -> (Clean, Option<Clean>) {
    if pod.meta.deleting.is_some() {
        let lost = pod.reason.as_deref() == Some("NodeLost");
        return (if lost { "Unknown" } else { "Terminating" }.into(), pod.message.clone());
    }
    if pod.node.is_none() && pod.phase == PodPhase::Pending {
        return (pod.reason.clone().unwrap_or_else(|| "Pending".into()), pod.message.clone()); // the scheduler's words, where it has any
    }
    if let Some(stuck) = stuck_init(pod) {
        return stuck;
    }
    let fault = pod.containers.iter().filter(|c| !c.init).rev().find_map(fault);
    fault
        .or_else(|| unready(pod))
        .unwrap_or_else(|| (pod.reason.clone().unwrap_or_else(|| phase_word(pod.phase).into()), pod.message.clone()))
}

fn stuck_init(pod: &Pod) -> Option<(Clean, Option<Clean>)> {
    let inits: Vec<&Container> = pod.containers.iter().filter(|c| c.init).collect();
    let (done, stuck) = inits.iter().enumerate().find(|(_, c)| !finished(&c.state))?;
    if matches!(stuck.state, ContainerState::Running { .. }) && stuck.ready {
        return None; // a sidecar: an init container that is meant to go on
    }
    let (word, why) = fault(stuck).unwrap_or_else(|| (format!("{done}/{}", inits.len()).into(), None));
    (pod.phase == PodPhase::Pending && pod.node.is_some()).then(|| (format!("Init:{word}").into(), why))
}

fn finished(state: &ContainerState) -> bool {
    matches!(state, ContainerState::Terminated { exit: 0, .. })
}

/// What is wrong with one container, if anything.
fn fault(container: &Container) -> Option<(Clean, Option<Clean>)> {
    match &container.state {
        ContainerState::Waiting { reason: Some(reason), message } => {
            let ended = container.last.as_ref().and_then(ending);
            let why = ended.or_else(|| message.clone().filter(|_| reason.as_str() != "ContainerCreating"));
            Some((reason.clone(), why))
        }
        ContainerState::Waiting { reason: None, .. } => Some(("ContainerCreating".into(), None)),
        ContainerState::Terminated { reason, exit, .. } => {
            let word = reason.clone().unwrap_or_else(|| format!("ExitCode:{exit}").into());
            Some((word, (*exit != 0).then(|| format!("exit {exit}").into())))
        }
        ContainerState::Running { .. } => None,
    }
}

/// How the last run ended: `exit 1`, `OOMKilled, exit 137`.
fn ending(last: &ContainerState) -> Option<Clean> {
    let ContainerState::Terminated { reason, exit, .. } = last else { return None };
    match reason.as_deref() {
        None | Some("Error" | "Completed") => Some(format!("exit {exit}").into()),
        Some(reason) => Some(format!("{reason}, exit {exit}").into()),
    }
}

/// A pod whose containers run but that is not ready: kubectl says `Running`, and so do we, with the reason beside it.
fn unready(pod: &Pod) -> Option<(Clean, Option<Clean>)> {
    let waiting = pod.phase == PodPhase::Running && !pod.ready;
    let killed = || pod.containers.iter().filter_map(|c| c.last.as_ref()).find_map(ending);
    waiting.then(|| ("Running".into(), pod.message.clone().or_else(killed)))
}

fn phase_word(phase: PodPhase) -> &'static str {
    match phase {
        PodPhase::Pending => "Pending",
        PodPhase::Running => "Running",
        PodPhase::Succeeded => "Completed",
        PodPhase::Failed => "Failed",
        PodPhase::Unknown => "Unknown",
    }
}

fn severity(pod: &Pod, status: &str) -> Severity {
    match status {
        "Completed" => Severity::Ok,
        "Running" if pod.ready => Severity::Ok,
        "Pending" if pod.node.is_none() && pod.message.is_some() => Severity::Critical, // no node takes it
        "Terminating" | "ContainerCreating" | "PodInitializing" | "Pending" if pod.reason.is_none() => Severity::Warn,
        "Running" if pod.containers.iter().all(|c| c.restarts == 0) => Severity::Warn,
        _ => Severity::Critical,
    }
}

/// Restarts of all containers.
pub fn restarts(pod: &Pod) -> u32 {
    pod.containers.iter().map(|c| c.restarts).fold(0, u32::saturating_add)
}
