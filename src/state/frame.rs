//! A frame: what is drawn, and what is selected for it. Looking back, or at two moments side by side, is only
//! another frame.

use chrono::{DateTime, Utc};

use super::{Screen, World};
use crate::keymap::{Action, Danger};
use crate::runbook::Runbook;

/// Time that a screen shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cursor {
    /// The present.
    #[default]
    Live,
    /// A time of the past.
    At(DateTime<Utc>),
}

impl Cursor {
    /// Returns why an action is not available, or `None` where it is: what acts, is recorded, or asks the
    /// outside needs the present.
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

/// Everything that one frame is drawn from.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// Present time, up to which ages are counted.
    pub now: DateTime<Utc>,
    /// Time that the screen shows.
    pub cursor: Cursor,
    /// State of the cluster, the timeline and the runs.
    pub world: &'a World,
    /// State of this viewer's screen.
    pub screen: &'a Screen,
    /// Steps that can be taken.
    pub runbook: &'a Runbook,
}
