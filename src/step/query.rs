//! `curl … /api/v1/query | jq .`: one `PromQL` query to Prometheus. What it gives as a table, and below it
//! the answer as it came.

use serde_json::Value;

use super::command::{Word, line};
use super::example::fill;
use super::input::{InputKind, InputSpec, Inputs};
use super::parameters::Parameters;
use super::{Answer, Ctx, Draft, Read, ReadAs, StepKind, Whom, jq, pages, text};
use crate::clean::Clean;
use crate::config::Where;
use crate::event::{Command, Danger, Output, Refusal, Table};
use crate::net::query::escaped;

const INPUTS: &[InputSpec] = &[InputSpec::required("query", InputKind::Text)];

const COLUMNS: [&str; 3] = ["SERIES", "VALUE", "TIME"];
const PATH: &str = "/api/v1/query";

/// Characters of the query in the step's title.
const TITLE: usize = 80;

pub(super) struct Query;

impl StepKind for Query {
    fn name(&self) -> &'static str {
        "query"
    }

    fn danger(&self) -> Danger {
        Danger::Read
    }

    fn inputs(&self) -> &'static [InputSpec] {
        INPUTS
    }

    fn example(&self, inputs: &Inputs, _: &Parameters) -> Option<String> {
        Some(fill("curl -s --get $PROMETHEUS/api/v1/query --data-urlencode query=<query> | jq .", inputs))
    }

    fn asks(&self) -> &'static [Whom] {
        &[Whom::Prometheus]
    }

    fn plan(&self, inputs: &Inputs, _: &[Answer], ctx: &Ctx) -> Result<Draft, Refusal> {
        let query = inputs.needed("query")?;
        let place = ctx.prometheus.as_ref().map_err(|why| Refusal::failed(why.clone()))?;
        let start: String = query.chars().take(TITLE).collect();
        let more = if start.len() < query.len() { "…" } else { "" };
        let title = format!("ask Prometheus: {start}{more}");
        Ok(Draft::look(title, ctx.cluster(), "Prometheus", Vec::new(), command(query, place, ctx)))
    }

    fn looks(&self, inputs: &Inputs, answers: &[Answer], _: &Ctx) -> Result<Vec<Read>, Refusal> {
        let query = inputs.needed("query")?;
        let read = Read {
            whom: Whom::Prometheus,
            path: format!("{PATH}?query={}", escaped(query)),
            what: "Prometheus".to_owned(),
            is: None,
            required: true,
            wanted: ReadAs::Text,
        };
        Ok(if answers.is_empty() { vec![read] } else { Vec::new() })
    }

    fn tell(&self, _: &Inputs, answers: &[Answer], _: &Ctx) -> Result<Output, Refusal> {
        let raw = answers.first().and_then(Answer::found).and_then(Value::as_str).unwrap_or_default();
        let answer = understood(raw)?;
        let mut table = Table::new(&COLUMNS);
        table.rows = rows(&answer["data"]);
        let sum = sum(&answer["data"], table.rows.len());
        let shortened = pages::shorten(&mut table);
        let notes = list(&answer["infos"]).map(|info| format!("Prometheus notes: {info}").into());
        let lines = std::iter::once(Clean::from(sum)).chain(notes).collect();
        let warned = list(&answer["warnings"]).map(|why| format!("Prometheus warns: {why}"));
        let cut: Vec<String> = warned.chain(shortened.map(|why| why.to_string())).collect();
        let cut = (!cut.is_empty()).then(|| cut.join("; ").into());
        let laid = jq::laid_out(raw);
        let text = pages::told(laid.iter().map(String::as_str));
        Ok(Output { lines, text, cut, ..Output::read("", table) })
    }
}

/// The answer, where it is one of Prometheus and a success.
fn understood(raw: &str) -> Result<Value, Refusal> {
    let no_answer = |_| Refusal::failed("Prometheus' answer is not JSON: is this its address?");
    let answer: Value = serde_json::from_str(raw).map_err(no_answer)?;
    match text(&answer, "/status") {
        "success" if answer["data"]["resultType"].is_string() => Ok(answer),
        "error" => {
            let words = [text(&answer, "/errorType"), text(&answer, "/error")].join(": ");
            Err(Refusal::failed(format!("Prometheus answers with an error: {words}")))
        }
        _ => Err(Refusal::failed("the answer is none of Prometheus to a query: is this its address?")),
    }
}

fn list(values: &Value) -> impl Iterator<Item = &str> {
    values.as_array().into_iter().flatten().filter_map(Value::as_str)
}

/// One row a series; a scalar or a string is one.
fn rows(data: &Value) -> Vec<Vec<Clean>> {
    let series = data["result"].as_array().map(Vec::as_slice).unwrap_or_default();
    match text(data, "/resultType") {
        "scalar" | "string" => vec![row(String::new(), value(&data["result"]), time(&data["result"]))],
        "vector" => {
            let point = |one: &Value| row(labels(&one["metric"]), point_of(one), time(newest(one)));
            series.iter().map(point).collect()
        }
        _ => {
            let last = |one: &Value| {
                let all = one["values"].as_array().map_or(0, Vec::len);
                let value = format!("{} (last of {all})", point_of(one));
                row(labels(&one["metric"]), value, time(newest(one)))
            };
            series.iter().map(last).collect()
        }
    }
}

fn row(series: String, value: String, time: String) -> Vec<Clean> {
    [series, value, time].map(Clean::from).to_vec()
}

/// The point of a series, or the newest of several.
fn newest(series: &Value) -> &Value {
    let last = |all: &Value| all.as_array().and_then(|all| all.last()).is_some();
    match series {
        one if one["value"].is_array() => &series["value"],
        one if one["histogram"].is_array() => &series["histogram"],
        one if last(&one["values"]) => &series["values"][series["values"].as_array().map_or(0, Vec::len) - 1],
        _ => &Value::Null,
    }
}

fn point_of(series: &Value) -> String {
    if series["histogram"].is_array() { "a histogram, see below".to_owned() } else { value(newest(series)) }
}

fn value(point: &Value) -> String {
    point[1].as_str().unwrap_or_default().to_owned()
}

fn time(point: &Value) -> String {
    #[allow(
        clippy::cast_possible_truncation,
        reason = "milliseconds of this era fit, and any other is no date"
    )]
    let millis = point[0].as_f64().map(|seconds| (seconds * 1_000.0).round() as i64);
    let at = millis.and_then(chrono::DateTime::from_timestamp_millis);
    at.map(|at| at.format("%Y-%m-%d %H:%M:%SZ").to_string()).unwrap_or_default()
}

/// A series as Prometheus writes it: `up{job="pods"}`.
fn labels(metric: &Value) -> String {
    let all = metric.as_object().into_iter().flatten();
    let pairs: Vec<String> =
        all.filter(|(name, _)| *name != "__name__").map(|(name, value)| format!("{name}={value}")).collect();
    format!("{}{{{}}}", text(metric, "/__name__"), pairs.join(", "))
}

/// `3 series` or `nothing: no series matches`
fn sum(data: &Value, rows: usize) -> String {
    match (text(data, "/resultType"), rows) {
        (kind @ ("scalar" | "string"), _) => format!("a {kind}: {}", value(&data["result"])),
        (_, 0) => "no series: Prometheus has nothing that matches".to_owned(),
        (_, 1) => format!("1 series: {}", point_of(&data["result"][0])),
        (_, rows) => format!("{rows} series"),
    }
}

/// By curl at an address; through the API server where Prometheus is a service of the cluster.
fn command(query: &str, place: &Clean, ctx: &Ctx) -> Command {
    let context = ctx.place.context.as_str();
    let mut command = match place.parse::<Where>() {
        Ok(Where::In(service)) => {
            let path = format!("{}{PATH}?query={}", service.path(), escaped(query));
            line(&["kubectl", "get", "--raw", &path, "--context", context].map(Word::from))
        }
        _ => {
            let address = format!("{}{PATH}", place.trim_end_matches('/'));
            let query = format!("query={query}");
            line(&["curl", "-s", "--get", &address, "--data-urlencode", &query].map(Word::from))
        }
    };
    command.shown = format!("{} | jq .", command.shown).into();
    command
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::step::samples::{ctx, plan};

    fn told(answer: &str) -> Result<Output, String> {
        let answers = [Answer::Found(answer.into())];
        Query.tell(&Inputs::default(), &answers, &ctx()).map_err(|refusal| refusal.reason().to_string())
    }

    fn success(data: &str, more: &str) -> String {
        format!(r#"{{"status":"success","data":{data}{more}}}"#)
    }

    fn cells(output: &Output) -> Vec<String> {
        output.table.iter().flat_map(|table| &table.rows).map(|row| row.join("|")).collect()
    }

    #[test]
    fn each_kind_of_result_is_a_table_and_the_answer_stands_below_it() {
        let vector = r#"{"resultType":"vector","result":[{"metric":{"__name__":"up","job":"a"},"value":[1764000000.5,"1"]},{"metric":{},"histogram":[1764000000,{"count":"3"}]}]}"#;
        let output = told(&success(vector, "")).unwrap();
        assert_eq!(
            cells(&output),
            ["up{job=\"a\"}|1|2025-11-24 16:00:00Z", "{}|a histogram, see below|2025-11-24 16:00:00Z"]
        );
        assert_eq!((output.lines, output.cut), (vec![Clean::new("2 series")], None));
        assert_eq!(output.text[..3], ["{", "  \"status\": \"success\",", "  \"data\": {"].map(Clean::new));
        let scalar = told(&success(r#"{"resultType":"scalar","result":[1764000000,"2"]}"#, "")).unwrap();
        assert_eq!(
            (cells(&scalar), &*scalar.lines[0]),
            (vec!["|2|2025-11-24 16:00:00Z".to_owned()], "a scalar: 2")
        );
        let matrix = r#"{"resultType":"matrix","result":[{"metric":{"a":"b"},"values":[[1,"5"],[2,"6"]]}]}"#;
        assert_eq!(
            cells(&told(&success(matrix, "")).unwrap()),
            ["{a=\"b\"}|6 (last of 2)|1970-01-01 00:00:02Z"]
        );
        let none = told(&success(r#"{"resultType":"vector","result":[]}"#, "")).unwrap();
        assert_eq!(none.lines, [Clean::new("no series: Prometheus has nothing that matches")]);
    }

    #[test]
    fn warnings_and_errors_are_told() {
        let data = r#"{"resultType":"vector","result":[]}"#;
        let warned = told(&success(data, r#","warnings":["partial"],"infos":["no counter"]"#)).unwrap();
        assert_eq!(warned.cut, Some(Clean::new("Prometheus warns: partial")));
        assert_eq!(warned.lines[1], Clean::new("Prometheus notes: no counter"));
        let error = told(r#"{"status":"error","errorType":"execution","error":"too many"}"#).unwrap_err();
        assert_eq!(error, "Prometheus answers with an error: execution: too many");
        assert!(told("<html>").unwrap_err().contains("is not JSON"));
        assert!(told("[]").unwrap_err().contains("none of Prometheus"));
    }

    #[test]
    fn the_query_is_one_argument_wherever_prometheus_is() {
        let query = "up{a='b'} $(x); rm -rf /";
        let draft = plan("query", &[("query", query)], &[]).unwrap();
        let pasted = draft.command.to_copy().unwrap();
        let start = "curl -s --get http://prometheus:9090/api/v1/query --data-urlencode '";
        assert!(pasted.starts_with(start) && pasted.ends_with(" | jq ."), "{pasted}");
        let words = shlex::split(pasted.trim_end_matches(" | jq .")).unwrap();
        assert_eq!(words.last().unwrap(), &format!("query={query}"));
        let inside = command("up", &"ops/https:prom:web/x".into(), &ctx()).to_copy().unwrap();
        let path = "/api/v1/namespaces/ops/services/https:prom:web/proxy/x/api/v1/query?query=up";
        assert_eq!(inside.as_str(), format!("kubectl get --raw '{path}' --context prod | jq ."));
        let inputs: Inputs = [("query", query)].into_iter().collect();
        let reads = Query.looks(&inputs, &[], &ctx()).unwrap();
        assert_eq!(reads[0].path, "/api/v1/query?query=up%7Ba%3D%27b%27%7D%20%24%28x%29%3B%20rm%20-rf%20%2F");
        assert_eq!(plan("query", &[("query", "")], &[]).unwrap_err(), "query is needed: give query=…");
    }
}
