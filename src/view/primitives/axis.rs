//! The axis of time under the charts: the same for all of them, with what was deployed and done where it
//! happened.

use chrono::{DateTime, TimeDelta, Utc};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::chart::GUTTER;
use super::symbols;
use super::text::{fit, width};
use crate::state::{Frame, TimelineEntry};
use crate::theme::Role;
use crate::units;
use crate::view::Look;
use crate::view::panes::timeline;

/// Minutes between two times that are written under an axis.
const TICKS: [i64; 9] = [1, 2, 5, 10, 30, 60, 120, 240, 480];

/// Columns that a time and the blank around it take.
const APART: i64 = 18;

/// A stretch of time laid over columns of cells.
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
    /// The time up to now. It moves on by whole dots, so that a line that moves along keeps its shape.
    pub fn new(now: DateTime<Utc>, length: TimeDelta, columns: u16) -> Self {
        let dot = (length.num_milliseconds() / (i64::from(columns) * 2).max(1)).max(1);
        let whole = (now.timestamp_millis() + dot - 1).div_euclid(dot) * dot;
        let to = DateTime::from_timestamp_millis(whole).unwrap_or(now);
        Self { from: to - TimeDelta::milliseconds(dot * i64::from(columns) * 2), to, columns }
    }

    /// Columns of dots.
    pub fn dots(&self) -> usize {
        usize::from(self.columns) * 2
    }

    /// A value for each column of dots from readings, oldest first: each holds until the next; before the
    /// first nothing is known.
    pub fn held(&self, readings: impl Iterator<Item = (DateTime<Utc>, Option<f64>)>) -> Vec<Option<f64>> {
        let mut readings = readings.peekable();
        let dots = self.dots();
        let length = (self.to - self.from).num_milliseconds();
        let mut value = None;
        let ends = (1..=dots)
            .map(|dot| length * i64::try_from(dot).unwrap_or(0) / i64::try_from(dots).unwrap_or(1).max(1));
        let each = ends.map(|end| {
            while let Some((_, read)) =
                readings.next_if(|(at, _)| *at <= self.from + TimeDelta::milliseconds(end))
            {
                value = read;
            }
            value
        });
        each.collect()
    }

    /// The cell of a moment; none outside.
    pub fn column(&self, at: DateTime<Utc>) -> Option<u16> {
        let whole = (self.to - self.from).num_milliseconds();
        let part = (at - self.from).num_milliseconds();
        let inside = (0..=whole).contains(&part) && whole > 0 && self.columns > 0;
        inside
            .then(|| u16::try_from(part * i64::from(self.columns) / whole).unwrap_or(0).min(self.columns - 1))
    }

    /// Round moments, as many as there is room to write.
    fn ticks(&self, zero: DateTime<Utc>) -> Vec<DateTime<Utc>> {
        let length = self.to - self.from;
        let room = i64::from(self.columns) / APART;
        let fits = |step: &TimeDelta| length.num_seconds() / step.num_seconds() <= room.max(1);
        let Some(step) = TICKS.into_iter().map(TimeDelta::minutes).find(fits) else { return Vec::new() };
        let first = (self.from - zero).num_seconds().div_euclid(step.num_seconds()) + 1;
        let moment = |n: i64| zero.checked_add_signed(TimeDelta::seconds(step.num_seconds() * n));
        (first..).map_while(moment).take_while(|at| *at < self.to).collect()
    }
}

/// What belongs on the charts, with its column; of two in one column the action is told, or the later one.
pub fn marked<'a>(frame: &Frame<'a>, axis: Axis) -> Vec<(u16, &'a TimelineEntry)> {
    let mut marks: Vec<(u16, &TimelineEntry)> = Vec::new();
    for (column, entry) in
        frame.world.timeline.markers().filter_map(|entry| Some((axis.column(entry.at)?, entry)))
    {
        match marks.last_mut().filter(|(last, _)| *last == column) {
            Some((_, told)) if told.mark.is_some() && entry.mark.is_none() => {}
            Some(last) => *last = (column, entry),
            None => marks.push((column, entry)),
        }
    }
    marks
}

/// The columns of marks, and as what they are shown.
pub fn columns(marks: &[(u16, &TimelineEntry)]) -> Vec<(u16, Role)> {
    marks.iter().map(|(column, entry)| (*column, symbols::entry(entry.kind).1)).collect()
}

/// Draws the axis with its marks, and below it their words, and times where there is room.
pub fn draw(
    frame: &Frame<'_>,
    look: &Look,
    axis: Axis,
    marks: &[(u16, &TimelineEntry)],
    area: Rect,
    buf: &mut Buffer,
) {
    if area.height == 0 {
        return;
    }
    let zero = frame.world.began().filter(|_| frame.screen.elapsed);
    let ticks = axis.ticks(zero.unwrap_or(DateTime::UNIX_EPOCH));
    let mut put = |x: u16, text: &str, role: Role| {
        let x = area.x.saturating_add(GUTTER).saturating_add(x);
        if x < area.right() {
            buf.set_stringn(x, area.y, text, usize::from(area.right() - x), look.style(role));
        }
    };
    put(0, &"─".repeat(axis.columns.into()), Role::ChartGrid);
    ticks.iter().filter_map(|at| axis.column(*at)).for_each(|column| put(column, "┴", Role::ChartGrid));
    for (column, entry) in marks {
        put(*column, &mark_of(entry), Role::ChartMarker);
    }
    buf.set_stringn(area.x, area.y, "       └", area.width.into(), look.style(Role::ChartGrid));
    if area.height > 1 {
        for Label { column, text, role } in labels(frame, axis, marks, &ticks) {
            let x = area.x + GUTTER + u16::try_from(column).unwrap_or(0);
            buf.set_stringn(
                x,
                area.y + 1,
                text,
                usize::from(area.right().saturating_sub(x)),
                look.style(role),
            );
        }
    }
}

/// Words under an axis.
struct Label {
    column: usize,
    text: String,
    role: Role,
}

/// The times of both ends; between them what happened at the marks, each as far as the next one leaves room;
/// and round times where nothing else stands.
fn labels(
    frame: &Frame<'_>,
    axis: Axis,
    marks: &[(u16, &TimelineEntry)],
    ticks: &[DateTime<Utc>],
) -> Vec<Label> {
    let from = end(frame, axis, axis.from);
    let to = end(frame, axis, frame.now.min(axis.to));
    let whole = usize::from(axis.columns);
    let begin = width(&from) + 1;
    let last = whole.saturating_sub(width(&to) + 1);
    let mut labels = Vec::new();
    let mut used: Vec<(usize, usize)> = Vec::new();
    for (n, (column, entry)) in marks.iter().enumerate() {
        let start = usize::from(*column).max(used.last().map_or(begin, |(_, end)| *end));
        let next = marks.get(n + 1).map_or(last, |(next, _)| usize::from(*next)).min(last);
        let room = next.saturating_sub(start + 1);
        if room >= 6 {
            let told = if entry.mark.is_some() {
                entry.text.to_string()
            } else {
                format!("{} {}", frame.world.subject(entry), entry.text)
            };
            let text = fit(&format!("{} {told}", mark_of(entry)), room).into_owned();
            used.push((start, start + width(&text) + 1));
            labels.push(Label { column: start, text, role: symbols::entry(entry.kind).1 });
        }
    }
    for (at, column) in ticks.iter().filter_map(|at| Some((*at, usize::from(axis.column(*at)?)))) {
        let text = clock(frame, at);
        let start = column.saturating_sub(width(&text) / 2);
        let behind = start + width(&text) + 1;
        if start > begin
            && behind <= last
            && text != from
            && text != to
            && used.iter().all(|(from, to)| behind <= *from || start >= *to)
        {
            labels.push(Label { column: start, text, role: Role::ChartAxis });
        }
    }
    let right = Label { column: whole.saturating_sub(width(&to)), text: to, role: Role::ChartAxis };
    labels.extend([Label { column: 0, text: from, role: Role::ChartAxis }, right]);
    labels
}

/// The time of an end: with its day, where both ends are not of one.
fn end(frame: &Frame<'_>, axis: Axis, at: DateTime<Utc>) -> String {
    let days = axis.from.date_naive() != axis.to.date_naive();
    if days && !frame.screen.elapsed { at.format("%-d %b %H:%M").to_string() } else { clock(frame, at) }
}

/// `14:46`, or counted from the first trouble.
fn clock(frame: &Frame<'_>, at: DateTime<Utc>) -> String {
    let counted = frame.screen.elapsed && frame.world.began().is_some();
    if counted { timeline::time(frame, at) } else { at.format("%H:%M").to_string() }
}

fn mark_of(entry: &TimelineEntry) -> String {
    entry.mark.map_or_else(|| symbols::entry(entry.kind).0.to_owned(), units::circled)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(1_000_000 + second)
    }

    #[test]
    fn times_are_round_and_have_room() {
        let ticks = |minutes: i64, columns| {
            let axis = Axis::new(at(0), TimeDelta::minutes(minutes), columns);
            axis.ticks(DateTime::UNIX_EPOCH)
                .iter()
                .map(|at| at.format("%H:%M:%S").to_string())
                .collect::<Vec<_>>()
        };
        assert_eq!(ticks(15, 60), ["13:35:00", "13:40:00", "13:45:00"]);
        assert_eq!(
            ticks(1_440, 120),
            ["16:00:00", "20:00:00", "00:00:00", "04:00:00", "08:00:00", "12:00:00"]
        );
        assert_eq!(ticks(60, 0), Vec::<String>::new());
    }

    #[test]
    fn a_reading_holds_until_the_next() {
        let axis = Axis::new(at(0), TimeDelta::seconds(60), 3);
        let held = axis.held(
            [(at(-100), Some(1.0)), (at(-31), Some(5.0)), (at(-20), None), (at(-1), Some(2.0))].into_iter(),
        );
        let from = (at(0) - axis.from).num_seconds();
        assert_eq!((held, from), (vec![Some(1.0), Some(1.0), Some(5.0), None, None, Some(2.0)], 60));
        assert_eq!(axis.held([(at(-5), Some(1.0))].into_iter())[..5], [None; 5]);
    }

    proptest! {
        #[test]
        fn an_axis_ends_just_behind_now_and_holds_every_moment_of_it(
            now in 0_i64..100_000, minutes in prop::sample::select(vec![5_i64, 15, 60, 180, 360, 720, 1_440]), columns in 1_u16..400, part in 0.0..1.0_f64
        ) {
            let axis = Axis::new(at(now), TimeDelta::minutes(minutes), columns);
            let dot = (axis.to - axis.from).num_milliseconds() / (i64::from(columns) * 2);
            prop_assert!(axis.to >= at(now) && (axis.to - at(now)).num_milliseconds() < dot);
            prop_assert!((axis.from.timestamp_millis() % dot, axis.to.timestamp_millis() % dot) == (0, 0), "it moves by whole dots");
            let moment = axis.from + TimeDelta::from_std((axis.to - axis.from).to_std().unwrap().mul_f64(part)).unwrap();
            prop_assert!(axis.column(moment).is_some_and(|column| column < columns));
            prop_assert_eq!(axis.column(axis.to + TimeDelta::seconds(1)), None);
        }
    }
}
