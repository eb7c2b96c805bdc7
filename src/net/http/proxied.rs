//! A server of the cluster, through the API server's proxy of services: no address, no port-forward, only a
//! right.

use http::Request;
use kube::client::Body;
use serde::Deserialize;

use super::{Question, Reply, whole};
use crate::config::InCluster;
use crate::net::failure::Failure;
use crate::net::query::escaped;

/// See the module.
pub(super) struct Proxied {
    service: InCluster,
    client: kube::Client,
}

impl std::fmt::Debug for Proxied {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Proxied {}", self.service)
    }
}

/// `Status` of the API server, which tells its own refusals from those of the service.
#[derive(Deserialize)]
struct Status {
    kind: String,
    code: u16,
    #[serde(default)]
    message: String,
}

impl Proxied {
    pub(super) fn new(service: InCluster, client: kube::Client) -> Self {
        Self { service, client }
    }

    /// Always by GET: a POST would need the right to create, and would stand in the audit log as a change.
    pub(super) async fn send(&self, name: &str, question: &Question) -> Result<Reply, Failure> {
        let pairs: Vec<String> = question
            .pairs
            .iter()
            .map(|(key, value)| format!("{}={}", escaped(key), escaped(value)))
            .collect();
        let request = Request::get(format!("{}/{}?{}", self.service.path(), question.path, pairs.join("&")))
            .body(Body::empty());
        let request =
            request.map_err(|error| Failure::Rejected(format!("{name} cannot be asked: {error}")))?;
        let answer = self
            .client
            .send(request)
            .await
            .map_err(|error| Failure::unreachable("the API server", &error))?;
        whole(name, answer).await
    }

    /// The API server's own refusal, if this is one.
    pub(super) fn refusal(&self, name: &str, body: &[u8]) -> Option<Failure> {
        let status: Status =
            serde_json::from_slice(body).ok().filter(|status: &Status| status.kind == "Status")?;
        let service = &self.service;
        let said = status.message;
        Some(match status.code {
            401 => Failure::logged_out(),
            403 => Failure::Forbidden(format!(
                "the way to {name} through the API server is forbidden (403): ask for get on services/proxy in namespace {}, or give its own address",
                service.namespace
            )),
            404 => Failure::Rejected(format!("{name} is not at {service} of the cluster (404): {said}")),
            429 => Failure::Busy { message: format!("the API server answers 429: {said}"), wait: None },
            code => Failure::Lost(format!(
                "{name} cannot be reached at {service} of the cluster ({code}): {said}"
            )),
        })
    }
}
