//! One run of a kubeconfig's credential plugin (`client.authentication.k8s.io`): never at the terminal,
//! bounded in time and size.

use std::io::ErrorKind;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use kube::config::{ExecConfig, ExecInteractiveMode};
use serde::Deserialize;
use serde_json::json;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;

use super::{Credential, Identity, NoCredentials, Token};
use crate::net::process::Group;

/// The longest answer that is read, and the longest complaint.
const LONGEST: u64 = 1 << 20;

/// A credential plugin, and how it is run.
#[derive(Clone, Debug)]
pub struct Plugin {
    exec: ExecConfig,
    /// Its command.
    pub(super) name: String,
}

/// `ExecCredential`, as far as it is used.
#[derive(Deserialize)]
struct Answer {
    status: Option<Status>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    token: Option<String>,
    client_certificate_data: Option<String>,
    client_key_data: Option<String>,
    expiration_timestamp: Option<String>,
}

impl Plugin {
    /// Creates a plugin. A path in `command` is one that the kubeconfig's reader has already made absolute.
    pub fn new(exec: ExecConfig) -> Result<Self, NoCredentials> {
        let name = exec
            .command
            .clone()
            .ok_or_else(|| NoCredentials("the kubeconfig's credential plugin has no command".into()))?;
        if exec.interactive_mode == Some(ExecInteractiveMode::Always) {
            let why = "wants to ask at the terminal (interactiveMode: Always), which belongs to the screen: log in with it in a shell, and set IfAvailable";
            return Err(NoCredentials(format!("the kubeconfig's credential plugin {name} {why}")));
        }
        Ok(Self { exec, name })
    }

    /// Runs the plugin once. Its stderr is never shown but for its last line, and only when it fails: stdout
    /// and environment hold secrets.
    pub async fn run(&self, deadline: Duration) -> Result<Token, NoCredentials> {
        let mut child = self.command().spawn().map_err(|error| self.not_started(&error))?;
        let mut group = Group::of(&child);
        let stdout = child.stdout.take();
        let stderr = child.stderr.take();
        let all = async { tokio::join!(whole(stdout), whole(stderr), child.wait()) };
        let Ok((stdout, stderr, status)) = tokio::time::timeout(deadline, all).await else {
            group.kill();
            return Err(self.failed(&format!(
                "has not answered within {}; run it in a shell to see what it waits for",
                crate::units::seconds(deadline.as_secs_f64())
            )));
        };
        group.let_go();
        match status {
            Ok(status) if status.success() => self.pass(&stdout),
            Ok(status) => {
                let said = String::from_utf8_lossy(&stderr);
                let last = said
                    .lines()
                    .rev()
                    .find(|line| !line.trim().is_empty())
                    .unwrap_or("it said nothing on stderr");
                Err(self.failed(&format!("failed ({status}): {}; run it in a shell to log in", last.trim())))
            }
            Err(error) => Err(self.failed(&format!("cannot be waited for: {error}"))),
        }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.name);
        command.args(self.exec.args.iter().flatten());
        for variable in self.exec.env.iter().flatten() {
            if let (Some(name), Some(value)) = (variable.get("name"), variable.get("value")) {
                command.env(name, value);
            }
        }
        let cluster = self.exec.cluster.as_ref().filter(|_| self.exec.provide_cluster_info);
        let mut spec = json!({"interactive": false});
        if let Some(cluster) = cluster {
            spec["cluster"] = json!(cluster);
        }
        let about = json!({"apiVersion": self.exec.api_version, "kind": "ExecCredential", "spec": spec});
        command.env("KUBERNETES_EXEC_INFO", about.to_string());
        // A group of its own: what is typed at the terminal is not for it, and all of it can be ended.
        command
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    fn pass(&self, stdout: &[u8]) -> Result<Token, NoCredentials> {
        let wrong = |why: &str| self.failed(why);
        // client-go reads YAML here, and some plugins write it.
        let answer: Answer = serde_saphyr::from_slice(stdout)
            .map_err(|_| wrong("answered with something that is not an ExecCredential"))?;
        let status = answer.status.ok_or_else(|| wrong("answered without a status"))?;
        let until = status
            .expiration_timestamp
            .map(|at| DateTime::parse_from_rfc3339(&at).map(|at| at.with_timezone(&Utc)))
            .transpose();
        let until = until.map_err(|_| wrong("answered with an expirationTimestamp that is no time"))?;
        let header = status
            .token
            .filter(|token| !token.is_empty())
            .map(|token| Credential::bearer(&token))
            .transpose()?;
        let identity = status.client_certificate_data.zip(status.client_key_data);
        let identity = identity.map(|(certificate, key)| Arc::new(Identity { certificate, key }));
        if header.is_none() && identity.is_none() {
            return Err(wrong("answered with neither a token nor a certificate and its key"));
        }
        Ok(Token { header, identity, until })
    }

    fn failed(&self, how: &str) -> NoCredentials {
        NoCredentials(format!("the kubeconfig's credential plugin {} {how}", self.name))
    }

    fn not_started(&self, error: &std::io::Error) -> NoCredentials {
        let hint = self.exec.install_hint.as_deref().map(str::trim).filter(|hint| !hint.is_empty());
        match error.kind() {
            ErrorKind::NotFound => {
                self.failed(&format!("is not there; {}", hint.unwrap_or("install it, or put it on the PATH")))
            }
            _ => self.failed(&format!("cannot be started: {error}")),
        }
    }
}

async fn whole(stream: Option<impl AsyncRead + Unpin>) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(stream) = stream {
        // A stream that breaks has said what it had to say; the exit status tells whether that was all.
        let _cut = stream.take(LONGEST).read_to_end(&mut bytes).await;
    }
    bytes
}
