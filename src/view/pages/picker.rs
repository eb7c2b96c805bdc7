//! Themes or keymaps by name. The one under the cursor is in use already: the screen behind the list is the
//! preview of a theme, whose row also shows the colours of its meanings; of a keymap its main keys are,
//! beside those of the one that was in use before.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::keymap::{Action, Context, Keymap, sequence};
use crate::state::{Frame, Picker, Picks, Severity};
use crate::theme::Role;
use crate::view::Look;
use crate::view::pages::Draw;
use crate::view::primitives::hit_test::Spot;
use crate::view::primitives::text::{Row, width};
use crate::view::primitives::{pane, symbols};

impl Draw for Picker {
    fn draw(&self, frame: &Frame<'_>, look: &Look, body: Rect, buf: &mut Buffer) {
        let picks = self.picks;
        let choices = frame.screen.choices(picks);
        let widest = choices.names.iter().map(|name| width(name)).max().unwrap_or(0).max(24);
        let keys = if picks == Picks::Keymap { keys(look) } else { Vec::new() };
        let columns =
            u16::try_from(widest + if keys.is_empty() { 16 } else { 24 }).unwrap_or(u16::MAX).min(body.width);
        let rows = u16::try_from(choices.names.len() + keys.len() + 2).unwrap_or(u16::MAX).min(body.height);
        let area = Rect { x: body.right() - columns, width: columns, height: rows, ..body };
        let title = format!("Choose a {}", picks.word());
        let inside = pane::overlay(look, Role::BorderFocus, &title, "esc cancel", area, buf);
        let below = u16::try_from(keys.len()).unwrap_or(u16::MAX).min(inside.height.saturating_sub(3));
        let inside = Rect { height: inside.height - below, ..inside };
        pane::lines(Rect { y: inside.bottom(), height: below, ..inside }, keys, buf);
        let seen = pane::window(choices.names.len(), Some(choices.at), inside.height);
        let shown = choices.names[seen.clone()].iter().zip(seen.clone());
        pane::lines(
            inside,
            shown.map(|(name, at)| {
                let mark = if at == choices.at { "▸" } else { " " };
                let row = Row::new(inside.width).gap(1).text(look.style(Role::Accent), mark).gap(1);
                let row = row.cell(look.style(Role::Text), name, widest + 1);
                if at == choices.at && picks == Picks::Theme { swatch(look, row) } else { row }
            }),
            buf,
        );
        look.hits.rows(inside, seen.clone().map(Spot::Choice));
        pane::select(look, inside, Some(choices.at - seen.start), buf);
        if below == 0 {
            pane::more(look, inside, seen, choices.names.len(), buf);
        }
    }
}

/// What is pressed most, and where.
fn main_actions() -> Vec<(Context, Action)> {
    let pods = [
        Action::Down,
        Action::Top,
        Action::Open,
        Action::Logs,
        Action::Describe,
        Action::Manifest,
        Action::Filter,
        Action::FocusNext,
        Action::Zoom,
        Action::CopyName,
        Action::Arm,
        Action::StopAll,
        Action::Cancel,
        Action::Quit,
    ];
    pods.into_iter()
        .map(|action| (Context::Pods, action))
        .chain([(Context::Confirm, Action::Confirm)])
        .collect()
}

/// The main keys of the keymap under the cursor, and where they differ those of the one before it.
fn keys(look: &Look) -> Vec<Row> {
    let row = |label: &str, now: &str, before: &str, role: Role| {
        let row = Row::new(u16::MAX).gap(3).cell(look.style(Role::Text), label, 18);
        row.cell(look.style(role), now, 12).text(look.style(Role::Dim), before)
    };
    let main = main_actions();
    let told = main.iter().map(|(context, action)| {
        let of = |keymap: &Keymap| {
            keymap.keys_of(&[*context, Context::Global], action).map_or_else(|| "–".to_owned(), sequence)
        };
        let now = of(look.keymap);
        let before = of(look.before);
        if now == before {
            row(&action.to_string(), &now, "", Role::Text)
        } else {
            row(&action.to_string(), &now, &before, Role::Key)
        }
    });
    let head = row("", "here", if look.keymap == look.before { "" } else { "before" }, Role::Dim);
    [Row::new(0), head].into_iter().chain(told).collect()
}

/// `● ▲ ✖ ?` as this theme has them.
fn swatch(look: &Look, row: Row) -> Row {
    let marks = [Severity::Ok, Severity::Warn, Severity::Critical].map(symbols::severity);
    marks
        .into_iter()
        .chain([("?", Role::Unknown), ("─", Role::ChartLine)])
        .fold(row.gap(1), |row, (mark, role)| row.text(look.style(role), mark).gap(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Location;
    use crate::theme::Theme;
    use crate::view::Hits;

    #[test]
    fn a_keymap_is_previewed_beside_the_one_before_it() {
        let [default, k9s] =
            ["default", "k9s"].map(|name| Keymap::named(name, &Location::start_of("tests"), &[]).unwrap());
        let theme = Theme::load("dark", &Location::start_of("tests"), &[]).unwrap();
        let told = |keymap: &Keymap| {
            let look = Look { theme: &theme, keymap, before: &default, ascii: false, hits: &Hits::default() };
            keys(&look)
                .iter()
                .map(|row| row.line().to_string().split_whitespace().collect::<Vec<_>>().join(" "))
                .collect::<Vec<_>>()
        };
        let same = told(&default);
        let other = told(&k9s);
        assert!(same.contains(&"logs l".to_owned()) && same.contains(&"here".to_owned()), "{same:?}");
        assert!(
            other.contains(&"here before".to_owned()) && other.iter().any(|row| row.split(' ').count() == 3),
            "{other:?}"
        );
    }
}
