//! Lists: consistent chains of pages, each at the version of the first.

use std::sync::Arc;

use axum::response::Response;
use serde_json::{Value, json};

use super::select::Selection;
use super::status::Status;
use super::{Call, Quirk, json_text, metrics};
use crate::sim::cluster::store::{Key, Object, Store};
use crate::sim::request::reply;

/// Where a chain of pages goes on: the version of the whole and the last key sent.
struct Token {
    version: u64,
    after: Key,
}

impl Token {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '.');
        let version = parts.next()?.parse().ok()?;
        let namespace = parts.next()?.to_owned();
        let name = parts.next()?.to_owned();
        Some(Self { version, after: (namespace, name) })
    }

    fn text(version: u64, (namespace, name): &Key) -> String {
        format!("{version}.{namespace}.{name}")
    }
}

/// Answers a list.
pub(super) fn answer(call: &Call<'_>) -> Result<Response, Status> {
    let cluster = call.shared.cluster();
    let selection = Selection::parse(&call.target, call.query)?;
    if let Some(metrics) = metrics(&cluster, &call.target) {
        let items: Vec<_> = metrics.into_iter().filter(|one| selection.wants(one)).collect();
        let kind = call.target.kind;
        return Ok(reply::json(
            200,
            &json!({"kind": format!("{}List", kind.name), "apiVersion": kind.api_version(), "metadata": {}, "items": items}),
        ));
    }
    if call.quirk == Some(Quirk::Gone) {
        return Err(Status::expired_token());
    }
    check_version(call, &cluster.store)?;
    page(call, &cluster.store, &selection)
}

/// A version that the server has not reached is refused, as the watch cache does.
pub(super) fn check_version(call: &Call<'_>, store: &Store) -> Result<(), Status> {
    let Some(wanted) = call.query.get("resourceVersion").filter(|text| !text.is_empty()) else {
        return Ok(());
    };
    let wanted =
        wanted.parse().map_err(|_| Status::bad_request(format!("invalid resourceVersion: {wanted:?}")))?;
    if wanted > store.version() { Err(Status::too_large_version(wanted, store.version())) } else { Ok(()) }
}

/// The objects of one page, and the metadata of their list.
pub(super) struct Page {
    pub(super) objects: Vec<Arc<Object>>,
    pub(super) metadata: Value,
}

fn page(call: &Call<'_>, store: &Store, selection: &Selection) -> Result<Response, Status> {
    let Page { objects, metadata } = read(call, store, selection)?;
    let lost = call.quirk == Some(Quirk::LostPage);
    let items: Vec<_> = objects.iter().filter(|_| !lost).map(|object| object.json()).collect();
    let kind = call.target.kind;
    let head = format!(
        "{{\"kind\":\"{}List\",\"apiVersion\":\"{}\",\"metadata\":{metadata},\"items\":[",
        kind.name,
        kind.api_version()
    );
    Ok(json_text(200, head + &items.join(",") + "]}"))
}

/// Reads the page that a request asks for.
pub(super) fn read(call: &Call<'_>, store: &Store, selection: &Selection) -> Result<Page, Status> {
    let token = call.query.get("continue").filter(|text| !text.is_empty());
    let token = token
        .map(|text| Token::parse(text).ok_or_else(|| Status::bad_request("continue key is not valid")))
        .transpose()?;
    let version = token.as_ref().map_or(store.version(), |token| token.version);
    let objects = store
        .snapshot(call.target.kind, version, token.as_ref().map(|token| &token.after))
        .map_err(|_| Status::expired_token())?;
    let mut wanted = objects.iter().filter(|(_, object)| selection.matches(object));
    let limit = call
        .query
        .get("limit")
        .and_then(|limit| limit.parse().ok())
        .filter(|limit| *limit > 0)
        .unwrap_or(usize::MAX);
    let shown: Vec<_> = wanted.by_ref().take(limit).collect();
    let remaining = wanted.count();
    let mut metadata = json!({"resourceVersion": version.to_string()});
    if let Some((last, _)) = shown.last().filter(|_| remaining > 0) {
        metadata["continue"] = json!(Token::text(version, last));
        if selection.is_all() {
            metadata["remainingItemCount"] = json!(remaining);
        }
    }
    Ok(Page { objects: shown.into_iter().map(|(_, object)| Arc::clone(object)).collect(), metadata })
}
