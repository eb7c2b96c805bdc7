//! Following a pod's log. A stream that ends is taken up again where it stopped, without a gap and without repeating, for as long as
//! the same pod is there.

use std::io;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::{AsyncBufRead, AsyncBufReadExt, FutureExt};
use k8s_openapi::api::core::v1::Pod;
use kube::api::LogParams;
use kube::{Api, Client};
use tokio::sync::mpsc;

use crate::clean::Clean;
use crate::event::{Event, LogLine, Target, View};
use crate::source::clock::Clock;

/// Lines asked for at first.
const TAIL: i64 = 500;
/// A line longer than this is cut.
const MOST: usize = 64 << 10;
/// Lines handed over at once.
const BATCH: usize = 200;

/// Follows until the receiver is gone or the pod is.
pub(super) async fn follow(client: Client, target: Target, previous: bool, clock: Clock, events: mpsc::Sender<Event>) {
    let pods: Api<Pod> = Api::namespaced(client, &target.namespace);
    let mut last: Option<DateTime<Utc>> = None;
    let mut same_instant: Vec<Clean> = Vec::new();
    loop {
        let ended = stream(&pods, &target, previous, &mut last, &mut same_instant, &events).await;
        let (ended, again) = match ended {
            Err(gone) if gone => return,
            Err(_) => ("previous run: that was all".into(), false),
            Ok(why) => (why, true),
        };
        let told = View::Logs { target: target.clone(), lines: Vec::new(), ended: Some(ended) };
        if events.send(Event::View(told)).await.is_err() || !again {
            return;
        }
        clock.sleep(Duration::from_secs(2)).await;
    }
}

/// One stream. `Err(true)`: nobody listens any more; `Err(false)`: complete; `Ok(why)`: it broke off.
async fn stream(
    pods: &Api<Pod>,
    target: &Target,
    previous: bool,
    last: &mut Option<DateTime<Utc>>,
    same_instant: &mut Vec<Clean>,
    events: &mpsc::Sender<Event>,
) -> Result<Clean, bool> {
    let since = last.and_then(|at| k8s_openapi::jiff::Timestamp::from_second(at.timestamp()).ok());
    let params = LogParams {
        follow: !previous,
        previous,
        timestamps: true,
        tail_lines: since.is_none().then_some(TAIL),
        since_time: since,
        ..LogParams::default()
    };
    let stream = match pods.log_stream(&target.name, &params).await {
        Ok(stream) => stream,
        Err(kube::Error::Api(status)) => return Ok(format!("no log: {}", status.message).into()),
        Err(error) => return Ok(format!("no log: {error}; trying again").into()),
    };
    let mut lines = Lines { log: stream, line: Vec::new() };
    loop {
        let first = match lines.next().await {
            Ok(Some(line)) => line,
            Ok(None) if previous => return Err(false),
            Ok(None) => return Ok("the log ended; waiting for more".into()),
            Err(error) => return Ok(format!("the log broke off: {error}; taking it up again").into()),
        };
        let mut batch = vec![first];
        while batch.len() < BATCH
            && let Some(Ok(Some(line))) = lines.next().now_or_never()
        {
            batch.push(line);
        }
        let lines: Vec<LogLine> = batch.iter().filter_map(|line| fresh(parse(line), last, same_instant)).collect();
        let told = View::Logs { target: target.clone(), lines, ended: None };
        events.send(Event::View(told)).await.map_err(|_| true)?;
    }
}

/// The lines of a log, which need not be UTF-8 and need not end.
struct Lines<R> {
    log: R,
    /// What has come of the next one.
    line: Vec<u8>,
}

impl<R: AsyncBufRead + Unpin> Lines<R> {
    /// The next line, as far as [`MOST`] goes. Dropped before it is there, nothing of it is lost.
    async fn next(&mut self) -> io::Result<Option<String>> {
        loop {
            let bytes = self.log.fill_buf().await?;
            let end = bytes.iter().position(|byte| *byte == b'\n');
            let part = &bytes[..end.unwrap_or(bytes.len())];
            self.line.extend_from_slice(&part[..part.len().min(MOST.saturating_sub(self.line.len()))]);
            let (over, used) = (bytes.is_empty(), part.len() + usize::from(end.is_some()));
            self.log.consume_unpin(used);
            if end.is_some() || (over && !self.line.is_empty()) {
                let line = String::from_utf8_lossy(&self.line).into_owned();
                self.line.clear();
                return Ok(Some(line));
            }
            if over {
                return Ok(None);
            }
        }
    }
}

/// A line that was not seen before: later than the last, or of the same instant and not among those seen of it.
fn fresh(line: LogLine, last: &mut Option<DateTime<Utc>>, same_instant: &mut Vec<Clean>) -> Option<LogLine> {
    if let (Some(at), Some(seen)) = (line.at, *last) {
        if at < seen || (at == seen && same_instant.contains(&line.text)) {
            return None;
        }
        if at > seen {
            same_instant.clear();
        }
    }
    *last = line.at.or(*last);
    same_instant.push(line.text.clone());
    Some(line)
}

/// `2026-11-23T14:46:32.123456789Z words`
fn parse(line: &str) -> LogLine {
    let stamped = line.split_once(' ').and_then(|(at, rest)| Some((DateTime::parse_from_rfc3339(at).ok()?.to_utc(), rest)));
    let (at, words) = stamped.map_or((None, line), |(at, rest)| (Some(at), rest));
    LogLine { at, container: Clean::default(), text: Clean::new(words) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_taken_up_again_neither_repeats_nor_drops() {
        let (mut last, mut same) = (None, Vec::new());
        let mut seen = |line: &str| fresh(parse(line), &mut last, &mut same).is_some();
        assert!(seen("2026-01-01T00:00:01.5Z a"));
        assert!(seen("2026-01-01T00:00:01.5Z b"));
        assert!(!seen("2026-01-01T00:00:01.2Z older"));
        assert!(!seen("2026-01-01T00:00:01.5Z a"));
        assert!(seen("2026-01-01T00:00:01.5Z c"));
        assert!(seen("2026-01-01T00:00:02Z a"));
    }

    #[test]
    fn hostile_lines_are_cleaned() {
        assert_eq!(parse("2026-01-01T00:00:01Z \u{1b}]0;owned\u{7}").text, "␛]0;owned␇");
        assert_eq!(parse("no stamp").text, "no stamp");
    }

    #[tokio::test]
    async fn lines_that_are_no_text_or_too_long_do_not_end_the_log() {
        let log = [b"a \x9b31m\n".as_slice(), &vec![b'x'; MOST * 3], b"\n\nlast"].concat();
        let mut lines = Lines { log: futures::io::BufReader::with_capacity(7, &log[..]), line: Vec::new() };
        let mut read = Vec::new();
        while let Some(line) = lines.next().await.unwrap() {
            read.push(line);
        }
        assert_eq!(read, ["a \u{fffd}31m", &"x".repeat(MOST), "", "last"]);
    }
}
