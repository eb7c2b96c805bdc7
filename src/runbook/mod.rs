//! Which steps there are, as data: what they are called, what they ask for by default, what must come true
//! afterwards. What a kind of step *does* is code ([`crate::step`]); everything else of a step is in
//! `runbooks/*.toml`.

mod built_in;
pub mod export;
pub mod guardrails;
pub mod import;
mod load;
mod origin;
pub mod schema;
pub mod step_test;
mod suggest;

use std::collections::{BTreeMap, BTreeSet};

use crate::clean::Clean;
use crate::data::Problem;
use crate::event::{Refusal, StepCall, Typed};
use crate::state::World;
use crate::step::Kind;
use crate::step::parameters::Parameters;
use crate::step::target::WORKLOADS;

pub use crate::event::Danger;
pub use crate::step::Flag;
pub use crate::step::input::InputKind;
pub use built_in::{BUILT_IN, built_in};
pub use load::{Include, embedded, read, read_with};
pub use origin::{Drift, Link, Source};
pub use suggest::{Suggestion, suggestions};

/// The steps of one team.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Runbook {
    /// Whose it is.
    pub name: Clean,
    /// Steps, in the runbook's order.
    pub steps: Vec<Step>,
    /// Features that can be turned off when what they depend on fails.
    pub flags: Vec<Flag>,
    /// What it forbids where and when, or asks more for than a key.
    pub guardrails: Vec<guardrails::Placed>,
    /// Tests of its steps.
    pub tests: Vec<step_test::StepTest>,
    /// Name of the workload that tells a cluster which this runbook is for; `None`: it says none.
    pub workload: Option<Clean>,
}

impl Runbook {
    /// The step of that id.
    pub fn step(&self, id: &str) -> Option<&Step> {
        self.steps.iter().find(|step| step.id == id)
    }

    /// The steps that are offered in this world: those of another team only where its workload is.
    pub fn offered<'a>(&'a self, world: &World) -> impl Iterator<Item = &'a Step> {
        let wanted: BTreeSet<&Clean> = self.steps.iter().filter_map(|step| step.workload.as_ref()).collect();
        let there = |name: &&Clean| world.cluster.workloads.values().any(|one| one.meta.name == **name);
        let there: BTreeSet<&Clean> = wanted.into_iter().filter(there).collect();
        let offers = move |step: &&Step| step.workload.as_ref().is_none_or(|name| there.contains(name));
        self.steps.iter().filter(offers)
    }

    /// What keeps a checklist from running its steps as they are here.
    fn unfit(&self, step: &Step) -> Option<Problem> {
        step.kind.members(&step.with).iter().find_map(|id| {
            let Some(member) = self.step(id) else {
                return Some(Problem::unknown("step", id, self.steps.iter().map(|one| one.id.as_str())));
            };
            let open = member.inputs.iter().find(|input| input.required && input.default.is_none());
            if step.kind.judges() && !member.kind.judges() {
                let why = format!("{id} does not say whether something is wrong: it is for a checklist");
                Some(Problem::new(why))
            } else if member.danger != Danger::Read {
                Some(Problem::new(format!("{id} is no step that only reads: it has a place of its own")))
            } else if member.kind.members(&member.with).is_empty() {
                open.map(|input| {
                    Problem::new(format!("{id} needs {}, which nobody is asked for here", input.name))
                })
            } else {
                Some(Problem::new(format!("{id} is a checklist itself: name its steps")))
            }
        })
    }

    /// Adds the steps and flags of another runbook that this one does not have, for where its workload is.
    fn offer(&mut self, other: Self) {
        let Self { steps, flags, workload, tests, guardrails, .. } = other;
        let new: Vec<Step> = steps.into_iter().filter(|step| self.step(&step.id).is_none()).collect();
        self.steps.extend(new.into_iter().map(|step| Step { workload: workload.clone(), ..step }));
        self.flags.extend(flags);
        self.guardrails.extend(guardrails);
        let of_new = |test: &step_test::StepTest| self.tests.iter().all(|own| own.call != test.call);
        let new: Vec<_> = tests.into_iter().filter(of_new).collect();
        self.tests.extend(new);
    }
}

/// One step.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The name that keys, the command line and the journal use.
    pub id: Clean,
    /// The runbook's heading.
    pub section: Clean,
    /// What it does, in a few words.
    pub title: Clean,
    /// How much it can break.
    pub danger: Danger,
    /// What it does.
    pub kind: Kind,
    /// What it asks for.
    pub inputs: Vec<StepInput>,
    /// What the runbook fixes of it beside.
    pub with: Parameters,
    /// Which checks it is held to; `None`: all that its kind has.
    pub verify: Option<Vec<Clean>>,
    /// Seconds that this may take.
    pub verify_within: u32,
    /// Name of the workload without which it is not offered; `None`: it is everywhere.
    pub workload: Option<Clean>,
    /// What is to be known of it besides; empty where there is nothing.
    pub notes: Clean,
    /// Documents that it leads to.
    pub links: Vec<Link>,
    /// Where it was imported from; `None` where it was written by hand.
    pub source: Option<Source>,
}

impl Step {
    /// A step of that kind as it is without a runbook: every input of the kind, every check.
    pub fn of_kind(id: &str, title: &str, kind: Kind) -> Self {
        let inputs = kind.inputs().iter();
        let input = |spec: &crate::step::input::InputSpec| StepInput {
            name: spec.name.into(),
            kind: spec.kind,
            required: spec.required,
            default: None,
            choices: Vec::new(),
        };
        Self {
            id: id.into(),
            section: Clean::default(),
            title: title.into(),
            danger: kind.danger(),
            kind,
            inputs: inputs.map(input).collect(),
            with: Parameters::default(),
            verify: None,
            verify_within: 90,
            workload: None,
            notes: Clean::default(),
            links: Vec::new(),
            source: None,
        }
    }

    /// What was typed for the input of that name.
    pub fn typed(&self, name: &str, raw: &str) -> Typed {
        let input = self.inputs.iter().find(|input| input.name == *name);
        input.map_or_else(|| Typed::new(raw), |input| input.kind.typed(raw))
    }

    /// A call of it with these inputs, each shown as its kind wants.
    pub fn call<'a>(&self, inputs: impl IntoIterator<Item = (&'a str, &'a str)>) -> StepCall {
        let inputs = inputs.into_iter().map(|(name, raw)| (Clean::new(name), self.typed(name, raw)));
        StepCall::new(self.id.clone(), inputs.collect())
    }

    /// Whether an input may be given by that name: its own, the context, or the kind of a workload.
    pub fn takes(&self, name: &str) -> bool {
        let workload = self.inputs.iter().any(|input| input.kind == InputKind::Workload);
        let kind = WORKLOADS.iter().any(|kind| kind.word == name) && workload;
        kind || name == StepCall::CONTEXT || self.inputs.iter().any(|input| input.name == *name)
    }

    /// Inputs by the names that this step has for them: a workload may be given by its kind,
    /// `statefulset=kafka`.
    pub fn named(&self, mut given: BTreeMap<Clean, Typed>) -> BTreeMap<Clean, Typed> {
        let Some(workload) = self.inputs.iter().find(|input| input.kind == InputKind::Workload) else {
            return given;
        };
        for kind in WORKLOADS {
            let of_kind = given.remove(kind.word).filter(|_| !given.contains_key(&workload.name));
            if let Some(value) = of_kind {
                let text = match value.raw().rsplit_once('/') {
                    Some((namespace, name)) => format!("{namespace}/{}/{name}", kind.word),
                    None => format!("{}/{}", kind.word, value.raw()),
                };
                given.insert(workload.name.clone(), workload.kind.typed(&text));
            }
        }
        given
    }

    /// Whether it is done to something that is in one of the clusters.
    pub fn places(&self) -> bool {
        self.inputs.iter().any(|input| input.kind.places())
    }
}

/// One input of a step.
#[derive(Clone, Debug, PartialEq)]
pub struct StepInput {
    /// Its name.
    pub name: Clean,
    /// What it asks for.
    pub kind: InputKind,
    /// Whether it must be given.
    pub required: bool,
    /// What it is when it is not given.
    pub default: Option<Clean>,
    /// What it can be, of kind `choice`.
    pub choices: Vec<Clean>,
}

impl StepInput {
    /// Looks whether a value is one of its choices, where it has any.
    ///
    /// # Errors
    /// It is none of them.
    pub fn check(&self, given: &str) -> Result<(), Refusal> {
        let given = given.trim();
        if self.choices.is_empty() || given.is_empty() || self.choices.iter().any(|choice| **choice == *given)
        {
            return Ok(());
        }
        let choices = self.choices.iter().map(Clean::as_str).collect::<Vec<_>>().join(", ");
        Err(Refusal::usage(format!("{} is \"{}\": give one of {choices}", self.name, Typed::new(given))))
    }
}
