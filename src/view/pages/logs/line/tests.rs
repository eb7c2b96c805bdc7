use std::sync::{Arc, LazyLock};

use chrono::DateTime;
use proptest::prelude::*;

use super::*;
use crate::data::Location;
use crate::keymap::Keymap;
use crate::runbook::{self, Runbook};
use crate::state::{LogLook, State};
use crate::theme::Theme;
use crate::view::Hits;

static THEME: LazyLock<Theme> =
    LazyLock::new(|| Theme::load("dark", &Location::start_of("tests"), &[]).unwrap());
static KEYMAP: LazyLock<Keymap> = LazyLock::new(|| Keymap::load(&[]).unwrap());
static RUNBOOK: LazyLock<Arc<Runbook>> = LazyLock::new(|| Arc::new(runbook::embedded().unwrap()));

fn look(draw: impl FnOnce(&Look)) {
    draw(&Look { theme: &THEME, keymap: &KEYMAP, before: &KEYMAP, ascii: false, hits: &Hits::default() });
}

fn state(wrap: bool) -> State {
    let mut state = State::new(DateTime::UNIX_EPOCH, RUNBOOK.clone());
    state.screen.log_look = LogLook { wrap, timeless: true, raw: false };
    state
}

fn line(text: &str) -> LogLine {
    let text = Styled::new(text);
    LogLine {
        at: DateTime::UNIX_EPOCH,
        stream: 0,
        level: crate::logtext::level(text.text()),
        mark: false,
        text,
    }
}

fn prefix() -> Prefix {
    Prefix { name: "xnq2x".into(), columns: 5, role: Role::LogSource, chosen: false }
}

/// The row's pieces with their styles.
fn pieces(look: &Look, text: &str, search: &str) -> Vec<(String, Style)> {
    let line = line(text);
    let search = Search::new(search);
    let drawn = Line::new(look, &line, false, &search);
    let row = drawn.rows(&state(false).frame(), &prefix(), 200, 0, 1).remove(0);
    let pieces = row.line().spans.into_iter().skip(3).map(|span| (span.content.into_owned(), span.style));
    pieces.filter(|(text, _)| !text.is_empty()).collect()
}

#[test]
fn levels_colours_fields_and_matches_are_seen() {
    look(|look| {
        let style = |role| look.style(role);
        let own = |text: &str, style: Style| (text.to_owned(), style);
        let red =
            style(Role::Text).patch(look.theme.foreign(Style::new().fg(ratatui::style::Color::Indexed(1))));
        for (text, search, expected) in [
            ("plain", "", vec![own("plain", style(Role::Text))]),
            ("ERROR lost", "", vec![own("ERROR lost", style(Role::LogError))]),
            (
                "a \u{1b}[31mred\u{1b}[0m b",
                "",
                vec![own("a ", style(Role::Text)), own("red", red), own(" b", style(Role::Text))],
            ),
            (
                "aXXb",
                "x",
                vec![own("a", style(Role::Text)), own("X", red), own("X", red), own("b", style(Role::Text))],
            ),
            (
                r#"{"level":"warn","msg":"slow","ms":12,"to":"ai service"}"#,
                "",
                vec![
                    own("WARN  ", style(Role::LogWarn)),
                    own("slow", style(Role::LogWarn)),
                    own(" ms=", style(Role::LogField)),
                    own("12", style(Role::Text)),
                    own(" to=", style(Role::LogField)),
                    own("\"ai service\"", style(Role::Text)),
                ],
            ),
        ] {
            let mut expected = expected;
            if search == "x" {
                expected[1].1 = style(Role::Text).patch(style(Role::Match));
                expected[2].1 = expected[1].1;
            }
            assert_eq!(pieces(look, text, search), expected, "{text}");
        }
    });
}

proptest! {
    #[test]
    fn a_broken_line_loses_nothing(text in "[a-zA-Z日 =\u{1b}\\[31m]{0,120}", search in "[a-z]{0,2}", columns in 16_u16..60) {
        look(|look| {
            let line = line(&text);
            let search = Search::new(&search);
            let drawn = Line::new(look, &line, true, &search);
            let rows = drawn.rows(&state(true).frame(), &prefix(), columns, 0, 500);
            let strings: Vec<String> = rows.into_iter().map(|row| row.line().to_string()).collect();
            assert!(strings.iter().all(|row| width(row) <= usize::from(columns)), "{strings:?}");
            let whole: String = strings.iter().map(|row| row.get(strings[0].len().min(7)..).unwrap_or_default()).collect();
            assert_eq!(whole, line.text.text().as_str());
        });
    }

    #[test]
    fn no_line_breaks_it(text in ".{0,200}|\\{\"[a-z\":,{}0-9]{0,60}\\}", columns in 0_u16..60, right in 0_usize..90, wrap: bool, search in ".{0,3}") {
        look(|look| {
            let line = line(&text);
            let search = Search::new(&search);
            let rows = Line::new(look, &line, false, &search).rows(&state(wrap).frame(), &prefix(), columns, right, 20);
            assert!(!rows.is_empty() && rows.len() <= 21);
            assert!(rows.into_iter().all(|row| width(&row.line().to_string()) <= usize::from(columns)));
        });
    }
}
