//! `warroom run`: one step, from a script. The same plan, preflight, intent, request, outcome and verify as on the screen.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use serde_json::{Value, json};
use ulid::Ulid;

use super::args;
use super::status::wanted;
use super::{Exit, Room, complain, say};
use crate::clean::Clean;
use crate::event::{Outcome, Plan, Refusal, Sign, SourceId, StepCall, Typed, Verify};
use crate::journal::redact::redact_text;
use crate::runbook::Runbook;
use crate::runtime::headless::Headless;
use crate::session;
use crate::source::clock::Clock;
use crate::state::{Run, Stage};

/// Until the cluster has answered what a plan needs.
const PATIENT: Duration = Duration::from_secs(25);
/// Beyond this an answer that was lost stays unknown for the caller.
const ANSWER: Duration = Duration::from_secs(80);

pub(super) async fn run(room: &Room, wanted_run: &args::Run) -> color_eyre::Result<Exit> {
    let call = match call(wanted_run, &room.runbook()) {
        Ok(call) => call,
        Err(why) => return Ok(complain(&why)),
    };
    if room.contexts().len() > 1 && !call.inputs.contains_key(StepCall::CONTEXT) {
        let names = room.contexts().join(", ");
        return Ok(complain(&format!("several contexts are looked at ({names}): say which is meant with --context or --set context=NAME")));
    }
    let running = match session::open(wanted(room, !wanted_run.dry_run), &room.paths, room.runbook(), Clock::system()).await {
        Ok(running) => running,
        Err(error) => return Ok(complain(&error.to_string())),
    };
    let mut session = Headless::new(running);
    let (exit, told) = go(&mut session, wanted_run, call).await;
    if exit != Exit::Unknown {
        session.stop().seal()?;
    }
    if wanted_run.json {
        say(told)?;
    } else {
        tell(&told)?;
    }
    Ok(exit)
}

fn call(wanted: &args::Run, runbook: &Runbook) -> Result<StepCall, String> {
    let step = runbook.step(&wanted.step);
    let pair = |set: &String| {
        let (name, value) = set.split_once('=').ok_or_else(|| format!("--set {set}: inputs are written NAME=VALUE"))?;
        Ok((Clean::new(name), step.map_or_else(|| Typed::new(value), |step| step.typed(name, value))))
    };
    let inputs: BTreeMap<Clean, Typed> = wanted.set.iter().map(pair).collect::<Result<_, String>>()?;
    Ok(StepCall { step: wanted.step.as_str().into(), inputs })
}

async fn go(session: &mut Headless, wanted: &args::Run, call: StepCall) -> (Exit, Value) {
    let step = call.step.clone();
    let plan = match session.prepare(call, PATIENT).await {
        Ok(plan) => plan,
        Err(refusal) => return (Exit::from(&refusal), refused(&step, None, &refusal)),
    };
    if let Some(refusal) = plan.obstacle().or_else(|| forbidden(session, wanted, &plan)) {
        return (Exit::from(&refusal), refused(&step, Some(&plan), &refusal));
    }
    if wanted.dry_run {
        return (Exit::Done, planned(&plan));
    }
    if !wanted.no_wait {
        session.until(PATIENT, |session| session.heard(&needed(&plan))).await;
    }
    let intent = session.confirm(&plan);
    session.until(ANSWER, |session| session.answered(intent)).await;
    if !wanted.no_wait {
        let limit = Duration::from_secs(u64::from(plan.intent.verify_within) + 5);
        session.until(limit, |session| session.run(intent).is_none_or(Run::settled)).await;
    }
    ended(session, intent, wanted.no_wait)
}

/// What must be heard for the numbers before the change.
fn needed(plan: &Plan) -> Vec<SourceId> {
    let cluster = [SourceId::Deployments, SourceId::StatefulSets].into_iter();
    let more = plan.intent.verify.iter().filter_map(|verify| match verify {
        Verify::ErrorsBelow { .. } => Some(SourceId::Prometheus),
        Verify::LagFalling { .. } => Some(SourceId::Kafka),
        Verify::Silenced { .. } | Verify::Unsilenced { .. } => Some(SourceId::Alertmanager),
        Verify::Rollout { .. } | Verify::Ready { .. } => None,
    });
    cluster.chain(more).collect()
}

fn forbidden(session: &Headless, wanted: &args::Run, plan: &Plan) -> Option<Refusal> {
    let world = &session.state().world;
    let looked = world.session.as_ref().and_then(|session| session.looked(world.context_of(&plan.intent.target)));
    if wanted.dry_run {
        None
    } else if looked.is_some_and(|one| one.read_only) {
        Some(Refusal::Denied("read-only: nothing is changed from this session".into()))
    } else if let Some(trouble) = &world.journal_trouble {
        Some(Refusal::Failed(trouble.clone()))
    } else {
        (!wanted.yes).then(|| Refusal::Denied("not confirmed: look at it with --dry-run, then give --yes".into()))
    }
}

fn ended(session: &Headless, intent: Ulid, no_wait: bool) -> (Exit, Value) {
    let Some(run) = session.run(intent) else { return (Exit::Failed, Value::Null) };
    let (exit, outcome, reason) = match (&run.stage, &run.outcome) {
        (Stage::Done(verdict), _) if verdict.ok => (Exit::Done, "applied", None),
        (Stage::Done(verdict), _) => (Exit::Failed, "applied", Some(verdict.missing.join("; "))),
        (Stage::Verifying, _) => (if no_wait { Exit::Done } else { Exit::Failed }, "applied", None),
        (Stage::Rejected(why), _) => (Exit::Failed, "rejected", Some(why.to_string())),
        (Stage::Unknown(why), _) => (Exit::Unknown, "unknown", Some(why.to_string())),
        (Stage::Sent, _) => (Exit::Unknown, "unknown", Some("no answer yet".to_owned())),
    };
    let verify = match &run.stage {
        Stage::Done(v) => json!({"ok": v.ok, "before": v.before, "after": v.after, "seconds": v.seconds, "missing": v.missing}),
        _ => Value::Null,
    };
    let by_reading = matches!(run.outcome, Some(Outcome::Applied { by_reading: true, .. } | Outcome::Rejected { by_reading: true, .. }));
    let told = json!({
        "step": run.intent.call.step, "intent": intent, "title": run.intent.title, "outcome": outcome, "writes": run.writes(),
        "reason": reason, "by_reading": by_reading, "verify": verify, "kubectl": run.intent.kubectl, "undo": run.intent.undo,
        "output": null, "recording": session.recording(),
    });
    (exit, told)
}

fn refused(step: &Clean, plan: Option<&Plan>, refusal: &Refusal) -> Value {
    let nothing = || json!({"step": step, "intent": null, "verify": null, "output": null});
    let mut told = plan.map_or_else(nothing, planned);
    told["outcome"] = "rejected".into();
    told["reason"] = redact_text(refusal.reason()).into();
    told["writes"] = 0.into();
    told
}

/// What would be sent, and what preflight found.
fn planned(plan: &Plan) -> Value {
    let sign = |sign: Sign| match sign {
        Sign::Keep => ' ',
        Sign::Remove => '-',
        Sign::Add => '+',
    };
    let diff =
        |lines: &Vec<crate::event::DiffLine>| lines.iter().map(|line| format!("{} {}", sign(line.sign), line.text)).collect::<Vec<_>>();
    let rights = plan.rights.iter().map(|right| json!({"right": right.to_string(), "allowed": right.allowed}));
    let requests = plan.intent.writes.iter().map(|write| format!("{} {}", write.method, write.path));
    json!({
        "step": plan.intent.call.step, "intent": null, "title": plan.intent.title, "outcome": null, "writes": 0, "reason": null, "verify": null,
        "diff": plan.dry_run.as_ref().map(diff).ok(), "rights": rights.collect::<Vec<_>>(), "owners": plan.owners, "touches": plan.touches,
        "would_send": requests.collect::<Vec<_>>(), "kubectl": plan.intent.kubectl, "undo": plan.intent.undo, "output": null,
    })
}

/// The same for people.
fn tell(told: &Value) -> io::Result<()> {
    let text = |key: &str| told[key].as_str().unwrap_or_default().to_owned();
    let list = |key: &str| told[key].as_array().cloned().unwrap_or_default();
    say(if told["title"].is_string() { text("title") } else { text("step") })?;
    for (key, label) in [("diff", ""), ("owners", "owner: "), ("would_send", "would send: ")] {
        list(key).iter().try_for_each(|line| say(format_args!("  {label}{}", line.as_str().unwrap_or_default())))?;
    }
    if told["outcome"].is_string() {
        say(format_args!("{} {}", text("outcome"), text("reason")))?;
    }
    if let Some(ok) = told["verify"]["ok"].as_bool() {
        let seconds = told["verify"]["seconds"].as_f64().unwrap_or(0.0);
        say(format_args!(
            "{} in {seconds:.0} s: {} → {}",
            if ok { "verified" } else { "not verified" },
            told["verify"]["before"],
            told["verify"]["after"]
        ))?;
    }
    Ok(())
}
