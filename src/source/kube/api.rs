//! The requests that list and watch one kind, and what a refusal means.

use std::time::Duration;

use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use kube::client::Body;

use super::decode::Status;
use super::lines::Form;
use crate::clean::Clean;
use crate::event::{ContextId, Kind, Scope, SourceId};
use crate::net::failure::{Failure, root};
use crate::net::query::escaped;

/// Objects in one page of a listing: client-go's figure, and what the bed's API server answers in 84 ms.
const PAGE: usize = 500;

/// The longest page that is read: [`PAGE`] objects of the largest size that etcd takes would be more, and no
/// screen's.
const LONGEST_PAGE: usize = 256 << 20;

/// The longest refusal that is read.
const LONGEST_STATUS: usize = 64 << 10;

/// One API server, and what of it is looked at.
#[derive(Clone)]
pub struct ApiScope {
    /// For everything that reads.
    pub client: kube::Client,
    /// Which context of the session it is.
    pub context: ContextId,
    /// The namespace; of all of them when there is none.
    pub namespace: Option<Clean>,
}

/// One kind at one API server.
pub struct Api {
    client: kube::Client,
    context: ContextId,
    kind: Kind,
    namespace: Option<Clean>,
}

impl Api {
    /// One kind of what is at that place.
    pub fn new(kind: Kind, place: ApiScope) -> Self {
        let ApiScope { client, context, namespace } = place;
        Self { client, context, kind, namespace: namespace.filter(|_| kind.namespaced()) }
    }

    /// The context that it speaks for.
    pub fn context(&self) -> ContextId {
        self.context
    }

    /// What a listing of it names.
    pub fn scope(&self) -> Scope {
        Scope { kind: self.kind, namespace: self.namespace.clone(), context: self.context }
    }

    /// A watch that begins by telling everything that is there (KEP-3157), which the server ends after
    /// `span`, or, without one, much later.
    pub async fn stream(&self, span: Option<Duration>) -> Result<(Form, Body), Failure> {
        let end = span.map(|span| format!("&timeoutSeconds={}", whole_seconds(span))).unwrap_or_default();
        self.ask("watch", &format!("watch=1&allowWatchBookmarks=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan{end}")).await
    }

    /// A watch of what happens after `version`, which the server ends after `span`.
    pub async fn watch(&self, version: &str, span: Duration) -> Result<(Form, Body), Failure> {
        let seconds = whole_seconds(span);
        let version = escaped(version);
        self.ask(
            "watch",
            &format!("watch=1&allowWatchBookmarks=true&timeoutSeconds={seconds}&resourceVersion={version}"),
        )
        .await
    }

    /// One page of a listing; the first one without a token.
    pub async fn page(&self, token: Option<&str>) -> Result<Vec<u8>, Failure> {
        let token = token.map(|token| format!("&continue={}", escaped(token))).unwrap_or_default();
        collect(self.ask("list", &format!("limit={PAGE}{token}")).await?.1, LONGEST_PAGE).await
    }

    async fn ask(&self, verb: &str, query: &str) -> Result<(Form, Body), Failure> {
        // Newer servers compress each event of a watch on its own, which no client reads as one stream.
        let form = form(self.kind, verb);
        let selected = selected(self.kind);
        let request = Request::get(format!("{}?{query}{selected}", self.path()))
            .header(ACCEPT, form)
            .header(ACCEPT_ENCODING, "identity");
        let request = request
            .body(Body::empty())
            .map_err(|error| Failure::Rejected(format!("{} cannot be asked for: {error}", self.what())))?;
        let answer = self
            .client
            .send(request)
            .await
            .map_err(|error| Failure::unreachable("the API server", &error))?;
        if answer.status().is_success() {
            let came = answer
                .headers()
                .get(CONTENT_TYPE)
                .is_some_and(|form| form.as_bytes().starts_with(PROTOBUF.as_bytes()));
            return Ok((if came { Form::Frames } else { Form::Lines }, answer.into_body()));
        }
        Err(match refused(SourceId::of(self.kind), verb, &self.what(), answer).await {
            Failure::Missing(message) => Failure::Rejected(message), // a kind that this server does not have
            failure => failure,
        })
    }

    /// A refusal that came as a line of a watch.
    pub fn broken(&self, status: &Status) -> Failure {
        let code = StatusCode::from_u16(status.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        refusal((SourceId::of(self.kind), "watch", &self.what()), code, status, &HeaderMap::new())
    }

    fn path(&self) -> String {
        let api = self.kind.api();
        let plural = self.kind.plural();
        self.namespace.as_ref().map_or_else(
            || format!("/{api}/{plural}"),
            |namespace| format!("/{api}/namespaces/{namespace}/{plural}"),
        )
    }

    fn what(&self) -> String {
        let plural = self.kind.plural();
        self.namespace
            .as_ref()
            .map_or_else(|| plural.to_owned(), |namespace| format!("{plural} in namespace {namespace}"))
    }
}

/// The answer to one GET that is neither a listing nor a watch, if it is there within `span`.
pub async fn get(
    client: &kube::Client,
    source: SourceId,
    (path, what): (&str, &str),
    span: Duration,
) -> Result<Vec<u8>, Failure> {
    let answer = tokio::time::timeout(span, asked(client, source, path, what)).await;
    answer.unwrap_or_else(|_| Err(Failure::silent("the API server", span)))
}

async fn asked(client: &kube::Client, source: SourceId, path: &str, what: &str) -> Result<Vec<u8>, Failure> {
    let request = Request::get(path).header(ACCEPT, "application/json").body(Body::empty());
    let request =
        request.map_err(|error| Failure::Rejected(format!("{what} cannot be asked for: {error}")))?;
    let answer =
        client.send(request).await.map_err(|error| Failure::unreachable("the API server", &error))?;
    if !answer.status().is_success() {
        return Err(refused(source, "get", what, answer).await);
    }
    collect(answer.into_body(), LONGEST_PAGE).await
}

async fn refused(source: SourceId, verb: &str, what: &str, answer: Response<Body>) -> Failure {
    let (head, body) = answer.into_parts();
    let said = collect(body, LONGEST_STATUS).await.unwrap_or_default();
    let status: Status = serde_json::from_slice(&said).unwrap_or_default();
    refusal((source, verb, what), head.status, &status, &head.headers)
}

/// The server knows no shorter ones; 0 would be none.
fn whole_seconds(span: Duration) -> u64 {
    span.as_secs().max(1)
}

/// What the cluster's RBAC must grant for a source: `get, list, watch on pods`.
fn grants(source: SourceId) -> String {
    source.grants().iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

fn refusal(
    (source, verb, what): (SourceId, &str, &str),
    code: StatusCode,
    status: &Status,
    headers: &HeaderMap,
) -> Failure {
    let message = format!("the API server answers {code} to {verb} {what}: {}", status.message);
    let wait =
        headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok()).map(Duration::from_secs);
    match code.as_u16() {
        410 => Failure::Expired(message),
        _ if status.too_new() => Failure::Expired(message),
        401 => Failure::logged_out(),
        403 => Failure::Forbidden(format!("{verb} {what} is forbidden (403): ask for {}", grants(source))),
        404 => Failure::Missing(message),
        429 | 500.. => Failure::Busy { message, wait },
        _ => Failure::Rejected(message),
    }
}

/// How a protobuf answer is called.
const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";

/// Of a ConfigMap nothing but its metadata leaves the server: what is in it may be a secret, and large. Of
/// pods there are many: their watch comes as protobuf where the server has it, which 50,000 of them takes 3 s
/// instead of 8.
fn form(kind: Kind, verb: &str) -> &'static str {
    match kind {
        Kind::Pod if verb == "watch" => "application/vnd.kubernetes.protobuf;stream=watch, application/json",
        Kind::ConfigMap => "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1",
        _ => "application/json",
    }
}

/// Of events only warnings are asked for: the others tell what everybody sees happen.
fn selected(kind: Kind) -> &'static str {
    if kind == Kind::Event { "&fieldSelector=type%21%3DNormal" } else { "" }
}

async fn collect(body: Body, most: usize) -> Result<Vec<u8>, Failure> {
    let whole = Limited::new(body, most).collect().await;
    let whole = whole
        .map_err(|error| Failure::Lost(format!("the API server's answer was cut: {}", root(&*error))))?;
    Ok(whole.to_bytes().into())
}
