//! The latest that a source said, as far as one line can hold it.

use chrono::{DateTime, Utc};

use super::World;
use crate::event::SourceId;

/// What a source that is live says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Latest {
    /// It is read now and then: its last reading was at this moment.
    ReadAt(DateTime<Utc>),
    /// So many alerts call for a person.
    Firing(usize),
}

impl World {
    /// The latest of a source; `None` where nothing is to be said of it but that it is live.
    pub fn latest(&self, source: SourceId) -> Option<Latest> {
        match source {
            SourceId::Prometheus => self.rates.at.map(Latest::ReadAt),
            SourceId::Kafka => self.lag.at.map(Latest::ReadAt),
            SourceId::Alertmanager => Some(Latest::Firing(self.alerts.firing())),
            _ => None,
        }
    }
}
