//! What an API server (1.35) wrote of one odd pod, in both forms: every state, two owners, finalizers, its
//! deletion, an expired watch.

use bytes::Bytes;

use super::super::wire::{Names, Object, Pod};
use super::{Told, frame, line};
use crate::net::failure::Failure;

const LINES: &str = include_str!("../../../../tests/data/watch.json");
const FRAMES: &[u8] = include_bytes!("../../../../tests/data/watch.pb");

fn frames() -> Vec<Bytes> {
    let mut rest = FRAMES;
    let mut frames = Vec::new();
    while let Some((length, more)) = rest.split_first_chunk() {
        let (frame, more) = more.split_at(u32::from_be_bytes(*length) as usize);
        frames.push(Bytes::from_static(frame));
        rest = more;
    }
    frames
}

fn said(told: Result<Told<Pod>, Failure>) -> String {
    match told.unwrap() {
        Told::Put(pod) => {
            let version = pod.metadata().resource_version.clone();
            format!("{version} {:#?}", pod.fact(&mut Names::default()))
        }
        Told::Error(status) => format!("{} {} {}", status.code, status.message, status.too_new()),
        other => format!("{other:?}"),
    }
}

#[test]
fn protobuf_says_what_json_says() {
    let lines = LINES.lines();
    let frames = frames();
    assert_eq!(frames.len(), 6);
    for (json, proto) in lines.zip(&frames) {
        assert_eq!(said(line(json.as_bytes())), said(frame(proto)));
    }
    let first = said(frame(&frames[0]));
    for word in [
        "OOMKilled",
        "ImagePullBackOff",
        "odd-5f",
        "example.com/stay, example.com/too",
        "nowhere",
        "the last words",
        "250",
    ] {
        assert!(first.contains(word), "{word}: {first}");
    }
}

#[test]
fn what_is_no_protobuf_is_told_by_its_first_words() {
    let whole = &frames()[0];
    for cut in [whole.slice(..40), whole.slice(1..), Bytes::from_static(b"<html>log in</html>")] {
        let Err(failure) = frame::<Pod>(&cut) else { panic!("{cut:?}") };
        assert!(
            matches!(&failure, Failure::Lost(why) if why.contains("a frame that is no watch event")),
            "{failure:?}"
        );
    }
}
