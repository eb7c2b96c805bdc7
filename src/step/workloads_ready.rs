//! Whether all Deployments, StatefulSets and DaemonSets have the pods that are wanted, of the newest template
//! and ready, as `kubectl rollout status` has it; those that do not stand first.

use serde_json::Value;

use super::command::line;
use super::example::fill;
use super::input::{InputKind, InputSpec, Inputs};
use super::pages::{self, List};
use super::parameters::Parameters;
use super::target::{Resource, WORKLOADS};
use super::{Answer, Ctx, Draft, Read, StepKind, printed, text};
use crate::clean::Clean;
use crate::event::{Danger, Output, Refusal, Table};
use crate::units;

const INPUTS: &[InputSpec] = &[InputSpec::optional("namespace", InputKind::Namespace)];

const COLUMNS: [&str; 6] = ["NAMESPACE", "WORKLOAD", "DESIRED", "UPDATED", "READY", "MISSING"];

pub(super) struct WorkloadsReady;

impl StepKind for WorkloadsReady {
    fn name(&self) -> &'static str {
        "workloads-ready"
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

    fn example(&self, inputs: &Inputs, _: &Parameters) -> Option<String> {
        Some(fill("kubectl get deployments,statefulsets,daemonsets[ -n <namespace>]", inputs))
    }

    fn reads(&self, inputs: &Inputs, _: &[Answer], _: &Ctx) -> Result<Vec<Read>, Refusal> {
        lists(inputs).map(|_| Vec::new())
    }

    fn plan(&self, inputs: &Inputs, _: &[Answer], ctx: &Ctx) -> Result<Draft, Refusal> {
        let namespace = inputs.namespace("namespace")?;
        let place = namespace.map_or_else(|| vec!["-A"], |namespace| vec!["-n", namespace]);
        let words = [
            &["kubectl", "get", "deployments,statefulsets,daemonsets"][..],
            &place,
            &["--context", ctx.place.context.as_str()],
        ];
        let command = line(&words.concat().into_iter().map(Into::into).collect::<Vec<_>>());
        let right = |resource: &&Resource| resource.right("list", "", namespace.unwrap_or_default(), "");
        let rights = WORKLOADS.iter().map(right).collect();
        Ok(Draft::look(
            "whether all workloads are ready".to_owned(),
            ctx.cluster(),
            "the workloads",
            rights,
            command,
        ))
    }

    fn looks(&self, inputs: &Inputs, answers: &[Answer], _: &Ctx) -> Result<Vec<Read>, Refusal> {
        Ok(pages::next_of(&lists(inputs)?, answers))
    }

    fn tell(&self, inputs: &Inputs, answers: &[Answer], _: &Ctx) -> Result<Output, Refusal> {
        let listed = pages::listed(&lists(inputs)?, answers)?;
        let mut all: Vec<Workload> = WORKLOADS
            .iter()
            .zip(&listed)
            .flat_map(|(resource, list)| list.items.iter().map(|object| Workload::of(resource, object)))
            .collect();
        all.sort_by_key(|one| (one.missing.is_none(), one.ready > 0)); // those without a ready pod first
        let unready: Vec<String> =
            all.iter().filter(|one| one.missing.is_some()).map(|one| one.name.to_owned()).collect();
        let mut table = Table::new(&COLUMNS);
        table.rows = all.iter().map(Workload::row).collect();
        let unread = listed.into_iter().filter_map(|list| list.cut);
        let none = all.is_empty().then(|| Clean::from("there is no workload to look at"));
        let cut = pages::joined(unread.chain(none).chain(pages::shorten(&mut table)));
        let wrong = printed::wrong(unready.len(), (all.len(), "workload"), "not ready", &unready);
        let sum = format!("{} of {} ready", all.len() - unready.len(), units::counted(all.len(), "workload"));
        Ok(Output { wrong, cut, ..Output::read(sum, table) })
    }
}

fn lists(inputs: &Inputs) -> Result<Vec<List>, Refusal> {
    let namespace = inputs.namespace("namespace")?;
    Ok(WORKLOADS.iter().map(|resource| List::of(resource, namespace, true)).collect())
}

struct Workload<'a> {
    word: &'static str,
    namespace: &'a str,
    name: &'a str,
    desired: u64,
    updated: u64,
    ready: u64,
    /// What it lacks.
    missing: Option<String>,
}

impl<'a> Workload<'a> {
    fn of(resource: &Resource, object: &'a Value) -> Self {
        let number = |pointer: &str| object.pointer(pointer).and_then(Value::as_u64);
        let status = |field: &str| number(&format!("/status/{field}")).unwrap_or(0);
        let (desired, updated, ready) = match resource.word {
            "daemonset" => {
                (status("desiredNumberScheduled"), status("updatedNumberScheduled"), status("numberReady"))
            }
            _ => (number("/spec/replicas").unwrap_or(1), status("updatedReplicas"), status("readyReplicas")),
        };
        let seen = status("observedGeneration") >= number("/metadata/generation").unwrap_or(0);
        // Pods below the partition of a StatefulSet keep their template on purpose; so do all with OnDelete.
        let kept = match text(object, "/spec/updateStrategy/type") {
            "OnDelete" => desired,
            _ => number("/spec/updateStrategy/rollingUpdate/partition").unwrap_or(0),
        };
        let settled = text(object, "/status/currentRevision") == text(object, "/status/updateRevision");
        let current = settled && resource.word == "statefulset";
        let missing = match () {
            () if !seen => Some("its controller has not seen the last change".to_owned()),
            () if ready < desired => Some(format!("{} of {desired} not ready", desired - ready)),
            () if updated + kept < desired && !current => {
                Some(format!("{} of {desired} of an older template", desired - updated))
            }
            () => None,
        };
        let [namespace, name] = ["namespace", "name"].map(|key| text(object, &format!("/metadata/{key}")));
        Self { word: resource.word, namespace, name, desired, updated, ready, missing }
    }

    fn row(&self) -> Vec<Clean> {
        let Self { word, namespace, name, desired, updated, ready, missing } = self;
        let cells = [
            (*namespace).to_owned(),
            format!("{word}/{name}"),
            desired.to_string(),
            updated.to_string(),
            ready.to_string(),
            missing.clone().unwrap_or_default(),
        ];
        cells.map(Clean::from).to_vec()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::step::samples::ctx;

    fn list(kind: &str, items: &[Value]) -> Answer {
        Answer::Found(json!({"kind": format!("{kind}List"), "items": items}))
    }

    fn deployment(name: &str, status: &Value) -> Value {
        json!({"metadata": {"namespace": "ns", "name": name, "generation": 2}, "spec": {"replicas": 2}, "status": status})
    }

    fn told(deployments: &[Value], sets: &[Value], daemons: &[Value]) -> Output {
        let answers =
            [list("Deployment", deployments), list("StatefulSet", sets), list("DaemonSet", daemons)];
        WorkloadsReady.tell(&Inputs::default(), &answers, &ctx()).unwrap()
    }

    #[test]
    fn what_is_not_ready_or_not_of_the_newest_template_stands_first() {
        let well = json!({"observedGeneration": 2, "updatedReplicas": 2, "readyReplicas": 2});
        let old = json!({"observedGeneration": 2, "updatedReplicas": 1, "readyReplicas": 2});
        let unseen = json!({"observedGeneration": 1, "updatedReplicas": 2, "readyReplicas": 2});
        let down = json!({"observedGeneration": 2, "updatedReplicas": 2});
        let all = [("well", &well), ("old", &old), ("unseen", &unseen), ("down", &down)];
        let all: Vec<Value> = all.iter().map(|(name, status)| deployment(name, status)).collect();
        let output = told(&all, &[], &[]);
        let rows: Vec<String> = output.table.unwrap().rows.iter().map(|row| row.join("|")).collect();
        assert_eq!(
            rows,
            [
                "ns|deployment/down|2|2|0|2 of 2 not ready",
                "ns|deployment/old|2|1|2|1 of 2 of an older template",
                "ns|deployment/unseen|2|2|2|its controller has not seen the last change",
                "ns|deployment/well|2|2|2|",
            ]
        );
        assert_eq!(output.wrong, Some(Clean::new("3 of 4 workloads are not ready: down, old, unseen")));
        assert_eq!(output.lines, [Clean::new("1 of 4 workloads ready")]);
    }

    #[test]
    fn a_partition_and_a_daemon_set_are_read_as_they_mean_it() {
        let partition = json!({"metadata": {"name": "set"}, "spec": {"replicas": 3, "updateStrategy": {"rollingUpdate": {"partition": 2}}},
            "status": {"readyReplicas": 3, "updatedReplicas": 1, "currentRevision": "a", "updateRevision": "b"}});
        let daemon = json!({"metadata": {"name": "agent"}, "status": {"desiredNumberScheduled": 2, "updatedNumberScheduled": 2, "numberReady": 1}});
        let output = told(&[], &[partition], &[daemon]);
        assert_eq!(output.wrong, Some(Clean::new("1 of 2 workloads is not ready: agent")));
    }
}
