//! The table that `kafka-consumer-groups.sh --describe` prints, read by its header: its columns changed over
//! the versions.

use std::collections::{BTreeMap, BTreeSet};

use crate::clean::Clean;
use crate::event::{GroupLag, PartitionLag};

/// One group while its rows are read.
#[derive(Default)]
struct Rows {
    members: BTreeSet<String>,
    partitions: BTreeMap<(Clean, u32), PartitionLag>,
}

/// The tool's own complaint, where it printed no group at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("kafka-consumer-groups.sh: {0}")]
pub struct Complaint(String);

/// Reads the whole output. A group without a commit on a partition has `-` there, which is unknown and not 0.
///
/// # Errors
/// The tool's own words, where it failed and printed no table.
pub fn parse(output: &str) -> Result<Vec<GroupLag>, Complaint> {
    let mut groups: BTreeMap<Clean, Rows> = BTreeMap::new();
    let mut header: Option<Header> = None;
    let mut complaint = None;
    for line in output.lines().map(str::trim_end) {
        if let Some(found) = Header::read(line) {
            header = Some(found);
        } else if let Some(row) = header.as_ref().and_then(|header| header.row(line)) {
            groups.entry(Clean::new(row.group)).or_default().add(&row);
        } else if let Some(group) = inactive(line) {
            groups.entry(Clean::new(group)).or_default();
        } else if line.starts_with("Error") {
            complaint.get_or_insert(line);
        }
    }
    match complaint {
        Some(complaint) if groups.is_empty() => Err(Complaint(complaint.to_owned())),
        _ => Ok(groups.into_iter().map(|(group, rows)| rows.finish(group)).collect()),
    }
}

/// `Consumer group 'x' has no active members.`
fn inactive(line: &str) -> Option<&str> {
    line.strip_prefix("Consumer group '")?.strip_suffix("' has no active members.")
}

impl Rows {
    fn add(&mut self, row: &Row<'_>) {
        if let Some(member) = row.member {
            self.members.insert(member.to_owned());
        }
        if let (Some(topic), Some(partition)) = (row.topic, row.partition) {
            let topic = Clean::new(topic);
            let client = row.client.map(Clean::new);
            let host = row.host.map(|host| Clean::new(host.trim_start_matches('/')));
            let lag = PartitionLag {
                topic: topic.clone(),
                partition,
                committed: row.committed,
                end: row.end,
                start: None,
                client,
                host,
            };
            self.partitions.insert((topic, partition), lag);
        }
    }

    fn finish(self, group: Clean) -> GroupLag {
        let members = u32::try_from(self.members.len()).ok();
        GroupLag { group, members, partitions: self.partitions.into_values().collect() }
    }
}

/// One row; `-` is `None`.
struct Row<'a> {
    group: &'a str,
    topic: Option<&'a str>,
    partition: Option<u32>,
    committed: Option<i64>,
    end: Option<i64>,
    member: Option<&'a str>,
    host: Option<&'a str>,
    client: Option<&'a str>,
}

/// The columns by name, with the byte at which each begins.
struct Header(Vec<(String, usize)>);

impl Header {
    fn read(line: &str) -> Option<Self> {
        let columns: Vec<(String, usize)> = words(line).map(|(word, at)| (word.to_owned(), at)).collect();
        let has = |name: &str| columns.iter().any(|(column, _)| column == name);
        ["GROUP", "TOPIC", "PARTITION", "CURRENT-OFFSET", "LOG-END-OFFSET"]
            .into_iter()
            .all(has)
            .then_some(Self(columns))
    }

    fn row<'a>(&self, line: &'a str) -> Option<Row<'a>> {
        let fields = self.fields(line)?;
        let field = |name: &str| {
            let place = self.0.iter().position(|(column, _)| column == name)?;
            fields.get(place).copied().filter(|field| !field.is_empty() && *field != "-")
        };
        Some(Row {
            group: field("GROUP")?,
            topic: field("TOPIC"),
            partition: field("PARTITION").and_then(|text| text.parse().ok()),
            committed: field("CURRENT-OFFSET").and_then(|text| text.parse().ok()),
            end: field("LOG-END-OFFSET").and_then(|text| text.parse().ok()),
            member: field("CONSUMER-ID"),
            host: field("HOST"),
            client: field("CLIENT-ID"),
        })
    }

    /// By words where there is one for each column, else (an id with a blank in it) by the places of the
    /// header's columns.
    fn fields<'a>(&self, line: &'a str) -> Option<Vec<&'a str>> {
        let fields: Vec<&str> = line.split_whitespace().collect();
        if fields.len() == self.0.len() {
            return Some(fields);
        }
        let ends = self.0.iter().skip(1).map(|(_, at)| *at).chain([line.len()]);
        let cut = |((_, start), end): (&(String, usize), usize)| line.get(*start..end).map(str::trim);
        self.0.iter().zip(ends).map(cut).collect()
    }
}

/// The words of a line, and the byte at which each begins.
fn words(line: &str) -> impl Iterator<Item = (&str, usize)> {
    line.split_whitespace().scan(0, |from, word| {
        let at = *from + line.get(*from..)?.find(word)?;
        *from = at + word.len();
        Some((word, at))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What the bed's Kafka 4.1 printed, and a group without members, one that never committed, and one with
    /// a blank in its name.
    const REAL: &str = "
Consumer group 'audit' has no active members.

GROUP           TOPIC           PARTITION  CURRENT-OFFSET  LOG-END-OFFSET  LAG             CONSUMER-ID     HOST            CLIENT-ID
audit           documents       1          7               3366            3359            -               -               -
audit           documents       0          -               3366            -               -               -               -

GROUP           TOPIC           PARTITION  CURRENT-OFFSET  LOG-END-OFFSET  LAG             CONSUMER-ID                              HOST            CLIENT-ID
worker-service  documents       0          3364            3366            2               kgo-b5aa65b2-90d6-44e9-a7e8-493d50eed95e /10.244.0.4     kgo
worker-service  documents       10         3364            3366            2               kgo-b5aa65b2-90d6-44e9-a7e8-493d50eed95e /10.244.0.4     kgo
worker-service  -               -          -               -               -               kgo-c3                                   /10.244.0.5     kgo

GROUP           TOPIC           PARTITION  CURRENT-OFFSET  LOG-END-OFFSET  LAG             CONSUMER-ID     HOST            CLIENT-ID
night report    documents       2          5               9               4               consumer-1      /10.244.0.9     my client
";

    fn partition(number: u32, committed: Option<i64>, end: i64) -> PartitionLag {
        PartitionLag {
            topic: "documents".into(),
            partition: number,
            committed,
            end: Some(end),
            ..PartitionLag::default()
        }
    }

    fn of(client: &str, host: &str, partition: PartitionLag) -> PartitionLag {
        PartitionLag { client: Some(client.into()), host: Some(host.into()), ..partition }
    }

    #[test]
    fn the_table_of_the_bed_is_read() {
        let group = |name: &str, members, partitions| GroupLag {
            group: name.into(),
            members: Some(members),
            partitions,
        };
        let expected = [
            group("audit", 0, vec![partition(0, None, 3366), partition(1, Some(7), 3366)]),
            group("night report", 1, vec![of("my client", "10.244.0.9", partition(2, Some(5), 9))]),
            group(
                "worker-service",
                2,
                [0, 10].map(|n| of("kgo", "10.244.0.4", partition(n, Some(3364), 3366))).to_vec(),
            ),
        ];
        assert_eq!(parse(REAL).unwrap(), expected);
    }

    #[test]
    fn other_columns_in_another_order_do_no_harm() {
        let text = "TOPIC PARTITION GROUP LOG-END-OFFSET LEADER-EPOCH CURRENT-OFFSET\ndocuments 3 g 9 1 4\n";
        assert_eq!(parse(text).unwrap()[0].partitions, [partition(3, Some(4), 9)]);
    }

    #[test]
    fn a_failure_is_told_in_the_tools_own_words() {
        let text = "\nError: Executing consumer group command failed due to Failed to find brokers to send ListGroups\n";
        assert_eq!(
            parse(text).unwrap_err().to_string(),
            "kafka-consumer-groups.sh: Error: Executing consumer group command failed due to Failed to find brokers to send ListGroups"
        );
        assert_eq!(parse("").unwrap(), [], "no group at all is a reading, too");
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(head in "(GROUP|TOPIC|PARTITION|CURRENT-OFFSET|LOG-END-OFFSET| |-|ü){0,12}", rows in "(\\PC|\n){0,200}", cut in 0usize..800) {
            let _ = parse(&format!("{head}\n{rows}"));
            let _ = parse(&format!("GROUP TOPIC PARTITION CURRENT-OFFSET LOG-END-OFFSET CONSUMER-ID\n{rows}"));
            let _ = parse(REAL.get(..cut.min(REAL.len())).unwrap_or_default());
        }
    }
}
