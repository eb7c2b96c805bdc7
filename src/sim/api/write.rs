//! Changes: JSON patches, creations and deletions, with dry runs, field managers and preconditions.

use axum::http::request::Parts;
use axum::response::Response;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::status::Status;
use super::{Call, json_text, media, validate, with_type};
use crate::data::json_patch::{self, Patch};
use crate::sim::cluster::kind::Kind;
use crate::sim::cluster::store::count_generation;
use crate::sim::json::{text, timestamp};

/// Applies a JSON patch to an object.
pub(super) fn patch(call: &Call<'_>, parts: &Parts) -> Result<Response, Status> {
    let operations = operations(call, parts)?;
    let mut cluster = call.shared.cluster();
    let kind = call.target.kind;
    let now = cluster.now;
    let namespace = call.target.namespace().to_owned();
    let name = call.target.name.clone().unwrap_or_default();
    let object =
        cluster.store.get(kind, &namespace, &name).cloned().ok_or_else(|| Status::not_found(&call.target))?;
    let mut after = object.value().clone();
    after["kind"] = json!(kind.name);
    after["apiVersion"] = json!(kind.api_version());
    json_patch::apply(&mut after, &operations).map_err(|_| Status::patch_failed())?;
    normalise(&mut after);
    validate::change(kind, object.value(), &after)?;
    if after == *object.value() {
        return Ok(call.typed(object.json()));
    }
    sign(call, kind, None, &mut after, now);
    if call.dry_run() {
        count_generation(kind, object.value(), &mut after);
        return Ok(call.typed(&after.to_string()));
    }
    cluster.store.update(kind, &namespace, &name, |stored| *stored = after);
    let stored = cluster.store.get(kind, &namespace, &name).ok_or_else(|| Status::not_found(&call.target))?;
    Ok(call.typed(stored.json()))
}

/// Reads the operations of a JSON patch; any other kind of patch is refused.
pub(super) fn operations(call: &Call<'_>, parts: &Parts) -> Result<Patch, Status> {
    if media(parts) != "application/json-patch+json" {
        return Err(Status::unsupported_media_type());
    }
    let body: Value =
        serde_json::from_slice(call.body).map_err(|error| Status::bad_request(error.to_string()))?;
    if !body.is_array() {
        return Err(Status::bad_request(
            "error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp",
        ));
    }
    serde_json::from_value(body).map_err(|_| Status::patch_failed())
}

/// Creates an object.
pub(super) fn create(call: &Call<'_>) -> Result<Response, Status> {
    let mut value: Value =
        serde_json::from_slice(call.body).map_err(|error| Status::bad_request(error.to_string()))?;
    let mut cluster = call.shared.cluster();
    let kind = call.target.kind;
    let now = cluster.now;
    normalise(&mut value);
    if kind.namespaced {
        value["metadata"]["namespace"] = json!(call.target.namespace());
    }
    let name = text(&value, "/metadata/name").to_owned();
    if name.is_empty() {
        return Err(Status::invalid(
            kind.group,
            kind.name,
            "",
            "metadata.name",
            "Required value: name or generateName is required",
        ));
    }
    if cluster.store.get(kind, call.target.namespace(), &name).is_some() {
        return Err(Status::already_exists(kind, &name));
    }
    validate::new(kind, &value)?;
    merge(&mut value, defaults(kind));
    sign(call, kind, None, &mut value, now);
    if call.dry_run() {
        return Ok(json_text(201, with_type(kind, &value.to_string())));
    }
    let created = cluster.store.create(kind, value, now);
    Ok(json_text(201, with_type(kind, created.json())))
}

impl Call<'_> {
    pub(super) fn dry_run(&self) -> bool {
        self.query.get("dryRun") == Some("All")
    }
}

/// Brings an object into the form in which it is stored: without its type, without the nulls that clients
/// send for what is unset, and without a node's `unschedulable: false`, which is the same as nothing.
pub(super) fn normalise(value: &mut Value) {
    if let Some(object) = value.as_object_mut() {
        object.remove("kind");
        object.remove("apiVersion");
    }
    if value["spec"]["unschedulable"] == false {
        value["spec"]["unschedulable"] = Value::Null;
    }
    drop_nulls(value);
}

/// What the server fills in where a client says nothing, as far as anything here depends on it.
fn defaults(kind: &Kind) -> Value {
    let rolling = |more: Value| json!({"spec": {"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": more}, "revisionHistoryLimit": 10}});
    match kind.name {
        "Pod" => json!({
            "spec": {
                "restartPolicy": "Always", "dnsPolicy": "ClusterFirst", "schedulerName": "default-scheduler", "securityContext": {},
                "terminationGracePeriodSeconds": 30,
            },
            "status": {"phase": "Pending", "qosClass": "BestEffort"},
        }),
        "StatefulSet" => rolling(json!({"partition": 0})),
        "DaemonSet" => rolling(json!({"maxSurge": 0, "maxUnavailable": 1})),
        _ => Value::Null,
    }
}

/// Adds what is not there yet.
fn merge(value: &mut Value, more: Value) {
    let Value::Object(more) = more else { return };
    for (key, more) in more {
        if value[&key].is_null() {
            value[&key] = more;
        } else {
            merge(&mut value[&key], more);
        }
    }
}

fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, field| !field.is_null());
            fields.values_mut().for_each(drop_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

/// Notes who changed the object, when and through which subresource.
pub(super) fn sign(
    call: &Call<'_>,
    kind: &Kind,
    subresource: Option<&str>,
    value: &mut Value,
    now: DateTime<Utc>,
) {
    signed(call, kind, ("Update", subresource), &json!({}), value, now);
}

/// The same for any operation, with the fields that the manager has.
pub(super) fn signed(
    call: &Call<'_>,
    kind: &Kind,
    (operation, subresource): (&str, Option<&str>),
    fields: &Value,
    value: &mut Value,
    now: DateTime<Utc>,
) {
    let manager = call.query.get("fieldManager").unwrap_or("unknown");
    let mut entry = json!({
        "manager": manager, "operation": operation, "apiVersion": kind.api_version(), "time": timestamp(now),
        "fieldsType": "FieldsV1", "fieldsV1": fields,
    });
    if let Some(subresource) = subresource {
        entry["subresource"] = json!(subresource);
    }
    let mut entries = value["metadata"]["managedFields"].as_array().cloned().unwrap_or_default();
    let same =
        |known: &Value| ["manager", "operation", "subresource"].iter().all(|at| known[at] == entry[at]);
    entries.retain(|known| !same(known));
    entries.push(entry);
    value["metadata"]["managedFields"] = Value::Array(entries);
}
