//! A followed log, the newest line at the bottom.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::text::Row;
use super::{Look, pane};
use crate::event::LogLine;
use crate::state::{LogView, State};
use crate::theme::Role;
use crate::units;

/// Draws the overlay.
pub fn draw(state: &State, look: &Look, log: &LogView, body: Rect, buf: &mut Buffer) {
    let run = if log.previous { " before its restart" } else { "" };
    let title = format!("Logs of {}{run}", log.target.name);
    let inside = pane::overlay(look, Role::BorderFocus, &title, &note(log), body, buf);
    if log.lines.is_empty() {
        let words = log.ended.as_ref().map_or_else(|| "waiting for lines".to_owned(), |why| format!("no lines: {why}"));
        return pane::lines(inside, [Row::new(inside.width).gap(1).text(look.style(Role::Dim), &words)], buf);
    }
    let end = log.lines.len() - log.up.min(log.lines.len() - 1);
    let start = end.saturating_sub(inside.height.into());
    let several = log.lines.iter().any(|line| line.container != log.lines[0].container);
    let rows = log.lines.range(start..end).map(|line| row(state, look, line, several, Row::new(inside.width)));
    pane::lines(inside, rows, buf);
    pane::more(look, inside, start..end, log.lines.len(), buf);
}

/// `ended: the container is gone · follow ● · 12 lines dropped`
fn note(log: &LogView) -> String {
    let mut parts: Vec<String> = log.ended.iter().map(|why| format!("ended: {why}")).collect();
    parts.push(if log.up == 0 { "follow ●".to_owned() } else { format!("held, {} below", log.up) });
    let dropped = i64::try_from(log.dropped).unwrap_or(i64::MAX);
    parts.extend((dropped > 0).then(|| format!("{} lines dropped", units::count(Some(dropped)))));
    parts.join(" · ")
}

fn row(state: &State, look: &Look, line: &LogLine, several: bool, row: Row) -> Row {
    let at = line.at.map_or_else(|| " ".repeat(12), |at| at.format("%H:%M:%S%.3f").to_string());
    let at = if line.at.is_some_and(|at| at.date_naive() != state.now.date_naive()) { "older".to_owned() } else { at };
    let row = row.gap(1).cell(look.style(Role::LogTime), &at, 13);
    let row = if several { row.cell(look.style(Role::LogSource), &line.container, 14).gap(1) } else { row };
    row.text(look.style(level(&line.text)), &line.text)
}

/// As the words of most loggers have it.
fn level(text: &str) -> Role {
    let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
    match () {
        () if says(&["ERROR", "FATAL", "\"error\"", "panic", "Traceback", "level=error"]) => Role::LogError,
        () if says(&["WARN", "\"warn\"", "level=warn"]) => Role::LogWarn,
        () => Role::Text,
    }
}
