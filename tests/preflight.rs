//! What is found out before a person is asked, when it cannot be found out: it is told as unknown with why,
//! and is neither nothing nor a refusal. And what preparing leaves behind: nothing.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use std::time::Duration;

use axum::http::Method;
use warroom::config::{Endpoint, ReadOnly};
use warroom::event::{Allowed, DryRun, Plan, Refusal, StepCall, Weight};
use warroom::keymap::Action;
use warroom::runtime::headless::Headless;
use warroom::session::SessionConfig;
use warroom::sim::Identity;
use warroom::sim::fault::Malformed;
use warroom::sim::fault::{Fault, When};
use warroom::sim::scenario::Scenario;
use warroom::state::{Page, Stage};

use support::{LIMIT, Room, Setup, prepare};

const POD: &str = r#"{"kind":"Pod","apiVersion":"v1","metadata":{"name":"x","namespace":"y","uid":"z"}}"#;

/// What preparing asks, beside the object itself.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Asked {
    Revisions,
    Autoscalers,
    DryRun,
    Review,
    Cluster,
}

const ALL: [Asked; 5] = [Asked::Revisions, Asked::Autoscalers, Asked::DryRun, Asked::Review, Asked::Cluster];

const FAILURES: [Fault; 6] = [
    Fault::Status { code: 403, applied: false },
    Fault::Status { code: 429, applied: false },
    Fault::Status { code: 500, applied: false },
    Fault::Hang { applied: false },
    Fault::Malformed(Malformed::Garbage),
    Fault::Reply { status: 200, content_type: "application/json", body: POD, applied: false },
];

impl Asked {
    fn fails(self, room: &Room, fault: Fault) {
        let (method, path) = match self {
            Self::Revisions => (Method::GET, "/replicasets?labelSelector"),
            Self::Autoscalers => (Method::GET, "/horizontalpodautoscalers"),
            Self::DryRun => (Method::PATCH, "dryRun=All"),
            Self::Review => (Method::POST, "/selfsubjectaccessreviews"),
            Self::Cluster => (Method::GET, "/namespaces/kube-system"),
        };
        room.sim.faults().on(method, path, When::Always, fault);
    }

    fn label(self) -> &'static str {
        match self {
            Self::Revisions => "undo",
            Self::Autoscalers => "autoscaler",
            Self::DryRun => "dry run",
            Self::Review => "permission",
            Self::Cluster => "cluster",
        }
    }
}

fn call(step: &str, inputs: &[(&str, &str)]) -> StepCall {
    StepCall::new(step, inputs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect())
}

fn set_env() -> StepCall {
    call("set-env", &[("deployment", "worker-service"), ("env", "PREFETCH=2")])
}

/// What a plan does not know, each by its label and with why.
fn unknowns(plan: &Plan) -> Vec<(String, String)> {
    let facts = plan.facts.iter().filter(|fact| fact.weight == Weight::Unknown);
    let facts = facts.map(|fact| {
        (fact.label.to_string(), fact.words.strip_prefix("unknown, because ").unwrap().to_owned())
    });
    let rights = plan.rights.iter().filter_map(|right| match &right.allowed {
        Allowed::Unknown(why) => Some(("permission".to_owned(), why.to_string())),
        Allowed::Yes | Allowed::No(_) => None,
    });
    let tried = match &plan.dry_run {
        DryRun::Unknown(why) => Some(("dry run".to_owned(), why.to_string())),
        _ => None,
    };
    facts.chain(rights).chain(tried).collect()
}

/// What the server says no to is no, and not unknown.
fn is_an_answer(asked: Asked, fault: Fault) -> bool {
    fault == FAILURES[0] && matches!(asked, Asked::DryRun | Asked::Cluster)
}

#[tokio::test]
async fn what_cannot_be_read_is_unknown_and_all_else_is_not() {
    let mut room =
        Room::open(1, Scenario::Calm, |wanted| SessionConfig { deadline: Duration::from_secs(2), ..wanted })
            .await;
    for asked in ALL {
        for fault in FAILURES {
            asked.fails(&room, fault);
            let plan = room.session.prepare(set_env(), LIMIT).await.unwrap();
            room.sim.faults().clear();
            let what = format!("{asked:?} {fault:?}: {plan:?}");
            let unknown = unknowns(&plan);
            if is_an_answer(asked, fault) {
                assert_eq!(unknown, [], "{what}");
                assert_eq!(plan.obstacle().is_some(), asked == Asked::DryRun, "{what}");
                continue;
            }
            assert_eq!(
                unknown.iter().map(|(label, _)| label.as_str()).collect::<Vec<_>>(),
                [asked.label()],
                "{what}"
            );
            assert!(!unknown[0].1.is_empty() && plan.obstacle().is_none(), "{what}");
            assert!(!plan.diff.is_empty(), "what would change is worked out here: {what}");
            let doubt = plan
                .naming
                .as_ref()
                .map(|naming| naming.why.starts_with("it may not be possible to undo it: "));
            let revisions = asked == Asked::Revisions;
            assert_eq!((plan.intent.undo.is_none(), doubt), (revisions, revisions.then_some(true)), "{what}");
        }
    }
}

#[tokio::test]
async fn where_an_owner_cannot_be_read_nobody_knows_what_comes_back() {
    let mut room =
        Room::open(1, Scenario::Calm, |wanted| SessionConfig { deadline: Duration::from_secs(2), ..wanted })
            .await;
    let of = |pod: &serde_json::Value| pod["metadata"]["labels"]["app"] == "worker-service";
    let pod =
        room.sim.list("Pod").into_iter().find(of).unwrap()["metadata"]["name"].as_str().unwrap().to_owned();
    for fault in FAILURES {
        room.sim.faults().on(Method::GET, "/replicasets/", When::Always, fault);
        let plan = room.session.prepare(call("delete-pod", &[("pod", &pod)]), LIMIT).await.unwrap();
        room.sim.faults().clear();
        let unknown = unknowns(&plan);
        assert!(
            matches!(&unknown[..], [(label, why)] if label == "comes back" && why.contains("cannot be read")),
            "{fault:?}: {plan:?}"
        );
        assert!(plan.naming.as_ref().is_some_and(|naming| naming.lasting), "{fault:?}: {plan:?}");
    }
}

#[tokio::test]
async fn what_a_plan_cannot_be_without_is_refused_by_its_reason() {
    let mut room =
        Room::open(1, Scenario::Calm, |wanted| SessionConfig { deadline: Duration::from_secs(2), ..wanted })
            .await;
    for fault in FAILURES {
        room.sim.faults().on(Method::GET, "/deployments/worker-service", When::Always, fault);
        let refused = room.session.prepare(set_env(), LIMIT).await.unwrap_err();
        room.sim.faults().clear();
        let denied = fault == FAILURES[0];
        let says = if denied {
            "you may not read deployment worker-service"
        } else {
            "deployment worker-service in medcontract-prod cannot"
        };
        assert!(refused.reason().starts_with(says), "{fault:?}: {refused:?}");
        assert_eq!(matches!(refused, Refusal::Denied(_)), denied, "{fault:?}");

        Asked::Revisions.fails(&room, fault);
        let refused = room
            .session
            .prepare(call("rollout-undo", &[("deployment", "worker-service")]), LIMIT)
            .await
            .unwrap_err();
        room.sim.faults().clear();
        assert!(
            refused.reason().starts_with("the revisions of worker-service are not known, because "),
            "{fault:?}: {refused:?}"
        );
    }
    assert_eq!(room.writes(), []);
}

#[tokio::test]
async fn with_the_documented_rights_nothing_is_unknown() {
    let setup = Setup { identity: Identity::Documented, scenario: Scenario::BadRelease, ..Setup::default() };
    let mut room =
        Room::of(setup, |wanted| SessionConfig { alertmanager: Endpoint::default(), ..wanted }).await;
    assert!(room.until(|session| session.state().world.alerts.firing() > 0).await);
    let app = ("deployment", "medcontracthub-app");
    for planned in [
        call("rollout-undo", &[app]),
        call("scale", &[app, ("replicas", "4")]),
        call("set-env", &[app, ("env", "X=1")]),
        call("silence", &[("alert", "HighErrorRate"), ("for", "1h"), ("comment", "c")]),
    ] {
        let plan = prepare(&mut room.session, planned).await.unwrap();
        let silence = plan.intent.call.step.as_str() == "silence";
        assert_eq!(unknowns(&plan), [], "{plan:?}");
        assert!(
            plan.rights.iter().all(|right| right.allowed == Allowed::Yes)
                && silence == plan.rights.is_empty(),
            "{plan:?}"
        );
        assert_eq!(plan.dry_run == DryRun::Accepted, !silence, "{plan:?}");
        assert!(
            plan.facts.iter().all(|fact| fact.label != "cluster") && plan.obstacle().is_none(),
            "{plan:?}"
        );
        assert_eq!((plan.intent.undo.is_some(), plan.naming.is_some()), (true, false), "{plan:?}");
        if silence {
            let id = room.session.confirm(&plan);
            assert!(room.until(|session| session.run(id).unwrap().settled()).await);
            assert!(matches!(room.last().stage, Stage::Done(_)), "{:?}", room.last());
            let back = prepare(&mut room.session, plan.intent.undo.unwrap()).await.unwrap();
            assert_eq!((unknowns(&back), back.obstacle()), (Vec::new(), None), "{back:?}");
        }
    }
}

#[tokio::test]
async fn with_the_documented_rights_nothing_is_unknown_of_any_other_step() {
    let mut room =
        Room::of(Setup { identity: Identity::Documented, ..Setup::default() }, |wanted| wanted).await;
    let name = |kind: &str| room.sim.list(kind)[0]["metadata"]["name"].as_str().unwrap().to_owned();
    let node = name("Node");
    let pod = name("Pod");
    let check = call("exec-check", &[("workload", "medcontracthub-app"), ("command", "true")]);
    for (planned, reads) in [
        (call("restart", &[("workload", "medcontracthub-app")]), false),
        (call("restart", &[("workload", "statefulset/kafka")]), false),
        (call("cordon", &[("node", &node)]), false),
        (call("drain", &[("node", &node)]), false),
        (call("delete-pod", &[("pod", &pod)]), false),
        (check, true),
    ] {
        let plan = prepare(&mut room.session, planned).await.unwrap();
        assert_eq!((unknowns(&plan), plan.obstacle()), (Vec::new(), None), "{plan:?}");
        assert!(
            !plan.rights.is_empty() && plan.rights.iter().all(|right| right.allowed == Allowed::Yes),
            "{plan:?}"
        );
        assert_eq!(plan.dry_run == DryRun::Accepted, !reads, "{plan:?}");
    }
}

#[tokio::test]
async fn a_right_by_name_is_answered_for_the_object_that_is_meant() {
    let mut room = Room::of(Setup { identity: Identity::Named, ..Setup::default() }, |wanted| wanted).await;
    let right = |part: &str, name: &str| format!("patch deployments{part} {name} (apps) in medcontract-prod");
    for (name, may) in [("medcontracthub-app", true), ("ai-service", false)] {
        for (step, input, part) in [("scale", ("replicas", "3"), "/scale"), ("set-env", ("env", "X=1"), "")] {
            let plan = prepare(&mut room.session, call(step, &[("deployment", name), input])).await.unwrap();
            let rights: Vec<_> =
                plan.rights.iter().map(|right| (right.to_string(), right.allowed == Allowed::Yes)).collect();
            assert_eq!(rights, [(right(part, name), may)], "{plan:?}");
            assert_eq!(unknowns(&plan), [], "{plan:?}");
            let told = plan.obstacle().map(|refusal| refusal.reason().to_string());
            let says = format!(
                "you may not {}: ask for that right, or let somebody who has it do this",
                right(part, name)
            );
            assert_eq!(told, (!may).then_some(says));
        }
    }
}

#[tokio::test]
async fn a_session_that_only_reads_sends_no_dry_run_either() {
    let mut room =
        Room::open(1, Scenario::Calm, |wanted| SessionConfig { read_only: ReadOnly::Everywhere, ..wanted })
            .await;
    for planned in [set_env(), call("scale", &[("deployment", "worker-service"), ("replicas", "4")])] {
        let plan = prepare(&mut room.session, planned).await.unwrap();
        assert!(
            matches!(&plan.dry_run, DryRun::None(why) if why.starts_with("read-only"))
                && !plan.diff.is_empty(),
            "{plan:?}"
        );
        room.session.confirm(&plan);
        assert!(matches!(&room.settle().await.stage, Stage::NotSent(why) if why.starts_with("read-only")));
    }
    assert_eq!(room.sim.requests(), [], "neither a dry run nor a change");
}

/// Begins a step whose preparation meets a fault that is over once it was cancelled, or was not.
async fn cancelled(method: Method, path: &str, cancel: bool) -> Room {
    let mut room = Room::open(1, Scenario::Calm, |wanted| SessionConfig { deadline: LIMIT, ..wanted }).await;
    let reads = method == Method::GET;
    room.sim.faults().on(method, path, When::Nth(1), Fault::Hang { applied: true });
    room.command("set-env deployment=worker-service env=X=1");
    let sim = &room.sim;
    let waiting = |session: &Headless| {
        let form = matches!(session.state().screen.pages.last(), Some(Page::Form(form)) if form.waiting);
        form && (reads || !sim.requests().is_empty())
    };
    assert!(support::until(&mut room.session, &room.clock, Duration::from_millis(60), waiting).await);
    if cancel {
        room.press(Action::Cancel);
    }
    room.sim.faults().clear();
    room
}

#[tokio::test]
async fn what_was_cancelled_goes_no_further() {
    for (method, path, begun) in
        [(Method::GET, "/replicasets?labelSelector", 0), (Method::PATCH, "dryRun=All", 1)]
    {
        let mut room = cancelled(method.clone(), path, false).await;
        room.asked().await;
        assert_eq!(room.sim.requests().len(), 1, "{path}: it goes on where it is not cancelled");
        let mut room = cancelled(method, path, true).await;
        for _ in 0..50 {
            room.turn(Duration::from_millis(60)).await;
        }
        assert_eq!(
            (room.sim.requests().len(), &room.session.state().screen.pages[..]),
            (begun, &[][..]),
            "{path}"
        );
        assert_eq!(room.message(), "", "{path}");
    }
}
