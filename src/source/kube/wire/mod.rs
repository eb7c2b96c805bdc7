//! Objects as the API server writes them, cut down to the fields that a screen needs, and what they say as
//! facts.
//!
//! Everything that can be absent or `null` is optional here: one odd object must not make a whole kind
//! unreadable.

use std::collections::HashSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::clean::Clean;
use crate::event::{self, ClusterEvent, ContextId, Kind, Uid};
use crate::units::resource::Quantities;
use managed::Managed;

mod job;
mod managed;
mod pod;
mod proto;
mod workload;

pub use job::Job;
pub use pod::Pod;
pub use proto::ObjectMeta;
pub use workload::{DaemonSet, Deployment, ReplicaSet, StatefulSet};

/// Reads an object from protobuf.
pub type FromProto<T> = fn(&[u8]) -> Result<T, prost::DecodeError>;

/// A kind of object that is listed and watched.
pub trait Object: DeserializeOwned + Send + 'static {
    /// Which kind.
    const KIND: Kind;
    /// What is kept of it.
    type Fact: Send;
    /// How it is read where it comes as protobuf, which only those are asked for of which there are many.
    const PROTO: Option<FromProto<Self>> = None;

    /// Its metadata.
    fn metadata(&self) -> &Metadata;

    /// What it says.
    fn fact(self, names: &mut Names) -> Self::Fact;

    /// Several of them as one event.
    fn event(facts: Vec<Self::Fact>) -> ClusterEvent;
}

/// Texts that many objects share, each held once: ten thousand pods name the same images, nodes and owners.
#[derive(Debug, Default)]
pub struct Names {
    held: HashSet<Clean>,
    /// Of the object before this one: a listing has the pods of one controller one after another.
    owner: Option<Arc<event::Owner>>,
    context: ContextId,
}

impl Names {
    /// Beyond this they are forgotten, so that a cluster that lives on for months does not fill the memory
    /// with names of the past.
    const MOST: usize = 50_000;

    /// Of the objects of one context.
    pub fn of(context: ContextId) -> Self {
        Self { context, ..Self::default() }
    }

    /// An identity that many objects name.
    fn uid(&mut self, uid: Clean) -> Uid {
        Uid::new(self.context, uid).shared(|text| self.shared(text))
    }

    fn shared_owner(&mut self, owner: event::Owner) -> Arc<event::Owner> {
        let held = self.owner.take().filter(|held| **held == owner);
        Arc::clone(self.owner.insert(held.unwrap_or_else(|| Arc::new(owner))))
    }

    /// The copy that is already held, if there is one.
    pub fn shared(&mut self, name: Clean) -> Clean {
        if let Some(held) = self.held.get(&name) {
            return held.clone();
        }
        if self.held.len() >= Self::MOST {
            self.held.clear();
        }
        self.held.insert(name.clone());
        name
    }
}

/// `metadata`
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Metadata {
    pub name: Clean,
    pub namespace: Clean,
    pub uid: Clean,
    pub resource_version: String,
    pub creation_timestamp: Option<DateTime<Utc>>,
    pub deletion_timestamp: Option<DateTime<Utc>>,
    pub generation: i64,
    pub labels: Option<Labels>,
    pub annotations: Option<Annotations>,
    pub owner_references: Option<Vec<OwnerReference>>,
    pub finalizers: Option<Vec<String>>,
    pub managed_fields: Managed,
}

/// The labels that name a service or a version.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Labels {
    pub app: Option<Clean>,
    #[serde(rename = "app.kubernetes.io/name")]
    pub recommended_name: Option<Clean>,
    pub version: Option<Clean>,
    #[serde(rename = "app.kubernetes.io/version")]
    pub recommended_version: Option<Clean>,
}

/// The annotations that say something here.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Annotations {
    #[serde(rename = "deployment.kubernetes.io/revision")]
    pub revision: Option<String>,
    #[serde(rename = "kubernetes.io/change-cause")]
    pub change_cause: Option<Clean>,
    #[serde(rename = "k8s.io/initial-events-end")]
    pub initial_events_end: Option<String>,
    /// A ConfigMap that is a lock between replicas: it changes every few seconds and means nothing.
    #[serde(rename = "control-plane.alpha.kubernetes.io/leader")]
    pub leader: Option<serde::de::IgnoredAny>,
}

/// One of `metadata.ownerReferences`.
#[derive(Debug, Deserialize)]
pub struct OwnerReference {
    kind: Clean,
    name: Clean,
    uid: Clean,
    controller: Option<bool>,
}

impl Metadata {
    /// The number of the Deployment's revision.
    pub fn revision(&self) -> Option<u64> {
        self.annotations.as_ref()?.revision.as_deref()?.parse().ok()
    }

    /// The object that controls this one.
    pub fn owner(&mut self, names: &mut Names) -> Option<event::Owner> {
        let controller =
            self.owner_references.take()?.into_iter().find(|owner| owner.controller == Some(true))?;
        let OwnerReference { kind, name, uid, .. } = controller;
        Some(event::Owner { kind: names.shared(kind), name: names.shared(name), uid: names.uid(uid) })
    }

    /// Identity and age.
    pub fn meta(self, names: &mut Names) -> event::Meta {
        event::Meta {
            uid: Uid::new(names.context, self.uid),
            namespace: names.shared(self.namespace),
            name: self.name,
            created: self.creation_timestamp.unwrap_or_default(),
            deleting: self.deletion_timestamp,
            held_by: self
                .finalizers
                .filter(|all| self.deletion_timestamp.is_some() && !all.is_empty())
                .map(|all| all.join(", ").into()),
        }
    }

    /// Who changed the object last.
    pub fn changed(&mut self, names: &mut Names) -> Option<event::LastChange> {
        let change = self.managed_fields.0.take()?;
        Some(event::LastChange {
            manager: names.shared(change.manager),
            operation: names.shared(change.operation),
            ..change
        })
    }
}

/// One of `status.conditions`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Condition {
    #[serde(rename = "type")]
    pub name: String,
    pub status: String,
    pub reason: Option<Clean>,
    pub message: Option<Clean>,
}

impl Condition {
    /// Of all, the one with that name and status.
    pub fn find<'a>(all: Option<&'a [Self]>, name: &str, status: &str) -> Option<&'a Self> {
        all.unwrap_or_default().iter().find(|condition| condition.name == name && condition.status == status)
    }

    /// Its words, where it has some.
    pub fn words(&self) -> Option<Clean> {
        self.message.clone().filter(|message| !message.is_empty())
    }
}

/// core/v1 Node
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Node {
    metadata: Metadata,
    spec: NodeSpec,
    status: NodeStatus,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct NodeSpec {
    unschedulable: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct NodeStatus {
    conditions: Option<Vec<Condition>>,
    allocatable: Quantities,
}

impl Object for Node {
    const KIND: Kind = Kind::Node;
    type Fact = event::Node;

    fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    fn fact(mut self, names: &mut Names) -> event::Node {
        let ready = self.status.conditions.iter().flatten().find(|condition| condition.name == "Ready");
        let is = ready.and_then(|condition| match condition.status.as_str() {
            "True" => Some(true),
            "False" => Some(false),
            _ => None,
        });
        let pressures =
            self.status.conditions.iter().flatten().filter(|c| c.name != "Ready" && c.status == "True");
        event::Node {
            changed: self.metadata.changed(names),
            allocatable: self.status.allocatable.amount(),
            pressures: pressures.map(|condition| condition.name.as_str().into()).collect(),
            ready: is,
            cordoned: self.spec.unschedulable.unwrap_or_default(),
            message: ready.filter(|_| is != Some(true)).and_then(Condition::words),
            meta: self.metadata.meta(names),
        }
    }

    fn event(facts: Vec<event::Node>) -> ClusterEvent {
        ClusterEvent::Nodes(facts)
    }
}

/// core/v1 Event
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Event {
    metadata: Metadata,
    involved_object: Involved,
    #[serde(rename = "type")]
    severity: Option<String>,
    reason: Option<Clean>,
    message: Option<Clean>,
    count: Option<u32>,
    last_timestamp: Option<DateTime<Utc>>,
    #[serde(rename = "eventTime")]
    happened: Option<DateTime<Utc>>,
    series: Option<Repeats>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Involved {
    kind: Clean,
    name: Clean,
    uid: Clean,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Repeats {
    count: Option<u32>,
    last_observed_time: Option<DateTime<Utc>>,
}

impl Object for Event {
    const KIND: Kind = Kind::Event;
    type Fact = event::Notice;

    fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// Clients of the old API fill in `lastTimestamp` and `count`, those of the new one `series` and
    /// `eventTime`.
    fn fact(self, names: &mut Names) -> event::Notice {
        let series = self.series.unwrap_or_default();
        let last = series
            .last_observed_time
            .or(self.last_timestamp)
            .or(self.happened)
            .or(self.metadata.creation_timestamp);
        event::Notice {
            about_kind: names.shared(self.involved_object.kind),
            about: names.shared(self.involved_object.name),
            about_uid: names.uid(self.involved_object.uid),
            warning: self.severity.as_deref() == Some("Warning"),
            reason: names.shared(self.reason.unwrap_or_default()),
            // a probe's output ends its line
            message: self.message.map(|message| message.trim_end_matches('␊').into()).unwrap_or_default(),
            count: series.count.or(self.count).unwrap_or(1).max(1),
            last: last.unwrap_or_default(),
            meta: self.metadata.meta(names),
        }
    }

    fn event(facts: Vec<event::Notice>) -> ClusterEvent {
        ClusterEvent::Notices(facts)
    }
}

/// core/v1 ConfigMap, as `meta.k8s.io` `PartialObjectMetadata`
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ConfigMap {
    metadata: Metadata,
}

impl Object for ConfigMap {
    const KIND: Kind = Kind::ConfigMap;
    type Fact = event::ConfigMap;

    fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    fn fact(mut self, names: &mut Names) -> event::ConfigMap {
        let lock = self.metadata.annotations.as_ref().is_some_and(|all| all.leader.is_some());
        event::ConfigMap {
            changed: self.metadata.changed(names).filter(|_| !lock),
            meta: self.metadata.meta(names),
        }
    }

    fn event(facts: Vec<event::ConfigMap>) -> ClusterEvent {
        ClusterEvent::ConfigMaps(facts)
    }
}

#[cfg(test)]
mod tests;
