//! A pod in full: its conditions, its containers, who owns it.

use std::num::NonZeroU32;

use super::Page;
use crate::event::{Amount, Container, ContainerState, Pod};
use crate::state::{diagnose, restarts, told};
use crate::theme::Role;
use crate::units;
use crate::view::primitives::symbols;

impl Page<'_> {
    pub(super) fn pod(&mut self, pod: &Pod) {
        let diagnosis = told(self.frame.world, pod, &diagnose(pod));
        let (mark, role) = symbols::severity(diagnosis.severity);
        let why = diagnosis.why.map(|why| format!(": {why}")).unwrap_or_default();
        self.fact("status", role, &format!("{mark} {}{why}", diagnosis.status));
        self.fact("ready", Role::Text, if pod.ready { "yes" } else { "no" });
        self.fact("restarts", Role::Text, &restarts(pod).to_string());
        self.fact("namespace", Role::Text, &pod.meta.namespace);
        self.owners(pod);
        self.usage_of(self.frame.world.usage.pod(pod), Self::limits(pod), "limit");
        self.fact("node", Role::Text, pod.node.as_deref().unwrap_or("none yet"));
        self.fact("age", Role::Text, &self.age(&pod.meta));
        self.conditions(pod);
        self.section("Containers");
        for container in &pod.containers {
            self.container(container);
        }
        self.notices(&[&pod.meta.uid]);
    }

    pub(super) fn conditions(&mut self, pod: &Pod) {
        if let Some(reason) = &pod.reason {
            self.fact("reason", Role::Warn, reason);
        }
        if let Some(message) = &pod.message {
            self.fact("message", Role::Text, message);
        }
    }

    pub(super) fn container(&mut self, container: &Container) {
        let (mark, role) = if container.ready { ("●", Role::Ok) } else { ("✖", Role::Critical) };
        let ended = container.init && matches!(container.state, ContainerState::Terminated { exit: 0, .. });
        let (mark, role) = if ended { ("✓", Role::Dim) } else { (mark, role) };
        let row = self
            .row()
            .gap(1)
            .text(self.look.style(role), mark)
            .gap(1)
            .text(self.look.style(Role::Strong), &container.name);
        let row = if container.init { row.text(self.look.style(Role::Dim), " (init)") } else { row };
        self.lines.push(row.gap(2).text(self.look.style(Role::Dim), &container.image));
        self.fact("  state", Role::Text, &self.says(&container.state));
        self.fact("  restarts", Role::Text, &container.restarts.to_string());
        self.resources(container);
        if let Some(last) = &container.last {
            self.fact("  last run", Role::Text, &self.says(last));
        }
    }

    /// `CrashLoopBackOff: back-off 40s`, `running for 3m10s`, `Error, exit 1, 41s ago`
    pub(super) fn says(&self, state: &ContainerState) -> String {
        let ago = |at: Option<chrono::DateTime<chrono::Utc>>| at.map(|at| units::age(self.frame.now - at));
        match state {
            ContainerState::Waiting { reason, message } => {
                let message = message.as_ref().map(|message| format!(": {message}")).unwrap_or_default();
                format!("waiting, {}{message}", reason.as_deref().unwrap_or("no reason given"))
            }
            ContainerState::Running { since } => {
                ago(*since).map_or_else(|| "running".to_owned(), |age| format!("running for {age}"))
            }
            ContainerState::Terminated { reason, exit, at, message } => {
                let ago = ago(*at).map(|age| format!(", {age} ago")).unwrap_or_default();
                let message = message.as_ref().map(|message| format!(": {message}")).unwrap_or_default();
                format!(
                    "ended, {}, exit {exit}{ago}{message}",
                    reason.as_deref().unwrap_or("no reason given")
                )
            }
        }
    }

    /// `requests 20m, 32 MiB · limits –, 256 MiB`
    pub(super) fn resources(&mut self, container: &Container) {
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

    /// The sum of the limits of a pod's containers; unknown as soon as one has none.
    pub(super) fn limits(pod: &Pod) -> Amount {
        let sum = |of: fn(&Container) -> Option<NonZeroU32>| {
            let all = pod.containers.iter().filter(|container| !container.init).map(of);
            all.reduce(|sum, one| sum?.checked_add(one?.get())).flatten()
        };
        Amount {
            cpu: sum(|container| container.limits.cpu),
            memory: sum(|container| container.limits.memory),
        }
    }

    /// `ReplicaSet app-7d9 → deployment app`
    pub(super) fn owners(&mut self, pod: &Pod) {
        let Some(owner) = &pod.owner else { return self.fact("owner", Role::Text, "none") };
        let behind =
            self.frame.world.cluster.workload_of(pod).filter(|workload| workload.meta.uid != owner.uid);
        let behind = behind
            .map(|workload| format!(" → {} {}", workload.kind.word(), workload.meta.name))
            .unwrap_or_default();
        self.fact("owner", Role::Text, &format!("{} {}{behind}", owner.kind, owner.name));
    }
}
