//! core/v1 Pod as protobuf, by the numbers in `api/core/v1/generated.proto`: a third of the API server's work
//! for the same pod, and of the reader's.

use std::collections::BTreeMap;

use prost::Message;

use super::super::proto::{ObjectMeta, PodCondition, Time, all, clean, some};
use super::{Container, ContainerStatus, Pod, Resources, Running, Spec, State, Status, Terminated, Waiting};
use crate::units::resource::Quantities;

#[derive(Clone, PartialEq, Message)]
struct PodMessage {
    #[prost(message, optional, tag = "1")]
    metadata: Option<ObjectMeta>,
    #[prost(message, optional, tag = "2")]
    spec: Option<PodSpec>,
    #[prost(message, optional, tag = "3")]
    status: Option<PodStatus>,
}

#[derive(Clone, PartialEq, Message)]
struct PodSpec {
    #[prost(message, repeated, tag = "2")]
    containers: Vec<ContainerMessage>,
    #[prost(string, tag = "10")]
    node_name: String,
    #[prost(message, repeated, tag = "20")]
    init_containers: Vec<ContainerMessage>,
}

#[derive(Clone, PartialEq, Message)]
struct ContainerMessage {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    image: String,
    #[prost(message, optional, tag = "8")]
    resources: Option<ResourceRequirements>,
    #[prost(string, tag = "24")]
    restart_policy: String,
}

#[derive(Clone, PartialEq, Message)]
struct ResourceRequirements {
    #[prost(btree_map = "string, message", tag = "1")]
    limits: BTreeMap<String, Quantity>,
    #[prost(btree_map = "string, message", tag = "2")]
    requests: BTreeMap<String, Quantity>,
}

#[derive(Clone, PartialEq, Message)]
struct Quantity {
    #[prost(string, tag = "1")]
    text: String,
}

#[derive(Clone, PartialEq, Message)]
struct PodStatus {
    #[prost(string, tag = "1")]
    phase: String,
    #[prost(message, repeated, tag = "2")]
    conditions: Vec<PodCondition>,
    #[prost(string, tag = "3")]
    message: String,
    #[prost(string, tag = "4")]
    reason: String,
    #[prost(message, repeated, tag = "8")]
    container_statuses: Vec<ContainerStatusMessage>,
    #[prost(message, repeated, tag = "10")]
    init_container_statuses: Vec<ContainerStatusMessage>,
}

#[derive(Clone, PartialEq, Message)]
struct ContainerStatusMessage {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(message, optional, tag = "2")]
    state: Option<ContainerState>,
    #[prost(message, optional, tag = "3")]
    last_state: Option<ContainerState>,
    #[prost(bool, tag = "4")]
    ready: bool,
    #[prost(int32, tag = "5")]
    restart_count: i32,
}

#[derive(Clone, PartialEq, Message)]
struct ContainerState {
    #[prost(message, optional, tag = "1")]
    waiting: Option<StateWaiting>,
    #[prost(message, optional, tag = "2")]
    running: Option<StateRunning>,
    #[prost(message, optional, tag = "3")]
    terminated: Option<StateTerminated>,
}

#[derive(Clone, PartialEq, Message)]
struct StateWaiting {
    #[prost(string, tag = "1")]
    reason: String,
    #[prost(string, tag = "2")]
    message: String,
}

#[derive(Clone, PartialEq, Message)]
struct StateRunning {
    #[prost(message, optional, tag = "1")]
    started_at: Option<Time>,
}

#[derive(Clone, PartialEq, Message)]
struct StateTerminated {
    #[prost(int32, tag = "1")]
    exit_code: i32,
    #[prost(string, tag = "3")]
    reason: String,
    #[prost(string, tag = "4")]
    message: String,
    #[prost(message, optional, tag = "6")]
    finished_at: Option<Time>,
}

/// Reads one.
pub(super) fn read(raw: &[u8]) -> Result<Pod, prost::DecodeError> {
    let PodMessage { metadata, spec, status } = PodMessage::decode(raw)?;
    Ok(Pod {
        metadata: metadata.unwrap_or_default().into(),
        spec: spec.unwrap_or_default().into(),
        status: status.unwrap_or_default().into(),
    })
}

impl From<PodSpec> for Spec {
    fn from(spec: PodSpec) -> Self {
        Self {
            node_name: clean(spec.node_name),
            init_containers: all(spec.init_containers),
            containers: all(spec.containers),
        }
    }
}

impl From<ContainerMessage> for Container {
    fn from(container: ContainerMessage) -> Self {
        let ResourceRequirements { limits, requests } = container.resources.unwrap_or_default();
        let read = |amounts: &BTreeMap<String, Quantity>| {
            Quantities::of(|name| amounts.get(name).map(|quantity| quantity.text.as_str()))
        };
        Self {
            name: container.name.into(),
            image: container.image.into(),
            restart_policy: some(container.restart_policy),
            resources: Resources { requests: read(&requests), limits: read(&limits) },
        }
    }
}

impl From<PodStatus> for Status {
    fn from(status: PodStatus) -> Self {
        Self {
            phase: some(status.phase),
            reason: clean(status.reason),
            message: clean(status.message),
            conditions: all(status.conditions),
            init_container_statuses: all(status.init_container_statuses),
            container_statuses: all(status.container_statuses),
        }
    }
}

impl From<ContainerStatusMessage> for ContainerStatus {
    fn from(status: ContainerStatusMessage) -> Self {
        Self {
            name: status.name.into(),
            ready: status.ready,
            restart_count: u32::try_from(status.restart_count).unwrap_or_default(),
            state: status.state.map(Into::into),
            last_state: status.last_state.map(Into::into),
        }
    }
}

impl From<ContainerState> for State {
    fn from(state: ContainerState) -> Self {
        Self {
            waiting: state
                .waiting
                .map(|waiting| Waiting { reason: clean(waiting.reason), message: clean(waiting.message) }),
            running: state
                .running
                .map(|running| Running { started_at: running.started_at.and_then(Time::at) }),
            terminated: state.terminated.map(|ended| Terminated {
                reason: clean(ended.reason),
                exit_code: ended.exit_code,
                finished_at: ended.finished_at.and_then(Time::at),
                message: clean(ended.message),
            }),
        }
    }
}
