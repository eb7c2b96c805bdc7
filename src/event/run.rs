//! The life of a change: prepared → confirmed as an [`Intent`] (on disk) → one request → [`Outcome`] → verified.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;
use ulid::Ulid;

use super::{Kind, Target, Typed};
use crate::clean::Clean;

/// A step of the runbook with its inputs: what is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepCall {
    /// The step's id, `rollout-undo`.
    pub step: Clean,
    /// Its inputs by name.
    pub inputs: BTreeMap<Clean, Typed>,
}

impl StepCall {
    /// The input that every step has: the kube-context to do it in; without it the main one.
    pub const CONTEXT: &str = "context";
}

/// The answer to preparing a step.
#[derive(Clone, Debug, PartialEq)]
pub struct Prepared {
    /// What was asked for.
    pub call: StepCall,
    /// The plan with its preflight, or why there is none.
    pub result: Result<Plan, Refusal>,
}

/// Why a step cannot be done, in a sentence that says what to do next.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Refusal {
    /// The inputs do not fit: no such deployment, not a number.
    Usage(Clean),
    /// Not allowed: rights, read-only, not armed.
    Denied(Clean),
    /// It cannot be done as things are: paused, already so, an answer did not come.
    Failed(Clean),
}

impl Refusal {
    /// The sentence.
    pub fn reason(&self) -> &Clean {
        match self {
            Self::Usage(why) | Self::Denied(why) | Self::Failed(why) => why,
        }
    }
}

/// A change, ready to be confirmed: exactly what would be sent, and all that preflight found.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// What becomes the intent when it is confirmed.
    pub intent: Intent,
    /// What would change; `Err` is the refusal of the server's dry run.
    pub dry_run: Result<Vec<DiffLine>, Clean>,
    /// Whether the server has tried it: not every server can.
    pub tried: bool,
    /// The rights that the writes need.
    pub rights: Vec<Right>,
    /// Who will fight the change: Helm, Argo CD, Flux, an autoscaler.
    pub owners: Vec<Clean>,
    /// Replicas, share of the service's pods, of traffic.
    pub touches: Clean,
    /// Why the target's name must be typed; `None` where one key is enough.
    pub type_name: Option<Clean>,
}

impl Plan {
    /// The first thing that forbids sending it.
    pub fn obstacle(&self) -> Option<Refusal> {
        if let Some(missing) = self.rights.iter().find(|right| right.allowed == Some(false)) {
            return Some(Refusal::Denied(format!("you may not {missing}: ask for that right, or let somebody who has it do this").into()));
        }
        self.dry_run.as_ref().err().map(|why| Refusal::Failed(format!("the server refuses it (dry run): {why}").into()))
    }
}

/// One line of a diff.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DiffLine {
    /// Kept, taken away, or new.
    pub sign: Sign,
    /// The line.
    pub text: Clean,
}

/// What happens to a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sign {
    /// Context.
    Keep,
    /// Taken away.
    Remove,
    /// New.
    Add,
}

/// A right that a write needs, and whether the server says that we have it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Right {
    /// `patch`, `create`, …
    pub verb: Clean,
    /// `deployments`, `deployments/scale`, …
    pub resource: Clean,
    /// In this namespace.
    pub namespace: Clean,
    /// `None` when the server would not say.
    pub allowed: Option<bool>,
}

impl std::fmt::Display for Right {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} in {}", self.verb, self.resource, self.namespace)
    }
}

/// A confirmed change. Everything that its outcome, its effect and its undo need is in here, for the journal outlives the process.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Intent {
    /// Its identity.
    pub id: Ulid,
    /// The step and its inputs.
    pub call: StepCall,
    /// In words: `roll back medcontracthub-app to rev 6 (v1.2.3)`.
    pub title: Clean,
    /// What it is aimed at.
    pub target: Target,
    /// Who is asked.
    #[serde(default)]
    pub server: Server,
    /// Exactly the requests that leave, in order.
    pub writes: Vec<Write>,
    /// How it is seen, by reading, that the change was made.
    pub expect: Expectation,
    /// What should change in the world because of it.
    pub verify: Vec<Verify>,
    /// Seconds that the effect may take.
    pub verify_within: u32,
    /// The step that takes it back.
    pub undo: Option<StepCall>,
    /// The same as a kubectl command.
    pub kubectl: Clean,
    /// Who confirmed it.
    pub actor: Clean,
}

/// The server that an intent's requests go to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Server {
    /// The cluster's API server.
    #[default]
    Cluster,
    /// Alertmanager, by its address without credentials.
    Alertmanager(Clean),
}

impl Server {
    /// What it is called in sentences.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Cluster => "the API server",
            Self::Alertmanager(_) => "Alertmanager",
        }
    }
}

/// One request that changes something.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Write {
    /// HTTP method.
    pub method: Clean,
    /// Path, without the query (`dryRun`, `fieldManager` are the sender's).
    pub path: Clean,
    /// Content type.
    pub content_type: Clean,
    /// What is sent.
    pub body: Sealed,
}

/// A body that leaves this process only in its request: a journal, log or screen gets its digest (values may be secret).
#[derive(Clone, PartialEq)]
pub enum Sealed {
    /// The body.
    Open(Value),
    /// blake3 of the compact JSON, as read back from a journal.
    Digest(Clean),
}

impl Sealed {
    /// blake3 of the compact JSON, hexadecimal.
    pub fn digest(&self) -> Clean {
        match self {
            Self::Open(body) => digest(body),
            Self::Digest(digest) => digest.clone(),
        }
    }
}

/// blake3 of a value's compact JSON, hexadecimal; objects are ordered by key, so equal values have equal digests.
pub fn digest(value: &Value) -> Clean {
    Clean::new(&blake3::hash(value.to_string().as_bytes()).to_hex())
}

impl std::fmt::Debug for Sealed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sealed({})", self.digest())
    }
}

impl Serialize for Sealed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.digest().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Sealed {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Clean::deserialize(deserializer).map(Self::Digest)
    }
}

/// How reading tells whether the change was made: every pointer holds the expected value, and warroom's own
/// `managedFields` entry is not the one from before. Where a list is read, one of its elements holds them all.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Expectation {
    /// What to read.
    pub path: Clean,
    /// JSON pointer → digest of the value that should be there.
    pub values: BTreeMap<Clean, Clean>,
    /// JSON pointer → digest of the value that the write replaces.
    pub before: BTreeMap<Clean, Clean>,
    /// The time of warroom's `managedFields` entry before the write.
    pub managed_before: Option<Clean>,
    /// `metadata.generation` before the write: it moves with every change of the spec, also with one that is taken back.
    pub generation_before: i64,
}

/// What became of an intent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "is")]
pub enum Outcome {
    /// The server made all changes.
    Applied {
        /// `metadata.generation` afterwards.
        generation: i64,
        /// Requests that were answered as done.
        writes: u32,
        /// Whether it was found out by reading, after the answer was lost.
        by_reading: bool,
    },
    /// Nothing was changed.
    Rejected {
        /// In the server's words, and what to do next.
        reason: Clean,
        /// Whether it was found out by reading.
        by_reading: bool,
    },
    /// The answer was lost: it may or may not have been made. It is never sent again.
    Unknown {
        /// How the answer was lost.
        reason: Clean,
    },
}

/// What should now be so, as data; [`state`](crate::state) looks whether it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verify {
    /// All replicas are of the new template and ready.
    Rollout {
        /// Deployment or StatefulSet.
        kind: Kind,
        /// Its identity.
        uid: Clean,
    },
    /// So many replicas are ready.
    Ready {
        /// Deployment or StatefulSet.
        kind: Kind,
        /// Its identity.
        uid: Clean,
        /// So many.
        replicas: u32,
    },
    /// The share of failing requests is below the threshold; nothing to hold it to where Prometheus counts no requests of it.
    ErrorsBelow {
        /// The service.
        service: Clean,
        /// 0..1
        ratio: f64,
    },
    /// A silence is in force, and these alerts call for nobody any more.
    Silenced {
        /// What its comment contains.
        tag: Clean,
        /// Fingerprints.
        alerts: Vec<Clean>,
    },
    /// A silence is over.
    Unsilenced {
        /// Its id.
        id: Clean,
    },
    /// The group's lag no longer grows: below where it was, or below its highest since.
    LagFalling {
        /// The group.
        group: Clean,
    },
}

/// Numbers that a verify compares, before and after. `None` is unknown.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Measure {
    /// Ready replicas.
    pub ready: Option<u32>,
    /// Replicas asked for.
    pub desired: Option<u32>,
    /// Share of failing requests, 0..1.
    pub ratio_5xx: Option<f64>,
    /// Records not consumed.
    pub lag: Option<i64>,
    /// Alerts that call for a person.
    #[serde(default)]
    pub firing: Option<u32>,
}

/// How a verify ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// Whether all that was expected came true in time.
    pub ok: bool,
    /// When the change was confirmed.
    pub before: Measure,
    /// When the verify ended.
    pub after: Measure,
    /// Seconds from the outcome.
    pub seconds: f64,
    /// What is still missing, where it is not ok.
    pub missing: Vec<Clean>,
    /// When.
    pub at: DateTime<Utc>,
}
