//! `kubectl get pods -A | grep -v Running`: the pods whose STATUS is not Running, of all namespaces or of
//! one.

use std::collections::BTreeMap;

use super::command::line;
use super::example::fill;
use super::input::{InputKind, InputSpec, Inputs};
use super::parameters::Parameters;
use super::printed::{self, Printed};
use super::target::POD;
use super::{Answer, Ctx, Draft, Read, StepKind, pages};
use crate::clean::Clean;
use crate::event::{Danger, Output, Refusal, Table};
use crate::units;

const INPUTS: &[InputSpec] = &[InputSpec::optional("namespace", InputKind::Namespace)];

const COLUMNS: [&str; 5] = ["Name", "Ready", "Status", "Restarts", "Age"];

pub(super) struct PodsNotRunning;

impl StepKind for PodsNotRunning {
    fn name(&self) -> &'static str {
        "pods-not-running"
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

    fn reads(&self, inputs: &Inputs, _: &[Answer], _: &Ctx) -> Result<Vec<Read>, Refusal> {
        inputs.namespace("namespace").map(|_| Vec::new())
    }

    fn example(&self, inputs: &Inputs, _: &Parameters) -> Option<String> {
        Some(fill("kubectl get pods -A | grep -v Running", inputs))
    }

    fn plan(&self, inputs: &Inputs, _: &[Answer], ctx: &Ctx) -> Result<Draft, Refusal> {
        let namespace = inputs.namespace("namespace")?;
        let place = namespace.map_or_else(|| vec!["-A"], |namespace| vec!["-n", namespace]);
        let words =
            [&["kubectl", "get", "pods"][..], &place, &["--context", ctx.place.context.as_str()]].concat();
        let mut command = line(&words.into_iter().map(Into::into).collect::<Vec<_>>());
        command.shown = format!("{} | grep -v Running", command.shown).into();
        let right = POD.right("list", "", namespace.unwrap_or_default(), "");
        Ok(Draft::look(
            "pods that are not Running".to_owned(),
            ctx.cluster(),
            &what(namespace),
            vec![right],
            command,
        ))
    }

    fn looks(&self, inputs: &Inputs, answers: &[Answer], _: &Ctx) -> Result<Vec<Read>, Refusal> {
        let namespace = inputs.namespace("namespace")?;
        let path = namespace.map_or_else(|| "/api/v1/pods".to_owned(), |namespace| POD.list(namespace));
        Ok(printed::next(&path, &what(namespace), answers))
    }

    fn tell(&self, inputs: &Inputs, answers: &[Answer], _: &Ctx) -> Result<Output, Refusal> {
        let pods = Printed::of(&what(inputs.namespace("namespace")?), answers)?;
        let mut table = Table::new(&["NAMESPACE", "NAME", "READY", "STATUS", "RESTARTS", "AGE"]);
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for pod in pods.rows().filter(|pod| pod.cell("Status") != "Running") {
            *counts.entry(pod.cell("Status")).or_default() += 1;
            table.rows.push([vec![Clean::new(pod.namespace())], pod.cells(&COLUMNS)].concat());
        }
        table.rows.sort_by_key(|row| is_history(&row[3])); // stable: within, as kubectl has them
        let all = pods.rows().count();
        let cut = pages::shorten(&mut table);
        Ok(Output { wrong: wrong(all, &counts), cut, ..Output::read(sum(all, &counts), table) })
    }
}

fn what(namespace: Option<&str>) -> String {
    namespace.map_or_else(|| "the pods of all namespaces".to_owned(), |name| format!("the pods of {name}"))
}

/// What has ended well is no trouble, and stands last.
fn is_history(status: &str) -> bool {
    matches!(status, "Completed" | "Succeeded")
}

/// `2 of 31 pods are in trouble: 2 CrashLoopBackOff`
fn wrong(all: usize, counts: &BTreeMap<String, usize>) -> Option<Clean> {
    let mut trouble: Vec<(&String, &usize)> =
        counts.iter().filter(|(status, _)| !is_history(status)).collect();
    trouble.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let each: Vec<String> = trouble.iter().map(|(status, count)| format!("{count} {status}")).collect();
    printed::wrong(trouble.iter().map(|(_, count)| **count).sum(), (all, "pod"), "in trouble", &each)
}

/// `3 of 42 pods are not Running: 2 CrashLoopBackOff, 1 Completed`
fn sum(all: usize, counts: &BTreeMap<String, usize>) -> String {
    let mut each: Vec<(&String, &usize)> = counts.iter().collect();
    each.sort_by_key(|(status, count)| (is_history(status), std::cmp::Reverse(**count)));
    let each: Vec<String> = each.into_iter().map(|(status, count)| format!("{count} {status}")).collect();
    let found: usize = counts.values().sum();
    match found {
        0 => format!("{}, all Running", units::counted(all, "pod")),
        _ => format!("{found} of {} are not Running: {}", units::counted(all, "pod"), each.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::step::samples::{ctx, plan};

    fn page(pods: &[(&str, &str)]) -> Answer {
        let columns: Vec<Value> = COLUMNS.iter().map(|name| json!({"name": name})).collect();
        let row = |(name, status): &(&str, &str)| json!({"cells": [name, "0/1", status, "4 (1m ago)", "5m"], "object": {"metadata": {"namespace": "ns"}}});
        let rows: Vec<Value> = pods.iter().map(row).collect();
        Answer::Found(json!({"kind": "Table", "columnDefinitions": columns, "rows": rows}))
    }

    fn told(pods: &[(&str, &str)]) -> Output {
        PodsNotRunning.tell(&Inputs::default(), &[page(pods)], &ctx()).unwrap()
    }

    #[test]
    fn tells_what_is_not_running_by_kubectls_own_word_and_what_has_ended_last() {
        let pods = [("job", "Completed"), ("a", "Running"), ("b", "CrashLoopBackOff"), ("c", "Evicted")];
        let output = told(&pods);
        assert_eq!(
            output.lines,
            [Clean::new("3 of 4 pods are not Running: 1 CrashLoopBackOff, 1 Evicted, 1 Completed")]
        );
        let wrong = "2 of 4 pods are in trouble: 1 CrashLoopBackOff, 1 Evicted";
        assert_eq!(output.wrong, Some(Clean::new(wrong)));
        assert_eq!(told(&[("job", "Completed")]).wrong, None);
        let names: Vec<String> = output.table.unwrap().rows.iter().map(|row| row[1].to_string()).collect();
        assert_eq!(names, ["b", "c", "job"]);
        assert_eq!(told(&[("a", "Running")]).lines, [Clean::new("1 pod, all Running")]);
    }

    #[test]
    fn one_namespace_is_asked_for_by_its_name_and_no_path_leads_out_of_it() {
        let draft = plan("pods-not-running", &[("namespace", "shop")], &[]).unwrap();
        assert_eq!(
            draft.command.to_copy().unwrap(),
            "kubectl get pods -n shop --context prod | grep -v Running"
        );
        let inputs: Inputs = [("namespace", "shop")].into_iter().collect();
        let reads = PodsNotRunning.looks(&inputs, &[], &ctx()).unwrap();
        assert_eq!(reads[0].path, "/api/v1/namespaces/shop/pods?limit=500");
        let why = plan("pods-not-running", &[("namespace", "../x")], &[]).unwrap_err();
        assert_eq!(why, "\"../x\" is no namespace: give its name");
    }
}
