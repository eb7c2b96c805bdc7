//! What somebody typed: the text itself stays in this process, what is shown and recorded holds no secret.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::clean::Clean;
use crate::clean::redact::{MARK, has_hidden, hide_env, hide_env_words, redact_text};

/// A text that somebody typed. Serialised, printed and shown without its secrets and cleaned; [`Typed::raw`]
/// gives it as it was typed.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Clean", into = "Clean")]
pub struct Typed {
    /// Where it is not what is shown.
    raw: Option<Arc<str>>,
    shown: Clean,
}

impl Typed {
    /// Creates a text. What looks like a secret is hidden, and so are the values of variables in a command,
    /// `env=NAME=value`.
    pub fn new(raw: &str) -> Self {
        Self::hidden(raw, &hide_env_words(raw))
    }

    /// Creates a text of variables, `NAME=value,OTHER-`, of which every value is hidden.
    pub fn env(raw: &str) -> Self {
        Self::hidden(raw, &hide_env(raw))
    }

    /// Creates a text that is shown as another one, from which what looks like a secret is taken out as well.
    pub fn hidden(raw: &str, shown: &str) -> Self {
        let shown = Clean::new(&redact_text(shown));
        Self { raw: (shown != *raw).then(|| raw.into()), shown }
    }

    /// Returns the text as it was typed; what is shown where that is not known, as in a text that was
    /// recorded.
    pub fn raw(&self) -> &str {
        self.raw.as_deref().unwrap_or(&self.shown)
    }

    /// Returns the text that is shown and recorded.
    pub fn shown(&self) -> &Clean {
        &self.shown
    }

    /// Returns whether the text is empty.
    pub fn is_empty(&self) -> bool {
        self.raw().is_empty()
    }

    /// Returns whether some of the text is known nowhere any more: it must not be sent as if it were whole.
    pub fn is_lost(&self) -> bool {
        self.raw.is_none() && (self.shown.contains(MARK) || has_hidden(&self.shown))
    }

    /// Takes over the text, and not what is shown of it, from the same text before it was redacted.
    pub fn restore(&mut self, before: &Self) {
        self.raw = Some(before.raw()).filter(|raw| self.shown != **raw).map(Arc::from);
    }
}

impl fmt::Display for Typed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shown.fmt(f)
    }
}

impl fmt::Debug for Typed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.shown, f)
    }
}

/// A text that is clean already and holds no secret.
impl From<Clean> for Typed {
    fn from(shown: Clean) -> Self {
        Self { raw: None, shown }
    }
}

impl From<Typed> for Clean {
    fn from(typed: Typed) -> Self {
        typed.shown
    }
}

impl From<&str> for Typed {
    fn from(raw: &str) -> Self {
        Self::new(raw)
    }
}

impl From<String> for Typed {
    fn from(raw: String) -> Self {
        Self::new(&raw)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_kept_and_never_shown() {
        let typed = Typed::env("DB_PASSWORD=hunter2\t ,PLAIN=plain \u{1f525}");
        assert_eq!(typed.raw(), "DB_PASSWORD=hunter2\t ,PLAIN=plain \u{1f525}");
        let told = format!("{typed} {typed:?} {}", serde_json::to_string(&typed).unwrap());
        assert!(!told.contains("hunter2") && !told.contains("plain"), "{told}");
        assert!(told.starts_with("DB_PASSWORD=‹set ") && told.contains(",PLAIN=‹set "), "{told}");
    }

    #[test]
    fn it_is_recorded_as_a_plain_text() {
        let read: Typed = serde_json::from_str(r#""scale replicas=3""#).unwrap();
        assert_eq!(
            (read.raw(), read.is_lost(), &read),
            ("scale replicas=3", false, &Typed::new("scale replicas=3"))
        );
        let written = serde_json::to_string(&Typed::env("A=b")).unwrap();
        assert!(serde_json::from_str::<Typed>(&written).unwrap().is_lost() && !Typed::env("A=b").is_lost());
    }

    #[test]
    fn texts_that_are_shown_alike_are_not_alike() {
        assert_eq!(Typed::new("token=abc").shown(), Typed::new("token=xyz").shown());
        assert_ne!(Typed::new("token=abc"), Typed::new("token=xyz"));
    }
}
