//! Every pane, overlay and dialog at every size, and the styles of every theme, as snapshots. A line that
//! repeats is written once.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod common;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use ratatui::buffer::{Buffer, Cell};
use warroom::event::{Event, Operator, Preferences, Purpose, Record, Setup, View};
use warroom::keymap::{Action, Key};
use warroom::reduce::reduce;
use warroom::state::{Focus, State};
use warroom::theme::{ColorDepth, Theme};

use common::{at, painted, story, text, told};

const SIZES: [(u16, u16); 5] = [(60, 15), (80, 24), (120, 40), (200, 60), (400, 100)];

/// A release that fails, watched by somebody who has all there is to choose from.
fn room() -> State {
    let mut state = told(story::release());
    let names = |names: Vec<&str>| names.into_iter().map(Into::into).collect();
    take(
        &mut state,
        Event::View(View::Began(Setup {
            themes: names(Theme::names(&[])),
            keymaps: names(warroom::keymap::Keymap::names(&[])),
            seat: Preferences { mouse: true, ..Preferences::default() },
            ..Setup::default()
        })),
    );
    state
}

fn take(state: &mut State, event: Event) {
    let record = Record { seq: state.world.seq + u64::from(event.recorded()), at: at(0), event };
    reduce(state, &record);
}

fn after(actions: &[Action]) -> State {
    let mut state = room();
    for action in actions {
        take(&mut state, Event::Operator(Operator::Did(action.clone())));
    }
    state
}

fn typed(purpose: Purpose, text: &str) -> State {
    let mut state = room();
    state.screen.ask(purpose, ":", text);
    state
}

fn begun(keys: &[&str]) -> State {
    let mut state = room();
    state.screen.pending = keys.iter().map(|key| key.parse::<Key>().unwrap()).collect();
    state
}

/// What can be seen, by name; the panes and the dialogs of a step are held by `screens.rs` as well.
fn scenes() -> Vec<(String, State)> {
    let pane = |focus: Focus| {
        let mut state = room();
        state.screen.focus = focus;
        state.screen.zoomed = true;
        (format!("pane-{focus:?}").to_lowercase(), state)
    };
    let mut calm = told(story::calm());
    calm.screen.seat.wall = true;
    let mut rolled_back = told(story::rolled_back());
    rolled_back.screen.seat.wall = true;
    let mut last = after(&[Action::Theme]);
    take(&mut last, Event::Operator(Operator::Did(Action::Bottom)));
    let others = vec![
        ("main", room()),
        ("wall", after(&[Action::Wall])),
        ("wall-calm", calm),
        ("wall-unverified", rolled_back),
        ("wall-unknown", {
            let mut state = told([]);
            state.screen.seat.wall = true;
            state
        }),
        ("theme-picker", last),
        ("keymap-picker", after(&[Action::Keymap])),
        ("palette", typed(Purpose::Command, "")),
        ("palette-typed", typed(Purpose::Command, "fp")),
        ("menu-look", begun(&["v"])),
        ("menu-copy", begun(&["c"])),
        ("help", after(&[Action::Help])),
        ("describe", after(&[Action::Down, Action::Describe])),
        ("form", after(&[Action::Step("scale".into())])),
        ("muted", after(&[Action::Mute])),
    ];
    Focus::ALL
        .iter()
        .copied()
        .map(pane)
        .chain(others.into_iter().map(|(name, state)| (name.to_owned(), state)))
        .collect()
}

/// The text, with lines that repeat written once.
fn squeezed(buffer: &Buffer) -> String {
    let text = text(buffer);
    let lines: Vec<&str> = text.lines().collect();
    lines.chunk_by(|a, b| a == b).fold(String::new(), |mut out, same| {
        let _ = if same.len() > 2 {
            writeln!(out, "{} ⟪×{}⟫", same[0], same.len())
        } else {
            writeln!(out, "{}", same.join("\n"))
        };
        out
    })
}

#[test]
fn every_pane_overlay_and_dialog_at_every_size() {
    for (name, state) in scenes() {
        for (columns, rows) in SIZES {
            let buffer = painted(&state, (columns, rows), "dark", ColorDepth::TrueColor, false);
            insta::assert_snapshot!(format!("{name}-{columns}x{rows}"), squeezed(&buffer));
        }
    }
}

fn style(cell: &Cell) -> String {
    let attributes = format!("{:?}", cell.modifier);
    format!("{} on {} {}", cell.fg, cell.bg, if attributes == "NONE" { "" } else { &attributes })
        .trim_end()
        .to_owned()
}

/// Every style of a frame with how many cells have it, and the first words drawn in it.
fn styles(buffer: &Buffer, found: &mut BTreeMap<String, (usize, String)>) {
    for run in buffer.content.chunk_by(|a, b| style(a) == style(b)) {
        let words: String = run.iter().map(Cell::symbol).collect();
        let (cells, sample) = found.entry(style(&run[0])).or_default();
        *cells += run.len();
        if sample.is_empty() {
            sample.extend(words.trim().chars().take(24));
        }
    }
}

#[test]
fn every_theme_paints_every_scene_in_its_own_styles() {
    for name in Theme::names(&[]) {
        let mut found = BTreeMap::new();
        for (_, state) in scenes() {
            styles(&painted(&state, (120, 40), name, ColorDepth::TrueColor, false), &mut found);
        }
        let lines: Vec<String> = found
            .iter()
            .map(|(style, (cells, sample))| format!("{cells:>7}  {style:<44}  {sample}"))
            .collect();
        insta::assert_snapshot!(format!("styles-{name}"), lines.join("\n"));
    }
}

#[test]
fn every_theme_shows_the_same_text_at_every_depth() {
    let state = room();
    let expected = text(&painted(&state, (160, 44), "dark", ColorDepth::TrueColor, false));
    for name in Theme::names(&[]) {
        for depth in [ColorDepth::None, ColorDepth::Sixteen, ColorDepth::Indexed256, ColorDepth::TrueColor] {
            let buffer = painted(&state, (160, 44), name, depth, false);
            assert_eq!(text(&buffer), expected, "{name}: meaning is never by colour alone");
            let bare =
                |cell: &Cell| [cell.fg, cell.bg].iter().all(|color| *color == ratatui::style::Color::Reset);
            assert!(
                depth != ColorDepth::None || buffer.content.iter().all(bare),
                "{name}: NO_COLOR means none"
            );
        }
    }
}

#[test]
fn the_map_of_a_frame_says_which_style_stands_where() {
    for (name, state) in scenes()
        .into_iter()
        .filter(|(name, _)| matches!(name.as_str(), "main" | "wall" | "theme-picker" | "form"))
    {
        let buffer = painted(&state, (100, 30), "dark", ColorDepth::TrueColor, false);
        let mut legend: Vec<String> = Vec::new();
        let map: Vec<char> = buffer
            .content
            .iter()
            .map(|cell| {
                let style = style(cell);
                let at = legend.iter().position(|known| *known == style).unwrap_or_else(|| {
                    legend.push(style);
                    legend.len() - 1
                });
                char::from_u32(u32::from('a') + u32::try_from(at).unwrap()).unwrap()
            })
            .collect();
        let rows = map.chunks(100).map(|row| row.iter().collect::<String>());
        let named = legend.iter().zip('a'..).map(|(style, letter)| format!("{letter}  {style}"));
        insta::assert_snapshot!(format!("map-{name}"), rows.chain(named).collect::<Vec<_>>().join("\n"));
    }
}

#[test]
fn a_terminal_without_unicode_gets_ascii_in_every_scene() {
    for (name, state) in scenes() {
        for size in SIZES {
            assert!(
                text(&painted(&state, size, "dark", ColorDepth::None, true)).is_ascii(),
                "{name} at {size:?}"
            );
        }
    }
}
