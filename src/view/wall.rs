//! The wall: for the big terminal, readable from five metres. How bad and for how long in large letters; the worst workloads, the 5xx
//! chart, the worst lag and what happened last. Nothing to press and no cursor; a last line only while something needs a person.

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout as Split, Rect};
use ratatui::style::{Modifier, Style};

use super::glance::Glance;
use super::text::Row;
use super::{Look, big, marks, pane, rates, timeline};
use crate::event::SourceState;
use crate::state::{Severity, Stage, State, WorkloadRow};
use crate::theme::Role;
use crate::units;

/// Workloads that are told.
const WORST: usize = 3;
/// Entries of the timeline, with their frame.
const LATEST: u16 = 5 + 2;
/// From so many rows on there is room for the timeline below the chart.
const TALL: u16 = 30;

/// Draws all below the header.
pub fn draw(state: &State, look: &Look, glance: &Glance, rows: &[WorkloadRow<'_>], body: Rect, buf: &mut Buffer) {
    let (word, elapsed) = (word(glance), elapsed(state, glance));
    let size = size(word, &elapsed, body);
    let top = if size == 0 { 0 } else { big::rows_of(size) + 1 };
    let below = if body.height >= TALL { LATEST.max(body.height / 5) } else { 0 };
    let [head, middle, last] = Split::vertical([Constraint::Length(top), Constraint::Fill(1), Constraint::Length(below)]).areas(body);
    draw_head(look, glance, (word, &elapsed), size, head, buf);
    let [left, chart] = Split::horizontal([Constraint::Percentage(34), Constraint::Fill(1)]).areas(middle);
    let [worst, lag] = Split::vertical([Constraint::Fill(1), Constraint::Percentage(45)]).areas(left);
    draw_worst(look, glance, rows, worst, buf);
    draw_lag(state, look, lag, buf);
    rates::draw(state, look, chart, buf);
    if below > 0 {
        timeline::draw(state, look, last, buf);
    }
    if glance.calm() {
        dim(look, body, buf);
    }
}

/// Word and time beside each other, as large as fits; where there is room for one of them, the time.
fn size(word: &str, elapsed: &str, body: Rect) -> u16 {
    let (columns, rows) = (body.width.saturating_sub(4), body.height / 3);
    let both = big::size(&format!("{word} {elapsed}"), columns, rows);
    if both > 0 { both } else { big::size(elapsed, columns, rows) }
}

fn draw_head(look: &Look, glance: &Glance, (word, elapsed): (&str, &str), size: u16, area: Rect, buf: &mut Buffer) {
    let inside =
        Rect { x: area.x + 2, y: area.y + area.height.min(1), width: area.width.saturating_sub(4), height: area.height.saturating_sub(1) };
    let columns = big::width(elapsed, size).min(inside.width);
    let right = Rect { x: inside.right() - columns, width: columns, ..inside };
    big::draw(elapsed, size, look.style(Role::Strong), right, buf);
    if big::width(&format!("{word} {elapsed}"), size) <= inside.width {
        big::draw(word, size, look.style(role(glance)).add_modifier(Modifier::BOLD), inside, buf);
    }
}

/// When all is well nothing draws the eye: every colour goes, marks and words stay.
fn dim(look: &Look, body: Rect, buf: &mut Buffer) {
    buf.set_style(body, Style { bg: None, ..look.style(Role::Dim) }.remove_modifier(Modifier::BOLD));
}

fn word(glance: &Glance) -> &'static str {
    match glance.troubles.first().map(|trouble| trouble.severity) {
        Some(Severity::Critical) => "CRIT",
        Some(_) => "WARN",
        None if glance.calm() => "OK",
        None => "?",
    }
}

fn role(glance: &Glance) -> Role {
    match glance.troubles.first().map(|trouble| trouble.severity) {
        Some(severity) => marks::severity(severity).1,
        None if glance.calm() => Role::Ok,
        None => Role::Unknown,
    }
}

/// Since the oldest trouble that stands; when all is well the time of day.
fn elapsed(state: &State, glance: &Glance) -> String {
    let began = state.world.standing().filter(|_| !glance.troubles.is_empty());
    began.map_or_else(|| state.now.format("%H:%M:%S").to_string(), |began| units::elapsed(state.now - began))
}

/// The worst workloads, each on two lines: its name, and why. Where none is ill, what else is wrong, or what nobody knows.
fn draw_worst(look: &Look, glance: &Glance, rows: &[WorkloadRow<'_>], area: Rect, buf: &mut Buffer) {
    let inside = pane::titled(look, "Worst", "", area, buf);
    let ill: Vec<&WorkloadRow<'_>> = rows.iter().filter(|row| row.severity > Severity::Ok).collect();
    if ill.is_empty() && !glance.troubles.is_empty() {
        let lines = glance.troubles.iter().map(|trouble| {
            let (mark, role) = marks::severity(trouble.severity);
            Row::new(inside.width).gap(1).text(look.style(role), mark).gap(1).text(look.style(Role::Strong), &trouble.words)
        });
        return pane::lines(inside, lines, buf);
    }
    if ill.is_empty() {
        let cluster = glance.unheard.iter().find(|words| words.starts_with("k8s"));
        let words = match cluster {
            _ if !glance.known => "nothing is known of any workload yet".to_owned(),
            Some(cluster) => format!("no workload is known to be ill: {cluster}"),
            None => "every workload is well".to_owned(),
        };
        return pane::nothing(look, inside, &words, buf);
    }
    let lines = ill.iter().take(WORST).flat_map(|row| {
        let (mark, role) = marks::severity(row.severity);
        let ready = row.workload.map(|w| format!("{}/{}", w.ready, w.desired)).unwrap_or_default();
        let ready = Row::new(20).gap(1).text(look.style(Role::Text), &ready).gap(1);
        let name = Row::new(inside.width.saturating_sub(u16::try_from(ready.used()).unwrap_or(0))).gap(1).text(look.style(role), mark);
        let name = name.gap(1).text(look.style(Role::Strong), row.name());
        let why = row.why.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
        let reason = format!("{}{why}", marks::reason(row.reason.as_deref().unwrap_or("not well")));
        [
            Row::new(inside.width).append(name).right(ready),
            Row::new(inside.width).gap(3).text(look.style(role), &reason),
            Row::new(inside.width),
        ]
    });
    pane::lines(inside, lines, buf);
    pane::more(look, inside, 0..ill.len().min(WORST), ill.len(), buf);
}

/// The worst group: its lag as a large number, and what it does.
fn draw_lag(state: &State, look: &Look, area: Rect, buf: &mut Buffer) {
    let inside = pane::titled(look, "Kafka lag", "", area, buf);
    let groups = state.world.lag.rows();
    let known = groups.iter().find(|group| group.lag().is_some());
    let Some(group) = known.or(groups.first()) else { return pane::nothing(look, inside, "lag is unknown", buf) };
    let (mark, role) = marks::group(group.state());
    let number = units::count(group.lag()).replace(' ', "");
    let size = big::size(&number, inside.width.saturating_sub(6), inside.height.saturating_sub(2));
    let name = Row::new(inside.width).gap(1).text(look.style(role), mark).gap(1).text(look.style(Role::Strong), &group.now.group);
    let name = name.gap(2).text(look.style(role), group.state().word());
    let numbers = Rect { x: inside.x + 1, y: inside.y + 1, width: inside.width.saturating_sub(1), height: inside.height.saturating_sub(1) };
    let trend = marks::trend(group.growth());
    if size == 0 {
        let small = Row::new(inside.width).gap(1).text(look.style(role), &format!("{mark} {number} {trend}")).gap(1);
        return pane::lines(inside, [small.text(look.style(Role::Strong), &group.now.group)], buf);
    }
    pane::lines(inside, [name], buf);
    big::draw(&number, size, look.style(role), numbers, buf);
    let beside = big::width(&number, size) + 2;
    let aside = Rect { x: numbers.x + beside, width: numbers.width.saturating_sub(beside), ..numbers };
    let words = [
        Row::new(aside.width).text(look.style(role), trend),
        Row::new(aside.width)
            .text(look.style(Role::Text), &group.seconds_behind().map_or_else(String::new, |s| format!("{} behind", units::seconds(s)))),
        Row::new(aside.width).text(
            look.style(Role::Text),
            &group.seconds_to_drain().map_or_else(String::new, |s| format!("drains in {}", units::seconds(s))),
        ),
    ];
    pane::lines(aside, words, buf);
}

/// What needs a person and is said nowhere else on the wall; the last line is empty without it.
pub fn draw_footer(state: &State, look: &Look, area: Rect, buf: &mut Buffer) {
    let needs = needs(state);
    if needs.is_empty() {
        return;
    }
    let role = Role::AlertCritical;
    buf.set_style(area, look.style(role));
    let words = needs.join(" · ");
    pane::lines(area, [Row::new(area.width).gap(1).text(look.style(role), &words)], buf);
}

fn needs(state: &State) -> Vec<String> {
    let mut needs: Vec<String> = state.world.journal_trouble.iter().map(|why| format!("not recorded: {why}")).collect();
    for run in state.world.runs.all() {
        let mark = marks::action(run.mark);
        match &run.stage {
            Stage::Unknown(why) => needs.push(format!("{mark} {}: outcome unknown, {why}", run.intent.title)),
            Stage::Done(verdict) if !verdict.ok => needs.push(format!("{mark} {}: its effect was not seen", run.intent.title)),
            _ => {}
        }
    }
    let silent = state.world.sources.values().filter(|health| matches!(health.state, SourceState::Down | SourceState::Stale));
    needs
        .extend(silent.map(|health| format!("{} {} since {}", health.source.name(), health.state.word(), health.since.format("%H:%M:%S"))));
    needs
}
