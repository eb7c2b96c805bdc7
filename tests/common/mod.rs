//! Builds states as the program does, by folding records, and draws them to text.

#![allow(dead_code, reason = "each test file uses a part of this")]

pub mod cluster;
pub mod contexts;
pub mod load;
pub mod story;

use std::sync::{Arc, LazyLock};

use chrono::{DateTime, TimeDelta, Utc};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use warroom::data::Location;
use warroom::event::{Event, Record};
use warroom::keymap::Keymap;
use warroom::runbook;
use warroom::state::State;
use warroom::theme::{ColorDepth, Theme};
use warroom::view::{Hits, Look, view};

/// 14:46:32: what `at(0)` is.
pub fn at(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_445_192, 0).unwrap() + TimeDelta::seconds(second)
}

/// A state that has heard these events, each at its second.
pub fn told(events: impl IntoIterator<Item = (i64, Event)>) -> State {
    let mut state = State::new(at(0), Arc::new(runbook::embedded().unwrap()));
    let mut events: Vec<(i64, Event)> = events.into_iter().collect();
    events.sort_by_key(|(second, _)| *second);
    for (seq, (second, event)) in (1..).zip(events) {
        state.world.fold(&Record { seq, at: at(second), event });
    }
    state
}

/// A terminal that keeps its frames, as the program's does.
pub struct Easel {
    terminal: Terminal<TestBackend>,
    theme: Theme,
    hits: Hits,
}

impl Easel {
    pub fn new(size: (u16, u16), depth: ColorDepth) -> Self {
        Self::in_theme("dark", size, depth)
    }

    pub fn in_theme(theme: &str, (columns, rows): (u16, u16), depth: ColorDepth) -> Self {
        let theme = Theme::load(theme, &Location::start_of("tests"), &[]).unwrap().at_depth(depth);
        let terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
        Self { terminal, theme, hits: Hits::default() }
    }

    /// Draws the next frame.
    pub fn draw(&mut self, state: &State, ascii: bool) -> &Buffer {
        static KEYMAP: LazyLock<Keymap> = LazyLock::new(|| Keymap::load(&[]).unwrap());
        let look = Look { theme: &self.theme, keymap: &KEYMAP, before: &KEYMAP, ascii, hits: &self.hits };
        self.terminal.draw(|terminal| view(&state.frame(), &look, terminal)).unwrap().buffer
    }
}

/// The frame of that size.
pub fn frame(state: &State, size: (u16, u16), depth: ColorDepth, ascii: bool) -> Buffer {
    painted(state, size, "dark", depth, ascii)
}

/// The frame of that size in that theme.
pub fn painted(state: &State, size: (u16, u16), theme: &str, depth: ColorDepth, ascii: bool) -> Buffer {
    Easel::in_theme(theme, size, depth).draw(state, ascii).clone()
}

/// The frame's text, without blanks at the end of its lines.
pub fn text(buffer: &Buffer) -> String {
    let columns = usize::from(buffer.area.width.max(1));
    let lines = buffer
        .content
        .chunks(columns)
        .map(|row| row.iter().map(ratatui::buffer::Cell::symbol).collect::<String>().trim_end().to_owned());
    lines.collect::<Vec<_>>().join("\n")
}

/// The frame with its colours, as JSON: rows of `[symbol, foreground, background, modifiers]`.
pub fn cells(buffer: &Buffer) -> String {
    let columns = usize::from(buffer.area.width.max(1));
    let cell = |cell: &ratatui::buffer::Cell| {
        serde_json::json!([
            cell.symbol(),
            cell.fg.to_string(),
            cell.bg.to_string(),
            format!("{:?}", cell.modifier)
        ])
    };
    let rows: Vec<Vec<_>> =
        buffer.content.chunks(columns).map(|row| row.iter().map(cell).collect()).collect();
    serde_json::to_string(&rows).unwrap()
}
