//! `services/proxy`: the simulated Prometheus and Alertmanager through the simulated API server.

use axum::http::Method;
use axum::response::Response;
use bytes::Bytes;
use serde_json::Value;

use super::auth;
use super::status::Status;
use super::target::Target;
use crate::sim::cluster::chart::{ALERTMANAGER, PROMETHEUS};
use crate::sim::cluster::kind::SERVICE;
use crate::sim::request::{Query, reply};
use crate::sim::shared::Shared;
use crate::sim::{alertmanager, prometheus};

/// A path below `…/services/[SCHEME:]NAME:PORT/proxy`.
pub(super) struct Proxied<'a> {
    target: Target,
    port: &'a str,
    path: String,
}

impl<'a> Proxied<'a> {
    /// Reads a path; nothing where it is no proxy's.
    pub(super) fn parse(path: &'a str) -> Option<Self> {
        let (namespace, rest) = path.strip_prefix("/api/v1/namespaces/")?.split_once("/services/")?;
        let (service, rest) = rest.split_once("/proxy").filter(|(service, _)| !service.contains('/'))?;
        let service =
            ["http:", "https:"].iter().find_map(|scheme| service.strip_prefix(scheme)).unwrap_or(service);
        let (name, port) = service.split_once(':').unwrap_or((service, ""));
        let target = Target {
            kind: &SERVICE,
            namespace: Some(namespace.to_owned()),
            name: Some(name.to_owned()),
            subresource: Some("proxy".to_owned()),
        };
        Some(Self { target, port, path: if rest.is_empty() { "/".to_owned() } else { rest.to_owned() } })
    }

    /// What the service answers, or why it is not reached.
    pub(super) fn answer(
        &self,
        shared: &Shared,
        method: &Method,
        query: &Query,
        body: &Bytes,
    ) -> Result<Response, Status> {
        auth::check(shared.identity, method, &self.target, query)?;
        let mut cluster = shared.cluster();
        let name = self.target.name.as_deref().unwrap_or_default();
        let service = cluster
            .store
            .get(&SERVICE, self.target.namespace(), name)
            .ok_or_else(|| Status::not_found(&self.target))?;
        let ports =
            service.value().pointer("/spec/ports").and_then(Value::as_array).cloned().unwrap_or_default();
        let known = ports
            .iter()
            .any(|port| port["port"].as_u64() == self.port.parse().ok() || port["name"] == self.port);
        if !known {
            return Err(Status::new(
                503,
                "ServiceUnavailable",
                format!("no service port \"{}\" found for service \"{name}\"", self.port),
            ));
        }
        match name {
            PROMETHEUS => {
                let form = Query::parse(std::str::from_utf8(body).unwrap_or_default());
                Ok(prometheus::answer(&cluster, method, &self.path, &query.clone().and(form)))
            }
            ALERTMANAGER => Ok(alertmanager::answer(&mut cluster, method, &self.path, query, body)),
            _ => Ok(reply::text(404, "404 page not found\n")),
        }
    }
}
