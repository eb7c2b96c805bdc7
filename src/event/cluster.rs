//! What the API server says is there: trimmed objects, and how a listing or a watch tells them.
//!
//! A kind is told either as changes ([`ClusterEvent::Gone`] and the `…s` variants), or as a listing:
//! `Listing`, pages of objects, `Listed`. What a listing did not name is gone when it ends, so a relist after
//! a lost watch leaves exactly what the server has.

use std::num::NonZeroU32;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{ContextId, ObjectKey};
use crate::clean::Clean;

/// The identity of an object, by the uid that its API server gave it: a recreated one has another.
pub type Uid = ObjectKey;

/// What goes without saying is not written: ten thousand pods do not restart.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// The kinds that warroom watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// core/v1 Pod
    Pod,
    /// apps/v1 Deployment
    Deployment,
    /// apps/v1 StatefulSet
    StatefulSet,
    /// apps/v1 DaemonSet
    DaemonSet,
    /// batch/v1 Job
    Job,
    /// apps/v1 ReplicaSet: a Deployment's revision
    ReplicaSet,
    /// core/v1 Node
    Node,
    /// core/v1 Event
    Event,
    /// core/v1 ConfigMap, of which only the metadata is read
    ConfigMap,
}

impl Kind {
    /// All of them, in the order in which they are asked for.
    pub const ALL: [Self; 9] = [
        Self::Pod,
        Self::Deployment,
        Self::StatefulSet,
        Self::DaemonSet,
        Self::Job,
        Self::ReplicaSet,
        Self::Node,
        Self::Event,
        Self::ConfigMap,
    ];

    /// The resource name in API paths.
    pub fn plural(self) -> &'static str {
        match self {
            Self::Pod => "pods",
            Self::Deployment => "deployments",
            Self::StatefulSet => "statefulsets",
            Self::DaemonSet => "daemonsets",
            Self::Job => "jobs",
            Self::ReplicaSet => "replicasets",
            Self::Node => "nodes",
            Self::Event => "events",
            Self::ConfigMap => "configmaps",
        }
    }

    /// The API group's path, `api/v1` or `apis/apps/v1`.
    pub fn api(self) -> &'static str {
        match self {
            Self::Pod | Self::Node | Self::Event | Self::ConfigMap => "api/v1",
            Self::Deployment | Self::StatefulSet | Self::DaemonSet | Self::ReplicaSet => "apis/apps/v1",
            Self::Job => "apis/batch/v1",
        }
    }

    /// Whether objects of this kind live in a namespace.
    pub fn namespaced(self) -> bool {
        self != Self::Node
    }

    /// Whether it keeps pods running, or brings them to an end.
    pub fn is_workload(self) -> bool {
        matches!(self, Self::Deployment | Self::StatefulSet | Self::DaemonSet | Self::Job)
    }

    /// The kind of this [`Self::word`].
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// The name on the screen, as kubectl has it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pod => "pod",
            Self::Deployment => "deployment",
            Self::StatefulSet => "statefulset",
            Self::DaemonSet => "daemonset",
            Self::Job => "job",
            Self::ReplicaSet => "replicaset",
            Self::Node => "node",
            Self::Event => "event",
            Self::ConfigMap => "configmap",
        }
    }

    /// kubectl's short name, for columns.
    pub fn short(self) -> &'static str {
        match self {
            Self::Pod => "pod",
            Self::Deployment => "deploy",
            Self::StatefulSet => "sts",
            Self::DaemonSet => "ds",
            Self::Job => "job",
            Self::ReplicaSet => "rs",
            Self::Node => "node",
            Self::Event => "event",
            Self::ConfigMap => "cm",
        }
    }

    /// `kind` as manifests have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pod => "Pod",
            Self::Deployment => "Deployment",
            Self::StatefulSet => "StatefulSet",
            Self::DaemonSet => "DaemonSet",
            Self::Job => "Job",
            Self::ReplicaSet => "ReplicaSet",
            Self::Node => "Node",
            Self::Event => "Event",
            Self::ConfigMap => "ConfigMap",
        }
    }
}

/// What one listing names: a kind of one context, in one namespace or in all.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Scope {
    /// The kind.
    pub kind: Kind,
    /// The namespace; `None` is all of them, and what has none.
    pub namespace: Option<Clean>,
    /// The context.
    #[serde(default, skip_serializing_if = "is_default")]
    pub context: ContextId,
}

impl From<Kind> for Scope {
    fn from(kind: Kind) -> Self {
        Self { kind, namespace: None, context: ContextId::MAIN }
    }
}

/// A change of what is known of the cluster.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClusterEvent {
    /// A full listing begins.
    Listing(Scope),
    /// The listing is complete.
    Listed(Scope),
    /// Pods, new or changed.
    Pods(Vec<Arc<Pod>>),
    /// Deployments, StatefulSets, DaemonSets and Jobs, new or changed.
    Workloads(Vec<Workload>),
    /// ReplicaSets, new or changed.
    Revisions(Vec<Revision>),
    /// Nodes, new or changed.
    Nodes(Vec<Node>),
    /// Kubernetes Events, new or repeated.
    Notices(Vec<Notice>),
    /// ConfigMaps, new or changed.
    ConfigMaps(Vec<ConfigMap>),
    /// Objects that were deleted.
    Gone(Kind, Vec<Uid>),
    /// Objects that are no longer there when the kind is polled: what happened to them in between nobody saw.
    Missed(Kind, Vec<Uid>),
}

/// Identity and age, which every object has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Meta {
    /// Identity.
    pub uid: Uid,
    /// Namespace; empty for nodes.
    pub namespace: Clean,
    /// Name.
    pub name: Clean,
    /// When it was created.
    pub created: DateTime<Utc>,
    /// When its time to end is over, once it is being deleted (`metadata.deletionTimestamp`: the grace period
    /// is in it).
    pub deleting: Option<DateTime<Utc>>,
    /// The finalizers that hold its deletion back, while it is being deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_by: Option<Clean>,
}

impl Meta {
    /// The context that it is of.
    pub fn context(&self) -> ContextId {
        self.uid.context()
    }
}

/// Who changed an object last, as `metadata.managedFields` has it: neither a status nor a controller's own
/// bookkeeping.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastChange {
    /// The field manager: `helm`, `kubectl-edit`, `warroom`.
    pub manager: Clean,
    /// `Apply` or `Update`.
    pub operation: Clean,
    /// The part that was written, where it is not the whole object: `scale`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subresource: Option<Clean>,
    /// When.
    pub at: DateTime<Utc>,
}

/// Processor time and memory, as far as they are said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amount {
    /// Thousandths of a core.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu: Option<NonZeroU32>,
    /// KiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<NonZeroU32>,
}

/// The controller of an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// `ReplicaSet`, `StatefulSet`, `Job`, …
    pub kind: Clean,
    /// Its name.
    pub name: Clean,
    /// Its identity.
    pub uid: Uid,
}

/// A pod's `status.phase`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PodPhase {
    /// Not all containers have been started.
    Pending,
    /// At least one container runs.
    Running,
    /// All ended well.
    Succeeded,
    /// All ended, one badly.
    Failed,
    /// The node does not answer.
    Unknown,
}

/// A pod, trimmed to what a screen needs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pod {
    /// Identity and age.
    pub meta: Meta,
    /// Its controller, held once for all its pods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Arc<Owner>>,
    /// Where it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<Clean>,
    /// Its phase.
    pub phase: PodPhase,
    /// The `Ready` condition.
    pub ready: bool,
    /// `status.reason` (`Evicted`, `NodeLost`), or the scheduler's reason while it is pending.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Clean>,
    /// The words that go with the reason: the scheduler's, or the unready condition's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<Clean>,
    /// Init containers, then containers, in the order of the spec.
    pub containers: Vec<Container>,
}

/// One container of a pod.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Container {
    /// Name.
    pub name: Clean,
    /// Image as the spec has it.
    pub image: Clean,
    /// Whether it is an init container (sidecars are not).
    #[serde(default, skip_serializing_if = "is_default")]
    pub init: bool,
    /// Whether its readiness probe passes.
    pub ready: bool,
    /// How often it was started again.
    #[serde(default, skip_serializing_if = "is_default")]
    pub restarts: u32,
    /// What it does now.
    pub state: ContainerState,
    /// How its last run ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Box<ContainerState>>,
    /// What it was promised.
    #[serde(default, skip_serializing_if = "is_default")]
    pub requests: Amount,
    /// What it may not exceed.
    #[serde(default, skip_serializing_if = "is_default")]
    pub limits: Amount,
}

/// What a container does, or how a run of it ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ContainerState {
    /// Not started, or between two runs: `ContainerCreating`, `CrashLoopBackOff`, `ImagePullBackOff`, …
    Waiting {
        /// Why it waits.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Clean>,
        /// In the kubelet's words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<Clean>,
    },
    /// It runs.
    Running {
        /// Since when.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        since: Option<DateTime<Utc>>,
    },
    /// It ended.
    Terminated {
        /// `Error`, `OOMKilled`, `Completed`, …
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Clean>,
        /// Exit code.
        exit: i32,
        /// When.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<DateTime<Utc>>,
        /// What it or its runtime left as its last words (`terminationMessagePath`): the end of them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<Clean>,
    },
}

/// What keeps pods running, or brings them to an end: a Deployment, a StatefulSet, a DaemonSet or a Job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Workload {
    /// Which of them.
    pub kind: Kind,
    /// Identity and age.
    pub meta: Meta,
    /// Replicas asked for; of a DaemonSet the nodes that should run one, of a Job its completions.
    pub desired: u32,
    /// Replicas that exist.
    pub replicas: u32,
    /// Replicas of the newest template.
    pub updated: u32,
    /// Replicas that are ready; of a Job those that have completed.
    pub ready: u32,
    /// `metadata.generation`
    pub generation: i64,
    /// The generation that the controller has seen.
    pub observed: i64,
    /// The Deployment's revision.
    pub revision: Option<u64>,
    /// Whether its rollout is paused.
    pub paused: bool,
    /// The condition that says why it is stuck: `ProgressDeadlineExceeded`, `FailedCreate`, …
    pub stuck: Option<Clean>,
    /// What the template calls its version: a label, `APP_VERSION`, or the image's tag.
    pub release: Option<Clean>,
    /// The label `app`, or the name: the service that its requests are counted under.
    pub service: Clean,
    /// Who changed it last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed: Option<LastChange>,
}

impl Workload {
    /// Whether it lacks replicas. A Job that has not completed yet lacks none: it fails, or it goes on.
    pub fn short(&self) -> bool {
        self.kind != Kind::Job && self.ready < self.desired
    }

    /// Whether a Deployment's pods are being replaced: its controller neither waits nor has given up.
    pub fn is_rolling_out(&self) -> bool {
        let unfinished =
            self.observed < self.generation || self.updated < self.desired || self.replicas > self.updated;
        self.kind == Kind::Deployment && unfinished && !self.paused && self.stuck.is_none()
    }
}

/// A ReplicaSet: one revision of a Deployment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Revision {
    /// Identity and age.
    pub meta: Meta,
    /// The Deployment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Owner>,
    /// `deployment.kubernetes.io/revision`
    pub number: u64,
    /// What its template calls its version.
    pub release: Option<Clean>,
    /// Images of its containers.
    pub images: Vec<Clean>,
    /// `kubernetes.io/change-cause`
    pub cause: Option<Clean>,
    /// Replicas asked for.
    pub desired: u32,
    /// Replicas that are ready.
    pub ready: u32,
}

/// A node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Node {
    /// Identity and age.
    pub meta: Meta,
    /// The `Ready` condition; `None` when the node does not answer.
    pub ready: Option<bool>,
    /// Whether it takes no new pods.
    pub cordoned: bool,
    /// The condition's words where it is not ready.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<Clean>,
    /// What pods can have of it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub allocatable: Amount,
    /// Other conditions that hold: `MemoryPressure`, `DiskPressure`, …
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pressures: Vec<Clean>,
    /// Who changed it last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed: Option<LastChange>,
}

impl Node {
    /// Returns why it is not ready, as far as that is said.
    pub fn why_not_ready(&self) -> &str {
        let silent =
            if self.ready.is_none() { "its kubelet has reported no status" } else { "no reason given" };
        self.message.as_deref().unwrap_or(silent)
    }
}

/// A ConfigMap: that it changed, never what is in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConfigMap {
    /// Identity and age.
    pub meta: Meta,
    /// Who changed it last.
    pub changed: Option<LastChange>,
}

/// A Kubernetes Event (the word `Event` is taken by warroom's own).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Notice {
    /// Identity and age.
    pub meta: Meta,
    /// The kind of the object it is about.
    pub about_kind: Clean,
    /// Its name.
    pub about: Clean,
    /// Its identity.
    pub about_uid: Uid,
    /// `true` for `Warning`.
    pub warning: bool,
    /// `BackOff`, `Unhealthy`, `FailedScheduling`, …
    pub reason: Clean,
    /// In words.
    pub message: Clean,
    /// How often it was seen.
    pub count: u32,
    /// When it was last seen.
    pub last: DateTime<Utc>,
}
