//! The panes of the war room: a pane is a file here, which says what its rows are and what opening one does;
//! a file of [`view::panes`](crate::view), which draws it; and a row of the table.

mod lag;
mod pods;
mod rates;
mod steps;
pub(in crate::state) mod timeline;

use crate::clean::Clean;
use crate::effect::Effect;
use crate::event::{ContextId, Uid};
use crate::keymap::{Action, Context};
use crate::state::{Frame, State};

/// What a pane does.
trait PaneKind {
    /// Its title.
    const TITLE: &'static str;
    /// Its keys.
    const CONTEXT: Context;
    /// What goes there.
    const ACTION: Action;
    /// Whether a list that nobody moves in shows its end: there is nothing below that, and all above.
    const ENDS: bool = false;

    /// The identities of its rows, top to bottom.
    fn rows(frame: &Frame<'_>) -> Vec<Clean>;

    /// Opens a row; `describe`: in full.
    fn open(state: &mut State, id: Clean, describe: bool) -> Vec<Effect>;

    /// The object of the cluster that is selected.
    fn object(frame: &Frame<'_>) -> Option<Uid>;

    /// The context of what is selected.
    fn context(frame: &Frame<'_>) -> ContextId {
        Self::object(frame).map(|uid| uid.context()).unwrap_or_default()
    }

    /// The name of a row, to copy.
    fn name(_: &Frame<'_>, id: &Clean) -> Option<Clean> {
        Some(id.clone())
    }

    /// Carries an action out that is this pane's own; `None`: it is not.
    fn act(_: &mut State, _: &Action) -> Option<Vec<Effect>> {
        None
    }
}

macro_rules! panes {
    ($($name:ident $doc:literal)+) => {
        /// A pane, by what it shows.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Focus {
            #[default]
            $(#[doc = $doc] $name,)+
        }

        impl Focus {
            /// All panes, in the order of their keys.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// Returns the title.
            pub fn title(self) -> &'static str {
                match self { $(Self::$name => $name::TITLE,)+ }
            }

            /// Returns the context of its keys.
            pub fn context(self) -> Context {
                match self { $(Self::$name => $name::CONTEXT,)+ }
            }

            /// Returns the action that focuses it.
            pub fn action(self) -> Action {
                match self { $(Self::$name => $name::ACTION,)+ }
            }

            /// Returns whether a list without a selection shows its end.
            pub fn ends(self) -> bool {
                match self { $(Self::$name => $name::ENDS,)+ }
            }

            /// Returns the identities of its rows, top to bottom.
            pub fn rows(self, frame: &Frame<'_>) -> Vec<Clean> {
                match self { $(Self::$name => $name::rows(frame),)+ }
            }

            /// Opens a row; with `describe`, in full.
            pub fn open(self, state: &mut State, id: Clean, describe: bool) -> Vec<Effect> {
                match self { $(Self::$name => $name::open(state, id, describe),)+ }
            }

            /// Returns the object of the cluster that is selected.
            pub fn object(self, frame: &Frame<'_>) -> Option<Uid> {
                match self { $(Self::$name => $name::object(frame),)+ }
            }

            /// Returns the context of what is selected.
            pub fn object_context(self, frame: &Frame<'_>) -> ContextId {
                match self { $(Self::$name => $name::context(frame),)+ }
            }

            /// Returns the name of a row, to copy.
            pub fn name(self, frame: &Frame<'_>, id: &Clean) -> Option<Clean> {
                match self { $(Self::$name => $name::name(frame, id),)+ }
            }

            /// Runs an action of the pane's own; returns `None` for any other.
            pub fn act(self, state: &mut State, action: &Action) -> Option<Vec<Effect>> {
                match self { $(Self::$name => $name::act(state, action),)+ }
            }
        }
    };
}

use lag::Lag;
use pods::Pods;
use rates::Rates;
use steps::Steps;
use timeline::Timeline;

panes! {
    Pods "Workloads and pods."
    Rates "5xx by service."
    Lag "Consumer groups."
    Timeline "What happened."
    Steps "The runbook's steps."
}
