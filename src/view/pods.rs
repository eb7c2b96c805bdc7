//! The pods pane: workloads, the worst first, each with what is wrong with it and the pods that are.

use chrono::{DateTime, Utc};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::glance::{Glance, silence};
use super::text::{Row, width};
use super::{Look, glance, marks, pane};
use crate::event::{Kind, Pod, SourceId, SourceState};
use crate::state::{Focus, PodLine, Severity, State, WorkloadRow, diagnose, last_end, restarts};
use crate::theme::Role;
use crate::units;

/// Columns of the table, as wide as what is seen needs; what a narrow pane has no room for is 0.
struct Columns {
    name: usize,
    kind: usize,
    ready: usize,
    revision: usize,
    release: usize,
}

impl Columns {
    /// Where the reasons begin: below them stand the words about the pods.
    fn reason(&self) -> usize {
        3 + self.name + self.kind + self.ready + 2 + self.revision + self.release
    }
}

/// Draws the pane.
pub fn draw(state: &State, look: &Look, glance: &Glance, lines: &[PodLine<'_>], area: Rect, buf: &mut Buffer) {
    let inside = pane::frame(state, look, Focus::Pods, &note(state, glance), area, buf);
    let table = Rect { height: inside.height.saturating_sub(1), ..inside };
    let list = state.screen.lists.get(&Focus::Pods);
    let selected = list.and_then(|list| list.selected.as_ref()).and_then(|id| lines.iter().position(|line| line.id() == id));
    let seen = pane::window(lines.len(), selected, table.height);
    let visible = &lines[seen.clone()];
    let columns = columns(state, visible, usize::from(table.width));
    let rows = visible.iter().map(|line| match line {
        PodLine::Workload(row) => workload(state, look, row, &columns, Row::new(table.width)),
        PodLine::Pod(pod) => pod_row(state, look, pod, &columns, Row::new(table.width)),
    });
    pane::lines(table, rows, buf);
    if lines.is_empty() {
        pane::nothing(look, table, empty(state), buf);
    }
    pane::select(look, table, selected.map(|at| at - seen.start), buf);
    pane::position(look, inside, selected, seen, lines.len(), buf);
    let below = Rect { y: inside.bottom().saturating_sub(1), height: inside.height.min(1), ..inside };
    pane::lines(below, [nodes(state, look, Row::new(inside.width))], buf);
}

/// `27/31 ready · ✖ 2 ▲ 1 · order held`
fn note(state: &State, glance: &Glance) -> String {
    let mut parts: Vec<String> = silence(state, SourceId::Pods).into_iter().collect();
    parts.push(format!("{}/{} ready", glance.ready, glance.pods));
    let told = [(Severity::Critical, glance.critical), (Severity::Warn, glance.warn)].into_iter().filter(|(_, n)| *n > 0);
    parts.extend(told.map(|(severity, n)| format!("{} {n}", marks::severity(severity).0)));
    let list = state.screen.lists.get(&Focus::Pods);
    parts.extend(state.screen.faults_only.then(|| "only trouble".to_owned()));
    parts.extend(list.filter(|list| !list.held.is_empty()).map(|_| "‖ order held".to_owned()));
    parts.join(" · ")
}

fn empty(state: &State) -> &str {
    let filtered = state.screen.faults_only || !state.screen.filter(Focus::Pods).is_empty();
    match state.world.sources.get(&SourceId::Pods).map(|health| health.state) {
        _ if filtered && !state.world.cluster.pods.is_empty() => "nothing passes the filter",
        Some(SourceState::Live) => "no pods",
        _ => glance::told(state, SourceId::Pods).unwrap_or("waiting for the cluster"),
    }
}

fn columns(state: &State, visible: &[PodLine<'_>], inside: usize) -> Columns {
    let rows = || visible.iter().filter_map(|line| if let PodLine::Workload(row) = line { Some(row) } else { None });
    let widest = |of: &dyn Fn(&WorkloadRow<'_>) -> usize| rows().map(of).max().unwrap_or(0);
    let ready = widest(&|row| row.workload.map_or(3, |w| format!("{}/{}", w.ready, w.desired).len()));
    let revision = widest(&|row| width(&revision(row)));
    let release = widest(&|row| row.workload.and_then(|w| w.release.as_deref()).map_or(0, width)).min(12);
    Columns {
        name: widest(&|row| width(&name(state, row))).clamp(8, (inside / 3).max(8)) + 1,
        kind: if inside >= 100 { 7 } else { 0 },
        ready,
        revision: if inside >= 60 && revision > 0 { revision + 2 } else { 0 },
        release: if inside >= 60 && release > 0 { release + 2 } else { 0 },
    }
}

/// `rev 7`
fn revision(row: &WorkloadRow<'_>) -> String {
    row.workload.and_then(|w| w.revision).map(|n| format!("rev {n}")).unwrap_or_default()
}

/// The name, with its namespace where several are watched.
fn name(state: &State, row: &WorkloadRow<'_>) -> String {
    let one = state.world.session.as_ref().is_none_or(|session| session.namespace.is_some());
    if one { row.name().to_string() } else { format!("{}/{}", row.namespace(), row.name()) }
}

fn workload(state: &State, look: &Look, row: &WorkloadRow<'_>, columns: &Columns, line: Row) -> Row {
    let (mark, role) = marks::severity(row.severity);
    let (dim, well) = (look.style(Role::Dim), row.severity == Severity::Ok);
    let name_style = look.style(if well { Role::Text } else { Role::Strong });
    let kind = match row.workload.map(|w| w.kind) {
        Some(Kind::Deployment) => "deploy",
        Some(Kind::StatefulSet) => "sts",
        _ => "pod",
    };
    let (ready, desired) = row.workload.map_or_else(|| (row.pod.map_or(0, |pod| u32::from(pod.ready)), 1), |w| (w.ready, w.desired));
    let release = row.workload.and_then(|w| w.release.as_deref()).unwrap_or_default();
    let line =
        line.gap(1).text(look.style(role), mark).gap(1).cell(name_style, &name(state, row), columns.name).cell(dim, kind, columns.kind);
    let line = line.number(look.style(if well { Role::Text } else { role }), &format!("{ready}/{desired}"), columns.ready).gap(2);
    let line = line.cell(dim, &revision(row), columns.revision).cell(dim, release, columns.release);
    let line = row.reason.iter().fold(line, |line, reason| line.text(look.style(role), marks::reason(reason)).gap(2));
    let line = row.why.iter().fold(line, |line, why| line.text(look.style(Role::Text), why).gap(2));
    let paused = row.workload.is_some_and(|w| w.paused);
    let line = if paused { line.text(look.style(Role::Warn), "paused").gap(2) } else { line };
    if well { line } else { restarted(state.now, look, row.restarts, row.ended, line) }
}

fn pod_row(state: &State, look: &Look, pod: &Pod, columns: &Columns, line: Row) -> Row {
    let diagnosis = diagnose(pod);
    let (mark, role) = marks::severity(diagnosis.severity);
    let (dim, status) = (look.style(Role::Dim), if diagnosis.severity == Severity::Ok { Role::Dim } else { role });
    let age = units::age(state.now - pod.meta.created);
    let line = line.gap(3).text(look.style(role), mark).gap(1);
    let line = line.cell(dim, &pod.meta.name, columns.reason().saturating_sub(13)).number(dim, &age, 6).gap(2);
    let line = line.text(look.style(status), &diagnosis.status).gap(2);
    let line = diagnosis.why.iter().fold(line, |line, why| line.text(dim, why).gap(2));
    let line = restarted(state.now, look, restarts(pod), last_end(pod), line);
    pod.node.iter().fold(line, |line, node| line.text(dim, "on ").text(dim, node))
}

/// `×6 41s ago`, as kubectl's RESTARTS.
fn restarted(now: DateTime<Utc>, look: &Look, count: u32, ended: Option<DateTime<Utc>>, line: Row) -> Row {
    if count == 0 {
        return line;
    }
    let ago = ended.map(|at| format!(" {} ago", units::age(now - at))).unwrap_or_default();
    line.text(look.style(Role::Text), &format!("×{count}{ago}")).gap(2)
}

/// `nodes 3 ready · 1 cordoned`
fn nodes(state: &State, look: &Look, row: Row) -> Row {
    let (row, nodes) = (row.gap(1), &state.world.cluster.nodes);
    if let Some(silence) = silence(state, SourceId::Nodes) {
        return row.text(look.style(Role::Blind), &format!("nodes: {silence}"));
    }
    if nodes.is_empty() {
        return row;
    }
    let ready = nodes.values().filter(|node| node.ready == Some(true)).count();
    let cordoned = nodes.values().filter(|node| node.cordoned).count();
    let row = row.text(look.style(Role::Dim), &format!("nodes {ready} ready"));
    let row =
        if ready < nodes.len() { row.text(look.style(Role::Critical), &format!(" · ✖ {} not ready", nodes.len() - ready)) } else { row };
    if cordoned > 0 { row.text(look.style(Role::Warn), &format!(" · ▲ {cordoned} cordoned")) } else { row }
}
