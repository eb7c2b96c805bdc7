//! Who may do what: the rights of `manifests/base.yaml`, and the reviews with which a client asks about its
//! own.

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
    /// Reads as a responder does; may patch one Deployment, `medcontracthub-app`, and its scale.
    Named,
    /// Has the rights that docs/rights.md lists, and no others: not to list Secrets, which stand apart there.
    Documented,
}

#[derive(Clone, Copy)]
struct Rule {
    groups: &'static [&'static str],
    resources: &'static [&'static str],
    verbs: &'static [&'static str],
    /// The only objects for which it holds (`resourceNames`); all where there are none.
    names: &'static [&'static str],
    /// The only namespace in which it holds.
    namespace: Option<&'static str>,
}

const fn rule(
    groups: &'static [&'static str],
    resources: &'static [&'static str],
    verbs: &'static [&'static str],
) -> Rule {
    Rule { groups, resources, verbs, names: &[], namespace: None }
}

impl Rule {
    /// Whether it grants the verb, by the rules of `pkg/registry/rbac/validation` and
    /// `plugin/pkg/auth/authorizer/rbac`.
    fn grants(&self, asked: &Asked<'_>) -> bool {
        let among = |all: &[&str], one: &str| all.iter().any(|known| *known == "*" || *known == one);
        let here = self.namespace.is_none() || self.namespace == asked.namespace;
        let named = self.names.is_empty() || asked.name.is_some_and(|name| self.names.contains(&name));
        here && named
            && among(self.verbs, asked.verb)
            && among(self.groups, asked.group)
            && among(self.resources, asked.resource)
    }
}

/// What somebody wants to do.
struct Asked<'a> {
    verb: &'a str,
    group: &'a str,
    /// `pods`, or `pods/log`.
    resource: &'a str,
    namespace: Option<&'a str>,
    name: Option<&'a str>,
}

/// A user, the group that the rights are bound to, and the role that has them.
struct Profile {
    user: &'static str,
    group: &'static str,
    role: &'static str,
    rules: &'static [Rule],
}

const READ: &[&str] = &["get", "list", "watch"];
const CHANGE: &[&str] = &["create", "patch", "update", "delete"];

static ADMIN: [Rule; 1] = [rule(&["*"], &["*"], &["*"])];

const READS: [Rule; 2] = [
    rule(
        &[""],
        &[
            "pods",
            "pods/log",
            "nodes",
            "events",
            "services",
            "endpoints",
            "configmaps",
            "replicationcontrollers",
        ],
        READ,
    ),
    rule(
        &[
            "apps",
            "batch",
            "autoscaling",
            "networking.istio.io",
            "metrics.k8s.io",
            "events.k8s.io",
            "discovery.k8s.io",
            "policy",
        ],
        &["*"],
        READ,
    ),
];

static RESPONDER: [Rule; 9] = [
    READS[0],
    READS[1],
    rule(
        &["apps"],
        &["deployments", "deployments/scale", "statefulsets", "statefulsets/scale", "daemonsets"],
        &["patch", "update"],
    ),
    rule(&["apps"], &["deployments"], &["create", "delete"]),
    rule(&[""], &["services", "configmaps"], CHANGE),
    rule(&[""], &["pods"], &["patch", "update", "delete"]),
    rule(&[""], &["pods/exec", "pods/portforward", "pods/eviction"], &["create", "get"]),
    rule(&[""], &["nodes"], &["patch"]),
    rule(&["networking.istio.io"], &["destinationrules", "virtualservices"], CHANGE),
];

static VIEWER: [Rule; 1] = [rule(
    &["", "apps"],
    &["pods", "nodes", "events", "services", "deployments", "replicasets", "statefulsets", "namespaces"],
    READ,
)];

static NARROW: [Rule; 2] = [
    Rule {
        namespace: Some(NAMESPACE),
        ..rule(
            &["", "apps"],
            &["pods", "pods/log", "services", "deployments", "replicasets"],
            &["get", "list"],
        )
    },
    Rule { namespace: Some(NAMESPACE), ..rule(&["apps"], &["deployments"], &["patch"]) },
];

static NAMED: [Rule; 3] = [
    READS[0],
    READS[1],
    Rule {
        names: &["medcontracthub-app"],
        ..rule(&["apps"], &["deployments", "deployments/scale"], &["patch"])
    },
];

/// What docs/rights.md lists, row by row.
static DOCUMENTED: [Rule; 16] = [
    rule(&[""], &["pods", "events", "nodes", "configmaps"], READ),
    rule(&["apps"], &["deployments", "statefulsets", "daemonsets", "replicasets"], READ),
    rule(&["batch"], &["jobs"], READ),
    rule(&[""], &["namespaces"], &["get", "list"]),
    rule(&["metrics.k8s.io"], &["pods", "nodes"], &["list"]),
    rule(&["autoscaling"], &["horizontalpodautoscalers"], &["list"]),
    rule(&[""], &["pods/log"], &["get"]),
    rule(&[""], &["pods/exec", "pods/portforward"], &["create", "get"]),
    rule(&[""], &["services"], &["list", "get", "patch"]),
    rule(&["networking.istio.io"], &["destinationrules"], &["get", "create", "patch", "delete"]),
    rule(&[""], &["services/proxy"], &["get", "create", "delete"]),
    rule(&["apps"], &["deployments", "deployments/scale", "statefulsets", "daemonsets"], &["patch"]),
    rule(&[""], &["nodes"], &["patch"]),
    rule(&[""], &["pods"], &["delete"]),
    rule(&[""], &["pods/eviction"], &["create"]),
    rule(&["policy"], &["poddisruptionbudgets"], &["list"]),
];

impl Identity {
    fn profile(self) -> Profile {
        let of = |user, group, role, rules| Profile { user, group, role, rules };
        match self {
            Self::Admin => of("admin", "system:masters", "cluster-admin", &ADMIN),
            Self::Responder => of("responder", "responders", "responder", &RESPONDER),
            Self::Viewer => of("viewer", "viewers", "view-war-room", &VIEWER),
            Self::Narrow => of("narrow", "narrow", "narrow", &NARROW),
            Self::Named => of("named", "named", "one-deployment", &NAMED),
            Self::Documented => of("documented", "documented", "warroom", &DOCUMENTED),
        }
    }

    /// Why it is allowed, as RBAC words it; nothing where it is not. Of `system:masters` RBAC is not asked.
    fn allowed(self, asked: &Asked<'_>) -> Option<String> {
        let Profile { group, role, rules, .. } = self.profile();
        let rule = rules.iter().find(|rule| rule.grants(asked))?;
        Some(match (self, rule.namespace) {
            (Self::Admin, _) => String::new(),
            (_, Some(here)) => format!(
                "RBAC: allowed by RoleBinding \"{group}/{here}\" of Role \"{role}\" to Group \"{group}\""
            ),
            (_, None) => format!(
                "RBAC: allowed by ClusterRoleBinding \"{group}\" of ClusterRole \"{role}\" to Group \"{group}\""
            ),
        })
    }
}

/// Refuses what the identity may not do.
pub(super) fn check(
    identity: Identity,
    method: &Method,
    target: &Target,
    query: &Query,
) -> Result<(), Status> {
    let verb = verb(method, target, query);
    let resource = target.resource();
    // A list of one object by its name counts as one of that name (`apiserver/pkg/endpoints/request`).
    let selected = query.get("fieldSelector").and_then(|fields| fields.strip_prefix("metadata.name="));
    let name = target.name.as_deref().or(selected);
    let asked =
        Asked { verb, group: target.kind.group, resource: &resource, namespace: target.scope(), name };
    let allowed = identity.allowed(&asked).is_some();
    if allowed { Ok(()) } else { Err(Status::forbidden(identity.profile().user, verb, target)) }
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
            review["status"] = access(identity, &review["spec"]["resourceAttributes"]);
        }
        "/apis/authentication.k8s.io/v1/selfsubjectreviews" => {
            let Profile { user, group, .. } = identity.profile();
            review["status"] =
                json!({"userInfo": {"username": user, "groups": [group, "system:authenticated"]}});
        }
        _ => return None,
    }
    Some(review)
}

/// Whether the identity may do what it asks about. A `false` gives no reason, as RBAC gives none.
fn access(identity: Identity, attributes: &Value) -> Value {
    let field = |name: &str| attributes[name].as_str().filter(|text| !text.is_empty());
    let plural = field("resource").unwrap_or_default();
    let resource = field("subresource").map_or_else(|| plural.to_owned(), |part| format!("{plural}/{part}"));
    let verb = field("verb").unwrap_or_default();
    let group = field("group").unwrap_or_default();
    let asked =
        Asked { verb, group, resource: &resource, namespace: field("namespace"), name: field("name") };
    match identity.allowed(&asked) {
        Some(reason) if reason.is_empty() => json!({"allowed": true}),
        Some(reason) => json!({"allowed": true, "reason": reason}),
        None => json!({"allowed": false}),
    }
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
            let asked = Asked { verb, group, resource, namespace, name: None };
            assert_eq!(
                identity.allowed(&asked).is_some(),
                expected,
                "{identity:?} {verb} {group}/{resource} {namespace:?}"
            );
        }
    }

    #[test]
    fn a_rule_with_names_holds_for_these_only_and_a_review_says_which_rule_it_was() {
        let review = |identity, name: &str, part: &str| {
            let attributes = json!({"verb": "patch", "group": "apps", "resource": "deployments", "subresource": part, "namespace": NAMESPACE, "name": name});
            access(identity, &attributes)
        };
        let reason =
            r#"RBAC: allowed by ClusterRoleBinding "named" of ClusterRole "one-deployment" to Group "named""#;
        for part in ["", "scale"] {
            assert_eq!(
                review(Identity::Named, "medcontracthub-app", part),
                json!({"allowed": true, "reason": reason})
            );
            assert_eq!(review(Identity::Named, "ai-service", part), json!({"allowed": false}));
            assert_eq!(review(Identity::Named, "", part), json!({"allowed": false}));
        }
        assert_eq!(review(Identity::Admin, "", ""), json!({"allowed": true}));
        let reason =
            r#"RBAC: allowed by RoleBinding "narrow/medcontract-prod" of Role "narrow" to Group "narrow""#;
        assert_eq!(review(Identity::Narrow, "ai-service", "")["reason"], reason);
    }
}
