//! The strip that stands in for the panes that are not shown: their keys, names and what is wrong in each.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::primitives::symbols;
use super::primitives::text::Row;
use super::summary::Summary;
use super::{Look, Spot};
use crate::clean::Clean;
use crate::keymap::{Action, Context};
use crate::state::{Focus, Frame, Severity};
use crate::theme::Role;
use crate::units;

/// Below so many columns the longest name is shortened.
const NARROW: u16 = 72;

/// Draws the strip.
pub fn draw(frame: &Frame<'_>, look: &Look, summary: &Summary, area: Rect, buf: &mut Buffer) {
    let mut row = Row::new(area.width);
    for (focus, name, action) in [
        (Focus::Pods, "Pods", Action::FocusPods),
        (Focus::Rates, "5xx", Action::FocusRates),
        (Focus::Lag, "Lag", Action::FocusLag),
        (Focus::Timeline, if area.width < NARROW { "Time" } else { "Timeline" }, Action::FocusTimeline),
        (Focus::Steps, "Steps", Action::FocusSteps),
    ] {
        let shown = frame.screen.focus == focus;
        let key = look.keys(&[Context::Global], &action).map(|key| format!(" {key}")).unwrap_or_default();
        let begun = row.used();
        row = row.text(look.style(if shown { Role::TabActive } else { Role::Key }), &key);
        row = row.text(look.style(if shown { Role::TabActive } else { Role::Tab }), &format!(" {name} "));
        for (role, figure) in figures(frame, summary, focus) {
            row = row.text(look.style(role), &figure).gap(1);
        }
        look.hits.note(row.part(begun, area), Spot::Pane(focus));
    }
    buf.set_line(area.x, area.y, &row.line(), area.width);
}

/// The one number of a pane that matters.
fn figures(frame: &Frame<'_>, summary: &Summary, focus: Focus) -> Vec<(Role, String)> {
    match focus {
        Focus::Pods => pods(summary),
        Focus::Rates => failing(frame).into_iter().collect(),
        Focus::Lag => behind(frame).into_iter().collect(),
        Focus::Timeline | Focus::Steps => Vec::new(),
    }
}

fn pods(summary: &Summary) -> Vec<(Role, String)> {
    let counted = [(Severity::Critical, summary.critical), (Severity::Warn, summary.warn)];
    let told = counted.into_iter().filter(|(_, n)| *n > 0).map(|(severity, n)| {
        let (mark, role) = symbols::severity(severity);
        (role, format!("{mark}{n}"))
    });
    told.collect()
}

fn failing(frame: &Frame<'_>) -> Option<(Role, String)> {
    let rates = &frame.world.rates;
    let worst = rates.services.keys().filter_map(|service| rates.ratio(service)).reduce(f64::max)?;
    let over =
        |service: &Clean| rates.ratio(service).is_some_and(|ratio| ratio > frame.world.threshold(service));
    let role = if rates.services.keys().any(over) { Role::Critical } else { Role::Dim };
    Some((role, units::percent(Some(worst))))
}

fn behind(frame: &Frame<'_>) -> Option<(Role, String)> {
    let rows = frame.world.lag.rows();
    let worst = rows.into_iter().find(|group| group.in_trouble())?;
    let (mark, role) = symbols::group(worst);
    Some((role, format!("{mark}{}", units::count(worst.lag()))))
}
