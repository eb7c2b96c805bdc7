//! An object's manifest, as YAML.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::state::{Frame, ManifestView};
use crate::theme::Role;
use crate::view::Look;
use crate::view::pages::Draw;
use crate::view::primitives::pane;
use crate::view::primitives::text::Row;

impl Draw for ManifestView {
    fn draw(&self, frame: &Frame<'_>, look: &Look, body: Rect, buf: &mut Buffer) {
        let view = self;
        let title = format!(
            "{} {}",
            view.target.kind,
            frame.world.place(frame.world.context_of(&view.target), &view.target.name)
        );
        let inside = pane::overlay(look, Role::BorderFocus, &title, "manifest, secrets left out", body, buf);
        let rows = match &view.lines {
            None => vec![Row::new(inside.width).gap(1).text(look.style(Role::Dim), "asking the API server")],
            Some(Err(why)) => {
                vec![Row::new(inside.width).gap(1).text(look.style(Role::Warn), &format!("▲ {why}"))]
            }
            Some(Ok(lines)) => lines.iter().map(|line| row(look, line, Row::new(inside.width))).collect(),
        };
        pane::scrolled(look, inside, rows, view.scroll, buf);
    }
}

/// A key stands out from its value.
fn row(look: &Look, line: &str, row: Row) -> Row {
    let key = line.find(": ").map(|at| at + 1).or_else(|| line.ends_with(':').then_some(line.len()));
    let (key, value) = line.split_at(key.unwrap_or(0));
    row.gap(1).text(look.style(Role::Dim), key).text(look.style(Role::Text), value)
}
