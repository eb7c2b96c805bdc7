//! A recording as something that can be played: forward by time or record, back by starting from the
//! checkpoint before. What needs the whole recording is read beside it, and given to it later.

mod position;
mod survey;

use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use crate::clean::Clean;
use crate::journal::{JournalError, Target};
use crate::runbook::Runbook;
use crate::state::{Playback, State, Survey};

use self::position::Position;
pub use self::survey::{Unread, Unsurveyed, decoded, unread, world_of};

/// The slowest and the fastest, as multiples of real time.
const SPEEDS: (f64, f64) = (0.25, 64.0);

/// A recording being played.
pub struct Player {
    position: Position,
    /// The entries of the timeline at the end, once they were asked for.
    entries: Option<Vec<(DateTime<Utc>, Clean)>>,
    /// What reading the whole recording found, once that is done.
    survey: Option<Arc<Survey>>,
    /// What is shown: the world of the last record played, and the viewer's own screen.
    pub state: State,
    /// The time that the replay has come to; between two records it moves on by itself.
    at: DateTime<Utc>,
    speed: f64,
    playing: bool,
}

/// Why a replay does not go to where it was asked to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotFound {
    /// It is no time, and no text of the timeline.
    #[error("\"{0}\" is neither a time (14:46:32, +2m) nor in the timeline")]
    Nowhere(Clean),
    /// It is a time before the recording, or after it.
    #[error(
        "{wanted} is not in this recording, which goes from {} to {}",
        .first.format("%H:%M:%S"),
        .last.format("%H:%M:%S")
    )]
    Outside {
        /// What was asked for.
        wanted: Clean,
        /// Time of the first record.
        first: DateTime<Utc>,
        /// Time of the last one.
        last: DateTime<Utc>,
    },
}

impl Player {
    /// Opens a recording at its start. However long it is, only its ends are read.
    ///
    /// # Errors
    /// It cannot be read, or holds nothing.
    pub fn open(path: &Path, runbook: Arc<Runbook>) -> Result<Self, JournalError> {
        let position = Position::open(path)?;
        let (_, first) = position.first();
        let mut player = Self {
            position,
            entries: None,
            survey: None,
            state: State::new(first, runbook),
            at: first,
            speed: 1.0,
            playing: true,
        };
        player.rewind();
        Ok(player)
    }

    /// Lets `real` time pass: plays what is due. Answers whether anything changed.
    pub fn pass(&mut self, real: TimeDelta) -> bool {
        if !self.playing {
            return false;
        }
        #[allow(clippy::cast_possible_truncation, reason = "milliseconds of one frame")]
        let span = TimeDelta::microseconds((real.as_seconds_f64() * self.speed * 1e6) as i64);
        self.at = (self.at + span).min(self.end());
        self.catch_up();
        self.playing = self.at < self.end();
        true
    }

    /// Plays, or pauses; at the end it starts over.
    pub fn toggle(&mut self) {
        if !self.playing && self.at >= self.end() {
            self.rewind();
        }
        self.playing = !self.playing;
        self.show();
    }

    /// So many times as fast.
    pub fn change_speed(&mut self, factor: f64) {
        self.speed = (self.speed * factor).clamp(SPEEDS.0, SPEEDS.1);
        self.show();
    }

    /// So many records on or back, and pauses there.
    pub fn step(&mut self, by: i64) {
        self.playing = false;
        if let Ok(by) = u64::try_from(by) {
            self.position.forward(&mut self.state.world, by);
            (_, self.at) = self.position.passed();
        } else if let Some((seq, at)) = self.position.back(by.unsigned_abs()) {
            self.position.go(&mut self.state.world, Target::Seq(seq));
            self.at = at; // the checkpoint behind a record may be later than it
        } else {
            return self.rewind();
        }
        self.show();
    }

    /// To the next entry of the timeline; to the end, where there is none.
    pub fn next_entry(&mut self) {
        let now = self.at;
        let found = self.entries().iter().map(|(at, _)| *at).find(|entry| *entry > now);
        self.pause_at(found.unwrap_or(self.end()));
    }

    /// To the previous entry of the timeline; to the start, where there is none.
    pub fn previous_entry(&mut self) {
        let now = self.at;
        let found = self.entries().iter().map(|(at, _)| *at).rfind(|entry| *entry < now);
        self.pause_at(found.unwrap_or(self.start()));
    }

    fn pause_at(&mut self, time: DateTime<Utc>) {
        self.playing = false;
        self.go_to_time(time);
    }

    /// To a time (`14:46`, `14:46:32`, RFC 3339, `+2m`, `-30s`) or to the next entry that contains the text.
    ///
    /// # Errors
    /// Neither.
    pub fn seek(&mut self, wanted: &str) -> Result<(), NotFound> {
        let wanted = wanted.trim();
        let time = parse_time(wanted, self.at, self.start());
        let Some(time) = time.or_else(|| self.named(wanted)) else {
            return Err(NotFound::Nowhere(wanted.into()));
        };
        let first = self.start();
        let last = self.end();
        let near = first - TimeDelta::minutes(1)..=last + TimeDelta::minutes(1);
        if !wanted.starts_with(['+', '-']) && !near.contains(&time) {
            return Err(NotFound::Outside { wanted: wanted.into(), first, last });
        }
        self.go_to_time(time);
        Ok(())
    }

    /// What is missing, or cannot be read. Reads the whole recording, unless its survey is there already.
    pub fn gaps(&mut self) -> &[Clean] {
        if self.survey.is_none()
            && let Some(survey) = self.unsurveyed().survey(|| true)
        {
            self.surveyed(survey);
        }
        self.survey.as_ref().map_or(&[], |survey| &survey.gaps)
    }

    /// The recording, to be read as a whole beside the player.
    pub fn unsurveyed(&self) -> Unsurveyed {
        Unsurveyed { recording: self.position.recording().clone(), span: (self.start(), self.end()) }
    }

    /// Takes in what reading the whole recording found.
    pub fn surveyed(&mut self, survey: Survey) {
        self.survey = Some(Arc::new(survey));
        self.show();
    }

    /// To the start, before the first record.
    pub fn rewind(&mut self) {
        let (first, at) = self.position.first();
        self.position.go(&mut self.state.world, Target::Seq(first.saturating_sub(1)));
        self.at = at;
        self.show();
    }

    /// To the end.
    pub fn finish(&mut self) {
        self.go_to_time(self.end());
    }

    fn start(&self) -> DateTime<Utc> {
        self.position.first().1
    }

    fn end(&self) -> DateTime<Utc> {
        self.position.last().1
    }

    /// When the next entry was that contains the text; from the end on from the start.
    fn named(&mut self, text: &str) -> Option<DateTime<Utc>> {
        let now = self.at;
        let text = text.to_lowercase();
        let holds = |(_, words): &&(DateTime<Utc>, Clean)| words.to_lowercase().contains(&text);
        let entries = self.entries();
        let after = entries.iter().filter(|(at, _)| *at > now).find(holds);
        after.or_else(|| entries.iter().find(holds)).map(|(at, _)| *at)
    }

    /// The timeline as it is at the end. What it takes is the last checkpoint and what follows: it is read
    /// when it is first asked for.
    fn entries(&mut self) -> &[(DateTime<Utc>, Clean)] {
        self.entries.get_or_insert_with(|| {
            let world = self.position.last_world();
            let entries = world.timeline.entries().iter();
            entries
                .map(|entry| (entry.at, format!("{} {}", world.subject(entry), entry.text).into()))
                .collect()
        })
    }

    fn go_to_time(&mut self, time: DateTime<Utc>) {
        self.at = time.max(self.start()).min(self.end());
        self.catch_up();
    }

    /// Plays all that is due by now; at the end all there is, even if clocks were set back meanwhile.
    fn catch_up(&mut self) {
        let (last, end) = self.position.last();
        let to = if self.at >= end { Target::Seq(last) } else { Target::At(self.at) };
        self.position.go(&mut self.state.world, to);
        self.show();
    }

    /// Tells the screen where the replay is.
    fn show(&mut self) {
        self.state.now = self.at;
        self.state.screen.playback = Some(Playback {
            playing: self.playing,
            speed: self.speed,
            from: self.start(),
            to: self.end(),
            seq: self.position.passed().0,
            last_seq: self.position.last().0,
            survey: self.survey.clone(),
        });
    }
}

/// A time of the day, of the recording's day; RFC 3339; or a span from `now`.
fn parse_time(text: &str, now: DateTime<Utc>, start: DateTime<Utc>) -> Option<DateTime<Utc>> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.to_utc());
    }
    if let Some(span) = text.strip_prefix(['+', '-']) {
        let (number, unit) = span.split_at(span.find(|c: char| !c.is_ascii_digit())?);
        let seconds = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3600,
            _ => return None,
        };
        let span = TimeDelta::try_seconds(number.parse::<i64>().ok()?.checked_mul(seconds)?)?;
        return if text.starts_with('-') {
            now.checked_sub_signed(span)
        } else {
            now.checked_add_signed(span)
        };
    }
    let clock = chrono::NaiveTime::parse_from_str(text, "%H:%M:%S")
        .or_else(|_| chrono::NaiveTime::parse_from_str(text, "%H:%M"))
        .ok()?;
    let today = start.date_naive().and_time(clock).and_utc();
    Some(if today < start && start - today > TimeDelta::hours(12) {
        today + TimeDelta::days(1)
    } else {
        today
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_people_write_them() {
        let start = DateTime::parse_from_rfc3339("2026-11-23T23:50:00Z").unwrap().to_utc();
        let read = |text: &str| parse_time(text, start, start).map(|at| at.to_rfc3339());
        assert_eq!(read("23:51:02").unwrap(), "2026-11-23T23:51:02+00:00");
        assert_eq!(read("00:05").unwrap(), "2026-11-24T00:05:00+00:00", "past midnight");
        assert_eq!(read("+2m").unwrap(), "2026-11-23T23:52:00+00:00");
        assert_eq!(read("-30s").unwrap(), "2026-11-23T23:49:30+00:00");
        assert_eq!((read("deploy"), read("+2x"), read("+99999999999999999999h")), (None, None, None));
    }
}
