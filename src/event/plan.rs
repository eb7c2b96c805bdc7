//! A change, ready to be confirmed: exactly what would be sent, and all that preflight found. Never recorded;
//! what is confirmed of it is its [`Intent`].

use super::{Intent, Refusal, StepCall};
use crate::clean::Clean;

/// The answer to preparing a step.
#[derive(Clone, Debug, PartialEq)]
pub struct Prepared {
    /// What was asked for.
    pub call: StepCall,
    /// The plan with its preflight, or why there is none.
    pub result: Result<Plan, Refusal>,
}

/// See the module.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// What becomes the intent when it is confirmed.
    pub intent: Intent,
    /// What would change, as far as it can be worked out.
    pub diff: Vec<DiffLine>,
    /// What the server's dry run says.
    pub dry_run: DryRun,
    /// The rights that its requests need.
    pub rights: Vec<Right>,
    /// What else preflight found: who will fight the change, what will be made again, what is not known.
    pub facts: Vec<Fact>,
    /// Replicas, share of the service's pods, of traffic.
    pub touches: Clean,
    /// Why the target's name must be typed; `None` where one key is enough.
    pub naming: Option<Naming>,
}

impl Plan {
    /// The first thing that forbids sending it, whoever asks.
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

/// What came of letting the server try it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DryRun {
    /// The server would take it.
    Accepted,
    /// The server would not take it, in its words.
    Refused(Clean),
    /// Nobody knows: no answer came, or one that says nothing.
    Unknown(Clean),
    /// There was none, and why: the server has none, or this session sends none.
    None(Clean),
}

/// Why a name must be typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Naming {
    /// In words.
    pub why: Clean,
    /// Nothing brings it back: `warroom run` asks for the name as well (`--confirm NAME`).
    pub lasting: bool,
}

/// Something that preflight found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// What it is about: `owner`, `autoscaler`, `recreated by`.
    pub label: Clean,
    /// How it is meant.
    pub weight: Weight,
    /// In words.
    pub words: Clean,
}

/// How a fact is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// Good to know.
    Plain,
    /// To be thought about first.
    Warn,
    /// It could not be found out; the words say why.
    Unknown,
}

impl Fact {
    /// Good to know.
    pub fn plain(label: &str, words: impl Into<Clean>) -> Self {
        Self { label: label.into(), weight: Weight::Plain, words: words.into() }
    }

    /// To be thought about first.
    pub fn warn(label: &str, words: impl Into<Clean>) -> Self {
        Self { label: label.into(), weight: Weight::Warn, words: words.into() }
    }

    /// It could not be found out.
    pub fn unknown(label: &str, why: &str) -> Self {
        Self { label: label.into(), weight: Weight::Unknown, words: format!("unknown, because {why}").into() }
    }
}

/// One line of a diff.
#[derive(Clone, Debug, PartialEq)]
pub struct DiffLine {
    /// Kept, taken away, or new.
    pub sign: Sign,
    /// The line.
    pub text: Clean,
}

/// What happens to a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// Context.
    Keep,
    /// Taken away.
    Remove,
    /// New.
    Add,
    /// Another value, which is not shown.
    Hide,
}

/// A right that a request needs, and whether the server says that we have it (`SelfSubjectAccessReview`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Right {
    /// `patch`, `create`, …
    pub verb: Clean,
    /// The API group; empty for the core one.
    pub group: Clean,
    /// `deployments`, `nodes`, …
    pub resource: Clean,
    /// `scale`, `exec`, …; empty for the object itself.
    pub subresource: Clean,
    /// In this namespace; empty for what has none.
    pub namespace: Clean,
    /// Of this object: a rule may name those that it is for (`resourceNames`).
    pub name: Clean,
    /// The server's answer.
    pub allowed: Allowed,
}

/// Whether somebody may.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Allowed {
    /// Yes.
    Yes,
    /// No, with the server's reason where it gives one.
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
