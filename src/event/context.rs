//! Which of a session's kube-contexts something is of, where several are looked at.
//!
//! The context is part of the identity: `1:4f0c…` is an object of the second context. Whatever is joined by
//! identity (owners, warnings, deletions) is so joined within one context by itself, two clusters that hand
//! out the same identity stay apart, and the main context costs nothing. What is joined by a name takes the
//! same mark.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::clean::Clean;

/// The place of a context among those of the session; 0 is the main one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ContextId(pub u8);

impl ContextId {
    /// The context that Prometheus, Alertmanager and Kafka belong to.
    pub const MAIN: Self = Self(0);
    /// Contexts that can be looked at at once.
    pub const MOST: usize = 16;

    /// Whether it is the main one.
    pub fn is_main(&self) -> bool {
        *self == Self::MAIN
    }

    /// An identity, or a name, as one of this context. No server can give out what reads as another
    /// context's.
    pub fn mark(self, text: &str) -> Clean {
        Clean::new(&self.key(text))
    }

    /// [`Self::mark`] to look something up by.
    pub fn key(self, text: &str) -> Cow<'_, str> {
        match self {
            Self::MAIN if Self::split(text).is_some() => text.replacen(':', "_", 1).into(),
            Self::MAIN => text.into(),
            Self(place) => format!("{place}:{text}").into(),
        }
    }

    /// [`Self::mark`] of a text that is held already.
    pub fn own(self, text: Clean) -> Clean {
        if self.is_main() && Self::split(&text).is_none() { text } else { self.mark(&text) }
    }

    /// The context of a marked text.
    pub fn of(marked: &str) -> Self {
        Self::split(marked).map_or(Self::MAIN, |(context, _)| context)
    }

    /// A marked text as its own server has it.
    pub fn bare(marked: &str) -> &str {
        Self::split(marked).map_or(marked, |(_, bare)| bare)
    }

    fn split(text: &str) -> Option<(Self, &str)> {
        let at = text.bytes().take(4).position(|byte| byte == b':')?;
        let place = text[..at].parse().ok().filter(|place| *place > 0)?;
        Some((Self(place), &text[at + 1..]))
    }
}

/// A context that is looked at beside the main one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecondaryContext {
    /// Its name.
    pub context: Clean,
    /// What its rows are called by: the part of the name that differs from the others'.
    pub label: Clean,
    /// Its cluster's address; empty where there is no way to it.
    pub cluster: Clean,
    /// `true`: cannot be armed.
    pub read_only: bool,
}

/// A beginning or an end that names have in common is left out from so many letters on.
const LONG: usize = 8;

/// What contexts are called where there is little room: their names, without a long beginning and end that
/// all have in common (the contexts that EKS and GKE write differ only in a part).
pub fn labels(names: &[Clean]) -> Vec<Clean> {
    let Some(first) = names.first().filter(|_| names.len() > 1) else { return names.to_vec() };
    let edge = |c: char| !c.is_alphanumeric();
    let begins = first.char_indices().filter(|(_, c)| edge(*c)).map(|(at, c)| at + c.len_utf8());
    let begin = begins
        .filter(|at| names.iter().all(|name| name.starts_with(&first[..*at]) && name.len() > *at))
        .max()
        .unwrap_or(0);
    let begin = if begin >= LONG { begin } else { 0 };
    let ends = first.char_indices().filter(|(at, c)| edge(*c) && *at > begin).map(|(at, _)| first.len() - at);
    let end = ends
        .filter(|len| {
            names.iter().all(|name| name.ends_with(&first[first.len() - len..]) && name.len() > begin + len)
        })
        .max();
    let end = end.filter(|len| *len >= LONG).unwrap_or(0);
    names.iter().map(|name| Clean::new(&name[begin..name.len() - end])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_names_its_context_and_no_server_can_forge_one() {
        let main = ContextId::MAIN;
        let second = ContextId(1);
        assert_eq!((second.mark("uid").as_str(), main.mark("uid").as_str()), ("1:uid", "uid"));
        assert_eq!((ContextId::of("1:uid"), ContextId::bare("1:uid")), (second, "uid"));
        assert_eq!((ContextId::of("uid"), ContextId::bare("a:uid")), (main, "a:uid"));
        assert_eq!(ContextId::of(&main.mark("1:uid")), main);
        assert_eq!(
            (ContextId::of(&second.mark("2:uid")), ContextId::bare(&second.mark("2:uid"))),
            (second, "2:uid")
        );
        assert_eq!(ContextId::of("00é:"), main);
    }

    #[test]
    fn a_label_is_the_part_that_differs() {
        let told =
            |names: &[&str]| labels(&names.iter().map(|name| Clean::new(name)).collect::<Vec<_>>()).join(" ");
        assert_eq!(told(&["prod", "staging"]), "prod staging");
        assert_eq!(
            told(&[
                "arn:aws:eks:eu-central-1:42:cluster/shop",
                "arn:aws:eks:eu-central-1:42:cluster/shop-eu"
            ]),
            "shop shop-eu"
        );
        assert_eq!(
            told(&["arn:aws:eks:eu-west-1:42:cluster/shop", "arn:aws:eks:us-east-1:42:cluster/shop"]),
            "eu-west us-east"
        );
        assert_eq!(told(&["admin@eu", "admin@us"]), "admin@eu admin@us");
        assert_eq!(told(&["one"]), "one");
    }
}
