//! Metadata and conditions as protobuf, by the numbers in `apimachinery/pkg/apis/meta/v1/generated.proto` and
//! `api/core/v1/generated.proto`. What nobody reads here has no field, and is skipped. What is empty here is
//! absent in JSON.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use prost::Message;
use serde::de::IgnoredAny;

use super::managed::{FieldsOf, Managed};
use super::{Annotations, Condition, Labels, Metadata, OwnerReference};
use crate::clean::Clean;

/// meta/v1 `ObjectMeta`
#[derive(Clone, PartialEq, Message)]
pub struct ObjectMeta {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "3")]
    namespace: String,
    #[prost(string, tag = "5")]
    uid: String,
    #[prost(string, tag = "6")]
    resource_version: String,
    #[prost(int64, tag = "7")]
    generation: i64,
    #[prost(message, optional, tag = "8")]
    creation_timestamp: Option<Time>,
    #[prost(message, optional, tag = "9")]
    deletion_timestamp: Option<Time>,
    #[prost(btree_map = "string, string", tag = "11")]
    labels: BTreeMap<String, String>,
    #[prost(btree_map = "string, string", tag = "12")]
    annotations: BTreeMap<String, String>,
    #[prost(message, repeated, tag = "13")]
    owner_references: Vec<Owner>,
    #[prost(string, repeated, tag = "14")]
    finalizers: Vec<String>,
    #[prost(message, repeated, tag = "17")]
    managed_fields: Vec<ManagedFields>,
}

/// meta/v1 `Time`, in whole seconds as the server writes it; an empty one is none.
#[derive(Clone, Copy, PartialEq, Message)]
pub struct Time {
    #[prost(int64, tag = "1")]
    seconds: i64,
}

impl Time {
    /// When.
    pub fn at(self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp(self.seconds, 0).filter(|_| self.seconds != 0)
    }
}

/// meta/v1 `OwnerReference`
#[derive(Clone, PartialEq, Message)]
struct Owner {
    #[prost(string, tag = "1")]
    kind: String,
    #[prost(string, tag = "3")]
    name: String,
    #[prost(string, tag = "4")]
    uid: String,
    #[prost(bool, optional, tag = "6")]
    controller: Option<bool>,
}

/// meta/v1 `ManagedFieldsEntry`
#[derive(Clone, PartialEq, Message)]
struct ManagedFields {
    #[prost(string, tag = "1")]
    manager: String,
    #[prost(string, tag = "2")]
    operation: String,
    #[prost(message, optional, tag = "4")]
    time: Option<Time>,
    #[prost(string, tag = "8")]
    subresource: String,
}

/// core/v1 `PodCondition`
#[derive(Clone, PartialEq, Message)]
pub struct PodCondition {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    status: String,
    #[prost(string, tag = "5")]
    reason: String,
    #[prost(string, tag = "6")]
    message: String,
}

/// A text that is there.
pub fn some(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

/// The same, clean.
pub fn clean(text: String) -> Option<Clean> {
    some(text).map(Into::into)
}

/// A list that is there.
pub fn all<P, T: From<P>>(list: Vec<P>) -> Option<Vec<T>> {
    Some(list).filter(|list| !list.is_empty()).map(|list| list.into_iter().map(Into::into).collect())
}

impl From<ObjectMeta> for Metadata {
    fn from(meta: ObjectMeta) -> Self {
        let ObjectMeta { mut labels, mut annotations, .. } = meta;
        let mut label = |name: &str| labels.remove(name).map(Clean::from);
        let labels = Labels {
            app: label("app"),
            recommended_name: label("app.kubernetes.io/name"),
            version: label("version"),
            recommended_version: label("app.kubernetes.io/version"),
        };
        let annotations = Annotations {
            revision: annotations.remove("deployment.kubernetes.io/revision"),
            change_cause: annotations.remove("kubernetes.io/change-cause").map(Into::into),
            initial_events_end: annotations.remove("k8s.io/initial-events-end"),
            leader: annotations.remove("control-plane.alpha.kubernetes.io/leader").map(|_| IgnoredAny),
        };
        Self {
            name: meta.name.into(),
            namespace: meta.namespace.into(),
            uid: meta.uid.into(),
            resource_version: meta.resource_version,
            creation_timestamp: meta.creation_timestamp.and_then(Time::at),
            deletion_timestamp: meta.deletion_timestamp.and_then(Time::at),
            generation: meta.generation,
            labels: Some(labels),
            annotations: Some(annotations),
            owner_references: all(meta.owner_references),
            finalizers: all(meta.finalizers),
            managed_fields: Managed::newest(meta.managed_fields.iter().map(Into::into)),
        }
    }
}

impl From<Owner> for OwnerReference {
    fn from(owner: Owner) -> Self {
        Self {
            kind: owner.kind.into(),
            name: owner.name.into(),
            uid: owner.uid.into(),
            controller: owner.controller,
        }
    }
}

impl<'a> From<&'a ManagedFields> for FieldsOf<'a> {
    fn from(entry: &'a ManagedFields) -> Self {
        let subresource = Some(entry.subresource.as_str()).filter(|name| !name.is_empty());
        Self {
            manager: entry.manager.as_str().into(),
            operation: entry.operation.as_str().into(),
            subresource: subresource.map(Into::into),
            time: entry.time.and_then(Time::at),
        }
    }
}

impl From<PodCondition> for Condition {
    fn from(condition: PodCondition) -> Self {
        let PodCondition { name, status, reason, message } = condition;
        Self { name, status, reason: clean(reason), message: clean(message) }
    }
}
