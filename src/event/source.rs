//! Who speaks, and how well they can be heard.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::Kind;
use super::grant::{Grant, METRICS, SERVICE};
use crate::clean::Clean;

macro_rules! sources {
    ($($source:ident $name:literal $header:expr, $grants:expr, $doc:literal)+) => {
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

            /// What the cluster's RBAC must grant for it.
            pub fn grants(self) -> &'static [Grant] {
                match self { $(Self::$source => const { $grants },)+ }
            }
        }
    };
}

sources! {
    Pods "pods" HeaderPlace::CRITICAL, &[Grant::watch("core", "pods")], "The watch of pods."
    Deployments "deployments" HeaderPlace::CRITICAL, &[Grant::watch("apps", "deployments")],
        "The watch of Deployments."
    StatefulSets "statefulsets" HeaderPlace::CRITICAL, &[Grant::watch("apps", "statefulsets")],
        "The watch of StatefulSets."
    DaemonSets "daemonsets" HeaderPlace::CRITICAL, &[Grant::watch("apps", "daemonsets")],
        "The watch of DaemonSets."
    Jobs "jobs" HeaderPlace::CRITICAL, &[Grant::watch("batch", "jobs")], "The watch of Jobs."
    ReplicaSets "replicasets" HeaderPlace::DETAIL, &[Grant::watch("apps", "replicasets")],
        "The watch of ReplicaSets."
    Nodes "nodes" HeaderPlace::CRITICAL, &[Grant::watch("core", "nodes")], "The watch of nodes."
    Events "events" HeaderPlace::DETAIL, &[Grant::watch("core", "events")],
        "The watch of Kubernetes Events: warnings only."
    ConfigMaps "configmaps" HeaderPlace::DETAIL, &[Grant::watch("core", "configmaps")],
        "The watch of ConfigMaps: their metadata only."
    Namespaces "namespaces" HeaderPlace::DETAIL, &[Grant::new("core", "namespaces", &["get", "list"])],
        "Whether the namespaces are still there."
    Usage "metrics" HeaderPlace::Hidden, METRICS, "What pods and nodes use, from metrics.k8s.io."
    Prometheus "prometheus" HeaderPlace::own(0, "prom"), SERVICE, "Request rates from Prometheus."
    Alertmanager "alertmanager" HeaderPlace::own(2, "alerts"), SERVICE, "Alerts from Alertmanager."
    Kafka "kafka" HeaderPlace::own(1, "kafka"), SERVICE, "Consumer group lag."
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
