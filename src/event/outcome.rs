//! What became of an intent: the answer, and how its effect was measured.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::clean::Clean;

/// Outcome of an intent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "is")]
pub enum Outcome {
    /// The server made all changes.
    Applied {
        /// `metadata.generation` of the object afterwards; 0 where an object has none.
        generation: i64,
        /// Number of requests that were answered as done.
        writes: u32,
        /// Whether it was found out by reading, after the answer was lost.
        by_reading: bool,
    },
    /// The intent only read, and this is what it read.
    Read(Output),
    /// Some of the changes were made, and the rest was not.
    Partial {
        /// Number of changes that were made, from the first on.
        done: u32,
        /// Number of changes that were not made.
        rest: u32,
        /// Why the rest was not made.
        why: Clean,
    },
    /// It was sent, and nothing was changed.
    Rejected {
        /// Reason in the server's words, and what to do next.
        reason: Clean,
        /// Whether it was found out by reading.
        by_reading: bool,
    },
    /// No request left.
    NotSent {
        /// Why no request was sent.
        reason: Clean,
    },
    /// The answer was lost: it may or may not have been made. It is never sent again.
    Unknown {
        /// How the answer was lost.
        reason: Clean,
        /// Index of the request without an answer, from 0; those before it are done, those behind it were not
        /// sent.
        #[serde(default)]
        at: u32,
    },
}

/// Output of a command, and how it ended.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Output {
    /// Exit code; `None` where none arrived: the output is then incomplete.
    pub exit: Option<i32>,
    /// Lines of the output, those of standard output first, each no longer than it may be.
    pub lines: Vec<Clean>,
    /// Why the output is incomplete; `None` where it is complete.
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
    /// Share of failing requests, 0 to 1.
    pub ratio_5xx: Option<f64>,
    /// Number of records not consumed.
    pub lag: Option<i64>,
    /// Number of alerts that are active.
    #[serde(default)]
    pub firing: Option<u32>,
    /// Release that ran: `v1.2.3`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<Clean>,
    /// States in words, by what they are of: `node` → `cordoned`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub states: BTreeMap<Clean, Clean>,
}

/// Result of the checks of an intent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// Whether all checks came true in time.
    pub ok: bool,
    /// Measurement when the change was confirmed.
    pub before: Measure,
    /// Measurement when the checks ended.
    pub after: Measure,
    /// Time from the outcome to the end of the checks, seconds.
    pub seconds: f64,
    /// What is still missing, in words, where not all came true.
    pub missing: Vec<Clean>,
    /// Time when the checks ended.
    pub at: DateTime<Utc>,
}
