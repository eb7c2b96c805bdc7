//! The journal: the records of a session on disk. It *is* the recording; a replay reads what is written here.
//!
//! It knows neither `Event` nor `World`: it frames, checks and orders whatever serialises. It reads no clock
//! (time comes with the records) and prints nothing. What enters has passed [`redact`](crate::clean::redact).
//!
//! | module | what it holds |
//! |---|---|
//! | [`format`](mod@format) | one line: framing, checksum, hash chain |
//! | [`disk`] | the few calls the writer makes, as a seam for faults |
//! | [`segment`] | one segment being written; its compression |
//! | [`writer`] | where a session's records are handed in |
//! | `worker` | the writing thread: group commit, decisions, failures, new segments |
//! | `scan` | the lines of a segment's file |
//! | [`reader`] | a recording as a stream of checkpoints, records and gaps |
//! | [`verify`] | the whole recording checked, and its chain's head |
//! | [`recover`] | tidies a recording whose program was killed |
//! | [`recordings`] | the recordings of a data folder |
//!
//! # The format, version 1
//!
//! A recording is a folder (0700) of segments `000001.ndjson`, `000002.ndjson`, … (0600). A segment that was
//! closed may stand as `000001.ndjson.zst` instead (one zstd frame with its content checksum). Where both are
//! there, the plain one counts.
//!
//! **Line.** Every line is one JSON object whose last field is `crc`, then `\n`; no other `\n` is in it; 64
//! MiB at most: `BODY,"crc":"9a3f01c2"}\n`, where `BODY` is the object without its closing brace and `crc`
//! the CRC-32C (Castagnoli) of the bytes of `BODY`, as eight lower-case hex digits. A line that is not
//! exactly so is damaged and is never shown.
//!
//! **Lines of a segment**, in this order:
//!
//! ```text
//! {"header":{"format":1,"recording":ULID,"segment":N,"warroom":VERSION,"seq":S,"at":T,"chain":HEX,"about":{…}},"crc":…}
//! {"gap":{"from_seq":A,"to_seq":B,"why":TEXT},"crc":…}                    only where records before this checkpoint were lost
//! {"checkpoint":{"seq":S,"at":T,"world":{…},"hash":HEX},"crc":…}         the world after record S
//! {"seq":S+1,"at":T,"event":{…},"crc":…}                                  the records; their numbers have no holes …
//! {"gap":{…},"crc":…}                                                     … but where a gap says so
//! {"commit":{"seq":N,"at":T,"records":COUNT,"chain":HEX},"crc":…}         ends each commit group
//! {"sealed":{"seq":N,"at":T,"records":COUNT,"chain":HEX},"crc":…}         last line of a closed segment
//! ```
//!
//! Times are RFC 3339 in UTC with microseconds: whoever makes a record cuts its time to microseconds *before*
//! it is reduced, or a replay sees another time than the live run. `seq` in the header is the checkpoint's.
//! `records` counts the records since the recording began. `hash` is the BLAKE3 of the world's bytes as they
//! stand in the line (compact JSON as `serde_json` writes it; a world whose maps are ordered is thereby
//! canonical). `about` is the owner's: context, cluster, namespace, mode, start.
//!
//! **Chain.** `chain` of a commit = BLAKE3(previous chain's 32 bytes ‖ all lines since the previous commit,
//! newlines included, header and checkpoint too). Commit and sealed lines are not hashed themselves. The
//! first header's chain is 32 zero bytes; each later header's is the chain at the end of the segment before
//! it.
//!
//! **Ends.** The last segment ends in `sealed` when the program ended well. Otherwise it was killed, and what
//! stands behind the last whole line is torn. A segment that is not the last and not sealed could no longer
//! be written; the next one says what was lost.

pub mod disk;
mod error;
pub mod format;
mod limits;
mod pending;
pub mod reader;
pub mod recordings;
pub mod recover;
mod scan;
pub mod segment;
pub mod verify;
mod worker;
pub mod writer;

#[cfg(test)]
mod tests;

pub use crate::clean::redact::Redacted;
pub use error::JournalError;
pub use format::{Checkpoint, Digest, RawRecord, world_hash};
pub use limits::Limits;
pub use pending::{JournalHealth, Opening, Pending, Permit, Status};
pub use reader::{Gap, Item, Recording, Target, Why};
pub use writer::Writer;
