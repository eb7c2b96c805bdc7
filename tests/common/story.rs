//! The incidents that the screens show, told as events.

use std::collections::BTreeMap;
use std::sync::Arc;

use ulid::Ulid;
use warroom::clean::Clean;
use warroom::event::{
    Alert, Allowed, Asked, ClusterEvent, Command, ContainerState, ContextId, ContextInfo, Danger, DiffLine,
    DryRun, Event, Expectation, Fact, GroupLag, Intent, Kind, Made, Matcher, Mode, Naming, Op, Operator,
    Outcome, PartitionLag, Plan, Pod, Purpose, Rate, RateHistory, RateSample, Right, Sealed, Server,
    ServiceHistory, ServiceRate, Session, Sign, Signal, Silence, SourceHealth, SourceId, SourceState,
    StepCall, Target, Tier, Unit, Workload, Write,
};
use warroom::keymap::Action;
use warroom::step::check;
use warroom::step::target::DEPLOYMENT;

use super::at;
use super::cluster::{NAMESPACE, crashing, listing, node, notice, pod, revision, unready, workload};

type Told = Vec<(i64, Event)>;

const APP: &str = "medcontracthub-app";

pub const SOURCES: &[SourceId] = SourceId::ALL;

pub fn session() -> Session {
    Session {
        mode: Mode::Live,
        contexts: vec![ContextInfo {
            id: ContextId::MAIN,
            context: "prod-eu".into(),
            label: "prod-eu".into(),
            cluster: "https://10.0.0.1:6443".into(),
            read_only: false,
        }],
        namespaces: vec![NAMESPACE.into()],
        actor: "dana".into(),
        no_exec: false,
        arm_minutes: 15,
        guardrails: Vec::new(),
        threshold: 0.05,
        kafka: "exec".into(),
        thresholds: BTreeMap::new(),
        version: "0.1.0".into(),
    }
}

pub fn health(source: SourceId, state: SourceState, second: i64, error: Option<&str>) -> Event {
    Event::Health(SourceHealth {
        source,
        state,
        since: at(second),
        error: error.map(Clean::from),
        parts: Vec::new(),
    })
}

fn workloads() -> Vec<Workload> {
    let deploy = |name, ready, revision, release| {
        workload(Kind::Deployment, name, ready, Some(revision), Some(release))
    };
    vec![
        deploy(APP, (2, 2), 6, "v1.2.3"),
        deploy("ocr-service", (1, 1), 12, "v2.0.1"),
        deploy("ai-service", (1, 1), 4, "v0.9.4"),
        deploy("worker-service", (1, 1), 9, "v1.2.3"),
        deploy("analytics-service", (1, 1), 3, "v1.2.0"),
        deploy("realtime-service", (1, 1), 3, "v1.2.0"),
        workload(Kind::StatefulSet, "kafka", (1, 1), None, Some("3.9")),
        workload(Kind::StatefulSet, "postgres-primary", (1, 1), None, Some("17.2")),
    ]
}

/// The session begins and finds everything well.
pub fn calm() -> Told {
    let workloads = workloads();
    let pods = workloads.iter().flat_map(|w| (0..w.desired).map(|n| pod(w, n))).collect();
    let revisions = workloads
        .iter()
        .filter_map(|w| Some(revision(&w.meta.name, w.revision?, w.release.as_deref()?, -250_000)));
    let mut told = vec![(-1_000, Event::Started(session()))];
    told.extend(SOURCES.iter().map(|source| (-999, health(*source, SourceState::Live, -999, None))));
    told.extend(listing(-998, workloads.clone(), revisions.collect(), pods));
    told.extend((-900..=-5).step_by(5).map(|second| (second, rates(second, 0.004))));
    told.extend((-300..=-8).step_by(10).map(|second| (second, lag(second, 40))));
    told
}

fn rates(second: i64, failing: f64) -> Event {
    let wave = |n: i64| f64::from(i32::try_from((second / 5 + n * 7).rem_euclid(9)).unwrap());
    let service = |name: &str, ratio: f64, requests: f64| ServiceRate {
        service: name.into(),
        rate: Rate { errors: Some(ratio * requests), requests: Some(requests), ..Rate::default() },
    };
    let mut services = vec![
        service("ai-service", 0.0, 4.0),
        service("analytics-service", 0.001 * wave(1), 12.0),
        service(APP, failing + 0.0008 * wave(2), 120.0),
        service("realtime-service", 0.0006 * wave(3), 60.0),
        service("ocr-service", 0.0, 0.0),
    ];
    services.sort_by(|a, b| a.service.cmp(&b.service));
    Event::Rates(vec![RateSample { at: at(second), window: 30, services, errors_5m: Some(failing * 85.0) }])
}

/// The same after a rollback, with what was before: a day in coarse steps with a silence of four hours and a
/// spike of one step, an hour in fine ones with a silence of six minutes, and latency and saturation.
pub fn day() -> Told {
    let mut told = rolled_back();
    let asked = |signal, query: &str, unit, threshold| Asked { signal, query: query.into(), unit, threshold };
    let queries = vec![
        asked(
            Signal::Errors,
            "sum by (service) (rate(http_requests_total{status=~\"5..\"}[30s]))",
            Unit::PerSecond,
            None,
        ),
        asked(Signal::Requests, "sum by (service) (rate(http_requests_total[30s]))", Unit::PerSecond, None),
        asked(
            Signal::Latency,
            "histogram_quantile(0.95, sum by (service, le) (rate(b[30s])))",
            Unit::Seconds,
            Some(0.5),
        ),
    ];
    told.push((-998, Event::RateQueries(queries)));
    let history = |tier: Tier, first: i64, behind: i64, share: &dyn Fn(i64) -> Option<f64>| {
        let first = tier.place(at(first));
        let behind = tier.place(at(behind));
        let second = |place: i64| (tier.at(place) - at(0)).num_seconds();
        let shares: Vec<_> = (first..behind).map(|place| share(second(place))).collect();
        let traffic = |place: i64| 100.0 + f64::from(i32::try_from(place.rem_euclid(40)).unwrap());
        let requests =
            (first..behind).zip(&shares).map(|(place, share)| share.map(|_| traffic(place))).collect();
        let latency = shares.iter().map(|share| share.map(|share| 0.2 + share * 2.0)).collect();
        let service = ServiceHistory { service: APP.into(), lines: [shares, requests, latency, vec![]] };
        Event::RateHistory(RateHistory { tier, first, services: vec![service] })
    };
    let hour = |second: i64| {
        (!(-2_400..-2_040).contains(&second)).then_some(if second < -3_000 { 0.03 } else { 0.01 })
    };
    let day = |second: i64| match second {
        -60_000..-45_600 => None,
        -30_120..-30_000 => Some(0.6),
        _ => Some(0.004),
    };
    told.push((-890, history(Tier::Fine, -3_600, -900, &hour)));
    told.push((-889, history(Tier::Coarse, -86_400, -3_600, &day)));
    told
}

fn lag(second: i64, records: i64) -> Event {
    // A consumer that nobody runs commits nothing; one that keeps up is now a little nearer to the end, now a
    // little farther.
    let offset = (second + 1_000) * 100;
    let wave = second.rem_euclid(3);
    let group = |name: &str, members: u32, records: i64| GroupLag {
        group: name.into(),
        members: Some(members),
        partitions: vec![PartitionLag {
            topic: "documents".into(),
            partition: 0,
            committed: Some(if members > 0 { offset } else { 50_000 }),
            end: Some(if members > 0 { offset + records + wave } else { 50_000 + records }),
            start: Some(0),
            client: (members > 0).then(|| "kgo".into()),
            host: (members > 0).then(|| "10.244.0.9".into()),
        }],
    };
    let never = GroupLag {
        group: "audit-export".into(),
        members: Some(1),
        partitions: vec![PartitionLag { topic: "audit".into(), end: Some(9_000), ..PartitionLag::default() }],
    };
    let mut groups =
        vec![group("worker-service", 1, records), group("analytics", 2, (-second).max(0)), never];
    if records > 1_000 {
        groups.push(group("search-index", 0, 4_018));
    }
    Event::Lag { at: at(second), groups }
}

/// A release fails a quarter of its requests, a crash loop, a probe that fails, and a lag that grows.
pub fn release() -> Told {
    let mut told = calm();
    told.retain(|(second, event)| {
        !(*second > -400 && matches!(event, Event::Rates(_)) || matches!(event, Event::Lag { .. }))
    });
    let bad = workload(Kind::Deployment, APP, (2, 2), Some(7), Some("v1.3.0"));
    let cluster = |event| Event::Cluster(event);
    told.push((-420, cluster(ClusterEvent::Revisions(vec![revision(APP, 7, "v1.3.0", -420)]))));
    told.push((-419, cluster(ClusterEvent::Workloads(vec![bad]))));
    let share = |second: i64| {
        if second < -380 {
            0.1
        } else {
            0.24 + f64::from(i32::try_from(second.rem_euclid(7)).unwrap()) / 900.0
        }
    };
    told.extend((-399..=-4).step_by(5).map(|second| (second, rates(second, share(second)))));
    told.push((-390, alert()));
    let broken =
        |name: &str, revision| workload(Kind::Deployment, name, (0, 1), Some(revision), Some("v2.0.1"));
    let ocr = broken("ocr-service", 12);
    let ai = broken("ai-service", 4);
    let looping = crashing(pod(&ocr, 0));
    let probed = unready(pod(&ai, 0));
    let notices = vec![
        notice(
            &looping.meta,
            "BackOff",
            "Back-off restarting failed container app in pod ocr-service-12-0",
            14,
            -12,
        ),
        notice(&looping.meta, "Failed", "Error: exit status 1", 6, -41),
    ];
    told.push((-300, cluster(ClusterEvent::Workloads(vec![ocr, ai]))));
    told.push((-299, cluster(ClusterEvent::Pods(vec![Arc::new(looping), Arc::new(probed)]))));
    told.push((-298, cluster(ClusterEvent::Notices(notices))));
    told.extend((-598..=-8).step_by(10).map(|second| (second, lag(second, ((second + 598) * 21).max(40)))));
    told.push((
        -200,
        Event::Operator(Operator::Entered {
            purpose: Purpose::Note,
            text: "customers cannot upload contracts".into(),
        }),
    ));
    told.push((-180, Event::Operator(Operator::Did(Action::Arm))));
    told
}

fn alert() -> Event {
    let labels = [("service", APP), ("severity", "critical")].map(|(k, v)| (Clean::new(k), Clean::new(v)));
    Event::Alerts(vec![Alert {
        fingerprint: "f1".into(),
        name: "HighErrorRate".into(),
        labels: BTreeMap::from(labels),
        summary: Some("5xx above 5 %".into()),
        runbook: Some("https://runbooks.example/5xx".into()),
        generator: Some("http://prometheus:9090/graph?g0.expr=5xx".into()),
        state: "active".into(),
        since: at(-392),
        ..Alert::default()
    }])
}

/// A node stops with what is on it, images of a registry cannot be pulled; one of the alerts is silenced, a
/// note is pinned.
pub fn storm() -> Told {
    let mut told = release();
    let named = |name: &str| workload(Kind::Deployment, name, (0, 1), Some(1), Some("v1.0.0"));
    let on_node: Vec<Workload> = ["billing", "gateway", "search"].map(named).into();
    let pulling: Vec<Workload> = ["export", "import"].map(named).into();
    let stopped = on_node.iter().map(|w| Pod { node: Some("node-3".into()), ..unready(pod(w, 0)) });
    let unpulled = pulling.iter().map(|w| {
        let mut pod = crashing(pod(w, 0));
        pod.node = Some("node-1".into());
        pod.containers[0].last = None;
        pod.containers[0].state = ContainerState::Waiting {
            reason: Some("ImagePullBackOff".into()),
            message: Some("Back-off pulling image: 503 from registry.example".into()),
        };
        pod
    });
    let revisions =
        on_node.iter().chain(&pulling).map(|w| revision(&w.meta.name, 1, "v1.0.0", -400_000)).collect();
    let event = |event| Event::Cluster(event);
    let pods = stopped.chain(unpulled).map(Arc::new).collect();
    told.push((-161, event(ClusterEvent::Revisions(revisions))));
    told.push((-160, event(ClusterEvent::Nodes(vec![node(3, false)]))));
    told.push((-159, event(ClusterEvent::Workloads([on_node, pulling].concat()))));
    told.push((-158, event(ClusterEvent::Pods(pods))));
    told.push((-120, Event::Operator(Operator::Pinned { entry: 9, pinned: true })));
    told.push((-61, Event::Silences(vec![silence()])));
    told.push((-60, alerts()));
    told
}

fn silence() -> Silence {
    let matcher = |name: &str, value: &str| Matcher {
        name: name.into(),
        value: value.into(),
        regex: false,
        equal: true,
    };
    Silence {
        id: "5f0c".into(),
        matchers: vec![matcher("alertname", "DiskFilling"), matcher("node", "node-2")],
        starts: at(-70),
        ends: at(3_530),
        by: "kim".into(),
        comment: "being resized [warroom 01KA]".into(),
        active: true,
    }
}

fn alerts() -> Event {
    let labels = |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| (Clean::new(k), Clean::new(v))).collect();
    let high = |fingerprint: &str, service: &str, second: i64| Alert {
        fingerprint: fingerprint.into(),
        name: "HighErrorRate".into(),
        labels: labels(&[("alertname", "HighErrorRate"), ("service", service), ("severity", "critical")]),
        summary: Some(format!("{service} fails more than 5 % of its requests").into()),
        description: Some(
            "A share above 5 % for 5 minutes spends a month's error budget in two days.".into(),
        ),
        runbook: Some("https://runbooks.example/high-error-rate".into()),
        generator: Some("https://prometheus.example/graph?g0.expr=ratio".into()),
        state: "active".into(),
        since: at(second),
        ..Alert::default()
    };
    let disk = Alert {
        fingerprint: "f9".into(),
        name: "DiskFilling".into(),
        labels: labels(&[("alertname", "DiskFilling"), ("node", "node-2"), ("severity", "warning")]),
        state: "suppressed".into(),
        silenced_by: vec!["5f0c".into()],
        since: at(-8_000),
        ..Alert::default()
    };
    Event::Alerts(vec![high("f1", APP, -392), high("f2", "gateway", -80), disk])
}

/// The same, and a rollback that was confirmed, applied and verified; another change is being verified.
pub fn rolled_back() -> Told {
    let mut told = release();
    told.retain(|(second, event)| !(*second > -120 && matches!(event, Event::Rates(_))));
    let back = |second: i64| {
        if second < -95 {
            0.24
        } else {
            (0.24 - 0.006 * f64::from(i32::try_from(second + 95).unwrap())).max(0.004)
        }
    };
    told.extend((-119..=-4).step_by(5).map(|second| (second, rates(second, back(second)))));
    let intent = plan().intent;
    told.push((-100, Event::Intent(Box::new(intent.clone()))));
    told.push((
        -99,
        Event::Outcome {
            intent: intent.id,
            outcome: Outcome::Applied { generation: 4, writes: 1, by_reading: false },
        },
    ));
    let mut good = workload(Kind::Deployment, APP, (2, 2), Some(8), Some("v1.2.3"));
    good.generation = 4;
    good.observed = 4;
    told.push((-98, Event::Cluster(ClusterEvent::Revisions(vec![revision(APP, 8, "v1.2.3", -98)]))));
    told.push((-60, Event::Cluster(ClusterEvent::Workloads(vec![good]))));
    let scaling = Intent {
        id: Ulid::from_parts(3, 3),
        title: "scale worker-service 1 → 10".into(),
        target: Target {
            name: "worker-service".into(),
            uid: "uid-worker-service".into(),
            ..intent.target.clone()
        },
        checks: vec![check::ready(Kind::Deployment, "uid-worker-service".into(), 10)],
        ..intent
    };
    let applied = Outcome::Applied { generation: 4, writes: 1, by_reading: false };
    told.push((-24, Event::Intent(Box::new(scaling.clone()))));
    told.push((-23, Event::Outcome { intent: scaling.id, outcome: applied }));
    told
}

/// A consumer group with every sort of partition.
pub fn partitions() -> Told {
    let mut told = release();
    let partition =
        |topic: &str, partition, committed: Option<i64>, end, client: Option<&str>| PartitionLag {
            topic: topic.into(),
            partition,
            committed,
            end: Some(end),
            start: Some(88_000),
            client: client.map(Clean::from),
            host: client.map(|_| "10.244.0.9".into()),
        };
    let partitions = vec![
        partition("audit-v1", 0, Some(90_400), 214_000, None),
        partition("documents", 0, Some(99_300), 112_000, Some("kgo")),
        partition("documents", 1, Some(87_200), 112_400, Some("kgo")),
        partition("documents", 2, None, 112_000, Some("kgo")),
        partition("documents", 10, Some(112_431), 112_431, Some("kgo")),
    ];
    let group = GroupLag { group: "worker-service".into(), members: Some(1), partitions };
    told.push((-6, Event::Lag { at: at(-6), groups: vec![group] }));
    told
}

/// The sources fall silent one after another, and the disk is full.
pub fn deaf() -> Told {
    let mut told = release();
    told.retain(|(second, event)| !(*second > -90 && matches!(event, Event::Rates(_) | Event::Lag { .. })));
    told.push((
        -100,
        health(
            SourceId::Nodes,
            SourceState::Blind,
            -999,
            Some("nodes is forbidden (403): ask for list and watch"),
        ),
    ));
    told.push((-80, health(SourceId::Prometheus, SourceState::Stale, -90, Some("no answer within 5 s"))));
    told.push((-70, health(SourceId::Kafka, SourceState::Down, -70, Some("connection refused"))));
    told.push((-60, Event::JournalTrouble(Some("no space left on device".into()))));
    told
}

/// A rollback, prepared: nothing in its way.
pub fn plan() -> Plan {
    let call = |revision: &str| {
        StepCall::new(
            "rollout-undo",
            [("deployment", APP), ("revision", revision)].map(|(k, v)| (k.into(), v.into())).into(),
        )
    };
    let line = |sign, text: &str| DiffLine { sign, text: text.into() };
    let target = Target {
        cluster: "https://10.0.0.1:6443".into(),
        identity: "uid:eu".into(),
        context: Clean::default(),
        kind: "deployment".into(),
        namespace: NAMESPACE.into(),
        name: APP.into(),
        uid: format!("uid-{APP}").into(),
    };
    Plan {
        intent: Intent {
            id: Ulid::from_parts(2, 2),
            call: call("6"),
            title: format!("roll back {APP} to rev 6 (v1.2.3)").into(),
            danger: Danger::Change,
            ops: vec![Op::Write(write(&target))],
            target,
            checks: vec![
                check::rollout(Kind::Deployment, format!("uid-{APP}").into()),
                check::errors_below(APP, 0.05),
            ],
            verify_within: 120,
            undo: Some(call("7")),
            command: Command::plain(format!(
                "kubectl -n {NAMESPACE} rollout undo deployment/{APP} --to-revision=6"
            )),
            actor: "dana".into(),
        },
        diff: vec![
            line(Sign::Keep, "spec.template.spec.containers[app].env"),
            line(Sign::Remove, "  APP_VERSION  v1.3.0"),
            line(Sign::Add, "  APP_VERSION  v1.2.3"),
        ],
        dry_run: DryRun::Accepted,
        rights: vec![Right { allowed: Allowed::Yes, ..DEPLOYMENT.right("patch", "", NAMESPACE, APP) }],
        facts: vec![Fact::warn(
            "owner",
            "Helm release medcontracthub: the next upgrade may bring rev 7 back",
        )],
        touches: "2 of 2 ready pods, one at a time · 100 % of this service's traffic".into(),
        naming: None,
    }
}

fn write(target: &Target) -> Write {
    let path: Clean = format!("/apis/apps/v1/namespaces/{NAMESPACE}/deployments/{APP}").into();
    Write {
        server: Server::Cluster,
        target: target.clone(),
        method: "PATCH".into(),
        path: path.clone(),
        content_type: "application/json-patch+json".into(),
        body: Sealed::Open(serde_json::json!([])),
        expect: Expectation {
            made: Made::Values,
            path,
            values: BTreeMap::new(),
            before: BTreeMap::new(),
            managed_before: None,
            generation_before: 1,
        },
    }
}

/// A silence, prepared: Alertmanager tries nothing.
pub fn silencing() -> Plan {
    let add = |text: &str| DiffLine { sign: Sign::Add, text: text.into() };
    let mut plan = plan();
    plan.intent.title = "silence HighErrorRate for 1h".into();
    plan.intent.target = Target {
        kind: "silence".into(),
        namespace: Clean::default(),
        name: "HighErrorRate".into(),
        ..plan.intent.target.clone()
    };
    let server = Server::Alertmanager("http://alertmanager.example:9093".into());
    plan.intent.ops = vec![Op::Write(Write {
        server,
        method: "POST".into(),
        path: "/api/v2/silences".into(),
        ..write(&plan.intent.target)
    })];
    plan.intent.undo = Some(StepCall::new("unsilence", [("silence".into(), "01KA".into())].into()));
    plan.intent.command = Command::plain(
        "amtool --alertmanager.url=http://alertmanager.example:9093 silence add alertname=HighErrorRate",
    );
    plan.dry_run = DryRun::None("Alertmanager knows none".into());
    plan.diff = [
        "alertname=\"HighErrorRate\"",
        "service=\"gateway\"",
        "until  2026-11-23 15:46:32 UTC  by dana",
        "because  known",
    ]
    .map(add)
    .into();
    plan.touches = "silences 1 of 2 firing alerts: gateway; and every later one with these labels".into();
    plan.rights = vec![];
    plan.facts = vec![];
    plan
}

/// A change that takes a service away, refused by the server: the name must be typed.
pub fn refused_plan() -> Plan {
    let mut plan = plan();
    plan.dry_run = DryRun::Refused(
        "admission webhook \"policy\" denied the request: replicas must be at least 1".into(),
    );
    plan.diff = vec![];
    plan.rights[0].allowed = Allowed::No("".into());
    plan.intent.undo = None;
    plan.naming = Some(Naming { why: "it takes the service away".into(), lasting: false });
    plan
}
