//! What is read for a plan or a look: which server is asked for what, and what it answered.

use serde_json::Value;

use crate::clean::Clean;

/// Server that a read goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whom {
    /// The cluster's API server.
    Cluster,
    /// Alertmanager.
    Alertmanager,
    /// This machine: a file of manifests, whose documents are the answer, as `{"line", "document"}` each.
    File,
    /// This machine: what was kept in a file of the data folder.
    Kept,
    /// Prometheus.
    Prometheus,
    /// Prometheus, for the rates of the services now, as their source asks for them: one
    /// [`RateSample`](crate::event::RateSample).
    Rates,
}

/// Something to be read for a plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Read {
    /// Server that is asked.
    pub whom: Whom,
    /// Path, with its query; or that of a file.
    pub path: String,
    /// Name of what is read, in sentences: `deployment app in shop`.
    pub what: String,
    /// What the answer must say that it is; `None` where it does not say.
    pub is: Option<Is>,
    /// Whether nothing can be planned without the answer.
    pub required: bool,
    /// Form in which the answer is wanted.
    pub wanted: ReadAs,
}

/// Form of an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReadAs {
    /// The objects themselves.
    #[default]
    Objects,
    /// A table of what kubectl would print, by the server's own columns (`meta.k8s.io/v1` `Table`).
    Table,
    /// Text, as one JSON string: an answer as it comes.
    Text,
}

/// What an answer must say that it is: the answer to another question is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Is {
    /// Kind of the answer: `Deployment`, `ReplicaSetList`.
    pub kind: String,
    /// Namespace and name; `None` for a list.
    pub place: Option<(String, String)>,
}

/// Answer to a read.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// The object that was read.
    Found(Value),
    /// The server has no such thing.
    Missing,
    /// It may not be read, in the server's words.
    Forbidden(Clean),
    /// It is not known, because of this.
    Unknown(Clean),
}

impl Answer {
    /// Returns the object that was read.
    pub fn found(&self) -> Option<&Value> {
        if let Self::Found(value) = self { Some(value) } else { None }
    }
}
