//! What must come true after a step, measured before and after. One kind of check is one file of this folder
//! and one line of [`KINDS`]; recordings hold its name and arguments, so that those of other versions stay
//! readable.

mod drained;
mod errors_below;
mod gone;
mod lag_falling;
mod paused;
mod ready;
mod rollout;
mod schedulable;
mod silenced;
mod unsilenced;

use std::marker::PhantomData;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::clean::Clean;
use crate::event::{Check, Measure, SourceId};
use crate::state::{Alerts, Cluster, Lag, Rates};

pub use drained::drained;
pub use errors_below::errors_below;
pub use gone::gone;
pub use lag_falling::lag_falling;
pub use paused::paused;
pub use ready::ready;
pub use rollout::rollout;
pub use schedulable::schedulable;
pub use silenced::silenced;
pub use unsilenced::unsilenced;

/// Every kind of check.
static KINDS: &[&dyn CheckKind] = &[
    &kind::<rollout::Rollout>(),
    &kind::<ready::Ready>(),
    &kind::<errors_below::ErrorsBelow>(),
    &kind::<lag_falling::LagFalling>(),
    &kind::<gone::Gone>(),
    &kind::<schedulable::Schedulable>(),
    &kind::<drained::Drained>(),
    &kind::<paused::Paused>(),
    &kind::<silenced::Silenced>(),
    &kind::<unsilenced::Unsilenced>(),
];

/// A condition that should come true: its fields are the arguments that recordings hold.
trait Expected: Serialize + DeserializeOwned {
    /// Name of the check in runbooks and recordings.
    const NAME: &'static str;

    /// Sources that must have been read for a measure before the change.
    const NEEDS: &'static [SourceId];

    /// Whether it needs what only the main context has: rates, lag, alerts.
    const OF_MAIN_CONTEXT: bool = false;

    /// Adds the numbers that it compares to a measurement.
    fn measure(&self, evidence: &Evidence<'_>, into: &mut Measure);

    /// Returns what has not come true yet, in words; `None` once it holds.
    fn missing(&self, evidence: &Evidence<'_>, since: &Since) -> Option<Clean>;
}

/// A kind of check, whatever its arguments.
pub trait CheckKind: Sync {
    /// Returns the name of the check in runbooks and recordings.
    fn name(&self) -> &'static str;

    /// Returns the sources that must have been read for a measure before the change.
    fn needs(&self) -> &'static [SourceId];

    /// Returns whether it needs what only the main context has: rates, lag, alerts.
    fn of_main_context(&self) -> bool;

    /// Adds the numbers that it compares to a measurement; none where its arguments cannot be read.
    fn measure(&self, args: &Value, evidence: &Evidence<'_>, into: &mut Measure);

    /// Returns what has not come true yet, in words; `None` once it holds.
    fn missing(&self, args: &Value, evidence: &Evidence<'_>, since: &Since) -> Option<Clean>;
}

/// [`Expected`] as one of the table.
struct Of<T>(PhantomData<fn() -> T>);

const fn kind<T: Expected>() -> Of<T> {
    Of(PhantomData)
}

impl<T: Expected> CheckKind for Of<T> {
    fn name(&self) -> &'static str {
        T::NAME
    }

    fn needs(&self) -> &'static [SourceId] {
        T::NEEDS
    }

    fn of_main_context(&self) -> bool {
        T::OF_MAIN_CONTEXT
    }

    fn measure(&self, args: &Value, evidence: &Evidence<'_>, into: &mut Measure) {
        if let Ok(expected) = T::deserialize(args) {
            expected.measure(evidence, into);
        }
    }

    fn missing(&self, args: &Value, evidence: &Evidence<'_>, since: &Since) -> Option<Clean> {
        match T::deserialize(args) {
            Ok(expected) => expected.missing(evidence, since),
            Err(_) => Some("this version does not know this check".into()),
        }
    }
}

/// Returns the kind of check of that name.
pub fn named(name: &str) -> Option<&'static dyn CheckKind> {
    KINDS.iter().find(|kind| kind.name() == name).copied()
}

/// Iterates over the names of all kinds of check.
pub fn names() -> impl Iterator<Item = &'static str> {
    KINDS.iter().map(|kind| kind.name())
}

/// Present state of the world, as far as checks look at it.
pub struct Evidence<'a> {
    /// Objects of the cluster: ready replicas and generations.
    pub cluster: &'a Cluster,
    /// Error rates; `None` where there is no Prometheus to ask.
    pub rates: Option<&'a Rates>,
    /// Lag of the consumer groups.
    pub lag: &'a Lag,
    /// Alerts and silences.
    pub alerts: &'a Alerts,
}

/// What is known of a change since it was applied.
#[derive(Clone, Copy, Debug, Default)]
pub struct Since {
    /// Time when the change was applied; `None` before that.
    pub applied: Option<DateTime<Utc>>,
    /// `metadata.generation` that it wrote; 0 where that is not known.
    pub generation: i64,
    /// Time that its effect may take, seconds.
    pub within: u32,
    /// Highest lag since then, records.
    pub peak: Option<i64>,
}

impl Evidence<'_> {
    /// Measures the numbers that these checks compare.
    pub fn measure(&self, checks: &[Check]) -> Measure {
        let mut measure = Measure::default();
        for (kind, check) in checks.iter().filter_map(|check| Some((named(&check.kind)?, check))) {
            kind.measure(&check.args, self, &mut measure);
        }
        measure
    }

    /// Returns what has not come true yet, in words; empty once all checks hold.
    pub fn missing(&self, checks: &[Check], since: &Since) -> Vec<Clean> {
        let one = |check: &Check| match named(&check.kind) {
            Some(kind) => kind.missing(&check.args, self, since),
            None => Some(format!("this version does not know the check {}", check.kind).into()),
        };
        checks.iter().filter_map(one).collect()
    }
}

/// What should come true, as plans and recordings have it.
fn check<T: Expected>(expected: &T) -> Check {
    Check { kind: T::NAME.into(), args: serde_json::to_value(expected).unwrap_or_default() }
}
