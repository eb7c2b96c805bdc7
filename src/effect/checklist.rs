//! The steps of a checklist, all at once: each is planned as if it were alone, and what it has found is told
//! as soon as it is there, so that one that takes long holds up no other.

use ulid::Ulid;

use super::acting::Acting;
use super::exec;
use super::output::Listener;
use crate::clean::Clean;
use crate::event::{Event, Finding, Op, Outcome, Output, Refusal, StepCall, View};
use crate::runbook::Step;
use crate::step::guard::Authorised;

impl Acting {
    /// Runs the steps of those ids, in the context that the checklist is called in, as far as the guard
    /// allows each; returns what each has found.
    pub(super) async fn findings(
        &self,
        intent: Ulid,
        of: &StepCall,
        ids: &[String],
        may: &Authorised,
    ) -> Vec<Finding> {
        futures::future::join_all(ids.iter().map(|id| self.finding(intent, of, id, may))).await
    }

    async fn finding(&self, intent: Ulid, of: &StepCall, id: &str, may: &Authorised) -> Finding {
        let clock = &self.settings.clock;
        let began = clock.now();
        let mut call = StepCall::new(id, std::collections::BTreeMap::new());
        let context = of.inputs.get_key_value(StepCall::CONTEXT);
        call.inputs.extend(context.map(|(name, value)| (name.clone(), value.clone())));
        let found = self.found(&call, may).await.map_err(|refusal| refusal.reason().clone());
        let title = |step: &Step| step.title.clone();
        let finding = Finding {
            step: id.into(),
            title: self.settings.runbook.step(id).map_or_else(|| Clean::new(id), title),
            found,
            seconds: (clock.now() - began).as_seconds_f64(),
        };
        let _ =
            self.events.send(Event::View(View::Finding { intent, finding: Box::new(finding.clone()) })).await;
        finding
    }

    async fn found(&self, call: &StepCall, may: &Authorised) -> Result<Output, Refusal> {
        let plan = self.prepare(call).await?;
        if let Some(obstacle) = plan.obstacle() {
            return Err(obstacle);
        }
        may.allows(&plan.intent, self.settings.clock.now()).map_err(|denied| denied.refusal())?;
        match plan.intent.ops.as_slice() {
            [Op::Look(_)] => self.look(&plan.intent, may).await,
            [Op::Exec(exec)] => match self.settings.clusters.of(&exec.target) {
                Ok(cluster) => {
                    let caller = self.settings.caller(&cluster.reader);
                    let outcome = exec::run(&caller, exec, &Listener::default()).await;
                    read(outcome).map(|output| self.judged(call, output))
                }
                Err(why) => Err(Refusal::failed(why.to_string())),
            },
            [Op::Command(_)] => {
                Err(Refusal::usage(format!("{} runs a program: run it by itself", call.step)))
            }
            _ => Err(Refusal::usage(format!("{} does not only look", call.step))),
        }
    }
}

fn read(outcome: Outcome) -> Result<Output, Refusal> {
    match outcome {
        Outcome::Read(output) => Ok(output),
        Outcome::Rejected { reason, .. } | Outcome::NotSent { reason } => Err(Refusal::Failed(reason)),
        other => Err(Refusal::failed(format!("no answer that can be read: {other:?}"))),
    }
}
