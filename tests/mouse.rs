//! What is clicked is what was drawn there: at every size, in every pane, on tabs, footer keys, menus and
//! lists.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot be set up has failed")]

mod common;

use std::sync::LazyLock;

use crossterm::event::{Event as Terminal, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use ratatui::backend::TestBackend;
use warroom::data::Location;
use warroom::event::{Event, Operator, Purpose, Record, Setup, View};
use warroom::keymap::{Action, Keymap};
use warroom::reduce::reduce;
use warroom::runtime::Keys;
use warroom::state::{Focus, Page, State};
use warroom::theme::{ColorDepth, Theme};
use warroom::view::{Hits, Look, Spot, view};

use common::{story, text, told};

static KEYS: LazyLock<Keys> = LazyLock::new(|| Keys(vec![Keymap::load(&[]).unwrap().into()]));

/// A drawn screen that can be clicked.
struct Desk {
    state: State,
    hits: Hits,
    lines: Vec<String>,
    size: (u16, u16),
}

impl Desk {
    fn new(state: State, size: (u16, u16)) -> Self {
        let mut desk = Self { state, hits: Hits::default(), lines: Vec::new(), size };
        desk.draw();
        desk
    }

    fn draw(&mut self) {
        let theme =
            Theme::load("dark", &Location::start_of("tests"), &[]).unwrap().at_depth(ColorDepth::TrueColor);
        let mut terminal = ratatui::Terminal::new(TestBackend::new(self.size.0, self.size.1)).unwrap();
        let look = Look {
            theme: &theme,
            keymap: KEYS.map(&self.state),
            before: KEYS.before(&self.state),
            ascii: false,
            hits: &self.hits,
        };
        let buffer =
            terminal.draw(|terminal| view(&self.state.frame(), &look, terminal)).unwrap().buffer.clone();
        self.lines = text(&buffer).lines().map(str::to_owned).collect();
    }

    fn take(&mut self, event: Event) {
        let record = Record { seq: self.state.world.seq, at: self.state.now, event };
        reduce(&mut self.state, &record);
    }

    /// Where these words stand below the header: the column of their first letter, and the row.
    fn find(&self, words: &str) -> (u16, u16) {
        let mut below = self.lines.iter().enumerate().skip(2);
        let (y, line) = below.find(|(_, line)| line.contains(words)).expect(words);
        let x = line[..line.find(words).unwrap()].chars().count();
        (u16::try_from(x).unwrap(), u16::try_from(y).unwrap())
    }

    fn mouse(&mut self, kind: MouseEventKind, (column, row): (u16, u16)) {
        let input = Terminal::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE });
        if let Some(event) = KEYS.read(&self.state, &self.hits, &input) {
            self.take(event);
        }
        self.draw();
    }

    fn click(&mut self, words: &str) {
        self.mouse(MouseEventKind::Down(MouseButton::Left), self.find(words));
    }

    fn selected(&self, focus: Focus) -> Option<&str> {
        self.state.screen.lists.get(&focus)?.selected.as_deref()
    }
}

fn desk(size: (u16, u16)) -> Desk {
    Desk::new(told(story::release()), size)
}

#[test]
fn a_click_selects_the_row_under_it() {
    for size in [(120, 40), (200, 60), (400, 100)] {
        let mut desk = desk(size);
        for (words, focus, id) in [
            ("kafka  ", Focus::Pods, "uid-kafka"),
            ("ocr-service-1", Focus::Pods, "uid-ocr-service-12-0"),
            ("STOP", Focus::Lag, "search-index"),
            ("Scale a deployment", Focus::Steps, "scale"),
        ] {
            desk.click(words);
            assert_eq!(
                (desk.state.screen.focus, desk.selected(focus)),
                (focus, Some(id)),
                "{words} at {size:?}"
            );
        }
        desk.click("lag 4,018");
        let id = desk.selected(Focus::Timeline).unwrap();
        let entry =
            desk.state.world.timeline.entries().iter().find(|entry| entry.id.to_string() == id).unwrap();
        assert_eq!(entry.text.as_str(), "lag 4,018, no members");
    }
}

#[test]
fn a_second_click_opens_what_is_selected() {
    let mut desk = desk((120, 40));
    desk.click("ocr-service-1");
    desk.click("ocr-service-1");
    assert!(matches!(desk.state.screen.pages.last(), Some(Page::Detail(_))));
    let before = desk.state.screen.focus;
    desk.mouse(MouseEventKind::Down(MouseButton::Left), (60, 20));
    assert_eq!(desk.state.screen.focus, before, "what lies over the panes takes the click");
}

#[test]
fn tabs_footer_keys_and_menus_are_keys() {
    let mut desk = desk((80, 24));
    desk.click(" Lag ");
    assert_eq!(desk.state.screen.focus, Focus::Lag);
    desk.click("mitigate");
    assert_eq!(desk.state.screen.pending.len(), 1);
    desk.click("Scale a deployment");
    assert!(matches!(desk.state.screen.pages.last(), Some(Page::Form(_))));
    let mut desk = self::desk((80, 24));
    desk.click("help");
    assert!(matches!(desk.state.screen.pages.last(), Some(Page::Help(_))));
}

#[test]
fn what_is_offered_can_be_clicked() {
    let mut desk = desk((120, 40));
    desk.take(Event::View(View::Began(Setup {
        themes: vec!["dark".into(), "nord".into()],
        ..Setup::default()
    })));
    desk.take(Event::Operator(Operator::Did(Action::Theme)));
    desk.draw();
    desk.click("nord");
    assert_eq!(desk.state.screen.themes.name(), "nord");
    desk.take(Event::Operator(Operator::Did(Action::Cancel)));
    desk.state.screen.ask(Purpose::Command, ":", "focus");
    desk.draw();
    desk.click("focus-lag");
    assert_eq!(desk.state.screen.input.as_ref().unwrap().text, "focus-lag");
}

#[test]
fn the_wheel_moves_what_is_under_it_and_not_what_is_focused() {
    let mut desk = desk((200, 60));
    let at = desk.find("STOP");
    desk.mouse(MouseEventKind::ScrollDown, at);
    assert_eq!(desk.state.screen.focus, Focus::Pods);
    assert!(desk.selected(Focus::Lag).is_some() && desk.selected(Focus::Pods).is_none());
}

#[test]
fn every_place_lies_on_the_screen() {
    for size in [(60, 15), (80, 24), (200, 60)] {
        let desk = desk(size);
        let spots = (0..size.1)
            .flat_map(|y| (0..size.0).map(move |x| (x, y)))
            .filter_map(|(x, y)| desk.hits.at(x, y));
        assert!(spots.filter(|spot| matches!(spot, Spot::Row(..))).count() > 100, "{size:?}");
        assert_eq!(desk.hits.at(size.0, size.1), None);
    }
}
