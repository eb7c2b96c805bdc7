//! What is wrong with a data file, and where: the vocabulary of every report that `warroom check` prints.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use serde::Serialize;

/// Where something stands in a file; line and column count from 1, columns in characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Location {
    /// The file as the reader of a report would name it.
    pub file: Arc<str>,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

impl Location {
    /// The start of a file: where a mistake about the file itself is reported.
    pub fn start_of(file: &str) -> Self {
        Self { file: file.into(), line: 1, column: 1 }
    }

    /// This fault, here.
    pub fn mistake(&self, fault: Problem) -> Mistake {
        Mistake { place: self.clone(), message: fault.message, nearest: fault.nearest }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// What is wrong with a text, wherever it stands. The error of every `FromStr` whose text comes from a data
/// file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}{}", hint(nearest.as_deref()))]
pub struct Problem {
    /// A sentence without its full stop.
    pub message: String,
    /// The valid name that was probably meant.
    pub nearest: Option<String>,
}

impl Problem {
    /// A fault that no other name would mend.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), nearest: None }
    }

    /// `given` is not one of the `valid` names of a `noun` ("action", "role", …).
    pub fn unknown<'a>(noun: &str, given: &str, valid: impl IntoIterator<Item = &'a str>) -> Self {
        let valid: BTreeSet<&str> = valid.into_iter().collect();
        let nearest = nearest(given, &valid).map(str::to_owned);
        let few = nearest.is_none() && (1..=MOST_LISTED).contains(&valid.len());
        let list = if few {
            format!("; there is {}", valid.into_iter().collect::<Vec<_>>().join(", "))
        } else {
            String::new()
        };
        Self { message: format!("no such {noun} {given:?}{list}"), nearest }
    }
}

/// How many valid names a message lists when none of them is near.
const MOST_LISTED: usize = 8;

fn hint(nearest: Option<&str>) -> String {
    nearest.map(|name| format!("; did you mean {name:?}?")).unwrap_or_default()
}

/// The valid name that a slip of the fingers turns into `given`: at most a third of its letters differ, and
/// one more.
fn nearest<'a>(given: &str, valid: &BTreeSet<&'a str>) -> Option<&'a str> {
    let distance = |name: &str| strsim::osa_distance(&given.to_lowercase(), &name.to_lowercase());
    let best = valid.iter().copied().min_by_key(|name| distance(name))?;
    (distance(best) <= 1 + given.chars().count() / 3).then_some(best)
}

/// One thing to mend in one file. Ordered by file and place, as a report lists them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Mistake {
    /// Where it stands.
    #[serde(flatten)]
    pub place: Location,
    /// What is wrong: a sentence without its full stop.
    pub message: String,
    /// The valid name that was probably meant.
    pub nearest: Option<String>,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}{}", self.place, self.message, hint(self.nearest.as_deref()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_far_from_all_valid_ones_get_no_suggestion() {
        assert_eq!(Problem::unknown("role", "zebra", ["text", "title"]).nearest, None);
        assert_eq!(Problem::unknown("role", "Titel", ["text", "title"]).nearest.as_deref(), Some("title"));
    }

    #[test]
    fn a_mistake_is_one_flat_object_in_json() {
        let mistake = Location::start_of("a.toml").mistake(Problem::new("is empty"));
        let json = serde_json::to_string(&mistake).unwrap();
        assert_eq!(json, r#"{"file":"a.toml","line":1,"column":1,"message":"is empty","nearest":null}"#);
    }
}
