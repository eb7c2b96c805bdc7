//! A step's inputs, completed from the live cluster.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::{World, workload_rows};
use crate::clean::Clean;
use crate::event::{Alert, ContextId, Kind, Meta, Session, Silence, StepCall, Typed, Workload};
use crate::runbook::{InputKind, Step};

/// A value that an input can take.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// What is taken.
    pub value: Clean,
    /// What is shown.
    pub label: Clean,
}

/// One input.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// Its name in the runbook.
    pub name: Clean,
    /// What it asks for.
    pub kind: InputKind,
    /// Whether it may stay empty.
    pub required: bool,
    /// What was given.
    pub value: Typed,
}

/// A step's form.
#[derive(Clone, Debug, PartialEq)]
pub struct Form {
    /// The step.
    pub step: Clean,
    /// Its title.
    pub title: Clean,
    /// Its inputs.
    pub fields: Vec<Field>,
    /// Which one is asked for.
    pub at: usize,
    /// The step is being prepared: nothing to type.
    pub waiting: bool,
    /// Why it could not be prepared.
    pub problem: Option<Clean>,
}

impl Form {
    /// The form of `step`, filled with what is given, then with the selected workload, then with defaults. Where several contexts are
    /// looked at, it asks for the context of a deployment first.
    pub fn new(step: &Step, given: &BTreeMap<Clean, Typed>, world: &World, selected: Option<&Workload>) -> Self {
        let fields = step.inputs.iter().map(|input| {
            let preset = given
                .get(&input.name)
                .cloned()
                .or_else(|| selected.filter(|w| input.kind.takes(w.kind)).map(|w| world.called(&w.meta).into()));
            Field {
                name: input.name.clone(),
                kind: input.kind,
                required: input.required,
                value: preset.or_else(|| input.default.clone().map(Typed::from)).unwrap_or_default(),
            }
        });
        let several = world.session.as_ref().filter(|session| session.several() && places(step));
        let place = several.map(|session| context_field(session, given, selected));
        let chosen = place.as_ref().is_some_and(|_| given.contains_key(StepCall::CONTEXT) || selected.is_some());
        let (fields, at, waiting) = (place.into_iter().chain(fields).collect(), 0, false);
        let mut form = Self { step: step.id.clone(), title: step.title.clone(), fields, at, waiting, problem: None };
        let answered = |field: &Field| given.contains_key(&field.name) || (chosen && field.name == StepCall::CONTEXT);
        form.at = form.fields.iter().position(|field| !answered(field)).unwrap_or(form.fields.len());
        form
    }

    /// The context that it is for; the main one where none is chosen.
    pub fn context(&self, world: &World) -> ContextId {
        let chosen = self.fields.iter().find(|field| field.name == StepCall::CONTEXT).map(|field| field.value.raw());
        let looked = world.session.as_ref().zip(chosen).and_then(|(session, name)| session.named(name));
        looked.map(|one| one.id).unwrap_or_default()
    }

    /// The contexts that have a deployment called as the one that is given.
    pub fn contexts_of_deployment<'a>(&self, world: &'a World) -> Vec<&'a Clean> {
        let named =
            |meta: &Meta| self.given(InputKind::Deployment).is_some_and(|given| meta.name == *given || world.called(meta) == *given);
        let deployments = world.cluster.workloads.values().filter(|w| w.kind == Kind::Deployment && named(&w.meta));
        let ids: std::collections::BTreeSet<ContextId> = deployments.map(|w| w.meta.context()).collect();
        let session = world.session.iter();
        session.flat_map(Session::contexts).filter(|one| ids.contains(&one.id)).map(|one| one.context).collect()
    }

    /// The input asked for; `None` when all were.
    pub fn current(&self) -> Option<&Field> {
        self.fields.get(self.at)
    }

    /// The step with what was given.
    pub fn call(&self) -> StepCall {
        let given = self.fields.iter().filter(|field| !field.value.is_empty());
        StepCall { step: self.step.clone(), inputs: given.map(|field| (field.name.clone(), field.value.clone())).collect() }
    }

    /// What the current input can take, as far as the cluster knows, narrowed by what is typed.
    pub fn choices(&self, world: &World, now: DateTime<Utc>, typed: &str) -> Vec<Choice> {
        let Some(field) = self.current() else { return Vec::new() };
        let all = match field.kind {
            _ if field.name == StepCall::CONTEXT => contexts(world),
            InputKind::Deployment => workloads(world, self.context(world)),
            InputKind::Revision => self.revisions(world, now),
            InputKind::Alert => alerts(world),
            InputKind::Labels => return self.labels(world, typed),
            InputKind::Silence => silences(world),
            InputKind::Span => spans(now),
            InputKind::Count | InputKind::Env | InputKind::Text => Vec::new(),
        };
        let typed = typed.to_lowercase();
        all.into_iter().filter(|choice| choice.label.to_lowercase().contains(&typed)).collect()
    }

    /// The field that a refusal is about: the one whose value it quotes or repeats, or that it calls by its name.
    pub fn refused(&self, reason: &str) -> usize {
        let says = |part: &str| !part.is_empty() && reason.contains(&format!("\"{part}\""));
        let value = |field: &Field| Clean::new(field.value.raw());
        let quoted = |field: &Field| value(field).split(',').any(|part| says(part.trim()));
        let repeated = |field: &Field| !field.value.is_empty() && reason.contains(value(field).as_str());
        let called = |field: &Field| reason.split(|c: char| !c.is_alphanumeric()).any(|word| *field.name == *word);
        let last = |is: &dyn Fn(&Field) -> bool| self.fields.iter().rposition(is);
        last(&quoted).or_else(|| last(&repeated)).or_else(|| last(&called)).unwrap_or(0)
    }

    fn given(&self, kind: InputKind) -> Option<&str> {
        self.fields.iter().find(|field| field.kind == kind).map(|field| field.value.raw())
    }

    /// What an input begins with, where the cluster knows better than the runbook: all labels of the alert.
    pub fn preset(&self, world: &World) -> String {
        match self.current() {
            Some(field) if field.kind == InputKind::Labels && field.value.is_empty() => {
                let (_, labels) = world.alerts.named(self.given(InputKind::Alert).unwrap_or_default());
                labels.keys().map(Clean::as_str).collect::<Vec<_>>().join(",")
            }
            Some(field) => field.value.raw().to_owned(),
            None => String::new(),
        }
    }

    /// The labels of the alert, each to be put in or taken out.
    fn labels(&self, world: &World, typed: &str) -> Vec<Choice> {
        let (_, labels) = world.alerts.named(self.given(InputKind::Alert).unwrap_or_default());
        let named: Vec<&str> = typed.split(',').map(str::trim).collect();
        let toggled = |name: &Clean| {
            let left = labels.keys().filter(|other| named.contains(&other.as_str()) != (*other == name));
            left.map(Clean::as_str).collect::<Vec<_>>().join(",")
        };
        let choice = |(name, value): (&Clean, &Clean)| {
            let mark = if named.contains(&name.as_str()) { "✓" } else { "·" };
            Choice { value: toggled(name).into(), label: format!("{mark} {name}=\"{value}\"").into() }
        };
        labels.iter().map(choice).collect()
    }

    /// What a silence with the labels given, or typed now, would keep quiet; or which of them it cannot have.
    pub fn quieted(&self, world: &World, typed: Option<&str>) -> Option<Clean> {
        let typed = typed.filter(|_| self.current().is_some_and(|field| field.kind == InputKind::Labels));
        let names = typed.or(self.given(InputKind::Labels))?;
        let (found, mut labels) = world.alerts.named(self.given(InputKind::Alert)?);
        let named: Vec<&str> = names.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
        if let Some(unknown) = named.iter().find(|name| !found.is_empty() && !labels.contains_key(**name)) {
            return Some(format!("\"{unknown}\" is no label of it").into());
        }
        labels.retain(|name, _| named.is_empty() || named.contains(&name.as_str()));
        let count = world.alerts.matching(&labels).count();
        (!found.is_empty()).then(|| format!("would quiet {count} of {} alerts that fire now", world.alerts.firing()).into())
    }

    fn revisions(&self, world: &World, now: DateTime<Utc>) -> Vec<Choice> {
        let (context, named) = (self.context(world), self.given(InputKind::Deployment));
        let is = |w: &&Workload| {
            w.kind == Kind::Deployment && w.meta.context() == context && named.is_some_and(|named| world.called(&w.meta) == *named)
        };
        let deployment = world.cluster.workloads.values().find(is);
        let Some(deployment) = deployment else { return Vec::new() };
        let revisions = world.cluster.revisions_of(&deployment.meta.uid).into_iter().filter(|r| Some(r.number) != deployment.revision);
        revisions
            .map(|r| {
                let release = r.release.as_deref().unwrap_or("–");
                let image = r.images.first().map_or("–", Clean::as_str);
                let age = crate::units::age(now - r.meta.created);
                Choice { value: r.number.to_string().into(), label: format!("rev {}  {release}  {age} ago  {image}", r.number).into() }
            })
            .collect()
    }
}

/// Whether a step is done to something that is in one of the clusters.
fn places(step: &Step) -> bool {
    step.inputs.iter().any(|input| input.kind == InputKind::Deployment)
}

fn context_field(session: &Session, given: &BTreeMap<Clean, Typed>, selected: Option<&Workload>) -> Field {
    let looked = selected.and_then(|workload| session.looked(workload.meta.context()));
    let named = given.get(StepCall::CONTEXT).map(|name| session.named(name.raw()).map_or(name.clone(), |one| one.context.clone().into()));
    let value = named.unwrap_or_else(|| looked.map_or(&session.context, |one| one.context).clone().into());
    Field { name: StepCall::CONTEXT.into(), kind: InputKind::Text, required: true, value }
}

fn contexts(world: &World) -> Vec<Choice> {
    let all = world.session.iter().flat_map(Session::contexts);
    all.map(|one| Choice { value: one.context.clone(), label: format!("{}  {}", one.context, one.cluster).into() }).collect()
}

fn alerts(world: &World) -> Vec<Choice> {
    let label = |alert: &Alert| {
        let labels = alert.labels.iter().filter(|(name, _)| *name != "alertname").map(|(name, value)| format!("{name}={value}"));
        format!("{}  {}  {}", alert.name, alert.state, labels.collect::<Vec<_>>().join(" "))
    };
    world.alerts.rows().into_iter().map(|alert| Choice { value: alert.fingerprint.clone(), label: label(alert).into() }).collect()
}

fn silences(world: &World) -> Vec<Choice> {
    let label = |silence: &Silence| {
        let matchers: Vec<String> = silence.matchers.iter().map(ToString::to_string).collect();
        format!("until {}  {}  {}  {}", silence.ends.format("%H:%M"), silence.by, matchers.join(" "), silence.comment)
    };
    world.alerts.silences().into_iter().map(|silence| Choice { value: silence.id.clone(), label: label(silence).into() }).collect()
}

/// A few spans, and the next full hour but one.
fn spans(now: DateTime<Utc>) -> Vec<Choice> {
    let ends = |span: TimeDelta| (now + span).format("%H:%M");
    let span = |text: &str, minutes: i64| Choice {
        value: text.into(),
        label: format!("{text}  until {} UTC", ends(TimeDelta::minutes(minutes))).into(),
    };
    let hour = (now + TimeDelta::hours(2)).format("until %H:00").to_string();
    vec![span("15m", 15), span("1h", 60), span("4h", 240), Choice { value: hour.as_str().into(), label: format!("{hour} UTC").into() }]
}

fn workloads(world: &World, context: ContextId) -> Vec<Choice> {
    let rows = workload_rows(world);
    let deployments =
        rows.iter().filter_map(|row| row.workload.filter(|w| w.kind == Kind::Deployment && w.meta.context() == context).map(|w| (row, w)));
    deployments
        .map(|(row, w)| {
            let reason = row.reason.as_deref().unwrap_or("");
            let release = w.release.as_deref().unwrap_or("–");
            let value = world.called(&w.meta);
            Choice { label: format!("{value}  {}/{}  {release}  {reason}", w.ready, w.desired).into(), value }
        })
        .collect()
}
