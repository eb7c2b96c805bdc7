//! How a source comes to its server: where the settings say, else where the cluster has one. Nothing waits
//! for it but the source itself.

use super::discovery::{Discovery, ServiceKind};
use super::failure::Failure;
use super::http::{self, Server};
use super::timing::Timing;
use crate::clean::Clean;
use crate::config::{Endpoint, InCluster, Where};

/// Resolver of one server's address; cheap to clone.
#[derive(Clone, Debug)]
pub struct Resolver {
    what: ServiceKind,
    endpoint: Endpoint,
    discovery: Discovery,
}

/// Why there is no server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreached {
    /// None is named, and the cluster has none: in words, with what to do.
    #[error("{0}")]
    Nowhere(String),
    /// The server could not be reached.
    #[error("{0}")]
    Failed(#[from] Failure),
}

/// The two clients of a server, for what changes something at it.
#[derive(Clone)]
pub struct Clients {
    /// Client that reads.
    pub reader: kube::Client,
    /// Client that makes changes: it sends each request once.
    pub writer: kube::Client,
    /// Prefix of every request's path.
    pub prefix: String,
    /// Place of the server, without credentials: an address, or a service of the cluster.
    pub place: Clean,
}

impl Resolver {
    /// Creates a resolver of what the endpoint names; without a place, to what the discovery finds.
    pub fn new(what: ServiceKind, endpoint: Endpoint, discovery: Discovery) -> Self {
        Self { what, endpoint, discovery }
    }

    /// Returns the periods and deadlines of requests.
    pub fn timing(&self) -> &Timing {
        &self.discovery.timing
    }

    /// Finds the server.
    ///
    /// # Errors
    /// There is none, or it cannot be asked.
    pub async fn find(&self) -> Result<Server, Unreached> {
        let name = self.what.name();
        match &self.endpoint.place {
            Some(Where::At(address)) => {
                Server::at(name, address, &self.endpoint, &self.discovery.timing).map_err(Unreached::Failed)
            }
            Some(Where::In(service)) => {
                Ok(Server::within(name, service, self.discovery.client.clone(), &self.discovery.timing))
            }
            None => self.look().await.map(|(service, server)| server.remarked(format!("found: {service}"))),
        }
    }

    /// Returns the clients of the server: the cluster's own where it is reached through the API server, else
    /// two of its own address.
    ///
    /// # Errors
    /// There is none, or its address or credentials cannot be used.
    pub async fn clients(&self, reader: &kube::Client, writer: &kube::Client) -> Result<Clients, Unreached> {
        let service = match &self.endpoint.place {
            Some(Where::At(address)) => {
                let (reader, writer) =
                    http::clients(self.what.name(), address, &self.endpoint, &self.discovery.timing).await?;
                return Ok(Clients {
                    reader,
                    writer,
                    prefix: String::new(),
                    place: Clean::new(&address.to_string()),
                });
            }
            Some(Where::In(service)) => service.clone(),
            None => self.look().await?.0,
        };
        let reader = reader.clone();
        let writer = writer.clone();
        Ok(Clients { reader, writer, prefix: service.path(), place: Clean::new(&service.to_string()) })
    }

    async fn look(&self) -> Result<(InCluster, Server), Unreached> {
        let (flag, variable, _) = self.what.settings();
        let name = self.what.name();
        let help = format!("run `warroom init`, or give {flag} or {variable}");
        match self.discovery.find(self.what).await {
            Ok(Some(found)) => Ok(found),
            Ok(None) => {
                let looked =
                    self.discovery.catalog().await.map(|catalog| catalog.looked.clone()).unwrap_or_default();
                Err(Unreached::Nowhere(format!(
                    "no {name} found in the cluster (looked at {looked}): {help}"
                )))
            }
            Err(failure) => Err(Unreached::Failed(
                failure.because(&format!("{name} is looked for in the cluster"), &help),
            )),
        }
    }
}
