//! `kubectl top nodes`: what each node uses of what pods can have of it, the busiest first
//! (`kubectl/pkg/metricsutil/metrics_printer.go`).

use serde_json::Value;

use super::command::line;
use super::example::fill;
use super::input::{InputSpec, Inputs};
use super::parameters::Parameters;
use super::target::{NODE, NODE_METRICS};
use super::{Answer, Ctx, Draft, Is, Read, ReadAs, StepKind, Whom, pages, printed, text};
use crate::clean::Clean;
use crate::event::{Danger, Output, Refusal, Table};
use crate::units;
use crate::units::resource::{number, scaled};

const COLUMNS: [&str; 5] = ["NAME", "CPU(cores)", "CPU(%)", "MEMORY(bytes)", "MEMORY(%)"];
const WHAT: &str = "the nodes";
const METRICS: &str = "the metrics of the nodes";
const UNKNOWN: &str = "<unknown>";

/// Cores in a thousandth of a core.
const MILLI: f64 = 1e-3;
/// Bytes in a mebibyte.
const MEBI: f64 = 1_048_576.0;

pub(super) struct TopNodes;

impl StepKind for TopNodes {
    fn name(&self) -> &'static str {
        "top-nodes"
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
        Some(fill("kubectl top nodes", inputs))
    }

    fn plan(&self, _: &Inputs, _: &[Answer], ctx: &Ctx) -> Result<Draft, Refusal> {
        let words = ["kubectl", "top", "nodes", "--context", ctx.place.context.as_str()].map(Into::into);
        let rights = [&NODE_METRICS, &NODE].map(|resource| resource.right("list", "", "", "")).to_vec();
        Ok(Draft::look("what nodes use".to_owned(), ctx.cluster(), METRICS, rights, line(&words)))
    }

    fn looks(&self, _: &Inputs, answers: &[Answer], _: &Ctx) -> Result<Vec<Read>, Refusal> {
        let nodes = |answers| pages::next(&NODE.list(""), WHAT, ReadAs::Objects, answers);
        Ok(match answers {
            [] => std::iter::once(metrics()).chain(nodes(&[])).collect(),
            [_, pages @ ..] => nodes(pages),
        })
    }

    fn tell(&self, _: &Inputs, answers: &[Answer], _: &Ctx) -> Result<Output, Refusal> {
        let (metrics, pages) = answers.split_first().ok_or_else(|| Refusal::failed(NOT_READ))?;
        let metrics = measured(metrics)?;
        let mut nodes: Vec<Node> =
            pages::items(WHAT, "NodeList", pages)?.into_iter().map(|node| Node::of(node, metrics)).collect();
        nodes.sort_by(|a, b| b.busiest().total_cmp(&a.busiest()).then_with(|| a.name.cmp(b.name)));
        let mut table = Table::new(&COLUMNS);
        table.rows = nodes.iter().map(Node::row).collect();
        let cut = pages::shorten(&mut table);
        Ok(Output { cut, wrong: wrong(&nodes), ..Output::read(sum(&nodes), table) })
    }
}

/// Percentage of what pods can have above which a node is in trouble.
const FULL: f64 = 90.0;

/// `1 of 3 nodes is over 90 %: a (CPU 91%)`
fn wrong(nodes: &[Node]) -> Option<Clean> {
    let full = |(name, part): (&str, Part)| {
        part.percent().is_some_and(|percent| percent > FULL).then(|| format!("{name} {}", part.share()))
    };
    let told: Vec<String> = nodes
        .iter()
        .filter_map(|node| {
            let parts: Vec<String> =
                [("CPU", node.cpu), ("memory", node.memory)].into_iter().filter_map(full).collect();
            (!parts.is_empty()).then(|| format!("{} ({})", node.name, parts.join(", ")))
        })
        .collect();
    printed::wrong(told.len(), (nodes.len(), "node"), "over 90 %", &told)
}

const NOT_READ: &str = "the metrics of the nodes were not read";

/// Reads what the nodes use: one list, for metrics-server knows no pages.
fn metrics() -> Read {
    Read {
        whom: Whom::Cluster,
        path: NODE_METRICS.list(""),
        what: METRICS.to_owned(),
        is: Some(Is { kind: "NodeMetricsList".to_owned(), place: None }),
        required: false,
        wanted: ReadAs::Objects,
    }
}

/// The items of what the nodes use.
fn measured(answer: &Answer) -> Result<&[Value], Refusal> {
    match answer {
        Answer::Found(list) => Ok(list["items"].as_array().map(Vec::as_slice).unwrap_or_default()),
        Answer::Missing => {
            Err(Refusal::failed("this cluster serves no metrics.k8s.io: metrics-server is not installed"))
        }
        Answer::Forbidden(why) => {
            Err(Refusal::Denied(format!("you may not list nodes of metrics.k8s.io: {why}").into()))
        }
        Answer::Unknown(why) => Err(Refusal::failed(format!("{METRICS} cannot be read: {why}"))),
    }
}

/// An amount of CPU in cores or of memory in bytes, and what pods can have of it.
#[derive(Clone, Copy)]
struct Part {
    used: Option<f64>,
    allocatable: Option<f64>,
}

impl Part {
    /// Percentage of the allocatable amount that is used.
    fn percent(self) -> Option<f64> {
        let allocatable = self.allocatable.filter(|amount| *amount > 0.0)?;
        Some(scaled(self.used?, MILLI) / scaled(allocatable, MILLI) * 100.0)
    }

    /// The percentage, rounded down as kubectl does.
    fn share(self) -> String {
        let told = self.percent().map(|percent| format!("{:.0}%", percent.floor()));
        told.unwrap_or_else(|| UNKNOWN.to_owned())
    }
}

struct Node<'a> {
    name: &'a str,
    cpu: Part,
    memory: Part,
}

impl<'a> Node<'a> {
    fn of(node: &'a Value, metrics: &[Value]) -> Self {
        let name = text(node, "/metadata/name");
        let used = metrics.iter().find(|one| text(one, "/metadata/name") == name);
        let part = |resource: &str| Part {
            used: used.and_then(|one| number(text(one, &format!("/usage/{resource}")))),
            allocatable: number(text(node, &format!("/status/allocatable/{resource}"))),
        };
        Self { name, cpu: part("cpu"), memory: part("memory") }
    }

    /// The higher of its percentages; below all others where none is known.
    fn busiest(&self) -> f64 {
        [self.cpu, self.memory].iter().filter_map(|part| part.percent()).fold(-1.0, f64::max)
    }

    fn row(&self) -> Vec<Clean> {
        let told = |number: Option<f64>, unit: &str| {
            number.map_or_else(|| UNKNOWN.to_owned(), |number| format!("{number:.0}{unit}"))
        };
        let cells = [
            self.name.to_owned(),
            told(self.cpu.used.map(|cores| scaled(cores, MILLI)), "m"),
            self.cpu.share(),
            told(self.memory.used.map(|bytes| (bytes / MEBI).floor()), "Mi"),
            self.memory.share(),
        ];
        cells.map(Clean::from).to_vec()
    }
}

/// `3 nodes; the busiest is a: 91% of CPU, 40% of memory; 1 without metrics`
fn sum(nodes: &[Node]) -> String {
    let unknown = nodes.iter().filter(|node| node.busiest() < 0.0).count();
    let busiest = nodes.first().filter(|node| node.busiest() >= 0.0).map(|node| {
        format!(
            "; the busiest is {}: {} of CPU, {} of memory",
            node.name,
            node.cpu.share(),
            node.memory.share()
        )
    });
    let without = if unknown == 0 { String::new() } else { format!("; {unknown} without metrics") };
    format!("{}{}{without}", units::counted(nodes.len(), "node"), busiest.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::step::samples::{ctx, plan};

    fn nodes(names: &[&str]) -> Answer {
        let node = |name: &&str| json!({"metadata": {"name": name}, "status": {"allocatable": {"cpu": "4", "memory": "4Gi"}}});
        Answer::Found(json!({"kind": "NodeList", "items": names.iter().map(node).collect::<Vec<_>>()}))
    }

    fn used(all: &[(&str, &str, &str)]) -> Answer {
        let one = |(name, cpu, memory): &(&str, &str, &str)| json!({"metadata": {"name": name}, "usage": {"cpu": cpu, "memory": memory}});
        Answer::Found(json!({"kind": "NodeMetricsList", "items": all.iter().map(one).collect::<Vec<_>>()}))
    }

    fn told(answers: &[Answer]) -> Result<Output, Refusal> {
        TopNodes.tell(&Inputs::default(), answers, &ctx())
    }

    #[test]
    fn the_busiest_stands_first_and_one_without_metrics_last() {
        let metrics = used(&[("a", "1001m", "1025Ki"), ("b", "199999999n", "3Gi")]);
        let output = told(&[metrics, nodes(&["dark", "a", "b"])]).unwrap();
        let rows: Vec<String> = output.table.unwrap().rows.iter().map(|row| row.join(" ")).collect();
        assert_eq!(
            rows,
            ["b 200m 5% 3072Mi 75%", "a 1001m 25% 1Mi 0%", "dark <unknown> <unknown> <unknown> <unknown>"]
        );
        let sum = "3 nodes; the busiest is b: 5% of CPU, 75% of memory; 1 without metrics";
        assert_eq!((output.lines, output.cut), (vec![Clean::new(sum)], None));
    }

    #[test]
    fn without_metrics_server_that_is_what_is_told() {
        let why = |answer| told(&[answer, nodes(&["a"])]).unwrap_err().reason().to_string();
        assert!(why(Answer::Missing).contains("metrics-server is not installed"));
        let busy = Answer::Unknown("the server is currently unable to handle the request".into());
        assert!(why(busy).starts_with("the metrics of the nodes cannot be read: the server is"));
    }

    #[test]
    fn who_may_not_read_the_metrics_is_told_which_right_is_missing() {
        let denied = told(&[Answer::Forbidden("forbidden".into()), nodes(&["a"])]).unwrap_err();
        let words = "you may not list nodes of metrics.k8s.io: forbidden";
        assert_eq!(denied, Refusal::Denied(words.into()));
    }

    #[test]
    fn a_node_that_is_nearly_full_is_wrong() {
        let wrong = |cpu: &str| told(&[used(&[("a", cpu, "1Gi")]), nodes(&["a"])]).unwrap().wrong;
        assert_eq!(wrong("3600m"), None);
        assert_eq!(wrong("3640m"), Some(Clean::new("1 of 1 node is over 90 %: a (CPU 91%)")));
    }

    #[test]
    fn metrics_and_nodes_are_read_at_once_and_more_nodes_afterwards() {
        let paths = |answers: &[Answer]| {
            let reads = TopNodes.looks(&Inputs::default(), answers, &ctx()).unwrap();
            reads.into_iter().map(|read| read.path).collect::<Vec<_>>()
        };
        assert_eq!(paths(&[]), ["/apis/metrics.k8s.io/v1beta1/nodes", "/api/v1/nodes?limit=500"]);
        let more = Answer::Found(json!({"kind": "NodeList", "metadata": {"continue": "x"}, "items": []}));
        assert_eq!(paths(&[used(&[]), more]), ["/api/v1/nodes?limit=500&continue=x"]);
        assert_eq!(paths(&[used(&[]), nodes(&[])]), [] as [&str; 0]);
        let draft = plan("top-nodes", &[], &[]).unwrap();
        assert_eq!(draft.command.to_copy().unwrap(), "kubectl top nodes --context prod");
    }
}
