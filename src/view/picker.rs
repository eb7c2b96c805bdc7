//! Themes or keymaps by name. The one under the cursor is in use already, so the screen behind the list is its preview; a theme's row
//! also shows the colours of its meanings.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::hits::Spot;
use super::text::{Row, width};
use super::{Look, marks, pane};
use crate::state::{Picks, Severity, State};
use crate::theme::Role;

/// Draws the overlay at the right, where it hides least of what is previewed.
pub fn draw(state: &State, look: &Look, picks: Picks, body: Rect, buf: &mut Buffer) {
    let choices = state.screen.choices(picks);
    let widest = choices.names.iter().map(|name| width(name)).max().unwrap_or(0).max(24);
    let columns = u16::try_from(widest + 16).unwrap_or(u16::MAX).min(body.width);
    let rows = u16::try_from(choices.names.len() + 2).unwrap_or(u16::MAX).min(body.height);
    let area = Rect { x: body.right() - columns, width: columns, height: rows, ..body };
    let title = format!("Choose a {}", picks.word());
    let inside = pane::overlay(look, Role::BorderFocus, &title, "esc leaves", area, buf);
    let seen = pane::window(choices.names.len(), Some(choices.at), inside.height);
    let shown = choices.names[seen.clone()].iter().zip(seen.clone());
    pane::lines(
        inside,
        shown.map(|(name, at)| {
            let mark = if at == choices.at { "▸" } else { " " };
            let row = Row::new(inside.width).gap(1).text(look.style(Role::Accent), mark).gap(1);
            let row = row.cell(look.style(Role::Text), name, widest + 1);
            if at == choices.at && picks == Picks::Theme { swatch(look, row) } else { row }
        }),
        buf,
    );
    look.hits.rows(inside, seen.clone().map(Spot::Choice));
    pane::select(look, inside, Some(choices.at - seen.start), buf);
    pane::more(look, inside, seen, choices.names.len(), buf);
}

/// `● ▲ ✖ ?` as this theme has them.
fn swatch(look: &Look, row: Row) -> Row {
    let marks = [Severity::Ok, Severity::Warn, Severity::Critical].map(marks::severity);
    marks
        .into_iter()
        .chain([("?", Role::Unknown), ("─", Role::ChartLine)])
        .fold(row.gap(1), |row, (mark, role)| row.text(look.style(role), mark).gap(1))
}
