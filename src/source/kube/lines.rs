//! Cuts the body of a watch into lines or frames, however long the server lets them be.

use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use http_body_util::BodyExt;
use kube::client::Body;

use crate::net::failure::{Failure, root};

/// How a body is divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// JSON, a line each.
    Lines,
    /// Protobuf, before each its length in four bytes (apimachinery `framer`).
    Frames,
}

/// The longest line or frame that is read. etcd takes no object above 1.5 MiB.
pub const LONGEST: usize = 8 << 20;

/// A line or frame, or that there was one.
#[derive(Debug, PartialEq, Eq)]
pub enum Cut {
    /// A line without its end, a frame without its length.
    Line(Bytes),
    /// One longer than [`LONGEST`]; it was thrown away.
    TooLong,
}

/// The lines of one body.
pub struct Lines {
    body: Body,
    form: Form,
    silence: Duration,
    pending: BytesMut,
    /// How much of `pending` is known to have no line end.
    scanned: usize,
    /// Whether the line that is being read is too long already.
    skipping: bool,
    /// Bytes still to come of a frame that is too long.
    surplus: usize,
}

impl Lines {
    /// `silence` is how long the server may send nothing at all.
    pub fn new(body: Body, form: Form, silence: Duration) -> Self {
        Self { body, form, silence, pending: BytesMut::new(), scanned: 0, skipping: false, surplus: 0 }
    }

    /// The next line; `None` at a proper end. May be dropped and called again without losing anything.
    pub async fn next(&mut self) -> Result<Option<Cut>, Failure> {
        loop {
            if let Some(cut) = self.cut() {
                return Ok(Some(cut));
            }
            let frame = tokio::time::timeout(self.silence, self.body.frame()).await;
            match frame.map_err(|_| Failure::silent("the watch", self.silence))? {
                None if self.pending.is_empty() && !self.skipping && self.surplus == 0 => return Ok(None),
                None => return Err(Failure::Lost("the watch was cut in the middle of a line".into())),
                Some(Err(error)) => {
                    return Err(Failure::Lost(format!("the watch was cut: {}", root(&error))));
                }
                Some(Ok(frame)) => {
                    frame.into_data().iter().for_each(|data| self.pending.extend_from_slice(data));
                }
            }
        }
    }

    fn cut(&mut self) -> Option<Cut> {
        match self.form {
            Form::Lines => self.line(),
            Form::Frames => self.frame(),
        }
    }

    fn frame(&mut self) -> Option<Cut> {
        if self.surplus > 0 {
            let there = self.surplus.min(self.pending.len());
            self.pending.advance(there);
            self.surplus -= there;
            return (self.surplus == 0).then_some(Cut::TooLong);
        }
        let length = u32::from_be_bytes(*self.pending.first_chunk()?) as usize;
        if length > LONGEST {
            self.pending.advance(4);
            self.surplus = length;
            return self.frame();
        }
        let whole = (self.pending.len() >= 4 + length).then(|| self.pending.split_to(4 + length).freeze());
        whole.map(|frame| Cut::Line(frame.slice(4..)))
    }

    fn line(&mut self) -> Option<Cut> {
        let end =
            self.pending[self.scanned..].iter().position(|byte| *byte == b'\n').map(|at| self.scanned + at);
        let Some(end) = end else {
            self.scanned = self.pending.len();
            if self.skipping || self.scanned > LONGEST {
                self.pending.clear();
                self.scanned = 0;
                self.skipping = true;
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

    async fn cuts(form: Form, body: Vec<u8>) -> (Vec<Cut>, Option<Failure>) {
        let mut lines = Lines::new(Body::from(body), form, Duration::from_secs(1));
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
        assert_eq!(
            cuts(Form::Lines, body).await,
            (vec![Cut::TooLong, Cut::Line(Bytes::from_static(b"next"))], None)
        );
    }

    #[tokio::test]
    async fn an_end_in_the_middle_of_a_line_is_a_failure() {
        let (lines, failure) = cuts(Form::Lines, b"whole\nhal".to_vec()).await;
        assert_eq!((lines.len(), matches!(failure, Some(Failure::Lost(_)))), (1, true));
    }

    #[tokio::test]
    async fn frames_are_told_by_their_length_and_one_too_long_is_passed_over() {
        let framed = |frame: &[u8]| [&u32::try_from(frame.len()).unwrap().to_be_bytes(), frame].concat();
        let huge = vec![b'\n'; LONGEST + 1];
        let body = [framed(b"one\n"), framed(b""), framed(&huge), framed(b"two")].concat();
        let told = |text: &'static [u8]| Cut::Line(Bytes::from_static(text));
        assert_eq!(
            cuts(Form::Frames, body.clone()).await,
            (vec![told(b"one\n"), told(b""), Cut::TooLong, told(b"two")], None)
        );
        for end in [body.len() - 1, 10, 2, body.len() - 8] {
            assert!(
                matches!(cuts(Form::Frames, body[..end].to_vec()).await.1, Some(Failure::Lost(_))),
                "{end}"
            );
        }
    }

    proptest! {
        #[test]
        fn frames_may_break_lines_anywhere(lines in prop::collection::vec("[a-z]{0,9}", 0..9), sizes in prop::collection::vec(1usize..7, 40)) {
            let text: String = lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect();
            let mut rest = text.as_bytes();
            let mut reader = Lines::new(Body::empty(), Form::Lines, Duration::from_secs(1));
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
