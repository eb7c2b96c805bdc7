//! Lines in Braille dots: two columns and four rows of dots a cell. Pure geometry and its drawing; what is plotted is the panes' business.

use chrono::{DateTime, TimeDelta, Utc};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::Look;
use crate::theme::Role;
use crate::units;

/// Columns left of a chart, for the numbers of its axis.
pub const GUTTER: u16 = 8;

/// Dots of a rectangle of cells.
#[derive(Clone, Debug)]
struct Dots {
    columns: usize,
    rows: usize,
    cells: Vec<u8>,
}

impl Dots {
    fn new(columns: usize, rows: usize) -> Self {
        Self { columns, rows, cells: vec![0; columns * rows] }
    }

    /// Sets the dot in this column and row of dots, from the top left.
    fn set(&mut self, x: usize, y: usize) {
        const BITS: [[u8; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];
        if x / 2 < self.columns && y / 4 < self.rows {
            self.cells[y / 4 * self.columns + x / 2] |= BITS[y % 4][x % 2];
        }
    }

    /// Sets the dots between two points, without a hole.
    fn line(&mut self, (x0, y0): (usize, usize), (x1, y1): (usize, usize)) {
        let steps = x0.abs_diff(x1).max(y0.abs_diff(y1)).max(1);
        let between = |a: usize, b: usize, step: usize| (a * (steps - step) + b * step + steps / 2) / steps;
        for step in 0..=steps {
            self.set(between(x0, x1, step), between(y0, y1, step));
        }
    }

    /// The cell's character; none where it has no dot.
    fn cell(&self, column: usize, row: usize) -> Option<char> {
        let dots = *self.cells.get(row * self.columns + column)?;
        (dots != 0).then(|| char::from_u32(0x2800 + u32::from(dots))).flatten()
    }
}

/// Values as a line one row high, two of them a column, from 0 to the greatest or to `top`; what is unknown is left blank.
pub fn sparkline(values: &[Option<f64>], top: f64) -> String {
    let top = values.iter().flatten().copied().fold(top, f64::max);
    let mut dots = Dots::new(values.len().div_ceil(2), 1);
    let mut before = None;
    for (x, value) in values.iter().enumerate() {
        let point = value.map(|value| (x, height(value / top, 4)));
        if let Some(to) = point {
            dots.line(before.unwrap_or(to), to);
        }
        before = point;
    }
    (0..dots.columns).map(|column| dots.cell(column, 0).unwrap_or(' ')).collect()
}

/// The row of dots, from the top, at which a share of the whole height stands.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "dots of a terminal, clamped")]
fn height(share: f64, rows: usize) -> usize {
    ((1.0 - share.clamp(0.0, 1.0)) * (rows.saturating_sub(1)) as f64).round() as usize
}

/// The stretch of time that charts show, laid over columns of cells.
#[derive(Clone, Copy, Debug)]
pub struct Axis {
    /// The left end.
    pub from: DateTime<Utc>,
    /// The right end.
    pub to: DateTime<Utc>,
    /// Cells from end to end.
    pub columns: u16,
}

impl Axis {
    /// The column of dots of a moment; none outside.
    fn dot(&self, at: DateTime<Utc>) -> Option<usize> {
        let (whole, part) = ((self.to - self.from).num_milliseconds(), (at - self.from).num_milliseconds());
        let dots = i64::from(self.columns) * 2;
        ((0..=whole).contains(&part) && whole > 0 && dots > 0).then(|| usize::try_from(part * (dots - 1) / whole).unwrap_or(0))
    }

    /// The greatest value at each dot. Between two readings that are no more than `gap` apart the first one holds.
    pub fn values(&self, points: impl IntoIterator<Item = (DateTime<Utc>, Option<f64>)>, gap: TimeDelta) -> Vec<Option<f64>> {
        let mut values: Vec<Option<f64>> = vec![None; usize::from(self.columns) * 2];
        let mut before: Option<(DateTime<Utc>, usize, Option<f64>)> = None;
        for (at, value) in points {
            let Some(dot) = self.dot(at) else { continue };
            if let Some((_, from, held)) = before.filter(|(then, ..)| at - *then <= gap) {
                values[(from + 1).min(dot)..dot].fill(held);
            }
            values[dot] = values[dot].into_iter().chain(value).reduce(f64::max);
            before = Some((at, dot, value));
        }
        values
    }

    /// The cell of a moment; none outside.
    pub fn column(&self, at: DateTime<Utc>) -> Option<u16> {
        u16::try_from(self.dot(at)? / 2).ok()
    }
}

/// One line to plot: shares from 0 to 1 over time.
pub struct Plot<'a> {
    /// Where time goes.
    pub axis: Axis,
    /// Points, oldest first; an unknown one breaks the line.
    pub points: &'a [(DateTime<Utc>, Option<f64>)],
    /// A longer silence between two points breaks the line as well.
    pub gap: TimeDelta,
    /// The share that the line should stay below.
    pub threshold: f64,
    /// Cells at which something happened, and as what it is shown.
    pub marks: &'a [(u16, Role)],
}

impl Plot<'_> {
    /// The round share at the top: above every point, and twice the threshold at least.
    fn top(&self) -> f64 {
        let most = self.points.iter().filter_map(|(_, value)| *value).fold(self.threshold * 2.0, |a, b| a.max(b * 1.04));
        [0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8].into_iter().find(|top| *top >= most).unwrap_or(1.0)
    }

    fn dots(&self, rows: usize, top: f64) -> Dots {
        let mut dots = Dots::new(self.axis.columns.into(), rows);
        let mut before: Option<(DateTime<Utc>, (usize, usize))> = None;
        for (at, value) in self.points {
            let point = value.and_then(|value| Some((self.axis.dot(*at)?, height(value / top, rows * 4))));
            if let Some(to) = point {
                let from = before.filter(|(then, _)| *at - *then <= self.gap).map_or(to, |(_, from)| from);
                dots.line(from, to);
            }
            before = point.map(|to| (*at, to));
        }
        dots
    }

    /// Draws the line, its threshold and marks, and the numbers at the left.
    pub fn draw(&self, look: &Look, area: Rect, buf: &mut Buffer) {
        let (rows, top) = (usize::from(area.height), self.top());
        let dots = self.dots(rows, top);
        let limit = height(self.threshold / top, rows * 4) / 4;
        for (row, y) in (area.top()..area.bottom()).enumerate() {
            let (label, role) = self.label(row, rows, limit, top);
            buf.set_stringn(area.x, y, label, area.width.into(), look.style(role));
            for column in 0..self.axis.columns {
                let x = area.x + GUTTER + column;
                if let Some((symbol, style)) = self.cell(look, &dots, limit, column, row).filter(|_| x < area.right()) {
                    buf[(x, y)].set_char(symbol).set_style(style);
                }
            }
        }
    }

    fn cell(&self, look: &Look, dots: &Dots, limit: usize, column: u16, row: usize) -> Option<(char, Style)> {
        let role = if row <= limit { Role::ChartOver } else { Role::ChartLine };
        let line = dots.cell(column.into(), row).map(|dots| (dots, look.style(role)));
        let mark = || self.marks.iter().find(|(at, _)| *at == column).map(|(_, role)| ('┊', look.style(*role)));
        let threshold = || (row == limit && column.is_multiple_of(2)).then(|| ('·', look.style(Role::ChartThreshold)));
        line.or_else(mark).or_else(threshold)
    }

    /// What stands left of a row: the threshold, the top, the middle, or only the axis.
    fn label(&self, row: usize, rows: usize, limit: usize, top: f64) -> (String, Role) {
        let percent = |share| format!("{:>6} ┤", units::percent(Some(share)).replace(".0 %", " %"));
        match row {
            row if row == limit => (percent(self.threshold), Role::ChartThreshold),
            0 => (percent(top), Role::ChartAxis),
            row if rows >= 6 && row == rows / 2 && row.abs_diff(limit) > 1 => (percent(top / 2.0), Role::ChartAxis),
            _ => ("       │".to_owned(), Role::ChartGrid),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_sparkline_rises_with_its_values_and_leaves_the_unknown_blank() {
        assert_eq!(sparkline(&[0.0, 1.0, 2.0, 3.0].map(Some), 1.0), "⡠⠊");
        assert_eq!(sparkline(&[Some(1.0), Some(1.0), None, None, Some(1.0), Some(1.0)], 1.0), "⠉ ⠉");
        assert_eq!((sparkline(&[], 1.0), sparkline(&[Some(1.0)], 9.0)), (String::new(), "⡀".into()));
    }

    #[test]
    fn a_silence_breaks_the_line() {
        let at = |second| DateTime::UNIX_EPOCH + TimeDelta::seconds(second);
        let axis = Axis { from: at(0), to: at(99), columns: 50 };
        let cells = |gap: i64| {
            let points = [(at(0), Some(0.5)), (at(99), Some(0.5))];
            let plot = Plot { axis, points: &points, gap: TimeDelta::seconds(gap), threshold: 0.05, marks: &[] };
            plot.dots(4, 1.0).cells.iter().filter(|dots| **dots != 0).count()
        };
        assert_eq!((cells(99), cells(98)), (50, 2));
    }

    #[test]
    fn a_reading_holds_until_the_next_but_not_over_a_silence() {
        let at = |second| DateTime::UNIX_EPOCH + TimeDelta::seconds(second);
        let axis = Axis { from: at(0), to: at(7), columns: 4 };
        let values = axis.values([(at(0), Some(1.0)), (at(3), Some(2.0)), (at(7), Some(3.0))], TimeDelta::seconds(3));
        assert_eq!(values, [Some(1.0), Some(1.0), Some(1.0), Some(2.0), None, None, None, Some(3.0)]);
    }

    proptest! {
        #[test]
        fn dots_stay_inside(columns in 0_usize..20, rows in 0_usize..20, points in prop::collection::vec((0_usize..90, 0_usize..90), 2..9)) {
            let mut dots = Dots::new(columns, rows);
            points.windows(2).for_each(|pair| dots.line(pair[0], pair[1]));
            prop_assert_eq!(dots.cells.len(), columns * rows);
        }
    }
}
