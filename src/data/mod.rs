//! Strict reading of TOML: settings, keymaps, themes and runbooks are data that people write by hand, under
//! pressure.
//!
//! A [`Reader`] stands over one table. It is asked for keys; when it goes out of scope it reports every key
//! that nobody asked for, with the nearest of those that were. Nothing stops at the first mistake, and a file
//! with one mistake yields no value at all: placeholders never escape [`read`]. So ask for every key of a
//! table *before* the first `?`:
//!
//! ```
//! use warroom::data;
//!
//! struct Room { name: String, floor: i64 }
//!
//! let rooms = data::read("rooms.toml", "[[room]]\nname = 'A'\nflor = 3", "setting", |root| {
//!     root.tables("room", "field").into_iter().filter_map(|mut room| {
//!         let (name, floor) = (room.required("name"), room.required("floor"));
//!         Some(Room { name: name?, floor: floor? })
//!     }).collect::<Vec<_>>()
//! });
//! let found: Vec<_> = rooms.err().into_iter().flatten().map(|mistake| mistake.to_string()).collect();
//! assert_eq!(found, [
//!     r#"rooms.toml:1:1: "floor" is missing"#,
//!     r#"rooms.toml:3:1: no such field "flor"; did you mean "floor"?"#,
//! ]);
//! ```
//!
//! No file is opened here: callers pass text, and the name to report it under.

mod field;
pub(crate) mod json_patch;
mod lazy;
mod mistake;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt::Display;
use std::ops::{Range, RangeInclusive};
use std::path::Path;
use std::sync::Arc;

use toml::de::DeTable;

use field::expected;
pub use field::{Field, Value};
pub(crate) use field::{names, text_fields};
pub use lazy::Lazy;
pub use mistake::{Location, Mistake, Problem};

/// Reads one TOML text. The keys of its outermost table are called `noun` in reports ("setting", "context",
/// …).
///
/// # Errors
/// All mistakes of the file in the order in which they stand there; only the syntax errors when it is not
/// TOML.
pub fn read<T>(
    file: &str,
    text: &str,
    noun: &'static str,
    with: impl FnOnce(&mut Reader<'_>) -> T,
) -> Result<T, Vec<Mistake>> {
    let (value, mistakes) = read_partly(file, text, noun, with);
    value.filter(|_| mistakes.is_empty()).ok_or(mistakes)
}

/// As [`read`], for callers that go on looking for mistakes in what could be read; nothing when the text is
/// not TOML.
pub fn read_partly<T>(
    file: &str,
    text: &str,
    noun: &'static str,
    with: impl FnOnce(&mut Reader<'_>) -> T,
) -> (Option<T>, Vec<Mistake>) {
    let log = Log { file: file.into(), text, mistakes: RefCell::default() };
    let (root, syntax) = DeTable::parse_recoverable(text);
    for error in &syntax {
        log.report(error.span().unwrap_or(0..0), Problem::new(error.message()));
    }
    let value = syntax.is_empty().then(|| with(&mut Reader::new(root.get_ref(), 0..0, noun, &log)));
    let mut mistakes = log.mistakes.into_inner();
    mistakes.sort();
    (value, mistakes)
}

/// The name of the thing that a data file holds: `mine` for `themes/mine.toml`.
pub fn stem(file: &str) -> &str {
    let name = Path::new(file).file_name().and_then(|name| name.to_str()).unwrap_or(file);
    name.split_once(".toml").map_or(name, |(stem, _)| stem)
}

/// The names of what is built in, then of what only the user's files (name and text) hold.
pub fn stems<'a>(built_in: &[(&'a str, &'a str)], files: &[(&'a str, &'a str)]) -> Vec<&'a str> {
    let mut names: Vec<&str> = Vec::new();
    for (file, _) in built_in.iter().chain(files) {
        if !names.contains(&stem(file)) {
            names.push(stem(file));
        }
    }
    names
}

/// The mistakes of one file so far, and the text that turns offsets into lines.
#[derive(Debug)]
pub struct Log<'a> {
    file: Arc<str>,
    text: &'a str,
    mistakes: RefCell<Vec<Mistake>>,
}

impl Log<'_> {
    /// Where a span of this file begins.
    pub fn place(&self, span: &Range<usize>) -> Location {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = before.matches('\n').count() + 1;
        let column = before[line_start..].chars().count() + 1;
        Location { file: Arc::clone(&self.file), line, column }
    }

    /// Notes a fault of the text at `span`.
    pub fn report(&self, span: Range<usize>, fault: Problem) {
        let mistake = self.place(&span).mistake(fault);
        self.mistakes.borrow_mut().push(mistake);
    }
}

/// One table, and which of its keys were asked for.
#[derive(Debug)]
pub struct Reader<'a> {
    table: &'a DeTable<'a>,
    span: Range<usize>,
    noun: &'static str,
    log: &'a Log<'a>,
    asked: BTreeSet<String>,
}

impl<'a> Reader<'a> {
    fn new(table: &'a DeTable<'a>, span: Range<usize>, noun: &'static str, log: &'a Log<'a>) -> Self {
        Self { table, span, noun, log, asked: BTreeSet::new() }
    }

    fn value(&mut self, key: &str) -> Option<&'a Value<'a>> {
        self.asked.insert(key.to_owned());
        self.table.get(key)
    }

    /// A reader of a value that is a table, for the [`Field`]s that are; anything else is reported.
    pub fn of(value: &'a Value<'a>, noun: &'static str, log: &'a Log<'a>) -> Option<Self> {
        match value.get_ref().as_table() {
            Some(table) => Some(Self::new(table, value.span(), noun, log)),
            None => expected(value, log, "a table"),
        }
    }

    /// Whether the table has this key.
    pub fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// The value of a key that may be absent; a wrong value is reported and reads as absent.
    pub fn get<T: Field>(&mut self, key: &str) -> Option<T> {
        let value = self.value(key)?;
        T::read(value, self.log)
    }

    /// The value of a key that must be there; its absence is reported at the head of the table.
    pub fn required<T: Field>(&mut self, key: &str) -> Option<T> {
        if !self.has(key) {
            self.fault(Problem::new(format!("{key:?} is missing")));
        }
        self.get(key)
    }

    /// As [`Reader::get`], for a value that must lie within a range.
    pub fn within<T: Field + PartialOrd + Display>(
        &mut self,
        key: &str,
        range: &RangeInclusive<T>,
    ) -> Option<T> {
        let (value, place) = self.get::<(T, Location)>(key)?;
        if range.contains(&value) {
            return Some(value);
        }
        let fault = Problem::new(format!(
            "{key} is {value}, but must lie between {} and {}",
            range.start(),
            range.end()
        ));
        self.log.mistakes.borrow_mut().push(place.mistake(fault));
        None
    }

    /// The table behind a key; its keys are called `noun` in reports.
    pub fn table(&mut self, key: &str, noun: &'static str) -> Option<Reader<'a>> {
        Reader::of(self.value(key)?, noun, self.log)
    }

    /// The tables of an array of tables, none when the key is absent.
    pub fn tables(&mut self, key: &str, noun: &'static str) -> Vec<Reader<'a>> {
        match self.value(key) {
            None => Vec::new(),
            Some(value) => match value.get_ref().as_array() {
                Some(array) => {
                    array.iter().filter_map(|element| Reader::of(element, noun, self.log)).collect()
                }
                None => {
                    expected(value, self.log, &format!("a list of tables, [[{key}]]")).unwrap_or_default()
                }
            },
        }
    }

    /// All entries of a table whose keys the file's author chooses, in the file's order.
    pub fn entries<T: Field>(&mut self) -> Vec<(String, T)> {
        self.asked.extend(self.table.keys().map(|key| key.get_ref().to_string()));
        self.table
            .iter()
            .filter_map(|(key, value)| Some((key.get_ref().to_string(), T::read(value, self.log)?)))
            .collect()
    }

    /// Where the value of a key stands; where this table begins when it is absent.
    pub fn place_of(&self, key: &str) -> Location {
        self.table.get(key).map_or_else(|| self.place(), |value| self.log.place(&value.span()))
    }

    /// Where this table begins.
    pub fn place(&self) -> Location {
        self.log.place(&self.span)
    }

    /// Notes a fault of what stands at a place.
    pub fn fault_at(&self, place: &Location, fault: Problem) {
        self.log.mistakes.borrow_mut().push(place.mistake(fault));
    }

    /// Notes a fault of the table as a whole.
    pub fn fault(&self, fault: Problem) {
        self.log.report(self.span.clone(), fault);
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        for key in self.table.keys().filter(|key| !self.asked.contains(key.get_ref().as_ref())) {
            let fault = Problem::unknown(self.noun, key.get_ref(), self.asked.iter().map(String::as_str));
            self.log.report(key.span(), fault);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistakes(text: &str) -> Vec<String> {
        let value = read("room.toml", text, "setting", |root| {
            let name = root.required::<String>("name");
            let seats = root.get::<Vec<u16>>("seats");
            let open = root.get::<bool>("open");
            let heat = root.table("climate", "field").and_then(|mut climate| climate.get::<f64>("heat"));
            let doors = root
                .tables("door", "field")
                .into_iter()
                .filter_map(|mut door| door.get::<String>("to"))
                .count();
            (name, seats, open, heat, doors)
        });
        value.err().unwrap_or_default().iter().map(Mistake::to_string).collect()
    }

    #[test]
    fn what_is_right_is_read() {
        assert!(
            mistakes(
                "name = 'A'\nseats = [1, 0x10]\nopen = true\nclimate.heat = 21\n[[door]]\nto = 'hall'\n"
            )
            .is_empty()
        );
    }

    #[test]
    fn every_mistake_has_its_place_and_what_was_meant() {
        for (text, expected) in [
            (
                "nmae = 'A'",
                vec![
                    r#"room.toml:1:1: "name" is missing"#,
                    r#"room.toml:1:1: no such setting "nmae"; did you mean "name"?"#,
                ],
            ),
            (
                "name = 'é'\nseats = ['é', 2.5]",
                vec![
                    "room.toml:2:10: expected a whole number from 0 to 65535, found string",
                    "room.toml:2:15: expected a whole number from 0 to 65535, found float",
                ],
            ),
            (
                "name = 'A'\n\"é\" = 1",
                vec![r#"room.toml:2:1: no such setting "é"; there is climate, door, name, open, seats"#],
            ),
            ("name = 'A'\nclimate = 3", vec!["room.toml:2:11: expected a table, found integer"]),
            (
                "name = 'A'\n[door]\nto = 'x'",
                vec!["room.toml:2:1: expected a list of tables, [[door]], found table"],
            ),
            (
                "name = 'A'\n[[door]]\nwidth = 3\nto = 1",
                vec![
                    r#"room.toml:3:1: no such field "width"; there is to"#,
                    "room.toml:4:6: expected a text in quotes, found integer",
                ],
            ),
        ] {
            assert_eq!(mistakes(text), expected, "{text}");
        }
    }

    #[test]
    fn a_text_that_is_not_toml_reports_only_why() {
        assert_eq!(
            mistakes("open = maybe\nnmae = 3\nopen = true"),
            [
                "room.toml:1:8: string values must be quoted, expected literal string",
                "room.toml:3:1: duplicate key",
            ]
        );
    }
}
