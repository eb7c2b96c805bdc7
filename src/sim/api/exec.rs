//! `pods/exec` over a WebSocket: the commands of the runbook that the simulated containers know.

use axum::extract::FromRequestParts;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade, close_code};
use axum::http::request::Parts;
use axum::response::Response;
use serde_json::json;

use super::Call;
use super::status::Status;
use crate::sim::cluster::Cluster;
use crate::sim::cluster::kind::POD;
use crate::sim::cluster::process::Process;
use crate::sim::json::text;

/// What a command printed, and how it ended.
struct Output {
    stdout: String,
    stderr: String,
    code: u8,
}

impl Output {
    fn ok(stdout: String) -> Self {
        Self { stdout, stderr: String::new(), code: 0 }
    }

    fn failed(stderr: String, code: u8) -> Self {
        Self { stdout: String::new(), stderr, code }
    }
}

/// Runs the command and opens the channels on which its output is sent.
pub(super) async fn answer(call: &Call<'_>, mut parts: Parts) -> Result<Response, Status> {
    let output = run(call)?;
    let upgrade = WebSocketUpgrade::from_request_parts(&mut parts, &()).await;
    let upgrade = upgrade.map_err(|_| Status::bad_request("Upgrade request required"))?;
    Ok(upgrade.protocols(["v5.channel.k8s.io", "v4.channel.k8s.io"]).on_upgrade(move |socket| send(socket, output)))
}

fn run(call: &Call<'_>) -> Result<Output, Status> {
    let cluster = call.shared.cluster();
    let name = call.target.name.as_deref().unwrap_or_default();
    let pod = cluster.store.get(&POD, call.target.namespace(), name).ok_or_else(|| Status::not_found(&call.target))?;
    let container = text(pod.value(), "/spec/containers/0/name");
    if let Some(wanted) = call.query.get("container").filter(|wanted| *wanted != container) {
        return Err(Status::bad_request(format!("container {wanted} is not valid for pod {name}")));
    }
    let process = cluster.processes.get(name).filter(|process| process.running());
    let process = process
        .ok_or_else(|| Status::new(500, "InternalError", format!("unable to upgrade connection: container not found (\"{container}\")")))?;
    let command: Vec<_> = call.query.all("command").collect();
    Ok(execute(&cluster, name, process, &command))
}

fn execute(cluster: &Cluster, pod: &str, process: &Process, command: &[&str]) -> Output {
    match command {
        [tool, "--bootstrap-server", _, "--describe", "--all-groups"]
            if pod.starts_with("kafka-") && tool.ends_with("kafka-consumer-groups.sh") =>
        {
            let (stdout, stderr) = cluster.kafka.describe_all_groups();
            Output { stdout, stderr, code: 0 }
        }
        ["wget", "-qO-", address] if address.ends_with(":8080/health") => health(process),
        [] => Output::failed("you must specify at least one command for the container\n".to_owned(), 126),
        [tool, ..] => Output::failed(format!("exec: \"{tool}\": executable file not found in $PATH\n"), 127),
    }
}

/// GNU wget says nothing with `-q` and ends with 8 when the server answers with an error, with 4 when nobody listens.
fn health(process: &Process) -> Output {
    let behaviour = &process.behaviour;
    if behaviour.service.is_empty() {
        return Output::failed(String::new(), 4);
    }
    if !behaviour.healthy() {
        return Output::failed(String::new(), 8);
    }
    Output::ok(format!(r#"{{"status":"ok","service":"{}","version":"{}"}}"#, behaviour.service, behaviour.version))
}

/// Channel 1 is stdout, 2 is stderr, 3 the status.
async fn send(mut socket: WebSocket, output: Output) {
    let status = status(&output);
    for (channel, text) in [(1, output.stdout), (2, output.stderr), (3, status)] {
        if text.is_empty() {
            continue;
        }
        let frame: Vec<u8> = std::iter::once(channel).chain(text.bytes()).collect();
        if socket.send(Message::Binary(frame.into())).await.is_err() {
            return;
        }
    }
    let normal = CloseFrame { code: close_code::NORMAL, reason: Utf8Bytes::default() };
    let _ = socket.send(Message::Close(Some(normal))).await;
    // The client closes in turn; what it still sends (stdin) is read and dropped.
    while let Some(Ok(_)) = socket.recv().await {}
}

fn status(output: &Output) -> String {
    if output.code == 0 {
        return json!({"metadata": {}, "status": "Success"}).to_string();
    }
    let code = output.code.to_string();
    let message = format!("command terminated with non-zero exit code: error executing command in container, exit code {code}");
    let details = json!({"causes": [{"reason": "ExitCode", "message": code}]});
    json!({"metadata": {}, "status": "Failure", "reason": "NonZeroExitCode", "message": message, "details": details}).to_string()
}
