//! Who speaks, and how well they can be heard.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{ContextId, Kind, SecondaryContext, Target};
use crate::clean::Clean;

macro_rules! sources {
    ($($source:ident $name:literal $header:expr, $doc:literal)+) => {
        /// A source of events that has a health of its own.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum SourceId {
            $(#[doc = $doc] $source,)+
        }

        impl SourceId {
            /// All of them, the cluster's own watches first.
            pub const ALL: &'static [Self] = &[$(Self::$source,)+];

            /// The name in the header, in `status --json` and in the timeline.
            pub fn name(self) -> &'static str {
                match self { $(Self::$source => $name,)+ }
            }

            /// Where the header tells of it.
            fn header(self) -> HeaderPlace {
                match self { $(Self::$source => $header,)+ }
            }
        }
    };
}

sources! {
    Pods "pods" HeaderPlace::CRITICAL, "The watch of pods."
    Deployments "deployments" HeaderPlace::CRITICAL, "The watch of Deployments."
    StatefulSets "statefulsets" HeaderPlace::CRITICAL, "The watch of StatefulSets."
    DaemonSets "daemonsets" HeaderPlace::CRITICAL, "The watch of DaemonSets."
    Jobs "jobs" HeaderPlace::CRITICAL, "The watch of Jobs."
    ReplicaSets "replicasets" HeaderPlace::DETAIL, "The watch of ReplicaSets."
    Nodes "nodes" HeaderPlace::CRITICAL, "The watch of nodes."
    Events "events" HeaderPlace::DETAIL, "The watch of Kubernetes Events: warnings only."
    ConfigMaps "configmaps" HeaderPlace::DETAIL, "The watch of ConfigMaps: their metadata only."
    Namespaces "namespaces" HeaderPlace::DETAIL, "Whether the namespaces are still there."
    Usage "metrics" HeaderPlace::Hidden, "What pods and nodes use, from metrics.k8s.io."
    Prometheus "prometheus" HeaderPlace::own(0, "prom"), "Request rates from Prometheus."
    Alertmanager "alertmanager" HeaderPlace::own(2, "alerts"), "Alerts from Alertmanager."
    Kafka "kafka" HeaderPlace::own(1, "kafka"), "Consumer group lag."
}

/// Where the header tells of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum HeaderPlace {
    /// Together with the other watches of the cluster, as `k8s`.
    Cluster {
        /// Whether it knows of trouble: without it nobody can say that all is clear.
        critical: bool,
    },
    /// By itself; it knows of trouble, where it is wanted.
    Own {
        /// Its place after the cluster's watches, from the left.
        order: u8,
        /// The short name that it has there.
        label: &'static str,
    },
    /// Not at all.
    Hidden,
}

impl HeaderPlace {
    /// A watch of the cluster that knows of trouble.
    const CRITICAL: Self = Self::Cluster { critical: true };
    /// A watch of the cluster that only says more of what others know.
    const DETAIL: Self = Self::Cluster { critical: false };

    const fn own(order: u8, label: &'static str) -> Self {
        Self::Own { order, label }
    }
}

impl SourceId {
    /// The watch of a kind.
    pub fn of(kind: Kind) -> Self {
        match kind {
            Kind::Pod => Self::Pods,
            Kind::Deployment => Self::Deployments,
            Kind::StatefulSet => Self::StatefulSets,
            Kind::DaemonSet => Self::DaemonSets,
            Kind::Job => Self::Jobs,
            Kind::ReplicaSet => Self::ReplicaSets,
            Kind::Node => Self::Nodes,
            Kind::Event => Self::Events,
            Kind::ConfigMap => Self::ConfigMaps,
        }
    }

    /// Whether it watches the cluster itself: one API server speaks through all of these.
    pub fn of_cluster(self) -> bool {
        matches!(self.header(), HeaderPlace::Cluster { .. })
    }

    /// The watches of the cluster without which nobody can say that all is clear.
    pub fn critical_watches() -> impl Iterator<Item = Self> {
        Self::ALL.iter().copied().filter(|source| source.header() == HeaderPlace::CRITICAL)
    }

    /// The sources that the header tells of by themselves, from the left, each with its short name there.
    pub fn header_items() -> Vec<(Self, &'static str)> {
        let own = |source: &Self| match source.header() {
            HeaderPlace::Own { order, label } => Some((order, *source, label)),
            HeaderPlace::Cluster { .. } | HeaderPlace::Hidden => None,
        };
        let mut items: Vec<_> = Self::ALL.iter().filter_map(own).collect();
        items.sort_by_key(|(order, ..)| *order);
        items.into_iter().map(|(_, source, label)| (source, label)).collect()
    }
}

/// How well a source can be heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SourceState {
    /// First contact is being made.
    Starting,
    /// What is shown is what the source says now.
    Live,
    /// What is shown was true; the source is silent.
    Stale,
    /// The source refuses to show it (401, 403).
    Blind,
    /// The source has never answered.
    Down,
    /// Not configured, or switched off.
    Off,
}

impl SourceState {
    /// How much less than live; the worst is the greatest.
    pub fn badness(self) -> u8 {
        match self {
            Self::Down => 5,
            Self::Stale => 4,
            Self::Blind => 3,
            Self::Starting => 2,
            Self::Live => 1,
            Self::Off => 0,
        }
    }

    /// The word on the screen and in `status --json`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Live => "live",
            Self::Stale => "stale",
            Self::Blind => "blind",
            Self::Down => "down",
            Self::Off => "off",
        }
    }
}

/// A source's state since a moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SourceHealth {
    /// Which source.
    pub source: SourceId,
    /// Its state.
    pub state: SourceState,
    /// Since when; for stale: when it was last heard.
    pub since: DateTime<Utc>,
    /// Why, and what to do, where the state is not live.
    pub error: Option<Clean>,
    /// Of a source that is heard in several places those of which there is something to say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Part>,
}

impl SourceHealth {
    /// The places that are as bad as the whole.
    pub fn worst(&self) -> impl Iterator<Item = &Part> {
        self.parts.iter().filter(|part| part.state == self.state)
    }
}

/// A source in one of several contexts or namespaces.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// Which: the context, the namespace, or both.
    pub name: Clean,
    /// Its state there.
    pub state: SourceState,
    /// Since when.
    pub since: DateTime<Utc>,
    /// Why, and what to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Clean>,
}

/// What the program is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// A real cluster.
    Live,
    /// The simulated one.
    Demo,
}

/// Who looks at which cluster, with which rules. Everything that [`reduce`](crate::reduce) needs of the
/// settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// Live or demo.
    pub mode: Mode,
    /// The kube-context.
    pub context: Clean,
    /// The cluster's address; part of every target.
    pub cluster: Clean,
    /// The namespaces watched when it began; none is all of them.
    pub namespaces: Vec<Clean>,
    /// The person, as this machine knows them.
    pub actor: Clean,
    /// `true`: cannot be armed.
    pub read_only: bool,
    /// `true`: no command is run in a container, not even to read.
    #[serde(default)]
    pub no_exec: bool,
    /// How long arming lasts, in minutes.
    pub arm_minutes: u32,
    /// The share of failing requests that counts as trouble, 0..1.
    pub threshold: f64,
    /// How Kafka is read: `exec`, `brokers` or `prometheus`; empty: not at all.
    #[serde(default)]
    pub kafka: Clean,
    /// The same of services that have their own.
    #[serde(default)]
    pub thresholds: BTreeMap<Clean, f64>,
    /// warroom's version.
    pub version: Clean,
    /// What the main context is called beside others; empty where it is the only one.
    #[serde(default, skip_serializing_if = "Clean::is_empty")]
    pub label: Clean,
    /// The contexts looked at beside the main one, in the order of their [`ContextId`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub beside: Vec<SecondaryContext>,
}

/// A context of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContextInfo<'a> {
    /// Its place.
    pub id: ContextId,
    /// Its name.
    pub context: &'a Clean,
    /// What its rows are called by.
    pub label: &'a Clean,
    /// Its cluster's address; empty where there is no way to it.
    pub cluster: &'a Clean,
    /// `true`: cannot be armed.
    pub read_only: bool,
}

impl Session {
    /// The share of a service's requests that counts as trouble when they fail, 0..1.
    pub fn threshold_of(&self, service: &str) -> f64 {
        self.thresholds.get(service).copied().unwrap_or(self.threshold)
    }

    /// Whether several contexts are looked at.
    pub fn several(&self) -> bool {
        !self.beside.is_empty()
    }

    /// The contexts, the main one first.
    pub fn contexts(&self) -> impl Iterator<Item = ContextInfo<'_>> {
        let label = if self.label.is_empty() { &self.context } else { &self.label };
        let main = ContextInfo {
            id: ContextId::MAIN,
            context: &self.context,
            label,
            cluster: &self.cluster,
            read_only: self.read_only,
        };
        let beside = self.beside.iter().zip(1..).map(|(one, place)| ContextInfo {
            id: ContextId(place),
            context: &one.context,
            label: &one.label,
            cluster: &one.cluster,
            read_only: one.read_only,
        });
        std::iter::once(main).chain(beside)
    }

    /// One of them.
    pub fn looked(&self, id: ContextId) -> Option<ContextInfo<'_>> {
        self.contexts().nth(id.0.into())
    }

    /// The one of that name or label.
    pub fn named(&self, name: &str) -> Option<ContextInfo<'_>> {
        self.contexts()
            .find(|one| *one.context == name)
            .or_else(|| self.contexts().find(|one| *one.label == name))
    }

    /// The one that a target is in: of an earlier session's the one that reaches its cluster now.
    pub fn of(&self, target: &Target) -> ContextId {
        let here = |one: &ContextInfo<'_>| *one.cluster == target.cluster;
        let named = |one: &ContextInfo<'_>| {
            *one.context == target.context || (target.context.is_empty() && one.id.is_main())
        };
        let found =
            self.contexts().find(|one| here(one) && named(one)).or_else(|| self.contexts().find(here));
        found.map(|one| one.id).unwrap_or_default()
    }

    /// Where it looks: `all namespaces`, `namespace shop`, `namespaces shop, prod`.
    pub fn place(&self) -> String {
        match self.namespaces.as_slice() {
            [] => "all namespaces".to_owned(),
            [one] => format!("namespace {one}"),
            several => format!("namespaces {}", several.join(", ")),
        }
    }
}
