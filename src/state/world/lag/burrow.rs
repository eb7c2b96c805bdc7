//! Burrow's rules: what a consumer does with one partition, judged by a window of its commits and without a
//! threshold.
//!
//! The rules and their order are those of linkedin/Burrow, `core/internal/evaluator/caching.go`. What counts
//! as a commit where only readings are to be had is [`super::partition`]'s matter.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// One commit of a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    /// Time of the commit.
    pub at: DateTime<Utc>,
    /// Offset that was committed.
    pub offset: i64,
    /// Number of records behind the log's end at that time.
    pub lag: i64,
}

/// Status of a partition, as Burrow has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum PartitionStatus {
    /// It keeps up, or catches up.
    Ok,
    /// It commits, and its lag never drops.
    Warn,
    /// It went back, and has not come to where it was.
    Rewind,
    /// It commits the same offset again and again.
    Stall,
    /// It does not commit any more.
    Stop,
}

/// Judges one partition.
///
/// `commits` are its newest, oldest first; `ends` the log's newest ends; `lag` is what it is now; a lag of at
/// most `allowed` is no trouble whatever the commits say (Burrow's `allowed-lag`).
pub fn judge(
    commits: &[Commit],
    ends: impl IntoIterator<Item = i64>,
    lag: i64,
    allowed: i64,
    now: DateTime<Utc>,
) -> PartitionStatus {
    let (Some(first), Some(last)) = (commits.first(), commits.last()) else { return PartitionStatus::Ok };
    if lag <= allowed {
        return PartitionStatus::Ok;
    }
    let silent = now - last.at > last.at - first.at;
    if silent && !ends.into_iter().any(|end| end <= last.offset) {
        return PartitionStatus::Stop;
    }
    if rewound(commits) {
        return PartitionStatus::Rewind;
    }
    let pairs = || commits.iter().zip(commits.iter().skip(1));
    if commits.iter().any(|commit| commit.lag <= allowed) {
        PartitionStatus::Ok
    } else if pairs().all(|(before, after)| before.offset == after.offset) {
        PartitionStatus::Stall
    } else if pairs().all(|(before, after)| before.lag <= after.lag) {
        PartitionStatus::Warn
    } else {
        PartitionStatus::Ok
    }
}

/// Whether the first step back has not been made good: rebalances cost a few offsets and are none of it.
fn rewound(commits: &[Commit]) -> bool {
    let back =
        commits.iter().zip(commits.iter().skip(1)).position(|(before, after)| after.offset < before.offset);
    back.is_some_and(|at| commits[at + 1..].iter().all(|commit| commit.offset < commits[at].offset))
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use proptest::prelude::*;

    use super::*;

    /// Burrow's published rules once more, line by line as they stand in its `caching.go`, to compare with.
    mod published {
        pub struct ConsumerOffset {
            pub offset: i64,
            pub timestamp: i64,
            pub lag: i64,
        }

        pub fn calculate_partition_status(
            offsets: &[ConsumerOffset],
            broker_offsets: &[i64],
            current_lag: i64,
            time_now: i64,
            allowed_lag: i64,
        ) -> &'static str {
            if current_lag > allowed_lag {
                if check_if_offsets_stopped(offsets, time_now)
                    && !check_if_recent_lag_zero(offsets, broker_offsets)
                {
                    return "STOP";
                }
                let rewind_index = check_if_offsets_rewind(offsets);
                if rewind_index > 0 && !check_if_rewind_recovered(offsets, rewind_index) {
                    return "REWIND";
                }
                if is_lag_always_not_zero(offsets, allowed_lag) {
                    if check_if_offsets_stalled(offsets) {
                        return "STALL";
                    }
                    if check_if_lag_not_decreasing(offsets) {
                        return "WARN";
                    }
                }
            }
            "OK"
        }

        fn is_lag_always_not_zero(offsets: &[ConsumerOffset], allowed_lag: i64) -> bool {
            for offset in offsets {
                if offset.lag <= allowed_lag {
                    return false;
                }
            }
            true
        }

        fn check_if_offsets_rewind(offsets: &[ConsumerOffset]) -> i64 {
            for i in 1..offsets.len() {
                if offsets[i].offset < offsets[i - 1].offset {
                    return i64::try_from(i).unwrap();
                }
            }
            -1
        }

        fn check_if_rewind_recovered(offsets: &[ConsumerOffset], reset_index: i64) -> bool {
            let reset_index = usize::try_from(reset_index).unwrap();
            let previous_progress = &offsets[reset_index - 1];
            for offset in &offsets[reset_index..] {
                if offset.offset >= previous_progress.offset {
                    return true;
                }
            }
            false
        }

        fn check_if_offsets_stopped(offsets: &[ConsumerOffset], time_now: i64) -> bool {
            let first_timestamp = offsets[0].timestamp;
            let last_timestamp = offsets[offsets.len() - 1].timestamp;
            (time_now - last_timestamp) > (last_timestamp - first_timestamp)
        }

        fn check_if_offsets_stalled(offsets: &[ConsumerOffset]) -> bool {
            for i in 1..offsets.len() {
                if offsets[i].offset != offsets[i - 1].offset {
                    return false;
                }
            }
            true
        }

        fn check_if_lag_not_decreasing(offsets: &[ConsumerOffset]) -> bool {
            let mut last_lag = None;
            for offset in offsets {
                if last_lag.is_some_and(|last| offset.lag < last) {
                    return false;
                }
                last_lag = Some(offset.lag);
            }
            true
        }

        fn check_if_recent_lag_zero(offsets: &[ConsumerOffset], broker_offsets: &[i64]) -> bool {
            let last_offset = offsets[offsets.len() - 1].offset;
            for broker_offset in broker_offsets {
                if *broker_offset <= last_offset {
                    return true;
                }
            }
            false
        }
    }

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(second)
    }

    fn word(verdict: PartitionStatus) -> &'static str {
        match verdict {
            PartitionStatus::Ok => "OK",
            PartitionStatus::Warn => "WARN",
            PartitionStatus::Rewind => "REWIND",
            PartitionStatus::Stall => "STALL",
            PartitionStatus::Stop => "STOP",
        }
    }

    /// Commits as (seconds since the one before, step of the offset, lag): small figures, so that every rule
    /// is met often.
    fn windows() -> impl Strategy<Value = Vec<(i64, i64, i64)>> {
        let step = prop_oneof![2 => Just(0), 3 => 0i64..4, 1 => -4i64..0];
        let steady = proptest::collection::vec((1i64..4, Just(0i64), 1i64..9), 1..11);
        let rising = proptest::collection::vec((1i64..4, 0i64..3, 0i64..3), 1..11).prop_map(|steps| {
            let sum = |lag: &mut i64, (dt, step, more): (i64, i64, i64)| {
                *lag += more;
                Some((dt, step, *lag))
            };
            steps.into_iter().scan(1, sum).collect()
        });
        prop_oneof![3 => proptest::collection::vec((0i64..4, step, 0i64..9), 1..11), 1 => steady, 1 => rising]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]
        #[test]
        fn the_states_are_those_of_the_published_rules(window in windows(), ends in proptest::collection::vec(-8i64..24, 0..11), now in 0i64..40, lag in 0i64..9, allowed in 0i64..4) {
            let mut second = 0;
            let mut offset = 0;
            let mut commits = Vec::new();
            for (dt, step, lag) in window {
                second += dt;
                offset += step;
                commits.push(Commit { at: at(second), offset, lag });
            }
            let now = second + now;
            let published: Vec<_> = commits.iter().map(|c| published::ConsumerOffset { offset: c.offset, timestamp: c.at.timestamp(), lag: c.lag }).collect();
            let expected = published::calculate_partition_status(&published, &ends, lag, now, allowed);
            prop_assert_eq!(word(judge(&commits, ends.iter().copied(), lag, allowed, at(now))), expected);
        }
    }

    #[test]
    fn each_state_has_its_window() {
        let window = |steps: &[(i64, i64)]| -> Vec<Commit> {
            steps
                .iter()
                .zip(0..)
                .map(|((offset, lag), second)| Commit { at: at(second), offset: *offset, lag: *lag })
                .collect()
        };
        let cases = [
            ("commits and keeps up", window(&[(1, 5), (2, 5), (3, 4)]), 3, 4, PartitionStatus::Ok),
            ("was at the end once", window(&[(1, 0), (2, 5), (3, 9)]), 3, 9, PartitionStatus::Ok),
            ("moves, and falls back", window(&[(1, 5), (2, 5), (3, 9)]), 3, 9, PartitionStatus::Warn),
            ("commits the same", window(&[(1, 5), (1, 6), (1, 4)]), 3, 4, PartitionStatus::Stall),
            ("went back", window(&[(9, 1), (2, 8), (3, 7)]), 3, 7, PartitionStatus::Rewind),
            ("went back and came again", window(&[(9, 1), (2, 8), (9, 3)]), 3, 3, PartitionStatus::Ok),
            ("is silent", window(&[(1, 5), (2, 5), (3, 9)]), 5, 9, PartitionStatus::Stop),
            ("is silent at the end of the log", window(&[(1, 5), (2, 5), (3, 9)]), 5, 0, PartitionStatus::Ok),
            ("was seen once", window(&[(1, 5)]), 1, 9, PartitionStatus::Stop),
            ("never committed", window(&[]), 1, 9, PartitionStatus::Ok),
        ];
        for (what, commits, now, lag, expected) in cases {
            assert_eq!(judge(&commits, [99], lag, 0, at(now)), expected, "a consumer that {what}");
        }
    }
}
