use serde_json::json;

use super::*;
use crate::step::samples::{body, ctx, plan};

fn documents(all: &[Value]) -> Answer {
    let one = |(line, document): (usize, &Value)| json!({"line": line, "document": document});
    Answer::Found(all.iter().enumerate().map(one).collect())
}

fn page(data: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "page"}, "data": data})
}

fn core() -> Answer {
    let resource = |name: &str, kind: &str, namespaced: bool| json!({"name": name, "kind": kind, "namespaced": namespaced, "verbs": ["get", "patch"]});
    let all = [
        resource("configmaps", "ConfigMap", true),
        resource("namespaces", "Namespace", false),
        resource("pods/log", "Pod", true),
    ];
    Answer::Found(json!({"kind": "APIResourceList", "resources": all}))
}

fn held(data: &Value) -> Answer {
    let metadata = json!({"name": "page", "namespace": "ns", "uid": "u1", "generation": 2});
    Answer::Found(json!({"kind": "ConfigMap", "metadata": metadata, "data": data}))
}

fn apply(answers: &[Answer]) -> Result<Draft, String> {
    plan("apply-manifest", &[("file", "m.yaml")], answers)
}

#[test]
fn what_is_not_there_is_created_and_deleted_again_the_last_first() {
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "away", "resourceVersion": "7"}, "status": {}});
    let file = documents(&[namespace, page(&json!({"a": "1"}))]);
    let draft = apply(&[file, core(), Answer::Missing, Answer::Missing]).unwrap();
    let sent: Vec<String> = draft.requests.iter().map(|request| request.op.to_string()).collect();
    assert_eq!(sent, ["PATCH /api/v1/namespaces/away", "PATCH /api/v1/namespaces/ns/configmaps/page"]);
    assert_eq!(body(&draft)["metadata"], json!({"name": "away"}), "what a server wrote is left out");
    let objects = "/api/v1/namespaces/ns/configmaps/page,/api/v1/namespaces/away".to_owned();
    assert_eq!(draft.undo, Undo::Step { kind: "manifest-revert", inputs: vec![("objects", objects)] });
    assert_eq!((&*draft.target.name, draft.naming.is_some()), ("away", true), "it serves everybody");
    assert_eq!(
        draft.command.to_copy().unwrap(),
        "kubectl apply --server-side --field-manager=warroom -f m.yaml -n ns --context prod"
    );
}

#[test]
fn what_is_there_is_kept_first_and_guarded_by_its_identity() {
    let file = documents(&[page(&json!({"a": "1"}))]);
    let draft = apply(&[file.clone(), core(), held(&json!({"a": "0"}))]).unwrap();
    let [Op::Save(save), Op::Write(write)] = [&draft.requests[0].op, &draft.requests[1].op] else {
        panic!("{draft:?}")
    };
    let Sealed::Open(kept) = &save.body else { panic!("{save:?}") };
    assert_eq!(kept[0]["object"]["data"], json!({"a": "0"}));
    assert_eq!(save.file, format!("reverts/{}.json", ctx().id).as_str());
    let Sealed::Open(body) = &write.body else { panic!("{write:?}") };
    assert_eq!(body["metadata"]["uid"], "u1");
    let objects = ("objects", "/api/v1/namespaces/ns/configmaps/page".to_owned());
    let inputs = vec![objects, ("saved", ctx().id.to_string())];
    assert_eq!(draft.undo, Undo::Step { kind: "manifest-revert", inputs });
    let same = apply(&[file, core(), held(&json!({"a": "1", "more": "2"}))]).unwrap_err();
    assert_eq!(same, "nothing to do: all that m.yaml says is so already");
}

#[test]
fn a_list_is_its_items() {
    let list = json!({"apiVersion": "v1", "kind": "List", "items": [page(&json!({"a": "1"}))]});
    assert_eq!(apply(&[documents(&[list]), core(), Answer::Missing]).unwrap().requests.len(), 1);
}

#[test]
fn what_cannot_be_applied_is_refused_with_its_line() {
    let of = |documents: &[Value]| apply(&[self::documents(documents), core(), Answer::Missing]).unwrap_err();
    assert_eq!(of(&[]), "m.yaml holds no object");
    assert!(of(&[json!("text")]).starts_with("m.yaml:0: it is no object"));
    let mut wrong = page(&Value::Null);
    wrong["kind"] = json!("ConfigMpa");
    assert_eq!(of(&[wrong]), "m.yaml:0: no such kind \"ConfigMpa\"; did you mean \"ConfigMap\"? in v1");
    let mut away = page(&Value::Null);
    away["metadata"]["name"] = json!("../secrets/x");
    assert_eq!(of(&[away]), "m.yaml:0: its metadata.name is none");
    let twice = of(&[page(&Value::Null), page(&Value::Null)]);
    assert_eq!(twice, "m.yaml:1: ConfigMap page in ns stands in this file twice");
    let none = apply(&[documents(&[page(&Value::Null)]), Answer::Missing, Answer::Missing]).unwrap_err();
    assert_eq!(none, "m.yaml:0: this cluster serves no v1");
}

#[test]
fn reads_the_file_then_what_is_served_then_the_objects() {
    let inputs: Inputs = [("file", "m.yaml")].into_iter().collect();
    let next = |answers: &[Answer]| {
        let reads = ApplyManifest.reads(&inputs, answers, &ctx()).unwrap();
        reads.into_iter().map(|read| read.path).collect::<Vec<_>>()
    };
    let file = documents(&[page(&json!({"a": "1"}))]);
    assert_eq!(next(&[]), ["m.yaml"]);
    assert_eq!(next(std::slice::from_ref(&file)), ["/api/v1"]);
    assert_eq!(next(&[file.clone(), core()]), ["/api/v1/namespaces/ns/configmaps/page"]);
    assert_eq!(next(&[file, core(), Answer::Missing]), [] as [&str; 0]);
}
