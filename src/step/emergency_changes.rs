//! What was changed in an emergency and is still so: circuit breakers, services that one zone serves, paused
//! rollouts, cordoned nodes, features that are off, silences made by warroom; each with what takes it back.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::command::line;
use super::input::{InputKind, InputSpec, Inputs};
use super::pages::{self, List};
use super::target::{DEPLOYMENT, DESTINATION_RULES, NODE, SERVICE};
use super::{Answer, Ctx, Draft, Read, ReadAs, StepKind, Whom, istio, text};
use crate::clean::Clean;
use crate::event::{Danger, Output, Refusal, Table};
use crate::units;

const INPUTS: &[InputSpec] = &[InputSpec::optional("namespace", InputKind::Namespace)];

const COLUMNS: [&str; 4] = ["CHANGE", "OBJECT", "NOW", "UNDO"];

/// Beginning of the names of variables that turn a feature on and off.
const FEATURE: &str = "FEATURE_";

pub(super) struct EmergencyChanges;

impl StepKind for EmergencyChanges {
    fn name(&self) -> &'static str {
        "emergency-changes"
    }

    fn danger(&self) -> Danger {
        Danger::Read
    }

    fn inputs(&self) -> &'static [InputSpec] {
        INPUTS
    }

    fn judges(&self) -> bool {
        true
    }

    fn asks(&self) -> &'static [Whom] {
        &[Whom::Alertmanager]
    }

    fn reads(&self, inputs: &Inputs, _: &[Answer], _: &Ctx) -> Result<Vec<Read>, Refusal> {
        lists(inputs).map(|_| Vec::new())
    }

    fn plan(&self, inputs: &Inputs, _: &[Answer], ctx: &Ctx) -> Result<Draft, Refusal> {
        let namespace = inputs.namespace("namespace")?;
        let command = line(&["warroom", "run", "emergency-changes"].map(Into::into));
        let right = |resource: &super::target::Resource| {
            resource.right("list", "", namespace.unwrap_or_default(), "")
        };
        let rights = [&SERVICE, &DEPLOYMENT, &NODE].map(right).to_vec();
        let title = "emergency changes that are still in place".to_owned();
        Ok(Draft::look(title, ctx.cluster(), "what was changed in an emergency", rights, command))
    }

    fn looks(&self, inputs: &Inputs, answers: &[Answer], _: &Ctx) -> Result<Vec<Read>, Refusal> {
        match answers {
            [] => Ok(vec![silences()]),
            [_, pages @ ..] => Ok(pages::next_of(&lists(inputs)?, pages)),
        }
    }

    fn tell(&self, inputs: &Inputs, answers: &[Answer], ctx: &Ctx) -> Result<Output, Refusal> {
        let (silences, pages) = answers.split_first().ok_or_else(|| Refusal::failed("nothing was read"))?;
        let listed = pages::listed(&lists(inputs)?, pages)?;
        let [services, deployments, nodes, rules @ ..] = listed.as_slice() else {
            return Err(Refusal::failed("nothing was read"));
        };
        let mut found: Vec<Change> = Vec::new();
        found.extend(breakers(rules.iter().flat_map(|list| list.items.iter().copied())));
        found.extend(services.items.iter().filter_map(|service| diverted(service)));
        found.extend(deployments.items.iter().flat_map(|deployment| held(deployment)));
        found.extend(nodes.items.iter().filter_map(|node| cordoned(node)));
        let (silenced, unread) = silenced(silences);
        found.extend(silenced);
        let mut table = Table::new(&COLUMNS);
        table.rows = found.iter().map(|change| change.row(ctx)).collect();
        let unread = unread.into_iter().chain(listed.into_iter().filter_map(|list| list.cut));
        let cut = pages::joined(unread.chain(pages::shorten(&mut table)));
        let wrong = wrong(&found);
        let sum = wrong.clone().unwrap_or_else(|| NONE.into());
        Ok(Output { wrong, cut, ..Output::read(sum, table) })
    }
}

/// What is said where none is found: what was looked for, and what was not.
const NONE: &str = "no circuit breaker, zone in a selector, paused rollout, FEATURE_…=false, cordoned node or \
                    silence of warroom is found; scales are not looked at";

/// The lists: those of Istio's rules are of every version, and may be missing.
fn lists(inputs: &Inputs) -> Result<Vec<List>, Refusal> {
    let namespace = inputs.namespace("namespace")?;
    let needed = [&SERVICE, &DEPLOYMENT, &NODE].map(|resource| List::of(resource, namespace, true));
    let rules = DESTINATION_RULES.iter().map(|resource| List::of(resource, namespace, false));
    Ok(needed.into_iter().chain(rules).collect())
}

fn silences() -> Read {
    Read {
        whom: Whom::Alertmanager,
        path: "/api/v2/silences".to_owned(),
        what: "the silences".to_owned(),
        is: None,
        required: false,
        wanted: ReadAs::Objects,
    }
}

/// A change that is in place.
struct Change {
    /// What it is: `circuit breaker`.
    what: &'static str,
    /// Object that was changed: `shop/app`.
    object: String,
    now: String,
    /// Step that takes it back, and its inputs.
    undo: (&'static str, Vec<(&'static str, String)>),
}

impl Change {
    fn row(&self, ctx: &Ctx) -> Vec<Clean> {
        let (step, inputs) = &self.undo;
        let set = inputs.iter().flat_map(|(name, value)| ["--set".to_owned(), format!("{name}={value}")]);
        let context =
            ctx.place.several.then(|| ["--set".to_owned(), format!("context={}", ctx.place.context)]);
        let words = ["warroom", "run", step].map(str::to_owned).into_iter().chain(set);
        let words: Vec<_> = words.chain(context.into_iter().flatten()).map(Into::into).collect();
        let cells =
            [self.what.to_owned(), self.object.clone(), self.now.clone(), line(&words).shown.to_string()];
        cells.map(Clean::from).to_vec()
    }
}

/// `namespace/name`
fn place(object: &Value) -> String {
    [text(object, "/metadata/namespace"), text(object, "/metadata/name")].join("/")
}

/// The circuit breakers; one that several versions of the API show counts once.
fn breakers<'a>(rules: impl Iterator<Item = &'a Value>) -> Vec<Change> {
    let mut seen = BTreeSet::new();
    let ours = |rule: &&Value| text(rule, "/metadata/name").starts_with(istio::NAME);
    let change = |rule: &Value| {
        let host = text(rule, "/spec/host");
        let service = host.split('.').next().unwrap_or_default();
        let namespace = text(rule, "/metadata/namespace");
        Change {
            what: "circuit breaker",
            object: place(rule),
            now: format!("ejects failing pods of {host}"),
            undo: ("circuit-breaker-remove", vec![("service", format!("{namespace}/{service}"))]),
        }
    };
    rules.filter(ours).filter(|rule| seen.insert(place(rule))).map(change).collect()
}

fn diverted(service: &Value) -> Option<Change> {
    let selector = service["spec"]["selector"].as_object()?;
    let zone = selector.get("zone")?.as_str()?;
    let pair = |(key, value): (&String, &Value)| format!("{key}={}", value.as_str().unwrap_or_default());
    let rest: Vec<String> = selector.iter().filter(|(key, _)| *key != "zone").map(pair).collect();
    Some(Change {
        what: "diverted service",
        object: place(service),
        now: format!("only pods of zone {zone} serve it"),
        undo: ("selector-restore", vec![("service", place(service)), ("selector", rest.join(","))]),
    })
}

/// A rollout that is paused, and features that are off.
fn held(deployment: &Value) -> Vec<Change> {
    let paused = (deployment["spec"]["paused"] == true).then(|| Change {
        what: "paused rollout",
        object: place(deployment),
        now: "no change of it rolls out".to_owned(),
        undo: ("rollout-resume", vec![("deployment", place(deployment))]),
    });
    let containers = deployment.pointer("/spec/template/spec/containers").and_then(Value::as_array);
    let variables =
        containers.into_iter().flatten().flat_map(|one| one["env"].as_array().into_iter().flatten());
    let off: BTreeSet<&str> = variables
        .filter(|variable| text(variable, "/value") == "false")
        .map(|variable| text(variable, "/name"))
        .filter(|name| name.starts_with(FEATURE))
        .collect();
    let feature = |name: &str| Change {
        what: "feature off",
        object: place(deployment),
        now: format!("{name}=false"),
        undo: ("set-env", vec![("deployment", place(deployment)), ("env", format!("{name}=true"))]),
    };
    paused.into_iter().chain(off.into_iter().map(feature)).collect()
}

fn cordoned(node: &Value) -> Option<Change> {
    let name = text(node, "/metadata/name").to_owned();
    (node["spec"]["unschedulable"] == true).then(|| Change {
        what: "cordoned node",
        object: name.clone(),
        now: "takes no new pods".to_owned(),
        undo: ("uncordon", vec![("node", name)]),
    })
}

/// The silences that warroom made and that are in force; and why they are not known.
fn silenced(answer: &Answer) -> (Vec<Change>, Option<Clean>) {
    let unread = |why: &str| (Vec::new(), Some(format!("the silences cannot be read: {why}").into()));
    let list = match answer {
        Answer::Found(list) => list,
        Answer::Missing => return unread("Alertmanager has none"),
        Answer::Forbidden(why) | Answer::Unknown(why) => return unread(why),
    };
    let Some(list) = list.as_array() else { return unread("the answer is no list") };
    let ours = |silence: &&Value| {
        text(silence, "/status/state") != "expired" && text(silence, "/comment").contains("[warroom ")
    };
    let change = |silence: &Value| Change {
        what: "silence",
        object: text(silence, "/id").to_owned(),
        now: format!("by {} until {}", text(silence, "/createdBy"), text(silence, "/endsAt")),
        undo: ("unsilence", vec![("silence", text(silence, "/id").to_owned())]),
    };
    (list.iter().filter(ours).map(change).collect(), None)
}

/// `3 emergency changes are still in place: 1 circuit breaker, 2 features off`
fn wrong(found: &[Change]) -> Option<Clean> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for change in found {
        *counts.entry(change.what).or_default() += 1;
    }
    let each: Vec<String> = counts.into_iter().map(|(what, count)| format!("{count} × {what}")).collect();
    let is = if found.len() == 1 { "is" } else { "are" };
    let all = units::counted(found.len(), "emergency change");
    (!found.is_empty()).then(|| format!("{all} {is} still in place: {}", each.join(", ")).into())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::step::samples::ctx;

    fn object(name: &str, spec: &Value) -> Value {
        json!({"metadata": {"namespace": "ns", "name": name}, "spec": spec})
    }

    fn list(kind: &str, items: &[Value]) -> Answer {
        Answer::Found(json!({"kind": format!("{kind}List"), "items": items}))
    }

    fn told(answers: &[Answer]) -> Output {
        EmergencyChanges.tell(&Inputs::default(), answers, &ctx()).unwrap()
    }

    #[test]
    fn each_change_is_told_with_what_takes_it_back() {
        let env = json!([{"name": "FEATURE_AI", "value": "false"}, {"name": "FEATURE_B", "value": "true"}]);
        let template = json!({"spec": {"containers": [{"env": env}]}});
        let rule = object("circuit-breaker-emergency", &json!({"host": "app.ns.svc.cluster.local"}));
        let silence = json!({"id": "s1", "createdBy": "dana", "endsAt": "2026-11-23T15:00:00Z", "comment": "x [warroom 01]", "status": {"state": "active"}});
        let over = json!({"id": "s2", "comment": "x [warroom 02]", "status": {"state": "expired"}});
        let answers = [
            Answer::Found(json!([silence, over])),
            list(
                "Service",
                &[object("web", &json!({"selector": {"app": "web", "zone": "b"}})), object("x", &json!({}))],
            ),
            list("Deployment", &[object("app", &json!({"paused": true, "template": template}))]),
            list("Node", &[object("n1", &json!({"unschedulable": true}))]),
            list("DestinationRule", &[rule.clone(), object("theirs", &json!({}))]),
            list("DestinationRule", &[rule]),
            Answer::Missing,
        ];
        let output = told(&answers);
        let undo: Vec<String> = output.table.unwrap().rows.iter().map(|row| row[3].to_string()).collect();
        assert_eq!(
            undo,
            [
                "warroom run circuit-breaker-remove --set service=ns/app",
                "warroom run selector-restore --set service=ns/web --set selector=app=web",
                "warroom run rollout-resume --set deployment=ns/app",
                "warroom run set-env --set deployment=ns/app --set env=FEATURE_AI=true",
                "warroom run uncordon --set node=n1",
                "warroom run unsilence --set silence=s1",
            ]
        );
        let wrong = "6 emergency changes are still in place: 1 × circuit breaker, 1 × cordoned node, 1 × diverted service, 1 × feature off, 1 × paused rollout, 1 × silence";
        assert_eq!((output.wrong, output.cut), (Some(Clean::new(wrong)), None));
    }

    #[test]
    fn silences_that_cannot_be_read_are_told_and_missing_rules_are_none() {
        let empty = ["Service", "Deployment", "Node"].map(|kind| list(kind, &[]));
        let answers = |silences: Answer| [vec![silences], empty.to_vec(), vec![Answer::Missing; 3]].concat();
        let output = told(&answers(Answer::Found(json!([]))));
        assert_eq!(output.lines, [Clean::new(NONE)]);
        assert_eq!((output.wrong, output.cut), (None, None));
        let cut = told(&answers(Answer::Unknown("no answer".into()))).cut;
        assert_eq!(cut, Some(Clean::new("the silences cannot be read: no answer")));
    }
}
