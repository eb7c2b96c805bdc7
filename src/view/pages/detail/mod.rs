//! One pod, workload or node in full: everything that is known of it, and what Kubernetes warned of, newest
//! first.

mod node;
mod pod;
mod workload;

use std::num::NonZeroU32;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::event::{Amount, LastChange, Meta, Notice, Uid};
use crate::state::{Detail, Frame};
use crate::theme::Role;
use crate::units;
use crate::view::Look;
use crate::view::pages::Draw;
use crate::view::primitives::pane;
use crate::view::primitives::text::{Row, width, wrap};

/// From here on a container is close to being killed for its memory.
const CLOSE: u64 = 90;

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

    /// `cpu 250m of 500m limit · memory 210 MiB of 256 MiB limit (82 %)`
    fn usage_of(&mut self, used: Option<(u32, u32)>, most: Amount, word: &str) {
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

    /// `by helm, 12m ago (Update)`
    fn changed(&mut self, changed: Option<&LastChange>) {
        let Some(LastChange { manager, operation, subresource, at }) = changed else { return };
        let part = subresource.as_ref().map(|part| format!(" of {part}")).unwrap_or_default();
        let words = format!("by {manager}, {} ago ({operation}{part})", units::age(self.frame.now - *at));
        self.fact("last change", Role::Text, &words);
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
