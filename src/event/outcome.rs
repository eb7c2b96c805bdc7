//! What became of an intent: the answer, and how its effect was measured.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::clean::Clean;

/// What became of an intent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "is")]
pub enum Outcome {
    /// The server made all changes.
    Applied {
        /// `metadata.generation` afterwards; 0 where an object has none.
        generation: i64,
        /// Requests that were answered as done.
        writes: u32,
        /// Whether it was found out by reading, after the answer was lost.
        by_reading: bool,
    },
    /// Nothing was to be changed, and this was read.
    Read(Output),
    /// Some of the changes were made, and the rest was not.
    Partial {
        /// Changes that were made, from the first on.
        done: u32,
        /// Changes that were not.
        rest: u32,
        /// Why not.
        why: Clean,
    },
    /// It was sent, and nothing was changed.
    Rejected {
        /// In the server's words, and what to do next.
        reason: Clean,
        /// Whether it was found out by reading.
        by_reading: bool,
    },
    /// No request left.
    NotSent {
        /// Why.
        reason: Clean,
    },
    /// The answer was lost: it may or may not have been made. It is never sent again.
    Unknown {
        /// How the answer was lost.
        reason: Clean,
        /// Which of the requests, from 0; those before it are done, those behind it were not sent.
        #[serde(default)]
        at: u32,
    },
}

/// What a command printed, and how it ended.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Output {
    /// Its exit code; `None` where none came: what is here is then not all.
    pub exit: Option<i32>,
    /// Its lines, those of standard output first, each no longer than it may be.
    pub lines: Vec<Clean>,
    /// Why this is not all that there was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut: Option<Clean>,
}

/// Numbers that checks compare, before and after. `None` is unknown.
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
    /// The release that ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<Clean>,
    /// What is told in words: `node` → `cordoned`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub states: BTreeMap<Clean, Clean>,
}

/// How the checks ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// Whether all that was expected came true in time.
    pub ok: bool,
    /// When the change was confirmed.
    pub before: Measure,
    /// When the checks ended.
    pub after: Measure,
    /// Seconds from the outcome.
    pub seconds: f64,
    /// What is still missing, where it is not ok.
    pub missing: Vec<Clean>,
    /// When.
    pub at: DateTime<Utc>,
}
