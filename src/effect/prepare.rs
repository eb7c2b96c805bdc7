//! What is found out before anything is asked of a person: what the step reads, its plan, rights, a dry run
//! and its diff, who will fight the change. Only reads, access reviews and dry runs leave from here, and no
//! dry run where nothing may be changed. What cannot be found out is said to be unknown, with why.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::caller::{Caller, NoCaller, Reply};
use super::{command, file, keep, reading, send};
use crate::clean::Clean;
use crate::clean::redact::redact_text;
use crate::data::json_patch;
use crate::event::{
    Allowed, Check, Danger, DryRun, Expectation, Fact, Intent, Made, Naming, Op, Output, Plan, Refusal,
    Right, Sealed, Server, StepCall, Target, Typed, Write, digest,
};
use crate::net::resolver::Resolver;
use crate::runbook::{Runbook, Step};
use crate::source::prometheus;
use crate::step::input::{InputKind, Inputs};
use crate::step::owners::{autoscalers, declared_owners};
use crate::step::target::AUTOSCALER;
use crate::step::{Answer, Ctx, Draft, Is, Read, ReadAs, Request, Undo, Whom, check, diff};

/// What preparing needs to know of the session.
#[derive(Clone)]
pub(super) struct Preflight {
    /// For the cluster that the step is done in.
    pub(super) cluster: Caller,
    /// For Alertmanager, where the step asks it, or why it cannot be asked.
    pub(super) alertmanager: Result<Caller, NoCaller>,
    /// For Prometheus, in the same way.
    pub(super) prometheus: Result<Caller, NoCaller>,
    /// Where the rates of the services are read, in the same way.
    pub(super) rates: Result<Resolver, NoCaller>,
    pub(super) ctx: Ctx,
    /// Folder of what is kept.
    pub(super) data: PathBuf,
    /// What is to be said of what the cluster is known by.
    pub(super) doubt: Option<Fact>,
    /// Whether nothing may be changed there, so that no request that would change something leaves, not even
    /// as a dry run.
    pub(super) read_only: bool,
}

impl Preflight {
    /// Prepares a step: reads, works out the request, and finds out all that can be found out without sending
    /// it.
    pub(super) async fn prepare(&self, runbook: &Runbook, call: &StepCall) -> Result<Plan, Refusal> {
        let step = known(runbook, call)?;
        let call = complete(step, call, &self.ctx)?;
        let inputs = Inputs::of(&call);
        let kind = step.kind;
        let ctx = self.ctx_of(step);
        let answers = self.read_all(|answers| kind.reads(&inputs, answers, &ctx)).await?;
        let draft = located(kind.plan(&inputs, &answers, &ctx)?)?;
        self.look_into(runbook, step, call, draft).await
    }

    /// Looks: reads what a step that changes nothing is done for, and works out what it has found.
    pub(super) async fn look(&self, runbook: &Runbook, call: &StepCall) -> Result<Output, Refusal> {
        let step = known(runbook, call)?;
        let kind = step.kind;
        let inputs = Inputs::of(call);
        let ctx = self.ctx_of(step);
        let answers = self.read_all(|answers| kind.looks(&inputs, answers, &ctx)).await?;
        kind.tell(&inputs, &answers, &ctx)
    }

    /// The context of a plan, with what the runbook fixes of the step.
    fn ctx_of(&self, step: &Step) -> Ctx {
        Ctx { with: step.with.clone(), ..self.ctx.clone() }
    }

    /// Reads what is asked for, until nothing more is.
    async fn read_all(
        &self,
        next: impl Fn(&[Answer]) -> Result<Vec<Read>, Refusal>,
    ) -> Result<Vec<Answer>, Refusal> {
        let mut answers = Vec::new();
        loop {
            let reads = next(&answers)?;
            if reads.is_empty() {
                return Ok(answers);
            }
            let asked = futures::future::join_all(reads.iter().map(|read| self.read(read))).await;
            answers.extend(asked.into_iter().collect::<Result<Vec<_>, _>>()?);
        }
    }

    async fn read(&self, read: &Read) -> Result<Answer, Refusal> {
        let caller = match read.whom {
            Whom::File => {
                let documents = file::documents(&read.path).await;
                return documents.map(Answer::Found).map_err(|why| Refusal::usage(why.to_string()));
            }
            Whom::Kept => {
                let kept = keep::kept(&self.data, &read.path).await;
                return kept.map(Answer::Found).map_err(|why| {
                    Refusal::failed(format!("{} cannot be read: {why}", self.data.join(&read.path).display()))
                });
            }
            Whom::Cluster => Ok(&self.cluster),
            Whom::Alertmanager => self.alertmanager.as_ref(),
            Whom::Prometheus => self.prometheus.as_ref(),
            Whom::Rates => return self.read_rates(read).await,
        };
        let caller = match caller {
            Ok(caller) => caller,
            Err(why) => return unasked(read, why),
        };
        reading::answer(caller.read(&read.path, read.wanted).await, read, &self.ctx)
    }

    /// Reads the rates of this moment, as their source does.
    async fn read_rates(&self, read: &Read) -> Result<Answer, Refusal> {
        let resolver = match &self.rates {
            Ok(resolver) => resolver,
            Err(why) => return unasked(read, why),
        };
        let sample = prometheus::once(resolver, &self.ctx.rates, self.ctx.now).await;
        match sample
            .map_err(|why| why.to_string())
            .and_then(|sample| serde_json::to_value(sample).map_err(|why| why.to_string()))
        {
            Ok(sample) => Ok(Answer::Found(sample)),
            Err(why) => reading::unknown(read, &why),
        }
    }

    /// What else there is to find out about a draft, all at once.
    async fn look_into(
        &self,
        runbook: &Runbook,
        step: &Step,
        call: StepCall,
        mut draft: Draft,
    ) -> Result<Plan, Refusal> {
        let rights: Vec<Right> = draft.requests.iter().flat_map(|request| request.rights.clone()).collect();
        let (tried, rights, facts) = tokio::join!(
            futures::future::join_all(draft.requests.iter().map(|request| self.attempt(request))),
            futures::future::join_all(rights.into_iter().map(|right| self.ask(right))),
            self.owners(&draft),
        );
        let created = created_namespaces(&draft);
        let mut lines = std::mem::take(&mut draft.lines);
        let mut dry_run = DryRun::Accepted;
        let several = draft.requests.len() > 1;
        for (request, Tried { verdict, after }) in draft.requests.iter_mut().zip(tried) {
            if let Some(after) = after {
                expect_as_tried(request, &after, &verdict);
                let changes = diff::diff(&request.object, &after);
                lines.extend(diff::heading(&after).filter(|_| several && !changes.is_empty()));
                lines.extend(changes);
            }
            let verdict = untried(verdict, request.op.target(), &created);
            if worse(&verdict) > worse(&dry_run) {
                dry_run = verdict;
            }
        }
        if lines.is_empty()
            && dry_run == DryRun::Accepted
            && draft.requests.iter().any(|request| matches!(request.op, Op::Write(_)))
        {
            return Err(Refusal::failed(
                "the server's dry run gives everything back as it is: something there takes the change back at once",
            ));
        }
        let facts = draft.facts.iter().cloned().chain(facts).chain(self.doubt.clone()).collect();
        let touches = draft.touches.as_str().into();
        let (intent, naming) = self.intent(runbook, step, call, draft);
        Ok(Plan { intent, diff: lines, dry_run, rights, facts, touches, naming })
    }

    fn intent(
        &self,
        runbook: &Runbook,
        step: &Step,
        call: StepCall,
        draft: Draft,
    ) -> (Intent, Option<Naming>) {
        let undo = undo(runbook, step, &draft, &call);
        let naming = naming(step, &draft);
        let main = self.ctx.place.id.is_main();
        let held = |check: &Check| {
            let wanted = step.verify.as_ref().is_none_or(|names| names.contains(&check.kind));
            wanted && (main || !check::named(&check.kind).is_some_and(check::CheckKind::of_main_context))
        };
        let intent = Intent {
            id: self.ctx.id,
            call,
            title: redact_text(&draft.title).into_owned().into(),
            danger: step.danger,
            target: draft.target,
            ops: draft.requests.into_iter().map(|request| request.op).collect(),
            checks: draft.checks.into_iter().filter(held).collect(),
            verify_within: step.verify_within,
            undo,
            command: draft.command,
            actor: self.ctx.actor.clone(),
        };
        (intent, naming)
    }

    /// What the server would make of a request, or what is worked out here where it may not be asked.
    async fn attempt(&self, request: &Request) -> Tried {
        let write = match &request.op {
            Op::Write(write) => write,
            Op::Save(_) => return Tried { verdict: DryRun::Accepted, after: None },
            Op::Exec(_) | Op::Command(_) | Op::Copy(_) => {
                let why = "a command is not tried beforehand".into();
                return Tried { verdict: DryRun::None(why), after: None };
            }
            Op::Look(_) | Op::Browse(_) => {
                return Tried { verdict: DryRun::None("it only reads".into()), after: None };
            }
        };
        if write.server != Server::Cluster {
            return Tried {
                verdict: DryRun::None(format!("{} knows none", write.server.name()).into()),
                after: None,
            };
        }
        if self.read_only {
            let why = "read-only: none is sent, and the diff is worked out here".into();
            return Tried { verdict: DryRun::None(why), after: here(request, write) };
        }
        match self.cluster.dry_run(write).await {
            Reply::Done(after) => match send::answers(write, &after) {
                Ok(()) => Tried { verdict: DryRun::Accepted, after: Some(shaped(request, write, after)) },
                Err(why) => {
                    let why = format!("the answer is a success, but {why}").into();
                    Tried { verdict: DryRun::Unknown(why), after: here(request, write) }
                }
            },
            // Too busy to try it: that says nothing of the change.
            Reply::Refused(refused) if refused.code == 429 => {
                Tried { verdict: DryRun::Unknown(refused.why), after: here(request, write) }
            }
            Reply::Refused(refused) => {
                Tried { verdict: DryRun::Refused(refused.why), after: here(request, write) }
            }
            Reply::NotSent(why) | Reply::Lost(why) => {
                Tried { verdict: DryRun::Unknown(why), after: here(request, write) }
            }
        }
    }

    /// Asks the server whether this person may do that to this object.
    async fn ask(&self, mut right: Right) -> Right {
        let attributes = json!({
            "verb": right.verb, "group": right.group, "resource": right.resource, "subresource": right.subresource,
            "namespace": right.namespace, "name": right.name,
        });
        let review = json!({"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": {"resourceAttributes": attributes}});
        let reply =
            self.cluster.post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", &review).await;
        right.allowed = allowed(reply, &attributes);
        right
    }

    /// Who will fight the change, as far as that can be read.
    async fn owners(&self, draft: &Draft) -> Vec<Fact> {
        let target = &draft.target;
        let scales = matches!(target.kind.as_str(), "deployment" | "statefulset");
        let mut facts: Vec<Fact> =
            draft.requests.iter().flat_map(|request| declared_owners(&request.object)).collect();
        if scales && draft.requests.iter().any(|request| matches!(request.op, Op::Write(_))) {
            let is = Some(Is { kind: format!("{}List", AUTOSCALER.kind), place: None });
            let what = format!("the autoscalers of {}", target.namespace);
            let read = Read {
                whom: Whom::Cluster,
                path: AUTOSCALER.list(&target.namespace),
                what,
                is,
                required: false,
                wanted: ReadAs::Objects,
            };
            let answer =
                self.read(&read).await.unwrap_or_else(|refusal| Answer::Unknown(refusal.reason().clone()));
            facts.extend(autoscalers(target, &answer));
        }
        facts
    }
}

/// The draft with the files of the programs that it runs.
fn located(mut draft: Draft) -> Result<Draft, Refusal> {
    for request in &mut draft.requests {
        if let Op::Command(program) = &mut request.op {
            draft.facts.extend(command::find(program).map_err(|why| Refusal::failed(why.to_string()))?);
        }
    }
    Ok(draft)
}

/// What a read comes to where there is nobody to ask.
fn unasked(read: &Read, why: &NoCaller) -> Result<Answer, Refusal> {
    match why {
        why if !read.required => Ok(Answer::Unknown(why.to_string().into())),
        NoCaller::OfMain { .. } => Err(Refusal::usage(why.to_string())),
        _ => Err(Refusal::failed(why.to_string())),
    }
}

/// The namespaces that a draft creates before what it puts into them.
fn created_namespaces(draft: &Draft) -> Vec<Clean> {
    let new = draft.requests.iter().filter(|request| request.object.is_null());
    let targets = new.map(|request| request.op.target());
    targets.filter(|one| one.kind.eq_ignore_ascii_case("namespace")).map(|one| one.name.clone()).collect()
}

/// A dry run creates nothing: what is put into a namespace that is only to be created cannot be tried.
fn untried(verdict: DryRun, target: &Target, created: &[Clean]) -> DryRun {
    match verdict {
        DryRun::Refused(why) if created.contains(&target.namespace) && why.contains("not found") => {
            DryRun::Unknown(format!("not tried: its namespace is created before it ({why})").into())
        }
        verdict => verdict,
    }
}

/// What came of a dry run: what it says, and the object as it would be.
struct Tried {
    verdict: DryRun,
    after: Option<Value>,
}

fn worse(verdict: &DryRun) -> u8 {
    match verdict {
        DryRun::Accepted => 0,
        DryRun::None(_) => 1,
        DryRun::Unknown(_) => 2,
        DryRun::Refused(_) => 3,
    }
}

/// The server knows best what it will hold: what its dry run gave is what the answer and every reading are
/// held against.
fn expect_as_tried(request: &mut Request, after: &Value, verdict: &DryRun) {
    if let (Op::Write(Write { expect: Expectation { values, .. }, .. }), DryRun::Accepted) =
        (&mut request.op, verdict)
    {
        for (at, value) in values.iter_mut() {
            *value = digest(after.pointer(at).unwrap_or(&Value::Null));
        }
    }
}

/// The object that a dry run gave. A scale answers with a Scale: only its count says what the object will be,
/// and 0 is left out; a deletion leaves nothing.
fn shaped(request: &Request, write: &Write, after: Value) -> Value {
    match (request.scale, write.expect.made) {
        (true, _) => {
            let mut object = request.object.clone();
            object["spec"]["replicas"] = after["spec"].get("replicas").cloned().unwrap_or_else(|| 0.into());
            object
        }
        (_, Made::Gone) => Value::Null,
        (_, Made::Created) => without_identity(after),
        (_, Made::Values | Made::Listed) => after,
    }
}

/// A new object without what the server gives to every one, which differs with every dry run.
fn without_identity(mut object: Value) -> Value {
    if let Some(metadata) = object["metadata"].as_object_mut() {
        metadata.retain(|key, _| key != "uid" && key != "creationTimestamp");
    }
    object
}

/// A manifest merged into an object, as applying it does.
fn merged(into: &mut Value, from: &Value) {
    match from {
        Value::Object(fields) => fields.iter().for_each(|(key, value)| merged(&mut into[key], value)),
        value => *into = value.clone(),
    }
}

/// What a request would make of the object, worked out without the server.
fn here(request: &Request, write: &Write) -> Option<Value> {
    let Sealed::Open(body) = &write.body else { return None };
    if write.expect.made == Made::Gone {
        return Some(Value::Null);
    }
    let mut after = request.object.clone();
    if body.is_object() {
        merged(&mut after, body);
        return Some(after);
    }
    let operations = body
        .as_array()
        .into_iter()
        .flatten()
        .filter(|operation| operation["op"] != "test")
        .cloned()
        .collect();
    json_patch::apply(&mut after, &serde_json::from_value(operations).ok()?).ok()?;
    Some(after)
}

fn allowed(reply: Reply, asked: &Value) -> Allowed {
    let answer = match reply {
        Reply::Done(answer) => answer,
        Reply::Refused(refused) => return Allowed::Unknown(refused.why),
        Reply::NotSent(why) | Reply::Lost(why) => return Allowed::Unknown(why),
    };
    let same = answer["kind"] == "SelfSubjectAccessReview"
        && answer["spec"]["resourceAttributes"]["verb"] == asked["verb"];
    match answer.pointer("/status/allowed").and_then(Value::as_bool).filter(|_| same) {
        Some(true) => Allowed::Yes,
        Some(false) => {
            let why = ["/status/reason", "/status/evaluationError"].map(|at| crate::step::text(&answer, at));
            Allowed::No(why.into_iter().find(|why| !why.is_empty()).unwrap_or_default().into())
        }
        None => Allowed::Unknown("the answer is no access review".into()),
    }
}

fn known<'a>(runbook: &'a Runbook, call: &StepCall) -> Result<&'a Step, Refusal> {
    runbook
        .step(&call.step)
        .ok_or_else(|| Refusal::usage(format!("no such step \"{}\": see warroom steps", call.step)))
}

/// The call with its defaults and the context's own name, each input shown as its kind wants; or which is
/// missing or unheard of.
fn complete(step: &Step, call: &StepCall, ctx: &Ctx) -> Result<StepCall, Refusal> {
    let mut inputs = step.named(call.inputs.clone());
    let known: Vec<&str> = step.inputs.iter().map(|input| input.name.as_str()).collect();
    if let Some(name) =
        inputs.keys().find(|name| **name != StepCall::CONTEXT && !known.contains(&name.as_str()))
    {
        return Err(Refusal::usage(format!(
            "{} has no input \"{name}\"; it has {}",
            step.id,
            known.join(", ")
        )));
    }
    for input in &step.inputs {
        match (inputs.get(&input.name), &input.default) {
            (None, Some(default)) => drop(inputs.insert(input.name.clone(), input.kind.typed(default))),
            (given, None) if input.required && given.is_none_or(Typed::is_empty) => {
                return Err(Refusal::usage(format!(
                    "{} needs {}: give {}=…",
                    step.id, input.name, input.name
                )));
            }
            (Some(given), _) => {
                input.check(given.raw())?;
                let shown = input.kind.typed(given.raw());
                inputs.insert(input.name.clone(), shown);
            }
            (None, None) => {}
        }
    }
    if let Some(context) = inputs.get_mut(StepCall::CONTEXT) {
        *context = InputKind::Text.typed(&ctx.place.context); // a label is not for the journal
    }
    Ok(StepCall { step: step.id.clone(), inputs, undoes: call.undoes })
}

/// The undo as a call of the runbook's step of that kind, in the same context.
fn undo(runbook: &Runbook, step: &Step, draft: &Draft, call: &StepCall) -> Option<StepCall> {
    let Undo::Step { kind, inputs } = &draft.undo else { return None };
    let of_kind = |one: &&Step| one.kind.name() == *kind;
    let undo = Some(step)
        .filter(of_kind)
        .or_else(|| runbook.steps.iter().find(of_kind))
        .filter(|_| step.danger != Danger::Destructive)?;
    let mut undo = undo.call(inputs.iter().map(|(name, value)| (*name, value.as_str())));
    undo.inputs.extend(
        call.inputs.get_key_value(StepCall::CONTEXT).map(|(name, value)| (name.clone(), value.clone())),
    );
    Some(undo)
}

/// Why the name must be typed: by the runbook, or by what the plan found.
fn naming(step: &Step, draft: &Draft) -> Option<Naming> {
    let destructive = (step.danger == Danger::Destructive)
        .then(|| Naming { why: "it cannot be undone".into(), lasting: true });
    destructive.or_else(|| draft.naming.clone())
}
