use ratatui::style::Modifier;

use super::*;
use crate::data::Location;

fn load(name: &str, files: &[(&str, &str)]) -> Result<Theme, Vec<String>> {
    let mistakes = |found: Vec<crate::data::Mistake>| found.iter().map(ToString::to_string).collect();
    Theme::load(name, &Location::start_of("config.toml"), files).map_err(mistakes)
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
    let a = luminance(a);
    let b = luminance(b);
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

#[test]
fn every_shipped_theme_is_without_mistakes() {
    for name in Theme::names(&[]) {
        assert_eq!(load(name, &[]).err(), None, "{name}");
    }
}

/// Themes that name their colours, and so have a contrast: all but the one that the terminal paints.
fn painted() -> impl Iterator<Item = (&'static str, Theme)> {
    Theme::names(&[])
        .into_iter()
        .filter(|name| *name != "sixteen")
        .map(|name| (name, load(name, &[]).unwrap()))
}

/// What a role's text is drawn in, and on.
fn drawn(theme: &Theme, role: Role, under: Option<Role>) -> (Color, Color) {
    let style = theme.style(role);
    let under = under.and_then(|under| theme.style(under).bg);
    (style.fg.or(theme.style(Role::Text).fg).unwrap(), style.bg.or(under).unwrap_or(theme.background))
}

/// All roles on the theme's background, and those that stand on a selected row, in the header, the footer and
/// the typed line.
fn pairs() -> impl Iterator<Item = (Role, Option<Role>, f64)> {
    let stroke = |role: &Role| matches!(role, Role::Border | Role::ChartGrid);
    let alone = Role::ALL.iter().map(move |role| (*role, None, if stroke(role) { 1.7 } else { 4.5 }));
    let rows = [Role::Selection, Role::TabActive, Role::Header, Role::Footer, Role::Input];
    let over = Role::ALL.iter().filter(move |role| !stroke(role));
    alone.chain(over.flat_map(move |role| rows.map(|under| (*role, Some(under), 4.5))))
}

#[test]
fn text_can_be_read_wherever_it_stands() {
    for (name, theme) in painted() {
        for (role, under, least) in pairs() {
            let (fg, bg) = drawn(&theme, role, under);
            let ratio = contrast(fg, bg);
            assert!(ratio >= least, "{name}: {} on {under:?} has only {ratio:.2}", role.name());
        }
    }
}

#[test]
fn text_can_still_be_read_with_256_colours_and_differs_from_what_is_behind_it_with_16() {
    for (name, theme) in painted() {
        let some = theme.at_depth(ColorDepth::Indexed256);
        let few = theme.at_depth(ColorDepth::Sixteen);
        for (role, under, least) in pairs() {
            let (fg, bg) = drawn(&some, role, under);
            // The nearest of 256 colours may be a little darker or lighter: less is asked of them than of
            // what the theme names.
            assert!(
                contrast(fg, bg) >= least.min(3.0) * 0.9,
                "{name}: {} on {under:?}: {fg} on {bg}",
                role.name()
            );
            let (fg, bg) = drawn(&few, role, None);
            assert!(fg != bg || under.is_some(), "{name}: {}: {fg} on {bg}", role.name());
        }
    }
}

#[test]
fn high_contrast_is_high() {
    let theme = load("high-contrast", &[]).unwrap();
    for (role, under, least) in pairs() {
        let (fg, bg) = drawn(&theme, role, under);
        assert!(contrast(fg, bg) >= if least < 4.5 { 4.5 } else { 7.0 }, "{} on {under:?}", role.name());
    }
}

/// How a colour is seen without one kind of cone: Viénot, Brettel and Mollon 1999 (red, green), in linear
/// light.
fn without_cone(color: Color, matrix: [[f64; 3]; 3]) -> [f64; 3] {
    let linear = color::rgb(color).unwrap().map(|channel| (f64::from(channel) / 255.0).powf(2.2));
    matrix.map(|row| {
        row.iter()
            .zip(linear)
            .map(|(weight, part)| weight * part)
            .sum::<f64>()
            .clamp(0.0, 1.0)
            .powf(1.0 / 2.2)
    })
}

#[test]
fn without_red_or_green_cones_good_and_bad_are_still_two_colours() {
    const NO_RED: [[f64; 3]; 3] = [[0.1124, 0.8876, 0.0], [0.1124, 0.8876, 0.0], [0.004, -0.004, 1.0]];
    const NO_GREEN: [[f64; 3]; 3] = [[0.2928, 0.7072, 0.0], [0.2928, 0.7072, 0.0], [-0.0223, 0.0223, 1.0]];
    let theme = load("colour-blind-safe", &[]).unwrap();
    for matrix in [NO_RED, NO_GREEN] {
        for (one, other) in [
            (Role::Ok, Role::Critical),
            (Role::Ok, Role::Warn),
            (Role::Warn, Role::Critical),
            (Role::DiffAdd, Role::DiffRemove),
            (Role::ChartLine, Role::ChartOver),
            (Role::TimelineApplied, Role::TimelineRejected),
        ] {
            let [a, b] = [one, other].map(|role| without_cone(theme.style(role).fg.unwrap(), matrix));
            let apart = a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
            assert!(apart > 0.25, "{} and {} are only {apart:.2} apart", one.name(), other.name());
        }
    }
}

#[test]
fn sixteen_uses_only_ansi_colours() {
    let theme = load("sixteen", &[]).unwrap();
    for role in Role::ALL {
        let style = theme.style(*role);
        assert!(
            [style.fg, style.bg]
                .iter()
                .flatten()
                .all(|color| !matches!(color, Color::Rgb(..) | Color::Indexed(_))),
            "{}",
            role.name()
        );
    }
    assert_eq!(theme.at_depth(ColorDepth::Sixteen), Theme { depth: ColorDepth::Sixteen, ..theme });
}

#[test]
fn what_a_log_paints_can_be_read_on_every_theme_and_depth() {
    let depths = [ColorDepth::TrueColor, ColorDepth::Indexed256, ColorDepth::Sixteen, ColorDepth::None];
    for (name, depth) in Theme::names(&[])
        .into_iter()
        .filter(|name| *name != "sixteen")
        .flat_map(|name| depths.map(|depth| (name, depth)))
    {
        let theme = load(name, &[]).unwrap().at_depth(depth);
        for color in (0..=255).map(Color::Indexed).chain([Color::Rgb(16, 20, 24), Color::Rgb(251, 251, 248)])
        {
            for style in [Style::new().fg(color), Style::new().bg(color)] {
                let drawn = theme.base().patch(theme.foreign(style));
                assert!(
                    drawn.fg != drawn.bg || depth == ColorDepth::None,
                    "{style:?} on {name} at {depth:?}: {drawn:?}"
                );
                assert!(
                    depth != ColorDepth::Sixteen
                        || !matches!(drawn.fg, Some(Color::Rgb(..) | Color::Indexed(16..))),
                    "{drawn:?}"
                );
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
    let theme = load(
        "mine",
        &[("themes/mine.toml", "[roles]\ntext = 'gray'\n\"chart.line\" = 'blue'\nalert = { bg = 'red' }")],
    )
    .unwrap();
    assert_eq!(theme.style(Role::ChartLineSecond).fg, Some(Color::Blue));
    assert_eq!(theme.style(Role::ChartMarker).fg, Some(Color::Gray));
    assert_eq!(theme.style(Role::AlertCritical).bg, Some(Color::Red));
    assert_eq!(Role::Text.fallback(), None);
}

#[test]
fn an_heir_repaints_what_it_inherits() {
    let dark = load("dark", &[]).unwrap();
    let files = [
        ("themes/mine.toml", "inherits = 'dark'\n[palette]\nblue = '#0000ff'"),
        ("themes/dark.toml", "[roles]\nok = 'cyan'"),
    ];
    let mine = load("mine", &files).unwrap();
    assert_eq!(mine.style(Role::Accent).fg, Some(Color::Rgb(0, 0, 255)));
    assert_eq!(mine.style(Role::Critical), dark.style(Role::Critical));
    assert_eq!(
        mine.style(Role::Ok),
        dark.style(Role::LogSource),
        "the user's dark.toml lies over the built-in one"
    );
    let names = Theme::names(&files);
    assert_eq!((names[0], names.last(), names.len()), ("dark", Some(&"mine"), Theme::names(&[]).len() + 1));
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
    let files =
        [("a.toml", "inherits = 'b'"), ("b.toml", "\ninherits = 'a'"), ("c.toml", "inherits = 'drak'")];
    assert_eq!(load("a", &files).unwrap_err(), [r#"b.toml:2:12: theme "a" inherits from itself"#]);
    assert_eq!(
        load("c", &files).unwrap_err(),
        [r#"c.toml:1:12: no such theme "drak"; did you mean "dark"?"#]
    );
    assert_eq!(
        load("lihgt", &files).unwrap_err(),
        [r#"config.toml:1:1: no such theme "lihgt"; did you mean "light"?"#]
    );
}
