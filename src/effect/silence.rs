//! Preparing a silence and its end: what Alertmanager has is read, nothing is sent. The request goes the way of every other: confirmed,
//! on disk, sent once; a silence whose answer was lost is found by whose it is and by the tag in its comment.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use ulid::Ulid;

use super::plan::needed;
use super::plan::silence::{self, Draft};
use super::preflight::{Room, kept};
use super::send::{Answer, Caller};
use crate::clean::Clean;
use crate::event::{
    DiffLine, Expectation, Intent, Matcher, Plan, Refusal, Sealed, Server, Sign, Silence, StepCall, Target, Verify, Write, digest,
};
use crate::journal::redact::redact_text;
use crate::runbook::{Danger, Step, StepKind};
use crate::source::alertmanager;
use crate::state::Alerts;

const ALERTS: &str = "/api/v2/alerts";
const SILENCES: &str = "/api/v2/silences";

/// What the two steps differ in.
struct Change {
    title: String,
    name: Clean,
    uid: Clean,
    write: Write,
    values: BTreeMap<Clean, Clean>,
    before: BTreeMap<Clean, Clean>,
    verify: Verify,
    undo: Option<BTreeMap<Clean, Clean>>,
    command: String,
    lines: Vec<DiffLine>,
    touches: String,
}

/// Reads alerts and silences and works out the one request.
pub(super) async fn prepare(room: &Room, step: &Step, inputs: &BTreeMap<Clean, Clean>, id: Ulid) -> Result<Plan, Refusal> {
    let caller = &room.caller;
    let alerts = read(caller).await?;
    let change = match step.kind {
        StepKind::Unsilence => end(inputs, &alerts)?,
        _ => begin(room, inputs, &alerts, id)?,
    };
    let (cluster, nothing) = (room.at.address.clone(), Clean::default());
    let target =
        Target { cluster, context: nothing.clone(), kind: "silence".into(), namespace: nothing, name: change.name, uid: change.uid };
    let address = if let Server::Alertmanager(address) = &caller.server { address.as_str() } else { "" };
    let undo = change.undo.filter(|_| step.danger != Danger::Destructive);
    let intent = Intent {
        id,
        call: kept(step, inputs),
        title: redact_text(&change.title).into_owned().into(),
        target,
        server: caller.server.clone(),
        expect: Expectation {
            path: SILENCES.into(),
            values: change.values,
            before: change.before,
            managed_before: None,
            generation_before: 0,
        },
        verify: if step.verify.is_empty() { Vec::new() } else { vec![change.verify] },
        verify_within: step.verify_within,
        undo: undo.map(|inputs| StepCall { step: "unsilence".into(), inputs: inputs.into_iter().map(|(k, v)| (k, v.into())).collect() }),
        kubectl: redact_text(&format!("amtool --alertmanager.url={address} silence {}", change.command)).into_owned().into(),
        actor: room.actor.clone(),
        writes: vec![change.write],
    };
    let destructive = (step.danger == Danger::Destructive).then(|| "it cannot be taken back".into());
    let (dry_run, touches) = (Ok(change.lines), change.touches.into());
    Ok(Plan { intent, dry_run, tried: false, rights: Vec::new(), owners: Vec::new(), touches, type_name: destructive })
}

async fn read(caller: &Caller) -> Result<Alerts, Refusal> {
    let mut alerts = Alerts::default();
    alerts.fold(&alertmanager::alerts(list(caller, ALERTS).await?));
    alerts.silence(&alertmanager::silences(list(caller, SILENCES).await?));
    Ok(alerts)
}

async fn list<T: serde::de::DeserializeOwned>(caller: &Caller, path: &str) -> Result<T, Refusal> {
    match caller.get(path).await {
        Answer::Done(value) => {
            serde_json::from_value(value).map_err(|error| Refusal::Failed(format!("Alertmanager's answer cannot be read: {error}").into()))
        }
        Answer::Refused(401 | 403, why) => {
            Err(Refusal::Denied(format!("Alertmanager wants credentials: {why}; see `warroom init`").into()))
        }
        Answer::Refused(_, why) | Answer::NotSent(why) | Answer::Lost(why) => {
            Err(Refusal::Failed(format!("Alertmanager cannot be read: {why}").into()))
        }
    }
}

fn begin(room: &Room, inputs: &BTreeMap<Clean, Clean>, alerts: &Alerts, id: Ulid) -> Result<Change, Refusal> {
    let tag = id.to_string();
    let draft = silence::draft(inputs, alerts, room.now, &tag)?;
    let body = silence::body(&draft, room.now, &room.actor);
    let value = |at: &str| (Clean::new(at), digest(body.pointer(at).unwrap_or(&Value::Null)));
    Ok(Change {
        title: draft.title.clone(),
        name: draft.labels.get("alertname").cloned().unwrap_or_else(|| needed(inputs, "alert").cloned().unwrap_or_default()),
        uid: tag.clone().into(),
        values: BTreeMap::from([value("/comment"), value("/createdBy")]),
        before: BTreeMap::new(),
        verify: Verify::Silenced {
            tag: format!("[warroom {tag}]").into(),
            alerts: draft.quieted.0.iter().map(|alert| alert.fingerprint.clone()).collect(),
        },
        undo: Some(BTreeMap::from([("silence".into(), tag.clone().into())])),
        command: command(&draft, room),
        lines: lines(&matchers(&draft), draft.ends, &room.actor, &draft.comment, Sign::Add),
        touches: touches(&draft),
        write: Write { method: "POST".into(), path: SILENCES.into(), content_type: "application/json".into(), body: Sealed::Open(body) },
    })
}

fn matchers(draft: &Draft) -> Vec<Matcher> {
    let matcher = |(name, value): (&Clean, &Clean)| Matcher { name: name.clone(), value: value.clone(), regex: false, equal: true };
    draft.labels.iter().map(matcher).collect()
}

/// What the silence says, line by line.
fn lines(matchers: &[Matcher], ends: chrono::DateTime<chrono::Utc>, by: &str, comment: &str, sign: Sign) -> Vec<DiffLine> {
    let line = |text: String| DiffLine { sign, text: redact_text(&text).into_owned().into() };
    let matchers = matchers.iter().map(|matcher| line(matcher.to_string()));
    matchers
        .chain([line(format!("until  {}  by {by}", ends.format("%Y-%m-%d %H:%M:%S UTC"))), line(format!("because  {comment}"))])
        .collect()
}

/// `2 of 3 alerts that fire now: app, ocr-service`
fn touches(draft: &Draft) -> String {
    let (quieted, firing) = &draft.quieted;
    let about: Vec<&str> = quieted.iter().take(5).map(|alert| alert.about().unwrap_or(&alert.name).as_str()).collect();
    let names = if about.is_empty() { String::new() } else { format!(": {}", about.join(", ")) };
    let more = if quieted.len() > about.len() { format!(" and {} more", quieted.len() - about.len()) } else { String::new() };
    format!("{} of {firing} alerts that fire now{names}{more}; and every later one with these labels", quieted.len())
}

fn command(draft: &Draft, room: &Room) -> String {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', r"'\''"));
    let matchers: Vec<String> = draft.labels.iter().map(|(name, value)| quoted(&format!("{name}={value}"))).collect();
    let (author, end) = (quoted(&room.actor), silence::rfc3339(draft.ends));
    format!("add --author={author} --end={end} --comment={} {}", quoted(&draft.comment), matchers.join(" "))
}

fn end(inputs: &BTreeMap<Clean, Clean>, alerts: &Alerts) -> Result<Change, Refusal> {
    let found: &Silence = silence::ending(inputs, alerts)?;
    let id = &found.id;
    if !id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
        return Err(Refusal::Failed(format!("\"{id}\" is no silence's id: end it at Alertmanager itself").into()));
    }
    let state = |word: &str| BTreeMap::from([("/id".into(), digest(&json!(id))), ("/status/state".into(), digest(&json!(word)))]);
    let name = found.matchers.iter().find(|matcher| matcher.name == "alertname").map_or_else(|| id.clone(), |m| m.value.clone());
    let kept = alerts.rows().iter().filter(|alert| alert.silenced_by.contains(id)).count();
    Ok(Change {
        title: format!("end the silence of {name}"),
        name,
        uid: id.clone(),
        values: state("expired"),
        before: state(if found.active { "active" } else { "pending" }),
        verify: Verify::Unsilenced { id: id.clone() },
        undo: None,
        command: format!("expire {id}"),
        lines: lines(&found.matchers, found.ends, &found.by, &found.comment, Sign::Remove),
        touches: format!("{kept} alerts that it keeps quiet now"),
        write: Write {
            method: "DELETE".into(),
            path: format!("/api/v2/silence/{id}").into(),
            content_type: "application/json".into(),
            body: Sealed::Open(Value::Null),
        },
    })
}
