//! What the server serves: versions, groups and their resources.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::sim::cluster::kind::{ALL, Kind, group_version};

/// Answers `/version` and the discovery paths.
pub(super) fn answer(path: &str) -> Option<Value> {
    let parts: Vec<_> = path.split('/').filter(|part| !part.is_empty()).collect();
    match parts.as_slice() {
        ["version"] => Some(version()),
        ["api"] => Some(json!({"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []})),
        ["apis"] => Some(
            json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups().into_values().collect::<Vec<_>>()}),
        ),
        ["apis", group] => groups().remove(*group),
        ["api", "v1"] => Some(resources("", "v1")),
        ["apis", group, version] => groups().contains_key(*group).then(|| resources(group, version)),
        _ => None,
    }
}

fn version() -> Value {
    json!({
        "major": "1", "minor": "35", "gitVersion": "v1.35.0", "gitCommit": "sim", "gitTreeState": "clean",
        "buildDate": "2025-12-17T00:00:00Z", "goVersion": "go1.25.5", "compiler": "gc", "platform": "linux/amd64",
    })
}

/// What a client may ask about itself: group, resource and kind.
const REVIEWS: [(&str, &str, &str); 2] = [
    ("authentication.k8s.io", "selfsubjectreviews", "SelfSubjectReview"),
    ("authorization.k8s.io", "selfsubjectaccessreviews", "SelfSubjectAccessReview"),
];

/// The groups by name, with the versions that they are served in.
fn groups() -> BTreeMap<String, Value> {
    let reviews = REVIEWS.iter().map(|(group, ..)| (*group, &["v1"][..]));
    let known = ALL.into_iter().filter(|kind| !kind.group.is_empty()).map(|kind| (kind.group, kind.versions));
    known.chain(reviews).map(|(group, versions)| (group.to_owned(), group_of(group, versions))).collect()
}

fn group_of(group: &str, versions: &[&str]) -> Value {
    let versions: Vec<_> = versions
        .iter()
        .map(|version| json!({"groupVersion": group_version(group, version), "version": version}))
        .collect();
    json!({"kind": "APIGroup", "apiVersion": "v1", "name": group, "versions": versions, "preferredVersion": versions[0]})
}

fn resources(group: &str, version: &str) -> Value {
    let kinds = ALL.into_iter().filter(|kind| kind.group == group && kind.versions.contains(&version));
    let mut resources: Vec<_> = kinds.flat_map(resources_of).collect();
    resources.extend(
        REVIEWS
            .iter()
            .filter(|review| review.0 == group)
            .map(|(_, name, kind)| entry(name, kind, false, &["create"])),
    );
    json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version(group, version), "resources": resources})
}

fn resources_of(kind: &Kind) -> Vec<Value> {
    let verbs = if kind.group == "metrics.k8s.io" {
        &["get", "list"][..]
    } else {
        &["create", "delete", "get", "list", "patch", "watch"]
    };
    let mut whole = entry(kind.plural, kind.name, kind.namespaced, verbs);
    whole["singularName"] = json!(kind.name.to_lowercase());
    whole["shortNames"] = json!(kind.short);
    let mut all = vec![whole];
    let part =
        |part: &str, of: &str, verbs: &[&str]| entry(&format!("{}/{part}", kind.plural), of, true, verbs);
    match kind.name {
        "Pod" => {
            all.extend([part("log", "Pod", &["get"]), part("exec", "PodExecOptions", &["create", "get"])]);
            all.push(part("eviction", "Eviction", &["create"]));
        }
        "Deployment" | "StatefulSet" => all.push(part("scale", "Scale", &["get", "patch"])),
        _ => {}
    }
    all
}

fn entry(name: &str, kind: &str, namespaced: bool, verbs: &[&str]) -> Value {
    json!({"name": name, "singularName": "", "namespaced": namespaced, "kind": kind, "verbs": verbs})
}
