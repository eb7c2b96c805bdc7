//! From a kubeconfig, or a plain address, to a [`Connection`]. Whatever is wrong is said before the screen is
//! taken.

use std::sync::Arc;

use super::client::{ReloadingClient, Role};
use super::clock::Clock;
use super::error::ConnectError;
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

/// The clusters of a session: the main one, and those beside it, as far as there is a way to them.
#[derive(Clone)]
pub struct Contexts {
    /// The cluster that Prometheus, Alertmanager and Kafka belong to.
    pub main: Connection,
    /// The others, in the order of their [`ContextId`]s.
    pub beside: Vec<Result<Connection, NoWay>>,
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
        Self { main, beside: Vec::new(), led_by_another: false }
    }
}

impl Contexts {
    /// All of them, each with what it is called where there is little room.
    pub fn all(&self) -> impl Iterator<Item = (ContextId, Clean, Result<&Connection, &NoWay>)> {
        let ways = || std::iter::once(Ok(&self.main)).chain(self.beside.iter().map(Result::as_ref));
        let names: Vec<Clean> =
            ways().map(|way| way.map_or_else(|no| no.context.clone(), |one| one.context.clone())).collect();
        (0..).map(ContextId).zip(labels(&names)).zip(ways()).map(|((id, label), way)| (id, label, way))
    }

    /// Those that there is a way to.
    pub fn connections(&self) -> impl Iterator<Item = &Connection> {
        std::iter::once(&self.main).chain(self.beside.iter().flatten())
    }
}

/// Connects to all of them at once. One that there is no way to now leaves the others; where it is the main
/// one, the first of the others is that instead ([`Contexts::led_by_another`]).
///
/// # Errors
/// There is no way to any, or the kubeconfig does not know one: that is a mistake in what was asked for.
pub async fn connect_all(
    main: &ConnectSettings,
    beside: &[ConnectSettings],
    timing: &Timing,
) -> Result<Contexts, ConnectError> {
    let all: Vec<&ConnectSettings> = std::iter::once(main).chain(beside).collect();
    let mut ways = futures::future::join_all(all.iter().map(|settings| connect(settings, timing))).await;
    let first = ways.iter().position(Result::is_ok).unwrap_or(0);
    let main = ways.remove(first)?;
    let way = |(way, settings): (Result<Connection, ConnectError>, &ConnectSettings)| match way {
        Ok(connection) => Ok(Ok(connection)),
        Err(
            why @ (ConnectError::Incomplete { .. } | ConnectError::Credentials(_) | ConnectError::Proxy(_)),
        ) => {
            let context = Clean::new(settings.context.as_deref().unwrap_or_default());
            Ok(Err(NoWay { context, why: Clean::new(&why.to_string()) }))
        }
        Err(mistake) => Err(mistake),
    };
    let others =
        all.into_iter().enumerate().filter(|(place, _)| *place != first).map(|(_, settings)| settings);
    Ok(Contexts {
        main,
        beside: ways.into_iter().zip(others).map(way).collect::<Result<_, _>>()?,
        led_by_another: first > 0,
    })
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
