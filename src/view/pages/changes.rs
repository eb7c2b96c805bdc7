//! What changed in the last hour, newest first, who changed it, and what broke after it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::state::{ChangeList, Changed, Frame, changed};
use crate::theme::Role;
use crate::units;
use crate::view::Look;
use crate::view::pages::Draw;
use crate::view::panes::timeline::time;
use crate::view::primitives::text::{Row, width};
use crate::view::primitives::{pane, symbols};

/// Columns that a line is easily read in.
const COLUMNS: u16 = 160;

impl Draw for ChangeList {
    fn draw(&self, frame: &Frame<'_>, look: &Look, body: Rect, buf: &mut Buffer) {
        let scroll = self.scroll;
        let changes = changed(frame);
        let rows = u16::try_from(changes.len().max(1) + 2).unwrap_or(u16::MAX);
        let area = pane::centred(body, COLUMNS.min(body.width), rows);
        let inside = pane::overlay(
            look,
            Role::BorderFocus,
            "What changed in the last hour",
            "newest first",
            area,
            buf,
        );
        if changes.is_empty() {
            return pane::nothing(
                look,
                inside,
                "nothing that is known of: no rollout, scaling, config map, node or action",
                buf,
            );
        }
        let subject = changes
            .iter()
            .map(|change| width(&frame.world.subject(change.entry)))
            .max()
            .unwrap_or(0)
            .min(usize::from(inside.width) / 4);
        let rows = changes.iter().map(|change| row(frame, look, change, subject, Row::new(inside.width)));
        pane::scrolled(look, inside, rows.collect(), scroll, buf);
    }
}

/// `14:31:50  12m ago  ⇡ app  rev 6 → 7  v1.2.3 → v1.3.0  by helm   ▸ 18s later: app 5xx 24.8 % > 5 %`
fn row(frame: &Frame<'_>, look: &Look, change: &Changed<'_>, subject: usize, row: Row) -> Row {
    let entry = change.entry;
    let (mark, role) = symbols::entry(entry.kind);
    let dim = look.style(Role::Dim);
    let number = entry.mark.map(units::circled).unwrap_or_default();
    let ago = format!("{} ago", units::age(frame.now - entry.at));
    let row = row
        .gap(1)
        .text(dim, &time(frame, entry.at))
        .number(dim, &ago, 12)
        .gap(2)
        .text(look.style(role), mark)
        .gap(1);
    let row = row
        .cell(look.style(Role::ChartMarker), &number, 2)
        .gap(1)
        .cell(look.style(Role::Strong), &frame.world.subject(entry), subject)
        .gap(2);
    let words = change.run.map_or_else(
        || entry.text.to_string(),
        |run| format!("{}  by {}", run.intent.title, run.intent.actor),
    );
    let row = row.text(look.style(Role::Text), &words).gap(3);
    let Some(then) = change.then else { return row };
    let later = units::age(units::between(entry.at, then.at));
    let about = if then.subject == entry.subject { String::new() } else { format!("{} ", then.subject) };
    row.text(look.style(symbols::entry(then.kind).1), &format!("▸ {later} later: {about}{}", then.text))
}
