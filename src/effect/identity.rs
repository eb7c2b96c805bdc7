//! What a cluster is known by, whatever its address: an address may lead elsewhere tomorrow.
//!
//! It is the uid of the namespace `kube-system`, which lives as long as the cluster; where that may not be
//! read, the digest of the authority that signed the server's certificate; else the address, and then that is
//! said.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::mpsc;

use super::caller::{Caller, Unread};
use super::clusters::{Cluster, Clusters};
use crate::clean::Clean;
use crate::event::{ContextId, Event, Fact, Target};
use crate::runtime::orphans::Reached;
use crate::step::text;

const NAMESPACE: &str = "/api/v1/namespaces/kube-system";

/// Why it cannot be told now which cluster answers.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Untold {
    /// Nobody answers, or not this server.
    #[error(transparent)]
    Unread(#[from] Unread),
    /// The answer is to another question.
    #[error("the answer is of something else than namespace kube-system")]
    Foreign,
}

/// Which cluster answers in which context, as far as it was told. Cheap to clone; clones share it.
#[derive(Clone)]
pub(super) struct Identities {
    events: mpsc::Sender<Event>,
    told: Arc<Mutex<BTreeMap<ContextId, Clean>>>,
}

impl Identities {
    pub(super) fn new(events: mpsc::Sender<Event>) -> Self {
        Self { events, told: Arc::default() }
    }

    /// What a cluster is known by now; that is told once, and again when another one answers.
    ///
    /// # Errors
    /// It cannot be told now.
    pub(super) async fn of(&self, cluster: &Cluster, caller: &Caller) -> Result<Clean, Untold> {
        let known = identity(caller, cluster.authority.as_ref(), &cluster.address).await?;
        let before =
            self.told.lock().unwrap_or_else(PoisonError::into_inner).insert(cluster.id, known.clone());
        if before.as_ref() != Some(&known) {
            // the session is over
            let _ = self.events.send(Event::Identity { context: cluster.id, identity: known.clone() }).await;
        }
        Ok(known)
    }
}

/// The cluster that a target was bound to, and how what answers there now is asked.
pub(super) struct Meant<'a> {
    pub(super) identities: &'a Identities,
    pub(super) cluster: &'a Cluster,
    pub(super) caller: Caller,
    pub(super) target: &'a Target,
}

impl Meant<'_> {
    /// Whether what answers there now is the cluster that was meant; `None` where that cannot be told.
    pub(super) async fn same(&self) -> Option<bool> {
        let now = self.identities.of(self.cluster, &self.caller).await.ok()?;
        let Target { identity, cluster, .. } = self.target;
        // Intents of releases that knew no identity are bound to the address.
        if identity.is_empty() { Some(self.cluster.address == *cluster) } else { same(identity, &now) }
    }
}

/// Returns the identity of each of these clusters now; empty where none answers.
pub async fn reached(clusters: &Clusters, deadline: Duration) -> Vec<Reached> {
    let one = async |cluster: &Cluster| {
        let caller = Caller::of_cluster(&cluster.reader, deadline);
        let identity =
            identity(&caller, cluster.authority.as_ref(), &cluster.address).await.unwrap_or_default();
        Reached { address: cluster.address.clone(), identity }
    };
    futures::future::join_all(clusters.all().map(one)).await
}

/// What the cluster behind this caller is known by now.
///
/// # Errors
/// It cannot be told now, because nobody answers.
async fn identity(caller: &Caller, authority: Option<&Clean>, address: &Clean) -> Result<Clean, Untold> {
    let fallback = || match authority {
        Some(digest) => format!("ca:{digest}"),
        None => format!("address:{address}"),
    };
    match caller.get(NAMESPACE).await.read() {
        Ok(namespace) if is_it(&namespace) => Ok(format!("uid:{}", text(&namespace, "/metadata/uid")).into()),
        Ok(_) => Err(Untold::Foreign),
        Err(Unread::Refused(refused)) if matches!(refused.code, 403 | 404) => Ok(fallback().into()),
        Err(why) => Err(why.into()),
    }
}

fn is_it(namespace: &Value) -> bool {
    let of = |at: &str| text(namespace, at);
    of("/kind") == "Namespace" && of("/metadata/name") == "kube-system" && !of("/metadata/uid").is_empty()
}

/// Whether two identities are of one cluster; `None` where they were told in different ways, or one is not
/// known.
fn same(one: &str, other: &str) -> Option<bool> {
    let way = |identity: &str| identity.split_once(':').map(|(way, _)| way.to_owned());
    (way(one).is_some() && way(one) == way(other)).then(|| one == other)
}

/// What is to be said of a cluster that is not known by its uid, or not known.
pub(super) fn doubt(identity: &Result<Clean, Untold>) -> Option<Fact> {
    let warn = |words: &str| Some(Fact::warn("cluster", words));
    match identity.as_ref().map(|identity| identity.split_once(':')) {
        Ok(Some(("uid", _))) => None,
        Ok(Some(("ca", _))) => {
            warn("known by its certificate authority only: namespace kube-system may not be read")
        }
        Ok(_) => warn(
            "known by its address only: namespace kube-system may not be read, and no authority is given",
        ),
        Err(why) => Some(Fact::unknown("cluster", &why.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Weight;

    #[test]
    fn only_what_was_told_in_the_same_way_can_differ() {
        assert_eq!(same("uid:a", "uid:a"), Some(true));
        assert_eq!(same("uid:a", "uid:b"), Some(false));
        assert_eq!(same("uid:a", "ca:b"), None);
        assert_eq!(same("", "uid:a"), None);
        let weight =
            |identity: Result<&str, Untold>| doubt(&identity.map(Clean::from)).map(|fact| fact.weight);
        assert_eq!((weight(Ok("uid:a")), weight(Ok("ca:a"))), (None, Some(Weight::Warn)));
        assert_eq!(
            (weight(Ok("address:a")), weight(Err(Untold::Foreign))),
            (Some(Weight::Warn), Some(Weight::Unknown))
        );
    }
}
