//! What can be broken, and what broken things can have in common: the words in which
//! [`Causes`](super::causes::Causes) is told of them.

use serde::{Deserialize, Serialize};

use crate::clean::Clean;
use crate::event::{ObjectKey, Uid};
use crate::state::{EntryKind, Subject};

/// What troubles can have in common, the strongest first. What breaks in two clusters at once breaks twice.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CorrelationKey {
    /// A node, whose pods stop with it.
    Node(ObjectKey),
    /// A registry whose images cannot be pulled.
    Registry(ObjectKey),
    /// A namespace in which no pods can be created.
    Namespace(ObjectKey),
    /// A service: its workload, its failing requests, its alerts.
    Service(ObjectKey),
    /// The reason itself, or an alert's name.
    Reason(ObjectKey),
}

/// Something that broke, or another word for it.
#[derive(Clone, Debug)]
pub struct Finding {
    /// What broke: the same for every word about it.
    pub thing: Thing,
    /// Subject of the line.
    pub subject: Subject,
    /// Text of the line.
    pub text: Clean,
    /// What ties it to others, the strongest first.
    pub ties: Vec<CorrelationKey>,
}

/// What can be broken.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Thing {
    /// A workload, by uid.
    Workload(Uid),
    /// A pod that no known workload owns, by uid.
    Pod(Uid),
    /// A node, by uid.
    Node(Uid),
    /// A namespace that is being deleted, or is gone, by its name.
    Namespace(ObjectKey),
    /// A service whose requests fail, by name.
    Service(Clean),
    /// A consumer group, by name.
    Group(Clean),
    /// An alert, by fingerprint.
    Alert(Clean),
}

impl From<Thing> for String {
    fn from(thing: Thing) -> Self {
        let (word, id) = match &thing {
            Thing::Workload(key) => ("workload", key.recorded()),
            Thing::Pod(key) => ("pod", key.recorded()),
            Thing::Node(key) => ("node", key.recorded()),
            Thing::Namespace(key) => ("namespace", key.recorded()),
            Thing::Service(id) => ("service", id),
            Thing::Group(id) => ("group", id),
            Thing::Alert(id) => ("alert", id),
        };
        format!("{word}/{id}")
    }
}

impl TryFrom<String> for Thing {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.split_once('/') {
            Some(("workload", id)) => Ok(Self::Workload(ObjectKey::of_recorded(id.into()))),
            Some(("pod", id)) => Ok(Self::Pod(ObjectKey::of_recorded(id.into()))),
            Some(("node", id)) => Ok(Self::Node(ObjectKey::of_recorded(id.into()))),
            Some(("namespace", id)) => Ok(Self::Namespace(ObjectKey::of_recorded(id.into()))),
            Some(("service", id)) => Ok(Self::Service(id.into())),
            Some(("group", id)) => Ok(Self::Group(id.into())),
            Some(("alert", id)) => Ok(Self::Alert(id.into())),
            _ => Err(format!("{text:?} is nothing that can be broken")),
        }
    }
}

impl Thing {
    /// Returns the kind of the entry that reports it as broken.
    pub(in crate::state) fn kind(&self) -> EntryKind {
        if matches!(self, Self::Alert(_)) { EntryKind::Alert } else { EntryKind::Trouble }
    }

    /// Returns the kind of the entry that reports it as resolved.
    pub(in crate::state) fn over(&self) -> EntryKind {
        if matches!(self, Self::Alert(_)) { EntryKind::AlertEnded } else { EntryKind::Recovery }
    }

    /// Returns what its entry is about: an object by its uid, an alert by its fingerprint.
    pub(in crate::state) fn about(&self) -> Option<ObjectKey> {
        match self {
            Self::Workload(key) | Self::Pod(key) | Self::Node(key) => Some(key.clone()),
            Self::Alert(fingerprint) => Some(fingerprint.clone().into()),
            Self::Namespace(_) | Self::Service(_) | Self::Group(_) => None,
        }
    }
}
