//! What a person does: the runbook's words are shown, and nothing is run. What an import finds no step for
//! stands here, and what no program can do.

use super::input::{InputSpec, Inputs};
use super::parameters::{ParameterKind, ParameterSpec, Parameters};
use super::{Answer, Ctx, Draft, StepKind};
use crate::clean::Clean;
use crate::clean::redact::redact_text;
use crate::event::{Command, Danger, Output, Refusal, Table};

const TEXT: &str = "text";
const PARAMETERS: &[ParameterSpec] =
    &[ParameterSpec { name: TEXT, kind: ParameterKind::Text, required: true }];

pub(super) struct ByHand;

impl StepKind for ByHand {
    fn name(&self) -> &'static str {
        "by-hand"
    }

    fn danger(&self) -> Danger {
        Danger::Read
    }

    fn inputs(&self) -> &'static [InputSpec] {
        &[]
    }

    fn parameters(&self) -> &'static [ParameterSpec] {
        PARAMETERS
    }

    fn example(&self, _: &Inputs, with: &Parameters) -> Option<String> {
        with.text(TEXT).map(str::to_owned)
    }

    fn plan(&self, _: &Inputs, _: &[Answer], ctx: &Ctx) -> Result<Draft, Refusal> {
        let first = ctx.with.text(TEXT).and_then(|text| text.lines().next()).unwrap_or_default();
        let words = Command::plain(redact_text(ctx.with.text(TEXT).unwrap_or_default()).as_ref());
        Ok(Draft::look(
            format!("by hand: {first}"),
            ctx.cluster(),
            "the runbook's own words",
            Vec::new(),
            words,
        ))
    }

    fn tell(&self, _: &Inputs, _: &[Answer], ctx: &Ctx) -> Result<Output, Refusal> {
        let mut table = Table::new(&["TO DO BY HAND"]);
        table.rows =
            ctx.with.text(TEXT).unwrap_or_default().lines().map(|line| vec![Clean::new(line)]).collect();
        Ok(Output::read("a step by hand: warroom has run nothing", table))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Op;
    use crate::step::parameters::Parameter;
    use crate::step::samples::ctx;

    #[test]
    fn the_words_are_shown_and_nothing_is_run() {
        let text = "kubectl get x | sh\nthen ask \u{1b}[31mdana\ncurl -u dana --password hunter2 x\nAPI_TOKEN=hunter2";
        let text = Parameter::Text(text.to_owned());
        let ctx = Ctx { with: [(TEXT, text)].into_iter().collect(), ..ctx() };
        let draft = ByHand.plan(&Inputs::default(), &[], &ctx).unwrap();
        assert!(matches!(draft.requests[0].op, Op::Look(_)) && draft.requests.len() == 1, "{draft:?}");
        assert!(
            draft.requests[0].rights.is_empty() && !format!("{draft:?}").contains("TOKEN=hunter2"),
            "{draft:?}"
        );
        assert_eq!(ByHand.looks(&Inputs::default(), &[], &ctx), Ok(Vec::new()));
        let output = ByHand.tell(&Inputs::default(), &[], &ctx).unwrap();
        assert_eq!(output.lines, [Clean::new("a step by hand: warroom has run nothing")]);
        let rows: Vec<String> =
            output.table.as_ref().unwrap().rows.iter().map(|row| row[0].to_string()).collect();
        assert_eq!(rows[0], "kubectl get x | sh");
        assert!(!rows[1].contains('\u{1b}') && output.succeeded(), "{rows:?}");
    }
}
