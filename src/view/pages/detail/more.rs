//! The parts of a page that are about more than the object's own status: a node, what is used of what is
//! allowed, who owns it, who changed it last.

use std::num::NonZeroU32;

use super::Page;
use crate::event::{Amount, Container, Kind, LastChange, Node, Pod, Uid, Workload};
use crate::theme::Role;
use crate::units;

/// From here on a container is close to being killed for its memory.
const CLOSE: u64 = 90;

impl Page<'_> {
    pub(in crate::view) fn node(&mut self, node: &Node) {
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

    /// `cpu 250m of 500m limit · memory 210 MiB of 256 MiB limit (82 %)`
    pub(in crate::view) fn usage_of(&mut self, used: Option<(u32, u32)>, most: Amount, word: &str) {
        let Some((cpu, memory)) = used else { return };
        let of = |most: Option<NonZeroU32>, text: fn(u32) -> String| {
            most.map(|most| format!(" of {} {word}", text(most.get()))).unwrap_or_default()
        };
        let percent = most.memory.map(|most| u64::from(memory) * 100 / u64::from(most.get()));
        let share = percent.map(|percent| format!(" ({percent} %)")).unwrap_or_default();
        let close = percent.is_some_and(|percent| percent >= CLOSE);
        let words = format!(
            "{}cpu {}{} · memory {}{}{share}",
            if close { "▲ " } else { "" },
            units::cores(cpu),
            of(most.cpu, units::cores),
            units::kib(memory),
            of(most.memory, units::kib)
        );
        self.fact("uses", if close { Role::Warn } else { Role::Text }, &words);
    }

    /// The sum of the limits of a pod's containers; unknown as soon as one has none.
    pub(in crate::view) fn limits(pod: &Pod) -> Amount {
        let sum = |of: fn(&Container) -> Option<NonZeroU32>| {
            let all = pod.containers.iter().filter(|container| !container.init).map(of);
            all.reduce(|sum, one| sum?.checked_add(one?.get())).flatten()
        };
        Amount {
            cpu: sum(|container| container.limits.cpu),
            memory: sum(|container| container.limits.memory),
        }
    }

    /// `requests 20m, 32 MiB · limits –, 256 MiB`
    pub(in crate::view) fn resources(&mut self, container: &Container) {
        let words = |amount: &Amount| {
            let part = |of: Option<NonZeroU32>, text: fn(u32) -> String| {
                of.map_or_else(|| "–".to_owned(), |n| text(n.get()))
            };
            format!("{}, {}", part(amount.cpu, units::cores), part(amount.memory, units::kib))
        };
        if container.requests != Amount::default() || container.limits != Amount::default() {
            let text =
                format!("requests {} · limits {}", words(&container.requests), words(&container.limits));
            self.fact("  resources", Role::Dim, &text);
        }
    }

    /// `ReplicaSet app-7d9 → deployment app`
    pub(in crate::view) fn owners(&mut self, pod: &Pod) {
        let Some(owner) = &pod.owner else { return self.fact("owner", Role::Text, "none") };
        let behind =
            self.frame.world.cluster.workload_of(pod).filter(|workload| workload.meta.uid != owner.uid);
        let behind = behind
            .map(|workload| format!(" → {} {}", workload.kind.word(), workload.meta.name))
            .unwrap_or_default();
        self.fact("owner", Role::Text, &format!("{} {}{behind}", owner.kind, owner.name));
    }

    /// What a workload's numbers count.
    pub(in crate::view) fn counts(workload: &Workload) -> String {
        let Workload { ready, desired, updated, replicas, .. } = workload;
        match workload.kind {
            Kind::Job => format!("{ready} of {desired} completed, {replicas} at work"),
            _ => format!("{ready} of {desired} ready, {updated} updated, {replicas} total"),
        }
    }

    /// `by helm, 12m ago (Update)`
    pub(in crate::view) fn changed(&mut self, changed: Option<&LastChange>) {
        let Some(LastChange { manager, operation, subresource, at }) = changed else { return };
        let part = subresource.as_ref().map(|part| format!(" of {part}")).unwrap_or_default();
        let words = format!("by {manager}, {} ago ({operation}{part})", units::age(self.frame.now - *at));
        self.fact("last change", Role::Text, &words);
    }
}
