//! The timeline pane: what happened, newest at the bottom. It follows unless something is selected.

use chrono::{DateTime, Utc};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::text::{Row, width};
use super::{Look, Spot, marks, pane};
use crate::state::{Entry, EntryKind, Focus, State, timeline_lines};
use crate::theme::Role;
use crate::units;

/// Draws the pane.
pub fn draw(state: &State, look: &Look, area: Rect, buf: &mut Buffer) {
    let entries = timeline_lines(state);
    let list = state.screen.lists.get(&Focus::Timeline);
    let chosen = list.and_then(|list| list.selected.as_ref());
    let selected = chosen.and_then(|id| entries.iter().position(|entry| entry.id.to_string() == id.as_str()));
    let inside = pane::frame(state, look, Focus::Timeline, if selected.is_some() { "held" } else { "follow ●" }, area, buf);
    let seen = pane::window(entries.len(), selected.or(entries.len().checked_sub(1)), inside.height);
    let visible = &entries[seen.clone()];
    let subject = visible.iter().map(|entry| width(&entry.subject)).max().unwrap_or(0).min(usize::from(inside.width) / 3);
    let rows = visible.iter().map(|entry| row(state, look, entry, subject, Row::new(inside.width)));
    pane::lines(inside, rows, buf);
    look.hits.rows(inside, visible.iter().map(|entry| Spot::Row(Focus::Timeline, entry.id.to_string().into())));
    pane::select(look, inside, selected.map(|at| at - seen.start), buf);
    pane::more(look, inside, seen, entries.len(), buf);
}

fn row(state: &State, look: &Look, entry: &Entry, subject: usize, row: Row) -> Row {
    let (mark, role) = marks::entry(entry.kind);
    let quiet = entry.kind == EntryKind::Session;
    let number = entry.mark.map(marks::action).unwrap_or_default();
    let row = row.gap(1).text(look.style(Role::Dim), &time(state, entry.at)).gap(2).text(look.style(role), mark).gap(1);
    let row = row.cell(look.style(Role::ChartMarker), &number, 2).gap(usize::from(width(&number) < 3));
    let row = row.cell(look.style(if quiet { Role::Dim } else { Role::Strong }), &entry.subject, subject).gap(2);
    row.text(look.style(if quiet { Role::Dim } else { said(entry.kind) }), &entry.text)
}

/// Words take the colour of their mark only where they need a person, or end something that did.
fn said(kind: EntryKind) -> Role {
    match kind {
        EntryKind::Trouble | EntryKind::Alert | EntryKind::Rejected | EntryKind::Unverified | EntryKind::Unknown | EntryKind::Verified => {
            marks::entry(kind).1
        }
        _ => Role::Text,
    }
}

/// When: UTC, or counted from the first trouble.
pub fn time(state: &State, at: DateTime<Utc>) -> String {
    match state.world.timeline.began().filter(|_| state.screen.elapsed) {
        Some(began) if at >= began => format!("+{}", units::elapsed(at - began)),
        Some(began) => units::elapsed(at - began),
        None => at.format("%H:%M:%S").to_string(),
    }
}
