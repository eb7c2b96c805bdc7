//! The simulated API server: what a path means, who may do it, and the answer, in the real server's words.

mod apply;
mod auth;
mod command;
mod delete;
mod discovery;
mod exec;
mod files;
mod list;
mod logs;
mod proxy;
mod scale;
mod select;
mod status;
mod table;
mod target;
mod validate;
mod watch;
mod websocket;
mod write;

use std::sync::Arc;

use axum::body::Body;
use axum::http::Method;
use axum::http::request::Parts;
use axum::response::Response;
use bytes::Bytes;
use serde_json::Value;

pub use self::auth::Identity;
use self::status::Status;
pub(crate) use self::target::{Target, with_type};
use super::cluster::Cluster;
use super::cluster::kind::{NODE_METRICS, POD_METRICS};
use super::json::text;
use super::request::{Query, reply};
use super::shared::Shared;

/// What an injected fault makes of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quirk {
    /// The version or token counts as expired.
    Gone,
    /// The page loses its items.
    LostPage,
}

/// A request whose place in the API is known.
struct Call<'a> {
    shared: &'a Arc<Shared>,
    target: Target,
    query: &'a Query,
    body: &'a Bytes,
    quirk: Option<Quirk>,
}

/// Answers one request.
pub(super) fn answer(
    shared: &Arc<Shared>,
    parts: Parts,
    path: &str,
    query: &Query,
    body: &Bytes,
    quirk: Option<Quirk>,
) -> Response {
    if let Some(known) = about_itself(shared.identity, path, body) {
        return known;
    }
    if let Some(proxied) = proxy::Proxied::parse(path) {
        return proxied.answer(shared, &parts.method, query, body).unwrap_or_else(|status| status.response());
    }
    let Some(target) = Target::parse(path) else { return nothing_here(path) };
    let call = Call { shared, target, query, body, quirk };
    call.answer(parts).unwrap_or_else(|status| status.response())
}

/// Whether a request asks for a dry run. The options of a deletion are those of its body; only without one
/// are they those of the query (`DeleteResource` in
/// staging/src/k8s.io/apiserver/pkg/endpoints/handlers/delete.go).
pub(super) fn is_dry_run(method: &Method, query: &Query, body: &[u8]) -> bool {
    if *method == Method::DELETE && !body.is_empty() {
        return serde_json::from_slice::<Value>(body).is_ok_and(|options| options["dryRun"].is_array());
    }
    query.get("dryRun") == Some("All")
}

/// What a server says about itself and about who asks: its health, its resources, the rights that this
/// identity has.
pub(super) fn about_itself(identity: Identity, path: &str, body: &Bytes) -> Option<Response> {
    if matches!(path, "/livez" | "/readyz" | "/healthz") {
        return Some(reply::text(200, "ok"));
    }
    let review = || auth::review(identity, path, body).map(|review| reply::json(201, &review));
    discovery::answer(path).map(|known| reply::json(200, &known)).or_else(review)
}

/// A group that is served has no such resource; any other path is none of the API's.
pub(super) fn nothing_here(path: &str) -> Response {
    let group = path.split('/').take(4).collect::<Vec<_>>().join("/");
    let served = path.starts_with("/api/v1/") || discovery::answer(&group).is_some();
    if served { Status::no_such_path().response() } else { reply::text(404, "404 page not found\n") }
}

/// The answer of a server that was told to fail.
pub(super) fn refusal(code: u16) -> Response {
    Status::told_to_fail(code).response()
}

impl Call<'_> {
    fn answer(self, parts: Parts) -> Result<Response, Status> {
        auth::check(self.shared.identity, &parts.method, &self.target, self.query)?;
        match (&parts.method, self.target.subresource.as_deref()) {
            (&Method::GET, None) => self.read(&parts),
            (&Method::GET, Some("log")) => logs::answer(&self),
            (&Method::GET | &Method::POST, Some("exec")) => exec::answer(&self, parts),
            (&Method::GET, Some("scale")) => scale::read(&self),
            (&Method::GET, Some("status")) => self.single(),
            (&Method::PATCH, Some("scale")) => scale::patch(&self, &parts),
            (&Method::PATCH, None) if media(&parts) == apply::MEDIA => apply::apply(&self),
            (&Method::PATCH, None) => write::patch(&self, &parts),
            (&Method::POST, None) => write::create(&self),
            (&Method::DELETE, None) => delete::delete(&self),
            (&Method::POST, Some("eviction")) => delete::evict(&self),
            _ => Err(Status::method_not_allowed()),
        }
    }

    fn read(&self, parts: &Parts) -> Result<Response, Status> {
        if self.target.name.is_some() {
            return self.single();
        }
        if table::is_wanted(&parts.headers) {
            return table::answer(self);
        }
        if self.query.flag("watch") { watch::answer(self) } else { list::answer(self) }
    }

    fn single(&self) -> Result<Response, Status> {
        let cluster = self.shared.cluster();
        let name = self.target.name.as_deref().unwrap_or_default();
        if let Some(metrics) = metrics(&cluster, &self.target) {
            let found = metrics.into_iter().find(|one| text(one, "/metadata/name") == name);
            let found = found.ok_or_else(|| Status::not_found(&self.target))?;
            return Ok(self.typed(&found.to_string()));
        }
        let object = cluster.store.get(self.target.kind, self.target.namespace(), name);
        Ok(self.typed(object.ok_or_else(|| Status::not_found(&self.target))?.json()))
    }

    /// An object's text with its kind and version, as an answer.
    fn typed(&self, json: &str) -> Response {
        json_text(200, with_type(self.target.kind, json))
    }
}

/// The content type of a request; empty where it says none.
fn media(parts: &Parts) -> &str {
    parts.headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// The figures of the metrics API, when they are what is asked for.
fn metrics(cluster: &Cluster, target: &Target) -> Option<Vec<Value>> {
    match target.kind.name {
        name if name == POD_METRICS.name => Some(cluster.pod_metrics(target.namespace.as_deref())),
        name if name == NODE_METRICS.name => Some(cluster.node_metrics()),
        _ => None,
    }
}

fn json_text(status: u16, text: String) -> Response {
    reply::body(status, "application/json", Body::from(text))
}
