//! What steps ask for: kinds of input, and the inputs of one call. What an input can be, as far as the
//! cluster knows, is [`crate::state::Form`]'s.

use std::collections::BTreeMap;

use super::{command, target};
use crate::event::{Kind, Refusal, StepCall, Typed};

crate::data::names! {
    /// Kind of an input: what it asks for, and what completes it.
    InputKind "kind of input" {
        /// A Deployment's name, from the cluster.
        Deployment "deployment",
        /// A Deployment, a StatefulSet or a DaemonSet: `name`, or `statefulset/name`.
        Workload "workload",
        /// A pod's name.
        Pod "pod",
        /// A node's name.
        Node "node",
        /// A Service's name.
        Service "service",
        /// A namespace's name.
        Namespace "namespace",
        /// Number of one of the Deployment's older revisions.
        Revision "revision",
        /// A number from 0 to 10,000.
        Count "count",
        /// `K=V,K=V`; `K-` takes a variable away.
        Env "env",
        /// An alert, by fingerprint, or all of a name.
        Alert "alert",
        /// Names of the alert's labels, with commas between.
        Labels "labels",
        /// Time span: `15m`, `1h30m`; or until when: `14:30`, in UTC.
        Span "span",
        /// A silence, by its id or by the tag that warroom put into its comment.
        Silence "silence",
        /// A command and its arguments, in a shell's quotes; no shell runs it.
        Command "command",
        /// One of the words that the runbook names.
        Choice "choice",
        /// Any words.
        Text "text",
    }
}

impl InputKind {
    /// Returns whether an object of this kind can be the input.
    pub fn takes(self, kind: Kind) -> bool {
        match self {
            Self::Deployment => kind == Kind::Deployment,
            Self::Workload => matches!(kind, Kind::Deployment | Kind::StatefulSet | Kind::DaemonSet),
            Self::Pod => kind == Kind::Pod,
            Self::Node => kind == Kind::Node,
            _ => false,
        }
    }

    /// Returns whether the input names an object of a cluster.
    pub fn places(self) -> bool {
        matches!(self, Self::Deployment | Self::Workload | Self::Pod | Self::Node | Self::Service)
    }

    /// What was typed for such an input: values of variables are what they are and never shown, of all else
    /// blanks around it are left out.
    pub fn typed(self, raw: &str) -> Typed {
        match self {
            Self::Env => Typed::env(raw),
            Self::Command => command::typed_line(raw.trim()),
            _ => Typed::new(raw.trim()),
        }
    }
}

/// An input of a kind of step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InputSpec {
    /// Its name.
    pub name: &'static str,
    /// What it asks for.
    pub kind: InputKind,
    /// Whether it must be given.
    pub required: bool,
}

impl InputSpec {
    /// Creates an input that must be given.
    pub const fn required(name: &'static str, kind: InputKind) -> Self {
        Self { name, kind, required: true }
    }

    /// Creates an input that may be left out.
    pub const fn optional(name: &'static str, kind: InputKind) -> Self {
        Self { name, kind, required: false }
    }
}

/// The inputs of a call, exactly as they were given.
#[derive(Clone, Debug, Default)]
pub struct Inputs(BTreeMap<String, String>);

impl Inputs {
    /// Collects the inputs of a call.
    pub fn of(call: &StepCall) -> Self {
        Self(call.inputs.iter().map(|(name, value)| (name.to_string(), value.raw().to_owned())).collect())
    }

    /// Returns an input, or `None` where it is missing or empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Returns an input that is the name of a namespace, or `None` where it is not given.
    ///
    /// # Errors
    /// It is no name.
    pub fn namespace(&self, name: &str) -> Result<Option<&str>, Refusal> {
        match self.get(name) {
            Some(given) if !target::is_name(given) => {
                Err(Refusal::usage(format!("\"{given}\" is no namespace: give its name")))
            }
            given => Ok(given),
        }
    }

    /// Returns an input that must be there.
    ///
    /// # Errors
    /// It is not.
    pub fn needed(&self, name: &str) -> Result<&str, Refusal> {
        self.get(name).ok_or_else(|| Refusal::usage(format!("{name} is needed: give {name}=…")))
    }
}

impl<'a> FromIterator<(&'a str, &'a str)> for Inputs {
    fn from_iter<I: IntoIterator<Item = (&'a str, &'a str)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }
}
