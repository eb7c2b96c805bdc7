//! What a person does: decisions, which are recorded, and what only moves their own screen while they type, which is not.

use serde::{Deserialize, Serialize};

use super::{LogNews, Prepared};
use crate::clean::Clean;
use crate::keymap::{Action, Key};

/// A decision. Actions are recorded as resolved, so a recording outlives every keymap.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Operator {
    /// A key or a `:` command.
    Did(Action),
    /// A typed line, redacted, committed with enter.
    Entered {
        /// What was asked for.
        purpose: Purpose,
        /// The line.
        text: Clean,
    },
}

/// What a typed line is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// A `:` command.
    Command,
    /// A `/` filter of the focused pane.
    Filter,
    /// A note for the timeline.
    Note,
    /// An input of a step's form.
    Input,
    /// The target's name, typed to confirm.
    Name,
    /// A time or text to seek in a replay.
    Seek,
    /// A text to find in logs.
    Search,
}

/// What only this viewer's screen is about. Never recorded, never changes the world.
#[derive(Clone, Debug, PartialEq)]
pub enum View {
    /// Time went by.
    Tick,
    /// The terminal's size, in cells.
    Resized {
        /// Columns.
        columns: u16,
        /// Rows.
        rows: u16,
    },
    /// The typed line changed.
    Edited(Edit),
    /// Keys of a sequence that is not complete.
    Pending(Vec<Key>),
    /// A step was prepared, or cannot be.
    Prepared(Box<Prepared>),
    /// News of the followed logs.
    Logs(LogNews),
    /// Something to tell the viewer for a few seconds.
    Told(Clean),
}

/// A change of the typed line.
#[derive(Clone, Debug, PartialEq)]
pub enum Edit {
    /// Text typed or pasted.
    Insert(String),
    /// Any editing action of the input context.
    Act(Action),
}
