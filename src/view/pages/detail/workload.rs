//! A workload in full: its revisions and its pods.

use super::Page;
use crate::clean::Clean;
use crate::event::{Kind, Pod, Revision, Uid, Workload};
use crate::state::{diagnose, restarts, told};
use crate::theme::Role;
use crate::view::primitives::symbols;

impl Page<'_> {
    pub(super) fn workload(&mut self, workload: &Workload) {
        let cluster = &self.frame.world.cluster;
        self.fact(
            "replicas",
            if workload.short() { Role::Critical } else { Role::Text },
            &Self::counts(workload),
        );
        let revision = workload.revision.map_or_else(|| "–".to_owned(), |n| n.to_string());
        self.fact(
            "revision",
            Role::Text,
            &format!(
                "{revision}  {}",
                self.frame.world.release(workload).map_or("–", |release| release.as_str())
            ),
        );
        self.fact("service", Role::Text, &workload.service);
        self.fact("namespace", Role::Text, &workload.meta.namespace);
        self.fact("age", Role::Text, &self.age(&workload.meta));
        self.changed(workload.changed.as_ref());
        if workload.paused {
            self.fact("paused", Role::Warn, "▲ its rollout is paused");
        }
        if let Some(stuck) = &workload.stuck {
            self.fact("stuck", Role::Critical, &format!("✖ {stuck}"));
        }
        let revisions = cluster.revisions_of(&workload.meta.uid);
        if !revisions.is_empty() {
            self.section("Revisions");
            for revision in &revisions {
                self.revision(revision, workload);
            }
        }
        let pods = cluster.row(&workload.meta.uid).map(|row| cluster.pods_of(&row)).unwrap_or_default();
        self.section("Pods");
        for pod in &pods {
            self.pod_line(pod);
        }
        let about: Vec<&Uid> = [&workload.meta]
            .into_iter()
            .chain(revisions.iter().map(|r| &r.meta))
            .chain(pods.iter().map(|p| &p.meta))
            .map(|meta| &meta.uid)
            .collect();
        self.notices(&about);
    }

    pub(super) fn revision(&mut self, revision: &Revision, workload: &Workload) {
        let now = Some(revision.number) == workload.revision;
        let (mark, role) = if now { ("▸", Role::Accent) } else { (" ", Role::Text) };
        let images = revision.images.iter().map(Clean::as_str).collect::<Vec<_>>().join(", ");
        let dim = self.look.style(Role::Dim);
        let row = self.row().text(self.look.style(role), mark).gap(1).cell(
            self.look.style(role),
            &format!("rev {}", revision.number),
            9,
        );
        let row = row.cell(self.look.style(Role::Text), revision.release.as_deref().unwrap_or("–"), 12);
        let row = row
            .number(dim, &self.age(&revision.meta), 8)
            .number(dim, &format!("{}/{}", revision.ready, revision.desired), 8)
            .gap(3);
        let row = row.text(dim, &images).gap(2);
        self.lines.push(row.text(self.look.style(Role::Text), revision.cause.as_deref().unwrap_or_default()));
    }

    pub(super) fn pod_line(&mut self, pod: &Pod) {
        let diagnosis = told(self.frame.world, pod, &diagnose(pod));
        let (mark, role) = symbols::severity(diagnosis.severity);
        let row = self
            .row()
            .gap(1)
            .text(self.look.style(role), mark)
            .gap(1)
            .cell(self.look.style(Role::Text), &pod.meta.name, 44)
            .gap(1);
        let row = row.text(self.look.style(role), &diagnosis.status).gap(2);
        let row = row.text(self.look.style(Role::Text), diagnosis.why.as_deref().unwrap_or_default()).gap(2);
        let row = row.text(self.look.style(Role::Dim), &format!("×{}", restarts(pod))).gap(2);
        self.lines.push(row.text(self.look.style(Role::Dim), pod.node.as_deref().unwrap_or_default()));
    }

    /// What a workload's numbers count.
    pub(super) fn counts(workload: &Workload) -> String {
        let Workload { ready, desired, updated, replicas, .. } = workload;
        match workload.kind {
            Kind::Job => format!("{ready} of {desired} completed, {replicas} at work"),
            _ => format!("{ready} of {desired} ready, {updated} updated, {replicas} total"),
        }
    }
}
