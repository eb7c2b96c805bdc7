//! What several things broke of, and how it is said: no more is known in here than the cause itself.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::clean::Clean;
use crate::event::{ContextId, ObjectKey};
use crate::state::detect::findings::{CorrelationKey, Thing};
use crate::units;

/// Common cause of several things that broke.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::state) struct Cause {
    pub(in crate::state) tie: CorrelationKey,
    pub(in crate::state) since: DateTime<Utc>,
    /// Time when its newest case came.
    pub(in crate::state) last: DateTime<Utc>,
    /// Number of cases that are broken now.
    pub(in crate::state) broken: u32,
    /// Cases that ended: their entries, and how they ended.
    pub(in crate::state) left: BTreeMap<Thing, (Option<u64>, Ending)>,
    /// Whether all of them are pods.
    pub(in crate::state) pods: bool,
    /// Newest text of a case.
    pub(in crate::state) words: Clean,
    /// Text of the moment when a case that is no alert was well again.
    pub(in crate::state) said: Option<Clean>,
}

/// How trouble ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// It was resolved.
    Over,
    /// Its object was deleted.
    Deleted,
    /// The alert still fires, and is silenced or inhibited.
    Silenced,
    /// Its namespace is no longer watched.
    OutOfSight,
}

impl Ending {
    const ALL: [(Self, &str); 4] = [
        (Self::Over, "resolved"),
        (Self::Deleted, "deleted"),
        (Self::Silenced, "silenced"),
        (Self::OutOfSight, "no longer watched"),
    ];
}

impl Cause {
    /// Creates a cause without a case.
    pub(in crate::state) fn new(tie: CorrelationKey, since: DateTime<Utc>, at: DateTime<Utc>) -> Self {
        Self {
            tie,
            since,
            last: at,
            broken: 0,
            left: BTreeMap::new(),
            pods: true,
            words: Clean::default(),
            said: None,
        }
    }

    /// Returns the number of cases, broken or not.
    pub(in crate::state) fn cases(&self) -> usize {
        self.broken as usize + self.left.len()
    }

    /// Returns whether a case ended in this way.
    pub(in crate::state) fn any(&self, way: Ending) -> bool {
        self.left.values().any(|(_, how)| *how == way)
    }

    /// Returns the context that it is in.
    pub(in crate::state) fn context(&self) -> ContextId {
        self.tied().context()
    }

    /// Returns the subject of its line: what ties the cases, or how many they are.
    pub(in crate::state) fn subject(&self, alerts: bool) -> String {
        if matches!(self.tie, CorrelationKey::Reason(_)) && !alerts {
            self.many()
        } else {
            self.tied().id().into()
        }
    }

    /// Returns the text of its line: of a service what is `told` of its cases; behind what was resolved
    /// meanwhile. When no case is broken any more, what it was: `resolved (was 5xx 6.8 %, threshold 5 %)`.
    pub(in crate::state) fn text(&self, told: &[Clean], alerts: bool) -> String {
        let cases = self.cases();
        let text = match &self.tie {
            CorrelationKey::Node(_) => {
                format!("node not ready, {} with it", units::counted(cases.saturating_sub(1), "workload"))
            }
            CorrelationKey::Registry(_) => {
                format!("{} cannot pull their images: {}", self.many(), self.words)
            }
            CorrelationKey::Namespace(_) => format!("{} get no pods: {}", self.many(), self.words),
            CorrelationKey::Service(_) => {
                let over = self.broken == 0;
                let told = told.iter().map(|words| if over { past(words) } else { words.to_string() });
                told.collect::<Vec<_>>().join(" · ")
            }
            CorrelationKey::Reason(_) if alerts => format!("{cases} alerts at once"),
            CorrelationKey::Reason(_) => self.words.to_string(),
        };
        match self.left.len() {
            0 => text,
            left if left == cases => format!("{} (was {text})", self.ended()),
            _ => format!("{} · {text}", self.ways(&format!(" of {cases}"))),
        }
    }

    /// Returns what is said when no case is broken any more: `both resolved`; of a service with what was said
    /// last.
    pub(in crate::state) fn end(&self) -> String {
        let said = self.said.as_ref().filter(|_| matches!(self.tie, CorrelationKey::Service(_)));
        format!("{}{}", said.map(|said| format!("{said} · ")).unwrap_or_default(), self.endings())
    }

    fn tied(&self) -> &ObjectKey {
        let (CorrelationKey::Node(tied)
        | CorrelationKey::Registry(tied)
        | CorrelationKey::Namespace(tied)
        | CorrelationKey::Service(tied)
        | CorrelationKey::Reason(tied)) = &self.tie;
        tied
    }

    fn many(&self) -> String {
        units::counted(self.cases(), if self.pods { "pod" } else { "workload" })
    }

    /// How many cases are trouble no more, by how they ceased to be: `5 resolved, 2 deleted`; the first with
    /// what follows its number.
    fn ways(&self, first: &str) -> String {
        let count = |way: Ending| self.left.values().filter(|(_, how)| *how == way).count();
        let told =
            Ending::ALL.iter().map(|(way, word)| (count(*way), word)).filter(|(n, _)| *n > 0).enumerate();
        let words: Vec<String> = told
            .map(|(place, (n, word))| format!("{n}{} {word}", if place == 0 { first } else { "" }))
            .collect();
        words.join(", ")
    }

    /// `both resolved`, `all 7 silenced`, `5 resolved, 2 deleted`
    fn endings(&self) -> String {
        match self.alike() {
            Some(word) if self.cases() == 2 => format!("both {word}"),
            Some(word) => format!("all {} {word}", self.cases()),
            None => self.ways(""),
        }
    }

    /// `resolved`, `silenced`, `5 resolved, 2 deleted`
    fn ended(&self) -> String {
        self.alike().map_or_else(|| self.ways(""), str::to_owned)
    }

    /// How all cases ceased to be trouble, where it was in one way.
    fn alike(&self) -> Option<&'static str> {
        let all = |way: Ending| self.left.values().all(|(_, how)| *how == way);
        Ending::ALL.iter().find(|(way, _)| all(*way)).map(|(_, word)| *word)
    }
}

/// What was said of a service's errors while they lasted, as it is said afterwards: `5xx 6.8 % > 5 %` becomes
/// `5xx 6.8 %, threshold 5 %`.
fn past(words: &Clean) -> String {
    let errors = words.strip_prefix("5xx ").and_then(|numbers| numbers.split_once(" > "));
    errors.map_or_else(|| words.to_string(), |(share, limit)| format!("5xx {share}, threshold {limit}"))
}
