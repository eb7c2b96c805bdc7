//! The revisions of a Deployment, as its ReplicaSets keep them: where a change of its template goes back to,
//! also after a restart.

use std::collections::BTreeMap;

use serde_json::Value;

use super::target::{Found, REPLICA_SET, controller};
use super::{Answer, Read, text};
use crate::clean::Clean;

/// Why the revisions of a Deployment are not known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unlisted {
    /// They could not be read, because of this.
    #[error("{0}")]
    Unread(Clean),
    /// The server does not know ReplicaSets, or was not asked.
    #[error("the server has no ReplicaSets")]
    NoneThere,
}

/// Why a Deployment could not come back to its present template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoWayBack {
    /// Its revisions are not known.
    #[error("the revisions are not known, because {0}")]
    Unknown(#[from] Unlisted),
    /// It keeps none but the newest.
    #[error("no older revision is kept (revisionHistoryLimit is 0)")]
    NotKept,
    /// None of them holds the template.
    #[error("no revision holds the present template")]
    NotHeld,
}

impl NoWayBack {
    /// Why nobody knows whether there is a way back: what keeps the revisions from being read.
    pub fn unread(&self) -> Option<&Clean> {
        if let Self::Unknown(Unlisted::Unread(why)) = self { Some(why) } else { None }
    }
}

/// Annotation that holds the number of a revision.
pub const REVISION: &str = "deployment.kubernetes.io/revision";

/// Returns the read of a Deployment's revisions.
pub fn read(deployment: &Found) -> Read {
    let what = format!("the revisions of {}", deployment.name());
    REPLICA_SET.selected(&deployment.aim.namespace, &deployment.object["spec"]["selector"], what)
}

/// ReplicaSets by the number of their revision.
pub type Revisions<'a> = BTreeMap<u64, &'a Value>;

/// Returns the Deployment's own ReplicaSets by revision.
///
/// # Errors
/// Why they are not known.
pub fn of<'a>(deployment: &Found, answer: Option<&'a Answer>) -> Result<Revisions<'a>, Unlisted> {
    let list = match answer {
        Some(Answer::Found(list)) => list,
        Some(Answer::Unknown(why) | Answer::Forbidden(why)) => return Err(Unlisted::Unread(why.clone())),
        Some(Answer::Missing) | None => return Err(Unlisted::NoneThere),
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
pub fn present(deployment: &Found, answer: Option<&Answer>) -> Result<u64, NoWayBack> {
    let revisions = of(deployment, answer)?;
    if deployment.object["spec"]["revisionHistoryLimit"] == 0 {
        return Err(NoWayBack::NotKept);
    }
    let now = &deployment.object["spec"]["template"];
    let held =
        revisions.iter().rev().find(|(_, revision)| template(revision) == *now).map(|(number, _)| *number);
    held.ok_or(NoWayBack::NotHeld)
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::samples::{ctx, deployment, list, revision};
    use super::super::target::{Aim, DEPLOYMENT};
    use super::*;

    #[test]
    fn why_there_is_no_way_back_is_known_by_its_cause() {
        let template = |image: &str| json!({"metadata": {"labels": {"app": "app"}}, "spec": {"containers": [{"image": image}]}});
        let [now, other] = ["1", "2"].map(template);
        let mut app =
            Found { aim: Aim::parse(&DEPLOYMENT, "app", &ctx()).unwrap(), object: deployment(&now) };
        assert_eq!(present(&app, Some(&list(&[revision(3, &now)]))), Ok(3));
        assert_eq!(present(&app, Some(&list(&[revision(3, &other)]))), Err(NoWayBack::NotHeld));
        let unread = present(&app, Some(&Answer::Unknown("no answer".into()))).unwrap_err();
        assert_eq!(unread, NoWayBack::Unknown(Unlisted::Unread("no answer".into())));
        assert_eq!(unread.to_string(), "the revisions are not known, because no answer");
        let missing = present(&app, Some(&Answer::Missing)).unwrap_err();
        assert_eq!(missing, NoWayBack::Unknown(Unlisted::NoneThere));
        assert!(missing.unread().is_none(), "that is known");
        app.object["spec"]["revisionHistoryLimit"] = json!(0);
        assert_eq!(present(&app, Some(&list(&[revision(3, &now)]))), Err(NoWayBack::NotKept));
    }
}
