//! What of the past is still missing, in pieces that are asked for one by one: none so long that its answer
//! would be large.

use super::Failure;
use crate::event::Tier;

/// How often a piece is asked for before it stays a gap.
const TRIES: u32 = 3;

/// A row of places of one tier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// How far apart they are.
    pub tier: Tier,
    /// The first of them.
    pub first: i64,
    /// How many.
    pub count: i64,
    tries: u32,
}

/// The pieces, the next one last.
#[derive(Debug, Default)]
pub struct Backlog(Vec<Chunk>);

impl Backlog {
    /// Notes what lies between the last place that was told, if any, and the place told now: an hour of it in
    /// fine steps, and a day in coarse ones.
    pub fn add(&mut self, last: Option<i64>, now: i64) {
        let fine = Tier::Fine;
        let coarse = Tier::Coarse;
        let since =
            |tier: Tier, last: Option<i64>, now: i64| (now - tier.kept()).max(last.unwrap_or(i64::MIN));
        let hour = since(fine, last.map(|last| last + 1), now);
        let day = since(coarse, last.map(|last| coarse.place(fine.at(last))), coarse.place(fine.at(now)));
        let ago = coarse.place(fine.at(now - fine.kept())) + 1;
        self.pieces(coarse, day, ago, 30);
        self.pieces(fine, hour, now, 120);
    }

    /// From the first place up to the last one, that one left out.
    fn pieces(&mut self, tier: Tier, first: i64, behind: i64, most: i64) {
        let mut first = first;
        while first < behind {
            let count = most.min(behind - first);
            self.0.push(Chunk { tier, first, count, tries: 0 });
            first += count;
        }
    }

    /// The newest piece that is missing.
    pub fn next(&mut self) -> Option<Chunk> {
        self.0.pop()
    }

    /// Takes a piece back that could not be read; says why, when it will not be asked for again.
    pub fn failed(&mut self, chunk: Chunk, failure: &Failure) -> Option<String> {
        let refused = matches!(failure, Failure::Rejected(_)) || failure.blind();
        let tries = chunk.tries + 1;
        if refused {
            self.0.retain(|other| other.tier != chunk.tier); // it would refuse them all
        } else if tries < TRIES {
            self.0.push(Chunk { tries, ..chunk });
            return None;
        }
        Some(format!("older rates could not be read: {failure}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drained(mut backlog: Backlog) -> Vec<(Tier, i64, i64)> {
        std::iter::from_fn(|| backlog.next())
            .map(|chunk| (chunk.tier, chunk.first, chunk.first + chunk.count))
            .collect()
    }

    #[test]
    fn a_start_fills_an_hour_finely_and_the_day_before_it_the_newest_first() {
        let mut backlog = Backlog::default();
        let now = 24 * 1_000_000;
        backlog.add(None, now);
        let pieces = drained(backlog);
        assert_eq!(pieces[0], (Tier::Fine, now - 120, now));
        assert_eq!(pieces[5], (Tier::Fine, now - 720, now - 600));
        let coarse = &pieces[6..];
        assert_eq!((coarse.len(), coarse[0].2, coarse[23].1), (24, 1_000_000 - 29, 1_000_000 - 720));
        assert!(coarse.windows(2).all(|pair| pair[0].1 == pair[1].2), "without a hole");
    }

    #[test]
    fn what_was_told_is_not_asked_for_again() {
        let pieces = |last: i64| {
            let mut backlog = Backlog::default();
            backlog.add(Some(last), 24_000);
            drained(backlog)
        };
        assert_eq!(pieces(23_999), []);
        assert_eq!(pieces(23_990), [(Tier::Fine, 23_991, 24_000)]);
        let long = pieces(24_000 - 1_440);
        assert_eq!((long[0].2, long[5].1), (24_000, 23_280));
        assert_eq!(long[6..], [(Tier::Coarse, 970, 971), (Tier::Coarse, 940, 970)]);
    }

    #[test]
    fn a_piece_is_tried_three_times_and_a_refusal_is_for_all() {
        let mut backlog = Backlog::default();
        let lost = Failure::Lost("cut".into());
        backlog.add(None, 24_000);
        for _ in 0..2 {
            let chunk = backlog.next().unwrap();
            assert_eq!(backlog.failed(chunk, &lost), None);
        }
        let chunk = backlog.next().unwrap();
        assert!(backlog.failed(chunk, &lost).unwrap().contains("cut"));
        assert_ne!(backlog.next().unwrap().first, chunk.first);
        assert!(backlog.failed(chunk, &Failure::Rejected("no".into())).is_some());
        assert!(drained(backlog).iter().all(|(tier, ..)| *tier == Tier::Coarse));
    }
}
