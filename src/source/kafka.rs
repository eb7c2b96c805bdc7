//! Consumer group lag, read with the broker's own tool in the broker's own pod, as the runbook does it.
//!
//! Each reading starts a JVM beside the broker: never two at once, and often only while a lag grows.

mod table;

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1;
use kube::Api;
use kube::api::AttachParams;
use tokio::io::{AsyncRead, AsyncReadExt};

use super::clock::Clock;
pub use super::discover::Broker;
use super::failure::Failure;
use super::timing::Timing;
use super::voice::Voice;
use crate::clean::Clean;
use crate::event::{Event, GroupLag, PartitionLag};

/// The longest table that is read.
const LONGEST: u64 = 4 << 20;

/// A lag that is larger by no more records than this is not taken to grow.
const JITTER: i64 = 100;

/// How Kafka's groups are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kafka {
    /// By the tool in a broker's pod.
    Exec(Broker),
    /// Not at all, and why, with what would change it.
    Off(String),
}

/// Reads the groups again and again until it is stopped.
pub async fn run(how: Kafka, client: kube::Client, mut voice: Voice, clock: Clock, timing: Timing) {
    let broker = match how {
        Kafka::Exec(broker) => broker,
        Kafka::Off(why) => return voice.off(&why).await,
    };
    let pods = Api::namespaced(client, &broker.namespace);
    let mut before: Option<BTreeMap<Clean, i64>> = None;
    loop {
        let reading = tokio::time::timeout(timing.lag_answer, read(&pods, &broker)).await;
        let soon = match reading.unwrap_or_else(|_| Err(Failure::silent("kafka-consumer-groups.sh", timing.lag_answer))) {
            Ok(groups) => {
                let (at, now) = (clock.now(), totals(&groups));
                voice.tell(Event::Lag { at, groups }).await; // first, so that live means read
                voice.live(None).await;
                // One reading alone does not say which way it goes.
                before.replace(now.clone()).is_none_or(|before| grows(&before, &now))
            }
            Err(failure) => {
                voice.fail(&failure).await;
                true
            }
        };
        clock.sleep(if soon { timing.lag_soon } else { timing.lag }).await;
    }
}

fn totals(groups: &[GroupLag]) -> BTreeMap<Clean, i64> {
    let total = |group: &GroupLag| group.partitions.iter().filter_map(PartitionLag::lag).fold(0, i64::saturating_add);
    groups.iter().map(|group| (group.group.clone(), total(group))).collect()
}

fn grows(before: &BTreeMap<Clean, i64>, now: &BTreeMap<Clean, i64>) -> bool {
    now.iter().any(|(group, lag)| before.get(group).is_some_and(|then| *lag > then + JITTER))
}

async fn read(pods: &Api<v1::Pod>, broker: &Broker) -> Result<Vec<GroupLag>, Failure> {
    let command = ["kafka-consumer-groups.sh", "--bootstrap-server", broker.bootstrap.as_str(), "--describe", "--all-groups"];
    let how = AttachParams::default().stdin(false).stdout(true).stderr(true);
    let mut process = pods.exec(&broker.pod, command, &how).await.map_err(|error| refusal(broker, &error))?;
    let (stdout, stderr, status) = (process.stdout(), process.stderr(), process.take_status());
    let (stdout, stderr) = tokio::join!(bounded(stdout), bounded(stderr));
    let status = match status {
        Some(status) => status.await,
        None => None,
    };
    let failed = status.filter(|status| status.status.as_deref() != Some("Success"));
    let groups = table::parse(&stdout).map_err(Failure::Lost)?;
    match failed {
        Some(status) if groups.is_empty() => {
            let said = stderr.lines().rev().find(|line| !line.trim().is_empty()).map_or(status.message.unwrap_or_default(), str::to_owned);
            Err(Failure::Lost(format!("kafka-consumer-groups.sh in pod {} failed: {}", broker.pod, said.trim())))
        }
        _ => Ok(groups),
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

fn refusal(broker: &Broker, error: &kube::Error) -> Failure {
    let Broker { namespace, pod, .. } = broker;
    match error {
        kube::Error::Api(status) => match status.code {
            401 => Failure::Unauthenticated("the API server does not accept this context's credentials (401): log in again".into()),
            403 => {
                Failure::Forbidden(format!("exec in pod {pod} of namespace {namespace} is forbidden: ask for get and create on pods/exec"))
            }
            404 => Failure::Rejected(format!(
                "there is no pod {pod} in namespace {namespace}: name a broker's pod in the settings, or run `warroom init`"
            )),
            code => Failure::Lost(format!("exec in pod {pod} failed ({code}): {}", status.message)),
        },
        error => Failure::unreachable("the API server", error),
    }
}
