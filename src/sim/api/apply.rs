//! Server-side apply: an object becomes what a manifest says, whether it is there or not, unless somebody
//! else manages a field with another value.

use axum::http::Method;
use axum::response::Response;
use serde_json::{Value, json};

use super::status::Status;
use super::write::{normalise, signed};
use super::{Call, auth, json_text, validate, with_type};
use crate::sim::cluster::store::count_generation;
use crate::sim::json::text;

/// Content type of what is applied.
pub(super) const MEDIA: &str = "application/apply-patch+yaml";

/// Applies a manifest.
pub(super) fn apply(call: &Call<'_>) -> Result<Response, Status> {
    let mut wanted: Value =
        serde_json::from_slice(call.body).map_err(|error| Status::bad_request(error.to_string()))?;
    let manager = call.query.get("fieldManager").ok_or_else(Status::no_manager)?.to_owned();
    let kind = call.target.kind;
    let name = call.target.name.clone().unwrap_or_default();
    let known = call.shared.cluster().store.get(kind, call.target.namespace(), &name).cloned();
    let uid = text(&wanted, "/metadata/uid").to_owned();
    if !uid.is_empty() && known.as_ref().is_none_or(|known| uid != text(known.value(), "/metadata/uid")) {
        let why = format!("uid mismatch: the provided object specified uid {uid}");
        return Err(Status::conflict(kind.group, kind.plural, &name, &why));
    }
    normalise(&mut wanted);
    match known {
        Some(known) => update(call, known.value(), &wanted, &manager),
        None => create(call, wanted),
    }
}

fn create(call: &Call<'_>, mut value: Value) -> Result<Response, Status> {
    auth::check(call.shared.identity, &Method::POST, &call.target, call.query)?;
    let kind = call.target.kind;
    validate::new(kind, &value)?;
    let mut cluster = call.shared.cluster();
    let now = cluster.now;
    if kind.namespaced {
        value["metadata"]["namespace"] = json!(call.target.namespace());
    }
    let fields = fields(&content(&value));
    signed(call, kind, ("Apply", None), &fields, &mut value, now);
    if call.dry_run() {
        return Ok(json_text(201, with_type(kind, &value.to_string())));
    }
    let created = cluster.store.create(kind, value, now);
    Ok(json_text(201, with_type(kind, created.json())))
}

fn update(call: &Call<'_>, known: &Value, wanted: &Value, manager: &str) -> Result<Response, Status> {
    let kind = call.target.kind;
    let managers = known["metadata"]["managedFields"].as_array().map_or(&[][..], Vec::as_slice);
    let ours = managers.iter().find(|one| one["manager"] == manager && one["operation"] == "Apply");
    let ours = ours.map_or(Value::Null, |one| one["fieldsV1"].clone());
    let wanted = content(wanted);
    let mut conflicts = Vec::new();
    differing("", (known, &wanted), &ours, &mut conflicts);
    let other = managers.iter().rfind(|one| one["manager"] != manager);
    if let Some(other) = other.filter(|_| !conflicts.is_empty()) {
        return Err(Status::apply_conflict(text(other, "/manager"), &kind.api_version(), &conflicts));
    }
    let mut after = known.clone();
    merge(&mut after, &wanted);
    let mut cluster = call.shared.cluster();
    if after != *known {
        signed(call, kind, ("Apply", None), &fields(&wanted), &mut after, cluster.now);
        count_generation(kind, known, &mut after);
    }
    if !call.dry_run() {
        let name = call.target.name.clone().unwrap_or_default();
        let stored = after.clone();
        cluster.store.update(kind, call.target.namespace(), &name, |value| *value = stored);
        let object = cluster.store.get(kind, call.target.namespace(), &name);
        return Ok(call.typed(object.ok_or_else(|| Status::not_found(&call.target))?.json()));
    }
    Ok(call.typed(&after.to_string()))
}

/// What an applied object says beside which one it is.
fn content(wanted: &Value) -> Value {
    let fields = wanted.as_object().into_iter().flatten().filter(|(key, _)| *key != "metadata");
    let mut content = Value::Object(fields.map(|(key, value)| (key.clone(), value.clone())).collect());
    for key in ["labels", "annotations"] {
        if let Some(value) = wanted["metadata"].get(key) {
            content["metadata"][key] = value.clone();
        }
    }
    content
}

/// The fields of a value as `fieldsV1` has them.
fn fields(value: &Value) -> Value {
    let all = value.as_object().into_iter().flatten();
    Value::Object(all.map(|(key, value)| (format!("f:{key}"), fields(value))).collect())
}

/// The fields that have another value than is wanted, and are not this manager's own.
fn differing(at: &str, (known, wanted): (&Value, &Value), ours: &Value, into: &mut Vec<String>) {
    match wanted {
        Value::Object(all) => all.iter().for_each(|(key, wanted)| {
            let own = &ours[format!("f:{key}")];
            differing(&format!("{at}.{key}"), (&known[key], wanted), own, into);
        }),
        wanted if known.is_null() || known == wanted || ours.is_object() => {}
        _ => into.push(at.to_owned()),
    }
}

fn merge(into: &mut Value, from: &Value) {
    match from {
        Value::Object(fields) => fields.iter().for_each(|(key, value)| merge(&mut into[key], value)),
        value => *into = value.clone(),
    }
}
