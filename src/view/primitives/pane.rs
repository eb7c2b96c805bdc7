//! Frames: a pane's or an overlay's border, titles and the part of a list that can be seen.

use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::{Block, BorderType, Clear, Widget};

use super::text::{Row, fit, width, wrap};
use crate::event::SourceId;
use crate::state::{Focus, Frame};
use crate::theme::Role;
use crate::view::{Look, Spot, summary};

/// Draws the frame of a pane, with words at the right of its title; answers what is inside.
pub fn frame(frame: &Frame<'_>, look: &Look, focus: Focus, note: &str, area: Rect, buf: &mut Buffer) -> Rect {
    let focused = frame.screen.focus == focus && frame.screen.pages.is_empty() && !frame.screen.seat.wall;
    look.hits.note(area, Spot::Pane(focus));
    let filter = Some(frame.screen.filter(focus))
        .filter(|filter| !filter.is_empty())
        .map(|filter| format!("/{filter}"));
    let notes: Vec<&str> = filter.as_deref().into_iter().chain((!note.is_empty()).then_some(note)).collect();
    bordered(
        look,
        if focused { Role::BorderFocus } else { Role::Border },
        focus.title(),
        &notes.join(" · "),
        area,
        buf,
    )
}

/// Draws an overlay's frame over what is there; answers what is inside.
pub fn overlay(look: &Look, border: Role, title: &str, note: &str, area: Rect, buf: &mut Buffer) -> Rect {
    Clear.render(area, buf);
    look.hits.note(area, Spot::Over);
    buf.set_style(area, look.theme.base());
    bordered(look, border, title, note, area, buf)
}

/// Draws the frame of a part that never has the keyboard; answers what is inside.
pub fn titled(look: &Look, title: &str, note: &str, area: Rect, buf: &mut Buffer) -> Rect {
    bordered(look, Role::Border, title, note, area, buf)
}

fn bordered(look: &Look, border: Role, title: &str, note: &str, area: Rect, buf: &mut Buffer) -> Rect {
    let columns = usize::from(area.width.saturating_sub(4));
    let titled = if border == Role::Border { Role::Title } else { border };
    let title = format!(" {} ", fit(title, columns.saturating_sub(2)));
    let mut block = Block::bordered().border_type(BorderType::Rounded).border_style(look.style(border));
    if !title.trim().is_empty() {
        block = block.title_top(Line::styled(title.clone(), look.style(titled)));
    }
    let room = columns.saturating_sub(width(&title) + 2);
    if !note.is_empty() && room > 3 {
        block = block
            .title_top(Line::styled(format!(" {} ", fit(note, room)), look.style(Role::Dim)).right_aligned());
    }
    let inside = block.inner(area);
    block.render(area, buf);
    inside
}

/// A rectangle in the middle of `body`, at most so large.
pub fn centred(body: Rect, columns: u16, rows: u16) -> Rect {
    // A margin of a column or two would only show pieces of what is behind.
    let columns = if columns.saturating_add(4) > body.width { body.width } else { columns };
    let width = columns;
    let height = rows.min(body.height);
    Rect { x: body.x + (body.width - width) / 2, y: body.y + (body.height - height) / 2, width, height }
}

/// The part of `len` rows that `height` shows, with the selected one in sight, in the middle where it can be.
pub fn window(len: usize, selected: Option<usize>, height: u16) -> Range<usize> {
    let height = usize::from(height);
    let start = selected.map_or(0, |at| at.saturating_sub(height / 2)).min(len.saturating_sub(height));
    start..len.min(start + height)
}

/// Draws lines from the top; what has no room is left out.
pub fn lines(area: Rect, lines: impl IntoIterator<Item = Row>, buf: &mut Buffer) {
    for (row, y) in lines.into_iter().zip(area.top()..area.bottom()) {
        buf.set_line(area.x, y, &row.line(), area.width);
    }
}

/// Says why there are no lines.
pub fn nothing(look: &Look, area: Rect, why: &str, buf: &mut Buffer) {
    let wrapped = wrap(why, usize::from(area.width).saturating_sub(2));
    lines(
        area,
        wrapped.iter().map(|part| Row::new(area.width).gap(1).text(look.style(Role::Dim), part)),
        buf,
    );
}

/// Says above what a source told before why it tells nothing newer, where there is room; answers the room
/// below it.
pub fn outdated(frame: &Frame<'_>, look: &Look, source: SourceId, inside: Rect, buf: &mut Buffer) -> Rect {
    let Some(why) = summary::told(frame, source)
        .filter(|_| summary::silence(frame, source).is_some() && inside.height > 3)
    else {
        return inside;
    };
    let row =
        Row::new(inside.width).gap(1).text(look.style(Role::Warn), "▲ ").text(look.style(Role::Text), why);
    lines(inside, [row], buf);
    Rect { y: inside.y + 1, height: inside.height - 1, ..inside }
}

/// Lays the selection over one row.
pub fn select(look: &Look, area: Rect, row: Option<usize>, buf: &mut Buffer) {
    if let Some(y) = row.and_then(|row| u16::try_from(row).ok()).filter(|row| *row < area.height) {
        buf.set_style(Rect { y: area.y + y, height: 1, ..area }, look.style(Role::Selection));
    }
}

/// Draws a text that may be longer than its place, from `scroll` down, and says on the frame how much there
/// is.
pub fn scrolled(look: &Look, inside: Rect, rows: Vec<Row>, scroll: usize, buf: &mut Buffer) {
    let len = rows.len();
    let height = usize::from(inside.height);
    let start = scroll.min(len.saturating_sub(height));
    lines(inside, rows.into_iter().skip(start), buf);
    more(look, inside, start..len.min(start + height), len, buf);
}

/// Says on the lower border which rows of how many are seen, where not all are.
pub fn more(look: &Look, inside: Rect, seen: Range<usize>, len: usize, buf: &mut Buffer) {
    if seen.len() < len {
        below(look, inside, &format!(" {}–{} of {len} ", seen.start + 1, seen.end), buf);
    }
}

/// Says on the lower border which row is selected, or which are seen.
pub fn position(
    look: &Look,
    inside: Rect,
    selected: Option<usize>,
    seen: Range<usize>,
    len: usize,
    buf: &mut Buffer,
) {
    match selected {
        Some(at) => below(look, inside, &format!(" {} of {len} ", at + 1), buf),
        None => more(look, inside, seen, len, buf),
    }
}

fn below(look: &Look, inside: Rect, text: &str, buf: &mut Buffer) {
    let columns = u16::try_from(width(text)).unwrap_or(u16::MAX);
    if columns.saturating_add(2) <= inside.width && inside.bottom() < buf.area.bottom() {
        let x = inside.right() - columns - 1;
        buf.set_string(x, inside.bottom(), text, look.style(Role::Dim));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_selected_is_seen(len in 1_usize..200, at in 0_usize..200, height in 1_u16..60) {
            let at = at.min(len - 1);
            let seen = window(len, Some(at), height);
            prop_assert!(seen.contains(&at));
            prop_assert_eq!(seen.len(), len.min(height.into()));
        }

        #[test]
        fn what_is_in_the_middle_stays_inside(w in 0_u16..90, h in 0_u16..90, columns in 0_u16..90, rows in 0_u16..90) {
            let body = Rect::new(3, 2, w, h);
            let area = centred(body, columns, rows);
            prop_assert_eq!(area.intersection(body), area);
        }
    }
}
