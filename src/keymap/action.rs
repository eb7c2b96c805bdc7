//! The one table of actions: what a key or a `:` command can be bound to.
//! Keymaps, help, the palette, docs/keys.md and the tests read it; the journal records its names, never keys.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Context;
use super::Context::{Alerts, Confirm, Detail, Dialog, Global, Input, Logs, Page, Replay, Timeline};
use crate::data::{Problem, text_fields};

/// How far an action reaches. A replay and a look back allow only [`Danger::Screen`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Danger {
    /// Changes only what this viewer sees.
    Screen,
    /// Writes to the incident's record, or moves a guard of this session.
    Record,
    /// May reach the cluster: behind arming and a confirmation, unless the step only reads.
    Change,
}

/// What the table says about an action.
#[derive(Debug)]
pub struct Spec {
    /// The name in keymaps, in the palette and in the journal.
    pub name: &'static str,
    /// Other names that the palette takes.
    pub aliases: &'static [&'static str],
    /// What must follow the name, if anything.
    pub argument: Option<&'static str>,
    /// One line of help.
    pub doc: &'static str,
    /// Where it does something; `Global` includes every context that is not modal.
    pub contexts: &'static [Context],
    /// How far it reaches.
    pub danger: Danger,
}

macro_rules! actions {
    ($(
        $variant:ident $name:literal $(| $alias:literal)* [$($context:ident)+] $danger:ident $doc:literal
    )+) => {
        /// What a key or a `:` command is bound to. Written and read as its name; [`Action::Step`] as
        /// `step <id>`.
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub enum Action {
            $(#[doc = $doc] $variant,)+
            /// Begin the runbook's step with this id.
            Step(String),
            /// Watch these namespaces.
            Namespaces(String),
            /// Describe the node of this name.
            Node(String),
        }

        impl Action {
            /// Every action without an argument, in the order of the table.
            pub const PLAIN: &[Self] = &[$(Self::$variant,)+];

            /// Its row of the table.
            pub const fn spec(&self) -> &'static Spec {
                match self {
                    $(Self::$variant => &Spec {
                        name: $name,
                        aliases: &[$($alias),*],
                        argument: None,
                        doc: $doc,
                        contexts: &[$($context),+],
                        danger: Danger::$danger,
                    },)+
                    Self::Step(_) => &STEP,
                    Self::Namespaces(_) => &NAMESPACES,
                    Self::Node(_) => &NODE,
                }
            }
        }
    };
}

static STEP: Spec = Spec {
    name: "step",
    aliases: &["run"],
    argument: Some("step id"),
    doc: "Begin a step of the runbook",
    contexts: &[Global],
    danger: Danger::Change,
};

static NAMESPACES: Spec = Spec {
    name: "ns",
    aliases: &["namespace", "namespaces"],
    argument: Some("namespaces, or all"),
    doc: "Watch these namespaces",
    contexts: &[Global],
    danger: Danger::Record,
};

static NODE: Spec = Spec {
    name: "node",
    aliases: &[],
    argument: Some("node"),
    doc: "Describe a node",
    contexts: &[Global],
    danger: Danger::Screen,
};

/// How an action takes what follows its name.
type With = fn(String) -> Action;

/// The actions that something must follow, and how they take it.
static WITH_ARGUMENT: [(&Spec, With); 3] =
    [(&STEP, Action::Step), (&NAMESPACES, Action::Namespaces), (&NODE, Action::Node)];

actions! {
    Quit "quit" | "q" | "exit" [Global] Screen "Leave warroom"
    Help "help" | "h" [Global] Screen "Show the keys that work here"
    Command "command" [Global] Screen "Type a command"
    Filter "filter" [Global] Screen "Filter this list, or search this text"
    Cancel "cancel" [Global Dialog] Screen "Leave the search, close what is open, clear the filter"
    Close "close" [Global] Screen "Close what is open"
    Redraw "redraw" [Global Confirm Dialog Input] Screen "Draw the whole screen again"
    Suspend "suspend" [Global Confirm Dialog Input] Screen "Put warroom in the background; `fg` brings it back"
    StopAll "stop-all" [Global Confirm Dialog Input] Record "Disarm, cancel everything that runs, say what is unknown"
    Arm "arm" [Global Confirm] Record "Allow changes to this context for a while, or for longer"
    Disarm "disarm" [Global] Record "Forbid changes"
    Theme "theme" [Global] Screen "Choose a theme, and see each at once"
    ThemeNext "theme-next" [Global] Screen "Use the next theme"
    Keymap "keymap" [Global] Screen "Choose a keymap"
    Mouse "mouse" [Global] Screen "Take the mouse, or leave it to the terminal to select text"
    Mute "mute" [Global] Screen "No bell and no notifications, or both again"
    Wall "wall" [Global] Screen "Toggle the wall display"
    ToggleClock "toggle-clock" [Global] Screen "Show times in UTC, or since the incident began"
    Zoom "zoom" [Global] Screen "Give the focused pane the whole screen, or give it back"

    FocusNext "focus-next" [Global] Screen "Go to the next pane"
    FocusPrevious "focus-previous" [Global] Screen "Go to the previous pane"
    FocusPods "focus-pods" | "pods" [Global] Screen "Go to the pods"
    FocusRates "focus-rates" | "rates" [Global] Screen "Go to the 5xx rates"
    FocusLag "focus-lag" | "lag" [Global] Screen "Go to the Kafka lag"
    FocusTimeline "focus-timeline" | "timeline" [Global] Screen "Go to the timeline"
    FocusSteps "focus-steps" | "steps" [Global] Screen "Go to the steps"

    Down "down" [Global Confirm Dialog] Screen "Go down"
    Up "up" [Global Confirm Dialog] Screen "Go up"
    PageDown "page-down" [Global Confirm Dialog] Screen "Go down a page"
    PageUp "page-up" [Global Confirm Dialog] Screen "Go up a page"
    HalfPageDown "half-page-down" [Global Confirm Dialog] Screen "Go down half a page"
    HalfPageUp "half-page-up" [Global Confirm Dialog] Screen "Go up half a page"
    Top "top" [Global Confirm Dialog] Screen "Go to the top"
    Bottom "bottom" [Global Confirm Dialog] Screen "Go to the bottom"
    Open "open" [Global] Screen "Open what is selected"
    NextUnhealthy "next-unhealthy" [Global] Screen "Go to the next unhealthy row"
    ToggleFaults "toggle-faults" | "faults" [Global] Screen "Show only unhealthy rows, or all"

    SpanLonger "span-longer" | "zoom-out" [Global] Screen "Show a longer time range in the charts, up to 24 hours"
    SpanShorter "span-shorter" | "zoom-in" [Global] Screen "Show a shorter time range in the charts, down to 5 minutes"

    Logs "logs" [Global] Screen "Show its logs"
    PreviousLogs "previous-logs" [Global] Screen "Show the logs of the run before the restart"
    NextMatch "next-match" [Logs] Screen "Go to the next line that the search finds"
    PreviousMatch "previous-match" [Logs] Screen "Go to the previous line that the search finds"
    OnlyMatches "only-matches" [Logs] Screen "Show only lines that the search finds, or all"
    NextError "next-error" [Logs] Screen "Go to the next line about an error"
    PreviousError "previous-error" [Logs] Screen "Go to the previous line about an error"
    SinceMinute "since-1m" [Logs] Screen "Show the last minute"
    SinceFive "since-5m" [Logs] Screen "Show the last 5 minutes"
    SinceQuarter "since-15m" [Logs] Screen "Show the last 15 minutes"
    SinceHour "since-1h" [Logs] Screen "Show the last hour"
    SinceTail "since-tail" [Logs] Screen "Show the last 500 lines of each container"
    ToggleWrap "toggle-wrap" | "wrap" [Logs] Screen "Break long lines, or let them run beyond the edge"
    ToggleTimes "toggle-times" [Logs] Screen "Show the time of each line, or not"
    ToggleRaw "toggle-raw" | "raw" [Logs] Screen "Show JSON lines as they came, or made readable"
    ScrollLeft "scroll-left" [Logs] Screen "Show what is further to the left"
    ScrollRight "scroll-right" [Logs] Screen "Show what is further to the right"
    SaveLog "save-log" [Logs] Screen "Save the lines that are shown, cleaned, in a file"
    Describe "describe" [Global] Screen "Describe it"
    Manifest "manifest" | "yaml" [Global] Screen "Show its manifest as YAML"
    Changes "changes" [Global] Screen "Show what changed in the last hour, and who changed it"
    Follow "follow" [Global] Screen "Keep to the newest line, or stay"
    CopyCommand "copy-command" [Global Confirm] Screen "Copy the step as the command that it stands for"
    CopyName "copy-name" [Global] Screen "Copy the name of what is selected"
    CopyLink "copy-link" [Global] Screen "Copy the link of its alert"
    OpenLink "open-link" [Global] Screen "Open the link of its alert in a browser"

    Search "search" [Timeline] Screen "Find a text in the timeline, without hiding the rest"
    SearchNext "search-next" [Timeline] Screen "Go to the next entry that has the searched text"
    SearchPrevious "search-previous" [Timeline] Screen "Go to the previous entry that has the searched text"
    Expand "expand" [Timeline] Screen "Expand or collapse an entry with several cases"
    Pin "pin" [Timeline] Record "Keep the entry in sight, or no longer"
    Alerts "alerts" [Global] Screen "Show the alerts and their silences"
    Sources "sources" | "health" [Global] Screen "Show the data sources and their health"
    Jump "jump" [Timeline Detail Alerts Page] Screen "Go to its row among the pods"

    UndoLast "undo-last" | "undo" [Global] Change "Undo the last change"
    Note "note" [Global] Record "Write a note into the timeline"

    Confirm "confirm" [Confirm] Change "Confirm the change"
    Reject "reject" [Confirm] Screen "Cancel the change"
    FullDiff "full-diff" [Confirm] Screen "Show the whole diff, or its summary"
    Choose "choose" [Dialog] Screen "Accept the choice"
    NextField "next-field" [Dialog Input] Screen "Go to the next field"

    PlayPause "play-pause" [Replay] Screen "Play, or pause"
    StepForward "step-forward" [Replay] Screen "Go one event on"
    StepBack "step-back" [Replay] Screen "Go one event back"
    Faster "faster" [Replay] Screen "Play faster"
    Slower "slower" [Replay] Screen "Play slower"
    NextEntry "next-entry" [Replay] Screen "Go to the next entry of the timeline"
    PreviousEntry "previous-entry" [Replay] Screen "Go to the previous entry of the timeline"
    Seek "seek" [Replay] Screen "Go to a time, or to a text"
    ToStart "to-start" [Replay] Screen "Go to the start of the recording"
    ToEnd "to-end" [Replay] Screen "Go to the end of the recording"

    InputAccept "input-accept" [Input] Screen "Accept the text"
    InputCancel "input-cancel" [Input] Screen "Cancel the text field"
    InputBackspace "input-backspace" [Input] Screen "Delete the character before the cursor"
    InputDelete "input-delete" [Input] Screen "Delete the character under the cursor"
    InputDeleteWord "input-delete-word" [Input] Screen "Delete the word before the cursor"
    InputClear "input-clear" [Input] Screen "Delete the whole text"
    InputLeft "input-left" [Input] Screen "Go left"
    InputRight "input-right" [Input] Screen "Go right"
    InputHome "input-home" [Input] Screen "Go to the start of the text"
    InputEnd "input-end" [Input] Screen "Go to the end of the text"
    InputComplete "input-complete" [Input] Screen "Complete the word; nothing to complete: next field"
    InputHistoryUp "input-history-up" [Input] Screen "Bring back an older text, or choose the candidate above"
    InputHistoryDown "input-history-down" [Input] Screen "Bring back a newer text, or choose the candidate below"
}

impl Action {
    /// How far it reaches; for a step the most that a step may do (the runbook knows the step's own danger).
    pub const fn danger(&self) -> Danger {
        self.spec().danger
    }

    /// Whether it does something in `context`.
    pub fn fits(&self, context: Context) -> bool {
        let contexts = self.spec().contexts;
        contexts.contains(&context) || (contexts.contains(&Global) && !context.is_modal())
    }

    /// Does something as a `:` command: not what only edits a text or answers a question.
    pub fn can_be_typed(&self) -> bool {
        let contexts = self.spec().contexts;
        contexts.contains(&Global) || contexts.contains(&Replay)
    }

    /// Whether it moves in a list or a text.
    pub const fn moves(&self) -> bool {
        matches!(
            self,
            Self::Down
                | Self::Up
                | Self::PageDown
                | Self::PageUp
                | Self::HalfPageDown
                | Self::HalfPageUp
                | Self::Top
                | Self::Bottom
        )
    }

    /// Reaches through a modal context: what stops, suspends or repairs must never be out of reach.
    pub const fn always_works(&self) -> bool {
        matches!(self, Self::StopAll | Self::Suspend | Self::Redraw)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Step(argument) | Self::Namespaces(argument) | Self::Node(argument) => {
                write!(f, "{} {argument}", self.spec().name)
            }
            plain => f.write_str(plain.spec().name),
        }
    }
}

impl FromStr for Action {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        let (name, argument) =
            text.trim().split_once(' ').map_or((text.trim(), ""), |(name, rest)| (name, rest.trim()));
        let named = |spec: &Spec| spec.name == name || spec.aliases.contains(&name);
        if let Some((spec, with)) = WITH_ARGUMENT.iter().find(|(spec, _)| named(spec)) {
            let missing = || {
                Problem::new(format!(
                    "{:?} needs its argument: {}",
                    spec.name,
                    spec.argument.unwrap_or_default()
                ))
            };
            return if argument.is_empty() { Err(missing()) } else { Ok(with(argument.into())) };
        }
        match Self::PLAIN.iter().find(|action| named(action.spec())) {
            Some(_) if !argument.is_empty() => {
                Err(Problem::new(format!("{name:?} takes no argument, but {argument:?} follows it")))
            }
            Some(action) => Ok(action.clone()),
            None => Err(Problem::unknown("action", name, names())),
        }
    }
}

/// All names that the table knows, aliases left out.
pub fn names() -> impl Iterator<Item = &'static str> {
    Action::PLAIN
        .iter()
        .map(|action| action.spec().name)
        .chain(WITH_ARGUMENT.iter().map(|(spec, _)| spec.name))
}

text_fields!(Action);

impl TryFrom<String> for Action {
    type Error = Problem;

    fn try_from(text: String) -> Result<Self, Problem> {
        text.parse()
    }
}

impl From<Action> for String {
    fn from(action: Action) -> Self {
        action.to_string()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_name_and_alias_is_read_back_as_its_own_action() {
        let mut seen: BTreeSet<&str> = WITH_ARGUMENT.iter().map(|(spec, _)| spec.name).collect();
        for action in Action::PLAIN {
            for name in [action.spec().name].iter().chain(action.spec().aliases) {
                assert!(seen.insert(name), "{name} names two actions");
                assert_eq!(name.parse::<Action>().as_ref(), Ok(action));
            }
        }
    }

    #[test]
    fn the_journal_keeps_names() {
        let step = Action::Step("rollout-undo".into());
        assert_eq!(serde_json::to_string(&step).unwrap(), "\"step rollout-undo\"");
        assert_eq!(serde_json::from_str::<Action>("\"step rollout-undo\"").unwrap(), step);
        assert_eq!(serde_json::to_string(&Action::StopAll).unwrap(), "\"stop-all\"");
    }

    #[test]
    fn mistakes_name_what_was_meant() {
        let error = |text: &str| text.parse::<Action>().unwrap_err().to_string();
        assert_eq!(error("discribe"), "no such action \"discribe\"; did you mean \"describe\"?");
        assert_eq!(error("step"), "\"step\" needs its argument: step id");
        assert_eq!(error("quit now"), "\"quit\" takes no argument, but \"now\" follows it");
    }

    #[test]
    fn help_lines_are_one_sentence_each() {
        for action in Action::PLAIN {
            let doc = action.spec().doc;
            assert!(
                doc.starts_with(char::is_uppercase)
                    && !doc.ends_with('.')
                    && !doc.contains('\n')
                    && doc.len() <= 70,
                "{doc}"
            );
        }
    }

    #[test]
    fn a_modal_context_takes_only_its_own_actions() {
        assert!(!Action::Quit.fits(Context::Confirm));
        assert!(Action::Quit.fits(Context::Pods));
        assert!(!Action::PlayPause.fits(Context::Pods));
        for action in Action::PLAIN.iter().filter(|action| action.always_works()) {
            assert!(Context::ALL.iter().all(|context| action.fits(*context)), "{action}");
        }
    }
}
