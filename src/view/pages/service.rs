//! One service in full: failures, traffic, latency and saturation above one axis of time. What has no room
//! for a chart is a small line, and what nobody measures says so.

use std::borrow::Cow;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::clean::Clean;
use crate::event::{Signal, SourceId, Unit};
use crate::state::{Frame, Series, ServiceDetail};
use crate::theme::Role;
use crate::units;
use crate::view::Look;
use crate::view::pages::Draw;
use crate::view::panes::rates::{axis_of, figures, note};
use crate::view::primitives::axis::{self, Axis};
use crate::view::primitives::chart::{Plot, Scale, sparkline};
use crate::view::primitives::text::{Row, width};
use crate::view::primitives::{pane, symbols};

/// Rows that a chart is worth drawing in, its title included.
const LEAST_ROWS: u16 = 4;

/// One signal as it is shown.
struct Shown<'a> {
    signal: Signal,
    series: &'a Series,
    values: Vec<Option<f64>>,
    unit: Unit,
    threshold: Option<f64>,
}

impl Draw for ServiceDetail {
    fn draw(&self, frame: &Frame<'_>, look: &Look, body: Rect, buf: &mut Buffer) {
        let service = &self.name;
        let inside = pane::overlay(look, Role::BorderFocus, service, &note(frame), body, buf);
        let Some(series) = frame.world.rates.services.get(service) else {
            return pane::nothing(look, inside, "nothing is known of this service any more", buf);
        };
        let inside = pane::outdated(frame, look, SourceId::Prometheus, inside, buf);
        let axis = axis_of(frame, inside);
        let all: Vec<Shown> =
            Signal::ALL.iter().map(|signal| shown(frame, service, series, *signal, axis)).collect();
        let known = all.iter().filter(|shown| shown.known()).count();
        let rows = inside.height.saturating_sub(2);
        let large = (1..=known).rev().find(|large| fits(*large, all.len(), rows)).unwrap_or(0);
        let small = u16::try_from(all.len() - large).unwrap_or(0);
        let place = rows.saturating_sub(small);
        let parts = u16::try_from(large.max(1)).unwrap_or(1);
        let marks = axis::marked(frame, axis);
        let columns = axis::columns(&marks);
        let mut y = inside.y;
        let mut charts = 0;
        for shown in &all {
            let chart = shown.known() && charts < parts && large > 0;
            let height = if chart { place / parts + u16::from(charts < place % parts) } else { 1 };
            charts += u16::from(chart);
            let area = Rect { y, height, ..inside }.intersection(inside);
            shown.draw(frame, look, service, chart.then_some(&columns), area, buf);
            y += area.height;
        }
        axis::draw(
            frame,
            look,
            axis,
            &marks,
            Rect { y, height: inside.bottom().saturating_sub(y).min(2), ..inside },
            buf,
        );
    }
}

/// Whether so many charts of all fit, the others as a line each.
fn fits(large: usize, all: usize, rows: u16) -> bool {
    usize::from(rows) >= large * usize::from(LEAST_ROWS) + (all - large)
}

fn shown<'a>(
    frame: &Frame<'a>,
    service: &Clean,
    series: &'a Series,
    signal: Signal,
    axis: Axis,
) -> Shown<'a> {
    let asked = frame.world.rates.query(signal);
    let (unit, threshold) = match signal {
        Signal::Errors => (Unit::Ratio, Some(frame.world.threshold(service))),
        Signal::Requests => (Unit::PerSecond, asked.and_then(|asked| asked.threshold)),
        Signal::Latency => (Unit::Seconds, asked.and_then(|asked| asked.threshold)),
        Signal::Saturation => {
            (asked.map_or(Unit::Ratio, |asked| asked.unit), asked.and_then(|asked| asked.threshold))
        }
    };
    Shown { signal, series, values: series.dots(signal, axis.from, axis.to, axis.dots()), unit, threshold }
}

/// What people call it; a latency by the quantile that its query asks for.
fn name(frame: &Frame<'_>, signal: Signal) -> Cow<'static, str> {
    match signal {
        Signal::Errors => "5xx".into(),
        Signal::Requests => "traffic".into(),
        Signal::Latency => {
            let asked = frame.world.rates.query(signal).and_then(|asked| quantile(&asked.query));
            asked.map_or("latency".into(), |quantile| format!("latency {quantile}").into())
        }
        Signal::Saturation => "saturation".into(),
    }
}

/// `p95`, of a query that says so: `histogram_quantile(0.95, …)`, `{quantile="0.95"}`.
fn quantile(query: &str) -> Option<String> {
    let (_, after) = query.split_once("quantile")?;
    let from = after.find(|c: char| c.is_ascii_digit())?;
    let number = after[from..].split(|c: char| !c.is_ascii_digit() && c != '.').next()?;
    let plain = after[..from].chars().all(|c| matches!(c, '(' | '=' | '"' | '\'' | ' '));
    let share: f64 = number.parse().ok().filter(|share| plain && (0.0..=1.0).contains(share))?;
    let percent = format!("{:.3}", share * 100.0);
    Some(format!("p{}", percent.trim_end_matches('0').trim_end_matches('.')))
}

impl Shown<'_> {
    fn known(&self) -> bool {
        self.values.iter().any(Option::is_some)
    }

    /// A title, and below it the chart, or behind it the line in small.
    fn draw(
        &self,
        frame: &Frame<'_>,
        look: &Look,
        service: &str,
        chart: Option<&Vec<(u16, Role)>>,
        area: Rect,
        buf: &mut Buffer,
    ) {
        let row = self.title(frame, look, service, Row::new(area.width));
        let scale = Scale::new(&self.values, self.threshold, self.unit);
        let row = match chart {
            Some(_) => self.query(frame, look, row),
            None if self.known() => {
                row.gap(2).text(look.style(Role::ChartLine), &sparkline(&self.values, scale.top))
            }
            None => row,
        };
        pane::lines(area, [row], buf);
        if let Some(marks) = chart {
            let below =
                Rect { y: area.y + area.height.min(1), height: area.height.saturating_sub(1), ..area };
            Plot { values: &self.values, scale, threshold: self.threshold, marks }.draw(look, below, buf);
        }
    }

    fn title(&self, frame: &Frame<'_>, look: &Look, service: &str, row: Row) -> Row {
        let row = row.gap(1).cell(look.style(Role::Strong), &name(frame, self.signal), 13);
        if self.signal == Signal::Errors {
            return figures(frame, look, service, self.series, row);
        }
        let number = frame.world.rates.now(service).and_then(|rate| rate.of(self.signal));
        let over = number.zip(self.threshold).is_some_and(|(number, limit)| number > limit);
        let style = look.style(if over { Role::Critical } else { Role::Text });
        let row = row.text(style, &units::quantity(number, self.unit)).gap(1);
        let row = row.text(style, symbols::trend(self.series.trend(self.signal))).gap(1);
        match (self.threshold, frame.world.rates.query(self.signal)) {
            (Some(limit), _) => {
                row.text(look.style(Role::Dim), &format!(" threshold {}", units::short(limit, self.unit)))
            }
            (None, None) => {
                row.text(look.style(Role::Dim), &format!("no known metric found; set rates.{}", self.signal))
            }
            (None, Some(_)) => row,
        }
    }

    /// The query at the right, where there is room for all of it.
    fn query(&self, frame: &Frame<'_>, look: &Look, row: Row) -> Row {
        let query =
            frame.world.rates.query(self.signal).map(|asked| asked.query.as_str()).unwrap_or_default();
        if width(query) + 4 > row.left() {
            return row;
        }
        row.right(Row::new(u16::MAX).text(look.style(Role::Dim), query).gap(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_latency_is_called_by_the_quantile_that_is_asked_for() {
        for (query, told) in [
            ("histogram_quantile(0.95, sum by (service, le) (rate(x_bucket[30s])))", Some("p95")),
            ("histogram_quantile( 0.999, x)", Some("p99.9")),
            ("max by (service) (latency{quantile=\"0.5\"})", Some("p50")),
            ("quantile(1, x)", Some("p100")),
            ("histogram_quantile(scalar(q), x[30s])", None),
            ("sum(rate(x_sum[30s])) / sum(rate(x_count[30s]))", None),
        ] {
            assert_eq!(quantile(query).as_deref(), told, "{query}");
        }
    }
}
