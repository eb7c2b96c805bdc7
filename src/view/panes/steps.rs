//! The steps pane: changes that are under way, what fits what is wrong now, then the runbook's steps with
//! their keys.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::keymap::{Action, Context};
use crate::runbook::Danger;
use crate::state::{Focus, Frame, Run, Stage, StepLine, step_lines};
use crate::theme::Role;
use crate::units;
use crate::view::primitives::pane;
use crate::view::primitives::text::{Row, width};
use crate::view::{Look, Spot};

/// Below so many columns a suggestion has its reason where other steps say what they can break.
const NARROW: usize = 70;

/// Draws the pane.
pub fn draw(frame: &Frame<'_>, look: &Look, area: Rect, buf: &mut Buffer) {
    let inside = pane::frame(frame, look, Focus::Steps, "suggested first", area, buf);
    let open: Vec<&Run> = frame.world.runs.all().filter(|run| !run.settled()).collect();
    pane::lines(inside, open.iter().map(|run| under_way(frame, look, run, Row::new(inside.width))), buf);
    let taken = u16::try_from(open.len()).unwrap_or(u16::MAX).min(inside.height);
    let table = Rect { y: inside.y + taken, height: inside.height - taken, ..inside };
    let steps = step_lines(frame);
    let chosen = frame.screen.lists.get(&Focus::Steps).and_then(|list| list.selected.as_ref());
    let selected = chosen.and_then(|id| steps.iter().position(|(row, _)| row == id));
    let seen = pane::window(steps.len(), selected, table.height);
    let titles =
        steps.iter().map(|(_, line)| width(title(line))).max().unwrap_or(0).min(usize::from(table.width) / 2);
    pane::lines(
        table,
        steps[seen.clone()].iter().map(|(_, line)| row(frame, look, line, titles, Row::new(table.width))),
        buf,
    );
    look.hits.rows(table, steps[seen.clone()].iter().map(|(id, _)| Spot::Row(Focus::Steps, id.clone())));
    pane::select(look, table, selected.map(|at| at - seen.start), buf);
    pane::more(look, table, seen, steps.len(), buf);
}

fn title<'a>(line: &'a StepLine<'_>) -> &'a str {
    match line {
        StepLine::Suggested(suggestion) => &suggestion.title,
        StepLine::Plain(step) => &step.title,
    }
}

/// Suggestions bring their reason, the other steps their place in the runbook.
fn row(frame: &Frame<'_>, look: &Look, line: &StepLine<'_>, titles: usize, row: Row) -> Row {
    let (id, mark, style, about, about_role) = match line {
        StepLine::Suggested(suggestion) => {
            (&suggestion.call.step, "▸", Role::Strong, suggestion.because.to_string(), Role::Warn)
        }
        StepLine::Plain(step) => (&step.id, " ", Role::Text, step.section.to_string(), Role::Dim),
    };
    let narrow = row.left() < NARROW && matches!(line, StepLine::Suggested(_));
    let right = aside(frame, look, id, narrow);
    let columns = u16::try_from(row.left().saturating_sub(right.used())).unwrap_or(0);
    let left = Row::new(columns).gap(1).text(look.style(Role::Accent), mark).gap(1);
    let left = left.cell(look.style(style), title(line), titles).gap(2).text(look.style(about_role), &about);
    row.append(left).right(right)
}

/// What a step can break, and its keys; where it is narrow, only the keys.
fn aside(frame: &Frame<'_>, look: &Look, id: &str, narrow: bool) -> Row {
    let keys = look.keys(&[Context::Global], &Action::Step(id.to_owned())).unwrap_or_default();
    let (word, role) = match frame.runbook.step(id).map(|step| step.danger) {
        Some(Danger::Destructive) => ("destructive", Role::Critical),
        Some(Danger::Change) => ("change", Role::Dim),
        _ => ("read", Role::Dim),
    };
    let row = if narrow { Row::new(8) } else { Row::new(20).gap(1).number(look.style(role), word, 11) };
    row.number(look.style(Role::Key), &keys, 6).gap(1)
}

/// `① roll back medcontracthub-app   verifying 23 of 120 s`
fn under_way(frame: &Frame<'_>, look: &Look, run: &Run, row: Row) -> Row {
    let seconds = (frame.now - run.applied.unwrap_or(run.at)).num_seconds().max(0);
    let (role, words) = match &run.stage {
        Stage::Waiting => {
            (Role::TimelineAction, format!("waiting for the disk, {seconds} s; nothing was sent"))
        }
        Stage::Sent => (Role::TimelineAction, format!("sent {seconds} s ago, no answer yet")),
        Stage::Unknown(why) => (Role::Unknown, format!("? outcome unknown: {why}; checking")),
        Stage::Verifying => {
            (Role::TimelineAction, format!("answered; verifying {seconds} of {} s", run.intent.verify_within))
        }
        _ => return row,
    };
    let row = row.gap(1).text(look.style(Role::ChartMarker), &units::circled(run.mark)).gap(1);
    row.text(look.style(Role::Strong), &run.intent.title).gap(2).text(look.style(role), &words)
}
