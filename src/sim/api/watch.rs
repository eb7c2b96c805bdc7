//! Watches: changes as they happen, bookmarks, streaming lists, and the ways in which a watch ends.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use futures::stream;
use serde_json::json;
use tokio::sync::watch;

use super::list::check_version;
use super::select::Selection;
use super::status::Status;
use super::{Call, Quirk, with_type};
use crate::sim::cluster::kind::Kind;
use crate::sim::cluster::store::{Change, Expired, Object};
use crate::sim::request::reply;
use crate::sim::shared::Shared;

/// The watch cache sends a bookmark about this often.
const BOOKMARK: TimeDelta = TimeDelta::minutes(1);
/// How long a watch lasts when its client does not say.
const LONGEST: i64 = 1800;
/// Objects of a streaming list sent at once.
const CHUNK: usize = 100;

/// One open watch.
struct Watcher {
    shared: Arc<Shared>,
    kind: &'static Kind,
    selection: Selection,
    bookmarks: bool,
    /// Objects of the initial list that are still to be sent.
    initial: VecDeque<Arc<Object>>,
    /// Whether a bookmark ends the initial list.
    announce: bool,
    /// The version up to which everything was sent.
    position: u64,
    until: DateTime<Utc>,
    next_bookmark: DateTime<Utc>,
    changes: watch::Receiver<u64>,
    cuts: watch::Receiver<u64>,
    ended: bool,
}

/// Opens a watch.
pub(super) fn answer(call: &Call<'_>) -> Result<Response, Status> {
    let watcher = Watcher::open(call)?;
    let events =
        stream::unfold(watcher, |mut watcher| async { watcher.next().await.map(|chunk| (chunk, watcher)) });
    Ok(reply::body(200, "application/json", Body::from_stream(events)))
}

impl Watcher {
    fn open(call: &Call<'_>) -> Result<Self, Status> {
        let cluster = call.shared.cluster();
        let selection = Selection::parse(&call.target, call.query)?;
        let streaming = call.query.flag("sendInitialEvents");
        if streaming && call.query.get("resourceVersionMatch") != Some("NotOlderThan") {
            let problem =
                "Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan";
            return Err(Status::invalid("meta.k8s.io", "ListOptions", "", "resourceVersionMatch", problem));
        }
        check_version(call, &cluster.store)?;
        let from = call.query.get("resourceVersion").and_then(|version| version.parse().ok()).unwrap_or(0);
        let whole = streaming || from == 0;
        let listed = cluster
            .store
            .list(call.target.kind, call.target.namespace.as_deref())
            .filter(|object| whole && selection.matches(object));
        let seconds =
            call.query.get("timeoutSeconds").and_then(|seconds| seconds.parse().ok()).unwrap_or(LONGEST);
        Ok(Self {
            shared: call.shared.clone(),
            kind: call.target.kind,
            bookmarks: call.query.flag("allowWatchBookmarks"),
            initial: listed.cloned().collect(),
            announce: streaming,
            selection,
            position: if call.quirk == Some(Quirk::Gone) {
                0
            } else if whole {
                cluster.store.version()
            } else {
                from
            },
            until: cluster.now + TimeDelta::seconds(seconds.clamp(1, LONGEST)),
            next_bookmark: cluster.now + BOOKMARK,
            changes: cluster.store.changes(),
            cuts: call.shared.faults.cuts(),
            ended: false,
        })
    }

    /// The next lines to send; an error cuts the connection, nothing ends the stream in good order.
    async fn next(&mut self) -> Option<io::Result<Bytes>> {
        loop {
            self.shared.faults.thawed().await;
            if self.ended {
                return None;
            }
            if self.cuts.has_changed().unwrap_or(true) {
                return Some(Err(io::ErrorKind::ConnectionReset.into()));
            }
            if self.shared.cluster().now >= self.until {
                return None; // in the middle of a listing as well
            }
            let lines = self.lines();
            if !lines.is_empty() {
                return Some(Ok(lines.into()));
            }
            self.wait().await;
        }
    }

    async fn wait(&mut self) {
        let now = self.shared.clock.now();
        let next = if self.bookmarks { self.until.min(self.next_bookmark) } else { self.until };
        let sleep = self.shared.clock.sleep((next - now).to_std().unwrap_or_default());
        tokio::select! {
            _ = self.changes.changed() => {}
            _ = self.cuts.changed() => self.cuts.mark_changed(),
            () = sleep => {}
        }
    }

    /// What there is to send now: the initial list first, then changes, then a bookmark that is due.
    fn lines(&mut self) -> String {
        if !self.initial.is_empty() {
            let chunk = self.initial.drain(..CHUNK.min(self.initial.len()));
            return chunk.map(|object| event("ADDED", &with_type(self.kind, object.json()))).collect();
        }
        if std::mem::take(&mut self.announce) && self.bookmarks {
            return self.bookmark(true);
        }
        let shared = self.shared.clone();
        let cluster = shared.cluster();
        self.changes.borrow_and_update();
        let changed = match cluster.store.since(self.position) {
            Ok(changes) => changes.filter_map(|change| self.line(change)).collect(),
            Err(Expired { oldest }) => {
                self.ended = true;
                event("ERROR", &Status::expired(self.position, oldest).value().to_string())
            }
        };
        self.position = cluster.store.version();
        if changed.is_empty() && self.bookmarks && cluster.now >= self.next_bookmark {
            self.next_bookmark = cluster.now + BOOKMARK;
            return self.bookmark(false);
        }
        changed
    }

    /// A change as this watch sees it: an object that comes to match is added, one that no longer does is
    /// deleted.
    fn line(&self, change: &Change) -> Option<String> {
        if change.kind.name != self.kind.name {
            return None;
        }
        let before = change.before.as_ref().is_some_and(|before| self.selection.matches(before));
        let after = !change.deleted && self.selection.matches(&change.object);
        let what = match (before, after) {
            (false, false) => return None,
            (false, true) => "ADDED",
            (true, true) => "MODIFIED",
            (true, false) => "DELETED",
        };
        Some(event(what, &with_type(self.kind, change.object.json())))
    }

    fn bookmark(&self, ends_initial: bool) -> String {
        let mut metadata = json!({"resourceVersion": self.position.to_string(), "creationTimestamp": null});
        if ends_initial {
            metadata["annotations"] = json!({"k8s.io/initial-events-end": "true"});
        }
        event(
            "BOOKMARK",
            &with_type(self.kind, &json!({"metadata": metadata, "spec": {}, "status": {}}).to_string()),
        )
    }
}

fn event(what: &str, object: &str) -> String {
    format!("{{\"type\":\"{what}\",\"object\":{object}}}\n")
}
