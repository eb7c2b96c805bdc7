//! The pods pane: workloads, the worst first, each with what is wrong with it and the pods that are.

use chrono::{DateTime, Utc};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::event::{Kind, NamespacePhase, Node, Pod, PodPhase, SourceId, SourceState};
use crate::state::{Focus, Frame, PodLine, Severity, WorkloadRow, diagnose, last_end, restarts, told};
use crate::theme::Role;
use crate::units;
use crate::view::primitives::text::{Row, width};
use crate::view::primitives::{pane, symbols};
use crate::view::summary::{Summary, silence};
use crate::view::{Look, Spot, summary};

/// Columns of the table, as wide as what is seen needs; what a narrow pane has no room for is 0.
struct Columns {
    context: usize,
    namespace: usize,
    name: usize,
    kind: usize,
    ready: usize,
    revision: usize,
    release: usize,
    usage: usize,
}

impl Columns {
    /// Where the reasons begin: below them stand the words about the pods.
    fn reason(&self) -> usize {
        3 + self.context
            + self.namespace
            + self.name
            + self.kind
            + self.ready
            + 2
            + self.revision
            + self.release
            + self.usage
    }
}

/// Draws the pane.
pub fn draw(
    frame: &Frame<'_>,
    look: &Look,
    summary: &Summary,
    lines: &[PodLine<'_>],
    area: Rect,
    buf: &mut Buffer,
) {
    let inside = pane::frame(frame, look, Focus::Pods, &note(frame, summary), area, buf);
    let headed = u16::from(frame.screen.zoomed);
    let table = Rect {
        y: inside.y + headed.min(inside.height),
        height: inside.height.saturating_sub(1 + headed),
        ..inside
    };
    let list = frame.screen.lists.get(&Focus::Pods);
    let selected = list
        .and_then(|list| list.selected.as_ref())
        .and_then(|id| lines.iter().position(|line| line.id() == id));
    let seen = pane::window(lines.len(), selected, table.height);
    let visible = &lines[seen.clone()];
    let columns = columns(frame, summary, visible, usize::from(table.width));
    let rows = visible.iter().map(|line| match line {
        PodLine::Workload(row) => workload(frame, look, row, &columns, Row::new(table.width)),
        PodLine::Pod(pod) => pod_row(frame, look, pod, &columns, Row::new(table.width)),
    });
    pane::lines(table, rows, buf);
    if headed > 0 {
        pane::lines(
            Rect { height: inside.height.min(1), ..inside },
            [heading(look, &columns, Row::new(inside.width))],
            buf,
        );
    }
    look.hits.rows(table, visible.iter().map(|line| Spot::Row(Focus::Pods, line.id().clone())));
    if lines.is_empty() {
        pane::nothing(look, table, empty(frame), buf);
    }
    pane::select(look, table, selected.map(|at| at - seen.start), buf);
    pane::position(look, inside, selected, seen, lines.len(), buf);
    let below = Rect { y: inside.bottom().saturating_sub(1), height: inside.height.min(1), ..inside };
    pane::lines(below, [nodes(frame, look, Row::new(inside.width))], buf);
}

/// What the columns are, where there is a whole screen for them.
fn heading(look: &Look, columns: &Columns, line: Row) -> Row {
    let dim = look.style(Role::Dim);
    let line = line
        .gap(3)
        .cell(dim, "context", columns.context)
        .cell(dim, "namespace", columns.namespace)
        .cell(dim, "name", columns.name);
    let line = line.cell(dim, "kind", columns.kind).number(dim, "ready", columns.ready).gap(2);
    let line = line.cell(dim, "rev", columns.revision).cell(dim, "release", columns.release);
    let line = if columns.usage > 0 {
        line.number(dim, "cpu", 9).number(dim, "memory", columns.usage - 11).gap(2)
    } else {
        line
    };
    line.text(dim, "status")
}

/// `27/31 ready · ✖ 2 ▲ 1 · sorting paused`
fn note(frame: &Frame<'_>, summary: &Summary) -> String {
    let mut parts: Vec<String> = silence(frame, SourceId::Pods).into_iter().collect();
    parts.extend(
        frame.world.lost_namespaces().map(|(name, phase)| format!("✖ {name} {}", summary::lost(phase))),
    );
    parts.push(format!("{}/{} ready", summary.ready, summary.pods));
    let told = [(Severity::Critical, summary.critical), (Severity::Warn, summary.warn)]
        .into_iter()
        .filter(|(_, n)| *n > 0);
    parts.extend(told.map(|(severity, n)| format!("{} {n}", symbols::severity(severity).0)));
    let list = frame.screen.lists.get(&Focus::Pods);
    parts.extend(frame.screen.faults_only.then(|| "only trouble".to_owned()));
    parts.extend(list.filter(|list| !list.held.is_empty()).map(|_| "‖ sorting paused".to_owned()));
    parts.join(" · ")
}

fn empty<'a>(frame: &Frame<'a>) -> &'a str {
    let filtered = frame.screen.faults_only || !frame.screen.filter(Focus::Pods).is_empty();
    match frame.world.sources.get(&SourceId::Pods).map(|health| health.state) {
        _ if filtered && !frame.world.cluster.pods.is_empty() => "nothing matches the filter",
        Some(SourceState::Live) => match frame.world.lost_namespaces().next() {
            Some((_, NamespacePhase::Missing)) => "there is no such namespace: choose another with :ns",
            Some(_) => "the namespace is gone, or going, and its pods with it",
            None => "no pods",
        },
        _ => summary::told(frame, SourceId::Pods).unwrap_or("waiting for the cluster"),
    }
}

fn columns(frame: &Frame<'_>, summary: &Summary, visible: &[PodLine<'_>], inside: usize) -> Columns {
    let rows =
        || visible.iter().filter_map(|line| if let PodLine::Workload(row) = line { Some(row) } else { None });
    let widest = |of: &dyn Fn(&WorkloadRow<'_>) -> usize| rows().map(of).max().unwrap_or(0);
    let ready = widest(&|row| ready(row).len()).max(if frame.screen.zoomed { "ready".len() } else { 0 });
    let revision = widest(&|row| width(&revision(row)));
    let release =
        widest(&|row| row.workload.and_then(|w| frame.world.release(w)).map_or(0, |release| width(release)))
            .min(12);
    let several = frame.world.session.as_ref().is_some_and(|session| session.namespaces.len() != 1);
    // Where nothing is wrong there is little to say, and room for names. Not only in what is seen: columns
    // would jump with each step.
    let calm = summary.critical + summary.warn == 0 && !rows().any(|row| completed(row) || paused(row));
    let share = if calm { 2 } else { 3 };
    let context =
        rows().filter_map(|row| frame.world.label(row.meta().context())).map(|label| width(label)).max();
    Columns {
        context: context.map_or(0, |widest| widest.min(inside / 5) + 1),
        namespace: if several { widest(&|row| width(row.namespace())).min(inside / 5) + 1 } else { 0 },
        name: widest(&|row| width(row.name())).clamp(8, (inside / share).max(8)) + 1,
        kind: if inside >= 100 { 7 } else { 0 },
        ready,
        revision: if inside >= 54 && revision > 0 { revision + 2 } else { 0 },
        release: if inside >= 54 && release > 0 { release + 2 } else { 0 },
        usage: if inside >= 120 && frame.world.usage.at.is_some() { USAGE } else { 0 },
    }
}

/// Ready replicas of those wanted; of a lone pod its containers, as kubectl counts them.
fn ready(row: &WorkloadRow<'_>) -> String {
    let containers =
        || row.pod.into_iter().flat_map(|pod| &pod.containers).filter(|container| !container.init);
    match row.workload {
        Some(workload) => format!("{}/{}", workload.ready, workload.desired),
        None => {
            format!("{}/{}", containers().filter(|container| container.ready).count(), containers().count())
        }
    }
}

/// `rev 7`
fn revision(row: &WorkloadRow<'_>) -> String {
    row.workload.and_then(|w| w.revision).map(|n| format!("rev {n}")).unwrap_or_default()
}

/// Columns of `250m cpu  45 MiB`.
const USAGE: usize = 20;

/// Pods of a workload whose usage is added up for its row; more are not looked at for every frame.
const ADDED: usize = 64;

/// What the pods of a row use together; unknown for very many.
fn usage(frame: &Frame<'_>, row: &WorkloadRow<'_>) -> Option<(u32, u32)> {
    let cluster = &frame.world.cluster;
    let usage = &frame.world.usage;
    match (row.pod, row.workload) {
        (Some(pod), _) => usage.pod(pod),
        (None, Some(workload)) if workload.replicas as usize <= ADDED => {
            usage.pods(cluster.pods_of(row).into_iter())
        }
        _ => None,
    }
}

fn used(look: &Look, usage: Option<(u32, u32)>, columns: usize, line: Row) -> Row {
    if columns == 0 {
        return line;
    }
    // `39m` alone reads as an age
    let told = |(cpu, memory)| (format!("{} cpu", units::cores(cpu)), units::kib(memory));
    let (cpu, memory) = usage.map_or_else(|| ("–".to_owned(), "–".to_owned()), told);
    let dim = look.style(Role::Dim);
    line.number(dim, &cpu, 9).number(dim, &memory, columns - 11).gap(2)
}

fn workload(frame: &Frame<'_>, look: &Look, row: &WorkloadRow<'_>, columns: &Columns, line: Row) -> Row {
    let (mark, role) = symbols::severity(row.severity);
    let dim = look.style(Role::Dim);
    let well = row.severity == Severity::Ok;
    let name_style = look.style(if well { Role::Text } else { Role::Strong });
    let kind = row.workload.map_or(Kind::Pod, |w| w.kind).short();
    let release = row.workload.and_then(|w| frame.world.release(w)).map_or("", |release| release.as_str());
    let label = frame.world.label(row.meta().context()).map_or("", |label| label.as_str());
    let line = line
        .gap(1)
        .text(look.style(role), mark)
        .gap(1)
        .cell(look.style(Role::Accent), label, columns.context.saturating_sub(1))
        .gap(columns.context.min(1))
        .cell(dim, row.namespace(), columns.namespace.saturating_sub(1))
        .gap(columns.namespace.min(1))
        .name(name_style, row.name(), columns.name.saturating_sub(1))
        .gap(1);
    let line = line.cell(dim, kind, columns.kind);
    let line =
        line.number(look.style(if well { Role::Text } else { role }), &ready(row), columns.ready).gap(2);
    let line = line.cell(dim, &revision(row), columns.revision).cell(dim, release, columns.release);
    let line = if columns.usage > 0 { used(look, usage(frame, row), columns.usage, line) } else { line };
    let line = row
        .reason
        .iter()
        .fold(line, |line, reason| line.text(look.style(role), symbols::reason(reason)).gap(2));
    let line = row.why.iter().fold(line, |line, why| line.text(look.style(Role::Text), why).gap(2));
    let line = if completed(row) { line.text(dim, "Completed").gap(2) } else { line };
    let line = if paused(row) { line.text(look.style(Role::Warn), "paused").gap(2) } else { line };
    if well || row.restarts_told { line } else { restarted(frame.now, look, row.restarts, row.ended, line) }
}

fn completed(row: &WorkloadRow<'_>) -> bool {
    row.pod.is_some_and(|pod| pod.phase == PodPhase::Succeeded && row.reason.is_none())
}

fn paused(row: &WorkloadRow<'_>) -> bool {
    row.workload.is_some_and(|workload| workload.paused)
}

fn pod_row(frame: &Frame<'_>, look: &Look, pod: &Pod, columns: &Columns, line: Row) -> Row {
    let diagnosis = told(frame.world, pod, &diagnose(pod));
    let (mark, role) = symbols::severity(diagnosis.severity);
    let dim = look.style(Role::Dim);
    let status = if diagnosis.severity == Severity::Ok { Role::Dim } else { role };
    let age = units::age(frame.now - pod.meta.created);
    let line = line.gap(3).text(look.style(role), mark).gap(1);
    let line = line.name(dim, &pod.meta.name, columns.reason().saturating_sub(14 + columns.usage)).gap(1);
    let line = used(look, frame.world.usage.pod(pod), columns.usage, line).number(dim, &age, 6).gap(2);
    let line = line.text(look.style(status), &diagnosis.status).gap(2);
    let line = diagnosis.why.iter().fold(line, |line, why| line.text(dim, why).gap(2));
    let line = restarted(frame.now, look, restarts(pod), last_end(pod), line);
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

/// `nodes 3 ready · cpu 61 % · mem 48 % · ✖ bed: Kubelet stopped posting node status · ▲ 1 cordoned`
fn nodes(frame: &Frame<'_>, look: &Look, row: Row) -> Row {
    let row = row.gap(1);
    let nodes = &frame.world.cluster.nodes;
    let silence = silence(frame, SourceId::Nodes);
    // in other places than the silent
    let heard = frame.world.sources.get(&SourceId::Nodes).is_some_and(|health| !health.parts.is_empty());
    if let Some(silence) = silence.as_ref().filter(|_| !heard || nodes.is_empty()) {
        return row.text(look.style(Role::Blind), &format!("nodes: {silence}"));
    }
    if nodes.is_empty() {
        return row;
    }
    let down = frame.world.cluster.down.len();
    let row = row.text(look.style(Role::Dim), &format!("nodes {} ready", nodes.len() - down));
    let row = measured(frame).iter().fold(row, |row, words| row.text(look.style(Role::Dim), words));
    let lost = frame.world.cluster.down.values().next().and_then(|uid| nodes.get(uid));
    let row = lost.iter().fold(row, |row, node| {
        row.text(
            look.style(Role::Critical),
            &format!(" · ✖ {}", frame.world.place(node.meta.context(), &not_ready(node, down))),
        )
    });
    let cordoned = nodes.values().filter(|node| node.cordoned).count();
    let row = if cordoned > 0 {
        row.text(look.style(Role::Warn), &format!(" · ▲ {cordoned} cordoned"))
    } else {
        row
    };
    silence.iter().fold(row, |row, silence| row.text(look.style(Role::Blind), &format!(" · ▲ {silence}")))
}

/// `bed not ready: Kubelet stopped posting node status`, `bed and 2 more not ready: …`
fn not_ready(node: &Node, down: usize) -> String {
    let more = if down > 1 { format!(" and {} more", down - 1) } else { String::new() };
    format!("{}{more} not ready: {}", node.meta.name, node.why_not_ready())
}

/// What all nodes that are measured use of what they have: ` · cpu 51 % · mem 13 % of 1 of 41 measured`.
fn measured(frame: &Frame<'_>) -> Option<String> {
    let nodes = &frame.world.cluster.nodes;
    let silence = silence(frame, SourceId::Usage);
    let mut used = (0_u64, 0_u64);
    let mut all = (0_u64, 0_u64);
    let mut count = 0;
    for node in nodes.values() {
        let Some((cpu, memory)) = frame.world.usage.node(node) else { continue };
        let (Some(has_cpu), Some(has_memory)) = (node.allocatable.cpu, node.allocatable.memory) else {
            continue;
        };
        used = (used.0 + u64::from(cpu), used.1 + u64::from(memory));
        all = (all.0 + u64::from(has_cpu.get()), all.1 + u64::from(has_memory.get()));
        count += 1;
    }
    let of =
        if count < nodes.len() { format!(" ({count} of {} measured)", nodes.len()) } else { String::new() };
    let share = (count > 0)
        .then(|| format!(" · cpu {} % · mem {} %{of}", used.0 * 100 / all.0, used.1 * 100 / all.1));
    match (share, silence) {
        (share, None) => share,
        (None, Some(silence)) => Some(format!(" · cpu, mem {silence}")),
        (Some(share), Some(silence)) => Some(format!("{share}, {silence}")),
    }
}
