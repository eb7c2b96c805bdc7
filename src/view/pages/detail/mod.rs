//! One pod, workload or node in full: everything that is known of it, and what Kubernetes warned of, newest
//! first.

mod more;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::clean::Clean;
use crate::event::{Container, ContainerState, Meta, Notice, Pod, Revision, Uid, Workload};
use crate::state::{Detail, Frame, diagnose, restarts, told};
use crate::theme::Role;
use crate::units;
use crate::view::Look;
use crate::view::pages::Draw;
use crate::view::primitives::text::{Row, width, wrap};
use crate::view::primitives::{pane, symbols};

/// Columns that a line is easily read in.
const COLUMNS: u16 = 150;

/// What the lines are made with.
struct Page<'a> {
    frame: &'a Frame<'a>,
    look: &'a Look<'a>,
    columns: u16,
    lines: Vec<Row>,
}

impl Draw for Detail {
    fn draw(&self, frame: &Frame<'_>, look: &Look, body: Rect, buf: &mut Buffer) {
        let Detail { uid, scroll } = self;
        let scroll = *scroll;
        let columns = COLUMNS.min(body.width);
        let mut page = Page { frame, look, columns: columns.saturating_sub(2), lines: Vec::new() };
        let cluster = &frame.world.cluster;
        let title = match (cluster.pods.get(uid), cluster.workloads.get(uid)) {
            (Some(pod), _) => {
                page.pod(pod);
                format!("pod {}", frame.world.place(pod.meta.context(), &pod.meta.name))
            }
            (None, Some(workload)) => {
                page.workload(workload);
                format!(
                    "{} {}",
                    workload.kind.word(),
                    frame.world.place(workload.meta.context(), &workload.meta.name)
                )
            }
            (None, None) if let Some(node) = cluster.nodes.get(uid) => {
                page.node(node);
                format!("node {}", frame.world.place(node.meta.context(), &node.meta.name))
            }
            (None, None) => {
                page.fact("", Role::Warn, "▲ it is gone: the cluster no longer has this object");
                "gone".to_owned()
            }
        };
        let area = pane::centred(body, columns, u16::try_from(page.lines.len() + 2).unwrap_or(u16::MAX));
        let inside = pane::overlay(look, Role::BorderFocus, &title, &format!("uid {}", uid.id()), area, buf);
        pane::scrolled(look, inside, page.lines, scroll, buf);
    }
}

impl Page<'_> {
    fn row(&self) -> Row {
        Row::new(self.columns).gap(1)
    }

    fn section(&mut self, title: &str) {
        let row = self.row().text(self.look.style(Role::Title), title);
        self.lines.extend([Row::new(self.columns), row]);
    }

    /// A label and words, as many lines as they need.
    fn fact(&mut self, label: &str, role: Role, words: &str) {
        let indent = if label.is_empty() { 0 } else { 14 };
        for (n, part) in wrap(words, usize::from(self.columns).saturating_sub(indent + 3)).iter().enumerate()
        {
            let label = if n == 0 { label } else { "" };
            let row = self
                .row()
                .gap(1)
                .cell(self.look.style(Role::Dim), label, indent)
                .text(self.look.style(role), part);
            self.lines.push(row);
        }
    }

    fn age(&self, meta: &Meta) -> String {
        units::age(self.frame.now - meta.created)
    }

    fn pod(&mut self, pod: &Pod) {
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

    fn conditions(&mut self, pod: &Pod) {
        if let Some(reason) = &pod.reason {
            self.fact("reason", Role::Warn, reason);
        }
        if let Some(message) = &pod.message {
            self.fact("message", Role::Text, message);
        }
    }

    fn container(&mut self, container: &Container) {
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
    fn says(&self, state: &ContainerState) -> String {
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

    fn workload(&mut self, workload: &Workload) {
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

    fn revision(&mut self, revision: &Revision, workload: &Workload) {
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

    fn pod_line(&mut self, pod: &Pod) {
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

    fn notices(&mut self, about: &[&Uid]) {
        let cluster = &self.frame.world.cluster;
        let mut notices: Vec<&Notice> = about.iter().flat_map(|uid| cluster.notices_about(uid)).collect();
        notices.sort_by_key(|notice| std::cmp::Reverse(notice.last));
        self.section("Warnings");
        if notices.is_empty() {
            self.fact("", Role::Dim, "none");
        }
        for notice in &notices {
            self.notice(notice);
        }
    }

    fn notice(&mut self, notice: &Notice) {
        let (mark, role) = if notice.warning { ("▲", Role::Warn) } else { ("·", Role::Dim) };
        let head = format!("{:>6} ago", units::age(self.frame.now - notice.last));
        let times = if notice.count > 1 { format!("×{}", notice.count) } else { String::new() };
        let row = self
            .row()
            .text(self.look.style(Role::Dim), &head)
            .gap(2)
            .text(self.look.style(role), mark)
            .gap(1);
        let row = row.cell(self.look.style(role), &notice.reason, width(&notice.reason).max(18) + 1).cell(
            self.look.style(Role::Dim),
            &times,
            6,
        );
        self.lines.push(row.text(self.look.style(Role::Text), &notice.message));
    }
}
