//! What steps do. One kind of step is one file of this folder and one line of [`KINDS`]: its inputs, what it
//! reads, the plan worked out from that, what it checks afterwards, its undo, its command, and when it is
//! suggested. Everything here is pure: who reads, asks and sends is [`crate::effect`]; which steps there are,
//! and what they are called, is the [`runbook`](crate::runbook).
//!
//! | file | what is in it |
//! |---|---|
//! | [`input`] | what steps ask for |
//! | [`target`] | what steps aim at: path, identity, rights, owners |
//! | [`check`] | what must come true afterwards: a file a kind of check |
//! | [`guard`] | whether something may be sent now: the only place |
//! | [`diff`], [`command`] | what would change, and the command that it stands for |
//! | the others | a kind of step each |

pub mod check;
pub mod command;
mod cordon;
mod delete_pod;
pub mod diff;
mod exec_check;
pub mod guard;
pub mod input;
mod restart;
mod revisions;
mod rollout_undo;
#[cfg(test)]
pub(crate) mod samples;
mod scale;
pub(crate) mod set_env;
mod silence;
pub mod target;
mod uncordon;
mod unsilence;

use chrono::{DateTime, Utc};
use serde_json::Value;
use ulid::Ulid;

use crate::clean::Clean;
use crate::config::Rates;
use crate::event::{
    Check, Command, ContextId, Danger, DiffLine, Fact, Naming, Op, Refusal, Right, StepCall, Target,
};
use crate::state::World;
use input::{InputSpec, Inputs};

/// Every kind of step.
static KINDS: &[&dyn StepKind] = &[
    &rollout_undo::RolloutUndo,
    &restart::Restart,
    &scale::Scale,
    &set_env::SetEnv,
    &delete_pod::DeletePod,
    &cordon::Cordon,
    &uncordon::Uncordon,
    &exec_check::ExecCheck,
    &silence::Silence,
    &unsilence::Unsilence,
];

/// What a step does.
pub trait StepKind: Sync {
    /// Its name in runbooks.
    fn name(&self) -> &'static str;

    /// How much it can break; a runbook may say more, and not less.
    fn danger(&self) -> Danger {
        Danger::Change
    }

    /// What it asks for.
    fn inputs(&self) -> &'static [InputSpec];

    /// What has to be read next for the plan, having read so much: nothing when it can be planned.
    ///
    /// # Errors
    /// The inputs do not fit.
    fn reads(&self, inputs: &Inputs, answers: &[Answer], ctx: &Ctx) -> Result<Vec<Read>, Refusal>;

    /// Works out what it would send.
    ///
    /// # Errors
    /// Why it cannot be done, in a sentence that says what to do next.
    fn plan(&self, inputs: &Inputs, answers: &[Answer], ctx: &Ctx) -> Result<Draft, Refusal>;

    /// What it does as the undo of another change, in words that follow a key: `returns to rev 4`; `None` for
    /// a kind that undoes nothing.
    fn as_undo(&self, _call: &StepCall) -> Option<String> {
        None
    }

    /// What of it fits what is wrong now.
    fn suggest(&self, _world: &World, _flags: &[Flag]) -> Vec<Suggested> {
        Vec::new()
    }
}

/// A kind of step, as data holds it: equal by name.
#[derive(Clone, Copy)]
pub struct Kind(pub &'static dyn StepKind);

impl Kind {
    /// The kind of that name.
    pub fn named(name: &str) -> Option<Self> {
        KINDS.iter().find(|kind| kind.name() == name).map(|kind| Self(*kind))
    }

    /// The names of all.
    pub fn names() -> impl Iterator<Item = &'static str> {
        KINDS.iter().map(|kind| kind.name())
    }
}

impl std::ops::Deref for Kind {
    type Target = dyn StepKind;

    fn deref(&self) -> &Self::Target {
        self.0
    }
}

impl PartialEq for Kind {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl std::fmt::Debug for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// What a plan knows of the session beside its inputs and what was read.
#[derive(Clone, Debug)]
pub struct Ctx {
    /// The time from which spans count.
    pub now: DateTime<Utc>,
    /// The identity of the intent that may come of it.
    pub id: Ulid,
    /// The person.
    pub actor: Clean,
    /// Where it is done.
    pub place: ClusterRef,
    /// The namespace of what is given without one.
    pub namespace: String,
    /// Alertmanager's address without credentials, where the step asks it.
    pub alertmanager: Clean,
    /// Above which share of failing requests a service is in trouble.
    pub rates: Rates,
}

/// The cluster that a step is done in.
#[derive(Clone, Debug)]
pub struct ClusterRef {
    /// Its address.
    pub cluster: Clean,
    /// What it is known by, whatever its address: [`crate::effect::identity`].
    pub identity: Clean,
    /// The context as targets name it: nothing for the main one.
    pub named: Clean,
    /// The kube-context, for commands.
    pub context: Clean,
    /// Its place among the session's.
    pub id: ContextId,
    /// Whether there are others.
    pub several: bool,
}

impl Ctx {
    /// An object of this place.
    pub fn target(&self, kind: &str, namespace: &str, name: &str, uid: &str) -> Target {
        let ClusterRef { cluster, identity, named, .. } = &self.place;
        let cluster = cluster.clone();
        let identity = identity.clone();
        let context = named.clone();
        Target {
            cluster,
            identity,
            context,
            kind: kind.into(),
            namespace: namespace.into(),
            name: name.into(),
            uid: uid.into(),
        }
    }

    /// ` of context eu`, where there are several.
    pub fn of_context(&self) -> String {
        if self.place.several { format!(" of context {}", self.place.context) } else { String::new() }
    }
}

/// Who is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whom {
    /// The cluster's API server.
    Cluster,
    /// Alertmanager.
    Alertmanager,
}

/// Something to be read for a plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Read {
    /// Who is asked.
    pub whom: Whom,
    /// The path, with its query.
    pub path: String,
    /// What it is, in sentences: `deployment app in shop`.
    pub what: String,
    /// What the answer must say that it is; nothing where it says nothing.
    pub is: Option<Is>,
    /// Whether nothing can be planned without it.
    pub required: bool,
}

/// What an answer must say that it is: the answer to another question is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Is {
    /// `Deployment`, `ReplicaSetList`
    pub kind: String,
    /// Namespace and name; empty for a list.
    pub place: Option<(String, String)>,
}

/// What came of a read.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// What was read.
    Found(Value),
    /// The server has no such thing.
    Missing,
    /// It is not known, because of this.
    Unknown(Clean),
}

impl Answer {
    /// What was read.
    pub fn found(&self) -> Option<&Value> {
        if let Self::Found(value) = self { Some(value) } else { None }
    }
}

/// What a kind works out.
#[derive(Clone, Debug)]
pub struct Draft {
    /// In words.
    pub title: String,
    /// What it is aimed at.
    pub target: Target,
    /// What would leave, in order.
    pub requests: Vec<Request>,
    /// What should come true; the runbook chooses among them.
    pub checks: Vec<Check>,
    /// What takes it back.
    pub undo: Undo,
    /// The same as a command.
    pub command: Command,
    /// Who is touched.
    pub touches: String,
    /// What is to be known besides.
    pub facts: Vec<Fact>,
    /// What would change, where a dry run or the request itself do not tell.
    pub lines: Vec<DiffLine>,
    /// Why the name must be typed, where it must.
    pub naming: Option<Naming>,
}

/// One op with what preflight needs to know of it.
#[derive(Clone, Debug)]
pub struct Request {
    /// What leaves.
    pub op: Op,
    /// The rights that it needs; their answers are open.
    pub rights: Vec<Right>,
    /// What it changes, as read; `null` for what has no manifest.
    pub object: Value,
    /// Whether it is made through the subresource `scale`, whose answer is a Scale.
    pub scale: bool,
}

/// What takes a change back.
#[derive(Clone, Debug, PartialEq)]
pub enum Undo {
    /// A step of that kind, with these inputs.
    Step {
        /// The kind.
        kind: &'static str,
        /// Its inputs.
        inputs: Vec<(&'static str, String)>,
    },
    /// Nothing, and why.
    None(String),
}

/// A feature that a Deployment can do without when what it depends on fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flag {
    /// Workload that fails.
    pub dependency: Clean,
    /// Deployment that can do without it, in the same namespace.
    pub deployment: Clean,
    /// Variables that turn the feature off, as `set-env` takes them.
    pub env: Clean,
}

/// A call that fits what is wrong now.
#[derive(Clone, Debug, PartialEq)]
pub struct Suggested {
    /// The context that it is of.
    pub context: ContextId,
    /// Its inputs.
    pub inputs: Vec<(&'static str, String)>,
    /// In words.
    pub title: String,
    /// Why.
    pub because: String,
    /// The more, the nearer the top.
    pub rank: u8,
}

/// The text at a JSON pointer, or nothing.
pub fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}
