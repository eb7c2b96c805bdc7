//! Who looks at which clusters, with which rules.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{ContextId, Guardrail, Target};
use crate::clean::Clean;

/// What the program is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// A real cluster.
    Live,
    /// The simulated one.
    Demo,
}

/// Who looks at which clusters, with which rules. Everything that [`reduce`](crate::reduce) needs of the
/// settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "Recorded", into = "Recorded")]
pub struct Session {
    /// Live or demo.
    pub mode: Mode,
    /// The contexts, each at the place of its [`ContextId`]: the main one first, and always there.
    pub contexts: Vec<ContextInfo>,
    /// The namespaces watched when it began; none is all of them.
    pub namespaces: Vec<Clean>,
    /// The person, as this machine knows them.
    pub actor: Clean,
    /// `true`: no command is run in a container, not even to read.
    pub no_exec: bool,
    /// How long arming lasts, in minutes.
    pub arm_minutes: u32,
    /// The share of failing requests that counts as trouble, 0..1.
    pub threshold: f64,
    /// The same of services that have their own.
    pub thresholds: BTreeMap<Clean, f64>,
    /// How Kafka is read: `exec`, `brokers` or `prometheus`; empty: not at all.
    pub kafka: Clean,
    /// What is forbidden where and when, or asks for more than a key.
    pub guardrails: Vec<Guardrail>,
    /// warroom's version.
    pub version: Clean,
}

/// A context of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContextInfo {
    /// Its place.
    pub id: ContextId,
    /// Its name.
    pub context: Clean,
    /// What its rows are called by: the part of the name that differs from the others'.
    pub label: Clean,
    /// Its cluster's address, part of every target; empty where there is no way to it.
    pub cluster: Clean,
    /// `true`: cannot be armed.
    pub read_only: bool,
}

impl Session {
    /// The context that Prometheus, Alertmanager and Kafka belong to.
    pub fn main(&self) -> &ContextInfo {
        &self.contexts[0]
    }

    /// The share of a service's requests that counts as trouble when they fail, 0..1.
    pub fn threshold_of(&self, service: &str) -> f64 {
        self.thresholds.get(service).copied().unwrap_or(self.threshold)
    }

    /// Whether several contexts are looked at.
    pub fn several(&self) -> bool {
        self.contexts.len() > 1
    }

    /// One of them.
    pub fn context(&self, id: ContextId) -> Option<&ContextInfo> {
        self.contexts.get(usize::from(id.0))
    }

    /// The one of that name or label.
    pub fn named(&self, name: &str) -> Option<&ContextInfo> {
        let all = || self.contexts.iter();
        all().find(|one| *one.context == *name).or_else(|| all().find(|one| *one.label == *name))
    }

    /// The one that a target is in: of an earlier session's the one that reaches its cluster now.
    pub fn of(&self, target: &Target) -> ContextId {
        let here = |one: &&ContextInfo| one.cluster == target.cluster;
        let named = |one: &ContextInfo| {
            one.context == target.context || (target.context.is_empty() && one.id.is_main())
        };
        let all = || self.contexts.iter().filter(here);
        let found = all().find(|one| named(one)).or_else(|| all().next());
        found.map(|one| one.id).unwrap_or_default()
    }

    /// Where it looks: `all namespaces`, `namespace shop`, `namespaces shop, prod`.
    pub fn place(&self) -> String {
        match self.namespaces.as_slice() {
            [] => "all namespaces".to_owned(),
            [one] => format!("namespace {one}"),
            several => format!("namespaces {}", several.join(", ")),
        }
    }
}

/// A session as recordings have it since the first release: the main context's fields stand among its own.
#[derive(Serialize, Deserialize)]
struct Recorded {
    mode: Mode,
    context: Clean,
    cluster: Clean,
    namespaces: Vec<Clean>,
    actor: Clean,
    read_only: bool,
    #[serde(default)]
    no_exec: bool,
    arm_minutes: u32,
    threshold: f64,
    #[serde(default)]
    kafka: Clean,
    #[serde(default)]
    thresholds: BTreeMap<Clean, f64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    guardrails: Vec<Guardrail>,
    version: Clean,
    /// Empty where the main context is the only one.
    #[serde(default, skip_serializing_if = "Clean::is_empty")]
    label: Clean,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    beside: Vec<RecordedContext>,
}

/// A context after the main one.
#[derive(Default, Serialize, Deserialize)]
struct RecordedContext {
    context: Clean,
    label: Clean,
    cluster: Clean,
    read_only: bool,
}

impl From<Recorded> for Session {
    fn from(it: Recorded) -> Self {
        let label = if it.label.is_empty() { it.context.clone() } else { it.label };
        let main =
            RecordedContext { context: it.context, label, cluster: it.cluster, read_only: it.read_only };
        let context = |(place, one): (u8, RecordedContext)| {
            let RecordedContext { context, label, cluster, read_only } = one;
            ContextInfo { id: ContextId(place), context, label, cluster, read_only }
        };
        Self {
            mode: it.mode,
            contexts: (0..).zip(std::iter::once(main).chain(it.beside)).map(context).collect(),
            namespaces: it.namespaces,
            actor: it.actor,
            no_exec: it.no_exec,
            arm_minutes: it.arm_minutes,
            threshold: it.threshold,
            thresholds: it.thresholds,
            kafka: it.kafka,
            guardrails: it.guardrails,
            version: it.version,
        }
    }
}

impl From<Session> for Recorded {
    fn from(session: Session) -> Self {
        let several = session.several();
        let mut contexts = session.contexts.into_iter().map(|one| {
            let ContextInfo { context, label, cluster, read_only, .. } = one;
            RecordedContext { context, label, cluster, read_only }
        });
        let main = contexts.next();
        let RecordedContext { context, label, cluster, read_only } = main.unwrap_or_default();
        Self {
            mode: session.mode,
            context,
            cluster,
            namespaces: session.namespaces,
            actor: session.actor,
            read_only,
            no_exec: session.no_exec,
            arm_minutes: session.arm_minutes,
            threshold: session.threshold,
            kafka: session.kafka,
            thresholds: session.thresholds,
            guardrails: session.guardrails,
            version: session.version,
            label: if several { label } else { Clean::default() },
            beside: contexts.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_recorded_session_has_its_contexts_in_one_list_and_is_written_as_it_was() {
        let alone = json!({
            "mode": "live", "context": "prod-eu", "cluster": "https://eu", "namespaces": [], "actor": "a",
            "read_only": true, "no_exec": false, "arm_minutes": 15, "threshold": 0.05, "kafka": "",
            "thresholds": {}, "version": "1",
        });
        let session: Session = serde_json::from_value(alone.clone()).unwrap();
        assert_eq!((session.several(), session.main().label.as_str()), (false, "prod-eu"));
        assert!(session.main().read_only);
        assert_eq!(serde_json::to_value(&session).unwrap(), alone);

        let mut two = alone;
        two["label"] = json!("eu");
        two["beside"] =
            json!([{"context": "prod-us", "label": "us", "cluster": "https://us", "read_only": false}]);
        let session: Session = serde_json::from_value(two.clone()).unwrap();
        let told: Vec<_> = session.contexts.iter().map(|one| (one.id.0, one.label.as_str())).collect();
        assert_eq!(told, [(0, "eu"), (1, "us")]);
        assert_eq!(session.named("prod-us"), session.context(ContextId(1)));
        assert_eq!(serde_json::to_value(&session).unwrap(), two);
    }
}
