//! Lines in Braille dots: two columns and four rows of dots a cell. Pure geometry and its drawing; what is
//! plotted is the panes' business, and where time goes is [`super::axis`]'s.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::event::Unit;
use crate::theme::Role;
use crate::units;
use crate::view::Look;

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

/// Values as a line one row high, two of them a column, from 0 to the greatest or to `top`; what is unknown
/// is left blank.
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
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "dots of a terminal, clamped"
)]
fn height(share: f64, rows: usize) -> usize {
    ((1.0 - share.clamp(0.0, 1.0)) * (rows.saturating_sub(1)) as f64).round() as usize
}

/// The numbers at the left of a chart: from 0 to a round one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    /// The round number at the top.
    pub top: f64,
    /// None of a plain count.
    unit: Option<Unit>,
}

impl Scale {
    /// Above everything that is shown, and twice the threshold at least. It moves only when what is shown
    /// leaves its round number, so that a chart does not jump with each reading.
    pub fn new(values: &[Option<f64>], threshold: Option<f64>, unit: Unit) -> Self {
        let most = values
            .iter()
            .flatten()
            .fold(threshold.unwrap_or(0.0) * 2.0, |most, value| most.max(value * 1.04));
        let top = if unit == Unit::Ratio && most <= 1.04 {
            [0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8]
                .into_iter()
                .find(|top| *top >= most)
                .unwrap_or(1.0)
        } else {
            round_above(most)
        };
        Self { top, unit: Some(unit) }
    }

    /// Of plain counts.
    pub fn counts(values: &[Option<f64>]) -> Self {
        Self {
            top: round_above(values.iter().flatten().fold(1.0, |most: f64, value| most.max(value * 1.04))),
            unit: None,
        }
    }

    fn label(self, share: f64) -> String {
        self.unit.map_or_else(|| units::brief(self.top * share), |unit| units::short(self.top * share, unit))
    }
}

/// The next of …, 0.1, 0.2, 0.5, 1, 2, 5, 10, …; 1 where there is nothing to go by.
fn round_above(most: f64) -> f64 {
    if most <= 0.0 {
        return 1.0;
    }
    let decade = 10_f64.powf(most.log10().floor());
    [1.0, 2.0, 5.0].into_iter().map(|step| step * decade).find(|top| *top >= most).unwrap_or(decade * 10.0)
}

/// One line to plot.
pub struct Plot<'a> {
    /// Two values a column, from left to right; an unknown one breaks the line.
    pub values: &'a [Option<f64>],
    /// What its height means.
    pub scale: Scale,
    /// What the line should stay below.
    pub threshold: Option<f64>,
    /// Cells at which something happened, and as what it is shown.
    pub marks: &'a [(u16, Role)],
}

impl Plot<'_> {
    /// The line, and what is between it and the threshold where it is above: dotted, so that it is seen
    /// without colours.
    fn dots(&self, rows: usize) -> (Dots, Dots) {
        let mut dots = Dots::new(self.values.len().div_ceil(2), rows);
        let mut over = dots.clone();
        let place = |value: f64| height(value / self.scale.top, rows * 4);
        let mut before = None;
        for (x, value) in self.values.iter().enumerate() {
            let point = value.map(|value| (x, place(value)));
            if let Some(to) = point {
                dots.line(before.unwrap_or(to), to);
                if let Some(limit) = self.threshold.filter(|limit| value.is_some_and(|value| value > *limit))
                {
                    (to.1..=place(limit))
                        .filter(|y| x.is_multiple_of(2) && y.is_multiple_of(2))
                        .for_each(|y| over.set(x, y));
                }
            }
            before = point;
        }
        (dots, over)
    }

    /// The row of cells that the threshold lies in.
    fn limit(&self, rows: usize) -> Option<usize> {
        self.threshold.map(|limit| height(limit / self.scale.top, rows * 4) / 4)
    }

    /// Draws the line, its threshold and marks, and the numbers at the left.
    pub fn draw(&self, look: &Look, area: Rect, buf: &mut Buffer) {
        let rows = usize::from(area.height);
        let dots = self.dots(rows);
        let limit = self.limit(rows);
        for (row, y) in (area.top()..area.bottom()).enumerate() {
            let (label, role) = self.label(row, rows, limit);
            buf.set_stringn(area.x, y, label, area.width.into(), look.style(role));
            for column in 0..u16::try_from(dots.0.columns).unwrap_or(0) {
                let x = area.x.saturating_add(GUTTER).saturating_add(column);
                if x >= area.right() {
                    break;
                }
                if let Some((symbol, style)) = self.cell(look, &dots, limit, column, row) {
                    buf[(x, y)].set_char(symbol).set_style(style);
                }
            }
        }
    }

    fn cell(
        &self,
        look: &Look,
        (dots, over): &(Dots, Dots),
        limit: Option<usize>,
        column: u16,
        row: usize,
    ) -> Option<(char, Style)> {
        let at = usize::from(column) * 2;
        let values = &self.values[at..self.values.len().min(at + 2)];
        let above = self.threshold.is_some_and(|limit| values.iter().flatten().any(|value| *value > limit));
        // A jump begins in a column whose own value may still be low; what of it lies above the threshold's
        // row is above the threshold.
        let over_limit = limit.is_some_and(|limit| row < limit || (row == limit && above));
        let role = if over_limit { Role::ChartOver } else { Role::ChartLine };
        let line = dots.cell(at / 2, row).map(|dots| (dots, look.style(role)));
        let mark =
            || self.marks.iter().find(|(at, _)| *at == column).map(|(_, role)| ('┊', look.style(*role)));
        let fill = || over.cell(at / 2, row).map(|dots| (dots, look.style(Role::ChartOver)));
        let threshold = || {
            (limit == Some(row) && column.is_multiple_of(2)).then(|| ('·', look.style(Role::ChartThreshold)))
        };
        line.or_else(mark).or_else(fill).or_else(threshold)
    }

    /// What stands left of a row: the threshold, the top, the middle, 0, or only the axis.
    fn label(&self, row: usize, rows: usize, limit: Option<usize>) -> (String, Role) {
        let number = |share| format!("{:>6} ┤", self.scale.label(share));
        let apart = |row: usize| limit.is_none_or(|limit| row.abs_diff(limit) > 1);
        match row {
            row if row + 1 == rows => (number(0.0), Role::ChartAxis),
            row if limit == Some(row) => {
                (number(self.threshold.unwrap_or(0.0) / self.scale.top), Role::ChartThreshold)
            }
            0 => (number(1.0), Role::ChartAxis),
            row if rows >= 6 && row == rows / 2 && apart(row) => (number(0.5), Role::ChartAxis),
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

    fn plot(values: &[Option<f64>; 4], threshold: Option<f64>) -> Vec<(usize, usize)> {
        let plot = Plot { values, scale: Scale { top: 1.0, unit: Some(Unit::Ratio) }, threshold, marks: &[] };
        let (line, over) = plot.dots(4);
        let set = |dots: &Dots, column: usize| -> usize {
            (0..4).map(|row| dots.cells[row * 2 + column].count_ones() as usize).sum()
        };
        (0..2).map(|column| (set(&line, column), set(&over, column))).collect()
    }

    #[test]
    fn what_is_unknown_breaks_the_line_and_what_is_above_the_threshold_is_filled() {
        assert_eq!(plot(&[Some(0.5), Some(0.5), None, None], None), [(2, 0), (0, 0)]);
        assert_eq!(plot(&[Some(0.9), Some(0.9), Some(0.4), None], Some(0.5)), [(5, 4), (5, 0)]);
    }

    #[test]
    fn scales_begin_at_0_and_end_at_a_round_number() {
        let top = |most: f64, threshold, unit| Scale::new(&[Some(most), None], threshold, unit).top;
        let said = |tops: [f64; 4]| tops.map(|top| format!("{top:.1}")).join(" ");
        assert_eq!(
            said([0.0, 0.004, 0.25, 0.99].map(|most| top(most, Some(0.05), Unit::Ratio))),
            "0.1 0.1 0.3 1.0"
        );
        assert_eq!(
            said([0.0, 0.3, 119.0, 481.0].map(|most| top(most, None, Unit::PerSecond))),
            "1.0 0.5 200.0 1000.0"
        );
        assert!(top(2.5, None, Unit::Ratio) > 4.9, "more than all there is, as a processor's share can be");
    }

    proptest! {
        #[test]
        fn dots_stay_inside(columns in 0_usize..20, rows in 0_usize..20, points in prop::collection::vec((0_usize..90, 0_usize..90), 2..9)) {
            let mut dots = Dots::new(columns, rows);
            points.windows(2).for_each(|pair| dots.line(pair[0], pair[1]));
            prop_assert_eq!(dots.cells.len(), columns * rows);
        }

        #[test]
        fn a_scale_reaches_over_what_it_shows(values in prop::collection::vec(prop::option::of(0.0..1e9_f64), 0..9), threshold in 0.0..1.0_f64) {
            let top = Scale::new(&values, Some(threshold), Unit::PerSecond).top;
            prop_assert!(values.iter().flatten().all(|value| *value <= top) && threshold <= top);
        }
    }
}
