//! Why a pod is not well, in the words of kubectl's STATUS column and a sentence more.

use serde::{Deserialize, Serialize};

use crate::clean::Clean;
use crate::event::{Container, ContainerState, Pod, PodPhase};

/// Severity of a state. Ordered: the worst is the greatest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Healthy.
    Ok,
    /// Under way, or worth a look.
    Warn,
    /// Broken.
    Critical,
}

/// Diagnosis of a pod: its status, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Diagnosis {
    /// Severity of the status.
    pub severity: Severity,
    /// Status as kubectl's STATUS column has it: `Running`, `CrashLoopBackOff`, `Init:Error`, `Terminating`.
    pub status: Clean,
    /// Further words, where there are any: `exit 1`, `0/3 nodes are available: …`.
    pub why: Option<Clean>,
}

/// Reads a pod as kubectl's printer does (kubernetes/pkg/printers/internalversion `printPod`): the first init
/// container that has not ended well, else the first container by name that waits or ended, names the reason;
/// deletion outranks both.
pub fn diagnose(pod: &Pod) -> Diagnosis {
    let (status, why) = status(pod);
    Diagnosis { severity: severity(pod, &status), status, why }
}

fn status(pod: &Pod) -> (Clean, Option<Clean>) {
    let over = matches!(pod.phase, PodPhase::Succeeded | PodPhase::Failed);
    if pod.meta.deleting.is_some() && !over {
        let lost = pod.reason.as_deref() == Some("NodeLost");
        return (if lost { "Unknown" } else { "Terminating" }.into(), pod.message.clone());
    }
    if pod.node.is_none() && pod.phase == PodPhase::Pending {
        // the scheduler's words, where it has any
        return (pod.reason.clone().unwrap_or_else(|| "Pending".into()), pod.message.clone());
    }
    if let Some(stuck) = stuck_init(pod) {
        return stuck;
    }
    faulty(pod).or_else(|| unready(pod)).unwrap_or_else(|| {
        (pod.reason.clone().unwrap_or_else(|| phase_word(pod.phase).into()), pod.message.clone())
    })
}

/// The reason of the container that names the pod's: the kubelet reports them by name, and the printer lets
/// the first one win. What waits for the others is never it, and one that has completed beside others that
/// run only keeps the pod from being ready. What a kubelet has rejected or evicted has containers that never
/// began: they say nothing, the pod does.
fn faulty(pod: &Pod) -> Option<(Clean, Option<Clean>)> {
    let over = matches!(pod.phase, PodPhase::Succeeded | PodPhase::Failed);
    let never_begun = |c: &Container| matches!(c.state, ContainerState::Waiting { reason: None, .. });
    let others = pod.containers.iter().filter(|c| !(c.init || over && never_begun(c)));
    let mut faults: Vec<_> = others.filter_map(|c| Some((&c.name, fault(c)?))).collect();
    faults.sort_by_key(|(name, (word, _))| (*word == "PodInitializing", *name));
    let (_, (word, why)) = faults.into_iter().next()?;
    let running = pod
        .containers
        .iter()
        .any(|c| !c.init && c.ready && matches!(c.state, ContainerState::Running { .. }));
    match (word.as_str(), running) {
        ("Completed", true) if pod.ready => None,
        ("Completed", true) => Some(("NotReady".into(), pod.message.clone())),
        _ => Some((word, why)),
    }
}

fn stuck_init(pod: &Pod) -> Option<(Clean, Option<Clean>)> {
    let inits: Vec<&Container> = pod.containers.iter().filter(|c| c.init).collect();
    let (done, stuck) = inits.iter().enumerate().find(|(_, c)| !finished(&c.state))?;
    let waits = matches!(&stuck.state, ContainerState::Waiting { reason, .. } if reason.as_deref().is_none_or(|r| r == "PodInitializing"));
    let (word, why) =
        fault(stuck).filter(|_| !waits).unwrap_or_else(|| (format!("{done}/{}", inits.len()).into(), None));
    (pod.phase == PodPhase::Pending && pod.node.is_some()).then(|| (format!("Init:{word}").into(), why))
}

fn finished(state: &ContainerState) -> bool {
    matches!(state, ContainerState::Terminated { exit: 0, .. })
}

/// What is wrong with one container, if anything.
fn fault(container: &Container) -> Option<(Clean, Option<Clean>)> {
    match &container.state {
        ContainerState::Waiting { reason: Some(reason), message } => {
            let said = || message.as_ref().filter(|_| reason != "ContainerCreating").map(words);
            let ended = || container.last.as_deref().and_then(ending);
            let why =
                if reason == "CrashLoopBackOff" { ended().or_else(said) } else { said().or_else(ended) };
            Some((reason.clone(), why))
        }
        ContainerState::Waiting { reason: None, .. } => Some(("ContainerCreating".into(), None)),
        ContainerState::Terminated { reason, exit, message, .. } => {
            let word = reason.clone().unwrap_or_else(|| format!("ExitCode:{exit}").into());
            Some((word, (*exit != 0).then(|| with_last_words(&code(*exit), message.as_ref()))))
        }
        ContainerState::Running { .. } => None,
    }
}

/// What a chain of errors about an image ends with, and the image: of
/// `Back-off pulling image "nope:1": …: failed to resolve reference "docker.io/nope:1": not found` it is
/// `nope:1: not found`.
pub fn words(message: &Clean) -> Clean {
    let image = message.split('"').nth(1).filter(|_| message.contains("pull"));
    match (image, message.rsplit_once("\": ")) {
        (Some(image), Some((_, end))) if !end.contains(image) => format!("{image}: {end}").into(),
        (Some(_), Some((_, end))) => end.into(),
        _ => message.clone(),
    }
}

/// Returns how the last run ended: `exit 1`, `OOMKilled, exit 137 (SIGKILL)`.
pub fn end(last: &ContainerState) -> Option<String> {
    let ContainerState::Terminated { reason, exit, .. } = last else { return None };
    Some(match reason.as_deref() {
        None | Some("Error" | "Completed") => code(*exit),
        Some(reason) => format!("{reason}, {}", code(*exit)),
    })
}

/// Returns the same with its last words: `StartError, exit 128: exec: "/nope": no such file or directory`.
pub fn ending(last: &ContainerState) -> Option<Clean> {
    let ContainerState::Terminated { message, .. } = last else { return None };
    end(last).map(|how| with_last_words(&how, message.as_ref()))
}

/// The last line of what was said last; of a runtime's chain of errors what it could not execute.
fn with_last_words(how: &str, message: Option<&Clean>) -> Clean {
    let Some(line) = message.and_then(|message| message.rsplit('␊').next()) else { return how.into() };
    let line = line.find("exec: ").map_or(line, |at| &line[at..]);
    format!("{how}: {line}").into()
}

/// `exit 1`, `exit 143 (SIGTERM)`
fn code(exit: i32) -> String {
    signal(exit).map_or_else(|| format!("exit {exit}"), |signal| format!("exit {exit} ({signal})"))
}

/// The signal that an exit code stands for: 128 and its number (signal(7)).
fn signal(exit: i32) -> Option<&'static str> {
    Some(match exit {
        129 => "SIGHUP",
        130 => "SIGINT",
        131 => "SIGQUIT",
        132 => "SIGILL",
        134 => "SIGABRT",
        135 => "SIGBUS",
        136 => "SIGFPE",
        137 => "SIGKILL",
        139 => "SIGSEGV",
        141 => "SIGPIPE",
        143 => "SIGTERM",
        _ => return None,
    })
}

/// A pod whose containers run but that is not ready: kubectl says `Running`, and so do we, with the reason
/// beside it.
fn unready(pod: &Pod) -> Option<(Clean, Option<Clean>)> {
    let waiting = pod.phase == PodPhase::Running && !pod.ready;
    let killed = || pod.containers.iter().filter_map(|c| c.last.as_deref()).find_map(ending);
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
        "Terminating" | "ContainerCreating" | "PodInitializing" | "Pending" if pod.reason.is_none() => {
            Severity::Warn
        }
        "Running" if pod.containers.iter().all(|c| c.restarts == 0) => Severity::Warn,
        "NotReady" | "SchedulingGated" => Severity::Warn,
        status if status.starts_with("Init:") && status.ends_with(|c: char| c.is_ascii_digit()) => {
            Severity::Warn
        } // Init:0/2
        _ => Severity::Critical,
    }
}

/// Returns the number of restarts of all containers.
pub fn restarts(pod: &Pod) -> u32 {
    pod.containers.iter().map(|c| c.restarts).fold(0, u32::saturating_add)
}
