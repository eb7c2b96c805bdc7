//! Cuts the body of a watch into lines, however long the server lets them be.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use kube::client::Body;

use crate::source::failure::{Failure, root};

/// The longest line that is read. etcd takes no object above 1.5 MiB.
pub const LONGEST: usize = 8 << 20;

/// A line, or that there was one.
#[derive(Debug, PartialEq, Eq)]
pub enum Cut {
    /// A line without its end.
    Line(Bytes),
    /// A line longer than [`LONGEST`]; it was thrown away.
    TooLong,
}

/// The lines of one body.
pub struct Lines {
    body: Body,
    silence: Duration,
    pending: BytesMut,
    /// How much of `pending` is known to have no line end.
    scanned: usize,
    /// Whether the line that is being read is too long already.
    skipping: bool,
}

impl Lines {
    /// `silence` is how long the server may send nothing at all.
    pub fn new(body: Body, silence: Duration) -> Self {
        Self { body, silence, pending: BytesMut::new(), scanned: 0, skipping: false }
    }

    /// The next line; `None` at a proper end. May be dropped and called again without losing anything.
    pub async fn next(&mut self) -> Result<Option<Cut>, Failure> {
        loop {
            if let Some(cut) = self.cut() {
                return Ok(Some(cut));
            }
            let frame = tokio::time::timeout(self.silence, self.body.frame()).await;
            match frame.map_err(|_| Failure::silent("the watch", self.silence))? {
                None if self.pending.is_empty() && !self.skipping => return Ok(None),
                None => return Err(Failure::Lost("the watch was cut in the middle of a line".into())),
                Some(Err(error)) => return Err(Failure::Lost(format!("the watch was cut: {}", root(&error)))),
                Some(Ok(frame)) => frame.into_data().iter().for_each(|data| self.pending.extend_from_slice(data)),
            }
        }
    }

    fn cut(&mut self) -> Option<Cut> {
        let end = self.pending[self.scanned..].iter().position(|byte| *byte == b'\n').map(|at| self.scanned + at);
        let Some(end) = end else {
            self.scanned = self.pending.len();
            if self.skipping || self.scanned > LONGEST {
                self.pending.clear();
                (self.scanned, self.skipping) = (0, true);
            }
            return None;
        };
        let line = self.pending.split_to(end + 1).freeze().slice(..end);
        self.scanned = 0;
        let too_long = std::mem::take(&mut self.skipping) || line.len() > LONGEST;
        Some(if too_long { Cut::TooLong } else { Cut::Line(line) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    async fn cuts(body: Vec<u8>) -> (Vec<Cut>, Option<Failure>) {
        let mut lines = Lines::new(Body::from(body), Duration::from_secs(1));
        let mut cuts = Vec::new();
        loop {
            match lines.next().await {
                Ok(Some(cut)) => cuts.push(cut),
                Ok(None) => return (cuts, None),
                Err(failure) => return (cuts, Some(failure)),
            }
        }
    }

    #[tokio::test]
    async fn a_line_too_long_is_told_and_the_next_one_is_read() {
        let mut body = vec![b'x'; LONGEST + 1];
        body.extend_from_slice(b"\nnext\n");
        assert_eq!(cuts(body).await, (vec![Cut::TooLong, Cut::Line(Bytes::from_static(b"next"))], None));
    }

    #[tokio::test]
    async fn an_end_in_the_middle_of_a_line_is_a_failure() {
        let (lines, failure) = cuts(b"whole\nhal".to_vec()).await;
        assert_eq!((lines.len(), matches!(failure, Some(Failure::Lost(_)))), (1, true));
    }

    proptest! {
        #[test]
        fn frames_may_break_lines_anywhere(lines in prop::collection::vec("[a-z]{0,9}", 0..9), sizes in prop::collection::vec(1usize..7, 40)) {
            let text: String = lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect();
            let mut rest = text.as_bytes();
            let mut reader = Lines::new(Body::empty(), Duration::from_secs(1));
            let mut got = Vec::new();
            for size in sizes.into_iter().chain([usize::MAX]) {
                let (frame, after) = rest.split_at(size.min(rest.len()));
                rest = after;
                reader.pending.extend_from_slice(frame);
                got.extend(std::iter::from_fn(|| reader.cut()));
            }
            let expected: Vec<Cut> = lines.into_iter().map(|line| Cut::Line(Bytes::from(line))).collect();
            prop_assert_eq!(got, expected);
        }
    }
}
