//! Answers that no server should give, and that some, or what stands before them, do.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures::{Stream, StreamExt, stream};

use super::fault::{Faults, Malformed};
use super::request::reply;

/// A piece of a line of 10 MiB.
const PIECE: &[u8] = &[b'x'; 1 << 20];
/// Pieces of a line, its end among them.
const PIECES: usize = 11;
const PAGE: &str = "<!DOCTYPE html><html><body><form action=/login>who are you?</form></body></html>";

/// The answer.
pub(super) fn answer(malformed: Malformed, faults: &Faults) -> Response {
    let (media, body) = match malformed {
        Malformed::Garbage => {
            ("application/json", Body::from("\u{1b}]0;garbage\u{7}\u{0}{\"type\":\n".repeat(100)))
        }
        Malformed::LoginPage => ("text/html", Body::from(PAGE)),
        Malformed::Huge => ("application/json", until_cleared(faults, stream::unfold(0, huge))),
        Malformed::Trickle => ("application/json", until_cleared(faults, stream::unfold(0, trickle))),
        Malformed::HalfOpen => ("application/json", until_cleared(faults, stream::pending())),
    };
    reply::body(200, media, body)
}

fn until_cleared(faults: &Faults, pieces: impl Stream<Item = Bytes> + Send + 'static) -> Body {
    let faults = faults.clone();
    Body::from_stream(pieces.map(Ok::<_, Infallible>).take_until(async move { faults.cleared().await }))
}

async fn huge(place: usize) -> Option<(Bytes, usize)> {
    let last = place % PIECES == PIECES - 1;
    if last {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    Some((Bytes::from_static(if last { b"\n" } else { PIECE }), place + 1))
}

async fn trickle(place: usize) -> Option<(Bytes, usize)> {
    const START: &[u8] = br#"{"type":"ADDED","object":{"metadata":{"name":""#;
    tokio::time::sleep(Duration::from_millis(100)).await;
    Some((Bytes::copy_from_slice(&[START.get(place).copied().unwrap_or(b'x')]), place + 1))
}
