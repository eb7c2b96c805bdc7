//! What changes a workload's template: rollouts and variables.

use super::super::draft::{Cannot, Draft};
use super::super::lex::{Piece, Word};
use super::Call;
use crate::event::Danger;

impl Call<'_> {
    pub(super) fn rollout(&self) -> Result<Draft, Cannot> {
        let [_, words @ ..] = self.args.words.as_slice() else { return Err(Cannot::Native) };
        let hole = words.first().filter(|word| word.hole().is_some());
        let whole = hole.map(|word| ("deployment".to_owned(), word.clone()));
        let (kind, name) = super::target(words).or(whole).ok_or(Cannot::Native)?;
        let namespace = self.namespace();
        if self.args.text(0) == "restart" {
            let kind = if name.hole().is_some() { "" } else { kind.as_str() };
            return Draft::new("restart", Danger::Change, "Restart a workload").object(
                "workload",
                kind,
                &name,
                namespace.as_ref(),
            );
        }
        let made = match self.args.text(0) {
            _ if kind != "deployment" => return Err(Cannot::Native),
            "history" if !self.args.has(&["--revision"]) => {
                Draft::read("rollout-history", "Revisions of a deployment")
            }
            "undo" => Draft::new("rollout-undo", Danger::Change, "Roll back a deployment"),
            "pause" => Draft::new("rollout-pause", Danger::Change, "Pause a rollout"),
            "resume" => Draft::new("rollout-resume", Danger::Change, "Resume a rollout"),
            _ => return Err(Cannot::Native),
        };
        let made = made.object("deployment", "", &name, namespace.as_ref())?;
        made.input("revision", self.args.value(&["--to-revision"]))
    }

    pub(super) fn set_env(&self) -> Result<Draft, Cannot> {
        let words = &self.args.words[1..];
        let (kind, name) = super::target(words).ok_or(Cannot::Native)?;
        let variables = if words[0].split_once('/').is_some() { &words[1..] } else { &words[2..] };
        if kind != "deployment" || !self.args.only(&["-n", "--namespace"]) || variables.is_empty() {
            return Err(Cannot::Native);
        }
        let made = Draft::new("set-env", Danger::Change, "Set variables of a deployment");
        made.object("deployment", "", &name, self.namespace().as_ref())?
            .input("env", Some(&joined(variables)))
    }
}

/// Variables as `set-env` takes them; a value that must be given leaves all of them open.
fn joined(variables: &[Word]) -> Word {
    let texts: Option<Vec<String>> = variables
        .iter()
        .map(|word| word.literal().map(|text| text.replace('\\', r"\\").replace(',', r"\,")))
        .collect();
    texts.map_or_else(|| Word(vec![Piece::Hole("env".to_owned())]), |texts| Word::text(&texts.join(",")))
}
