//! What something is aimed at.

use serde::{Deserialize, Serialize};

use crate::clean::Clean;

/// Object that a change is aimed at: bound when it is chosen, never by row or ambient context (invariant 6).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Target {
    /// Address of the cluster's API server.
    pub cluster: Clean,
    /// Identity of the cluster, whatever its address; empty where it is not known.
    #[serde(default, skip_serializing_if = "Clean::is_empty")]
    pub identity: Clean,
    /// Kube-context; empty for the main one.
    #[serde(default, skip_serializing_if = "Clean::is_empty")]
    pub context: Clean,
    /// Kind as kubectl names it: `deployment`, `pod`; or `silence`, which is Alertmanager's.
    pub kind: Clean,
    /// Namespace; empty for what has none.
    pub namespace: Clean,
    /// Name of the object.
    pub name: Clean,
    /// Uid, as the object's own server has it.
    pub uid: Clean,
}
