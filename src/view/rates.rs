//! The 5xx pane: the services that fail most as charts over one axis of time, the others as small lines; what was deployed or done stands
//! where it happened.

use chrono::{DateTime, TimeDelta, Utc};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::chart::{Axis, GUTTER, Plot, sparkline};
use super::text::{Row, width};
use super::{Look, glance, marks, pane};
use crate::clean::Clean;
use crate::event::{SourceId, SourceState};
use crate::state::{Entry, Focus, Series, State, rate_lines};
use crate::theme::Role;
use crate::units;

/// What the charts show.
const SPAN: TimeDelta = TimeDelta::minutes(15);
/// Columns of a small line.
const SMALL: u16 = 46;
/// Rows that a chart is worth drawing in, its title included.
const LEAST_ROWS: u16 = 5;

/// Draws the pane.
pub fn draw(state: &State, look: &Look, area: Rect, buf: &mut Buffer) {
    let inside = pane::frame(state, look, Focus::Rates, &note(state), area, buf);
    let services = ordered(state);
    if services.is_empty() {
        return pane::nothing(look, inside, empty(state), buf);
    }
    let axis = Axis { from: state.now - SPAN, to: state.now, columns: inside.width.saturating_sub(GUTTER + 1) };
    let (large, small_rows) = split(state, &services, inside);
    let (large, small) = services.split_at(large);
    let charts = Rect { height: inside.height - small_rows, ..inside };
    if !large.is_empty() {
        draw_large(state, look, large, axis, charts, buf);
    }
    let below = Rect { y: charts.bottom(), height: small_rows, ..inside };
    draw_small(state, look, small, below, buf);
}

/// `15 min · over 30 s · [5m] 21.1/s · threshold 5 %`
fn note(state: &State) -> String {
    let rates = &state.world.rates;
    let mut parts: Vec<String> = glance::silence(state, SourceId::Prometheus).into_iter().collect();
    parts.push("15 min".to_owned());
    parts.extend(rates.window.map(|window| format!("over {window} s")));
    parts.extend(rates.errors_5m.map(|rate| format!("[5m] {rate:.1}/s")));
    parts.push(format!("threshold {:.0} %", state.world.threshold() * 100.0));
    parts.join(" · ")
}

fn empty(state: &State) -> &str {
    match state.world.sources.get(&SourceId::Prometheus).map(|health| health.state) {
        _ if !state.world.rates.services.is_empty() => "no service passes the filter",
        Some(SourceState::Live) => "Prometheus counts no requests",
        _ => glance::told(state, SourceId::Prometheus).unwrap_or("rates are unknown: Prometheus has not been read yet"),
    }
}

/// The services as [`rate_lines`] has them, but what is selected comes first: it is the one to look at.
fn ordered(state: &State) -> Vec<(&Clean, &Series)> {
    let mut services = rate_lines(state);
    let chosen = state.screen.lists.get(&Focus::Rates).and_then(|list| list.selected.as_ref());
    services.sort_by_key(|(name, _)| Some(*name) != chosen);
    services
}

/// How many services are charts, and how many rows the small lines of the others take.
fn split(state: &State, services: &[(&Clean, &Series)], inside: Rect) -> (usize, u16) {
    let failing = services.iter().filter(|(name, _)| state.world.rates.ratio(name).is_some_and(|ratio| ratio > state.world.threshold()));
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

fn draw_large(state: &State, look: &Look, services: &[(&Clean, &Series)], axis: Axis, area: Rect, buf: &mut Buffer) {
    let marks = marked(state, axis);
    let columns: Vec<(u16, Role)> = marks.iter().map(|(column, entry)| (*column, marks::entry(entry.kind).1)).collect();
    let count = u16::try_from(services.len()).unwrap_or(1).max(1);
    let rows = area.height.saturating_sub(2);
    let mut y = area.y;
    for (n, (name, series)) in (0..count).zip(services) {
        let height = rows / count + u16::from(n < rows % count);
        let title = Row::new(area.width).gap(1).text(look.style(Role::Strong), name).gap(2);
        pane::lines(Rect { y, height: height.min(1), ..area }, [figures(state, look, name, title)], buf);
        let points: Vec<(DateTime<Utc>, Option<f64>)> = series.since(axis.from).map(|(at, rate)| (at, rate.ratio())).collect();
        let plot = Plot { axis, points: &points, gap: gap(state), threshold: state.world.threshold(), marks: &columns };
        plot.draw(look, Rect { y: y + height.min(1), height: height.saturating_sub(1), ..area }, buf);
        y += height;
    }
    draw_axis(look, axis, &marks, Rect { y, height: area.bottom().saturating_sub(y), ..area }, buf);
}

/// A silence longer than the window is a gap, with the time of one sample added.
fn gap(state: &State) -> TimeDelta {
    TimeDelta::seconds(i64::from(state.world.rates.window.unwrap_or(30)) + 5)
}

/// `24.8 %  29.8/s of 120.0/s`
fn figures(state: &State, look: &Look, service: &str, row: Row) -> Row {
    let now = state.world.rates.now(service);
    let (ratio, rate) =
        (now.and_then(crate::event::ServiceRate::ratio), |x: Option<f64>| x.map_or_else(|| "–".to_owned(), |x| format!("{x:.1}/s")));
    let row = row.text(look.style(role(state, ratio)), &units::percent(ratio)).gap(2);
    let (errors, requests) = (rate(now.and_then(|now| now.errors)), rate(now.and_then(|now| now.requests)));
    row.text(look.style(Role::Dim), &format!("{errors} of {requests}"))
}

/// What is stale does not shout.
fn role(state: &State, ratio: Option<f64>) -> Role {
    let live = state.world.sources.get(&SourceId::Prometheus).is_none_or(|health| health.state == SourceState::Live);
    match ratio {
        _ if !live => Role::Stale,
        Some(ratio) if ratio > state.world.threshold() => Role::Critical,
        Some(_) => Role::Text,
        None => Role::Dim,
    }
}

/// What belongs on the charts, with its column; of two in one column the action is told, or the later one.
fn marked(state: &State, axis: Axis) -> Vec<(u16, &Entry)> {
    let mut marks: Vec<(u16, &Entry)> = Vec::new();
    for (column, entry) in state.world.timeline.markers().filter_map(|entry| Some((axis.column(entry.at)?, entry))) {
        match marks.last_mut().filter(|(last, _)| *last == column) {
            Some((_, told)) if told.mark.is_some() && entry.mark.is_none() => {}
            Some(last) => *last = (column, entry),
            None => marks.push((column, entry)),
        }
    }
    marks
}

/// The axis with its marks, and below it their words between the times of both ends.
fn draw_axis(look: &Look, axis: Axis, marks: &[(u16, &Entry)], area: Rect, buf: &mut Buffer) {
    let row = Row::new(area.width).number(look.style(Role::ChartAxis), "0 %", 6).gap(1);
    let line = row.text(look.style(Role::ChartGrid), &format!("└{}", "─".repeat(axis.columns.into())));
    pane::lines(area, [line], buf);
    for (column, entry) in marks {
        let x = area.x + GUTTER + column;
        if area.height > 0 && x < area.right() {
            buf.set_stringn(x, area.y, mark_of(entry), usize::from(area.right() - x), look.style(Role::ChartMarker));
        }
    }
    let below = Rect { y: area.y + 1, height: area.height.saturating_sub(1).min(1), ..area };
    pane::lines(below, [words(look, axis, marks, Row::new(area.width))], buf);
}

/// Under each mark what happened there, as far as the next one leaves room.
fn words(look: &Look, axis: Axis, marks: &[(u16, &Entry)], row: Row) -> Row {
    let (from, to) = (axis.from.format("%H:%M").to_string(), axis.to.format("%H:%M").to_string());
    let right = Row::new(u16::MAX).text(look.style(Role::ChartAxis), &to).gap(1);
    let last = usize::from(GUTTER + axis.columns).saturating_sub(right.used());
    let mut row = row.gap(usize::from(GUTTER)).text(look.style(Role::ChartAxis), &from).gap(1);
    for (n, (column, entry)) in marks.iter().enumerate() {
        let start = usize::from(GUTTER + column).max(row.used());
        let end = marks.get(n + 1).map_or(last, |(next, _)| usize::from(GUTTER + next)).min(last);
        let room = end.saturating_sub(start + 1);
        if room >= 6 {
            let told = if entry.mark.is_some() { entry.text.to_string() } else { format!("{} {}", entry.subject, entry.text) };
            let label = format!("{} {told}", mark_of(entry));
            let blank = start - row.used();
            row = row.gap(blank).text(look.style(marks::entry(entry.kind).1), &super::text::fit(&label, room)).gap(1);
        }
    }
    row.right(right)
}

fn mark_of(entry: &Entry) -> String {
    entry.mark.map_or_else(|| marks::entry(entry.kind).0.to_owned(), marks::action)
}

/// The other services, side by side: name, share, and the shape of its line.
fn draw_small(state: &State, look: &Look, services: &[(&Clean, &Series)], area: Rect, buf: &mut Buffer) {
    let across = usize::from((area.width / SMALL).max(1));
    let columns = area.width / u16::try_from(across).unwrap_or(1);
    let shown = services.len().min(across * usize::from(area.height));
    let name = services.iter().take(shown).map(|(name, _)| width(name)).max().unwrap_or(0).min(22) + 2;
    for (n, (service, series)) in services.iter().take(shown).enumerate() {
        let (x, y) = (n % across, n / across);
        let cell = Rect {
            x: area.x + columns * u16::try_from(x).unwrap_or(0),
            y: area.y + u16::try_from(y).unwrap_or(0),
            width: columns,
            height: 1,
        };
        let left_out = services.len() - shown;
        let more = (n + 1 == shown && left_out > 0).then(|| format!("+{left_out} more"));
        pane::lines(cell, [small(state, look, service, series, name, more, Row::new(columns))], buf);
    }
}

fn small(state: &State, look: &Look, service: &str, series: &Series, name: usize, more: Option<String>, row: Row) -> Row {
    let ratio = state.world.rates.ratio(service);
    let row =
        row.gap(1).cell(look.style(Role::Text), service, name).number(look.style(role(state, ratio)), &units::percent(ratio), 7).gap(2);
    if let Some(more) = more {
        return row.text(look.style(Role::Dim), &more);
    }
    let columns = u16::try_from(row.left().saturating_sub(2).min(60)).unwrap_or(0);
    let axis = Axis { from: state.now - SPAN, to: state.now, columns };
    let values = axis.values(series.since(axis.from).map(|(at, rate)| (at, rate.ratio())), gap(state));
    row.text(look.style(Role::ChartLine), &sparkline(&values, state.world.threshold()))
}
