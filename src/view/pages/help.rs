//! The keys that work here, by context, as the keymap tells them.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::keymap::{Group, sequence};
use crate::state::{Frame, Help};
use crate::theme::Role;
use crate::view::Look;
use crate::view::pages::Draw;
use crate::view::primitives::pane;
use crate::view::primitives::text::{Row, width};

/// Columns that one column of keys needs.
const COLUMN: u16 = 62;

impl Draw for Help {
    fn draw(&self, frame: &Frame<'_>, look: &Look, body: Rect, buf: &mut Buffer) {
        let scroll = self.scroll;
        let groups = look.keymap.help(&frame.screen.contexts_below());
        let across = (body.width.saturating_sub(4) / COLUMN).clamp(1, 3);
        let columns = (body.width.saturating_sub(4) / across).min(COLUMN + 14);
        let lines: Vec<Row> = groups.iter().flat_map(|group| rows(look, group, columns)).collect();
        let down = lines.len().div_ceil(usize::from(across));
        let height = u16::try_from(down + 2).unwrap_or(u16::MAX);
        let area = pane::centred(body, columns * across + 2, height);
        let inside =
            pane::overlay(look, Role::BorderFocus, "Keys", "what works here, the innermost first", area, buf);
        let rows = (0..down).map(|line| {
            let parts =
                (0..usize::from(across)).filter_map(|column| lines.get(column * down + line).cloned());
            parts.fold(Row::new(inside.width), |row, part| {
                let rest = usize::from(columns).saturating_sub(part.used());
                row.append(part).gap(rest)
            })
        });
        pane::scrolled(look, inside, rows.collect(), scroll, buf);
    }
}

fn rows(look: &Look, group: &Group, columns: u16) -> Vec<Row> {
    let keys =
        |keys: &[Vec<crate::keymap::Key>]| keys.iter().map(|on| sequence(on)).collect::<Vec<_>>().join(" · ");
    let widest = group.rows.iter().map(|row| width(&keys(&row.keys))).max().unwrap_or(0).min(20);
    let mut lines = vec![Row::new(columns).gap(1).text(look.style(Role::Title), group.context.name())];
    lines.extend(group.rows.iter().map(|row| {
        let line = Row::new(columns).gap(3).cell(look.style(Role::Key), &keys(&row.keys), widest).gap(2);
        line.text(look.style(Role::Text), &row.desc)
    }));
    lines.push(Row::new(columns));
    lines
}
