//! What was heard of a log last, so that it can be taken up again without a gap and without repeating
//! anything.
//!
//! The API server knows a place in a log only as a whole second (`sinceTime` reaches the kubelet in RFC 3339
//! without a fraction), and two streams of a container may be stamped slightly out of order. So the last
//! lines are asked for once more, from [`OVERLAP`] before the newest, and each that was heard is taken out by
//! its time and content, as often as it was heard.

use std::collections::{BTreeMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};

use chrono::{DateTime, DurationRound, TimeDelta, Utc};

/// How far before the newest line a log is taken up again.
const OVERLAP: TimeDelta = TimeDelta::seconds(1);
/// Lines remembered at most, 24 bytes each. Of a log with more in two seconds the rest is told from new lines
/// by its time alone.
const MOST: usize = 16_384;

type Print = (DateTime<Utc>, u64);

/// Whether a line was read before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Novelty {
    /// The line is new.
    New,
    /// The line is new, and lines that should have come before it again are not in the log any more: others
    /// may have gone with them.
    NewAfterGap,
    /// The line was read before.
    Known,
}

/// Memory of the lines of one log that were read.
#[derive(Debug, Default)]
pub struct Seen {
    /// The last lines, in the order in which they came.
    recent: VecDeque<Print>,
    newest: Option<DateTime<Utc>>,
    /// What must come again since the log was taken up, and how often.
    awaited: BTreeMap<Print, u32>,
    /// Until when lines may be repetitions: the newest before the log was taken up.
    repeated_until: Option<DateTime<Utc>>,
    /// Lines until then have been heard although they are not remembered.
    forgotten: Option<DateTime<Utc>>,
}

impl Seen {
    /// Returns the time from which to ask again, a whole second; `None` when no line was read.
    pub fn since(&self) -> Option<DateTime<Utc>> {
        (self.newest? - OVERLAP).duration_trunc(TimeDelta::seconds(1)).ok()
    }

    /// Resumes the log from [`Seen::since`]; `same`: the file that was read from, not that of another run.
    pub fn resume(&mut self, same: bool) {
        self.prune();
        if !same {
            self.recent.clear();
        }
        self.awaited.clear();
        for print in &self.recent {
            *self.awaited.entry(*print).or_default() += 1;
        }
        self.repeated_until = self.newest.filter(|_| same);
    }

    /// Takes in a line, and returns whether it is new.
    pub fn judge(&mut self, at: DateTime<Utc>, text: &str) -> Novelty {
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        let print = (at, hasher.finish());
        if let Some(until) = self.repeated_until {
            if self.comes_again(print) || self.forgotten.is_some_and(|forgotten| at <= forgotten) {
                return Novelty::Known;
            }
            if at > until {
                self.repeated_until = None;
                let lost = !std::mem::take(&mut self.awaited).is_empty();
                self.remember(print);
                return if lost { Novelty::NewAfterGap } else { Novelty::New };
            }
        }
        self.remember(print);
        Novelty::New
    }

    fn comes_again(&mut self, print: Print) -> bool {
        let Some(times) = self.awaited.get_mut(&print) else { return false };
        *times -= 1;
        if *times == 0 {
            self.awaited.remove(&print);
        }
        true
    }

    fn remember(&mut self, print: Print) {
        self.newest = self.newest.max(Some(print.0));
        self.recent.push_back(print);
        if self.recent.len() > MOST {
            self.prune();
            // Down to the half at once, so that a fast log is not gone through line by line.
            let surplus = self.recent.len().saturating_sub(MOST / 2);
            self.forgotten = self.forgotten.max(self.recent.drain(..surplus).map(|(at, _)| at).max());
        }
    }

    /// Forgets what will not be asked for again.
    fn prune(&mut self) {
        if let Some(since) = self.since() {
            self.recent.retain(|(at, _)| *at >= since);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(millis: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::milliseconds(millis)
    }

    /// What a kubelet sends of `file` from a time on: the lines of that second and later, in the order of the
    /// file.
    fn sent<'a>(file: &'a [(i64, String)], seen: &Seen) -> impl Iterator<Item = &'a (i64, String)> {
        let since = seen.since();
        file.iter().filter(move |(millis, _)| since.is_none_or(|since| at(*millis) >= since))
    }

    /// Lines as a container writes them: times that hardly ever go back, and by less than the overlap; few
    /// words, so that many are alike.
    fn file() -> impl Strategy<Value = Vec<(i64, String)>> {
        prop::collection::vec((0_i64..700, 0_i64..900, "[ab]?"), 0..120).prop_map(|steps| {
            let mut now = 10_000;
            let stamp = |(step, back, text): (i64, i64, String)| {
                now += if step < 300 { 0 } else { step };
                (now - if back < 800 { 0 } else { back - 800 }, text)
            };
            steps.into_iter().map(stamp).collect()
        })
    }

    proptest! {
        #[test]
        fn each_line_comes_exactly_once_wherever_it_is_cut(file in file(), cuts in prop::collection::vec(0_usize..150, 0..8)) {
            let mut seen = Seen::default();
            let mut heard = Vec::new();
            for cut in cuts.into_iter().chain([usize::MAX]) {
                seen.resume(true);
                let lines: Vec<_> = sent(&file, &seen).take(cut).cloned().collect();
                for (millis, text) in lines {
                    match seen.judge(at(millis), &text) {
                        Novelty::Known => {}
                        Novelty::New => heard.push((millis, text)),
                        Novelty::NewAfterGap => prop_assert!(false, "nothing was lost"),
                    }
                }
            }
            prop_assert_eq!(heard, file);
        }

        #[test]
        fn a_file_that_began_anew_is_told_and_not_repeated(file in file(), cut in 0_usize..120, rotated in 0_usize..120) {
            let mut seen = Seen::default();
            for (millis, text) in file.iter().take(cut) {
                seen.judge(at(*millis), text);
            }
            let cut = cut.min(file.len());
            let rest = file.get(rotated.max(cut)..).unwrap_or_default();
            prop_assume!(seen.newest.is_some_and(|newest| rest.iter().all(|(millis, _)| at(*millis) > newest)));
            seen.resume(true);
            let verdicts: Vec<_> = rest.iter().map(|(millis, text)| seen.judge(at(*millis), text)).collect();
            for (number, verdict) in verdicts.into_iter().enumerate() {
                prop_assert_eq!(verdict, if number == 0 { Novelty::NewAfterGap } else { Novelty::New });
            }
        }
    }

    #[test]
    fn a_fast_log_is_remembered_in_bounds_and_still_not_repeated() {
        let mut seen = Seen::default();
        let lines = 5 * MOST;
        let time = |line: usize| at(10_000) + TimeDelta::microseconds(i64::try_from(line).unwrap());
        for line in 0..lines {
            assert_eq!(seen.judge(time(line), "x"), Novelty::New);
        }
        assert!(seen.recent.len() <= MOST);
        seen.resume(true);
        assert!((0..lines).all(|line| seen.judge(time(line), "x") == Novelty::Known));
        assert_eq!(seen.judge(time(lines), "x"), Novelty::New);
    }

    #[test]
    fn another_run_is_not_expected_to_repeat_anything() {
        let mut seen = Seen::default();
        seen.judge(at(10_000), "last words");
        seen.resume(false);
        assert_eq!(seen.judge(at(10_000), "last words"), Novelty::New);
        assert_eq!(seen.judge(at(12_000), "first words"), Novelty::New);
    }
}
