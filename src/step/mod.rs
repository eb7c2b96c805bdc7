//! What steps do. One kind of step is one file of this folder and one line of [`KINDS`]: its inputs, what it
//! reads, the plan worked out from that, what it checks afterwards, its undo, its command, and when it is
//! suggested. Everything here is pure: who reads, asks and sends is [`crate::effect`]; which steps there are,
//! and what they are called, is the [`runbook`](crate::runbook).
//!
//! | file | what is in it |
//! |---|---|
//! | [`input`], [`parameters`] | what steps ask for, and what a runbook fixes of them |
//! | `read` | what is read for a plan, and the answers |
//! | [`target`], `owners` | what steps aim at: path, identity, rights, owners |
//! | [`check`] | what must come true afterwards: a file a kind of check |
//! | [`guard`] | whether something may be sent now: the only place |
//! | [`diff`], [`command`] | what would change, and the command that it stands for |
//! | `apply`, `eviction`, `example`, `helm_release`, `istio`, `jq`, `manifest`, `pages`, `printed`, `revisions`, `selector`, `template` | what several kinds share |
//! | the others | a kind of step each |

mod apply;
mod apply_manifest;
mod browse;
mod by_hand;
pub mod check;
mod checklist;
mod circuit_breaker;
mod circuit_breaker_remove;
pub mod command;
mod copy_out;
mod cordon;
mod delete_pod;
pub mod diff;
mod drain;
mod emergency_changes;
mod eviction;
mod example;
mod exec_check;
mod external_command;
mod firing_alerts;
pub mod guard;
mod heap_dump;
mod helm_history;
mod helm_release;
pub mod input;
mod istio;
mod jq;
mod logs;
mod manifest;
mod manifest_revert;
mod nodes;
pub mod owners;
mod pages;
pub mod parameters;
mod pods_not_running;
mod printed;
mod query;
mod read;
mod recent_events;
mod restart;
mod restarts;
mod revisions;
mod rollout_history;
mod rollout_pause;
mod rollout_resume;
mod rollout_undo;
#[cfg(test)]
pub(crate) mod samples;
mod scale;
mod selector;
mod selector_restore;
mod service_errors;
pub(crate) mod set_env;
mod silence;
pub mod target;
mod template;
mod top_nodes;
mod traffic_divert;
mod uncordon;
mod unsilence;
mod workloads_ready;

use chrono::{DateTime, Utc};
use serde_json::Value;
use ulid::Ulid;

use crate::clean::Clean;
use crate::config::Rates;
use crate::event::{
    Check, Command, ContextId, Danger, DiffLine, Fact, Finding, Look, Naming, Op, Output, Refusal, Right,
    StepCall, Target,
};
use crate::state::World;
use input::{InputSpec, Inputs};
use parameters::{ParameterSpec, Parameters};

pub use read::{Answer, Is, Read, ReadAs, Whom};

/// Every kind of step.
static KINDS: &[&dyn StepKind] = &[
    &rollout_undo::RolloutUndo,
    &rollout_pause::RolloutPause,
    &rollout_resume::RolloutResume,
    &restart::Restart,
    &scale::Scale,
    &set_env::SetEnv,
    &traffic_divert::TrafficDivert,
    &selector_restore::SelectorRestore,
    &circuit_breaker::CircuitBreaker,
    &circuit_breaker_remove::CircuitBreakerRemove,
    &delete_pod::DeletePod,
    &cordon::Cordon,
    &uncordon::Uncordon,
    &drain::Drain,
    &apply_manifest::ApplyManifest,
    &manifest_revert::ManifestRevert,
    &exec_check::ExecCheck,
    &external_command::ExternalCommand,
    &copy_out::CopyOut,
    &heap_dump::HeapDump,
    &by_hand::ByHand,
    &pods_not_running::PodsNotRunning,
    &nodes::Nodes,
    &top_nodes::TopNodes,
    &recent_events::RecentEvents,
    &helm_history::HelmHistory,
    &rollout_history::RolloutHistory,
    &query::Query,
    &browse::Browse,
    &logs::Logs,
    &workloads_ready::WorkloadsReady,
    &restarts::Restarts,
    &service_errors::ServiceErrors,
    &firing_alerts::FiringAlerts,
    &emergency_changes::EmergencyChanges,
    &silence::Silence,
    &unsilence::Unsilence,
    &checklist::Checklist::LOOK,
    &checklist::Checklist::VALIDATION,
];

/// A kind of step.
pub trait StepKind: Sync {
    /// Returns its name in runbooks.
    fn name(&self) -> &'static str;

    /// Returns how much it can break; a runbook may say more, and not less.
    fn danger(&self) -> Danger {
        Danger::Change
    }

    /// Returns the inputs that it asks for.
    fn inputs(&self) -> &'static [InputSpec];

    /// Returns whether a runbook may give a step of it inputs of its own.
    fn takes_own_inputs(&self) -> bool {
        false
    }

    /// Returns what a runbook may fix of it, in the step's table `with`.
    fn parameters(&self) -> &'static [ParameterSpec] {
        &[]
    }

    /// Returns the servers that it asks beside the cluster's own. They are of the main context.
    fn asks(&self) -> &'static [Whom] {
        &[]
    }

    /// Looks whether what a runbook fixes of it fits its inputs.
    ///
    /// # Errors
    /// What does not, and what to write instead.
    fn fits(&self, _with: &Parameters, _inputs: &[&str]) -> Result<(), String> {
        Ok(())
    }

    /// Returns the command that a step of it stands for on paper, where nothing was read; `None`: there is
    /// none.
    fn example(&self, _inputs: &Inputs, _with: &Parameters) -> Option<String> {
        None
    }

    /// Returns what has to be read next for the plan, given the answers so far: nothing when it can be
    /// planned.
    ///
    /// # Errors
    /// The inputs do not fit.
    fn reads(&self, _inputs: &Inputs, _answers: &[Answer], _ctx: &Ctx) -> Result<Vec<Read>, Refusal> {
        Ok(Vec::new())
    }

    /// Works out what it would send.
    ///
    /// # Errors
    /// Why it cannot be done, in a sentence that says what to do next.
    fn plan(&self, inputs: &Inputs, answers: &[Answer], ctx: &Ctx) -> Result<Draft, Refusal>;

    /// Returns what a step that only looks has to read next when it is done, given the answers so far:
    /// nothing when it can [tell](Self::tell).
    ///
    /// # Errors
    /// The inputs do not fit.
    fn looks(&self, _inputs: &Inputs, _answers: &[Answer], _ctx: &Ctx) -> Result<Vec<Read>, Refusal> {
        Ok(Vec::new())
    }

    /// Works out what a step that only looks has found.
    ///
    /// # Errors
    /// Nothing can be said, and why.
    fn tell(&self, _inputs: &Inputs, _answers: &[Answer], _ctx: &Ctx) -> Result<Output, Refusal> {
        Err(Refusal::failed("this step looks at nothing"))
    }

    /// Returns whether what it finds says whether something is wrong: what does not is no part of a
    /// validation.
    fn judges(&self) -> bool {
        false
    }

    /// Judges what a command of it has printed, by what the runbook expects.
    fn judge(&self, _with: &Parameters, output: Output) -> Output {
        output
    }

    /// Returns the ids of the steps that it runs all at once, each of which only looks.
    fn members<'a>(&self, _with: &'a Parameters) -> &'a [String] {
        &[]
    }

    /// Sums up what its [members](Self::members) have found.
    fn sum_up(&self, findings: Vec<Finding>) -> Output {
        Output { findings, ..Output::default() }
    }

    /// What it does as the undo of another change, in words that follow a key: `returns to rev 4`; `None` for
    /// a kind that undoes nothing.
    fn as_undo(&self, _call: &StepCall) -> Option<String> {
        None
    }

    /// Returns the calls of it that fit what is wrong now.
    fn suggest(&self, _world: &World, _flags: &[Flag]) -> Vec<Suggested> {
        Vec::new()
    }
}

/// A kind of step, as data holds it: equal by name.
#[derive(Clone, Copy)]
pub struct Kind(pub &'static dyn StepKind);

impl Kind {
    /// Returns the kind of that name.
    pub fn named(name: &str) -> Option<Self> {
        KINDS.iter().find(|kind| kind.name() == name).map(|kind| Self(*kind))
    }

    /// Iterates over the names of all kinds.
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

/// Context of a plan: what it knows of the session beside its inputs and what was read.
#[derive(Clone, Debug)]
pub struct Ctx {
    /// Time from which spans count.
    pub now: DateTime<Utc>,
    /// Identity of the intent that may come of the plan.
    pub id: Ulid,
    /// Name of the person who acts.
    pub actor: Clean,
    /// Cluster that the step is done in.
    pub place: ClusterRef,
    /// Namespace of objects that are given without one.
    pub namespace: String,
    /// Address of Alertmanager without credentials, where the step asks it.
    pub alertmanager: Clean,
    /// Address of Prometheus without credentials, or a service of the cluster, where the step asks it; else
    /// why there is none.
    pub prometheus: Result<Clean, Clean>,
    /// What the runbook fixes of the step.
    pub with: Parameters,
    /// Settings of rates: the share of failing requests above which a service is in trouble.
    pub rates: Rates,
}

/// The cluster that a step is done in.
#[derive(Clone, Debug)]
pub struct ClusterRef {
    /// Address of its API server.
    pub cluster: Clean,
    /// Identity, whatever its address: [`crate::effect::identity`].
    pub identity: Clean,
    /// Context as targets name it: empty for the main one.
    pub named: Clean,
    /// The kube-context, for commands.
    pub context: Clean,
    /// Id among the contexts of the session.
    pub id: ContextId,
    /// Whether the session has several contexts.
    pub several: bool,
}

impl Ctx {
    /// Returns the target that an object of this cluster is.
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

    /// Returns the target of what concerns the cluster as a whole.
    pub fn cluster(&self) -> Target {
        self.target("cluster", "", self.place.context.as_str(), "")
    }

    /// Returns ` of context eu`, or nothing where there is only one context.
    pub fn of_context(&self) -> String {
        if self.place.several { format!(" of context {}", self.place.context) } else { String::new() }
    }
}

/// Draft of a plan, as a kind of step works it out.
#[derive(Clone, Debug)]
pub struct Draft {
    /// The change in words.
    pub title: String,
    /// Object that it is aimed at.
    pub target: Target,
    /// Requests and commands that would leave, in order.
    pub requests: Vec<Request>,
    /// Checks that should come true; the runbook chooses among them.
    pub checks: Vec<Check>,
    /// How it is undone.
    pub undo: Undo,
    /// Command line that does the same.
    pub command: Command,
    /// What the change touches.
    pub touches: String,
    /// Findings that are to be known besides.
    pub facts: Vec<Fact>,
    /// Diff of what would change, where a dry run or the request itself do not tell.
    pub lines: Vec<DiffLine>,
    /// Why the name must be typed; `None` where one key is enough.
    pub naming: Option<Naming>,
}

/// One op with what preflight needs to know of it.
#[derive(Clone, Debug)]
pub struct Request {
    /// The op itself.
    pub op: Op,
    /// Rights that it needs; their answers are open.
    pub rights: Vec<Right>,
    /// Object that it changes, as read; `null` for what has no manifest.
    pub object: Value,
    /// Whether it is made through the subresource `scale`, whose answer is a Scale.
    pub scale: bool,
}

impl Draft {
    /// Creates the draft of a step that only looks.
    pub fn look(title: String, target: Target, what: &str, rights: Vec<Right>, command: Command) -> Self {
        let look = Look { target: target.clone(), what: what.into() };
        let request = Request { op: Op::Look(look), rights, object: Value::Null, scale: false };
        Self {
            title,
            target,
            requests: vec![request],
            checks: Vec::new(),
            undo: Undo::None("it only looks".to_owned()),
            command,
            touches: String::new(),
            facts: Vec::new(),
            lines: Vec::new(),
            naming: None,
        }
    }
}

/// How a change is undone.
#[derive(Clone, Debug, PartialEq)]
pub enum Undo {
    /// By a step of that kind, with these inputs.
    Step {
        /// Name of the kind.
        kind: &'static str,
        /// Inputs of the step.
        inputs: Vec<(&'static str, String)>,
    },
    /// Not at all, and why.
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
    /// Context that it is of.
    pub context: ContextId,
    /// Inputs of the call.
    pub inputs: Vec<(&'static str, String)>,
    /// The call in words: `roll back app to rev 6`.
    pub title: String,
    /// Why it is suggested: `24.8 % of its requests fail`.
    pub because: String,
    /// Rank of the suggestion: the highest stands first.
    pub rank: u8,
}

/// Returns the time at a JSON pointer (RFC 3339); `None` where there is none.
pub fn time(value: &Value, pointer: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text(value, pointer)).ok().map(|at| at.to_utc())
}

/// Returns the text at a JSON pointer; empty where there is none.
pub fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests;
