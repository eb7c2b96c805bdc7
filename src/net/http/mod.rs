//! Questions to Prometheus and Alertmanager: at an address, or in the cluster through the API server. Bounded
//! in time and size, and whatever is wrong with the answer is a sentence.

mod acting;
mod direct;
mod proxied;

use http::StatusCode;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::Deserialize;
use serde::de::DeserializeOwned;

pub use self::acting::clients;
use self::direct::Direct;
use self::proxied::Proxied;
use super::failure::{Failure, root};
use super::timing::Timing;
use crate::config::{Address, Endpoint, InCluster};
use crate::data::Problem;

/// The longest answer that is read.
const LONGEST: usize = 16 << 20;

/// Characters of a web page's title that are shown.
const TITLE: usize = 60;

/// A server that answers in JSON.
#[derive(Debug)]
pub struct Server {
    name: &'static str,
    way: Transport,
    timing: Timing,
    /// What is to be known of it although it answers.
    remark: Option<String>,
}

#[derive(Debug)]
enum Transport {
    Direct(Box<Direct>),
    Proxied(Proxied),
}

/// A question, before it is asked.
#[derive(Clone, Debug)]
pub struct Question {
    path: String,
    pairs: Vec<(String, String)>,
    /// Whether it may go as a form: queries can be longer than an address.
    form: bool,
}

/// An answer, before it is judged.
struct Reply {
    status: StatusCode,
    /// Where a redirect leads.
    location: Option<String>,
    body: Vec<u8>,
}

impl Server {
    /// Creates a server at a plain address: `name` is what it is called in sentences; the address may have a
    /// path, and credentials, which no message shows.
    pub fn new(name: &'static str, address: &str, timing: &Timing) -> Result<Self, Failure> {
        let wrong = |fault: Problem| Failure::Rejected(format!("{name}'s address is wrong: {fault}"));
        Self::at(name, &address.parse().map_err(wrong)?, &Endpoint::default(), timing)
    }

    /// Creates a server at an address, let in and encrypted as the endpoint says.
    pub fn at(
        name: &'static str,
        address: &Address,
        endpoint: &Endpoint,
        timing: &Timing,
    ) -> Result<Self, Failure> {
        let way = Transport::Direct(Box::new(Direct::new(name, address, endpoint, timing)?));
        let blind = endpoint
            .tls
            .insecure_skip_verify
            .then(|| "its certificate is not verified (insecure_skip_verify)".to_owned());
        Ok(Self { name, way, timing: timing.clone(), remark: blind })
    }

    /// Creates a server in the cluster, reached through the API server, with the rights of this client.
    pub fn within(name: &'static str, service: &InCluster, client: kube::Client, timing: &Timing) -> Self {
        Self {
            name,
            way: Transport::Proxied(Proxied::new(service.clone(), client)),
            timing: timing.clone(),
            remark: None,
        }
    }

    /// Adds a remark on the server.
    #[must_use]
    pub fn remarked(self, remark: String) -> Self {
        Self { remark: Some(remark), ..self }
    }

    /// Returns what is to be known of the server although it answers.
    pub fn remark(&self) -> Option<String> {
        self.remark.clone()
    }

    /// Creates a question by GET.
    pub fn get(&self, path: &str, query: &[(&str, &str)]) -> Question {
        Question {
            path: path.to_owned(),
            pairs: query.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
            form: false,
        }
    }

    /// Creates a question by POST, as a form.
    pub fn post(&self, path: &str, form: &[(&str, &str)]) -> Question {
        Question { form: true, ..self.get(path, form) }
    }

    /// Asks, and decodes the answer.
    pub async fn ask<T: DeserializeOwned>(&self, question: Question) -> Result<T, Failure> {
        let reply = async {
            match &self.way {
                Transport::Direct(direct) => direct.send(self.name, &question).await,
                Transport::Proxied(proxied) => proxied.send(self.name, &question).await,
            }
        };
        let reply = tokio::time::timeout(self.timing.metrics_answer, reply).await;
        let reply = reply.unwrap_or_else(|_| Err(Failure::silent(self.name, self.timing.metrics_answer)))?;
        if !reply.status.is_success() {
            return Err(self.refusal(&reply));
        }
        serde_json::from_slice(&reply.body).map_err(|error| self.garbage(&reply.body, &error))
    }

    fn refusal(&self, reply: &Reply) -> Failure {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Said {
            #[serde(alias = "message")]
            error: String,
            #[serde(default)]
            error_type: String,
        }
        if let Transport::Proxied(proxied) = &self.way
            && let Some(failure) = proxied.refusal(self.name, &reply.body)
        {
            return failure;
        }
        let name = self.name;
        let status = reply.status;
        let told: Option<Said> = serde_json::from_slice(&reply.body).ok();
        let understood =
            told.as_ref().is_some_and(|told| ["bad_data", "execution"].contains(&told.error_type.as_str()));
        let said = told.map(|told| format!(": {}", told.error)).unwrap_or_default();
        match status.as_u16() {
            300..=399 => self.redirected(reply),
            401 => Failure::Unauthenticated(match &self.way {
                Transport::Direct(direct) if direct.has_credentials() => {
                    format!("{name} does not accept the credentials of the settings (401)")
                }
                Transport::Direct(_) => format!(
                    "{name} wants credentials (401): run `warroom init`, or set bearer_token_file or basic"
                ),
                Transport::Proxied(_) => format!(
                    "{name} wants credentials (401), which the API server does not hand on: give its own address as url, and bearer_token_file or basic"
                ),
            }),
            403 => Failure::Forbidden(format!("{name} refuses to answer (403){said}")),
            400 | 422 if understood => Failure::Misasked(format!("{name} answers {status}{said}")),
            429 | 500.. => Failure::Busy { message: format!("{name} answers {status}{said}"), wait: None },
            _ => Failure::Rejected(format!(
                "{name} answers {status}{said}; is this the address of {name} itself?"
            )),
        }
    }

    /// A redirect is not followed: it leads to a login, or to where the settings should lead.
    fn redirected(&self, reply: &Reply) -> Failure {
        let whole = reply.location.as_deref().unwrap_or("nowhere");
        // What stands behind the question mark may be a secret of its own.
        let location = whole.split(['?', '#']).next().unwrap_or_default();
        let login = ["login", "signin", "sign_in", "oauth", "oidc", "auth", "sso", "saml", "accounts."];
        let why = if login.iter().any(|word| whole.to_lowercase().contains(word)) {
            "it wants a login in a browser: give an address behind it, or a bearer token"
        } else {
            "set that address instead, if it is the same"
        };
        Failure::Rejected(format!("{} redirects to {location} ({}): {why}", self.name, reply.status.as_u16()))
    }

    fn garbage(&self, body: &[u8], error: &serde_json::Error) -> Failure {
        let name = self.name;
        let start = String::from_utf8_lossy(&body[..body.len().min(4096)]);
        if start.trim_start().starts_with('<') {
            let title = title(&start).map(|title| format!(" (“{title}”)")).unwrap_or_default();
            return Failure::Lost(format!(
                "{name} answers with a web page instead of JSON{title}: is this its address, and does it want a login?"
            ));
        }
        Failure::Lost(format!("{name}'s answer cannot be read: {error}"))
    }
}

/// The title of a web page.
fn title(page: &str) -> Option<String> {
    let from = page.to_ascii_lowercase().find("<title>")? + "<title>".len();
    let words: Vec<&str> = page.get(from..)?.split('<').next()?.split_whitespace().collect();
    let title: String = words.join(" ").chars().take(TITLE).collect();
    (!title.is_empty()).then_some(title)
}

/// Reads an answer to its end, if that is not too far.
async fn whole<B>(name: &str, answer: http::Response<B>) -> Result<Reply, Failure>
where
    B: http_body::Body,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let (head, body) = answer.into_parts();
    let location =
        head.headers.get(http::header::LOCATION).and_then(|to| to.to_str().ok()).map(str::to_owned);
    let body = Limited::new(body, LONGEST).collect().await.map_err(|error| {
        match error.downcast_ref::<LengthLimitError>() {
            Some(_) => Failure::Lost(format!("{name}'s answer is longer than {} MiB", LONGEST >> 20)),
            None => Failure::Lost(format!("{name}'s answer broke off: {}", root(error.as_ref()))),
        }
    })?;
    Ok(Reply { status: head.status, location, body: body.to_bytes().into() })
}

#[cfg(test)]
mod tests;
