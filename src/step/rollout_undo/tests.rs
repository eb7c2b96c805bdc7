use serde_json::{Value, json};

use crate::step::samples::{body, deployment, list, operations, plan, revision};
use crate::step::{Answer, Draft, Undo};

fn template(version: &str) -> Value {
    json!({"metadata": {"labels": {"app": "app"}}, "spec": {"containers": [{"name": "app", "image": "box:1", "env": [{"name": "APP_VERSION", "value": version}]}]}})
}

fn rev(number: u64, version: &str) -> Value {
    let mut revision = revision(number, &template(version));
    revision["metadata"]["annotations"]["note"] = json!(format!("n{number}"));
    revision
}

fn app() -> Value {
    let mut app = deployment(&template("v1.3.0"));
    app["metadata"]["annotations"] = json!({
        "deployment.kubernetes.io/revision": "7", "note": "n7", "kubectl.kubernetes.io/last-applied-configuration": "{}", "gone": "x",
    });
    app
}

fn undo(given: Option<&str>, app: Value, revisions: &[Value]) -> Result<Draft, String> {
    let inputs: Vec<(&str, &str)> =
        [("deployment", "app")].into_iter().chain(given.map(|revision| ("revision", revision))).collect();
    plan("rollout-undo", &inputs, &[Answer::Found(app), list(revisions)])
}

#[test]
fn goes_to_the_second_highest_revision_and_guards_all_that_it_replaces() {
    let mut other = rev(9, "v9");
    other["metadata"]["ownerReferences"][0]["uid"] = json!("other");
    let draft = undo(None, app(), &[rev(7, "v1.3.0"), rev(5, "v1.2.2"), rev(6, "v1.2.3"), other]).unwrap();
    let back = Undo::Step {
        kind: "rollout-undo",
        inputs: vec![("deployment", "app".into()), ("revision", "7".into())],
    };
    assert_eq!((draft.title.as_str(), &draft.undo), ("roll back app to rev 6 (v1.2.3)", &back));
    assert_eq!(
        draft.command.to_copy().unwrap(),
        "kubectl rollout undo deployment/app --to-revision=6 -n ns --context prod"
    );
    assert_eq!(
        operations(&draft),
        [
            "test /metadata/uid",
            "test /spec/template",
            "replace /spec/template",
            "test /metadata/annotations/gone",
            "remove /metadata/annotations/gone",
            "test /metadata/annotations/note",
            "add /metadata/annotations/note"
        ]
    );
    assert_eq!(body(&draft)[2]["value"], template("v1.2.3"), "without the hash label");
    assert_eq!((&body(&draft)[5]["value"], &body(&draft)[6]["value"]), (&json!("n7"), &json!("n6")));
}

#[test]
fn a_given_revision_must_exist_and_differ() {
    let of = |given| undo(Some(given), app(), &[rev(7, "v1.3.0"), rev(5, "v1.2.2")]);
    assert!(of("5").is_ok());
    assert_eq!(of("4").unwrap_err(), "app has no revision 4; it has 5, 7");
    assert_eq!(of("v5").unwrap_err(), "\"v5\" is no revision of app; it has 5, 7");
    assert_eq!(of("7").unwrap_err(), "nothing to do: app is already as in revision 7");
}

#[test]
fn refuses_what_kubectl_refuses_and_what_it_does_not_know() {
    let mut paused = app();
    paused["spec"]["paused"] = json!(true);
    assert!(
        undo(None, paused, &[rev(7, "v1.3.0"), rev(6, "v1.2.3")]).unwrap_err().starts_with("app is paused")
    );
    assert!(undo(None, app(), &[rev(7, "v1.3.0")]).unwrap_err().contains("no earlier revision"));
    let unknown = plan(
        "rollout-undo",
        &[("deployment", "app")],
        &[Answer::Found(app()), Answer::Unknown("forbidden".into())],
    );
    assert_eq!(unknown.unwrap_err(), "the revisions of app are not known, because forbidden");
}

#[test]
fn what_cannot_be_taken_back_says_so() {
    let draft = undo(None, app(), &[rev(7, "v1.2.9"), rev(6, "v1.2.3")]).unwrap();
    assert_eq!(draft.undo, Undo::None("no revision holds the present template".into()));
    assert!(draft.naming.is_some_and(|naming| naming.lasting));
    let mut forgetful = app();
    forgetful["spec"]["revisionHistoryLimit"] = json!(0);
    let draft = undo(None, forgetful, &[rev(7, "v1.3.0"), rev(6, "v1.2.3")]).unwrap();
    assert!(matches!(draft.undo, Undo::None(why) if why.contains("revisionHistoryLimit")));
}
