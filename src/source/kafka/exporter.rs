//! Consumer groups as an exporter told them to Prometheus. They are as old as the last scrape, and nobody is
//! named who reads them.

use std::collections::BTreeMap;

use futures::FutureExt;
use futures::future::BoxFuture;
use serde::Deserialize;

use super::{Reader, Reading};
use crate::clean::Clean;
use crate::config::KafkaMetrics;
use crate::event::{GroupLag, PartitionLag};
use crate::net::failure::Failure;
use crate::net::http::Server;

/// Asks Prometheus for an exporter's metrics.
pub(super) struct Exporter {
    server: Server,
    metrics: KafkaMetrics,
}

#[derive(Deserialize)]
struct Answer {
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    result: Vec<Series>,
}

#[derive(Deserialize)]
struct Series {
    metric: Labels,
    value: (f64, String),
}

/// What the exporters in use name their groups by.
#[derive(Deserialize)]
struct Labels {
    #[serde(alias = "group", default)]
    consumergroup: Clean,
    #[serde(default)]
    topic: Clean,
    #[serde(default)]
    partition: String,
}

/// A partition of a topic.
type TopicPartition = (Clean, u32);

/// The answers to all five questions.
struct Told {
    committed: Vec<Series>,
    lag: Vec<Series>,
    end: Vec<Series>,
    start: Vec<Series>,
    members: Vec<Series>,
}

impl Reader for Exporter {
    fn name(&self) -> &'static str {
        "Prometheus"
    }

    fn read(&mut self) -> BoxFuture<'_, Result<Reading, Failure>> {
        self.once().boxed()
    }
}

impl Exporter {
    pub fn new(metrics: KafkaMetrics, server: Server) -> Self {
        Self { server, metrics }
    }

    async fn once(&self) -> Result<Reading, Failure> {
        let names = &self.metrics;
        let (committed, lag, end, start, members) = tokio::try_join!(
            self.ask(&names.committed),
            self.ask(&names.lag),
            self.ask(&names.end),
            self.ask(&names.start),
            self.ask(&names.members)
        )?;
        if committed.is_empty() {
            let name = &names.committed;
            let why = format!(
                "Prometheus has no series of {name}: is a Kafka exporter scraped? Its names can be set in [kafka.metrics]"
            );
            return Err(Failure::Lost(why));
        }
        Ok(Reading { groups: groups(&Told { committed, lag, end, start, members }), remark: None })
    }

    async fn ask(&self, query: &str) -> Result<Vec<Series>, Failure> {
        let answer: Answer = self.server.ask(self.server.post("api/v1/query", &[("query", query)])).await?;
        Ok(answer.data.result)
    }
}

impl Series {
    /// An offset or a count; exporters write −1 for what they do not know.
    #[allow(
        clippy::cast_possible_truncation,
        reason = "an offset that is no whole number of 53 bits has lost its digits already"
    )]
    fn number(&self) -> Option<i64> {
        let number: f64 = self.value.1.parse().ok()?;
        (number.is_finite() && number >= 0.0).then_some(number as i64)
    }

    fn place(&self) -> Option<TopicPartition> {
        Some((self.metric.topic.clone(), self.metric.partition.parse().ok()?))
    }
}

fn groups(told: &Told) -> Vec<GroupLag> {
    let by_place = |all: &[Series]| -> BTreeMap<TopicPartition, i64> {
        all.iter().filter_map(|s| Some((s.place()?, s.number()?))).collect()
    };
    let of_group = |all: &[Series]| -> BTreeMap<(Clean, TopicPartition), Option<i64>> {
        all.iter().filter_map(|s| Some(((s.metric.consumergroup.clone(), s.place()?), s.number()))).collect()
    };
    let ends = by_place(&told.end);
    let starts = by_place(&told.start);
    let lags = of_group(&told.lag);
    let members =
        |s: &Series| (s.metric.consumergroup.clone(), s.number().and_then(|n| u32::try_from(n).ok()));
    let members: BTreeMap<Clean, Option<u32>> = told.members.iter().map(members).collect();
    let mut groups: BTreeMap<Clean, Vec<PartitionLag>> = BTreeMap::new();
    for (key, committed) in of_group(&told.committed) {
        // The exporter's own figure is of the same moment as the commit; the log's end may be of another.
        let lag = lags.get(&key);
        let end = committed.zip(lag.copied().flatten()).map(|(offset, lag)| offset.saturating_add(lag));
        let (group, place) = key;
        let end = end.or_else(|| ends.get(&place).copied());
        let start = starts.get(&place).copied();
        let committed = committed.filter(|_| lag.is_none_or(Option::is_some));
        let (topic, partition) = place;
        groups.entry(group).or_default().push(PartitionLag {
            topic,
            partition,
            committed,
            end,
            start,
            ..PartitionLag::default()
        });
    }
    let finish = |(group, partitions): (Clean, Vec<PartitionLag>)| {
        let members = members.get(&group).copied().flatten();
        GroupLag { group, members, partitions }
    };
    groups.into_iter().map(finish).collect()
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::routing::post;
    use serde_json::{Value, json};

    use super::*;
    use crate::net::timing::Timing;

    /// A Prometheus that holds what an exporter would have told of these partitions:
    /// group, topic, partition, committed (−1: never), end, start.
    async fn prometheus(partitions: &'static [(&'static str, &'static str, u32, i64, i64, i64)]) -> String {
        let of_group = |value: fn(i64, i64) -> i64| -> Vec<Value> {
            let series = |(group, topic, partition, committed, end, _): &(&str, &str, u32, i64, i64, i64)| {
                let labels = json!({"consumergroup": group, "topic": topic, "partition": partition.to_string(), "job": "kafka"});
                json!({"metric": labels, "value": [1_763_881_200.5, value(*committed, *end).to_string()]})
            };
            partitions.iter().map(series).collect()
        };
        let of_log = |value: fn(i64, i64) -> i64| -> Vec<Value> {
            let series = |(_, topic, partition, _, end, start): &(&str, &str, u32, i64, i64, i64)| json!({"metric": {"topic": topic, "partition": partition.to_string()}, "value": [0, format!("{:e}", value(*end, *start))]});
            partitions.iter().map(series).collect()
        };
        let answers: BTreeMap<&str, Vec<Value>> = [
            ("kafka_consumergroup_current_offset", of_group(|committed, _| committed)),
            (
                "kafka_consumergroup_lag",
                of_group(|committed, end| if committed < 0 { -1 } else { end - committed }),
            ),
            ("kafka_topic_partition_current_offset", of_log(|end, _| end + 5)),
            ("kafka_topic_partition_oldest_offset", of_log(|_, start| start)),
            (
                "kafka_consumergroup_members",
                vec![json!({"metric": {"consumergroup": "worker"}, "value": [0, "2"]})],
            ),
        ]
        .into();
        let query = post(move |form: String| async move {
            let asked = reqwest::Url::parse(&format!("http://x/?{form}")).unwrap();
            let (_, metric) = asked.query_pairs().find(|(name, _)| name == "query").unwrap();
            json!({"status": "success", "data": {"resultType": "vector", "result": answers[&*metric]}})
                .to_string()
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, Router::new().route("/api/v1/query", query)).await });
        address
    }

    fn exporter(address: &str) -> Exporter {
        Exporter::new(
            KafkaMetrics::default(),
            Server::new("Prometheus", address, &Timing::default()).unwrap(),
        )
    }

    #[tokio::test]
    async fn what_an_exporter_tells_is_read_and_minus_one_is_unknown() {
        let address = prometheus(&[
            ("audit", "audit", 0, -1, 9_000, 0),
            ("worker", "documents", 0, 3_364, 3_366, 3_000),
            ("worker", "documents", 10, 1_000_000, 2_500_000, 1_200_000),
        ])
        .await;
        let groups = exporter(&address).read().await.unwrap().groups;
        let figures = |group: &GroupLag| -> Vec<_> {
            group.partitions.iter().map(|p| (p.partition, p.committed, p.end, p.lag(), p.lost())).collect()
        };
        assert_eq!(figures(&groups[0]), [(0, None, Some(9_005), None, None)]);
        let worker = [
            (0, Some(3_364), Some(3_366), Some(2), Some(0)),
            (10, Some(1_000_000), Some(2_500_000), Some(1_500_000), Some(200_000)),
        ];
        assert_eq!(figures(&groups[1]), worker);
        let members: Vec<_> = groups.iter().map(|group| (group.group.as_str(), group.members)).collect();
        assert_eq!(members, [("audit", None), ("worker", Some(2))]);
    }

    #[tokio::test]
    async fn without_an_exporter_the_reason_is_told() {
        let said = exporter(&prometheus(&[]).await).read().await.unwrap_err().to_string();
        assert!(
            said.starts_with(
                "Prometheus has no series of kafka_consumergroup_current_offset: is a Kafka exporter scraped?"
            ),
            "{said}"
        );
    }
}
