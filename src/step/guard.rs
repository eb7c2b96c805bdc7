//! The only place that answers whether something may be sent now: asked for the screen, for `warroom run`,
//! for an undo and for what an earlier session left, and asked again when it leaves.

use chrono::{DateTime, Utc};

use crate::clean::Clean;
use crate::event::{
    ContextInfo, Doing, Guardrail, Intent, Mode, Naming, Op, Plan, Refusal, Rule, Save, Sealed, Typed, Write,
};
use crate::state::{Run, Stage, World};

/// Permission to send one op of an intent. Only [`authorise`] makes one.
#[derive(Clone, Debug, PartialEq)]
pub struct Authorised {
    intent: Intent,
    at: usize,
    may_exec: bool,
    /// Rules that the steps are held to that a look consists of, and the context that they are for.
    guardrails: Vec<Guardrail>,
    context: Clean,
}

impl Authorised {
    /// Returns the intent that the op is a part of.
    pub fn intent(&self) -> &Intent {
        &self.intent
    }

    /// Returns the index of the op in the intent, from 0.
    pub fn at(&self) -> usize {
        self.at
    }

    /// Checks whether a step that only looks may be done as a part of this one.
    ///
    /// # Errors
    /// Why not: what would be asked of a person, is not asked here.
    pub fn allows(&self, part: &Intent, now: DateTime<Utc>) -> Result<(), Denied> {
        if !self.may_exec && part.ops.iter().any(|op| matches!(op, Op::Exec(_) | Op::Copy(_))) {
            return Err(Denied::NoExec);
        }
        match strictest(&self.guardrails, part, &self.context, now) {
            Some(one) if one.rule == Rule::ConfirmByName => Err(Denied::Guardrail(format!(
                "a guardrail wants a name typed for it: run {} by itself ({})",
                part.call.step,
                one.scope()
            ))),
            Some(one) => Err(Denied::Guardrail(refused(one))),
            None => Ok(()),
        }
    }

    /// Returns the op that may be sent.
    pub fn op(&self) -> &Op {
        &self.intent.ops[self.at]
    }
}

/// Why something may not be sent now.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// The intent is for a cluster that is not, or no longer, part of this session.
    #[error("{0}")]
    Elsewhere(String),
    /// The context is read-only.
    #[error("read-only: nothing is changed {0}")]
    ReadOnly(String),
    /// The context is not armed.
    #[error("not armed{0}: arm first (:arm), then confirm")]
    NotArmed(String),
    /// The context was armed, and that has run out.
    #[error("arming{0} ran out: arm again (:arm), then confirm")]
    RanOut(String),
    /// The intent was stopped when a part of it had been sent.
    #[error("{0}")]
    Revoked(Clean),
    /// The journal cannot be written: what is not recorded is not done.
    #[error("the journal cannot be written, so nothing may be changed: free or repair the disk first")]
    Journal,
    /// Commands in containers are forbidden (`--no-exec`).
    #[error("no command is run in a container from this session (--no-exec)")]
    NoExec,
    /// The session is on the simulated cluster, and a program would change what is not.
    #[error("this is the simulated cluster: no program of this machine is run from here")]
    Simulated,
    /// A guardrail forbids it, or asks for a second person.
    #[error("{0}")]
    Guardrail(String),
    /// The op was sent already, or never will be.
    #[error("{0}")]
    Over(&'static str),
}

impl Denied {
    /// Returns whether arming would allow it.
    pub fn wants_arming(&self) -> bool {
        matches!(self, Self::NotArmed(_) | Self::RanOut(_))
    }

    /// Converts it to a refusal.
    pub fn refusal(&self) -> Refusal {
        let why = Clean::new(&self.to_string());
        if matches!(self, Self::Journal) { Refusal::Failed(why) } else { Refusal::Denied(why) }
    }
}

/// Checks whether a plan may be confirmed now: nothing is in its way, and it might be sent.
///
/// # Errors
/// Why not.
pub fn confirmable(world: &World, plan: &Plan, now: DateTime<Utc>) -> Result<(), Refusal> {
    if let Some(obstacle) = plan.obstacle() {
        return Err(obstacle);
    }
    authorise(world, &plan.intent, now).map(drop).map_err(|denied| denied.refusal())
}

/// Authorises the next op of an intent to be sent now.
///
/// # Errors
/// Why not.
pub fn authorise(world: &World, intent: &Intent, now: DateTime<Utc>) -> Result<Authorised, Denied> {
    let at = next(world.runs.get(intent.id))?;
    let Some(op) = intent.ops.get(at) else { return Err(Denied::Over("all of it was sent")) };
    let looked = place(world, intent)?;
    let label = world.label(looked.id).map(|label| format!(" in {label}"));
    let may_exec = world.session.as_ref().is_none_or(|session| !session.no_exec);
    match op {
        Op::Exec(_) | Op::Copy(_) if !may_exec => return Err(Denied::NoExec),
        Op::Command(_) if world.session.as_ref().is_some_and(|session| session.mode == Mode::Demo) => {
            return Err(Denied::Simulated);
        }
        Op::Write(Write { body: Sealed::Digest(_), .. }) | Op::Save(Save { body: Sealed::Digest(_), .. }) => {
            return Err(Denied::Over("what it would send is known only to the session that prepared it"));
        }
        Op::Command(program) if program.argv.iter().any(Typed::is_lost) => {
            return Err(Denied::Over("what it would run is known only to the session that prepared it"));
        }
        _ => {}
    }
    let strictest = guardrail(world, intent, looked, now).filter(|one| one.rule != Rule::ConfirmByName);
    if let Some(guardrail) = strictest {
        return Err(Denied::Guardrail(refused(guardrail)));
    }
    if !intent.only_reads() {
        if looked.read_only {
            return Err(Denied::ReadOnly(
                label.map_or_else(|| "from this session".to_owned(), |label| label.trim().to_owned()),
            ));
        }
        if world.journal_trouble.is_some() {
            return Err(Denied::Journal);
        }
        if !world.is_armed(looked.id, now) {
            let label = label.unwrap_or_default();
            let ran_out = world.was_armed(looked.id);
            return Err(if ran_out { Denied::RanOut(label) } else { Denied::NotArmed(label) });
        }
    }
    let guardrails = world.session.as_ref().map(|session| session.guardrails.clone()).unwrap_or_default();
    Ok(Authorised { intent: intent.clone(), at, may_exec, guardrails, context: looked.context.clone() })
}

/// Lays what guardrails ask of a person over a plan: that a name is typed.
pub fn guarded(world: &World, mut plan: Plan, now: DateTime<Utc>) -> Plan {
    let looked = place(world, &plan.intent).ok();
    let found = looked.and_then(|looked| guardrail(world, &plan.intent, looked, now));
    if let Some(one) = found.filter(|one| one.rule == Rule::ConfirmByName) {
        let why = format!("a guardrail asks for it: {} ({})", one.why, one.scope());
        plan.naming = Some(Naming { why: why.into(), lasting: true });
    }
    plan
}

/// The strictest guardrail that holds for an intent now, in the context that it is for.
fn guardrail<'a>(
    world: &'a World,
    intent: &Intent,
    looked: &ContextInfo,
    now: DateTime<Utc>,
) -> Option<&'a Guardrail> {
    strictest(&world.session.as_ref()?.guardrails, intent, &looked.context, now)
}

/// The strictest of these that holds for an intent in that context.
fn strictest<'a>(
    all: &'a [Guardrail],
    intent: &Intent,
    context: &str,
    now: DateTime<Utc>,
) -> Option<&'a Guardrail> {
    let reads = intent.only_reads();
    let step = intent.call.step.as_str();
    // A program of this machine may reach every namespace.
    let namespace = |op: &Op| match op {
        Op::Command(_) => None,
        op => Some(op.target().namespace.clone()),
    };
    let touched = || intent.ops.iter().map(namespace).chain([Some(intent.target.namespace.clone())]);
    let holds = |one: &&Guardrail| {
        touched()
            .any(|namespace| one.holds(&Doing { context, namespace: namespace.as_deref(), step, reads, now }))
    };
    all.iter().filter(holds).max_by_key(|one| one.rule)
}

fn refused(guardrail: &Guardrail) -> String {
    let Guardrail { why, .. } = guardrail;
    let scope = guardrail.scope();
    if guardrail.rule == Rule::TwoPeople {
        format!("a guardrail asks for a second person, whom warroom cannot ask yet: {why} ({scope})")
    } else {
        format!("a guardrail forbids it: {why} ({scope})")
    }
}

/// The op that is next: those before it are done, and it has not left yet. What is not confirmed yet begins
/// with the first.
fn next(run: Option<&Run>) -> Result<usize, Denied> {
    let Some(run) = run else { return Ok(0) };
    match run.stage {
        Stage::Waiting => Ok(0),
        Stage::Sent if run.done > run.sent.unwrap_or(0) => match &run.revoked {
            Some(why) => Err(Denied::Revoked(why.clone())),
            None => Ok(run.done as usize),
        },
        Stage::Sent => Err(Denied::Over("it was sent, and the answer is awaited")),
        Stage::Unknown(_) => Err(Denied::Over("it may have been sent: it is read, and never sent again")),
        _ => Err(Denied::Over("it is already finished")),
    }
}

/// The context that an intent is for, if what answers there is still the cluster that was meant.
fn place<'a>(world: &'a World, intent: &Intent) -> Result<&'a ContextInfo, Denied> {
    let target = &intent.target;
    let session = world.session.as_ref();
    let looked = session.and_then(|session| session.context(session.of(target)));
    let there = |one: &&ContextInfo| one.cluster == target.cluster;
    let Some(looked) = looked.filter(there) else {
        return Err(Denied::Elsewhere(format!(
            "{} is in {}, which is not part of this session",
            target.name, target.cluster
        )));
    };
    match world.identities.get(&looked.id) {
        Some(now) if !target.identity.is_empty() && *now != target.identity => Err(Denied::Elsewhere(
            format!("another cluster answers at {} than the one where {} is", target.cluster, target.name),
        )),
        _ => Ok(looked),
    }
}

#[cfg(test)]
mod tests;
