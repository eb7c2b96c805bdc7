//! One line of a segment: its framing, its checksum, and the hash chain over groups of lines. The rules are
//! in the [journal's page](super). Bytes only: no file is opened here.

use std::fmt;
use std::io::{self, Write};

use chrono::{DateTime, SecondsFormat, Utc};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use ulid::Ulid;

/// Version of the format that this program writes, and the newest that it reads.
pub const FORMAT: u32 = 1;

/// Length of the longest line, bytes, its newline included.
pub const MAX_LINE: usize = 64 << 20;

/// `,"crc":"9a3f01c2"}` and the newline.
const TAIL: usize = 19;

/// A BLAKE3 hash, in JSON 64 lower-case hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest([u8; 32]);

impl Digest {
    /// Value of the chain before the first group of a recording.
    pub const ZERO: Self = Self([0; 32]);
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&blake3::Hash::from_bytes(self.0).to_hex())
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let hex = <std::borrow::Cow<'_, str>>::deserialize(deserializer)?;
        blake3::Hash::from_hex(hex.as_bytes()).map(|hash| Self(*hash.as_bytes())).map_err(D::Error::custom)
    }
}

/// Computes the hash of a world, comparable with [`Checkpoint::hash`].
pub fn world_hash(world: &impl Serialize) -> serde_json::Result<Digest> {
    let mut hasher = blake3::Hasher::new();
    serde_json::to_writer(&mut hasher, world)?;
    Ok(Digest(*hasher.finalize().as_bytes()))
}

/// Hash chain of a recording: the value after the last commit, and the lines since.
#[derive(Clone, Debug)]
pub struct Chain {
    head: Digest,
    group: blake3::Hasher,
}

impl Chain {
    /// Creates a chain that goes on from `head`.
    pub fn after(head: Digest) -> Self {
        let mut group = blake3::Hasher::new();
        group.update(&head.0);
        Self { head, group }
    }

    /// Adds whole lines to the group.
    pub fn add(&mut self, lines: &[u8]) {
        self.group.update(lines);
    }

    /// Ends the group and returns the new head.
    pub fn commit(&mut self) -> Digest {
        *self = Self::after(Digest(*self.group.finalize().as_bytes()));
        self.head
    }

    /// Returns the value after the last commit.
    pub fn head(&self) -> Digest {
        self.head
    }
}

/// A record as it was read: its event is still JSON.
#[derive(Clone, Debug, Deserialize)]
pub struct RawRecord {
    /// Number of the record; the first of a recording is 1.
    pub seq: u64,
    /// Time when it happened, to the microsecond.
    pub at: DateTime<Utc>,
    /// The event as JSON.
    #[serde(rename = "event")]
    pub json: Box<RawValue>,
}

/// The world after record `seq`.
#[derive(Clone, Debug, Deserialize)]
pub struct Checkpoint {
    /// Number of the last record that the world includes.
    pub seq: u64,
    /// Time of that record.
    pub at: DateTime<Utc>,
    /// The world as JSON.
    pub world: Box<RawValue>,
    /// Value of [`world_hash`] when the checkpoint was written.
    pub hash: Digest,
}

/// The first line of a segment.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Header {
    /// Version of the format.
    pub format: u32,
    /// Id of the recording, the same in all its segments.
    pub recording: Ulid,
    /// Number of the segment, from 1.
    pub segment: u32,
    /// Version of the program that wrote it.
    pub warroom: String,
    /// `seq` of the segment's checkpoint.
    pub seq: u64,
    /// `at` of the segment's checkpoint.
    #[serde(serialize_with = "micros")]
    pub at: DateTime<Utc>,
    /// Value of the chain at the end of the segment before.
    pub chain: Digest,
    /// Description of the session by its owner, as JSON.
    pub about: serde_json::Value,
}

/// How far a recording has come: the content of a commit line and of a sealed line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    /// Number of the last record, or of the last one that a gap took.
    pub seq: u64,
    /// Time of the last record.
    #[serde(serialize_with = "micros")]
    pub at: DateTime<Utc>,
    /// Number of records since the recording began.
    pub records: u64,
    /// Value of the chain.
    pub chain: Digest,
}

/// Range of records that are missing, both ends included.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Lost {
    /// Number of the first one missing.
    pub from_seq: u64,
    /// Number of the last one missing.
    pub to_seq: u64,
    /// Why they are missing, in words.
    pub why: String,
}

/// A line that is not a record.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mark {
    /// Starts a segment.
    Header(Header),
    /// Records that were lost before they reached the disk.
    Gap(Lost),
    /// The world at this place; written by [`write_checkpoint`], which hashes it on the way.
    #[serde(skip_serializing)]
    Checkpoint(Checkpoint),
    /// Ends a group.
    Commit(Commit),
    /// Ends a segment.
    Sealed(Commit),
}

/// Content of one line.
#[derive(Clone, Debug)]
pub enum Line {
    /// An event that was recorded.
    Record(RawRecord),
    /// Any other line.
    Mark(Mark),
}

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Corruption {
    /// The checksum is missing or does not match.
    #[error("the checksum of a line is wrong")]
    Checksum,
    /// The checksum is right, but the content is not a line of this format.
    #[error("a line is not of this format")]
    Malformed,
    /// The line is longer than [`MAX_LINE`].
    #[error("a line is longer than 64 MiB")]
    TooLong,
    /// The file ends before the line does.
    #[error("the last line is torn")]
    Torn,
    /// The system, or the decompression, could not read on.
    #[error("the segment cannot be read on: {0}")]
    Unreadable(String),
}

/// Writes a time as every line has it: RFC 3339, UTC, microseconds.
fn micros<S: Serializer>(at: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&at.to_rfc3339_opts(SecondsFormat::Micros, true))
}

/// Encodes a record as a line; `event` is its JSON.
pub fn record_line(seq: u64, at: DateTime<Utc>, event: &[u8]) -> Vec<u8> {
    let at = at.to_rfc3339_opts(SecondsFormat::Micros, true);
    let mut line = Vec::with_capacity(event.len() + 96);
    line.extend_from_slice(format!(r#"{{"seq":{seq},"at":"{at}","event":"#).as_bytes());
    line.extend_from_slice(event);
    line.push(b'}');
    close(line)
}

/// Encodes a mark as a line.
pub fn mark_line(mark: &Mark) -> serde_json::Result<Vec<u8>> {
    Ok(close(serde_json::to_vec(mark)?))
}

/// Writes a checkpoint as a line, piece by piece: a large cluster's world is never held as text.
pub fn write_checkpoint(
    out: &mut dyn Write,
    seq: u64,
    at: DateTime<Utc>,
    world: &impl Serialize,
) -> io::Result<()> {
    let at = at.to_rfc3339_opts(SecondsFormat::Micros, true);
    let mut line = Summed { out, crc: 0, hasher: None };
    write!(line, r#"{{"checkpoint":{{"seq":{seq},"at":"{at}","world":"#)?;
    line.hasher = Some(Box::default());
    serde_json::to_writer(&mut line, world)?;
    let hash = line.hasher.take().map_or(Digest::ZERO, |hasher| Digest(*hasher.finalize().as_bytes()));
    write!(line, r#","hash":"{hash}"}}"#)?;
    let Summed { out, crc, .. } = line;
    writeln!(out, ",\"crc\":\"{crc:08x}\"}}")
}

/// Sums up what goes through it: the line's checksum, and while there is a hasher the world's hash.
struct Summed<'a> {
    out: &'a mut dyn Write,
    crc: u32,
    hasher: Option<Box<blake3::Hasher>>,
}

impl Write for Summed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.crc = crc32c::crc32c_append(self.crc, bytes);
        if let Some(hasher) = &mut self.hasher {
            hasher.update(bytes);
        }
        self.out.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Puts the checksum into a whole JSON object. Raw JSON may hold newlines between its tokens; they become
/// spaces, which mean the same.
fn close(mut json: Vec<u8>) -> Vec<u8> {
    json.iter_mut().filter(|byte| **byte == b'\n').for_each(|byte| *byte = b' ');
    json.pop();
    let crc = crc32c::crc32c(&json);
    json.extend_from_slice(format!(",\"crc\":\"{crc:08x}\"}}\n").as_bytes());
    json
}

/// Decodes a line, its newline included.
pub fn decode(line: &[u8]) -> Result<Line, Corruption> {
    if !line.ends_with(b"\n") {
        return Err(Corruption::Torn);
    }
    let (body, tail) = line.split_at_checked(line.len().saturating_sub(TAIL)).ok_or(Corruption::Checksum)?;
    if tail != format!(",\"crc\":\"{:08x}\"}}\n", crc32c::crc32c(body)).as_bytes() {
        return Err(Corruption::Checksum);
    }
    if body.starts_with(b"{\"seq\":") {
        return serde_json::from_slice(line).map(Line::Record).map_err(|_| Corruption::Malformed);
    }
    let mut json = body.to_vec();
    json.push(b'}');
    serde_json::from_slice(&json).map(Line::Mark).map_err(|_| Corruption::Malformed)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn at() -> DateTime<Utc> {
        DateTime::from_timestamp_micros(1_795_445_192_000_001).unwrap()
    }

    #[test]
    fn a_record_line_is_what_the_format_says() {
        let line = record_line(7, at(), br#"{"k":1}"#);
        let body = r#"{"seq":7,"at":"2026-11-23T14:46:32.000001Z","event":{"k":1}"#;
        assert_eq!(
            String::from_utf8(line).unwrap(),
            format!("{body},\"crc\":\"{:08x}\"}}\n", crc32c::crc32c(body.as_bytes()))
        );
    }

    #[test]
    fn newlines_in_raw_json_do_not_break_the_line() {
        let line = record_line(1, at(), b"{\n\"k\":\r\n1}");
        assert_eq!(line.iter().position(|byte| *byte == b'\n'), Some(line.len() - 1));
        let Line::Record(record) = decode(&line).unwrap() else { panic!("not a record") };
        assert_eq!(serde_json::from_str::<serde_json::Value>(record.json.get()).unwrap(), json!({"k": 1}));
    }

    #[test]
    fn a_checkpoint_carries_the_hash_of_its_world() {
        let world = json!({"pods": ["a", "b"]});
        let mut line = Vec::new();
        write_checkpoint(&mut line, 3, at(), &world).unwrap();
        let Line::Mark(Mark::Checkpoint(read)) = decode(&line).unwrap() else { panic!("not a checkpoint") };
        assert_eq!((read.seq, read.at, read.world.get()), (3, at(), world.to_string().as_str()));
        assert_eq!(read.hash, world_hash(&world).unwrap());
        assert_eq!(read.hash, world_hash(&read.world).unwrap());
    }

    #[test]
    fn a_right_checksum_on_wrong_content_is_malformed() {
        for content in [r#"{"seq":"x"}"#, r#"{"later":{}}"#, r#"{"seq":1}"#, r#"["a"]"#] {
            assert_eq!(decode(&close(content.into())).err(), Some(Corruption::Malformed), "{content}");
        }
    }

    proptest! {
        #[test]
        fn floats_come_back_as_they_were(bits: u64) {
            let number = f64::from_bits(bits);
            prop_assume!(number.is_finite());
            let Line::Record(record) = decode(&record_line(1, at(), &serde_json::to_vec(&number).unwrap())).unwrap() else { panic!("not a record") };
            prop_assert_eq!(serde_json::from_str::<f64>(record.json.get()).unwrap().to_bits(), bits);
        }

        #[test]
        fn no_bytes_make_the_decoder_panic(bytes: Vec<u8>) {
            let _ = decode(&bytes);
            let _ = decode(&close(bytes));
        }
    }
}
