//! What the simulated API server keeps: objects, one counter of versions, and the history that watches and
//! page chains read. It knows nothing of controllers, requests or time beyond what it is handed.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, OnceLock};

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::kind::Kind;
use crate::sim::json::{text, timestamp};
use crate::sim::rng::Rng;

/// Changes kept for watches before the oldest are compacted away.
const HISTORY: usize = 20_000;

/// Namespace (empty for cluster-scoped kinds) and name.
pub(crate) type Key = (String, String);

/// An object as stored: without `kind` and `apiVersion`, as a real list carries it.
#[derive(Debug)]
pub(crate) struct Object {
    value: Value,
    json: OnceLock<Box<str>>,
}

impl Object {
    fn new(value: Value) -> Arc<Self> {
        Arc::new(Self { value, json: OnceLock::new() })
    }

    pub(crate) fn value(&self) -> &Value {
        &self.value
    }

    /// Its JSON text, written once.
    pub(crate) fn json(&self) -> &str {
        self.json.get_or_init(|| self.value.to_string().into())
    }

    pub(crate) fn key(&self) -> Key {
        (text(&self.value, "/metadata/namespace").to_owned(), text(&self.value, "/metadata/name").to_owned())
    }
}

/// One write.
#[derive(Debug)]
pub(crate) struct Change {
    pub(crate) version: u64,
    pub(crate) kind: &'static Kind,
    pub(crate) before: Option<Arc<Object>>,
    /// The new state, or the last one of a deleted object.
    pub(crate) object: Arc<Object>,
    pub(crate) deleted: bool,
}

/// The history does not reach back to the wanted version.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Expired {
    pub(crate) oldest: u64,
}

/// All objects by kind and key, and the changes that led to them.
pub(crate) struct Store {
    objects: BTreeMap<&'static str, BTreeMap<Key, Arc<Object>>>,
    version: u64,
    /// Changes up to and including this version are forgotten.
    compacted: u64,
    history: VecDeque<Change>,
    rng: Rng,
    changed: watch::Sender<u64>,
}

impl Store {
    pub(crate) fn new(rng: Rng) -> Self {
        let version = 1000;
        let objects = BTreeMap::new();
        let history = VecDeque::new();
        Self { objects, version, compacted: version, history, rng, changed: watch::Sender::new(version) }
    }

    /// The version of the last write.
    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    /// Shows the version of the last write, for those who wait for the next.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    pub(crate) fn get(&self, kind: &Kind, namespace: &str, name: &str) -> Option<&Arc<Object>> {
        self.objects.get(kind.name)?.get(&(namespace.to_owned(), name.to_owned()))
    }

    /// The objects of a kind in one namespace, by name; or in all, by namespace and name.
    pub(crate) fn list(&self, kind: &Kind, namespace: Option<&str>) -> impl Iterator<Item = &Arc<Object>> {
        let wanted = namespace.map(str::to_owned);
        let from = (wanted.clone().unwrap_or_default(), String::new());
        let range = self.objects.get(kind.name).map(|objects| objects.range(from..));
        range
            .into_iter()
            .flatten()
            .take_while(move |(key, _)| wanted.as_ref().is_none_or(|name| *name == key.0))
            .map(|(_, object)| object)
    }

    /// Adds an object under a new uid; what the server sets (uid, version, creation time, generation) is set
    /// here.
    pub(crate) fn create(
        &mut self,
        kind: &'static Kind,
        mut value: Value,
        now: DateTime<Utc>,
    ) -> Arc<Object> {
        let metadata = &mut value["metadata"];
        metadata["uid"] = json!(self.rng.uuid());
        if metadata["creationTimestamp"].is_null() {
            metadata["creationTimestamp"] = timestamp(now);
        }
        if kind.has_generation() && metadata["generation"].is_null() {
            metadata["generation"] = json!(1);
        }
        self.write(kind, None, value)
    }

    /// Changes an object through `edit`; says whether anything changed. A changed spec counts up the
    /// generation.
    pub(crate) fn update(
        &mut self,
        kind: &'static Kind,
        namespace: &str,
        name: &str,
        edit: impl FnOnce(&mut Value),
    ) -> bool {
        let Some(before) = self.get(kind, namespace, name).cloned() else { return false };
        let mut value = before.value.clone();
        edit(&mut value);
        if value == before.value {
            return false;
        }
        count_generation(kind, &before.value, &mut value);
        self.write(kind, Some(before), value);
        true
    }

    /// Removes an object at once.
    pub(crate) fn delete(&mut self, kind: &'static Kind, namespace: &str, name: &str) -> Option<Arc<Object>> {
        let before = self.objects.get_mut(kind.name)?.remove(&(namespace.to_owned(), name.to_owned()))?;
        let mut value = before.value.clone();
        self.version += 1;
        value["metadata"]["resourceVersion"] = json!(self.version.to_string());
        let object = Object::new(value);
        self.remember(Change {
            version: self.version,
            kind,
            before: Some(before),
            object: object.clone(),
            deleted: true,
        });
        Some(object)
    }

    /// The changes after `version`.
    pub(crate) fn since(&self, version: u64) -> Result<impl DoubleEndedIterator<Item = &Change>, Expired> {
        if version < self.compacted {
            return Err(Expired { oldest: self.compacted });
        }
        let first = self.history.partition_point(|change| change.version <= version);
        Ok(self.history.range(first..))
    }

    /// The objects of a kind as they were at `version`, from the first key after `after` on: what a chain of
    /// pages reads.
    pub(crate) fn snapshot(
        &self,
        kind: &Kind,
        version: u64,
        after: Option<&Key>,
    ) -> Result<BTreeMap<Key, Arc<Object>>, Expired> {
        let mut objects = self.objects.get(kind.name).cloned().unwrap_or_default();
        for change in self.since(version)?.rev().filter(|change| change.kind.name == kind.name) {
            match &change.before {
                Some(before) => objects.insert(before.key(), before.clone()),
                None => objects.remove(&change.object.key()),
            };
        }
        if let Some(after) = after {
            objects = objects.split_off(after);
            objects.remove(after);
        }
        Ok(objects)
    }

    /// Forgets the history: older versions are expired from now on.
    pub(crate) fn compact(&mut self) {
        self.version += 1;
        self.compacted = self.version;
        self.history.clear();
        self.changed.send_replace(self.version);
    }

    /// Every kind's objects, for a hash of all that is so.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&'static str, &Arc<Object>)> {
        self.objects.iter().flat_map(|(kind, objects)| objects.values().map(|object| (*kind, object)))
    }

    fn write(&mut self, kind: &'static Kind, before: Option<Arc<Object>>, mut value: Value) -> Arc<Object> {
        self.version += 1;
        value["metadata"]["resourceVersion"] = json!(self.version.to_string());
        let object = Object::new(value);
        self.objects.entry(kind.name).or_default().insert(object.key(), object.clone());
        self.remember(Change { version: self.version, kind, before, object: object.clone(), deleted: false });
        object
    }

    fn remember(&mut self, change: Change) {
        self.history.push_back(change);
        if self.history.len() > HISTORY
            && let Some(oldest) = self.history.pop_front()
        {
            self.compacted = oldest.version;
        }
        self.changed.send_replace(self.version);
    }
}

/// Counts the generation up when anything but metadata and status changed, as the server's strategies do.
pub(crate) fn count_generation(kind: &Kind, before: &Value, after: &mut Value) {
    if kind.has_generation() && before["spec"] != after["spec"] {
        let generation = before["metadata"]["generation"].as_i64().unwrap_or_default();
        after["metadata"]["generation"] = json!(generation + 1);
    }
}

#[cfg(test)]
mod tests {
    use super::super::kind::{POD, SERVICE};
    use super::*;

    fn store(names: &[&str]) -> Store {
        let mut store = Store::new(Rng::new(1));
        for name in names {
            store.create(
                &POD,
                json!({"metadata": {"namespace": "n", "name": name}, "spec": {}}),
                DateTime::UNIX_EPOCH,
            );
        }
        store
    }

    #[test]
    fn a_snapshot_undoes_what_came_after_it() {
        let mut store = store(&["a", "b"]);
        let version = store.version();
        store.delete(&POD, "n", "a");
        store.update(&POD, "n", "b", |pod| pod["spec"]["x"] = json!(1));
        store.create(&POD, json!({"metadata": {"namespace": "n", "name": "c"}}), DateTime::UNIX_EPOCH);
        let then = store.snapshot(&POD, version, None).unwrap();
        let names: Vec<_> = then.keys().map(|key| key.1.as_str()).collect();
        assert_eq!(names, ["a", "b"]);
        assert!(then.values().all(|pod| pod.value()["spec"]["x"].is_null()));
        assert_eq!(store.snapshot(&POD, version, Some(&("n".into(), "a".into()))).unwrap().len(), 1);
    }

    #[test]
    fn compacted_versions_are_expired() {
        let mut store = store(&["a"]);
        let version = store.version();
        assert!(store.since(version).is_ok());
        store.compact();
        assert_eq!(store.since(version).err(), Some(Expired { oldest: version + 1 }));
    }

    #[test]
    fn only_a_changed_spec_counts_the_generation_up() {
        let mut store = store(&["a"]);
        assert!(!store.update(&POD, "n", "a", |_| ()));
        store.update(&POD, "n", "a", |pod| pod["status"] = json!({"phase": "Running"}));
        assert_eq!(store.get(&POD, "n", "a").unwrap().value()["metadata"]["generation"], 1);
        store.update(&POD, "n", "a", |pod| pod["spec"]["x"] = json!(1));
        assert_eq!(store.get(&POD, "n", "a").unwrap().value()["metadata"]["generation"], 2);
        assert!(store.get(&SERVICE, "n", "a").is_none());
    }
}
