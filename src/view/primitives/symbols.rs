//! Symbols: a shape for every meaning, so that none is told by colour alone. Here and nowhere else;
//! [`super::ascii`] translates them.

use crate::event::{LogEnd, LogState, SourceState};
use crate::state::{EntryKind, Group, GroupState, Severity};
use crate::theme::Role;

/// How bad: shape and colour.
pub fn severity(severity: Severity) -> (&'static str, Role) {
    match severity {
        Severity::Ok => ("●", Role::Ok),
        Severity::Warn => ("▲", Role::Warn),
        Severity::Critical => ("✖", Role::Critical),
    }
}

/// How well a source can be heard.
pub fn source(state: SourceState) -> (&'static str, Role) {
    match state {
        SourceState::Starting => ("○", Role::Dim),
        SourceState::Live => ("●", Role::Ok),
        SourceState::Stale => ("▲", Role::Warn),
        SourceState::Blind => ("▲", Role::Blind),
        SourceState::Down => ("✖", Role::Critical),
        SourceState::Off => ("–", Role::Dim),
    }
}

/// What a log's stream does.
pub fn stream(state: &LogState) -> (&'static str, Role) {
    match state {
        LogState::Connecting => ("○", Role::Dim),
        LogState::Following => ("●", Role::Ok),
        LogState::Waiting(_) => ("◐", Role::Warn),
        LogState::Reconnecting(_) => ("▲", Role::Warn),
        LogState::Refused(_) => ("✖", Role::Blind),
        LogState::Ended(LogEnd::Exited(code, _)) if *code != 0 => ("✗", Role::Critical),
        LogState::Ended(_) => ("–", Role::Dim),
    }
}

/// What a group's lag does; one that has begun to grow is not well, whatever its commits say so far.
pub fn group(group: &Group) -> (&'static str, Role) {
    if group.state() == GroupState::Ok { severity(group.severity()) } else { partition(group.state()) }
}

/// What the lag of a partition does.
pub fn partition(state: GroupState) -> (&'static str, Role) {
    match state {
        GroupState::Ok => ("●", Role::Ok),
        GroupState::Unknown => ("–", Role::Unknown),
        GroupState::Warn => ("▲", Role::Warn),
        GroupState::Rewind => ("◂", Role::Warn),
        GroupState::Stall => ("■", Role::Critical),
        GroupState::Stop => ("✖", Role::Critical),
    }
}

/// What sort of thing an entry of the timeline tells.
pub fn entry(kind: EntryKind) -> (&'static str, Role) {
    match kind {
        EntryKind::Deploy => ("⇡", Role::TimelineDeploy),
        EntryKind::Change => ("◇", Role::TimelineDeploy),
        EntryKind::Trouble => ("✖", Role::Critical),
        EntryKind::Recovery => ("●", Role::Ok),
        EntryKind::Alert => ("▲", Role::TimelineAlert),
        EntryKind::AlertEnded => ("○", Role::Ok),
        EntryKind::Action | EntryKind::Checked => ("▶", Role::TimelineAction),
        EntryKind::Applied | EntryKind::Verified => ("✓", Role::TimelineApplied),
        EntryKind::Rejected | EntryKind::Unverified => ("✗", Role::TimelineRejected),
        EntryKind::Unknown => ("?", Role::TimelineUnknown),
        EntryKind::Note => ("✎", Role::TimelineNote),
        EntryKind::Session => ("·", Role::Dim),
    }
}

/// What stands for more: opened, or to be opened.
pub fn opens(open: bool) -> &'static str {
    if open { "▾" } else { "▸" }
}

/// A row's reason in words: a pod whose status is `Running` and that is in trouble is not ready.
pub fn reason(status: &str) -> &str {
    if status == "Running" { "not ready" } else { status }
}

/// Which way a number goes.
pub fn trend(growth: Option<f64>) -> &'static str {
    match growth {
        Some(growth) if growth > 0.0 => "↑",
        Some(growth) if growth < 0.0 => "↓",
        Some(_) => "·",
        None => " ",
    }
}
