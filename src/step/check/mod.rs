//! What must come true after a step, measured before and after. One kind of check is one file of this folder
//! and one line of [`KINDS`]; recordings hold its name and arguments, so that those of other versions stay
//! readable.

mod errors_below;
mod gone;
mod lag_falling;
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

pub use errors_below::errors_below;
pub use gone::gone;
pub use lag_falling::lag_falling;
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
    &kind::<silenced::Silenced>(),
    &kind::<unsilenced::Unsilenced>(),
];

/// Something that should come true: its fields are the arguments that recordings hold.
trait Expected: Serialize + DeserializeOwned {
    /// Its name in runbooks and recordings.
    const NAME: &'static str;

    /// The sources that it needs to hear for a measure before the change.
    const NEEDS: &'static [SourceId];

    /// Whether it is about what only the main context has: rates, lag, alerts.
    const OF_MAIN_CONTEXT: bool = false;

    /// Puts in the numbers that it is about.
    fn measure(&self, evidence: &Evidence<'_>, into: &mut Measure);

    /// What has not come true yet, in words.
    fn missing(&self, evidence: &Evidence<'_>, since: &Since) -> Option<Clean>;
}

/// A kind of check, whatever its arguments.
pub trait CheckKind: Sync {
    /// Its name in runbooks and recordings.
    fn name(&self) -> &'static str;

    /// The sources that it needs to hear for a measure before the change.
    fn needs(&self) -> &'static [SourceId];

    /// Whether it is about what only the main context has: rates, lag, alerts.
    fn of_main_context(&self) -> bool;

    /// Puts in the numbers that it is about; none where its arguments cannot be read.
    fn measure(&self, args: &Value, evidence: &Evidence<'_>, into: &mut Measure);

    /// What has not come true yet, in words.
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

/// The kind of check of that name.
pub fn named(name: &str) -> Option<&'static dyn CheckKind> {
    KINDS.iter().find(|kind| kind.name() == name).copied()
}

/// The names of all.
pub fn names() -> impl Iterator<Item = &'static str> {
    KINDS.iter().map(|kind| kind.name())
}

/// What is so, as far as checks look at it.
pub struct Evidence<'a> {
    /// Ready replicas and generations.
    pub cluster: &'a Cluster,
    /// Error shares; `None` where there is no Prometheus to ask.
    pub rates: Option<&'a Rates>,
    /// Lag.
    pub lag: &'a Lag,
    /// Alerts and silences.
    pub alerts: &'a Alerts,
}

/// What a change has come to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Since {
    /// When it was applied.
    pub applied: Option<DateTime<Utc>>,
    /// The generation that it wrote; 0 where that is not known.
    pub generation: i64,
    /// Seconds that its effect may take.
    pub within: u32,
    /// The highest lag since.
    pub peak: Option<i64>,
}

impl Evidence<'_> {
    /// The numbers that these checks are about.
    pub fn measure(&self, checks: &[Check]) -> Measure {
        let mut measure = Measure::default();
        for (kind, check) in checks.iter().filter_map(|check| Some((named(&check.kind)?, check))) {
            kind.measure(&check.args, self, &mut measure);
        }
        measure
    }

    /// What has not come true yet, in words.
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
