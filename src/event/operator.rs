//! What a person does: decisions, which are recorded, and what only moves their own screen while they type,
//! which is not.

use serde::{Deserialize, Serialize};

use super::{ContextId, Finding, LogNews, Prepared, StepCall, Target, Typed};
use crate::clean::Clean;
use crate::keymap::{Action, Context, Key};

/// A decision of the operator. Actions are recorded as resolved, so a recording outlives every keymap.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Operator {
    /// A key that is bound to an action.
    Did(Action),
    /// A `:` command.
    Command {
        /// Line as it was typed.
        line: Typed,
        /// What the line was resolved to.
        does: Does,
    },
    /// Changes to one of several contexts are allowed for a while.
    Armed(ContextId),
    /// An entry of the timeline was pinned or unpinned.
    Pinned {
        /// Id of the entry.
        entry: u64,
        /// Whether it is pinned now.
        pinned: bool,
    },
    /// Any other typed line, committed with enter.
    Entered {
        /// What the line is for.
        purpose: Purpose,
        /// Line as it was typed.
        text: Typed,
    },
}

impl Operator {
    /// Returns the action that the decision is: what a key is bound to, or what a typed command names.
    pub fn action(&self) -> Option<&Action> {
        match self {
            Self::Did(action) | Self::Command { does: Does::Act(action), .. } => Some(action),
            Self::Command { .. } | Self::Entered { .. } | Self::Pinned { .. } | Self::Armed(_) => None,
        }
    }
}

/// Meaning of a `:` command, resolved where it was typed: a recording never has to read its line again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Does {
    /// Runs an action.
    Act(Action),
    /// Begins a step with inputs.
    Begin(StepCall),
    /// Switches to the theme of that name.
    Theme(Clean),
    /// Switches to the keymap of that name.
    Keymap(Clean),
    /// Does nothing, and why, which is for the screen alone: it quotes the line.
    Nothing(#[serde(skip)] Clean),
}

/// Purpose of a typed line.
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

/// A change of this viewer's screen alone. Never recorded, never changes the world.
#[derive(Clone, Debug, PartialEq)]
pub enum View {
    /// Time went by: ages and clocks are drawn anew.
    Tick,
    /// The screen began, with these themes, keymaps and preferences.
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
    /// Keys of a sequence were typed that is not complete.
    Pending(Vec<Key>),
    /// A step was prepared, or cannot be.
    Prepared(Box<Prepared>),
    /// An object's manifest arrived, or why there is none.
    Manifest {
        /// The object.
        target: Target,
        /// Lines of the manifest, or why there is none.
        answer: Result<Vec<Clean>, Clean>,
    },
    /// The mouse chose a pane, and maybe a row of it.
    Pointed {
        /// Context of the pane's keys.
        pane: Context,
        /// Identity of the row; `None` where the pane itself was chosen.
        row: Option<Clean>,
    },
    /// The mouse chose an entry of what is offered, by its index.
    Picked(usize),
    /// The mouse wheel turned over what is open, or over a pane.
    Wheeled {
        /// Context of the pane's keys; `None` over a page or dialog.
        pane: Option<Context>,
        /// Whether it turned towards the end.
        down: bool,
    },
    /// One of several steps that look at once has looked.
    Finding {
        /// Intent of them all.
        intent: ulid::Ulid,
        /// What it has found.
        finding: Box<Finding>,
    },
    /// Lines and states of the followed logs arrived.
    Logs(LogNews),
    /// A message for the viewer, shown for a few seconds.
    Told(Clean),
}

/// Choices of this screen, and how it begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Setup {
    /// Themes by name, the chosen one first.
    pub themes: Vec<Clean>,
    /// Keymaps by name, the chosen one first.
    pub keymaps: Vec<Clean>,
    /// Preferences of the viewer.
    pub seat: Preferences,
    /// Ways to call for attention.
    pub call_by: CallBy,
}

/// Preferences that depend on where the viewer sits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Preferences {
    /// Whether the wall display is on: everything is large, and there is no cursor.
    pub wall: bool,
    /// Whether warroom takes the mouse, instead of the terminal.
    pub mouse: bool,
    /// Whether the viewer is at the other end of ssh: a browser opened here would not be seen.
    pub remote: bool,
}

/// Ways to call a person who does not look at the screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CallBy {
    /// Whether the terminal's bell rings.
    pub bell: bool,
    /// Whether a desktop notification is sent, through the terminal (OSC 9 or OSC 777).
    pub desktop: bool,
}

/// A change of the line that is being typed.
#[derive(Clone, Debug, PartialEq)]
pub enum Edit {
    /// Inserts a text that was typed or pasted.
    Insert(String),
    /// Runs an editing action of the input context.
    Act(Action),
}
