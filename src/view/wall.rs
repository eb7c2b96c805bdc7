//! The wall: for the big terminal, readable from five metres. How bad and for how long, and the worst of what
//! is wrong, in large letters; a large chart of what is wrong with the rates or the lag, and what happened
//! last. Nothing to press and no cursor; a last line only while something needs a person.

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout as Split, Rect};
use ratatui::style::{Modifier, Style};

use super::Look;
use super::panes::{lag, rates, timeline};
use super::primitives::axis::{self, Axis};
use super::primitives::big_text::Letters;
use super::primitives::chart::{GUTTER, Plot, Scale};
use super::primitives::text::Row;
use super::primitives::{pane, symbols};
use super::summary::{Summary, Trouble};
use crate::clean::Clean;
use crate::event::{Signal, SourceId, SourceState, Unit};
use crate::state::{Frame, Group, Severity, Stage};
use crate::theme::Role;
use crate::units;

/// Troubles that are told large.
const WORST: usize = 3;
/// Entries of the timeline, with their frame.
const LATEST: u16 = 5 + 2;
/// From so many rows on there is room for the timeline below the charts.
const TALL: u16 = 30;
/// A chart is worth drawing from so many rows on.
const CHART: u16 = 4;

/// Draws all below the header.
pub fn draw(frame: &Frame<'_>, look: &Look, summary: &Summary, body: Rect, buf: &mut Buffer) {
    let elapsed = elapsed(frame, summary);
    let letters = headline(look, word(summary), &elapsed, body);
    let worst = Worst::new(look, summary, body);
    let top = letters.map_or(0, |letters| letters.rows() + 2);
    let below = if body.height >= TALL { LATEST.max(body.height / 6) } else { 0 };
    let rows = [
        Constraint::Length(top),
        Constraint::Length(worst.rows()),
        Constraint::Fill(1),
        Constraint::Length(below),
    ];
    let [head, middle, charts, last] = Split::vertical(rows).areas(body);
    if let Some(letters) = letters {
        draw_head(look, summary, (word(summary), &elapsed), letters, head, buf);
    }
    worst.draw(look, inset(middle), buf);
    draw_charts(frame, look, charts, buf);
    if below > 0 {
        timeline::draw(frame, look, last, buf);
    }
    if summary.calm() {
        dim(look, body, buf);
    }
}

/// Without the columns at both sides.
fn inset(area: Rect) -> Rect {
    Rect { x: area.x + area.width.min(2), width: area.width.saturating_sub(4), ..area }
}

/// Word and time beside each other, as large as fits; where there is room for one of them, the time.
fn headline(look: &Look, word: &str, elapsed: &str, body: Rect) -> Option<Letters> {
    let columns = body.width.saturating_sub(4);
    let rows = body.height / 4;
    let fitting = |text: &str| Letters::fitting(&[text], columns, rows, look.ascii);
    fitting(&format!("{word} {elapsed}")).or_else(|| fitting(elapsed))
}

fn draw_head(
    look: &Look,
    summary: &Summary,
    (word, elapsed): (&str, &str),
    letters: Letters,
    area: Rect,
    buf: &mut Buffer,
) {
    let inside =
        inset(Rect { y: area.y + area.height.min(1), height: area.height.saturating_sub(1), ..area });
    let columns = letters.width(elapsed).min(inside.width);
    let right = Rect { x: inside.right() - columns, width: columns, ..inside };
    letters.draw(elapsed, look.style(Role::Strong), right, buf);
    if letters.width(&format!("{word} {elapsed}")) <= inside.width {
        letters.draw(word, look.style(role(summary)).add_modifier(Modifier::BOLD), inside, buf);
    }
}

/// When all is well nothing draws the eye: every colour goes, marks and words stay.
fn dim(look: &Look, body: Rect, buf: &mut Buffer) {
    buf.set_style(body, Style { bg: None, ..look.style(Role::Dim) }.remove_modifier(Modifier::BOLD));
}

fn word(summary: &Summary) -> &'static str {
    match summary.troubles.first().map(|trouble| trouble.severity) {
        Some(Severity::Critical) => "CRIT",
        Some(_) => "WARN",
        None if summary.calm() => "OK",
        None => "?",
    }
}

fn role(summary: &Summary) -> Role {
    match summary.troubles.first().map(|trouble| trouble.severity) {
        Some(severity) => symbols::severity(severity).1,
        None if summary.calm() => Role::Ok,
        None => Role::Unknown,
    }
}

/// Since the oldest trouble that stands; when all is well the time of day.
fn elapsed(frame: &Frame<'_>, summary: &Summary) -> String {
    let began = frame.world.standing().filter(|_| !summary.troubles.is_empty());
    began.map_or_else(
        || frame.now.format("%H:%M:%S").to_string(),
        |began| units::elapsed(units::between(began, frame.now)),
    )
}

/// The worst of what is wrong, each as large as all of them fit: in whole, else its name large and the rest
/// below it, else in a line.
struct Worst<'a> {
    told: Vec<(&'a Trouble, String)>,
    letters: Option<Letters>,
    /// The rest stands below the name.
    apart: bool,
    /// How many more there are.
    more: usize,
}

impl<'a> Worst<'a> {
    fn new(look: &Look, summary: &'a Summary, body: Rect) -> Self {
        let columns = body.width.saturating_sub(4);
        let most = body.height * 2 / 5;
        let told = |count: usize, apart: bool| {
            let worst = summary.troubles.iter().take(count);
            let words =
                |trouble: &Trouble| if apart { name(trouble).0.to_owned() } else { trouble.words.clone() };
            worst
                .map(|trouble| {
                    (trouble, format!("{} {}", symbols::severity(trouble.severity).0, words(trouble)))
                })
                .collect::<Vec<_>>()
        };
        let all = summary.troubles.len();
        let tries = [(WORST, false), (WORST, true), (2, true), (1, false), (1, true)];
        let fitting = tries.into_iter().filter(|_| all > 0).find_map(|(count, apart)| {
            let told = told(count, apart);
            let texts: Vec<&str> = told.iter().map(|(_, text)| text.as_str()).collect();
            let lines = u16::try_from(told.len()).unwrap_or(1);
            let least = if look.ascii { 7 } else { 4 };
            let rows = (most / lines).saturating_sub(1 + u16::from(apart)).min((body.height / 8).max(least));
            let letters = Letters::fitting(&texts, columns, rows, look.ascii)?;
            Some(Self { more: all - told.len(), told, letters: Some(letters), apart })
        });
        fitting.unwrap_or_else(|| Self {
            told: told(WORST, false),
            letters: None,
            apart: false,
            more: all.saturating_sub(WORST),
        })
    }

    /// Rows of one.
    fn each(&self) -> u16 {
        self.letters.map_or(1, |letters| letters.rows() + 1 + u16::from(self.apart))
    }

    fn rows(&self) -> u16 {
        u16::try_from(self.told.len()).unwrap_or(0) * self.each() + u16::from(self.more > 0)
    }

    fn draw(&self, look: &Look, area: Rect, buf: &mut Buffer) {
        for (n, (trouble, text)) in (0..).zip(&self.told) {
            let style = look.style(symbols::severity(trouble.severity).1).add_modifier(Modifier::BOLD);
            let place = Rect { y: area.y + n * self.each(), height: self.each(), ..area }.intersection(area);
            match self.letters {
                Some(letters) => letters.draw(text, style, place, buf),
                None => pane::lines(place, [Row::new(place.width).text(style, text)], buf),
            }
            if self.apart {
                let below = Rect {
                    y: place.bottom().saturating_sub(2).max(place.y),
                    height: place.height.min(1),
                    ..place
                };
                pane::lines(
                    below,
                    [Row::new(below.width).text(look.style(Role::Strong), name(trouble).1)],
                    buf,
                );
            }
        }
        if self.more > 0 {
            let last = Rect { y: area.bottom().saturating_sub(1), height: area.height.min(1), ..area };
            pane::lines(
                last,
                [Row::new(area.width).text(look.style(Role::Dim), &format!("+{} more", self.more))],
                buf,
            );
        }
    }
}

/// What is wrong, and how: `ocr-service` and `CrashLoopBackOff`.
fn name(trouble: &Trouble) -> (&str, &str) {
    trouble.words.split_once(' ').unwrap_or((&trouble.words, ""))
}

/// What is wrong has the room: the rates of the service that fails most, the group that falls behind, or one
/// beside the other. While neither is wrong, all services and the worst group.
fn draw_charts(frame: &Frame<'_>, look: &Look, area: Rect, buf: &mut Buffer) {
    let over = frame.world.failing();
    let failing =
        over.into_iter().max_by(|(_, a), (_, b)| a.total_cmp(b)).map(|(service, _)| service.clone());
    let groups = frame.world.lag.rows();
    let behind = groups.iter().copied().find(|group| group.in_trouble());
    let shown = behind
        .or_else(|| groups.iter().copied().find(|group| group.lag().is_some()))
        .or(groups.first().copied());
    let share = match (&failing, behind) {
        (Some(_), Some(_)) => 50,
        (None, Some(_)) => 0,
        _ => 68,
    };
    let [left, right] = Split::horizontal([Constraint::Percentage(share), Constraint::Fill(1)]).areas(area);
    match &failing {
        Some(service) => draw_service(frame, look, service, left, buf),
        None if share > 0 => rates::draw(frame, look, left, buf),
        None => {}
    }
    draw_lag(frame, look, shown, right, buf);
}

/// A figure in large letters at the top, words beside it; answers the place below.
fn figure(look: &Look, figure: &str, role: Role, words: &[String], inside: Rect, buf: &mut Buffer) -> Rect {
    let words = |area: Rect, buf: &mut Buffer| {
        pane::lines(
            area,
            words.iter().map(|text| Row::new(area.width).text(look.style(Role::Text), text)),
            buf,
        );
    };
    let inside = Rect { x: inside.x + inside.width.min(1), width: inside.width.saturating_sub(1), ..inside };
    let columns = inside.width.saturating_sub(20);
    let rows = inside.height.saturating_sub(CHART + 1);
    let Some(letters) = Letters::fitting(&[figure], columns, rows.min(inside.height / 2), look.ascii) else {
        let line = Rect { height: inside.height.min(1), ..inside };
        pane::lines(line, [Row::new(line.width).text(look.style(role), figure)], buf);
        let beside = u16::try_from(figure.chars().count() + 2).unwrap_or(u16::MAX).min(line.width);
        words(Rect { x: line.x + beside, width: line.width - beside, ..line }, buf);
        return Rect { y: line.bottom(), height: inside.height - line.height, ..inside };
    };
    letters.draw(figure, look.style(role).add_modifier(Modifier::BOLD), inside, buf);
    let beside = (letters.width(figure) + 2).min(inside.width);
    words(Rect { x: inside.x + beside, width: inside.width - beside, height: letters.rows(), ..inside }, buf);
    let taken = (letters.rows() + 1).min(inside.height);
    Rect { y: inside.y + taken, height: inside.height - taken, ..inside }
}

fn draw_service(frame: &Frame<'_>, look: &Look, service: &Clean, area: Rect, buf: &mut Buffer) {
    let inside = pane::titled(look, &format!("5xx {service}"), &rates::note(frame), area, buf);
    let inside = pane::outdated(frame, look, SourceId::Prometheus, inside, buf);
    let (Some(series), Some(now)) = (frame.world.rates.services.get(service), frame.world.rates.now(service))
    else {
        return;
    };
    let rate = |number| units::quantity(number, Unit::PerSecond);
    let words = [format!("{} of {}", rate(now.errors), rate(now.requests))];
    let place =
        figure(look, &units::percent(now.ratio()).replace(' ', ""), Role::Critical, &words, inside, buf);
    let axis = rates::axis_of(frame, place);
    let threshold = Some(frame.world.threshold(service));
    let values = series.dots(Signal::Errors, axis.from, axis.to, axis.dots());
    draw_chart(
        frame,
        look,
        axis,
        (&values, Scale::new(&values, threshold, Unit::Ratio), threshold),
        place,
        buf,
    );
}

/// A line with its axis and what happened meanwhile.
fn draw_chart(
    frame: &Frame<'_>,
    look: &Look,
    axis: Axis,
    (values, scale, threshold): (&[Option<f64>], Scale, Option<f64>),
    area: Rect,
    buf: &mut Buffer,
) {
    if area.height < CHART {
        return;
    }
    let marks = axis::marked(frame, axis);
    let [chart, below] = Split::vertical([Constraint::Fill(1), Constraint::Length(2)]).areas(area);
    Plot { values, scale, threshold, marks: &axis::columns(&marks) }.draw(look, chart, buf);
    axis::draw(frame, look, axis, &marks, below, buf);
}

/// The worst group: its lag as a large number, what it does, and how it came to it.
fn draw_lag(frame: &Frame<'_>, look: &Look, group: Option<&Group>, area: Rect, buf: &mut Buffer) {
    let Some(group) = group else {
        let inside = pane::titled(look, "Kafka lag", &lag::note(frame), area, buf);
        return pane::nothing(look, inside, "lag is unknown", buf);
    };
    let inside = pane::titled(look, &format!("Kafka lag {}", group.now.group), &lag::note(frame), area, buf);
    let inside = pane::outdated(frame, look, SourceId::Kafka, inside, buf);
    let (mark, role) = symbols::group(group);
    let number =
        format!("{}{}", units::count(group.lag()), symbols::trend(group.growth()).replace('·', "").trim());
    let behind =
        group.seconds_behind().map_or_else(String::new, |span| format!("{} behind", units::seconds(span)));
    let unknown = lag::unknown(group).map_or_else(String::new, |n| format!("{n} unknown"));
    let words = [format!("{mark} {}", lag::word(group)), unknown, behind, lag::drained(group)];
    let place = figure(look, &number, if group.in_trouble() { role } else { Role::Dim }, &words, inside, buf);
    // The time that is known of it, at most as much as the other charts show.
    let known = group.history.front().map_or_else(chrono::TimeDelta::zero, |(at, _)| frame.now - *at);
    let length = known.clamp(chrono::TimeDelta::minutes(1), frame.screen.span.length());
    let axis = Axis::new(frame.now, length, place.width.saturating_sub(GUTTER + 1));
    let values = axis.held(
        group
            .history
            .iter()
            .map(|(at, lag)| (*at, lag.and_then(|lag| i32::try_from(lag).ok()).map(f64::from))),
    );
    draw_chart(frame, look, axis, (&values, Scale::counts(&values), None), place, buf);
}

/// What needs a person and is said nowhere else on the wall; the last line is empty without it.
pub fn draw_footer(frame: &Frame<'_>, look: &Look, area: Rect, buf: &mut Buffer) {
    let needs = needs(frame);
    if needs.is_empty() {
        return;
    }
    let role = Role::AlertCritical;
    buf.set_style(area, look.style(role));
    let words = needs.join(" · ");
    pane::lines(area, [Row::new(area.width).gap(1).text(look.style(role), &words)], buf);
}

fn needs(frame: &Frame<'_>) -> Vec<String> {
    let mut needs: Vec<String> =
        frame.world.journal_trouble.iter().map(|why| format!("not recorded: {why}")).collect();
    for run in frame.world.runs.all() {
        let mark = units::circled(run.mark);
        match &run.stage {
            Stage::Unknown(why) => needs.push(format!("{mark} {}: outcome unknown, {why}", run.intent.title)),
            Stage::Partial(why) => needs.push(format!("{mark} {}: made in part, {why}", run.intent.title)),
            Stage::Failed(why) => needs.push(format!("{mark} {}: failed, {why}", run.intent.title)),
            Stage::Done(verdict) if !verdict.ok => {
                needs.push(format!("{mark} {}: its effect was not seen", run.intent.title));
            }
            _ => {}
        }
    }
    let silent = frame
        .world
        .sources
        .values()
        .filter(|health| matches!(health.state, SourceState::Down | SourceState::Stale));
    needs.extend(silent.map(|health| {
        format!("{} {} since {}", health.source.name(), health.state.word(), health.since.format("%H:%M:%S"))
    }));
    needs
}
