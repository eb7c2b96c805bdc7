//! What pods and nodes use, and whether namespaces are there: readings, told only as far as they changed.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{ContextId, ObjectKey};
use crate::clean::Clean;

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

/// Parses the namespaces that a typed line names, separated by blanks or commas; none for `all` and `*`.
/// Names are DNS labels (RFC 1123).
///
/// # Errors
/// The word that cannot be a namespace's name.
pub fn namespaces(line: &str) -> Result<Vec<Clean>, String> {
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
        Some(wrong) => Err(format!("\"{wrong}\" cannot be a namespace")),
        None if words.is_empty() => Err("name one namespace or several, or all".to_owned()),
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
        assert_eq!(read("shop, prod shop").as_deref(), Ok("shop+prod"));
        assert_eq!(read("all").as_deref(), Ok(""));
        assert_eq!(read("*").as_deref(), Ok(""));
        assert!(
            read(" ").is_err() && read("../secrets").is_err() && read("Shop").is_err() && read("-a").is_err()
        );
    }
}
