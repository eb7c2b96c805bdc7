//! `kubectl rollout restart`: the pods of a workload are replaced by new ones of the same template, as its
//! strategy says. It cannot be taken back; what was in the pods' memory and in volumes that live with them is
//! gone.

use chrono::SecondsFormat;
use serde_json::{Value, json};

use super::example::fill;
use super::input::{InputKind, InputSpec, Inputs};
use super::parameters::Parameters;
use super::target::{Aim, Found};
use super::{Answer, Ctx, Draft, Read, StepKind, Undo, check, text};
use crate::event::{Fact, Naming, Refusal, Uid};

/// What kubectl changes to have pods replaced (pkg/polymorphichelpers/objectrestarter.go).
const NOTES: &str = "/spec/template/metadata/annotations";
const RESTARTED: &str = "/spec/template/metadata/annotations/kubectl.kubernetes.io~1restartedAt";

const INPUTS: &[InputSpec] = &[InputSpec::required("workload", InputKind::Workload)];

pub(super) struct Restart;

impl StepKind for Restart {
    fn name(&self) -> &'static str {
        "restart"
    }

    fn inputs(&self) -> &'static [InputSpec] {
        INPUTS
    }

    fn reads(&self, inputs: &Inputs, answers: &[Answer], ctx: &Ctx) -> Result<Vec<Read>, Refusal> {
        let aims = Aim::workloads(inputs.needed("workload")?, ctx)?;
        Ok(if answers.is_empty() { aims.iter().map(|aim| aim.read(false)).collect() } else { Vec::new() })
    }

    fn example(&self, inputs: &Inputs, _: &Parameters) -> Option<String> {
        Some(fill("kubectl rollout restart <workload>[ -n <namespace>]", inputs))
    }

    fn plan(&self, inputs: &Inputs, answers: &[Answer], ctx: &Ctx) -> Result<Draft, Refusal> {
        let found = Found::of(&Aim::workloads(inputs.needed("workload")?, ctx)?, answers, ctx)?;
        let name = found.name();
        let word = found.aim.resource.word;
        if found.object.pointer("/spec/paused") == Some(&Value::Bool(true)) {
            return Err(Refusal::failed(format!(
                "{name} is paused: resume it first (kubectl rollout resume {word}/{name})"
            )));
        }
        let kind = found
            .aim
            .resource
            .watched()
            .ok_or_else(|| Refusal::failed(format!("a {word} cannot be restarted")))?;
        let service = found.service();
        let uid = Uid::new(ctx.place.id, found.uid());
        let words = ["rollout", "restart", &format!("{word}/{name}")].map(Into::into).to_vec();
        Ok(Draft {
            title: format!("restart {word} {name}"),
            target: found.target(ctx),
            requests: vec![request(&found, ctx)],
            checks: vec![
                check::rollout(kind, uid),
                check::errors_below(service, ctx.rates.threshold_of(service)),
            ],
            undo: Undo::None("a restart cannot be undone: the pods that are replaced are gone".to_owned()),
            command: found.kubectl(ctx, words),
            touches: format!("{}, {}", found.replicas(), pace(&found)),
            facts: facts(&found),
            lines: Vec::new(),
            naming: naming(&found),
        })
    }
}

/// Writes when it was restarted, in seconds, as kubectl does. Where the template has no annotations it gets
/// its first.
fn request(found: &Found, ctx: &Ctx) -> super::Request {
    let at = json!(ctx.now.to_rfc3339_opts(SecondsFormat::Secs, true));
    let operations = if found.object.pointer(NOTES).is_some_and(Value::is_object) {
        vec![found.test(RESTARTED), json!({"op": "add", "path": RESTARTED, "value": at})]
    } else {
        let first = json!({"kubectl.kubernetes.io/restartedAt": at});
        vec![found.test(NOTES), json!({"op": "add", "path": NOTES, "value": first})]
    };
    found.patch(ctx, "", operations, &[(RESTARTED, at)])
}

/// How many of its pods may be away at once, by the rules of its controller; `None` where it replaces none by
/// itself.
fn away(found: &Found) -> Option<u64> {
    let all =
        found.object.pointer("/spec/replicas").or(found.object.pointer("/status/desiredNumberScheduled"));
    let all = all.and_then(Value::as_u64).unwrap_or(1);
    let of = |name: &str| {
        found
            .object
            .pointer(&format!("/spec/strategy/rollingUpdate/{name}"))
            .or(found.object.pointer(&format!("/spec/updateStrategy/rollingUpdate/{name}")))
    };
    match (found.rolls(), found.aim.resource.word) {
        ("each when it is deleted", _) => None,
        ("all at once", _) => Some(all),
        (_, "deployment") => {
            let away = share(of("maxUnavailable"), all, "25%", false);
            Some(if away == 0 && share(of("maxSurge"), all, "25%", true) == 0 { 1 } else { away })
        }
        (_, "daemonset") if share(of("maxSurge"), all, "0", true) > 0 => Some(0),
        _ => Some(share(of("maxUnavailable"), all, "1", true).max(1)),
    }
}

/// `maxUnavailable` and `maxSurge` are a number or a share of all, which is rounded down or up.
fn share(of: Option<&Value>, all: u64, usual: &str, up: bool) -> u64 {
    if let Some(number) = of.and_then(Value::as_u64) {
        return number.min(all);
    }
    let given = of.and_then(Value::as_str).unwrap_or(usual);
    match given.strip_suffix('%').map(str::parse::<u64>) {
        Some(Ok(percent)) => ((all * percent + if up { 99 } else { 0 }) / 100).min(all),
        _ => given.parse().unwrap_or(all).min(all),
    }
}

fn pace(found: &Found) -> String {
    match away(found) {
        None => "none is replaced before it is deleted".to_owned(),
        Some(0) => "each new pod is ready before an old one goes".to_owned(),
        Some(away) => format!("{away} unavailable at once"),
    }
}

fn facts(found: &Found) -> Vec<Fact> {
    let waits = away(found)
        .is_none()
        .then(|| Fact::warn("strategy", "OnDelete: the restart waits until each pod is deleted"));
    let held = text(&found.object, RESTARTED);
    let before = (!held.is_empty()).then(|| Fact::plain("last restart", held));
    waits.into_iter().chain(before).collect()
}

/// Half of what serves now, or more, going away at once is an outage.
fn naming(found: &Found) -> Option<Naming> {
    let ready = found.object.pointer("/status/readyReplicas").or(found.object.pointer("/status/numberReady"));
    let ready = ready.and_then(Value::as_u64).unwrap_or(0);
    let away = away(found)?;
    let outage = away > 0 && ready > 0 && away * 2 >= ready;
    outage.then(|| Naming {
        why: format!("{} of {ready} ready pods are unavailable at once", away.min(ready)).into(),
        lasting: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::step::samples::{body, ctx, plan};

    fn workload(kind: &str, spec: &Value) -> Value {
        let mut object = json!({
            "kind": kind, "metadata": {"name": "app", "namespace": "ns", "uid": "u1"},
            "spec": {"replicas": 4, "template": {"metadata": {}}},
            "status": {"readyReplicas": 4},
        });
        for (name, value) in spec.as_object().unwrap() {
            object["spec"][name] = value.clone();
        }
        object
    }

    fn restart(given: &str, answers: &[Answer]) -> Result<Draft, String> {
        plan("restart", &[("workload", given)], answers)
    }

    fn only(spec: &Value) -> Result<Draft, String> {
        restart("deployment/app", &[Answer::Found(workload("Deployment", spec))])
    }

    #[test]
    fn writes_the_time_as_kubectl_does_guarded_by_the_one_before() {
        let draft = only(&json!({})).unwrap();
        let first = json!({"kubectl.kubernetes.io/restartedAt": "2026-11-23T14:46:32Z"});
        assert_eq!(body(&draft)[1], json!({"op": "test", "path": NOTES, "value": null}));
        assert_eq!(body(&draft)[2], json!({"op": "add", "path": NOTES, "value": first}));
        let again = only(&json!({"template": {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "before"}}}})).unwrap();
        assert_eq!(body(&again)[1], json!({"op": "test", "path": RESTARTED, "value": "before"}));
        assert_eq!(again.facts[0].words, "before");
        assert_eq!(
            again.command.to_copy().unwrap(),
            "kubectl rollout restart deployment/app -n ns --context prod"
        );
        assert!(matches!(&again.undo, Undo::None(why) if why.contains("cannot be undone")));
    }

    #[test]
    fn a_name_alone_is_looked_for_among_all_kinds() {
        let stateful = Answer::Found(workload("StatefulSet", &json!({})));
        let draft = restart("app", &[Answer::Missing, stateful.clone(), Answer::Missing]).unwrap();
        assert_eq!((draft.title.as_str(), &*draft.target.kind), ("restart statefulset app", "statefulset"));
        let both = restart(
            "app",
            &[Answer::Found(workload("Deployment", &json!({}))), stateful.clone(), Answer::Missing],
        );
        assert_eq!(both.unwrap_err(), "app is a deployment and a statefulset: say deployment/app");
        assert!(
            restart("app", &[Answer::Missing, Answer::Missing, Answer::Missing])
                .unwrap_err()
                .starts_with("there is no workload app")
        );
        let unknown =
            restart("app", &[Answer::Unknown("forbidden".into()), stateful, Answer::Missing]).unwrap_err();
        assert!(unknown.contains("forbidden"), "{unknown}");
        assert_eq!(
            super::Restart
                .reads(&[("workload", "sts/app")].into_iter().collect(), &[], &ctx())
                .unwrap()
                .len(),
            1
        );
    }

    #[test]
    fn the_name_is_typed_where_half_of_what_serves_goes_away_at_once() {
        let named = |spec: Value| only(&spec).unwrap().naming.map(|naming| naming.why.to_string());
        assert_eq!(named(json!({})), None);
        assert_eq!(
            named(json!({"strategy": {"type": "Recreate"}})).unwrap(),
            "4 of 4 ready pods are unavailable at once"
        );
        assert_eq!(
            named(json!({"strategy": {"rollingUpdate": {"maxUnavailable": "50%"}}})).unwrap(),
            "2 of 4 ready pods are unavailable at once"
        );
        assert_eq!(named(json!({"strategy": {"rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}})), None);
        let waits = json!({"updateStrategy": {"type": "OnDelete"}});
        let draft = restart("ds/app", &[Answer::Found(workload("DaemonSet", &waits))]).unwrap();
        assert!(draft.naming.is_none() && draft.facts[0].words.starts_with("OnDelete"));
        assert!(only(&json!({"paused": true})).unwrap_err().starts_with("app is paused"));
    }
}
