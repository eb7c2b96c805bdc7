//! Lists as kubectl prints them (`meta.k8s.io/v1` `Table`): the columns of
//! kubernetes/pkg/printers/internalversion, those that kubectl shows without `-o wide`.

use axum::http::HeaderMap;
use axum::http::header::ACCEPT;
use axum::response::Response;
use serde_json::{Value, json};

use super::Call;
use super::list::{self, Page};
use super::select::Selection;
use super::status::Status;
use crate::sim::json::{items, text, time};
use crate::sim::request::reply;
use crate::source::kube::{Names, Object, Pod};
use crate::state::{diagnose, restarts};
use crate::units;

/// What one kind prints: the names of its columns, and the cells of an object with its age.
struct Printer {
    columns: &'static [&'static str],
    cells: fn(&Value, &str) -> Vec<Value>,
}

static POD: Printer = Printer { columns: &["Name", "Ready", "Status", "Restarts", "Age"], cells: pod };
static NODE: Printer = Printer { columns: &["Name", "Status", "Roles", "Age", "Version"], cells: node };
static SECRET: Printer = Printer { columns: &["Name", "Type", "Data", "Age"], cells: secret };
static OTHER: Printer = Printer { columns: &["Name", "Age"], cells: other };

/// Whether a request wants a table.
pub(super) fn is_wanted(headers: &HeaderMap) -> bool {
    let accept = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    accept.split(',').next().is_some_and(|first| first.contains("as=Table") && first.contains("v=v1"))
}

/// Answers a list as a table.
pub(super) fn answer(call: &Call<'_>) -> Result<Response, Status> {
    let cluster = call.shared.cluster();
    let selection = Selection::parse(&call.target, call.query)?;
    let Page { objects, metadata } = list::read(call, &cluster.store, &selection)?;
    let printer = match call.target.kind.name {
        "Pod" => &POD,
        "Node" => &NODE,
        "Secret" => &SECRET,
        _ => &OTHER,
    };
    let rows = objects.iter().map(|object| {
        let object = object.value();
        let age = time(object, "/metadata/creationTimestamp")
            .map_or_else(|| "<unknown>".to_owned(), |created| units::age(cluster.now - created));
        json!({"cells": (printer.cells)(object, &age), "object": about(object)})
    });
    let columns = printer.columns.iter().map(|name| json!({"name": name, "type": "string", "priority": 0}));
    Ok(reply::json(
        200,
        &json!({
            "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": metadata,
            "columnDefinitions": columns.collect::<Vec<_>>(), "rows": rows.collect::<Vec<_>>(),
        }),
    ))
}

/// `includeObject=Metadata`, which goes without saying.
fn about(object: &Value) -> Value {
    json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": object["metadata"]})
}

fn pod(object: &Value, age: &str) -> Vec<Value> {
    let Ok(read) = serde_json::from_value::<Pod>(object.clone()) else { return Vec::new() };
    let pod = read.fact(&mut Names::default());
    let containers = pod.containers.iter().filter(|container| !container.init);
    let ready = containers.clone().filter(|container| container.ready).count();
    let name = text(object, "/metadata/name");
    vec![
        json!(name),
        json!(format!("{ready}/{}", containers.count())),
        json!(diagnose(&pod).status.as_str()),
        json!(restarts(&pod).to_string()),
        json!(age),
    ]
}

fn node(object: &Value, age: &str) -> Vec<Value> {
    let ready =
        items(object, "/status/conditions").iter().find(|condition| text(condition, "/type") == "Ready");
    let mut status = match ready.map(|condition| text(condition, "/status")) {
        Some("True") => "Ready".to_owned(),
        Some(_) => "NotReady".to_owned(),
        None => "Unknown".to_owned(),
    };
    if object["spec"]["unschedulable"] == true {
        status.push_str(",SchedulingDisabled");
    }
    let name = text(object, "/metadata/name");
    let version = text(object, "/status/nodeInfo/kubeletVersion");
    vec![json!(name), json!(status), json!("<none>"), json!(age), json!(version)]
}

fn secret(object: &Value, age: &str) -> Vec<Value> {
    let data = object["data"].as_object().map_or(0, serde_json::Map::len);
    vec![json!(text(object, "/metadata/name")), json!(text(object, "/type")), json!(data), json!(age)]
}

fn other(object: &Value, age: &str) -> Vec<Value> {
    vec![json!(text(object, "/metadata/name")), json!(age)]
}
