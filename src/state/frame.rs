//! A frame: what is drawn, and what is selected for it. Looking back, or at two moments side by side, is only
//! another frame.

use chrono::{DateTime, Utc};

use super::{Screen, World};
use crate::keymap::{Action, Danger};
use crate::runbook::Runbook;

/// Where in time a screen looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cursor {
    /// At what is so now.
    #[default]
    Live,
    /// At what was so then.
    At(DateTime<Utc>),
}

impl Cursor {
    /// Why an action is not available: what acts, is recorded, or asks the outside needs the present.
    pub fn withholds(self, action: &Action) -> Option<&'static str> {
        match action {
            _ if self == Self::Live => None,
            Action::Logs | Action::PreviousLogs => Some("logs are not recorded: a replay has none"),
            Action::Manifest => Some("a recording holds no manifests"),
            Action::Namespaces(_) => Some("a replay shows the namespaces that were recorded"),
            Action::Note | Action::Pin => Some("a replay is not written to"),
            action => (action.danger() > Danger::Screen).then_some("a replay cannot act"),
        }
    }
}

/// What is drawn.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// The time: ages are counted up to it.
    pub now: DateTime<Utc>,
    /// Where in time the screen looks.
    pub cursor: Cursor,
    /// What is so.
    pub world: &'a World,
    /// What this viewer looks at.
    pub screen: &'a Screen,
    /// The steps that can be taken.
    pub runbook: &'a Runbook,
}
