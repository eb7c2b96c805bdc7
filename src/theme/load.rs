//! Makes a [`Theme`] from a file and what it inherits. All mistakes are found at once, each with its place.

use std::collections::BTreeMap;
use std::str::FromStr;

use ratatui::style::{Color, Modifier, Style};

use super::built_in::BUILT_IN;
use super::{ColorDepth, Role, Theme, color};
use crate::data::{self, Field, Location, Log, Mistake, Problem, Reader, Value, stem, stems, text_fields};

/// A colour as it is written, and where; it means something once all palettes are known.
type Written = (String, Location);

/// One file.
struct Sheet {
    inherits: Option<Written>,
    background: Option<Written>,
    palette: Vec<(String, Written)>,
    roles: Vec<(Role, Look)>,
}

/// A style as it is written: a colour, or `{ fg, bg, modifiers }`.
struct Look {
    fg: Option<Written>,
    bg: Option<Written>,
    modifiers: Modifier,
}

impl Theme {
    /// The theme `name`, asked for at `at`. `files` are the user's (name and text); one named as a built-in
    /// theme lies over it.
    ///
    /// # Errors
    /// Every mistake of the theme's file and of those that it inherits from; an unknown name at `at`.
    pub fn load(name: &str, at: &Location, files: &[(&str, &str)]) -> Result<Self, Vec<Mistake>> {
        let (sheets, mut mistakes) = lineage(name, at, files);
        let theme = resolve(&sheets, &mut mistakes);
        mistakes.sort();
        if mistakes.is_empty() { Ok(theme) } else { Err(mistakes) }
    }

    /// The names of all themes: built-in ones, then the user's own.
    pub fn names<'a>(files: &[(&'a str, &'a str)]) -> Vec<&'a str> {
        stems(&BUILT_IN, files)
    }
}

/// The file of that name and all that it inherits from, the heir first.
fn lineage(name: &str, at: &Location, files: &[(&str, &str)]) -> (Vec<Sheet>, Vec<Mistake>) {
    let mut sheets = Vec::new();
    let mut mistakes = Vec::new();
    let mut seen = Vec::new();
    let mut next = Some((name.to_owned(), at.clone()));
    while let Some((name, at)) = next.take() {
        let unseen = |name: &str| {
            files.iter().chain(&BUILT_IN).find(|(file, _)| stem(file) == name && !seen.contains(file))
        };
        let Some((file, text)) = unseen(&name) else {
            mistakes.push(at.mistake(missing(&name, files)));
            break;
        };
        seen.push(file);
        let (sheet, found) = data::read_partly(file, text, "field", sheet);
        mistakes.extend(found);
        let Some(sheet) = sheet else { break };
        let covered = BUILT_IN.iter().any(|(built_in, _)| stem(built_in) == name && !seen.contains(built_in));
        next = sheet.inherits.clone().or(covered.then_some((name, at)));
        sheets.push(sheet);
    }
    (sheets, mistakes)
}

fn missing(name: &str, files: &[(&str, &str)]) -> Problem {
    let names = Theme::names(files);
    if names.contains(&name) {
        Problem::new(format!("theme {name:?} inherits from itself"))
    } else {
        Problem::unknown("theme", name, names)
    }
}

fn sheet(root: &mut Reader<'_>) -> Sheet {
    let inherits = root.get("inherits");
    let background = root.get("background");
    let palette = root.table("palette", "colour").map(|mut palette| palette.entries()).unwrap_or_default();
    let roles = root.table("roles", "role").map(|mut roles| {
        let written = Role::ALL.iter().map(|role| (*role, roles.get(role.name())));
        written.filter_map(|(role, look)| Some((role, look?))).collect()
    });
    Sheet { inherits, background, palette, roles: roles.unwrap_or_default() }
}

impl Field for Look {
    fn read(value: &Value<'_>, log: &Log<'_>) -> Option<Self> {
        if value.get_ref().is_str() {
            return Some(Self { fg: Field::read(value, log), bg: None, modifiers: Modifier::empty() });
        }
        let mut table = Reader::of(value, "field", log)?;
        let fg = table.get("fg");
        let bg = table.get("bg");
        let modifiers = table.get::<Vec<Attribute>>("modifiers");
        let modifiers = modifiers.into_iter().flatten().fold(Modifier::empty(), |all, one| all | one.0);
        Some(Self { fg, bg, modifiers })
    }
}

struct Attribute(Modifier);

impl FromStr for Attribute {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        const NAMES: [(&str, Modifier); 6] = [
            ("bold", Modifier::BOLD),
            ("dim", Modifier::DIM),
            ("italic", Modifier::ITALIC),
            ("underlined", Modifier::UNDERLINED),
            ("reversed", Modifier::REVERSED),
            ("crossed-out", Modifier::CROSSED_OUT),
        ];
        let found = NAMES.iter().find(|(name, _)| *name == text);
        found
            .map(|(_, modifier)| Self(*modifier))
            .ok_or_else(|| Problem::unknown("modifier", text, NAMES.iter().map(|(name, _)| *name)))
    }
}

text_fields!(Attribute);

/// Lays the sheets over each other, the heir on top. An heir that changes only the palette repaints all that
/// it inherits.
fn resolve(sheets: &[Sheet], mistakes: &mut Vec<Mistake>) -> Theme {
    let mut palette = BTreeMap::new();
    for (name, written) in sheets.iter().rev().flat_map(|sheet| &sheet.palette) {
        palette.insert(name.as_str(), paint(written, &BTreeMap::new(), mistakes));
    }
    let looks: BTreeMap<Role, &Look> =
        sheets.iter().rev().flat_map(|sheet| sheet.roles.iter().map(|(role, look)| (*role, look))).collect();
    let mut painted = BTreeMap::new();
    for (role, look) in looks {
        let mut color =
            |written: &Option<Written>| written.as_ref().map(|written| paint(written, &palette, mistakes));
        let fg = color(&look.fg);
        let bg = color(&look.bg);
        painted.insert(role, Style { fg, bg, add_modifier: look.modifiers, ..Style::default() });
    }
    let background = sheets.iter().find_map(|sheet| sheet.background.as_ref());
    let background = background.map_or(Color::Reset, |written| paint(written, &palette, mistakes));
    let style = |role: &Role| {
        let mut lineage = std::iter::successors(Some(*role), |role| role.fallback());
        lineage.find_map(|role| painted.get(&role)).copied().unwrap_or_default()
    };
    Theme { styles: Role::ALL.iter().map(style).collect(), background, depth: ColorDepth::TrueColor }
}

fn paint((text, place): &Written, palette: &BTreeMap<&str, Color>, mistakes: &mut Vec<Mistake>) -> Color {
    let color =
        palette.get(text.as_str()).copied().map_or_else(|| color::parse(text, palette.keys().copied()), Ok);
    color.unwrap_or_else(|fault| {
        mistakes.push(place.mistake(fault));
        Color::Reset
    })
}
