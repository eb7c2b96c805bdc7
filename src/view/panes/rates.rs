//! The 5xx pane: the services that fail most as charts over one axis of time, the others as small lines; what
//! was deployed or done stands where it happened.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::clean::Clean;
use crate::event::{Signal, SourceId, SourceState, Unit};
use crate::state::{Focus, Frame, Series, Severity, rate_lines};
use crate::theme::Role;
use crate::units;
use crate::view::primitives::axis::{self, Axis};
use crate::view::primitives::chart::{GUTTER, Plot, Scale, sparkline};
use crate::view::primitives::text::{Row, width};
use crate::view::primitives::{pane, symbols};
use crate::view::{Look, summary};

/// Columns of a small line.
const SMALL: u16 = 46;
/// Rows that a chart is worth drawing in, its title included.
const LEAST_ROWS: u16 = 5;

/// Draws the pane.
pub fn draw(frame: &Frame<'_>, look: &Look, area: Rect, buf: &mut Buffer) {
    let inside = pane::frame(frame, look, Focus::Rates, &note(frame), area, buf);
    let services = ordered(frame);
    if services.is_empty() {
        return pane::nothing(look, inside, empty(frame), buf);
    }
    let inside = pane::outdated(frame, look, SourceId::Prometheus, inside, buf);
    let (large, small_rows) = split(frame, &services, inside);
    let (large, small) = services.split_at(large);
    let charts = Rect { height: inside.height - small_rows, ..inside };
    if !large.is_empty() {
        draw_large(frame, look, large, charts, buf);
    }
    let below = Rect { y: charts.bottom(), height: small_rows, ..inside };
    draw_small(frame, look, small, below, buf);
}

/// `15 min · over 30 s · threshold 5 % · [5m] 21.1/s`: the sum only where it is of several services, each of
/// which has its own.
pub fn note(frame: &Frame<'_>) -> String {
    let rates = &frame.world.rates;
    let mut parts: Vec<String> = summary::silence(frame, SourceId::Prometheus).into_iter().collect();
    parts.push(frame.screen.span.words());
    parts.extend(rates.window.map(|window| format!("over {window} s")));
    parts.push(format!("threshold {}", units::short(frame.world.threshold(""), Unit::Ratio)));
    let several = rates
        .services
        .keys()
        .filter(|service| rates.now(service).is_some_and(|now| now.errors_5m > Some(0.0)))
        .count()
        > 1;
    parts.extend(rates.errors_5m.filter(|_| several).map(|rate| format!("[5m] {rate:.1}/s")));
    parts.join(" · ")
}

fn empty<'a>(frame: &Frame<'a>) -> &'a str {
    match frame.world.sources.get(&SourceId::Prometheus).map(|health| health.state) {
        _ if !frame.world.rates.services.is_empty() => "no service matches the filter",
        Some(SourceState::Live) => "Prometheus counts no requests",
        _ => summary::told(frame, SourceId::Prometheus)
            .unwrap_or("rates are unknown: Prometheus has not been read yet"),
    }
}

/// The services as [`rate_lines`] has them, but what is selected comes first: it is the one to look at.
fn ordered<'a>(frame: &Frame<'a>) -> Vec<(&'a Clean, &'a Series)> {
    let mut services = rate_lines(frame);
    let chosen = frame.screen.lists.get(&Focus::Rates).and_then(|list| list.selected.as_ref());
    services.sort_by_key(|(name, _)| Some(*name) != chosen);
    services
}

/// Whether it fails more than it may.
fn failing(frame: &Frame<'_>, service: &str) -> bool {
    frame.world.rates.ratio(service).is_some_and(|ratio| ratio > frame.world.threshold(service))
}

/// How many services are charts, and how many rows the small lines of the others take.
fn split(frame: &Frame<'_>, services: &[(&Clean, &Series)], inside: Rect) -> (usize, u16) {
    let failing = services.iter().filter(|(name, _)| failing(frame, name));
    let room = usize::from(inside.height.saturating_sub(4) / (LEAST_ROWS + 3));
    let large = failing.count().clamp(1, room.clamp(1, 3)).min(services.len());
    if inside.height < LEAST_ROWS + 2 {
        return (0, inside.height);
    }
    let across = usize::from((inside.width / SMALL).max(1));
    let rows = u16::try_from((services.len() - large).div_ceil(across)).unwrap_or(u16::MAX);
    let most = if inside.height < 2 * LEAST_ROWS { 1 } else { inside.height / 3 };
    (large, rows.min(most))
}

fn draw_large(frame: &Frame<'_>, look: &Look, services: &[(&Clean, &Series)], area: Rect, buf: &mut Buffer) {
    let axis = axis_of(frame, area);
    let marks = axis::marked(frame, axis);
    let columns = axis::columns(&marks);
    let count = u16::try_from(services.len()).unwrap_or(1).max(1);
    let rows = area.height.saturating_sub(2);
    let mut y = area.y;
    for (n, (name, series)) in (0..count).zip(services) {
        let height = rows / count + u16::from(n < rows % count);
        let place = Rect { y, height: height.min(1), ..area };
        pane::lines(place, [title(frame, look, name, series, Row::new(area.width))], buf);
        let values = series.dots(Signal::Errors, axis.from, axis.to, axis.dots());
        let threshold = Some(frame.world.threshold(name));
        let scale = Scale::new(&values, threshold, Unit::Ratio);
        let plot = Plot { values: &values, scale, threshold, marks: &columns };
        plot.draw(look, Rect { y: y + height.min(1), height: height.saturating_sub(1), ..area }, buf);
        y += height;
    }
    axis::draw(frame, look, axis, &marks, Rect { y, height: area.bottom().saturating_sub(y), ..area }, buf);
}

/// The time that all charts of this width show.
pub fn axis_of(frame: &Frame<'_>, area: Rect) -> Axis {
    Axis::new(frame.now, frame.screen.span.length(), area.width.saturating_sub(GUTTER + 1))
}

/// `✖ medcontracthub-app  24.8 % ↑  29.8/s of 120.0/s · [5m] 21.1/s`
fn title(frame: &Frame<'_>, look: &Look, service: &str, series: &Series, row: Row) -> Row {
    let row = mark(frame, look, service, row.gap(1)).gap(1).text(look.style(Role::Strong), service).gap(2);
    figures(frame, look, service, series, row)
}

fn mark(frame: &Frame<'_>, look: &Look, service: &str, row: Row) -> Row {
    if !failing(frame, service) {
        return row.gap(1);
    }
    row.text(look.style(role(frame, service)), symbols::severity(Severity::Critical).0)
}

/// `24.8 % ↑  29.8/s of 120.0/s · threshold 2 % · [5m] 21.1/s`
pub fn figures(frame: &Frame<'_>, look: &Look, service: &str, series: &Series, row: Row) -> Row {
    let now = frame.world.rates.now(service).copied().unwrap_or_default();
    let rate = |number| units::quantity(number, Unit::PerSecond);
    let row = row.text(look.style(role(frame, service)), &units::percent(now.ratio())).gap(1);
    let row = row.text(look.style(role(frame, service)), symbols::trend(series.trend(Signal::Errors))).gap(2);
    let over_5m = now.errors_5m.map(|errors| format!(" · [5m] {}", rate(Some(errors)))).unwrap_or_default();
    let own = frame.world.session.as_ref().is_some_and(|session| session.thresholds.contains_key(service));
    let own = if own {
        format!(" · threshold {}", units::short(frame.world.threshold(service), Unit::Ratio))
    } else {
        String::new()
    };
    row.text(look.style(Role::Dim), &format!("{} of {}{own}{over_5m}", rate(now.errors), rate(now.requests)))
}

/// What is stale does not shout.
fn role(frame: &Frame<'_>, service: &str) -> Role {
    let live =
        frame.world.sources.get(&SourceId::Prometheus).is_none_or(|health| health.state == SourceState::Live);
    match frame.world.rates.ratio(service) {
        _ if !live => Role::Stale,
        Some(ratio) if ratio > frame.world.threshold(service) => Role::Critical,
        Some(_) => Role::Text,
        None => Role::Dim,
    }
}

/// The other services, side by side: name, share, and the shape of its line.
fn draw_small(frame: &Frame<'_>, look: &Look, services: &[(&Clean, &Series)], area: Rect, buf: &mut Buffer) {
    let across = usize::from((area.width / SMALL).max(1));
    let columns = area.width / u16::try_from(across).unwrap_or(1);
    let shown = services.len().min(across * usize::from(area.height));
    let name = services.iter().take(shown).map(|(name, _)| width(name)).max().unwrap_or(0).min(22) + 2;
    for (n, (service, series)) in services.iter().take(shown).enumerate() {
        let x = n % across;
        let y = n / across;
        let cell = Rect {
            x: area.x + columns * u16::try_from(x).unwrap_or(0),
            y: area.y + u16::try_from(y).unwrap_or(0),
            width: columns,
            height: 1,
        };
        let left_out = services.len() - shown;
        let more = (n + 1 == shown && left_out > 0).then(|| format!("+{left_out} more"));
        pane::lines(cell, [small(frame, look, service, series, name, more, Row::new(columns))], buf);
    }
}

fn small(
    frame: &Frame<'_>,
    look: &Look,
    service: &str,
    series: &Series,
    name: usize,
    more: Option<String>,
    row: Row,
) -> Row {
    let row = mark(frame, look, service, row.gap(1)).gap(1).cell(look.style(Role::Text), service, name);
    let row = row
        .number(look.style(role(frame, service)), &units::percent(frame.world.rates.ratio(service)), 7)
        .gap(2);
    if let Some(more) = more {
        return row.text(look.style(Role::Dim), &more);
    }
    let axis = Axis::new(
        frame.now,
        frame.screen.span.length(),
        u16::try_from(row.left().saturating_sub(2).min(60)).unwrap_or(0),
    );
    let values = series.dots(Signal::Errors, axis.from, axis.to, axis.dots());
    row.text(look.style(Role::ChartLine), &sparkline(&values, frame.world.threshold(service)))
}
