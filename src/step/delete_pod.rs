//! `kubectl delete pod`: that pod and no other of its name goes, with the grace that it has. It cannot be
//! taken back; what will make another is read along its owners. Where nothing will, or nobody knows, the name
//! must be given.

use serde_json::Value;

use super::example::fill;
use super::input::{InputKind, InputSpec, Inputs};
use super::parameters::Parameters;
use super::target::{Aim, Found, OWNERS, POD, controller, is_true};
use super::{Answer, Ctx, Draft, Read, StepKind, Undo, check, text};
use crate::event::{Fact, Naming, Refusal, Uid};

const INPUTS: &[InputSpec] = &[InputSpec::required("pod", InputKind::Pod)];

pub(super) struct DeletePod;

impl StepKind for DeletePod {
    fn name(&self) -> &'static str {
        "delete-pod"
    }

    fn inputs(&self) -> &'static [InputSpec] {
        INPUTS
    }

    /// The pod, what controls it, and what controls that: a Deployment's pod has both.
    fn reads(&self, inputs: &Inputs, answers: &[Answer], ctx: &Ctx) -> Result<Vec<Read>, Refusal> {
        let pod = Aim::parse(&POD, inputs.needed("pod")?, ctx)?;
        Ok(match answers {
            [] => vec![pod.read(true)],
            [Answer::Found(child)] | [_, Answer::Found(child)] => owner(child)
                .and_then(|owner| owner.aim(&pod.namespace))
                .map(|aim| aim.read(false))
                .into_iter()
                .collect(),
            _ => Vec::new(),
        })
    }

    fn example(&self, inputs: &Inputs, _: &Parameters) -> Option<String> {
        Some(fill("kubectl delete pod <pod>[ -n <namespace>]", inputs))
    }

    fn plan(&self, inputs: &Inputs, answers: &[Answer], ctx: &Ctx) -> Result<Draft, Refusal> {
        let pod = Found::of(
            &[Aim::parse(&POD, inputs.needed("pod")?, ctx)?],
            &answers[..answers.len().min(1)],
            ctx,
        )?;
        let since = text(&pod.object, "/metadata/deletionTimestamp");
        if !since.is_empty() {
            return Err(Refusal::failed(format!(
                "nothing to do: {} is being deleted, since {since}",
                pod.name()
            )));
        }
        let next = next(&pod, answers);
        let fact = match &next {
            Next::Another(who) => Fact::plain("comes back", who.as_str()),
            Next::Nothing(why) => Fact::warn("comes back", format!("no: {why}")),
            Next::Unknown(why) => Fact::unknown("comes back", why),
        };
        let workload = top(answers).map(|top| Uid::new(ctx.place.id, text(top, "/metadata/uid")));
        Ok(Draft {
            title: format!("delete pod {}", pod.name()),
            target: pod.target(ctx),
            requests: vec![pod.delete(ctx)],
            checks: vec![check::gone(Uid::new(ctx.place.id, pod.uid()), workload)],
            undo: Undo::None(
                "a pod that was deleted cannot be brought back: another has another name, address and memory"
                    .to_owned(),
            ),
            command: pod.kubectl(ctx, ["delete", "pod", pod.name()].map(Into::into).to_vec()),
            touches: touches(&pod, answers),
            facts: std::iter::once(fact).chain(volumes(&pod)).collect(),
            lines: Vec::new(),
            naming: naming(&pod, answers, &next),
        })
    }
}

/// Who controls an object, as the object has it.
struct Owner<'a> {
    kind: &'a str,
    name: &'a str,
    uid: &'a str,
}

impl Owner<'_> {
    /// Where it is, if its kind is known to keep pods.
    fn aim(&self, namespace: &str) -> Option<Aim> {
        let resource = OWNERS.into_iter().find(|resource| resource.kind == self.kind)?;
        Some(Aim { resource, namespace: namespace.to_owned(), name: self.name.to_owned() })
    }
}

fn owner(object: &Value) -> Option<Owner<'_>> {
    let one = controller(object)?;
    Some(Owner { kind: text(one, "/kind"), name: text(one, "/name"), uid: text(one, "/uid") })
}

/// The last owner that was read: the workload.
fn top(answers: &[Answer]) -> Option<&Value> {
    answers[1..].iter().filter_map(Answer::found).next_back()
}

/// What comes after the pod.
enum Next {
    /// Another one, made by this.
    Another(String),
    /// None, because of this.
    Nothing(String),
    /// Nobody knows, because of this.
    Unknown(String),
}

fn next(pod: &Found, answers: &[Answer]) -> Next {
    let node = text(&pod.object, "/spec/nodeName");
    if !text(&pod.object, "/metadata/annotations/kubernetes.io~1config.mirror").is_empty() {
        return Next::Another(format!(
            "a static pod: the kubelet of {node} shows it again, and its containers go on"
        ));
    }
    let Some(owner) = owner(&pod.object) else { return Next::Nothing("nothing controls it".to_owned()) };
    let called = format!("{} {}", owner.kind, owner.name);
    match answers.get(1) {
        Some(Answer::Found(found)) if text(found, "/metadata/uid") != owner.uid => {
            Next::Nothing(format!("{called}, which controlled it, is gone; another has its name now"))
        }
        Some(Answer::Found(found)) => kept(&called, found, answers.get(2)),
        Some(Answer::Missing) => Next::Nothing(format!("{called}, which controlled it, is gone")),
        Some(Answer::Unknown(why) | Answer::Forbidden(why)) => {
            Next::Unknown(format!("{called} controls it and cannot be read: {why}"))
        }
        None => Next::Unknown(format!("{called} controls it, and what that does is not known here")),
    }
}

/// Whether what controls a pod wants as many as there are.
fn kept(called: &str, owner: &Value, above: Option<&Answer>) -> Next {
    let number = |at: &str| owner.pointer(at).and_then(Value::as_u64);
    if !text(owner, "/metadata/deletionTimestamp").is_empty() {
        return Next::Nothing(format!("{called}, which controls it, is being deleted"));
    }
    match text(owner, "/kind") {
        "ReplicaSet" if number("/spec/replicas") == Some(0) => {
            Next::Nothing(format!("{called} wants none: it is of an older revision"))
        }
        "ReplicaSet" | "StatefulSet" if number("/spec/replicas") < number("/status/replicas") => {
            Next::Nothing(format!("{called} wants fewer than there are"))
        }
        "Job" if ended(owner) => Next::Nothing(format!("{called} has ended")),
        "Job" => Next::Another(format!("{called} makes another, unless it has failed too often")),
        _ => {
            let of = above
                .and_then(Answer::found)
                .map(|above| format!(" of {} {}", text(above, "/kind"), text(above, "/metadata/name")));
            Next::Another(format!("{called}{} makes another", of.unwrap_or_default()))
        }
    }
}

fn ended(job: &Value) -> bool {
    job.pointer("/spec/suspend") == Some(&Value::Bool(true))
        || is_true(job, "Complete")
        || is_true(job, "Failed")
}

fn is_ready(pod: &Value) -> bool {
    is_true(pod, "Ready")
}

/// Ready pods of its workload, itself among them; `None` where that is not known.
fn ready(answers: &[Answer]) -> Option<u64> {
    let workload = top(answers)?;
    let counts = ["/status/readyReplicas", "/status/numberReady", "/status/ready"];
    Some(counts.iter().find_map(|at| workload.pointer(at)).and_then(Value::as_u64).unwrap_or(0))
}

fn touches(pod: &Found, answers: &[Answer]) -> String {
    match (is_ready(&pod.object), ready(answers)) {
        (true, Some(ready)) => format!("1 of {ready} ready pods"),
        (true, None) => "a pod that is ready".to_owned(),
        (false, Some(ready)) => format!("a pod that is not ready; {ready} others are"),
        (false, None) => "a pod that is not ready".to_owned(),
    }
}

/// What lives on the pod's own disk.
fn volumes(pod: &Found) -> Option<Fact> {
    let all = pod.object.pointer("/spec/volumes").and_then(Value::as_array)?;
    let own: Vec<&str> = all
        .iter()
        .filter(|volume| volume.get("emptyDir").is_some())
        .map(|volume| text(volume, "/name"))
        .collect();
    (!own.is_empty()).then(|| Fact::warn("is lost", format!("what is in {} (emptyDir)", own.join(", "))))
}

fn naming(pod: &Found, answers: &[Answer], next: &Next) -> Option<Naming> {
    let (why, lasting) = match next {
        Next::Nothing(why) => (format!("nothing makes another: {why}"), true),
        Next::Unknown(why) => (format!("whether another is made is not known: {why}"), true),
        // Half of what serves now, or more, going away at once is an outage.
        Next::Another(_) => match ready(answers) {
            Some(1) if is_ready(&pod.object) => {
                ("it is the only ready pod of its workload".to_owned(), false)
            }
            Some(2) if is_ready(&pod.object) => {
                ("it is one of 2 ready pods of its workload".to_owned(), false)
            }
            _ => return None,
        },
    };
    Some(Naming { why: why.into(), lasting })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::step::samples::{body, ctx, plan};

    fn pod(owner: Option<&str>) -> Answer {
        let owners =
            owner.map(|kind| json!([{"controller": true, "kind": kind, "name": "app-1", "uid": "o1"}]));
        let status = json!({"conditions": [{"type": "Ready", "status": "True"}]});
        let meta = json!({"name": "app-1-x", "namespace": "ns", "uid": "p1", "ownerReferences": owners});
        Answer::Found(json!({"kind": "Pod", "metadata": meta, "spec": {"nodeName": "n1"}, "status": status}))
    }

    fn owned(kind: &str, uid: &str, replicas: u64) -> Answer {
        let above = json!([{"controller": true, "kind": "Deployment", "name": "app", "uid": "d1"}]);
        let meta = json!({"name": "app-1", "namespace": "ns", "uid": uid, "ownerReferences": above});
        let status = json!({"replicas": 2, "readyReplicas": 2});
        Answer::Found(
            json!({"kind": kind, "metadata": meta, "spec": {"replicas": replicas}, "status": status}),
        )
    }

    fn deployment(ready: u64) -> Answer {
        Answer::Found(
            json!({"kind": "Deployment", "metadata": {"name": "app", "uid": "d1"}, "status": {"readyReplicas": ready}}),
        )
    }

    fn delete(answers: &[Answer]) -> Draft {
        plan("delete-pod", &[("pod", "app-1-x")], answers).unwrap()
    }

    /// What is said of what comes back, and whether the name must be given everywhere.
    fn said(answers: &[Answer]) -> (String, Option<bool>) {
        let draft = delete(answers);
        (draft.facts[0].words.to_string(), draft.naming.map(|naming| naming.lasting))
    }

    #[test]
    fn deletes_the_pod_that_was_read_and_no_other_of_its_name() {
        let draft = delete(&[pod(Some("ReplicaSet")), owned("ReplicaSet", "o1", 2), deployment(2)]);
        assert_eq!(body(&draft)["preconditions"], json!({"uid": "p1"}));
        assert_eq!(draft.touches, "1 of 2 ready pods");
        assert_eq!(draft.command.to_copy().unwrap(), "kubectl delete pod app-1-x -n ns --context prod");
        assert!(matches!(draft.undo, Undo::None(_)));
    }

    #[test]
    fn says_what_makes_another() {
        let replicas = pod(Some("ReplicaSet"));
        let whole = owned("ReplicaSet", "o1", 2);
        let another = "ReplicaSet app-1 of Deployment app makes another".to_owned();
        assert_eq!(said(&[replicas.clone(), whole.clone(), deployment(3)]), (another.clone(), None));
        for half in [1, 2] {
            assert_eq!(
                said(&[replicas.clone(), whole.clone(), deployment(half)]),
                (another.clone(), Some(false))
            );
        }
        let unread = said(&[replicas.clone(), whole, Answer::Unknown("403".into())]);
        assert_eq!(unread.0, "ReplicaSet app-1 makes another", "whoever made the ReplicaSet");
        assert_eq!(
            said(&[pod(Some("Job")), Answer::Found(json!({"kind": "Job", "metadata": {"uid": "o1"}}))]).1,
            None
        );
    }

    #[test]
    fn where_nothing_makes_another_or_nobody_knows_the_name_is_given() {
        let replicas = pod(Some("ReplicaSet"));
        for (answers, words) in [
            (vec![pod(None)], "no: nothing controls it"),
            (vec![replicas.clone(), Answer::Missing], "no: ReplicaSet app-1, which controlled it, is gone"),
            (
                vec![replicas.clone(), owned("ReplicaSet", "o2", 2)],
                "no: ReplicaSet app-1, which controlled it, is gone; another has its name now",
            ),
            (
                vec![replicas.clone(), owned("ReplicaSet", "o1", 0)],
                "no: ReplicaSet app-1 wants none: it is of an older revision",
            ),
            (
                vec![replicas.clone(), owned("ReplicaSet", "o1", 1)],
                "no: ReplicaSet app-1 wants fewer than there are",
            ),
            (
                vec![replicas, Answer::Unknown("forbidden".into())],
                "unknown, because ReplicaSet app-1 controls it and cannot be read: forbidden",
            ),
            (
                vec![pod(Some("Cluster"))],
                "unknown, because Cluster app-1 controls it, and what that does is not known here",
            ),
        ] {
            assert_eq!(said(&answers), (words.to_owned(), Some(true)));
        }
    }

    #[test]
    fn reads_along_the_owners_and_no_further() {
        let inputs: Inputs = [("pod", "app-1-x")].into_iter().collect();
        let next = |answers: &[Answer]| {
            DeletePod
                .reads(&inputs, answers, &ctx())
                .unwrap()
                .into_iter()
                .map(|read| read.path)
                .collect::<Vec<_>>()
        };
        let all = [pod(Some("ReplicaSet")), owned("ReplicaSet", "o1", 2), deployment(2)];
        assert_eq!(next(&[]), ["/api/v1/namespaces/ns/pods/app-1-x"]);
        assert_eq!(next(&all[..1]), ["/apis/apps/v1/namespaces/ns/replicasets/app-1"]);
        assert_eq!(next(&all[..2]), ["/apis/apps/v1/namespaces/ns/deployments/app"]);
        assert_eq!((next(&all), next(&[pod(None)])), (Vec::new(), Vec::new()));
    }
}
