//! The groups of one coordinator: which there are, who is in them, what they committed.
//!
//! A broker lists the groups that it coordinates, so whoever lists a group is also the one to ask about it.

use std::collections::BTreeMap;

use bytes::{Buf, Bytes};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::consumer_group_describe_response::Member;
use kafka_protocol::messages::describe_groups_response::DescribedGroupMember;
use kafka_protocol::messages::offset_fetch_request::OffsetFetchRequestGroup;
use kafka_protocol::messages::{
    ConsumerGroupDescribeRequest, ConsumerProtocolAssignment, DescribeGroupsRequest, GroupId,
    ListGroupsRequest, OffsetFetchRequest, TopicName,
};
use kafka_protocol::protocol::{Decodable, StrBytes};

use super::connection::{Connection, denied};
use crate::net::failure::Failure;

/// A partition of a topic.
pub(super) type TopicPartition = (TopicName, i32);

/// Many groups are committed for by one request from this version on.
const MANY: i16 = 8;

/// One group as its coordinator tells it.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Members; `None` where they may not be seen.
    pub members: Option<u32>,
    /// To whom partitions are assigned: client and host.
    pub owners: BTreeMap<TopicPartition, (StrBytes, StrBytes)>,
    /// What was committed.
    pub committed: BTreeMap<TopicPartition, i64>,
    /// Why something is missing.
    pub denied: bool,
}

/// All consumer groups of a coordinator.
pub(super) async fn read(connection: &mut Connection) -> Result<BTreeMap<GroupId, Found>, Failure> {
    let (classic, modern) = list(connection).await?;
    let mut found = BTreeMap::new();
    describe_classic(connection, classic, &mut found).await?;
    describe_modern(connection, modern, &mut found).await?;
    commits(connection, &mut found).await?;
    Ok(found)
}

/// Classic groups, and those of the newer protocol (KIP-848). Connect's, Streams' and share groups have no
/// lag of this kind.
async fn list(connection: &mut Connection) -> Result<(Vec<GroupId>, Vec<GroupId>), Failure> {
    let answer = connection.ask(&ListGroupsRequest::default()).await?;
    connection.succeeded("its groups", answer.error_code)?;
    let consumers =
        answer.groups.into_iter().filter(|group| matches!(group.protocol_type.as_str(), "consumer" | ""));
    let ours = consumers.filter(|group| {
        matches!(group.group_type.to_ascii_lowercase().as_str(), "classic" | "consumer" | "")
    });
    let (modern, classic): (Vec<_>, Vec<_>) =
        ours.partition(|group| group.group_type.eq_ignore_ascii_case("consumer"));
    let ids = |groups: Vec<kafka_protocol::messages::list_groups_response::ListedGroup>| {
        groups.into_iter().map(|g| g.group_id).collect()
    };
    Ok((ids(classic), ids(modern)))
}

async fn describe_classic(
    connection: &mut Connection,
    ids: Vec<GroupId>,
    found: &mut BTreeMap<GroupId, Found>,
) -> Result<(), Failure> {
    if ids.is_empty() {
        return Ok(());
    }
    let answer = connection.ask(&DescribeGroupsRequest::default().with_groups(ids)).await?;
    for group in answer.groups {
        let known =
            describable(connection, group.error_code)?.filter(|_| group.group_state.as_str() != "Dead");
        let Some(seen) = known else { continue };
        let entry = found.entry(group.group_id).or_default();
        entry.members = seen.then(|| count(&group.members));
        entry.denied = !seen;
        for DescribedGroupMember { client_id, client_host, member_assignment, .. } in group.members {
            let places = assigned(member_assignment).into_iter();
            entry.owners.extend(places.map(|place| (place, (client_id.clone(), client_host.clone()))));
        }
    }
    Ok(())
}

async fn describe_modern(
    connection: &mut Connection,
    ids: Vec<GroupId>,
    found: &mut BTreeMap<GroupId, Found>,
) -> Result<(), Failure> {
    if ids.is_empty() {
        return Ok(());
    }
    let answer = connection.ask(&ConsumerGroupDescribeRequest::default().with_group_ids(ids)).await?;
    for group in answer.groups {
        let Some(seen) = describable(connection, group.error_code)? else { continue };
        let entry = found.entry(group.group_id).or_default();
        entry.members = seen.then(|| count(&group.members));
        entry.denied = !seen;
        for Member { client_id, client_host, assignment, .. } in group.members {
            let topics = assignment.topic_partitions.into_iter();
            let places = topics.flat_map(|topic| {
                topic.partitions.into_iter().map(move |number| (topic.topic_name.clone(), number))
            });
            entry.owners.extend(places.map(|place| (place, (client_id.clone(), client_host.clone()))));
        }
    }
    Ok(())
}

/// Whether a group was described (`true`), or may not be (`false`); nothing where it has just been deleted.
fn describable(connection: &Connection, code: i16) -> Result<Option<bool>, Failure> {
    if denied(code) {
        return Ok(Some(false));
    }
    if ResponseError::try_from_code(code) == Some(ResponseError::GroupIdNotFound) {
        return Ok(None);
    }
    connection.succeeded("who is in a group", code).map(|()| Some(true))
}

fn count<T>(members: &[T]) -> u32 {
    u32::try_from(members.len()).unwrap_or(u32::MAX)
}

/// What a classic member's leader gave it: bytes of the clients' own making, empty during a rebalance.
fn assigned(mut bytes: Bytes) -> Vec<TopicPartition> {
    let Ok(version) = bytes.try_get_i16() else { return Vec::new() };
    // Newer versions only add to the end.
    let Ok(assignment) = ConsumerProtocolAssignment::decode(&mut bytes, version.clamp(0, 3)) else {
        return Vec::new();
    };
    let topics = assignment.assigned_partitions.into_iter();
    topics
        .flat_map(|topic| topic.partitions.into_iter().map(move |number| (topic.topic.clone(), number)))
        .collect()
}

async fn commits(connection: &mut Connection, found: &mut BTreeMap<GroupId, Found>) -> Result<(), Failure> {
    if found.is_empty() {
        return Ok(());
    }
    if connection.version::<OffsetFetchRequest>().is_some_and(|version| version >= MANY) {
        let groups = found
            .keys()
            .map(|id| OffsetFetchRequestGroup::default().with_group_id(id.clone()).with_topics(None));
        let answer = connection
            .ask(&OffsetFetchRequest::default().with_groups(groups.collect()).with_topics(Some(Vec::new())))
            .await?;
        for group in answer.groups {
            let topics = group.topics.into_iter();
            let partitions = topics.flat_map(|t| {
                t.partitions
                    .into_iter()
                    .map(move |p| ((t.name.clone(), p.partition_index), p.committed_offset, p.error_code))
            });
            if let Some(entry) = found.get_mut(&group.group_id) {
                entry.take(connection, group.error_code, partitions)?;
            }
        }
        return Ok(());
    }
    for (id, entry) in found {
        let answer = connection
            .ask(&OffsetFetchRequest::default().with_group_id(id.clone()).with_topics(None))
            .await?;
        let topics = answer.topics.into_iter();
        let partitions = topics.flat_map(|t| {
            t.partitions
                .into_iter()
                .map(move |p| ((t.name.clone(), p.partition_index), p.committed_offset, p.error_code))
        });
        entry.take(connection, answer.error_code, partitions)?;
    }
    Ok(())
}

impl Found {
    /// Committed offsets, each with its error code; −1 is none.
    fn take(
        &mut self,
        connection: &Connection,
        code: i16,
        partitions: impl Iterator<Item = (TopicPartition, i64, i16)>,
    ) -> Result<(), Failure> {
        if denied(code) {
            self.denied = true;
            return Ok(());
        }
        connection.succeeded("what a group committed", code)?;
        for (place, offset, code) in partitions {
            if code == 0 && offset >= 0 {
                self.committed.insert(place, offset);
            }
            self.denied |= denied(code);
        }
        Ok(())
    }
}
