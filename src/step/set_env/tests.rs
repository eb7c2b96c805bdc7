use proptest::prelude::*;
use serde_json::{Value, json};

use crate::data::json_patch;
use crate::step::samples::{body, cases, deployment, list, operations, plan, revision};
use crate::step::{Answer, Draft, Undo};

fn template(containers: &Value) -> Value {
    json!({"metadata": {"labels": {"app": "app"}}, "spec": {"containers": containers}})
}

fn two() -> Value {
    let env = json!([{"name": "A", "value": "true"}, {"name": "S", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]);
    json!([{"name": "app", "env": env}, {"name": "proxy"}])
}

fn set_on(template: &Value, wanted: &str) -> Result<Draft, String> {
    let answers = [Answer::Found(deployment(template)), list(&[revision(7, template)])];
    plan("set-env", &[("deployment", "app"), ("env", wanted)], &answers)
}

fn set(wanted: &str) -> Result<Draft, String> {
    set_on(&template(&two()), wanted)
}

#[test]
fn sets_in_all_containers_and_goes_back_to_the_revision_that_holds_what_was() {
    let draft = set("A=false").unwrap();
    assert_eq!(draft.title, "set env of app: A");
    assert_eq!(
        draft.undo,
        Undo::Step {
            kind: "rollout-undo",
            inputs: vec![("deployment", "app".into()), ("revision", "7".into())]
        }
    );
    let of = |at: usize| {
        ["test", "test", "add"]
            .map(str::to_owned)
            .into_iter()
            .zip(["name", "env", "env"])
            .map(move |(op, part)| format!("{op} /spec/template/spec/containers/{at}/{part}"))
    };
    assert_eq!(
        operations(&draft),
        std::iter::once("test /metadata/uid".to_owned()).chain(of(0)).chain(of(1)).collect::<Vec<_>>()
    );
    assert_eq!(body(&draft)[5]["value"], Value::Null, "the second container has no variables yet");
    assert_eq!(
        draft.command.to_copy().unwrap(),
        "kubectl set env deployment/app A=false -n ns --context prod"
    );
}

#[test]
fn values_are_hidden_in_what_is_recorded_and_a_secret_is_never_copied() {
    let draft = set("A=false").unwrap();
    let recorded = serde_json::to_string(&draft.command).unwrap();
    assert!(!recorded.contains("A=false") && recorded.contains("A=‹set "), "{recorded}");
    let secret = set("DB_PASSWORD=hunter2").unwrap().command;
    assert_eq!((secret.to_copy(), secret.hides.len()), (None, 1));
    assert!(!secret.words().contains("hunter2"));
}

#[test]
fn says_what_it_replaces_and_refuses_what_is_no_variable() {
    let draft = set("S=x").unwrap();
    assert_eq!(draft.facts[0].words, "S of container app, which comes from Secret s, key k");
    assert!(set("1A=x").unwrap_err().starts_with("\"1A=‹set "));
    assert!(set("A").unwrap_err().contains("\": variables are written"));
    assert_eq!(set("B-").unwrap_err(), "nothing to do: app already has B so");
}

#[test]
fn a_shell_would_read_the_copied_command_as_it_is() {
    let command = set("N=it's $HOME").unwrap().command;
    assert_eq!(
        command.to_copy().unwrap(),
        r"kubectl set env deployment/app 'N=it'\''s $HOME' -n ns --context prod"
    );
}

#[test]
fn without_a_revision_it_cannot_be_taken_back_and_says_so() {
    let answers = [Answer::Found(deployment(&template(&two()))), Answer::Unknown("forbidden".into())];
    let draft = plan("set-env", &[("deployment", "app"), ("env", "A=1")], &answers).unwrap();
    assert_eq!(draft.undo, Undo::None("the revisions are not known, because forbidden".into()));
    assert!(draft.naming.is_some_and(|naming| naming.lasting));
}

/// A Deployment and its revisions, as the API server and the controller keep them.
struct Model {
    object: Value,
    revisions: Vec<Value>,
}

impl Model {
    fn new(template: &Value) -> Self {
        Self { object: deployment(template), revisions: vec![revision(1, template)] }
    }

    fn template(&self) -> &Value {
        &self.object["spec"]["template"]
    }

    fn plan(&self, kind: &str, inputs: &[(&str, &str)]) -> Result<Draft, String> {
        plan(kind, inputs, &[Answer::Found(self.object.clone()), list(&self.revisions)])
    }

    /// Takes the patch, and writes the new template down: a revision that holds it already gets the new
    /// number.
    fn apply(&mut self, draft: &Draft) {
        let operations = serde_json::from_value(body(draft).clone()).unwrap();
        json_patch::apply(&mut self.object, &operations).unwrap();
        let number = self
            .revisions
            .iter()
            .filter_map(|rs| {
                rs["metadata"]["annotations"]["deployment.kubernetes.io/revision"]
                    .as_str()?
                    .parse::<u64>()
                    .ok()
            })
            .max()
            .unwrap()
            + 1;
        let made = revision(number, self.template());
        self.revisions.retain(|rs| rs["spec"]["template"] != made["spec"]["template"]);
        self.revisions.push(made);
    }
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z0-9 ]{0,8}",
        "\\PC{0,6}",
        Just("two\nlines\n".to_owned()),
        Just("\ttab and blanks   ".to_owned()),
        Just("naïve \u{1f525}\u{200d}\u{202e}".to_owned()),
        Just("a,b\\,c=d".to_owned()),
        Just("\u{1b}[31m".to_owned()),
    ]
}

fn variable() -> impl Strategy<Value = Value> {
    let name = prop_oneof![Just("A"), Just("B"), Just("C"), Just("DB_PASSWORD")];
    let from = json!({"secretKeyRef": {"name": "s", "key": "k"}});
    (name, value(), 0..4_u8).prop_map(move |(name, value, how)| match how {
        0 => json!({"name": name, "valueFrom": from.clone()}),
        1 => json!({"name": name}),
        _ => json!({"name": name, "value": value}),
    })
}

fn container() -> impl Strategy<Value = Value> {
    prop::option::of(prop::collection::vec(variable(), 1..5)).prop_map(|env| match env {
        Some(env) => json!({"name": "c", "env": env}),
        None => json!({"name": "c"}),
    })
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace(',', "\\,")
}

proptest! {
    #![proptest_config(cases(1_000, 10_000))]

    /// For any env: set, then taken back, is the very template that was there; and what was set is exactly
    /// what was given.
    #[test]
    fn undo_brings_back_the_very_template(
        containers in prop::collection::vec(container(), 1..4),
        changes in prop::collection::btree_map(prop_oneof![Just("A"), Just("B"), Just("DB_PASSWORD")], prop::option::of(value()), 1..3),
    ) {
        let before = template(&Value::Array(containers));
        let mut model = Model::new(&before);
        let words: Vec<String> = changes.iter().map(|(name, value)| match value {
            Some(value) => format!("{name}={}", escaped(value)),
            None => format!("{name}-"),
        }).collect();
        let Ok(draft) = model.plan("set-env", &[("deployment", "app"), ("env", &words.join(","))]) else { return Ok(()) };
        model.apply(&draft);
        for container in model.template()["spec"]["containers"].as_array().unwrap() {
            let of = |name: &str| container["env"].as_array().into_iter().flatten().filter(|var| var["name"] == name).cloned().collect::<Vec<_>>();
            for (name, value) in &changes {
                let wanted = value.as_ref().map(|value| if value.is_empty() { json!({"name": name}) } else { json!({"name": name, "value": value}) });
                prop_assert_eq!(of(name), wanted.into_iter().collect::<Vec<_>>());
            }
        }
        let recorded = serde_json::to_string(&draft.command).unwrap();
        for value in changes.values().flatten().filter(|value| value.len() > 8) {
            prop_assert!(!recorded.contains(value.as_str()), "{} is recorded in {}", value, recorded);
        }
        match draft.undo {
            Undo::Step { kind, inputs } => {
                let inputs: Vec<(&str, &str)> = inputs.iter().map(|(name, value)| (*name, value.as_str())).collect();
                let back = model.plan(kind, &inputs).unwrap();
                model.apply(&back);
                prop_assert_eq!(model.template().to_string(), before.to_string());
            }
            Undo::None(_) => prop_assert!(draft.naming.is_some(), "what cannot be undone is said before"),
        }
    }
}
