//! What the load is and how it changes: no I/O, no clock.

use std::collections::VecDeque;

use super::object::{App, Kind, Object, PODS_OF_APP, PODS_OF_NODE, Pod};
use crate::sim::rng::Rng;

/// Changes that are remembered for watches that lag behind: a minute of 500 a second.
const HISTORY: usize = 30_000;
/// Pods that are unready at the same time, at most.
const UNREADY: usize = 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    Added,
    Modified,
    Deleted,
}

/// One change, at its version.
#[derive(Clone, Copy, Debug)]
pub(super) struct Change {
    pub(super) version: u64,
    pub(super) verb: Verb,
    pub(super) object: Object,
}

/// All pods and what happened last.
pub(super) struct Model {
    pods: Vec<Pod>,
    apps: Vec<App>,
    unready: VecDeque<usize>,
    serial: u64,
    version: u64,
    rng: Rng,
    history: VecDeque<Change>,
}

impl Model {
    pub(super) fn new(pods: usize) -> Self {
        let app = |place: usize| {
            let replicas = (pods - place * PODS_OF_APP).min(PODS_OF_APP);
            App { place, replicas, ready: replicas }
        };
        Self {
            pods: (0..pods)
                .map(|place| Pod { place, serial: place as u64, restarts: 0, ready: true })
                .collect(),
            apps: (0..pods.div_ceil(PODS_OF_APP)).map(app).collect(),
            unready: VecDeque::new(),
            serial: pods as u64,
            version: 1,
            rng: Rng::new(1),
            history: VecDeque::new(),
        }
    }

    pub(super) fn version(&self) -> u64 {
        self.version
    }

    /// Everything of a kind, in its order.
    pub(super) fn list(&self, kind: Kind) -> Vec<Object> {
        match kind {
            Kind::Pod => self.pods.iter().copied().map(Object::Pod).collect(),
            Kind::Deployment => self.apps.iter().copied().map(Object::Deployment).collect(),
            Kind::ReplicaSet => self.apps.iter().copied().map(Object::ReplicaSet).collect(),
            Kind::Node => (0..self.pods.len().div_ceil(PODS_OF_NODE)).map(Object::Node).collect(),
            Kind::Other => Vec::new(),
        }
    }

    /// What happened after a version; `None` when that is forgotten.
    pub(super) fn since(&self, version: u64) -> Option<impl Iterator<Item = &Change>> {
        let forgotten = self.history.front().is_some_and(|oldest| oldest.version > version + 1);
        let from = self.history.partition_point(|change| change.version <= version);
        (!forgotten).then(|| self.history.range(from..))
    }

    /// Changes one pod: it restarts, becomes unready or ready again, or is replaced by another.
    pub(super) fn touch(&mut self) {
        let place = usize::try_from(self.rng.below(self.pods.len() as u64)).unwrap_or_default();
        match self.rng.below(10) {
            0 => self.replace(place),
            1..5 => self.restart(place),
            _ if self.unready.len() < UNREADY && self.pods.get(place).is_some_and(|pod| pod.ready) => {
                self.unready.push_back(place);
                self.flip(place);
            }
            _ => {
                let place = self.unready.pop_front().unwrap_or(place);
                self.flip(place);
            }
        }
    }

    fn restart(&mut self, place: usize) {
        let Some(pod) = self.pods.get_mut(place) else { return };
        pod.restarts += 1;
        let pod = *pod;
        self.tell(Verb::Modified, Object::Pod(pod));
    }

    fn replace(&mut self, place: usize) {
        let Some(pod) = self.pods.get_mut(place) else { return };
        let old = *pod;
        *pod = Pod { serial: self.serial, restarts: 0, ..old };
        let new = *pod;
        self.serial += 1;
        self.tell(Verb::Deleted, Object::Pod(old));
        self.tell(Verb::Added, Object::Pod(new));
    }

    /// A pod's readiness changes, and with it what its controllers count.
    fn flip(&mut self, place: usize) {
        let (Some(pod), Some(app)) = (self.pods.get_mut(place), self.apps.get_mut(place / PODS_OF_APP))
        else {
            return;
        };
        pod.ready = !pod.ready;
        app.ready = if pod.ready { app.ready + 1 } else { app.ready - 1 };
        let pod = *pod;
        let app = *app;
        for object in [Object::Pod(pod), Object::ReplicaSet(app), Object::Deployment(app)] {
            self.tell(Verb::Modified, object);
        }
    }

    fn tell(&mut self, verb: Verb, object: Object) {
        self.version += 1;
        if self.history.len() >= HISTORY {
            self.history.pop_front();
        }
        self.history.push_back(Change { version: self.version, verb, object });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_of_ready_pods_follow_the_pods() {
        let mut load = Model::new(1_050);
        (0..5_000).for_each(|_| load.touch());
        for app in &load.apps {
            let of_app = load.pods.iter().filter(|pod| pod.place / PODS_OF_APP == app.place);
            assert_eq!(of_app.clone().count(), app.replicas);
            assert_eq!(of_app.filter(|pod| pod.ready).count(), app.ready);
        }
        assert!(load.pods.iter().filter(|pod| !pod.ready).count() <= UNREADY);
    }

    #[test]
    fn a_version_that_is_forgotten_is_told_as_such() {
        let mut load = Model::new(1_000);
        while load.version() < HISTORY as u64 + 100 {
            load.touch();
        }
        assert!(load.since(1).is_none());
        let from = load.version() - 10;
        let versions: Vec<_> = load.since(from).unwrap().map(|change| change.version).collect();
        assert_eq!(versions, (from + 1..=from + 10).collect::<Vec<_>>());
    }
}
