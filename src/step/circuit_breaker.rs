//! Circuit breaker: Istio takes pods of a service that fail out of its load balancing for a while, by the
//! `outlierDetection` of a `DestinationRule` (`kubectl apply --server-side`).

use serde_json::{Map, Value, json};

use super::command::{Word, quoted};
use super::example::fill;
use super::input::{InputKind, InputSpec, Inputs};
use super::istio::{POLICY, Rule, groups, rule, rules};
use super::parameters::Parameters;
use super::target::{Aim, Found, MANAGER, SERVICE};
use super::{Answer, Ctx, Draft, Read, StepKind, Undo, apply, check, text};
use crate::event::{Command, Fact, Refusal, StepCall};
use crate::units::duration;

/// Fields of `outlierDetection`, as the inputs are called.
pub(super) const ERRORS: &str = "consecutive5xxErrors";
pub(super) const INTERVAL: &str = "interval";
pub(super) const EJECTION: &str = "baseEjectionTime";
pub(super) const PERCENT: &str = "maxEjectionPercent";

const INPUTS: &[InputSpec] = &[
    InputSpec::required("service", InputKind::Service),
    InputSpec::optional(ERRORS, InputKind::Count),
    InputSpec::optional(INTERVAL, InputKind::Text),
    InputSpec::optional(EJECTION, InputKind::Text),
    InputSpec::optional(PERCENT, InputKind::Count),
];

/// The rule on paper.
const EXAMPLE: &str = "\
kubectl apply -f - <<EOF
apiVersion: networking.istio.io/v1beta1
kind: DestinationRule
metadata:
  name: circuit-breaker-emergency[\n  namespace: <namespace>]
spec:
  host: <service>
  trafficPolicy:
    outlierDetection:[
      consecutive5xxErrors: <consecutive5xxErrors>][
      interval: <interval>][
      baseEjectionTime: <baseEjectionTime>][
      maxEjectionPercent: <maxEjectionPercent>]
EOF";

pub(super) struct CircuitBreaker;

impl StepKind for CircuitBreaker {
    fn name(&self) -> &'static str {
        "circuit-breaker"
    }

    fn inputs(&self) -> &'static [InputSpec] {
        INPUTS
    }

    fn reads(&self, inputs: &Inputs, answers: &[Answer], ctx: &Ctx) -> Result<Vec<Read>, Refusal> {
        detection(inputs)?;
        let service = Aim::parse(&SERVICE, inputs.needed("service")?, ctx)?;
        match answers {
            [] => Ok(vec![groups(), service.read(true)]),
            [groups, _] => rules(Some(groups), &service),
            _ => Ok(Vec::new()),
        }
    }

    fn as_undo(&self, _call: &StepCall) -> Option<String> {
        Some("puts the circuit breaker back".to_owned())
    }

    fn example(&self, inputs: &Inputs, _: &Parameters) -> Option<String> {
        Some(fill(EXAMPLE, inputs))
    }

    fn plan(&self, inputs: &Inputs, answers: &[Answer], ctx: &Ctx) -> Result<Draft, Refusal> {
        let aim = Aim::parse(&SERVICE, inputs.needed("service")?, ctx)?;
        let service = Found::of(&[aim], answers.get(1..2).unwrap_or_default(), ctx)?;
        let rule = rule(answers.first(), &service.aim, answers.get(2..).unwrap_or_default())?;
        let wanted = detection(inputs)?;
        let name = service.name();
        if so_already(&rule, &wanted) {
            return Err(Refusal::failed(format!("nothing to do: {} is so already", rule.aim.name)));
        }
        let spec = spec(&rule, name, &wanted);
        let request = apply::request(&rule.aim, &rule.object, &spec, ctx);
        Ok(Draft {
            title: format!("circuit breaker for {name}: {}", rule.aim.name),
            target: request.op.target().clone(),
            command: command(&rule.aim, &spec, ctx),
            requests: vec![request],
            checks: vec![check::errors_below(service.service(), ctx.rates.threshold_of(service.service()))],
            undo: undo(&rule, inputs.needed("service")?),
            touches: format!("requests to {name} within the mesh"),
            facts: everything(&wanted, name).into_iter().collect(),
            lines: Vec::new(),
            naming: None,
        })
    }
}

/// The `outlierDetection` that is asked for; what is not given is left to Istio.
fn detection(inputs: &Inputs) -> Result<Map<String, Value>, Refusal> {
    let fields = [
        (ERRORS, count(inputs, ERRORS, 10_000)?),
        (INTERVAL, span(inputs, INTERVAL)?),
        (EJECTION, span(inputs, EJECTION)?),
        (PERCENT, count(inputs, PERCENT, 100)?),
    ];
    let given = fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Ok(given.collect())
}

fn count(inputs: &Inputs, name: &str, most: u32) -> Result<Option<Value>, Refusal> {
    let Some(given) = inputs.get(name) else { return Ok(None) };
    match given.parse::<u32>() {
        Ok(number) if number <= most => Ok(Some(json!(number))),
        _ => Err(Refusal::usage(format!("{name} is \"{given}\": give a whole number from 0 to {most}"))),
    }
}

fn span(inputs: &Inputs, name: &str) -> Result<Option<Value>, Refusal> {
    let Some(given) = inputs.get(name) else { return Ok(None) };
    let fits =
        !given.contains(['d', 'w']) && duration::parse_milliseconds(given).is_some_and(|span| span > 0);
    if fits {
        return Ok(Some(json!(given)));
    }
    Err(Refusal::usage(format!("{name} is \"{given}\": give a time such as 5s or 1m30s")))
}

fn so_already(rule: &Rule, wanted: &Map<String, Value>) -> bool {
    let held = rule.object.pointer(&format!("{POLICY}/outlierDetection"));
    held.is_some_and(|held| wanted.iter().all(|(field, value)| held[field] == *value))
}

/// The spec that is applied. A rule that is there keeps its host as it is written.
fn spec(rule: &Rule, service: &str, wanted: &Map<String, Value>) -> Value {
    let host = Some(text(&rule.object, "/spec/host")).filter(|host| !host.is_empty()).unwrap_or(service);
    json!({"host": host, "trafficPolicy": {"outlierDetection": wanted}})
}

/// The manifest as a command: it stands in the line, so that the line can be pasted.
fn command(aim: &Aim, spec: &Value, ctx: &Ctx) -> Command {
    let manifest = apply::manifest(aim, &Value::Null, spec).to_string();
    let manager = format!("--field-manager={MANAGER}");
    let words = ["kubectl", "apply", "--server-side", &manager, "-f", "-"];
    let place = ["-n", &aim.namespace, "--context", ctx.place.context.as_str()];
    let words: Vec<Word> = words.into_iter().chain(place).map(Word::from).collect();
    let kubectl = super::command::line(&words).shown;
    Command::plain(format!("printf %s {} | {kubectl}", quoted(&manifest)))
}

/// The rule goes where there was none; else its traffic policy becomes what it was.
fn undo(rule: &Rule, service: &str) -> Undo {
    let mut inputs = vec![("service", service.to_owned())];
    if !rule.object.is_null() {
        inputs.push(("policy", rule.object.pointer(POLICY).unwrap_or(&Value::Null).to_string()));
    }
    Undo::Step { kind: "circuit-breaker-remove", inputs }
}

fn everything(wanted: &Map<String, Value>, service: &str) -> Option<Fact> {
    let all = wanted.get(PERCENT).is_some_and(|percent| percent == 100);
    all.then(|| Fact::warn("ejection", format!("up to 100 %: every pod of {service} may be ejected at once")))
}

#[cfg(test)]
mod tests;
