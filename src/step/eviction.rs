//! Evictions: a pod is asked to leave, and its `PodDisruptionBudgets` may keep it
//! (<https://kubernetes.io/docs/concepts/scheduling-eviction/api-eviction/>).

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::target::{POD, controller, generation, managed_by_warroom};
use super::{Answer, Ctx, Request, text};
use crate::event::{Expectation, Fact, Made, Op, Sealed, Server, Write};

/// What becomes of a pod when its node is drained, as `kubectl drain --ignore-daemonsets` decides it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is evicted.
    Evicted,
    /// It stays, because it is one of these: `of DaemonSets`.
    Stays(&'static str),
    /// It keeps the node from being drained, for this reason.
    Stops(String),
}

/// Returns what becomes of a pod.
pub(super) fn fate(pod: &Value) -> Fate {
    let name = text(pod, "/metadata/name");
    let scratch = emptied(pod);
    match controller(pod) {
        _ if !text(pod, "/metadata/annotations/kubernetes.io~1config.mirror").is_empty() => {
            Fate::Stays("static")
        }
        Some(owner) if text(owner, "/kind") == "DaemonSet" => Fate::Stays("of DaemonSets"),
        _ if matches!(text(pod, "/status/phase"), "Succeeded" | "Failed") => Fate::Stays("finished"),
        _ if !text(pod, "/metadata/deletionTimestamp").is_empty() => Fate::Stays("on their way out"),
        None => Fate::Stops(format!("nothing makes {name} again (kubectl drain --force)")),
        Some(_) if !scratch.is_empty() => Fate::Stops(format!(
            "{name} would lose what is in {} (kubectl drain --delete-emptydir-data)",
            scratch.join(", ")
        )),
        Some(_) => Fate::Evicted,
    }
}

/// The pod's `emptyDir` volumes.
fn emptied(pod: &Value) -> Vec<&str> {
    let all = pod.pointer("/spec/volumes").and_then(Value::as_array).into_iter().flatten();
    all.filter(|volume| volume.get("emptyDir").is_some()).map(|volume| text(volume, "/name")).collect()
}

/// Returns the eviction of a pod that was read: of that one, and of no other of its name.
pub(super) fn request(pod: &Value, ctx: &Ctx) -> Request {
    let [namespace, name, uid] =
        ["namespace", "name", "uid"].map(|at| text(&pod["metadata"], &format!("/{at}")));
    let path = POD.path(namespace, name);
    let body = json!({
        "apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name, "namespace": namespace},
        "deleteOptions": {"preconditions": {"uid": uid}},
    });
    let write = Write {
        server: Server::Cluster,
        target: ctx.target(POD.word, namespace, name, uid),
        method: "POST".into(),
        path: format!("{path}/eviction").into(),
        content_type: "application/json".into(),
        body: Sealed::Open(body),
        expect: Expectation {
            made: Made::Gone,
            path: path.into(),
            values: BTreeMap::new(),
            before: BTreeMap::new(),
            managed_before: managed_by_warroom(pod),
            generation_before: generation(pod),
        },
    };
    let object = json!({"kind": POD.kind, "metadata": {"name": name}});
    Request { op: Op::Write(write), rights: Vec::new(), object, scale: false }
}

/// The `PodDisruptionBudgets` of the cluster, as they were read.
pub(super) struct Budgets<'a>(Result<&'a Value, &'a str>);

impl<'a> Budgets<'a> {
    /// Takes the answer that lists them.
    pub(super) fn of(answer: Option<&'a Answer>) -> Self {
        Self(match answer {
            Some(Answer::Found(list)) => Ok(list),
            Some(Answer::Unknown(why) | Answer::Forbidden(why)) => Err(why),
            Some(Answer::Missing) | None => Err("this cluster serves none in policy/v1"),
        })
    }

    /// Returns the budgets that a pod counts for.
    fn holding(&self, pod: &Value) -> Vec<&'a Value> {
        let all = self.0.ok().and_then(|list| list["items"].as_array()).into_iter().flatten();
        all.filter(|budget| holds(budget, pod)).collect()
    }

    /// Returns whether a pod is kept as things are, so that evicting it is refused.
    pub(super) fn keep(&self, pod: &Value) -> bool {
        let holding = self.holding(pod);
        holding.len() > 1 || holding.iter().any(|budget| spare(budget) == 0)
    }

    /// Returns what they will refuse of these evictions, in words.
    pub(super) fn facts(&self, pods: &[&Value]) -> Vec<Fact> {
        if let Err(why) = self.0 {
            return vec![Fact::unknown("budgets", why)];
        }
        let mut held: BTreeMap<(&str, &str), (i64, u32)> = BTreeMap::new();
        for budget in pods.iter().flat_map(|pod| self.holding(pod)) {
            let place = (text(budget, "/metadata/namespace"), text(budget, "/metadata/name"));
            held.entry(place).or_insert((spare(budget), 0)).1 += 1;
        }
        let short = held.into_iter().filter(|(_, (spare, wanted))| *spare < i64::from(*wanted));
        let told = |((_, name), (spare, wanted)): ((&str, &str), (i64, u32))| {
            let words = format!(
                "allows {spare} of the {wanted} evictions now: the next one is refused, and all after it"
            );
            Fact::warn("budget", format!("PodDisruptionBudget {name} {words}"))
        };
        let several = pods.iter().filter(|pod| self.holding(pod).len() > 1).map(|pod| {
            let name = text(pod, "/metadata/name");
            Fact::warn(
                "budget",
                format!("{name} counts for several PodDisruptionBudgets: its eviction is refused"),
            )
        });
        short.map(told).chain(several).collect()
    }
}

/// Evictions that a budget allows now.
fn spare(budget: &Value) -> i64 {
    budget.pointer("/status/disruptionsAllowed").and_then(Value::as_i64).unwrap_or(0)
}

/// Whether a pod counts for a budget, by its namespace and labels. An empty selector of policy/v1 selects
/// all.
fn holds(budget: &Value, pod: &Value) -> bool {
    let selector = &budget["spec"]["selector"];
    let labels = &pod["metadata"]["labels"];
    let named = selector["matchLabels"].as_object().into_iter().flatten();
    let expressions = selector["matchExpressions"].as_array().into_iter().flatten();
    budget["metadata"]["namespace"] == pod["metadata"]["namespace"]
        && selector.is_object()
        && named.into_iter().all(|(key, value)| labels[key] == *value)
        && expressions.into_iter().all(|one| matches(one, labels))
}

/// Whether labels meet an expression of a selector.
fn matches(expression: &Value, labels: &Value) -> bool {
    let label = labels.get(text(expression, "/key"));
    let among =
        || expression["values"].as_array().is_some_and(|all| label.is_some_and(|one| all.contains(one)));
    match text(expression, "/operator") {
        "In" => among(),
        "NotIn" => !among(),
        "Exists" => label.is_some(),
        "DoesNotExist" => label.is_none(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(more: &Value) -> Value {
        let mut pod = json!({
            "metadata": {
                "name": "p", "namespace": "ns", "labels": {"app": "web"},
                "ownerReferences": [{"controller": true, "kind": "ReplicaSet", "name": "r"}],
            },
            "status": {"phase": "Running"},
        });
        json_merge(&mut pod, more);
        pod
    }

    fn json_merge(into: &mut Value, more: &Value) {
        match more {
            Value::Object(fields) => fields.iter().for_each(|(key, more)| json_merge(&mut into[key], more)),
            more => *into = more.clone(),
        }
    }

    #[test]
    fn what_kubectl_would_leave_or_refuse_is_left_or_refused() {
        assert_eq!(fate(&pod(&json!({}))), Fate::Evicted);
        let of = |kind: &str| json!({"metadata": {"ownerReferences": [{"controller": true, "kind": kind}]}});
        assert_eq!(fate(&pod(&of("DaemonSet"))), Fate::Stays("of DaemonSets"));
        let mirror =
            json!({"metadata": {"annotations": {"kubernetes.io/config.mirror": "x"}, "ownerReferences": []}});
        assert_eq!(fate(&pod(&mirror)), Fate::Stays("static"));
        assert_eq!(fate(&pod(&json!({"status": {"phase": "Failed"}}))), Fate::Stays("finished"));
        let alone = fate(&pod(&json!({"metadata": {"ownerReferences": null}})));
        assert_eq!(alone, Fate::Stops("nothing makes p again (kubectl drain --force)".to_owned()));
        let scratch = fate(&pod(&json!({"spec": {"volumes": [{"name": "tmp", "emptyDir": {}}]}})));
        let Fate::Stops(why) = scratch else { panic!("{scratch:?}") };
        assert_eq!(why, "p would lose what is in tmp (kubectl drain --delete-emptydir-data)");
    }

    #[test]
    fn a_budget_keeps_the_pods_that_its_selector_names() {
        let budget = |selector: &Value, spare: u32| json!({"metadata": {"name": "b", "namespace": "ns"}, "spec": {"selector": selector}, "status": {"disruptionsAllowed": spare}});
        let web = pod(&json!({}));
        let cases = [
            (json!({"matchLabels": {"app": "web"}}), true),
            (json!({"matchLabels": {"app": "db"}}), false),
            (json!({}), true),
            (json!({"matchExpressions": [{"key": "app", "operator": "In", "values": ["a", "web"]}]}), true),
            (json!({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["web"]}]}), false),
            (json!({"matchExpressions": [{"key": "zone", "operator": "DoesNotExist"}]}), true),
            (Value::Null, false),
        ];
        for (selector, holds) in cases {
            let answer = Answer::Found(json!({"items": [budget(&selector, 0)]}));
            assert_eq!(Budgets::of(Some(&answer)).keep(&web), holds, "{selector}");
        }
        let answer = Answer::Found(json!({"items": [budget(&json!({}), 1)]}));
        let budgets = Budgets::of(Some(&answer));
        assert!(!budgets.keep(&web) && budgets.facts(&[&web]).is_empty());
        let words = budgets.facts(&[&web, &web]).remove(0).words;
        assert!(words.starts_with("PodDisruptionBudget b allows 1 of the 2 evictions now"), "{words}");
        let two = Answer::Found(json!({"items": [budget(&json!({}), 1), budget(&json!({}), 1)]}));
        assert!(Budgets::of(Some(&two)).keep(&web), "the server evicts nothing that counts for two");
    }
}
