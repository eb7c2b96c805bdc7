//! `kubectl rollout history`: the revisions of a Deployment, newest first: where a rollback can go.

use serde_json::Value;

use super::example::fill;
use super::input::{InputSpec, Inputs};
use super::parameters::Parameters;
use super::revisions::REVISION;
use super::rollout_pause::INPUTS;
use super::target::{DEPLOYMENT, Found, REPLICA_SET};
use super::template::{deployment, deployment_and_revisions};
use super::{Answer, Ctx, Draft, Read, StepKind, pages, revisions, text, time};
use crate::clean::Clean;
use crate::event::{Danger, Output, Refusal, Table};
use crate::units;

const COLUMNS: [&str; 5] = ["REVISION", "CHANGE-CAUSE", "IMAGES", "AGE", "READY"];

/// Annotation that says why a revision was made.
const CAUSE: &str = "kubernetes.io/change-cause";

pub(super) struct RolloutHistory;

impl StepKind for RolloutHistory {
    fn name(&self) -> &'static str {
        "rollout-history"
    }

    fn danger(&self) -> Danger {
        Danger::Read
    }

    fn inputs(&self) -> &'static [InputSpec] {
        INPUTS
    }

    fn reads(&self, inputs: &Inputs, answers: &[Answer], ctx: &Ctx) -> Result<Vec<Read>, Refusal> {
        if answers.is_empty() { deployment_and_revisions(inputs, answers, ctx) } else { Ok(Vec::new()) }
    }

    fn example(&self, inputs: &Inputs, _: &Parameters) -> Option<String> {
        Some(fill("kubectl rollout history deployment/<deployment>[ -n <namespace>]", inputs))
    }

    fn plan(&self, inputs: &Inputs, answers: &[Answer], ctx: &Ctx) -> Result<Draft, Refusal> {
        let found = deployment(inputs, answers, ctx)?;
        let name = found.name();
        let namespace = &found.aim.namespace;
        let rights =
            vec![DEPLOYMENT.right("get", "", namespace, name), REPLICA_SET.right("list", "", namespace, "")];
        let words = ["rollout", "history", &format!("deployment/{name}")].map(Into::into).to_vec();
        let title = format!("revisions of {name}");
        let what = format!("the revisions of {name} in {namespace}");
        Ok(Draft::look(title, found.target(ctx), &what, rights, found.kubectl(ctx, words)))
    }

    fn looks(&self, inputs: &Inputs, answers: &[Answer], ctx: &Ctx) -> Result<Vec<Read>, Refusal> {
        deployment_and_revisions(inputs, answers, ctx)
    }

    fn tell(&self, inputs: &Inputs, answers: &[Answer], ctx: &Ctx) -> Result<Output, Refusal> {
        let found = deployment(inputs, answers, ctx)?;
        let history = revisions::of(&found, answers.get(1)).map_err(|why| {
            Refusal::failed(format!("the revisions of {} are not known, because {why}", found.name()))
        })?;
        let current = current(&found);
        let mut table = Table::new(&COLUMNS);
        let newest = history.iter().rev();
        table.rows =
            newest.map(|(number, revision)| row(*number, revision, Some(*number) == current, ctx)).collect();
        let cut = pages::shorten(&mut table);
        Ok(Output { cut, ..Output::read(sum(&found, current, history.len()), table) })
    }
}

/// The revision that the Deployment is at, by its controller.
fn current(deployment: &Found) -> Option<u64> {
    deployment.object["metadata"]["annotations"][REVISION].as_str()?.parse().ok()
}

fn row(number: u64, revision: &Value, is_current: bool, ctx: &Ctx) -> Vec<Clean> {
    let mark = if is_current { " (current)" } else { "" };
    let count = |at: &str| revision.pointer(at).and_then(Value::as_u64).unwrap_or(0);
    let age = time(revision, "/metadata/creationTimestamp").map(|at| units::age(ctx.now - at));
    [
        format!("{number}{mark}"),
        cause(revision).to_owned(),
        images(revision),
        age.unwrap_or_else(|| "<unknown>".to_owned()),
        format!("{}/{}", count("/status/readyReplicas"), count("/spec/replicas")),
    ]
    .map(Clean::from)
    .to_vec()
}

/// Why a revision was made: as its ReplicaSet says, or its template (`getChangeCause` in
/// `kubectl/pkg/polymorphichelpers/history.go`).
fn cause(revision: &Value) -> &str {
    let annotations = [&revision["metadata"], &revision["spec"]["template"]["metadata"]];
    let told = annotations.iter().filter_map(|metadata| metadata["annotations"][CAUSE].as_str());
    told.into_iter().find(|cause| !cause.is_empty()).unwrap_or("<none>")
}

/// The images of its containers, those that only initialise aside.
fn images(revision: &Value) -> String {
    let containers = revision.pointer("/spec/template/spec/containers").and_then(Value::as_array);
    let images = containers.into_iter().flatten().map(|container| text(container, "/image"));
    images.collect::<Vec<_>>().join(", ")
}

/// `app is at revision 3; 3 revisions kept, 2 of 2 replicas ready`
fn sum(deployment: &Found, current: Option<u64>, kept: usize) -> String {
    let at = current.map_or_else(|| "an unknown revision".to_owned(), |number| format!("revision {number}"));
    let paused = if deployment.object["spec"]["paused"] == true { "; the rollout is paused" } else { "" };
    format!(
        "{} is at {at}; {} kept, {}{paused}",
        deployment.name(),
        units::counted(kept, "revision"),
        deployment.replicas()
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::step::samples::{self, ctx, list, plan};

    const INPUT: [(&str, &str); 1] = [("deployment", "app")];

    fn template(image: &str) -> Value {
        json!({"metadata": {"labels": {"app": "app"}}, "spec": {"containers": [{"image": image}, {"image": "proxy:2"}]}})
    }

    fn deployment_at(number: &str) -> Answer {
        let mut deployment = samples::deployment(&template("app:2"));
        deployment["metadata"]["annotations"][REVISION] = json!(number);
        Answer::Found(deployment)
    }

    fn told(answers: &[Answer]) -> Result<Output, Refusal> {
        RolloutHistory.tell(&INPUT.into_iter().collect(), answers, &ctx())
    }

    #[test]
    fn the_newest_stands_first_with_its_cause_and_the_current_one_is_marked() {
        let [mut old, mut new] =
            [(9, "app:1"), (10, "app:2")].map(|(number, image)| samples::revision(number, &template(image)));
        old["metadata"]["annotations"][CAUSE] = json!("release 1");
        old["metadata"]["creationTimestamp"] = json!("2026-11-20T14:46:32Z");
        new["spec"]["template"]["metadata"]["annotations"][CAUSE] = json!("");
        new["spec"]["replicas"] = json!(2);
        new["status"]["readyReplicas"] = json!(1);
        let output = told(&[deployment_at("10"), list(&[old, new])]).unwrap();
        let rows: Vec<String> = output.table.unwrap().rows.iter().map(|row| row.join("|")).collect();
        assert_eq!(
            rows,
            ["10 (current)|<none>|app:2, proxy:2|<unknown>|1/2", "9|release 1|app:1, proxy:2|3d|0/0"]
        );
        let sum = "app is at revision 10; 2 revisions kept, 2 of 2 replicas ready";
        assert_eq!((output.lines, output.cut), (vec![Clean::new(sum)], None));
    }

    #[test]
    fn what_cannot_be_read_is_no_empty_history() {
        let why = told(&[deployment_at("1"), Answer::Unknown("forbidden".into())]).unwrap_err();
        assert_eq!(why.reason().as_str(), "the revisions of app are not known, because forbidden");
    }

    #[test]
    fn it_is_bound_to_the_deployment_and_has_kubectls_command() {
        let draft = plan("rollout-history", &INPUT, &[deployment_at("1")]).unwrap();
        assert_eq!(
            draft.command.to_copy().unwrap(),
            "kubectl rollout history deployment/app -n ns --context prod"
        );
        assert_eq!((draft.target.kind.as_str(), draft.target.uid.as_str()), ("deployment", "u1"));
        let inputs: Inputs = INPUT.into_iter().collect();
        assert_eq!(RolloutHistory.reads(&inputs, &[deployment_at("1")], &ctx()), Ok(Vec::new()));
    }
}
