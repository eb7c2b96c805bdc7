//! Which rights of RBAC each thing needs that warroom reads: what `doctor` and refusals name. What a step
//! needs is its own ([`crate::step`]).

use std::fmt;

/// Rights on a kind of resource, as a rule of RBAC has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The API group; `core` where RBAC has an empty one.
    pub group: &'static str,
    /// The resource, in the plural.
    pub resource: &'static str,
    /// What is done with it.
    pub verbs: &'static [&'static str],
}

impl Grant {
    pub(super) const fn new(
        group: &'static str,
        resource: &'static str,
        verbs: &'static [&'static str],
    ) -> Self {
        Self { group, resource, verbs }
    }

    /// What a watch needs.
    pub(super) const fn watch(group: &'static str, resource: &'static str) -> Self {
        Self::new(group, resource, &["get", "list", "watch"])
    }
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let group = if self.group == "core" { String::new() } else { format!(".{}", self.group) };
        write!(f, "{} on {}{group}", self.verbs.join(", "), self.resource)
    }
}

/// What reading the metrics of pods and nodes needs.
pub(super) const METRICS: &[Grant] =
    &[Grant::new("metrics.k8s.io", "pods", &["list"]), Grant::new("metrics.k8s.io", "nodes", &["list"])];

/// What a service needs that is found in the cluster and reached through its API server; nothing where its
/// own address is given.
pub(super) const SERVICE: &[Grant] =
    &[Grant::new("core", "services", &["list"]), Grant::new("core", "services/proxy", &["get"])];

/// What reading Kafka's lag by the broker's own tool needs. A WebSocket begins with a GET, and a server of
/// Kubernetes 1.35 asks for `create` as well.
pub const KAFKA_EXEC: Grant = Grant::new("core", "pods/exec", &["get", "create"]);
