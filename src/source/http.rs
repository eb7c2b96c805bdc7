//! Questions to Prometheus and Alertmanager: bounded in time and size, and whatever is wrong with the answer is a sentence.

use reqwest::{Client, RequestBuilder, StatusCode, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::client::{AGENT, install_crypto};
use super::failure::{Failure, root};
use super::proxy::is_loopback;
use super::timing::Timing;

/// The longest answer that is read.
const LONGEST: usize = 16 << 20;

/// A server that answers in JSON.
#[derive(Debug)]
pub struct Server {
    name: &'static str,
    base: Url,
    client: Client,
    timing: Timing,
}

impl Server {
    /// `name` is what it is called in sentences; the address may have a path, and credentials, which no message shows.
    pub fn new(name: &'static str, address: &str, timing: &Timing) -> Result<Self, Failure> {
        install_crypto();
        let wrong = |why: String| Failure::Rejected(format!("{name}'s address is wrong: {why}; it looks like http://host:9090"));
        let base = Url::parse(address).map_err(|error| wrong(error.to_string()))?;
        let host = base.host_str().ok_or_else(|| wrong("it has no host".into()))?;
        let builder = Client::builder().user_agent(AGENT).connect_timeout(timing.connect).timeout(timing.metrics_answer);
        let builder = if is_loopback(host) { builder.no_proxy() } else { builder };
        let client = builder.build().map_err(|error| Failure::Rejected(format!("{name} cannot be asked: {}", root(&error))))?;
        Ok(Self { name, base, client, timing: timing.clone() })
    }

    /// A question by GET.
    pub fn get(&self, path: &str, query: &[(&str, &str)]) -> RequestBuilder {
        self.client.get(self.url(path)).query(query)
    }

    /// A question by POST, as a form: queries can be longer than an address.
    pub fn post(&self, path: &str, form: &[(&str, &str)]) -> RequestBuilder {
        self.client.post(self.url(path)).form(form)
    }

    /// The answer.
    pub async fn ask<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, Failure> {
        let mut answer = request.send().await.map_err(|error| self.lost(error))?;
        let status = answer.status();
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|error| self.lost(error))? {
            if body.len() + chunk.len() > LONGEST {
                return Err(Failure::Lost(format!("{}'s answer is longer than {} MiB", self.name, LONGEST >> 20)));
            }
            body.extend_from_slice(&chunk);
        }
        if !status.is_success() {
            return Err(self.refusal(status, &body));
        }
        serde_json::from_slice(&body).map_err(|error| self.garbage(&body, &error))
    }

    fn url(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("{}/{path}", self.base.path().trim_end_matches('/')));
        url
    }

    fn lost(&self, error: reqwest::Error) -> Failure {
        if error.is_timeout() {
            Failure::silent(self.name, self.timing.metrics_answer)
        } else {
            Failure::unreachable(self.name, &error.without_url())
        }
    }

    fn refusal(&self, status: StatusCode, body: &[u8]) -> Failure {
        #[derive(Deserialize)]
        struct Said {
            error: String,
        }
        let name = self.name;
        let said = serde_json::from_slice(body).map(|said: Said| format!(": {}", said.error)).unwrap_or_default();
        match status.as_u16() {
            401 => {
                Failure::Unauthenticated(format!("{name} wants credentials (401): put them into its address, https://user:password@host"))
            }
            403 => Failure::Forbidden(format!("{name} refuses to answer (403){said}")),
            429 | 500.. => Failure::Busy { message: format!("{name} answers {status}{said}"), wait: None },
            _ => Failure::Rejected(format!("{name} answers {status}{said}; is this the address of {name} itself?")),
        }
    }

    fn garbage(&self, body: &[u8], error: &serde_json::Error) -> Failure {
        let name = self.name;
        let start = String::from_utf8_lossy(&body[..body.len().min(64)]);
        if start.trim_start().starts_with('<') {
            return Failure::Lost(format!(
                "{name} answers with a web page instead of JSON: is this its address, and does it want a login?"
            ));
        }
        Failure::Lost(format!("{name}'s answer cannot be read: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::Body;
    use axum::http::Response;
    use axum::routing::any;

    use super::*;

    /// A question to a server that gives this answer, or none.
    async fn ask(answer: Option<(u16, Vec<u8>)>) -> Result<Vec<u32>, Failure> {
        let reply = any(move || async move {
            let Some((status, body)) = answer else { return std::future::pending().await };
            Response::builder().status(status).body(Body::from(body)).unwrap()
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://me:s3cret@{}/prefix/", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, Router::new().route("/prefix/api", reply)).await });
        let server = Server::new("Prometheus", &address, &Timing::scaled(0.1)).unwrap();
        server.ask(server.get("api", &[])).await
    }

    #[tokio::test]
    async fn whatever_is_wrong_with_an_answer_is_a_sentence() {
        let text = |status: u16, body: &str| Some((status, body.as_bytes().to_vec()));
        let cases = [
            (
                text(200, "<!DOCTYPE html>"),
                "Prometheus answers with a web page instead of JSON: is this its address, and does it want a login?",
            ),
            (text(200, "{"), "Prometheus's answer cannot be read: invalid type: map"),
            (text(401, ""), "Prometheus wants credentials (401)"),
            (text(403, r#"{"error":"not you"}"#), "Prometheus refuses to answer (403): not you"),
            (text(404, ""), "Prometheus answers 404 Not Found; is this the address of Prometheus itself?"),
            (text(422, r#"{"status":"error","error":"too many points"}"#), "Prometheus answers 422 Unprocessable Entity: too many points"),
            (text(503, "<html>"), "Prometheus answers 503 Service Unavailable"),
            (Some((200, vec![b' '; LONGEST + 1])), "Prometheus's answer is longer than 16 MiB"),
            (None, "Prometheus has been silent for 1 s"),
        ];
        for (answer, expected) in cases {
            let said = ask(answer).await.unwrap_err().to_string();
            assert!(said.starts_with(expected), "{said}");
        }
        assert_eq!(ask(text(200, "[1, 2]")).await, Ok(vec![1, 2]));
    }

    #[tokio::test]
    async fn nobody_there_and_a_wrong_address_are_told_without_the_password() {
        let server = Server::new("Prometheus", "http://me:s3cret@127.0.0.1:1", &Timing::default()).unwrap();
        let said = server.ask::<u32>(server.get("api", &[])).await.unwrap_err().to_string();
        assert!(said.starts_with("cannot reach Prometheus: Connection refused") && !said.contains("s3cret"), "{said}");
        assert!(Server::new("Prometheus", "localhost:9090", &Timing::default()).unwrap_err().to_string().contains("it has no host"));
    }
}
