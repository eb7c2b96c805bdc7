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
    /// Identity of the intent.
    pub id: Ulid,
    /// The step and its inputs.
    pub call: StepCall,
    /// The change in words: `roll back medcontracthub-app to rev 6 (v1.2.3)`.
    pub title: Clean,
    /// How much it can break.
    pub danger: Danger,
    /// Object that is changed, or that a command runs in.
    pub target: Target,
    /// Requests and commands that leave, in order.
    pub ops: Vec<Op>,
    /// Checks that must come true for the change to count as effective.
    pub checks: Vec<Check>,
    /// Time that the checks have to come true, seconds.
    pub verify_within: u32,
    /// Call that undoes the change; `None` where nothing does.
    pub undo: Option<StepCall>,
    /// Command line that does the same: `kubectl scale …`.
    pub command: Command,
    /// Name of the person who confirmed it.
    pub actor: Clean,
}

impl Intent {
    /// Returns whether the intent only reads: it needs no arming, and a lost answer leaves nothing to find
    /// out.
    pub fn only_reads(&self) -> bool {
        self.danger == Danger::Read
    }

    /// Returns the server that the first request goes to.
    pub fn server(&self) -> &Server {
        match self.ops.first() {
            Some(Op::Write(write)) => &write.server,
            Some(Op::Save(_) | Op::Exec(_) | Op::Command(_) | Op::Copy(_) | Op::Look(_) | Op::Browse(_))
            | None => &Server::Cluster,
        }
    }

    /// Returns whether reading can tell what became of it: a request leaves a trace in what it changed, and
    /// of what a program did nothing is known here.
    pub fn is_resolvable(&self) -> bool {
        self.writes().next().is_some()
    }

    /// Returns the number of ops.
    pub fn count(&self) -> u32 {
        u32::try_from(self.ops.len()).unwrap_or(u32::MAX)
    }

    /// Returns the number of requests that change something among the first ops.
    pub fn writes_before(&self, op: u32) -> u32 {
        let is_write = |op: &&Op| matches!(op, Op::Write(_));
        u32::try_from(self.ops.iter().take(op as usize).filter(is_write).count()).unwrap_or(u32::MAX)
    }

    /// Iterates over the ops that change something.
    pub fn writes(&self) -> impl Iterator<Item = &Write> {
        self.ops.iter().filter_map(|op| if let Op::Write(write) = op { Some(write) } else { None })
    }
}

/// One request that changes something, one command in a container or on this machine, or one look at what
/// there is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Op {
    /// A request that changes something.
    Write(Write),
    /// What objects were before the writes after it, kept in a file.
    Save(Save),
    /// A command in a container.
    Exec(Exec),
    /// A program of this machine.
    Command(Program),
    /// A file out of a container.
    Copy(FileCopy),
    /// Reads that make one answer.
    Look(Look),
    /// A page that is opened in a browser.
    Browse(Browse),
}

impl Op {
    /// Returns the object that the op is aimed at.
    pub fn target(&self) -> &Target {
        match self {
            Self::Write(write) => &write.target,
            Self::Save(save) => &save.target,
            Self::Exec(exec) => &exec.target,
            Self::Command(program) => &program.target,
            Self::Copy(copy) => &copy.target,
            Self::Look(look) => &look.target,
            Self::Browse(browse) => &browse.target,
        }
    }
}

impl std::fmt::Display for Op {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Write(write) => write!(f, "{} {}", write.method, write.path),
            Self::Save(save) => write!(f, "keeps what is there in {}", save.file),
            Self::Exec(exec) => write!(f, "exec in {} of pod {}", exec.container, exec.target.name),
            Self::Command(program) => write!(f, "program {} in {}", program.file, program.folder),
            Self::Copy(copy) => {
                let FileCopy { target, container, before, path, file, .. } = copy;
                let first = before.first().map(|program| format!("runs {} and ", program.shown()));
                let first = first.unwrap_or_default();
                write!(f, "{first}copies {} from {container} of pod {} to {file}", path.shown(), target.name)
            }
            Self::Look(look) => write!(f, "reads {}", look.what),
            Self::Browse(browse) => write!(f, "opens {}", browse.address),
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
    /// Prometheus, by its address without credentials: it is only read.
    Prometheus(Clean),
}

impl Server {
    /// Returns the server's name as sentences have it: `the API server`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Cluster => "the API server",
            Self::Alertmanager(_) => "Alertmanager",
            Self::Prometheus(_) => "Prometheus",
        }
    }
}

/// One request that changes something.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Write {
    /// Server that the request goes to.
    #[serde(default)]
    pub server: Server,
    /// Object that the request changes.
    pub target: Target,
    /// HTTP method.
    pub method: Clean,
    /// Path, without the query (`dryRun`, `fieldManager` are the sender's).
    pub path: Clean,
    /// Content type.
    pub content_type: Clean,
    /// Body of the request, with the guards on what it replaces.
    pub body: Sealed,
    /// What a later reading must show for the change to count as made.
    pub expect: Expectation,
}

/// What objects were, kept as it is in a file of its owner alone. Nothing that comes after it leaves before
/// it is on the disk.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Save {
    /// Object that is changed next.
    pub target: Target,
    /// Path of the file, below the data folder.
    pub file: Clean,
    /// What is kept.
    pub body: Sealed,
}

/// A command in a container: an argument vector, never a shell line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Exec {
    /// Pod that the command runs in.
    pub target: Target,
    /// Container of the pod.
    pub container: Clean,
    /// Argument vector: the program, then its arguments.
    pub command: Vec<super::Typed>,
    /// Time that the command may take, seconds; it is no longer waited for afterwards.
    pub seconds: u32,
}

/// A program of this machine: an argument vector, never a shell line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Program {
    /// The program itself, or the input that confirms it; in the cluster that it is run beside.
    pub target: Target,
    /// File that runs: an absolute path, as preflight has found it.
    pub file: super::Typed,
    /// Argument vector: the program as the runbook names it, then its arguments.
    pub argv: Vec<super::Typed>,
    /// Folder that it runs in: an absolute path, once preflight has found it.
    pub folder: super::Typed,
    /// Names of the environment variables that it gets, as far as they are set; it gets no others.
    pub variables: Vec<Clean>,
    /// Time that it may take, seconds; it is ended afterwards.
    pub seconds: u32,
}

/// A file out of a container, kept as it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FileCopy {
    /// Pod that the file is in.
    pub target: Target,
    /// Container of the pod.
    pub container: Clean,
    /// Argument vector of what writes the file, which is removed once it was copied; empty where the file is
    /// there, and stays.
    pub before: Vec<super::Typed>,
    /// Path of the file in the container.
    pub path: super::Typed,
    /// Path of the copy, below the data folder.
    pub file: Clean,
    /// Time that each of the two may take, seconds.
    pub seconds: u32,
}

/// Reads that make one answer: which, and what becomes of them, the kind of the step knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Look {
    /// What is looked at: an object, or the cluster.
    pub target: Target,
    /// What is read, in words: `the pods of all namespaces`.
    pub what: Clean,
}

/// A page that is opened in a browser, or told where there is none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Browse {
    /// The cluster that it is about.
    pub target: Target,
    /// Address: `http://…` or `https://…`.
    pub address: Clean,
}

/// A body that leaves this process only in its request: a journal, log or screen gets its digest (values may
/// be secret).
#[derive(Clone, PartialEq)]
pub enum Sealed {
    /// The body itself, in the process that made it.
    Open(Value),
    /// blake3 of the compact JSON, as read back from a journal.
    Digest(Clean),
}

impl Sealed {
    /// Returns the blake3 hash of the compact JSON, hexadecimal.
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
    /// Kind of effect that is looked for.
    #[serde(default)]
    pub made: Made,
    /// Path to read.
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

/// Kind of effect that a write has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Made {
    /// Other values in an object: every pointer holds the expected value, and warroom's own `managedFields`
    /// entry is not the one from before.
    #[default]
    Values,
    /// An object that was not there is, of this name and with these values; its uid is known only then.
    Created,
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
    /// Arguments of the check, as its kind understands them.
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
    /// Creates a command that holds no secret.
    pub fn plain(text: impl Into<Clean>) -> Self {
        Self { shown: text.into(), hides: Vec::new(), whole: None }
    }

    /// Returns the command to copy, or `None` where some of it is hidden.
    pub fn to_copy(&self) -> Option<Clean> {
        if self.hides.is_empty() { Some(self.shown.clone()) } else { self.whole.as_deref().map(Clean::new) }
    }

    /// Returns the command to show: all of it in the process that made it, with marks elsewhere.
    pub fn words(&self) -> Clean {
        self.to_copy().unwrap_or_else(|| self.shown.clone())
    }
}
