//! apps/v1 `Deployment`, `StatefulSet`, `DaemonSet` and `ReplicaSet`

use serde::Deserialize;

use super::{Condition, Metadata, Names, Object};
use crate::clean::Clean;
use crate::event::{self, ClusterEvent, Kind, Revision};

/// apps/v1 `Deployment`
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub struct Deployment(Workload);

/// apps/v1 `StatefulSet`
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub struct StatefulSet(Workload);

/// apps/v1 `DaemonSet`
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub struct DaemonSet(Workload);

/// apps/v1 `ReplicaSet`
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub struct ReplicaSet(Workload);

/// What the four have in common.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Workload {
    metadata: Metadata,
    spec: Spec,
    status: Status,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Spec {
    replicas: Option<u32>,
    paused: Option<bool>,
    template: Template,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    replicas: u32,
    updated_replicas: u32,
    ready_replicas: u32,
    observed_generation: i64,
    desired_number_scheduled: u32,
    current_number_scheduled: u32,
    updated_number_scheduled: u32,
    number_ready: u32,
    conditions: Option<Vec<Condition>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Template {
    metadata: Metadata,
    spec: TemplateSpec,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct TemplateSpec {
    containers: Option<Vec<Container>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Container {
    image: Clean,
    env: Option<Vec<Env>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Env {
    name: String,
    value: Option<Clean>,
}

impl Template {
    /// What it calls its version: a label, a variable, or the image's tag.
    fn release(&self) -> Option<Clean> {
        let labels = self.metadata.labels.as_ref();
        let label =
            labels.and_then(|labels| labels.recommended_version.clone().or_else(|| labels.version.clone()));
        let first = self.spec.containers.as_ref().and_then(|containers| containers.first());
        let said = label.or_else(|| first.and_then(|c| c.env("APP_VERSION").or_else(|| c.env("VERSION"))));
        said.filter(|version| !version.is_empty())
            .or_else(|| first.and_then(|c| tag(&c.image)).map(Clean::new))
    }
}

impl Container {
    fn env(&self, name: &str) -> Option<Clean> {
        self.env.iter().flatten().find(|variable| variable.name == name)?.value.clone()
    }
}

/// The tag of an image, where it says something: neither a digest nor `latest`.
fn tag(image: &str) -> Option<&str> {
    let name = image.split_once('@').map_or(image, |(name, _digest)| name);
    let last = name.rsplit_once('/').map_or(name, |(_registry, last)| last);
    let (_, tag) = last.split_once(':')?;
    (tag != "latest" && !tag.is_empty()).then_some(tag)
}

impl Workload {
    fn service(&self) -> Clean {
        let labels = self.metadata.labels.as_ref();
        let label = labels.and_then(|labels| labels.app.clone().or_else(|| labels.recommended_name.clone()));
        label.unwrap_or_else(|| self.metadata.name.clone())
    }

    /// `ReplicaFailure` says more (a quota, a webhook) than the deadline that passed because of it.
    fn stuck(&self) -> Option<Clean> {
        let conditions = self.status.conditions.as_deref();
        let failure = Condition::find(conditions, "ReplicaFailure", "True")
            .and_then(|c| c.words().or_else(|| c.reason.clone()));
        failure.or_else(|| Condition::find(conditions, "Progressing", "False").and_then(|c| c.reason.clone()))
    }

    fn fact(mut self, kind: Kind, names: &mut Names) -> event::Workload {
        let status = &self.status;
        let (desired, replicas, updated, ready) = if kind == Kind::DaemonSet {
            (
                status.desired_number_scheduled,
                status.current_number_scheduled,
                status.updated_number_scheduled,
                status.number_ready,
            )
        } else {
            (self.spec.replicas.unwrap_or(1), status.replicas, status.updated_replicas, status.ready_replicas)
        };
        event::Workload {
            kind,
            desired,
            replicas,
            updated,
            ready,
            changed: self.metadata.changed(names),
            generation: self.metadata.generation,
            observed: self.status.observed_generation,
            revision: self.metadata.revision(),
            paused: self.spec.paused.unwrap_or_default(),
            stuck: self.stuck(),
            release: self.spec.template.release(),
            service: self.service(),
            meta: self.metadata.meta(names),
        }
    }
}

/// These three are told alike.
macro_rules! workloads {
    ($($kind:ident)+) => {$(
        impl Object for $kind {
            const KIND: Kind = Kind::$kind;
            type Fact = event::Workload;

            fn metadata(&self) -> &Metadata {
                &self.0.metadata
            }

            fn fact(self, names: &mut Names) -> event::Workload {
                self.0.fact(Self::KIND, names)
            }

            fn event(facts: Vec<event::Workload>) -> ClusterEvent {
                ClusterEvent::Workloads(facts)
            }
        }
    )+};
}
workloads!(Deployment StatefulSet DaemonSet);

impl Object for ReplicaSet {
    const KIND: Kind = Kind::ReplicaSet;
    type Fact = Revision;

    fn metadata(&self) -> &Metadata {
        &self.0.metadata
    }

    fn fact(self, names: &mut Names) -> Revision {
        let Workload { mut metadata, spec, status } = self.0;
        let cause = |metadata: &Metadata| metadata.annotations.as_ref()?.change_cause.clone();
        Revision {
            owner: metadata.owner(names),
            number: metadata.revision().unwrap_or_default(),
            release: spec.template.release(),
            cause: cause(&metadata).or_else(|| cause(&spec.template.metadata)),
            images: spec
                .template
                .spec
                .containers
                .into_iter()
                .flatten()
                .map(|c| names.shared(c.image))
                .collect(),
            desired: spec.replicas.unwrap_or(1),
            ready: status.ready_replicas,
            meta: metadata.meta(names),
        }
    }

    fn event(facts: Vec<Revision>) -> ClusterEvent {
        ClusterEvent::Revisions(facts)
    }
}
