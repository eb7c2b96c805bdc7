//! A step whose plan is two writes, one after the other. The runbook has none like it; what sends plans takes
//! any number.

use std::sync::{Arc, LazyLock};

use serde_json::{Value, json};
use warroom::event::{Check, Command, Kind as Workload, Refusal, Uid};
use warroom::runbook::{Runbook, Step};
use warroom::step::input::{InputKind, InputSpec, Inputs};
use warroom::step::target::{Aim, DEPLOYMENT, Found};
use warroom::step::{Answer, Ctx, Draft, Kind, Read, Request, StepKind, Undo, check};

use super::RUNBOOK;

/// The steps, and this one.
pub static WITH_BOTH: LazyLock<Arc<Runbook>> = LazyLock::new(|| {
    let mut runbook = Runbook::clone(&RUNBOOK);
    runbook.steps.push(Step::of_kind("both", "Scale one Deployment, then another", Kind(&Both)));
    Arc::new(runbook)
});

const INPUTS: &[InputSpec] = &[
    InputSpec::required("first", InputKind::Deployment),
    InputSpec::required("second", InputKind::Deployment),
    InputSpec::required("replicas", InputKind::Text),
];

/// Scales one Deployment, then another: `replicas=3,2`. Its undo is the same in the other order.
struct Both;

/// A Deployment that is scaled.
struct Scaled {
    deployment: Found,
    now: u64,
    replicas: u32,
}

impl StepKind for Both {
    fn name(&self) -> &'static str {
        "both"
    }

    fn inputs(&self) -> &'static [InputSpec] {
        INPUTS
    }

    fn reads(&self, inputs: &Inputs, answers: &[Answer], ctx: &Ctx) -> Result<Vec<Read>, Refusal> {
        let reads = || aims(inputs, ctx).map(|aims| aims.iter().map(|aim| aim.read(true)).collect());
        if answers.is_empty() { reads() } else { Ok(Vec::new()) }
    }

    fn plan(&self, inputs: &Inputs, answers: &[Answer], ctx: &Ctx) -> Result<Draft, Refusal> {
        let [first, second] = scaled(inputs, answers, ctx)?;
        let names = format!("{}, then {}", first.deployment.name(), second.deployment.name());
        let back = [
            ("first", second.deployment.name().to_owned()),
            ("second", first.deployment.name().to_owned()),
            ("replicas", format!("{},{}", second.now, first.now)),
        ];
        Ok(Draft {
            title: format!("scale {names}"),
            target: first.deployment.target(ctx),
            requests: vec![first.request(ctx), second.request(ctx)],
            checks: vec![first.check(ctx), second.check(ctx)],
            undo: Undo::Step { kind: "both", inputs: back.into() },
            command: Command::plain(format!("# scales {names}")),
            touches: names,
            facts: Vec::new(),
            lines: Vec::new(),
            naming: None,
        })
    }
}

fn aims(inputs: &Inputs, ctx: &Ctx) -> Result<[Aim; 2], Refusal> {
    let aim = |name| Aim::parse(&DEPLOYMENT, inputs.needed(name)?, ctx);
    Ok([aim("first")?, aim("second")?])
}

fn scaled(inputs: &Inputs, answers: &[Answer], ctx: &Ctx) -> Result<[Scaled; 2], Refusal> {
    let aims = aims(inputs, ctx)?;
    if aims[0] == aims[1] {
        return Err(Refusal::usage("give two Deployments"));
    }
    let counts: Vec<u32> =
        inputs.needed("replicas")?.split(',').filter_map(|count| count.parse().ok()).collect();
    let one = |at: usize| {
        let deployment = Found::of(&aims[at..=at], &answers[at..=at], ctx)?;
        let replicas = *counts.get(at).ok_or_else(|| Refusal::usage("give two counts"))?;
        let now = deployment.object.pointer("/spec/replicas").and_then(Value::as_u64).unwrap_or(0);
        let change = now != u64::from(replicas);
        change
            .then_some(Scaled { deployment, now, replicas })
            .ok_or_else(|| Refusal::failed("nothing to do for one of the two"))
    };
    Ok([one(0)?, one(1)?])
}

impl Scaled {
    fn request(&self, ctx: &Ctx) -> Request {
        let Self { deployment, now, replicas } = self;
        // A Scale leaves out a count of 0.
        let read = if *now == 0 { Value::Null } else { json!(now) };
        let operations = vec![
            json!({"op": "test", "path": "/spec/replicas", "value": read}),
            json!({"op": "add", "path": "/spec/replicas", "value": replicas}),
        ];
        deployment.patch(ctx, "scale", operations, &[("/spec/replicas", json!(replicas))])
    }

    fn check(&self, ctx: &Ctx) -> Check {
        check::ready(Workload::Deployment, Uid::new(ctx.place.id, self.deployment.uid()), self.replicas)
    }
}
