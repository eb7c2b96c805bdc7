//! Every source: how well it can be heard, since when, and why not better; a place of several that is not
//! well has a line of its own.

use std::cmp::Reverse;

use chrono::{DateTime, Utc};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::event::{SourceHealth, SourceState};
use crate::state::{Frame, SourceList};
use crate::theme::Role;
use crate::units;
use crate::view::Look;
use crate::view::pages::Draw;
use crate::view::primitives::text::{Row, width, wrap};
use crate::view::primitives::{pane, symbols};

/// Columns that a line is easily read in.
const COLUMNS: u16 = 120;
/// Columns of the words beneath a source are indented by so many.
const INDENT: usize = 5;

impl Draw for SourceList {
    fn draw(&self, frame: &Frame<'_>, look: &Look, body: Rect, buf: &mut Buffer) {
        let scroll = self.scroll;
        let mut sources: Vec<&SourceHealth> = frame.world.sources.values().collect();
        sources.sort_by_key(|health| Reverse(health.state.badness()));
        let columns = COLUMNS.min(body.width).saturating_sub(2);
        let names = sources.iter().map(|health| width(health.source.name())).max().unwrap_or(0) + 2;
        let lines = Lines { frame, look, columns, names };
        let rows: Vec<Row> = sources.into_iter().flat_map(|health| lines.of(health)).collect();
        let area = pane::centred(body, columns + 2, u16::try_from(rows.len().max(1) + 2).unwrap_or(u16::MAX));
        let inside = pane::overlay(look, Role::BorderFocus, "Sources", "the worst first", area, buf);
        if rows.is_empty() {
            return pane::nothing(look, inside, "nothing is asked yet", buf);
        }
        pane::scrolled(look, inside, rows, scroll, buf);
    }
}

struct Lines<'a> {
    frame: &'a Frame<'a>,
    look: &'a Look<'a>,
    columns: u16,
    names: usize,
}

impl Lines<'_> {
    /// `pods  ✖ down   since 15:41:21, 4m`, and beneath it why; or each place that has something to say.
    fn of(&self, health: &SourceHealth) -> Vec<Row> {
        let row = Row::new(self.columns).gap(1).cell(
            self.look.style(Role::Strong),
            health.source.name(),
            self.names,
        );
        let mut rows = vec![self.how(health.state, health.since, row)];
        if health.parts.is_empty() {
            rows.extend(self.why(health.error.as_deref()));
        }
        for part in &health.parts {
            let row = Row::new(self.columns).gap(3).text(self.look.style(Role::Accent), &part.name).gap(2);
            rows.push(self.how(part.state, part.since, row));
            rows.extend(self.why(part.error.as_deref()));
        }
        rows
    }

    fn how(&self, state: SourceState, since: DateTime<Utc>, row: Row) -> Row {
        let (mark, role) = symbols::source(state);
        let lasts = units::age(self.frame.now - since);
        let row = row.text(self.look.style(role), mark).gap(1).cell(self.look.style(role), state.word(), 9);
        row.text(self.look.style(Role::Dim), &format!("since {}, {lasts}", since.format("%H:%M:%S")))
    }

    fn why(&self, error: Option<&str>) -> Vec<Row> {
        let room = usize::from(self.columns).saturating_sub(INDENT + 1);
        let lines = error.map(|error| wrap(error, room)).unwrap_or_default();
        lines
            .iter()
            .map(|line| Row::new(self.columns).gap(INDENT).text(self.look.style(Role::Text), line))
            .collect()
    }
}
