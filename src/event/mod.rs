//! Facts: what happened, as data. No clock, no handle, nothing that only this process can understand.
//!
//! [`Event`] is closed: whatever changes the world or the screen is one of these, in one total order. All but
//! [`Event::View`] are written to the journal as a [`Record`]; the world is a fold of those alone, so a
//! replay arrives at the same world.

pub mod alertmanager;
mod call;
mod cluster;
mod context;
pub mod grant;
mod guardrail;
mod intent;
mod log;
mod metric;
mod operator;
mod outcome;
mod plan;
mod private;
mod rate;
#[cfg(test)]
pub(crate) mod samples;
mod session;
mod source;
mod target;
mod typed;
mod usage;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

pub use call::{Danger, Refusal, StepCall};
pub use cluster::{
    Amount, ClusterEvent, ConfigMap, Container, ContainerState, Kind, LastChange, Meta, Node, Notice, Owner,
    Pod, PodPhase, Revision, Scope, Uid, Workload,
};
pub use context::{ContextId, ObjectKey, labels};
pub use grant::Grant;
#[cfg(test)]
pub(crate) use guardrail::tests::guardrail;
pub use guardrail::{Doing, Guardrail, Hours, Rule};
pub use intent::{
    Browse, Check, Command, Exec, Expectation, FileCopy, Intent, Look, Made, Op, Program, Save, Sealed,
    Server, Write, digest,
};
pub use log::{Level, LogEnd, LogExtent, LogLine, LogNews, LogSource, LogState};
pub use metric::{Alert, GroupLag, Matcher, PartitionLag, Silence};
pub use operator::{CallBy, Does, Edit, Operator, Preferences, Purpose, Setup, View};
pub use outcome::{Finding, Measure, Outcome, Output, Table, Verdict};
pub use plan::{Allowed, DiffLine, DryRun, Fact, Naming, Plan, Prepared, Right, Sign, Weight};
pub use private::Private;
pub use rate::{Asked, Rate, RateHistory, RateSample, ServiceHistory, ServiceRate, Signal, Tier, Unit};
pub use session::{ContextInfo, Mode, Session};
pub use source::{Part, SourceHealth, SourceId, SourceState};
pub use target::Target;
pub use typed::Typed;
pub use usage::{Namespace, NamespacePhase, NotNamespaces, Usage, Used, namespaces};

/// One line of the journal: what happened, its place in the order, and when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Place in the order of the session, from 1.
    pub seq: u64,
    /// When warroom learnt it; never used to order.
    pub at: DateTime<Utc>,
    /// What happened.
    pub event: Event,
}

/// A fact.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Event {
    /// The session began: who looks at which cluster, with which rules.
    Started(Session),
    /// A source went live, stale, blind or down.
    Health(SourceHealth),
    /// Objects that the API server reported.
    Cluster(ClusterEvent),
    /// CPU and memory that pods and nodes use.
    Usage(Usage),
    /// Namespaces that were created, deleted, or are being deleted.
    Namespaces(Vec<Namespace>),
    /// Request and error rates, oldest first.
    Rates(Vec<RateSample>),
    /// Rates from before: what was before the session began, or while Prometheus was out of reach.
    RateHistory(RateHistory),
    /// All queries that Prometheus is asked.
    RateQueries(Vec<Asked>),
    /// Consumer groups, as of one reading.
    Lag {
        /// When it was read.
        at: DateTime<Utc>,
        /// All groups of the cluster.
        groups: Vec<GroupLag>,
    },
    /// All alerts that Alertmanager holds now.
    Alerts(Vec<Alert>),
    /// All silences that are in force now, or will be.
    Silences(Vec<Silence>),
    /// A decision of the operator.
    Operator(Operator),
    /// A change was confirmed; it is on disk before its request leaves.
    Intent(Box<Intent>),
    /// An intent of an earlier session that never got its outcome (warroom was killed).
    Inherited(Box<Intent>),
    /// An op of an intent was authorised, and leaves.
    Sent {
        /// The intent.
        intent: ulid::Ulid,
        /// Index of the op, from 0.
        op: u32,
    },
    /// An op of an intent is done, and another one is left.
    Answered {
        /// The intent.
        intent: ulid::Ulid,
        /// Index of the op, from 0.
        op: u32,
        /// `metadata.generation` of the object afterwards.
        generation: i64,
    },
    /// The outcome of an intent is known, or known to be unknown.
    Outcome {
        /// The intent.
        intent: ulid::Ulid,
        /// The outcome.
        outcome: Outcome,
    },
    /// The time that an intent's checks had is over.
    VerifyDue {
        /// The intent.
        intent: ulid::Ulid,
    },
    /// The identity of the cluster that answers in a context, whatever its address.
    Identity {
        /// The context.
        context: ContextId,
        /// Its identity.
        identity: crate::clean::Clean,
    },
    /// The journal could not be written, or can be again (`None`).
    JournalTrouble(Option<crate::clean::Clean>),
    /// The kubeconfig changed while the session runs; what came of that, in words.
    Kubeconfig(crate::clean::Clean),
    /// A part of an earlier session's recording cannot be read, which may be a change whose answer is not
    /// known, in words.
    Unread(crate::clean::Clean),
    /// A change of this viewer's screen alone; never recorded.
    #[serde(skip)]
    View(View),
}

impl Event {
    /// Returns whether the journal keeps the event. What is not kept cannot change the world.
    pub fn recorded(&self) -> bool {
        !matches!(self, Self::View(_))
    }

    /// Returns whether the event must be on disk before anything follows from it (invariant 5).
    pub fn decisive(&self) -> bool {
        matches!(self, Self::Intent(_) | Self::Inherited(_) | Self::Outcome { .. })
    }

    /// Returns whether the event is a reading that comes every few seconds, whatever happens.
    pub fn is_reading(&self) -> bool {
        matches!(self, Self::Usage(_) | Self::Rates(_) | Self::Lag { .. })
    }
}
