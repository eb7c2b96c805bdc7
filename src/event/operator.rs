//! What a person does: decisions, which are recorded, and what only moves their own screen while they type,
//! which is not.

use serde::{Deserialize, Serialize};

use super::{ContextId, LogNews, Prepared, StepCall, Target, Typed};
use crate::clean::Clean;
use crate::keymap::{Action, Context, Key};

/// A decision. Actions are recorded as resolved, so a recording outlives every keymap.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Operator {
    /// A key.
    Did(Action),
    /// A `:` command.
    Command {
        /// The line.
        line: Typed,
        /// What it came to.
        does: Does,
    },
    /// Changes to one of several contexts are allowed for a while.
    Armed(ContextId),
    /// An entry of the timeline is kept in sight, or no longer.
    Pinned {
        /// Its id.
        entry: u64,
        /// Whether it is kept.
        pinned: bool,
    },
    /// Any other typed line, committed with enter.
    Entered {
        /// What was asked for.
        purpose: Purpose,
        /// The line.
        text: Typed,
    },
}

impl Operator {
    /// The action that it is: what a key is bound to, or what a typed command names.
    pub fn action(&self) -> Option<&Action> {
        match self {
            Self::Did(action) | Self::Command { does: Does::Act(action), .. } => Some(action),
            Self::Command { .. } | Self::Entered { .. } | Self::Pinned { .. } | Self::Armed(_) => None,
        }
    }
}

/// What a `:` command came to, as it was resolved where it was typed: a recording never has to read its line
/// again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Does {
    /// An action.
    Act(Action),
    /// A step with inputs.
    Begin(StepCall),
    /// Another theme, by its name.
    Theme(Clean),
    /// Another keymap, by its name.
    Keymap(Clean),
    /// Nothing, and why, which is for the screen alone: it quotes the line.
    Nothing(#[serde(skip)] Clean),
}

/// What a typed line is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// A `:` command.
    Command,
    /// A `/` filter of the focused pane.
    Filter,
    /// A text to find in the timeline, without hiding the rest.
    Find,
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
    /// What there is to choose from here, and how this screen begins.
    Began(Setup),
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
    /// An object's manifest, or why there is none.
    Manifest {
        /// The object.
        target: Target,
        /// Its lines.
        answer: Result<Vec<Clean>, Clean>,
    },
    /// The mouse chose a pane, and maybe a row of it.
    Pointed {
        /// The pane, by its keys.
        pane: Context,
        /// The row's identity.
        row: Option<Clean>,
    },
    /// The mouse chose one of the things offered.
    Picked(usize),
    /// The wheel turned over what is open, or over a pane.
    Wheeled {
        /// The pane, by its keys; none over what lies over the panes.
        pane: Option<Context>,
        /// Towards the end.
        down: bool,
    },
    /// News of the followed logs.
    Logs(LogNews),
    /// Something to tell the viewer for a few seconds.
    Told(Clean),
}

/// What there is to choose from here, and how this screen begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Setup {
    /// Themes by name, the chosen one first.
    pub themes: Vec<Clean>,
    /// Keymaps by name, the chosen one first.
    pub keymaps: Vec<Clean>,
    /// Where the person sits.
    pub seat: Preferences,
    /// How they are called when they do not look.
    pub call_by: CallBy,
}

/// Where the person sits, and what is under their hand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Preferences {
    /// Across the room: everything is large, and there is no cursor.
    pub wall: bool,
    /// The mouse is ours, not the terminal's.
    pub mouse: bool,
    /// At the other end of ssh: a browser opened here would not be seen.
    pub remote: bool,
}

/// How a person who does not look is called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CallBy {
    /// The terminal's bell.
    pub bell: bool,
    /// A notification of the desktop, through the terminal (OSC 9 or OSC 777).
    pub desktop: bool,
}

/// A change of the typed line.
#[derive(Clone, Debug, PartialEq)]
pub enum Edit {
    /// Text typed or pasted.
    Insert(String),
    /// Any editing action of the input context.
    Act(Action),
}
