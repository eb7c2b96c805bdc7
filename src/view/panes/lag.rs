//! The Kafka lag pane: each consumer group, what its lag does, how far it is behind and when it will be
//! drained.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::event::{SourceId, SourceState};
use crate::state::{Drains, Focus, Frame, Group, GroupState, lag_lines};
use crate::theme::Role;
use crate::units;
use crate::view::primitives::chart::sparkline;
use crate::view::primitives::text::{Row, width};
use crate::view::primitives::{pane, symbols};
use crate::view::{Look, Spot, summary};

/// Columns that are always there: the mark, the state, the lag and where it goes.
const FIXED: usize = 3 + 8 + 9 + 3;

/// Columns of the table; what a narrow pane has no room for is 0.
struct Columns {
    group: usize,
    unknown: usize,
    trend: usize,
    behind: usize,
    drains: usize,
    members: usize,
    lost: usize,
    apart: usize,
}

/// Draws the pane.
pub fn draw(frame: &Frame<'_>, look: &Look, area: Rect, buf: &mut Buffer) {
    let inside = pane::frame(frame, look, Focus::Lag, &note(frame), area, buf);
    let groups = lag_lines(frame);
    if groups.is_empty() {
        return pane::nothing(look, inside, empty(frame), buf);
    }
    let inside = pane::outdated(frame, look, SourceId::Kafka, inside, buf);
    let columns = columns(&groups, usize::from(inside.width));
    pane::lines(inside, [head(look, &columns, Row::new(inside.width))], buf);
    let table =
        Rect { y: inside.y + inside.height.min(1), height: inside.height.saturating_sub(1), ..inside };
    let chosen = frame.screen.lists.get(&Focus::Lag).and_then(|list| list.selected.as_ref());
    let selected = chosen.and_then(|id| groups.iter().position(|group| group.now.group == *id));
    let seen = pane::window(groups.len(), selected, table.height);
    pane::lines(
        table,
        groups[seen.clone()].iter().map(|group| row(look, group, &columns, Row::new(table.width))),
        buf,
    );
    look.hits
        .rows(table, groups[seen.clone()].iter().map(|group| Spot::Row(Focus::Lag, group.now.group.clone())));
    pane::select(look, table, selected.map(|at| at - seen.start), buf);
    pane::more(look, table, seen, groups.len(), buf);
}

/// `exec · read 8 s ago`, and that nothing newer comes when it does not.
pub fn note(frame: &Frame<'_>) -> String {
    let age = frame.world.lag.at.map(|at| units::seconds((frame.now - at).as_seconds_f64().max(0.0)));
    let way =
        frame.world.session.as_ref().map(|session| session.kafka.to_string()).filter(|way| !way.is_empty());
    let parts = [summary::silence(frame, SourceId::Kafka), way, age.map(|age| format!("read {age} ago"))];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

fn empty<'a>(frame: &Frame<'a>) -> &'a str {
    match frame.world.sources.get(&SourceId::Kafka).map(|health| health.state) {
        _ if !frame.world.lag.groups.is_empty() => "no group matches the filter",
        Some(SourceState::Live) => "no consumer groups",
        _ => summary::told(frame, SourceId::Kafka).unwrap_or("lag is unknown: Kafka has not been read yet"),
    }
}

fn columns(groups: &[&Group], inside: usize) -> Columns {
    let widest = groups.iter().map(|group| width(&group.now.group)).max().unwrap_or(0).clamp(5, 24) + 1;
    let mut rest = inside.saturating_sub(widest + FIXED);
    let mut grant = |columns: usize, beside: usize| {
        let granted = if rest >= columns + beside { columns } else { 0 };
        rest -= granted;
        granted
    };
    let lost = if groups.iter().any(|group| group.lost > Some(0)) { grant(9, 0) } else { 0 };
    let apart = if groups.iter().any(|group| group.apart.is_some()) { grant(11, 20) } else { 0 };
    let drains = grant(11, 0);
    let behind = grant(9, 0);
    let unknown = if groups.iter().any(|group| unknown(group).is_some()) { grant(10, 0) } else { 0 };
    let members = grant(9, 12);
    Columns {
        group: widest,
        unknown: unknown.saturating_sub(2),
        trend: if rest < 6 { 0 } else { rest.min(31) },
        behind,
        drains,
        members,
        lost,
        apart,
    }
}

fn head(look: &Look, columns: &Columns, row: Row) -> Row {
    let dim = look.style(Role::Dim);
    let row = row
        .gap(3)
        .cell(dim, "group", columns.group)
        .cell(dim, "state", 8)
        .number(dim, "lag", 9)
        .gap(3)
        .number(dim, "unknown", columns.unknown);
    let row = row.gap(usize::from(columns.unknown > 0) * 2).cell(dim, "trend", columns.trend).number(
        dim,
        "behind",
        columns.behind,
    );
    let row = row.number(dim, "drains in", columns.drains).number(dim, "members", columns.members);
    row.number(dim, "lost", columns.lost).number(dim, "abandoned", columns.apart)
}

fn row(look: &Look, group: &Group, columns: &Columns, row: Row) -> Row {
    let (mark, role) = symbols::group(group);
    let text = look.style(Role::Text);
    let plain = role == Role::Ok;
    let figure = look.style(if plain { Role::Text } else { role });
    let line = look.style(if plain { Role::ChartLine } else { role });
    let values: Vec<Option<f64>> = group
        .history
        .iter()
        .map(|(_, lag)| lag.and_then(|lag| u32::try_from(lag).ok()).map(f64::from))
        .collect();
    let row = row.gap(1).text(look.style(role), mark).gap(1).cell(
        look.style(if plain { Role::Text } else { Role::Strong }),
        &group.now.group,
        columns.group,
    );
    let beside = unknown(group);
    let lag = format!(
        "{}{}",
        units::count(group.lag()),
        if beside.is_some() && columns.unknown == 0 { " +?" } else { "" }
    );
    let row = row.cell(look.style(role), word(group), 8).number(figure, &lag, 9);
    let row = row.gap(1).text(figure, symbols::trend(group.growth())).gap(1);
    let row = row.number(look.style(Role::Unknown), &beside.unwrap_or_default(), columns.unknown);
    let row = row.gap(usize::from(columns.unknown > 0) * 2).cell(
        line,
        &sparkline(&newest(&values, columns.trend.saturating_sub(1) * 2), 1.0),
        columns.trend,
    );
    let row = row.number(
        text,
        &group.seconds_behind().map_or_else(|| "–".to_owned(), units::seconds),
        columns.behind,
    );
    let row = row.number(text, &drains(group), columns.drains);
    let row = row.number(
        text,
        &group.now.members.map_or_else(|| "–".to_owned(), |n| n.to_string()),
        columns.members,
    );
    let lost = if group.lost > Some(0) { units::count(group.lost) } else { String::new() };
    let row = row.number(look.style(Role::Critical), &lost, columns.lost);
    row.number(
        look.style(Role::Dim),
        &group.apart.map_or_else(String::new, |lag| units::count(Some(lag))),
        columns.apart,
    )
}

/// `+ 1`: partitions that the sum leaves out because nobody can say theirs.
pub fn unknown(group: &Group) -> Option<String> {
    group.lag().and(Some(group.unknown())).filter(|n| *n > 0).map(|n| format!("+ {n}"))
}

/// The newest readings, as many as there are dots; where there are fewer, the oldest are unknown.
fn newest(values: &[Option<f64>], dots: usize) -> Vec<Option<f64>> {
    let kept = &values[values.len().saturating_sub(dots)..];
    std::iter::repeat_n(None, dots - kept.len()).chain(kept.iter().copied()).collect()
}

/// When the lag is gone: `never` while it does not fall, `–` where nobody can say.
pub fn drains(group: &Group) -> String {
    match group.drains() {
        Drains::In(span) => units::seconds(span),
        Drains::Never => "never".to_owned(),
        Drains::Unsaid => "–".to_owned(),
    }
}

/// The same as a sentence's part: `drained in 4 s`, `never drained`; empty where nobody can say.
pub fn drained(group: &Group) -> String {
    match group.drains() {
        Drains::In(span) => format!("drained in {}", units::seconds(span)),
        Drains::Never => "never drained".to_owned(),
        Drains::Unsaid => String::new(),
    }
}

/// What it does, in a word: one that has begun to grow is not called well because its commits do not tell it
/// yet, and one that lags more from reading to reading is called well only with a question mark.
pub fn word(group: &Group) -> &'static str {
    match (group.state(), group.drains()) {
        (GroupState::Ok, _) if group.in_trouble() => "GROWS",
        (GroupState::Ok, Drains::Never) if group.window().is_some() => "OK?",
        (state, _) => state.word(),
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};

    use super::*;
    use crate::event::{GroupLag, PartitionLag};
    use crate::state::Lag;

    #[test]
    fn a_lag_that_rises_and_cannot_be_judged_yet_is_well_with_a_question_mark() {
        let risen = |readings: i64, by: i64| {
            let mut lag = Lag::default();
            for n in 0..readings {
                let committed = Some(n * 1_000);
                let end = Some(n * (1_000 + by) + 1_000);
                let partition = PartitionLag {
                    topic: "t".into(),
                    committed,
                    end,
                    client: Some("c".into()),
                    ..PartitionLag::default()
                };
                let group = GroupLag { group: "g".into(), members: Some(1), partitions: vec![partition] };
                lag.fold(DateTime::UNIX_EPOCH + TimeDelta::seconds(n * 10), &[group]);
            }
            word(&lag.groups["g"])
        };
        assert_eq!(
            [risen(3, 300), risen(12, 300), risen(3, -300), risen(12, -80)],
            ["OK?", "WARN", "OK", "OK"]
        );
    }
}
