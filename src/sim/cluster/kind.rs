//! The kinds of object that the simulated API server knows.

/// A kind of object: how it is called in paths and in bodies.
#[derive(Debug)]
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    pub(crate) plural: &'static str,
    pub(crate) short: &'static [&'static str],
    pub(crate) group: &'static str,
    /// Served versions, the preferred one first.
    pub(crate) versions: &'static [&'static str],
    pub(crate) namespaced: bool,
}

impl Kind {
    const fn namespaced(
        name: &'static str,
        plural: &'static str,
        short: &'static [&'static str],
        group: &'static str,
    ) -> Self {
        Self { name, plural, short, group, versions: &["v1"], namespaced: true }
    }

    const fn cluster(name: &'static str, plural: &'static str, short: &'static [&'static str]) -> Self {
        Self { name, plural, short, group: "", versions: &["v1"], namespaced: false }
    }

    const fn served_as(self, versions: &'static [&'static str]) -> Self {
        Self { versions, ..self }
    }

    /// `apps/v1`, or `v1` in the core group.
    pub(crate) fn api_version(&self) -> String {
        group_version(self.group, self.versions[0])
    }

    /// `deployments.apps`, or `pods` in the core group: how errors call it.
    pub(crate) fn qualified(&self) -> String {
        if self.group.is_empty() { self.plural.to_owned() } else { format!("{}.{}", self.plural, self.group) }
    }

    /// Whether `metadata.generation` counts the changes of its spec.
    pub(crate) fn has_generation(&self) -> bool {
        self.name == POD.name || !self.group.is_empty()
    }
}

/// A group and a version as `apiVersion` has them.
pub(crate) fn group_version(group: &str, version: &str) -> String {
    if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") }
}

pub(crate) static POD: Kind = Kind::namespaced("Pod", "pods", &["po"], "");
pub(crate) static EVENT: Kind = Kind::namespaced("Event", "events", &["ev"], "");
pub(crate) static SERVICE: Kind = Kind::namespaced("Service", "services", &["svc"], "");
pub(crate) static SECRET: Kind = Kind::namespaced("Secret", "secrets", &[], "");
pub(crate) static CONFIG_MAP: Kind = Kind::namespaced("ConfigMap", "configmaps", &["cm"], "");
pub(crate) static NODE: Kind = Kind::cluster("Node", "nodes", &["no"]);
pub(crate) static NAMESPACE: Kind = Kind::cluster("Namespace", "namespaces", &["ns"]);
pub(crate) static DEPLOYMENT: Kind = Kind::namespaced("Deployment", "deployments", &["deploy"], "apps");
pub(crate) static REPLICA_SET: Kind = Kind::namespaced("ReplicaSet", "replicasets", &["rs"], "apps");
pub(crate) static STATEFUL_SET: Kind = Kind::namespaced("StatefulSet", "statefulsets", &["sts"], "apps");
pub(crate) static DAEMON_SET: Kind = Kind::namespaced("DaemonSet", "daemonsets", &["ds"], "apps");
pub(crate) static JOB: Kind = Kind::namespaced("Job", "jobs", &[], "batch");
pub(crate) static AUTOSCALER: Kind =
    Kind::namespaced("HorizontalPodAutoscaler", "horizontalpodautoscalers", &["hpa"], "autoscaling")
        .served_as(&["v2", "v1"]);
pub(crate) static DISRUPTION_BUDGET: Kind =
    Kind::namespaced("PodDisruptionBudget", "poddisruptionbudgets", &["pdb"], "policy");
pub(crate) static DESTINATION_RULE: Kind =
    Kind::namespaced("DestinationRule", "destinationrules", &["dr"], "networking.istio.io")
        .served_as(&["v1", "v1beta1"]);
pub(crate) static VIRTUAL_SERVICE: Kind =
    Kind::namespaced("VirtualService", "virtualservices", &["vs"], "networking.istio.io")
        .served_as(&["v1", "v1beta1"]);
pub(crate) static POD_METRICS: Kind =
    Kind::namespaced("PodMetrics", "pods", &[], "metrics.k8s.io").served_as(&["v1beta1"]);
pub(crate) static NODE_METRICS: Kind =
    Kind { group: "metrics.k8s.io", versions: &["v1beta1"], ..Kind::cluster("NodeMetrics", "nodes", &[]) };

/// Every kind.
pub(crate) static ALL: [&Kind; 18] = [
    &POD,
    &EVENT,
    &SERVICE,
    &SECRET,
    &CONFIG_MAP,
    &NODE,
    &NAMESPACE,
    &DEPLOYMENT,
    &REPLICA_SET,
    &STATEFUL_SET,
    &DAEMON_SET,
    &JOB,
    &AUTOSCALER,
    &DISRUPTION_BUDGET,
    &DESTINATION_RULE,
    &VIRTUAL_SERVICE,
    &POD_METRICS,
    &NODE_METRICS,
];

/// The kind served at this group, version and plural name.
pub(crate) fn find(group: &str, version: &str, plural: &str) -> Option<&'static Kind> {
    ALL.into_iter()
        .find(|kind| kind.group == group && kind.plural == plural && kind.versions.contains(&version))
}

/// The kind of this name, those of the metrics API aside.
pub(crate) fn named(name: &str) -> Option<&'static Kind> {
    ALL.into_iter().find(|kind| kind.name == name && kind.group != POD_METRICS.group)
}
