use super::*;
use crate::event::{Op, Sealed, Weight};
use crate::step::samples::{ctx, plan};

fn node(cordoned: bool) -> Answer {
    let spec = if cordoned { json!({"unschedulable": true}) } else { json!({}) };
    Answer::Found(json!({"kind": "Node", "metadata": {"name": "n1", "uid": "n"}, "spec": spec}))
}

fn pod(name: &str, owner: &str) -> Value {
    let owner = json!([{"controller": true, "kind": "ReplicaSet", "name": owner, "uid": owner}]);
    json!({
        "metadata": {"name": name, "namespace": "ns", "uid": name, "labels": {"pod": name}, "ownerReferences": owner},
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]},
    })
}

fn list(kind: &str, items: &[Value]) -> Answer {
    Answer::Found(json!({"kind": kind, "items": items}))
}

/// The ReplicaSet of a Deployment.
fn set(name: &str, deployment: &str, ready: u64) -> Answer {
    let owner = json!([{"controller": true, "kind": "Deployment", "name": deployment}]);
    let metadata = json!({"name": name, "uid": name, "ownerReferences": owner});
    Answer::Found(json!({"kind": "ReplicaSet", "metadata": metadata, "status": {"readyReplicas": ready}}))
}

fn drain(answers: &[Answer]) -> Result<Draft, String> {
    plan("drain", &[("node", "n1")], answers)
}

fn sent(draft: &Draft) -> Vec<String> {
    draft.requests.iter().map(|request| request.op.to_string()).collect()
}

#[test]
fn the_node_is_cordoned_and_then_each_pod_evicted_by_its_identity() {
    let pods = list("PodList", &[pod("a-1", "a"), pod("b-1", "b"), pod("b-2", "b")]);
    let budgets = list("PodDisruptionBudgetList", &[]);
    let answers = [node(false), pods, budgets, set("a", "web", 1), set("b", "shop", 3)];
    let draft = drain(&answers).unwrap();
    let evict = |name: &str| format!("POST /api/v1/namespaces/ns/pods/{name}/eviction");
    assert_eq!(sent(&draft), ["PATCH /api/v1/nodes/n1".to_owned(), evict("a-1"), evict("b-1"), evict("b-2")]);
    let Op::Write(write) = &draft.requests[1].op else { panic!("{:?}", draft.requests[1]) };
    let Sealed::Open(body) = &write.body else { panic!("{write:?}") };
    assert_eq!(body["deleteOptions"]["preconditions"], json!({"uid": "a-1"}));
    assert_eq!(draft.requests.iter().map(|one| one.rights.len()).collect::<Vec<_>>(), [1, 1, 0, 0]);
    let facts: Vec<(Weight, &str)> =
        draft.facts.iter().map(|fact| (fact.weight, fact.words.as_str())).collect();
    assert_eq!(facts[0], (Weight::Warn, "Deployment web in ns, 1 of 1 ready pods: a-1"));
    assert_eq!(facts[1], (Weight::Plain, "Deployment shop in ns, 2 of 3 ready pods: b-1, b-2"));
    assert_eq!(
        draft.naming.unwrap().why,
        "Deployment web in ns left without a ready pod until others have started"
    );
    assert!(matches!(draft.undo, Undo::None(_)));
    let command = draft.command.to_copy().unwrap();
    assert_eq!(command, "kubectl drain n1 --ignore-daemonsets --context prod");
}

#[test]
fn what_a_budget_keeps_goes_last_and_is_told() {
    let budget = json!({
        "metadata": {"name": "keep", "namespace": "ns"}, "spec": {"selector": {"matchLabels": {"pod": "a-1"}}},
        "status": {"disruptionsAllowed": 0},
    });
    let pods = list("PodList", &[pod("a-1", "a"), pod("b-1", "b")]);
    let answers = [node(true), pods, list("PodDisruptionBudgetList", &[budget])];
    let draft = drain(&answers).unwrap();
    assert!(sent(&draft)[0].contains("/b-1/") && sent(&draft)[1].contains("/a-1/"), "{:?}", sent(&draft));
    let words: Vec<&str> = draft.facts.iter().map(|fact| fact.words.as_str()).collect();
    assert!(words.iter().any(|words| words.starts_with("PodDisruptionBudget keep allows 0 of")), "{words:?}");
    assert!(words[0].contains("of how many is not known"), "{words:?}");
}

#[test]
fn what_would_be_lost_keeps_all_of_it_from_being_done() {
    let mut alone = pod("alone", "a");
    alone["metadata"]["ownerReferences"] = json!([]);
    let answers = [node(false), list("PodList", &[pod("a-1", "a"), alone])];
    assert_eq!(
        drain(&answers).unwrap_err(),
        "n1 is not drained: nothing makes alone again (kubectl drain --force)"
    );
    let many: Vec<Value> = (0..=MOST).map(|number| pod(&format!("p-{number}"), "a")).collect();
    assert!(drain(&[node(false), list("PodList", &many)]).unwrap_err().contains("101 pods to evict"));
    let answers = [node(true), list("PodList", &[])];
    assert!(drain(&answers).unwrap_err().starts_with("nothing to do: n1 is cordoned already"));
    assert!(plan("drain", &[("node", "../pods")], &[]).unwrap_err().contains("is no node"));
}

#[test]
fn reads_the_owners_of_the_pods_that_go_once_each() {
    let mut daemon = pod("d-1", "d");
    daemon["metadata"]["ownerReferences"][0]["kind"] = json!("DaemonSet");
    let pods = list("PodList", &[pod("a-1", "a"), pod("a-2", "a"), daemon]);
    let answers = [node(false), pods, list("PodDisruptionBudgetList", &[])];
    let inputs: Inputs = [("node", "n1")].into_iter().collect();
    let next = |answers: &[Answer]| {
        let reads = Drain.reads(&inputs, answers, &ctx()).unwrap();
        reads.into_iter().map(|read| read.path).collect::<Vec<_>>()
    };
    assert_eq!(
        next(&[]),
        [
            "/api/v1/nodes/n1",
            "/api/v1/pods?fieldSelector=spec.nodeName%3Dn1",
            "/apis/policy/v1/poddisruptionbudgets",
        ]
    );
    assert_eq!(next(&answers), ["/apis/apps/v1/namespaces/ns/replicasets/a"]);
}
