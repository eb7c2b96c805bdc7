//! What the runs of steps say on the timeline.

use chrono::{DateTime, Utc};

use crate::clean::Clean;
use crate::event::{ContextId, Measure, Output, Verdict};
use crate::state::{EntryKind, Run, Stage, Subject, Timeline};
use crate::units;

/// Adds the new stage of a run to the timeline.
pub(in crate::state) fn tell(at: DateTime<Utc>, run: &Run, context: ContextId, timeline: &mut Timeline) {
    let subject = Subject { context, name: run.intent.target.name.clone() };
    let mark = Some(run.mark);
    let (kind, text) = match &run.stage {
        Stage::Waiting => (EntryKind::Action, format!("{} @{}", run.intent.title, run.intent.actor)),
        Stage::Sent | Stage::Reverted(_) => return,
        Stage::Unknown(why) if run.settled() => (EntryKind::Unknown, format!("unknown: {why}")),
        Stage::Unknown(why) => (EntryKind::Unknown, format!("unknown: {why}; reading what became of it")),
        Stage::Verifying if run.output().is_some() => {
            (EntryKind::Applied, run.output().map_or_else(String::new, read))
        }
        Stage::Verifying => {
            (EntryKind::Applied, format!("applied, {}", units::counted(run.writes() as usize, "write")))
        }
        Stage::Rejected(why) | Stage::NotSent(why) if run.intent.only_reads() => {
            (EntryKind::Rejected, format!("not read: {why}"))
        }
        Stage::Rejected(why) => (EntryKind::Rejected, format!("not changed: {why}")),
        Stage::NotSent(why) => (EntryKind::Rejected, format!("not sent: {why}")),
        Stage::Partial(why) => (EntryKind::Unverified, partial(run, why)),
        Stage::Failed(why) => (EntryKind::Unverified, format!("failed: {why}")),
        Stage::Read(output) => (EntryKind::Checked, read(output)),
        Stage::Done(_) if run.intent.checks.is_empty() && run.output().is_some() => return,
        Stage::Done(verdict) if verdict.ok => (EntryKind::Verified, verified(run, verdict)),
        Stage::Done(verdict) => (EntryKind::Unverified, unverified(verdict)),
    };
    timeline.add(at, kind, subject, text, mark);
}

/// What is said of a change that has no check.
const UNCHECKED: &str = "done; no check measures its effect";

/// `5xx 24.8 % → 0.4 % in 38 s`, `lag 14,725 → 15,100, ready 1 → 10 in 31 s, falling from 16,200`
fn verified(run: &Run, verdict: &Verdict) -> String {
    if run.intent.checks.is_empty() {
        return UNCHECKED.to_owned();
    }
    let higher = run.peak.filter(|peak| verdict.before.lag.is_some_and(|before| *peak > before));
    let falling =
        higher.map(|peak| format!(", falling from {}", units::count(Some(peak)))).unwrap_or_default();
    format!("{} in {:.0} s{falling}", changes(&verdict.before, &verdict.after), verdict.seconds)
}

/// `1 of 2 changes made, 1 not: the server is overloaded`
fn partial(run: &Run, why: &str) -> String {
    let done = run.writes();
    let all = run.intent.writes_before(run.intent.count());
    format!("{done} of {all} changes made, {} not: {why}", all.saturating_sub(done))
}

/// `exit 1 · 3 lines · connection refused`; of a table what it says: `2 of 13 pods are not running`
fn read(output: &Output) -> String {
    if output.table.is_some() {
        let not_all = output.cut.as_ref().map(|why| format!("; not all: {why}")).unwrap_or_default();
        let wrong = output.wrong.iter().map(|what| format!("✖ {what}"));
        let told: Vec<String> = wrong.chain(output.lines.iter().map(Clean::to_string)).collect();
        return format!("{}{not_all}", told.join("; "));
    }
    let exit = output.exit.map_or_else(|| "no exit code".to_owned(), |code| format!("exit {code}"));
    let last = output
        .lines
        .iter()
        .rev()
        .find(|line| !line.trim().is_empty())
        .map(|line| format!(" · {}", line.trim()))
        .unwrap_or_default();
    format!("{exit} · {}{last}", units::counted(output.lines.len(), "line"))
}

fn unverified(verdict: &Verdict) -> String {
    let missing: Vec<&str> = verdict.missing.iter().map(Clean::as_str).collect();
    format!("not seen within {:.0} s: {}", verdict.seconds, missing.join("; "))
}

/// Returns the numbers that changed, before and after: `5xx 24.8 % → 0.4 %`, `lag 4,100 → 3,800, ready 1 →
/// 10`.
pub fn changes(before: &Measure, after: &Measure) -> String {
    let percent = |x: Option<f64>| x.map_or_else(|| "–".to_owned(), |x| format!("{:.1} %", x * 100.0));
    let number = |x: Option<i64>| units::count(x);
    let mut parts = Vec::new();
    if percent(before.ratio_5xx) != percent(after.ratio_5xx) {
        parts.push(format!("5xx {} → {}", percent(before.ratio_5xx), percent(after.ratio_5xx)));
    }
    if before.lag.or(after.lag).is_some() {
        parts.push(format!("lag {} → {}", number(before.lag), number(after.lag)));
    }
    if before.firing.or(after.firing).is_some() {
        parts.push(format!(
            "firing {} → {}",
            number(before.firing.map(i64::from)),
            number(after.firing.map(i64::from))
        ));
    }
    let states = after.states.iter().filter_map(|(what, now)| Some((what, before.states.get(what)?, now)));
    parts.extend(states.map(|(what, then, now)| format!("{what} {then} → {now}")));
    let known = before.ready.or(after.ready).is_some();
    if before.ready != after.ready || (parts.is_empty() && known) {
        parts.push(format!(
            "ready {} → {}",
            number(before.ready.map(i64::from)),
            number(after.ready.map(i64::from))
        ));
    }
    parts.join(", ")
}
