//! How a source fails, in sentences, and how long it waits before it tries again.

use std::error::Error;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::{Duration, Instant};

use super::credential::NoCredentials;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::timing::Timing;

/// Message for a 401 of the API server.
pub const LOGGED_OUT: &str = "the API server does not accept this context's credentials (401): log in again";

/// Why a request to a source failed. Each message is a sentence without its full stop: what, and what to do
/// next.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// 401: the credentials are not accepted.
    #[error("{0}")]
    Unauthenticated(String),
    /// 403: a right is missing.
    #[error("{0}")]
    Forbidden(String),
    /// 410 and its relatives: the place in the stream is lost, only a fresh listing helps.
    #[error("{0}")]
    Expired(String),
    /// 404: there is no such thing.
    #[error("{0}")]
    Missing(String),
    /// Other 4xx: asking the same again will not help.
    #[error("{0}")]
    Rejected(String),
    /// 400 or 422 with the words of who understood the question: the question itself is wrong.
    #[error("{0}")]
    Misasked(String),
    /// 429 and 5xx: the server is there and wants to be left alone for a while.
    #[error("{message}")]
    Busy {
        /// What the server says.
        message: String,
        /// Its `Retry-After`.
        wait: Option<Duration>,
    },
    /// No answer, or no more of it, arrived in time.
    #[error("{0}")]
    Silent(String),
    /// No connection, a cut stream, or one that cannot be read.
    #[error("{0}")]
    Lost(String),
}

impl Failure {
    /// Returns whether the server is there and shows nothing: it refuses, or was asked for what cannot be.
    pub fn blind(&self) -> bool {
        self.refused() || matches!(self, Self::Misasked(_))
    }

    /// Returns whether the server is there and refuses.
    pub fn refused(&self) -> bool {
        matches!(self, Self::Unauthenticated(_) | Self::Forbidden(_))
    }

    /// Returns the same failure, with what was being done before it and what to do instead after it.
    #[must_use]
    pub fn because(self, doing: &str, instead: &str) -> Self {
        let told = |message: String| format!("{doing}: {message}; {instead}");
        match self {
            Self::Unauthenticated(message) => Self::Unauthenticated(told(message)),
            Self::Forbidden(message) => Self::Forbidden(told(message)),
            Self::Expired(message) => Self::Expired(told(message)),
            Self::Rejected(message) => Self::Rejected(told(message)),
            Self::Misasked(message) => Self::Misasked(told(message)),
            Self::Busy { message, wait } => Self::Busy { message: told(message), wait },
            Self::Silent(message) => Self::Silent(told(message)),
            Self::Missing(message) => Self::Missing(told(message)),
            Self::Lost(message) => Self::Lost(told(message)),
        }
    }

    /// Creates the failure of an API server that answers 401.
    pub fn logged_out() -> Self {
        Self::Unauthenticated(LOGGED_OUT.to_owned())
    }

    /// Creates the failure of a server that was silent for that long.
    pub fn silent(what: &str, span: Duration) -> Self {
        Self::Silent(format!("{what} has been silent for {}", crate::units::seconds(span.as_secs_f64())))
    }

    /// Creates the failure of a request that never got an answer.
    pub fn unreachable(what: &str, error: &(dyn Error + 'static)) -> Self {
        match uncredentialed(error) {
            Some(sentence) => Self::Unauthenticated(sentence),
            None => Self::Lost(format!("cannot reach {what}: {}", root(error))),
        }
    }
}

/// Returns the innermost cause: `Connection refused (os error 111)` says more than `client error (Connect)`.
pub fn root(error: &(dyn Error + 'static)) -> String {
    causes(error).last().map(ToString::to_string).unwrap_or_default()
}

/// Returns why there were no credentials for a request, which then never left; `None` for any other error.
pub fn uncredentialed(error: &(dyn Error + 'static)) -> Option<String> {
    causes(error).find_map(|cause| cause.downcast_ref::<NoCredentials>()).map(ToString::to_string)
}

fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |cause: &&'a (dyn Error + 'static)| (*cause).source())
}

/// What stands as it is in a value of a query (RFC 3986, unreserved).
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Percent-encodes a value of a query.
pub fn escaped(value: &str) -> String {
    utf8_percent_encode(value, UNRESERVED).to_string()
}

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
}

impl Backoff {
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
