//! `warroom run`: one step, from a script. The same plan, preflight, intent, request, outcome and verify as
//! on the screen.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use tokio::signal::unix::{SignalKind, signal};
use ulid::Ulid;

use super::args;
use super::session::wanted;
use super::{CommandContext, Exit, complain, say};
use crate::clean::Clean;
use crate::clean::redact::redact_text;
use crate::event::{
    Allowed, Command, DiffLine, DryRun, Event, Fact, Measure, Op, Operator, Outcome, Output, Plan, Refusal,
    Sign, SourceId, StepCall, Table, Typed, Weight,
};
use crate::keymap::Action;
use crate::net::clock::Clock;
use crate::runbook::Runbook;
use crate::runtime::headless::Headless;
use crate::session;
use crate::state::changes;
use crate::state::{Run, Stage};
use crate::step::{check, guard};
use crate::units;
use crate::view::{width, widths};

/// Until the cluster has answered what a plan needs.
const PATIENT: Duration = Duration::from_secs(25);
/// Beyond this an answer that was lost stays unknown for the caller.
const ANSWER: Duration = Duration::from_secs(80);

pub(super) async fn run(context: &CommandContext, wanted_run: &args::Run) -> color_eyre::Result<Exit> {
    let call = match call(wanted_run, &context.runbook()) {
        Ok(call) => call,
        Err(why) => return Ok(complain(&why.to_string())),
    };
    if context.contexts().len() > 1 && !call.inputs.contains_key(StepCall::CONTEXT) {
        let names = context.contexts().join(", ");
        return Ok(complain(&format!(
            "several contexts are in use ({names}): say which is meant with --context or --set context=NAME"
        )));
    }
    let running = match session::open(
        wanted(context, !wanted_run.dry_run),
        &context.paths,
        context.runbook(),
        Clock::system(),
    )
    .await
    {
        Ok(running) => running,
        Err(error) => return Ok(complain(&error.to_string())),
    };
    let mut session = Headless::new(running);
    let (exit, told) = go(&mut session, wanted_run, call).await;
    if exit != Exit::Unknown || session.settled() {
        session.stop().seal()?;
    }
    if wanted_run.json {
        say(told)?;
    } else {
        tell(&told)?;
    }
    Ok(exit)
}

/// An input that is not written as one.
#[derive(Debug, thiserror::Error)]
#[error("--set {0}: inputs are written NAME=VALUE")]
struct NotAnInput(String);

fn call(wanted: &args::Run, runbook: &Runbook) -> Result<StepCall, NotAnInput> {
    let step = runbook.step(&wanted.step);
    let pair = |set: &String| {
        let (name, value) = set.split_once('=').ok_or_else(|| NotAnInput(set.clone()))?;
        Ok((Clean::new(name), step.map_or_else(|| Typed::new(value), |step| step.typed(name, value))))
    };
    let inputs: BTreeMap<Clean, Typed> = wanted.set.iter().map(pair).collect::<Result<_, NotAnInput>>()?;
    Ok(StepCall::new(wanted.step.as_str(), inputs))
}

async fn go(session: &mut Headless, wanted: &args::Run, call: StepCall) -> (Exit, Value) {
    let step = call.step.clone();
    let plan = match session.prepare(call, PATIENT).await {
        Ok(plan) => plan,
        Err(refusal) => return (Exit::from(&refusal), refused(&step, None, &refusal)),
    };
    if wanted.dry_run {
        let obstacle = plan.obstacle();
        return obstacle.map_or_else(
            || (Exit::Done, planned(&plan)),
            |refusal| (Exit::from(&refusal), refused(&step, Some(&plan), &refusal)),
        );
    }
    if let Some(refusal) = forbidden(session, wanted, &plan) {
        return (Exit::from(&refusal), refused(&step, Some(&plan), &refusal));
    }
    if !wanted.no_wait {
        session.until(PATIENT, |session| session.heard(&needed(&plan))).await;
    }
    let intent = session.confirm(&plan);
    answer(session, &plan, intent).await;
    if session.run(intent).is_some_and(|run| run.stage == Stage::Waiting) {
        // the disk takes nothing: so nothing leaves
        session.take(Event::Operator(Operator::Did(Action::StopAll)));
    }
    if !wanted.no_wait {
        let limit = Duration::from_secs(u64::from(plan.intent.verify_within) + 5);
        session.until(limit, |session| session.run(intent).is_none_or(Run::settled)).await;
    }
    ended(session, intent, wanted.no_wait)
}

/// Waits for the answer. A program does not hear the terminal's keys: what would end warroom stops it first.
async fn answer(session: &mut Headless, plan: &Plan, intent: Ulid) {
    let answered = |session: &Headless| session.answered(intent);
    let limit = ANSWER + lasts(plan);
    if !plan.intent.ops.iter().any(|op| matches!(op, Op::Command(_))) {
        session.until(limit, answered).await;
        return;
    }
    tokio::select! {
        _ = session.until(limit, answered) => return,
        Ok(()) = interrupted() => {}
    }
    session.take(Event::Operator(Operator::Did(Action::StopAll)));
    session.until(ANSWER, answered).await;
}

/// Comes with the first signal that would end warroom.
async fn interrupted() -> io::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        _ = hangup.recv() => {}
    }
    Ok(())
}

/// Time that what it runs may take, here or in containers: for what writes a file, and for the copy of it.
fn lasts(plan: &Plan) -> Duration {
    let seconds = |op: &Op| match op {
        Op::Exec(exec) => u64::from(exec.seconds),
        Op::Command(program) => u64::from(program.seconds),
        Op::Copy(copy) => 2 * u64::from(copy.seconds),
        Op::Write(_) | Op::Save(_) | Op::Look(_) | Op::Browse(_) => 0,
    };
    Duration::from_secs(plan.intent.ops.iter().map(seconds).sum())
}

/// What must be heard for the numbers before the change.
pub(super) fn needed(plan: &Plan) -> Vec<SourceId> {
    plan.intent
        .checks
        .iter()
        .filter_map(|held| check::named(&held.kind))
        .flat_map(check::CheckKind::needs)
        .copied()
        .collect()
}

/// Why it is not sent from here: what the guard says of it, apart from arming, which `--yes` does; and what
/// was not confirmed.
fn forbidden(session: &Headless, wanted: &args::Run, plan: &Plan) -> Option<Refusal> {
    let now = session.state().now;
    if let Some(obstacle) = plan.obstacle() {
        return Some(obstacle);
    }
    match guard::authorise(&session.state().world, &plan.intent, now) {
        Err(denied) if !denied.wants_arming() => return Some(denied.refusal()),
        _ => {}
    }
    if !wanted.yes && !plan.intent.only_reads() {
        return Some(Refusal::Denied("not confirmed: look at it with --dry-run, then give --yes".into()));
    }
    unnamed(wanted, plan)
}

/// What nothing brings back is confirmed by its name.
fn unnamed(wanted: &args::Run, plan: &Plan) -> Option<Refusal> {
    let name = &plan.intent.target.name;
    let lasting = plan.naming.as_ref().filter(|naming| naming.lasting);
    match (&wanted.confirm, lasting) {
        (Some(given), _) if **given == **name => None,
        (Some(given), _) => {
            Some(Refusal::Denied(format!("--confirm {given} is not {name}: nothing was done").into()))
        }
        (None, Some(naming)) => {
            Some(Refusal::Denied(format!("{}: give --confirm {name} as well", naming.why).into()))
        }
        (None, None) => None,
    }
}

fn ended(session: &Headless, intent: Ulid, no_wait: bool) -> (Exit, Value) {
    let Some(run) = session.run(intent) else { return (Exit::Failed, Value::Null) };
    let (exit, outcome, reason) = match &run.stage {
        Stage::Done(verdict) if verdict.ok => (Exit::Done, "applied", None),
        Stage::Done(verdict) => (Exit::Failed, "applied", Some(verdict.missing.join("; "))),
        Stage::Reverted(by) => (
            Exit::Failed,
            "applied",
            Some(format!("undone by {} before its effect was seen", units::circled(*by))),
        ),
        Stage::Verifying => (if no_wait { Exit::Done } else { Exit::Failed }, "applied", None),
        Stage::Read(output) => (
            if output.succeeded() { Exit::Done } else { Exit::Failed },
            "read",
            output.cut.as_ref().map(Clean::to_string),
        ),
        Stage::Partial(why) | Stage::Failed(why) => (Exit::Failed, "partial", Some(why.to_string())),
        Stage::Rejected(why) => (Exit::Failed, "rejected", Some(why.to_string())),
        Stage::NotSent(why) => (Exit::Refused, "not_sent", Some(why.to_string())),
        Stage::Unknown(why) => (Exit::Unknown, "unknown", Some(why.to_string())),
        Stage::Waiting | Stage::Sent => (Exit::Unknown, "unknown", Some("no answer yet".to_owned())),
    };
    let output = run.output();
    let verify = match &run.stage {
        Stage::Done(v) if output.is_none() && !run.intent.checks.is_empty() => {
            json!({"ok": v.ok, "before": v.before, "after": v.after, "seconds": v.seconds, "missing": v.missing})
        }
        _ => Value::Null,
    };
    let by_reading = matches!(
        run.outcome,
        Some(Outcome::Applied { by_reading: true, .. } | Outcome::Rejected { by_reading: true, .. })
    );
    let told = json!({
        "step": run.intent.call.step, "intent": intent, "title": run.intent.title, "outcome": outcome, "writes": run.writes(),
        "reason": reason, "by_reading": by_reading, "verify": verify, "kubectl": run.intent.command.to_copy(),
        "hidden": hidden(&run.intent.command), "undo": run.intent.undo, "output": output, "recording": session.recording(),
    });
    (exit, told)
}

fn refused(step: &Clean, plan: Option<&Plan>, refusal: &Refusal) -> Value {
    let nothing = || json!({"step": step, "intent": null, "verify": null, "output": null});
    let mut told = plan.map_or_else(nothing, planned);
    told["outcome"] = "not_sent".into();
    told["reason"] = redact_text(refusal.reason()).into();
    told["writes"] = 0.into();
    told
}

/// What would be sent, and what preflight found.
fn planned(plan: &Plan) -> Value {
    let intent = &plan.intent;
    let sign = |sign: Sign| match sign {
        Sign::Keep => ' ',
        Sign::Remove => '-',
        Sign::Add => '+',
        Sign::Hide => '±',
    };
    let diff = |line: &DiffLine| format!("{} {}", sign(line.sign), line.text);
    let owners = plan
        .facts
        .iter()
        .filter(|fact| fact.weight != Weight::Plain && matches!(fact.label.as_str(), "owner" | "autoscaler"));
    let owners = owners.map(|fact| format!("{}: {}", fact.label, fact.words));
    json!({
        "step": intent.call.step, "intent": null, "title": intent.title, "outcome": null, "writes": 0, "reason": null, "verify": null,
        "target": intent.target, "danger": intent.danger, "diff": plan.diff.iter().map(diff).collect::<Vec<_>>(), "dry_run": dry_run(&plan.dry_run),
        "rights": rights(plan), "owners": owners.collect::<Vec<_>>(), "facts": plan.facts.iter().map(fact).collect::<Vec<_>>(),
        "touches": plan.touches, "confirm": plan.naming.as_ref().map(|naming| json!({"why": naming.why, "flag": naming.lasting})),
        "would_send": intent.ops.iter().map(ToString::to_string).collect::<Vec<_>>(), "kubectl": intent.command.to_copy(),
        "hidden": hidden(&intent.command), "undo": intent.undo, "output": null,
    })
}

/// What keeps a command from being given: nothing where it is given whole.
fn hidden(command: &Command) -> &[Clean] {
    if command.to_copy().is_some() { &[] } else { &command.hides }
}

fn rights(plan: &Plan) -> Vec<Value> {
    let one = |right: &crate::event::Right| {
        let (allowed, why) = match &right.allowed {
            Allowed::Yes => (Some(true), None),
            Allowed::No(why) => (Some(false), Some(why).filter(|why| !why.is_empty())),
            Allowed::Unknown(why) => (None, Some(why)),
        };
        json!({"right": right.to_string(), "allowed": allowed, "why": why})
    };
    plan.rights.iter().map(one).collect()
}

fn dry_run(verdict: &DryRun) -> Value {
    match verdict {
        DryRun::Accepted => json!({"is": "accepted", "why": null}),
        DryRun::Refused(why) => json!({"is": "refused", "why": why}),
        DryRun::Unknown(why) => json!({"is": "unknown", "why": why}),
        DryRun::None(why) => json!({"is": "none", "why": why}),
    }
}

fn fact(fact: &Fact) -> Value {
    let weight = match fact.weight {
        Weight::Plain => "plain",
        Weight::Warn => "warn",
        Weight::Unknown => "unknown",
    };
    json!({"about": fact.label, "weight": weight, "words": fact.words})
}

/// What preflight found, for people: who is touched, what will fight it, what is not allowed or not known,
/// what takes it back.
fn found(told: &Value) -> Vec<String> {
    if !told["facts"].is_array() {
        return Vec::new();
    }
    let text = |of: &Value, key: &str| of[key].as_str().unwrap_or_default().to_owned();
    let list = |key: &str| told[key].as_array().into_iter().flatten();
    let mark = |fact: &Value| match fact["weight"].as_str() {
        Some("warn") => "▲ ",
        Some("unknown") => "? ",
        _ => "",
    };
    let facts =
        list("facts").map(|fact| format!("{}{}: {}", mark(fact), text(fact, "about"), text(fact, "words")));
    let refused = list("rights").filter(|right| right["allowed"] != true);
    let rights = refused.map(|right| {
        let sign = if right["allowed"].is_null() { "? permission unknown" } else { "✖ not permitted" };
        format!("{sign}: {} {}", text(right, "right"), text(right, "why")).trim_end().to_owned()
    });
    let tried = Some(&told["dry_run"]).filter(|tried| tried["is"] != "accepted");
    let tried = tried.map(|tried| format!("dry run {}: {}", text(tried, "is"), text(tried, "why")));
    let touches = Some(text(told, "touches"))
        .filter(|words| !words.is_empty())
        .map(|words| format!("touches: {words}"));
    let last = told["danger"] != "read" && told["undo"].is_null();
    let undo = last.then(|| "✖ undo: none, this cannot be undone".to_owned());
    let confirm = told["confirm"]["why"].as_str().map(|why| {
        let flag =
            if told["confirm"]["flag"] == true { ": --confirm NAME is needed besides --yes" } else { "" };
        format!("▲ {why}{flag}")
    });
    touches.into_iter().chain(facts).chain(rights).chain(tried).chain(undo).chain(confirm).collect()
}

/// What was found, and below it what each of several steps has found.
fn printed(output: &Output) -> Vec<String> {
    let mut all: Vec<String> = output.lines.iter().map(ToString::to_string).collect();
    match &output.table {
        Some(table) => all.extend(rows(table).into_iter().chain(output.text.iter().map(ToString::to_string))),
        None => {
            all.push(output.exit.map_or_else(|| "no exit code".to_owned(), |code| format!("exit {code}")));
        }
    }
    all.extend(output.wrong.iter().filter(|_| output.findings.is_empty()).map(|why| format!("✖ {why}")));
    for finding in &output.findings {
        all.push(format!("\n== {}", finding.title));
        match &finding.found {
            Ok(output) => {
                all.extend(printed(output));
                all.extend(output.cut.iter().map(|why| format!("▲ not all: {why}")));
            }
            Err(why) => all.push(format!("? {why}")),
        }
    }
    all
}

/// A table in columns, its head first; nothing where it has no rows.
fn rows(table: &Table) -> Vec<String> {
    let columns = widths(&table.columns, &table.rows, usize::MAX);
    let line = |cells: &Vec<Clean>| {
        let padded = cells.iter().zip(&columns).map(|(cell, room)| {
            let blanks = room.saturating_sub(width(cell));
            format!("{cell}{}", " ".repeat(blanks))
        });
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let head = (!table.rows.is_empty()).then_some(&table.columns);
    head.into_iter().chain(&table.rows).map(line).collect()
}

/// The same for people.
fn tell(told: &Value) -> io::Result<()> {
    let text = |key: &str| told[key].as_str().unwrap_or_default().to_owned();
    let list = |key: &str| told[key].as_array().cloned().unwrap_or_default();
    say(if told["title"].is_string() { text("title") } else { text("step") })?;
    for (key, label) in [("diff", ""), ("would_send", "would send: ")] {
        list(key)
            .iter()
            .try_for_each(|line| say(format_args!("  {label}{}", line.as_str().unwrap_or_default())))?;
    }
    found(told).iter().try_for_each(|line| say(format_args!("  {line}")))?;
    if told["outcome"].is_string() {
        say(format_args!("{} {}", text("outcome").replace('_', " "), text("reason")))?;
    }
    if let Ok(output) = Output::deserialize(&told["output"]) {
        printed(&output).iter().try_for_each(say)?;
    }
    if let Some(ok) = told["verify"]["ok"].as_bool() {
        let seconds = told["verify"]["seconds"].as_f64().unwrap_or(0.0);
        let measure = |at: &str| Measure::deserialize(&told["verify"][at]).unwrap_or_default();
        let numbers = changes(&measure("before"), &measure("after"));
        say(format_args!("{} in {seconds:.0} s: {numbers}", if ok { "verified" } else { "not verified" }))?;
    }
    Ok(())
}
