//! Text that somebody typed: exactly as it was typed while this process lives, and what is shown of it wherever else.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::clean::Clean;
use crate::journal::redact::redact_text;

/// See the module. Equal where the shown form is.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Typed {
    shown: Clean,
    #[serde(skip)]
    raw: Option<Arc<str>>,
}

impl Typed {
    /// Shown without what looks like a secret.
    pub fn new(raw: &str) -> Self {
        Self::hidden(raw, &redact_text(raw))
    }

    /// Shown as something else.
    pub fn hidden(raw: &str, shown: &str) -> Self {
        Self { shown: Clean::new(shown), raw: Some(raw.into()) }
    }

    /// What was typed; read back from a recording, what was shown of it.
    pub fn raw(&self) -> &str {
        self.raw.as_deref().unwrap_or(&self.shown)
    }

    /// Whether it is no text at all.
    pub fn is_empty(&self) -> bool {
        self.raw().is_empty()
    }

    /// What is shown of it.
    pub fn shown(&self) -> &Clean {
        &self.shown
    }
}
impl PartialEq for Typed {
    fn eq(&self, other: &Self) -> bool {
        self.shown == other.shown
    }
}
impl Eq for Typed {}
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
impl From<&str> for Typed {
    fn from(raw: &str) -> Self {
        Self::new(raw)
    }
}
