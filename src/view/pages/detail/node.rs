//! A node in full: what uses it, and the pods that are on it.

use super::Page;
use crate::event::{Node, Pod, Uid};
use crate::theme::Role;

impl Page<'_> {
    pub(super) fn node(&mut self, node: &Node) {
        let ready = node.ready == Some(true);
        let status = match node.ready {
            Some(true) => "● ready".to_owned(),
            said => {
                let word = if said.is_some() { "not ready" } else { "does not answer" };
                format!("✖ {word}: {}", node.why_not_ready())
            }
        };
        self.fact("status", if ready { Role::Ok } else { Role::Critical }, &status);
        if node.cordoned {
            self.fact("cordoned", Role::Warn, "▲ it takes no new pods");
        }
        if !node.pressures.is_empty() {
            self.fact("conditions", Role::Warn, &format!("▲ {}", node.pressures.join(", ")));
        }
        self.usage_of(self.frame.world.usage.node(node), node.allocatable, "allocatable");
        self.fact("age", Role::Text, &self.age(&node.meta));
        self.changed(node.changed.as_ref());
        let pods: Vec<&Pod> = self
            .frame
            .world
            .cluster
            .pods
            .values()
            .map(AsRef::as_ref)
            .filter(|pod| pod.meta.context() == node.meta.context())
            .filter(|pod| pod.node.as_ref() == Some(&node.meta.name))
            .collect();
        self.section(&format!("Pods here, of those that are watched: {}", pods.len()));
        for pod in pods {
            self.pod_line(pod);
        }
        let name = Uid::new(node.meta.context(), node.meta.name.clone());
        self.notices(&[&node.meta.uid, &name]); // the kubelet takes a node's name for its uid
    }
}
