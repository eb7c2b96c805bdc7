//! Text from outside that keeps its colours: "select graphic rendition" sequences (ECMA-48 SGR, `ESC [ … m`)
//! become spans with a style; every other control stays a visible mark, as in [`Clean`]. What is drawn is a
//! style that a theme had a word in, never the sequence.

use ratatui::style::{Color, Modifier, Style};

use super::{Clean, cleaned};

/// A longer sequence is no colour: it stays visible.
const LONGEST: usize = 64;

/// A part of a line with a style of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first byte, at the start of a character.
    pub start: u32,
    /// The byte after the last.
    pub end: u32,
    /// Colours as they were asked for, at any depth; blinking and hidden text is neither.
    pub style: Style,
}

/// A line that no terminal will act on, with the styles that its writer gave it. Each line begins without
/// any.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Styled {
    text: Clean,
    spans: Box<[Span]>,
}

impl Styled {
    /// Cleans `text` and takes its colours apart.
    pub fn new(text: &str) -> Self {
        if !text.contains("\u{1b}[") {
            return Self::from(Clean::new(text));
        }
        let mut painter = Painter::default();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("\u{1b}[") {
            painter.write(before);
            rest = match rendition(after) {
                Some((parameters, after)) => {
                    painter.change(parameters);
                    after
                }
                None => {
                    painter.write("\u{1b}[");
                    after
                }
            };
        }
        painter.write(rest);
        Self { text: Clean::new(&painter.text), spans: painter.spans.into() }
    }

    /// The text.
    pub fn text(&self) -> &Clean {
        &self.text
    }

    /// The parts with a style, in order, none over another.
    pub fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// Bytes that it takes in memory beyond its own size.
    pub fn bytes(&self) -> usize {
        self.text.len() + std::mem::size_of_val(&*self.spans)
    }
}

impl From<Clean> for Styled {
    fn from(text: Clean) -> Self {
        Self { text, spans: Box::default() }
    }
}

/// `1;31m…`: parameters, and what comes after the sequence; none when this is no rendition.
fn rendition(text: &str) -> Option<(&str, &str)> {
    let length = text.bytes().take(LONGEST).position(|byte| !matches!(byte, b'0'..=b'9' | b';' | b':'))?;
    Some((&text[..length], text[length..].strip_prefix('m')?))
}

/// Writes clean text with the style of the moment.
#[derive(Default)]
struct Painter {
    text: String,
    spans: Vec<Span>,
    pen: Pen,
}

impl Painter {
    fn write(&mut self, text: &str) {
        let start = self.text.len();
        self.text.push_str(&cleaned(text));
        let style = self.pen.style();
        let (Ok(start), Ok(end)) = (u32::try_from(start), u32::try_from(self.text.len())) else { return };
        if start == end || style == Style::new() {
            return;
        }
        match self.spans.last_mut() {
            Some(last) if last.end == start && last.style == style => last.end = end,
            _ => self.spans.push(Span { start, end, style }),
        }
    }

    fn change(&mut self, parameters: &str) {
        let mut codes = parameters.split(';');
        while let Some(code) = codes.next() {
            match code.split_once(':') {
                Some((which, rest)) => {
                    self.pen.colour(which, &mut rest.split(':').filter(|part| !part.is_empty()));
                }
                None if matches!(code, "38" | "48") => self.pen.colour(code, &mut codes),
                None => self.pen.set(code.parse().unwrap_or(0)),
            }
        }
    }
}

#[derive(Default)]
struct Pen {
    fg: Option<Color>,
    bg: Option<Color>,
    modifier: Modifier,
}

impl Pen {
    fn style(&self) -> Style {
        Style { fg: self.fg, bg: self.bg, ..Style::new().add_modifier(self.modifier) }
    }

    /// A code that stands for itself.
    fn set(&mut self, code: u8) {
        match code {
            0 => *self = Self::default(),
            1 => self.modifier |= Modifier::BOLD,
            2 => self.modifier |= Modifier::DIM,
            3 => self.modifier |= Modifier::ITALIC,
            4 => self.modifier |= Modifier::UNDERLINED,
            7 => self.modifier |= Modifier::REVERSED,
            9 => self.modifier |= Modifier::CROSSED_OUT,
            22 => self.modifier -= Modifier::BOLD | Modifier::DIM,
            23 => self.modifier -= Modifier::ITALIC,
            24 => self.modifier -= Modifier::UNDERLINED,
            27 => self.modifier -= Modifier::REVERSED,
            29 => self.modifier -= Modifier::CROSSED_OUT,
            30..=37 => self.fg = Some(Color::Indexed(code - 30)),
            39 => self.fg = None,
            40..=47 => self.bg = Some(Color::Indexed(code - 40)),
            49 => self.bg = None,
            90..=97 => self.fg = Some(Color::Indexed(code - 90 + 8)),
            100..=107 => self.bg = Some(Color::Indexed(code - 100 + 8)),
            _ => {}
        }
    }

    /// `38;5;208`, `48;2;255;135;0`, and the same with colons, where a colour space may stand before the
    /// channels.
    fn colour<'a>(&mut self, which: &str, parts: &mut impl Iterator<Item = &'a str>) {
        let mut next = || parts.next().and_then(|part| part.parse::<u8>().ok());
        let color = match next() {
            Some(5) => next().map(Color::Indexed),
            Some(2) => (|| Some(Color::Rgb(next()?, next()?, next()?)))(),
            _ => None,
        };
        match which {
            "38" => self.fg = color.or(self.fg),
            "48" => self.bg = color.or(self.bg),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::needs_mark;
    use super::*;

    /// The text, and each part with its style.
    fn read(text: &str) -> (String, Vec<(String, Style)>) {
        let styled = Styled::new(text);
        let part =
            |span: &Span| (styled.text()[span.start as usize..span.end as usize].to_owned(), span.style);
        (styled.text().to_string(), styled.spans().iter().map(part).collect())
    }

    #[test]
    fn colours_become_styles() {
        let red = Style::new().fg(Color::Indexed(1));
        for (text, clean, spans) in [
            ("plain", "plain", vec![]),
            ("a \u{1b}[31mred\u{1b}[0m b", "a red b", vec![("red", red)]),
            ("\u{1b}[31mre\u{1b}[31md\u{1b}[mx", "redx", vec![("red", red)]),
            (
                "\u{1b}[1;38;5;208mx",
                "x",
                vec![("x", Style::new().fg(Color::Indexed(208)).add_modifier(Modifier::BOLD))],
            ),
            ("\u{1b}[48;2;1;2;3mx", "x", vec![("x", Style::new().bg(Color::Rgb(1, 2, 3)))]),
            ("\u{1b}[38:2::1:2:3mx", "x", vec![("x", Style::new().fg(Color::Rgb(1, 2, 3)))]),
            ("\u{1b}[94mx\u{1b}[39my", "xy", vec![("x", Style::new().fg(Color::Indexed(12)))]),
            ("\u{1b}[5;8mblink, hidden", "blink, hidden", vec![]),
            ("\u{1b}[31m\u{7}bell", "␇bell", vec![("␇bell", red)]),
        ] {
            let spans: Vec<_> = spans.into_iter().map(|(part, style)| (part.to_owned(), style)).collect();
            assert_eq!(read(text), (clean.to_owned(), spans), "{text:?}");
        }
    }

    #[test]
    fn what_is_no_colour_stays_visible() {
        for (text, clean) in [
            ("\u{1b}[2J\u{1b}[1;1H\u{1b}]0;owned\u{7}", "␛[2J␛[1;1H␛]0;owned␇"),
            ("\u{1b}[31", "␛[31"),
            ("\u{1b}[?25lx", "␛[?25lx"),
            ("\u{1b}[>4;2m", "␛[>4;2m"),
            ("\u{9b}31mred", "<U+009B>31mred"),
        ] {
            assert_eq!(read(text), (clean.to_owned(), vec![]), "{text:?}");
        }
        let long = format!("\u{1b}[{}m", "1;".repeat(LONGEST));
        assert!(Styled::new(&long).text().starts_with("␛[1;"));
    }

    proptest! {
        #[test]
        fn nothing_that_a_terminal_obeys_is_left(text in "(\u{1b}\\[[0-9;:]{0,9}[mJH]|[\\x00-\\x9fäm日\u{200b}-\u{202e}]){0,30}|.*") {
            let styled = Styled::new(&text);
            prop_assert!(!styled.text().chars().any(needs_mark));
            let mut end = 0;
            for span in styled.spans() {
                prop_assert!(end <= span.start && span.start < span.end);
                prop_assert!(styled.text().get(span.start as usize..span.end as usize).is_some());
                end = span.end;
            }
        }

        #[test]
        fn only_colours_are_taken_out(parts in prop::collection::vec("\u{1b}\\[[0-9;]{0,9}m|[ -~\\x00-\\x1a]{0,9}", 0..9)) {
            let plain: String = parts.iter().filter(|part| !part.starts_with('\u{1b}')).map(String::as_str).collect();
            let styled = Styled::new(&parts.concat());
            prop_assert_eq!(styled.text(), &Clean::new(&plain));
        }
    }
}
