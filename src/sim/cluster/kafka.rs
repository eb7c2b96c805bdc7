//! The broker: one topic that is produced and consumed, one idle group, one whose members are gone; and how
//! the broker's own tool (`kafka-consumer-groups.sh` of Kafka 4.1) describes them.

use std::fmt::Write;

use super::Cluster;
use super::process::Role;

/// Partitions of topic `documents`, the most members that can share its work.
const PARTITIONS: usize = 6;

/// The topics and groups of the broker.
#[derive(Clone, Debug)]
pub(crate) struct Kafka {
    ends: [u64; PARTITIONS],
    committed: [u64; PARTITIONS],
    /// Pods of `worker-service` that consume, in the order in which partitions are given to them.
    members: Vec<String>,
    owed: f64,
    taken: f64,
    next: usize,
}

/// A partition as a group sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) group: &'static str,
    pub(crate) topic: &'static str,
    pub(crate) partition: usize,
    pub(crate) committed: Option<u64>,
    pub(crate) end: u64,
    pub(crate) member: Option<String>,
}

impl Position {
    /// Records that wait; unknown where nothing was ever committed.
    pub(crate) fn lag(&self) -> Option<u64> {
        self.committed.map(|committed| self.end.saturating_sub(committed))
    }
}

impl Default for Kafka {
    fn default() -> Self {
        let ends = [184_220, 184_219, 184_219, 184_221, 184_220, 184_219];
        Self { ends, committed: ends, members: Vec::new(), owed: 0.0, taken: 0.0, next: 0 }
    }
}

/// Produces and consumes for `seconds`.
pub(super) fn step(cluster: &mut Cluster, seconds: f64) {
    let mut produced = 0.0;
    let mut members = Vec::new();
    let mut rate = 0.0;
    for (name, process) in cluster.processes.iter().filter(|(_, process)| process.ready) {
        match process.behaviour.role {
            Role::Producer(records) => produced += records * seconds,
            Role::Consumer(records) => {
                rate = records;
                members.push(name.clone());
            }
            Role::Bystander => {}
        }
    }
    cluster.kafka.produce(produced);
    cluster.kafka.consume(members, rate * seconds);
}

impl Kafka {
    fn produce(&mut self, records: f64) {
        self.owed += records;
        while self.owed >= 1.0 {
            self.owed -= 1.0;
            self.ends[self.next] += 1;
            self.next = (self.next + 1) % PARTITIONS;
        }
    }

    /// Every member takes up to `each` records from the partitions that are its own.
    fn consume(&mut self, members: Vec<String>, each: f64) {
        self.members = members;
        self.taken += each;
        while self.taken >= 1.0 {
            self.taken -= 1.0;
            for member in 0..self.members.len() {
                self.take_one(member);
            }
        }
    }

    /// Takes the record of the partition that lags most.
    fn take_one(&mut self, member: usize) {
        let own = (0..PARTITIONS).filter(|partition| self.owner(*partition) == Some(member));
        let Some(partition) = own.max_by_key(|partition| self.ends[*partition] - self.committed[*partition])
        else {
            return;
        };
        if self.committed[partition] < self.ends[partition] {
            self.committed[partition] += 1;
        }
    }

    /// Whose a partition is: contiguous ranges, as the range assignor gives them.
    fn owner(&self, partition: usize) -> Option<usize> {
        let members = self.members.len().min(PARTITIONS);
        (0..members).find(|member| {
            (member * PARTITIONS / members..(member + 1) * PARTITIONS / members).contains(&partition)
        })
    }

    /// Every partition of every group, in the tool's order: by group, topic and partition.
    pub(crate) fn positions(&self) -> Vec<Position> {
        let documents = |partition| Position {
            group: "worker-service",
            topic: "documents",
            partition,
            committed: Some(self.committed[partition]),
            end: self.ends[partition],
            member: self.owner(partition).map(|member| self.members[member].clone()),
        };
        let mut all: Vec<_> = [(0, Some(5_120)), (1, Some(5_098)), (2, None)]
            .map(|(partition, committed)| idle(partition, committed))
            .into();
        all.push(asleep());
        all.extend((0..PARTITIONS).map(documents));
        all
    }

    /// What `kafka-consumer-groups.sh --describe --all-groups` prints: stdout and stderr.
    pub(crate) fn describe_all_groups(&self) -> (String, String) {
        let mut out = String::new();
        let mut err = String::new();
        for rows in self.positions().chunk_by(|a, b| a.group == b.group) {
            if rows.iter().all(|row| row.member.is_none()) {
                let _ = write!(err, "\nConsumer group '{}' has no active members.\n", rows[0].group);
            }
            print_group(&mut out, rows);
        }
        (out, err)
    }
}

/// The idle group: everything read, and one partition in which nothing was ever committed.
fn idle(partition: usize, committed: Option<u64>) -> Position {
    let member = Some("audit-archiver-0".to_owned());
    Position {
        group: "audit-archive",
        topic: "audit-events",
        partition,
        committed,
        end: committed.unwrap_or(7),
        member,
    }
}

/// The group of a job that runs at night: everything read, nobody there.
fn asleep() -> Position {
    Position {
        group: "nightly-export",
        topic: "exports",
        partition: 0,
        committed: Some(18_204),
        end: 18_204,
        member: None,
    }
}

/// One table. The tool starts every line with its newline and ends the table with one more.
fn print_group(out: &mut String, rows: &[Position]) {
    let lines: Vec<_> = rows.iter().map(columns).collect();
    let width = |column: usize| lines.iter().map(|line| line[column].len()).max().unwrap_or(0).max(15);
    let widths = [width(0), width(1), 10, 15, 15, 15, width(6), width(7)];
    let header = [
        "GROUP",
        "TOPIC",
        "PARTITION",
        "CURRENT-OFFSET",
        "LOG-END-OFFSET",
        "LAG",
        "CONSUMER-ID",
        "HOST",
        "CLIENT-ID",
    ];
    for line in std::iter::once(header.map(str::to_owned)).chain(lines) {
        out.push('\n');
        for (text, width) in line.iter().zip(widths) {
            let _ = write!(out, "{text:<width$} ");
        }
        out.push_str(&line[8]);
    }
    out.push('\n');
}

fn columns(row: &Position) -> [String; 9] {
    let number = |value: Option<u64>| value.map_or_else(|| "-".to_owned(), |value| value.to_string());
    let digest = row.member.as_ref().map(|member| blake3::hash(member.as_bytes()));
    let (id, host, client) = match &digest {
        Some(digest) => (
            format!("kgo-{}", &digest.to_hex()[..32]),
            format!("/10.244.0.{}", digest.as_bytes()[0]),
            "kgo".to_owned(),
        ),
        None => ("-".to_owned(), "-".to_owned(), "-".to_owned()),
    };
    let committed = number(row.committed);
    let end = number(Some(row.end));
    let lag = number(row.lag());
    [
        row.group.to_owned(),
        row.topic.to_owned(),
        row.partition.to_string(),
        committed,
        end,
        lag,
        id,
        host,
        client,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn six_members_are_the_most_that_help() {
        for (members, expected) in [(0, 0), (1, 10), (2, 20), (4, 40), (6, 60), (9, 60)] {
            let mut kafka = Kafka { committed: [0; PARTITIONS], ..Kafka::default() };
            kafka.consume((0..members).map(|member| format!("w-{member}")).collect(), 10.0);
            assert_eq!(kafka.committed.iter().sum::<u64>(), expected, "{members} members");
        }
    }

    #[test]
    fn the_tool_prints_a_table_for_each_group_and_a_dash_for_what_it_does_not_know() {
        let mut kafka = Kafka::default();
        kafka.consume(vec!["w-0".to_owned()], 0.0);
        let (out, err) = kafka.describe_all_groups();
        let header = "\nGROUP           TOPIC           PARTITION  CURRENT-OFFSET  LOG-END-OFFSET  LAG             CONSUMER-ID ";
        assert!(out.starts_with(header), "{out}");
        assert_eq!(out.matches("\n\nGROUP").count(), 2);
        let unknown =
            out.lines().find(|line| line.starts_with("audit-archive") && line.contains(" 2 ")).unwrap();
        assert_eq!(unknown.split_whitespace().collect::<Vec<_>>()[2..6], ["2", "-", "7", "-"]);
        assert_eq!(err, "\nConsumer group 'nightly-export' has no active members.\n");
    }
}
