//! Questions to Prometheus and Alertmanager: bounded in time and size, and whatever is wrong with the answer is a sentence.

use reqwest::{Client, RequestBuilder, StatusCode, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::client::{AGENT, install_crypto, is_loopback};
use super::failure::{Failure, root};
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
        let mut answer = request.send().await.map_err(|error| self.lost(&error))?;
        let status = answer.status();
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|error| self.lost(&error))? {
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

    fn lost(&self, error: &reqwest::Error) -> Failure {
        if error.is_timeout() { Failure::silent(self.name, self.timing.metrics_answer) } else { Failure::unreachable(self.name, error) }
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
