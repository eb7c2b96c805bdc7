//! A checklist: steps that only look, all at once, each with its own deadline, summed up on one screen with
//! what is wrong first. A validation is a checklist that fails where something is wrong.

use super::input::{InputSpec, Inputs};
use super::parameters::{ParameterKind, ParameterSpec, Parameters};
use super::{Answer, Ctx, Draft, StepKind};
use crate::clean::Clean;
use crate::event::{Command, Danger, Finding, Output, Refusal, Table};
use crate::units;

const PARAMETERS: &[ParameterSpec] =
    &[ParameterSpec { name: "steps", kind: ParameterKind::List, required: true }];

/// Shows what each of its steps has found.
pub(super) struct Checklist {
    name: &'static str,
    /// Whether it has failed where something is wrong, or not known.
    judges: bool,
}

impl Checklist {
    /// Looks, whatever is found.
    pub(super) const LOOK: Self = Self { name: "checklist", judges: false };
    /// Says whether all is well.
    pub(super) const VALIDATION: Self = Self { name: "validation", judges: true };
}

impl StepKind for Checklist {
    fn name(&self) -> &'static str {
        self.name
    }

    fn danger(&self) -> Danger {
        Danger::Read
    }

    fn inputs(&self) -> &'static [InputSpec] {
        &[]
    }

    fn judges(&self) -> bool {
        self.judges
    }

    fn parameters(&self) -> &'static [ParameterSpec] {
        PARAMETERS
    }

    fn members<'a>(&self, with: &'a Parameters) -> &'a [String] {
        with.list("steps")
    }

    fn plan(&self, _: &Inputs, _: &[Answer], ctx: &Ctx) -> Result<Draft, Refusal> {
        Ok(draft(self.name, ctx))
    }

    fn sum_up(&self, findings: Vec<Finding>) -> Output {
        if !self.judges {
            return sum_up(findings, "read");
        }
        let holds = findings.iter().all(|finding| Standing::of(finding) == Standing::Fine);
        Output { exit: Some(i32::from(!holds)), ..sum_up(findings, "ok") }
    }
}

/// It is planned without its steps: what each reads is planned when it begins.
fn draft(word: &str, ctx: &Ctx) -> Draft {
    let steps = ctx.with.list("steps");
    let what = format!("what {} find", units::counted(steps.len(), "step"));
    let runs: Vec<String> = steps.iter().map(|id| format!("warroom run {id}")).collect();
    let command = Command::plain(runs.join("; "));
    Draft::look(format!("{word}: {}", steps.join(", ")), ctx.cluster(), &what, Vec::new(), command)
}

/// How a finding stands, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Standing {
    Wrong,
    Failed,
    Unknown,
    Fine,
}

impl Standing {
    fn of(finding: &Finding) -> Self {
        match &finding.found {
            Err(_) => Self::Unknown,
            Ok(output) if output.wrong.is_some() => Self::Wrong,
            Ok(output) if output.exit.is_some_and(|code| code != 0) => Self::Failed,
            Ok(output) if !output.succeeded() => Self::Unknown,
            Ok(_) => Self::Fine,
        }
    }

    fn word(self, fine: &str) -> Clean {
        match self {
            Self::Wrong => "wrong".into(),
            Self::Failed => "FAILED".into(),
            Self::Unknown => "unknown".into(),
            Self::Fine => fine.into(),
        }
    }
}

fn sum_up(mut findings: Vec<Finding>, fine: &str) -> Output {
    findings.sort_by_key(Standing::of); // stable: within, as the runbook has them
    let mut table = Table::new(&["STEP", "IS", "FOUND", "TOOK"]);
    table.rows = findings.iter().map(|finding| row(finding, fine)).collect();
    let named = |standing: Standing| -> Vec<&str> {
        findings
            .iter()
            .filter(|finding| Standing::of(finding) == standing)
            .map(|finding| finding.title.as_str())
            .collect()
    };
    let all = findings.len();
    let wrong = [named(Standing::Wrong), named(Standing::Failed)].concat();
    let unknown = named(Standing::Unknown);
    let sum = match (wrong.len(), unknown.len()) {
        (0, 0) => format!("none of {} found anything wrong", units::counted(all, "step")),
        (0, count) => {
            format!("none of {} found anything wrong, {count} not known", units::counted(all, "step"))
        }
        (count, 0) => format!("{count} of {all} steps found something wrong"),
        (count, open) => format!("{count} of {all} steps found something wrong, {open} not known"),
    };
    let cut = (!unknown.is_empty()).then(|| format!("not known: {}", unknown.join("; ")).into());
    let wrong = (!wrong.is_empty()).then(|| wrong.join("; ").into());
    Output { wrong, cut, findings, ..Output::read(sum, table) }
}

fn row(finding: &Finding, fine: &str) -> Vec<Clean> {
    let took = format!("{:.1} s", finding.seconds);
    vec![finding.title.clone(), Standing::of(finding).word(fine), shortened(&found(finding)), took.into()]
}

/// Characters of what was found that its line holds: all of it stands below.
const FOUND: usize = 120;

fn shortened(words: &Clean) -> Clean {
    if words.chars().count() <= FOUND {
        return words.clone();
    }
    format!("{}…", words.chars().take(FOUND).collect::<String>()).into()
}

/// What was found, in a line.
fn found(finding: &Finding) -> Clean {
    let output = match &finding.found {
        Err(why) => return why.clone(),
        Ok(output) => output,
    };
    if let Some(words) = output.wrong.as_ref().or(output.cut.as_ref()) {
        return words.clone();
    }
    let said = |line: &&Clean| !line.trim().is_empty();
    let line = if output.table.is_some() || output.exit == Some(0) {
        output.lines.iter().find(said)
    } else {
        output.lines.iter().rev().find(said)
    };
    let words = line.map(|line| line.trim().to_owned()).unwrap_or_default();
    match output.exit {
        Some(code) if code != 0 => format!("exit {code} · {words}").into(),
        _ => words.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(title: &str, found: Result<Output, Clean>) -> Finding {
        Finding { step: title.into(), title: title.into(), found, seconds: 0.5 }
    }

    fn look(sum: &str, wrong: Option<&str>) -> Output {
        Output { wrong: wrong.map(Clean::from), ..Output::read(sum, Table::new(&["A"])) }
    }

    fn ran(exit: Option<i32>, lines: &[&str]) -> Output {
        let cut = exit.is_none().then(|| "no exit code".into());
        Output { exit, cut, lines: lines.iter().copied().map(Clean::from).collect(), ..Output::default() }
    }

    fn rows(output: &Output) -> Vec<String> {
        let rows = &output.table.as_ref().unwrap().rows;
        rows.iter().map(|row| row[..3].iter().map(Clean::as_str).collect::<Vec<_>>().join(" | ")).collect()
    }

    #[test]
    fn what_is_wrong_stands_first_and_what_is_not_known_is_not_fine() {
        let findings = vec![
            finding("nodes", Ok(look("5 of 5 ready", None))),
            finding("top", Err("forbidden".into())),
            finding("ai", Ok(ran(Some(0), &["", "{\"status\":\"ok\"}", ""]))),
            finding("ocr", Ok(ran(Some(4), &["wget: refused", "no answer"]))),
            finding("lag", Ok(ran(None, &["half a table"]))),
            finding("pods", Ok(look("2 of 9", Some("2 CrashLoopBackOff")))),
        ];
        let output = Checklist::LOOK.sum_up(findings);
        assert_eq!(
            rows(&output),
            [
                "pods | wrong | 2 CrashLoopBackOff",
                "ocr | FAILED | exit 4 · no answer",
                "top | unknown | forbidden",
                "lag | unknown | no exit code",
                "nodes | read | 5 of 5 ready",
                "ai | read | {\"status\":\"ok\"}",
            ]
        );
        assert_eq!(output.lines[0].as_str(), "2 of 6 steps found something wrong, 2 not known");
        assert_eq!(output.wrong.as_deref(), Some("pods; ocr"));
        assert!(!output.succeeded(), "some of it is not known");
    }

    #[test]
    fn a_checklist_that_was_read_has_succeeded_whatever_it_found_and_a_validation_has_not() {
        let wrong = || vec![finding("nodes", Ok(look("4 of 5", Some("1 node is not ready"))))];
        assert!(Checklist::LOOK.sum_up(wrong()).succeeded());
        assert!(!Checklist::VALIDATION.sum_up(wrong()).succeeded());
        let fine = || vec![finding("nodes", Ok(look("5 of 5", None)))];
        assert!(Checklist::VALIDATION.sum_up(fine()).succeeded());
        assert_eq!(rows(&Checklist::VALIDATION.sum_up(fine())), ["nodes | ok | 5 of 5"]);
        assert_eq!(
            Checklist::VALIDATION.sum_up(fine()).lines[0].as_str(),
            "none of 1 step found anything wrong"
        );
        let unknown = vec![finding("nodes", Err("cut".into()))];
        assert!(!Checklist::VALIDATION.sum_up(unknown).succeeded());
    }
}
