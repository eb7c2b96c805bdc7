//! How a source comes to its server: where the settings say, else where the cluster has one. Nothing waits for it but the source itself.

use std::time::Duration;

use super::clock::Clock;
use super::discover::{Scout, What};
use super::failure::{Backoff, Failure};
use super::http::Server;
use super::timing::Timing;
use super::voice::Voice;
use crate::config::{Endpoint, Where};

/// After so long it is looked again for what the cluster did not have.
const AGAIN: Duration = Duration::from_secs(300);

/// A way to one server; cheap to clone.
#[derive(Clone, Debug)]
pub struct Reach {
    what: What,
    endpoint: Endpoint,
    client: Client,
    scout: Scout,
    timing: Timing,
}

/// For requests through the API server.
#[derive(Clone)]
struct Client(kube::Client);

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Client")
    }
}

/// Why there is no server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unreached {
    /// Nobody named one, and the cluster has none: in words, with what to do.
    Nowhere(String),
    /// The way to it failed.
    Failed(Failure),
}

impl Reach {
    /// To what the endpoint names; without a place, to what the scout finds.
    pub fn new(what: What, endpoint: Endpoint, client: kube::Client, scout: Scout, timing: &Timing) -> Self {
        Self { what, endpoint, client: Client(client), scout, timing: timing.clone() }
    }

    /// The server, as soon as there is one; until then the voice says why there is none.
    pub async fn open(&self, voice: &mut Voice, clock: &Clock) -> Server {
        let mut backoff = Backoff::new(self.timing.clone());
        loop {
            match self.find().await {
                Ok(server) => {
                    voice.remark(server.remark());
                    return server;
                }
                Err(Unreached::Nowhere(why)) => {
                    voice.off(&why).await;
                    clock.sleep(AGAIN).await;
                }
                Err(Unreached::Failed(failure)) => {
                    voice.fail(&failure).await;
                    tokio::time::sleep(backoff.next(&failure)).await;
                }
            }
        }
    }

    /// The server, if there is one now.
    ///
    /// # Errors
    /// There is none, or it cannot be asked.
    pub async fn find(&self) -> Result<Server, Unreached> {
        let name = self.what.name();
        match &self.endpoint.place {
            Some(Where::At(address)) => Server::at(name, address, &self.endpoint, &self.timing).map_err(Unreached::Failed),
            Some(Where::In(service)) => Ok(Server::within(name, service, self.client.0.clone(), &self.timing)),
            None => self.look().await,
        }
    }

    async fn look(&self) -> Result<Server, Unreached> {
        let (flag, variable, _) = self.what.settings();
        let name = self.what.name();
        let help = format!("run `warroom init`, or give {flag} or {variable}");
        match self.scout.find(self.what).await {
            Ok(Some((service, server))) => Ok(server.remarked(format!("found: {service}"))),
            Ok(None) => {
                let looked = self.scout.catalog().await.map(|catalog| catalog.looked.clone()).unwrap_or_default();
                Err(Unreached::Nowhere(format!("no {name} found in the cluster (looked at {looked}): {help}")))
            }
            Err(failure) => Err(Unreached::Failed(failure.because(&format!("{name} is looked for in the cluster"), &help))),
        }
    }
}
