//! One file out of a tar stream (POSIX.1-2024 `pax`, ustar interchange format), as `tar cf - PATH` writes it
//! for `kubectl cp`. Nothing is unpacked: the only entry that is taken is a regular file, and its name is not
//! looked at.

use std::io::{self, Write};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::time::timeout;

use crate::clean::Clean;

/// Bytes of a block of a tar stream.
const BLOCK: usize = 512;
/// Bytes that are taken at once.
const PIECE: usize = 64 << 10;
/// How long nothing may come.
const STANDSTILL: Duration = Duration::from_secs(60);
/// Bytes of extended headers before the file that are skipped at most.
const MOST_EXTENDED: u64 = 1 << 20;

/// Why a file was not taken whole.
#[derive(Debug, thiserror::Error)]
pub(super) enum Torn {
    /// It is none that could be copied.
    #[error("it is {0}, and only a regular file is copied")]
    NotRegular(Clean),
    /// What came is no tar stream.
    #[error("what came is no tar stream")]
    Garbage,
    /// It is larger than it may be.
    #[error("it has {size} bytes, and there is room for {room}")]
    TooLarge {
        /// Bytes that it has.
        size: u64,
        /// Bytes that it may have.
        room: u64,
    },
    /// The stream ended too early.
    #[error("the stream ended after {taken} of {size} bytes")]
    Short {
        /// Bytes that were taken.
        taken: u64,
        /// Bytes that the file has.
        size: u64,
    },
    /// The stream ended before the file began.
    #[error("nothing came")]
    Nothing,
    /// It cannot be written here.
    #[error("it cannot be written: {0}")]
    Unwritten(io::Error),
}

/// Takes the file, of `room` bytes at most; answers its size. `progress` gets the bytes taken so far, and
/// those that the file has.
pub(super) async fn take(
    stream: &mut (impl AsyncRead + Unpin),
    room: u64,
    into: &mut impl Write,
    mut progress: impl FnMut(u64, u64),
) -> Result<u64, Torn> {
    let size = timeout(STANDSTILL, begin(stream)).await.unwrap_or(Err(Torn::Nothing))?;
    if size > room {
        return Err(Torn::TooLarge { size, room });
    }
    let mut piece = vec![0; PIECE];
    let mut taken = 0;
    while taken < size {
        let left = usize::try_from(size - taken).unwrap_or(PIECE).min(PIECE);
        // A stream that breaks, or stands still, has ended.
        let read = match timeout(STANDSTILL, stream.read(&mut piece[..left])).await {
            Ok(Ok(read)) => read,
            Ok(Err(_)) | Err(_) => 0,
        };
        if read == 0 {
            return Err(Torn::Short { taken, size });
        }
        into.write_all(&piece[..read]).map_err(Torn::Unwritten)?;
        taken += read as u64;
        progress(taken, size);
    }
    Ok(size)
}

/// Reads up to the beginning of the file; answers its size.
async fn begin(stream: &mut (impl AsyncRead + Unpin)) -> Result<u64, Torn> {
    let mut skipped = 0;
    loop {
        let mut block = [0; BLOCK];
        stream.read_exact(&mut block).await.map_err(|_| Torn::Nothing)?;
        if block.iter().all(|byte| *byte == 0) {
            return Err(Torn::Nothing); // the end of an archive
        }
        let size = number(&block[124..136]).filter(|_| is_header(&block)).ok_or(Torn::Garbage)?;
        match block[156] {
            b'0' | 0 | b'7' => return Ok(size),
            // Extended headers, of pax and of GNU: names and times, of which nothing is needed.
            b'x' | b'g' | b'L' | b'K' => {
                let size = size.checked_next_multiple_of(BLOCK as u64).ok_or(Torn::Garbage)?;
                skipped += size.min(MOST_EXTENDED + 1);
                if skipped > MOST_EXTENDED {
                    return Err(Torn::Garbage);
                }
                let mut header = (&mut *stream).take(size);
                tokio::io::copy(&mut header, &mut tokio::io::sink()).await.map_err(|_| Torn::Nothing)?;
            }
            b'5' => return Err(Torn::NotRegular("a folder".into())),
            b'1' | b'2' => {
                let to = block[157..257].split(|byte| *byte == 0).next().unwrap_or_default();
                let to = format!("a link to {}", String::from_utf8_lossy(to));
                return Err(Torn::NotRegular(to.into()));
            }
            _ => return Err(Torn::NotRegular("a device or a pipe".into())),
        }
    }
}

/// Whether the sum of a block's bytes is what it says, its own field counted as blanks.
fn is_header(block: &[u8; BLOCK]) -> bool {
    let sum: u64 = block
        .iter()
        .enumerate()
        .map(|(at, byte)| if (148..156).contains(&at) { u64::from(b' ') } else { u64::from(*byte) })
        .sum();
    number(&block[148..156]) == Some(sum)
}

/// A number in octal digits; or, where the first bit is set, in binary (GNU, for files of 8 GiB and more).
fn number(field: &[u8]) -> Option<u64> {
    if field.first()? & 0x80 != 0 {
        let low = field.len().checked_sub(8).filter(|at| *at >= 1)?;
        let (low, high) = (field.get(low..)?, field.get(1..low)?);
        return high.iter().all(|byte| *byte == 0).then(|| low.try_into().map(u64::from_be_bytes).ok())?;
    }
    let text = std::str::from_utf8(field).ok()?;
    u64::from_str_radix(text.trim_matches(|c: char| c == '\0' || c == ' '), 8).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A header as tar writes it.
    fn header(kind: u8, size: &[u8], link: &str) -> Vec<u8> {
        let mut block = vec![0; BLOCK];
        block[..4].copy_from_slice(b"file");
        block[124..124 + size.len()].copy_from_slice(size);
        block[156] = kind;
        block[157..157 + link.len()].copy_from_slice(link.as_bytes());
        block[148..156].fill(b' ');
        let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
        block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        block
    }

    async fn taken(stream: &[u8], room: u64) -> (Vec<u8>, Result<u64, String>) {
        let mut file = Vec::new();
        let result = take(&mut &stream[..], room, &mut file, |_, _| ()).await;
        (file, result.map_err(|why| why.to_string()))
    }

    #[tokio::test]
    async fn the_file_is_taken_whatever_extended_headers_are_before_it() {
        let mut stream = header(b'x', b"00000000013", "");
        stream.extend([b'x'; BLOCK]);
        stream.extend(header(b'0', b"00000000005", ""));
        stream.extend(b"hello and what is behind it");
        assert_eq!(taken(&stream, 5).await, (b"hello".to_vec(), Ok(5)));
        let large = header(b'0', &[0x80, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 1], "");
        assert_eq!(
            taken(&large, 9).await.1.unwrap_err(),
            "it has 12884901889 bytes, and there is room for 9"
        );
    }

    #[tokio::test]
    async fn a_header_that_lies_is_no_header() {
        let mut lies = header(b'0', b"00000000005", "");
        lies[148] = 0x80;
        assert!(taken(&lies, 9).await.1.is_err());
        assert_eq!(number(&[0x80; 8]), None, "there is room for a number in a field of 12");
        let endless = header(b'x', &[0x80, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], "");
        assert!(taken(&endless, 9).await.1.is_err());
    }

    #[tokio::test]
    async fn what_is_cut_or_no_file_is_told() {
        let mut cut = header(b'0', b"00000000012", "");
        cut.extend(b"half");
        let (kept, why) = taken(&cut, 99).await;
        assert_eq!(
            (kept.as_slice(), why.unwrap_err().as_str()),
            (&b"half"[..], "the stream ended after 4 of 10 bytes")
        );
        for (stream, why) in [
            (Vec::new(), "nothing came"),
            (vec![7; BLOCK], "what came is no tar stream"),
            (vec![0; BLOCK], "nothing came"),
            (header(b'5', b"0", ""), "it is a folder, and only a regular file is copied"),
            (header(b'2', b"0", "/x"), "it is a link to /x, and only a regular file is copied"),
        ] {
            assert_eq!(taken(&stream, 99).await.1.unwrap_err(), why);
        }
    }
}
