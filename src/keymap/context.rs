//! Contexts: the parts of the screen that can hold the keyboard. A key means what the innermost of them says.

use serde::{Deserialize, Serialize};

crate::data::names! {
    /// Where a key is pressed.
    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    Context "context" {
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
        /// Anything else in full, to be read: an entry, a group, a service, the changes, the sources.
        Page "page",
        /// The alerts, and what keeps them quiet.
        Alerts "alerts",
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
}

impl Context {
    /// Holds the keyboard to itself: only [`super::Action::always_works`] reaches the contexts around it.
    pub const fn is_modal(self) -> bool {
        matches!(self, Self::Confirm | Self::Dialog | Self::Input)
    }
}
