//! One entry of the timeline in full: when, what, its cases, the object that it is about and what Kubernetes
//! warned of.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::clean::Clean;
use crate::event::{Finding, Notice, Output, Table};
use crate::keymap::{Action, Context};
use crate::state::{EntryDetail, Frame, Run, TimelineEntry, object_of};
use crate::theme::Role;
use crate::units;
use crate::view::Look;
use crate::view::pages::Draw;
use crate::view::panes::timeline;
use crate::view::primitives::text::{Row, width, wrap};
use crate::view::primitives::{pane, symbols, text};

/// Columns that a line is easily read in.
const COLUMNS: u16 = 130;
/// Columns of the words at the left.
const LABEL: usize = 12;
/// Warnings shown, the newest first.
const WARNINGS: usize = 30;

impl Draw for EntryDetail {
    fn draw(&self, frame: &Frame<'_>, look: &Look, body: Rect, buf: &mut Buffer) {
        let EntryDetail { id, scroll } = *self;
        let columns = COLUMNS.min(body.width);
        let page = Page { frame, look, columns: columns.saturating_sub(2) };
        let (title, lines) = match frame.world.timeline.get(id) {
            Some(entry) => (format!("{} {}", entry.kind, frame.world.subject(entry)), page.lines(entry)),
            None => (
                "gone".to_owned(),
                page.fact("", Role::Warn, "▲ the timeline no longer has this entry; the recording does"),
            ),
        };
        let area = pane::centred(body, columns, u16::try_from(lines.len() + 2).unwrap_or(u16::MAX));
        let inside = pane::overlay(look, Role::BorderFocus, title.trim(), &format!("entry {id}"), area, buf);
        pane::scrolled(look, inside, lines, scroll, buf);
    }
}

/// What the lines are made with.
struct Page<'a> {
    frame: &'a Frame<'a>,
    look: &'a Look<'a>,
    columns: u16,
}

impl Page<'_> {
    fn row(&self) -> Row {
        Row::new(self.columns).gap(1)
    }

    fn section(&self, title: &str) -> Vec<Row> {
        vec![Row::new(self.columns), self.row().text(self.look.style(Role::Title), title)]
    }

    /// A label and words, as many lines as they need.
    fn fact(&self, label: &str, role: Role, words: &str) -> Vec<Row> {
        let parts = wrap(words, usize::from(self.columns).saturating_sub(LABEL + 3));
        let row = |(n, part): (usize, &String)| {
            let label = if n == 0 { label } else { "" };
            self.row().cell(self.look.style(Role::Dim), label, LABEL).text(self.look.style(role), part)
        };
        parts.iter().enumerate().map(row).collect()
    }

    fn lines(&self, entry: &TimelineEntry) -> Vec<Row> {
        let mut lines = self.when(entry);
        let (mark, role) = symbols::entry(entry.kind);
        lines.extend(self.fact("what", role, &format!("{mark} {}", entry.text)));
        lines.extend(self.object(entry));
        let run = entry.mark.and_then(|mark| self.frame.world.runs.all().find(|run| run.mark == mark));
        lines.extend(run.into_iter().flat_map(|run| self.action(run)));
        if entry.cases > 0 {
            lines.extend(self.cases(entry));
        }
        lines.extend(self.warnings(entry));
        lines
    }

    fn when(&self, entry: &TimelineEntry) -> Vec<Row> {
        let began = self.frame.world.began().map(|began| {
            let (sign, span) =
                if entry.at < began { ("before", began - entry.at) } else { ("after", entry.at - began) };
            format!("  {} {sign} the incident began", units::age(span))
        });
        let ended = entry.ended.map(|ended| format!("  ended after {}", units::span(ended - entry.at)));
        let at = entry.at.format("%Y-%m-%d %H:%M:%S UTC");
        self.fact(
            "when",
            Role::Text,
            &format!("{at}{}{}", began.unwrap_or_default(), ended.unwrap_or_default()),
        )
    }

    /// What it is about, as it is now, and the key that leads there.
    fn object(&self, entry: &TimelineEntry) -> Vec<Row> {
        let cluster = &self.frame.world.cluster;
        let Some(uid) = object_of(self.frame.world, entry) else { return Vec::new() };
        let key = self
            .look
            .keys(&[Context::Page], &Action::Jump)
            .map(|key| format!("   {key}: go to its row"))
            .unwrap_or_default();
        let words = match (cluster.workloads.get(&uid), cluster.pods.get(&uid)) {
            (Some(w), _) => format!(
                "{} {}/{}  {}/{} ready{key}",
                w.kind.word(),
                w.meta.namespace,
                w.meta.name,
                w.ready,
                w.desired
            ),
            (None, Some(pod)) => format!("pod {}/{}{key}", pod.meta.namespace, pod.meta.name),
            (None, None) => return Vec::new(),
        };
        self.fact("about", Role::Text, &words)
    }

    fn action(&self, run: &Run) -> Vec<Row> {
        let step: Vec<String> =
            run.intent.call.inputs.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut lines = self.fact(
            "step",
            Role::Text,
            &format!("{} {}  @{}", run.intent.call.step, step.join(" "), run.intent.actor),
        );
        lines.extend(self.fact("command", Role::Text, &run.intent.command.words()));
        match run.output() {
            Some(output) => lines.extend(self.output(output)),
            None => lines.extend(self.so_far(run)),
        }
        lines
    }

    /// What a command has printed, or the steps of a checklist have found, while it goes on.
    fn so_far(&self, run: &Run) -> Vec<Row> {
        if let Some(printed) = self.frame.screen.printed.get(&run.intent.id) {
            return self.section("output so far").into_iter().chain(self.text(printed)).collect();
        }
        let Some(findings) = self.frame.screen.findings.get(&run.intent.id) else { return Vec::new() };
        let sum = format!("{} so far", units::counted(findings.len(), "step"));
        let mut lines = self.section("found");
        lines.extend(self.fact("", Role::Strong, &sum));
        lines.extend(findings.iter().flat_map(|finding| self.finding(finding)));
        lines
    }

    /// What one of several steps has found.
    fn finding(&self, finding: &Finding) -> Vec<Row> {
        let mut lines = self.section(&finding.title);
        match &finding.found {
            Ok(output) => lines.extend(self.found(output)),
            Err(why) => lines.extend(self.fact("unknown", Role::Warn, &format!("? {why}"))),
        }
        lines
    }

    /// What was read: in words, then as a table.
    fn table(&self, output: &Output, table: &Table) -> Vec<Row> {
        let widths = text::widths(&table.columns, &table.rows, usize::from(self.columns).saturating_sub(2));
        let line = |cells: &[Clean], role| {
            let style = self.look.style(role);
            let cells = cells.iter().zip(&widths);
            cells.fold(self.row(), |row, (cell, width)| row.cell(style, cell, *width).gap(2))
        };
        let mut lines = Vec::new();
        lines.extend(output.lines.iter().flat_map(|words| self.fact("", Role::Strong, words)));
        lines.extend(
            output.wrong.iter().flat_map(|why| self.fact("wrong", Role::Critical, &format!("✖ {why}"))),
        );
        lines.extend(output.cut.iter().flat_map(|why| self.fact("not all", Role::Warn, &format!("▲ {why}"))));
        if !table.rows.is_empty() {
            lines.push(line(&table.columns, Role::Dim));
            lines.extend(table.rows.iter().map(|row| line(row, Role::Text)));
        }
        if !output.text.is_empty() {
            lines.push(self.row());
            lines.extend(self.text(&output.text));
        }
        lines
    }

    /// What was found, and what each of several steps has found.
    fn output(&self, output: &Output) -> Vec<Row> {
        let mut lines = self.section(if output.table.is_some() { "found" } else { "output" });
        lines.extend(self.found(output));
        lines.extend(output.findings.iter().flat_map(|finding| self.finding(finding)));
        lines
    }

    /// A table, or what a command printed and how it ended.
    fn found(&self, output: &Output) -> Vec<Row> {
        if let Some(table) = &output.table {
            return self.table(output, table);
        }
        let exit = output.exit.map_or_else(|| "no exit code".to_owned(), |code| format!("exit {code}"));
        let role = if output.exit == Some(0) { Role::Ok } else { Role::Warn };
        let mut lines = self.fact("ended", role, &exit);
        lines.extend(output.cut.iter().flat_map(|why| self.fact("not all", Role::Warn, &format!("▲ {why}"))));
        lines.extend(self.text(&output.lines));
        lines
    }

    /// Lines as they came, each as many rows as it needs.
    fn text(&self, lines: &[Clean]) -> Vec<Row> {
        let parts = |line: &Clean| wrap(line, usize::from(self.columns).saturating_sub(2));
        let row = |part: String| self.row().text(self.look.style(Role::Text), &part);
        lines.iter().flat_map(parts).map(row).collect()
    }

    fn cases(&self, entry: &TimelineEntry) -> Vec<Row> {
        let all: Vec<&TimelineEntry> = self.frame.world.timeline.cases(entry.id).collect();
        let unlisted = (entry.cases as usize).saturating_sub(all.len());
        let more = if unlisted > 0 { format!(", {unlisted} of them only counted") } else { String::new() };
        let subject =
            all.iter().map(|case| width(&self.frame.world.subject(case))).max().unwrap_or(0).min(40);
        let row = |case: &&TimelineEntry| {
            let (mark, role) =
                if case.ended.is_some() { ("●", Role::Ok) } else { symbols::entry(case.kind) };
            let row =
                self.row().text(self.look.style(Role::Dim), &timeline::time(self.frame, case.at)).gap(2);
            let row = row
                .text(self.look.style(role), mark)
                .gap(1)
                .cell(self.look.style(Role::Strong), &self.frame.world.subject(case), subject)
                .gap(2);
            let over = case
                .ended
                .map(|ended| format!("   ended after {}", units::span(ended - case.at)))
                .unwrap_or_default();
            row.text(self.look.style(Role::Text), &case.text).text(self.look.style(Role::Dim), &over)
        };
        self.section(&format!("{} cases{more}", entry.cases)).into_iter().chain(all.iter().map(row)).collect()
    }

    /// What Kubernetes warned of: the object itself, and what is named after it (its pods, their ReplicaSet).
    fn warnings(&self, entry: &TimelineEntry) -> Vec<Row> {
        let timeline = &self.frame.world.timeline;
        let named: Vec<&str> =
            [entry].into_iter().chain(timeline.cases(entry.id)).map(|entry| entry.subject.as_str()).collect();
        let after = |name: &str, about: &str| {
            about.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
        };
        let about = |notice: &&Notice| {
            notice.warning
                && notice.meta.context() == entry.context
                && named.iter().any(|name| !name.is_empty() && after(name, &notice.about))
        };
        let mut notices: Vec<&Notice> = self.frame.world.cluster.notices.values().filter(about).collect();
        if notices.is_empty() {
            return Vec::new();
        }
        notices.sort_by_key(|notice| std::cmp::Reverse(notice.last));
        let row = |notice: &&Notice| {
            let times = if notice.count > 1 { format!(" ×{}", notice.count) } else { String::new() };
            let row = self
                .row()
                .number(
                    self.look.style(Role::Dim),
                    &format!("{} ago", units::age(self.frame.now - notice.last)),
                    10,
                )
                .gap(2);
            let row = row.text(self.look.style(Role::Warn), &format!("▲ {}{times}", notice.reason)).gap(2);
            row.text(self.look.style(Role::Strong), &notice.about)
                .gap(2)
                .text(self.look.style(Role::Text), &notice.message)
        };
        self.section("Kubernetes warnings")
            .into_iter()
            .chain(notices.iter().take(WARNINGS).map(row))
            .collect()
    }
}
