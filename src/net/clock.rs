//! The only reader of the wall clock. Everything else gets its time from a [`Clock`] or from `Record.at`, so
//! that a sped-up simulation, a test that turns the hands itself and a replay all behave as the live program
//! does.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::watch;

/// A clock that can be the machine's, a faster one, or one that a test moves by hand. Cheap to clone; clones
/// share their hands.
#[derive(Clone, Debug)]
pub struct Clock(Arc<Hands>);

#[derive(Debug)]
enum Hands {
    Running { origin: DateTime<Utc>, started: Instant, speed: f64 },
    Manual { now: watch::Sender<DateTime<Utc>> },
}

impl Clock {
    /// Creates a clock that shows the machine's time.
    pub fn system() -> Self {
        Self::scaled(1.0)
    }

    /// Creates a clock that starts at the machine's time and runs `speed` times as fast.
    #[allow(clippy::disallowed_methods, reason = "this is the one place that reads the wall clock")]
    pub fn scaled(speed: f64) -> Self {
        let origin = Utc::now();
        let started = Instant::now();
        Self(Arc::new(Hands::Running { origin, started, speed: speed.max(f64::MIN_POSITIVE) }))
    }

    /// Creates a clock that stands at `start` until [`Clock::advance`] moves it.
    pub fn manual(start: DateTime<Utc>) -> Self {
        Self(Arc::new(Hands::Manual { now: watch::Sender::new(start) }))
    }

    /// Returns the time that this clock shows.
    pub fn now(&self) -> DateTime<Utc> {
        match &*self.0 {
            Hands::Running { origin, started, speed } => {
                let elapsed = started.elapsed().mul_f64(*speed);
                *origin + TimeDelta::from_std(elapsed).unwrap_or(TimeDelta::MAX)
            }
            Hands::Manual { now } => *now.borrow(),
        }
    }

    /// Moves a manual clock forward and wakes who sleeps on it; a running clock is left alone.
    pub fn advance(&self, by: Duration) {
        if let Hands::Manual { now } = &*self.0 {
            now.send_modify(|at| *at += TimeDelta::from_std(by).unwrap_or(TimeDelta::zero()));
        }
    }

    /// Waits until this clock has moved on by `span` (a faster clock waits shorter).
    pub async fn sleep(&self, span: Duration) {
        match &*self.0 {
            Hands::Running { speed, .. } => tokio::time::sleep(span.div_f64(*speed)).await,
            Hands::Manual { now } => {
                let until = *now.borrow() + TimeDelta::from_std(span).unwrap_or(TimeDelta::MAX);
                let mut seen = now.subscribe();
                let _ = seen.wait_for(|at| *at >= until).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_manual_clock_wakes_its_sleepers_when_it_is_advanced() {
        let clock = Clock::manual(DateTime::UNIX_EPOCH);
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move { clock.sleep(Duration::from_secs(10)).await }
        });
        tokio::task::yield_now().await;
        clock.advance(Duration::from_secs(4));
        tokio::task::yield_now().await;
        assert!(!sleeper.is_finished());
        clock.advance(Duration::from_secs(6));
        sleeper.await.unwrap();
        assert_eq!(clock.now(), DateTime::UNIX_EPOCH + TimeDelta::seconds(10));
    }

    #[test]
    fn a_scaled_clock_runs_faster() {
        let clock = Clock::scaled(1_000_000.0);
        let before = clock.now();
        let later = std::iter::repeat_with(|| clock.now())
            .take(1_000_000)
            .find(|now| *now - before > TimeDelta::seconds(1));
        assert!(later.is_some());
    }
}
