//! What a person reads off the frame while only a part is heard, and what the footer offers over what is
//! open.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod common;

use std::sync::Arc;

use warroom::clean::Clean;
use warroom::event::{
    Amount, ClusterEvent, ContainerState, ContextId, Event, Kind, Meta, Part, Pod, PodPhase, SourceHealth,
    SourceId, SourceState, Uid, Usage, Used,
};
use warroom::runbook::suggestions;
use warroom::state::{
    AlertList, ChangeList, Detail, EntryDetail, Focus, GroupDetail, ListView, Page, ServiceDetail,
    SourceList, State,
};
use warroom::theme::ColorDepth;

use common::cluster::{crashing, node, notice, pod, revision, workload};
use common::{at, contexts, frame, story, text, told};

const SIZES: [(u16, u16); 5] = [(400, 100), (200, 60), (120, 40), (80, 24), (60, 15)];

fn seen(state: &State, size: (u16, u16)) -> String {
    text(&frame(state, size, ColorDepth::TrueColor, false))
}

fn last_line(state: &State, size: (u16, u16)) -> String {
    seen(state, size).lines().last().unwrap_or_default().to_owned()
}

fn over(mut state: State, overlay: Page) -> State {
    state.screen.pages.push(overlay);
    state
}

fn cluster(second: i64, event: ClusterEvent) -> (i64, Event) {
    (second, Event::Cluster(event))
}

#[test]
fn a_rollback_stays_offered_while_a_crash_loop_runs_for_a_moment() {
    let mut events = story::calm();
    let deployment = |ready| workload(Kind::Deployment, "ocr-service", (ready, 1), Some(13), Some("v2.0.2"));
    let broken = deployment(0);
    let runs = deployment(1);
    let crashed = crashing(pod(&broken, 0));
    let mut running = pod(&runs, 0);
    running.containers[0].restarts = 1;
    running.containers[0].last = crashed.containers[0].last.clone();
    events.push(cluster(-60, ClusterEvent::Revisions(vec![revision("ocr-service", 13, "v2.0.2", -60)])));
    events.extend([
        cluster(-50, ClusterEvent::Workloads(vec![broken])),
        cluster(-49, ClusterEvent::Pods(vec![Arc::new(crashed)])),
    ]);
    let offered = |events: &[(i64, Event)]| {
        let state = told(events.to_vec());
        suggestions(&state.world, &state.runbook).iter().any(|one| one.title == "roll back ocr-service")
    };
    assert!(offered(&events), "while it is broken");
    events.extend([
        cluster(-6, ClusterEvent::Workloads(vec![runs])),
        cluster(-5, ClusterEvent::Pods(vec![Arc::new(running)])),
    ]);
    assert!(offered(&events), "while it runs for a moment");
}

#[test]
fn a_node_of_one_context_shows_neither_the_pods_nor_the_warnings_of_its_namesake_in_another() {
    let mut events = contexts::two();
    let about = Meta { uid: Uid::new(contexts::US, "node-1"), ..node(1, true).meta };
    let notices = vec![notice(&about, "Rebooted", "Node node-1 has been rebooted", 1, -5)];
    events.push(cluster(-5, ClusterEvent::Notices(notices)));
    let state = told(events);
    let page = |context: ContextId| {
        let uid = Uid::new(context, node(1, true).meta.uid.id());
        seen(&over(state.clone(), Page::Detail(Detail::of(uid))), (400, 100))
    };
    let on_it = |pod: &Arc<Pod>| {
        pod.meta.context() == contexts::US && pod.node.as_deref() == Some(node(1, true).meta.name.as_str())
    };
    let there = state.world.cluster.pods.values().filter(|pod| on_it(pod)).count();
    let told = format!("of those that are watched: {there}");
    assert!(there > 0 && page(contexts::US).contains(&told), "{told}\n{}", page(contexts::US));
    assert!(page(contexts::US).contains("Rebooted") && !page(ContextId::MAIN).contains("Rebooted"));
}

const REFUSED: &str = "the credential plugin failed: please log in: aws sso login";

/// Two contexts, of which the second cannot be reached.
fn half_dead() -> State {
    let mut events = contexts::two();
    for source in SourceId::ALL.iter().copied().filter(|source| source.of_cluster()) {
        let state = SourceState::Down;
        let error = Some(Clean::new(&format!("prod-us: {REFUSED}")));
        let part = Part { name: "prod-us".into(), state, since: at(-60), error: Some(REFUSED.into()) };
        events.push((
            -60,
            Event::Health(SourceHealth { source, state, since: at(-60), error, parts: vec![part] }),
        ));
    }
    events.push(cluster(-59, ClusterEvent::Nodes(vec![node(1, true), node(2, true)])));
    told(events)
}

#[test]
fn a_context_that_is_down_is_named_at_every_size_and_its_reason_is_a_key_away() {
    let state = half_dead();
    for size in SIZES {
        let header = seen(&state, size).lines().nth(1).unwrap_or_default().to_owned();
        assert!(header.contains("(prod-us)") || header.contains("down (prod-us"), "{size:?}: {header}");
        let sources = seen(&over(state.clone(), Page::Sources(SourceList { scroll: 0 })), size);
        let words: String =
            sources.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ");
        assert!(
            words.contains("please log in: aws sso login") && words.contains("prod-us ✖ down since 14:45:32"),
            "{size:?}:\n{sources}"
        );
    }
    let wide = seen(&state, (400, 100));
    assert!(
        wide.lines().nth(1).is_some_and(|header| header.contains(REFUSED)),
        "{}",
        wide.lines().nth(1).unwrap_or_default()
    );
    let pods = seen(&state, (200, 60));
    assert!(pods.contains("prod-us down since 14:45:32"), "the title says where");
    assert!(
        pods.contains("nodes 6 ready · ▲ prod-us down since 14:45:32"),
        "the nodes of the other are not hidden:\n{pods}"
    );
}

#[test]
fn what_is_polled_is_told_at_every_size() {
    let mut events = story::calm();
    for source in [SourceId::Pods, SourceId::Deployments] {
        let words = format!("{} may not be watched (403): they are listed every 10s", source.name());
        events.push((-900, story::health(source, SourceState::Live, -900, Some(&words))));
    }
    let state = told(events);
    for size in SIZES {
        assert!(
            seen(&state, size).lines().nth(1).is_some_and(|header| header.contains("2 limited")),
            "{size:?}"
        );
    }
    let sources = seen(&over(state, Page::Sources(SourceList { scroll: 0 })), (60, 15));
    assert!(sources.contains("pods may not be watched (403)"), "{sources}");
}

#[test]
fn the_footer_names_the_way_out_first_and_nothing_that_does_nothing() {
    let overlays = [
        Page::Detail(Detail { uid: "uid-ocr-service".into(), scroll: 0 }),
        Page::Entry(EntryDetail { id: 1, scroll: 0 }),
        Page::Alerts(AlertList { selected: None }),
        Page::Group(GroupDetail { id: "nobody".into(), scroll: 0 }),
        Page::Service(ServiceDetail { name: "medcontracthub-app".into() }),
        Page::Changes(ChangeList { scroll: 0 }),
        Page::Sources(SourceList { scroll: 0 }),
    ];
    for overlay in overlays {
        for size in SIZES {
            let footer = last_line(&over(told(story::release()), overlay.clone()), size);
            assert!(footer.starts_with(" q close"), "{overlay:?} {size:?}: {footer}");
        }
    }
    let footer = |overlay: Page| last_line(&over(told(story::release()), overlay), (200, 60));
    let nobody = footer(Page::Group(GroupDetail { id: "nobody".into(), scroll: 0 }));
    assert!(!["logs", "describe", "yaml", "show pod"].iter().any(|key| nobody.contains(key)), "{nobody}");
    assert!(
        footer(Page::Group(GroupDetail { id: "worker-service".into(), scroll: 0 })).contains("o show pod")
    );
    assert!(footer(Page::Detail(Detail { uid: "uid-ocr-service".into(), scroll: 0 })).contains("l logs"));
    assert!(
        !footer(Page::Detail(Detail { uid: "uid-node-1".into(), scroll: 0 })).contains("l logs"),
        "a node has none"
    );
}

#[test]
fn the_nodes_say_how_many_of_them_are_measured() {
    let mut events = story::calm();
    let amount = |n: u32| Amount { cpu: n.try_into().ok(), memory: n.try_into().ok() };
    let nodes = (1..=3).map(|n| warroom::event::Node { allocatable: amount(1_000), ..node(n, true) });
    events.push(cluster(-100, ClusterEvent::Nodes(nodes.collect())));
    let used = Used { name: "node-1".into(), cpu: 510, memory: 130 };
    events.push((-99, Event::Usage(Usage { at: at(-99), used: vec![used], gone: vec![] })));
    let pods = seen(&told(events), (200, 60));
    assert!(pods.contains("nodes 3 ready · cpu 51 % · mem 13 % (1 of 3 measured)"), "{pods}");
}

#[test]
fn a_lone_pod_is_read_as_kubectl_reads_it() {
    let mut events = story::calm();
    let app = workload(Kind::Deployment, "app", (1, 1), Some(1), None);
    let lone = |name: &str, ready: bool| {
        let mut pod = pod(&app, 0);
        pod.meta.name = name.into();
        pod.meta.uid = name.into();
        pod.owner = None;
        pod.ready = ready;
        pod
    };
    let mut half = lone("half", false);
    half.containers.push(half.containers[0].clone());
    half.containers[1].ready = false;
    let mut done = lone("done", false);
    done.phase = PodPhase::Succeeded;
    done.containers[0].ready = false;
    done.containers[0].state =
        ContainerState::Terminated { reason: Some("Completed".into()), exit: 0, at: None, message: None };
    events.push(cluster(-50, ClusterEvent::Pods([half, done].map(Arc::new).into())));
    let mut state = told(events);
    state.screen.focus = Focus::Pods;
    state.screen.zoomed = true;
    let pods = seen(&state, (120, 40));
    let line = |name: &str| {
        pods.lines()
            .skip(3)
            .find(|line| line.contains(name))
            .unwrap_or_default()
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert!(line(" half ").contains("half pod 1/2"), "{pods}");
    assert!(line(" done ").contains("done pod 0/1 Completed"), "{pods}");
    assert!(line(" kind ").contains("name kind ready"), "{pods}");
}

#[test]
fn a_filter_by_a_pods_name_shows_the_pod() {
    let mut events = story::calm();
    let many = workload(Kind::Deployment, "sim-0000", (4, 4), Some(1), None);
    let named = |n: u32| Pod {
        meta: common::cluster::meta(&format!("sim-0000-868d5457fd-2h{n}xz"), -50),
        ..pod(&many, n)
    };
    let pods = (0..4).map(|n| Arc::new(named(n))).collect();
    events.push(cluster(-51, ClusterEvent::Revisions(vec![revision("sim-0000", 1, "v1", -60)])));
    events
        .extend([cluster(-50, ClusterEvent::Workloads(vec![many])), cluster(-49, ClusterEvent::Pods(pods))]);
    let mut state = told(events);
    state
        .screen
        .lists
        .insert(Focus::Pods, ListView { filter: "sim-0000-868d5457fd-2h3xz".into(), ..ListView::default() });
    for size in SIZES {
        let pods = seen(&state, size);
        assert!(
            pods.lines().skip(3).any(|line| line.contains("h3xz") && !line.contains('/')),
            "{size:?}:\n{pods}"
        );
    }
}
