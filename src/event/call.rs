//! A step as it is asked for, and the answer to preparing it.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use ulid::Ulid;

use super::Typed;
use crate::clean::Clean;

crate::data::names! {
    /// How much a step can break.
    Danger "danger" {
        /// Reads, and changes nothing.
        Read "read",
        /// Changes something, and nothing is lost for good.
        Change "change",
        /// Changes something that cannot be undone.
        Destructive "destructive",
    }
}

impl Serialize for Danger {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Danger {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Clean::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A step of the runbook with its inputs: what is asked for. An input is exactly what was typed or read; what
/// a recording or a screen gets of it is its shown form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepCall {
    /// The step's id, `rollout-undo`.
    pub step: Clean,
    /// Its inputs by name.
    pub inputs: BTreeMap<Clean, Typed>,
    /// Identity of the intent that this call undoes; `None` for every call that is no undo.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undoes: Option<Ulid>,
}

impl StepCall {
    /// The input that every step has: the kube-context to do it in; without it the main one.
    pub const CONTEXT: &str = "context";

    /// Creates a call of the step with that id.
    pub fn new(step: impl Into<Clean>, inputs: BTreeMap<Clean, Typed>) -> Self {
        Self { step: step.into(), inputs, undoes: None }
    }
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
    /// Creates a refusal of inputs that do not fit.
    pub fn usage(why: impl Into<Clean>) -> Self {
        Self::Usage(why.into())
    }

    /// Creates a refusal of a step that cannot be done as things are.
    pub fn failed(why: impl Into<Clean>) -> Self {
        Self::Failed(why.into())
    }

    /// Returns the sentence that says why, and what to do next.
    pub fn reason(&self) -> &Clean {
        match self {
            Self::Usage(why) | Self::Denied(why) | Self::Failed(why) => why,
        }
    }
}
