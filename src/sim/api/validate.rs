//! What the server refuses of an object that was changed.

use serde_json::Value;

use super::status::Status;
use crate::sim::cluster::kind::Kind;
use crate::sim::json::text;

/// Checks a changed object against the stored one: identity, immutable fields, counts.
pub(super) fn change(kind: &Kind, before: &Value, after: &Value) -> Result<(), Status> {
    let name = text(before, "/metadata/name");
    let field = |field: &str| (text(before, field), text(after, field));
    let (known, given) = field("/metadata/name");
    if known != given {
        return Err(Status::bad_request(format!(
            "the name of the object ({given}) does not match the name on the URL ({known})"
        )));
    }
    let (known, given) = field("/metadata/uid");
    if known != given {
        let problem = format!("Invalid value: \"{given}\": field is immutable");
        return Err(Status::invalid(kind.group, kind.name, name, "metadata.uid", &problem));
    }
    if before["metadata"]["resourceVersion"] != after["metadata"]["resourceVersion"] {
        return Err(Status::modified(kind, name));
    }
    if kind.group == "apps" && before["spec"]["selector"] != after["spec"]["selector"] {
        return Err(Status::invalid(
            kind.group,
            kind.name,
            name,
            "spec.selector",
            "Invalid value: field is immutable",
        ));
    }
    new(kind, after)
}

/// Checks an object by itself.
pub(super) fn new(kind: &Kind, object: &Value) -> Result<(), Status> {
    let name = text(object, "/metadata/name");
    replicas(kind.group, kind.name, name, object)?;
    if kind.group == "apps"
        && object["spec"]["template"]["spec"]["containers"].as_array().is_none_or(Vec::is_empty)
    {
        return Err(Status::invalid(
            kind.group,
            kind.name,
            name,
            "spec.template.spec.containers",
            "Required value",
        ));
    }
    Ok(())
}

/// `spec.replicas` is a whole number of at least 0.
pub(super) fn replicas(group: &str, kind: &str, name: &str, object: &Value) -> Result<(), Status> {
    match &object["spec"]["replicas"] {
        Value::Null => Ok(()),
        Value::Number(number) if number.as_i64().is_some_and(|count| count >= 0) => Ok(()),
        Value::Number(number) if number.is_i64() => {
            let problem = format!("Invalid value: {number}: must be greater than or equal to 0");
            Err(Status::invalid(group, kind, name, "spec.replicas", &problem))
        }
        other => {
            let problem = format!(
                "Invalid value: json: cannot unmarshal {other} into Go struct field {kind}Spec.spec.replicas of type int32"
            );
            Err(Status::invalid("", "", "", "patch", &problem))
        }
    }
}
