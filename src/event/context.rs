//! Which of a session's kube-contexts something is of, where several are looked at.
//!
//! The context is part of every [`ObjectKey`]: whatever is joined by one (owners, warnings, deletions) is
//! joined within its context by that alone.

use std::borrow::{Borrow, Cow};
use std::fmt;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::clean::Clean;

/// The place of a context among those of the session; 0 is the main one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct ContextId(pub u8);

/// From a number, or from the text of one: in JSON a key of a map is a text, and where a struct is flattened
/// into another serde no longer reads it as a number.
impl<'de> Deserialize<'de> for ContextId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Place;
        impl Visitor<'_> for Place {
            type Value = ContextId;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the place of a context, 0 to 255")
            }

            fn visit_u64<E: Error>(self, place: u64) -> Result<ContextId, E> {
                u8::try_from(place).map(ContextId).map_err(E::custom)
            }

            fn visit_str<E: Error>(self, place: &str) -> Result<ContextId, E> {
                place.parse().map(ContextId).map_err(E::custom)
            }
        }
        deserializer.deserialize_any(Place)
    }
}

impl ContextId {
    /// The context that Prometheus, Alertmanager and Kafka belong to.
    pub const MAIN: Self = Self(0);
    /// Contexts that can be looked at at once.
    pub const MOST: usize = 16;

    /// Whether it is the main one.
    pub fn is_main(&self) -> bool {
        *self == Self::MAIN
    }
}

/// What is known in one of the contexts by its uid or its name. Two clusters that give out the same stay
/// apart.
///
/// Kept as one text, `1:4f0c…` in the second context and as it is in the main one: of ten thousand pods each
/// key is held several times, and recordings have it so since the first release. No server can give out what
/// reads as another context's.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ObjectKey(Clean);

impl ObjectKey {
    /// The key of a uid, or a name, in a context.
    pub fn new(context: ContextId, id: impl Into<Clean>) -> Self {
        let id = id.into();
        match Self::text(context, &id) {
            Cow::Borrowed(_) => Self(id),
            Cow::Owned(text) => Self(text.into()),
        }
    }

    /// The text of a key, to look it up by.
    pub fn text(context: ContextId, id: &str) -> Cow<'_, str> {
        match context {
            ContextId::MAIN if split(id).is_some() => id.replacen(':', "_", 1).into(),
            ContextId::MAIN => id.into(),
            ContextId(place) => format!("{place}:{id}").into(),
        }
    }

    /// The context.
    pub fn context(&self) -> ContextId {
        split(&self.0).map_or(ContextId::MAIN, |(context, _)| context)
    }

    /// The uid, or the name, as its own server has it.
    pub fn id(&self) -> &str {
        split(&self.0).map_or(&*self.0, |(_, id)| id)
    }

    /// The text that it is recorded as.
    pub fn recorded(&self) -> &Clean {
        &self.0
    }

    /// From the text that it is recorded as.
    pub fn of_recorded(text: Clean) -> Self {
        Self(text)
    }

    /// The same with its text held once, where others are equal to it.
    #[must_use]
    pub fn shared(self, share: impl FnOnce(Clean) -> Clean) -> Self {
        Self(share(self.0))
    }
}

impl Borrow<str> for ObjectKey {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// In the main context.
impl From<Clean> for ObjectKey {
    fn from(id: Clean) -> Self {
        Self::new(ContextId::MAIN, id)
    }
}

/// In the main context.
impl From<&str> for ObjectKey {
    fn from(id: &str) -> Self {
        Clean::new(id).into()
    }
}

/// In the main context.
impl From<String> for ObjectKey {
    fn from(id: String) -> Self {
        Clean::from(id).into()
    }
}

/// As it is recorded.
impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

fn split(text: &str) -> Option<(ContextId, &str)> {
    let at = text.bytes().take(4).position(|byte| byte == b':')?;
    let place = text[..at].parse().ok().filter(|place| *place > 0)?;
    Some((ContextId(place), &text[at + 1..]))
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
    fn a_key_names_its_context_and_no_server_can_forge_one() {
        let main = |id: &str| ObjectKey::new(ContextId::MAIN, id);
        let second = |id: &str| ObjectKey::new(ContextId(1), id);
        let parts = |key: ObjectKey| (key.context(), key.id().to_owned(), key.recorded().to_string());
        assert_eq!(parts(second("uid")), (ContextId(1), "uid".into(), "1:uid".into()));
        assert_eq!(parts(main("uid")), (ContextId::MAIN, "uid".into(), "uid".into()));
        assert_eq!(parts(main("a:uid")), (ContextId::MAIN, "a:uid".into(), "a:uid".into()));
        assert_eq!(main("1:uid").context(), ContextId::MAIN);
        assert_eq!(parts(second("2:uid")), (ContextId(1), "2:uid".into(), "1:2:uid".into()));
        assert_eq!(main("00é:").context(), ContextId::MAIN);
        assert_eq!(serde_json::to_string(&second("uid")).unwrap(), r#""1:uid""#);
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
