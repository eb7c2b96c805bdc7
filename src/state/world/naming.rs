//! What things are called: with their context where several are looked at, with their namespace where several
//! are watched.

use std::borrow::Cow;

use super::World;
use crate::clean::Clean;
use crate::data::Problem;
use crate::event::{
    ContextId, Meta, NamespacePhase, NotNamespaces, ObjectKey, SourceId, SourceState, Target, namespaces,
};
use crate::state::TimelineEntry;

impl World {
    /// Parses the namespaces that a typed line names. Where all that are there can be listed it names no
    /// other: a slip of the fingers is not a loss.
    ///
    /// # Errors
    /// Which cannot be one, or is none, with the nearest name.
    pub fn namespaces_of(&self, line: &str) -> Result<Vec<Clean>, NotNamespaces> {
        let chosen = namespaces(line)?;
        let listed = self
            .sources
            .get(&SourceId::Namespaces)
            .is_some_and(|it| it.state == SourceState::Live && it.error.is_none());
        let there = self
            .namespaces
            .iter()
            .filter(|(_, phase)| matches!(phase, NamespacePhase::Active | NamespacePhase::Terminating));
        let there: Vec<&str> = there.map(|(name, _)| name.id()).collect();
        match chosen.iter().find(|name| listed && !there.contains(&name.as_str())) {
            Some(unknown) => Err(NotNamespaces::Unknown(Problem::unknown("namespace", unknown, there))),
            None => Ok(chosen),
        }
    }

    /// Iterates over the watched namespaces that do not exist, or not for long, as [`Self::place`] calls
    /// them.
    pub fn lost_namespaces(&self) -> impl Iterator<Item = (Cow<'_, str>, NamespacePhase)> {
        let session = self.session.iter();
        let contexts = session.flat_map(|session| session.contexts.iter().map(move |one| (session, one.id)));
        let watched =
            contexts.flat_map(|(session, id)| session.namespaces.iter().map(move |name| (id, name)));
        let phases = watched
            .filter_map(|(id, name)| Some((id, name, *self.namespaces.get(&*ObjectKey::text(id, name))?)));
        phases
            .filter(|(.., phase)| *phase != NamespacePhase::Active)
            .map(|(id, name, phase)| (self.place(id, name), phase))
    }

    /// Returns whether a namespace is among those that are watched.
    pub fn watches(&self, namespace: &str) -> bool {
        self.session.as_ref().is_none_or(|session| {
            session.namespaces.is_empty() || session.namespaces.iter().any(|known| known == namespace)
        })
    }

    /// Returns the context and the cluster that a target is in, where several are looked at: `prod-eu
    /// (https://10.0.0.1:6443)`.
    pub fn full_place(&self, target: &Target) -> Option<String> {
        let session = self.session.as_ref().filter(|session| session.several())?;
        session.context(session.of(target)).map(|one| format!("{} ({})", one.context, one.cluster))
    }

    /// Returns the label of a context's rows, where several are looked at.
    pub fn label(&self, context: ContextId) -> Option<&Clean> {
        self.session.as_ref().filter(|session| session.several())?.context(context).map(|one| &one.label)
    }

    /// Returns a name with the context that it is in, where several are looked at: `eu shop`.
    pub fn place<'a>(&self, context: ContextId, name: &'a str) -> Cow<'a, str> {
        self.label(context).map_or(Cow::Borrowed(name), |label| Cow::Owned(format!("{label} {name}")))
    }

    /// Returns the subject of an entry, with the context of what is in a cluster.
    pub fn subject<'a>(&self, entry: &'a TimelineEntry) -> Cow<'a, str> {
        let placed = entry.of_cluster() && !entry.subject.is_empty();
        if placed { self.place(entry.context, &entry.subject) } else { Cow::Borrowed(&entry.subject) }
    }

    /// Returns what an object is called: its name, with its namespace unless one alone is watched. Steps take
    /// either.
    pub fn called(&self, meta: &Meta) -> Clean {
        let one = self.session.as_ref().is_none_or(|session| session.namespaces.len() == 1);
        if one { meta.name.clone() } else { format!("{}/{}", meta.namespace, meta.name).into() }
    }

    /// Returns the context that a target is in.
    pub fn context_of(&self, target: &Target) -> ContextId {
        self.session.as_ref().map(|session| session.of(target)).unwrap_or_default()
    }
}
