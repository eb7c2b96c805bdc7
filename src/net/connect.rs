//! From a kubeconfig, or a plain address, to a [`Connection`]. Whatever is wrong is said before the screen is
//! taken.

use std::sync::Arc;

use super::client::{ReloadingClient, Role};
use super::clock::Clock;
use super::connect_error::ConnectError;
use super::kubeconfig::Chosen;
pub use super::kubeconfig::ConnectSettings;
use super::timing::Timing;
use crate::clean::Clean;
use crate::event::{ContextId, labels};

/// A cluster, and the two clients that speak with it. Bound once: nothing later asks the kubeconfig what is
/// current.
#[derive(Clone)]
pub struct Connection {
    /// For everything that reads.
    pub reader: kube::Client,
    /// For what changes something: sends each request once, on a connection of its own.
    pub writer: kube::Client,
    /// The context's name.
    pub context: Clean,
    /// The server's address; part of every target.
    pub cluster: Clean,
    /// The digest of the authority that its certificate is held against, where the kubeconfig gives one.
    pub authority: Option<Clean>,
    /// The namespace that the context names.
    pub namespace: Option<Clean>,
    /// The context's user, as the kubeconfig calls it.
    pub user: Option<Clean>,
    /// What both clients speak through; follows the kubeconfig.
    pub line: Arc<ReloadingClient>,
}

/// The clusters of a session, as far as there is a way to them.
#[derive(Clone)]
pub struct Contexts {
    /// Those that there is a way to; the first is the main one, and always there.
    reached: Vec<(ContextId, Connection)>,
    /// Those that there is none to.
    pub unreached: Vec<(ContextId, NoWay)>,
    /// The main one is not the one that was asked for: there was no way to that.
    pub led_by_another: bool,
}

/// A context that is looked at, and why there is no way to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoWay {
    /// Its name.
    pub context: Clean,
    /// Why.
    pub why: Clean,
}

impl From<Connection> for Contexts {
    fn from(main: Connection) -> Self {
        Self { reached: vec![(ContextId::MAIN, main)], unreached: Vec::new(), led_by_another: false }
    }
}

impl Contexts {
    /// The cluster that Prometheus, Alertmanager and Kafka belong to.
    pub fn main(&self) -> &Connection {
        &self.reached[0].1
    }

    /// All of them in the order of their ids, each with what it is called where there is little room.
    pub fn all(&self) -> impl Iterator<Item = (ContextId, Clean, Result<&Connection, &NoWay>)> {
        let reached = self.reached.iter().map(|(id, one)| (*id, &one.context, Ok(one)));
        let unreached = self.unreached.iter().map(|(id, no)| (*id, &no.context, Err(no)));
        let mut all: Vec<_> = reached.chain(unreached).collect();
        all.sort_by_key(|(id, ..)| *id);
        let names: Vec<Clean> = all.iter().map(|(_, name, _)| (*name).clone()).collect();
        all.into_iter().zip(labels(&names)).map(|((id, _, way), label)| (id, label, way))
    }

    /// Whether there are others than the main one.
    pub fn several(&self) -> bool {
        self.reached.len() + self.unreached.len() > 1
    }

    /// Those that there is a way to.
    pub fn connections(&self) -> impl Iterator<Item = &Connection> {
        self.reached.iter().map(|(_, one)| one)
    }
}

/// Connects to all of them at once. One that there is no way to now leaves the others; where it is the first,
/// which is the main one, the first that there is a way to is that instead ([`Contexts::led_by_another`]).
///
/// # Errors
/// There is no way to any, or the kubeconfig does not know one: that is a mistake in what was asked for.
pub async fn connect_all(wanted: &[ConnectSettings], timing: &Timing) -> Result<Contexts, ConnectError> {
    let ways = futures::future::join_all(wanted.iter().map(|settings| connect(settings, timing))).await;
    let mut ways: Vec<_> = ways.into_iter().zip(wanted).collect();
    let first = ways.iter().position(|(way, _)| way.is_ok()).unwrap_or(0);
    ways[..=first].rotate_right(1);
    let (mut reached, mut unreached) = (Vec::new(), Vec::new());
    for (id, (way, settings)) in (0..).map(ContextId).zip(ways) {
        match way {
            Ok(connection) => reached.push((id, connection)),
            Err(
                why @ (ConnectError::Incomplete { .. }
                | ConnectError::Credentials(_)
                | ConnectError::Proxy(_)),
            ) if !reached.is_empty() => {
                let context = Clean::new(settings.context.as_deref().unwrap_or_default());
                unreached.push((id, NoWay { context, why: Clean::new(&why.to_string()) }));
            }
            Err(mistake) => return Err(mistake),
        }
    }
    Ok(Contexts { reached, unreached, led_by_another: first > 0 })
}

/// Chooses the cluster and builds its clients. A credential plugin is run here, so this may take as long as
/// it takes.
pub async fn connect(settings: &ConnectSettings, timing: &Timing) -> Result<Connection, ConnectError> {
    let chosen = Chosen::find(settings).await?;
    let context = Clean::new(&chosen.context);
    let namespace = chosen.namespace.clone();
    let user = chosen.user.clone();
    let cluster = chosen.config.cluster_url.to_string();
    let authority = chosen.config.root_cert.as_ref().map(|certificates| digest(certificates));
    let line = ReloadingClient::open(settings, chosen, Clock::system(), timing).await?;
    Ok(Connection {
        reader: line.client(Role::Reader),
        writer: line.client(Role::Writer),
        context,
        cluster: Clean::new(cluster.trim_end_matches('/')),
        authority,
        namespace: namespace.as_deref().map(Clean::new),
        user: user.as_deref().map(Clean::new),
        line,
    })
}

/// blake3 of certificates, hexadecimal.
fn digest(certificates: &[Vec<u8>]) -> Clean {
    let mut hasher = blake3::Hasher::new();
    for certificate in certificates {
        hasher.update(certificate);
    }
    Clean::new(&hasher.finalize().to_hex())
}

#[cfg(test)]
mod tests;
