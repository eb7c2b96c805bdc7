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
    /// A program that may change something has run, and this is what it printed. By its exit code it did what
    /// it is for (0), or what it changed is not known (any other; none where it was ended or killed).
    Ran(Output),
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

/// What a step has found: the output of a command and how it ended, or what was read in words and as a table.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Output {
    /// Exit code of a command; `None` where none arrived: its output is then incomplete.
    pub exit: Option<i32>,
    /// Lines of the output, those of standard output first, each no longer than it may be; beside a table,
    /// what it says in a sentence.
    pub lines: Vec<Clean>,
    /// What was read; `None` of a command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<Table>,
    /// What was read as text, below the table: an answer as its server gave it, lines of logs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub text: Vec<Clean>,
    /// What it shows to be wrong, in a few words: `3 of 4 nodes are not ready`; `None` where nothing is, or
    /// where that is not for a program to tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wrong: Option<Clean>,
    /// Why the output is incomplete; `None` where it is complete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut: Option<Clean>,
    /// What each of several steps has found; empty of a single one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
}

/// What one of several steps that looked at once has found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// Id of the step.
    pub step: Clean,
    /// What the runbook calls it.
    pub title: Clean,
    /// What it has found, or why it could not look.
    pub found: Result<Output, Clean>,
    /// Time that it took, seconds.
    pub seconds: f64,
}

impl Output {
    /// Creates what was read: its sum in a sentence, and the table.
    pub fn read(sum: impl Into<Clean>, table: Table) -> Self {
        Self { lines: vec![sum.into()], table: Some(table), ..Self::default() }
    }

    /// Returns whether it is whole, and did not fail.
    pub fn succeeded(&self) -> bool {
        match self.table {
            Some(_) => self.cut.is_none() && self.exit.is_none_or(|code| code == 0),
            None => self.exit == Some(0),
        }
    }
}

/// A table that was read. Every row has as many cells as there are columns.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// Names of the columns.
    pub columns: Vec<Clean>,
    /// Rows, the worst or the newest first.
    pub rows: Vec<Vec<Clean>>,
}

impl Table {
    /// Creates a table without rows.
    pub fn new(columns: &[&str]) -> Self {
        Self { columns: columns.iter().map(|name| Clean::new(name)).collect(), rows: Vec::new() }
    }
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
