//! One request, one answer. Nothing in here sends anything twice: not on a timeout, not on a 429, not on a
//! broken connection (invariant 5); what is not answered is `unknown` and read. An answer is read before it
//! is believed: what stands between may answer too.

use std::time::Duration;

use http::header::{ACCEPT, CONTENT_TYPE, HeaderName};
use http::{Method, Request, StatusCode};
use hyper_util::client::legacy;
use kube::Client;
use kube::client::Body;
use serde_json::{Value, json};

use crate::clean::Clean;
use crate::event::{Sealed, Server, Write};
use crate::net::credential::NoCredentials;
use crate::net::resolver::Unreached;
use crate::step::target::MANAGER;
use crate::step::{ReadAs, text};

/// Bytes of an answer that are read at the most.
const MOST: usize = 8 << 20;

/// The columns that kubectl prints, as the server knows them (kubectl sends the same).
const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io";

/// What came back.
#[derive(Debug)]
pub(super) enum Reply {
    /// 2xx, and no `Status: Failure`.
    Done(Value),
    /// 4xx in this server's own words: it did nothing.
    Refused(Refused),
    /// The request never left this machine.
    NotSent(Clean),
    /// No answer, or one that does not say whether anything was done: 5xx, or of somebody else than this
    /// server.
    Lost(Clean),
}

impl Reply {
    /// What was read.
    ///
    /// # Errors
    /// Nothing was, and why.
    pub(super) fn read(self) -> Result<Value, Unread> {
        match self {
            Self::Done(value) => Ok(value),
            Self::Refused(refused) => Err(Unread::Refused(refused)),
            Self::NotSent(why) => Err(Unread::NotSent(why)),
            Self::Lost(why) => Err(Unread::Lost(why)),
        }
    }
}

/// Why a question was not answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unread {
    /// The server refused, in its own words.
    #[error("{}", .0.why)]
    Refused(Refused),
    /// It never left this machine.
    #[error("{0}")]
    NotSent(Clean),
    /// No answer, or not this server's.
    #[error("{0}")]
    Lost(Clean),
}

/// Why there is nobody to ask, or to send anything to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoCaller {
    /// The step has nothing to do with that server, so that no way to it was looked for.
    #[error("the step asks for nothing of {0}")]
    Unasked(&'static str),
    /// There is no way to the server.
    #[error(transparent)]
    Unreached(#[from] Unreached),
    /// Only the main context's server is known.
    #[error("the {server} of context {context} is not read: start warroom with it as the first")]
    OfMain {
        /// Name of the server.
        server: &'static str,
        /// The context.
        context: Clean,
    },
    /// Alertmanager is another one than the one that was meant.
    #[error("it was meant for another Alertmanager than this session's")]
    OtherAlertmanager,
    /// No context of this session leads to the cluster of a target.
    #[error("there is no connection to {cluster}, where {name} is")]
    NoConnection {
        /// The cluster's address.
        cluster: Clean,
        /// The target.
        name: Clean,
    },
}

/// A refusal in the server's own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    /// The HTTP status.
    pub(super) code: u16,
    /// `Conflict`, `Invalid`, … where the server gives one.
    pub(super) reason: Clean,
    /// In words.
    pub(super) why: Clean,
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
    /// One that asks the API server by this client.
    pub(super) fn of_cluster(client: &Client, deadline: Duration) -> Self {
        Self { client: client.clone(), server: Server::Cluster, prefix: String::new(), deadline }
    }

    pub(super) async fn get(&self, path: &str) -> Reply {
        self.read(path, ReadAs::Objects).await
    }

    /// Reads, in the form that is wanted.
    pub(super) async fn read(&self, path: &str, wanted: ReadAs) -> Reply {
        let accept = Some((ACCEPT, TABLE)).filter(|_| wanted == ReadAs::Table);
        match self.answer(Method::GET, path, accept, None).await {
            Ok((status, bytes)) if wanted == ReadAs::Text && status.is_success() => {
                Reply::Done(String::from_utf8_lossy(&bytes).into())
            }
            Ok((status, bytes)) => classify(&self.server, status, &bytes),
            Err(none) => none,
        }
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> Reply {
        self.request(Method::POST, path, Some((CONTENT_TYPE, "application/json")), Some(body)).await
    }

    /// Lets the server try it. The options of a deletion are those of its body, and with one the query says
    /// nothing: `dryRun=All` there would delete (`DeleteResource` in
    /// staging/src/k8s.io/apiserver/pkg/endpoints/handlers/delete.go).
    pub(super) async fn dry_run(&self, write: &Write) -> Reply {
        let mut tried = write.clone();
        if let ("DELETE", Sealed::Open(Value::Object(options))) = (write.method.as_str(), &mut tried.body) {
            options.insert("dryRun".to_owned(), json!(["All"]));
        }
        self.change(&tried, "dryRun=All&").await
    }

    pub(super) async fn write(&self, write: &Write) -> Reply {
        self.change(write, "").await
    }

    async fn change(&self, write: &Write, query: &str) -> Reply {
        let Sealed::Open(body) = &write.body else {
            return Reply::NotSent("its body is not known any more".into());
        };
        let Ok(method) = Method::from_bytes(write.method.as_bytes()) else {
            return Reply::NotSent(format!("{} is no method", write.method).into());
        };
        let path = match self.server {
            Server::Cluster => format!("{}?{query}fieldManager={MANAGER}", write.path),
            Server::Alertmanager(_) | Server::Prometheus(_) => write.path.to_string(),
        };
        match body {
            Value::Null => self.request(method, &path, None, None).await,
            body => self.request(method, &path, Some((CONTENT_TYPE, &write.content_type)), Some(body)).await,
        }
    }

    async fn request(
        &self,
        method: Method,
        path: &str,
        header: Option<(HeaderName, &str)>,
        body: Option<&Value>,
    ) -> Reply {
        match self.answer(method, path, header, body).await {
            Ok((status, bytes)) => classify(&self.server, status, &bytes),
            Err(none) => none,
        }
    }

    /// Asks once; gives the status and the body of the answer, or why there is none.
    async fn answer(
        &self,
        method: Method,
        path: &str,
        header: Option<(HeaderName, &str)>,
        body: Option<&Value>,
    ) -> Result<(StatusCode, Vec<u8>), Reply> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.prefix));
        if let Some((name, value)) = header {
            request = request.header(name, value);
        }
        let bytes = body.map(Value::to_string).unwrap_or_default().into_bytes();
        let Ok(request) = request.body(Body::from(bytes)) else {
            return Err(Reply::NotSent("the request cannot be written".into()));
        };
        let late =
            |_| Err(Reply::Lost(format!("no answer within {:.0} s", self.deadline.as_secs_f64()).into()));
        tokio::time::timeout(self.deadline, reply(&self.client, &self.server, request))
            .await
            .unwrap_or_else(late)
    }
}

async fn reply(
    client: &Client,
    server: &Server,
    request: Request<Body>,
) -> Result<(StatusCode, Vec<u8>), Reply> {
    let response = match client.send(request).await {
        Ok(response) => response,
        Err(error) if never_left(&error) => {
            let why = format!("{} cannot be reached: {}", server.name(), root(&error));
            return Err(Reply::NotSent(why.into()));
        }
        Err(error) => return Err(Reply::Lost(root(&error))),
    };
    let status = response.status();
    let body = http_body_util::Limited::new(response.into_body(), MOST);
    match http_body_util::BodyExt::collect(body).await {
        Ok(body) => Ok((status, body.to_bytes().into())),
        Err(error) => Err(Reply::Lost(format!("the answer ({status}) broke off: {error}").into())),
    }
}

/// What an answer says.
fn classify(server: &Server, status: StatusCode, bytes: &[u8]) -> Reply {
    let value: Option<Value> = serde_json::from_slice(bytes).ok();
    let code = status.as_u16();
    let Some(value) = value else {
        // Alertmanager says nothing to a silence that it ended.
        let silent =
            status.is_success() && bytes.iter().all(u8::is_ascii_whitespace) && *server != Server::Cluster;
        let seen = String::from_utf8_lossy(&bytes[..bytes.len().min(120)]).trim().to_owned();
        return if silent { Reply::Done(Value::Null) } else { Reply::Lost(foreign(code, &seen)) };
    };
    let failed = value["kind"] == "Status" && value["status"] == "Failure";
    match (code, own(server, &value, code)) {
        (200..=299, _) if failed => {
            Reply::Lost(format!("{code}, and yet a failure: {}", text(&value, "/message")).into())
        }
        (200..=299, _) => Reply::Done(value),
        // 408: the server gave up in the middle.
        (400..=499, Some(refused)) if code != 408 => Reply::Refused(refused),
        (_, Some(refused)) => Reply::Lost(format!("{code} {}", refused.why).into()),
        (_, None) => Reply::Lost(foreign(code, &value.to_string().chars().take(120).collect::<String>())),
    }
}

/// Something between answered, or the server in a form that is not its own.
fn foreign(code: u16, seen: &str) -> Clean {
    let words = if seen.is_empty() { "and no words".to_owned() } else { format!("\"{seen}\"") };
    format!("an answer that is not this server's own: {code} {words}").into()
}

/// The server's own words: a `Status` that says the same code, of Alertmanager also a text or an object with
/// a code and a message, of Prometheus its envelope of an error. A message alone is what gateways give.
fn own(server: &Server, value: &Value, code: u16) -> Option<Refused> {
    let status = value["kind"] == "Status" && value["status"] == "Failure" && value["code"] == code;
    if status {
        return Some(Refused { code, reason: text(value, "/reason").into(), why: words(value).into() });
    }
    let words = match server {
        Server::Cluster => None,
        Server::Alertmanager(_) => {
            let message = value["message"].as_str().filter(|_| value["code"].is_number());
            value.as_str().or(message)
        }
        Server::Prometheus(_) => value["error"].as_str().filter(|_| value["status"] == "error"),
    }?;
    Some(Refused { code, reason: Clean::default(), why: words.into() })
}

/// The message; of an eviction that is refused also which budget keeps the pod.
fn words(status: &Value) -> String {
    let message = text(status, "/message");
    match text(status, "/details/causes/0/reason") {
        "DisruptionBudget" => format!("{message} {}", text(status, "/details/causes/0/message")),
        _ => message.to_owned(),
    }
}

/// A connection that could not be made carried nothing; and without credentials none was tried.
fn never_left(error: &kube::Error) -> bool {
    let kube::Error::Service(source) = error else { return false };
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(source.as_ref());
    while let Some(error) = cause {
        if error.is::<NoCredentials>()
            || error.downcast_ref::<legacy::Error>().is_some_and(legacy::Error::is_connect)
        {
            return true;
        }
        cause = error.source();
    }
    false
}

/// The innermost cause: what a person can act on.
pub(super) fn root(error: &dyn std::error::Error) -> Clean {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(server: &Server, code: u16, body: &str) -> String {
        match classify(server, http::StatusCode::from_u16(code).unwrap(), body.as_bytes()) {
            Reply::Done(value) => format!("done {value}"),
            Reply::Refused(refused) => format!("refused {}", refused.why),
            Reply::NotSent(why) => format!("not sent {why}"),
            Reply::Lost(why) => format!("lost {why}"),
        }
    }

    #[test]
    fn only_the_servers_own_words_are_believed() {
        let status = |code: u16| {
            format!(
                r#"{{"kind":"Status","apiVersion":"v1","status":"Failure","message":"no","reason":"X","code":{code}}}"#
            )
        };
        let of = |code, body: &str| told(&Server::Cluster, code, body);
        assert_eq!(of(404, &status(404)), "refused no");
        assert_eq!(of(200, &status(409)), "lost 200, and yet a failure: no");
        assert_eq!(of(408, &status(408)), "lost 408 no");
        assert_eq!(of(504, &status(504)), "lost 504 no");
        assert_eq!(
            of(404, &status(403)),
            format!(
                "lost {}",
                foreign(
                    404,
                    &serde_json::from_str::<Value>(&status(403))
                        .unwrap()
                        .to_string()
                        .chars()
                        .take(120)
                        .collect::<String>()
                )
            )
        );
        assert_eq!(of(429, "slow down"), "lost an answer that is not this server's own: 429 \"slow down\"");
        assert_eq!(of(499, ""), "lost an answer that is not this server's own: 499 and no words");
        assert_eq!(of(200, "<html>"), "lost an answer that is not this server's own: 200 \"<html>\"");
        assert_eq!(of(200, ""), "lost an answer that is not this server's own: 200 and no words");
        let alertmanager = Server::Alertmanager("a".into());
        assert_eq!(told(&alertmanager, 200, ""), "done null");
        assert_eq!(
            told(&alertmanager, 400, "\"start time must be before end time\""),
            "refused start time must be before end time"
        );
        assert_eq!(
            told(&alertmanager, 405, r#"{"code":405,"message":"not allowed"}"#),
            "refused not allowed"
        );
        let gateway = r#"{"message":"no"}"#;
        assert_eq!(
            told(&alertmanager, 403, gateway),
            format!("lost an answer that is not this server's own: 403 \"{gateway}\"")
        );
        assert_eq!(
            told(&alertmanager, 404, "404 page not found"),
            "lost an answer that is not this server's own: 404 \"404 page not found\""
        );
    }
}
