//! Where everything goes, by the terminal's size alone: nothing jumps because numbers change.

use ratatui::layout::{Constraint, Layout as Split, Rect};

use crate::state::{Focus, Screen};

/// Columns and rows below which there is only a sentence.
pub const LEAST: (u16, u16) = (60, 15);
/// From here on all panes stand side by side.
const SIDE_BY_SIDE: (u16, u16) = (100, 28);
/// From here on the right side, with the charts, is the wider one.
const WIDE: u16 = 160;

/// From here on there are three columns: a chart stretched further tells no more.
const THREE: u16 = 260;

/// Rectangles of a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Two lines at the top.
    pub header: Rect,
    /// The strip that names the panes, where only one is shown.
    pub tabs: Option<Rect>,
    /// All between header and footer: overlays lie over it.
    pub body: Rect,
    /// The panes that are shown.
    pub panes: Vec<(Focus, Rect)>,
    /// The keys, and in a replay its bar above them.
    pub footer: Rect,
}

/// The rectangles for an area; none where it is too small.
pub fn lay_out(area: Rect, screen: &Screen) -> Option<Layout> {
    if area.width < LEAST.0 || area.height < LEAST.1 {
        return None;
    }
    let bottom = if screen.playback.is_some() { 2 } else { 1 };
    let [header, body, footer] =
        rows(area, [Constraint::Length(2), Constraint::Fill(1), Constraint::Length(bottom)]);
    if screen.seat.wall {
        return Some(Layout { header, tabs: None, body, panes: Vec::new(), footer });
    }
    let single = screen.zoomed || area.width < SIDE_BY_SIDE.0 || area.height < SIDE_BY_SIDE.1;
    if single {
        let [tabs, pane] = rows(body, [Constraint::Length(1), Constraint::Fill(1)]);
        return Some(Layout { header, tabs: Some(tabs), body, panes: vec![(screen.focus, pane)], footer });
    }
    Some(Layout { header, tabs: None, body, panes: side_by_side(body).to_vec(), footer })
}

fn side_by_side(body: Rect) -> [(Focus, Rect); 5] {
    if body.width >= THREE {
        return three(body);
    }
    let left = if body.width >= WIDE { 44 } else { 50 };
    let [left, right] = columns(body, [Constraint::Percentage(left), Constraint::Fill(1)]);
    let [pods, timeline] = rows(left, [Constraint::Percentage(58), Constraint::Fill(1)]);
    let [rates, lag, steps] =
        rows(right, [Constraint::Fill(1), Constraint::Percentage(22), Constraint::Percentage(24)]);
    [
        (Focus::Pods, pods),
        (Focus::Rates, rates),
        (Focus::Lag, lag),
        (Focus::Timeline, timeline),
        (Focus::Steps, steps),
    ]
}

/// What is wrong, what is measured, what happened and what can be done.
fn three(body: Rect) -> [(Focus, Rect); 5] {
    let [left, middle, right] =
        columns(body, [Constraint::Percentage(32), Constraint::Fill(1), Constraint::Percentage(30)]);
    let [rates, lag] = rows(middle, [Constraint::Fill(1), Constraint::Percentage(26)]);
    let [timeline, steps] = rows(right, [Constraint::Fill(1), Constraint::Percentage(40)]);
    [
        (Focus::Pods, left),
        (Focus::Rates, rates),
        (Focus::Lag, lag),
        (Focus::Timeline, timeline),
        (Focus::Steps, steps),
    ]
}

fn rows<const N: usize>(area: Rect, parts: [Constraint; N]) -> [Rect; N] {
    Split::vertical(parts).areas(area)
}

fn columns<const N: usize>(area: Rect, parts: [Constraint; N]) -> [Rect; N] {
    Split::horizontal(parts).areas(area)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn laid(columns: u16, rows: u16, zoomed: bool) -> Option<Layout> {
        lay_out(Rect::new(0, 0, columns, rows), &Screen { zoomed, ..Screen::default() })
    }

    #[test]
    fn the_number_of_panes_follows_the_size() {
        for ((columns, rows), zoomed, panes) in [
            ((400, 100), false, 5),
            ((200, 60), false, 5),
            ((120, 40), false, 5),
            ((200, 60), true, 1),
            ((80, 24), false, 1),
            ((60, 15), false, 1),
        ] {
            assert_eq!(
                laid(columns, rows, zoomed).map(|layout| layout.panes.len()),
                Some(panes),
                "{columns}×{rows}"
            );
        }
        assert_eq!((laid(59, 15, false), laid(60, 14, false), laid(0, 0, false)), (None, None, None));
    }

    proptest! {
        #[test]
        fn the_parts_fill_the_screen_and_do_not_overlap(columns in 60_u16..400, rows in 15_u16..150, zoomed: bool) {
            let layout = laid(columns, rows, zoomed).unwrap();
            let parts = layout.panes.iter().map(|(_, area)| *area).chain(layout.tabs).chain([layout.header, layout.footer]);
            let all = parts.map(|part| u32::from(part.width) * u32::from(part.height)).sum::<u32>();
            prop_assert_eq!(all, u32::from(columns) * u32::from(rows));
        }
    }
}
