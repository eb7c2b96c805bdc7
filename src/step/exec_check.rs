//! `kubectl exec` of a command that looks: an argument vector, never a shell, in one ready pod of a workload.
//! What it prints is shown and recorded, with its exit code. Whether it only looks is the runbook's business
//! and the person's: nothing here can tell.

use serde_json::Value;

use super::command::{Word, line, split, typed};
use super::example::fill;
use super::input::{InputKind, InputSpec, Inputs};
use super::parameters::{ParameterKind, ParameterSpec, Parameters};
use super::target::{Aim, Found, POD, controller, is_true};
use super::{Answer, Ctx, Draft, Read, Request, StepKind, Undo, text};
use crate::clean::Clean;
use crate::event::{Command, Danger, Exec, Fact, Op, Output, Refusal, Typed};

/// Seconds that a command may take: one that waits for an incident to end is none that looks.
const SECONDS: u32 = 30;

const INPUTS: &[InputSpec] = &[
    InputSpec::required("workload", InputKind::Workload),
    InputSpec::required("command", InputKind::Command),
    InputSpec::optional("container", InputKind::Text),
];

/// Words that the output holds where nothing is wrong.
const EXPECT: &str = "expect";

const PARAMETERS: &[ParameterSpec] =
    &[ParameterSpec { name: EXPECT, kind: ParameterKind::Text, required: false }];

pub(super) struct ExecCheck;

impl StepKind for ExecCheck {
    fn name(&self) -> &'static str {
        "exec-check"
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

    fn parameters(&self) -> &'static [ParameterSpec] {
        PARAMETERS
    }

    fn judge(&self, with: &Parameters, output: Output) -> Output {
        let Some(expected) = with.text(EXPECT).filter(|_| output.exit == Some(0)) else { return output };
        let said = output.lines.iter().any(|line| line.contains(expected));
        let wrong = (!said).then(|| Clean::from(format!("no line says {expected}")));
        Output { wrong, ..output }
    }

    fn reads(&self, inputs: &Inputs, answers: &[Answer], ctx: &Ctx) -> Result<Vec<Read>, Refusal> {
        words(inputs)?;
        let aims = Aim::workloads(inputs.needed("workload")?, ctx)?;
        if answers.is_empty() {
            return Ok(aims.iter().map(|aim| aim.read(false)).collect());
        }
        Ok(if answers.len() == aims.len() {
            vec![pods(&Found::of(&aims, answers, ctx)?)?]
        } else {
            Vec::new()
        })
    }

    fn example(&self, inputs: &Inputs, _: &Parameters) -> Option<String> {
        let place = fill("kubectl exec <workload>[ -c <container>][ -n <namespace>]", inputs);
        Some(format!("{place} -- {}", inputs.get("command").unwrap_or("<command>")))
    }

    fn plan(&self, inputs: &Inputs, answers: &[Answer], ctx: &Ctx) -> Result<Draft, Refusal> {
        let aims = Aim::workloads(inputs.needed("workload")?, ctx)?;
        let words = words(inputs)?;
        let workload = Found::of(&aims, &answers[..answers.len().min(aims.len())], ctx)?;
        let (pod, of) = ready(&workload, answers.get(aims.len()))?;
        let container = container(&pod, inputs.get("container"))?;
        let shown = typed(&words);
        let told = shown.iter().map(|word| word.shown().to_string()).collect::<Vec<_>>().join(" ");
        let command = command(&pod, &container, (&words, &shown), ctx);
        let exec = Exec {
            target: pod.target(ctx),
            container: Clean::new(&container),
            command: shown,
            seconds: SECONDS,
        };
        let rights = [("create", "exec"), ("get", "exec"), ("get", "")]
            .map(|(verb, sub)| POD.right(verb, sub, &pod.aim.namespace, pod.name()));
        Ok(Draft {
            title: format!("run in {}: {told}", workload.name()),
            target: pod.target(ctx),
            requests: vec![Request {
                op: Op::Exec(exec),
                rights: rights.to_vec(),
                object: Value::Null,
                scale: false,
            }],
            checks: Vec::new(),
            undo: Undo::None("it only looks".to_owned()),
            command,
            touches: format!("container {container} of pod {}, one of {of} ready", pod.name()),
            facts: vec![Fact::plain("runs", format!("for {SECONDS} s at the most, without a shell"))],
            lines: Vec::new(),
            naming: None,
        })
    }
}

/// The words of the command, as a shell would split them; nothing of it is expanded.
fn words(inputs: &Inputs) -> Result<Vec<String>, Refusal> {
    let given = inputs.needed("command")?;
    let words =
        split(given).ok_or_else(|| Refusal::usage("a quote of the command does not close".to_owned()))?;
    if words.first().is_none_or(String::is_empty) {
        return Err(Refusal::usage("the command is empty: give a program and its arguments".to_owned()));
    }
    Ok(words)
}

/// Reads the pods that a workload selects.
fn pods(workload: &Found) -> Result<Read, Refusal> {
    let selector = &workload.object["spec"]["selector"];
    if selector["matchLabels"].as_object().is_none_or(serde_json::Map::is_empty) {
        return Err(Refusal::failed(format!("the pods of {} are not found by labels", workload.name())));
    }
    Ok(POD.selected(&workload.aim.namespace, selector, format!("the pods of {}", workload.name())))
}

/// A pod of the workload that is ready, by name the first, and how many are.
fn ready(workload: &Found, answer: Option<&Answer>) -> Result<(Found, usize), Refusal> {
    let name = workload.name();
    let list = match answer {
        Some(Answer::Found(list)) => list,
        Some(Answer::Unknown(why) | Answer::Forbidden(why)) => {
            return Err(Refusal::failed(format!("the pods of {name} cannot be read: {why}")));
        }
        Some(Answer::Missing) | None => {
            return Err(Refusal::failed(format!("the pods of {name} cannot be read")));
        }
    };
    let all = list["items"].as_array().into_iter().flatten();
    let mut ready: Vec<&Value> = all.filter(|pod| is_ready(pod) && is_of(pod, workload)).collect();
    ready.sort_by_key(|pod| text(pod, "/metadata/name"));
    let Some(first) = ready.first() else {
        return Err(Refusal::failed(format!("no pod of {name} is ready: nothing can be run there")));
    };
    let aim = Aim {
        resource: &POD,
        namespace: workload.aim.namespace.clone(),
        name: text(first, "/metadata/name").to_owned(),
    };
    Ok((Found { aim, object: (*first).clone() }, ready.len()))
}

fn is_ready(pod: &Value) -> bool {
    is_true(pod, "Ready") && pod.pointer("/metadata/deletionTimestamp").is_none_or(Value::is_null)
}

/// Labels may be anybody's: whose pod it is, its owner says.
fn is_of(pod: &Value, workload: &Found) -> bool {
    let hash = text(pod, "/metadata/labels/pod-template-hash");
    controller(pod).is_some_and(|owner| match text(owner, "/kind") {
        "ReplicaSet" => {
            workload.aim.resource.word == "deployment"
                && text(owner, "/name") == format!("{}-{hash}", workload.name())
        }
        _ => text(owner, "/uid") == workload.uid(),
    })
}

/// The container that is given, or the one that kubectl takes: the pod's default, or the first.
///
/// # Errors
/// The pod has none of that name.
pub(super) fn container(pod: &Found, given: Option<&str>) -> Result<String, Refusal> {
    let all = pod.object.pointer("/spec/containers").and_then(Value::as_array).into_iter().flatten();
    let names: Vec<&str> = all.map(|container| text(container, "/name")).collect();
    let usual = text(&pod.object, "/metadata/annotations/kubectl.kubernetes.io~1default-container");
    let wanted = given
        .or(Some(usual).filter(|usual| names.contains(usual)))
        .or(names.first().copied())
        .unwrap_or_default();
    if names.contains(&wanted) {
        return Ok(wanted.to_owned());
    }
    Err(Refusal::usage(format!("pod {} has no container {wanted}: {}", pod.name(), names.join(", "))))
}

fn command(pod: &Found, container: &str, (words, shown): (&[String], &[Typed]), ctx: &Ctx) -> Command {
    let place = [
        "kubectl",
        "exec",
        pod.name(),
        "-c",
        container,
        "-n",
        &pod.aim.namespace,
        "--context",
        ctx.place.context.as_str(),
        "--",
    ];
    let hidden = |(word, typed): (&String, &Typed)| {
        let shown = typed.shown();
        if *shown == Clean::new(word) {
            Word::from(word.as_str())
        } else {
            Word::hiding(word, shown, "a word of the command", true)
        }
    };
    line(&place.into_iter().map(Word::from).chain(words.iter().zip(shown).map(hidden)).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::step::parameters::Parameter;
    use crate::step::samples::{deployment, list, plan};

    fn pod(name: &str, ready: &str, owner: &str) -> Value {
        let owners = json!([{"controller": true, "kind": "ReplicaSet", "name": owner, "uid": "r1"}]);
        json!({
            "metadata": {"name": name, "namespace": "ns", "uid": name, "labels": {"pod-template-hash": "abc"}, "ownerReferences": owners},
            "spec": {"containers": [{"name": "app"}, {"name": "proxy"}]},
            "status": {"conditions": [{"type": "Ready", "status": ready}]},
        })
    }

    fn check(inputs: &[(&str, &str)], pods: &[Value]) -> Result<Draft, String> {
        let all: Vec<(&str, &str)> = [("workload", "deployment/app")].iter().chain(inputs).copied().collect();
        plan("exec-check", &all, &[Answer::Found(deployment(&json!({}))), list(pods)])
    }

    #[test]
    fn runs_the_words_in_the_first_ready_pod_that_is_of_the_workload() {
        let pods = [
            pod("c", "True", "app-abc"),
            pod("a", "False", "app-abc"),
            pod("b", "True", "app-abc"),
            pod("0", "True", "other-abc"),
        ];
        let draft = check(&[("command", "cat '/etc/my file' $HOME")], &pods).unwrap();
        let Op::Exec(exec) = &draft.requests[0].op else { panic!("it writes") };
        let words: Vec<&str> = exec.command.iter().map(Typed::raw).collect();
        assert_eq!(
            (words, &*exec.target.name, exec.container.as_str()),
            (vec!["cat", "/etc/my file", "$HOME"], "b", "app")
        );
        assert_eq!(draft.touches, "container app of pod b, one of 2 ready");
        let pasted = "kubectl exec b -c app -n ns --context prod -- cat '/etc/my file' '$HOME'";
        assert_eq!(draft.command.to_copy().unwrap(), pasted);
        assert_eq!(Danger::Read, ExecCheck.danger());
    }

    #[test]
    fn asks_for_both_rights_and_hides_what_follows_a_flag_of_a_secret() {
        let ready = [pod("b", "True", "app-abc")];
        let draft = check(&[("command", "redis-cli --password hunter2 get #key")], &ready).unwrap();
        let rights: Vec<String> = draft.requests[0]
            .rights
            .iter()
            .map(|right| format!("{} {}", right.verb, right.subresource))
            .collect();
        assert_eq!(rights, ["create exec", "get exec", "get "], "a WebSocket begins with GET");
        let Op::Exec(exec) = &draft.requests[0].op else { panic!("it writes") };
        assert_eq!(
            exec.command.iter().map(Typed::raw).collect::<Vec<_>>(),
            ["redis-cli", "--password", "hunter2", "get", "#key"]
        );
        let told = format!("{} {:?} {:?}", draft.title, draft.command, exec.command);
        assert!(
            !told.contains("hunter2") && told.contains("get #key") && draft.command.to_copy().is_none(),
            "{told}"
        );
        let within =
            check(&[("command", "sh -c 'redis-cli --password \"hunter2 x\" ping'")], &ready).unwrap();
        let told = format!("{} {:?}", within.title, within.command);
        assert!(
            !told.contains("hunter2") && told.contains("ping") && within.command.to_copy().is_none(),
            "{told}"
        );
        let typed = crate::step::input::InputKind::Command.typed(" redis-cli --password hunter2 get");
        assert!(!typed.shown().contains("hunter2") && typed.raw().contains("hunter2"), "{typed}");
    }

    #[test]
    fn says_why_it_cannot() {
        let ready = [pod("b", "True", "app-abc")];
        assert_eq!(
            check(&[("command", "echo 'a")], &ready).unwrap_err(),
            "a quote of the command does not close"
        );
        assert_eq!(
            check(&[("command", "''")], &ready).unwrap_err(),
            "the command is empty: give a program and its arguments"
        );
        assert_eq!(
            check(&[("command", "id"), ("container", "db")], &ready).unwrap_err(),
            "pod b has no container db: app, proxy"
        );
        let none = check(&[("command", "id")], &[pod("b", "True", "other-abc")]).unwrap_err();
        assert_eq!(none, "no pod of app is ready: nothing can be run there");
    }

    #[test]
    fn what_a_runbook_expects_and_nobody_says_is_wrong() {
        let with: Parameters =
            [(EXPECT, Parameter::Text("cluster_state:ok".to_owned()))].into_iter().collect();
        let judged = |exit: i32, line: &str| {
            let output = Output { exit: Some(exit), lines: vec![line.into()], ..Output::default() };
            ExecCheck.judge(&with, output).wrong.map(|wrong| wrong.to_string())
        };
        assert_eq!(judged(0, "cluster_state:ok"), None);
        assert_eq!(judged(0, "cluster_state:fail").as_deref(), Some("no line says cluster_state:ok"));
        assert_eq!(judged(1, "refused"), None, "its exit code says that");
    }
}
