//! `kubectl get nodes`: the nodes, those that are not ready first.

use super::command::line;
use super::example::fill;
use super::input::{InputSpec, Inputs};
use super::parameters::Parameters;
use super::printed::{self, Printed};
use super::target::NODE;
use super::{Answer, Ctx, Draft, Read, StepKind, pages};
use crate::clean::Clean;
use crate::event::{Danger, Output, Refusal, Table};

const COLUMNS: [&str; 5] = ["Name", "Status", "Roles", "Age", "Version"];
const WHAT: &str = "the nodes";

pub(super) struct Nodes;

impl StepKind for Nodes {
    fn name(&self) -> &'static str {
        "nodes"
    }

    fn danger(&self) -> Danger {
        Danger::Read
    }

    fn inputs(&self) -> &'static [InputSpec] {
        &[]
    }

    fn judges(&self) -> bool {
        true
    }

    fn example(&self, inputs: &Inputs, _: &Parameters) -> Option<String> {
        Some(fill("kubectl get nodes", inputs))
    }

    fn plan(&self, _: &Inputs, _: &[Answer], ctx: &Ctx) -> Result<Draft, Refusal> {
        let words = ["kubectl", "get", "nodes", "--context", ctx.place.context.as_str()].map(Into::into);
        let rights = vec![NODE.right("list", "", "", "")];
        Ok(Draft::look("nodes".to_owned(), ctx.cluster(), WHAT, rights, line(&words)))
    }

    fn looks(&self, _: &Inputs, answers: &[Answer], _: &Ctx) -> Result<Vec<Read>, Refusal> {
        Ok(printed::next(&NODE.list(""), WHAT, answers))
    }

    fn tell(&self, _: &Inputs, answers: &[Answer], _: &Ctx) -> Result<Output, Refusal> {
        let nodes = Printed::of(WHAT, answers)?;
        let mut table = Table::new(&["NAME", "STATUS", "ROLES", "AGE", "VERSION"]);
        table.rows = nodes.rows().map(|node| node.cells(&COLUMNS)).collect();
        table.rows.sort_by_key(|row| (is_ready(row), row[1].as_str() == "Ready"));
        let ready = table.rows.iter().filter(|row| is_ready(row)).count();
        let cordoned = table.rows.iter().filter(|row| row[1].contains("SchedulingDisabled")).count();
        let kept = if cordoned == 0 { String::new() } else { format!(", {cordoned} cordoned") };
        let all = table.rows.len();
        let down: Vec<String> = table.rows.iter().take(all - ready).map(|row| row[0].to_string()).collect();
        let wrong = printed::wrong(down.len(), (all, "node"), "not ready", &down);
        let cut = pages::shorten(&mut table);
        Ok(Output { wrong, cut, ..Output::read(format!("{ready} of {all} nodes ready{kept}"), table) })
    }
}

/// `Ready,SchedulingDisabled` is a ready node that takes no new pods.
fn is_ready(row: &[Clean]) -> bool {
    row[1].split(',').any(|word| word == "Ready")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::step::samples::ctx;

    #[test]
    fn those_that_are_not_ready_stand_first_and_are_not_counted_as_ready() {
        let columns: Vec<Value> = COLUMNS.iter().map(|name| json!({"name": name})).collect();
        let statuses = [("a", "Ready"), ("b", "NotReady"), ("c", "Ready,SchedulingDisabled")];
        let row = |(name, status): (&str, &str)| json!({"cells": [name, status, "<none>", "5d", "v1.35.0"]});
        let rows: Vec<Value> = statuses.into_iter().map(row).collect();
        let answer = Answer::Found(json!({"kind": "Table", "columnDefinitions": columns, "rows": rows}));
        let output = Nodes.tell(&Inputs::default(), &[answer], &ctx()).unwrap();
        assert_eq!(output.lines, [Clean::new("2 of 3 nodes ready, 1 cordoned")]);
        assert_eq!(output.wrong, Some(Clean::new("1 of 3 nodes is not ready: b")));
        let names: Vec<String> = output.table.unwrap().rows.iter().map(|row| row[0].to_string()).collect();
        assert_eq!(names, ["b", "c", "a"]);
    }
}
