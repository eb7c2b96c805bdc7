//! A step as it is made from a command, before it has an id.

use std::collections::BTreeMap;

use super::lex::{Piece, Word};
use crate::event::Danger;
use crate::step::input::InputKind;

/// The longest id that is made of a title.
const LONGEST: usize = 40;

/// A step without its id, section and source.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Draft {
    /// Name of its kind.
    pub kind: &'static str,
    /// What it does, in a few words.
    pub title: String,
    /// How much it can break.
    pub danger: Danger,
    /// Inputs of which the document says something.
    pub inputs: Vec<Input>,
    /// What is fixed of it.
    pub with: Vec<(&'static str, With)>,
    /// What is to be known of it besides.
    pub notes: Vec<String>,
    /// Documents that it leads to.
    pub links: Vec<String>,
}

/// An input of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Input {
    /// Its name.
    pub name: String,
    /// Its kind; `None` where the kind of step has it.
    pub kind: Option<InputKind>,
    /// What it is when it is not given; without it, it must be given.
    pub default: Option<String>,
}

/// Value of a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum With {
    /// Words.
    Text(String),
    /// Words, one after another.
    List(Vec<String>),
}

/// Why a command becomes no step of a kind of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cannot {
    /// It may be an external command.
    Native,
    /// Only a person can do it, for this reason.
    Any(String),
}

/// Returns that only a person can do it.
pub(super) fn by_hand<T>(why: &str) -> Result<T, Cannot> {
    Err(Cannot::Any(why.to_owned()))
}

/// What the document has said of variables.
pub(super) type Variables = BTreeMap<String, Word>;

impl Draft {
    /// Creates a step of that kind.
    pub fn new(kind: &'static str, danger: Danger, title: impl Into<String>) -> Self {
        let title = title.into();
        Self {
            kind,
            title,
            danger,
            inputs: Vec::new(),
            with: Vec::new(),
            notes: Vec::new(),
            links: Vec::new(),
        }
    }

    /// Creates a step that only reads.
    pub fn read(kind: &'static str, title: impl Into<String>) -> Self {
        Self::new(kind, Danger::Read, title)
    }

    /// Creates a step that a person does.
    pub fn by_hand(text: &str, title: impl Into<String>) -> Self {
        Self::read("by-hand", title).with("text", With::Text(text.to_owned()))
    }

    /// Fixes a parameter.
    pub fn with(mut self, name: &'static str, value: With) -> Self {
        self.with.push((name, value));
        self
    }

    /// Adds a note.
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// Adds an input of the kind, if the command gives it: text is its default, a hole must be filled.
    ///
    /// # Errors
    /// The word is neither.
    pub fn input(mut self, name: &str, word: Option<&Word>) -> Result<Self, Cannot> {
        if let Some(word) = word {
            let default = match word.hole() {
                Some(_) => None,
                None => Some(word.literal().ok_or(Cannot::Native)?.to_owned()),
            };
            self.inputs.push(Input { name: name.to_owned(), kind: None, default });
        }
        Ok(self)
    }

    /// Adds an input that is this text unless another is given.
    pub fn default(mut self, name: &str, default: impl Into<String>) -> Self {
        self.inputs.push(Input { name: name.to_owned(), kind: None, default: Some(default.into()) });
        self
    }

    /// Adds an input that names an object of a namespace: `namespace/kind/name`, as far as they are known.
    ///
    /// # Errors
    /// The name is neither text nor a hole.
    pub fn object(
        self,
        input: &str,
        kind: &str,
        name: &Word,
        namespace: Option<&Word>,
    ) -> Result<Self, Cannot> {
        let space = namespace.and_then(Word::literal);
        if name.hole().is_some() {
            let named = self.input(input, Some(name))?;
            return Ok(match space {
                Some(space) => named.note(format!("the document means namespace {space}")),
                None => named,
            });
        }
        let name = name.literal().ok_or(Cannot::Native)?;
        let parts: Vec<&str> =
            space.into_iter().chain((!kind.is_empty()).then_some(kind)).chain([name]).collect();
        let named = self.default(input, parts.join("/"));
        Ok(if namespace.is_some() && space.is_none() {
            named.note("the document leaves the namespace open")
        } else {
            named
        })
    }
}

/// The name of an input for a hole: `POD_NAME` is `pod-name`.
pub(super) fn input_name(hole: &str) -> String {
    slug(hole)
}

/// What a hole asks for, by its name and the flag before it.
pub(super) fn input_kind(hole: &str, flag: &str) -> InputKind {
    let words = input_name(hole);
    let named = |all: &[&str]| words.split('-').any(|word| all.contains(&word));
    if ["-n", "--namespace"].contains(&flag) || named(&["namespace", "ns"]) {
        InputKind::Namespace
    } else if named(&["replicas", "count", "number", "nodes"]) {
        InputKind::Count
    } else if named(&["pod"]) {
        InputKind::Pod
    } else if named(&["deployment", "deploy"]) {
        InputKind::Deployment
    } else if named(&["node"]) {
        InputKind::Node
    } else if named(&["service", "svc"]) {
        InputKind::Service
    } else {
        InputKind::Text
    }
}

/// A word as an argument of an external command, holes as `{input}`.
pub(super) fn argument(word: &Word) -> String {
    let piece = |piece: &Piece| match piece {
        Piece::Text(text) | Piece::Expands(text) => text.clone(),
        Piece::Hole(name) => format!("{{{}}}", input_name(name)),
    };
    word.0.iter().map(piece).collect()
}

/// Words as an id: `Check app logs` is `check-app-logs`.
pub(super) fn slug(words: &str) -> String {
    let parts = words.split(|c: char| !c.is_ascii_alphanumeric()).filter(|part| !part.is_empty());
    let mut slug = String::new();
    for part in parts {
        if !slug.is_empty() && slug.len() + part.len() >= LONGEST {
            break;
        }
        if !slug.is_empty() {
            slug.push('-');
        }
        slug.push_str(&part.to_lowercase());
    }
    slug.truncate(LONGEST);
    slug
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_short_and_plain() {
        assert_eq!(slug("Check app logs (now!)"), "check-app-logs-now");
        assert_eq!(
            slug("Acknowledge the alert of the pager and tell everybody"),
            "acknowledge-the-alert-of-the-pager-and"
        );
        assert_eq!(slug("POD_NAME"), "pod-name");
    }
}
