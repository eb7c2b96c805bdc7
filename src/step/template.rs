//! What changes a Deployment's template has in common: what they read, what they check afterwards, and that
//! they go back to the revision that holds the template as it was.

use super::input::Inputs;
use super::revisions::NoWayBack;
use super::target::{Aim, DEPLOYMENT, Found};
use super::{Answer, Ctx, Draft, Read, Undo, check, revisions};
use crate::clean::Clean;
use crate::event::{Fact, Kind, Naming, Refusal, Uid};

/// Reads the Deployment, then its revisions.
pub(super) fn deployment_and_revisions(
    inputs: &Inputs,
    answers: &[Answer],
    ctx: &Ctx,
) -> Result<Vec<Read>, Refusal> {
    match answers {
        [] => Ok(vec![Aim::parse(&DEPLOYMENT, inputs.needed("deployment")?, ctx)?.read(true)]),
        [_] => Ok(vec![revisions::read(&deployment(inputs, answers, ctx)?)]),
        _ => Ok(Vec::new()),
    }
}

/// The Deployment that was read first.
pub(super) fn deployment(inputs: &Inputs, answers: &[Answer], ctx: &Ctx) -> Result<Found, Refusal> {
    Found::of(
        &[Aim::parse(&DEPLOYMENT, inputs.needed("deployment")?, ctx)?],
        &answers[..answers.len().min(1)],
        ctx,
    )
}

/// The draft of a change of a Deployment's template: it rolls out, and goes back to the revision that holds
/// the template as it is.
pub(super) fn template_draft(
    deployment: &Found,
    (inputs, answers): (&Inputs, &[Answer]),
    ctx: &Ctx,
    title: String,
    (request, words): (super::Request, Vec<super::command::Word>),
) -> Draft {
    let service = deployment.service();
    let uid = Uid::new(ctx.place.id, deployment.uid());
    let back = revisions::present(deployment, answers.get(1));
    let no_way = back.as_ref().err();
    let unread = no_way.and_then(NoWayBack::unread);
    let naming = no_way.map(|why| {
        let doubt =
            if unread.is_some() { "it may not be possible to undo it" } else { "it cannot be undone" };
        Naming { why: format!("{doubt}: {why}").into(), lasting: true }
    });
    let undo = match &back {
        Ok(number) => {
            let deployment = inputs.get("deployment").unwrap_or_default().to_owned();
            Undo::Step {
                kind: "rollout-undo",
                inputs: vec![("deployment", deployment), ("revision", number.to_string())],
            }
        }
        Err(why) => Undo::None(why.to_string()),
    };
    Draft {
        title,
        target: deployment.target(ctx),
        requests: vec![request],
        checks: vec![
            check::rollout(Kind::Deployment, uid),
            check::errors_below(service, ctx.rates.threshold_of(service)),
        ],
        undo,
        command: deployment.kubectl(ctx, words),
        touches: format!("{}, {}", deployment.replicas(), deployment.rolls()),
        facts: unread.into_iter().map(unknown_undo).collect(),
        lines: Vec::new(),
        naming,
    }
}

fn unknown_undo(why: &Clean) -> Fact {
    Fact::unknown("undo", &format!("the revisions cannot be read: {why}"))
}
