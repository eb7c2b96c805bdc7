//! Contexts: the parts of the screen that can hold the keyboard. A key means what the innermost of them says.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::data::Fault;

macro_rules! contexts {
    ($($(#[doc = $doc:literal])+ $variant:ident $name:literal,)+) => {
        /// Where a key is pressed. Keymaps name them in kebab-case.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum Context { $($(#[doc = $doc])+ $variant,)+ }

        impl Context {
            /// All contexts, in the order in which help shows them.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The name that keymaps use.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }
        }
    };
}

contexts! {
    /// Everywhere, unless something inside says otherwise.
    Global "global",
    /// The list of workloads and pods.
    Pods "pods",
    /// The charts of 5xx rates.
    Rates "rates",
    /// The Kafka consumer groups.
    Lag "lag",
    /// The incident's timeline.
    Timeline "timeline",
    /// The runbook's steps.
    Steps "steps",
    /// One object or the output of a step, in full.
    Detail "detail",
    /// Log lines.
    Logs "logs",
    /// The question before something changes or is sent.
    Confirm "confirm",
    /// A form or a picker.
    Dialog "dialog",
    /// A text field.
    Input "input",
    /// The list of keys.
    Help "help",
    /// Looking back, or at a recording.
    Replay "replay",
}

impl Context {
    /// Holds the keyboard to itself: only [`super::Action::always_works`] reaches the contexts around it.
    pub const fn is_modal(self) -> bool {
        matches!(self, Self::Confirm | Self::Dialog | Self::Input)
    }
}

impl fmt::Display for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Context {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        let found = Self::ALL.iter().copied().find(|context| context.name() == text);
        found.ok_or_else(|| Fault::unknown("context", text, Self::ALL.iter().map(|context| context.name())))
    }
}
