//! The revisions of a Deployment, as its ReplicaSets keep them: where a change of its template goes back to,
//! also after a restart.

use std::collections::BTreeMap;

use serde_json::Value;

use super::target::{Found, REPLICA_SET, controller};
use super::{Answer, Read, text};
use crate::clean::Clean;

/// Annotation that holds the number of a revision.
pub const REVISION: &str = "deployment.kubernetes.io/revision";

/// Returns the read of a Deployment's revisions.
pub fn read(deployment: &Found) -> Read {
    let what = format!("the revisions of {}", deployment.name());
    REPLICA_SET.selected(&deployment.aim.namespace, &deployment.object["spec"]["selector"], what)
}

/// Returns the Deployment's own ReplicaSets by revision.
///
/// # Errors
/// Why they are not known.
pub fn of<'a>(deployment: &Found, answer: Option<&'a Answer>) -> Result<BTreeMap<u64, &'a Value>, Clean> {
    let list = match answer {
        Some(Answer::Found(list)) => list,
        Some(Answer::Unknown(why)) => return Err(why.clone()),
        Some(Answer::Missing) | None => return Err("the server has no ReplicaSets".into()),
    };
    let owned = |rs: &&Value| controller(rs).is_some_and(|owner| owner["uid"] == deployment.uid());
    let number = |rs: &Value| rs["metadata"]["annotations"][REVISION].as_str().and_then(|n| n.parse().ok());
    Ok(list["items"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(owned)
        .filter_map(|rs| Some((number(rs)?, rs)))
        .collect())
}

/// Returns the ReplicaSet's template without the label that its controller added.
pub fn template(revision: &Value) -> Value {
    let mut template = revision["spec"]["template"].clone();
    if let Some(labels) = template.pointer_mut("/metadata/labels").and_then(Value::as_object_mut) {
        labels.remove("pod-template-hash");
    }
    template
}

/// Returns the revision that a Deployment could come back to from now on: the newest that holds its template
/// exactly as it is, and that is kept.
///
/// # Errors
/// Why there is none.
pub fn present(deployment: &Found, answer: Option<&Answer>) -> Result<u64, String> {
    let revisions =
        of(deployment, answer).map_err(|why| format!("the revisions are not known, because {why}"))?;
    if deployment.object["spec"]["revisionHistoryLimit"] == 0 {
        return Err("no older revision is kept (revisionHistoryLimit is 0)".to_owned());
    }
    let now = &deployment.object["spec"]["template"];
    let held =
        revisions.iter().rev().find(|(_, revision)| template(revision) == *now).map(|(number, _)| *number);
    held.ok_or_else(|| "no revision holds the present template".to_owned())
}

/// Returns why it is not known what a Deployment could come back to; `None` where it is known.
pub fn unread(answer: Option<&Answer>) -> Option<String> {
    if let Some(Answer::Unknown(why)) = answer {
        Some(format!("the revisions cannot be read: {why}"))
    } else {
        None
    }
}

/// Returns the version that the template states, as a title has it: ` (v1.2.3)`.
pub fn release(template: &Value) -> String {
    let env = template.pointer("/spec/containers/0/env").and_then(Value::as_array);
    let version = env
        .and_then(|env| env.iter().find(|var| var["name"] == "APP_VERSION" || var["name"] == "VERSION"))
        .map(|var| text(var, "/value"));
    let label = ["/metadata/labels/app.kubernetes.io~1version", "/metadata/labels/version"]
        .map(|at| text(template, at));
    let tag = text(template, "/spec/containers/0/image").rsplit_once(':').map(|(_, tag)| tag);
    let found = label.into_iter().find(|label| !label.is_empty()).or(version).or(tag);
    found.map(|found| format!(" ({found})")).unwrap_or_default()
}
