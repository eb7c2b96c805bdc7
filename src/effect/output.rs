//! What a command prints, in a container or on this machine: bounded, cleaned, told line by line while it
//! runs.

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::mpsc;
use ulid::Ulid;

use crate::clean::Clean;
use crate::clean::redact::{MARK, redact_text};
use crate::event::{Event, Output, View};

/// Bytes that are kept of each of the two streams.
const BYTES: usize = 32 << 10;
/// Bytes that are read at once.
const CHUNK: usize = 16 << 10;
/// Lines that are kept.
const LINES: usize = 500;
/// Characters that are kept of a line.
const COLUMNS: usize = 2_000;

/// Who hears what a command prints while it runs.
#[derive(Default)]
pub(super) struct Listener {
    /// Intent that it runs for, and where its lines go; `None` where nobody listens.
    pub(super) told: Option<(Ulid, mpsc::Sender<Event>)>,
    /// Values that it was given and that nobody is to see.
    pub(super) secrets: Vec<String>,
}

impl Listener {
    /// Tells a line. One that nobody has time for is left out: all that is kept comes with the outcome.
    fn tell(&self, line: &str) {
        let Some((intent, events)) = &self.told else { return };
        let _ = events.try_send(Event::View(View::Printed { intent: *intent, line: self.clean(line) }));
    }

    /// A line, as long as it may be and without secrets.
    fn clean(&self, line: &str) -> Clean {
        let hidden = self.secrets.iter().fold(line.to_owned(), |line, secret| line.replace(secret, MARK));
        let line = Clean::new(&hidden.chars().take(COLUMNS).collect::<String>());
        redact_text(&line).as_ref().into()
    }
}

/// What is kept of a stream, and whether there was more.
#[derive(Default)]
pub(super) struct Kept {
    bytes: Vec<u8>,
    more: bool,
    /// Bytes that were told: whole lines.
    told: usize,
    lines: usize,
}

impl Kept {
    /// Reads a stream to its end. One that breaks has said what it had to say; the exit status tells whether
    /// that was all.
    pub(super) async fn take(&mut self, stream: Option<impl AsyncRead + Unpin>, listener: &Listener) {
        let Some(mut stream) = stream else { return };
        let mut chunk = vec![0; CHUNK];
        while let Ok(read @ 1..) = stream.read(&mut chunk).await {
            let kept = read.min(BYTES - self.bytes.len());
            self.bytes.extend_from_slice(&chunk[..kept]);
            self.more |= kept < read;
            self.tell(listener);
        }
    }

    /// Tells the lines that have come to their end.
    fn tell(&mut self, listener: &Listener) {
        while self.lines < LINES
            && let Some(length) = self.bytes[self.told..].iter().position(|byte| *byte == b'\n')
        {
            listener.tell(&String::from_utf8_lossy(&self.bytes[self.told..self.told + length]));
            self.told += length + 1;
            self.lines += 1;
        }
    }
}

/// The output of a command that has ended with this code, or has none because of `why`.
pub(super) fn output(
    exit: Option<i32>,
    why: Option<String>,
    streams: &[Kept; 2],
    listener: &Listener,
) -> Output {
    let more = streams.iter().any(|stream| stream.more);
    let text =
        streams.iter().map(|stream| String::from_utf8_lossy(&stream.bytes).into_owned()).collect::<Vec<_>>();
    let all: Vec<&str> = text.iter().flat_map(|text| text.lines()).collect();
    let long = |line: &&str| line.chars().count() > COLUMNS;
    let cut = why.or_else(|| {
        (more || all.len() > LINES || all.iter().any(long)).then(|| {
            format!("only the first {} KiB, {LINES} lines of {COLUMNS} columns are kept", BYTES >> 10)
        })
    });
    let lines = all.into_iter().take(LINES).map(|line| listener.clean(line)).collect();
    Output { exit, lines, cut: cut.map(Clean::from), ..Output::default() }
}
