//! The bar of a replay: how much was recorded when, what happened, and where we are.

use chrono::{DateTime, Utc};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::Look;
use super::primitives::axis::Axis;
use super::primitives::text::Row;
use super::primitives::{pane, symbols};
use crate::state::{Frame, Playback};
use crate::theme::Role;
use crate::units;

/// From nothing to the most.
const LEVELS: [&str; 9] = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

/// Draws the bar.
pub fn draw(frame: &Frame<'_>, look: &Look, playback: &Playback, area: Rect, buf: &mut Buffer) {
    let time = |at: DateTime<Utc>| at.format("%H:%M:%S").to_string();
    let (role, lost) = lost(playback);
    let right = Row::new(area.width)
        .gap(1)
        .text(look.style(Role::Dim), &time(playback.to))
        .text(look.style(role), &lost)
        .gap(1);
    let left = Row::new(area.width).gap(1).text(look.style(Role::Dim), &time(playback.from)).gap(1);
    let columns = usize::from(area.width).saturating_sub(left.used() + right.used());
    let axis = Axis { from: playback.from, to: playback.to, columns: u16::try_from(columns).unwrap_or(0) };
    let start = area.x + u16::try_from(left.used()).unwrap_or(0);
    pane::lines(area, [left.gap(columns).append(right)], buf);
    let bar = Rect { x: start, width: axis.columns, ..area }.intersection(area);
    draw_bar(frame, look, playback, axis, bar, buf);
}

fn lost(playback: &Playback) -> (Role, String) {
    let Some(survey) = &playback.survey else { return (Role::Dim, " looking for gaps".to_owned()) };
    let lost = match survey.gaps.len() {
        0 => String::new(),
        1 => " ▲ 1 gap".to_owned(),
        n => format!(" ▲ {n} gaps"),
    };
    (Role::Warn, lost)
}

fn draw_bar(frame: &Frame<'_>, look: &Look, playback: &Playback, axis: Axis, bar: Rect, buf: &mut Buffer) {
    if bar.is_empty() {
        return;
    }
    let here = axis.column(frame.now.clamp(playback.from, playback.to)).unwrap_or(0);
    let density = playback.survey.as_ref().map_or(&[][..], |survey| &survey.density);
    for (column, level) in levels(density, bar.width).into_iter().enumerate() {
        let column = u16::try_from(column).unwrap_or(0);
        let role = if column <= here { Role::ChartLine } else { Role::ChartAxis };
        buf.set_string(bar.x + column, bar.y, LEVELS[level], look.style(role));
    }
    for (column, entry) in
        frame.world.timeline.markers().filter_map(|entry| Some((axis.column(entry.at)?, entry)))
    {
        let mark = entry.mark.map_or_else(|| symbols::entry(entry.kind).0.to_owned(), units::circled);
        let room = usize::from(bar.width - column.min(bar.width));
        buf.set_stringn(bar.x + column, bar.y, mark, room, look.style(Role::ChartMarker));
    }
    buf.set_string(bar.x + here, bar.y, "┃", look.style(Role::Replay));
}

/// The density's height in each column, 0 to 8; where anything was recorded, at least 1.
fn levels(density: &[u32], columns: u16) -> Vec<usize> {
    let len = density.len();
    let columns = usize::from(columns);
    let most = |column: usize| {
        let from = column * len / columns;
        let to = ((column + 1) * len).div_ceil(columns);
        density.get(from..to.min(len)).into_iter().flatten().copied().max().unwrap_or(0)
    };
    let heights: Vec<u32> = (0..columns).map(most).collect();
    let top = heights.iter().copied().max().unwrap_or(0).max(1);
    heights
        .into_iter()
        .map(|n| usize::try_from(u64::from(n) * 8).unwrap_or(0).div_ceil(top as usize))
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_bar_shows_the_most_of_each_stretch() {
        assert_eq!(levels(&[0, 1, 8, 4], 4), [0, 1, 8, 4]);
        assert_eq!(levels(&[0, 1, 8, 4], 2), [1, 8]);
        assert_eq!(levels(&[8, 0], 4), [8, 8, 0, 0]);
    }

    proptest! {
        #[test]
        fn every_column_has_a_level(density in prop::collection::vec(any::<u32>(), 0..50), columns in 0_u16..200) {
            let levels = levels(&density, columns);
            prop_assert!(levels.len() == usize::from(columns) && levels.iter().all(|level| *level < LEVELS.len()));
        }
    }
}
