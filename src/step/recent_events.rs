//! `kubectl get events -A --sort-by=.lastTimestamp | tail -20`: the last events, of all namespaces or of one.
//! The newest stands first, where `tail` prints it last: it is what is looked for.

use std::cmp::Reverse;

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::command::line;
use super::example::fill;
use super::input::{InputKind, InputSpec, Inputs};
use super::parameters::Parameters;
use super::target::EVENT;
use super::{Answer, Ctx, Draft, Read, ReadAs, StepKind, pages, text, time};
use crate::clean::Clean;
use crate::event::{Danger, Output, Refusal, Table};
use crate::units;

const INPUTS: &[InputSpec] =
    &[InputSpec::optional("namespace", InputKind::Namespace), InputSpec::optional("count", InputKind::Count)];

const COLUMNS: [&str; 6] = ["NAMESPACE", "LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"];

/// Events that are told unless a count is given: those of `tail -20`.
const USUAL: usize = 20;
/// Events that are told at most.
const MOST: usize = 500;

pub(super) struct RecentEvents;

impl StepKind for RecentEvents {
    fn name(&self) -> &'static str {
        "recent-events"
    }

    fn danger(&self) -> Danger {
        Danger::Read
    }

    fn inputs(&self) -> &'static [InputSpec] {
        INPUTS
    }

    fn reads(&self, inputs: &Inputs, _: &[Answer], _: &Ctx) -> Result<Vec<Read>, Refusal> {
        count(inputs)?;
        inputs.namespace("namespace").map(|_| Vec::new())
    }

    fn example(&self, inputs: &Inputs, _: &Parameters) -> Option<String> {
        Some(fill("kubectl get events -A --sort-by=.lastTimestamp | tail -<count>", inputs))
    }

    fn plan(&self, inputs: &Inputs, _: &[Answer], ctx: &Ctx) -> Result<Draft, Refusal> {
        let namespace = inputs.namespace("namespace")?;
        let count = count(inputs)?;
        let place = namespace.map_or_else(|| vec!["-A"], |namespace| vec!["-n", namespace]);
        let words = [
            &["kubectl", "get", "events"][..],
            &place,
            &["--sort-by=.lastTimestamp", "--context", ctx.place.context.as_str()],
        ];
        let mut command = line(&words.concat().into_iter().map(Into::into).collect::<Vec<_>>());
        command.shown = format!("{} | tail -{count}", command.shown).into();
        let rights = vec![EVENT.right("list", "", namespace.unwrap_or_default(), "")];
        Ok(Draft::look(format!("the last {count} events"), ctx.cluster(), &what(namespace), rights, command))
    }

    fn looks(&self, inputs: &Inputs, answers: &[Answer], _: &Ctx) -> Result<Vec<Read>, Refusal> {
        let namespace = inputs.namespace("namespace")?;
        let path = namespace.map_or_else(|| "/api/v1/events".to_owned(), |namespace| EVENT.list(namespace));
        let next = pages::next(&path, &what(namespace), ReadAs::Objects, answers);
        Ok(if answers.len() < pages::MOST_PAGES { next } else { Vec::new() })
    }

    fn tell(&self, inputs: &Inputs, answers: &[Answer], ctx: &Ctx) -> Result<Output, Refusal> {
        let mut events: Vec<(Option<Seen>, &Value)> =
            pages::items(&what(inputs.namespace("namespace")?), "EventList", answers)?
                .into_iter()
                .map(|event| (Seen::of(event), event))
                .collect();
        let all = events.len();
        events.sort_by_key(|(seen, _)| Reverse(seen.as_ref().map(|seen| seen.at))); // stable, as kubectl's is
        events.truncate(count(inputs)?);
        let mut table = Table::new(&COLUMNS);
        table.rows = events.iter().map(|(seen, event)| row(seen.as_ref(), event, ctx.now)).collect();
        Ok(Output { cut: pages::unread("events", answers), ..Output::read(sum(all, &table), table) })
    }
}

/// How many events are told.
fn count(inputs: &Inputs) -> Result<usize, Refusal> {
    pages::count(inputs, "count", USUAL, MOST)
}

fn what(namespace: Option<&str>) -> String {
    namespace
        .map_or_else(|| "the events of all namespaces".to_owned(), |name| format!("the events of {name}"))
}

/// Fields that say when an event was last seen, the first that is set counts: events of events.k8s.io have no
/// `lastTimestamp`.
const TIMES: [&str; 4] =
    ["/lastTimestamp", "/series/lastObservedTime", "/eventTime", "/metadata/creationTimestamp"];

/// When an event was last seen.
struct Seen {
    at: DateTime<Utc>,
    /// Field that says so, where it is not `lastTimestamp`.
    by: Option<String>,
}

impl Seen {
    fn of(event: &Value) -> Option<Self> {
        TIMES.iter().enumerate().find_map(|(rank, field)| {
            let at = time(event, field)?;
            let name = || field.trim_start_matches('/').replace('/', ".");
            Some(Self { at, by: (rank > 0).then(name) })
        })
    }
}

fn row(seen: Option<&Seen>, event: &Value, now: DateTime<Utc>) -> Vec<Clean> {
    let last = seen.map(|seen| {
        let by = seen.by.as_ref().map(|field| format!(", {field}"));
        units::ago(seen.at, now) + &by.unwrap_or_default()
    });
    let about = |field: &str| text(event, &format!("/involvedObject/{field}"));
    [
        text(event, "/metadata/namespace").to_owned(),
        last.unwrap_or_else(|| "<unknown>".to_owned()),
        text(event, "/type").to_owned(),
        text(event, "/reason").to_owned(),
        format!("{}/{}", about("kind").to_lowercase(), about("name")),
        text(event, "/message").trim().to_owned(),
    ]
    .map(Clean::from)
    .to_vec()
}

/// `the last 20 of 134 events, newest first; 7 of type Warning`
fn sum(all: usize, table: &Table) -> String {
    let warnings = table.rows.iter().filter(|row| row[2].as_str() == "Warning").count();
    let warnings = if warnings == 0 { "none".to_owned() } else { warnings.to_string() };
    match table.rows.len() {
        0 => "no events".to_owned(),
        shown => format!(
            "the last {shown} of {}, newest first; {warnings} of type Warning",
            units::counted(all, "event")
        ),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::step::samples::{ctx, plan};

    /// An event `name`, seen at the time that `field` says.
    fn event(name: &str, field: &str, at: &str) -> Value {
        let mut event = json!({
            "metadata": {"name": name, "namespace": "shop"}, "type": "Warning", "reason": "BackOff",
            "involvedObject": {"kind": "Pod", "name": name}, "message": "Back-off\n", "lastTimestamp": null,
        });
        match field.split_once('.') {
            Some((outer, inner)) => event[outer][inner] = json!(at),
            None => event[field] = json!(at),
        }
        event
    }

    fn told(inputs: &[(&str, &str)], events: &[Value], goes_on: &str) -> Output {
        let page = json!({"kind": "EventList", "metadata": {"continue": goes_on}, "items": events});
        let pages = vec![Answer::Found(page); if goes_on.is_empty() { 1 } else { pages::MOST_PAGES }];
        RecentEvents.tell(&inputs.iter().copied().collect(), &pages, &ctx()).unwrap()
    }

    #[test]
    fn the_newest_stands_first_whichever_field_has_its_time() {
        let events = [
            event("old", "lastTimestamp", "2026-11-23T14:40:00Z"),
            event("series", "series.lastObservedTime", "2026-11-23T14:46:02.123456Z"),
            event("new", "lastTimestamp", "2026-11-23T14:46:22Z"),
            event("single", "eventTime", "2026-11-23T14:46:12.000001Z"),
            event("bare", "metadata.creationTimestamp", "2026-11-20T14:46:32Z"),
            event("never", "reason", "BackOff"),
        ];
        let output = told(&[], &events, "");
        let rows = output.table.unwrap().rows;
        let seen: Vec<&str> = rows.iter().map(|row| row[1].as_str()).collect();
        assert_eq!(
            seen,
            [
                "10s (14:46:22Z)",
                "20s (14:46:12Z), eventTime",
                "30s (14:46:02Z), series.lastObservedTime",
                "6m32s (14:40:00Z)",
                "3d (2026-11-20 14:46:32Z), metadata.creationTimestamp",
                "<unknown>"
            ]
        );
        assert_eq!(rows[0].join("|"), "shop|10s (14:46:22Z)|Warning|BackOff|pod/new|Back-off");
        let sum = "the last 6 of 6 events, newest first; 6 of type Warning";
        assert_eq!((output.lines, output.cut), (vec![Clean::new(sum)], None));
        assert_eq!(told(&[], &[], "").lines, [Clean::new("no events")]);
    }

    #[test]
    fn as_many_as_are_asked_for_are_told_and_a_list_that_is_too_long_says_so() {
        let events = [event("a", "lastTimestamp", "2026-11-23T14:40:00Z"), event("b", "reason", "x")];
        let output = told(&[("count", "1")], &events, "");
        assert_eq!(output.lines, [Clean::new("the last 1 of 2 events, newest first; 1 of type Warning")]);
        let cut = told(&[("count", "1")], &events, "more").cut;
        assert_eq!(cut, Some(Clean::new("there are more events: 40 pages were read")));
        let full = vec![Answer::Found(json!({"metadata": {"continue": "x"}})); pages::MOST_PAGES];
        assert_eq!(RecentEvents.looks(&Inputs::default(), &full, &ctx()), Ok(Vec::new()));
        for wrong in ["0", "501", "x"] {
            let why = plan("recent-events", &[("count", wrong)], &[]).unwrap_err();
            assert_eq!(why, format!("count is \"{wrong}\": give a whole number from 1 to 500"));
        }
    }

    #[test]
    fn the_command_is_the_runbooks_own() {
        let command = |inputs: &[(&str, &str)]| {
            plan("recent-events", inputs, &[]).unwrap().command.to_copy().unwrap().to_string()
        };
        assert_eq!(command(&[]), "kubectl get events -A --sort-by=.lastTimestamp --context prod | tail -20");
        let one = command(&[("namespace", "shop"), ("count", "5")]);
        assert_eq!(one, "kubectl get events -n shop --sort-by=.lastTimestamp --context prod | tail -5");
        let inputs: Inputs = [("namespace", "shop")].into_iter().collect();
        let reads = RecentEvents.looks(&inputs, &[], &ctx()).unwrap();
        assert_eq!(reads[0].path, "/api/v1/namespaces/shop/events?limit=500");
    }
}
