//! The lines of a log as they come over the wire: no text, too long, without an end.

use std::fmt::Write as _;
use std::io;

use chrono::{DateTime, Utc};
use futures::{AsyncBufRead, AsyncBufReadExt};

/// Bytes of a line that are kept; the rest is counted.
const MOST: usize = 64 << 10;

/// Takes a log apart.
pub(super) struct Lines<R> {
    log: R,
    /// What has come of the next line.
    line: Vec<u8>,
    /// Bytes of it that were cut.
    cut: usize,
}

impl<R: AsyncBufRead + Unpin> Lines<R> {
    pub(super) fn new(log: R) -> Self {
        Self { log, line: Vec::new(), cut: 0 }
    }

    /// The next line. Dropped before it is there, nothing of it is lost.
    pub(super) async fn next(&mut self) -> io::Result<Option<String>> {
        loop {
            let bytes = self.log.fill_buf().await?;
            let end = bytes.iter().position(|byte| *byte == b'\n');
            let part = &bytes[..end.unwrap_or(bytes.len())];
            let kept = part.len().min(MOST.saturating_sub(self.line.len()));
            self.line.extend_from_slice(&part[..kept]);
            self.cut += part.len() - kept;
            let over = bytes.is_empty();
            let used = part.len() + usize::from(end.is_some());
            self.log.consume_unpin(used);
            if end.is_some() || (over && !self.line.is_empty()) {
                return Ok(Some(self.take()));
            }
            if over {
                return Ok(None);
            }
        }
    }

    fn take(&mut self) -> String {
        let mut line = String::from_utf8_lossy(&self.line).into_owned();
        if self.cut > 0 {
            let _ = write!(line, "… ‹{} bytes cut›", self.cut); // a string takes everything
        }
        self.line.clear();
        self.line.shrink_to(MOST);
        self.cut = 0;
        line
    }
}

/// `2026-11-23T14:46:32.123456789Z words`
pub(super) fn stamped(line: &str) -> (Option<DateTime<Utc>>, &str) {
    let stamp = line
        .split_once(' ')
        .and_then(|(at, words)| Some((DateTime::parse_from_rfc3339(at).ok()?.to_utc(), words)));
    stamp.map_or((None, line), |(at, words)| (Some(at), words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_without_a_stamp_is_all_words() {
        let at = "2026-01-01T00:00:01Z".parse().unwrap();
        assert_eq!(stamped("2026-01-01T00:00:01Z a b"), (Some(at), "a b"));
        assert_eq!(stamped("2026-01-01T00:00:01Z "), (Some(at), ""));
        assert_eq!(stamped("no stamp"), (None, "no stamp"));
    }

    #[tokio::test]
    async fn lines_that_are_no_text_or_too_long_do_not_end_the_log() {
        let log = [b"a \x9b31m\n".as_slice(), &vec![b'x'; MOST * 3], b"\n\nlast"].concat();
        let mut lines = Lines::new(futures::io::BufReader::with_capacity(7, &log[..]));
        let mut read = Vec::new();
        while let Some(line) = lines.next().await.unwrap() {
            read.push(line);
        }
        assert_eq!(read, ["a \u{fffd}31m", &format!("{}… ‹131072 bytes cut›", "x".repeat(MOST)), "", "last"]);
    }
}
