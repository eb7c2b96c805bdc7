//! What changes of a Service's selector have in common: what they read, how many ready pods get its requests
//! before and after, the guarded patch, and the way back to the selector that was there.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::command::Word;
use super::input::Inputs;
use super::target::{Aim, Found, POD, SERVICE, is_true};
use super::{Answer, Ctx, Draft, Read, Undo, check, text};
use crate::event::{Fact, Naming, Refusal};

/// Where the selector is.
const SELECTOR: &str = "/spec/selector";

/// Labels that a pod must have, by key.
pub(super) type Labels = BTreeMap<String, String>;

/// A Service whose selector becomes another.
pub(super) struct Change {
    pub(super) service: Found,
    /// The selector as it is.
    pub(super) now: Labels,
    /// The selector as it becomes.
    pub(super) then: Labels,
}

impl Change {
    /// Works out the change of the Service that was read first.
    ///
    /// # Errors
    /// It has no selector, or has this one already.
    pub(super) fn of(
        (inputs, answers): (&Inputs, &[Answer]),
        ctx: &Ctx,
        then: impl FnOnce(&Labels) -> Result<Labels, Refusal>,
    ) -> Result<Self, Refusal> {
        let aim = Aim::parse(&SERVICE, inputs.needed("service")?, ctx)?;
        let service = Found::of(&[aim], &answers[..answers.len().min(1)], ctx)?;
        let now = selector(&service)?;
        let then = then(&now)?;
        if now == then {
            let so = format!("nothing to do: {} selects {} already", service.name(), written(&now));
            return Err(Refusal::failed(so));
        }
        Ok(Self { service, now, then })
    }

    /// Returns the reads of the pods that it selects now and afterwards.
    pub(super) fn pods(&self) -> Vec<Read> {
        [&self.now, &self.then].map(|labels| self.selected(labels)).to_vec()
    }

    fn selected(&self, labels: &Labels) -> Read {
        let what = format!("the pods with {}", written(labels));
        POD.selected(&self.service.aim.namespace, &json!({"matchLabels": labels}), what)
    }

    /// Works out the draft. Where no ready pod is left, or nobody knows, the name is typed.
    pub(super) fn draft(
        &self,
        (inputs, answers): (&Inputs, &[Answer]),
        ctx: &Ctx,
        title: String,
        words: Vec<Word>,
    ) -> Result<Draft, Refusal> {
        let service = &self.service;
        let given = inputs.needed("service")?.to_owned();
        let ready = [1, 2].map(|at| ready(answers.get(at)));
        let counted = service.service();
        Ok(Draft {
            title,
            target: service.target(ctx),
            requests: vec![self.request(ctx)],
            checks: vec![check::errors_below(counted, ctx.rates.threshold_of(counted))],
            undo: Undo::Step {
                kind: "selector-restore",
                inputs: vec![("service", given), ("selector", written(&self.now))],
            },
            command: service.kubectl(ctx, words),
            touches: touches(&ready),
            facts: fact(&ready[1], service.name()).into_iter().collect(),
            lines: Vec::new(),
            naming: naming(&ready[1]),
        })
    }

    fn request(&self, ctx: &Ctx) -> super::Request {
        let then = json!(self.then);
        let write = json!({"op": "add", "path": SELECTOR, "value": then});
        self.service.patch(ctx, "", vec![self.service.test(SELECTOR), write], &[(SELECTOR, then)])
    }
}

/// The selector that a Service has.
fn selector(service: &Found) -> Result<Labels, Refusal> {
    let name = service.name();
    if text(&service.object, "/spec/type") == "ExternalName" {
        return Err(Refusal::failed(format!(
            "{name} leads out of the cluster (ExternalName) and selects no pods"
        )));
    }
    let pairs = service.object.pointer(SELECTOR).and_then(Value::as_object).into_iter().flatten();
    let labels: Labels =
        pairs.map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().to_owned())).collect();
    if labels.is_empty() {
        let why = format!(
            "{name} has no selector: its endpoints are kept by hand, and a selector would replace them"
        );
        return Err(Refusal::failed(why));
    }
    Ok(labels)
}

/// Labels as `K=V,K=V`: no key and no value has a comma or an equals sign.
pub(super) fn written(labels: &Labels) -> String {
    labels.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(",")
}

/// Reads labels as [`written`].
///
/// # Errors
/// They are none.
pub(super) fn parse(given: &str) -> Result<Labels, Refusal> {
    let pair = |part: &str| {
        let (key, value) = part.trim().split_once('=')?;
        (is_key(key) && is_value(value)).then(|| (key.to_owned(), value.to_owned()))
    };
    let labels: Option<Labels> = given.split(',').map(pair).collect();
    labels.ok_or_else(|| Refusal::usage(format!("\"{given}\" is no selector: give label=value,label=value")))
}

/// Whether a text can be the value of a label (`IsValidLabelValue` in
/// staging/src/k8s.io/apimachinery/pkg/util/validation).
pub(super) fn is_value(value: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let ends = |c: Option<char>| c.is_none_or(|c| c.is_ascii_alphanumeric());
    value.len() <= 63
        && value.chars().all(fits)
        && ends(value.chars().next())
        && ends(value.chars().next_back())
}

/// Whether a text can be the key of a label: a name, perhaps with a domain before it.
fn is_key(key: &str) -> bool {
    let (domain, name) = key.split_once('/').unwrap_or(("a", key));
    super::target::is_name(domain) && !name.is_empty() && is_value(name)
}

/// How many pods of a list are ready and stay, or why that is not known.
fn ready(answer: Option<&Answer>) -> Result<usize, String> {
    match answer {
        Some(Answer::Found(list)) => {
            let all = list["items"].as_array().into_iter().flatten();
            Ok(all
                .filter(|pod| text(pod, "/metadata/deletionTimestamp").is_empty() && is_true(pod, "Ready"))
                .count())
        }
        Some(Answer::Unknown(why) | Answer::Forbidden(why)) => Err(why.to_string()),
        Some(Answer::Missing) | None => Err("the pods were not found".to_owned()),
    }
}

fn touches(ready: &[Result<usize, String>; 2]) -> String {
    let [now, then] =
        ready.each_ref().map(|count| count.as_ref().map_or("unknown".to_owned(), usize::to_string));
    format!("ready pods that get its requests: {now} → {then}")
}

fn fact(then: &Result<usize, String>, name: &str) -> Option<Fact> {
    match then {
        Ok(0) => Some(Fact::warn("no endpoint", format!("no ready pod matches: {name} stops answering"))),
        Ok(_) => None,
        Err(why) => Some(Fact::unknown("endpoints", why)),
    }
}

fn naming(then: &Result<usize, String>) -> Option<Naming> {
    let why = match then {
        Ok(0) => "no ready pod matches, so that the service stops answering".to_owned(),
        Ok(_) => return None,
        Err(why) => format!("whether a ready pod matches is not known: {why}"),
    };
    Some(Naming { why: why.into(), lasting: false })
}
