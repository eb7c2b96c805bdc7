//! The `scale` of Deployments and `StatefulSets`: `autoscaling/v1`.

use axum::http::request::Parts;
use axum::response::Response;
use serde_json::{Value, json};

use super::status::Status;
use super::write::{operations, sign};
use super::{Call, json_text, validate};
use crate::data::json_patch;
use crate::sim::cluster::kind::Kind;
use crate::sim::json::{int, text};

/// Shows an object's scale.
pub(super) fn read(call: &Call<'_>) -> Result<Response, Status> {
    let cluster = call.shared.cluster();
    let object = cluster.store.get(
        call.target.kind,
        call.target.namespace(),
        call.target.name.as_deref().unwrap_or_default(),
    );
    let object = object.ok_or_else(|| Status::not_found(&call.target))?;
    Ok(json_text(200, scale_of(object.value()).to_string()))
}

/// Patches an object's scale, and through it the object.
pub(super) fn patch(call: &Call<'_>, parts: &Parts) -> Result<Response, Status> {
    let operations = operations(call, parts)?;
    let mut cluster = call.shared.cluster();
    let kind = call.target.kind;
    let now = cluster.now;
    let namespace = call.target.namespace();
    let name = call.target.name.as_deref().unwrap_or_default();
    let object =
        cluster.store.get(kind, namespace, name).cloned().ok_or_else(|| Status::not_found(&call.target))?;
    let before = scale_of(object.value());
    let mut scale = before.clone();
    json_patch::apply(&mut scale, &operations).map_err(|_| Status::patch_failed())?;
    check(kind, &before, &scale)?;
    let mut after = object.value().clone();
    after["spec"]["replicas"] = json!(int(&scale, "/spec/replicas"));
    if after["spec"] == object.value()["spec"] {
        return Ok(json_text(200, before.to_string()));
    }
    sign(call, kind, Some("scale"), &mut after, now);
    if call.dry_run() {
        return Ok(json_text(200, scale_of(&after).to_string()));
    }
    cluster.store.update(kind, namespace, name, |stored| *stored = after);
    let stored = cluster.store.get(kind, namespace, name).ok_or_else(|| Status::not_found(&call.target))?;
    Ok(json_text(200, scale_of(stored.value()).to_string()))
}

fn check(kind: &Kind, before: &Value, after: &Value) -> Result<(), Status> {
    let name = text(before, "/metadata/name");
    let known = text(before, "/metadata/uid");
    let given = text(after, "/metadata/uid");
    if known != given {
        let why = format!("Precondition failed: UID in precondition: {given}, UID in object meta: {known}");
        return Err(Status::conflict(kind.group, &format!("{}/scale", kind.plural), name, &why));
    }
    if before["metadata"]["resourceVersion"] != after["metadata"]["resourceVersion"] {
        return Err(Status::modified(kind, name));
    }
    validate::replicas("autoscaling", "Scale", name, after)
}

/// A count of 0 is left out, as the real server's encoding does.
fn scale_of(object: &Value) -> Value {
    let metadata = &object["metadata"];
    let count = |count: i64| if count == 0 { json!({}) } else { json!({"replicas": count}) };
    let selector = object["spec"]["selector"]["matchLabels"].as_object();
    let selector: Vec<_> = selector
        .into_iter()
        .flatten()
        .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()))
        .collect();
    let mut status = json!({"replicas": int(object, "/status/replicas")});
    status["selector"] = json!(selector.join(","));
    json!({
        "kind": "Scale", "apiVersion": "autoscaling/v1",
        "metadata": {
            "name": metadata["name"], "namespace": metadata["namespace"], "uid": metadata["uid"],
            "resourceVersion": metadata["resourceVersion"], "creationTimestamp": metadata["creationTimestamp"],
        },
        "spec": count(int(object, "/spec/replicas")), "status": status,
    })
}
