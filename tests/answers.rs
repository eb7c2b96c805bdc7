//! Every answer that a server, or something in front of it, may give to a change: what is told of the change
//! in the end is true, it is `unknown` for as long as nothing can be read, and the change was sent once
//! (invariant 5).
//!
//! Two kinds of lie are not in the list, because nobody could see through them: a success that carries
//! exactly what was asked for and was not made, and a refusal in the server's own form of a change that was
//! made.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use std::time::Duration;

use axum::http::Method;
use serde_json::{Value, json};
use warroom::config::Endpoint;
use warroom::event::{Outcome, Plan, Sealed, StepCall, Write};
use warroom::runtime::headless::Headless;
use warroom::session::SessionConfig;
use warroom::sim::fault::{Fault, When};
use warroom::sim::scenario::Scenario;
use warroom::state::Stage;

use support::{Room, prepare};

/// How long a request whose answer was lost may still arrive: here every request arrives before it is
/// answered.
const PATIENCE: Duration = Duration::from_secs(1);
const DEPLOYMENT: &str = "worker-service";
const JSON: &str = "application/json";
const HTML: &str = "text/html";
const TEXT: &str = "text/plain";
const PAGE: &str = "<html><body><h1>not here</h1></body></html>";

/// What is told of a change as soon as its answer is in.
#[derive(Clone, Debug, PartialEq)]
enum Told {
    /// The answer is believed: it was made.
    Applied,
    /// The answer is believed: it was not made, told in these words.
    Rejected(String),
    /// The answer does not say. The truth is read.
    Unknown,
}

/// An answer in place of the server's.
#[derive(Clone, Debug)]
struct Answer {
    status: u16,
    media: &'static str,
    body: String,
    /// Whether the request was processed.
    applied: bool,
    told: Told,
}

/// One that carries what was asked for.
fn success(status: u16, media: &'static str, body: &Value) -> Answer {
    Answer { status, media, body: body.to_string(), applied: true, told: Told::Applied }
}

/// One that does not say what became of the change, which may be either.
fn silent(status: u16, media: &'static str, body: &(impl ToString + ?Sized)) -> [Answer; 2] {
    [true, false].map(|applied| Answer {
        status,
        media,
        body: body.to_string(),
        applied,
        told: Told::Unknown,
    })
}

/// A refusal of the API server in its own form, and the words that are told of it.
fn refusal(status: &Value, words: impl Into<String>) -> Answer {
    let code = status["code"].as_u64().unwrap().try_into().unwrap();
    Answer {
        status: code,
        media: JSON,
        body: status.to_string(),
        applied: false,
        told: Told::Rejected(words.into()),
    }
}

/// A `Status` as the API server gives it.
fn status(code: u16, reason: &str, message: &str) -> Value {
    json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message, "reason": reason, "code": code,
    })
}

/// `value` with something else at this pointer.
fn with(value: &Value, pointer: &str, other: impl Into<Value>) -> Value {
    let mut value = value.clone();
    *value.pointer_mut(pointer).unwrap() = other.into();
    value
}

/// Successes, of which `right` alone is the answer to what was asked; `old` is the object as it was.
fn successes(right: &Value, old: &Value) -> Vec<Answer> {
    let whole = right.to_string();
    let done =
        json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 200});
    let believed = [success(200, JSON, right), success(201, JSON, right), success(200, TEXT, right)];
    let others = [
        silent(200, JSON, &with(right, "/metadata/uid", "00000000-0000-4000-8000-000000000000")),
        silent(200, JSON, &with(right, "/metadata/name", "ai-service")),
        silent(200, JSON, &with(right, "/metadata/namespace", "monitoring")),
        silent(200, JSON, &with(right, "/kind", "ReplicaSet")),
        silent(200, JSON, old),
        silent(200, JSON, &json!([right])),
        silent(200, JSON, &whole[..whole.len() / 2]),
        silent(200, JSON, &status(409, "Conflict", "a failure with a success's code")),
        silent(200, JSON, &done),
        silent(202, JSON, &done),
        silent(200, JSON, "null"),
        silent(200, JSON, "{}"),
        silent(200, HTML, PAGE),
        silent(200, JSON, ""),
        silent(204, TEXT, ""),
    ];
    believed.into_iter().chain(others.into_iter().flatten()).collect()
}

/// Refusals in the API server's own form: each is told by its own reason.
fn refusals() -> Vec<Answer> {
    let moved = "Operation cannot be fulfilled: modified";
    let patch = "the server rejected our request due to an error in our request";
    let mut limit = status(422, "Invalid", "spec.replicas: must be less than 5");
    limit["details"] = json!({"causes": [{"reason": "FieldValueInvalid", "field": "spec.replicas", "message": "must be less than 5"}]});
    let webhook = "admission webhook \"policy.corp\" denied the request: no changes on Fridays";
    let confirmed = format!("{DEPLOYMENT} is not any more what was confirmed");
    vec![
        refusal(&status(400, "BadRequest", "the body is no patch"), "the body is no patch"),
        refusal(&status(401, "Unauthorized", "Unauthorized"), "Unauthorized"),
        refusal(&status(403, "Forbidden", "no such right"), "you may not: no such right"),
        refusal(&status(404, "NotFound", "not found"), format!("{DEPLOYMENT} is gone: look again")),
        refusal(&status(405, "MethodNotAllowed", "no such method"), "no such method"),
        refusal(
            &status(409, "Conflict", moved),
            format!("{confirmed}: look again and confirm anew ({moved})"),
        ),
        refusal(&status(409, "AlreadyExists", "exists"), "it is there already: exists"),
        refusal(&status(413, "RequestEntityTooLarge", "limit is 3145728"), "limit is 3145728"),
        refusal(&status(415, "UnsupportedMediaType", "no such media type"), "no such media type"),
        refusal(
            &status(422, "Invalid", patch),
            format!("{confirmed} (changed or recreated): look again and confirm anew"),
        ),
        refusal(&limit, "the server does not take it: spec.replicas: must be less than 5"),
        refusal(&status(422, "Invalid", webhook), format!("the server does not take it: {webhook}")),
        refusal(
            &status(429, "TooManyRequests", "slow down"),
            "the server is overloaded and did nothing: try again (slow down)",
        ),
    ]
}

/// What proxies answer, and servers in trouble: none of it says what became of the change.
fn in_between() -> Vec<Answer> {
    let pages = [301, 302, 303, 307, 308, 400, 401, 403, 404, 407, 409, 413, 422, 500, 502, 504]
        .map(|code| silent(code, HTML, PAGE));
    let texts = [404, 408, 429, 503].map(|code| silent(code, TEXT, "upstream request timeout"));
    let bare = [304, 409, 422, 499, 520].map(|code| silent(code, TEXT, ""));
    let gateway = [401, 403, 429].map(|code| silent(code, JSON, &json!({"message": "the gateway says no"})));
    let troubled = [(500, "InternalError"), (503, "ServiceUnavailable"), (504, "Timeout"), (408, "Timeout")];
    let troubled = troubled
        .map(|(code, reason)| silent(code, JSON, &status(code, reason, "etcdserver: request timed out")));
    let mixed = [(404, 403), (400, 500), (307, 307)]
        .map(|(code, says)| silent(code, JSON, &status(says, "Odd", "two codes, or an odd one")));
    pages.into_iter().chain(texts).chain(bare).chain(gateway).chain(troubled).chain(mixed).flatten().collect()
}

/// What Alertmanager may seem to answer. It is asked for its silences before any success is believed.
fn of_alertmanager() -> Vec<Answer> {
    let made = json!({"silenceID": "0e3c5a3b-0000-4000-8000-000000000000"});
    let refused = |code: u16, body: Value, words: &str| Answer {
        status: code,
        media: JSON,
        body: body.to_string(),
        applied: false,
        told: Told::Rejected(words.to_owned()),
    };
    let lie = Answer { applied: false, told: Told::Unknown, ..success(200, JSON, &made) };
    let own = vec![
        success(200, JSON, &made),
        lie,
        refused(400, json!("start time must be before end time"), "start time must be before end time"),
        refused(
            400,
            json!({"code": 602, "message": "parsing silence body failed"}),
            "parsing silence body failed",
        ),
        refused(
            405,
            json!({"code": 405, "message": "method POST is not allowed"}),
            "method POST is not allowed",
        ),
    ];
    let successes = ["", "null", "{}", "{\"silenceID\": \"\"}", "{\"silenceID\":", "[]", "\"ok\"", PAGE]
        .map(|body| silent(200, JSON, body));
    let pages =
        [302, 307, 400, 401, 403, 404, 407, 413, 429, 500, 502, 504].map(|code| silent(code, HTML, PAGE));
    let gateway = [401, 403, 429].map(|code| silent(code, JSON, &json!({"message": "the gateway says no"})));
    let others = [
        silent(499, TEXT, ""),
        silent(503, TEXT, "upstream connect error"),
        silent(500, JSON, &json!("open silences.snapshot: no space left on device")),
        silent(200, JSON, &status(403, "Forbidden", "a failure with a success's code")),
    ];
    own.into_iter().chain(successes.into_iter().chain(pages).chain(gateway).chain(others).flatten()).collect()
}

/// What the server would answer to a write: its dry run says.
async fn right_answer(room: &Room, client: &reqwest::Client, write: &Write) -> Value {
    let Sealed::Open(body) = &write.body else { panic!("the body is sealed") };
    let url = format!("{}{}?dryRun=All&fieldManager=warroom", room.sim.kubernetes_url(), write.path);
    let request =
        client.patch(url).header("content-type", write.content_type.as_str()).body(body.to_string());
    serde_json::from_str(&request.send().await.unwrap().text().await.unwrap()).unwrap()
}

/// All answers to a write to the cluster.
async fn to_the_cluster(room: &Room, client: &reqwest::Client, write: &Write) -> Vec<Answer> {
    let right = right_answer(room, client, write).await;
    let object = room.sim.object(&write.expect.path).unwrap();
    let old = write
        .expect
        .values
        .keys()
        .fold(right.clone(), |old, at| with(&old, at, object.pointer(at).unwrap().clone()));
    successes(&right, &old).into_iter().chain(refusals()).chain(in_between()).collect()
}

async fn room(scenario: Scenario) -> Room {
    let changed = |wanted| SessionConfig { prometheus: Endpoint::default(), patience: PATIENCE, ..wanted };
    Room::without(1, scenario, &["prometheus-operated"], changed).await
}

fn call(step: &str, inputs: &[(&str, &str)]) -> StepCall {
    StepCall::new(step, inputs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect())
}

async fn planned(room: &mut Room, call: StepCall) -> Plan {
    room.turn(Duration::from_millis(500)).await; // what was made before is taken up by its controllers
    prepare(&mut room.session, call).await.unwrap()
}

/// Confirms a plan whose write is answered so, and holds what is told of it against what the server did.
async fn lived_through(room: &mut Room, plan: &Plan, answer: &Answer) {
    let id = plan.intent.id;
    let write = plan.intent.writes().next().unwrap();
    let from = room.writes().len();
    let Answer { status, media, body, applied, told } = answer.clone();
    support::meets(
        &room.sim,
        write,
        Fault::Reply { status, content_type: media, body: body.leak(), applied },
    );
    if told == Told::Unknown {
        let down = Fault::Status { code: 503, applied: false };
        room.sim.faults().on(Method::GET, &write.expect.path, When::Always, down);
    }
    room.session.confirm(plan);
    let left = |session: &Headless| !matches!(session.run(id).unwrap().stage, Stage::Waiting | Stage::Sent);
    assert!(room.until(left).await, "no outcome: {answer:?}");
    if told == Told::Unknown {
        stays_unknown(room, plan, answer).await;
    }
    room.sim.faults().clear();
    let answered = |session: &Headless| session.answered(id);
    assert!(
        support::until(&mut room.session, &room.clock, Duration::from_millis(500), answered).await,
        "unknown for ever: {answer:?}"
    );
    check(room, plan, answer, from);
}

/// While nothing can be read nothing is known, however long that lasts.
async fn stays_unknown(room: &mut Room, plan: &Plan, answer: &Answer) {
    for _ in 0..2 {
        room.turn(PATIENCE).await;
        let stage = &room.session.run(plan.intent.id).unwrap().stage;
        assert!(matches!(stage, Stage::Unknown(why) if !why.is_empty()), "{stage:?} after {answer:?}");
    }
}

fn check(room: &Room, plan: &Plan, answer: &Answer, from: usize) {
    let outcome = room.session.run(plan.intent.id).unwrap().outcome.as_ref();
    let what = format!("{outcome:?} after {answer:?}");
    let seen = &room.writes()[from..];
    assert_eq!(
        seen.iter().map(|write| write.applied).collect::<Vec<_>>(),
        [answer.applied],
        "sent once: {what}"
    );
    let read = answer.told == Told::Unknown;
    match outcome {
        Some(Outcome::Applied { writes: 1, by_reading, .. }) => {
            assert!(answer.applied && *by_reading == read, "{what}");
        }
        Some(Outcome::Rejected { by_reading, reason }) => {
            assert!(!answer.applied && *by_reading == read, "{what}");
            assert!(read || answer.told == Told::Rejected(reason.to_string()), "{what}");
        }
        _ => panic!("{what}"),
    }
}

/// Lives through every answer to the writes that this step makes in turn.
async fn every_answer(step: fn(&Room, usize) -> StepCall) {
    let mut room = room(Scenario::Calm).await;
    let client = reqwest::Client::new();
    let first = planned(&mut room, call("set-env", &[("deployment", DEPLOYMENT), ("env", "FIRST=1")])).await;
    room.session.confirm(&first);
    room.settle().await; // there is a revision to go back to
    for number in 0.. {
        let call = step(&room, number);
        let plan = planned(&mut room, call).await;
        let answers = to_the_cluster(&room, &client, plan.intent.writes().next().unwrap()).await;
        assert!(answers.len() >= 40);
        let Some(answer) = answers.get(number) else { break };
        lived_through(&mut room, &plan, answer).await;
    }
}

#[tokio::test]
async fn every_answer_to_a_scale_ends_in_the_truth() {
    every_answer(|room, _| {
        let object = room
            .sim
            .list("Deployment")
            .into_iter()
            .find(|object| object["metadata"]["name"] == DEPLOYMENT)
            .unwrap();
        let other = if object["spec"]["replicas"] == 3 { "2" } else { "3" };
        call("scale", &[("deployment", DEPLOYMENT), ("replicas", other)])
    })
    .await;
}

#[tokio::test]
async fn every_answer_to_a_set_env_ends_in_the_truth() {
    every_answer(|_, number| {
        call("set-env", &[("deployment", DEPLOYMENT), ("env", &format!("ANSWER={number}"))])
    })
    .await;
}

#[tokio::test]
async fn every_answer_to_a_rollback_ends_in_the_truth() {
    every_answer(|_, _| call("rollout-undo", &[("deployment", DEPLOYMENT)])).await;
}

#[tokio::test]
async fn every_answer_to_a_silence_ends_in_the_truth() {
    let mut room = room(Scenario::BadRelease).await;
    assert!(room.until(|session| session.state().world.alerts.firing() > 0).await);
    let answers = of_alertmanager();
    assert!(answers.len() >= 40);
    for answer in &answers {
        let silence = call(
            "silence",
            &[("alert", "HighErrorRate"), ("for", "1h"), ("comment", "it is being rolled back")],
        );
        let plan = planned(&mut room, silence).await;
        lived_through(&mut room, &plan, answer).await;
    }
}
