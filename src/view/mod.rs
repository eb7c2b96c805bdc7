//! Draws a frame: `(frame, look) → cells`. Pure: no I/O, no clock, nothing is changed, and
//! neither `source/` nor `effect/` is known.
//!
//! Rectangles come from [`layout`](primitives::layout); each pane and overlay is a module that builds only
//! the lines that can be seen, out of [`text`](primitives::text) and [`symbols`](primitives::symbols). Colour
//! and words both carry each meaning; ASCII terminals get a translation of the finished frame
//! ([`ascii`](primitives::ascii)).

mod footer;
mod header;
mod pages;
mod panes;
mod playback;
mod primitives;
mod summary;
mod tabs;
mod wall;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::keymap::{Action, Context, Keymap, sequence};
use crate::state::{Focus, Frame, PodLine, pod_lines_of, workload_rows};
use crate::theme::{Role, Theme};

pub use primitives::hit_test::{Hits, Spot};
pub(crate) use primitives::text::{width, widths};

use primitives::layout::Layout;
use primitives::text::Row;
use summary::Summary;

/// How things look and what keys are called: nothing of it is state.
#[derive(Clone, Copy, Debug)]
pub struct Look<'a> {
    /// A style for every meaning, at the depth of the terminal.
    pub theme: &'a Theme,
    /// Names the keys that work.
    pub keymap: &'a Keymap,
    /// The keymap that was in use before another is looked at; else the same.
    pub before: &'a Keymap,
    /// Only ASCII can be shown.
    pub ascii: bool,
    /// Takes down what is drawn where.
    pub hits: &'a Hits,
}

impl Look<'_> {
    fn style(&self, role: Role) -> Style {
        self.theme.style(role)
    }

    /// The keys that run `action` in these contexts: `m u`.
    fn keys(&self, contexts: &[Context], action: &Action) -> Option<String> {
        self.keymap.keys_of(contexts, action).map(sequence)
    }
}

/// Draws everything.
pub fn view(frame: &Frame<'_>, look: &Look, terminal: &mut ratatui::Frame<'_>) {
    let area = terminal.area();
    let buf = terminal.buffer_mut();
    look.hits.clear();
    buf.set_style(area, look.theme.base());
    match primitives::layout::lay_out(area, frame.screen) {
        Some(layout) => draw(frame, look, &layout, buf),
        None => too_small(area, look, buf),
    }
    if look.ascii {
        primitives::ascii::translate(buf);
    }
}

fn draw(frame: &Frame<'_>, look: &Look, layout: &Layout, buf: &mut Buffer) {
    let rows = workload_rows(frame.world);
    let summary = Summary::new(frame, &rows);
    header::draw(frame, look, &summary, layout.header, buf);
    if frame.screen.seat.wall {
        wall::draw(frame, look, &summary, layout.body, buf);
    } else {
        draw_panes(frame, look, &summary, &pod_lines_of(frame, rows), layout, buf);
    }
    for page in &frame.screen.pages {
        pages::draw(page, frame, look, layout.body, buf);
    }
    footer::draw(frame, look, layout, buf);
}

fn draw_panes(
    frame: &Frame<'_>,
    look: &Look,
    summary: &Summary,
    lines: &[PodLine<'_>],
    layout: &Layout,
    buf: &mut Buffer,
) {
    if let Some(area) = layout.tabs {
        tabs::draw(frame, look, summary, area, buf);
    }
    for (focus, area) in &layout.panes {
        match focus {
            Focus::Pods => panes::pods::draw(frame, look, summary, lines, *area, buf),
            Focus::Rates => panes::rates::draw(frame, look, *area, buf),
            Focus::Lag => panes::lag::draw(frame, look, *area, buf),
            Focus::Timeline => panes::timeline::draw(frame, look, *area, buf),
            Focus::Steps => panes::steps::draw(frame, look, *area, buf),
        }
    }
}

fn too_small(area: Rect, look: &Look, buf: &mut Buffer) {
    let (columns, rows) = primitives::layout::LEAST;
    let sentence = format!("warroom needs {columns}×{rows}; this is {}×{}", area.width, area.height);
    for (line, y) in
        primitives::text::wrap(&sentence, usize::from(area.width)).iter().zip(area.top()..area.bottom())
    {
        let row = Row::new(area.width).text(look.style(Role::Text), line);
        buf.set_line(area.x, y, &row.line(), area.width);
    }
}
