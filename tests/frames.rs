//! Random keys, clicks, sizes and events on a rich world, a frame after each: nothing panics, and nothing is
//! drawn outside of the screen.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

#[path = "support/chance.rs"]
mod chance;
mod common;

use std::sync::LazyLock;

use crossterm::event::{
    Event as Terminal, KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
};
use ratatui::backend::TestBackend;
use ratatui::layout::Rect;
use ratatui::{TerminalOptions, Viewport};
use warroom::data::Location;
use warroom::effect::Effect;
use warroom::event::{CallBy, Event, Preferences, Prepared, Record, Setup, View};
use warroom::keymap::Keymap;
use warroom::reduce::reduce;
use warroom::runtime::Keys;
use warroom::state::State;
use warroom::theme::{ColorDepth, Theme};
use warroom::view::{Hits, Look, view};

use chance::{Rng, seeds};
use common::{story, told};

/// Columns and rows around the screen in which nothing may be drawn.
const MARGIN: (u16, u16) = (3, 2);
const DEPTHS: [ColorDepth; 4] =
    [ColorDepth::None, ColorDepth::Sixteen, ColorDepth::Indexed256, ColorDepth::TrueColor];

static KEYS: LazyLock<Keys> = LazyLock::new(|| {
    let place = Location::start_of("tests");
    let read = |name: &str| Keymap::named(name, &place, &[]).unwrap().into();
    Keys(Keymap::names(&[]).into_iter().map(read).collect())
});
static THEMES: LazyLock<Vec<Theme>> = LazyLock::new(|| {
    let place = Location::start_of("tests");
    let depth = |n: usize| DEPTHS[n % DEPTHS.len()];
    Theme::names(&[])
        .into_iter()
        .enumerate()
        .map(|(n, name)| Theme::load(name, &place, &[]).unwrap().at_depth(depth(n)))
        .collect()
});

type Screen = ratatui::Terminal<TestBackend>;

struct Run {
    rng: Rng,
    state: State,
    hits: Hits,
    screen: Screen,
    /// What happens next in the cluster.
    story: Vec<Event>,
}

/// A screen with a margin around it.
fn screen((columns, rows): (u16, u16)) -> Screen {
    let backend = TestBackend::new(columns + 2 * MARGIN.0, rows + 2 * MARGIN.1);
    let viewport = Viewport::Fixed(Rect::new(MARGIN.0, MARGIN.1, columns, rows));
    ratatui::Terminal::with_options(backend, TerminalOptions { viewport }).unwrap()
}

impl Run {
    fn new(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let stories = [story::calm, story::release, story::rolled_back, story::deaf];
        let state = told(rng.pick(&stories)());
        let story = story::rolled_back().into_iter().map(|(_, event)| event).collect();
        let mut run = Self { rng, state, hits: Hits::default(), screen: screen((120, 40)), story };
        let names = |names: Vec<&str>| names.into_iter().map(Into::into).collect();
        let setup = Setup {
            themes: names(Theme::names(&[])),
            keymaps: names(Keymap::names(&[])),
            seat: Preferences { mouse: true, ..Preferences::default() },
            call_by: CallBy { bell: true, desktop: true },
        };
        run.take(Event::View(View::Began(setup)));
        run
    }

    fn take(&mut self, event: Event) {
        let at =
            self.state.now + chrono::TimeDelta::milliseconds(i64::try_from(self.rng.below(900)).unwrap());
        let record = Record { seq: self.state.world.seq + u64::from(event.recorded()), at, event };
        for effect in reduce(&mut self.state, &record) {
            if let Effect::Prepare(call) = effect {
                self.prepared(call);
            }
        }
    }

    /// The cluster answers a step with one of the plans.
    fn prepared(&mut self, call: warroom::event::StepCall) {
        let plan = if self.rng.below(2) == 0 { story::plan() } else { story::refused_plan() };
        self.take(Event::View(View::Prepared(Box::new(Prepared { call, result: Ok(plan) }))));
    }

    fn step(&mut self) {
        match self.rng.below(20) {
            0 => self.resize(),
            1 | 2 => {
                let event = self.rng.pick(&self.story).clone();
                self.take(event);
            }
            3..=5 => self.point(),
            _ => self.press(),
        }
    }

    fn press(&mut self) {
        const NAMED: [KeyCode; 12] = [
            KeyCode::Enter,
            KeyCode::Esc,
            KeyCode::Tab,
            KeyCode::BackTab,
            KeyCode::Up,
            KeyCode::Down,
            KeyCode::PageDown,
            KeyCode::PageUp,
            KeyCode::Home,
            KeyCode::End,
            KeyCode::Backspace,
            KeyCode::Left,
        ];
        let typed = "abcdefghijklmnopqrstuvwxyzADFGTYZ0123456789:/?[]{}() é日";
        let letters: Vec<char> = typed.chars().collect();
        let code = if self.rng.below(4) == 0 {
            *self.rng.pick(&NAMED)
        } else {
            KeyCode::Char(*self.rng.pick(&letters))
        };
        let modifiers = if self.rng.below(8) == 0 { KeyModifiers::CONTROL } else { KeyModifiers::NONE };
        self.input(&Terminal::Key(KeyEvent::new(code, modifiers)));
    }

    fn point(&mut self) {
        let kinds =
            [MouseEventKind::Down(MouseButton::Left), MouseEventKind::ScrollDown, MouseEventKind::ScrollUp];
        let (columns, rows) = self.state.screen.size;
        let mut within = |size: u16| u16::try_from(self.rng.below(usize::from(size) + 6)).unwrap();
        let column = within(columns);
        let row = within(rows);
        let kind = *self.rng.pick(&kinds);
        self.input(&Terminal::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE }));
    }

    fn resize(&mut self) {
        let most = *self.rng.pick(&[(70, 20), (90, 30), (130, 45), (210, 62), (401, 101)]);
        let mut within = |most: usize| u16::try_from(self.rng.below(most)).unwrap();
        let size = (within(most.0).max(1), within(most.1).max(1));
        self.screen = screen(size);
        self.input(&Terminal::Resize(size.0, size.1));
    }

    fn input(&mut self, input: &Terminal) {
        if let Some(event) = KEYS.read(&self.state, &self.hits, input) {
            self.take(event);
        }
    }

    fn draw(&mut self, n: u64) {
        let theme = &THEMES[self.state.screen.themes.at % THEMES.len()];
        let look = Look {
            theme,
            keymap: KEYS.map(&self.state),
            before: KEYS.before(&self.state),
            ascii: n.is_multiple_of(5),
            hits: &self.hits,
        };
        let drawn =
            self.screen.draw(|terminal| view(&self.state.frame(), &look, terminal)).unwrap().buffer.area;
        let all = self.screen.backend().buffer();
        let outside = |at: &usize| !drawn.contains(all.pos_of(*at).into());
        let margin = (0..all.content.len()).filter(outside).all(|at| all.content[at].symbol() == " ");
        assert!(margin, "something was drawn outside of the screen");
    }
}

fn frames(seed: u64, frames: u64) {
    let mut run = Run::new(seed);
    for n in 0..frames {
        run.step();
        run.draw(n);
    }
}

/// Frames of one seed.
fn share() -> u64 {
    seeds(500, 2_500)
}

#[test]
fn random_frames_of_seed_1() {
    frames(1, share());
}

#[test]
fn random_frames_of_seed_2() {
    frames(2, share());
}

#[test]
fn random_frames_of_seed_3() {
    frames(3, share());
}

#[test]
fn random_frames_of_seed_4() {
    frames(4, share());
}
