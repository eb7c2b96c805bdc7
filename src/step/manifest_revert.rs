//! Objects that warroom has applied become what they were before, in the order given: what was kept of them
//! is restored, and the others are deleted.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use ulid::Ulid;

use super::apply::Place;
use super::command::line;
use super::input::{InputKind, InputSpec, Inputs};
use super::manifest::{is_path_segment, kept_in};
use super::target::{MANAGER, escaped, generation, is_name, managed_by_warroom};
use super::{Answer, Ctx, Draft, Read, ReadAs, Request, StepKind, Undo, Whom, text};
use crate::clean::Clean;
use crate::event::{Command, Expectation, Fact, Made, Naming, Op, Refusal, StepCall, digest};
use crate::units::counted;

/// Paths of the objects, with commas between; and the intent that has kept what they were, if it has.
const INPUTS: &[InputSpec] =
    &[InputSpec::required("objects", InputKind::Text), InputSpec::optional("saved", InputKind::Text)];

/// What stands in a command for what was kept.
const KEPT: &str = "WHAT-WAS-KEPT";

pub(super) struct ManifestRevert;

impl StepKind for ManifestRevert {
    fn name(&self) -> &'static str {
        "manifest-revert"
    }

    fn inputs(&self) -> &'static [InputSpec] {
        INPUTS
    }

    fn reads(&self, inputs: &Inputs, answers: &[Answer], _: &Ctx) -> Result<Vec<Read>, Refusal> {
        let places = places(inputs)?;
        let kept = kept(inputs)?;
        Ok(if answers.is_empty() { places.iter().map(present).chain(kept).collect() } else { Vec::new() })
    }

    fn as_undo(&self, call: &StepCall) -> Option<String> {
        let restores = call.inputs.contains_key("saved");
        Some(if restores { "restores what was there" } else { "deletes what was created" }.to_owned())
    }

    fn plan(&self, inputs: &Inputs, answers: &[Answer], ctx: &Ctx) -> Result<Draft, Refusal> {
        let places = places(inputs)?;
        let before = answers.get(places.len()).and_then(Answer::found).unwrap_or(&Value::Null);
        let mut requests = Vec::new();
        let mut facts = Vec::new();
        for (mut place, answer) in places.into_iter().zip(answers) {
            let was = was(before, &place.path);
            match (answer, was) {
                (Answer::Found(object), was) => {
                    text(object, "/kind").clone_into(&mut place.kind);
                    let request = match was {
                        Some(was) => restore(&place, was, object, ctx)?,
                        None => Some(delete(&place, object, ctx)),
                    };
                    if let Some(request) = &request {
                        is_ours(&place, object, is_deletion(request))?;
                    }
                    requests.extend(request);
                }
                (Answer::Missing, None) => facts.push(Fact::plain("gone already", place.path)),
                (Answer::Missing, Some(_)) => {
                    return Err(Refusal::failed(format!(
                        "{} is gone: there is nothing to restore",
                        place.path
                    )));
                }
                (Answer::Unknown(why) | Answer::Forbidden(why), _) => {
                    return Err(Refusal::failed(format!("{} cannot be read: {why}", place.path)));
                }
            }
        }
        let Some(target) = requests.first().map(|request| request.op.target().clone()) else {
            return Err(Refusal::failed("nothing to do: all of it is as it was"));
        };
        let what = counted(requests.len(), "object");
        Ok(Draft {
            title: format!("take back {what} that warroom applied"),
            target,
            command: command(&requests, ctx),
            checks: Vec::new(),
            undo: Undo::None("apply the file again".to_owned()),
            touches: what,
            facts,
            lines: Vec::new(),
            naming: naming(&requests),
            requests,
        })
    }
}

fn is_deletion(request: &Request) -> bool {
    matches!(&request.op, Op::Write(write) if write.expect.made == Made::Gone)
}

fn naming(requests: &[Request]) -> Option<Naming> {
    let why = "what is deleted does not come back".into();
    requests.iter().any(is_deletion).then_some(Naming { why, lasting: true })
}

/// The read of what the objects were.
///
/// # Errors
/// What is given is no id of an intent.
fn kept(inputs: &Inputs) -> Result<Option<Read>, Refusal> {
    let Some(given) = inputs.get("saved") else { return Ok(None) };
    let id = Ulid::from_string(given).map_err(|_| {
        Refusal::usage(format!("saved is \"{given}\": give the id of the change that kept it"))
    })?;
    let path = kept_in(&id.to_string());
    let what = format!("what was kept in {path}");
    Ok(Some(Read { whom: Whom::Kept, path, what, is: None, required: true, wanted: ReadAs::Objects }))
}

/// What was kept of the object of that path.
fn was<'a>(kept: &'a Value, path: &str) -> Option<&'a Value> {
    let all = kept.as_array().into_iter().flatten();
    all.into_iter().find(|one| text(one, "/path") == path).map(|one| &one["object"])
}

/// Where the objects are. Which kinds they are is known once they are read.
///
/// # Errors
/// One of the paths is none of an object.
fn places(inputs: &Inputs) -> Result<Vec<Place>, Refusal> {
    let one = |path: &str| {
        place(path).ok_or_else(|| {
            let how = "give paths such as /api/v1/namespaces/shop/configmaps/page, with commas between";
            Refusal::usage(format!("\"{path}\" is no path of an object: {how}"))
        })
    };
    inputs.needed("objects")?.split(',').map(|path| one(path.trim())).collect()
}

fn place(path: &str) -> Option<Place> {
    let (group, rest) = match path.strip_prefix('/')?.split('/').collect::<Vec<_>>().as_slice() {
        ["api", version, rest @ ..] if is_name(version) => (String::new(), rest.to_vec()),
        ["apis", group, version, rest @ ..] if is_name(group) && is_name(version) => {
            ((*group).to_owned(), rest.to_vec())
        }
        _ => return None,
    };
    let (namespace, plural, name) = match rest.as_slice() {
        ["namespaces", namespace, plural, name] if is_name(namespace) => (*namespace, *plural, *name),
        [plural, name] => ("", *plural, *name),
        _ => return None,
    };
    (is_name(plural) && is_path_segment(name)).then(|| Place {
        kind: String::new(),
        group,
        plural: plural.to_owned(),
        path: path.to_owned(),
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    })
}

fn present(place: &Place) -> Read {
    let path = place.path.clone();
    let what = path.clone();
    Read { whom: Whom::Cluster, path, what, is: None, required: false, wanted: ReadAs::Objects }
}

/// Whether an object is the one that is meant, and warroom has applied it: somebody else's objects are not to
/// be changed by this.
fn is_ours(place: &Place, object: &Value, deletes: bool) -> Result<(), Refusal> {
    let same = text(object, "/metadata/name") == place.name
        && text(object, "/metadata/namespace") == place.namespace
        && !place.kind.is_empty();
    if !same {
        return Err(Refusal::failed(format!("the answer to {} is of something else", place.path)));
    }
    if managed_by_warroom(object).is_none() || (deletes && !is_applied_here_alone(object)) {
        return Err(Refusal::failed(format!(
            "{} was not applied by warroom: change it yourself",
            place.what()
        )));
    }
    Ok(())
}

/// Whether warroom has applied the object, and nobody else but its controllers has written to it: a
/// Deployment that warroom scaled once is not its own.
fn is_applied_here_alone(object: &Value) -> bool {
    let entries =
        || object.pointer("/metadata/managedFields").and_then(Value::as_array).into_iter().flatten();
    let controlled = |entry: &Value| {
        !text(entry, "/subresource").is_empty()
            || text(entry, "/manager").starts_with("kube-controller-manager")
    };
    let ours = |entry: &Value| entry["manager"] == MANAGER;
    entries().any(|entry| ours(entry) && entry["operation"] == "Apply")
        && entries().all(|entry| ours(entry) || controlled(entry))
}

/// The write that gives an object what was kept of it, guarded by what it has now; `None` where it has that.
///
/// # Errors
/// It was recreated since.
fn restore(place: &Place, was: &Value, object: &Value, ctx: &Ctx) -> Result<Option<Request>, Refusal> {
    let uid = text(object, "/metadata/uid");
    if text(was, "/metadata/uid") != uid {
        return Err(Refusal::failed(format!("{} was recreated since: change it yourself", place.what())));
    }
    let mut operations = vec![json!({"op": "test", "path": "/metadata/uid", "value": uid})];
    let mut values = BTreeMap::new();
    let mut before = BTreeMap::new();
    for at in parts(was).union(&parts(object)) {
        let [then, now] = [was, object].map(|one| one.pointer(at).unwrap_or(&Value::Null));
        if then == now {
            continue;
        }
        operations.push(json!({"op": "test", "path": at, "value": now}));
        operations.push(match then {
            Value::Null => json!({"op": "remove", "path": at}),
            then => json!({"op": "add", "path": at, "value": then}),
        });
        values.insert(Clean::new(at), digest(then));
        before.insert(Clean::new(at), digest(now));
    }
    if values.is_empty() {
        return Ok(None);
    }
    let expect = Expectation {
        made: Made::Values,
        path: place.path.as_str().into(),
        values,
        before,
        managed_before: managed_by_warroom(object),
        generation_before: generation(object),
    };
    let media = ("PATCH", "application/json-patch+json");
    let write = place.write(media, Value::Array(operations), (object, expect), ctx);
    let rights = vec![place.right("patch")];
    Ok(Some(Request { op: Op::Write(write), rights, object: object.clone(), scale: false }))
}

/// The parts of an object that are restored: all but its identity and its status.
fn parts(object: &Value) -> BTreeSet<String> {
    let fields = object.as_object().into_iter().flatten().map(|(key, _)| key.as_str());
    let own = fields.filter(|key| !matches!(*key, "apiVersion" | "kind" | "metadata" | "status"));
    let own = own.map(|key| format!("/{}", escaped(key)));
    own.chain(["/metadata/labels", "/metadata/annotations"].map(str::to_owned)).collect()
}

/// The deletion of an object that was read.
fn delete(place: &Place, object: &Value, ctx: &Ctx) -> Request {
    let uid = text(object, "/metadata/uid");
    let body = json!({"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"uid": uid}});
    let expect = Expectation {
        made: Made::Gone,
        path: place.path.as_str().into(),
        values: BTreeMap::new(),
        before: BTreeMap::new(),
        managed_before: managed_by_warroom(object),
        generation_before: generation(object),
    };
    let write = place.write(("DELETE", "application/json"), body, (object, expect), ctx);
    let rights = vec![place.right("delete")];
    Request { op: Op::Write(write), rights, object: object.clone(), scale: false }
}

/// One command for each object. What was kept may be secret: it is not in there.
fn command(requests: &[Request], ctx: &Ctx) -> Command {
    let one = |request: &Request| {
        let target = request.op.target();
        let verb = if is_deletion(request) { "delete" } else { "patch" };
        let mut words = vec!["kubectl", verb, &target.kind, &target.name];
        if verb == "patch" {
            words.extend(["--type=json", "-p", KEPT]);
        }
        if !target.namespace.is_empty() {
            words.extend(["-n", &target.namespace]);
        }
        words.extend(["--context", ctx.place.context.as_str()]);
        line(&words.into_iter().map(Into::into).collect::<Vec<_>>()).shown.to_string()
    };
    let shown = requests.iter().map(one).collect::<Vec<_>>().join("; ");
    let hides = if requests.iter().all(is_deletion) { Vec::new() } else { vec![KEPT.into()] };
    Command { shown: shown.into(), hides, whole: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::step::samples::{body, ctx, operations, plan};

    const PAGE: &str = "/api/v1/namespaces/ns/configmaps/page";

    fn page(manager: &str) -> Answer {
        let managed = json!([{"manager": manager, "operation": "Apply", "time": "2026-01-01T00:00:00Z"}]);
        let metadata = json!({"name": "page", "namespace": "ns", "uid": "u1", "managedFields": managed});
        Answer::Found(json!({"kind": "ConfigMap", "metadata": metadata}))
    }

    fn revert(objects: &str, answers: &[Answer]) -> Result<Draft, String> {
        plan("manifest-revert", &[("objects", objects)], answers)
    }

    #[test]
    fn what_warroom_applied_is_deleted_by_its_identity() {
        let two = format!("{PAGE},/apis/apps/v1/namespaces/ns/deployments/page");
        let draft = revert(&two, &[page("warroom"), Answer::Missing]).unwrap();
        assert_eq!(body(&draft)["preconditions"], json!({"uid": "u1"}));
        assert_eq!(draft.requests.len(), 1);
        assert_eq!(draft.facts[0].words, "/apis/apps/v1/namespaces/ns/deployments/page");
        assert_eq!(draft.command.to_copy().unwrap(), "kubectl delete configmap page -n ns --context prod");
        assert!(draft.naming.is_some_and(|naming| naming.lasting));
    }

    #[test]
    fn what_was_kept_is_restored_and_guarded_by_what_is_there() {
        let saved = ctx().id.to_string();
        let back = |kept: &Value, now: &Answer| {
            let inputs = [("objects", PAGE), ("saved", saved.as_str())];
            plan(
                "manifest-revert",
                &inputs,
                &[now.clone(), Answer::Found(json!([{"path": PAGE, "object": kept}]))],
            )
        };
        let was = json!({"kind": "ConfigMap", "metadata": {"uid": "u1"}, "data": {"a": "0"}});
        let Answer::Found(mut now) = page("warroom") else { panic!() };
        now["data"] = json!({"a": "1"});
        let draft = back(&was, &Answer::Found(now.clone())).unwrap();
        let steps = ["test /metadata/uid", "test /data", "add /data"];
        assert_eq!(operations(&draft), steps);
        assert_eq!(body(&draft)[2]["value"], json!({"a": "0"}));
        assert!(draft.naming.is_none(), "nothing is deleted");
        assert!(draft.command.to_copy().is_none(), "what was kept may be secret");
        let mut same = was.clone();
        same["data"] = json!({"a": "1"});
        assert!(back(&same, &Answer::Found(now.clone())).unwrap_err().starts_with("nothing to do"));
        now["metadata"]["uid"] = json!("u2");
        assert!(back(&was, &Answer::Found(now)).unwrap_err().contains("was recreated since"));
        assert!(back(&was, &Answer::Missing).unwrap_err().contains("is gone"));
        let wrong = plan("manifest-revert", &[("objects", PAGE), ("saved", "../x")], &[]).unwrap_err();
        assert!(wrong.starts_with("saved is"), "{wrong}");
    }

    #[test]
    fn nothing_else_is_deleted() {
        assert!(revert(PAGE, &[page("kubectl")]).unwrap_err().contains("was not applied by warroom"));
        assert!(revert(PAGE, &[Answer::Missing]).unwrap_err().starts_with("nothing to do"));
        for wrong in
            ["page", "/api/v1/namespaces/ns/configmaps", "/api/v1/namespaces/../pods/x", "/api/v1/pods/a?b=c"]
        {
            assert!(revert(wrong, &[]).unwrap_err().contains("is no path of an object"), "{wrong}");
        }
    }
}
