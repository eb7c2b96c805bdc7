//! A step's inputs, completed from the live cluster.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use ulid::Ulid;

use crate::clean::Clean;
use crate::event::{Alert, ContextId, Kind, Meta, NamespacePhase, Session, Silence, StepCall, Typed, Uid};
use crate::runbook::{InputKind, Step};
use crate::state::{World, workload_rows};

/// A value that an input can take.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// Value that is accepted.
    pub value: Clean,
    /// Label that is shown.
    pub label: Clean,
}

/// One input of a form.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// Name of the input in the runbook.
    pub name: Clean,
    /// Kind of the input.
    pub kind: InputKind,
    /// Whether it must be given.
    pub required: bool,
    /// Value exactly as it was given.
    pub value: Typed,
    /// What it can be, where the runbook names that.
    pub choices: Vec<Clean>,
}

/// A step's form.
#[derive(Clone, Debug, PartialEq)]
pub struct Form {
    /// Id of the step.
    pub step: Clean,
    /// Title of the step.
    pub title: Clean,
    /// Inputs of the step.
    pub fields: Vec<Field>,
    /// Index of the input that is asked for.
    pub at: usize,
    /// Whether the step is being prepared: nothing to type.
    pub waiting: bool,
    /// Why the step could not be prepared.
    pub problem: Option<Clean>,
    /// Intent that the step undoes.
    pub undoes: Option<Ulid>,
}

impl Form {
    /// Creates the form of `step`, filled with what is given, then with the object in hand, then with
    /// defaults. Where several contexts are looked at, it asks for the context of what is in a cluster first.
    pub fn new(step: &Step, given: &BTreeMap<Clean, Typed>, world: &World, in_hand: Option<&Uid>) -> Self {
        let selected = step.inputs.iter().find_map(|input| named(world, in_hand?, input.kind));
        let fields = step.inputs.iter().map(|input| {
            let preset = || {
                in_hand.and_then(|uid| named(world, uid, input.kind)).map(|(name, _)| input.kind.typed(&name))
            };
            let default = || input.default.as_ref().map(|default| input.kind.typed(default));
            let given = given.get(&input.name).map(|given| input.kind.typed(given.raw()));
            // What the runbook names is meant, whatever happens to be selected.
            let value = given.or_else(default).or_else(preset).unwrap_or_default();
            let choices = input.choices.clone();
            Field { name: input.name.clone(), kind: input.kind, required: input.required, value, choices }
        });
        let several = world.session.as_ref().filter(|session| session.several() && step.places());
        let place = several
            .map(|session| context_field(session, given, selected.as_ref().map(|(_, context)| *context)));
        let chosen =
            place.as_ref().is_some_and(|_| given.contains_key(StepCall::CONTEXT) || selected.is_some());
        let fields = place.into_iter().chain(fields).collect();
        let at = 0;
        let waiting = false;
        let mut form = Self {
            step: step.id.clone(),
            title: step.title.clone(),
            fields,
            at,
            waiting,
            problem: None,
            undoes: None,
        };
        let answered =
            |field: &Field| given.contains_key(&field.name) || (chosen && field.name == StepCall::CONTEXT);
        form.at = form.fields.iter().position(|field| !answered(field)).unwrap_or(form.fields.len());
        form
    }

    /// Returns the context that it is for; the main one where none is chosen.
    pub fn chosen_context(&self, world: &World) -> ContextId {
        let chosen =
            self.fields.iter().find(|field| field.name == StepCall::CONTEXT).map(|field| field.value.raw());
        let looked = world.session.as_ref().zip(chosen).and_then(|(session, name)| session.named(name));
        looked.map(|one| one.id).unwrap_or_default()
    }

    /// Returns the contexts that have an object called as the one that is given.
    pub fn contexts_of_target<'a>(&self, world: &'a World) -> Vec<&'a Clean> {
        let Some(field) = self.target() else { return Vec::new() };
        let all = objects(world).filter(|(kind, _)| field.kind.takes(*kind));
        let named = all.filter(|(kind, meta)| {
            names(world, field.kind, *kind, meta).iter().any(|name| name == field.value.raw())
        });
        let ids: std::collections::BTreeSet<ContextId> = named.map(|(_, meta)| meta.context()).collect();
        let session = world.session.iter();
        session
            .flat_map(|session| &session.contexts)
            .filter(|one| ids.contains(&one.id))
            .map(|one| &one.context)
            .collect()
    }

    /// Returns the input that names the target.
    pub fn target(&self) -> Option<&Field> {
        self.fields.iter().find(|field| field.kind.places())
    }

    /// Returns the input asked for; `None` when all were.
    pub fn current(&self) -> Option<&Field> {
        self.fields.get(self.at)
    }

    /// Returns the call with the inputs given so far.
    pub fn call(&self) -> StepCall {
        let given = self.fields.iter().filter(|field| !field.value.is_empty());
        let inputs = given.map(|field| (field.name.clone(), field.value.clone())).collect();
        StepCall { step: self.step.clone(), inputs, undoes: self.undoes }
    }

    /// Returns the values that the current input can take, as far as the cluster knows, narrowed by what is
    /// typed.
    pub fn choices(&self, world: &World, now: DateTime<Utc>, typed: &str) -> Vec<Choice> {
        let Some(field) = self.current() else { return Vec::new() };
        let all = match field.kind {
            _ if field.name == StepCall::CONTEXT => contexts(world),
            kind if kind.places() => targets(world, kind, self.chosen_context(world)),
            InputKind::Namespace => namespaces(world, self.chosen_context(world)),
            InputKind::Revision => self.revisions(world, now),
            InputKind::Alert => alerts(world),
            InputKind::Labels => return self.labels(world, typed),
            InputKind::Silence => silences(world),
            InputKind::Span => spans(now),
            InputKind::Choice => {
                let choice = |choice: &Clean| Choice { value: choice.clone(), label: choice.clone() };
                field.choices.iter().map(choice).collect()
            }
            _ => Vec::new(),
        };
        let typed = typed.to_lowercase();
        all.into_iter().filter(|choice| choice.label.to_lowercase().contains(&typed)).collect()
    }

    /// Returns the field that a refusal is about: the one whose value it quotes or repeats, or that it calls
    /// by its name.
    pub fn refused(&self, reason: &str) -> usize {
        let says = |part: &str| !part.is_empty() && reason.contains(&format!("\"{part}\""));
        let quoted = |field: &Field| field.value.shown().split(',').any(|part| says(part.trim()));
        let repeated =
            |field: &Field| !field.value.is_empty() && reason.contains(field.value.shown().as_str());
        let called =
            |field: &Field| reason.split(|c: char| !c.is_alphanumeric()).any(|word| *field.name == *word);
        let last = |is: &dyn Fn(&Field) -> bool| self.fields.iter().rposition(is);
        last(&quoted).or_else(|| last(&repeated)).or_else(|| last(&called)).unwrap_or(0)
    }

    fn given(&self, kind: InputKind) -> Option<&str> {
        self.fields.iter().find(|field| field.kind == kind).map(|field| field.value.raw())
    }

    /// Returns what an input begins with, where the cluster knows better than the runbook: all labels of the
    /// alert.
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

    /// Returns what a silence with the labels given, or typed now, would silence; or which of them it cannot
    /// have.
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
        (!found.is_empty())
            .then(|| format!("silences {count} of {} firing alerts", world.alerts.firing()).into())
    }

    fn revisions(&self, world: &World, now: DateTime<Utc>) -> Vec<Choice> {
        let context = self.chosen_context(world);
        let named = self.given(InputKind::Deployment);
        let is = |w: &&crate::event::Workload| {
            w.kind == Kind::Deployment
                && w.meta.context() == context
                && named.is_some_and(|named| world.called(&w.meta) == *named)
        };
        let deployment = world.cluster.workloads.values().find(is);
        let Some(deployment) = deployment else { return Vec::new() };
        let revisions = world
            .cluster
            .revisions_of(&deployment.meta.uid)
            .into_iter()
            .filter(|r| Some(r.number) != deployment.revision);
        revisions
            .map(|r| {
                let release = r.release.as_deref().unwrap_or("–");
                let image = r.images.first().map_or("–", Clean::as_str);
                let age = crate::units::age(now - r.meta.created);
                Choice {
                    value: r.number.to_string().into(),
                    label: format!("rev {}  {release}  {age} ago  {image}", r.number).into(),
                }
            })
            .collect()
    }
}

/// The workloads, pods and nodes that are known.
fn objects(world: &World) -> impl Iterator<Item = (Kind, &Meta)> {
    let cluster = &world.cluster;
    let workloads = cluster.workloads.values().map(|workload| (workload.kind, &workload.meta));
    let pods = cluster.pods.values().map(|pod| (Kind::Pod, &pod.meta));
    workloads.chain(pods).chain(cluster.nodes.values().map(|node| (Kind::Node, &node.meta)))
}

/// What an object can be called by an input: what it is proposed as first.
fn names(world: &World, input: InputKind, kind: Kind, meta: &Meta) -> Vec<String> {
    let bare = if kind == Kind::Node { meta.name.to_string() } else { world.called(meta).to_string() };
    let (namespace, name) = bare
        .split_once('/')
        .map_or((String::new(), bare.as_str()), |(namespace, name)| (format!("{namespace}/"), name));
    let with_kind = format!("{namespace}{}/{name}", kind.word());
    match input {
        InputKind::Workload => vec![with_kind, bare.clone(), meta.name.to_string()],
        _ => vec![bare.clone(), meta.name.to_string()],
    }
}

/// What an input is called that takes the object of this identity, or the workload of that pod; and its
/// The namespaces of a context, as far as they are known.
fn namespaces(world: &World, context: ContextId) -> Vec<Choice> {
    let there = world
        .namespaces
        .iter()
        .filter(|(key, phase)| key.context() == context && **phase == NamespacePhase::Active);
    there.map(|(key, _)| Choice { value: key.id().into(), label: key.id().into() }).collect()
}

/// context.
fn named(world: &World, uid: &Uid, input: InputKind) -> Option<(String, ContextId)> {
    let cluster = &world.cluster;
    let workload = || {
        cluster
            .workloads
            .get(uid)
            .or_else(|| cluster.workload_of(cluster.pods.get(uid)?))
            .map(|w| (w.kind, &w.meta))
    };
    let pod = || cluster.pods.get(uid).map(|pod| (Kind::Pod, &pod.meta));
    let node = || cluster.nodes.get(uid).map(|node| (Kind::Node, &node.meta));
    let takes = |(kind, _): &(Kind, &Meta)| input.takes(*kind);
    let (kind, meta) =
        pod().filter(takes).or_else(|| node().filter(takes)).or_else(|| workload().filter(takes))?;
    Some((names(world, input, kind, meta).swap_remove(0), meta.context()))
}

fn context_field(session: &Session, given: &BTreeMap<Clean, Typed>, selected: Option<ContextId>) -> Field {
    let looked = selected.and_then(|context| session.context(context)).map(|one| &one.context);
    let named = given
        .get(StepCall::CONTEXT)
        .map(|name| session.named(name.raw()).map_or(name.shown(), |one| &one.context));
    let value = InputKind::Text.typed(named.or(looked).unwrap_or(&session.main().context));
    let choices = Vec::new();
    Field { name: StepCall::CONTEXT.into(), kind: InputKind::Text, required: true, value, choices }
}

fn contexts(world: &World) -> Vec<Choice> {
    let all = world.session.iter().flat_map(|session| &session.contexts);
    all.map(|one| Choice {
        value: one.context.clone(),
        label: format!("{}  {}", one.context, one.cluster).into(),
    })
    .collect()
}

fn alerts(world: &World) -> Vec<Choice> {
    let label = |alert: &Alert| {
        let labels = alert
            .labels
            .iter()
            .filter(|(name, _)| *name != "alertname")
            .map(|(name, value)| format!("{name}={value}"));
        format!("{}  {}  {}", alert.name, alert.state, labels.collect::<Vec<_>>().join(" "))
    };
    world
        .alerts
        .rows()
        .into_iter()
        .map(|alert| Choice { value: alert.fingerprint.clone(), label: label(alert).into() })
        .collect()
}

fn silences(world: &World) -> Vec<Choice> {
    let label = |silence: &Silence| {
        let matchers: Vec<String> = silence.matchers.iter().map(ToString::to_string).collect();
        format!(
            "until {}  {}  {}  {}",
            silence.ends.format("%H:%M"),
            silence.by,
            matchers.join(" "),
            silence.comment
        )
    };
    world
        .alerts
        .silences()
        .into_iter()
        .map(|silence| Choice { value: silence.id.clone(), label: label(silence).into() })
        .collect()
}

/// A few spans, and the next full hour but one.
fn spans(now: DateTime<Utc>) -> Vec<Choice> {
    let ends = |span: TimeDelta| (now + span).format("%H:%M");
    let span = |text: &str, minutes: i64| Choice {
        value: text.into(),
        label: format!("{text}  until {} UTC", ends(TimeDelta::minutes(minutes))).into(),
    };
    let hour = (now + TimeDelta::hours(2)).format("until %H:00").to_string();
    vec![
        span("15m", 15),
        span("1h", 60),
        span("4h", 240),
        Choice { value: hour.as_str().into(), label: format!("{hour} UTC").into() },
    ]
}

/// What an input can be of a context: workloads and their pods as the screen has them, the worst first; nodes
/// by name.
fn targets(world: &World, input: InputKind, context: ContextId) -> Vec<Choice> {
    let rows = workload_rows(world);
    let here: Vec<_> = rows.iter().filter(|row| row.meta().context() == context).collect();
    let value = |kind: Kind, meta: &Meta| Clean::new(&names(world, input, kind, meta).swap_remove(0));
    let of_row = |row: &&crate::state::WorkloadRow<'_>| {
        let w = row.workload.filter(|w| input.takes(w.kind))?;
        let value = value(w.kind, &w.meta);
        let reason = row.reason.as_deref().unwrap_or("");
        let release = w.release.as_deref().unwrap_or("–");
        Some(Choice {
            label: format!("{value}  {}/{}  {release}  {reason}", w.ready, w.desired).into(),
            value,
        })
    };
    let workloads = here.iter().filter_map(of_row);
    let pods = here.iter().filter(|_| input.takes(Kind::Pod)).flat_map(|row| world.cluster.pods_of(row));
    let nodes =
        world.cluster.nodes.values().filter(|node| input.takes(Kind::Node) && node.meta.context() == context);
    let pods = pods.map(|pod| {
        let value = value(Kind::Pod, &pod.meta);
        Choice { label: format!("{value}  {}", crate::state::diagnose(pod).status).into(), value }
    });
    let nodes = nodes.map(|node| {
        let state = if node.cordoned { "cordoned" } else { "" };
        Choice { value: node.meta.name.clone(), label: format!("{}  {state}", node.meta.name).into() }
    });
    workloads.chain(pods).chain(nodes).collect()
}
