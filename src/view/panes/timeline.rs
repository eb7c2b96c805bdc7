//! The timeline pane: what happened, newest at the bottom. It follows unless something is selected; then what
//! is selected stays on its row whatever comes, above or below it.

use std::ops::Range;

use chrono::{DateTime, TimeDelta, Utc};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::state::{
    EntryKind, Focus, Frame, ListView, TimelineEntry, TimelineFilter, TimelineLine, place_of, timeline_lines,
};
use crate::theme::Role;
use crate::units;
use crate::view::primitives::text::{Row, width};
use crate::view::primitives::{pane, symbols};
use crate::view::{Look, Spot};

/// Pinned entries shown above the others.
const PINNED: usize = 4;
/// Rows below which pinned entries have no place of their own.
const ROOM: u16 = 8;
/// Columns from which on both times are shown.
const WIDE: u16 = 80;

/// Draws the pane.
pub fn draw(frame: &Frame<'_>, look: &Look, area: Rect, buf: &mut Buffer) {
    let lines = timeline_lines(frame);
    let list = frame.screen.lists.get(&Focus::Timeline);
    let selected = list.and_then(|list| place_of(&lines, &frame.world.timeline, list.selected.as_ref()?));
    let inside = pane::frame(frame, look, Focus::Timeline, &note(frame, selected.is_some()), area, buf);
    let (top, rest) = pinned(frame, look, inside, buf);
    let seen = match (selected, list) {
        (Some(at), Some(list)) => held(list, at, lines.len(), rest.height),
        _ => pane::window(lines.len(), lines.len().checked_sub(1), rest.height),
    };
    if selected.is_some() {
        more_below(look, rest, list.map_or(0, |list| new_below(list, &lines[seen.end..])), buf);
    }
    let columns =
        Columns::new(frame, lines[seen.clone()].iter().map(|line| line.entry).chain(top), inside.width);
    let rows = lines[seen.clone()].iter().map(|line| columns.row(frame, look, line, Row::new(inside.width)));
    pane::lines(rest, rows, buf);
    look.hits.rows(
        rest,
        lines[seen.clone()].iter().map(|line| Spot::Row(Focus::Timeline, line.entry.id.to_string().into())),
    );
    pane::select(look, rest, selected.map(|at| at.saturating_sub(seen.start)), buf);
    pane::more(look, inside, seen, lines.len(), buf);
}

/// Whether it follows, what is searched for, and a filter that cannot be understood.
fn note(frame: &Frame<'_>, held: bool) -> String {
    let filter = TimelineFilter::new(frame.screen.filter(Focus::Timeline));
    let searched = Some(&frame.screen.timeline.search)
        .filter(|text| !text.is_empty())
        .map(|text| format!("find {text}"));
    let wrong = filter.wrong.map(|fault| format!("▲ {fault}"));
    let place = if held { "scrolling paused" } else { "follow ●" };
    let parts = wrong.into_iter().chain(searched).chain([place.to_owned()]);
    parts.collect::<Vec<_>>().join(" · ")
}

/// The rows in sight while something is selected: it stands where it stood when the rows were last looked
/// over, whatever came since.
fn held(list: &ListView, at: usize, len: usize, height: u16) -> Range<usize> {
    let then = list.selected.as_ref().and_then(|selected| list.held.iter().position(|id| id == selected));
    let (place, rows) = then.map_or((at, len), |then| (then, list.held.len()));
    let row = place - pane::window(rows, Some(place), height).start;
    let start = at.saturating_sub(row);
    start..len.min(start + usize::from(height))
}

/// Lines out of sight below that have come since.
fn new_below(list: &ListView, below: &[TimelineLine<'_>]) -> usize {
    let newest = list.held.iter().filter_map(|id| id.parse::<u64>().ok()).max().unwrap_or(0);
    below.iter().filter(|line| line.entry.id > newest).count()
}

fn more_below(look: &Look, area: Rect, count: usize, buf: &mut Buffer) {
    if count > 0 && area.bottom() < buf.area.bottom() {
        buf.set_string(area.x + 1, area.bottom(), format!(" {count} new below "), look.style(Role::Accent));
    }
}

/// Draws what is pinned, if there is room, and answers it with the place below.
fn pinned<'a>(
    frame: &Frame<'a>,
    look: &Look,
    inside: Rect,
    buf: &mut Buffer,
) -> (Vec<&'a TimelineEntry>, Rect) {
    let all: Vec<&TimelineEntry> =
        frame.world.timeline.entries().iter().filter(|entry| entry.pinned).collect();
    if all.is_empty() || inside.height < ROOM {
        return (Vec::new(), inside);
    }
    let kept = &all[all.len().saturating_sub(PINNED)..];
    let columns = Columns::new(frame, kept.iter().copied(), inside.width);
    let rows = kept
        .iter()
        .map(|entry| columns.row(frame, look, &TimelineLine { entry, open: None }, Row::new(inside.width)));
    let line = Row::new(inside.width).text(look.style(Role::Border), &"┄".repeat(inside.width.into()));
    pane::lines(inside, rows.chain([line]), buf);
    let taken = u16::try_from(kept.len() + 1).unwrap_or(inside.height);
    (kept.to_vec(), Rect { y: inside.y + taken, height: inside.height - taken, ..inside })
}

/// Columns that the rows in sight share.
struct Columns {
    time: usize,
    subject: usize,
    both: bool,
}

impl Columns {
    fn new<'a>(frame: &Frame<'_>, entries: impl Iterator<Item = &'a TimelineEntry>, columns: u16) -> Self {
        let both = columns >= WIDE;
        let mut time_columns = 0;
        let mut subject = 0;
        for entry in entries {
            time_columns = time_columns.max(width(&times(frame, entry.at, both)));
            subject = subject.max(width(&frame.world.subject(entry)));
        }
        Self { time: time_columns, subject: subject.min(usize::from(columns) / 3), both }
    }

    fn row(&self, frame: &Frame<'_>, look: &Look, line: &TimelineLine<'_>, row: Row) -> Row {
        let entry = line.entry;
        let (mark, role) = symbols::entry(entry.kind);
        let quiet = entry.kind == EntryKind::Session || (entry.cause.is_some() && entry.ended.is_some());
        let number = entry.mark.map(units::circled).unwrap_or_default();
        let row = row.text(look.style(Role::Accent), if entry.pinned { "★" } else { " " });
        let row = row
            .cell(look.style(Role::Dim), &times(frame, entry.at, self.both), self.time)
            .gap(if entry.cause.is_some() { 3 } else { 2 });
        let row = row.text(look.style(if quiet { Role::Dim } else { role }), mark).gap(1);
        let row = row.cell(look.style(Role::ChartMarker), &number, 2).gap(usize::from(width(&number) < 3));
        let search = &frame.screen.timeline.search;
        let subject = Row::new(u16::try_from(self.subject).unwrap_or(u16::MAX));
        let subject = found(
            look,
            look.style(if quiet { Role::Dim } else { Role::Strong }),
            &frame.world.subject(entry),
            search,
            subject,
        );
        let rest = self.subject - subject.used().min(self.subject);
        let row = row.append(subject).gap(rest + 2);
        let row = match line.open {
            Some(open) => {
                row.text(look.style(Role::Accent), &format!("{}{} ", symbols::opens(open), entry.cases))
            }
            None => row,
        };
        found(look, look.style(if quiet { Role::Dim } else { said(entry.kind) }), &entry.text, search, row)
    }
}

/// Text with every place that was searched for standing out.
fn found(look: &Look, style: Style, text: &str, search: &str, mut row: Row) -> Row {
    let lower = text.to_ascii_lowercase();
    let wanted = search.to_ascii_lowercase();
    let mut at = 0;
    while let Some(place) = lower[at..].find(&wanted).filter(|_| !wanted.is_empty()) {
        let from = at + place;
        let to = at + place + wanted.len();
        row = row.text(style, &text[at..from]).text(look.style(Role::Match), &text[from..to]);
        at = to;
    }
    row.text(style, &text[at..])
}

/// Words take the colour of their mark only where they need a person, or end something that did.
fn said(kind: EntryKind) -> Role {
    match kind {
        EntryKind::Trouble
        | EntryKind::Alert
        | EntryKind::Rejected
        | EntryKind::Unverified
        | EntryKind::Unknown
        | EntryKind::Verified => symbols::entry(kind).1,
        _ => Role::Text,
    }
}

/// The time as it is asked for, or both where there is room.
fn times(frame: &Frame<'_>, at: DateTime<Utc>, both: bool) -> String {
    match since_began(frame, at).filter(|_| both) {
        Some(elapsed) => format!("{}  {elapsed}", utc(frame, at)),
        None => time(frame, at),
    }
}

/// When: UTC, or counted from the first trouble.
pub fn time(frame: &Frame<'_>, at: DateTime<Utc>) -> String {
    since_began(frame, at).filter(|_| frame.screen.elapsed).unwrap_or_else(|| utc(frame, at))
}

/// The time of day; before it the day, where it is another than now: `−1d 23:59:01`.
fn utc(frame: &Frame<'_>, at: DateTime<Utc>) -> String {
    let clock = at.format("%H:%M:%S");
    match (frame.now.date_naive() - at.date_naive()).num_days() {
        0 => clock.to_string(),
        days => format!("{}{}d {clock}", if days > 0 { "−" } else { "+" }, days.abs()),
    }
}

fn since_began(frame: &Frame<'_>, at: DateTime<Utc>) -> Option<String> {
    let began = frame.world.began()?;
    let span = units::between(began, at);
    Some(format!("{}{}", if span >= TimeDelta::zero() { "+" } else { "" }, units::elapsed(span)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::clean::Clean;

    /// Where the selected line stands in the pane.
    fn row(list: &ListView, ids: &[u64], height: u16) -> usize {
        let at = ids.iter().position(|id| list.selected.as_deref() == Some(&*id.to_string())).unwrap();
        let seen = held(list, at, ids.len(), height);
        assert!(seen.contains(&at) && seen.len() <= usize::from(height));
        at - seen.start
    }

    proptest! {
        #[test]
        fn what_comes_never_moves_the_line_that_is_read(
            len in 1_usize..60, at in 0_usize..60, height in 1_u16..30, places in prop::collection::vec(0_usize..200, 0..60)
        ) {
            let mut ids: Vec<u64> = (1..=len as u64).collect();
            let held: Vec<Clean> = ids.iter().map(|id| id.to_string().into()).collect();
            let list = ListView { selected: Some(held[at % len].clone()), held, filter: Clean::default() };
            let before = row(&list, &ids, height);
            for (n, place) in places.iter().enumerate() {
                ids.insert(place % (ids.len() + 1), 1_000 + n as u64);
                prop_assert_eq!(row(&list, &ids, height), before);
            }
        }
    }
}
