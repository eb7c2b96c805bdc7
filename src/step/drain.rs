//! `kubectl drain --ignore-daemonsets`: a node takes no new pods, and those that run there are evicted, each
//! by a request of its own. Pods of DaemonSets, static pods and finished ones stay; what cannot be evicted
//! without a loss keeps all of it from being done.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::cordon::{INPUTS, UNSCHEDULABLE, is_cordoned};
use super::eviction::{self, Budgets, Fate, fate};
use super::example::fill;
use super::input::{InputSpec, Inputs};
use super::parameters::Parameters;
use super::target::{Aim, DISRUPTION_BUDGET, Found, NODE, OWNERS, POD, controller, is_true};
use super::{Answer, Ctx, Draft, Is, Read, ReadAs, Request, StepKind, Undo, Whom, check, text};
use crate::clean::Clean;
use crate::event::{Fact, Naming, Refusal, Uid};
use crate::units::counted;

/// Pods that one confirmation lists at most.
const MOST: usize = 100;

/// Reasons that a refusal tells at most.
const TOLD: usize = 5;

/// Answers before those of the owners: the node, its pods, the budgets.
const FIRST: usize = 3;

pub(super) struct Drain;

impl StepKind for Drain {
    fn name(&self) -> &'static str {
        "drain"
    }

    fn inputs(&self) -> &'static [InputSpec] {
        INPUTS
    }

    fn example(&self, inputs: &Inputs, _: &Parameters) -> Option<String> {
        Some(fill("kubectl drain <node> --ignore-daemonsets", inputs))
    }

    /// The node, its pods and the budgets; then what controls the pods that go.
    fn reads(&self, inputs: &Inputs, answers: &[Answer], ctx: &Ctx) -> Result<Vec<Read>, Refusal> {
        let node = Aim::parse(&NODE, inputs.needed("node")?, ctx)?;
        match answers.len() {
            0 => Ok(vec![node.read(true), pods(&node), budgets()]),
            FIRST => Ok(owners(&leaving(&node.name, answers)?).values().map(|aim| aim.read(false)).collect()),
            _ => Ok(Vec::new()),
        }
    }

    fn plan(&self, inputs: &Inputs, answers: &[Answer], ctx: &Ctx) -> Result<Draft, Refusal> {
        let aim = Aim::parse(&NODE, inputs.needed("node")?, ctx)?;
        let node = Found::of(&[aim], answers.get(..1).unwrap_or_default(), ctx)?;
        let budgets = Budgets::of(answers.get(2));
        let mut pods = leaving(node.name(), answers)?;
        // What a budget keeps ends the drain: the others go before.
        pods.sort_by_key(|pod| budgets.keep(pod));
        let workloads = Workload::all(&pods, answers.get(FIRST..).unwrap_or_default());
        let requests = requests(&node, &pods, ctx);
        if requests.is_empty() {
            return Err(Refusal::failed(format!(
                "nothing to do: {} is cordoned already, and no pod on it is to be evicted",
                node.name()
            )));
        }
        let gone = |pod: &&Value| {
            let uid = Uid::new(ctx.place.id, text(pod, "/metadata/uid"));
            (Clean::new(text(pod, "/metadata/namespace")), uid)
        };
        Ok(Draft {
            title: format!("drain {}: {}", node.name(), counted(pods.len(), "pod")),
            target: node.target(ctx),
            requests,
            checks: vec![
                check::schedulable(Uid::new(ctx.place.id, node.uid()), false),
                check::drained(pods.iter().map(gone).collect()),
            ],
            undo: Undo::None(
                "uncordon lets pods on again; those that were evicted do not come back".to_owned(),
            ),
            command: node
                .kubectl(ctx, ["drain", node.name(), "--ignore-daemonsets"].map(Into::into).to_vec()),
            touches: touches(pods.len(), workloads.len()),
            facts: facts(&workloads, answers, budgets.facts(&pods)),
            lines: Vec::new(),
            naming: Some(Naming { why: why_named(&workloads).into(), lasting: false }),
        })
    }
}

fn pods(node: &Aim) -> Read {
    let is = Some(Is { kind: "PodList".to_owned(), place: None });
    let path = format!("/api/v1/pods?fieldSelector=spec.nodeName%3D{}", node.name);
    let what = format!("the pods on {}", node.name);
    Read { whom: Whom::Cluster, path, what, is, required: true, wanted: ReadAs::Objects }
}

fn budgets() -> Read {
    let is = Some(Is { kind: format!("{}List", DISRUPTION_BUDGET.kind), place: None });
    let path = DISRUPTION_BUDGET.everywhere();
    let what = "the PodDisruptionBudgets".to_owned();
    Read { whom: Whom::Cluster, path, what, is, required: false, wanted: ReadAs::Objects }
}

fn on_node(answers: &[Answer]) -> impl Iterator<Item = &Value> {
    let list = answers.get(1).and_then(Answer::found);
    list.and_then(|list| list["items"].as_array()).into_iter().flatten()
}

/// The pods that are to be evicted.
///
/// # Errors
/// One of those there keeps the node from being drained, or they are too many for one confirmation.
fn leaving<'a>(node: &str, answers: &'a [Answer]) -> Result<Vec<&'a Value>, Refusal> {
    let why = |pod| if let Fate::Stops(why) = fate(pod) { Some(why) } else { None };
    let stops: Vec<String> = on_node(answers).filter_map(why).collect();
    if !stops.is_empty() {
        let more = stops.len().saturating_sub(TOLD);
        let rest = if more == 0 { String::new() } else { format!("; and {more} more") };
        let told = stops[..stops.len().min(TOLD)].join("; ");
        return Err(Refusal::failed(format!("{node} is not drained: {told}{rest}")));
    }
    let pods: Vec<&Value> = on_node(answers).filter(|pod| fate(pod) == Fate::Evicted).collect();
    if pods.len() > MOST {
        return Err(Refusal::failed(format!(
            "{node} has {} pods to evict, and one confirmation lists {MOST} at most: use kubectl drain",
            pods.len()
        )));
    }
    Ok(pods)
}

/// The cordon, where it is not cordoned yet, then the evictions. The right to evict is asked for once for
/// each namespace.
fn requests(node: &Found, pods: &[&Value], ctx: &Ctx) -> Vec<Request> {
    let write = json!({"op": "add", "path": UNSCHEDULABLE, "value": true});
    let cordon =
        || node.patch(ctx, "", vec![node.test(UNSCHEDULABLE), write], &[(UNSCHEDULABLE, json!(true))]);
    let mut requests: Vec<Request> = (!is_cordoned(&node.object)).then(cordon).into_iter().collect();
    let mut asked: Vec<&str> = Vec::new();
    for pod in pods {
        let mut request = eviction::request(pod, ctx);
        let namespace = text(pod, "/metadata/namespace");
        if !asked.contains(&namespace) {
            asked.push(namespace);
            request.rights.push(POD.right("create", "eviction", namespace, ""));
        }
        requests.push(request);
    }
    requests
}

/// What controls the pods, by its identity, as far as its kind is known to keep pods.
fn owners<'a>(pods: &[&'a Value]) -> BTreeMap<&'a str, Aim> {
    let aim = |pod: &&'a Value| {
        let owner = controller(pod)?;
        let resource = OWNERS.into_iter().find(|one| one.kind == text(owner, "/kind"))?;
        let namespace = text(pod, "/metadata/namespace").to_owned();
        Some((text(owner, "/uid"), Aim { resource, namespace, name: text(owner, "/name").to_owned() }))
    };
    pods.iter().filter_map(aim).collect()
}

/// What controls pods that go, and how many of them are ready.
struct Workload {
    /// `Deployment app in shop`.
    name: String,
    pods: Vec<String>,
    ready: u64,
    /// Ready pods that it has anywhere; `None` where that is not known.
    of: Option<u64>,
}

impl Workload {
    /// Returns those of these pods. `answers` are those to the reads of [`owners`], in its order.
    fn all(pods: &[&Value], answers: &[Answer]) -> Vec<Self> {
        let aims = owners(pods);
        let found: BTreeMap<&str, &Value> = aims
            .keys()
            .zip(answers)
            .filter_map(|(uid, answer)| Some((*uid, answer.found()?)))
            .filter(|(uid, owner)| text(owner, "/metadata/uid") == *uid)
            .collect();
        let mut all: BTreeMap<&str, Self> = BTreeMap::new();
        for (pod, owner) in pods.iter().filter_map(|pod| Some((pod, controller(pod)?))) {
            let uid = text(owner, "/uid");
            let known = found.get(uid).copied();
            let one = all.entry(uid).or_insert_with(|| Self {
                name: named(owner, known, text(pod, "/metadata/namespace")),
                pods: Vec::new(),
                ready: 0,
                of: known.map(ready),
            });
            one.pods.push(text(pod, "/metadata/name").to_owned());
            one.ready += u64::from(is_true(pod, "Ready"));
        }
        all.into_values().collect()
    }

    fn loses_the_last(&self) -> bool {
        self.ready > 0 && self.of.is_some_and(|of| of <= self.ready)
    }

    fn told(&self) -> Fact {
        let Self { name, pods, ready, of } = self;
        let share = of.map_or_else(
            || format!("{ready} ready, of how many is not known"),
            |of| format!("{ready} of {of} ready pods"),
        );
        let words = format!("{name}, {share}: {}", pods.join(", "));
        if self.loses_the_last() { Fact::warn("evicts", words) } else { Fact::plain("evicts", words) }
    }
}

/// What a workload is called: a Deployment by its own name, which its ReplicaSet knows.
fn named(owner: &Value, found: Option<&Value>, namespace: &str) -> String {
    let above = found.and_then(controller).unwrap_or(owner);
    format!("{} {} in {namespace}", text(above, "/kind"), text(above, "/name"))
}

fn ready(workload: &Value) -> u64 {
    let counts = ["/status/readyReplicas", "/status/numberReady", "/status/ready"];
    counts.iter().find_map(|at| workload.pointer(at)).and_then(Value::as_u64).unwrap_or(0)
}

fn touches(pods: usize, workloads: usize) -> String {
    let all = format!("{} of {}", counted(pods, "pod"), counted(workloads, "workload"));
    format!("{all}; no new pod starts on it")
}

fn why_named(workloads: &[Workload]) -> String {
    let last: Vec<&str> =
        workloads.iter().filter(|one| one.loses_the_last()).map(|one| one.name.as_str()).collect();
    if last.is_empty() {
        return "a node serves every namespace".to_owned();
    }
    format!("{} left without a ready pod until others have started", last.join(", "))
}

/// Which pods of which workloads go, which stay, what may keep them, and what comes afterwards.
fn facts(workloads: &[Workload], answers: &[Answer], budgets: Vec<Fact>) -> Vec<Fact> {
    let mut stay: BTreeMap<&str, usize> = BTreeMap::new();
    for pod in on_node(answers) {
        if let Fate::Stays(why) = fate(pod) {
            *stay.entry(why).or_default() += 1;
        }
    }
    let stay: Vec<String> = stay.into_iter().map(|(why, count)| format!("{count} {why}")).collect();
    let stay = (!stay.is_empty()).then(|| Fact::plain("stay", stay.join(", ")));
    let after = "no evicted pod: others start where there is room; uncordon lets pods on this node again";
    workloads
        .iter()
        .map(Workload::told)
        .chain(stay)
        .chain(budgets)
        .chain([Fact::plain("comes back", after)])
        .collect()
}

#[cfg(test)]
mod tests;
