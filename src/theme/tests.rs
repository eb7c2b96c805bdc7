use ratatui::style::Modifier;

use super::*;
use crate::data::Place;

fn load(name: &str, files: &[(&str, &str)]) -> Result<Theme, Vec<String>> {
    let mistakes = |found: Vec<crate::data::Mistake>| found.iter().map(ToString::to_string).collect();
    Theme::load(name, &Place::start_of("config.toml"), files).map_err(mistakes)
}

/// WCAG 2.2, "contrast ratio" and "relative luminance".
fn contrast(a: Color, b: Color) -> f64 {
    let luminance = |color: Color| {
        let linear = color::rgb(color).unwrap().map(|channel| {
            let part = f64::from(channel) / 255.0;
            if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        });
        linear[0] * 0.2126 + linear[1] * 0.7152 + linear[2] * 0.0722
    };
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

#[test]
fn every_shipped_theme_is_without_mistakes() {
    for name in Theme::names(&[]) {
        assert_eq!(load(name, &[]).err(), None, "{name}");
    }
}

#[test]
fn text_can_be_read_and_strokes_can_be_seen() {
    for name in ["dark", "light"] {
        let theme = load(name, &[]).unwrap();
        for role in Role::ALL {
            let style = theme.style(*role);
            let (fg, bg) = (style.fg.unwrap_or(theme.style(Role::Text).fg.unwrap()), style.bg.unwrap_or(theme.background));
            let least = if matches!(role, Role::Border | Role::ChartGrid) { 2.0 } else { 4.5 };
            assert!(contrast(fg, bg) >= least, "{name}: {} has only {:.2}", role.name(), contrast(fg, bg));
        }
    }
}

#[test]
fn meaning_can_be_read_on_a_selected_row_and_in_the_header_and_footer() {
    for name in ["dark", "light"] {
        let theme = load(name, &[]).unwrap();
        for under in [Role::Selection, Role::Header, Role::Footer, Role::Input] {
            for over in [Role::Text, Role::Dim, Role::Ok, Role::Warn, Role::Critical, Role::Unknown, Role::Stale, Role::Key, Role::Accent] {
                let ratio = contrast(theme.style(over).fg.unwrap(), theme.style(under).bg.unwrap());
                assert!(ratio >= 4.5, "{name}: {} on {} has only {ratio:.2}", over.name(), under.name());
            }
        }
    }
}

#[test]
fn sixteen_uses_only_ansi_colours() {
    let theme = load("sixteen", &[]).unwrap();
    for role in Role::ALL {
        let style = theme.style(*role);
        assert!([style.fg, style.bg].iter().flatten().all(|color| !matches!(color, Color::Rgb(..) | Color::Indexed(_))), "{}", role.name());
    }
    assert_eq!(theme.at_depth(ColorDepth::Sixteen), Theme { depth: ColorDepth::Sixteen, ..theme });
}

#[test]
fn what_a_log_paints_can_be_read_on_every_theme_and_depth() {
    let depths = [ColorDepth::TrueColor, ColorDepth::Indexed256, ColorDepth::Sixteen, ColorDepth::None];
    for (name, depth) in ["dark", "light"].into_iter().flat_map(|name| depths.map(|depth| (name, depth))) {
        let theme = load(name, &[]).unwrap().at_depth(depth);
        for color in (0..=255).map(Color::Indexed).chain([Color::Rgb(16, 20, 24), Color::Rgb(251, 251, 248)]) {
            for style in [Style::new().fg(color), Style::new().bg(color)] {
                let drawn = theme.base().patch(theme.foreign(style));
                assert!(drawn.fg != drawn.bg || depth == ColorDepth::None, "{style:?} on {name} at {depth:?}: {drawn:?}");
                assert!(depth != ColorDepth::Sixteen || !matches!(drawn.fg, Some(Color::Rgb(..) | Color::Indexed(16..))), "{drawn:?}");
                if depth == ColorDepth::TrueColor {
                    let contrast = contrast(drawn.fg.unwrap(), drawn.bg.unwrap());
                    assert!(contrast >= 1.6, "{style:?} on {name}: {contrast}");
                }
            }
        }
    }
}

#[test]
fn without_colour_badges_and_the_selection_still_stand_out() {
    for name in Theme::names(&[]) {
        let theme = load(name, &[]).unwrap().at_depth(ColorDepth::None);
        assert_eq!((theme.base().fg, theme.base().bg), (None, Some(Color::Reset)));
        for role in [Role::Selection, Role::Severity1, Role::Armed, Role::Replay] {
            assert!(theme.style(role).add_modifier.contains(Modifier::REVERSED), "{name}: {}", role.name());
        }
    }
}

#[test]
fn a_role_that_is_left_out_looks_as_its_meaning_in_general() {
    let theme = load("mine", &[("themes/mine.toml", "[roles]\ntext = 'gray'\n\"chart.line\" = 'blue'\nalert = { bg = 'red' }")]).unwrap();
    assert_eq!(theme.style(Role::ChartLineSecond).fg, Some(Color::Blue));
    assert_eq!(theme.style(Role::ChartMarker).fg, Some(Color::Gray));
    assert_eq!(theme.style(Role::AlertCritical).bg, Some(Color::Red));
    assert_eq!(Role::Text.fallback(), None);
}

#[test]
fn an_heir_repaints_what_it_inherits() {
    let dark = load("dark", &[]).unwrap();
    let files = [("themes/mine.toml", "inherits = 'dark'\n[palette]\nblue = '#0000ff'"), ("themes/dark.toml", "[roles]\nok = 'cyan'")];
    let mine = load("mine", &files).unwrap();
    assert_eq!(mine.style(Role::Accent).fg, Some(Color::Rgb(0, 0, 255)));
    assert_eq!(mine.style(Role::Critical), dark.style(Role::Critical));
    assert_eq!(mine.style(Role::Ok), dark.style(Role::LogSource), "the user's dark.toml lies over the built-in one");
    assert_eq!(Theme::names(&files), ["dark", "light", "sixteen", "mine"]);
}

#[test]
fn all_mistakes_are_reported_at_once() {
    let text = "inherit = 'dark'\nbackground = '#1234'\n[palette]\nrose = 'pinck'\n[roles]\nborder-focus = 'rose'\nok = 'grene'\nwarn = { fg = 'rosé', modifiers = ['blod'], gb = 'red' }\ntext = 3";
    assert_eq!(
        load("mine", &[("themes/mine.toml", text)]).unwrap_err(),
        [
            r#"themes/mine.toml:1:1: no such field "inherit"; did you mean "inherits"?"#,
            r##"themes/mine.toml:2:14: "#1234" is not a colour: a hash and six hexadecimal digits, #rrggbb"##,
            r#"themes/mine.toml:4:8: no such colour "pinck""#,
            r#"themes/mine.toml:6:1: no such role "border-focus"; did you mean "border.focus"?"#,
            r#"themes/mine.toml:7:6: no such colour "grene"; did you mean "green"?"#,
            r#"themes/mine.toml:8:15: no such colour "rosé"; did you mean "rose"?"#,
            r#"themes/mine.toml:8:36: no such modifier "blod"; did you mean "bold"?"#,
            r#"themes/mine.toml:8:45: no such field "gb"; did you mean "bg"?"#,
            "themes/mine.toml:9:8: expected a table, found integer",
        ]
    );
}

#[test]
fn names_that_lead_nowhere_or_in_a_circle_are_reported() {
    let files = [("a.toml", "inherits = 'b'"), ("b.toml", "\ninherits = 'a'"), ("c.toml", "inherits = 'drak'")];
    assert_eq!(load("a", &files).unwrap_err(), [r#"b.toml:2:12: theme "a" inherits from itself"#]);
    assert_eq!(load("c", &files).unwrap_err(), [r#"c.toml:1:12: no such theme "drak"; did you mean "dark"?"#]);
    assert_eq!(load("lihgt", &files).unwrap_err(), [r#"config.toml:1:1: no such theme "lihgt"; did you mean "light"?"#]);
}
