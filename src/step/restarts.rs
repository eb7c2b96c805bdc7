//! Containers that were restarted lately, and those that crash again and again.

use std::cmp::Reverse;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::command::line;
use super::example::fill;
use super::input::{InputKind, InputSpec, Inputs};
use super::pages::{self, List};
use super::parameters::Parameters;
use super::target::POD;
use super::{Answer, Ctx, Draft, Read, StepKind, printed, text, time};
use crate::clean::Clean;
use crate::event::{Danger, Output, Refusal, Table};
use crate::units;

const INPUTS: &[InputSpec] =
    &[InputSpec::optional("namespace", InputKind::Namespace), InputSpec::optional("within", InputKind::Span)];

const COLUMNS: [&str; 6] = ["NAMESPACE", "POD", "CONTAINER", "RESTARTS", "LAST EXIT", "NOW"];

/// Time that counts as lately unless another is given.
const USUAL: TimeDelta = TimeDelta::minutes(10);
/// The longest that may be asked for.
const MOST: TimeDelta = TimeDelta::days(7);

pub(super) struct Restarts;

impl StepKind for Restarts {
    fn name(&self) -> &'static str {
        "restarts"
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
        Some(fill("kubectl get pods[ -n <namespace>]", inputs))
    }

    fn reads(&self, inputs: &Inputs, _: &[Answer], _: &Ctx) -> Result<Vec<Read>, Refusal> {
        within(inputs)?;
        lists(inputs).map(|_| Vec::new())
    }

    fn plan(&self, inputs: &Inputs, _: &[Answer], ctx: &Ctx) -> Result<Draft, Refusal> {
        let namespace = inputs.namespace("namespace")?;
        let title = format!("containers restarted within {}", units::age(within(inputs)?));
        let place = namespace.map_or_else(|| vec!["-A"], |namespace| vec!["-n", namespace]);
        let words = [&["kubectl", "get", "pods"][..], &place, &["--context", ctx.place.context.as_str()]];
        let command = line(&words.concat().into_iter().map(Into::into).collect::<Vec<_>>());
        let rights = vec![POD.right("list", "", namespace.unwrap_or_default(), "")];
        Ok(Draft::look(title, ctx.cluster(), "the pods", rights, command))
    }

    fn looks(&self, inputs: &Inputs, answers: &[Answer], _: &Ctx) -> Result<Vec<Read>, Refusal> {
        Ok(pages::next_of(&lists(inputs)?, answers))
    }

    fn tell(&self, inputs: &Inputs, answers: &[Answer], ctx: &Ctx) -> Result<Output, Refusal> {
        let within = within(inputs)?;
        let listed = pages::listed(&lists(inputs)?, answers)?;
        let pods: Vec<&Value> = listed.iter().flat_map(|list| list.items.iter().copied()).collect();
        let mut all = 0;
        let mut found: Vec<Container> = Vec::new();
        for container in pods.iter().flat_map(|pod| containers(pod)) {
            all += 1;
            let lately = container.ended.is_some_and(|at| ctx.now - at <= within) && container.restarts > 0;
            found.extend(Some(container).filter(|one| one.crashes() || lately));
        }
        found.sort_by_key(|one| (!one.crashes(), Reverse(one.ended)));
        let names: Vec<String> =
            found.iter().map(|one| format!("{} ({})", one.pod, counted(one.restarts))).collect();
        let mut table = Table::new(&COLUMNS);
        table.rows = found.iter().map(|one| one.row(ctx.now)).collect();
        let unread = listed.into_iter().filter_map(|list| list.cut);
        let cut = pages::joined(unread.chain(pages::shorten(&mut table)));
        let what = format!("crashing, or restarted within {}", units::age(within));
        let wrong = printed::wrong(found.len(), (all, "container"), &what, &names);
        let sum = match found.len() {
            0 => {
                format!("{}, none restarted within {}", units::counted(all, "container"), units::age(within))
            }
            some => format!("{some} of {}", units::counted(all, "container")),
        };
        Ok(Output { wrong, cut, ..Output::read(sum, table) })
    }
}

fn lists(inputs: &Inputs) -> Result<[List; 1], Refusal> {
    Ok([List::of(&POD, inputs.namespace("namespace")?, true)])
}

/// The time that counts as lately.
fn within(inputs: &Inputs) -> Result<TimeDelta, Refusal> {
    let Some(given) = inputs.get("within") else { return Ok(USUAL) };
    let span = units::duration::parse_milliseconds(given).and_then(TimeDelta::try_milliseconds);
    span.filter(|span| (TimeDelta::seconds(1)..=MOST).contains(span))
        .ok_or_else(|| Refusal::usage(format!("within is \"{given}\": give a time such as 10m, 7d at most")))
}

/// `3 restarts`
fn counted(restarts: u64) -> String {
    units::counted(usize::try_from(restarts).unwrap_or(usize::MAX), "restart")
}

/// A container, as its pod's status has it.
struct Container<'a> {
    namespace: &'a str,
    pod: &'a str,
    name: &'a str,
    restarts: u64,
    /// When its last run ended.
    ended: Option<DateTime<Utc>>,
    status: &'a Value,
}

fn containers(pod: &Value) -> impl Iterator<Item = Container<'_>> {
    let of = |field: &str| pod["status"][field].as_array().into_iter().flatten();
    of("initContainerStatuses").chain(of("containerStatuses")).map(|status| Container {
        namespace: text(pod, "/metadata/namespace"),
        pod: text(pod, "/metadata/name"),
        name: text(status, "/name"),
        restarts: status["restartCount"].as_u64().unwrap_or(0),
        ended: time(status, "/lastState/terminated/finishedAt"),
        status,
    })
}

impl Container<'_> {
    fn crashes(&self) -> bool {
        text(self.status, "/state/waiting/reason") == "CrashLoopBackOff"
    }

    /// `Error (exit 1), 2m ago`
    fn last_exit(&self, now: DateTime<Utc>) -> String {
        let last = &self.status["lastState"]["terminated"];
        let Some(ended) = self.ended else { return "unknown".to_owned() };
        let code = last["exitCode"].as_i64().map(|code| format!(" (exit {code})")).unwrap_or_default();
        format!("{}{code}, {}", text(last, "/reason"), units::ago(ended, now))
    }

    fn now(&self) -> &str {
        let waiting = text(self.status, "/state/waiting/reason");
        match () {
            () if !waiting.is_empty() => waiting,
            () if self.status["ready"] == true => "ready",
            () if self.status["state"]["running"].is_object() => "running, not ready",
            () => text(self.status, "/state/terminated/reason"),
        }
    }

    fn row(&self, now: DateTime<Utc>) -> Vec<Clean> {
        let cells = [
            self.namespace.to_owned(),
            self.pod.to_owned(),
            self.name.to_owned(),
            self.restarts.to_string(),
            self.last_exit(now),
            self.now().to_owned(),
        ];
        cells.map(Clean::from).to_vec()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::step::samples::{ctx, plan};

    fn pod(name: &str, restarts: u64, ended: &str, state: &Value) -> Value {
        let last = json!({"terminated": {"reason": "Error", "exitCode": 1, "finishedAt": ended}});
        let status = json!({"name": "app", "restartCount": restarts, "lastState": last, "state": state, "ready": true});
        json!({"metadata": {"namespace": "ns", "name": name}, "status": {"containerStatuses": [status]}})
    }

    fn told(inputs: &[(&str, &str)], pods: &[Value]) -> Output {
        let answers = [Answer::Found(json!({"kind": "PodList", "items": pods}))];
        Restarts.tell(&inputs.iter().copied().collect(), &answers, &ctx()).unwrap()
    }

    #[test]
    fn those_that_crash_stand_first_and_old_restarts_are_none() {
        let running = json!({"running": {}});
        let pods = [
            pod("lately", 1, "2026-11-23T14:40:32Z", &running),
            pod("old", 7, "2026-11-23T14:30:00Z", &running),
            pod("looping", 9, "2026-11-23T14:30:00Z", &json!({"waiting": {"reason": "CrashLoopBackOff"}})),
        ];
        let output = told(&[], &pods);
        let rows: Vec<String> = output.table.unwrap().rows.iter().map(|row| row.join("|")).collect();
        assert_eq!(rows.len(), 2, "{rows:?}");
        assert!(rows[0].starts_with("ns|looping|app|9|Error (exit 1), "), "{rows:?}");
        assert!(rows[0].ends_with("|CrashLoopBackOff") && rows[1].ends_with("|ready"), "{rows:?}");
        let wrong = "2 of 3 containers are crashing, or restarted within 10m: looping (9 restarts), lately (1 restart)";
        assert_eq!(output.wrong, Some(Clean::new(wrong)));
        let calm = told(&[("within", "1m")], &pods[..2]);
        assert_eq!(calm.wrong, None);
        assert_eq!(calm.lines, [Clean::new("2 containers, none restarted within 60s")]);
    }

    #[test]
    fn a_time_that_is_none_is_refused() {
        for wrong in ["x", "0s", "8d", "-1m", "until 14:30"] {
            let why = plan("restarts", &[("within", wrong)], &[]).unwrap_err();
            assert_eq!(why, format!("within is \"{wrong}\": give a time such as 10m, 7d at most"));
        }
    }
}
