//! Who may do what: the rights of `manifests/base.yaml`, and the reviews with which a client asks about its own.

use axum::http::Method;
use bytes::Bytes;
use serde_json::{Value, json};

use super::status::Status;
use super::target::Target;
use crate::sim::cluster::chart::NAMESPACE;
use crate::sim::request::Query;

/// Whose requests they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Identity {
    /// May do everything.
    Admin,
    /// May do what an incident needs: no Secrets, no list of namespaces.
    Responder,
    /// Reads only: no logs, no exec.
    Viewer,
    /// One namespace: get and list without watch, no events, no nodes; may patch deployments.
    Narrow,
}

struct Rule {
    groups: &'static [&'static str],
    resources: &'static [&'static str],
    verbs: &'static [&'static str],
    /// The only namespace in which it holds.
    namespace: Option<&'static str>,
}

const fn rule(groups: &'static [&'static str], resources: &'static [&'static str], verbs: &'static [&'static str]) -> Rule {
    Rule { groups, resources, verbs, namespace: None }
}

const READ: &[&str] = &["get", "list", "watch"];
const CHANGE: &[&str] = &["create", "patch", "update", "delete"];

static ADMIN: [Rule; 1] = [rule(&["*"], &["*"], &["*"])];

static RESPONDER: [Rule; 9] = [
    rule(&[""], &["pods", "pods/log", "nodes", "events", "services", "endpoints", "configmaps", "replicationcontrollers"], READ),
    rule(
        &["apps", "batch", "autoscaling", "networking.istio.io", "metrics.k8s.io", "events.k8s.io", "discovery.k8s.io", "policy"],
        &["*"],
        READ,
    ),
    rule(&["apps"], &["deployments", "deployments/scale", "statefulsets", "statefulsets/scale", "daemonsets"], &["patch", "update"]),
    rule(&["apps"], &["deployments"], &["create", "delete"]),
    rule(&[""], &["services", "configmaps"], CHANGE),
    rule(&[""], &["pods"], &["patch", "update", "delete"]),
    rule(&[""], &["pods/exec", "pods/portforward", "pods/eviction"], &["create", "get"]),
    rule(&[""], &["nodes"], &["patch"]),
    rule(&["networking.istio.io"], &["destinationrules", "virtualservices"], CHANGE),
];

static VIEWER: [Rule; 1] =
    [rule(&["", "apps"], &["pods", "nodes", "events", "services", "deployments", "replicasets", "statefulsets", "namespaces"], READ)];

static NARROW: [Rule; 2] = [
    Rule {
        namespace: Some(NAMESPACE),
        ..rule(&["", "apps"], &["pods", "pods/log", "services", "deployments", "replicasets"], &["get", "list"])
    },
    Rule { namespace: Some(NAMESPACE), ..rule(&["apps"], &["deployments"], &["patch"]) },
];

impl Identity {
    fn user(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Responder => "responder",
            Self::Viewer => "viewer",
            Self::Narrow => "narrow",
        }
    }

    fn group(self) -> &'static str {
        match self {
            Self::Admin => "system:masters",
            Self::Responder => "responders",
            Self::Viewer => "viewers",
            Self::Narrow => "narrow",
        }
    }

    fn rules(self) -> &'static [Rule] {
        match self {
            Self::Admin => &ADMIN,
            Self::Responder => &RESPONDER,
            Self::Viewer => &VIEWER,
            Self::Narrow => &NARROW,
        }
    }

    fn may(self, verb: &str, group: &str, resource: &str, namespace: Option<&str>) -> bool {
        let among = |all: &[&str], one: &str| all.iter().any(|known| *known == "*" || *known == one);
        self.rules().iter().any(|rule| {
            let here = rule.namespace.is_none() || rule.namespace == namespace;
            here && among(rule.verbs, verb) && among(rule.groups, group) && among(rule.resources, resource)
        })
    }
}

/// Refuses what the identity may not do.
pub(super) fn check(identity: Identity, method: &Method, target: &Target, query: &Query) -> Result<(), Status> {
    let verb = verb(method, target, query);
    let allowed = identity.may(verb, target.kind.group, &target.resource(), target.scope());
    if allowed { Ok(()) } else { Err(Status::forbidden(identity.user(), verb, target)) }
}

fn verb(method: &Method, target: &Target, query: &Query) -> &'static str {
    match *method {
        Method::POST => "create",
        Method::PUT => "update",
        Method::PATCH => "patch",
        Method::DELETE => "delete",
        _ if target.subresource.as_deref() == Some("exec") => "create",
        _ if target.name.is_some() => "get",
        _ if query.flag("watch") => "watch",
        _ => "list",
    }
}

/// Answers a review of one's own access or identity.
pub(super) fn review(identity: Identity, path: &str, body: &Bytes) -> Option<Value> {
    let mut review: Value = serde_json::from_slice(body).unwrap_or_else(|_| json!({}));
    match path {
        "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews" => {
            let asked = &review["spec"]["resourceAttributes"];
            let field = |name: &str| asked[name].as_str().unwrap_or_default();
            let resource = if field("subresource").is_empty() {
                field("resource").to_owned()
            } else {
                format!("{}/{}", field("resource"), field("subresource"))
            };
            let namespace = Some(field("namespace")).filter(|name| !name.is_empty());
            let allowed = identity.may(field("verb"), field("group"), &resource, namespace);
            review["status"] = json!({"allowed": allowed});
        }
        "/apis/authentication.k8s.io/v1/selfsubjectreviews" => {
            let groups = [identity.group(), "system:authenticated"];
            review["status"] = json!({"userInfo": {"username": identity.user(), "groups": groups}});
        }
        _ => return None,
    }
    Some(review)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_of_the_bed() {
        let here = Some(NAMESPACE);
        let cases = [
            (Identity::Admin, "delete", "", "secrets", here, true),
            (Identity::Responder, "list", "", "secrets", here, false),
            (Identity::Responder, "list", "", "namespaces", None, false),
            (Identity::Responder, "patch", "apps", "deployments/scale", here, true),
            (Identity::Responder, "create", "", "pods/exec", here, true),
            (Identity::Viewer, "watch", "", "pods", None, true),
            (Identity::Viewer, "get", "", "pods/log", here, false),
            (Identity::Viewer, "patch", "apps", "deployments", here, false),
            (Identity::Narrow, "list", "", "pods", here, true),
            (Identity::Narrow, "watch", "", "pods", here, false),
            (Identity::Narrow, "list", "", "pods", None, false),
            (Identity::Narrow, "patch", "apps", "deployments", here, true),
        ];
        for (identity, verb, group, resource, namespace, expected) in cases {
            assert_eq!(identity.may(verb, group, resource, namespace), expected, "{identity:?} {verb} {group}/{resource} {namespace:?}");
        }
    }
}
