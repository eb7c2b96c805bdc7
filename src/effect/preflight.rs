//! What is found out before anything is asked of a person: rights, a dry run and its diff, who will fight the change, what it touches.
//! Only reads, access reviews and dry runs leave from here.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::clusters::Cluster;
use super::plan::{self, Draft, Reading, text};
use super::send::{self, Answer, Caller};
use super::silence;
use crate::clean::Clean;
use crate::event::{DiffLine, Expectation, Intent, Kind, Plan, Refusal, Right, Server, Sign, StepCall, Target, Write, digest};
use crate::journal::redact::{redact, redact_text};
use crate::runbook::{Danger, Runbook, Step, StepKind};
use crate::source::failure::LOGGED_OUT;

/// What preparing needs to know of the session.
#[derive(Clone)]
pub(super) struct Room {
    /// For the server that the step is for.
    pub(super) caller: Caller,
    /// The time from which spans count.
    pub(super) now: DateTime<Utc>,
    /// The cluster that it is done in.
    pub(super) at: Cluster,
    /// Whether there are others.
    pub(super) several: bool,
    pub(super) namespace: Clean,
    pub(super) actor: Clean,
    pub(super) rates: crate::config::Rates,
}

/// Prepares a step: reads, works out the request, and finds out all that can be found out without sending it.
pub(super) async fn prepare(room: &Room, runbook: &Runbook, call: &StepCall, id: ulid::Ulid) -> Result<Plan, Refusal> {
    let step =
        runbook.step(&call.step).ok_or_else(|| Refusal::Usage(format!("no such step \"{}\": see warroom steps", call.step).into()))?;
    let mut inputs = complete(step, call)?;
    inputs.get_mut(StepCall::CONTEXT).into_iter().for_each(|name| name.clone_from(&room.at.context)); // a label is not for the journal
    if matches!(step.kind, StepKind::Silence | StepKind::Unsilence) {
        return silence::prepare(room, step, &inputs, id).await;
    }
    let (namespace, name) = address(room, &inputs)?;
    let read = read(room, &namespace, &name).await?;
    let draft = plan::draft(step.kind, &inputs, &read)?;
    let write = plan::write(&draft, &namespace, &name);
    let (dry_run, allowed, owners) = tokio::join!(
        dry_run(room, &write, &draft, &read),
        allowed(&room.caller, &draft, &namespace),
        owners(room, &namespace, &name, &read)
    );
    let kept = kept(step, &inputs);
    let undo = Some(plan::undo(step, &draft, &inputs));
    let intent = Intent {
        id,
        call: kept,
        title: redact_text(&draft.title).into_owned().into(),
        target: target(room, &namespace, &name, &read),
        server: Server::Cluster,
        expect: expectation(&draft, &namespace, &name, &read),
        verify: plan::verifies(step, &inputs, &read, &room.rates, room.at.id),
        verify_within: step.verify_within,
        undo: undo.filter(|_| step.danger != Danger::Destructive),
        kubectl: redact_text(&format!("{} -n {namespace} --context {}", draft.kubectl, room.at.context)).into_owned().into(),
        actor: room.actor.clone(),
        writes: vec![write],
    };
    let type_name = type_name(step, &draft, &intent);
    Ok(Plan { intent, dry_run, tried: true, rights: vec![allowed], owners, touches: touches(&read.deployment, &draft), type_name })
}

/// The step as it was asked for, without secrets.
pub(super) fn kept(step: &Step, inputs: &BTreeMap<Clean, Clean>) -> StepCall {
    StepCall { step: step.id.clone(), inputs: inputs.iter().map(|(k, v)| (k.clone(), step.typed(k, v))).collect() }
}

/// The inputs with their defaults, or which is missing or unheard of.
fn complete(step: &Step, call: &StepCall) -> Result<BTreeMap<Clean, Clean>, Refusal> {
    let known: Vec<&str> = step.inputs.iter().map(|input| input.name.as_str()).chain([StepCall::CONTEXT]).collect();
    if let Some(name) = call.inputs.keys().find(|name| !known.contains(&name.as_str())) {
        return Err(Refusal::Usage(
            format!("{} has no input \"{name}\"; it has {}", step.id, known[..step.inputs.len()].join(", ")).into(),
        ));
    }
    if let Some((name, _)) = call.inputs.iter().find(|(_, value)| value.is_lost()) {
        return Err(Refusal::Failed(format!("what {name} was is not recorded: give it anew").into()));
    }
    let mut inputs: BTreeMap<Clean, Clean> = call.inputs.iter().map(|(name, value)| (name.clone(), Clean::new(value.raw()))).collect();
    for input in &step.inputs {
        match (inputs.contains_key(&input.name), &input.default) {
            (false, Some(default)) => drop(inputs.insert(input.name.clone(), default.clone())),
            (false, None) if input.required => {
                return Err(Refusal::Usage(format!("{} needs {}: give {}=…", step.id, input.name, input.name).into()));
            }
            _ => {}
        }
    }
    Ok(inputs)
}

/// Namespace and name of the Deployment: `name`, or `namespace/name`. Nothing that could leave its place in a path.
fn address(room: &Room, inputs: &BTreeMap<Clean, Clean>) -> Result<(String, String), Refusal> {
    let given = inputs.get("deployment").map(Clean::as_str).unwrap_or_default();
    let (namespace, name) = given.split_once('/').unwrap_or((room.namespace.as_str(), given));
    let fits = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c));
    if fits(namespace) && fits(name) {
        return Ok((namespace.to_owned(), name.to_owned()));
    }
    Err(Refusal::Usage(format!("\"{given}\" is no deployment: give its name, or namespace/name").into()))
}

async fn read(room: &Room, namespace: &str, name: &str) -> Result<Reading, Refusal> {
    let (caller, of) = (&room.caller, if room.several { format!(" of context {}", room.at.context) } else { String::new() });
    let path = plan::deployment_path(namespace, name);
    let deployment = match caller.get(&path).await {
        Answer::Done(deployment) => deployment,
        Answer::Refused(404, _) => return Err(Refusal::Usage(format!("there is no deployment {name} in {namespace}{of}").into())),
        Answer::Refused(401, _) => {
            return Err(Refusal::Denied(LOGGED_OUT.into()));
        }
        Answer::Refused(403, why) => return Err(Refusal::Denied(format!("you may not read deployment {name}: {why}").into())),
        Answer::Refused(_, why) | Answer::NotSent(why) | Answer::Lost(why) => {
            return Err(Refusal::Failed(format!("deployment {name} cannot be read: {why}").into()));
        }
    };
    let labels = deployment.pointer("/spec/selector/matchLabels").and_then(Value::as_object).cloned().unwrap_or_default();
    let selector: Vec<String> = labels.iter().map(|(k, v)| format!("{k}={}", v.as_str().unwrap_or_default())).collect();
    let query = selector.join(",").replace('/', "%2F").replace('=', "%3D").replace(',', "%2C");
    let revisions = match caller.get(&format!("/apis/apps/v1/namespaces/{namespace}/replicasets?labelSelector={query}")).await {
        Answer::Done(list) => list["items"].as_array().cloned().unwrap_or_default(),
        _ => Vec::new(), // a rollback says itself that it has no revision to go to
    };
    Ok(Reading { deployment, revisions })
}

fn target(room: &Room, namespace: &str, name: &str, read: &Reading) -> Target {
    let uid = text(&read.deployment, "/metadata/uid").into();
    let (cluster, context) = (room.at.address.clone(), room.at.named());
    Target { cluster, context, kind: Kind::Deployment.word().into(), namespace: namespace.into(), name: name.into(), uid }
}

fn expectation(draft: &Draft, namespace: &str, name: &str, read: &Reading) -> Expectation {
    let before = |pointer: &&str| digest(read.deployment.pointer(pointer).unwrap_or(&Value::Null));
    Expectation {
        path: plan::deployment_path(namespace, name).into(),
        values: draft.expect.iter().map(|(at, value)| ((*at).into(), digest(value))).collect(),
        before: draft.expect.keys().map(|at| ((*at).into(), before(at))).collect(),
        managed_before: send::managed_by_warroom(&read.deployment),
        generation_before: send::generation(&read.deployment),
    }
}

/// Why the name must be typed: destructive by data, to nothing, or half of the ready pods without a way back.
fn type_name(step: &Step, draft: &Draft, intent: &Intent) -> Option<Clean> {
    let destructive = (step.danger == Danger::Destructive).then_some("it cannot be taken back");
    let no_undo = intent.undo.is_none().then_some("it cannot be taken back from here");
    destructive.or(draft.type_name).or(no_undo).map(Clean::from)
}

/// `2 of 2 replicas ready, rolling`; a change of a subresource leaves the pods that there are.
fn touches(deployment: &Value, draft: &Draft) -> Clean {
    let number = |at: &str| deployment.pointer(at).and_then(Value::as_u64).unwrap_or(0);
    let strategy = match (draft.subresource, text(deployment, "/spec/strategy/type")) {
        (Some(_), _) => "",
        (None, "Recreate") => ", all at once",
        (None, _) => ", rolling",
    };
    format!("{} of {} replicas ready{strategy}", number("/status/readyReplicas"), number("/spec/replicas")).into()
}

/// What the server would make of it.
async fn dry_run(room: &Room, write: &Write, draft: &Draft, read: &Reading) -> Result<Vec<DiffLine>, Clean> {
    match room.caller.dry_run(write).await {
        Answer::Done(mut after) => {
            let mut before = read.deployment.clone();
            if draft.subresource.is_some() {
                after = scaled(&before, &after);
            }
            redact(&mut before);
            redact(&mut after);
            Ok(diff(&before, &after))
        }
        Answer::Refused(_, why) | Answer::NotSent(why) | Answer::Lost(why) => Err(why),
    }
}

/// A scale answers with a Scale: only its count says what the Deployment will be, and 0 is left out.
fn scaled(deployment: &Value, scale: &Value) -> Value {
    let mut after = deployment.clone();
    after["spec"]["replicas"] = scale["spec"].get("replicas").cloned().unwrap_or_else(|| 0.into());
    after
}

/// The leaves under `spec` and `metadata.annotations` that differ, below the path that they share.
fn diff(before: &Value, after: &Value) -> Vec<DiffLine> {
    let leaves = |object: &Value| {
        let mut out = BTreeMap::new();
        flatten("spec", &object["spec"], &mut out);
        flatten("metadata.annotations", &object["metadata"]["annotations"], &mut out);
        out
    };
    let (before, after) = (leaves(before), leaves(after));
    let changed: BTreeSet<&String> = before.keys().chain(after.keys()).filter(|path| before.get(*path) != after.get(*path)).collect();
    let mut lines = Vec::new();
    let mut heading = String::new();
    for path in changed {
        let (parent, leaf) = path.rsplit_once('\u{0}').unwrap_or(("", path));
        if parent != heading {
            parent.clone_into(&mut heading);
            lines.push(DiffLine { sign: Sign::Keep, text: parent.replace('\u{0}', ".").into() });
        }
        let mut push =
            |sign, value: Option<&String>| lines.extend(value.map(|value| DiffLine { sign, text: format!("{leaf}  {value}").into() }));
        push(Sign::Remove, before.get(path));
        push(Sign::Add, after.get(path));
    }
    lines
}

/// Leaves by path. Elements of a list are known by their `name` where they have one; a variable is one leaf.
fn flatten(path: &str, value: &Value, out: &mut BTreeMap<String, String>) {
    let join = |key: &str| format!("{path}\u{0}{key}");
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| flatten(&join(key), value, out)),
        Value::Array(items) => items.iter().enumerate().for_each(|(at, item)| match (item["name"].as_str(), item["value"].as_str()) {
            (Some(name), Some(value)) => drop(out.insert(join(name), value.to_owned())),
            (name, _) => flatten(&format!("{path}[{}]", name.map_or_else(|| at.to_string(), str::to_owned)), item, out),
        }),
        Value::Null => {}
        Value::String(text) => drop(out.insert(path.to_owned(), text.clone())),
        plain => drop(out.insert(path.to_owned(), plain.to_string())),
    }
}

/// Asks the server whether this person may send it.
async fn allowed(caller: &Caller, draft: &Draft, namespace: &str) -> Right {
    let attributes = json!({"verb": "patch", "group": "apps", "resource": "deployments", "subresource": draft.subresource.unwrap_or(""), "namespace": namespace});
    let review =
        json!({"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": {"resourceAttributes": attributes}});
    let answer = caller.post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", &review).await;
    let allowed = if let Answer::Done(answer) = answer { answer.pointer("/status/allowed").and_then(Value::as_bool) } else { None };
    let resource = draft.subresource.map_or_else(|| "deployments".to_owned(), |sub| format!("deployments/{sub}"));
    Right { verb: "patch".into(), resource: resource.into(), namespace: namespace.into(), allowed }
}

/// Who will fight the change.
async fn owners(room: &Room, namespace: &str, name: &str, read: &Reading) -> Vec<Clean> {
    let mut owners = declared_owners(&read.deployment);
    let path = format!("/apis/autoscaling/v2/namespaces/{namespace}/horizontalpodautoscalers");
    if let Answer::Done(list) = room.caller.get(&path).await {
        let aims = |hpa: &&Value| text(hpa, "/spec/scaleTargetRef/kind") == "Deployment" && text(hpa, "/spec/scaleTargetRef/name") == name;
        let found = list["items"].as_array().into_iter().flatten().filter(aims);
        owners.extend(found.map(|hpa| {
            let bound = |at: &str| hpa["spec"][at].as_u64().unwrap_or(1);
            format!("autoscaler {}: keeps {} to {} replicas", text(hpa, "/metadata/name"), bound("minReplicas"), bound("maxReplicas"))
                .into()
        }));
    }
    owners
}

fn declared_owners(deployment: &Value) -> Vec<Clean> {
    let note = |kind: &str, name: &str| {
        let of = &deployment["metadata"][kind][name];
        of.as_str().filter(|value| !value.is_empty()).map(str::to_owned)
    };
    let helm = note("annotations", "meta.helm.sh/release-name")
        .map(|r| format!("Helm release {r}: the next upgrade may bring the old state back"));
    let argo = note("labels", "argocd.argoproj.io/instance").or_else(|| note("annotations", "argocd.argoproj.io/tracking-id"));
    let argo = argo.map(|app| format!("Argo CD application {}: self-heal may revert it at once", app.split(':').next().unwrap_or(&app)));
    let flux = note("labels", "kustomize.toolkit.fluxcd.io/name").or_else(|| note("labels", "helm.toolkit.fluxcd.io/name"));
    let flux = flux.map(|name| format!("Flux {name}: the next reconciliation may revert it"));
    [helm, argo, flux].into_iter().flatten().map(Clean::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diff_names_the_variable_that_changes() {
        let of = |version: &str| json!({"metadata": {"annotations": {"a": "1"}}, "spec": {"template": {"spec": {"containers": [{"name": "app", "env": [{"name": "APP_VERSION", "value": version}, {"name": "X", "value": "y"}]}]}}}});
        let lines: Vec<String> = diff(&of("v1.3.0"), &of("v1.2.3")).iter().map(|line| format!("{:?} {}", line.sign, line.text)).collect();
        assert_eq!(lines, ["Keep spec.template.spec.containers[app].env", "Remove APP_VERSION  v1.3.0", "Add APP_VERSION  v1.2.3"]);
    }

    #[test]
    fn a_scaling_to_nothing_shows_what_it_changes() {
        let deployment = json!({"spec": {"replicas": 2, "paused": false}});
        let told =
            |scale: Value| diff(&deployment, &scaled(&deployment, &scale)).iter().map(|line| line.text.to_string()).collect::<Vec<_>>();
        assert_eq!(told(json!({"spec": {}})), ["spec", "replicas  2", "replicas  0"]);
        assert_eq!(told(json!({"spec": {"replicas": 5}})), ["spec", "replicas  2", "replicas  5"]);
    }

    #[test]
    fn owners_are_read_from_what_they_leave() {
        let deployment = json!({"metadata": {"annotations": {"meta.helm.sh/release-name": "hub", "argocd.argoproj.io/tracking-id": "shop:apps/Deployment:ns/app"}}});
        let told = declared_owners(&deployment);
        assert_eq!(
            told,
            [
                "Helm release hub: the next upgrade may bring the old state back",
                "Argo CD application shop: self-heal may revert it at once"
            ]
        );
    }
}
