//! Roles: what a piece of the screen means. Views ask for roles, themes give them styles; no view names a colour.

use std::str::FromStr;

use crate::data::Fault;

macro_rules! roles {
    ($($variant:ident $name:literal $doc:literal)+) => {
        /// A meaning that a theme gives a style. One that it leaves out looks as the part before its last dot does, at last as `text`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Role { $(#[doc = $doc] $variant,)+ }

        impl Role {
            /// All roles, in the order of their discriminants.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The name that themes use.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }
        }
    };
}

roles! {
    Text "text" "What is read"
    Dim "dim" "What is there when looked for: units, ages, labels"
    Strong "strong" "What is read first"
    Title "title" "The title of a pane or dialog"
    Border "border" "The frame of a pane"
    BorderFocus "border.focus" "The frame of the pane that has the keyboard"
    BorderDanger "border.danger" "The frame of a question about something that cannot be undone"
    Accent "accent" "The one colour for what is active"
    Selection "selection" "The selected row"
    Match "match" "Text that a filter or a search found"
    Link "link" "An address"
    Ok "ok" "Well"
    Warn "warn" "Look at this soon"
    Critical "critical" "A person is needed"
    Unknown "unknown" "Nobody can say: an answer was lost"
    Stale "stale" "Was so, some time ago"
    Blind "blind" "May not be read (403), or is not there"
    Alert "alert" "A message that must be seen"
    AlertWarn "alert.warn" "A message about something to look at soon"
    AlertCritical "alert.critical" "A message about something that needs a person"
    ChartLine "chart.line" "The line of a chart"
    ChartLineSecond "chart.line.second" "A second line in the same chart"
    ChartThreshold "chart.threshold" "The threshold that the line should stay below"
    ChartOver "chart.over" "The line where it is above the threshold"
    ChartMarker "chart.marker" "Where an action or a deploy happened"
    ChartAxis "chart.axis" "Numbers and times along a chart"
    ChartGrid "chart.grid" "The strokes of an axis"
    Header "header" "The header's line"
    HeaderTime "header.time" "The elapsed time"
    Armed "armed" "Changes are allowed"
    ReadOnly "read-only" "Changes are forbidden"
    Replay "replay" "This is not the present"
    Demo "demo" "This is not a real cluster"
    Footer "footer" "The footer's line"
    Key "key" "A key to press"
    KeyMenu "key.menu" "A key that opens a menu"
    Tab "tab" "A pane that could be shown"
    TabActive "tab.active" "The pane that is shown"
    Input "input" "A text field"
    InputCursor "input.cursor" "Where the next character goes"
    InputHint "input.hint" "What could be typed"
    InputWrong "input.wrong" "What was typed and cannot be taken"
    DiffAdd "diff.add" "A line that a change adds"
    DiffRemove "diff.remove" "A line that a change removes"
    DiffContext "diff.context" "A line that a change leaves"
    Severity "severity" "The badge of an incident's severity"
    Severity1 "severity.1" "The badge of SEV1"
    Severity2 "severity.2" "The badge of SEV2"
    Severity3 "severity.3" "The badge of SEV3"
    Severity4 "severity.4" "The badge of SEV4"
    Timeline "timeline" "An entry of the timeline"
    TimelineAlert "timeline.alert" "An alert fired or ended"
    TimelineIncident "timeline.incident" "The incident was declared, changed or resolved"
    TimelineDeploy "timeline.deploy" "Something was rolled out"
    TimelineAction "timeline.action" "An action was begun here"
    TimelineApplied "timeline.applied" "An action was applied, or verified"
    TimelineRejected "timeline.rejected" "An action was rejected, or its verification failed"
    TimelineUnknown "timeline.unknown" "The outcome of an action is unknown"
    TimelineNote "timeline.note" "Somebody wrote a note"
    TimelineTold "timeline.told" "Somebody was paged or told"
    TimelineGap "timeline.gap" "Nothing was recorded here"
    LogError "log.error" "A log line about an error"
    LogWarn "log.warn" "A log line with a warning"
    LogTime "log.time" "When a log line was written"
    LogSource "log.source" "Which pod and container wrote a log line"
}

impl Role {
    /// The role that it looks like when a theme leaves it out; none for `text`.
    pub fn fallback(self) -> Option<Self> {
        let ancestors = std::iter::successors(self.name().rsplit_once('.'), |(parent, _)| parent.rsplit_once('.'));
        let parent = ancestors.into_iter().find_map(|(parent, _)| parent.parse().ok());
        parent.or((self != Self::Text).then_some(Self::Text))
    }
}

impl FromStr for Role {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        let found = Self::ALL.iter().copied().find(|role| role.name() == text);
        found.ok_or_else(|| Fault::unknown("role", text, Self::ALL.iter().map(|role| role.name())))
    }
}
