//! `pods/exec` over a WebSocket: the commands that the simulated containers know, and how their output is
//! sent.

use axum::http::request::Parts;
use axum::response::Response;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use super::Call;
use super::command::{ExecTarget, Output, execute};
use super::files;
use super::status::Status;
use super::websocket::{self, Socket};
use crate::net::clock::Clock;
use crate::sim::cluster::kind::POD;
use crate::sim::json::{items, text};

/// The kubelet reads and sends what a command prints in pieces of at most this many bytes.
const PIECE: usize = 32 << 10;

/// Runs the command and opens the channels on which its output is sent.
pub(super) fn answer(call: &Call<'_>, parts: Parts) -> Result<Response, Status> {
    let output = run(call)?;
    let (response, connection) = websocket::accept(parts, &["v5.channel.k8s.io", "v4.channel.k8s.io"])
        .ok_or_else(|| Status::bad_request("Upgrade request required"))?;
    let clock = call.shared.clock.clone();
    let cuts = call.shared.faults.cuts();
    let until = clock.now() + output.runs;
    tokio::spawn(async move {
        if let Ok(connection) = connection.await {
            send(websocket::serve(connection).await, output, (clock, until), cuts).await;
        }
    });
    Ok(response)
}

fn run(call: &Call<'_>) -> Result<Output, Status> {
    let mut cluster = call.shared.cluster();
    let name = call.target.name.as_deref().unwrap_or_default();
    let pod = cluster
        .store
        .get(&POD, call.target.namespace(), name)
        .cloned()
        .ok_or_else(|| Status::not_found(&call.target))?;
    let container = container(pod.value(), call.query.get("container"))?;
    let process = cluster.processes.get_mut(name).filter(|process| process.running());
    let process = process.ok_or_else(|| {
        let container = text(container, "/name");
        Status::new(
            500,
            "InternalError",
            format!("unable to upgrade connection: container not found (\"{container}\")"),
        )
    })?;
    let command: Vec<_> = call.query.all("command").collect();
    if let Some(output) = files::execute(process, pod.value(), &command) {
        return Ok(output);
    }
    let cluster = &*cluster;
    let process = &cluster.processes[name];
    Ok(execute(&ExecTarget { cluster, pod: pod.value(), container, process }, &command))
}

/// The container that is meant: one has to be named where there are several.
fn container<'a>(pod: &'a Value, wanted: Option<&str>) -> Result<&'a Value, Status> {
    let all = items(pod, "/spec/containers");
    let name = text(pod, "/metadata/name");
    match (all, wanted) {
        ([one], None) => Ok(one),
        (_, Some(wanted)) => {
            let found = all.iter().find(|container| container["name"] == wanted);
            found
                .ok_or_else(|| Status::bad_request(format!("container {wanted} is not valid for pod {name}")))
        }
        (_, None) => {
            let names: Vec<_> = all.iter().map(|container| text(container, "/name")).collect();
            let choices = names.join(" ");
            Err(Status::bad_request(format!(
                "a container name must be specified for pod {name}, choose one of: [{choices}]"
            )))
        }
    }
}

/// Channel 1 is stdout, 2 is stderr, 3 the status. A command that still runs ends without a status when the
/// connections are cut.
async fn send(
    mut socket: Socket,
    output: Output,
    (clock, until): (Clock, DateTime<Utc>),
    mut cuts: watch::Receiver<u64>,
) {
    for (channel, bytes) in [(1, output.stdout.as_slice()), (2, output.stderr.as_bytes())] {
        for piece in bytes.chunks(PIECE) {
            if socket.send(frame(channel, piece)).await.is_err() {
                return;
            }
        }
    }
    if let Ok(left) = (until - clock.now()).to_std() {
        tokio::select! {
            () = clock.sleep(left) => {}
            _ = cuts.changed() => return,
            () = closed(&mut socket) => return,
        }
    }
    let normal = CloseFrame { code: CloseCode::Normal, reason: Utf8Bytes::default() };
    for last in [frame(3, status(output.code).as_bytes()), Message::Close(Some(normal))] {
        if socket.send(last).await.is_err() {
            return;
        }
    }
    closed(&mut socket).await;
}

fn frame(channel: u8, piece: &[u8]) -> Message {
    Message::Binary(std::iter::once(channel).chain(piece.iter().copied()).collect::<Bytes>())
}

/// Waits until the client has closed its side; what it still sends (stdin) is read and dropped.
async fn closed(socket: &mut Socket) {
    while let Some(Ok(_)) = socket.next().await {}
}

fn status(code: u8) -> String {
    if code == 0 {
        return json!({"metadata": {}, "status": "Success"}).to_string();
    }
    let code = code.to_string();
    let message = format!(
        "command terminated with non-zero exit code: error executing command in container, exit code {code}"
    );
    let details = json!({"causes": [{"reason": "ExitCode", "message": code}]});
    json!({"metadata": {}, "status": "Failure", "reason": "NonZeroExitCode", "message": message, "details": details}).to_string()
}
