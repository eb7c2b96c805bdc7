//! What something is aimed at.

use serde::{Deserialize, Serialize};

use super::Uid;
use crate::clean::Clean;

/// What a change is aimed at: bound when it is chosen, never by row or ambient context (invariant 6).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Target {
    /// The cluster's address.
    pub cluster: Clean,
    /// What the cluster is known by, whatever its address; empty where that was not told.
    #[serde(default, skip_serializing_if = "Clean::is_empty")]
    pub identity: Clean,
    /// The kube-context, where it is not the main one.
    #[serde(default, skip_serializing_if = "Clean::is_empty")]
    pub context: Clean,
    /// What it is, as kubectl says it: `deployment`, `pod`; or `silence`, which is Alertmanager's.
    pub kind: Clean,
    /// Its namespace; empty for what has none.
    pub namespace: Clean,
    /// Its name.
    pub name: Clean,
    /// Its identity, as its own server has it.
    pub uid: Uid,
}
