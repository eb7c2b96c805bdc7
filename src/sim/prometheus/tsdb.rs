//! The samples that Prometheus has scraped.

use std::collections::{BTreeMap, VecDeque};

/// The labels of a series, `__name__` included.
pub(crate) type Labels = BTreeMap<String, String>;

/// Samples older than this, in milliseconds, are dropped.
const RETENTION: i64 = 2 * 60 * 60 * 1000;

/// A value at a time in milliseconds since 1970; NaN marks that the series ended there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Sample {
    pub(crate) at: i64,
    pub(crate) value: f64,
}

/// Series by their labels.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tsdb {
    series: BTreeMap<Labels, VecDeque<Sample>>,
}

impl Tsdb {
    /// Stores one scrape; a series that was there and is no more gets a mark of its end.
    pub(crate) fn scrape(&mut self, at: i64, samples: Vec<(Labels, f64)>) {
        for (labels, value) in samples {
            self.series.entry(labels).or_default().push_back(Sample { at, value });
        }
        for samples in self.series.values_mut() {
            match samples.back() {
                Some(last) if last.at < at && !last.value.is_nan() => {
                    samples.push_back(Sample { at, value: f64::NAN });
                }
                _ => {}
            }
            while samples.front().is_some_and(|first| first.at < at - RETENTION) {
                samples.pop_front();
            }
        }
        self.series.retain(|_, samples| !samples.is_empty());
    }

    /// Every series, with the samples in `from < at <= to`.
    pub(crate) fn range(
        &self,
        from: i64,
        to: i64,
    ) -> impl Iterator<Item = (&Labels, impl Iterator<Item = Sample>)> {
        self.series.iter().map(move |(labels, samples)| {
            let start = samples.partition_point(|sample| sample.at <= from);
            let end = samples.partition_point(|sample| sample.at <= to);
            (labels, samples.range(start..end.max(start)).copied())
        })
    }

    /// The labels of every series.
    pub(crate) fn labels(&self) -> impl Iterator<Item = &Labels> {
        self.series.keys()
    }

    /// A digest of everything stored.
    pub(crate) fn digest(&self) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new();
        for (labels, samples) in &self.series {
            hasher.update(format!("{labels:?}").as_bytes());
            for sample in samples {
                hasher.update(&sample.at.to_le_bytes()).update(&sample.value.to_bits().to_le_bytes());
            }
        }
        hasher.finalize()
    }
}
