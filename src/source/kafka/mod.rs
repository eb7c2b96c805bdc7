//! Consumer group lag, three ways behind one trait.
//!
//! | module | what it is |
//! |---|---|
//! | [`exec`], [`table`] | the broker's own tool in the broker's own pod, as the runbook does it |
//! | [`brokers`] | Kafka's own protocol, directly or through a port-forward |
//! | [`exporter`] | what an exporter told Prometheus |
//!
//! Never two readings at once. Whatever way it is, an offset that was never committed is unknown, and never
//! 0.

mod brokers;
mod exec;
mod exporter;
mod table;

use super::Start;
use crate::net::discovery::Discovery;
use futures::FutureExt;
use futures::future::BoxFuture;
use std::collections::BTreeMap;
use std::time::Duration;

use self::brokers::Brokers;
use self::exec::Exec;
use self::exporter::Exporter;
use super::handle::SourceHandle;
use crate::clean::Clean;
use crate::config::{self, KafkaMode};
use crate::event::{Event, GroupLag, PartitionLag};
use crate::net::clock::Clock;
use crate::net::failure::Failure;
use crate::net::http::Server;
use crate::net::resolver::{Resolver, Unreached};
use crate::net::timing::Timing;

/// A lag that is larger by no more records than this is not taken to grow.
const JITTER: i64 = 100;

/// How Kafka's groups are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kafka {
    /// As the settings say.
    On(Box<Wanted>),
    /// Not at all, and why, with what would change it.
    Off(String),
}

/// What a reader is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The settings.
    pub settings: config::Kafka,
    /// Where broker's pods are, if nothing else is said.
    pub namespace: String,
}

/// A way to the groups.
trait Reader: Send {
    /// Who is silent when there is no answer.
    fn name(&self) -> &'static str;

    /// All groups, as they are now. May be dropped before it is done, and called again.
    fn read(&mut self) -> BoxFuture<'_, Result<Reading, Failure>>;
}

/// What a reader found.
#[derive(Debug, PartialEq)]
struct Reading {
    /// All groups of the cluster.
    groups: Vec<GroupLag>,
    /// What is missing from it all the same, and what to do.
    remark: Option<String>,
}

/// How often a way is gone.
struct Pace {
    /// Between two readings.
    usual: Duration,
    /// The same while a lag grows, or after a reading that failed.
    soon: Duration,
    /// Until a reading is there.
    answer: Duration,
}

/// Starts reading the groups.
pub(super) fn start(start: Start, mut handle: SourceHandle) -> BoxFuture<'static, ()> {
    let Start { settings, contexts, clock, timing, .. } = start;
    let client = contexts.main().reader.clone();
    async move {
        let how = found(settings.kafka, settings.find_kafka, &mut handle).await;
        run(how, client, settings.prometheus, handle, clock, timing).await;
    }
    .boxed()
}

/// The cluster's own broker instead of the usual one, if there is one to be found.
async fn found(how: Kafka, discovery: Option<Discovery>, handle: &mut SourceHandle) -> Kafka {
    let (Kafka::On(mut wanted), Some(discovery)) = (how.clone(), discovery) else { return how };
    match discovery.broker().await {
        Ok(Some(broker)) if wanted.settings.mode == KafkaMode::Exec => {
            handle.remark(Some(format!("found: {}/{}", broker.namespace, broker.pod)));
            wanted.namespace = broker.namespace;
            wanted.settings.pod = broker.pod;
            wanted.settings.bootstrap = broker.bootstrap;
            Kafka::On(wanted)
        }
        // Whoever reads the groups says what is wrong, or that the usual broker is not there.
        Ok(_) | Err(_) => how,
    }
}

/// Reads the groups again and again until it is stopped.
pub async fn run(
    how: Kafka,
    client: kube::Client,
    prometheus: Resolver,
    mut handle: SourceHandle,
    clock: Clock,
    timing: Timing,
) {
    let wanted = match how {
        Kafka::On(wanted) => *wanted,
        Kafka::Off(why) => return handle.off(&why).await,
    };
    let pace = Pace::of(wanted.settings.mode, &timing);
    let server = async { Ok(handle.server(&prometheus).await) };
    let mut reader = match reader(wanted, client, &timing, server).await {
        Ok(reader) => reader,
        Err(wrong) => return handle.fail(&wrong).await,
    };
    let mut before: Option<BTreeMap<Clean, i64>> = None;
    loop {
        let reading = tokio::time::timeout(pace.answer, reader.read()).await;
        let soon = match reading.unwrap_or_else(|_| Err(Failure::silent(reader.name(), pace.answer))) {
            Ok(Reading { groups, remark }) => {
                let at = clock.now();
                let now = totals(&groups);
                handle.tell(Event::Lag { at, groups }).await; // first, so that live means read
                handle.live(remark).await;
                // One reading alone does not say which way it goes.
                before.replace(now.clone()).is_none_or(|before| grows(&before, &now))
            }
            Err(failure) => {
                handle.fail(&failure).await;
                true
            }
        };
        clock.sleep(if soon { pace.soon } else { pace.usual }).await;
    }
}

/// Reads the groups once, and says in words what was read.
///
/// # Errors
/// They cannot be read: why, and what to do.
pub async fn test(
    how: Kafka,
    client: kube::Client,
    prometheus: &Resolver,
    timing: &Timing,
) -> Result<String, Failure> {
    let wanted = match how {
        Kafka::On(wanted) => *wanted,
        Kafka::Off(why) => return Err(Failure::Forbidden(why)),
    };
    let mode = wanted.settings.mode;
    let server = async {
        prometheus.find().await.map_err(|unreached| match unreached {
            Unreached::Nowhere(why) => Failure::Missing(why),
            Unreached::Failed(failure) => failure,
        })
    };
    let mut reader = reader(wanted, client, timing, server).await?;
    let answer = Pace::of(mode, timing).answer;
    let reading = tokio::time::timeout(answer, reader.read())
        .await
        .unwrap_or_else(|_| Err(Failure::silent(reader.name(), answer)));
    reading.map(|reading| format!("consumer groups read by {}: {}", mode.name(), reading.groups.len()))
}

/// What reads in this mode; only one of them asks a Prometheus.
async fn reader(
    wanted: Wanted,
    client: kube::Client,
    timing: &Timing,
    prometheus: impl Future<Output = Result<Server, Failure>>,
) -> Result<Box<dyn Reader>, Failure> {
    Ok(match wanted.settings.mode {
        KafkaMode::Exec => Box::new(Exec::new(wanted, client)),
        KafkaMode::Prometheus => Box::new(Exporter::new(wanted.settings.metrics, prometheus.await?)),
        KafkaMode::Brokers => {
            Box::new(Brokers::new(wanted.settings, wanted.namespace, client, timing.clone())?)
        }
    })
}

impl Pace {
    /// A run of the tool starts a JVM beside the broker; the others cost little.
    fn of(mode: KafkaMode, timing: &Timing) -> Self {
        match mode {
            KafkaMode::Exec => Self { usual: timing.lag, soon: timing.lag_soon, answer: timing.lag_answer },
            KafkaMode::Brokers | KafkaMode::Prometheus => {
                Self { usual: timing.metrics, soon: timing.metrics, answer: timing.metrics_answer }
            }
        }
    }
}

fn totals(groups: &[GroupLag]) -> BTreeMap<Clean, i64> {
    let total =
        |group: &GroupLag| group.partitions.iter().filter_map(PartitionLag::lag).fold(0, i64::saturating_add);
    groups.iter().map(|group| (group.group.clone(), total(group))).collect()
}

fn grows(before: &BTreeMap<Clean, i64>, now: &BTreeMap<Clean, i64>) -> bool {
    now.iter().any(|(group, lag)| before.get(group).is_some_and(|then| *lag > then.saturating_add(JITTER)))
}
