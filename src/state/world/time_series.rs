//! Numbers over time at the places of a grid: packed small, bounded by whoever owns them, recorded as an
//! array of numbers.

use std::collections::VecDeque;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A number of which four bytes are kept, or none.
#[derive(Clone, Copy, Debug)]
struct Packed(f32);

impl Packed {
    const NONE: Self = Self(f32::NAN);

    #[allow(clippy::cast_possible_truncation, reason = "seven digits are more than a chart shows")]
    fn new(value: f64) -> Self {
        Self(value as f32)
    }

    fn get(self) -> Option<f32> {
        (!self.0.is_nan()).then_some(self.0)
    }
}

impl PartialEq for Packed {
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

impl Serialize for Packed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.get().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Packed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::<f32>::deserialize(deserializer).map(|value| value.map_or(Self::NONE, Self))
    }
}

/// Numbers of a grid, one at each place; a place without one is a gap.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TimeSeries {
    /// The place of the first value.
    first: i64,
    values: VecDeque<Packed>,
}

impl TimeSeries {
    /// Notes a value at a place, if it is the greatest told of it. Places before `oldest` are not kept.
    pub fn raise(&mut self, place: i64, value: f64, oldest: i64) {
        self.expire(oldest);
        if place < oldest || !Packed::new(value).0.is_finite() {
            return;
        }
        if self.values.is_empty() {
            self.first = place;
        }
        while place < self.first {
            self.values.push_front(Packed::NONE);
            self.first -= 1;
        }
        while place >= self.end() {
            self.values.push_back(Packed::NONE);
        }
        if let Some(kept) = usize::try_from(place - self.first).ok().and_then(|at| self.values.get_mut(at)) {
            *kept = Packed::new(kept.get().map_or(value, |kept| value.max(f64::from(kept))));
        }
    }

    /// Forgets what lies before a place, and every gap that would then be the beginning.
    pub fn expire(&mut self, oldest: i64) {
        while self.values.front().is_some_and(|value| self.first < oldest || value.get().is_none()) {
            self.values.pop_front();
            self.first += 1;
        }
    }

    /// Returns whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Returns the place of the oldest value.
    pub fn first(&self) -> i64 {
        self.first
    }

    /// Returns the place behind the newest value.
    pub fn end(&self) -> i64 {
        self.first.saturating_add(i64::try_from(self.values.len()).unwrap_or(i64::MAX))
    }

    /// Returns the value at a place; `None` in a gap.
    pub fn at(&self, place: i64) -> Option<f64> {
        let at = usize::try_from(place.checked_sub(self.first)?).ok()?;
        self.values.get(at)?.get().map(f64::from)
    }

    /// Returns the greatest value from a place up to another one, that one left out.
    pub fn most(&self, from: i64, to: i64) -> Option<f64> {
        (from.max(self.first)..to.min(self.end())).filter_map(|place| self.at(place)).reduce(f64::max)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn track(told: &[(i64, f64)], oldest: i64) -> TimeSeries {
        let mut track = TimeSeries::default();
        for (place, value) in told {
            track.raise(*place, *value, oldest);
        }
        track
    }

    #[test]
    fn a_gap_stays_a_gap_and_the_greatest_stays() {
        let track = track(&[(7, 1.0), (9, 2.0), (5, 3.0), (9, 0.5), (7, f64::NAN)], 0);
        assert_eq!(
            (4..11).map(|place| track.at(place)).collect::<Vec<_>>(),
            [None, Some(3.0), None, Some(1.0), None, Some(2.0), None]
        );
        assert_eq!((track.most(6, 9), track.most(6, 7), track.most(-9, 99)), (Some(1.0), None, Some(3.0)));
        let text = serde_json::to_string(&track).unwrap();
        assert_eq!(text, r#"{"first":5,"values":[3.0,null,1.0,null,2.0]}"#);
        assert_eq!(serde_json::from_str::<TimeSeries>(&text).unwrap(), track);
    }

    proptest! {
        /// What is filled in late is where it would have been: only what was told counts, never when.
        #[test]
        fn the_order_of_telling_is_of_no_account(told in prop::collection::vec((0_i64..60, 0.0..9.0_f64), 0..80), seed: u64) {
            let mut other = told.clone();
            other.sort_by_key(|(place, value)| place.cast_unsigned().wrapping_mul(seed) ^ value.to_bits());
            let a = track(&told, 20);
            let b = track(&other, 20);
            for place in 0..60 {
                let expected = told.iter().filter(|(at, _)| *at == place && place >= 20).map(|(_, value)| *value).reduce(f64::max);
                let same = a.at(place).zip(expected).map_or(a.at(place) == expected, |(a, b)| (a - b).abs() < 1e-5);
                prop_assert!(same, "{:?} at {place} instead of {expected:?}", a.at(place));
            }
            prop_assert_eq!(&a, &b);
            prop_assert_eq!(serde_json::from_str::<TimeSeries>(&serde_json::to_string(&a).unwrap()).unwrap(), a);
        }
    }
}
