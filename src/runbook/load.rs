//! Reads runbooks. A file of the user's replaces embedded steps one by one, by id, and flags by dependency
//! and deployment.

use std::collections::BTreeSet;
use std::str::FromStr;

use super::built_in::{BUILT_IN, built_in};
use super::guardrails::{Placed, guardrails};
use super::origin::Origin;
use super::step_test::{self, StepTest};
use super::{Danger, Flag, InputKind, Runbook, Step, StepInput};
use crate::clean::Clean;
use crate::data::{self, Location, Mistake, Problem, Reader, text_fields};
use crate::step::parameters::{Parameter, ParameterKind, ParameterSpec, Parameters};
use crate::step::{Kind, check, set_env};

/// The runbook that is taken unless the settings name another: what any cluster needs, and the steps of the
/// others where their workload is.
///
/// # Errors
/// Its mistakes; a test holds it to none.
pub fn embedded() -> Result<Runbook, Vec<Mistake>> {
    let [(file, text), others @ ..] = BUILT_IN;
    let mut whole = read(file, text, None)?;
    for (file, text) in others {
        whole.offer(read(file, text, None)?);
    }
    Ok(whole)
}

/// A file that another includes: its name in reports, and its text.
pub type Include = (String, String);

/// Reads a runbook that includes nothing but what is built in; its steps replace those of `base` that have
/// the same id, and follow the others. So do its flags, by dependency and deployment.
///
/// # Errors
/// All mistakes of the file.
pub fn read(file: &str, text: &str, base: Option<Runbook>) -> Result<Runbook, Vec<Mistake>> {
    read_with(file, text, base, &|name| Err(Problem::new(format!("{name} is not built in"))))
}

/// As [`read`]; what is included and not built in, `find` looks for.
///
/// # Errors
/// All mistakes of the file, and of those that it includes.
pub fn read_with(
    file: &str,
    text: &str,
    base: Option<Runbook>,
    find: &dyn Fn(&str) -> Result<Include, Problem>,
) -> Result<Runbook, Vec<Mistake>> {
    let File { name, workload, steps, flags, guardrails, tests, includes } =
        data::read(file, text, "setting", parts)?;
    let mut runbook = base.unwrap_or_default();
    for (include, place) in includes {
        let (file, text) = include.pinned(find).map_err(|problem| vec![place.mistake(problem)])?;
        runbook = read_with(&file, &text, Some(runbook), &|name| {
            Err(Problem::new(format!("{name}: what is included includes no other file")))
        })?;
    }
    runbook.name = name.map_or(runbook.name, Clean::from);
    runbook.workload = workload.map(Clean::from).or(runbook.workload);
    let mut places = Vec::new();
    for (step, place) in steps {
        places.push((step.id.clone(), place));
        put(&mut runbook.steps, step, |a, b| a.id == b.id);
    }
    let unfit = |(id, place): &(Clean, Location)| Some(place.mistake(runbook.unfit(runbook.step(id)?)?));
    let mut mistakes: Vec<Mistake> = places.iter().filter_map(unfit).collect();
    mistakes.extend(step_test::mistaken(&runbook, &tests));
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    runbook.guardrails.extend(guardrails);
    for test in tests {
        put(&mut runbook.tests, test, |a, b| a.call == b.call);
    }
    let same = |a: &Flag, b: &Flag| (&a.dependency, &a.deployment) == (&b.dependency, &b.deployment);
    for flag in flags {
        put(&mut runbook.flags, flag, same);
    }
    Ok(runbook)
}

/// What one file says.
struct File {
    name: Option<String>,
    workload: Option<String>,
    steps: Vec<(Step, Location)>,
    flags: Vec<Flag>,
    guardrails: Vec<Placed>,
    tests: Vec<StepTest>,
    includes: Vec<(Pinned, Location)>,
}

fn parts(root: &mut Reader<'_>) -> File {
    let name = root.get("name");
    let workload = root.get("workload");
    let mut seen = BTreeSet::new();
    let mut steps = root.tables("steps", "field of a step");
    let placed = |table: &mut Reader<'_>| Some((step(table, &mut seen)?, table.place_of("with")));
    let steps = steps.iter_mut().filter_map(placed).collect();
    let mut seen = BTreeSet::new();
    let mut flags = root.tables("flags", "field of a flag");
    let flags = flags.iter_mut().filter_map(|table| flag(table, &mut seen)).collect();
    let mut includes = root.tables("include", "field of an include");
    let includes = includes.iter_mut().filter_map(pinned).collect();
    let guardrails = guardrails(root);
    let tests = step_test::tests(root);
    File { name, workload, steps, flags, guardrails, tests, includes }
}

/// Puts one in the place of the one that is the same, or behind all.
fn put<T>(all: &mut Vec<T>, new: T, same: impl Fn(&T, &T) -> bool) {
    match all.iter_mut().find(|old| same(old, &new)) {
        Some(old) => *old = new,
        None => all.push(new),
    }
}

/// A file that is included as it was when its hash was written down.
struct Pinned {
    file: String,
    blake3: String,
}

fn pinned(table: &mut Reader<'_>) -> Option<(Pinned, Location)> {
    let file: Option<String> = table.required("file");
    let blake3: Option<String> = table.required("blake3");
    let place = table.place_of("blake3");
    Some((Pinned { file: file?, blake3: blake3? }, place))
}

impl Pinned {
    /// The file, if it is the one that is meant.
    fn pinned(&self, find: &dyn Fn(&str) -> Result<Include, Problem>) -> Result<Include, Problem> {
        let Self { file, blake3 } = self;
        let owned = |(name, text): (&str, &str)| (name.to_owned(), text.to_owned());
        let (name, text) = built_in(file).map(owned).map_or_else(|| find(file), Ok)?;
        let hash = blake3::hash(text.as_bytes()).to_hex();
        if *hash == **blake3 {
            return Ok((name, text));
        }
        Err(Problem::new(format!(
            "{file} is not as it was when it was pinned: look at what changed, then write blake3 = \"{hash}\""
        )))
    }
}

fn flag(table: &mut Reader<'_>, seen: &mut BTreeSet<(String, String)>) -> Option<Flag> {
    let dependency: Option<String> = table.required("dependency");
    let deployment: Option<String> = table.required("deployment");
    let env: Option<Variables> = table.required("env");
    let dependency = dependency?;
    let deployment = deployment?;
    if !seen.insert((dependency.clone(), deployment.clone())) {
        table.fault(Problem::new(format!("a second flag of {deployment:?} for {dependency:?}")));
    }
    Some(Flag { dependency: dependency.into(), deployment: deployment.into(), env: env?.0.into() })
}

/// Variables as `set-env` takes them.
struct Variables(String);

impl FromStr for Variables {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        match set_env::parse(text) {
            Ok(all) if all.is_empty() => Err(Problem::new("it sets no variable: write NAME=value")),
            Ok(_) => Ok(Self(text.to_owned())),
            Err(refusal) => Err(Problem::new(refusal.reason().to_string())),
        }
    }
}

fn step(table: &mut Reader<'_>, seen: &mut BTreeSet<String>) -> Option<Step> {
    let id: Option<String> = table.required("id");
    if let Some(id) = id.as_ref().filter(|id| !seen.insert((*id).clone())) {
        table.fault(Problem::new(format!("a second step {id:?}")));
    }
    let section: Option<String> = table.get("section");
    let title: Option<String> = table.required("title");
    let danger: Option<Danger> = table.required("danger");
    let kind: Option<Kind> = table.required("kind");
    let verify: Option<Vec<CheckName>> = table.get("verify");
    let within: Option<u32> = table.get("verify_within");
    let Origin { notes, links, source } = Origin::read(table);
    let tables = table.tables("inputs", "field of an input").into_iter().collect::<Vec<_>>();
    let given: Vec<Given> = tables.into_iter().filter_map(|mut table| input(&mut table, kind)).collect();
    let kind = kind?;
    let with = with(table, kind);
    let danger = danger?;
    if danger < kind.danger() {
        table.fault(Problem::new(format!(
            "a step of kind {} is no {danger}: danger is {} at least",
            kind.name(),
            kind.danger()
        )));
    }
    let plain = Step::of_kind(&id?, &title?, kind);
    let inputs = inputs(plain.inputs, &given);
    let names: Vec<&str> = inputs.iter().map(|input| input.name.as_str()).collect();
    if let Err(why) = kind.fits(&with, &names) {
        table.fault_at(&table.place_of("with"), Problem::new(why));
    }
    Some(Step {
        section: section.unwrap_or_default().into(),
        danger,
        inputs,
        with,
        verify: verify.map(|names| names.into_iter().map(|name| name.0.into()).collect()),
        verify_within: within.unwrap_or(90),
        notes,
        links,
        source,
        ..plain
    })
}

/// What a runbook fixes of a step of that kind.
fn with(table: &mut Reader<'_>, kind: Kind) -> Parameters {
    let specs = kind.parameters();
    let wanted = table.has("with") || specs.iter().any(|spec| spec.required);
    let Some(mut with) = wanted.then(|| table.table("with", "parameter")).flatten() else {
        if let Some(spec) = specs.iter().find(|spec| spec.required) {
            let why = format!("a step of kind {} needs with = {{ {} = … }}", kind.name(), spec.name);
            table.fault(Problem::new(why));
        }
        return Parameters::default();
    };
    specs.iter().filter_map(|spec| Some((spec.name, parameter(&mut with, spec)?))).collect()
}

fn parameter(with: &mut Reader<'_>, spec: &ParameterSpec) -> Option<Parameter> {
    fn read<T: data::Field>(with: &mut Reader<'_>, spec: &ParameterSpec) -> Option<T> {
        if spec.required { with.required(spec.name) } else { with.get(spec.name) }
    }
    match spec.kind {
        ParameterKind::Text => read(with, spec).map(Parameter::Text),
        ParameterKind::List => read(with, spec).map(Parameter::List),
        ParameterKind::Count => read(with, spec).map(Parameter::Count),
    }
}

/// The inputs of the kind, with what the runbook says of each, and its own behind them.
fn inputs(of_kind: Vec<StepInput>, given: &[Given]) -> Vec<StepInput> {
    let known = |name: &str| of_kind.iter().any(|input| *input.name == *name);
    let own: Vec<StepInput> =
        given.iter().filter(|given| !known(&given.name)).filter_map(Given::own).collect();
    let said = |input: StepInput| match given.iter().find(|given| *input.name == *given.name) {
        Some(given) => given.over(input),
        None => input,
    };
    of_kind.into_iter().map(said).chain(own).collect()
}

/// What a runbook says of an input.
struct Given {
    name: String,
    kind: Option<InputKind>,
    required: Option<bool>,
    default: Option<String>,
    choices: Vec<String>,
}

impl Given {
    /// The input as its kind has it, with what the runbook says of it. What the kind needs is needed.
    fn over(&self, input: StepInput) -> StepInput {
        let required = input.required || self.required.unwrap_or(false);
        StepInput { required, default: self.default.as_deref().map(Clean::new), ..input }
    }

    /// An input that the kind does not have.
    fn own(&self) -> Option<StepInput> {
        Some(StepInput {
            name: Clean::new(&self.name),
            kind: self.kind?,
            required: self.required.unwrap_or(false),
            default: self.default.as_deref().map(Clean::new),
            choices: self.choices.iter().map(|choice| Clean::new(choice)).collect(),
        })
    }
}

fn input(table: &mut Reader<'_>, of: Option<Kind>) -> Option<Given> {
    let name: Option<(String, Location)> = table.required("name");
    let kind: Option<InputKind> = table.get("kind");
    let required: Option<bool> = table.get("required");
    let default: Option<String> = table.get("default");
    let choices: Vec<String> = table.get("choices").unwrap_or_default();
    let (name, place) = name?;
    let of = of?;
    match of.inputs().iter().find(|spec| spec.name == name) {
        None if of.takes_own_inputs() => {
            if kind == Some(InputKind::Env) {
                let why = format!("input {name:?} is of kind env, whose values only set-env keeps hidden");
                table.fault_at(&place, Problem::new(why));
            }
            if kind.is_none() {
                table.fault(Problem::new(format!("input {name:?} needs a kind: kind = \"text\"")));
            }
        }
        None => {
            table
                .fault_at(&place, Problem::unknown("input", &name, of.inputs().iter().map(|spec| spec.name)));
        }
        Some(spec) if kind.is_some_and(|kind| kind != spec.kind) => {
            table.fault_at(
                &place,
                Problem::new(format!("input {name} of kind {} is a {}", of.name(), spec.kind)),
            );
        }
        Some(_) => {}
    }
    if let Some(why) = unchosen(kind, default.as_deref(), &choices) {
        table.fault_at(&place, Problem::new(format!("input {name:?} {why}")));
    }
    Some(Given { name, kind, required, default, choices })
}

/// Why an input's kind, default and choices do not go together.
fn unchosen(kind: Option<InputKind>, default: Option<&str>, choices: &[String]) -> Option<String> {
    match (kind == Some(InputKind::Choice), choices.is_empty()) {
        (true, true) => Some("has nothing to choose from: choices = [\"…\", …]".to_owned()),
        (false, false) => Some("has choices, so its kind is choice: kind = \"choice\"".to_owned()),
        _ => default
            .filter(|default| !choices.is_empty() && !choices.iter().any(|choice| choice == default))
            .map(|default| format!("cannot be {default:?}: its choices are {}", choices.join(", "))),
    }
}

/// The name of a check.
struct CheckName(&'static str);

impl FromStr for CheckName {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        check::names()
            .find(|name| *name == text)
            .map(Self)
            .ok_or_else(|| Problem::unknown("check", text, check::names()))
    }
}

impl FromStr for Kind {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        Self::named(text).ok_or_else(|| Problem::unknown("kind of step", text, Self::names()))
    }
}

text_fields!(CheckName, Kind, Variables);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_runbook_has_no_mistakes() {
        let runbook = embedded().unwrap();
        let without: Vec<&str> = Kind::names()
            .filter(|kind| !runbook.steps.iter().any(|step| step.kind.name() == *kind))
            .collect();
        assert_eq!(without, [] as [&str; 0], "every kind has a step");
    }

    #[test]
    fn what_any_cluster_needs_names_nothing_of_one_team() {
        let (_, text) = built_in("kubernetes").unwrap();
        assert!(!text.to_lowercase().contains("medcontract"), "runbooks/kubernetes.toml");
        let runbook = embedded().unwrap();
        let ours = |id: &str| runbook.step(id).unwrap().workload.clone();
        assert_eq!(ours("scale"), None);
        assert_eq!(ours("db-health").as_deref(), Some("medcontracthub-app"));
        let (file, text) = built_in("medcontracthub.toml").unwrap();
        let named = read(file, text, None).unwrap();
        assert_eq!(named.name.as_str(), "MedContractHub incident response");
        assert!(named.step("scale").is_some() && named.step("db-health").unwrap().workload.is_none());
    }

    #[test]
    fn mistakes_are_told_all_at_once_with_the_nearest_name() {
        let text = "[[steps]]\nid = 'x'\ntitle = 'X'\ndanger = 'chnge'\nkind = 'scale'\nverifi = []\n[[steps.inputs]]\nname = 'replics'\nkind = 'cout'\n";
        let told: Vec<String> =
            read("r.toml", text, None).unwrap_err().iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                r#"r.toml:4:10: no such danger "chnge"; did you mean "change"?"#,
                r#"r.toml:6:1: no such field of a step "verifi"; did you mean "verify"?"#,
                r#"r.toml:8:8: no such input "replics"; did you mean "replicas"?"#,
                r#"r.toml:9:8: no such kind of input "cout"; did you mean "count"?"#,
            ]
        );
    }

    #[test]
    fn a_time_for_an_effect_is_a_whole_number_of_seconds() {
        for given in ["-5", "4294967296", "'90'"] {
            let text = format!(
                "[[steps]]\nid = 'x'\ntitle = 'X'\ndanger = 'change'\nkind = 'scale'\nverify_within = {given}\n"
            );
            let told = read("r.toml", &text, None).unwrap_err();
            assert!(told[0].to_string().starts_with("r.toml:6:17: "), "{given}: {}", told[0]);
        }
    }

    #[test]
    fn flags_are_read_strictly_and_replaced_by_dependency_and_deployment() {
        let of = |text: &str| read("r.toml", text, Some(embedded().unwrap()));
        let flag = |field: &str, env: &str| {
            format!("[[flags]]\n{field} = 'ai-service'\ndeployment = 'medcontracthub-app'\nenv = '{env}'\n")
        };
        let ours = of(&flag("dependency", "AI=off,AI_KEY-")).unwrap().flags;
        assert_eq!(
            ours.iter().map(|flag| flag.env.as_str()).collect::<Vec<_>>(),
            ["AI=off,AI_KEY-", "FEATURE_OCR_PROCESSING=false"]
        );
        let told = |text: &str| of(text).unwrap_err().iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(
            told(&flag("dependancy", "AI")),
            [
                r#"r.toml:1:1: "dependency" is missing"#,
                r#"r.toml:2:1: no such field of a flag "dependancy"; did you mean "dependency"?"#,
                r#"r.toml:4:7: "‹set 2882cde5›": variables are written NAME=value, or NAME- to take one away, with commas between (\, within a value)"#,
            ]
        );
        assert_eq!(told(&flag("dependency", "")), ["r.toml:4:7: it sets no variable: write NAME=value"]);
        let twice = [flag("dependency", "A=1"), flag("dependency", "A=2")].concat();
        assert_eq!(told(&twice), [r#"r.toml:5:1: a second flag of "medcontracthub-app" for "ai-service""#]);
    }

    #[test]
    fn a_file_of_the_users_replaces_one_step() {
        let text = "[[steps]]\nid = 'scale'\ntitle = 'Ours'\ndanger = 'change'\nkind = 'scale'\n";
        let embedded = embedded().unwrap();
        let runbook = read("r.toml", text, Some(embedded.clone())).unwrap();
        assert_eq!(
            (runbook.steps.len(), runbook.step("scale").unwrap().title.as_str()),
            (embedded.steps.len(), "Ours")
        );
    }

    #[test]
    fn what_is_included_is_pinned_by_its_hash() {
        let file =
            |hash: &str| format!("name = 'Ours'\n[[include]]\nfile = 'theirs.toml'\nblake3 = '{hash}'\n");
        let theirs = "[[steps]]\nid = 'grow'\ntitle = 'Grow'\ndanger = 'change'\nkind = 'scale'\n";
        let find = |name: &str| match name {
            "theirs.toml" => Ok(("dir/theirs.toml".to_owned(), theirs.to_owned())),
            other => Err(Problem::new(format!("there is no {other} in dir"))),
        };
        let hash = blake3::hash(theirs.as_bytes()).to_hex();
        let whole = read_with("dir/ours.toml", &file(&hash), None, &find).unwrap();
        assert_eq!((whole.name.as_str(), whole.step("grow").is_some()), ("Ours", true));
        let told = read_with("dir/ours.toml", &file("0"), None, &find).unwrap_err();
        let why = format!(
            "dir/ours.toml:4:10: theirs.toml is not as it was when it was pinned: look at what changed, then write blake3 = \"{hash}\""
        );
        assert_eq!(told[0].to_string(), why);
        let missing = file("0").replace("theirs", "none");
        let told = read_with("dir/ours.toml", &missing, None, &find).unwrap_err();
        assert_eq!(told[0].to_string(), "dir/ours.toml:4:10: there is no none.toml in dir");
    }
}
