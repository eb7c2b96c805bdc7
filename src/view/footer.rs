//! The last line: the keys that work right now, or the typed line, or what there is to tell; above it the
//! menu of a begun key sequence and the candidates of a typed line.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::primitives::layout::Layout;
use super::primitives::pane;
use super::primitives::text::{Row, width};
use super::{Look, Spot, playback, wall};
use crate::clean::cleaned;
use crate::event::Purpose;
use crate::keymap::{Action, Context, Hint, sequence};
use crate::state::candidates;
use crate::state::{Candidate, Cursor, Frame, Input, Page, meant, offers};
use crate::theme::Role;

/// Candidates shown at once.
const CANDIDATES: u16 = 12;
/// Columns of their list.
const COLUMNS: u16 = 96;

/// Draws the footer and what grows out of it.
pub fn draw(frame: &Frame<'_>, look: &Look, layout: &Layout, buf: &mut Buffer) {
    let plain = frame.screen.seat.wall && frame.screen.pages.is_empty();
    if !plain {
        buf.set_style(layout.footer, look.style(Role::Footer));
    }
    if let Some(playback) = &frame.screen.playback {
        playback::draw(frame, look, playback, Rect { height: 1, ..layout.footer }, buf);
    }
    let last = Rect { y: layout.footer.bottom().saturating_sub(1), height: 1, ..layout.footer };
    match (&frame.screen.input, &frame.screen.message) {
        (Some(input), _) if !shown_in_page(frame, input) => {
            buf.set_style(last, look.style(Role::Input));
            pane::lines(last, [typed(look, input, Row::new(last.width).gap(1))], buf);
            draw_candidates(frame, look, layout.body, buf);
        }
        (_, Some((_, message))) => {
            let text = Row::new(last.width).text(look.style(Role::Alert), &format!(" {message} "));
            pane::lines(last, [text], buf);
        }
        _ if plain => wall::draw_footer(frame, look, last, buf),
        _ => pane::lines(last, [keys(frame, look, layout.tabs.is_some(), last)], buf),
    }
    if !frame.screen.pending.is_empty() {
        draw_menu(frame, look, layout.body, buf);
    }
}

/// A form and a confirmation show their typed line themselves.
fn shown_in_page(frame: &Frame<'_>, input: &Input) -> bool {
    let over = frame.screen.pages.last();
    matches!(
        (&input.purpose, over),
        (Purpose::Input, Some(Page::Form(_))) | (Purpose::Name, Some(Page::Confirm(_)))
    )
}

/// Prompt, text and cursor; a text that is too long is cut at its start.
pub fn typed(look: &Look, input: &Input, row: Row) -> Row {
    let row = row.text(look.style(Role::Key), &input.prompt);
    text_with_cursor(look, input, row)
}

/// The text with its cursor, which is always in sight.
pub fn text_with_cursor(look: &Look, input: &Input, row: Row) -> Row {
    let (before, after) = input.text.split_at_checked(input.cursor).unwrap_or((&input.text, ""));
    let next = after.chars().next().map_or(0, char::len_utf8);
    let shown = cleaned(before);
    let under = cleaned(&after[..next]);
    let after = cleaned(&after[next..]);
    let mut before = &*shown;
    let room = row.left().saturating_sub(2);
    while width(before) > room {
        let mut rest = before.chars();
        rest.next();
        before = rest.as_str();
    }
    let under = if under.is_empty() { " " } else { &under };
    let style = look.style(Role::Input);
    row.text(style, before).text(look.style(Role::InputCursor), under).text(style, &after)
}

/// Keys and what they do; help and the stop key are always there.
fn keys(frame: &Frame<'_>, look: &Look, tabs: bool, area: Rect) -> Row {
    let contexts = frame.screen.contexts();
    let columns = area.width;
    let pinned = [(Action::Help, "help"), (Action::StopAll, "stop all")]
        .map(|(action, label)| (look.keys(&contexts, &action), label));
    let mut right = Row::new(columns);
    for (keys, label) in pinned.iter().filter_map(|(keys, label)| Some((keys.as_ref()?, label))) {
        right =
            right.gap(1).text(look.style(Role::Key), keys).text(look.style(Role::Dim), &format!(" {label} "));
    }
    let focus =
        [Action::FocusPods, Action::FocusRates, Action::FocusLag, Action::FocusTimeline, Action::FocusSteps];
    let told: Vec<String> = if tabs {
        focus.iter().filter_map(|action| look.keys(&contexts, action)).collect()
    } else {
        Vec::new()
    };
    let known = |hint: &Hint| {
        let key = hint.key.to_string();
        told.contains(&key) || pinned.iter().any(|(keys, _)| keys.as_ref() == Some(&key))
    };
    let mut row = Row::new(columns.saturating_sub(u16::try_from(right.used() + 1).unwrap_or(columns)));
    for hint in hints(frame, look, &contexts).iter().filter(|hint| !known(hint)) {
        let begun = row.used();
        row = row.append(entry(look, hint));
        look.hits.note(row.part(begun, area), Spot::Key(hint.key));
    }
    note_pinned(look, &contexts, area, &right);
    Row::new(columns).append(row).right(right)
}

/// Help and the stop key at the right end, each to its own half of the words.
fn note_pinned(look: &Look, contexts: &[Context], area: Rect, right: &Row) {
    let width = u16::try_from(right.used()).unwrap_or(0).min(area.width);
    let stop = width / 2;
    for (action, from, width) in [(Action::Help, width, width - stop), (Action::StopAll, stop, stop)] {
        if let Some([key]) = look.keymap.keys_of(contexts, &action) {
            look.hits.note(Rect { x: area.right() - from, width, ..area }, Spot::Key(*key));
        }
    }
}

/// Those that do something now, in the order in which they are needed: over an overlay's text the way out
/// first; over the panes menus first, while looking back the keys for that.
fn hints(frame: &Frame<'_>, look: &Look, contexts: &[Context]) -> Vec<Hint> {
    let mut hints = look.keymap.hints(contexts);
    if let Some(page) = frame.screen.pages.last() {
        hints.retain(|hint| hint.run.as_ref().is_none_or(|run| offers(frame, run)));
        hints.sort_by_key(|hint| hint.run != Some(Action::Close));
        let earlier = matches!(page, Page::Logs(log) if log.extent.previous);
        let back = hints.iter_mut().filter(|hint| earlier && hint.run == Some(Action::PreviousLogs));
        back.for_each(|hint| "this run".clone_into(&mut hint.label));
    }
    if frame.screen.pages.is_empty() && frame.screen.input.is_none() {
        let replay = look.keymap.hints(&[Context::Replay]);
        let looking_back = frame.cursor != Cursor::Live;
        hints.retain(|hint| !looking_back || hint.run.as_ref().is_none_or(|run| offers(frame, run)));
        hints.sort_by_key(
            |hint| if looking_back { !replay.contains(hint) } else { !hint.opens || hint.aside },
        );
    }
    hints
}

fn entry(look: &Look, hint: &Hint) -> Row {
    let role = if hint.opens { Role::KeyMenu } else { Role::Key };
    let row = Row::new(u16::MAX)
        .gap(1)
        .text(look.style(role), &hint.key.to_string())
        .gap(1)
        .text(look.style(Role::Dim), &hint.label);
    row.text(look.style(Role::Dim), if hint.opens { " ▸ " } else { " " })
}

/// What may follow the keys pressed so far.
fn draw_menu(frame: &Frame<'_>, look: &Look, body: Rect, buf: &mut Buffer) {
    let menu = look.keymap.menu(&frame.screen.contexts(), &frame.screen.pending);
    let widest = menu.entries.iter().map(|entry| width(&entry.label)).max().unwrap_or(0) + 10;
    let across = (usize::from(body.width.saturating_sub(2)) / widest).clamp(1, 3);
    let down = menu.entries.len().div_ceil(across);
    let title = if menu.title.is_empty() {
        sequence(&frame.screen.pending)
    } else {
        format!("{} {}", sequence(&frame.screen.pending), menu.title)
    };
    let inside = pane::overlay(look, Role::BorderFocus, &title, "esc cancel", above_footer(body, down), buf);
    for (n, entry) in menu.entries.iter().enumerate() {
        look.hits.note(cell(inside, n / down, n % down, widest), Spot::Key(entry.key));
    }
    let rows = (0..down).map(|line| {
        (0..across).filter_map(|column| menu.entries.get(column * down + line)).fold(
            Row::new(inside.width),
            |row, entry| {
                let role = if entry.opens { Role::KeyMenu } else { Role::Key };
                let label = if entry.opens { format!("{} ▸", entry.label) } else { entry.label.clone() };
                row.gap(1).number(look.style(role), &entry.key.to_string(), 6).gap(2).cell(
                    look.style(Role::Text),
                    &label,
                    widest - 9,
                )
            },
        )
    });
    pane::lines(inside, rows, buf);
}

/// The place of one entry of a list in columns.
fn cell(inside: Rect, column: usize, line: usize, widest: usize) -> Rect {
    let [x, y, width] = [column * widest, line, widest].map(|n| u16::try_from(n).unwrap_or(u16::MAX));
    Rect { x: inside.x.saturating_add(x), y: inside.y.saturating_add(y), width, height: 1 }
        .intersection(inside)
}

/// What the typed line can be completed to.
fn draw_candidates(frame: &Frame<'_>, look: &Look, body: Rect, buf: &mut Buffer) {
    let found = candidates(frame);
    if found.is_empty() {
        return;
    }
    let height = usize::from(CANDIDATES).min(found.len());
    let area = above_footer(body, height);
    let area = Rect { width: area.width.min(COLUMNS), ..area };
    let inside = pane::overlay(
        look,
        Role::Border,
        "",
        &format!("{} {}", found.len(), if found.len() == 1 { "match" } else { "matches" }),
        area,
        buf,
    );
    let chosen = meant(frame);
    let seen = pane::window(found.len(), chosen, inside.height);
    let contexts = frame.screen.contexts_at_rest();
    pane::lines(
        inside,
        found[seen.clone()].iter().map(|one| candidate(look, &contexts, one, Row::new(inside.width))),
        buf,
    );
    look.hits.rows(inside, seen.clone().map(Spot::Choice));
    pane::select(look, inside, chosen.map(|at| at.saturating_sub(seen.start)), buf);
}

/// What would be taken, what it is, and the key that does the same.
fn candidate(look: &Look, contexts: &[Context], one: &Candidate, row: Row) -> Row {
    let key = one.action.as_ref().and_then(|action| look.keys(contexts, action)).unwrap_or_default();
    let right = Row::new(14).gap(1).text(look.style(Role::Key), &key).gap(1);
    let name = (row.left() / 3).max(26);
    let left = Row::new(u16::try_from(row.left() - right.used().min(row.left())).unwrap_or(0)).gap(1);
    row.append(
        left.cell(look.style(Role::Text), one.text.shown(), name)
            .gap(1)
            .text(look.style(Role::Dim), &one.about),
    )
    .right(right)
}

/// A frame for so many rows at the bottom of the body.
fn above_footer(body: Rect, rows: usize) -> Rect {
    let height = u16::try_from(rows + 2).unwrap_or(u16::MAX).min(body.height);
    Rect { y: body.bottom() - height, height, ..body }
}
