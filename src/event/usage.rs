//! What pods and nodes use, and whether namespaces are there: readings, told only as far as they changed.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{ContextId, ObjectKey};
use crate::clean::Clean;
use crate::data::Problem;

/// One reading of metrics.k8s.io, as far as it differs from what was told before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Usage {
    /// Time of the reading.
    pub at: DateTime<Utc>,
    /// Pods and nodes whose usage changed enough to be reported.
    pub used: Vec<Used>,
    /// Names of pods and nodes that are no longer measured.
    pub gone: Vec<ObjectKey>,
}

/// Usage of one pod or node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Used {
    /// Name: `namespace/name` of a pod, the name of a node.
    pub name: ObjectKey,
    /// CPU, thousandths of a core.
    pub cpu: u32,
    /// Memory, KiB.
    pub memory: u32,
}

/// A namespace and its state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Namespace {
    /// Name of the namespace.
    pub name: Clean,
    /// Whether it exists.
    pub phase: NamespacePhase,
    /// Context that it belongs to.
    #[serde(default, skip_serializing_if = "ContextId::is_main")]
    pub context: ContextId,
}

/// Whether a namespace exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NamespacePhase {
    /// It exists.
    Active,
    /// It is being deleted, with all that is in it.
    Terminating,
    /// It was deleted.
    Gone,
    /// It does not exist, and was never seen.
    Missing,
}

/// Why a line names no namespaces.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotNamespaces {
    /// It names none.
    #[error("name one namespace or several, or all")]
    Empty,
    /// One of its words can be none.
    #[error("\"{0}\" cannot be a namespace")]
    NotAName(Clean),
    /// One of its words is none of those that are there.
    #[error("{0}")]
    Unknown(Problem),
}

/// Parses the namespaces that a typed line names, separated by blanks or commas; none for `all` and `*`.
/// Names are DNS labels (RFC 1123).
///
/// # Errors
/// The word that cannot be a namespace's name.
pub fn namespaces(line: &str) -> Result<Vec<Clean>, NotNamespaces> {
    let words: Vec<&str> = line.split([' ', ',']).filter(|word| !word.is_empty()).collect();
    if matches!(words.as_slice(), ["all" | "*"]) {
        return Ok(Vec::new());
    }
    let fits = |word: &str| {
        let edge = |c: Option<char>| c.is_some_and(|c| c != '-');
        let inside = word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        inside && word.len() <= 63 && edge(word.chars().next()) && edge(word.chars().next_back())
    };
    match words.iter().find(|word| !fits(word)) {
        Some(wrong) => Err(NotNamespaces::NotAName((*wrong).into())),
        None if words.is_empty() => Err(NotNamespaces::Empty),
        None => Ok(words.into_iter().fold(Vec::new(), |mut all: Vec<Clean>, word| {
            if !all.iter().any(|known| known == word) {
                all.push(word.into());
            }
            all
        })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn namespaces_are_named_in_one_line() {
        let read = |line: &str| {
            namespaces(line).map(|all| all.iter().map(ToString::to_string).collect::<Vec<_>>().join("+"))
        };
        assert_eq!(read("shop, prod shop"), Ok("shop+prod".to_owned()));
        assert_eq!(read("all"), Ok(String::new()));
        assert_eq!(read("*"), Ok(String::new()));
        assert_eq!(read(" "), Err(NotNamespaces::Empty));
        for word in ["../secrets", "Shop", "-a"] {
            assert_eq!(read(word), Err(NotNamespaces::NotAName(word.into())));
        }
    }
}
