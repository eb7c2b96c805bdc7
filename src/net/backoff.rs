//! How long is waited after a failure before the next try.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::{Duration, Instant};

use super::failure::Failure;
use super::timing::Timing;

/// Waits between tries: the first one soon, then longer and longer, never in step with others.
#[derive(Debug)]
pub struct Backoff {
    timing: Timing,
    failures: u32,
    /// How many in a row were a forgotten place.
    expired: u32,
    last: Option<Instant>,
}

impl Backoff {
    /// Creates a backoff without a failure yet.
    pub fn new(timing: Timing) -> Self {
        Self { timing, failures: 0, expired: 0, last: None }
    }

    /// Returns whether the last failure was the first one for a long time.
    pub fn first(&self) -> bool {
        self.failures == 1
    }

    /// Returns the wait after one more failure.
    pub fn next(&mut self, failure: &Failure) -> Duration {
        if self.last.is_some_and(|last| last.elapsed() > self.timing.healthy) {
            self.failures = 0;
        }
        self.last = Some(Instant::now());
        let span = match (failure, self.failures) {
            // nobody is blind for a day
            (Failure::Busy { wait: Some(wait), .. }, _) => (*wait).min(self.timing.backoff_most),
            // A place in the stream that the server forgot (it was restarted) has nothing to do with how long
            // it was away.
            (Failure::Expired(_), _) => {
                self.timing.backoff.saturating_mul(1 << self.expired.min(16)).min(self.timing.backoff_most)
            }
            (refusal, _) if refusal.refused() => self.timing.backoff_most,
            (_, 0) => self.timing.first_retry,
            (failure, n) => self.timing.backoff.saturating_mul(1 << (n - 1).min(16)).min(self.most(failure)),
        };
        self.failures += 1;
        self.expired = if matches!(failure, Failure::Expired(_)) { self.expired + 1 } else { 0 };
        span.mul_f64(1.0 + jitter())
    }

    /// A server that cannot be reached is burdened by no request; whoever waits for its return should not
    /// wait for long.
    fn most(&self, failure: &Failure) -> Duration {
        match failure {
            Failure::Lost(_) | Failure::Silent(_) => self.timing.backoff_most / 6,
            _ => self.timing.backoff_most,
        }
    }
}

/// 0..1, different each time and in each process.
fn jitter() -> f64 {
    let bits = RandomState::new().build_hasher().finish();
    f64::from(u32::try_from(bits >> 32).unwrap_or_default()) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(failure: &Failure, count: usize) -> Vec<u64> {
        let mut backoff = Backoff::new(Timing::default());
        // With jitter a wait is between its figure and twice that: half of it, rounded down to a power, is
        // enough to compare.
        (0..count).map(|_| u64::try_from(backoff.next(failure).as_millis()).unwrap()).collect()
    }

    #[test]
    fn the_first_retry_is_soon_and_the_next_ones_double_up_to_half_a_minute() {
        let busy = Failure::Busy { message: "later".into(), wait: None };
        let lost = Failure::Lost("cut".into());
        let expired = Failure::Expired("too old".into());
        for (failure, figures) in [
            (expired, [800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000, 30_000]),
            (busy, [100, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000]),
            (lost, [100, 800, 1_600, 3_200, 5_000, 5_000, 5_000, 5_000, 5_000]),
        ] {
            for (wait, figure) in waits(&failure, 9).iter().zip(figures) {
                assert!((figure..=figure * 2).contains(wait), "{wait} is not {figure} with jitter");
            }
        }
    }

    #[test]
    fn a_forgotten_place_is_listed_anew_at_once_however_long_the_server_was_away() {
        let mut backoff = Backoff::new(Timing::default());
        for _ in 0..20 {
            backoff.next(&Failure::Lost("refused".into()));
        }
        assert!(
            backoff.next(&Failure::Expired("too old resource version".into()))
                <= Duration::from_millis(1_600)
        );
    }

    #[test]
    fn the_servers_own_figure_and_a_refusal_have_their_own_wait() {
        let busy = Failure::Busy { message: "too many requests".into(), wait: Some(Duration::from_secs(7)) };
        assert!(waits(&busy, 3).iter().all(|wait| (7_000..=14_000).contains(wait)));
        assert!(
            waits(&Failure::Forbidden("no".into()), 1).iter().all(|wait| (30_000..=60_000).contains(wait))
        );
    }
}
