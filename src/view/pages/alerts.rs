//! The overlay of alerts: by name, with who keeps which quiet until when; below them all that is known of the
//! chosen one.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::clean::Clean;
use crate::event::{Alert, Silence, SourceId};
use crate::state::{AlertList, Frame};
use crate::theme::Role;
use crate::units;
use crate::view::Look;
use crate::view::pages::Draw;
use crate::view::primitives::pane;
use crate::view::primitives::text::{Row, wrap};
use crate::view::summary;

/// Columns that a line is easily read in.
const COLUMNS: u16 = 150;
/// Columns of the words at the left.
const LABEL: usize = 13;

impl Draw for AlertList {
    fn draw(&self, frame: &Frame<'_>, look: &Look, body: Rect, buf: &mut Buffer) {
        let selected = self.selected.as_ref();
        let alerts = &frame.world.alerts;
        let groups = alerts.grouped();
        let first = groups.first().and_then(|(_, alerts)| alerts.first()).map(|alert| &alert.fingerprint);
        let chosen = selected.or(first);
        let columns = COLUMNS.min(body.width);
        let mut lines = Vec::new();
        let mut at = None;
        for (name, of_name) in &groups {
            lines.push(group(look, name, of_name, Row::new(columns.saturating_sub(2))));
            for alert in of_name {
                if Some(&alert.fingerprint) == chosen {
                    at = Some(lines.len());
                }
                lines.push(row(frame, look, alert, Row::new(columns.saturating_sub(2))));
            }
        }
        let page = Page { frame, look, columns: columns.saturating_sub(2) };
        let about = chosen.map(|fingerprint| page.about(fingerprint)).unwrap_or_default();
        let height = u16::try_from(lines.len() + about.len() + 2).unwrap_or(u16::MAX).max(5);
        let inside = pane::overlay(
            look,
            Role::BorderFocus,
            "Alerts",
            &note(frame),
            pane::centred(body, columns, height),
            buf,
        );
        if lines.is_empty() {
            return pane::nothing(look, inside, &nothing(frame), buf);
        }
        // the list keeps a third, if it needs it
        let listed = u16::try_from(lines.len()).unwrap_or(u16::MAX).min(inside.height / 3);
        let below = u16::try_from(about.len()).unwrap_or(u16::MAX).min(inside.height.saturating_sub(listed));
        let top = Rect { height: inside.height - below, ..inside };
        let seen = pane::window(lines.len(), at, top.height);
        let count = lines.len();
        pane::lines(top, lines.drain(seen.clone()), buf);
        pane::select(look, top, at.map(|at| at.saturating_sub(seen.start)), buf);
        pane::lines(Rect { y: top.bottom(), height: below, ..inside }, about, buf);
        pane::more(look, inside, seen, count, buf);
    }
}

fn note(frame: &Frame<'_>) -> String {
    let silences = frame.world.alerts.silences().len();
    let firing = format!("{} firing", frame.world.alerts.firing());
    let silences = (silences > 0).then(|| units::counted(silences, "silence"));
    [Some(firing), silences, summary::silence(frame, SourceId::Alertmanager)]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(" · ")
}

fn nothing(frame: &Frame<'_>) -> String {
    summary::told(frame, SourceId::Alertmanager)
        .map_or_else(|| "no alerts".to_owned(), |why| format!("no alerts are known: {why}"))
}

/// What an alert is doing: mark, word and colour.
fn doing(alert: &Alert) -> (&'static str, &'static str, Role) {
    match alert.state.as_str() {
        "active" => ("▲", "firing", Role::TimelineAlert),
        _ if !alert.silenced_by.is_empty() => ("–", "silenced", Role::Dim),
        _ if !alert.inhibited_by.is_empty() => ("–", "inhibited", Role::Dim),
        "suppressed" => ("–", "suppressed", Role::Dim),
        _ => ("○", "new", Role::Warn),
    }
}

fn group(look: &Look, name: &str, alerts: &[&Alert], row: Row) -> Row {
    let firing = alerts.iter().filter(|alert| alert.active()).count();
    let quiet = alerts.len() - firing;
    let firing = (firing > 0).then(|| format!("{firing} firing"));
    let quiet = (quiet > 0).then(|| format!("{quiet} suppressed"));
    let counts = [firing, quiet].into_iter().flatten().collect::<Vec<_>>().join(", ");
    row.gap(1).text(look.style(Role::Title), name).gap(2).text(look.style(Role::Dim), &counts)
}

fn row(frame: &Frame<'_>, look: &Look, alert: &Alert, row: Row) -> Row {
    let (mark, word, role) = doing(alert);
    let about = alert.about().cloned().unwrap_or_else(|| labels(alert).into());
    let severity = alert.labels.get("severity").map_or("", Clean::as_str);
    let row = row.gap(2).text(look.style(role), mark).gap(1).cell(look.style(role), word, 10).gap(1);
    let row = row
        .cell(look.style(Role::Strong), &about, 26)
        .gap(1)
        .cell(look.style(Role::Text), severity, 9)
        .gap(1);
    let row = row.number(look.style(Role::Dim), &units::age(frame.now - alert.since), 7).gap(2);
    let quiet = frame
        .world
        .alerts
        .silencing(alert)
        .last()
        .map(|silence| format!("until {} by {}", until(frame, silence), silence.by));
    let words = quiet.or_else(|| alert.summary.as_ref().map(ToString::to_string)).unwrap_or_default();
    row.text(look.style(Role::Text), &words)
}

/// `15:30`, or with its date where that is another day.
fn until(frame: &Frame<'_>, silence: &Silence) -> String {
    let today = silence.ends.date_naive() == frame.now.date_naive();
    silence.ends.format(if today { "%H:%M UTC" } else { "%Y-%m-%d %H:%M UTC" }).to_string()
}

/// Labels besides the name.
fn labels(alert: &Alert) -> String {
    let others = alert
        .labels
        .iter()
        .filter(|(name, _)| *name != "alertname")
        .map(|(name, value)| format!("{name}={value}"));
    others.collect::<Vec<_>>().join(" ")
}

/// What the lines are made with.
struct Page<'a> {
    frame: &'a Frame<'a>,
    look: &'a Look<'a>,
    columns: u16,
}

impl Page<'_> {
    fn fact(&self, label: &str, role: Role, words: &str) -> Vec<Row> {
        let parts = wrap(words, usize::from(self.columns).saturating_sub(LABEL + 3));
        let label = |n: usize| if n == 0 { label } else { "" };
        let row = |(n, part): (usize, &String)| {
            Row::new(self.columns)
                .gap(1)
                .cell(self.look.style(Role::Dim), label(n), LABEL)
                .text(self.look.style(role), part)
        };
        parts.iter().enumerate().map(row).collect()
    }

    /// All that is known of one alert.
    fn about(&self, fingerprint: &str) -> Vec<Row> {
        let rule = "─".repeat(usize::from(self.columns));
        let mut lines = vec![Row::new(self.columns).text(self.look.style(Role::Border), &rule)];
        let Some(alert) = self.frame.world.alerts.get(fingerprint) else {
            lines.extend(self.fact("", Role::Ok, "○ the chosen alert has ended"));
            return lines;
        };
        let (mark, word, role) = doing(alert);
        let age = units::age(self.frame.now - alert.since);
        lines.extend(self.fact(
            "state",
            role,
            &format!("{mark} {word} · began {} ({age} ago)", alert.since.format("%H:%M:%S UTC")),
        ));
        let words = [("summary", &alert.summary), ("description", &alert.description)];
        lines.extend(
            words
                .into_iter()
                .filter_map(|(label, text)| Some(self.fact(label, Role::Text, text.as_ref()?)))
                .flatten(),
        );
        lines.extend(self.fact("labels", Role::Text, &labels(alert)));
        let links = [("runbook", &alert.runbook), ("rule", &alert.generator)];
        lines.extend(
            links
                .into_iter()
                .filter_map(|(label, url)| Some(self.fact(label, Role::Link, url.as_ref()?)))
                .flatten(),
        );
        for silence in self.frame.world.alerts.silencing(alert) {
            let matchers: Vec<String> = silence.matchers.iter().map(ToString::to_string).collect();
            let words = format!(
                "{} by {} until {}: {}",
                matchers.join(" "),
                silence.by,
                until(self.frame, silence),
                silence.comment
            );
            lines.extend(self.fact("silenced", Role::Text, &words));
        }
        let name = |id: &Clean| {
            self.frame.world.alerts.get(id).map_or_else(|| id.clone(), |other| other.name.clone())
        };
        let inhibiting: Vec<Clean> = alert.inhibited_by.iter().map(name).collect();
        if !inhibiting.is_empty() {
            lines.extend(self.fact(
                "inhibited by",
                Role::Text,
                &inhibiting.iter().map(Clean::as_str).collect::<Vec<_>>().join(", "),
            ));
        }
        lines
    }
}
