//! core/v1 Pod

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::{Condition, FromProto, Metadata, Names, Object};
use crate::clean::Clean;
use crate::event::{self, ClusterEvent, Kind, PodPhase};
use crate::units::resource::Quantities;

mod proto;

/// core/v1 Pod
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Pod {
    metadata: Metadata,
    spec: Spec,
    status: Status,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Spec {
    node_name: Option<Clean>,
    init_containers: Option<Vec<Container>>,
    containers: Option<Vec<Container>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Container {
    name: Clean,
    image: Clean,
    restart_policy: Option<String>,
    resources: Resources,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Resources {
    requests: Quantities,
    limits: Quantities,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    phase: Option<String>,
    reason: Option<Clean>,
    message: Option<Clean>,
    conditions: Option<Vec<Condition>>,
    init_container_statuses: Option<Vec<ContainerStatus>>,
    container_statuses: Option<Vec<ContainerStatus>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ContainerStatus {
    name: Clean,
    ready: bool,
    restart_count: u32,
    state: Option<State>,
    last_state: Option<State>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct State {
    waiting: Option<Waiting>,
    running: Option<Running>,
    terminated: Option<Terminated>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Waiting {
    reason: Option<Clean>,
    message: Option<Clean>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Running {
    started_at: Option<DateTime<Utc>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Terminated {
    reason: Option<Clean>,
    exit_code: i32,
    finished_at: Option<DateTime<Utc>>,
    message: Option<Clean>,
}

/// Characters kept of a container's last words, which may have 4096 bytes; what they end with is what it
/// ended of.
const LAST_WORDS: usize = 400;

fn last_words(message: &Clean) -> Option<Clean> {
    let surplus = message.chars().count().saturating_sub(LAST_WORDS);
    let kept: String = message.chars().skip(surplus).collect();
    let kept = kept.trim_matches(|c: char| c == '␊' || c.is_whitespace());
    (!kept.is_empty()).then(|| if surplus > 0 { format!("…{kept}").into() } else { kept.into() })
}

impl State {
    fn fact(self, names: &mut Names) -> Option<event::ContainerState> {
        let mut shared = |reason: Option<Clean>| reason.map(|reason| names.shared(reason));
        if let Some(Terminated { reason, exit_code: exit, finished_at: at, message }) = self.terminated {
            let message = shared(message.as_ref().and_then(last_words));
            return Some(event::ContainerState::Terminated { reason: shared(reason), exit, at, message });
        }
        if let Some(Running { started_at: since }) = self.running {
            return Some(event::ContainerState::Running { since });
        }
        self.waiting.map(|Waiting { reason, message }| event::ContainerState::Waiting {
            reason: shared(reason),
            message: shared(message),
        })
    }
}

impl Status {
    fn phase(&self) -> PodPhase {
        match self.phase.as_deref() {
            Some("Pending") => PodPhase::Pending,
            Some("Running") => PodPhase::Running,
            Some("Succeeded") => PodPhase::Succeeded,
            Some("Failed") => PodPhase::Failed,
            _ => PodPhase::Unknown,
        }
    }

    /// The words that go with what is wrong: the kubelet's own, the scheduler's, or those of the condition
    /// that keeps it unready.
    fn words(&self) -> Option<Clean> {
        let conditions = self.conditions.as_deref();
        let unmet = |name| Condition::find(conditions, name, "False").and_then(Condition::words);
        let unready = || {
            (self.phase() == PodPhase::Running)
                .then(|| unmet("Ready").or_else(|| unmet("ContainersReady")))
                .flatten()
        };
        self.message.clone().or_else(|| unmet("PodScheduled")).or_else(unready)
    }

    fn of(&mut self, container: &Clean) -> ContainerStatus {
        let all = self
            .init_container_statuses
            .iter_mut()
            .flatten()
            .chain(self.container_statuses.iter_mut().flatten());
        all.into_iter().find(|status| status.name == *container).map(std::mem::take).unwrap_or_default()
    }
}

impl Object for Pod {
    const KIND: Kind = Kind::Pod;
    type Fact = Arc<event::Pod>;
    const PROTO: Option<FromProto<Self>> = Some(proto::read);

    fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    fn fact(mut self, names: &mut Names) -> Arc<event::Pod> {
        let message = self.status.words();
        let inits = self
            .spec
            .init_containers
            .take()
            .into_iter()
            .flatten()
            .map(|c| (c.restart_policy.as_deref() != Some("Always"), c));
        let others = self.spec.containers.take().into_iter().flatten().map(|c| (false, c));
        let containers = inits.chain(others).map(|(init, container)| {
            let status = self.status.of(&container.name);
            fact_of(container, init, status, names)
        });
        // no more room than they need: there may be fifty thousand pods
        let containers = containers.collect::<Box<[_]>>().into_vec();
        let gated = Condition::find(self.status.conditions.as_deref(), "PodScheduled", "False")
            .and_then(|c| c.reason.clone());
        let reason = self.status.reason.take().or_else(|| gated.filter(|reason| reason == "SchedulingGated"));
        Arc::new(event::Pod {
            owner: self.metadata.owner(names).map(|owner| names.shared_owner(owner)),
            node: self.spec.node_name.map(|node| names.shared(node)),
            phase: self.status.phase(),
            ready: Condition::find(self.status.conditions.as_deref(), "Ready", "True").is_some(),
            reason,
            message: message.map(|message| names.shared(message)),
            containers,
            meta: self.metadata.meta(names),
        })
    }

    fn event(facts: Vec<Arc<event::Pod>>) -> ClusterEvent {
        ClusterEvent::Pods(facts)
    }
}

fn fact_of(container: Container, init: bool, status: ContainerStatus, names: &mut Names) -> event::Container {
    let state = status.state.and_then(|state| state.fact(names));
    event::Container {
        name: names.shared(container.name),
        image: names.shared(container.image),
        init,
        ready: status.ready,
        restarts: status.restart_count,
        // What has no status yet has not been looked at by a kubelet.
        state: state.unwrap_or(event::ContainerState::Waiting { reason: None, message: None }),
        last: status.last_state.and_then(|state| state.fact(names)).map(Box::new),
        requests: container.resources.requests.amount(),
        limits: container.resources.limits.amount(),
    }
}
