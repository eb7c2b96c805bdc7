//! Changes made from this screen, and what was read by its steps: confirmed, sent, answered, checked.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use ulid::Ulid;

use crate::clean::Clean;
use crate::event::{Intent, Measure, Op, Outcome, Output, Verdict};
use crate::step::check::{Evidence, Since};

/// Reason of a run that was revoked because everything was stopped.
pub const STOPPED: &str = "stopped before it left";
/// Reason of a run that was revoked because changes are not allowed any more.
pub const DISARMED: &str = "disarmed before it left";

/// Stage of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Confirmed, and on its way to the disk: nothing has left.
    Waiting,
    /// Sent; no answer yet.
    Sent,
    /// The answer was lost; what became of it is being read.
    Unknown(Clean),
    /// Applied; its effect is awaited.
    Verifying,
    /// Sent, and nothing was changed.
    Rejected(Clean),
    /// Nothing was sent.
    NotSent(Clean),
    /// Some of the changes were made.
    Partial(Clean),
    /// A program that may change something ended with an error: what it changed is not known.
    Failed(Clean),
    /// A check was read, with this output.
    Read(Output),
    /// Applied, and its effect was verified, or not.
    Done(Verdict),
    /// Applied, and undone by the run of that mark before its effect was seen: it is awaited no longer.
    Reverted(u32),
}

/// One run of a step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Number on the timeline and the charts, from 1.
    pub mark: u32,
    /// Intent that was confirmed.
    pub intent: Intent,
    /// Time when it was confirmed.
    pub at: DateTime<Utc>,
    /// Stage that it is in.
    pub stage: Stage,
    /// Newest outcome.
    pub outcome: Option<Outcome>,
    /// Time when it was applied.
    pub applied: Option<DateTime<Utc>>,
    /// Measurement when it was confirmed.
    pub before: Measure,
    /// Highest lag since then, records.
    pub peak: Option<i64>,
    /// Index of the last op that was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent: Option<u32>,
    /// Number of ops that were answered as done, before the outcome.
    #[serde(default)]
    pub done: u32,
    /// Why no more of its ops leave, though some have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<Clean>,
}

impl Run {
    /// Returns whether nothing more will come of it.
    pub fn settled(&self) -> bool {
        match self.stage {
            Stage::Waiting | Stage::Sent | Stage::Verifying => false,
            Stage::Unknown(_) => !self.intent.is_resolvable(),
            _ => true,
        }
    }

    /// Returns whether it was sent, and is still to be known what became of it.
    pub fn unanswered(&self) -> bool {
        matches!(self.stage, Stage::Sent | Stage::Unknown(_)) && !self.settled()
    }

    /// Returns whether a program of this machine runs for it.
    pub fn is_running(&self) -> bool {
        self.stage == Stage::Sent && matches!(self.intent.ops.first(), Some(Op::Command(_)))
    }

    /// Returns what it has read or printed; `None` before it has ended, and for a change.
    pub fn output(&self) -> Option<&Output> {
        match &self.outcome {
            Some(Outcome::Read(output) | Outcome::Ran(output)) => Some(output),
            _ => None,
        }
    }

    /// Returns whether nothing of it was changed, and nothing will be.
    pub fn undone(&self) -> bool {
        matches!(self.stage, Stage::Rejected(_) | Stage::NotSent(_) | Stage::Read(_))
    }

    /// Returns the number of requests that the server answered as done.
    pub fn writes(&self) -> u32 {
        match self.outcome {
            Some(Outcome::Applied { writes, .. }) => writes,
            Some(Outcome::Partial { done, .. }) => done,
            _ => self.done,
        }
    }

    /// What it has come to, for its checks.
    fn since(&self) -> Since {
        let generation =
            if let Some(Outcome::Applied { generation, .. }) = self.outcome { generation } else { 0 };
        Since { applied: self.applied, generation, within: self.intent.verify_within, peak: self.peak }
    }

    fn verdict(&self, at: DateTime<Utc>, evidence: &Evidence<'_>, ok: bool) -> Verdict {
        let seconds = self.applied.map_or(0.0, |applied| (at - applied).as_seconds_f64());
        let missing = if ok { Vec::new() } else { evidence.missing(&self.intent.checks, &self.since()) };
        Verdict {
            ok,
            before: self.before.clone(),
            after: evidence.measure(&self.intent.checks),
            seconds,
            missing,
            at,
        }
    }
}

/// All runs of the session.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Runs {
    runs: BTreeMap<Ulid, Run>,
    count: u32,
}

impl Runs {
    /// Adds a run: a step was confirmed (or, `adopted`, found without an outcome).
    pub fn begin(
        &mut self,
        at: DateTime<Utc>,
        intent: &Intent,
        adopted: bool,
        evidence: &Evidence<'_>,
    ) -> &Run {
        self.count += 1;
        let before = evidence.measure(&intent.checks);
        let stage = if adopted {
            Stage::Unknown("warroom ended before the answer came".into())
        } else {
            Stage::Waiting
        };
        let intent = intent.clone();
        let mark = self.count;
        let peak = before.lag;
        let run = Run {
            mark,
            intent,
            at,
            stage,
            outcome: None,
            applied: None,
            peak,
            before,
            sent: None,
            done: 0,
            revoked: None,
        };
        self.runs.entry(run.intent.id).or_insert(run)
    }

    /// Takes an op that was sent. The first of a run is worth a word.
    pub fn sent(&mut self, id: Ulid, op: u32) -> Option<&Run> {
        let run = self.runs.get_mut(&id).filter(|run| matches!(run.stage, Stage::Waiting | Stage::Sent))?;
        let first = run.sent.replace(op).is_none();
        run.stage = Stage::Sent;
        first.then_some(&*run)
    }

    /// Takes an op that is done, where another one is left.
    pub fn step(&mut self, id: Ulid, op: u32) {
        if let Some(run) = self.runs.get_mut(&id).filter(|run| run.stage == Stage::Sent) {
            run.done = op + 1;
        }
    }

    /// Revokes what has not been sent of the changes under way: it is not sent any more, whoever arms again.
    pub fn revoke(&mut self, why: &str) {
        let under_way = |run: &&mut Run| run.stage == Stage::Sent && !run.intent.only_reads();
        let rest = |run: &&mut Run| run.sent.is_some_and(|sent| sent + 1 < run.intent.count());
        for run in self.runs.values_mut().filter(under_way).filter(rest) {
            run.revoked.get_or_insert_with(|| why.into());
        }
    }

    /// Takes an outcome: an answer came, or was lost, or was found out by reading. A settled run stays as it
    /// is.
    pub fn answer(&mut self, at: DateTime<Utc>, id: Ulid, outcome: &Outcome) -> Option<&Run> {
        let open = |run: &&mut Run| matches!(run.stage, Stage::Waiting | Stage::Sent | Stage::Unknown(_));
        let run = self.runs.get_mut(&id).filter(open)?;
        run.outcome = Some(outcome.clone());
        run.stage = match outcome {
            Outcome::Applied { .. } => Stage::Verifying,
            Outcome::Read(output) => Stage::Read(output.clone()),
            Outcome::Ran(output) => ran(output),
            Outcome::Partial { why, .. } => Stage::Partial(why.clone()),
            Outcome::Rejected { reason, .. } => Stage::Rejected(reason.clone()),
            Outcome::NotSent { reason } => Stage::NotSent(reason.clone()),
            Outcome::Unknown { reason, .. } => Stage::Unknown(reason.clone()),
        };
        run.applied = (run.stage == Stage::Verifying).then_some(at);
        if let (Some(_), Some(undone), by) = (run.applied, run.intent.call.undoes, run.mark) {
            self.revert(undone, by);
        }
        self.runs.get(&id)
    }

    /// The effect of what was undone is not awaited any more: it would be looked for in what the undo has
    /// made.
    fn revert(&mut self, undone: Ulid, by: u32) {
        if let Some(run) = self.runs.get_mut(&undone).filter(|run| run.stage == Stage::Verifying) {
            run.stage = Stage::Reverted(by);
        }
    }

    /// Checks every run whose effect is awaited; returns those whose effect has come.
    pub fn look(&mut self, at: DateTime<Utc>, evidence: &Evidence<'_>) -> Vec<&Run> {
        let mut done = Vec::new();
        for run in self.runs.values_mut().filter(|run| run.stage == Stage::Verifying) {
            run.peak = run.peak.max(evidence.measure(&run.intent.checks).lag);
            if evidence.missing(&run.intent.checks, &run.since()).is_empty() {
                run.stage = Stage::Done(run.verdict(at, evidence, true));
                done.push(&*run);
            }
        }
        done
    }

    /// Ends the time that a run's effect had.
    pub fn due(&mut self, at: DateTime<Utc>, id: Ulid, evidence: &Evidence<'_>) -> Option<&Run> {
        let run = self.runs.get_mut(&id).filter(|run| run.stage == Stage::Verifying)?;
        run.stage = Stage::Done(run.verdict(at, evidence, false));
        Some(run)
    }

    /// Returns the run of an intent.
    pub fn get(&self, id: Ulid) -> Option<&Run> {
        self.runs.get(&id)
    }

    /// Iterates over all runs, oldest first.
    pub fn all(&self) -> impl DoubleEndedIterator<Item = &Run> {
        self.runs.values()
    }

    /// Returns the newest change that was made, can be taken back and was not yet: no undo is, and nothing
    /// that one is under way for.
    pub fn undoable(&self) -> Option<&Run> {
        let taken_back = |run: &Run| {
            self.runs.values().any(|undo| undo.intent.call.undoes == Some(run.intent.id) && !undo.undone())
        };
        let can_be = |run: &&Run| {
            run.applied.is_some() && run.intent.undo.is_some() && run.intent.call.undoes.is_none()
        };
        self.runs.values().rev().filter(can_be).find(|run| !taken_back(run))
    }

    /// Iterates over runs that are confirmed, and of which nothing was sent.
    pub fn waiting(&self) -> impl Iterator<Item = &Run> {
        self.runs.values().filter(|run| run.stage == Stage::Waiting)
    }
}

/// What a program has come to that may change something.
fn ran(output: &Output) -> Stage {
    match output.exit {
        Some(0) => Stage::Verifying,
        Some(code) => Stage::Failed(format!("exit {code}: what it changed is not known").into()),
        None => Stage::Unknown(output.cut.clone().unwrap_or_else(|| "it gave no exit code".into())),
    }
}

#[cfg(test)]
mod tests;
