//! Text in columns: cut, padded, wrapped and put together by the width that a terminal gives it. The only
//! place that counts columns.

use std::borrow::Cow;

use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// Columns that `text` takes.
pub fn width(text: &str) -> usize {
    UnicodeWidthStr::width(text)
}

/// `text` in at most `columns`; what had to be cut ends in `…`.
pub fn fit(text: &str, columns: usize) -> Cow<'_, str> {
    if width(text) <= columns {
        return Cow::Borrowed(text);
    }
    match columns.checked_sub(1) {
        Some(rest) => Cow::Owned(format!("{}…", head(text, rest))),
        None => Cow::Borrowed(""),
    }
}

/// `name` in at most `columns`, cut in its middle: names that begin alike differ at their ends.
fn fit_name(name: &str, columns: usize) -> Cow<'_, str> {
    if width(name) <= columns || columns < 8 {
        return fit(name, columns);
    }
    let last = name.grapheme_indices(true).rev().scan(0, |used, (at, grapheme)| {
        *used += width(grapheme);
        (*used <= (columns - 1) / 2).then_some(at)
    });
    let end = last.last().map_or("", |at| &name[at..]);
    Cow::Owned(format!("{}…{end}", head(name, columns - 1 - width(end))))
}

/// As much of the start of `text` as `columns` hold, never half a character.
fn head(text: &str, columns: usize) -> &str {
    let mut used = 0;
    let mut end = 0;
    for grapheme in text.graphemes(true) {
        used += width(grapheme);
        if used > columns {
            break;
        }
        end += grapheme.len();
    }
    &text[..end]
}

/// Columns for each cell of a table so that all of them fit into `columns` with two between: as wide as the
/// widest cell, the widest ones narrowed where that is too much.
pub fn widths<T: AsRef<str>>(head: &[T], rows: &[Vec<T>], columns: usize) -> Vec<usize> {
    let of = |at: usize| {
        let cells = rows.iter().filter_map(|row| row.get(at)).chain(head.get(at));
        cells.map(|cell| width(cell.as_ref())).max().unwrap_or(0)
    };
    let mut widths: Vec<usize> = (0..head.len()).map(of).collect();
    let room = columns.saturating_sub(2 * head.len().saturating_sub(1));
    while widths.iter().sum::<usize>() > room {
        let Some(widest) = widths.iter_mut().max().filter(|widest| **widest > 1) else { break };
        *widest -= 1;
    }
    widths
}

/// `text` broken between words into lines of at most `columns`; longer words are broken anywhere.
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    if columns == 0 {
        return lines;
    }
    for word in text.split_inclusive(' ') {
        let room = lines.last().map_or(0, |line| columns.saturating_sub(width(line)));
        match lines.last_mut() {
            Some(line) if width(word.trim_end()) <= room => line.push_str(word),
            _ => lines.extend(chunks(word, columns)),
        }
    }
    for line in &mut lines {
        line.truncate(line.trim_end().len());
    }
    lines
}

fn chunks(mut word: &str, columns: usize) -> Vec<String> {
    let mut parts = Vec::new();
    while width(word.trim_end()) > columns {
        let part = match head(word, columns) {
            "" => word.graphemes(true).next().unwrap_or(word), // wider than the line: it stands alone
            part => part,
        };
        parts.push(part.to_owned());
        word = &word[part.len()..];
    }
    if !word.is_empty() {
        parts.push(word.to_owned());
    }
    parts
}

/// Blanks to take gaps from.
const BLANKS: &str = match std::str::from_utf8(&[b' '; 256]) {
    Ok(blanks) => blanks,
    Err(_) => "",
};

/// A line built from left to right in a fixed number of columns. What does not fit is cut; nothing ever
/// reaches beyond.
///
/// One text with the styles of its parts: dozens of rows are built for every frame, and a text for each part
/// would be a thousand allocations.
#[derive(Clone, Debug)]
pub struct Row {
    text: String,
    /// Where each part ends in the text, and how it looks.
    parts: Vec<(usize, Style)>,
    left: usize,
}

impl Row {
    /// An empty line of `columns`.
    pub fn new(columns: u16) -> Self {
        Self { text: String::new(), parts: Vec::new(), left: usize::from(columns) }
    }

    /// Columns that are still free.
    pub fn left(&self) -> usize {
        self.left
    }

    /// Adds text.
    pub fn text(mut self, style: Style, text: &str) -> Self {
        let text = fit(text, self.left);
        self.left -= width(&text).min(self.left);
        self.push(style, &text);
        self
    }

    fn push(&mut self, style: Style, text: &str) {
        if self.parts.is_empty() {
            self.text.reserve(self.left.min(BLANKS.len()));
            self.parts.reserve(16);
        }
        self.text.push_str(text);
        self.parts.push((self.text.len(), style));
    }

    /// Adds empty columns.
    pub fn gap(mut self, columns: usize) -> Self {
        let mut columns = columns.min(self.left);
        self.left -= columns;
        while columns > 0 {
            let blanks = &BLANKS[..columns.min(BLANKS.len())];
            self.push(Style::new(), blanks);
            columns -= blanks.len();
        }
        self
    }

    /// Adds text in exactly `columns`, to the left.
    pub fn cell(self, style: Style, text: &str, columns: usize) -> Self {
        let text = fit(text, columns.min(self.left));
        let rest = columns.saturating_sub(width(&text));
        self.text(style, &text).gap(rest)
    }

    /// Adds a name in exactly `columns`, to the left; both of its ends stay.
    pub fn name(self, style: Style, name: &str, columns: usize) -> Self {
        let name = fit_name(name, columns.min(self.left));
        self.cell(style, &name, columns)
    }

    /// Adds text in exactly `columns`, to the right: numbers.
    pub fn number(self, style: Style, text: &str, columns: usize) -> Self {
        let text = fit(text, columns.min(self.left));
        let rest = columns.saturating_sub(width(&text));
        self.gap(rest).text(style, &text)
    }

    /// Adds all of another row if it fits.
    pub fn append(mut self, other: Self) -> Self {
        let Some(left) = self.left.checked_sub(other.used()) else { return self };
        self.left = left;
        if self.parts.is_empty() {
            return Self { left, ..other };
        }
        other.styled().for_each(|(style, text)| self.push(style, text));
        self
    }

    /// Puts `other` at the right end, as far as there is room.
    pub fn right(self, other: Self) -> Self {
        let blank = self.left.saturating_sub(other.used());
        self.gap(blank).append(other)
    }

    /// The same in at most `columns`.
    pub fn cut(self, columns: u16) -> Self {
        if let Some(left) = usize::from(columns).checked_sub(self.used()) {
            return Self { left, ..self };
        }
        self.styled().fold(Self::new(columns), |row, (style, text)| row.text(style, text))
    }

    /// Columns that are taken.
    pub fn used(&self) -> usize {
        self.styled().map(|(_, text)| width(text)).sum()
    }

    /// Its parts, from left to right.
    fn styled(&self) -> impl Iterator<Item = (Style, &str)> {
        let starts = std::iter::once(0).chain(self.parts.iter().map(|(end, _)| *end));
        starts.zip(&self.parts).map(|(start, (end, style))| (*style, &self.text[start..*end]))
    }

    /// The part of `area`'s first line from column `begun` of this row to its end so far.
    pub fn part(&self, begun: usize, area: Rect) -> Rect {
        let column = |n: usize| u16::try_from(n).unwrap_or(u16::MAX).min(area.width);
        let from = column(begun);
        let to = column(self.used());
        Rect { x: area.x + from, width: to - from.min(to), height: area.height.min(1), ..area }
    }

    /// The line.
    pub fn line(&self) -> Line<'_> {
        self.styled().map(|(style, text)| Span::styled(text, style)).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn cut_text_says_so_and_keeps_characters_whole() {
        for (text, columns, cut) in [
            ("payments", 8, "payments"),
            ("payments", 4, "pay…"),
            ("日本語", 4, "日…"),
            ("x", 0, ""),
            ("e\u{301}tat", 2, "e\u{301}…"),
        ] {
            assert_eq!(fit(text, columns), cut);
        }
    }

    #[test]
    fn a_name_keeps_both_of_its_ends() {
        for (name, columns, cut) in [
            ("sim-0000-868d5457fd-2hxyz", 25, "sim-0000-868d5457fd-2hxyz"),
            ("sim-0000-868d5457fd-2hxyz", 18, "sim-0000-…fd-2hxyz"),
            ("sim-0000", 6, "sim-0…"),
            ("日本語日本語日本語", 9, "日本…本語"),
        ] {
            assert_eq!(fit_name(name, columns), cut);
        }
    }

    #[test]
    fn a_table_that_is_too_wide_gives_up_its_widest_column() {
        let rows = vec![vec!["a-long-name-of-a-pod", "Running"], vec!["b", "CrashLoopBackOff"]];
        assert_eq!(widths(&["NAME", "STATUS"], &rows, 60), [20, 16]);
        assert_eq!(widths(&["NAME", "STATUS"], &rows, 30), [14, 14]);
        assert_eq!(widths(&["NAME"], &[], 2), [2]);
    }

    #[test]
    fn words_stay_whole_where_they_can() {
        assert_eq!(wrap("0/3 nodes are available", 10), ["0/3 nodes", "are", "available"]);
        assert_eq!(wrap("abcdefgh", 3), ["abc", "def", "gh"]);
    }

    #[test]
    fn numbers_stand_at_the_right() {
        let row = Row::new(12).cell(Style::new(), "lag", 5).number(Style::new(), "42", 6);
        assert_eq!(row.line().to_string(), "lag      42");
    }

    proptest! {
        #[test]
        fn nothing_is_wider_than_it_may_be(text in "\\PC{0,40}", columns in 0_u16..30) {
            prop_assert!(width(&fit(&text, columns.into())) <= usize::from(columns));
            let row = Row::new(columns).cell(Style::new(), &text, 9).text(Style::new(), &text).number(Style::new(), &text, 50);
            prop_assert!(row.used() <= usize::from(columns));
        }

        #[test]
        fn wrapping_loses_only_blanks(text in "[a-z日 ]{0,60}", columns in 2_usize..20) {
            let lines = wrap(&text, columns);
            prop_assert!(lines.iter().all(|line| width(line) <= columns), "{lines:?}");
            let kept = |text: &str| text.replace(' ', "");
            prop_assert_eq!(kept(&lines.concat()), kept(&text));
        }
    }
}
