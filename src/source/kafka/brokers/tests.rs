//! The reader against brokers that are fakes and speak the real protocol: two of them, or one behind TLS and
//! SASL.

use std::path::PathBuf;
use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use kafka_protocol::messages::api_versions_response::ApiVersion;
use kafka_protocol::messages::consumer_group_describe_response::{
    Assignment, DescribedGroup as Modern, Member, TopicPartitions,
};
use kafka_protocol::messages::consumer_protocol_assignment::TopicPartition;
use kafka_protocol::messages::describe_groups_response::{DescribedGroup, DescribedGroupMember};
use kafka_protocol::messages::list_groups_response::ListedGroup;
use kafka_protocol::messages::list_offsets_response::{
    ListOffsetsPartitionResponse, ListOffsetsTopicResponse,
};
use kafka_protocol::messages::metadata_response::{
    MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use kafka_protocol::messages::offset_fetch_response::{
    OffsetFetchResponseGroup, OffsetFetchResponsePartition, OffsetFetchResponsePartitions,
    OffsetFetchResponseTopic, OffsetFetchResponseTopics,
};
use kafka_protocol::messages::{
    ApiKey, ApiVersionsRequest, ApiVersionsResponse, ConsumerGroupDescribeRequest,
    ConsumerGroupDescribeResponse, ConsumerProtocolAssignment, DescribeGroupsRequest, DescribeGroupsResponse,
    ListGroupsRequest, ListGroupsResponse, ListOffsetsResponse, OffsetFetchRequest, OffsetFetchResponse,
    ResponseHeader, SaslAuthenticateRequest, SaslAuthenticateResponse, SaslHandshakeRequest,
    SaslHandshakeResponse,
};
use kafka_protocol::protocol::{
    Encodable, HeaderVersion, Request, StrBytes, decode_request_header_from_buffer,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::connection::Stream;
use super::*;
use crate::config::{Kafka, KafkaMode, KafkaSasl, KafkaTls, Mechanism, Secret};

/// A broker of a cluster of two. The first coordinates `worker` and `gone`, the second `modern` and `secret`;
/// each leads one partition.
#[derive(Clone, Copy, Default)]
struct Fake {
    node: i32,
    /// Knows no request newer than Kafka 2.0 does.
    old: bool,
    /// Takes nobody without SASL.
    sasl: bool,
    /// The whole cluster's brokers, by the names that they tell.
    names: &'static [&'static str],
}

fn text(text: &'static str) -> StrBytes {
    StrBytes::from_static_str(text)
}

fn topic(name: &'static str) -> TopicName {
    TopicName(text(name))
}

fn group(name: &'static str) -> GroupId {
    GroupId(text(name))
}

impl Fake {
    /// Answers on a connection until it is closed.
    async fn serve(self, mut stream: Box<dyn Stream>) -> std::io::Result<()> {
        let mut known = !self.sasl;
        loop {
            let mut frame = BytesMut::zeroed(stream.read_u32().await? as usize);
            stream.read_exact(&mut frame).await?;
            let mut body = frame.freeze();
            let header = decode_request_header_from_buffer(&mut body).unwrap();
            let key = ApiKey::try_from(header.request_api_key).unwrap();
            let version = header.request_api_version;
            let mut reply = BytesMut::new();
            ResponseHeader::default()
                .with_correlation_id(header.correlation_id)
                .encode(&mut reply, key.response_header_version(version))
                .unwrap();
            let handshake =
                matches!(key, ApiKey::ApiVersions | ApiKey::SaslHandshake | ApiKey::SaslAuthenticate);
            if !known && !handshake {
                return Ok(()); // as a real one does
            }
            known |= self.answer(key, version, &mut body, &mut reply);
            stream.write_u32(u32::try_from(reply.len()).unwrap()).await?;
            stream.write_all(&reply).await?;
            stream.flush().await?;
        }
    }

    /// Whether somebody has just been let in.
    fn answer(self, key: ApiKey, version: i16, body: &mut Bytes, reply: &mut BytesMut) -> bool {
        fn ask<R: Request>(body: &mut Bytes, version: i16) -> R {
            R::decode(body, version).unwrap()
        }
        fn say(answer: &(impl Encodable + HeaderVersion), version: i16, reply: &mut BytesMut) {
            answer.encode(reply, version).unwrap();
        }
        match key {
            ApiKey::ApiVersions => {
                ask::<ApiVersionsRequest>(body, version);
                say(&self.versions(), version, reply);
            }
            ApiKey::SaslHandshake => {
                ask::<SaslHandshakeRequest>(body, version);
                say(&SaslHandshakeResponse::default().with_mechanisms(vec![text("PLAIN")]), version, reply);
            }
            ApiKey::SaslAuthenticate => {
                let right = ask::<SaslAuthenticateRequest>(body, version).auth_bytes == b"\0me\0s3cret"[..];
                let code = if right { 0 } else { 58 };
                let why = (!right).then(|| text("Authentication failed: Invalid username or password"));
                say(
                    &SaslAuthenticateResponse::default().with_error_code(code).with_error_message(why),
                    version,
                    reply,
                );
                return right;
            }
            ApiKey::Metadata => say(&self.metadata(&ask::<MetadataRequest>(body, version)), version, reply),
            ApiKey::ListGroups => {
                ask::<ListGroupsRequest>(body, version);
                say(&self.list(version), version, reply);
            }
            ApiKey::DescribeGroups => {
                let asked = ask::<DescribeGroupsRequest>(body, version).groups;
                say(
                    &DescribeGroupsResponse::default().with_groups(asked.iter().map(classic).collect()),
                    version,
                    reply,
                );
            }
            ApiKey::ConsumerGroupDescribe => {
                let asked = ask::<ConsumerGroupDescribeRequest>(body, version).group_ids;
                say(
                    &ConsumerGroupDescribeResponse::default()
                        .with_groups(asked.into_iter().map(modern).collect()),
                    version,
                    reply,
                );
            }
            ApiKey::OffsetFetch => {
                say(&fetched(&ask::<OffsetFetchRequest>(body, version), version), version, reply);
            }
            ApiKey::ListOffsets => say(&self.ends(ask::<ListOffsetsRequest>(body, version)), version, reply),
            other => panic!("nobody asks for {other:?}"),
        }
        false
    }

    fn versions(self) -> ApiVersionsResponse {
        let all =
            [(3, 4, 12), (16, 0, 5), (15, 0, 5), (69, 0, 1), (9, 1, 9), (2, 1, 9), (17, 0, 1), (36, 0, 2)];
        let old = [(3, 0, 6), (16, 0, 2), (15, 0, 2), (9, 0, 4), (2, 0, 3), (17, 0, 1), (36, 0, 0)];
        let known = if self.old { &old[..] } else { &all };
        let api = |(key, min, max): &(i16, i16, i16)| {
            ApiVersion::default().with_api_key(*key).with_min_version(*min).with_max_version(*max)
        };
        ApiVersionsResponse::default().with_api_keys(known.iter().map(api).collect())
    }

    fn metadata(self, asked: &MetadataRequest) -> MetadataResponse {
        assert!(!asked.allow_auto_topic_creation);
        let broker = |(node, name): (i32, &&'static str)| {
            let (host, port) = name.split_once(':').unwrap();
            MetadataResponseBroker::default()
                .with_node_id(BrokerId(node))
                .with_host(text(host))
                .with_port(port.parse().unwrap())
        };
        let nodes = i32::try_from(self.names.len()).unwrap();
        let partition = |n: i32| {
            MetadataResponsePartition::default()
                .with_partition_index(n)
                .with_leader_id(BrokerId(1 + n % nodes))
        };
        let known = |name: &Option<TopicName>| name.as_ref().is_some_and(|name| name.as_str() == "documents");
        let topics = asked.topics.iter().flatten().map(|topic| {
            let found = MetadataResponseTopic::default().with_name(topic.name.clone());
            if known(&topic.name) {
                found.with_partitions((0..4).map(partition).collect())
            } else {
                found.with_error_code(3)
            }
        });
        MetadataResponse::default()
            .with_brokers((1..).zip(self.names).map(broker).collect())
            .with_topics(topics.collect())
    }

    fn list(self, version: i16) -> ListGroupsResponse {
        let listed = |(name, protocol, kind): (&'static str, &'static str, &'static str)| {
            let group = ListedGroup::default().with_group_id(group(name)).with_protocol_type(text(protocol));
            if version >= 5 {
                group.with_group_state(text("Stable")).with_group_type(text(kind))
            } else {
                group
            }
        };
        let first = vec![
            ("worker", "consumer", "classic"),
            ("gone", "consumer", "classic"),
            ("connect-x", "connect", "classic"),
        ];
        let second = vec![
            ("modern", "consumer", "consumer"),
            ("secret", "consumer", "classic"),
            ("share-x", "share", "share"),
        ];
        let own = if self.node == 1 { first } else { second };
        ListGroupsResponse::default().with_groups(own.into_iter().map(listed).collect())
    }

    /// Partition n of `documents` begins at 1,000 and ends at 2,000 + n; who does not lead it says so.
    fn ends(self, asked: ListOffsetsRequest) -> ListOffsetsResponse {
        let nodes = i32::try_from(self.names.len()).unwrap();
        let topics = asked.topics.into_iter().map(|topic| {
            let partitions = topic.partitions.into_iter().map(|p| {
                let answer = ListOffsetsPartitionResponse::default().with_partition_index(p.partition_index);
                let offset = if p.timestamp == LATEST { 2_000 + i64::from(p.partition_index) } else { 1_000 };
                if 1 + p.partition_index % nodes == self.node {
                    answer.with_offset(offset)
                } else {
                    answer.with_error_code(6)
                }
            });
            ListOffsetsTopicResponse::default().with_name(topic.name).with_partitions(partitions.collect())
        });
        ListOffsetsResponse::default().with_topics(topics.collect())
    }
}

fn classic(id: &GroupId) -> DescribedGroup {
    let described = DescribedGroup::default().with_group_id(id.clone()).with_protocol_type(text("consumer"));
    match id.as_str() {
        "secret" => described.with_error_code(30),
        "gone" => described.with_group_state(text("Empty")),
        _ => {
            let mut assignment = BytesMut::new();
            assignment.put_i16(3);
            let partitions =
                vec![TopicPartition::default().with_topic(topic("documents")).with_partitions(vec![0, 1, 3])];
            ConsumerProtocolAssignment::default()
                .with_assigned_partitions(partitions)
                .encode(&mut assignment, 3)
                .unwrap();
            let member = DescribedGroupMember::default()
                .with_client_id(text("kgo"))
                .with_client_host(text("/10.0.0.7"));
            described
                .with_group_state(text("Stable"))
                .with_members(vec![member.with_member_assignment(assignment.freeze())])
        }
    }
}

fn modern(id: GroupId) -> Modern {
    let partitions = TopicPartitions::default().with_topic_name(topic("documents")).with_partitions(vec![1]);
    let assignment = Assignment::default().with_topic_partitions(vec![partitions]);
    let member = Member::default()
        .with_client_id(text("new"))
        .with_client_host(text("/10.0.0.8"))
        .with_assignment(assignment);
    Modern::default().with_group_id(id).with_members(vec![member])
}

/// What each group committed: of `worker` also in a topic that was deleted since.
fn committed(id: &GroupId) -> Vec<(&'static str, i32, i64)> {
    match id.as_str() {
        "worker" => {
            vec![("documents", 0, 1_990), ("documents", 1, 400), ("documents", 2, -1), ("deleted", 0, 5)]
        }
        "gone" => vec![("documents", 1, 1_500)],
        "modern" => vec![("documents", 1, 2_001)],
        _ => Vec::new(),
    }
}

fn fetched(asked: &OffsetFetchRequest, version: i16) -> OffsetFetchResponse {
    if version < 8 {
        let topic = |(name, number, offset)| {
            let partition = OffsetFetchResponsePartition::default()
                .with_partition_index(number)
                .with_committed_offset(offset);
            OffsetFetchResponseTopic::default().with_name(topic(name)).with_partitions(vec![partition])
        };
        return OffsetFetchResponse::default()
            .with_topics(committed(&asked.group_id).into_iter().map(topic).collect());
    }
    let groups = asked.groups.iter().map(|group| {
        let topic = |(name, number, offset)| {
            let partition = OffsetFetchResponsePartitions::default()
                .with_partition_index(number)
                .with_committed_offset(offset);
            OffsetFetchResponseTopics::default().with_name(topic(name)).with_partitions(vec![partition])
        };
        let answer = OffsetFetchResponseGroup::default().with_group_id(group.group_id.clone());
        let denied = if group.group_id.as_str() == "secret" { 30 } else { 0 };
        answer
            .with_topics(committed(&group.group_id).into_iter().map(topic).collect())
            .with_error_code(denied)
    });
    OffsetFetchResponse::default().with_groups(groups.collect())
}

fn pem() -> PathBuf {
    concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/fake-broker.pem").into()
}

/// Serves a broker, over TLS where it is wanted; answers its port.
async fn served(fake: Fake, tls: bool) -> u16 {
    crate::net::stack::install_crypto();
    let acceptor = tls.then(|| {
        let chain = vec![CertificateDer::from_pem_file(pem()).unwrap()];
        let key = PrivateKeyDer::from_pem_file(pem()).unwrap();
        let config =
            rustls::ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).unwrap();
        tokio_rustls::TlsAcceptor::from(Arc::new(config))
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let stream: Box<dyn Stream> = match acceptor {
                    Some(acceptor) => Box::new(acceptor.accept(stream).await?),
                    None => Box::new(stream),
                };
                fake.serve(stream).await
            });
        }
    });
    port
}

fn brokers(settings: Kafka) -> Result<Brokers, Failure> {
    crate::net::stack::install_crypto();
    let client = kube::Client::try_from(kube::Config::new("http://127.0.0.1:1".parse().unwrap())).unwrap();
    Brokers::new(Kafka { mode: KafkaMode::Brokers, ..settings }, "prod".into(), client, Timing::default())
}

/// A cluster of two whose brokers call each other by names that mean nothing here.
async fn two(old: bool) -> Brokers {
    const NAMES: &[&str] = &["kafka-0.internal:9092", "kafka-1.internal:9092"];
    let fake = Fake { names: NAMES, old, ..Fake::default() };
    let ports =
        [served(Fake { node: 1, ..fake }, false).await, served(Fake { node: 2, ..fake }, false).await];
    let map =
        NAMES.iter().zip(ports).map(|(name, port)| (name.parse().unwrap(), format!("127.0.0.1:{port}")));
    brokers(Kafka { bootstrap: NAMES[1].parse().unwrap(), map: map.collect(), ..Kafka::default() }).unwrap()
}

fn figures(reading: &Reading) -> Vec<String> {
    let partition = |p: &PartitionLag| {
        let told = |offset: Option<i64>| offset.map_or("-".to_owned(), |offset| offset.to_string());
        let owner = p
            .client
            .as_ref()
            .zip(p.host.as_ref())
            .map(|(client, host)| format!(" {client}@{host}"))
            .unwrap_or_default();
        format!(
            " {}/{} {}..{}{}{owner}",
            p.topic,
            p.partition,
            told(p.committed),
            told(p.end),
            p.lost().filter(|n| *n > 0).map(|n| format!(" lost {n}")).unwrap_or_default()
        )
    };
    let group = |g: &GroupLag| {
        let members = g.members.map_or("?".to_owned(), |n| n.to_string());
        format!("{} {members}:{}", g.group, g.partitions.iter().map(partition).collect::<Vec<_>>().join(","))
    };
    reading.groups.iter().map(group).collect()
}

#[tokio::test]
async fn each_broker_is_asked_for_what_it_knows_by_the_address_that_leads_to_it() {
    let mut cluster = two(false).await;
    for _ in 0..2 {
        let reading = cluster.read().await.unwrap();
        assert_eq!(
            figures(&reading),
            [
                "gone 0: documents/1 1500..2001",
                "modern 1: documents/1 2001..2001 new@10.0.0.8",
                "secret ?:",
                "worker 1: deleted/0 5..-, documents/0 1990..2000 kgo@10.0.0.7, documents/1 400..2001 lost 600 kgo@10.0.0.7, \
                 documents/3 -..2003 kgo@10.0.0.7",
            ]
        );
        assert_eq!(
            reading.remark.unwrap(),
            "1 of 4 groups may not be read in full: grant Describe on groups and topics"
        );
        assert_eq!(cluster.connections.len(), 2, "they stay open");
    }
}

#[tokio::test]
async fn brokers_of_older_versions_are_understood() {
    let reading = two(true).await.read().await.unwrap();
    assert_eq!(figures(&reading)[0], "gone 0: documents/1 1500..2001");
    assert!(
        figures(&reading)[3].starts_with("worker 1: deleted/0 5..-, documents/0 1990..2000 kgo@10.0.0.7"),
        "{reading:?}"
    );
}

#[tokio::test]
async fn a_connection_that_died_of_its_rest_is_opened_again() {
    let mut cluster = two(false).await;
    cluster.read().await.unwrap();
    for connection in cluster.connections.values_mut() {
        connection.close().await;
    }
    assert_eq!(cluster.read().await.unwrap().groups.len(), 4);
}

/// One broker behind TLS and SASL, and what a reader with these settings says to it.
async fn guarded(tls: Option<KafkaTls>, password: Option<&str>) -> Result<Reading, Failure> {
    let port =
        served(Fake { node: 1, sasl: true, names: &["localhost:9094"], ..Fake::default() }, true).await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), format!("{}\n", password.unwrap_or_default())).unwrap();
    let who = KafkaSasl {
        mechanism: Mechanism::Plain,
        user: "me".into(),
        password: Secret::File(file.path().to_owned()),
    };
    let address: HostPort = "localhost:9094".parse().unwrap();
    let map = [(address.clone(), format!("127.0.0.1:{port}"))].into();
    let bootstrap = config::Bootstrap(vec![address]);
    brokers(Kafka { bootstrap, map, tls, sasl: password.map(|_| who), ..Kafka::default() })?.read().await
}

#[tokio::test]
async fn tls_and_sasl_are_what_they_should_be_or_the_reason_is_told() {
    let own = || Some(KafkaTls { ca: Some(pem()), identity: Some((pem(), pem())) });
    let reading = guarded(own(), Some("s3cret")).await.unwrap();
    assert_eq!(figures(&reading)[0], "gone 0: documents/1 1500..2001");
    let missing = Some(KafkaTls { ca: Some("/nowhere.pem".into()), identity: None });
    let cases = [
        (
            own(),
            Some("wr0ng"),
            true,
            "broker localhost:9094 does not accept user me: Authentication failed: Invalid username or password",
        ),
        (own(), None, false, "broker localhost:9094 hung up: "),
        (None, Some("s3cret"), false, "broker localhost:9094 "),
        (Some(KafkaTls::default()), Some("s3cret"), false, "TLS with broker localhost:9094 failed: "),
        (missing, None, false, "[kafka.tls] /nowhere.pem: "),
    ];
    for (tls, password, refused, expected) in cases {
        let failure = guarded(tls, password).await.unwrap_err();
        let said = failure.to_string();
        assert!(said.starts_with(expected) && failure.refused() == refused, "{said}");
        assert!(!said.contains("s3cret") && !said.contains("wr0ng"), "{said}");
    }
}
