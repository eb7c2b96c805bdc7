//! What the simulated servers share: the cluster under its clock, the faults, the requests that were seen.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Identity;
use super::SeenRequest;
use super::cluster::Cluster;
use super::fault::Faults;
use crate::net::clock::Clock;

/// What the servers share.
pub(crate) struct Shared {
    pub(crate) clock: Clock,
    pub(crate) faults: Faults,
    pub(crate) identity: Identity,
    cluster: Mutex<Cluster>,
    seen: Mutex<Vec<SeenRequest>>,
}

impl Shared {
    pub(super) fn new(clock: Clock, identity: Identity, cluster: Cluster) -> Self {
        Self {
            clock,
            faults: Faults::default(),
            identity,
            cluster: Mutex::new(cluster),
            seen: Mutex::default(),
        }
    }

    /// The cluster as it is at this moment of simulated time.
    pub(crate) fn cluster(&self) -> MutexGuard<'_, Cluster> {
        let mut cluster = self.cluster.lock().unwrap_or_else(PoisonError::into_inner);
        cluster.advance_to(self.clock.now());
        cluster
    }

    pub(super) fn seen(&self) -> MutexGuard<'_, Vec<SeenRequest>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
