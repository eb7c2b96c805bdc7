//! What a container does and how often it was started, as its pod says: asked whenever a log ends, because
//! the log does not tell why.

use k8s_openapi::api::core::v1::{ContainerState, ContainerStatus, Pod};
use kube::Api;

use crate::clean::Clean;
use crate::event::LogSource;

/// What a look at the pod found.
#[derive(Debug)]
pub(super) enum Look {
    /// The pod is gone, or another has its name.
    Gone,
    /// It may not be looked at, although its log may be read.
    Blind,
    /// No answer, and why.
    Unheard(String),
    /// The container.
    Here(Here),
}

/// A container.
#[derive(Debug)]
pub(super) struct Here {
    /// How often it was started again: the number of its run.
    pub(super) run: i32,
    pub(super) now: Now,
    /// How the run before ended.
    pub(super) before: Option<Exit>,
}

/// What it does.
#[derive(Debug)]
pub(super) enum Now {
    Running,
    /// It will be started.
    Waiting(Clean),
    /// It ended, for good or until it is started again.
    Exited(Exit, bool),
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Exit {
    pub(super) code: i32,
    /// `Error`, `OOMKilled`, `Completed`, …
    pub(super) reason: Clean,
}

impl std::fmt::Display for Exit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.reason.as_str() {
            "" | "Error" | "Completed" => write!(f, "exit {}", self.code),
            reason => write!(f, "exit {}, {reason}", self.code),
        }
    }
}

/// Looks at the pod of a log.
pub(super) async fn look(pods: &Api<Pod>, source: &LogSource) -> Look {
    match pods.get_opt(&source.pod).await {
        Ok(Some(pod)) if pod.metadata.uid.as_deref() == Some(source.uid.id()) => {
            Look::Here(container(&pod, &source.container))
        }
        Ok(_) => Look::Gone,
        Err(kube::Error::Api(status)) if matches!(status.code, 401 | 403) => Look::Blind,
        Err(kube::Error::Api(status)) => Look::Unheard(status.message),
        Err(error) => Look::Unheard(error.to_string()),
    }
}

fn container(pod: &Pod, name: &str) -> Here {
    let status = pod.status.as_ref();
    let inits = status.and_then(|status| status.init_container_statuses.as_deref()).unwrap_or_default();
    let others = status.and_then(|status| status.container_statuses.as_deref()).unwrap_or_default();
    let init = inits.iter().any(|status| status.name == name);
    let Some(found) = inits.iter().chain(others).find(|status| status.name == name) else {
        let waits =
            status.and_then(|status| status.reason.clone()).unwrap_or_else(|| "not started yet".to_owned());
        return Here { run: 0, now: Now::Waiting(waits.into()), before: None };
    };
    Here {
        run: found.restart_count,
        now: now(pod, found, init),
        before: found.last_state.as_ref().and_then(exit),
    }
}

fn now(pod: &Pod, container: &ContainerStatus, init: bool) -> Now {
    let state = container.state.as_ref();
    if let Some(exit) = state.and_then(exit) {
        let over = over(pod, &exit, init);
        return Now::Exited(exit, over);
    }
    if state.is_some_and(|state| state.running.is_some()) {
        return Now::Running;
    }
    let reason = state.and_then(|state| state.waiting.as_ref()?.reason.clone());
    Now::Waiting(reason.unwrap_or_else(|| "not started yet".to_owned()).into())
}

fn exit(state: &ContainerState) -> Option<Exit> {
    let ended = state.terminated.as_ref()?;
    Some(Exit { code: ended.exit_code, reason: ended.reason.as_deref().unwrap_or_default().into() })
}

/// Whether the kubelet will not start it again.
fn over(pod: &Pod, exit: &Exit, init: bool) -> bool {
    let policy = pod.spec.as_ref().and_then(|spec| spec.restart_policy.as_deref()).unwrap_or("Always");
    let ended = pod
        .status
        .as_ref()
        .and_then(|status| status.phase.as_deref())
        .is_some_and(|phase| matches!(phase, "Succeeded" | "Failed"));
    let well = exit.code == 0 && (init || policy == "OnFailure");
    ended || well || policy == "Never" || pod.metadata.deletion_timestamp.is_some()
}
