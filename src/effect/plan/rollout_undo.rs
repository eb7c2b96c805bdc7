//! `kubectl rollout undo`, by kubectl's own rules (pkg/polymorphichelpers/rollback.go): the second-highest revision unless one is given,
//! half-rolled Deployments too; paused ones are refused; only the pod template and the annotations come back, never the replica count.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{Draft, Reading, test, text};
use crate::clean::Clean;
use crate::event::Refusal;

const REVISION: &str = "deployment.kubernetes.io/revision";

/// Annotations that a rollback leaves as they are (kubectl's `annotationsToSkip`).
const KEPT: [&str; 6] = [
    "kubectl.kubernetes.io/last-applied-configuration",
    REVISION,
    "deployment.kubernetes.io/revision-history",
    "deployment.kubernetes.io/desired-replicas",
    "deployment.kubernetes.io/max-replicas",
    "deprecated.deployment.rollback.to",
];

pub(super) fn draft(inputs: &BTreeMap<Clean, Clean>, read: &Reading) -> Result<Draft, Refusal> {
    let (deployment, name) = (&read.deployment, text(&read.deployment, "/metadata/name"));
    if deployment.pointer("/spec/paused") == Some(&Value::Bool(true)) {
        return Err(Refusal::Failed(format!("{name} is paused: resume it first (kubectl rollout resume deployment/{name})").into()));
    }
    let history = history(read);
    let current = history.keys().next_back().copied().unwrap_or(0);
    let (number, revision) = chosen(inputs, &history, name)?;
    let template = template_of(revision);
    if template == deployment["spec"]["template"] {
        return Err(Refusal::Failed(format!("nothing to do: {name} is already as in revision {number}").into()));
    }
    let mut patch = vec![test(deployment, "/metadata/uid"), test(deployment, "/spec/template")];
    patch.push(json!({"op": "replace", "path": "/spec/template", "value": template}));
    patch.extend(annotations(deployment, revision));
    Ok(Draft {
        title: format!("roll back {name} to rev {number}{}", release(&template)),
        patch,
        subresource: None,
        expect: BTreeMap::from([("/spec/template", template)]),
        undo: BTreeMap::from([("revision", current.to_string())]),
        kubectl: format!("kubectl rollout undo deployment/{name} --to-revision={number}"),
        type_name: None,
    })
}

/// The Deployment's own ReplicaSets by revision.
fn history(read: &Reading) -> BTreeMap<u64, &Value> {
    let uid = text(&read.deployment, "/metadata/uid");
    let owned = |rs: &&Value| {
        let owners = rs.pointer("/metadata/ownerReferences").and_then(Value::as_array);
        owners.is_some_and(|owners| owners.iter().any(|owner| owner["controller"] == true && owner["uid"] == uid))
    };
    let number = |rs: &Value| rs["metadata"]["annotations"][REVISION].as_str().and_then(|n| n.parse().ok());
    read.revisions.iter().filter(owned).filter_map(|rs| Some((number(rs)?, rs))).collect()
}

fn chosen<'a>(inputs: &BTreeMap<Clean, Clean>, history: &BTreeMap<u64, &'a Value>, name: &str) -> Result<(u64, &'a Value), Refusal> {
    let all = || history.keys().map(u64::to_string).collect::<Vec<_>>().join(", ");
    match inputs.get("revision").filter(|wanted| !wanted.is_empty()) {
        None => {
            let previous = history.iter().rev().nth(1).map(|(number, rs)| (*number, *rs));
            previous.ok_or_else(|| Refusal::Failed(format!("{name} has no earlier revision to go back to").into()))
        }
        Some(wanted) => {
            let number: u64 =
                wanted.parse().map_err(|_| Refusal::Usage(format!("\"{wanted}\" is no revision of {name}; it has {}", all()).into()))?;
            let found = history.get(&number).map(|rs| (number, *rs));
            found.ok_or_else(|| Refusal::Usage(format!("{name} has no revision {number}; it has {}", all()).into()))
        }
    }
}

/// The ReplicaSet's template without the label that its controller added.
fn template_of(revision: &Value) -> Value {
    let mut template = revision["spec"]["template"].clone();
    if let Some(labels) = template.pointer_mut("/metadata/labels").and_then(Value::as_object_mut) {
        labels.remove("pod-template-hash");
    }
    template
}

/// Changes the annotations that differ, and no other: what somebody else writes meanwhile is not lost.
fn annotations(deployment: &Value, revision: &Value) -> Vec<Value> {
    let of = |object: &Value| object.pointer("/metadata/annotations").and_then(Value::as_object).cloned().unwrap_or_default();
    let (now, then) = (of(deployment), of(revision));
    let keys: BTreeSet<&String> = now.keys().chain(then.keys()).filter(|key| !KEPT.contains(&key.as_str())).collect();
    let change = |key: &String| {
        let path = format!("/metadata/annotations/{}", key.replace('~', "~0").replace('/', "~1"));
        match (now.get(key), then.get(key)) {
            (now, Some(then)) if now != Some(then) => Some(json!({"op": "add", "path": path, "value": then})),
            (Some(_), None) => Some(json!({"op": "remove", "path": path})),
            _ => None,
        }
    };
    keys.into_iter().filter_map(change).collect()
}

/// ` (v1.2.3)`: what the template calls its version.
fn release(template: &Value) -> String {
    let env = template.pointer("/spec/containers/0/env").and_then(Value::as_array);
    let version =
        env.and_then(|env| env.iter().find(|var| var["name"] == "APP_VERSION" || var["name"] == "VERSION")).map(|var| text(var, "/value"));
    let label = ["/metadata/labels/app.kubernetes.io~1version", "/metadata/labels/version"].map(|at| text(template, at));
    let tag = text(template, "/spec/containers/0/image").rsplit_once(':').map(|(_, tag)| tag);
    let found = label.into_iter().find(|label| !label.is_empty()).or(version).or(tag);
    found.map(|found| format!(" ({found})")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template(version: &str) -> Value {
        json!({"metadata": {"labels": {"app": "app"}}, "spec": {"containers": [{"name": "app", "image": "box:1", "env": [{"name": "APP_VERSION", "value": version}]}]}})
    }

    fn revision(number: u64, version: &str, owner: &str) -> Value {
        let mut template = template(version);
        template["metadata"]["labels"]["pod-template-hash"] = json!("abc");
        json!({"metadata": {"annotations": {REVISION: number.to_string(), "note": format!("n{number}")},
               "ownerReferences": [{"controller": true, "uid": owner}]}, "spec": {"template": template}})
    }

    fn reading(revisions: Vec<Value>) -> Reading {
        let annotations = json!({REVISION: "7", "note": "n7", "kubectl.kubernetes.io/last-applied-configuration": "{}", "gone": "x"});
        let deployment =
            json!({"metadata": {"name": "app", "uid": "u1", "annotations": annotations}, "spec": {"template": template("v1.3.0")}});
        Reading { deployment, revisions }
    }

    fn given(revision: Option<&str>) -> BTreeMap<Clean, Clean> {
        revision.map(|r| ("revision".into(), r.into())).into_iter().collect()
    }

    #[test]
    fn goes_to_the_second_highest_revision_and_guards_uid_and_template() {
        let read = reading(vec![
            revision(7, "v1.3.0", "u1"),
            revision(5, "v1.2.2", "u1"),
            revision(6, "v1.2.3", "u1"),
            revision(9, "v9", "other"),
        ]);
        let draft = draft(&given(None), &read).unwrap();
        assert_eq!((draft.title.as_str(), &draft.undo["revision"]), ("roll back app to rev 6 (v1.2.3)", &"7".to_owned()));
        assert_eq!(draft.kubectl, "kubectl rollout undo deployment/app --to-revision=6");
        let ops: Vec<String> = draft.patch.iter().map(|op| format!("{} {}", text(op, "/op"), text(op, "/path"))).collect();
        assert_eq!(
            ops,
            [
                "test /metadata/uid",
                "test /spec/template",
                "replace /spec/template",
                "remove /metadata/annotations/gone",
                "add /metadata/annotations/note"
            ]
        );
        assert_eq!(draft.patch[2]["value"], template("v1.2.3"), "without the hash label");
    }

    #[test]
    fn a_given_revision_must_exist_and_differ() {
        let read = reading(vec![revision(7, "v1.3.0", "u1"), revision(5, "v1.2.2", "u1")]);
        assert!(draft(&given(Some("5")), &read).is_ok());
        let refused = |wanted| draft(&given(Some(wanted)), &read).unwrap_err().reason().to_string();
        assert_eq!(refused("4"), "app has no revision 4; it has 5, 7");
        assert_eq!(refused("v5"), "\"v5\" is no revision of app; it has 5, 7");
        assert_eq!(refused("7"), "nothing to do: app is already as in revision 7");
    }

    #[test]
    fn refuses_what_kubectl_refuses() {
        let mut paused = reading(vec![revision(7, "v1.3.0", "u1"), revision(6, "v1.2.3", "u1")]);
        paused.deployment["spec"]["paused"] = json!(true);
        assert!(draft(&given(None), &paused).unwrap_err().reason().starts_with("app is paused"));
        assert!(draft(&given(None), &reading(vec![revision(7, "v1.3.0", "u1")])).unwrap_err().reason().contains("no earlier revision"));
    }
}
