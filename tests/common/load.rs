//! A very large cluster as the decoder tells it, without a server.

use bytes::Bytes;
use warroom::clean::Clean;
use warroom::event::{ClusterEvent, Event, Kind, Session};
use warroom::sim::load::{NAMESPACE, app_lines, pod_line};
use warroom::source::kube::{Deployment, Names, Object, Pod, ReplicaSet, Told, line};
use warroom::state::{Focus, ListView, State};

use super::{story, told};

/// Pods of one Deployment.
const APP: usize = 100;

/// What the lines of a watch say, as one event.
pub fn event<T: Object>(lines: &[String], names: &mut Names) -> Event {
    let facts = lines.iter().map(|text| match line::<T>(text.as_bytes()) {
        Ok(Told::Put(object)) => object.fact(names),
        _ => panic!("not an object: {text}"),
    });
    Event::Cluster(T::event(facts.collect()))
}

/// A frame of a watch in protobuf, as an API server wrote it: a pod of three containers that has everything a
/// pod can have.
pub fn frame() -> Bytes {
    const FRAMES: &[u8] = include_bytes!("../data/watch.pb");
    let (length, rest) = FRAMES.split_first_chunk().unwrap_or((&[0; 4], &[]));
    Bytes::from_static(&rest[..u32::from_be_bytes(*length) as usize])
}

/// Lines for pods, spread over the whole cluster, that have restarted so often.
pub fn changed(pods: usize, of: usize, restarts: u32) -> Vec<String> {
    (0..pods).map(|n| pod_line(n * of / pods, restarts)).collect()
}

/// A cluster of so many pods, all well, as a listing tells it.
pub fn state(pods: usize) -> State {
    let names = &mut Names::default();
    let (deployments, sets): (Vec<_>, Vec<_>) =
        (0..pods.div_ceil(APP)).map(|place| app_lines(place).into()).unzip();
    let session = Session { namespaces: vec![NAMESPACE.into()], ..story::session() };
    let mut events = vec![Event::Started(session)];
    let mut list = |kind: Kind, parts: Vec<Event>| {
        events.push(Event::Cluster(ClusterEvent::Listing(kind.into())));
        events.extend(parts);
        events.push(Event::Cluster(ClusterEvent::Listed(kind.into())));
    };
    list(Kind::Deployment, vec![event::<Deployment>(&deployments, names)]);
    list(Kind::ReplicaSet, vec![event::<ReplicaSet>(&sets, names)]);
    let page = |from: usize| (from..pods.min(from + 500)).map(|place| pod_line(place, 0)).collect::<Vec<_>>();
    list(Kind::Pod, (0..pods).step_by(500).map(|from| event::<Pod>(&page(from), names)).collect());
    let state = told(events.into_iter().map(|event| (0, event)));
    assert_eq!(state.world.cluster.pods.len(), pods);
    state
}

/// The same, with this typed after `/` in the pods' pane.
pub fn filtered(mut state: State, text: &str) -> State {
    state.screen.lists.insert(Focus::Pods, ListView { filter: Clean::from(text), ..ListView::default() });
    state
}
