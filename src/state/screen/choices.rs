//! Things to choose from by name, switched while the screen is watched: themes and keymaps. The screen knows
//! names and places only; what they look like, or do, the runtime looks up by the place.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use crate::clean::Clean;
use crate::data::Problem;
use crate::event::CallBy;

/// How long one cause does not call again.
const QUIET: TimeDelta = TimeDelta::minutes(10);
/// Causes that are remembered.
const CAUSES: usize = 256;

/// Names, and which of them is in use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choices {
    /// Names, the one from the settings first.
    pub names: Vec<Clean>,
    /// Index of the one in use.
    pub at: usize,
}

impl Choices {
    /// Creates choices of these names, the first one in use.
    pub fn new(names: &[Clean]) -> Self {
        Self { names: names.to_vec(), at: 0 }
    }

    /// Returns the name in use.
    pub fn name(&self) -> &str {
        self.names.get(self.at).map_or("", Clean::as_str)
    }

    /// Uses the next one.
    pub fn turn(&mut self) {
        self.at = (self.at + 1) % self.names.len().max(1);
    }

    /// Uses the one of that name.
    ///
    /// # Errors
    /// There is none; the nearest name.
    pub fn choose(&mut self, what: &'static str, name: &str) -> Result<(), Problem> {
        let found = self.names.iter().position(|known| known.as_str() == name);
        self.at = found.ok_or_else(|| Problem::unknown(what, name, self.names.iter().map(Clean::as_str)))?;
        Ok(())
    }
}

/// Kind of what is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Picks {
    /// Themes.
    Theme,
    /// Keymaps.
    Keymap,
}

impl Picks {
    /// Returns the word for it, which is also the setting's name.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Theme => "theme",
            Self::Keymap => "keymap",
        }
    }
}

/// Ways to call a person who does not look at the screen, and what was called for already.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Calls {
    /// Ways that are in use.
    pub by: CallBy,
    /// Whether calls are muted.
    pub muted: bool,
    told: BTreeMap<String, DateTime<Utc>>,
}

impl Calls {
    /// Returns whether this cause calls now: it did not in the last ten minutes.
    pub fn first(&mut self, cause: String, now: DateTime<Utc>) -> bool {
        self.told.retain(|_, at| now - *at < QUIET);
        let first = self.told.len() < CAUSES && !self.told.contains_key(&cause);
        if first {
            self.told.insert(cause, now);
        }
        first
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_goes_round_and_names_what_was_meant() {
        let mut choices = Choices::new(&["dark".into(), "nord".into()]);
        choices.turn();
        assert_eq!(choices.name(), "nord");
        choices.turn();
        assert_eq!(choices.name(), "dark");
        assert_eq!(
            choices.choose("theme", "nrod").unwrap_err().to_string(),
            "no such theme \"nrod\"; did you mean \"nord\"?"
        );
        assert_eq!((choices.choose("theme", "nord"), choices.at), (Ok(()), 1));
        let mut none = Choices::default();
        none.turn();
        assert_eq!(none.name(), "");
    }

    #[test]
    fn one_cause_calls_once_in_ten_minutes() {
        let mut calls = Calls::default();
        let at = |second| DateTime::UNIX_EPOCH + TimeDelta::seconds(second);
        let mut first = |cause: &str, second| calls.first(cause.to_owned(), at(second));
        assert_eq!(
            [first("a", 0), first("b", 1), first("a", 599), first("a", 600), first("a", 601)],
            [true, true, false, true, false]
        );
        for n in 0..2_000 {
            first(&n.to_string(), 602);
        }
        assert!(
            calls.told.len() <= CAUSES,
            "what floods is not remembered without bound, and does not call without end"
        );
    }
}
