//! The load's API server: listings in pages, streaming lists, watches, single objects, and what a client
//! asks about itself.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use axum::response::Response;
use bytes::Bytes;
use futures::stream;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::sync::watch;
use tokio::time::Instant;

use super::model::{Model, Verb};
use super::object::{Kind, NAMESPACE, Object};
use crate::sim::api::{self, Identity};
use crate::sim::request::{Query, reply};
use crate::sim::server::Cut;

/// The watch cache sends a bookmark about this often.
const BOOKMARK: Duration = Duration::from_secs(60);
/// Objects of a streaming list sent at once.
const CHUNK: usize = 100;
/// Seconds that a watch lasts when its client does not say.
const LONGEST: u64 = 1800;

/// What the connections share.
pub(super) struct Shared {
    model: Mutex<Model>,
    version: watch::Sender<u64>,
}

impl Shared {
    pub(super) fn new(model: Model) -> Self {
        Self { version: watch::Sender::new(model.version()), model: Mutex::new(model) }
    }

    fn model(&self) -> MutexGuard<'_, Model> {
        self.model.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes so many pods, and lets the watches know.
    pub(super) fn change(&self, pods: u32) {
        let version = {
            let mut model = self.model();
            (0..pods).for_each(|_| model.touch());
            model.version()
        };
        self.version.send_replace(version);
    }
}

/// What a path asks for.
struct Target<'a> {
    kind: Kind,
    name: Option<&'a str>,
    /// Whether the load's own namespace is within what is asked for.
    here: bool,
}

impl<'a> Target<'a> {
    fn parse(path: &'a str) -> Option<Self> {
        let rest = path
            .strip_prefix("/api/")
            .or_else(|| path.strip_prefix("/apis/")?.split_once('/').map(|(_, rest)| rest))?;
        let (_version, rest) = rest.split_once('/')?;
        if path.starts_with("/apis/metrics.k8s.io/") {
            return None; // pods and nodes by name, but figures by nature: nothing measures a load
        }
        let parts: Vec<_> = rest.split('/').collect();
        let (here, plural, name) = match parts.as_slice() {
            ["namespaces", namespace, plural] => (*namespace == NAMESPACE, *plural, None),
            ["namespaces", namespace, plural, name] => (*namespace == NAMESPACE, *plural, Some(*name)),
            [plural] => (true, *plural, None),
            [plural, name] => (true, *plural, Some(*name)),
            _ => return None,
        };
        let kind = match plural {
            "pods" => Kind::Pod,
            "deployments" => Kind::Deployment,
            "replicasets" => Kind::ReplicaSet,
            "nodes" => Kind::Node,
            _ => Kind::Other,
        };
        Some(Self { kind, name, here })
    }

    fn list(&self, model: &Model) -> Vec<Object> {
        if self.here { model.list(self.kind) } else { Vec::new() }
    }
}

/// Answers one request.
pub(super) async fn handle(shared: Arc<Shared>, request: Request<Incoming>) -> Result<Response, Cut> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Cut)?.to_bytes();
    let path = parts.uri.path();
    if let Some(known) = api::about_itself(Identity::Viewer, path, &body) {
        return Ok(known);
    }
    let query = Query::parse(parts.uri.query().unwrap_or_default());
    Ok(match Target::parse(path) {
        None => api::nothing_here(path),
        Some(target) if target.name.is_some() => {
            single(&shared.model(), &target).unwrap_or_else(|| api::nothing_here(path))
        }
        Some(target) if query.flag("watch") => Watcher::open(&shared, &target, &query),
        Some(target) => page(&shared.model(), &target, &query),
    })
}

fn single(model: &Model, target: &Target<'_>) -> Option<Response> {
    let object = target.list(model).into_iter().find(|object| Some(object.name().as_str()) == target.name)?;
    let mut text = String::new();
    object.write(model.version(), &mut text);
    Some(json(text))
}

/// A page; its token is the place at which the next one begins and the version of the whole listing.
fn page(model: &Model, target: &Target<'_>, query: &Query) -> Response {
    let all = target.list(model);
    let token = query.get("continue").and_then(|token| token.split_once('.'));
    let (from, version) = token
        .and_then(|(from, version)| Some((from.parse().ok()?, version.parse().ok()?)))
        .unwrap_or((0, model.version()));
    let limit = query
        .get("limit")
        .and_then(|limit| limit.parse().ok())
        .filter(|limit| *limit > 0)
        .unwrap_or(usize::MAX);
    let to = all.len().min(limit.saturating_add(from));
    let next = if to < all.len() { format!("{to}.{version}") } else { String::new() };
    let mut text = format!(
        r#"{{"kind":"List","apiVersion":"v1","metadata":{{"resourceVersion":"{version}","continue":"{next}"}},"items":["#
    );
    for (place, object) in all.get(from..to).unwrap_or_default().iter().enumerate() {
        text.push_str(if place > 0 { "," } else { "" });
        object.write(version, &mut text);
    }
    text.push_str("]}");
    json(text)
}

fn json(text: String) -> Response {
    reply::body(200, "application/json", Body::from(text))
}

/// One open watch.
struct Watcher {
    shared: Arc<Shared>,
    kind: Kind,
    here: bool,
    /// Objects of the initial list that are still to be sent.
    initial: VecDeque<Object>,
    /// Whether a bookmark ends the initial list.
    announce: bool,
    /// The version up to which everything was sent.
    position: u64,
    version: watch::Receiver<u64>,
    next_bookmark: Instant,
    until: Instant,
}

impl Watcher {
    fn open(shared: &Arc<Shared>, target: &Target<'_>, query: &Query) -> Response {
        let number = |name| query.get(name).and_then(|value| value.parse::<u64>().ok());
        let announce = query.flag("sendInitialEvents");
        let now = Instant::now();
        let model = shared.model();
        let watcher = Self {
            kind: target.kind,
            here: target.here,
            initial: if announce { target.list(&model).into() } else { VecDeque::new() },
            announce,
            position: number("resourceVersion").filter(|_| !announce).unwrap_or(model.version()),
            version: shared.version.subscribe(),
            next_bookmark: now + BOOKMARK,
            until: now + Duration::from_secs(number("timeoutSeconds").unwrap_or(LONGEST).min(LONGEST)),
            shared: shared.clone(),
        };
        let lines = stream::unfold(watcher, |mut watcher| async {
            watcher.next().await.map(|lines| (Ok::<_, Infallible>(lines), watcher))
        });
        reply::body(200, "application/json", Body::from_stream(lines))
    }

    /// The next lines to send; nothing ends the stream in good order.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if Instant::now() >= self.until {
                return None;
            }
            let lines = self.lines();
            if !lines.is_empty() {
                return Some(lines.into());
            }
            tokio::select! {
                _ = self.version.changed() => {}
                () = tokio::time::sleep_until(self.next_bookmark.min(self.until)) => {}
            }
        }
    }

    /// What there is to send now: the initial list first, then changes, then a bookmark that is due.
    fn lines(&mut self) -> String {
        let mut text = String::new();
        if !self.initial.is_empty() {
            let chunk = self.initial.drain(..CHUNK.min(self.initial.len()));
            chunk.for_each(|object| event(&mut text, Verb::Added, &object, self.position));
            return text;
        }
        if std::mem::take(&mut self.announce) {
            return self.bookmark(r#","annotations":{"k8s.io/initial-events-end":"true"}"#);
        }
        self.changes(&mut text);
        if text.is_empty() && Instant::now() >= self.next_bookmark {
            self.next_bookmark = Instant::now() + BOOKMARK;
            return self.bookmark("");
        }
        text
    }

    fn changes(&mut self, text: &mut String) {
        let seen = *self.version.borrow_and_update();
        let model = self.shared.model();
        match model.since(self.position) {
            Some(changes) => changes
                .filter(|change| self.here && change.object.kind() == self.kind)
                .for_each(|change| event(text, change.verb, &change.object, change.version)),
            None => text.push_str(EXPIRED),
        }
        self.position = model.version().max(seen);
    }

    fn bookmark(&self, annotations: &str) -> String {
        let kind = self.kind;
        let version = self.position;
        format!(
            r#"{{"type":"BOOKMARK","object":{{"kind":"{kind:?}","metadata":{{"resourceVersion":"{version}"{annotations}}}}}}}{}"#,
            '\n'
        )
    }
}

/// The line that says that a version is forgotten.
const EXPIRED: &str = concat!(
    r#"{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","#,
    r#""message":"too old resource version","reason":"Expired","code":410}}"#,
    "\n"
);

fn event(text: &mut String, verb: Verb, object: &Object, version: u64) {
    let _ = write!(text, r#"{{"type":"{}","object":"#, format!("{verb:?}").to_uppercase());
    object.write(version, text);
    text.push_str("}\n");
}

/// The line that says that an object is new.
pub(super) fn added(object: &Object) -> String {
    let mut text = String::new();
    event(&mut text, Verb::Added, object, 1);
    text
}
