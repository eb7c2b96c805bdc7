//! Followed logs: the streams and how they are, then the lines, the newest at the bottom.

mod line;

use self::line::{Line, Prefix};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::event::{LogEnd, LogSource, LogState};
use crate::state::{Anchor, Frame, LogStream, LogView};
use crate::theme::Role;
use crate::units;
use crate::view::Look;
use crate::view::pages::Draw;
use crate::view::primitives::text::Row;
use crate::view::primitives::{pane, symbols};

/// Columns that the name of a source takes at most.
const SOURCE: usize = 24;

impl Draw for LogView {
    fn draw(&self, frame: &Frame<'_>, look: &Look, body: Rect, buf: &mut Buffer) {
        let log = self;
        let run = if log.extent.previous { ", the run before" } else { "" };
        let title = format!(
            "Logs of {} {}{run}",
            log.subject.kind,
            frame.world.place(log.subject.uid.context(), &log.subject.name)
        );
        let drawn = Page::new(
            frame,
            look,
            log,
            Rect { height: body.height.saturating_sub(3), width: body.width.saturating_sub(2), ..body },
        );
        let inside = pane::overlay(look, Role::BorderFocus, &title, &note(frame, log, drawn.last), body, buf);
        pane::lines(inside, [strip(look, log, Row::new(inside.width))], buf);
        let rest = Rect { y: inside.y + 1, height: inside.height.saturating_sub(1), ..inside };
        if drawn.rows.is_empty() {
            let words =
                if log.rows().is_empty() { "no lines yet" } else { "no line has what is searched for" };
            return pane::nothing(look, rest, words, buf);
        }
        let cursor = drawn.rows.iter().position(|(at, _)| Some(*at) == log.cursor);
        let first = drawn.rows.first().map_or(0, |(at, _)| *at);
        let last = drawn.last.unwrap_or_default();
        pane::lines(rest, drawn.rows.into_iter().map(|(_, row)| row), buf);
        pane::select(look, rest, cursor, buf);
        pane::more(look, inside, first..last + 1, log.rows().len(), buf);
    }
}

/// What is seen of the lines.
struct Page {
    /// Rows of the screen, each of a line.
    rows: Vec<(usize, Row)>,
    /// The last line.
    last: Option<usize>,
}

impl Page {
    fn new(frame: &Frame<'_>, look: &Look, log: &LogView, area: Rect) -> Self {
        let height = usize::from(area.height);
        let labels = log
            .streams
            .iter()
            .map(|stream| crate::view::primitives::text::width(&label(log, &stream.source)))
            .max()
            .unwrap_or(0)
            .min(SOURCE);
        let lines = Lines { frame, look, log, columns: area.width, height, labels };
        let newest = log.rows().len().saturating_sub(1);
        let (mut rows, first) = match log.place {
            Anchor::Newest => lines.upward(newest, Vec::new()),
            Anchor::Bottom(at) => lines.upward(at, Vec::new()),
            Anchor::Top(at) => (Vec::new(), at),
        };
        let below = rows.last().map_or(first, |(at, _)| at + 1);
        lines.downward(below, &mut rows);
        if rows.len() < height && first > 0 {
            rows = lines.upward(first - 1, rows).0;
        }
        Self { last: rows.last().map(|(at, _)| *at), rows }
    }
}

/// How lines become rows.
struct Lines<'a> {
    frame: &'a Frame<'a>,
    look: &'a Look<'a>,
    log: &'a LogView,
    columns: u16,
    height: usize,
    labels: usize,
}

impl Lines<'_> {
    /// Puts lines before `rows`, from `at` upward, as many as there is room for; answers the first line as
    /// well.
    fn upward(&self, at: usize, rows: Vec<(usize, Row)>) -> (Vec<(usize, Row)>, usize) {
        let mut room = self.height.saturating_sub(rows.len());
        let mut blocks = Vec::new();
        let mut first = at;
        for at in self.log.above(at) {
            if room == 0 {
                break;
            }
            let mut block = self.rows(at);
            block.drain(..block.len().saturating_sub(room));
            room -= block.len();
            first = at;
            blocks.push(block.into_iter().map(move |row| (at, row)));
        }
        (blocks.into_iter().rev().flatten().chain(rows).collect(), first)
    }

    /// Puts lines after `rows`, from `at` downward.
    fn downward(&self, at: usize, rows: &mut Vec<(usize, Row)>) {
        for at in self.log.below(at) {
            if rows.len() >= self.height {
                return;
            }
            rows.extend(self.rows(at).into_iter().map(|row| (at, row)));
            rows.truncate(self.height);
        }
    }

    fn rows(&self, at: usize) -> Vec<Row> {
        let Some(row) = self.log.rows().get(at) else { return Vec::new() };
        let stream = self.log.streams.get(usize::from(row.line.stream));
        let name = stream.map_or_else(String::new, |stream| label(self.log, &stream.source));
        let prefix = Prefix {
            name,
            columns: self.labels,
            role: source(row.line.stream),
            chosen: self.log.cursor == Some(at),
        };
        let line = Line::new(self.look, &row.line, self.frame.screen.log_look.raw, &self.log.search);
        line.rows(self.frame, &prefix, self.columns, self.log.right, self.height)
    }
}

/// What is over is not followed:
/// `scrolling paused, 12 below · since 5 m · "timeout" 3 of 12 · 1,204 lines dropped`
fn note(frame: &Frame<'_>, log: &LogView, last: Option<usize>) -> String {
    let look = frame.screen.log_look;
    let below = last.map_or(0, |last| log.below(last + 1).count());
    let mut parts = vec![match (log.place, log.extent.previous) {
        (Anchor::Newest, false) => "follow ●".to_owned(),
        (Anchor::Newest, true) => "its end".to_owned(),
        (_, false) => format!("scrolling paused, {} below", counted(below)),
        (_, true) => format!("{} below", counted(below)),
    }];
    parts.extend(
        log.extent
            .since()
            .map(|minutes| if minutes == 60 { "since 1 h".to_owned() } else { format!("since {minutes} m") }),
    );
    if log.search.is_on() {
        let cursor = log.cursor.filter(|at| log.rows().get(*at).is_some_and(|row| row.hit));
        let place = cursor.map(|at| log.rows().range(..=at).filter(|row| row.hit).count());
        let hits = counted(log.search.hits);
        let found =
            place.map_or_else(|| format!("{hits} found"), |place| format!("{} of {hits}", counted(place)));
        let only = if log.search.only { "only " } else { "" };
        parts.push(format!("{only}/{} {found}", log.search.text));
    }
    parts.extend(look.wrap.then(|| "wrapped".to_owned()));
    parts.extend(look.raw.then(|| "raw".to_owned()));
    parts.extend((log.right > 0 && !look.wrap).then(|| format!("from column {}", log.right + 1)));
    parts.extend(
        (log.dropped > 0).then(|| {
            format!("{} lines dropped", counted(usize::try_from(log.dropped).unwrap_or(usize::MAX)))
        }),
    );
    parts.join(" · ")
}

fn counted(number: usize) -> String {
    units::count(i64::try_from(number).ok())
}

/// The streams, those in trouble first, as many as there is room for:
/// `✖ xnq2x reconnecting: the stream ended  ● 5hmjs following`
fn strip(look: &Look, log: &LogView, row: Row) -> Row {
    let mut row = row.gap(1);
    if !log.left_out.is_empty() {
        let words =
            format!("▲ {} more are not followed: {} at once  ", log.left_out.len(), crate::state::STREAMS);
        row = row.text(look.style(Role::Warn), &words);
    }
    let mut streams: Vec<(usize, &LogStream)> = log.streams.iter().enumerate().collect();
    streams.sort_by_key(|(_, stream)| order(&stream.state));
    for (place, (number, stream)) in streams.iter().enumerate() {
        let rest = streams.len() - place;
        let next = entry(look, log, *number, stream, row.left());
        let room = if rest > 1 { next.used() + 8 } else { next.used() };
        if room > row.left() && place > 0 {
            return row.text(look.style(Role::Dim), &format!("+{rest} more"));
        }
        row = row.append(next);
    }
    if streams.is_empty() {
        row.text(look.style(Role::Dim), "it has no pods yet; each that comes is followed")
    } else {
        row
    }
}

fn entry(look: &Look, log: &LogView, number: usize, stream: &LogStream, columns: usize) -> Row {
    let (mark, role) = symbols::stream(&stream.state);
    let name = label(log, &stream.source);
    let row = Row::new(u16::try_from(columns).unwrap_or(u16::MAX)).text(look.style(role), mark).gap(1);
    let number = u16::try_from(number).unwrap_or_default();
    let row = if name.is_empty() { row } else { row.text(look.style(source(number)), &name).gap(1) };
    row.text(look.style(Role::Dim), &words(&stream.state)).gap(2)
}

/// What needs to be known first.
fn order(state: &LogState) -> u8 {
    match state {
        LogState::Refused(_) => 0,
        LogState::Reconnecting(_) => 1,
        LogState::Waiting(_) => 2,
        LogState::Connecting => 3,
        LogState::Following => 4,
        LogState::Ended(LogEnd::Exited(0, _)) => 6,
        LogState::Ended(_) => 5,
    }
}

fn words(state: &LogState) -> String {
    match state {
        LogState::Connecting => "asked for".to_owned(),
        LogState::Following => "following".to_owned(),
        LogState::Waiting(why) => format!("waiting: {why}"),
        LogState::Reconnecting(why) => format!("reconnecting: {why}"),
        LogState::Refused(why) => format!("refused: {why}"),
        LogState::Ended(LogEnd::Read) => "read to its end".to_owned(),
        LogState::Ended(LogEnd::Gone) => "gone".to_owned(),
        LogState::Ended(LogEnd::Exited(code, reason)) => match reason.as_str() {
            "" | "Error" | "Completed" => format!("ended, exit {code}"),
            reason => format!("ended, exit {code}, {reason}"),
        },
    }
}

/// The same for a stream as long as it is followed.
fn source(number: u16) -> Role {
    [Role::LogSource1, Role::LogSource2, Role::LogSource3, Role::LogSource4][usize::from(number % 4)]
}

/// What tells a source from the others: the end of its pod's name, its container's where there are several.
fn label(log: &LogView, source: &LogSource) -> String {
    let several = log.streams.iter().any(|stream| stream.source.container != source.container);
    let pod = if log.subject.kind == "pod" { "" } else { short(&source.pod, &log.subject.name) };
    match (pod, several) {
        (pod, false) => pod.to_owned(),
        ("", true) => source.container.to_string(),
        (pod, true) => format!("{pod}/{}", source.container),
    }
}

/// `medcontracthub-app-7596684fc8-xnq2x` → `xnq2x`; `kafka-0` as it is.
fn short<'a>(pod: &'a str, workload: &str) -> &'a str {
    let end = pod
        .strip_prefix(workload)
        .and_then(|rest| rest.strip_prefix('-'))
        .and_then(|rest| rest.rsplit('-').next());
    end.filter(|end| end.len() > 3 && !end.bytes().all(|byte| byte.is_ascii_digit())).unwrap_or(pod)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pods_are_told_apart_by_the_end_of_their_names() {
        for (pod, workload, told) in [
            ("medcontracthub-app-7596684fc8-xnq2x", "medcontracthub-app", "xnq2x"),
            ("kafka-0", "kafka", "kafka-0"),
            ("ocr-service-12-0", "ocr-service", "ocr-service-12-0"),
            ("app", "app", "app"),
        ] {
            assert_eq!(short(pod, workload), told);
        }
    }
}
