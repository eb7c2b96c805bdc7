//! `amtool silence expire`: the end of a silence before its time.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::command::{Word, line};
use super::example::fill;
use super::input::{InputKind, InputSpec, Inputs};
use super::parameters::Parameters;
use super::silence::{alerts, lines, reads, request, standing};
use super::{Answer, Ctx, Draft, Read, StepKind, Undo, Whom, check};
use crate::event::{Refusal, Sign, StepCall, digest};
use crate::units;

const INPUTS: &[InputSpec] = &[InputSpec::required("silence", InputKind::Silence)];

pub(super) struct Unsilence;

impl StepKind for Unsilence {
    fn name(&self) -> &'static str {
        "unsilence"
    }

    fn inputs(&self) -> &'static [InputSpec] {
        INPUTS
    }

    fn asks(&self) -> &'static [Whom] {
        &[Whom::Alertmanager]
    }

    fn reads(&self, _inputs: &Inputs, answers: &[Answer], _ctx: &Ctx) -> Result<Vec<Read>, Refusal> {
        Ok(if answers.is_empty() { reads() } else { Vec::new() })
    }

    fn as_undo(&self, _call: &StepCall) -> Option<String> {
        Some("ends the silence".to_owned())
    }

    fn example(&self, inputs: &Inputs, _: &Parameters) -> Option<String> {
        Some(fill("amtool silence expire <silence>", inputs))
    }

    fn plan(&self, inputs: &Inputs, answers: &[Answer], ctx: &Ctx) -> Result<Draft, Refusal> {
        let alerts = alerts(answers)?;
        let found = standing(inputs, &alerts)?;
        let id = &found.id;
        if !id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
            return Err(Refusal::failed(format!(
                "\"{id}\" is no silence's id: end it at Alertmanager itself"
            )));
        }
        let state = |word: &str| {
            BTreeMap::from([
                ("/id".into(), digest(&json!(id))),
                ("/status/state".into(), digest(&json!(word))),
            ])
        };
        let name = found
            .matchers
            .iter()
            .find(|matcher| matcher.name == "alertname")
            .map_or_else(|| id.clone(), |m| m.value.clone());
        let kept = alerts.rows().iter().filter(|alert| alert.silenced_by.contains(id)).count();
        let target = ctx.target("silence", "", &name, id);
        let before = state(if found.active { "active" } else { "pending" });
        let path = format!("/api/v2/silence/{id}");
        let words = ["amtool", &format!("--alertmanager.url={}", ctx.alertmanager), "silence", "expire", id]
            .map(Word::from);
        Ok(Draft {
            title: format!("end the silence of {name}"),
            requests: vec![request(ctx, &target, ("DELETE", &path), Value::Null, state("expired"), before)],
            target,
            checks: vec![check::unsilenced(id)],
            undo: Undo::None("an ended silence is not restored: create a new one".to_owned()),
            command: line(&words),
            touches: format!("{} that it silences now", units::counted(kept, "alert")),
            facts: Vec::new(),
            lines: lines(&found.matchers, found.ends, &found.by, &found.comment, Sign::Remove),
            naming: None,
        })
    }
}
