//! Faults of the network and of the servers, injected by tests: what goes wrong, on which requests, how
//! often.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::http::Method;
use tokio::sync::watch;

use super::rng::Rng;

/// What comes with a 200 instead of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// Lines that are no JSON and that no terminal should be sent.
    Garbage,
    /// A web page: a proxy wants a login.
    LoginPage,
    /// A line of 10 MiB each second, until the faults are cleared.
    Huge,
    /// The beginning of an object, a byte at a time, until the faults are cleared.
    Trickle,
    /// The head and nothing else, until the faults are cleared.
    HalfOpen,
}

/// What happens to a request. Where `applied` is true the request is processed first and only its answer is
/// lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The version or the page token is too old: 410 on a list, an ERROR event on a watch.
    Gone,
    /// This status instead of the answer: 429, 500, 503, 504… (429 and 503 with `Retry-After: 1`).
    Status {
        /// The HTTP status.
        code: u16,
        /// Whether the request was processed.
        applied: bool,
    },
    /// This instead of the answer, whoever may stand between client and server. A redirect leads back to what
    /// was asked.
    Reply {
        /// The HTTP status.
        status: u16,
        /// Its media type.
        content_type: &'static str,
        /// What it holds.
        body: &'static str,
        /// Whether the request was processed.
        applied: bool,
    },
    /// The connection ends without an answer.
    Cut {
        /// Whether the request was processed.
        applied: bool,
    },
    /// No answer until the faults are cleared; then the answer if it was processed, else the connection ends.
    Hang {
        /// Whether the request was processed.
        applied: bool,
    },
    /// The request is processed after this much simulated time.
    Delay(Duration),
    /// A page of a list without its items; the chain of pages goes on.
    LostPage,
    /// Every open watch ends; the request itself is answered.
    CutWatches,
    /// Something else instead of the answer; the request is not processed.
    Malformed(Malformed),
}

/// Which of the matching requests a fault happens to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Only this one, counted from 1.
    Nth(u32),
    /// Every one.
    Always,
}

/// A fault and the requests that it happens to.
#[derive(Clone, Debug)]
pub struct Rule {
    /// The method, or any.
    pub method: Option<Method>,
    /// A part of path and query; empty matches all.
    pub path: String,
    /// Which of them.
    pub when: When,
    /// What happens.
    pub fault: Fault,
}

/// The faults of one simulation. Cheap to clone; clones share everything.
#[derive(Clone, Debug)]
pub struct Faults(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    state: Mutex<State>,
    frozen: watch::Sender<bool>,
    cleared: watch::Sender<u64>,
    cuts: watch::Sender<u64>,
    log_ends: watch::Sender<u64>,
    log_stalls: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct State {
    rules: Vec<(Rule, u32)>,
    random: Option<(Rng, f64)>,
}

/// What may happen at random: nothing that never ends by itself and nothing that a client cannot notice.
const RANDOM: [Fault; 10] = [
    Fault::Gone,
    Fault::Status { code: 429, applied: false },
    Fault::Status { code: 500, applied: false },
    Fault::Status { code: 500, applied: true },
    Fault::Status { code: 503, applied: false },
    Fault::Status { code: 504, applied: false },
    Fault::Status { code: 504, applied: true },
    Fault::Cut { applied: false },
    Fault::Cut { applied: true },
    Fault::CutWatches,
];

impl Default for Faults {
    fn default() -> Self {
        let counter = || watch::Sender::new(0);
        let frozen = watch::Sender::new(false);
        let cleared = counter();
        let cuts = counter();
        let log_ends = counter();
        let log_stalls = counter();
        Self(Arc::new(Inner { state: Mutex::default(), frozen, cleared, cuts, log_ends, log_stalls }))
    }
}

impl Faults {
    /// Adds a rule; the first that matches a request wins.
    pub fn inject(&self, rule: Rule) {
        self.state().rules.push((rule, 0));
    }

    /// Adds a fault to requests with this method and with `path` in their path and query.
    pub fn on(&self, method: Method, path: &str, when: When, fault: Fault) {
        self.inject(Rule { method: Some(method), path: path.to_owned(), when, fault });
    }

    /// From now on each request has a fault with this probability (0 to 1): the same ones for the same seed
    /// and order of requests.
    pub fn random(&self, seed: u64, rate: f64) {
        self.state().random = Some((Rng::new(seed), rate));
    }

    /// Removes every rule and the random faults; what hangs ends.
    pub fn clear(&self) {
        *self.state() = State::default();
        self.0.cleared.send_modify(|count| *count += 1);
    }

    /// The servers accept connections and answer nothing, as a stopped process does; open watches are silent.
    pub fn freeze(&self) {
        self.0.frozen.send_replace(true);
    }

    /// Ends [`Faults::freeze`]: what was asked meanwhile is answered now.
    pub fn thaw(&self) {
        self.0.frozen.send_replace(false);
    }

    /// Ends every open watch and followed log, in the middle of the stream.
    pub fn cut_watches(&self) {
        self.0.cuts.send_modify(|count| *count += 1);
    }

    /// Ends every followed log in good order, as a load balancer does that has waited long enough.
    pub fn end_logs(&self) {
        self.0.log_ends.send_modify(|count| *count += 1);
    }

    /// Lets every followed log fall silent without ending it, as a kubelet does that lost sight of a rotated
    /// file.
    pub fn stall_logs(&self) {
        self.0.log_stalls.send_modify(|count| *count += 1);
    }

    /// What happens to this request.
    pub(super) fn draw(&self, method: &Method, path: &str) -> Option<Fault> {
        let mut state = self.state();
        let mut found = None;
        for (rule, seen) in &mut state.rules {
            if rule.method.as_ref().is_none_or(|wanted| wanted == method) && path.contains(&rule.path) {
                *seen += 1;
                if found.is_none() && (rule.when == When::Always || rule.when == When::Nth(*seen)) {
                    found = Some(rule.fault);
                }
            }
        }
        found.or_else(|| draw_random(state.random.as_mut()?))
    }

    /// Waits until the servers are not frozen.
    pub(super) async fn thawed(&self) {
        let _ = self.0.frozen.subscribe().wait_for(|frozen| !frozen).await;
    }

    /// Waits for the next [`Faults::clear`].
    pub(super) async fn cleared(&self) {
        let _ = self.0.cleared.subscribe().changed().await;
    }

    /// Changes whenever open watches are to end.
    pub(super) fn cuts(&self) -> watch::Receiver<u64> {
        self.0.cuts.subscribe()
    }

    /// Changes whenever followed logs are to end.
    pub(super) fn log_ends(&self) -> watch::Receiver<u64> {
        self.0.log_ends.subscribe()
    }

    /// Changes whenever followed logs are to fall silent.
    pub(super) fn log_stalls(&self) -> watch::Receiver<u64> {
        self.0.log_stalls.subscribe()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn draw_random((rng, rate): &mut (Rng, f64)) -> Option<Fault> {
    let happens = rng.ratio() < *rate;
    let which = usize::try_from(rng.below(10)).ok()?;
    happens.then(|| RANDOM[which])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_counts_the_requests_that_it_matches() {
        let faults = Faults::default();
        faults.on(Method::GET, "/pods", When::Nth(2), Fault::Gone);
        let drawn = ["/pods", "/nodes", "/pods", "/pods"].map(|path| faults.draw(&Method::GET, path));
        assert_eq!(drawn, [None, None, Some(Fault::Gone), None]);
        assert_eq!(faults.draw(&Method::PATCH, "/pods"), None);
    }

    #[test]
    fn random_faults_are_the_same_for_the_same_seed() {
        let draw = |seed| {
            let faults = Faults::default();
            faults.random(seed, 0.3);
            (0..100).map(|_| faults.draw(&Method::GET, "/")).collect::<Vec<_>>()
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
        let happened = draw(1).into_iter().flatten().count();
        assert!((15..45).contains(&happened), "{happened}");
    }
}
