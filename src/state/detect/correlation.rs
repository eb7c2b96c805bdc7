//! What troubles have in common.

use std::collections::BTreeMap;

use super::findings::CorrelationKey;
use crate::clean::Clean;
use crate::event::{ContainerState, ObjectKey, Pod};
use crate::state::{Cluster, WorkloadRow};

/// What ties what is broken to others: the node that most of its broken pods are on, the registry that they
/// cannot pull from, the namespace that they may not be created in, its service, or the owner that nothing
/// else is known of, its reason.
pub(super) fn keys(row: &WorkloadRow<'_>, reason: &Clean, cluster: &Cluster) -> Vec<CorrelationKey> {
    let key = |id: Clean| ObjectKey::new(row.meta().context(), id);
    let broken: Vec<&Pod> = row
        .pod
        .map_or_else(|| cluster.troubled(row).into_iter().map(|(pod, _)| pod).collect(), |pod| vec![pod]);
    let mut on: BTreeMap<&Clean, usize> = BTreeMap::new();
    for node in broken.iter().filter_map(|pod| pod.node.as_ref()) {
        *on.entry(node).or_default() += 1;
    }
    let node = on
        .into_iter()
        .find(|(_, pods)| pods * 2 > broken.len())
        .map(|(node, _)| CorrelationKey::Node(key(node.clone())));
    let pulls = reason.contains("ImagePull");
    let waits = |pod: &&Pod| {
        pod.containers
            .iter()
            .find(|c| matches!(c.state, ContainerState::Waiting { .. }))
            .map(|c| c.image.clone())
    };
    let registry = broken
        .iter()
        .find_map(waits)
        .filter(|_| pulls)
        .map(|image| CorrelationKey::Registry(key(registry(&image).into())));
    let namespace =
        reason.contains("FailedCreate").then(|| CorrelationKey::Namespace(key(row.namespace().clone())));
    let owner = || row.pod.and_then(|pod| pod.owner.as_ref()).map(|owner| &owner.name);
    let service = row
        .workload
        .map(|workload| &workload.service)
        .or_else(owner)
        .map(|name| CorrelationKey::Service(key(name.clone())));
    [node, registry, namespace, service, Some(CorrelationKey::Reason(key(reason.clone())))]
        .into_iter()
        .flatten()
        .collect()
}

/// The registry of an image, as the container runtimes read its name.
fn registry(image: &str) -> &str {
    let host = image
        .split_once('/')
        .map(|(host, _)| host)
        .filter(|host| host.contains(['.', ':']) || *host == "localhost");
    host.unwrap_or("docker.io")
}
