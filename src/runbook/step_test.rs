//! Tests of steps, as data: a call that must succeed on the simulated cluster, be refused where the server
//! refuses it, and be sent once where its answer is lost.

use std::path::{Component, Path};

use super::{InputKind, Runbook};
use crate::clean::Clean;
use crate::data::{Location, Mistake, Problem, Reader};
use crate::event::StepCall;

/// A test of a step.
#[derive(Clone, Debug, PartialEq)]
pub struct StepTest {
    /// What is called.
    pub call: Given,
    /// What is done before, so that there is something for it to do.
    pub after: Vec<Given>,
    /// The incident of the simulated cluster, whose alert fires before it is done; without one nothing is
    /// wrong there.
    pub scenario: Option<String>,
    /// Files that inputs may name, with what is in them.
    pub files: Vec<(String, String)>,
    /// Where it stands.
    pub place: Location,
}

/// A call as a test gives it. The value of an input that ends in `*` stands for the first that begins so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// Id of the step.
    pub step: Clean,
    /// Inputs by name.
    pub inputs: Vec<(String, String)>,
}

impl Given {
    /// Returns the call with these values in place of those that only begin.
    pub fn call(&self, runbook: &Runbook, whole: impl Fn(InputKind, &str) -> String) -> Option<StepCall> {
        let step = runbook.step(&self.step)?;
        let kind = |name: &str| step.inputs.iter().find(|input| input.name == *name).map(|input| input.kind);
        let whole = |(name, value): &(String, String)| {
            (name.clone(), whole(kind(name).unwrap_or(InputKind::Text), value))
        };
        let inputs: Vec<(String, String)> = self.inputs.iter().map(whole).collect();
        Some(step.call(inputs.iter().map(|(name, value)| (name.as_str(), value.as_str()))))
    }
}

/// Reads the tables `[[tests]]`.
pub(super) fn tests(root: &mut Reader<'_>) -> Vec<StepTest> {
    root.tables("tests", "field of a test").iter_mut().filter_map(test).collect()
}

fn test(table: &mut Reader<'_>) -> Option<StepTest> {
    let place = table.place();
    let call = given(table);
    let after = table.tables("after", "field of a call").iter_mut().filter_map(given).collect();
    let scenario = table.get("scenario");
    let files = table.table("files", "file").map(|mut files| files.entries()).unwrap_or_default();
    Some(StepTest { call: call?, after, scenario, files, place })
}

fn given(table: &mut Reader<'_>) -> Option<Given> {
    let step: Option<String> = table.required("step");
    let inputs = table.table("inputs", "input").map(|mut inputs| inputs.entries()).unwrap_or_default();
    Some(Given { step: step?.into(), inputs })
}

/// Finds tests of steps that there are not, or of inputs that a step does not have.
pub(super) fn mistaken(runbook: &Runbook, tests: &[StepTest]) -> Vec<Mistake> {
    let wrong = |given: &Given| match runbook.step(&given.step) {
        None => {
            Some(Problem::unknown("step", &given.step, runbook.steps.iter().map(|step| step.id.as_str())))
        }
        Some(step) => {
            let (name, _) = given.inputs.iter().find(|(name, _)| !step.takes(name))?;
            Some(Problem::unknown("input", name, step.inputs.iter().map(|input| input.name.as_str())))
        }
    };
    let of_test = |test: &StepTest| {
        let problem = std::iter::once(&test.call).chain(&test.after).find_map(wrong)?;
        Some(test.place.mistake(problem))
    };
    let outside = |test: &StepTest| {
        let (name, _) = test.files.iter().find(|(name, _)| !is_file_name(name))?;
        let why = format!("{name:?} is no name of a file: give one without a folder");
        Some(test.place.mistake(Problem::new(why)))
    };
    tests.iter().filter_map(of_test).chain(tests.iter().filter_map(outside)).collect()
}

/// Whether it names a file in a folder, and nothing outside it.
fn is_file_name(name: &str) -> bool {
    let mut parts = Path::new(name).components();
    matches!((parts.next(), parts.next()), (Some(Component::Normal(part)), None) if *part == *name)
}

#[cfg(test)]
mod tests {
    use super::super::read;

    #[test]
    fn a_test_is_of_a_step_and_of_inputs_that_there_are() {
        let step = "[[steps]]\nid = 'grow'\ntitle = 'Grow'\ndanger = 'change'\nkind = 'scale'\n";
        let with = |test: &str| read("r.toml", &format!("{step}\n[[tests]]\n{test}"), None);
        let fine = with("step = 'grow'\ninputs = { deployment = 'a', replicas = '2' }\n").unwrap();
        assert_eq!((fine.tests.len(), fine.tests[0].place.line), (1, 7));
        let call = fine.tests[0].call.call(&fine, |_, value| value.to_uppercase()).unwrap();
        assert_eq!(call.inputs["deployment"].raw(), "A");
        let told = |test: &str| with(test).unwrap_err()[0].to_string();
        assert_eq!(told("step = 'gro'\n"), r#"r.toml:7:1: no such step "gro"; did you mean "grow"?"#);
        assert_eq!(
            told("step = 'grow'\ninputs = { replica = '2' }\n"),
            r#"r.toml:7:1: no such input "replica"; did you mean "replicas"?"#
        );
        for name in ["/tmp/x", "../x", "a/b", ".", ""] {
            let told = told(&format!("step = 'grow'\nfiles = {{ '{name}' = '' }}\n"));
            assert!(told.contains("is no name of a file"), "{name}: {told}");
        }
        assert_eq!(
            told("step = 'grow'\nafter = [{ step = 'shrink' }]\n"),
            r#"r.toml:7:1: no such step "shrink"; there is grow"#
        );
    }
}
