//! Colours: their names, how many of them a terminal shows, and how a theme made for more is shown with
//! fewer.

use ratatui::style::{Color, Modifier, Style};

use crate::data::Problem;

/// How many colours the terminal shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ColorDepth {
    /// None; bold, underlined and reversed remain.
    None,
    /// The 16 ANSI colours, which the terminal's own palette paints.
    Sixteen,
    /// The 256 colours of xterm.
    Indexed256,
    /// 24 bits.
    TrueColor,
}

impl ColorDepth {
    /// Judged by the environment that `env` reads: `NO_COLOR` (<https://no-color.org>: set and not empty),
    /// `COLORTERM`, `TERM`.
    pub fn detect(env: impl Fn(&str) -> Option<String>) -> Self {
        let read = |name| env(name).unwrap_or_default();
        let term = read("TERM");
        let colorterm = read("COLORTERM");
        match () {
            () if !read("NO_COLOR").is_empty() || term == "dumb" => Self::None,
            () if colorterm == "truecolor" || colorterm == "24bit" || term.ends_with("-direct") => {
                Self::TrueColor
            }
            () if term.contains("256color") => Self::Indexed256,
            () => Self::Sixteen,
        }
    }
}

/// The 16 ANSI colours by number: name in themes, colour, and what xterm paints for it.
const ANSI: [(&str, Color, Rgb); 16] = [
    ("black", Color::Black, [0, 0, 0]),
    ("red", Color::Red, [205, 0, 0]),
    ("green", Color::Green, [0, 205, 0]),
    ("yellow", Color::Yellow, [205, 205, 0]),
    ("blue", Color::Blue, [0, 0, 238]),
    ("magenta", Color::Magenta, [205, 0, 205]),
    ("cyan", Color::Cyan, [0, 205, 205]),
    ("gray", Color::Gray, [229, 229, 229]),
    ("dark-gray", Color::DarkGray, [127, 127, 127]),
    ("light-red", Color::LightRed, [255, 0, 0]),
    ("light-green", Color::LightGreen, [0, 255, 0]),
    ("light-yellow", Color::LightYellow, [255, 255, 0]),
    ("light-blue", Color::LightBlue, [92, 92, 255]),
    ("light-magenta", Color::LightMagenta, [255, 0, 255]),
    ("light-cyan", Color::LightCyan, [0, 255, 255]),
    ("white", Color::White, [255, 255, 255]),
];

/// The terminal's own foreground or background.
const DEFAULT: &str = "default";

pub(super) type Rgb = [u8; 3];

/// All colour names that need no palette.
fn names<'a>() -> impl Iterator<Item = &'a str> {
    ANSI.iter().map(|(name, ..)| -> &'a str { name }).chain([DEFAULT])
}

/// Reads `#rrggbb`, an ANSI name, or `default`; `palette` holds the further names that a mistake may have
/// meant.
pub(super) fn parse<'a>(text: &'a str, palette: impl Iterator<Item = &'a str>) -> Result<Color, Problem> {
    let named = ANSI.iter().find(|(name, ..)| *name == text).map(|(_, color, _)| *color);
    let color = named.or((text == DEFAULT).then_some(Color::Reset));
    match text.strip_prefix('#') {
        Some(digits) => hex(digits).ok_or_else(|| {
            Problem::new(format!("{text:?} is not a colour: a hash and six hexadecimal digits, #rrggbb"))
        }),
        None => color.ok_or_else(|| Problem::unknown("colour", text, palette.chain(names()))),
    }
}

fn hex(digits: &str) -> Option<Color> {
    let valid = digits.len() == 6 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    let number = u32::from_str_radix(digits, 16).ok().filter(|_| valid)?;
    Some(Color::from_u32(number))
}

/// What a colour is painted as; none for the terminal's own.
pub(super) fn rgb(color: Color) -> Option<Rgb> {
    match color {
        Color::Rgb(r, g, b) => Some([r, g, b]),
        Color::Indexed(index @ 0..16) => Some(ANSI[usize::from(index)].2),
        Color::Indexed(index) => Some(indexed(index)),
        named => ANSI.iter().find(|(_, color, _)| *color == named).map(|(_, _, rgb)| *rgb),
    }
}

/// Xterm's colours from 16: a cube of six levels a channel, then 24 greys.
fn indexed(index: u8) -> Rgb {
    const LEVELS: [u8; 6] = [0, 95, 135, 175, 215, 255];
    match index.saturating_sub(16) {
        grey @ 216.. => [8 + (grey - 216) * 10; 3],
        cube => [cube / 36, cube / 6 % 6, cube % 6].map(|level| LEVELS[usize::from(level)]),
    }
}

/// Shows a style with fewer colours. What stood out from `background` still does, and text never takes the
/// colour behind it.
pub(super) fn at_depth(style: Style, background: Color, depth: ColorDepth) -> Style {
    let ground = shown(background, depth);
    let bg = style.bg.map(|bg| if bg == background { ground } else { apart(bg, ground, depth) });
    let behind = bg.unwrap_or(ground);
    let fg = style.fg.map(|fg| {
        if fg == style.bg.unwrap_or(background) { shown(fg, depth) } else { apart(fg, behind, depth) }
    });
    if depth != ColorDepth::None {
        return Style { fg, bg, ..style };
    }
    let lifted = style.bg.is_some_and(|bg| bg != background);
    let plain = Style { fg: None, bg: None, ..style };
    if lifted { plain.add_modifier(Modifier::REVERSED) } else { plain }
}

/// A style with text that stands out from what is behind it: its own background, or that of `base`.
pub(super) fn readable(style: Style, base: Style) -> Style {
    /// Plain blue on black, which programs write, has 2.4; what has less is hardly seen.
    const LEAST: f64 = 1.8;
    let (Some(ground), Some(ink)) = (style.bg.or(base.bg).and_then(rgb), style.fg.or(base.fg).and_then(rgb))
    else {
        return style;
    };
    if contrast(ground, ink) >= LEAST {
        return style;
    }
    match style.bg {
        None => Style { fg: base.fg, ..style },
        Some(_) if contrast(ground, [0; 3]) > contrast(ground, [255; 3]) => style.fg(Color::Black),
        Some(_) => style.fg(Color::White),
    }
}

/// The contrast ratio of WCAG 2.2, 1 to 21.
fn contrast(a: Rgb, b: Rgb) -> f64 {
    let linear = |channel: u8| (f64::from(channel) / 255.0).powf(2.2);
    let [a, b] = [a, b].map(|[r, g, b]| linear(r) * 0.2126 + linear(g) * 0.7152 + linear(b) * 0.0722 + 0.05);
    a.max(b) / a.min(b)
}

/// The colour as the terminal can show it.
pub(super) fn shown(color: Color, depth: ColorDepth) -> Color {
    match (rgb(color), depth) {
        (_, ColorDepth::None) => Color::Reset,
        (Some(rgb), ColorDepth::Indexed256) if matches!(color, Color::Rgb(..)) => {
            Color::Indexed(nearest_indexed(rgb, None))
        }
        (Some(rgb), ColorDepth::Sixteen) if matches!(color, Color::Rgb(..) | Color::Indexed(_)) => {
            nearest_ansi(rgb)
        }
        _ => color,
    }
}

/// The colour as the terminal can show it, but not `other`: of 256 the next nearest, of 16 a grey beside it.
fn apart(color: Color, other: Color, depth: ColorDepth) -> Color {
    let near = shown(color, depth);
    match (near, other) {
        _ if near != other || near == Color::Reset => near,
        (Color::Indexed(taken), _) => {
            rgb(color).map_or(near, |rgb| Color::Indexed(nearest_indexed(rgb, Some(taken))))
        }
        (_, Color::Black) => Color::DarkGray,
        (_, Color::White) => Color::Gray,
        (_, other) if rgb(other).is_some_and(|rgb| brightness(rgb) > 127) => Color::Black,
        _ => Color::White,
    }
}

fn nearest_indexed(to: Rgb, but: Option<u8>) -> u8 {
    let distance =
        |index: u8| indexed(index).iter().zip(to).map(|(a, b)| u32::from(a.abs_diff(b)).pow(2)).sum::<u32>();
    (16..=255).filter(|index| Some(*index) != but).min_by_key(|index| distance(*index)).unwrap_or_default()
}

/// Hue first, because it carries the meaning: a pale red is nearer to grey than to red in every plain
/// distance.
fn nearest_ansi([r, g, b]: Rgb) -> Color {
    const COLOURED: u8 = 48;
    let low = r.min(g).min(b);
    let high = r.max(g).max(b);
    if high - low < COLOURED {
        return match brightness([r, g, b]) {
            0..56 => Color::Black,
            56..128 => Color::DarkGray,
            128..232 => Color::Gray,
            _ => Color::White,
        };
    }
    let middle = low.midpoint(high);
    let bits = [r, g, b]
        .iter()
        .enumerate()
        .map(|(bit, channel)| usize::from(*channel > middle) << bit)
        .sum::<usize>();
    let bright = if high >= 224 { 8 } else { 0 };
    ANSI[bits + bright].1
}

fn brightness([r, g, b]: Rgb) -> u16 {
    (u16::from(r) * 3 + u16::from(g) * 6 + u16::from(b)) / 10
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn colors() -> impl Strategy<Value = Color> {
        let rgb = any::<[u8; 3]>().prop_map(|[r, g, b]| Color::Rgb(r, g, b));
        prop_oneof![
            rgb,
            any::<u8>().prop_map(Color::Indexed),
            prop::sample::select(&ANSI[..]).prop_map(|(_, color, _)| color)
        ]
    }

    proptest! {
        #[test]
        fn what_was_apart_stays_apart(fg in colors(), bg in colors(), background in colors()) {
            let style = Style::new().fg(fg).bg(bg);
            let sixteen = at_depth(style, background, ColorDepth::Sixteen);
            prop_assert!(fg == bg || sixteen.fg != sixteen.bg);
            prop_assert!(bg == background || sixteen.bg != Some(shown(background, ColorDepth::Sixteen)));
            let plain = at_depth(style, background, ColorDepth::None);
            prop_assert_eq!((plain.fg, plain.bg), (None, None));
            prop_assert_eq!(plain.add_modifier.contains(Modifier::REVERSED), bg != background);
        }

        #[test]
        fn fewer_colours_are_the_same_ones_the_second_time(color in colors()) {
            for depth in [ColorDepth::None, ColorDepth::Sixteen, ColorDepth::Indexed256, ColorDepth::TrueColor] {
                prop_assert_eq!(shown(shown(color, depth), depth), shown(color, depth));
            }
        }

        #[test]
        fn no_text_makes_it_panic(text in "#?.{0,7}") {
            let _ = parse(&text, std::iter::empty());
        }
    }

    #[test]
    fn colours_keep_their_hue() {
        for (text, ansi) in [
            ("#ff7b72", Color::LightRed),
            ("#c4201c", Color::Red),
            ("#e6c04b", Color::LightYellow),
            ("#5fc98a", Color::Green),
            ("#6cb0ff", Color::LightBlue),
            ("#dca8ff", Color::LightMagenta),
            ("#101418", Color::Black),
            ("#fbfbf8", Color::White),
        ] {
            assert_eq!(shown(parse(text, std::iter::empty()).unwrap(), ColorDepth::Sixteen), ansi, "{text}");
        }
        assert_eq!(shown(Color::Rgb(255, 135, 0), ColorDepth::Indexed256), Color::Indexed(208));
        assert_eq!(shown(Color::Rgb(8, 8, 8), ColorDepth::Indexed256), Color::Indexed(232));
    }

    #[test]
    fn the_environment_tells_the_depth() {
        for (env, depth) in [
            (&[("TERM", "xterm-256color"), ("COLORTERM", "truecolor")][..], ColorDepth::TrueColor),
            (&[("TERM", "xterm-direct")], ColorDepth::TrueColor),
            (&[("TERM", "screen-256color")], ColorDepth::Indexed256),
            (&[("TERM", "linux")], ColorDepth::Sixteen),
            (&[], ColorDepth::Sixteen),
            (&[("TERM", "dumb")], ColorDepth::None),
            (&[("NO_COLOR", "1"), ("COLORTERM", "truecolor")], ColorDepth::None),
            (&[("NO_COLOR", ""), ("COLORTERM", "24bit")], ColorDepth::TrueColor),
        ] {
            let read =
                |name: &str| env.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
            assert_eq!(ColorDepth::detect(read), depth, "{env:?}");
        }
    }
}
