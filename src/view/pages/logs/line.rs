//! One line of a log: its text with styles, from JSON where that can be made readable, and the rows that it
//! takes.

use std::ops::Range;

use ratatui::style::Style;
use unicode_segmentation::UnicodeSegmentation;

use crate::clean::Styled;
use crate::event::{Level, LogLine};
use crate::logtext::{Readable, readable};
use crate::state::{Frame, Search};
use crate::theme::Role;
use crate::view::Look;
use crate::view::panes::timeline;
use crate::view::primitives::text::{Row, width};

/// A longer line is not taken apart.
const LONGEST_JSON: usize = 16 << 10;

/// What stands before a line.
pub(in crate::view) struct Prefix {
    /// The source.
    pub name: String,
    /// Columns for it; 0: not shown.
    pub columns: usize,
    /// How it looks.
    pub role: Role,
    /// A search or a jump has led here.
    pub chosen: bool,
}

/// A line's text and its styles.
pub(in crate::view) struct Line<'a> {
    look: &'a Look<'a>,
    told: &'a LogLine,
    text: String,
    /// Where each style ends.
    runs: Vec<(usize, Style)>,
}

impl<'a> Line<'a> {
    pub(in crate::view) fn new(look: &'a Look<'a>, line: &'a LogLine, raw: bool, search: &Search) -> Self {
        let mut drawn = Self { look, told: line, text: String::new(), runs: Vec::new() };
        let text = line.text.text();
        let json = || readable(text, line.at);
        match () {
            () if line.mark => drawn.add(look.style(Role::LogMark), &format!("── {text} ──")),
            () if raw || text.len() > LONGEST_JSON => drawn.styled(look.style(told(line.level)), &line.text),
            () => match json() {
                Some(read) => drawn.fields(&read),
                None => drawn.styled(look.style(told(line.level)), &line.text),
            },
        }
        if !line.mark {
            drawn.highlight(&search.places(&drawn.text));
        }
        drawn
    }

    fn add(&mut self, style: Style, text: &str) {
        self.text.push_str(text);
        self.runs.push((self.text.len(), style));
    }

    /// Text with the colours that its writer gave it.
    fn styled(&mut self, base: Style, styled: &Styled) {
        let text = styled.text();
        let mut from = 0;
        for span in styled.spans() {
            let start = span.start as usize;
            let end = span.end as usize;
            self.add(base, &text[from..start]);
            self.add(base.patch(self.look.theme.foreign(span.style)), &text[start..end]);
            from = end;
        }
        self.add(base, &text[from..]);
    }

    /// `ERROR upstream failed status=500`
    fn fields(&mut self, read: &Readable) {
        let level = if read.level == Level::Unsaid { self.told.level } else { read.level };
        let style = self.look.style(told(level));
        let word = match level {
            Level::Unsaid => "",
            Level::Debug => "DEBUG ",
            Level::Info => "INFO  ",
            Level::Warn => "WARN  ",
            Level::Error => "ERROR ",
        };
        self.add(style, word);
        self.styled(style, &read.message);
        for (key, value) in &read.fields {
            let blank = if self.text.is_empty() || self.text.ends_with(' ') { "" } else { " " };
            self.add(self.look.style(Role::LogField), &format!("{blank}{key}="));
            let quoted = value.contains(' ') && !value.starts_with(['{', '[']);
            let value = if quoted { format!("\"{value}\"") } else { value.to_string() };
            self.add(self.look.style(Role::Text), &value);
        }
    }

    fn highlight(&mut self, places: &[(usize, usize)]) {
        if places.is_empty() {
            return;
        }
        let found = self.look.style(Role::Match);
        let mut runs = Vec::with_capacity(self.runs.len() + 2 * places.len());
        let mut from = 0;
        for (end, style) in std::mem::take(&mut self.runs) {
            let first = places.partition_point(|(_, to)| *to <= from);
            for (start, to) in places[first..].iter().take_while(|(start, _)| *start < end) {
                runs.push(((*start).max(from), style));
                runs.push(((*to).min(end), style.patch(found)));
            }
            runs.push((end, style));
            from = end;
        }
        self.runs = runs;
    }

    /// The rows that it takes, at most so many.
    pub(in crate::view) fn rows(
        &self,
        frame: &Frame<'_>,
        prefix: &Prefix,
        columns: u16,
        right: usize,
        most: usize,
    ) -> Vec<Row> {
        let shown = frame.screen.log_look;
        let start = self.prefix(frame, prefix, Row::new(columns));
        if !shown.wrap {
            let from = self
                .text
                .grapheme_indices(true)
                .nth(right)
                .map_or(if right > 0 { self.text.len() } else { 0 }, |(at, _)| at);
            return vec![self.draw(from..self.text.len(), start)];
        }
        let used = start.used();
        let left = start.left().max(1);
        let mut parts = self.parts(left, most).into_iter();
        let first = self.draw(parts.next().unwrap_or_default(), start);
        let rest = parts.map(|part| self.draw(part, Row::new(columns).gap(used)));
        std::iter::once(first).chain(rest).collect()
    }

    fn prefix(&self, frame: &Frame<'_>, prefix: &Prefix, row: Row) -> Row {
        let mut row = row.text(self.look.style(Role::Accent), if prefix.chosen { "▸" } else { " " });
        if !frame.screen.log_look.timeless {
            let at = self.told.at;
            let today = at.date_naive() == frame.now.date_naive();
            let time = match () {
                () if frame.screen.elapsed => timeline::time(frame, at),
                () if today => at.format("%H:%M:%S%.3f").to_string(),
                () => at.format("%m-%d %H:%M").to_string(),
            };
            row = row.cell(self.look.style(Role::LogTime), &time, 13);
        }
        let columns = prefix.columns.min(row.left() / 3);
        if columns == 0 { row } else { row.cell(self.look.style(prefix.role), &prefix.name, columns).gap(1) }
    }

    /// The text in parts of so many columns.
    fn parts(&self, columns: usize, most: usize) -> Vec<Range<usize>> {
        let mut parts = Vec::new();
        let mut start = 0;
        let mut used = 0;
        for (at, grapheme) in self.text.grapheme_indices(true) {
            let wide = width(grapheme);
            if used + wide > columns && at > start {
                parts.push(start..at);
                start = at;
                used = 0;
                if parts.len() == most {
                    return parts;
                }
            }
            used += wide;
        }
        parts.push(start..self.text.len());
        parts
    }

    fn draw(&self, part: Range<usize>, mut row: Row) -> Row {
        let mut from = part.start;
        let first = self.runs.partition_point(|(end, _)| *end <= part.start);
        for (end, style) in &self.runs[first..] {
            if from >= part.end || row.left() == 0 {
                break;
            }
            let end = (*end).clamp(from, part.end);
            row = row.text(*style, &self.text[from..end]);
            from = end;
        }
        row
    }
}

/// How a line of that level looks.
fn told(level: Level) -> Role {
    match level {
        Level::Error => Role::LogError,
        Level::Warn => Role::LogWarn,
        Level::Debug => Role::Dim,
        Level::Info | Level::Unsaid => Role::Text,
    }
}

#[cfg(test)]
mod tests;
