//! The two lines at the top: what this is, what is wrong and for how long, whether it can change anything;
//! and below, how well each source can be heard.

use chrono::{DateTime, Utc};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::Look;
use super::primitives::symbols;
use super::primitives::text::Row;
use super::summary::{Summary, places, since};
use crate::clean::Clean;
use crate::event::{ContextId, Mode, SourceHealth, SourceId, SourceState};
use crate::state::{Frame, Latest, Severity};
use crate::theme::Role;
use crate::units;

/// Columns that the context and namespace keep in any case.
const LEAST_PLACE: usize = 16;

/// Draws both lines.
pub fn draw(frame: &Frame<'_>, look: &Look, summary: &Summary, area: Rect, buf: &mut Buffer) {
    buf.set_style(area, look.style(Role::Header));
    let right = guards(frame, look, summary, area.width);
    let left = Row::new(area.width.saturating_sub(u16::try_from(right.used()).unwrap_or(0)));
    let first = trouble(look, summary, unrecorded(frame, look, mode(frame, look, left)));
    buf.set_line(area.x, area.y, &first.line(), area.width);
    let used = u16::try_from(right.used()).unwrap_or(area.width).min(area.width);
    buf.set_line(area.right() - used, area.y, &right.line(), used);
    buf.set_line(area.x, area.y + 1, &second(frame, look, area.width).line(), area.width);
}

fn mode(frame: &Frame<'_>, look: &Look, row: Row) -> Row {
    let (role, word) =
        match (&frame.screen.playback, frame.world.session.as_ref().map(|session| session.mode)) {
            (Some(_), _) => (Role::Replay, "REPLAY"),
            (None, Some(Mode::Demo)) => (Role::Demo, "DEMO"),
            (None, Some(Mode::Live)) => (Role::Ok, "LIVE"),
            (None, None) => (Role::Dim, "…"),
        };
    row.text(look.style(role), &format!(" {word} ")).gap(1)
}

/// Counts, then the worst things in words, as many as there is room for.
fn trouble(look: &Look, summary: &Summary, mut row: Row) -> Row {
    if summary.troubles.is_empty() {
        let (mark, role, words) = match summary.unheard.join(", ") {
            _ if !summary.known => ("○", Role::Dim, "cluster not read yet".to_owned()),
            unheard if unheard.is_empty() => ("●", Role::Ok, "all clear".to_owned()),
            unheard => ("▲", Role::Warn, format!("no trouble in what is read · {unheard}")),
        };
        return row.text(look.style(role), mark).text(look.style(Role::Text), &format!(" {words}"));
    }
    for (role, count) in summary.counts() {
        row = row.text(look.style(role), &count).gap(2);
    }
    for (n, trouble) in summary.troubles.iter().enumerate() {
        let left = summary.troubles.len() - n;
        let more = format!("+{} more", summary.troubles.len() - n);
        let separator = if n == 0 { "" } else { " · " };
        let needed = super::primitives::text::width(&trouble.words)
            + separator.len()
            + if left > 1 { more.len() + 3 } else { 0 };
        if needed > row.left() && n > 0 {
            return row.text(look.style(Role::Dim), &format!("{separator}{more}"));
        }
        let style =
            look.style(if trouble.severity == Severity::Critical { Role::Strong } else { Role::Text });
        row = row.text(look.style(Role::Dim), separator).text(style, &trouble.words);
    }
    row
}

/// How long it lasts, and whether anything can be changed from here.
fn guards(frame: &Frame<'_>, look: &Look, summary: &Summary, columns: u16) -> Row {
    let mut row = Row::new(columns).gap(2);
    if let Some(began) = frame.world.standing().filter(|_| !summary.troubles.is_empty()) {
        row =
            row.text(look.style(Role::HeaderTime), &units::elapsed(units::between(began, frame.now))).gap(2);
    }
    let (role, words) = guard(frame);
    row.text(look.style(role), &words).gap(1)
}

fn guard(frame: &Frame<'_>) -> (Role, String) {
    if let Some(playback) = &frame.screen.playback {
        let pace = if playback.playing { format!("×{}", playback.speed) } else { "paused".to_owned() };
        return (Role::Replay, format!(" {} {pace} ", frame.now.format("%H:%M:%S")));
    }
    let left = |(context, until): (ContextId, DateTime<Utc>)| {
        let left = (until - frame.now).num_seconds();
        format!("{} ", frame.world.place(context, &format!("{:02}:{:02}", left / 60, left % 60)))
    };
    let armed: String = frame.world.armed(frame.now).map(left).collect();
    match &frame.world.session {
        _ if !armed.is_empty() => (Role::Armed, format!(" ARMED {armed}")),
        Some(session) if session.contexts.iter().all(|one| one.read_only) => {
            (Role::ReadOnly, "READ-ONLY".to_owned())
        }
        _ => (Role::Ok, "disarmed".to_owned()),
    }
}

/// Where this is, how well each source can be heard, and the time. A narrow screen keeps only the marks of
/// the sources that are well.
fn second(frame: &Frame<'_>, look: &Look, columns: u16) -> Row {
    let muted = if frame.screen.calls.muted { " muted " } else { "" };
    let clock = Row::new(columns)
        .text(look.style(Role::Dim), muted)
        .gap(1)
        .text(look.style(Role::HeaderTime), &frame.now.format("%H:%M:%S").to_string());
    let clock = clock.text(look.style(Role::Dim), if columns < 100 { "Z " } else { " UTC " });
    let left = usize::from(columns).saturating_sub(clock.used());
    let whole = place(frame, look, columns).used();
    let fits = |row: &Row, place: usize| row.used() + place <= left;
    let levels = [
        (Words::Remarks, whole),
        (Words::All, whole),
        (Words::OfTrouble, LEAST_PLACE),
        (Words::State, LEAST_PLACE),
    ];
    let fitting = levels
        .iter()
        .map(|(words, place)| (sources(frame, look, *words), place))
        .find(|(row, place)| fits(row, **place));
    let marks = || Some(sources(frame, look, Words::None)).filter(|row| fits(row, LEAST_PLACE));
    let heard =
        fitting.map(|(row, _)| row).or_else(marks).unwrap_or_else(|| sources(frame, look, Words::Figures));
    let room = left.saturating_sub(heard.used()).max(LEAST_PLACE);
    let row = Row::new(columns).append(place(frame, look, u16::try_from(room).unwrap_or(columns)));
    let rest = u16::try_from(left.saturating_sub(row.used())).unwrap_or(0);
    row.append(heard.cut(rest)).right(clock)
}

fn place(frame: &Frame<'_>, look: &Look, columns: u16) -> Row {
    let Some(session) = &frame.world.session else { return Row::new(columns) };
    let namespaces = session.namespaces.join(", ");
    let namespaces = if namespaces.is_empty() { "all namespaces" } else { &namespaces };
    let labels: Vec<&str> = session.contexts.iter().map(|one| one.label.as_str()).collect();
    let row = Row::new(columns)
        .gap(1)
        .text(look.style(Role::Strong), &labels.join(" + "))
        .text(look.style(Role::Dim), " · ");
    row.text(look.style(Role::Text), namespaces).gap(1)
}

/// What is not recorded cannot be replayed, and nothing may be changed meanwhile.
fn unrecorded(frame: &Frame<'_>, look: &Look, row: Row) -> Row {
    let Some(trouble) = &frame.world.journal_trouble else { return row };
    let words =
        if row.left() >= 90 { format!(" NOT RECORDED: {trouble} ") } else { " NOT RECORDED ".to_owned() };
    row.text(look.style(Role::AlertCritical), &words).gap(2)
}

/// How much is said of the sources.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Words {
    /// Everything, and why.
    Remarks,
    /// Everything.
    All,
    /// Everything of those that are not live.
    OfTrouble,
    /// Only the state of those that are not live.
    State,
    /// Nothing: the marks have to do.
    None,
    /// The same, of those that are live and have no figure not even the mark.
    Figures,
}

/// What is known of a source.
struct Heard {
    name: &'static str,
    state: SourceState,
    /// In full.
    words: String,
    /// What is said of it in any case.
    figure: String,
    /// Why it is not better.
    remark: Option<String>,
}

fn sources(frame: &Frame<'_>, look: &Look, words: Words) -> Row {
    let own = SourceId::header_items().into_iter();
    let own = own.filter_map(|(id, name)| Some(single(frame, name, frame.world.sources.get(&id)?)));
    let parts = cluster(frame).into_iter().chain(own);
    let told = |heard: &Heard| {
        words != Words::Figures || heard.state != SourceState::Live || !heard.figure.is_empty()
    };
    parts.filter(told).fold(Row::new(u16::MAX), |row, heard| {
        let (mark, role) = symbols::source(heard.state);
        let live = heard.state == SourceState::Live;
        let told = match words {
            Words::Remarks => {
                heard.remark.map_or(heard.words.clone(), |remark| format!("{} ({remark})", heard.words))
            }
            Words::All => heard.words,
            Words::OfTrouble if !live => heard.words,
            Words::State if !live && heard.figure.is_empty() => heard.state.word().to_owned(),
            _ => heard.figure,
        };
        let row = row
            .gap(1)
            .text(look.style(Role::Dim), &format!("{} ", heard.name))
            .text(look.style(role), mark)
            .gap(1);
        row.text(look.style(if live { Role::Text } else { role }), &told).gap(usize::from(!told.is_empty()))
    })
}

/// The watches as one: as well as the worst of them can be heard.
fn cluster(frame: &Frame<'_>) -> Option<Heard> {
    let watches: Vec<&SourceHealth> =
        frame.world.sources.values().filter(|health| health.source.of_cluster()).collect();
    let worst = watches.iter().copied().max_by_key(|health| health.state.badness())?;
    let alike: Vec<&SourceHealth> =
        watches.iter().copied().filter(|health| health.state == worst.state).collect();
    let names = alike.iter().map(|health| health.source.name()).collect::<Vec<_>>().join(", ");
    let limited = alike.iter().filter(|health| health.error.is_some()).count();
    let whose = places(worst).map(|places| format!(" ({places})")).unwrap_or_default();
    let state = worst.state;
    let placed = if whose.is_empty() { String::new() } else { format!("{}{whose}", state.word()) };
    let (words, figure) = match state {
        SourceState::Live if limited > 0 => {
            (format!("live, {limited} limited"), format!("{limited} limited"))
        }
        SourceState::Live => ("live".to_owned(), String::new()),
        SourceState::Blind => (format!("blind{whose}: {names}{}", code(worst)), placed),
        _ if alike.len() == watches.len() => (format!("{}{whose}", since(worst)), placed),
        _ => (format!("{}{whose}: {names}", since(worst)), placed),
    };
    let remark = reasons(&alike);
    Some(Heard { name: "k8s", state, words, figure, remark: (!remark.is_empty()).then_some(remark) })
}

/// Why the watches are as they are, each reason once.
fn reasons(watches: &[&SourceHealth]) -> String {
    let of = |health: &&SourceHealth| {
        let of_parts: Vec<Clean> = health.worst().filter_map(|part| part.error.clone()).collect();
        if of_parts.is_empty() { health.error.iter().cloned().collect() } else { of_parts }
    };
    let mut told: Vec<Clean> = watches.iter().flat_map(of).collect();
    told.sort_unstable();
    told.dedup();
    told.iter().map(Clean::as_str).collect::<Vec<_>>().join("; ")
}

/// ` (403)`, where the error says so.
fn code(health: &SourceHealth) -> String {
    let error = health.error.as_deref().unwrap_or_default();
    ["401", "403"]
        .iter()
        .find(|code| error.contains(**code))
        .map(|code| format!(" ({code})"))
        .unwrap_or_default()
}

/// A source by itself: what it says while it is live, else since when it does not.
fn single(frame: &Frame<'_>, name: &'static str, health: &SourceHealth) -> Heard {
    let state = health.state;
    let latest = frame.world.latest(health.source).filter(|_| state == SourceState::Live);
    let (words, figure) = match latest {
        Some(Latest::ReadAt(at)) => {
            (units::seconds((frame.now - at).as_seconds_f64().max(0.0)), String::new())
        }
        Some(Latest::Firing(0)) => ("0 firing".to_owned(), String::new()),
        Some(Latest::Firing(count)) => (format!("{count} firing"), count.to_string()),
        None => (format!("{}{}", since(health), code(health)), String::new()),
    };
    let remark = health.error.as_ref().map(ToString::to_string);
    Heard { name, state, words, figure, remark }
}
