//! Strict reading of TOML: settings, keymaps, themes and runbooks are data that people write by hand, under pressure.
//!
//! A [`Reader`] stands over one table. It is asked for keys; when it goes out of scope it reports every key that nobody asked for,
//! with the nearest of those that were. Nothing stops at the first mistake, and a file with one mistake yields no value at all:
//! placeholders never escape [`read`]. So ask for every key of a table *before* the first `?`:
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

mod mistake;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

pub use mistake::{Fault, Mistake, Place};

/// Reads one TOML text. The keys of its outermost table are called `noun` in reports ("setting", "context", …).
///
/// # Errors
/// All mistakes of the file in the order in which they stand there; only the syntax errors when it is not TOML.
pub fn read<T>(file: &str, text: &str, noun: &'static str, with: impl FnOnce(&mut Reader<'_>) -> T) -> Result<T, Vec<Mistake>> {
    let (value, mistakes) = read_partly(file, text, noun, with);
    value.filter(|_| mistakes.is_empty()).ok_or(mistakes)
}

/// As [`read`], for callers that go on looking for mistakes in what could be read; nothing when the text is not TOML.
pub fn read_partly<T>(file: &str, text: &str, noun: &'static str, with: impl FnOnce(&mut Reader<'_>) -> T) -> (Option<T>, Vec<Mistake>) {
    let log = Log { file: file.into(), text, mistakes: RefCell::default() };
    let (root, syntax) = DeTable::parse_recoverable(text);
    for error in &syntax {
        log.report(error.span().unwrap_or(0..0), Fault::new(error.message()));
    }
    let value = syntax.is_empty().then(|| with(&mut Reader::new(root.get_ref(), 0..0, noun, &log)));
    let mut mistakes = log.mistakes.into_inner();
    mistakes.sort();
    (value, mistakes)
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
    pub fn place(&self, span: &Range<usize>) -> Place {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let (line, column) = (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1);
        Place { file: Arc::clone(&self.file), line, column }
    }

    /// Notes a fault of the text at `span`.
    pub fn report(&self, span: Range<usize>, fault: Fault) {
        let mistake = self.place(&span).mistake(fault);
        self.mistakes.borrow_mut().push(mistake);
    }
}

/// A value with its place in the file.
pub type Value<'a> = Spanned<DeValue<'a>>;

/// What can stand behind a key.
pub trait Field: Sized {
    /// Turns a value into `Self`, or reports why it cannot.
    fn read(value: &Value<'_>, log: &Log<'_>) -> Option<Self>;
}

fn expected<T>(value: &Value<'_>, log: &Log<'_>, what: &str) -> Option<T> {
    let found = value.get_ref().type_str();
    log.report(value.span(), Fault::new(format!("expected {what}, found {found}")));
    None
}

impl Field for bool {
    fn read(value: &Value<'_>, log: &Log<'_>) -> Option<Self> {
        value.get_ref().as_bool().or_else(|| expected(value, log, "true or false"))
    }
}

impl Field for String {
    fn read(value: &Value<'_>, log: &Log<'_>) -> Option<Self> {
        value.get_ref().as_str().map(str::to_owned).or_else(|| expected(value, log, "a text in quotes"))
    }
}

impl Field for i64 {
    fn read(value: &Value<'_>, log: &Log<'_>) -> Option<Self> {
        let whole = value.get_ref().as_integer();
        let whole = whole.and_then(|digits| Self::from_str_radix(digits.as_str(), digits.radix()).ok());
        whole.or_else(|| expected(value, log, "a whole number"))
    }
}

impl Field for f64 {
    fn read(value: &Value<'_>, log: &Log<'_>) -> Option<Self> {
        let digits = value.get_ref().as_float().map(toml::de::DeFloat::as_str);
        let digits = digits.or_else(|| value.get_ref().as_integer().map(toml::de::DeInteger::as_str));
        digits.and_then(|digits| digits.parse().ok()).or_else(|| expected(value, log, "a number"))
    }
}

/// Every wrong element is reported, not only the first.
impl<T: Field> Field for Vec<T> {
    fn read(value: &Value<'_>, log: &Log<'_>) -> Option<Self> {
        let Some(array) = value.get_ref().as_array() else { return expected(value, log, "a list") };
        let elements: Vec<Option<T>> = array.iter().map(|element| T::read(element, log)).collect();
        elements.into_iter().collect()
    }
}

/// For what must be judged later, with its place.
impl<T: Field> Field for (T, Place) {
    fn read(value: &Value<'_>, log: &Log<'_>) -> Option<Self> {
        Some((T::read(value, log)?, log.place(&value.span())))
    }
}

/// Makes types that parse from a text with a [`Fault`] readable as fields.
macro_rules! text_fields {
    ($($type:ty),+ $(,)?) => { $(
        impl $crate::data::Field for $type {
            fn read(value: &$crate::data::Value<'_>, log: &$crate::data::Log<'_>) -> Option<Self> {
                let text = <String as $crate::data::Field>::read(value, log)?;
                text.parse().map_err(|fault| log.report(value.span(), fault)).ok()
            }
        }
    )+ };
}
pub(crate) use text_fields;

/// A closed set of names that data files may use: the enum, its `FromStr` with the nearest name, its `Display`.
macro_rules! names {
    ($(#[$doc:meta])+ $type:ident $noun:literal { $($(#[$each:meta])+ $variant:ident $name:literal,)+ }) => {
        $(#[$doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $type { $($(#[$each])+ $variant,)+ }

        impl $type {
            /// All of them, in the order of their discriminants.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The name in data files.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.name())
            }
        }

        impl std::str::FromStr for $type {
            type Err = $crate::data::Fault;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($name => Ok(Self::$variant),)+
                    _ => Err($crate::data::Fault::unknown($noun, text, [$($name),+])),
                }
            }
        }

        $crate::data::text_fields!($type);
    };
}
pub(crate) use names;

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
            self.fault(Fault::new(format!("{key:?} is missing")));
        }
        self.get(key)
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
                Some(array) => array.iter().filter_map(|element| Reader::of(element, noun, self.log)).collect(),
                None => expected(value, self.log, &format!("a list of tables, [[{key}]]")).unwrap_or_default(),
            },
        }
    }

    /// All entries of a table whose keys the file's author chooses, in the file's order.
    pub fn entries<T: Field>(&mut self) -> Vec<(String, T)> {
        self.asked.extend(self.table.keys().map(|key| key.get_ref().to_string()));
        self.table.iter().filter_map(|(key, value)| Some((key.get_ref().to_string(), T::read(value, self.log)?))).collect()
    }

    /// Where this table begins.
    pub fn place(&self) -> Place {
        self.log.place(&self.span)
    }

    /// Notes a fault of the table as a whole.
    pub fn fault(&self, fault: Fault) {
        self.log.report(self.span.clone(), fault);
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        for key in self.table.keys().filter(|key| !self.asked.contains(key.get_ref().as_ref())) {
            let fault = Fault::unknown(self.noun, key.get_ref(), self.asked.iter().map(String::as_str));
            self.log.report(key.span(), fault);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistakes(text: &str) -> Vec<String> {
        let value = read("room.toml", text, "setting", |root| {
            let (name, seats, open) = (root.required::<String>("name"), root.get::<Vec<i64>>("seats"), root.get::<bool>("open"));
            let heat = root.table("climate", "field").and_then(|mut climate| climate.get::<f64>("heat"));
            let doors = root.tables("door", "field").into_iter().filter_map(|mut door| door.get::<String>("to")).count();
            (name, seats, open, heat, doors)
        });
        value.err().unwrap_or_default().iter().map(Mistake::to_string).collect()
    }

    #[test]
    fn what_is_right_is_read() {
        assert!(mistakes("name = 'A'\nseats = [1, 0x10]\nopen = true\nclimate.heat = 21\n[[door]]\nto = 'hall'\n").is_empty());
    }

    #[test]
    fn every_mistake_has_its_place_and_what_was_meant() {
        for (text, expected) in [
            ("nmae = 'A'", vec![r#"room.toml:1:1: "name" is missing"#, r#"room.toml:1:1: no such setting "nmae"; did you mean "name"?"#]),
            (
                "name = 'é'\nseats = ['é', 2.5]",
                vec!["room.toml:2:10: expected a whole number, found string", "room.toml:2:15: expected a whole number, found float"],
            ),
            ("name = 'A'\n\"é\" = 1", vec![r#"room.toml:2:1: no such setting "é"; there is climate, door, name, open, seats"#]),
            ("name = 'A'\nclimate = 3", vec!["room.toml:2:11: expected a table, found integer"]),
            ("name = 'A'\n[door]\nto = 'x'", vec!["room.toml:2:1: expected a list of tables, [[door]], found table"]),
            (
                "name = 'A'\n[[door]]\nwidth = 3\nto = 1",
                vec![r#"room.toml:3:1: no such field "width"; there is to"#, "room.toml:4:6: expected a text in quotes, found integer"],
            ),
        ] {
            assert_eq!(mistakes(text), expected, "{text}");
        }
    }

    #[test]
    fn a_text_that_is_not_toml_reports_only_why() {
        assert_eq!(
            mistakes("open = maybe\nnmae = 3\nopen = true"),
            ["room.toml:1:8: string values must be quoted, expected literal string", "room.toml:3:1: duplicate key",]
        );
    }
}
