//! A confirmed change. Everything that its outcome, its effect and its undo need is in here, for the journal
//! outlives the process.

mod legacy;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;
use ulid::Ulid;

use super::{Danger, StepCall, Target};
use crate::clean::Clean;

/// What was confirmed: prepared → confirmed (on disk) → each of its ops leaves once →
/// [`Outcome`](super::Outcome) → checked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "legacy::Intent")]
pub struct Intent {
    /// Its identity.
    pub id: Ulid,
    /// The step and its inputs.
    pub call: StepCall,
    /// In words: `roll back medcontracthub-app to rev 6 (v1.2.3)`.
    pub title: Clean,
    /// How much it can break.
    pub danger: Danger,
    /// What it is aimed at.
    pub target: Target,
    /// Exactly what leaves, in order.
    pub ops: Vec<Op>,
    /// What should come true in the world because of it.
    pub checks: Vec<Check>,
    /// Seconds that this may take.
    pub verify_within: u32,
    /// The step that takes it back.
    pub undo: Option<StepCall>,
    /// The same as a command.
    pub command: Command,
    /// Who confirmed it.
    pub actor: Clean,
}

impl Intent {
    /// Whether it only looks: it needs no arming, and there is nothing to find out about it later.
    pub fn only_reads(&self) -> bool {
        self.danger == Danger::Read
    }

    /// The server that its first request goes to.
    pub fn server(&self) -> &Server {
        match self.ops.first() {
            Some(Op::Write(write)) => &write.server,
            Some(Op::Exec(_)) | None => &Server::Cluster,
        }
    }

    /// How many ops it has.
    pub fn count(&self) -> u32 {
        u32::try_from(self.ops.len()).unwrap_or(u32::MAX)
    }

    /// Its requests that change something.
    pub fn writes(&self) -> impl Iterator<Item = &Write> {
        self.ops.iter().filter_map(|op| if let Op::Write(write) = op { Some(write) } else { None })
    }
}

/// One thing that leaves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Op {
    /// A request that changes something.
    Write(Write),
    /// A command in a container.
    Exec(Exec),
}

impl Op {
    /// What it is aimed at.
    pub fn target(&self) -> &Target {
        match self {
            Self::Write(write) => &write.target,
            Self::Exec(exec) => &exec.target,
        }
    }
}

impl std::fmt::Display for Op {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Write(write) => write!(f, "{} {}", write.method, write.path),
            Self::Exec(exec) => write!(f, "exec in {} of pod {}", exec.container, exec.target.name),
        }
    }
}

/// The server that requests go to.
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
    /// Who is asked.
    #[serde(default)]
    pub server: Server,
    /// What it changes.
    pub target: Target,
    /// HTTP method.
    pub method: Clean,
    /// Path, without the query (`dryRun`, `fieldManager` are the sender's).
    pub path: Clean,
    /// Content type.
    pub content_type: Clean,
    /// What is sent, its guards included.
    pub body: Sealed,
    /// How it is seen, by reading, that the change was made.
    pub expect: Expectation,
}

/// A command in a container: an argument vector, never a shell line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Exec {
    /// The pod.
    pub target: Target,
    /// The container.
    pub container: Clean,
    /// Its words.
    pub command: Vec<super::Typed>,
    /// Seconds that it may take.
    pub seconds: u32,
}

/// A body that leaves this process only in its request: a journal, log or screen gets its digest (values may
/// be secret).
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

/// blake3 of a value's compact JSON, hexadecimal; objects are ordered by key, so equal values have equal
/// digests.
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

/// How reading tells whether a change was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Expectation {
    /// What is made.
    #[serde(default)]
    pub made: Made,
    /// What to read.
    pub path: Clean,
    /// JSON pointer → digest of the value that should be there.
    pub values: BTreeMap<Clean, Clean>,
    /// JSON pointer → digest of the value that the write replaces.
    pub before: BTreeMap<Clean, Clean>,
    /// The time of warroom's `managedFields` entry before the write.
    pub managed_before: Option<Clean>,
    /// `metadata.generation` before the write: it moves with every change of the spec, also with one that is
    /// taken back.
    pub generation_before: i64,
}

/// What a write makes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Made {
    /// Other values in an object: every pointer holds the expected value, and warroom's own `managedFields`
    /// entry is not the one from before.
    #[default]
    Values,
    /// An element of a list holds all values, as silences do. The answer says nothing of it, so it is always
    /// read.
    Listed,
    /// The object is gone, or on its way.
    Gone,
}

/// What should now be so, as data: a kind of check and its arguments. A kind that this version does not know
/// never comes true.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "legacy::Check")]
pub struct Check {
    /// The name of the kind: `rollout`, `errors-below`.
    pub kind: Clean,
    /// What it is held to.
    pub args: Value,
}

/// A change as a command. What hides in it is neither recorded nor copied.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(from = "legacy::Command")]
pub struct Command {
    /// The command, with marks in the place of what hides.
    pub shown: Clean,
    /// What stands behind the marks: `DB_PASSWORD`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hides: Vec<Clean>,
    /// The command as a shell takes it, in the process that made it, unless it holds a secret.
    #[serde(skip)]
    pub whole: Option<Arc<str>>,
}

impl PartialEq for Command {
    fn eq(&self, other: &Self) -> bool {
        (&self.shown, &self.hides) == (&other.shown, &other.hides)
    }
}

impl Command {
    /// One that hides nothing.
    pub fn plain(text: impl Into<Clean>) -> Self {
        Self { shown: text.into(), hides: Vec::new(), whole: None }
    }

    /// The command to copy; nothing where that would not be all of it.
    pub fn to_copy(&self) -> Option<Clean> {
        if self.hides.is_empty() { Some(self.shown.clone()) } else { self.whole.as_deref().map(Clean::new) }
    }

    /// What a person sees: all of it where this process has it.
    pub fn words(&self) -> Clean {
        self.to_copy().unwrap_or_else(|| self.shown.clone())
    }
}
