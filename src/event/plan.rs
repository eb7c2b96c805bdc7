//! A change, ready to be confirmed: exactly what would be sent, and all that preflight found. Never recorded;
//! what is confirmed of it is its [`Intent`].

use super::{Intent, Refusal, StepCall};
use crate::clean::Clean;

/// The answer to preparing a step.
#[derive(Clone, Debug, PartialEq)]
pub struct Prepared {
    /// Call that was prepared.
    pub call: StepCall,
    /// The plan with its preflight, or why there is none.
    pub result: Result<Plan, Refusal>,
}

/// A prepared change: what it would do, and what preflight found.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Intent that a confirmation sends.
    pub intent: Intent,
    /// Diff of what would change, as far as it can be worked out.
    pub diff: Vec<DiffLine>,
    /// Result of the server's dry run.
    pub dry_run: DryRun,
    /// The rights that its requests need.
    pub rights: Vec<Right>,
    /// Other findings of preflight: who will fight the change, what will be made again, what is not known.
    pub facts: Vec<Fact>,
    /// What the change touches: replicas, share of the service's pods or traffic.
    pub touches: Clean,
    /// Why the target's name must be typed; `None` where one key is enough.
    pub naming: Option<Naming>,
}

impl Plan {
    /// Returns the first thing that forbids sending it, whoever asks.
    pub fn obstacle(&self) -> Option<Refusal> {
        let denied = |right: &Right| matches!(right.allowed, Allowed::No(_));
        if let Some(right) = self.rights.iter().find(|right| denied(right)) {
            return Some(Refusal::Denied(
                format!("you may not {right}: ask for that right, or let somebody who has it do this").into(),
            ));
        }
        match &self.dry_run {
            DryRun::Refused(why) => {
                Some(Refusal::Failed(format!("the server refuses it (dry run): {why}").into()))
            }
            DryRun::Accepted | DryRun::Unknown(_) | DryRun::None(_) => None,
        }
    }
}

/// Result of the server's dry run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DryRun {
    /// The server would accept the change.
    Accepted,
    /// The server would refuse the change, in its words.
    Refused(Clean),
    /// The result is unknown, and why: no answer came, or one that says nothing.
    Unknown(Clean),
    /// There was no dry run, and why: the server has none, or this session sends none.
    None(Clean),
}

/// Why a name must be typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Naming {
    /// Why, in words.
    pub why: Clean,
    /// Whether nothing brings back what the change removes: `warroom run` asks for the name as well
    /// (`--confirm NAME`).
    pub lasting: bool,
}

/// A finding of preflight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// Subject of the finding: `owner`, `autoscaler`, `recreated by`.
    pub label: Clean,
    /// Weight of the finding.
    pub weight: Weight,
    /// The finding in words.
    pub words: Clean,
}

/// Weight of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// For information.
    Plain,
    /// A warning: to be thought about before confirming.
    Warn,
    /// Unknown: it could not be found out, and the words say why.
    Unknown,
}

impl Fact {
    /// Creates a finding for information.
    pub fn plain(label: &str, words: impl Into<Clean>) -> Self {
        Self { label: label.into(), weight: Weight::Plain, words: words.into() }
    }

    /// Creates a warning.
    pub fn warn(label: &str, words: impl Into<Clean>) -> Self {
        Self { label: label.into(), weight: Weight::Warn, words: words.into() }
    }

    /// Creates a finding that says what could not be found out.
    pub fn unknown(label: &str, why: &str) -> Self {
        Self { label: label.into(), weight: Weight::Unknown, words: format!("unknown, because {why}").into() }
    }
}

/// One line of a diff.
#[derive(Clone, Debug, PartialEq)]
pub struct DiffLine {
    /// Whether the line is kept, removed or added.
    pub sign: Sign,
    /// Text of the line.
    pub text: Clean,
}

/// What a change does to a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// The line is kept: context.
    Keep,
    /// The line is removed.
    Remove,
    /// The line is added.
    Add,
    /// The value changes, and is not shown.
    Hide,
}

/// A right that a request needs, and whether the server says that we have it (`SelfSubjectAccessReview`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Right {
    /// Verb of the right: `patch`, `create`, …
    pub verb: Clean,
    /// API group; empty for the core one.
    pub group: Clean,
    /// Resource in the plural: `deployments`, `nodes`, …
    pub resource: Clean,
    /// Subresource: `scale`, `exec`, …; empty for the object itself.
    pub subresource: Clean,
    /// Namespace; empty for what has none.
    pub namespace: Clean,
    /// Name of the object: a rule may name those that it is for (`resourceNames`).
    pub name: Clean,
    /// Answer of the server.
    pub allowed: Allowed,
}

/// Answer to whether a right is granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Allowed {
    /// The right is granted.
    Yes,
    /// The right is not granted, with the server's reason where it gives one.
    No(Clean),
    /// The server did not say, because of this.
    Unknown(Clean),
}

impl std::fmt::Display for Right {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { verb, group, resource, subresource, namespace, name, .. } = self;
        let part = if subresource.is_empty() { String::new() } else { format!("/{subresource}") };
        let of = if group.is_empty() { String::new() } else { format!(" ({group})") };
        write!(f, "{verb} {resource}{part} {name}{of}")?;
        if namespace.is_empty() { Ok(()) } else { write!(f, " in {namespace}") }
    }
}
