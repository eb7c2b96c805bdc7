//! What is looked for in logs.

use crate::clean::Clean;
use crate::event::LogLine;

/// A text to find: without regard to case unless it has a capital; `!text` finds the lines without it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Search {
    /// Text as it was typed.
    pub text: Clean,
    /// Any of these, in lower case where case is not regarded.
    needles: Vec<String>,
    exact: bool,
    inverse: bool,
    /// Whether only the lines that it finds are shown.
    pub only: bool,
    /// Number of lines that it finds.
    pub hits: usize,
}

impl Search {
    /// Creates a search that has found nothing yet.
    pub fn new(text: &str) -> Self {
        let (inverse, needle) = text.strip_prefix('!').map_or((false, text), |needle| (true, needle));
        let exact = needle.chars().any(char::is_uppercase);
        let needle = if exact { needle.to_owned() } else { needle.to_lowercase() };
        // What is read as `status=500` stands as `"status":500` in the line.
        let pair = needle.split_once('=').filter(|(key, value)| !key.is_empty() && !value.is_empty());
        let json = pair
            .into_iter()
            .flat_map(|(key, value)| [format!("{key}\":{value}"), format!("{key}\":\"{value}")]);
        let needles = json.chain((!needle.is_empty()).then(|| needle.clone())).collect();
        Self { text: text.into(), needles, exact, inverse, only: false, hits: 0 }
    }

    /// The same with nothing found.
    pub(in crate::state) fn emptied(self) -> Self {
        Self { hits: 0, ..self }
    }

    /// Returns whether there is a search at all.
    pub fn is_on(&self) -> bool {
        !self.needles.is_empty()
    }

    /// Returns whether lines are hidden because of it.
    pub fn filters(&self) -> bool {
        self.only && self.is_on()
    }

    /// Returns whether it finds a container's line.
    pub fn finds(&self, line: &LogLine) -> bool {
        let text = line.text.text();
        let found = || self.needles.iter().any(|needle| find(text, needle, self.exact).is_some());
        self.is_on() && !line.mark && found() != self.inverse
    }

    /// Returns where it is in a text, to be highlighted: ranges of bytes, in order. An inverse search has
    /// nothing to show.
    pub fn places(&self, text: &str) -> Vec<(usize, usize)> {
        let Some(needle) = self.needles.last().filter(|_| !self.inverse) else { return Vec::new() };
        let mut places = Vec::new();
        let mut from = 0;
        while let Some(at) = find(&text[from..], needle, self.exact) {
            let start = from + at;
            let end = from + at + needle.len();
            if !text.is_char_boundary(end) {
                break; // a letter that is longer in capitals
            }
            places.push((start, end));
            from = end;
        }
        places
    }

    /// Whether only what was found so far can be found by `text`.
    pub(in crate::state) fn narrowed_by(&self, text: &str) -> bool {
        self.is_on() && !self.inverse && !self.exact && text.starts_with(&*self.text) && !text.contains('=')
    }
}

/// Where a needle, in lower case unless `exact`, begins.
fn find(text: &str, needle: &str, exact: bool) -> Option<usize> {
    if exact {
        return text.find(needle);
    }
    if !needle.is_ascii() {
        return text.to_lowercase().find(needle).filter(|at| text.is_char_boundary(*at));
    }
    let text = text.as_bytes();
    let needle = needle.as_bytes();
    let first = needle.first()?;
    let last = text.len().checked_sub(needle.len())?;
    (0..=last).find(|at| {
        text[*at].eq_ignore_ascii_case(first) && text[*at..*at + needle.len()].eq_ignore_ascii_case(needle)
    })
}
