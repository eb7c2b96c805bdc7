//! Consumer group lag, each way against the brokers' own tool, on the bed.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

#[path = "support/bed.rs"]
mod bed;

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

use axum::Router;
use axum::routing::post;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use warroom::config::{self, Endpoint, KafkaMode, Where};
use warroom::event::{Event, GroupLag, SourceId};
use warroom::net::clock::Clock;
use warroom::net::connect::{ConnectSettings, connect};
use warroom::net::discovery::{Discovery, ServiceKind};
use warroom::net::resolver::Resolver;
use warroom::net::timing::Timing;
use warroom::source::handle::SourceHandle;
use warroom::source::kafka::{self, Kafka};

const NAMESPACE: &str = "medcontract-prod";

/// Group, topic and partition; committed offset (`None`: never) and the log's end.
type Offsets = BTreeMap<(String, String, u32), (Option<i64>, i64)>;

/// What `kafka-consumer-groups.sh` says now.
fn by_the_tool() -> Offsets {
    let tool = ["kafka-consumer-groups.sh", "--bootstrap-server", "kafka:9092", "--describe", "--all-groups"];
    let ran = Command::new("kubectl")
        .args(["--namespace", NAMESPACE, "exec", "kafka-0", "--"])
        .args(tool)
        .output()
        .unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let mut offsets = Offsets::new();
    for line in String::from_utf8(ran.stdout).unwrap().lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [group, topic, partition, committed, end, ..] = words[..] else { continue };
        if let (Ok(partition), Ok(end)) = (partition.parse(), end.parse()) {
            offsets.insert((group.into(), topic.into(), partition), (committed.parse().ok(), end));
        }
    }
    assert!(!offsets.is_empty());
    offsets
}

/// The first reading of a source with these settings, or why there is none.
async fn read(settings: config::Kafka, prometheus: Endpoint) -> Vec<GroupLag> {
    let timing = Timing::default();
    let connection = connect(&ConnectSettings::default(), &timing).await.unwrap();
    let wanted = kafka::Wanted { settings, namespace: NAMESPACE.into() };
    let discovery = Discovery::new(connection.reader.clone(), None, &timing);
    let prometheus = Resolver::new(ServiceKind::Prometheus, prometheus, discovery);
    let (events, mut told) = mpsc::channel(16);
    let clock = Clock::system();
    let handle = SourceHandle::new(SourceId::Kafka, clock.clone(), events);
    let source = tokio::spawn(kafka::run(
        Kafka::On(Box::new(wanted)),
        connection.reader,
        prometheus,
        handle,
        clock,
        timing,
    ));
    let first = tokio::time::timeout(Duration::from_secs(40), told.recv()).await.unwrap().unwrap();
    source.abort();
    let Event::Lag { groups, .. } = first else { panic!("{first:?}") };
    groups
}

fn offsets(groups: &[GroupLag]) -> Offsets {
    let of = |group: &GroupLag| -> Vec<_> {
        let key =
            |p: &warroom::event::PartitionLag| (group.group.to_string(), p.topic.to_string(), p.partition);
        group.partitions.iter().map(|p| (key(p), (p.committed, p.end.unwrap()))).collect()
    };
    groups.iter().flat_map(of).collect()
}

/// Offsets only grow: what is read between two readings of the tool lies between them.
async fn agrees(settings: config::Kafka) {
    bed::kubeconfig();
    let before = by_the_tool();
    let groups = read(settings, Endpoint::default()).await;
    let after = by_the_tool();
    let own = offsets(&groups);
    assert!(own.keys().eq(before.keys()), "{own:?} is not {before:?}");
    for (place, (committed, end)) in &own {
        let (committed_before, end_before) = before[place];
        let (committed_after, end_after) = after[place];
        assert!(committed_before <= *committed && *committed <= committed_after, "{place:?}: {committed:?}");
        assert!(end_before <= *end && *end <= end_after, "{place:?}: {end}");
    }
    let worker = groups.iter().find(|group| group.group == *"worker-service").unwrap();
    assert!(
        worker.members > Some(0) && worker.partitions.iter().all(|p| p.client.is_some() && p.host.is_some()),
        "{worker:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the bed"]
async fn bed_lag_agrees_with_the_brokers_own_tool_exec() {
    agrees(config::Kafka::default()).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the bed"]
async fn bed_lag_agrees_with_the_brokers_own_tool_brokers() {
    agrees(config::Kafka { mode: KafkaMode::Brokers, ..config::Kafka::default() }).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the bed"]
async fn bed_lag_agrees_with_the_brokers_own_tool_brokers_through_port_forward() {
    agrees(config::Kafka { mode: KafkaMode::Brokers, port_forward: true, ..config::Kafka::default() }).await;
}

/// The bed has no exporter: one that tells what the tool told is put before warroom.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the bed"]
async fn bed_lag_agrees_with_the_brokers_own_tool_prometheus() {
    bed::kubeconfig();
    let told = by_the_tool();
    let answers = exporter(&told);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let query = post(move |form: String| async move {
        let metric = form.split('&').find_map(|part| part.strip_prefix("query=")).unwrap();
        json!({"status": "success", "data": {"resultType": "vector", "result": answers.get(metric)}})
            .to_string()
    });
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/api/v1/query", query)).await });
    let groups = read(
        config::Kafka { mode: KafkaMode::Prometheus, ..config::Kafka::default() },
        address.parse::<Where>().unwrap().into(),
    )
    .await;
    assert_eq!(offsets(&groups), told);
}

/// What `kafka_exporter` makes of these offsets.
fn exporter(told: &Offsets) -> BTreeMap<&'static str, Vec<Value>> {
    let series = |value: fn(Option<i64>, i64) -> i64| -> Vec<Value> {
        let one =
            |((group, topic, partition), (committed, end)): (&(String, String, u32), &(Option<i64>, i64))| {
                let labels =
                    json!({"consumergroup": group, "topic": topic, "partition": partition.to_string()});
                json!({"metric": labels, "value": [0, value(*committed, *end).to_string()]})
            };
        told.iter().map(one).collect()
    };
    [
        ("kafka_consumergroup_current_offset", series(|committed, _| committed.unwrap_or(-1))),
        (
            "kafka_consumergroup_lag",
            series(|committed, end| committed.map_or(-1, |committed| end - committed)),
        ),
        ("kafka_topic_partition_current_offset", series(|_, end| end)),
        ("kafka_topic_partition_oldest_offset", Vec::new()),
        ("kafka_consumergroup_members", Vec::new()),
    ]
    .into()
}
