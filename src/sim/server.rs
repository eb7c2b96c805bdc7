//! Connections: the three servers on loopback, and the way of a request through faults to its answer.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{Method, Request};
use axum::response::Response;
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::api::{self, Quirk};
use super::fault::Fault;
use super::request::{Query, SeenRequest, reply};
use super::shared::Shared;
use super::{alertmanager, malformed, prometheus};

/// Which of the servers a connection is for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Server {
    Kubernetes,
    Prometheus,
    Alertmanager,
}

/// The connection is to end without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection was cut")]
pub(crate) struct Cut;

/// Writes down a request that asks for a change; gives its place.
fn note(shared: &Shared, parts: &Parts, body: &Bytes) -> Option<usize> {
    let asks = matches!(parts.method, Method::POST | Method::PUT | Method::PATCH | Method::DELETE);
    if !asks || parts.uri.path().contains("/selfsubject") {
        return None;
    }
    let query = Query::parse(parts.uri.query().unwrap_or_default());
    let agent = parts.headers.get("user-agent").and_then(|agent| agent.to_str().ok());
    let at = shared.cluster().now;
    let mut seen = shared.seen();
    seen.push(SeenRequest {
        method: parts.method.clone(),
        path: parts.uri.to_string(),
        user_agent: agent.unwrap_or_default().to_owned(),
        dry_run: api::is_dry_run(&parts.method, &query, body),
        field_manager: query.get("fieldManager").map(str::to_owned),
        at,
        applied: false,
    });
    Some(seen.len() - 1)
}

/// Accepts connections for ever and answers their requests; dropping the future ends them all.
pub(super) async fn accept<A>(
    listener: TcpListener,
    answer: impl Fn(Request<Incoming>) -> A + Clone + Send + 'static,
) where
    A: Future<Output = Result<Response, Cut>> + Send + 'static,
{
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => if let Ok((stream, _)) = accepted {
                let _ = stream.set_nodelay(true);
                let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(answer.clone()));
                // An error of it is a connection that ended, which is the client's business.
                connections.spawn(connection.with_upgrades());
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Answers one request.
pub(super) async fn handle(
    server: Server,
    shared: Arc<Shared>,
    request: Request<Incoming>,
) -> Result<Response, Cut> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Cut)?.to_bytes();
    // What has arrived is processed, whether its sender still waits for the answer or not.
    tokio::spawn(arrived(server, shared, parts, body)).await.unwrap_or(Err(Cut))
}

async fn arrived(server: Server, shared: Arc<Shared>, parts: Parts, body: Bytes) -> Result<Response, Cut> {
    shared.faults.thawed().await;
    // Prometheus is queried by POST
    let place = if matches!(server, Server::Prometheus) { None } else { note(&shared, &parts, &body) };
    let call =
        Call { server, place, fault: shared.faults.draw(&parts.method, &parts.uri.to_string()), parts, body };
    call.answer(&shared).await
}

struct Call {
    server: Server,
    parts: Parts,
    body: Bytes,
    /// Where the request is noted, if it asks for a change.
    place: Option<usize>,
    fault: Option<Fault>,
}

impl Call {
    async fn answer(self, shared: &Arc<Shared>) -> Result<Response, Cut> {
        match self.fault {
            Some(Fault::Cut { applied }) => {
                self.process_if(applied, shared);
                return Err(Cut);
            }
            Some(Fault::Hang { applied }) => {
                let answer = self.process_if(applied, shared);
                shared.faults.cleared().await;
                return answer.ok_or(Cut);
            }
            Some(Fault::Status { code, applied }) => {
                let server = self.server;
                self.process_if(applied, shared);
                return Ok(refusal(server, code));
            }
            Some(Fault::Reply { status, content_type, body, applied }) => {
                let redirects = (300..=399).contains(&status);
                let here = self.parts.uri.to_string();
                self.process_if(applied, shared);
                let answer = reply::body(status, content_type, Body::from(body));
                return Ok(if redirects { reply::location(answer, &here) } else { answer });
            }
            Some(Fault::Delay(wait)) => shared.clock.sleep(wait).await,
            Some(Fault::CutWatches) => shared.faults.cut_watches(),
            Some(Fault::Malformed(how)) => return Ok(malformed::answer(how, &shared.faults)),
            Some(Fault::Gone | Fault::LostPage) | None => {}
        }
        Ok(self.process(shared))
    }

    fn process_if(self, wanted: bool, shared: &Arc<Shared>) -> Option<Response> {
        wanted.then(|| self.process(shared))
    }

    fn process(self, shared: &Arc<Shared>) -> Response {
        let quirk = match self.fault {
            Some(Fault::Gone) => Some(Quirk::Gone),
            Some(Fault::LostPage) => Some(Quirk::LostPage),
            _ => None,
        };
        let query = Query::parse(self.parts.uri.query().unwrap_or_default());
        let path = self.parts.uri.path().to_owned();
        match self.server {
            Server::Kubernetes => {
                let answer = api::answer(shared, self.parts, &path, &query, &self.body, quirk);
                note_applied(shared, self.place, answer.status().is_success());
                answer
            }
            Server::Prometheus => {
                let form = Query::parse(std::str::from_utf8(&self.body).unwrap_or_default());
                prometheus::answer(&shared.cluster(), &self.parts.method, &path, &query.and(form))
            }
            Server::Alertmanager => {
                let answer = alertmanager::answer(
                    &mut shared.cluster(),
                    &self.parts.method,
                    &path,
                    &query,
                    &self.body,
                );
                note_applied(shared, self.place, answer.status().is_success());
                answer
            }
        }
    }
}

/// Writes down what became of a request that asked for a change.
fn note_applied(shared: &Shared, place: Option<usize>, done: bool) {
    let mut all = shared.seen();
    if let Some(seen) = place.and_then(|place| all.get_mut(place)) {
        seen.applied = done && !seen.dry_run;
    }
}

/// An answer that says no more than that something is wrong with the server.
fn refusal(server: Server, code: u16) -> Response {
    let answer = match server {
        Server::Kubernetes => api::refusal(code),
        Server::Prometheus | Server::Alertmanager => reply::body(
            code,
            "text/plain; charset=utf-8",
            Body::from("the simulated server was told to fail\n"),
        ),
    };
    if matches!(code, 429 | 503) { reply::retry_after(answer, Duration::from_secs(1)) } else { answer }
}

/// Moves the cluster on as simulated time passes, so that watches hear of it without being asked.
pub(super) async fn live(shared: Arc<Shared>) -> Infallible {
    loop {
        shared.clock.sleep(Duration::from_millis(250)).await;
        drop(shared.cluster());
    }
}
