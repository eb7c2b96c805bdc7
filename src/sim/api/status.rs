//! Errors as the API server words them: `kind: Status`.

use std::time::Duration;

use axum::response::Response;
use serde_json::{Value, json};

use super::target::Target;
use crate::sim::cluster::kind::Kind;
use crate::sim::request::reply;

/// A refusal.
#[derive(Debug)]
pub(super) struct Status {
    code: u16,
    reason: &'static str,
    message: String,
    details: Value,
    retry_after: Option<u64>,
}

impl Status {
    pub(super) fn new(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        Self { code, reason, message: message.into(), details: Value::Null, retry_after: None }
    }

    fn about(self, group: &str, kind: &str, name: Option<&str>) -> Self {
        let mut details = json!({"kind": kind});
        if !group.is_empty() {
            details["group"] = json!(group);
        }
        if let Some(name) = name {
            details["name"] = json!(name);
        }
        Self { details, ..self }
    }

    pub(super) fn not_found(target: &Target) -> Self {
        let name = target.name.as_deref().unwrap_or_default();
        let message = format!("{} \"{name}\" not found", target.kind.qualified());
        Self::new(404, "NotFound", message).about(target.kind.group, target.kind.plural, Some(name))
    }

    pub(super) fn no_such_path() -> Self {
        Self {
            details: json!({}),
            ..Self::new(404, "NotFound", "the server could not find the requested resource")
        }
    }

    pub(super) fn method_not_allowed() -> Self {
        Self {
            details: json!({}),
            ..Self::new(
                405,
                "MethodNotAllowed",
                "the server does not allow this method on the requested resource",
            )
        }
    }

    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    pub(super) fn unsupported_media_type() -> Self {
        Self { details: json!({}), ..Self::new(415, "UnsupportedMediaType", "415: Unsupported Media Type") }
    }

    pub(super) fn already_exists(kind: &Kind, name: &str) -> Self {
        Self::new(409, "AlreadyExists", format!("{} \"{name}\" already exists", kind.qualified())).about(
            kind.group,
            kind.plural,
            Some(name),
        )
    }

    /// The object is not the one, or not as, the request says; `resource` is how this error calls it.
    pub(super) fn conflict(group: &str, resource: &str, name: &str, why: &str) -> Self {
        let called = if group.is_empty() { resource.to_owned() } else { format!("{resource}.{group}") };
        let message = format!("Operation cannot be fulfilled on {called} \"{name}\": {why}");
        Self::new(409, "Conflict", message).about(group, resource, Some(name))
    }

    /// The object was written since the version that the request carries.
    pub(super) fn modified(kind: &Kind, name: &str) -> Self {
        let why =
            "the object has been modified; please apply your changes to the latest version and try again";
        Self::conflict(kind.group, kind.plural, name, why)
    }

    /// A field that does not hold; `kind` and `group` are those of what was sent, which for a scale is
    /// `Scale`.
    pub(super) fn invalid(group: &str, kind: &str, name: &str, field: &str, problem: &str) -> Self {
        let called = if group.is_empty() { kind.to_owned() } else { format!("{kind}.{group}") };
        let mut status = Self::new(
            422,
            "Invalid",
            format!("{called} \"{name}\" is invalid: {field}: {problem}"),
        )
        .about(group, kind, Some(name));
        let reason =
            if problem.starts_with("Forbidden") { "FieldValueForbidden" } else { "FieldValueInvalid" };
        status.details["causes"] = json!([{"reason": reason, "message": problem, "field": field}]);
        status
    }

    /// What the server says of a JSON patch that cannot be applied, a failed `test` included: no more than
    /// this.
    pub(super) fn patch_failed() -> Self {
        Self {
            details: json!({}),
            ..Self::new(422, "Invalid", "the server rejected our request due to an error in our request")
        }
    }

    /// A pod that its budget keeps.
    pub(super) fn kept_by_budget(budget: &str, needed: i64, healthy: i64) -> Self {
        let message = "Cannot evict pod as it would violate the pod's disruption budget.";
        let why =
            format!("The disruption budget {budget} needs {needed} healthy pods and has {healthy} currently");
        let details = json!({"causes": [{"reason": "DisruptionBudget", "message": why}]});
        Self { details, ..Self::new(429, "TooManyRequests", message) }
    }

    /// A pod that several budgets select.
    pub(super) fn several_budgets() -> Self {
        let message = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.";
        Self::new(500, "InternalError", message)
    }

    /// What is applied names no field manager.
    pub(super) fn no_manager() -> Self {
        let problem = "Required value: is required for apply patch";
        Self::invalid("meta.k8s.io", "PatchOptions", "", "fieldManager", problem)
    }

    /// Another manager has these fields with other values (`NewConflictError` in
    /// staging/src/k8s.io/apimachinery/pkg/util/managedfields).
    pub(super) fn apply_conflict(manager: &str, version: &str, fields: &[String]) -> Self {
        let who = format!("conflict with \"{manager}\" using {version}");
        let count = fields.len();
        let message = match fields {
            [one] => format!("Apply failed with 1 conflict: {who}: {one}"),
            all => format!("Apply failed with {count} conflicts: {who}:\n- {}", all.join("\n- ")),
        };
        let cause =
            |field: &String| json!({"reason": "FieldManagerConflict", "message": who, "field": field});
        let details = json!({"causes": fields.iter().map(cause).collect::<Vec<_>>()});
        Self { details, ..Self::new(409, "Conflict", message) }
    }

    pub(super) fn forbidden(user: &str, verb: &str, target: &Target) -> Self {
        let group = target.kind.group;
        let scope = target
            .namespace
            .as_ref()
            .map_or("at the cluster scope".to_owned(), |name| format!("in the namespace \"{name}\""));
        let name = target.name.as_ref().map(|name| format!(" \"{name}\"")).unwrap_or_default();
        let message = format!(
            "{}{name} is forbidden: User \"{user}\" cannot {verb} resource \"{}\" in API group \"{group}\" {scope}",
            target.kind.qualified(),
            target.resource(),
        );
        Self::new(403, "Forbidden", message).about(group, target.kind.plural, target.name.as_deref())
    }

    /// The version is older than the history.
    pub(super) fn expired(version: u64, oldest: u64) -> Self {
        Self::new(410, "Expired", format!("too old resource version: {version} ({oldest})"))
    }

    /// The page token is older than the history.
    pub(super) fn expired_token() -> Self {
        let message = "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter.";
        Self::new(410, "Expired", message)
    }

    /// The version is one that the server has not reached.
    pub(super) fn too_large_version(version: u64, current: u64) -> Self {
        let causes = json!([{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]);
        let details = json!({"causes": causes, "retryAfterSeconds": 1});
        let message = format!("Timeout: Too large resource version: {version}, current: {current}");
        Self { details, retry_after: Some(1), ..Self::new(504, "Timeout", message) }
    }

    /// An injected failure, worded as the server words that status.
    pub(super) fn told_to_fail(code: u16) -> Self {
        let (reason, message) = match code {
            429 => ("TooManyRequests", "Too many requests, please try again later."),
            503 => ("ServiceUnavailable", "the server is currently unable to handle the request"),
            504 => ("Timeout", "Timeout: request did not complete within the allotted timeout"),
            410 => ("Expired", "The resourceVersion for the provided list is too old."),
            409 => (
                "Conflict",
                "the object has been modified; please apply your changes to the latest version and try again",
            ),
            401 => ("Unauthorized", "Unauthorized"),
            _ => ("InternalError", "Internal error occurred: etcdserver: request timed out"),
        };
        Self::new(code, reason, message)
    }

    pub(super) fn value(&self) -> Value {
        let mut value = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": self.message, "reason": self.reason, "code": self.code,
        });
        if !self.details.is_null() {
            value["details"] = self.details.clone();
        }
        value
    }

    pub(super) fn response(&self) -> Response {
        let response = reply::json(self.code, &self.value());
        match self.retry_after {
            Some(seconds) => reply::retry_after(response, Duration::from_secs(seconds)),
            None => response,
        }
    }
}
