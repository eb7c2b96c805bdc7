//! What happens to a cluster from outside: nodes that stop, images that do not exist, things that are taken
//! away.

use serde_json::{Value, json};

use super::kind::{NAMESPACE as NAMESPACE_KIND, NODE, POD};
use super::{Cluster, kubelet};
use crate::sim::json::{items, text, timestamp};

impl Cluster {
    /// A node's kubelet stops: nothing moves there any more, and the node controller has noticed it.
    pub(crate) fn stop_node(&mut self, name: &str) {
        self.stopped.insert(name.to_owned());
        let now = self.now;
        let unknown = "Kubelet stopped posting node status.";
        self.store.update(&NODE, "", name, |node| {
            let ready = node["status"]["conditions"]
                .as_array_mut()
                .into_iter()
                .flatten()
                .find(|condition| condition["type"] == "Ready");
            if let Some(ready) = ready {
                ready["status"] = json!("Unknown");
                ready["reason"] = json!("NodeStatusUnknown");
                ready["message"] = json!(unknown);
                ready["lastTransitionTime"] = timestamp(now);
            }
        });
    }

    /// Forgets a pod at once, as a deletion without grace does.
    pub(crate) fn delete_by_force(&mut self, namespace: &str, pod: &str) {
        self.store.delete(&POD, namespace, pod);
    }

    /// Deletes a namespace: everything in it goes, the pods after their grace, and then it goes itself.
    pub(crate) fn delete_namespace(&mut self, name: &str) {
        let now = self.now;
        self.store.update(&NAMESPACE_KIND, "", name, |namespace| {
            namespace["metadata"]["deletionTimestamp"] = timestamp(now);
            namespace["status"]["phase"] = json!("Terminating");
        });
        for kind in super::kind::ALL.into_iter().filter(|kind| kind.namespaced && kind.name != POD.name) {
            let names: Vec<_> = self.store.list(kind, Some(name)).map(|object| object.key().1).collect();
            for object in &names {
                self.store.delete(kind, name, object);
            }
        }
    }

    /// Namespaces that are being deleted and are empty go.
    pub(super) fn collect_namespaces(&mut self) {
        let going: Vec<_> = self
            .store
            .list(&NAMESPACE_KIND, None)
            .filter(|one| !one.value()["metadata"]["deletionTimestamp"].is_null())
            .map(|one| one.key().1)
            .collect();
        for name in going {
            let pods: Vec<_> = self.store.list(&POD, Some(&name)).map(|pod| pod.key().1).collect();
            for pod in &pods {
                kubelet::terminate(self, pod);
            }
            if pods.is_empty() {
                self.store.delete(&NAMESPACE_KIND, "", &name);
            }
        }
    }

    /// Whether a pod is in the hands of a kubelet that works.
    pub(super) fn looked_after(&self, pod: &Value) -> bool {
        let node = text(pod, "/spec/nodeName");
        !node.is_empty() && !self.stopped.contains(node) && !items(pod, "/spec/containers").is_empty()
    }
}
