//! The clusters that a session may act on, each with a connection of its own: a target says which, and
//! nothing else does.

use super::caller::NoCaller;
use crate::clean::Clean;
use crate::config::ReadOnly;
use crate::event::{ContextId, Refusal, StepCall, Target};
use crate::net::connect::{Contexts, NoWay};

/// One cluster.
#[derive(Clone)]
pub struct Cluster {
    /// Its place among the session's contexts.
    pub id: ContextId,
    /// The kube-context, for the commands that are copied.
    pub context: Clean,
    /// What the context is called where there is little room.
    pub label: Clean,
    /// Its address; part of every target.
    pub address: Clean,
    /// The digest of the authority that its certificate is held against, where one is given.
    pub authority: Option<Clean>,
    /// `true`: nothing may be changed there.
    pub read_only: bool,
    /// Reads, dry runs, access reviews, logs.
    pub reader: kube::Client,
    /// Writes, each once: a client that resends nothing by itself.
    pub writer: kube::Client,
}

impl Cluster {
    /// What a target in it names as its context: nothing where it is the main one.
    pub fn named(&self) -> Clean {
        if self.id.is_main() { Clean::default() } else { self.context.clone() }
    }
}

/// All of them.
#[derive(Clone)]
pub struct Clusters {
    /// Those that there is a way to; the first is the main one, and always there.
    reached: Vec<Cluster>,
    /// Those that there is none to.
    unreached: Vec<NoWay>,
}

impl Clusters {
    /// Those of a session, and where nothing may be changed.
    pub fn of_session(contexts: &Contexts, read_only: &ReadOnly) -> Self {
        let mut reached = Vec::new();
        let mut unreached = Vec::new();
        for (id, label, way) in contexts.all() {
            match way {
                Ok(one) => reached.push(Cluster {
                    id,
                    label,
                    read_only: read_only.covers(&one.context),
                    context: one.context.clone(),
                    address: one.cluster.clone(),
                    authority: one.authority.clone(),
                    reader: one.reader.clone(),
                    writer: one.writer.clone(),
                }),
                Err(no) => unreached.push(no.clone()),
            }
        }
        Self { reached, unreached }
    }

    /// One, that reads and writes by this client.
    #[cfg(test)]
    pub(super) fn alone(client: kube::Client) -> Self {
        let main = Cluster {
            id: ContextId::MAIN,
            context: "c".into(),
            label: "c".into(),
            address: "c".into(),
            authority: None,
            read_only: false,
            reader: client.clone(),
            writer: client,
        };
        Self { reached: vec![main], unreached: Vec::new() }
    }

    /// Each of them.
    pub fn all(&self) -> impl Iterator<Item = &Cluster> {
        self.reached.iter()
    }

    /// The one that Alertmanager belongs to, and every step that names no context.
    pub fn main(&self) -> &Cluster {
        &self.reached[0]
    }

    /// Whether there are others than the main one.
    pub fn several(&self) -> bool {
        self.reached.len() + self.unreached.len() > 1
    }

    /// The cluster of that place.
    pub fn at(&self, id: ContextId) -> Option<&Cluster> {
        self.all().find(|one| one.id == id)
    }

    /// The cluster that a step is asked for, by name or label; the main one where it names none.
    pub fn asked(&self, call: &StepCall) -> Result<&Cluster, Refusal> {
        let Some(name) = call.inputs.get(StepCall::CONTEXT) else { return Ok(self.main()) };
        if let Some(no) = self.unreached.iter().find(|no| *no.context == *name.raw()) {
            return Err(Refusal::Failed(format!("there is no way to context {name}: {}", no.why).into()));
        }
        let name = name.raw();
        let found = self
            .all()
            .find(|one| *one.context == *name)
            .or_else(|| self.all().find(|one| *one.label == *name));
        let known = || self.all().map(|one| one.context.as_str()).collect::<Vec<_>>().join(", ");
        found.ok_or_else(|| {
            Refusal::Usage(format!("context \"{name}\" is not part of this session: {}", known()).into())
        })
    }

    /// The cluster that a target is bound to, in its own context.
    pub(super) fn of(&self, target: &Target) -> Result<&Cluster, NoCaller> {
        let found = self.all().find(|one| one.address == target.cluster && one.named() == target.context);
        let Target { cluster, name, .. } = target;
        found.ok_or_else(|| NoCaller::NoConnection { cluster: cluster.clone(), name: name.clone() })
    }

    /// The clusters that may tell what became of a target: to read it, another context of the same cluster
    /// does as well, and so does another address of it.
    pub fn telling(&self, target: &Target) -> Vec<&Cluster> {
        let mut all: Vec<&Cluster> = self.all().collect();
        all.sort_by_key(|one| (one.address != target.cluster, one.named() != target.context));
        all
    }
}
