//! One request, one answer. Nothing in here sends anything twice: not on a timeout, not on a 429, not on a broken connection
//! (invariant 5); what is not answered is `unknown` and read.

use std::collections::BTreeMap;
use std::time::Duration;

use http::{Method, Request};
use hyper_util::client::legacy;
use kube::Client;
use kube::client::Body;
use serde_json::Value;

use super::plan::text;
use crate::clean::Clean;
use crate::event::{Expectation, Intent, Outcome, Sealed, Server, Target, Write, digest};
use crate::source::clock::Clock;
use crate::source::credential::NoCredentials;

/// Field manager of every write, and the name that the audit log and `managedFields` show.
pub(super) const MANAGER: &str = "warroom";

/// Bytes of an answer that are read at the most.
const MOST: usize = 8 << 20;

/// What came back.
#[derive(Debug)]
pub(super) enum Answer {
    /// 2xx.
    Done(Value),
    /// 4xx: the server did nothing. Status and its words.
    Refused(u16, Clean),
    /// The request never left this machine.
    NotSent(Clean),
    /// No answer, or one (5xx) that does not say whether anything was done.
    Lost(Clean),
}

/// A client, and how long one answer may take.
#[derive(Clone)]
pub(super) struct Caller {
    pub(super) client: Client,
    /// Whom it asks.
    pub(super) server: Server,
    /// Before the path of every request: where the API server proxies it.
    pub(super) prefix: String,
    pub(super) deadline: Duration,
}

impl Caller {
    pub(super) async fn get(&self, path: &str) -> Answer {
        self.request(Method::GET, path, None, None).await
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.request(Method::POST, path, Some("application/json"), Some(body)).await
    }

    pub(super) async fn dry_run(&self, write: &Write) -> Answer {
        self.change(write, "dryRun=All&").await
    }

    async fn change(&self, write: &Write, query: &str) -> Answer {
        let Sealed::Open(body) = &write.body else {
            return Answer::NotSent("its body is not known any more".into());
        };
        let Ok(method) = Method::from_bytes(write.method.as_bytes()) else {
            return Answer::NotSent(format!("{} is no method", write.method).into());
        };
        let path = match self.server {
            Server::Cluster => format!("{}?{query}fieldManager={MANAGER}", write.path),
            Server::Alertmanager(_) => write.path.to_string(),
        };
        match body {
            Value::Null => self.request(method, &path, None, None).await,
            body => self.request(method, &path, Some(&write.content_type), Some(body)).await,
        }
    }

    async fn request(&self, method: Method, path: &str, content_type: Option<&str>, body: Option<&Value>) -> Answer {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.prefix));
        if let Some(content_type) = content_type {
            request = request.header(http::header::CONTENT_TYPE, content_type);
        }
        let bytes = body.map(Value::to_string).unwrap_or_default().into_bytes();
        let Ok(request) = request.body(Body::from(bytes)) else {
            return Answer::NotSent("the request cannot be written".into());
        };
        match tokio::time::timeout(self.deadline, answer(&self.client, &self.server, request)).await {
            Ok(answer) => answer,
            Err(_) => Answer::Lost(format!("no answer within {:.0} s", self.deadline.as_secs_f64()).into()),
        }
    }
}

async fn answer(client: &Client, server: &Server, request: Request<Body>) -> Answer {
    let response = match client.send(request).await {
        Ok(response) => response,
        Err(error) if never_left(&error) => {
            return Answer::NotSent(format!("{} cannot be reached: {}", server.name(), root(&error)).into());
        }
        Err(error) => return Answer::Lost(root(&error)),
    };
    let status = response.status();
    let body = http_body_util::Limited::new(response.into_body(), MOST);
    let bytes = match http_body_util::BodyExt::collect(body).await {
        Ok(body) => body.to_bytes(),
        Err(error) if status.is_success() => return Answer::Lost(format!("the answer broke off: {error}").into()),
        Err(_) => bytes::Bytes::new(),
    };
    let value: Value = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    let words = || match value.as_str().unwrap_or_else(|| text(&value, "/message")) {
        "" => Clean::new(status.canonical_reason().unwrap_or("no reason given")),
        words => words.into(),
    };
    match status.as_u16() {
        // Alertmanager says nothing to a silence that it ended.
        200..=299 if bytes.is_empty() && *server != Server::Cluster => Answer::Done(Value::Null),
        200..=299 if value.is_null() => Answer::Lost("the answer is not JSON".into()),
        200..=299 => Answer::Done(value),
        // 408: the server gave up in the middle.
        code @ 400..=499 if code != 408 => Answer::Refused(code, words()),
        code => Answer::Lost(format!("{code} {}", words()).into()),
    }
}

/// A connection that could not be made carried nothing; and without credentials none was tried.
fn never_left(error: &kube::Error) -> bool {
    let kube::Error::Service(source) = error else { return false };
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(source.as_ref());
    while let Some(error) = cause {
        if error.is::<NoCredentials>() || error.downcast_ref::<legacy::Error>().is_some_and(legacy::Error::is_connect) {
            return true;
        }
        cause = error.source();
    }
    false
}

/// The innermost cause: what a person can act on.
fn root(error: &dyn std::error::Error) -> Clean {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string().into()
}

/// Sends the writes of an intent, each once, and stops at the first that is not done.
pub(super) async fn send(writer: &Caller, intent: &Intent) -> Outcome {
    let mut generation = 0;
    let mut done = 0;
    for write in &intent.writes {
        match writer.change(write, "").await {
            Answer::Done(object) => {
                done += 1;
                generation = self::generation(&object);
            }
            Answer::Refused(code, why) => return Outcome::Rejected { reason: refused(code, &why, &intent.target), by_reading: false },
            Answer::NotSent(reason) => return Outcome::Rejected { reason, by_reading: false },
            Answer::Lost(reason) => return Outcome::Unknown { reason },
        }
    }
    Outcome::Applied { generation, writes: done, by_reading: false }
}

fn refused(code: u16, why: &Clean, target: &Target) -> Clean {
    match code {
        404 => format!("{} is gone: look again", target.name).into(),
        // A guard did not hold, or another writer was first.
        409 | 422 => {
            format!("{} is not any more what was confirmed (changed or recreated): look again and confirm anew ({why})", target.name).into()
        }
        403 => format!("you may not: {why}").into(),
        429 => format!("the API server is overloaded and did nothing: try again ({why})").into(),
        _ => why.clone(),
    }
}

/// The time of warroom's newest `managedFields` entry.
pub(super) fn managed_by_warroom(object: &Value) -> Option<Clean> {
    let entries = object.pointer("/metadata/managedFields").and_then(Value::as_array)?;
    entries.iter().filter(|entry| entry["manager"] == MANAGER).filter_map(|entry| entry["time"].as_str()).max().map(Clean::from)
}

/// `metadata.generation`, which moves with every change of the spec; 0 where an object has none.
pub(super) fn generation(object: &Value) -> i64 {
    object.pointer("/metadata/generation").and_then(Value::as_i64).unwrap_or(0)
}

/// What one reading says of a change whose answer was lost.
#[derive(Debug, PartialEq)]
enum Reading {
    Settled(Outcome),
    /// As it was before: the request may still be on its way.
    Unchanged,
    /// The same, but the spec was changed meanwhile, and changed back.
    Back,
}

/// Reads until it is clear what became of a change. A request that has not arrived after `patience` will not arrive: API servers give
/// one a minute at the most. A server that answers nothing may hold it all the while, so patience begins with the first answer.
pub(super) async fn resolve(reader: &Caller, intent: &Intent, clock: &Clock, patience: Duration) -> Outcome {
    let patience = chrono::TimeDelta::from_std(patience).unwrap_or_default();
    let mut until = None;
    let mut pause = Duration::from_millis(500);
    loop {
        let reading = match reader.get(&intent.expect.path).await {
            Answer::Done(object) => Some(judge(&object, &intent.target, &intent.expect)),
            Answer::Refused(404, _) if intent.server == Server::Cluster => Some(Reading::Settled(gone(&intent.target))),
            _ => None, // the server cannot be asked now: it stays unknown until it can
        };
        match reading {
            Some(Reading::Settled(outcome)) => return outcome,
            Some(Reading::Unchanged) if clock.now() >= *until.get_or_insert_with(|| clock.now() + patience) => {
                return rejected(&format!("it never arrived: {} is as it was", intent.target.name));
            }
            Some(Reading::Back) if clock.now() >= *until.get_or_insert_with(|| clock.now() + patience) => {
                let name = &intent.target.name;
                return rejected(&format!("{name} is as it was, but was changed in between: if this was made, somebody took it back"));
            }
            _ => {}
        }
        clock.sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(5));
    }
}

/// JSON pointer → digest of the value.
type Values = BTreeMap<Clean, Clean>;

fn holds(object: &Value, values: &Values) -> bool {
    values.iter().all(|(at, want)| digest(object.pointer(at).unwrap_or(&Value::Null)) == *want)
}

/// What is kept in a list, as silences are, was made once an element of it is as expected.
fn judge_list(list: &[Value], target: &Target, expect: &Expectation) -> Reading {
    let any = |values: &Values| list.iter().any(|element| holds(element, values));
    if any(&expect.values) {
        return Reading::Settled(Outcome::Applied { generation: 0, writes: 1, by_reading: true });
    }
    if expect.before.is_empty() || any(&expect.before) {
        return Reading::Unchanged;
    }
    Reading::Settled(rejected(&format!("{} is not there any more", target.name)))
}

fn rejected(reason: &str) -> Outcome {
    Outcome::Rejected { reason: reason.into(), by_reading: true }
}

fn gone(target: &Target) -> Outcome {
    rejected(&format!("{} is gone, and whatever was changed went with it", target.name))
}

fn judge(object: &Value, target: &Target, expect: &Expectation) -> Reading {
    if let Some(list) = object.as_array() {
        return judge_list(list, target, expect);
    }
    if text(object, "/metadata/uid") != target.uid.as_str() {
        return Reading::Settled(rejected(&format!("{} was recreated, and whatever was changed went with the old one", target.name)));
    }
    let holds = |values: &Values| holds(object, values);
    let ours = managed_by_warroom(object).is_some_and(|time| Some(&time) >= expect.managed_before.as_ref());
    if holds(&expect.values) && ours {
        return Reading::Settled(Outcome::Applied { generation: generation(object), writes: 1, by_reading: true });
    }
    if holds(&expect.before) {
        return if generation(object) == expect.generation_before { Reading::Unchanged } else { Reading::Back };
    }
    let newer = managed_by_warroom(object) > expect.managed_before;
    let who = if newer { "it was made, and somebody changed it again since" } else { "somebody else changed it first" };
    Reading::Settled(rejected(&format!("{}: {who}", target.name)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn expectation(managed_before: Option<&str>) -> Expectation {
        let values = |n: u64| BTreeMap::from([("/spec/replicas".into(), digest(&json!(n)))]);
        Expectation {
            path: "/x".into(),
            values: values(10),
            before: values(1),
            managed_before: managed_before.map(Clean::from),
            generation_before: 4,
        }
    }

    fn target() -> Target {
        Target {
            cluster: "c".into(),
            context: Clean::default(),
            kind: "deployment".into(),
            namespace: "n".into(),
            name: "app".into(),
            uid: "u".into(),
        }
    }

    fn judged(uid: &str, replicas: u64, managed: Option<&str>, before: Option<&str>) -> String {
        let fields: Vec<Value> = managed.iter().map(|time| json!({"manager": "warroom", "time": time})).collect();
        let object = json!({"metadata": {"uid": uid, "generation": 4, "managedFields": fields}, "spec": {"replicas": replicas}});
        match judge(&object, &target(), &expectation(before)) {
            Reading::Settled(Outcome::Applied { by_reading: true, generation: 4, .. }) => "applied".into(),
            Reading::Settled(Outcome::Rejected { reason, .. }) => reason.to_string(),
            Reading::Unchanged => "unchanged".into(),
            Reading::Back => "back".into(),
            other @ Reading::Settled(_) => format!("{other:?}"),
        }
    }

    #[test]
    fn reading_tells_what_became_of_a_lost_answer() {
        let t1 = Some("2026-01-01T00:00:00Z");
        let t2 = Some("2026-01-01T00:00:09Z");
        assert_eq!(judged("u", 10, t2, None), "applied");
        assert_eq!(judged("u", 10, t2, t1), "applied");
        assert_eq!(judged("u", 1, None, None), "unchanged");
        assert_eq!(judged("u", 10, None, None), "app: somebody else changed it first");
        assert_eq!(judged("u", 5, t2, t1), "app: it was made, and somebody changed it again since");
        assert_eq!(judged("u", 5, t1, t1), "app: somebody else changed it first");
        let object = json!({"metadata": {"uid": "u", "generation": 6}, "spec": {"replicas": 1}});
        assert_eq!(judge(&object, &target(), &expectation(None)), Reading::Back);
        assert!(judged("other", 10, t2, None).contains("recreated"));
    }
}
