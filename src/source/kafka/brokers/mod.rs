//! Consumer groups by Kafka's own protocol, from the brokers themselves.
//!
//! | module | what it is |
//! |---|---|
//! | [`dial`] | TCP or port-forward, TLS, addresses mapped |
//! | [`sasl`] | PLAIN and SCRAM |
//! | [`connection`] | requests and answers, in versions that both sides know |
//! | [`groups`] | the groups of one coordinator |
//!
//! One reading: which brokers there are; from each its groups with members and commits; then, so that no
//! commit is ahead of its log, the ends and beginnings of the logs from their leaders. All brokers are asked
//! at once, over connections that stay open.

mod connection;
mod dial;
mod groups;
mod sasl;

use std::collections::{BTreeMap, BTreeSet};

use futures::FutureExt;
use futures::future::{BoxFuture, try_join_all};
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::{
    BrokerId, GroupId, ListOffsetsRequest, MetadataRequest, MetadataResponse, TopicName,
};

use self::connection::{Connection, denied};
use self::dial::Dialer;
use self::groups::{Found, TopicPartition};
use super::{Reader, Reading};
use crate::clean::Clean;
use crate::config::{self, HostPort};
use crate::event::{GroupLag, PartitionLag};
use crate::net::failure::Failure;
use crate::net::timing::Timing;

/// The two ends of a log, as `ListOffsets` asks for them.
const LATEST: i64 = -1;
const EARLIEST: i64 = -2;

/// All brokers of a cluster.
pub(super) struct Brokers {
    dialer: Dialer,
    connections: BTreeMap<BrokerId, Connection>,
    leaders: BTreeMap<TopicPartition, BrokerId>,
}

/// Where the logs end and begin.
#[derive(Default)]
struct Logs {
    ends: BTreeMap<TopicPartition, i64>,
    starts: BTreeMap<TopicPartition, i64>,
    denied: bool,
}

impl Reader for Brokers {
    fn name(&self) -> &'static str {
        "Kafka"
    }

    fn read(&mut self) -> BoxFuture<'_, Result<Reading, Failure>> {
        async {
            let old = !self.connections.is_empty();
            match self.once().await {
                // a broker that was restarted, and is there again
                Err(Failure::Lost(_)) if old => self.once().await,
                reading => reading,
            }
        }
        .boxed()
    }
}

impl Brokers {
    pub fn new(
        settings: config::Kafka,
        namespace: String,
        client: kube::Client,
        timing: Timing,
    ) -> Result<Self, Failure> {
        let dialer = Dialer::new(settings, namespace, client, timing)?;
        Ok(Self { dialer, connections: BTreeMap::new(), leaders: BTreeMap::new() })
    }

    /// One reading. Whatever goes wrong, connections that may still carry half an answer are closed.
    async fn once(&mut self) -> Result<Reading, Failure> {
        let mut open = std::mem::take(&mut self.connections);
        self.connect(&mut open).await?;
        let found = try_join_all(open.values_mut().map(groups::read)).await?;
        let found: BTreeMap<GroupId, Found> = found.into_iter().flatten().collect();
        let places: BTreeSet<TopicPartition> = found
            .values()
            .flat_map(|group| group.committed.keys().chain(group.owners.keys()))
            .cloned()
            .collect();
        self.lead(&mut open, &places).await?;
        let logs = self.logs(&mut open).await?;
        self.connections = open;
        Ok(reading(&found, &logs))
    }

    /// Connections to all brokers of the cluster, and to no other.
    async fn connect(&mut self, open: &mut BTreeMap<BrokerId, Connection>) -> Result<(), Failure> {
        let answer = match open.values_mut().next() {
            Some(connection) => metadata(connection, Vec::new()).await?,
            None => metadata(&mut self.dialer.bootstrap().await?, Vec::new()).await?,
        };
        open.retain(|id, _| answer.brokers.iter().any(|broker| broker.node_id == *id));
        let new = answer.brokers.into_iter().filter(|broker| !open.contains_key(&broker.node_id));
        let dialer = &self.dialer;
        let dialled = new.map(|broker| async move {
            let port = u16::try_from(broker.port).unwrap_or_default();
            let address = HostPort { host: broker.host.to_string(), port };
            Ok((broker.node_id, dialer.dial(&address).await?))
        });
        open.extend(try_join_all(dialled).await?);
        Ok(())
    }

    /// Finds out who leads partitions that are new, and forgets those that no group has any more.
    async fn lead(
        &mut self,
        open: &mut BTreeMap<BrokerId, Connection>,
        places: &BTreeSet<TopicPartition>,
    ) -> Result<(), Failure> {
        self.leaders.retain(|place, leader| places.contains(place) && open.contains_key(leader));
        let unknown: BTreeSet<&TopicName> =
            places.iter().filter(|place| !self.leaders.contains_key(place)).map(|(topic, _)| topic).collect();
        let Some(connection) = open.values_mut().next().filter(|_| !unknown.is_empty()) else {
            return Ok(());
        };
        let topics =
            unknown.into_iter().map(|name| MetadataRequestTopic::default().with_name(Some(name.clone())));
        for topic in metadata(connection, topics.collect()).await?.topics {
            let Some(name) = topic.name else { continue };
            let led = topic.partitions.into_iter().map(|p| ((name.clone(), p.partition_index), p.leader_id));
            self.leaders
                .extend(led.filter(|(place, leader)| places.contains(place) && open.contains_key(leader)));
        }
        Ok(())
    }

    /// The logs' ends and beginnings, from their leaders. A leader that is none any more is forgotten, and
    /// looked for at the next reading.
    async fn logs(&mut self, open: &mut BTreeMap<BrokerId, Connection>) -> Result<Logs, Failure> {
        let mut of_leader: BTreeMap<BrokerId, Vec<&TopicPartition>> = BTreeMap::new();
        for (place, leader) in &self.leaders {
            of_leader.entry(*leader).or_default().push(place);
        }
        let asked = open.iter_mut().filter_map(|(id, connection)| Some(ends(connection, of_leader.get(id)?)));
        let mut logs = Logs::default();
        for told in try_join_all(asked).await? {
            logs.ends.extend(told.ends);
            logs.starts.extend(told.starts);
            logs.denied |= told.denied;
        }
        self.leaders.retain(|place, _| logs.ends.contains_key(place));
        Ok(logs)
    }
}

/// Brokers, and leaders of these topics. Never makes a topic that is not there.
async fn metadata(
    connection: &mut Connection,
    topics: Vec<MetadataRequestTopic>,
) -> Result<MetadataResponse, Failure> {
    connection
        .ask(&MetadataRequest::default().with_topics(Some(topics)).with_allow_auto_topic_creation(false))
        .await
}

async fn ends(connection: &mut Connection, places: &[&TopicPartition]) -> Result<Logs, Failure> {
    let mut logs = Logs::default();
    (logs.ends, logs.denied) = offsets(connection, places, LATEST).await?;
    (logs.starts, _) = offsets(connection, places, EARLIEST).await?;
    Ok(logs)
}

async fn offsets(
    connection: &mut Connection,
    places: &[&TopicPartition],
    at: i64,
) -> Result<(BTreeMap<TopicPartition, i64>, bool), Failure> {
    let mut topics: BTreeMap<&TopicName, Vec<ListOffsetsPartition>> = BTreeMap::new();
    for (topic, number) in places {
        topics
            .entry(topic)
            .or_default()
            .push(ListOffsetsPartition::default().with_partition_index(*number).with_timestamp(at));
    }
    let topics = topics
        .into_iter()
        .map(|(name, all)| ListOffsetsTopic::default().with_name(name.clone()).with_partitions(all));
    let request = ListOffsetsRequest::default().with_replica_id(BrokerId(-1)).with_topics(topics.collect());
    let mut found = BTreeMap::new();
    let mut refused = false;
    for topic in connection.ask(&request).await?.topics {
        for partition in topic.partitions {
            refused |= denied(partition.error_code);
            if partition.error_code == 0 && partition.offset >= 0 {
                found.insert((topic.name.clone(), partition.partition_index), partition.offset);
            }
        }
    }
    Ok((found, refused))
}

/// Everything put together; what may not be seen is said.
fn reading(found: &BTreeMap<GroupId, Found>, logs: &Logs) -> Reading {
    let hidden = found.values().filter(|group| group.denied).count();
    let remark = match (hidden, logs.denied) {
        (0, false) => None,
        (0, true) => {
            Some("some topics may not be read, their lag is unknown: grant Describe on them".to_owned())
        }
        (n, _) => Some(format!(
            "{n} of {} groups may not be read in full: grant Describe on groups and topics",
            found.len()
        )),
    };
    Reading { groups: found.iter().map(|(id, group)| group_lag(id, group, logs)).collect(), remark }
}

fn group_lag(id: &GroupId, group: &Found, logs: &Logs) -> GroupLag {
    let places: BTreeSet<&TopicPartition> = group.committed.keys().chain(group.owners.keys()).collect();
    let partition = |place: &TopicPartition| {
        let owner = group.owners.get(place);
        Some(PartitionLag {
            topic: Clean::new(place.0.as_str()),
            partition: u32::try_from(place.1).ok()?,
            committed: group.committed.get(place).copied(),
            end: logs.ends.get(place).copied(),
            start: logs.starts.get(place).copied(),
            client: owner.map(|(client, _)| Clean::new(client)),
            host: owner.map(|(_, host)| Clean::new(host.trim_start_matches('/'))),
        })
    };
    GroupLag {
        group: Clean::new(id.as_str()),
        members: group.members,
        partitions: places.into_iter().filter_map(partition).collect(),
    }
}

#[cfg(test)]
mod tests;
