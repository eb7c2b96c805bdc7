//! `kubectl logs -l app=… --tail=100`: the last lines of all pods that labels select, merged by time, each
//! with its pod. Following them is the log view's.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::command::line;
use super::example::fill;
use super::input::{InputKind, InputSpec, Inputs};
use super::parameters::Parameters;
use super::target::{POD, is_name};
use super::{Answer, Ctx, Draft, Read, ReadAs, StepKind, Whom, pages, text};
use crate::clean::redact::redact_text;
use crate::event::{Danger, Output, Refusal, Table};
use crate::net::query::escaped;
use crate::units;

/// Bytes of one log that are read at most.
const BYTES: u32 = 1 << 20;

const INPUTS: &[InputSpec] = &[
    InputSpec::required("app", InputKind::Text),
    InputSpec::optional("namespace", InputKind::Namespace),
    InputSpec::optional("tail", InputKind::Count),
    InputSpec::optional("container", InputKind::Text),
];

/// Lines of each pod unless a number is given: those of `--tail=100`.
const USUAL: usize = 100;
/// Lines that are told at most, the newest of all pods.
const MOST: usize = 500;
/// Pods that are read at most.
const MOST_PODS: usize = 50;
/// Characters of a key or a value of a label at most, with the key's prefix.
const LABEL: usize = 317;

pub(super) struct Logs;

impl StepKind for Logs {
    fn name(&self) -> &'static str {
        "logs"
    }

    fn danger(&self) -> Danger {
        Danger::Read
    }

    fn inputs(&self) -> &'static [InputSpec] {
        INPUTS
    }

    fn example(&self, inputs: &Inputs, _: &Parameters) -> Option<String> {
        let command = "kubectl logs -l app=<app> --prefix[ --tail=<tail>][ -n <namespace>][ -c <container>]";
        Some(fill(command, inputs))
    }

    fn reads(&self, inputs: &Inputs, _: &[Answer], ctx: &Ctx) -> Result<Vec<Read>, Refusal> {
        Wanted::of(inputs, ctx).map(|_| Vec::new())
    }

    fn plan(&self, inputs: &Inputs, _: &[Answer], ctx: &Ctx) -> Result<Draft, Refusal> {
        let wanted = Wanted::of(inputs, ctx)?;
        let Wanted { selector, namespace, tail, container } = &wanted;
        let tail_flag = format!("--tail={tail}");
        let container = container.map_or_else(Vec::new, |name| vec!["-c", name]);
        let words = [
            &["kubectl", "logs", "-n", namespace, "-l", selector, &tail_flag, "--prefix", "--timestamps"][..],
            &container,
            &["--context", ctx.place.context.as_str()],
        ];
        let command = line(&words.concat().into_iter().map(Into::into).collect::<Vec<_>>());
        let rights = [("list", ""), ("get", "log")].map(|(verb, sub)| POD.right(verb, sub, namespace, ""));
        let title = format!("the last {tail} lines of {selector}");
        Ok(Draft::look(title, ctx.cluster(), &wanted.what(), rights.to_vec(), command))
    }

    fn looks(&self, inputs: &Inputs, answers: &[Answer], ctx: &Ctx) -> Result<Vec<Read>, Refusal> {
        let wanted = Wanted::of(inputs, ctx)?;
        let (list, logs) = parts(answers);
        if !logs.is_empty() {
            return Ok(Vec::new());
        }
        let path = format!("{}?labelSelector={}", POD.list(wanted.namespace), escaped(&wanted.selector));
        let next = pages::next(&path, &wanted.what(), ReadAs::Objects, list);
        if !next.is_empty() {
            return Ok(next);
        }
        Ok(wanted.pods(list)?.iter().take(MOST_PODS).map(|pod| wanted.read(pod)).collect())
    }

    fn tell(&self, inputs: &Inputs, answers: &[Answer], ctx: &Ctx) -> Result<Output, Refusal> {
        let wanted = Wanted::of(inputs, ctx)?;
        let (list, logs) = parts(answers);
        let pods = wanted.pods(list)?;
        let mut lines: Vec<Line> = Vec::new();
        let mut unread: Vec<String> = Vec::new();
        for (pod, answer) in pods.iter().zip(logs) {
            match answer {
                Answer::Found(log) => lines.extend(lines_of(pod, log.as_str().unwrap_or_default())),
                Answer::Missing => unread.push(format!("{} is gone", pod.name)),
                Answer::Unknown(why) | Answer::Forbidden(why) => {
                    unread.push(format!("{} cannot be read: {why}", pod.name));
                }
            }
        }
        lines.sort_by_key(|line| line.at); // stable: a pod's own lines keep their order
        let all = lines.len();
        let told: Vec<String> = lines.iter().skip(all.saturating_sub(MOST)).map(Line::told).collect();
        unread
            .extend((pods.len() > MOST_PODS).then(|| format!("{MOST_PODS} of {} pods are read", pods.len())));
        unread.extend((all > MOST).then(|| format!("the newest {MOST} of {all} lines are shown")));
        let cut = (!unread.is_empty()).then(|| unread.join("; ").into());
        let text = pages::told(told.iter().map(String::as_str));
        Ok(Output { text, cut, ..Output::read(sum(all, pods.len(), &wanted), Table::default()) })
    }
}

/// What is asked for.
struct Wanted<'a> {
    selector: String,
    namespace: &'a str,
    tail: usize,
    container: Option<&'a str>,
}

impl<'a> Wanted<'a> {
    fn of(inputs: &'a Inputs, ctx: &'a Ctx) -> Result<Self, Refusal> {
        let container = inputs.get("container");
        if let Some(name) = container.filter(|name| !is_name(name)) {
            return Err(Refusal::usage(format!("\"{name}\" is no container: give its name")));
        }
        Ok(Self {
            selector: selector(inputs.needed("app")?)?,
            namespace: inputs.namespace("namespace")?.unwrap_or(&ctx.namespace),
            tail: pages::count(inputs, "tail", USUAL, MOST)?,
            container,
        })
    }

    fn what(&self) -> String {
        format!("the pods of {} with {}", self.namespace, self.selector)
    }

    /// The pods by name, each with the container that is read.
    fn pods(&self, list: &'a [Answer]) -> Result<Vec<Pod<'a>>, Refusal> {
        let all = pages::items(&self.what(), "PodList", list)?;
        let mut pods: Vec<Pod> = all
            .into_iter()
            .map(|pod| Pod {
                name: text(pod, "/metadata/name"),
                container: self.container.unwrap_or_else(|| usual(pod)),
            })
            .filter(|pod| is_name(pod.name))
            .collect();
        pods.sort_by_key(|pod| pod.name);
        Ok(pods)
    }

    fn read(&self, pod: &Pod) -> Read {
        let container = escaped(pod.container);
        let path = POD.path(self.namespace, pod.name);
        Read {
            whom: Whom::Cluster,
            path: format!(
                "{path}/log?container={container}&tailLines={}&limitBytes={BYTES}&timestamps=true",
                self.tail
            ),
            what: format!("the log of {}", pod.name),
            is: None,
            required: false,
            wanted: ReadAs::Text,
        }
    }
}

/// A pod, and the container whose log is read.
struct Pod<'a> {
    name: &'a str,
    container: &'a str,
}

/// The container that kubectl takes: the pod's default, or the first.
fn usual(pod: &Value) -> &str {
    let named = text(pod, "/metadata/annotations/kubectl.kubernetes.io~1default-container");
    if named.is_empty() { text(pod, "/spec/containers/0/name") } else { named }
}

/// The labels that are meant: the value of `app`, or `label=value,label=value`.
fn selector(given: &str) -> Result<String, Refusal> {
    let plain = |text: &str, more: &str| {
        let fits = |c: char| c.is_ascii_alphanumeric() || more.contains(c);
        !text.is_empty() && text.len() <= LABEL && text.chars().all(fits) && !text.starts_with('-')
    };
    let is_label = |part: &str| {
        part.split_once('=').is_some_and(|(key, value)| plain(key, "-_./") && plain(value, "-_."))
    };
    let whole = if given.contains('=') { given.to_owned() } else { format!("app={given}") };
    if whole.split(',').all(is_label) {
        return Ok(whole);
    }
    Err(Refusal::usage(format!("\"{given}\" is no label: give the value of app, or label=value,label=value")))
}

/// The pages of the list, and the logs.
fn parts(answers: &[Answer]) -> (&[Answer], &[Answer]) {
    let is_page = |answer: &Answer| answer.found().is_some_and(Value::is_object);
    answers.split_at(answers.iter().take_while(|answer| is_page(answer)).count())
}

/// A line of a log.
struct Line<'a> {
    at: Option<DateTime<Utc>>,
    pod: &'a str,
    words: &'a str,
}

impl Line<'_> {
    fn told(&self) -> String {
        let at = self.at.map(|at| at.format("%H:%M:%S%.3fZ ").to_string()).unwrap_or_default();
        format!("{at}{}  {}", self.pod, redact_text(self.words))
    }
}

/// The lines of a log with their times; one without a time is of the time of the line before.
fn lines_of<'a>(pod: &Pod<'a>, log: &'a str) -> Vec<Line<'a>> {
    let mut last = None;
    let line = |line: &'a str| {
        let (stamp, words) = line.split_once(' ').unwrap_or((line, ""));
        let at = DateTime::parse_from_rfc3339(stamp).ok().map(|at| at.to_utc());
        last = at.or(last);
        Line { at: last, pod: pod.name, words: if at.is_some() { words } else { line } }
    };
    log.lines().map(line).collect()
}

/// `300 lines of 3 pods, the newest last`
fn sum(lines: usize, pods: usize, wanted: &Wanted) -> String {
    if pods == 0 {
        return format!("no pod in {} has {}", wanted.namespace, wanted.selector);
    }
    format!("{} of {}, the newest last", units::counted(lines, "line"), units::counted(pods, "pod"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::clean::Clean;
    use crate::step::samples::{ctx, plan};

    fn pods(names: &[&str]) -> Answer {
        let pod =
            |name: &&str| json!({"metadata": {"name": name}, "spec": {"containers": [{"name": "main"}]}});
        Answer::Found(json!({"kind": "PodList", "items": names.iter().map(pod).collect::<Vec<_>>()}))
    }

    fn told(answers: &[Answer]) -> Output {
        Logs.tell(&[("app", "a")].into_iter().collect(), answers, &ctx()).unwrap()
    }

    #[test]
    fn lines_of_several_pods_are_merged_by_time() {
        let b = "2026-11-23T14:46:01.5Z second\n2026-11-23T15:46:03+01:00 fourth\n";
        let a = "2026-11-23T14:46:00.000000001Z first\n2026-11-23T14:46:02Z third password=hunter2\n  at\n";
        let output = told(&[pods(&["b", "a"]), Answer::Found(a.into()), Answer::Found(b.into())]);
        let lines: Vec<&str> = output.text.iter().map(Clean::as_str).collect();
        assert_eq!(lines[0], "14:46:00.000Z a  first");
        assert_eq!(lines[1], "14:46:01.500Z b  second");
        assert!(lines[2].starts_with("14:46:02.000Z a  third") && !lines[2].contains("hunter2"), "{lines:?}");
        assert_eq!(lines[3..], ["14:46:02.000Z a    at", "14:46:03.000Z b  fourth"]);
        assert_eq!((&*output.lines[0], output.cut), ("5 lines of 2 pods, the newest last", None));
    }

    #[test]
    fn a_pod_that_cannot_be_read_is_told_and_so_are_lines_that_are_left_out() {
        let waiting = Answer::Unknown("container is waiting to start".into());
        let many = "2026-11-23T14:46:00Z x\n".repeat(501);
        let output = told(&[pods(&["a", "b"]), waiting, Answer::Found(many.into())]);
        let why = "a cannot be read: container is waiting to start; the newest 500 of 501 lines are shown";
        assert_eq!((output.cut, output.text.len()), (Some(Clean::new(why)), 500));
        assert_eq!(told(&[pods(&[])]).lines, [Clean::new("no pod in ns has app=a")]);
    }

    #[test]
    fn the_pods_are_read_first_and_then_the_log_of_each() {
        let inputs: Inputs = [("app", "tier=web,app=a"), ("tail", "7")].into_iter().collect();
        let paths = |answers: &[Answer]| {
            let reads = Logs.looks(&inputs, answers, &ctx()).unwrap();
            reads.into_iter().map(|read| read.path).collect::<Vec<_>>()
        };
        assert_eq!(paths(&[]), ["/api/v1/namespaces/ns/pods?labelSelector=tier%3Dweb%2Capp%3Da&limit=500"]);
        let query = "container=main&tailLines=7&limitBytes=1048576&timestamps=true";
        let log = format!("/api/v1/namespaces/ns/pods/a/log?{query}");
        assert_eq!(paths(&[pods(&["a"])]), [log]);
        assert_eq!(paths(&[pods(&["a"]), Answer::Missing]), [] as [&str; 0]);
        let draft = plan("logs", &[("app", "a"), ("container", "main")], &[]).unwrap();
        let pasted = "kubectl logs -n ns -l app=a --tail=100 --prefix --timestamps -c main --context prod";
        assert_eq!(draft.command.to_copy().unwrap(), pasted);
    }

    #[test]
    fn what_is_no_label_is_refused() {
        for wrong in ["; rm -rf /", "$(x)", "--help", "=x", "a=b,", "a!=b", "a=b=c", "é"] {
            let why = plan("logs", &[("app", wrong)], &[]).unwrap_err();
            assert!(why.contains("is no label"), "{wrong}: {why}");
        }
        let why = plan("logs", &[("app", "a"), ("tail", "501")], &[]).unwrap_err();
        assert_eq!(why, "tail is \"501\": give a whole number from 1 to 500");
    }
}
