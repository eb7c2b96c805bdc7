//! Every period, deadline and backoff figure of the sources, in one place.
//!
//! The figures hold one promise: what is not true any more says so within 15 s of when it was last heard.

use std::time::Duration;

/// Periods, deadlines and backoff of the sources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timing {
    /// Deadline of a TCP connection.
    pub connect: Duration,
    /// Time after which a request to the API server without an answer is reported as silence.
    pub answer: Duration,
    /// Deadline of a request to the API server: a busy server lets requests wait up to 15 s (API priority and
    /// fairness).
    pub patience: Duration,
    /// Life of one watch request, and of a listing that streams, unless it is of pods. The server sends a
    /// bookmark two seconds before its end, which keeps the place in the stream fresh on a quiet kind in a
    /// busy cluster, and proves on a quiet connection that somebody is there.
    pub watch: Duration,
    /// Time that a watch may be silent before it is asked anew. It is longer than `watch`. With the longest
    /// second try and `answer` it stays below 15 s: a listing made anew after a cut may begin well, fall
    /// silent, and be asked for in pages.
    pub silence: Duration,
    /// Head start of the watch of pods before all others: their rows are what everybody waits for, and a
    /// dozen handshakes would be in their way.
    pub head_start: Duration,
    /// Time that the first objects of a listing wait for those that are on their way already: a small cluster
    /// is on the screen whole, and its first frame is not followed at once by a second one.
    pub first: Duration,
    /// Time that changes are gathered before they are reported together.
    pub batch: Duration,
    /// Wait before the first retry after a failure.
    pub first_retry: Duration,
    /// Wait before the second retry; it doubles from there (client-go's reflector: 0.8 s to 30 s).
    pub backoff: Duration,
    /// Longest wait between two tries, and the wait after a refusal (401, 403).
    pub backoff_most: Duration,
    /// Time without a failure after which the backoff starts over.
    pub healthy: Duration,
    /// Deadline of a credential plugin: some ask a person in a browser, but nobody sees anything meanwhile.
    pub plugin: Duration,
    /// Period between two checks of the kubeconfig.
    pub kubeconfig: Duration,
    /// Period between two listings where watching is not allowed.
    pub poll: Duration,
    /// Period between two checks of the namespaces.
    pub namespaces: Duration,
    /// Period between two readings of what pods and nodes use: metrics-server measures no oftener.
    pub usage: Duration,
    /// Period between two readings of Prometheus and Alertmanager.
    pub metrics: Duration,
    /// Deadline of their answers. With `metrics` it stays below 15 s.
    pub metrics_answer: Duration,
    /// Period between two readings of Kafka's groups.
    pub lag: Duration,
    /// Period while a lag grows, or after a reading that failed.
    pub lag_soon: Duration,
    /// Deadline of a reading of Kafka's groups: it starts a JVM.
    pub lag_answer: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        let millis = Duration::from_millis;
        Self {
            connect: seconds(5),
            answer: seconds(4),
            patience: seconds(20),
            watch: seconds(7),
            silence: seconds(9),
            head_start: millis(30),
            first: millis(5),
            batch: millis(50),
            first_retry: millis(100),
            backoff: millis(800),
            backoff_most: seconds(30),
            healthy: seconds(120),
            plugin: seconds(30),
            kubeconfig: seconds(3),
            poll: seconds(10),
            namespaces: seconds(4),
            usage: seconds(15),
            metrics: seconds(5),
            metrics_answer: seconds(8),
            lag: seconds(30),
            lag_soon: seconds(10),
            lag_answer: seconds(20),
        }
    }
}

impl Timing {
    /// Returns the default figures, each `factor` times as long: below 1 for tests.
    #[must_use]
    pub fn scaled(factor: f64) -> Self {
        let mut timing = Self::default();
        for span in timing.spans() {
            *span = span.mul_f64(factor);
        }
        timing
    }

    fn spans(&mut self) -> [&mut Duration; 22] {
        [
            &mut self.connect,
            &mut self.answer,
            &mut self.patience,
            &mut self.watch,
            &mut self.silence,
            &mut self.head_start,
            &mut self.first,
            &mut self.batch,
            &mut self.first_retry,
            &mut self.backoff,
            &mut self.backoff_most,
            &mut self.healthy,
            &mut self.plugin,
            &mut self.kubeconfig,
            &mut self.poll,
            &mut self.namespaces,
            &mut self.usage,
            &mut self.metrics,
            &mut self.metrics_answer,
            &mut self.lag,
            &mut self.lag_soon,
            &mut self.lag_answer,
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_figures_keep_the_promise_of_15_seconds() {
        let timing = Timing::default();
        let most = Duration::from_secs(15);
        let longest_retry = timing.backoff * 2; // half of it is chance
        assert!(
            longest_retry + timing.silence + timing.answer < most
                && timing.metrics + timing.metrics_answer < most
        );
        assert!(
            timing.watch + Duration::from_secs(1) < timing.silence,
            "a watch that ends in time is not silent"
        );
    }
}
