//! `pods/log`: the lines of a container, from a point on, and as they come.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use futures::stream;
use tokio::sync::watch;

use super::Call;
use super::status::Status;
use crate::sim::cluster::kind::POD;
use crate::sim::cluster::process::{Line, Process, State};
use crate::sim::json::text;
use crate::sim::request::{Query, reply};
use crate::sim::shared::Shared;

/// Answers a request for a log.
pub(super) fn answer(call: &Call<'_>) -> Result<Response, Status> {
    let cluster = call.shared.cluster();
    let name = call.target.name.as_deref().unwrap_or_default();
    let pod = cluster
        .store
        .get(&POD, call.target.namespace(), name)
        .ok_or_else(|| Status::not_found(&call.target))?;
    let container = text(pod.value(), "/spec/containers/0/name");
    if let Some(wanted) = call.query.get("container").filter(|wanted| *wanted != container) {
        return Err(Status::bad_request(format!("container {wanted} is not valid for pod {name}")));
    }
    let Some(process) = cluster.processes.get(name) else { return Ok(reply::text(200, "")) };
    let lines = chosen(process, call, container)?;
    let filter = Filter::parse(call.query, cluster.now);
    let skipped = call.query.get("tailLines").and_then(|tail| tail.parse().ok()).map_or(0, |tail: usize| {
        let wanted = lines.iter().filter(|line| filter.wants(line)).count();
        wanted.saturating_sub(tail)
    });
    let first: Vec<u8> = lines
        .iter()
        .filter(|line| filter.wants(line))
        .skip(skipped)
        .flat_map(|line| filter.print(line))
        .collect();
    if !call.query.flag("follow") || call.query.flag("previous") {
        return Ok(reply::body(200, "text/plain", Body::from(first)));
    }
    let sent = process.log.back().map_or(0, |line| line.number);
    let faults = &call.shared.faults;
    let steps = cluster.steps();
    let cuts = faults.cuts();
    let ends = faults.log_ends();
    let stalls = faults.log_stalls();
    let follower = Follower {
        shared: call.shared.clone(),
        pod: name.to_owned(),
        uid: process.uid.clone(),
        restarts: process.restarts,
        filter,
        sent,
        first,
        steps,
        cuts,
        ends,
        stalls,
    };
    let stream = stream::unfold(follower, |mut follower| async {
        follower.next().await.map(|chunk| (chunk, follower))
    });
    Ok(reply::body(200, "text/plain", Body::from_stream(stream)))
}

fn chosen<'a>(process: &'a Process, call: &Call<'_>, container: &str) -> Result<&'a VecDeque<Line>, Status> {
    let name = call.target.name.as_deref().unwrap_or_default();
    if call.query.flag("previous") {
        let missing = || {
            Status::bad_request(format!(
                "previous terminated container \"{container}\" in pod \"{name}\" not found"
            ))
        };
        return process.last_exit.map(|_| &process.previous_log).ok_or_else(missing);
    }
    match process.state {
        State::Creating { .. } => Err(Status::bad_request(format!(
            "container \"{container}\" in pod \"{name}\" is waiting to start: ContainerCreating"
        ))),
        State::BackOff { .. } => Ok(&process.previous_log),
        _ => Ok(&process.log),
    }
}

/// Which lines are wanted, and how.
struct Filter {
    since: Option<DateTime<Utc>>,
    timestamps: bool,
}

impl Filter {
    fn parse(query: &Query, now: DateTime<Utc>) -> Self {
        let time = query
            .get("sinceTime")
            .and_then(|time| DateTime::parse_from_rfc3339(time).ok())
            .map(|time| time.to_utc());
        let seconds = query
            .get("sinceSeconds")
            .and_then(|seconds| seconds.parse().ok())
            .map(|seconds| now - TimeDelta::seconds(seconds));
        Self { since: time.or(seconds), timestamps: query.flag("timestamps") }
    }

    fn wants(&self, line: &Line) -> bool {
        self.since.is_none_or(|since| line.at >= since)
    }

    fn print(&self, line: &Line) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(line.text.len() + 40);
        if self.timestamps {
            bytes.extend(line.at.to_rfc3339_opts(SecondsFormat::Nanos, true).bytes());
            bytes.push(b' ');
        }
        bytes.extend(&line.text);
        bytes.push(b'\n');
        bytes
    }
}

/// A log that is followed until its container ends.
struct Follower {
    shared: Arc<Shared>,
    pod: String,
    uid: String,
    restarts: u32,
    filter: Filter,
    /// The number of the last line sent.
    sent: u64,
    first: Vec<u8>,
    steps: watch::Receiver<DateTime<Utc>>,
    cuts: watch::Receiver<u64>,
    ends: watch::Receiver<u64>,
    stalls: watch::Receiver<u64>,
}

impl Follower {
    async fn next(&mut self) -> Option<io::Result<Bytes>> {
        loop {
            self.shared.faults.thawed().await;
            if !self.first.is_empty() {
                return Some(Ok(std::mem::take(&mut self.first).into()));
            }
            if self.cuts.has_changed().unwrap_or(true) {
                return Some(Err(io::ErrorKind::ConnectionReset.into()));
            }
            if self.ends.has_changed().unwrap_or(true) {
                return None;
            }
            if self.stalls.has_changed().unwrap_or(true) {
                let _ = self.cuts.changed().await;
                return Some(Err(io::ErrorKind::ConnectionReset.into()));
            }
            let lines = self.lines()?;
            if !lines.is_empty() {
                return Some(Ok(lines.into()));
            }
            tokio::select! {
                _ = self.steps.changed() => {}
                _ = self.cuts.changed() => self.cuts.mark_changed(),
                _ = self.ends.changed() => self.ends.mark_changed(),
                _ = self.stalls.changed() => self.stalls.mark_changed(),
            }
        }
    }

    /// The lines since the last ones; nothing at all once the container that was followed has ended.
    fn lines(&mut self) -> Option<Vec<u8>> {
        let shared = self.shared.clone();
        let cluster = shared.cluster();
        self.steps.borrow_and_update();
        let process = cluster.processes.get(&self.pod).filter(|process| process.uid == self.uid)?;
        let over = process.restarts != self.restarts || matches!(process.state, State::BackOff { .. });
        let log = if over { &process.previous_log } else { &process.log };
        let ended = over || matches!(process.state, State::Terminating { .. });
        let new: Vec<_> = log.iter().filter(|line| line.number > self.sent).collect();
        self.sent = new.last().map_or(self.sent, |line| line.number);
        if new.is_empty() && ended {
            None
        } else {
            Some(new.into_iter().flat_map(|line| self.filter.print(line)).collect())
        }
    }
}
