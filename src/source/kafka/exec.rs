//! Consumer groups by the broker's own tool in the broker's own pod, as the runbook does it. Each reading
//! starts a JVM beside the broker.

use futures::FutureExt;
use futures::future::BoxFuture;
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::AttachParams;
use tokio::io::{AsyncRead, AsyncReadExt};

use super::{Reader, Reading, Wanted, table};
use crate::event::grant::KAFKA_EXEC;
use crate::net::failure::Failure;

/// The longest table that is read.
const LONGEST: u64 = 4 << 20;

/// A broker's pod.
pub(super) struct Exec {
    pods: Api<Pod>,
    namespace: String,
    pod: String,
    /// Where the tool finds the cluster: `kafka:9092`.
    bootstrap: String,
}

impl Reader for Exec {
    fn name(&self) -> &'static str {
        "kafka-consumer-groups.sh"
    }

    fn read(&mut self) -> BoxFuture<'_, Result<Reading, Failure>> {
        self.once().boxed()
    }
}

impl Exec {
    pub fn new(wanted: Wanted, client: kube::Client) -> Self {
        let Wanted { settings, namespace } = wanted;
        Self {
            pods: Api::namespaced(client, &namespace),
            namespace,
            pod: settings.pod,
            bootstrap: settings.bootstrap.to_string(),
        }
    }

    async fn once(&self) -> Result<Reading, Failure> {
        let command = [
            "kafka-consumer-groups.sh",
            "--bootstrap-server",
            self.bootstrap.as_str(),
            "--describe",
            "--all-groups",
        ];
        let how = AttachParams::default().stdin(false).stdout(true).stderr(true);
        let mut process =
            self.pods.exec(&self.pod, command, &how).await.map_err(|error| self.refusal(&error))?;
        let stdout = process.stdout();
        let stderr = process.stderr();
        let status = process.take_status();
        let (stdout, stderr) = tokio::join!(bounded(stdout), bounded(stderr));
        let status = match status {
            Some(status) => status.await,
            None => None,
        };
        let failed = status.filter(|status| status.status.as_deref() != Some("Success"));
        let groups = table::parse(&stdout).map_err(|complaint| Failure::Lost(complaint.to_string()))?;
        match failed {
            Some(status) if groups.is_empty() => {
                let said = stderr
                    .lines()
                    .rev()
                    .find(|line| !line.trim().is_empty())
                    .map_or(status.message.unwrap_or_default(), str::to_owned);
                Err(Failure::Lost(format!(
                    "kafka-consumer-groups.sh in pod {} failed: {}",
                    self.pod,
                    said.trim()
                )))
            }
            _ => Ok(Reading { groups, remark: None }),
        }
    }

    fn refusal(&self, error: &kube::Error) -> Failure {
        let Self { namespace, pod, .. } = self;
        match error {
            kube::Error::Api(status) => match status.code {
                401 => Failure::logged_out(),
                403 => Failure::Forbidden(format!(
                    "exec in pod {pod} of namespace {namespace} is forbidden: ask for {KAFKA_EXEC}, or read the brokers \
                     themselves (--kafka brokers:HOST:PORT)"
                )),
                404 => Failure::Rejected(format!(
                    "there is no pod {pod} in namespace {namespace}: name a broker's pod in the settings, or run `warroom init`"
                )),
                code => Failure::Lost(format!("exec in pod {pod} failed ({code}): {}", status.message)),
            },
            error => Failure::unreachable("the API server", error),
        }
    }
}

async fn bounded(stream: Option<impl AsyncRead + Unpin>) -> String {
    let mut text = Vec::new();
    if let Some(stream) = stream {
        // A stream that breaks has said what it had to say; the exit status tells whether that was all.
        let _cut = stream.take(LONGEST).read_to_end(&mut text).await;
    }
    String::from_utf8_lossy(&text).into_owned()
}
