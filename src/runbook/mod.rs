//! The runbook's steps as data: inputs, danger, verify, undo. What a kind of step *does* is code ([`crate::effect`]); which steps there are,
//! what they ask for and what should come true afterwards is data, `runbooks/*.toml`.

mod load;

use crate::clean::Clean;
use crate::event::{Kind, Typed};

pub use load::{EMBEDDED, embedded, read};

/// The steps of one team.
#[derive(Clone, Debug, PartialEq)]
pub struct Runbook {
    /// Whose it is.
    pub name: Clean,
    /// Steps, in the runbook's order.
    pub steps: Vec<Step>,
}

impl Runbook {
    /// The step of that id.
    pub fn step(&self, id: &str) -> Option<&Step> {
        self.steps.iter().find(|step| step.id == id)
    }
}

/// One step.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The name that keys, the command line and the journal use.
    pub id: Clean,
    /// The runbook's heading.
    pub section: Clean,
    /// What it does, in a few words.
    pub title: Clean,
    /// How much it can break.
    pub danger: Danger,
    /// What it does.
    pub kind: StepKind,
    /// What it asks for.
    pub inputs: Vec<StepInput>,
    /// What should come true afterwards.
    pub verify: Vec<VerifyRule>,
    /// Seconds that this may take.
    pub verify_within: u32,
}

impl Step {
    /// What was typed for the input of that name.
    pub fn typed(&self, name: &str, raw: &str) -> Typed {
        let input = self.inputs.iter().find(|input| input.name == *name);
        input.map_or_else(|| Typed::new(raw), |input| input.kind.typed(raw))
    }
}

crate::data::names! {
    /// How much a step can break.
    Danger "danger" {
        /// It only looks.
        Read "read",
        /// It changes something that can be taken back.
        Change "change",
        /// It cannot be taken back.
        Destructive "destructive",
    }
}

crate::data::names! {
    /// What a step does. Each kind has a planner in [`crate::effect`].
    StepKind "kind of step" {
        /// `kubectl rollout undo deployment/… [--to-revision=…]`
        RolloutUndo "rollout-undo",
        /// `kubectl scale deployment … --replicas=…`
        Scale "scale",
        /// `kubectl set env deployment/… K=V …`
        SetEnv "set-env",
        /// A silence of Alertmanager, for a while.
        Silence "silence",
        /// The end of one.
        Unsilence "unsilence",
    }
}

crate::data::names! {
    /// What an input asks for, and what completes it.
    InputKind "kind of input" {
        /// A Deployment's name, from the cluster.
        Deployment "deployment",
        /// One of the Deployment's older revisions.
        Revision "revision",
        /// A number from 0 to 10,000.
        Count "count",
        /// `K=V,K=V`; `K-` takes a variable away.
        Env "env",
        /// An alert, by fingerprint, or all of a name.
        Alert "alert",
        /// Names of the alert's labels, with commas between.
        Labels "labels",
        /// How long: `15m`, `1h30m`; or until when: `14:30`, in UTC.
        Span "span",
        /// A silence, by its id or by the tag that warroom put into its comment.
        Silence "silence",
        /// Any words.
        Text "text",
    }
}

impl InputKind {
    /// Whether an object of this kind can be the input.
    pub fn takes(self, kind: Kind) -> bool {
        self == Self::Deployment && kind == Kind::Deployment
    }

    /// What was typed for such an input: values of variables are what they are and never shown, of all else blanks around it are left out.
    pub fn typed(self, raw: &str) -> Typed {
        if self == Self::Env { Typed::env(raw) } else { Typed::new(raw.trim()) }
    }
}

crate::data::names! {
    /// What should come true after a step.
    VerifyRule "verify rule" {
        /// All replicas are of the new template and ready.
        Rollout "rollout",
        /// As many replicas as asked for are ready.
        Ready "ready",
        /// The service's share of failing requests is below the threshold.
        ErrorsBelow "errors-below",
        /// The consumer group that is named as the deployment is catches up.
        LagFalling "lag-falling",
        /// The silence is in force and its alerts call for nobody; or it is over.
        Silenced "silenced",
    }
}

/// One input of a step.
#[derive(Clone, Debug, PartialEq)]
pub struct StepInput {
    /// Its name.
    pub name: Clean,
    /// What it asks for.
    pub kind: InputKind,
    /// Whether it must be given.
    pub required: bool,
    /// What it is when it is not given.
    pub default: Option<Clean>,
}
