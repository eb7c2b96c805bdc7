//! What can lie over the panes: a page is a file here, which holds its state, what its keys do and what
//! object is in hand; a file of [`view::pages`](crate::view), which draws it; and a row of the table.

pub mod alerts;
mod changes;
pub mod confirm;
mod detail;
mod entry;
pub mod form;
mod group;
mod help;
pub mod logs;
pub mod manifest;
mod picker;
mod service;
mod sources;

use crate::clean::Clean;
use crate::effect::Effect;
use crate::event::{ContextId, Uid};
use crate::keymap::{Action, Context};
use crate::state::{Frame, Screen, State};

pub use alerts::{AlertList, chosen_alert};
pub use changes::ChangeList;
pub use confirm::Dialog;
pub use detail::Detail;
pub use entry::EntryDetail;
pub use form::{Choice, Field, Form};
pub use group::GroupDetail;
pub use help::Help;
pub use logs::{Anchor, LogLook, LogRow, LogStream, LogSubject, LogView, STREAMS, Search, TAIL};
pub use manifest::ManifestView;
pub use picker::Picker;
pub use service::ServiceDetail;
pub use sources::SourceList;

/// The table of pages, for whoever makes something of each: the name, and the type of its state.
macro_rules! each_page {
    ($make:ident) => {
        $make! {
            Help(Help) "The keys."
            Detail(Detail) "One pod, workload or node in full."
            Entry(EntryDetail) "One entry of the timeline in full."
            Alerts(AlertList) "The alerts, and what keeps them quiet."
            Group(GroupDetail) "One consumer group in full."
            Service(ServiceDetail) "All that is measured of one service."
            Manifest(ManifestView) "An object's manifest."
            Changes(ChangeList) "What changed in the last hour."
            Sources(SourceList) "Data sources and their health."
            Logs(Box<LogView>) "Followed logs."
            Form(Form) "A step's inputs."
            Confirm(Box<Dialog>) "The question before a change."
            Picker(Picker) "Themes or keymaps; the one under the cursor is in use already."
        }
    };
}
pub(crate) use each_page;

/// Behaviour of a page. Everything has a default but its keys' contexts.
pub trait PageKind {
    /// The contexts of its keys, the innermost first.
    const CONTEXTS: &'static [Context];
    /// What opens it from anywhere; `None`: only another page or a pane does.
    const ACTION: Option<Action> = None;
    /// Rows that one notch of the wheel moves.
    const NOTCH: usize = 3;
    /// Whether a stop closes it: it asks for a change, or follows something.
    const STOPS: bool = false;
    /// Whether it has a typed line of its own, which closes with it.
    const ASKS: bool = false;

    /// The page as [`ACTION`](Self::ACTION) opens it.
    fn opened() -> Option<Self>
    where
        Self: Sized,
    {
        None
    }

    /// Carries an action out while this page lies on top; `None`: it is not one of its own.
    fn act(_: &mut State, _: &Action) -> Option<Vec<Effect>> {
        None
    }

    /// Lines scrolled down, where it scrolls.
    fn scroll(&mut self) -> Option<&mut usize> {
        None
    }

    /// The object of the cluster that it is about.
    fn object(&self, _: &Frame<'_>) -> Option<Uid> {
        None
    }

    /// The context that it is about; the main one where it is about none.
    fn context(&self, frame: &Frame<'_>) -> ContextId {
        self.object(frame).map(|uid| uid.context()).unwrap_or_default()
    }

    /// The name that can be copied; `None`: that of the focused pane's selection.
    fn name(&self, _: &Frame<'_>) -> Option<Clean> {
        None
    }

    /// Whether an action does something over it, as far as that is up to the page.
    fn offers(&self, _: &Frame<'_>, _: &Action) -> bool {
        true
    }

    /// Why there is no row to jump to.
    fn rowless(&self) -> String {
        "its object is not in the cluster now".to_owned()
    }

    /// It is closed: what it had set is set back, what it had begun is stopped.
    fn closed(&self, _: &mut Screen) -> Vec<Effect> {
        Vec::new()
    }
}

impl<T: PageKind> PageKind for Box<T> {
    const CONTEXTS: &'static [Context] = T::CONTEXTS;
    const ACTION: Option<Action> = T::ACTION;
    const NOTCH: usize = T::NOTCH;
    const STOPS: bool = T::STOPS;
    const ASKS: bool = T::ASKS;

    fn opened() -> Option<Self> {
        T::opened().map(Self::new)
    }

    fn act(state: &mut State, action: &Action) -> Option<Vec<Effect>> {
        T::act(state, action)
    }

    fn scroll(&mut self) -> Option<&mut usize> {
        (**self).scroll()
    }

    fn object(&self, frame: &Frame<'_>) -> Option<Uid> {
        (**self).object(frame)
    }

    fn context(&self, frame: &Frame<'_>) -> ContextId {
        (**self).context(frame)
    }

    fn name(&self, frame: &Frame<'_>) -> Option<Clean> {
        (**self).name(frame)
    }

    fn offers(&self, frame: &Frame<'_>, action: &Action) -> bool {
        (**self).offers(frame, action)
    }

    fn rowless(&self) -> String {
        (**self).rowless()
    }

    fn closed(&self, screen: &mut Screen) -> Vec<Effect> {
        (**self).closed(screen)
    }
}

macro_rules! pages {
    ($($name:ident($state:ty) $doc:literal)+) => {
        /// A page over the panes.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Page {
            $(#[doc = $doc] $name($state),)+
        }

        $(impl From<$state> for Page {
            fn from(page: $state) -> Self {
                Self::$name(page)
            }
        })+

        impl Page {
            /// Returns the page that an action opens from anywhere.
            pub fn opened_by(action: &Action) -> Option<Self> {
                $(if <$state>::ACTION.as_ref() == Some(action) {
                    return <$state>::opened().map(Self::from);
                })+
                None
            }

            /// Returns the contexts of its keys, the innermost first.
            pub fn contexts(&self) -> &'static [Context] {
                match self { $(Self::$name(_) => <$state>::CONTEXTS,)+ }
            }

            /// Returns the number of rows that one notch of the wheel moves.
            pub fn notch(&self) -> usize {
                match self { $(Self::$name(_) => <$state>::NOTCH,)+ }
            }

            /// Returns whether a stop closes it.
            pub fn stops(&self) -> bool {
                match self { $(Self::$name(_) => <$state>::STOPS,)+ }
            }

            /// Returns whether it has a typed line of its own.
            pub fn asks(&self) -> bool {
                match self { $(Self::$name(_) => <$state>::ASKS,)+ }
            }

            /// Returns what the page does with an action; that answers `None` for an action that is not its
            /// own.
            pub fn acting(&self) -> fn(&mut State, &Action) -> Option<Vec<Effect>> {
                match self { $(Self::$name(_) => <$state>::act,)+ }
            }

            /// Returns the number of lines scrolled down, where it scrolls.
            pub fn scroll(&mut self) -> Option<&mut usize> {
                match self { $(Self::$name(page) => page.scroll(),)+ }
            }

            /// Returns the object of the cluster that it is about.
            pub fn object(&self, frame: &Frame<'_>) -> Option<Uid> {
                match self { $(Self::$name(page) => page.object(frame),)+ }
            }

            /// Returns the context that it is about; the main one where it is about none.
            pub fn context(&self, frame: &Frame<'_>) -> ContextId {
                match self { $(Self::$name(page) => page.context(frame),)+ }
            }

            /// Returns the name that can be copied.
            pub fn name(&self, frame: &Frame<'_>) -> Option<Clean> {
                match self { $(Self::$name(page) => page.name(frame),)+ }
            }

            /// Returns whether an action does something over it, as far as that is up to the page.
            pub fn offers(&self, frame: &Frame<'_>, action: &Action) -> bool {
                match self { $(Self::$name(page) => page.offers(frame, action),)+ }
            }

            /// Returns why there is no row to jump to.
            pub fn rowless(&self) -> String {
                match self { $(Self::$name(page) => page.rowless(),)+ }
            }

            /// Cleans up after it is closed: what it had set is set back, what it had begun is stopped.
            pub fn closed(&self, screen: &mut Screen) -> Vec<Effect> {
                match self { $(Self::$name(page) => page.closed(screen),)+ }
            }
        }
    };
}

each_page!(pages);
