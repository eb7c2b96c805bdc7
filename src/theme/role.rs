//! Roles: what a piece of the screen means. Views ask for roles, themes give them styles; no view names a
//! colour.

crate::data::names! {
    /// A meaning that a theme gives a style. One that it leaves out looks as the part before its last dot
    /// does, at last as `text`.
    Role "role" {
        /// What is read.
        Text "text",
        /// What is there when looked for: units, ages, labels.
        Dim "dim",
        /// What is read first.
        Strong "strong",
        /// The title of a pane or dialog.
        Title "title",
        /// The frame of a pane.
        Border "border",
        /// The frame of the pane that has the keyboard.
        BorderFocus "border.focus",
        /// The frame of a question about something that cannot be undone.
        BorderDanger "border.danger",
        /// The one colour for what is active.
        Accent "accent",
        /// The selected row.
        Selection "selection",
        /// Text that a filter or a search found.
        Match "match",
        /// An address.
        Link "link",
        /// Well.
        Ok "ok",
        /// Look at this soon.
        Warn "warn",
        /// A person is needed.
        Critical "critical",
        /// Nobody can say: an answer was lost.
        Unknown "unknown",
        /// Was so, some time ago.
        Stale "stale",
        /// May not be read (403), or is not there.
        Blind "blind",
        /// A message that must be seen.
        Alert "alert",
        /// A message about something to look at soon.
        AlertWarn "alert.warn",
        /// A message about something that needs a person.
        AlertCritical "alert.critical",
        /// The line of a chart.
        ChartLine "chart.line",
        /// A second line in the same chart.
        ChartLineSecond "chart.line.second",
        /// The threshold that the line should stay below.
        ChartThreshold "chart.threshold",
        /// The line where it is above the threshold.
        ChartOver "chart.over",
        /// Where an action or a deploy happened.
        ChartMarker "chart.marker",
        /// Numbers and times along a chart.
        ChartAxis "chart.axis",
        /// The strokes of an axis.
        ChartGrid "chart.grid",
        /// The header's line.
        Header "header",
        /// The elapsed time.
        HeaderTime "header.time",
        /// Changes are allowed.
        Armed "armed",
        /// Changes are forbidden.
        ReadOnly "read-only",
        /// This is not the present.
        Replay "replay",
        /// This is not a real cluster.
        Demo "demo",
        /// The footer's line.
        Footer "footer",
        /// A key to press.
        Key "key",
        /// A key that opens a menu.
        KeyMenu "key.menu",
        /// A pane that could be shown.
        Tab "tab",
        /// The pane that is shown.
        TabActive "tab.active",
        /// A text field.
        Input "input",
        /// Where the next character goes.
        InputCursor "input.cursor",
        /// What could be typed.
        InputHint "input.hint",
        /// What was typed and cannot be taken.
        InputWrong "input.wrong",
        /// A line that a change adds.
        DiffAdd "diff.add",
        /// A line that a change removes.
        DiffRemove "diff.remove",
        /// A line that a change leaves.
        DiffContext "diff.context",
        /// The badge of an incident's severity.
        Severity "severity",
        /// The badge of SEV1.
        Severity1 "severity.1",
        /// The badge of SEV2.
        Severity2 "severity.2",
        /// The badge of SEV3.
        Severity3 "severity.3",
        /// The badge of SEV4.
        Severity4 "severity.4",
        /// An entry of the timeline.
        Timeline "timeline",
        /// An alert fired or ended.
        TimelineAlert "timeline.alert",
        /// The incident was declared, changed or resolved.
        TimelineIncident "timeline.incident",
        /// Something was rolled out.
        TimelineDeploy "timeline.deploy",
        /// An action was begun here.
        TimelineAction "timeline.action",
        /// An action was applied, or verified.
        TimelineApplied "timeline.applied",
        /// An action was rejected, or its verification failed.
        TimelineRejected "timeline.rejected",
        /// The outcome of an action is unknown.
        TimelineUnknown "timeline.unknown",
        /// Somebody wrote a note.
        TimelineNote "timeline.note",
        /// Somebody was paged or told.
        TimelineTold "timeline.told",
        /// Nothing was recorded here.
        TimelineGap "timeline.gap",
        /// A log line about an error.
        LogError "log.error",
        /// A log line with a warning.
        LogWarn "log.warn",
        /// When a log line was written.
        LogTime "log.time",
        /// Which pod and container wrote a log line.
        LogSource "log.source",
        /// The first of several.
        LogSource1 "log.source.1",
        /// The second of several.
        LogSource2 "log.source.2",
        /// The third of several.
        LogSource3 "log.source.3",
        /// The fourth of several; the next looks as the first again.
        LogSource4 "log.source.4",
        /// The name of a field in a log line.
        LogField "log.field",
        /// What warroom itself says among log lines.
        LogMark "log.mark",
    }
}

impl Role {
    /// The role that it looks like when a theme leaves it out; none for `text`.
    pub fn fallback(self) -> Option<Self> {
        let ancestors =
            std::iter::successors(self.name().rsplit_once('.'), |(parent, _)| parent.rsplit_once('.'));
        let parent = ancestors
            .into_iter()
            .find_map(|(parent, _)| Self::ALL.iter().copied().find(|role| role.name() == parent));
        parent.or((self != Self::Text).then_some(Self::Text))
    }
}
