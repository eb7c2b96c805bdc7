//! Deletions and evictions, with their preconditions, and the grace of pods.

use axum::http::Method;
use axum::response::Response;
use serde_json::{Value, json};

use super::status::Status;
use super::{Call, is_dry_run};
use crate::sim::cluster::Cluster;
use crate::sim::cluster::kind::{DISRUPTION_BUDGET, Kind, POD};
use crate::sim::json::{int, label, text};
use crate::sim::request::reply;

/// Deletes an object, if it is still the one that was meant.
pub(super) fn delete(call: &Call<'_>) -> Result<Response, Status> {
    let options: Value = serde_json::from_slice(call.body).unwrap_or_default();
    let mut cluster = call.shared.cluster();
    let object = meant(call, &cluster, &options)?;
    let (kind, namespace, name) = place(call);
    if kind.name == POD.name {
        return delete_pod(call, &mut cluster, object, &options);
    }
    if !dry_run(call) {
        cluster.remove(kind, namespace, name);
    }
    let details =
        json!({"name": name, "group": kind.group, "kind": kind.plural, "uid": object["metadata"]["uid"]});
    Ok(reply::json(
        200,
        &json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}),
    ))
}

/// Deletes a pod: the answer is the pod, marked for deletion, or with no grace at all as it was at last
/// (`ReturnDeletedObject` in `pkg/registry/core/pod/storage`).
fn delete_pod(
    call: &Call<'_>,
    cluster: &mut Cluster,
    pod: Value,
    options: &Value,
) -> Result<Response, Status> {
    let asked = if call.body.is_empty() {
        call.query.get("gracePeriodSeconds").and_then(|grace| grace.parse().ok())
    } else {
        options["gracePeriodSeconds"].as_i64()
    };
    let (_, namespace, name) = place(call);
    let ended = if dry_run(call) { Some(pod) } else { cluster.end_pod(namespace, name, asked) };
    Ok(call.typed(&ended.ok_or_else(|| Status::not_found(&call.target))?.to_string()))
}

/// Evicts a pod, if its budget allows it: it is deleted with its own grace.
pub(super) fn evict(call: &Call<'_>) -> Result<Response, Status> {
    let eviction: Value = serde_json::from_slice(call.body).unwrap_or_default();
    let options = &eviction["deleteOptions"];
    let mut cluster = call.shared.cluster();
    let pod = meant(call, &cluster, options)?;
    let dry = call.dry_run() || options["dryRun"].is_array();
    take_from_budget(&mut cluster, &pod, dry)?;
    if !dry {
        let (_, namespace, name) = place(call);
        cluster.end_pod(namespace, name, options["gracePeriodSeconds"].as_i64());
    }
    Ok(reply::json(
        201,
        &json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}),
    ))
}

/// Takes an eviction from the pod's budget, in the order and words of
/// `pkg/registry/core/pod/storage/eviction.go`. No controller works out what a budget allows: it is what its
/// status says.
fn take_from_budget(cluster: &mut Cluster, pod: &Value, dry: bool) -> Result<(), Status> {
    if matches!(text(pod, "/status/phase"), "Succeeded" | "Failed" | "Pending") {
        return Ok(());
    }
    let namespace = text(pod, "/metadata/namespace");
    let selects = |budget: &Value| {
        let labels = budget["spec"]["selector"]["matchLabels"].as_object().into_iter().flatten();
        labels.into_iter().all(|(key, value)| label(pod, key) == value.as_str())
    };
    let all = cluster.store.list(&DISRUPTION_BUDGET, Some(namespace));
    let found: Vec<_> = all.filter(|budget| selects(budget.value())).cloned().collect();
    let budget = match found.as_slice() {
        [] => return Ok(()),
        [one] => one.value(),
        _ => return Err(Status::several_budgets()),
    };
    let name = text(budget, "/metadata/name");
    if int(budget, "/status/disruptionsAllowed") < 1 {
        let [needed, healthy] =
            ["desiredHealthy", "currentHealthy"].map(|field| int(&budget["status"], &format!("/{field}")));
        return Err(Status::kept_by_budget(name, needed, healthy));
    }
    if !dry {
        cluster.store.update(&DISRUPTION_BUDGET, namespace, name, |budget| {
            budget["status"]["disruptionsAllowed"] = json!(int(budget, "/status/disruptionsAllowed") - 1);
        });
    }
    Ok(())
}

fn place<'a>(call: &'a Call<'_>) -> (&'static Kind, &'a str, &'a str) {
    (call.target.kind, call.target.namespace(), call.target.name.as_deref().unwrap_or_default())
}

fn dry_run(call: &Call<'_>) -> bool {
    is_dry_run(&Method::DELETE, call.query, call.body)
}

/// The object, if its preconditions hold.
fn meant(call: &Call<'_>, cluster: &Cluster, options: &Value) -> Result<Value, Status> {
    let (kind, namespace, name) = place(call);
    let object = cluster.store.get(kind, namespace, name).ok_or_else(|| Status::not_found(&call.target))?;
    check_preconditions(kind, object.value(), &options["preconditions"])?;
    Ok(object.value().clone())
}

fn check_preconditions(kind: &Kind, object: &Value, wanted: &Value) -> Result<(), Status> {
    for (field, called, since) in
        [("uid", "UID", "deleted and then recreated"), ("resourceVersion", "ResourceVersion", "modified")]
    {
        let known = text(object, &format!("/metadata/{field}"));
        if let Some(wanted) = wanted[field].as_str().filter(|wanted| *wanted != known) {
            let why = format!(
                "the {called} in the precondition ({wanted}) does not match the {called} in record ({known}). The object might have been {since}"
            );
            return Err(Status::conflict(kind.group, kind.name, text(object, "/metadata/name"), &why));
        }
    }
    Ok(())
}
