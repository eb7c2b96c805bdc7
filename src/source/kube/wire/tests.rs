//! Objects as real API servers write them.

use super::*;
use crate::event::{ContainerState, PodPhase};
use crate::state::{Diagnosis, Severity, diagnose};

fn fact<T: Object>(text: &str) -> T::Fact {
    serde_json::from_str::<T>(text).unwrap().fact(&mut Names::default())
}

/// From the bed: the second of a crash loop, between two runs.
const CRASHED: &str = r#"{"metadata":{"name":"ocr-service-696dc656dd-gfpcc","generateName":"ocr-service-696dc656dd-","namespace":"medcontract-prod",
"uid":"418a10e4-cb3a-4fb4-a7c8-d7e7760c444e","resourceVersion":"1374","generation":1,"creationTimestamp":"2026-11-23T06:21:57Z",
"labels":{"app":"ocr-service","pod-template-hash":"696dc656dd"},"annotations":{"prometheus.io/scrape":"true"},"ownerReferences":[
{"apiVersion":"x/v1","kind":"Other","name":"other","uid":"0"},{"apiVersion":"apps/v1","blockOwnerDeletion":true,"controller":true,
"kind":"ReplicaSet","name":"ocr-service-696dc656dd","uid":"f76455dd"}],"managedFields":[{"manager":"kubelet","fieldsV1":{"f:status":{}}}]},
"spec":{"nodeName":"bed","containers":[{"name":"ocr-service","image":"localhost/box:1","env":[{"name":"FAULT"}]}],"tolerations":[]},
"status":{"phase":"Running","conditions":[{"type":"PodScheduled","status":"True","lastProbeTime":null},{"type":"Ready","status":"False",
"lastProbeTime":null,"message":"containers with unready status: [ocr-service]","reason":"ContainersNotReady"}],"containerStatuses":[
{"name":"ocr-service","ready":false,"restartCount":2,"started":false,"lastState":{"terminated":{"exitCode":1,"finishedAt":"2026-11-23T06:22:19Z",
"reason":"Error","startedAt":"2026-11-23T06:22:09Z"}},"state":{"waiting":{"message":"back-off 20s restarting failed container=ocr-service",
"reason":"CrashLoopBackOff"}}}],"qosClass":"Burstable"}}"#;

#[test]
fn a_crashing_pod_of_the_bed_is_read() {
    let pod = fact::<Pod>(CRASHED);
    let owner = pod.owner.as_ref().map(|owner| (owner.kind.as_str(), owner.name.as_str()));
    assert_eq!(owner, Some(("ReplicaSet", "ocr-service-696dc656dd")));
    assert_eq!(
        (pod.node.as_deref(), pod.phase, pod.ready, pod.containers.len()),
        (Some("bed"), PodPhase::Running, false, 1)
    );
    assert_eq!(pod.message.as_deref(), Some("containers with unready status: [ocr-service]"));
    let container = &pod.containers[0];
    assert_eq!((container.restarts, container.image.as_str(), container.init), (2, "localhost/box:1", false));
    let at = "2026-11-23T06:22:19Z".parse().ok();
    let ended = ContainerState::Terminated { reason: Some("Error".into()), exit: 1, at, message: None };
    assert_eq!(container.last.as_deref(), Some(&ended));
    let expected = Diagnosis {
        severity: Severity::Critical,
        status: "CrashLoopBackOff".into(),
        why: Some("exit 1".into()),
    };
    assert_eq!(diagnose(&pod), expected);
}

#[test]
fn a_pod_that_a_kubelet_rejects_is_called_as_kubectl_calls_it() {
    for (reason, message) in [
        ("OutOfcpu", "Node didn't have enough resource: cpu"),
        ("Evicted", "The node was low on resource: memory"),
    ] {
        let pod = fact::<Pod>(&format!(
            r#"{{"metadata":{{"name":"p","uid":"1"}},"spec":{{"nodeName":"bed","initContainers":[{{"name":"i","image":"i"}}],
            "containers":[{{"name":"app","image":"a"}}]}},"status":{{"phase":"Failed","reason":"{reason}","message":"{message}"}}}}"#
        ));
        let expected =
            Diagnosis { severity: Severity::Critical, status: reason.into(), why: Some(message.into()) };
        assert_eq!(diagnose(&pod), expected);
    }
}

#[test]
fn the_last_words_of_the_last_run_are_told() {
    let of = |reason: &str, exit: i32, message: &str| {
        let run =
            format!(r#"{{"terminated":{{"exitCode":{exit},"reason":"{reason}","message":"{message}"}}}}"#);
        let pod = fact::<Pod>(&format!(
            r#"{{"metadata":{{"name":"p","uid":"1"}},"spec":{{"nodeName":"bed","containers":[{{"name":"app","image":"a"}}]}},"status":{{"phase":
            "Running","containerStatuses":[{{"name":"app","lastState":{run},"state":{{"waiting":{{"reason":"CrashLoopBackOff"}}}}}}]}}}}"#
        ));
        diagnose(&pod).why.map(|why| why.to_string()).unwrap_or_default()
    };
    let runc = r#"runc create failed: unable to start container process: exec: \"/nope\": stat /nope: no such file or directory"#;
    assert_eq!(
        of("StartError", 128, runc),
        r#"StartError, exit 128: exec: "/nope": stat /nope: no such file or directory"#
    );
    assert_eq!(of("Error", 1, r"starting\npanic: no DATABASE_URL\n"), "exit 1: panic: no DATABASE_URL");
    assert_eq!(of("Error", 1, r"\n"), "exit 1");
    let long = of("Error", 1, &"x".repeat(4096));
    assert!(long.starts_with("exit 1: …xxx") && long.chars().count() < 420, "{long}");
}

#[test]
fn sidecars_are_containers_and_other_init_containers_are_not() {
    let text = r#"{"metadata":{"name":"p","uid":"1"},"spec":{"initContainers":[{"name":"migrate","image":"m"},
        {"name":"mesh","image":"s","restartPolicy":"Always"}],"containers":[{"name":"app","image":"a"}]},
        "status":{"phase":"Pending","initContainerStatuses":[{"name":"mesh","ready":true,"restartCount":3,"state":{"running":{"startedAt":null}}}]}}"#;
    let pod = fact::<Pod>(text);
    let all: Vec<_> = pod.containers.iter().map(|c| (c.name.as_str(), c.init, c.restarts)).collect();
    assert_eq!(all, [("migrate", true, 0), ("mesh", false, 3), ("app", false, 0)]);
    assert_eq!(pod.containers[1].state, ContainerState::Running { since: None });
}

#[test]
fn the_words_of_the_scheduler_and_of_an_eviction_are_kept() {
    let unscheduled = fact::<Pod>(
        r#"{"metadata":{"name":"p","uid":"1"},"spec":{"containers":[{"name":"app","image":"a"}]},"status":{"phase":"Pending","conditions":[
        {"type":"PodScheduled","status":"False","reason":"Unschedulable","message":"0/1 nodes are available: 1 Insufficient memory."}]}}"#,
    );
    assert_eq!((unscheduled.reason.as_deref(), unscheduled.node.as_deref()), (None, None));
    assert_eq!(unscheduled.message.as_deref(), Some("0/1 nodes are available: 1 Insufficient memory."));
    let evicted = fact::<Pod>(
        r#"{"metadata":{"name":"p","uid":"1","deletionTimestamp":"2026-11-23T06:00:00Z"},"spec":{},"status":{"phase":"Failed",
        "reason":"Evicted","message":"The node was low on resource: \u001b[31mmemory"}}"#,
    );
    assert_eq!((evicted.phase, evicted.reason.as_deref()), (PodPhase::Failed, Some("Evicted")));
    assert_eq!(evicted.message.as_deref(), Some("The node was low on resource: ␛[31mmemory"));
    assert!(evicted.meta.deleting.is_some());
}

/// Metadata, labels of the template, environment of its first container, image, conditions.
fn deployment(meta: &str, labels: &str, env: &str, image: &str, conditions: &str) -> event::Workload {
    fact::<Deployment>(&format!(
        r#"{{"metadata":{{"name":"app-v2","namespace":"n","uid":"1","generation":3,{meta}}},"spec":{{"replicas":4,"paused":true,"template":{{
        "metadata":{{"creationTimestamp":null,"labels":{{{labels}}}}},"spec":{{"containers":[{{"image":"{image}","env":[{env}]}}]}}}}}},
        "status":{{"observedGeneration":2,"replicas":5,"updatedReplicas":1,"readyReplicas":3,"conditions":[{conditions}]}}}}"#
    ))
}

#[test]
fn a_deployment_is_read() {
    let app = deployment(
        r#""annotations":{"deployment.kubernetes.io/revision":"7"},"labels":{"app":"app"}"#,
        "",
        "",
        "app:1",
        "",
    );
    assert_eq!((app.desired, app.replicas, app.updated, app.ready), (4, 5, 1, 3));
    assert_eq!(
        (app.generation, app.observed, app.revision, app.paused, app.stuck),
        (3, 2, Some(7), true, None)
    );
    assert_eq!((app.service.as_str(), app.kind), ("app", Kind::Deployment));
}

#[test]
fn the_service_and_the_release_are_found_where_people_write_them() {
    let recommended = deployment(r#""labels":{"app.kubernetes.io/name":"shop"}"#, "", "", "app", "");
    assert_eq!(recommended.service, "shop");
    assert_eq!(deployment(r#""labels":null"#, "", "", "app", "").service, "app-v2");
    let release = |labels: &str, env: &str, image: &str| {
        deployment(r#""labels":{}"#, labels, env, image, "").release.map(|r| r.to_string())
    };
    let env = r#"{"name":"FAULT"},{"name":"APP_VERSION","value":"v1.2.3"}"#;
    let both = r#""app.kubernetes.io/version":"2.0","version":"v2""#;
    let cases = [
        (release(both, env, "app:1"), Some("2.0")),
        (release(r#""version":"v2""#, env, "app:1"), Some("v2")),
        (release("", env, "app:1"), Some("v1.2.3")),
        (release("", r#"{"name":"VERSION","value":"9"}"#, "app:1"), Some("9")),
        (release("", r#"{"name":"VERSION","valueFrom":{}}"#, "r.io:5000/x/app:1@sha256:00"), Some("1")),
        (release("", "", "r.io:5000/x/app"), None),
        (release("", "", "app:latest"), None),
        (release("", "", "app@sha256:00"), None),
    ];
    for (found, expected) in cases {
        assert_eq!(found.as_deref(), expected);
    }
}

#[test]
fn what_a_rollout_is_stuck_on_is_told() {
    let stuck =
        |conditions: &str| deployment(r#""labels":{}"#, "", "", "a", conditions).stuck.map(|s| s.to_string());
    let late = r#"{"type":"Progressing","status":"False","reason":"ProgressDeadlineExceeded","message":"ReplicaSet has timed out"}"#;
    let quota =
        r#"{"type":"ReplicaFailure","status":"True","reason":"FailedCreate","message":"exceeded quota"}"#;
    assert_eq!(stuck(late).as_deref(), Some("ProgressDeadlineExceeded"));
    assert_eq!(stuck(&format!("{late},{quota}")).as_deref(), Some("exceeded quota"));
    assert_eq!(stuck(r#"{"type":"Progressing","status":"True","reason":"NewReplicaSetAvailable"}"#), None);
}

#[test]
fn a_revision_is_read() {
    let text = |own: &str, template: &str| {
        format!(
            r#"{{"metadata":{{"name":"app-1","uid":"2","annotations":{{"deployment.kubernetes.io/revision":"6"{own}}},"ownerReferences":[{{"kind":"Deployment",
            "name":"app","uid":"1","controller":true}}]}},"spec":{{"replicas":0,"template":{{"metadata":{{"annotations":{{{template}}}}},
            "spec":{{"containers":[{{"image":"a:2"}},{{"image":"b"}}]}}}}}},"status":{{"replicas":0}}}}"#
        )
    };
    let revision = fact::<ReplicaSet>(&text(r#","kubernetes.io/change-cause":"v2""#, ""));
    assert_eq!(
        (revision.number, revision.desired, revision.ready, revision.cause.as_deref()),
        (6, 0, 0, Some("v2"))
    );
    assert_eq!((revision.release.as_deref(), revision.images), (Some("2"), vec!["a:2".into(), "b".into()]));
    let revision = fact::<ReplicaSet>(&text("", r#""kubernetes.io/change-cause":"of the template""#));
    assert_eq!(revision.cause.as_deref(), Some("of the template"));
}

#[test]
fn a_node_that_does_not_answer_is_unknown_and_not_unready() {
    let node = |status: &str| {
        fact::<Node>(&format!(
            r#"{{"metadata":{{"name":"n","uid":"1"}},"spec":{{"unschedulable":true}},"status":{{"conditions":[{{"type":"DiskPressure","status":"True"}},
            {{"type":"Ready","status":"{status}","message":"said"}}]}}}}"#
        ))
    };
    let all = ["True", "False", "Unknown"]
        .map(|status| (node(status).ready, node(status).message.is_some(), node(status).cordoned));
    assert_eq!(all, [(Some(true), false, true), (Some(false), true, true), (None, true, true)]);
}

#[test]
fn notices_of_the_old_and_of_the_new_kind_are_read() {
    let old = fact::<Event>(
        r#"{"metadata":{"name":"e","namespace":"n","uid":"1","creationTimestamp":"2026-11-23T05:00:00Z"},"involvedObject":{"kind":"Pod","name":"p",
        "uid":"9"},"reason":"BackOff","message":"Back-off","type":"Warning","count":12,"lastTimestamp":"2026-11-23T05:44:50Z","eventTime":null}"#,
    );
    assert_eq!(
        (old.about_kind.as_str(), old.about.as_str(), old.about_uid.id(), old.warning, old.count),
        ("Pod", "p", "9", true, 12)
    );
    assert_eq!(old.last.to_rfc3339(), "2026-11-23T05:44:50+00:00");
    let new = fact::<Event>(
        r#"{"metadata":{"name":"e","uid":"1","creationTimestamp":"2026-11-23T05:00:00Z"},"involvedObject":{"kind":"Node","name":"bed"},"type":"Normal",
        "lastTimestamp":null,"eventTime":"2026-11-23T05:01:00.123456Z","series":{"count":3,"lastObservedTime":"2026-11-23T05:02:00.000000Z"}}"#,
    );
    assert_eq!(
        (new.count, new.warning, new.last.to_rfc3339()),
        (3, false, "2026-11-23T05:02:00+00:00".into())
    );
}
